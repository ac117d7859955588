/* SPDX-License-Identifier: MIT */
/* board_client in a terminal of the test's own (a pty), against epoll_server. A pass: it draws the
 * view, walks by the arrow keys, and however it ends, the terminal is as it was before.
 *
 *   board_client_test SERVER CLIENT LOADGEN         the test
 *   board_client_test SERVER CLIENT LOADGEN FILE    the picture of docs/board.md */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define ROWS 24
#define COLUMNS 80
#define WAIT_MS 20000
#define SIDE "30" /* of the board: small, so that a walk soon meets others and the edge */

static const char *server_path, *client_path, *loadgen_path;
static pid_t server, client, loadgen;
static unsigned port;

/* What the terminal shows, and the two ends of the pty. */
static struct {
    int master, slave;
    struct termios before;
    char cell[ROWS][COLUMNS + 1], colour[ROWS][COLUMNS];
    int row, column;
    char colour_now;
    bool alternate, entered; /* the alternate screen: on now; was on */
    char escape[32];         /* what has come of a sequence; "" = none */
    size_t escape_bytes;
} terminal;

/* ---- the terminal */

static void terminal_clear(void) {
    for (int row = 0; row < ROWS; row++) {
        memset(terminal.cell[row], ' ', COLUMNS);
        terminal.cell[row][COLUMNS] = '\0';
        memset(terminal.colour[row], 0, COLUMNS);
    }
}

static void terminal_escape(void) {
    int row = 0, column = 0;
    if (strcmp(terminal.escape, "[?1049h") == 0) {
        terminal.alternate = terminal.entered = true;
    } else if (strcmp(terminal.escape, "[?1049l") == 0) {
        terminal.alternate = false;
        terminal_clear(); /* the shell's screen: nothing was on it */
        terminal.row = terminal.column = 0;
    } else if (strcmp(terminal.escape, "[2J") == 0) {
        terminal_clear();
    } else if (terminal.escape[terminal.escape_bytes - 1] == 'H' &&
               sscanf(terminal.escape, "[%d;%dH", &row, &column) == 2) {
        terminal.row = row - 1;
        terminal.column = column - 1;
    } else if (terminal.escape[terminal.escape_bytes - 1] == 'm') {
        /* 0 plain, 90 dim, 32 self, 33 other, 34 wall, 7 bar: the last number tells */
        const char *last = strrchr(terminal.escape, ';');
        terminal.colour_now = (char)atoi(last != NULL ? last + 1 : terminal.escape + 1);
    }
}

static void terminal_byte(char byte) {
    if (byte == '\x1b') {
        terminal.escape_bytes = 0;
        terminal.escape[0] = '\x1b';
    } else if (terminal.escape[0] != '\0') {
        assert_true(terminal.escape_bytes + 1 < sizeof terminal.escape);
        terminal.escape[terminal.escape_bytes++] = byte;
        terminal.escape[terminal.escape_bytes] = '\0';
        if (byte >= '@' && byte <= '~' && byte != '[') {
            terminal_escape();
            terminal.escape[0] = '\0';
        }
    } else if (terminal.row < ROWS && terminal.column < COLUMNS && byte >= ' ') {
        terminal.cell[terminal.row][terminal.column] = byte;
        terminal.colour[terminal.row][terminal.column++] = terminal.colour_now;
    }
}

/* Takes what the client has written. False: nothing came for that long. */
static bool terminal_read(int ms) {
    struct pollfd fd = {.fd = terminal.master, .events = POLLIN};
    char bytes[4096];
    ssize_t got;
    if (poll(&fd, 1, ms) <= 0) {
        return false;
    }
    got = read(terminal.master, bytes, sizeof bytes);
    for (ssize_t i = 0; i < got; i++) {
        terminal_byte(bytes[i]);
    }
    return got > 0;
}

static bool terminal_shows(const char *text) {
    for (int row = 0; row < ROWS; row++) {
        if (strstr(terminal.cell[row], text) != NULL) {
            return true;
        }
    }
    return false;
}

static void terminal_await(const char *text) {
    for (int waited = 0; waited < WAIT_MS && !terminal_shows(text); waited += 50) {
        (void)terminal_read(50);
    }
    if (!terminal_shows(text)) {
        for (int row = 0; row < ROWS; row++) {
            print_error("|%s|\n", terminal.cell[row]);
        }
        fail_msg("the screen does not show '%s'", text);
    }
}

static void terminal_type(const char *keys) {
    assert_int_equal(write(terminal.master, keys, strlen(keys)), (ssize_t)strlen(keys));
}

static void terminal_open(void) {
    const struct winsize size = {.ws_row = ROWS, .ws_col = COLUMNS};
    memset(&terminal, 0, sizeof terminal);
    terminal_clear();
    terminal.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(terminal.master >= 0);
    assert_int_equal(grantpt(terminal.master), 0);
    assert_int_equal(unlockpt(terminal.master), 0);
    terminal.slave = open(ptsname(terminal.master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(terminal.slave >= 0);
    assert_int_equal(ioctl(terminal.slave, TIOCSWINSZ, &size), 0);
    assert_int_equal(tcgetattr(terminal.slave, &terminal.before), 0);
}

static void terminal_close(void) {
    (void)close(terminal.slave);
    (void)close(terminal.master);
}

/* ---- the programs */

static int server_start(void **state) {
    char line[256] = "";
    FILE *out;
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    server = fork();
    assert_true(server >= 0);
    if (server == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)execl(server_path, server_path, "--port", "0", "--app", "board", "--board-width",
                    SIDE, "--board-height", SIDE, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    out = fdopen(ends[0], "r");
    assert_non_null(out);
    port = 0;
    while (port == 0 && fgets(line, sizeof line, out) != NULL) {
        (void)sscanf(line, "listening on 127.0.0.1:%u", &port);
    }
    assert_true(port > 0);
    return 0; /* `out` stays open, as the server writes to it */
}

static int process_end(pid_t *process, int number) {
    int status = 0;
    if (*process > 0) {
        (void)kill(*process, number);
        (void)waitpid(*process, &status, 0);
    }
    *process = 0;
    return status;
}

static int server_end(void **state) {
    (void)state;
    (void)process_end(&server, SIGTERM);
    return 0;
}

static void client_start(const char *name) {
    char text[16];
    (void)snprintf(text, sizeof text, "%u", port);
    client = fork();
    assert_true(client >= 0);
    if (client == 0) {
        const int fd = terminal.slave;
        if (setsid() >= 0 && ioctl(fd, TIOCSCTTY, 0) == 0 && dup2(fd, STDIN_FILENO) >= 0 &&
            dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0) {
            (void)execl(client_path, client_path, "--port", text, "--name", name, (char *)NULL);
        }
        _exit(127);
    }
}

/* Its exit code; the terminal must be as it was. */
static int client_await_end(void) {
    struct termios now;
    int status = 0;
    pid_t ended = 0;
    for (int waited = 0; waited < WAIT_MS && ended == 0; waited += 20) {
        (void)terminal_read(20);
        ended = waitpid(client, &status, WNOHANG);
    }
    if (ended == 0) {
        (void)process_end(&client, SIGKILL);
        fail_msg("the client does not end");
    }
    client = 0;
    while (terminal_read(50)) {
    }
    assert_true(WIFEXITED(status));
    assert_true(terminal.entered);
    assert_false(terminal.alternate);
    assert_int_equal(tcgetattr(terminal.slave, &now), 0);
    assert_int_equal(now.c_lflag, terminal.before.c_lflag);
    assert_int_equal(now.c_iflag, terminal.before.c_iflag);
    assert_int_equal(now.c_oflag, terminal.before.c_oflag);
    assert_memory_equal(now.c_cc, terminal.before.c_cc, sizeof now.c_cc);
    return WEXITSTATUS(status);
}

/* ---- the cases */

static void test_client_draws_and_walks(void **state) {
    static const char *const arrows[] = {"\x1b[A", "\x1bOB", "\x1b[C", "\x1b[D", "k"};
    (void)state;
    terminal_open();
    client_start("anna");
    terminal_await(" anna  at ");
    terminal_await("moves 0");
    terminal_await("in view: 0");
    assert_int_equal(terminal.cell[7][14], '@'); /* the middle of 15 cells, two characters each */
    for (unsigned i = 0; i < sizeof arrows / sizeof arrows[0]; i++) {
        char moves[16];
        terminal_type(arrows[i]);
        (void)snprintf(moves, sizeof moves, "moves %u ", i + 1);
        terminal_await(moves);
    }
    terminal_type("xyz\x1b[5~"); /* no keys of the game */
    terminal_type("q");
    assert_int_equal(client_await_end(), 0);
    terminal_close();
}

/* To the north-west corner, wherever it began: there are walls, and moves that lead nowhere. */
static void test_client_shows_the_edge(void **state) {
    (void)state;
    terminal_open();
    client_start("bert");
    terminal_await("moves 0");
    for (int i = 0; i < 2 * 30 && !terminal_shows(" at 0,0 of 30x30"); i++) {
        char moves[20];
        terminal_type(i % 2 == 0 ? "\x1b[A" : "\x1b[D");
        (void)snprintf(moves, sizeof moves, "moves %d ", i + 1);
        terminal_await(moves);
    }
    terminal_await(" at 0,0 of 30x30");
    assert_memory_equal(terminal.cell[0], "##############", 14);
    assert_int_equal(terminal.cell[7][13], '#');
    assert_int_equal(terminal.cell[7][14], '@');
    assert_int_equal(terminal.cell[7][16], '.');
    terminal_type("q");
    assert_int_equal(client_await_end(), 0);
    terminal_close();
}

static void test_client_gives_the_terminal_back_on_signals(void **state) {
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    (void)state;
    for (size_t i = 0; i <= sizeof signals / sizeof signals[0]; i++) {
        terminal_open();
        client_start("carl");
        terminal_await("moves 0");
        if (i < sizeof signals / sizeof signals[0]) {
            assert_int_equal(kill(client, signals[i]), 0);
        } else {
            terminal_type("\x03"); /* Ctrl+C */
        }
        assert_int_equal(client_await_end(), 0);
        terminal_close();
    }
}

static void test_client_says_that_the_server_has_ended(void **state) {
    (void)state;
    terminal_open();
    client_start("dora");
    terminal_await("moves 0");
    (void)process_end(&server, SIGTERM);
    assert_int_equal(client_await_end(), 1);
    assert_true(terminal_shows("board_client: the server has ended the connection"));
    terminal_close();
    (void)server_start(NULL);
}

static void test_client_needs_a_terminal(void **state) {
    char line[512];
    (void)state;
    (void)snprintf(line, sizeof line, "'%s' --port %u </dev/null >/dev/null 2>&1", client_path,
                   port);
    assert_int_equal(WEXITSTATUS(system(line)), 1);
    (void)snprintf(line, sizeof line, "'%s' --name 'a b' </dev/null >/dev/null 2>&1", client_path);
    assert_int_equal(WEXITSTATUS(system(line)), 2);
}

/* ---- the picture */

static const char *picture_colour(char colour) {
    switch (colour) {
    case 90:
        return "#707070";
    case 32:
        return "#60e060";
    case 33:
        return "#f0c040";
    case 34:
        return "#5080e0";
    default:
        return "#d8d8d8";
    }
}

/* Of a row: each stretch of one colour. */
static void picture_row(FILE *out, int row) {
    for (int from = 0, to, end; from < COLUMNS; from = to) {
        for (to = from; to < COLUMNS && terminal.colour[row][to] == terminal.colour[row][from];
             to++) {
        }
        if (terminal.colour[row][from] == 7) {
            (void)fprintf(out,
                          "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"16\" "
                          "fill=\"#404048\"/>\n",
                          8 + from * 8, 8 + row * 16, (to - from) * 8);
        }
        end = to;
        while (end > from && terminal.cell[row][end - 1] == ' ') {
            end--;
        }
        if (end > from) {
            (void)fprintf(out,
                          "<text x=\"%d\" y=\"%d\" fill=\"%s\" textLength=\"%d\">%.*s</text>\n",
                          8 + from * 8, 20 + row * 16, picture_colour(terminal.colour[row][from]),
                          (end - from) * 8, end - from, terminal.cell[row] + from);
        }
    }
}

/* Bots beside a human. */
static int picture(const char *path) {
    char text[16];
    FILE *out;
    (void)server_start(NULL);
    (void)snprintf(text, sizeof text, "%u", port);
    loadgen = fork();
    if (loadgen == 0) {
        (void)freopen("/dev/null", "w", stdout);
        (void)execl(loadgen_path, loadgen_path, "--app", "board", "--port", text, "--connections",
                    "40", "--depth", "4", "--rate", "100", "--seconds", "30", (char *)NULL);
        _exit(127);
    }
    (void)sleep(2);
    terminal_open();
    client_start("human");
    terminal_await("moves 0");
    for (int i = 0; i < 4; i++) {
        terminal_type("\x1b[C");
    }
    terminal_await("moves 4");
    out = fopen(path, "w");
    assert_non_null(out);
    (void)fprintf(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                  "font-family=\"monospace\" font-size=\"13\" xml:space=\"preserve\">\n"
                  "<rect width=\"100%%\" height=\"100%%\" fill=\"#18181c\"/>\n",
                  16 + COLUMNS * 8, 16 + ROWS * 16);
    for (int row = 0; row < ROWS; row++) {
        picture_row(out, row);
    }
    (void)fprintf(out, "</svg>\n");
    (void)fclose(out);
    terminal_type("q");
    (void)client_await_end();
    (void)process_end(&loadgen, SIGTERM);
    (void)process_end(&server, SIGTERM);
    return 0;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client_draws_and_walks),
        cmocka_unit_test(test_client_shows_the_edge),
        cmocka_unit_test(test_client_gives_the_terminal_back_on_signals),
        cmocka_unit_test(test_client_says_that_the_server_has_ended),
        cmocka_unit_test(test_client_needs_a_terminal),
    };
    if (argc < 4) {
        (void)fprintf(stderr, "board_client_test SERVER CLIENT LOADGEN [PICTURE]\n");
        return 2;
    }
    server_path = argv[1];
    client_path = argv[2];
    loadgen_path = argv[3];
    return argc > 4 ? picture(argv[4]) : cmocka_run_group_tests(tests, server_start, server_end);
}

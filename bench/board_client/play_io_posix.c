/* SPDX-License-Identifier: MIT */
/* termios and VT sequences. The program draws on the alternate screen, so the shell's is as it was.
 *
 * Sockets and pipe block; poll says when they need not. */
#include "board_client/play_io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#define IO_CELL_BYTES 16u /* of a cell on its way: a colour and a character */
#define IO_SIZE_COLUMNS 80u
#define IO_SIZE_ROWS 24u

static struct {
    int socket, wake[2]; /* -1: none */
    bool raw;
    struct termios before;
} io = {.socket = -1, .wake = {-1, -1}};

static volatile sig_atomic_t io_resized;

static rs_status io_error(rs_error *error, const char *call) {
    return rs_error_set(error, RS_E_OS, call, (uint32_t)errno, "%s: %s", call, strerror(errno));
}

rs_status play_io_connect(uint32_t ip, uint16_t port, rs_error *error) {
    const struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(ip)}};
    const int on = 1;
    io.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (io.socket < 0 || connect(io.socket, (const struct sockaddr *)&addr, sizeof addr) != 0) {
        return io_error(error, "connect");
    }
    (void)setsockopt(io.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return RS_OK;
}

void play_io_disconnect(void) {
    if (io.socket >= 0) {
        (void)close(io.socket);
        io.socket = -1;
    }
}

/* ---- the terminal */

static void io_write(const char *text, size_t bytes) {
    while (bytes > 0) {
        const ssize_t written = write(STDOUT_FILENO, text, bytes);

        if (written < 0 && errno != EINTR) {
            return; /* the terminal is gone: the input says so too */
        }
        text += written > 0 ? (size_t)written : 0;
        bytes -= written > 0 ? (size_t)written : 0;
    }
}

static void io_on_resize(int number) {
    (void)number;
    io_resized = 1; /* poll ends with EINTR */
}

static bool io_install(void) {
    struct sigaction resize = {.sa_handler = io_on_resize};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    return sigaction(SIGWINCH, &resize, NULL) == 0 &&
           sigaction(SIGTSTP, &ignore, NULL) == 0; /* asleep, it would leave the terminal raw */
}

rs_status play_io_begin(rs_error *error) {
    static const char enter[] = "\x1b[?1049h\x1b[?25l\x1b[2J";
    struct termios raw;
    if (tcgetattr(STDIN_FILENO, &io.before) != 0 || !isatty(STDOUT_FILENO)) {
        return rs_error_set(error, RS_E_OS, "tcgetattr", (uint32_t)errno, "needs a terminal");
    }
    if (pipe2(io.wake, O_CLOEXEC | O_NONBLOCK) != 0 || !io_install()) {
        return io_error(error, "pipe2");
    }
    raw = io.before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) != 0) {
        return io_error(error, "tcsetattr");
    }
    io.raw = true;
    io_write(enter, sizeof enter - 1u);
    return RS_OK;
}

void play_io_end(void) {
    static const char leave[] = "\x1b[0m\x1b[?25h\x1b[?1049l";
    if (!io.raw) {
        return;
    }
    io.raw = false;
    io_write(leave, sizeof leave - 1u);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &io.before);
}

void play_io_size(play_screen *screen) {
    struct winsize size = {.ws_col = 0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
        play_screen_size(screen, IO_SIZE_COLUMNS, IO_SIZE_ROWS);
        return;
    }
    play_screen_size(screen, size.ws_col, size.ws_row);
}

/* One write a picture, so that a terminal never shows half of one. */
void play_io_show(const play_screen *screen) {
    static const char *const colours[PLAY_COLOURS] = {"0", "0;90", "0;1;32", "0;1;33", "0;34", "7"};
    static char out[PLAY_ROWS_MAX * (PLAY_COLUMNS_MAX + 1u) * IO_CELL_BYTES];
    size_t at = 0;
    for (uint32_t row = 0; row < screen->rows; row++) {
        uint8_t colour = PLAY_COLOURS;
        at += (size_t)snprintf(out + at, sizeof out - at, "\x1b[%u;1H", row + 1u);
        for (uint32_t column = 0; column < screen->columns; column++) {
            const play_cell *cell = &screen->cell[row][column];

            if (cell->colour != colour) {
                colour = cell->colour;
                at += (size_t)snprintf(out + at, sizeof out - at, "\x1b[%sm", colours[colour]);
            }
            out[at++] = cell->character;
        }
    }
    io_write(out, at);
}

/* ---- waiting */

void play_io_stop(void) {
    const char byte = 0;
    (void)!write(io.wake[1], &byte, 1); /* full: it is awake already */
}

static uint32_t io_read(int fd, void *out, size_t bytes, bool *end) {
    const ssize_t got = read(fd, out, bytes);
    *end = *end || got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
    return got > 0 ? (uint32_t)got : 0;
}

void play_io_wait(play_input *input) {
    struct pollfd fds[] = {{.fd = io.wake[0], .events = POLLIN},
                           {.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = io.socket, .events = POLLIN}};
    input->key_bytes = input->data_bytes = 0;
    if (poll(fds, sizeof fds / sizeof fds[0], -1) > 0) {
        input->stop = input->stop || fds[0].revents != 0;
        if (fds[1].revents != 0) {
            input->key_bytes = io_read(STDIN_FILENO, input->keys, PLAY_KEYS_BYTES, &input->stop);
        }
        if (fds[2].revents != 0) {
            input->data_bytes = io_read(io.socket, input->data, PLAY_DATA_BYTES, &input->closed);
        }
    }
    input->resized = io_resized != 0;
    io_resized = 0;
}

bool play_io_send(const uint8_t *data, uint32_t bytes) {
    return send(io.socket, data, bytes, MSG_NOSIGNAL) == (ssize_t)bytes;
}

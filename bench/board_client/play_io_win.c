/* SPDX-License-Identifier: MIT */
/* The console API: a screen buffer of our own, so that the shell's comes back untouched. Arrow keys
 * are handed on as the sequences of a terminal. */
#include "win/win.h"

#include "board_client/play_io.h"

#include "core/assert.h"

/* A console's handle can be signalled with nothing to read (Wine 8 after a key), and reading would
 * block: the connection is looked at anyhow, so often that a person does not see it. */
#define IO_LOOK_MS 50u

enum { WAIT_STOP, WAIT_KEYS, WAIT_DATA, WAITS };

static struct {
    SOCKET socket;
    HANDLE stop, keys, data, screen, before; /* NULL: none; data: the socket's event */
    DWORD mode;
    bool started, ours;
} io = {.socket = INVALID_SOCKET};

static rs_status io_error(rs_error *error, const char *call, DWORD code) {
    return rs_error_set(error, RS_E_OS, call, code, "%s failed: error %lu", call, code);
}

/* ---- the connection */

rs_status play_io_connect(uint32_t ip, uint16_t port, rs_error *error) {
    struct sockaddr_in addr = {.sin_family = AF_INET};
    const BOOL on = TRUE;
    WSADATA data;
    int code = WSAStartup(MAKEWORD(2, 2), &data);
    if (code != 0) {
        return io_error(error, "WSAStartup", (DWORD)code);
    }
    io.started = true;
    addr.sin_port = htons(port);
    addr.sin_addr.s_addr = htonl(ip);
    io.data = WSACreateEvent();
    io.socket = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    if (io.data == NULL || io.socket == INVALID_SOCKET ||
        connect(io.socket, (const struct sockaddr *)&addr, sizeof addr) != 0) {
        return io_error(error, "connect", (DWORD)WSAGetLastError());
    }
    (void)setsockopt(io.socket, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof on);
    if (WSAEventSelect(io.socket, io.data, FD_READ | FD_CLOSE) != 0) {
        return io_error(error, "WSAEventSelect", (DWORD)WSAGetLastError());
    }
    return RS_OK;
}

void play_io_disconnect(void) {
    if (io.socket != INVALID_SOCKET) {
        (void)closesocket(io.socket);
        io.socket = INVALID_SOCKET;
    }
    if (io.data != NULL) {
        (void)WSACloseEvent(io.data);
        io.data = NULL;
    }
    if (io.started) {
        (void)WSACleanup();
        io.started = false;
    }
}

/* Frames are a few bytes and the socket does not block: less than all is as good as none. */
bool play_io_send(const uint8_t *data, uint32_t bytes) {
    return send(io.socket, (const char *)data, (int)bytes, 0) == (int)bytes;
}

/* ---- the console */

rs_status play_io_begin(rs_error *error) {
    CONSOLE_CURSOR_INFO hidden = {.dwSize = 1, .bVisible = FALSE};
    io.stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    io.keys = GetStdHandle(STD_INPUT_HANDLE);
    io.before = GetStdHandle(STD_OUTPUT_HANDLE);
    if (io.stop == NULL || !GetConsoleMode(io.keys, &io.mode)) {
        return rs_error_set(error, RS_E_OS, "GetConsoleMode", GetLastError(), "needs a console");
    }
    io.screen =
        CreateConsoleScreenBuffer(GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                  NULL, CONSOLE_TEXTMODE_BUFFER, NULL);
    if (io.screen == INVALID_HANDLE_VALUE || !SetConsoleActiveScreenBuffer(io.screen)) {
        return io_error(error, "CreateConsoleScreenBuffer", GetLastError());
    }
    io.ours = true;
    if (!SetConsoleMode(io.keys, ENABLE_PROCESSED_INPUT | ENABLE_WINDOW_INPUT)) {
        return io_error(error, "SetConsoleMode", GetLastError());
    }
    (void)SetConsoleCursorInfo(io.screen, &hidden);
    return RS_OK;
}

void play_io_end(void) {
    if (!io.ours) {
        return;
    }
    io.ours = false;
    (void)SetConsoleMode(io.keys, io.mode);
    (void)SetConsoleActiveScreenBuffer(io.before);
    (void)CloseHandle(io.screen);
}

void play_io_size(play_screen *screen) {
    CONSOLE_SCREEN_BUFFER_INFO info;
    if (!GetConsoleScreenBufferInfo(io.screen, &info)) {
        play_screen_size(screen, 80, 24);
        return;
    }
    play_screen_size(screen, (uint32_t)(info.srWindow.Right - info.srWindow.Left + 1),
                     (uint32_t)(info.srWindow.Bottom - info.srWindow.Top + 1));
}

void play_io_show(const play_screen *screen) {
    static const WORD colours[PLAY_COLOURS] = {FOREGROUND_RED | FOREGROUND_GREEN | FOREGROUND_BLUE,
                                               FOREGROUND_INTENSITY,
                                               FOREGROUND_GREEN | FOREGROUND_INTENSITY,
                                               FOREGROUND_RED | FOREGROUND_GREEN |
                                                   FOREGROUND_INTENSITY,
                                               FOREGROUND_BLUE | FOREGROUND_INTENSITY,
                                               BACKGROUND_RED | BACKGROUND_GREEN | BACKGROUND_BLUE};
    static CHAR_INFO out[PLAY_ROWS_MAX * PLAY_COLUMNS_MAX];
    const COORD size = {.X = (SHORT)screen->columns, .Y = (SHORT)screen->rows};
    const COORD from = {.X = 0, .Y = 0};
    SMALL_RECT to = {.Right = (SHORT)(size.X - 1), .Bottom = (SHORT)(size.Y - 1)};
    for (uint32_t row = 0; row < screen->rows; row++) {
        for (uint32_t column = 0; column < screen->columns; column++) {
            const play_cell *cell = &screen->cell[row][column];
            CHAR_INFO *place = &out[row * screen->columns + column];

            place->Char.UnicodeChar = (WCHAR)cell->character;
            place->Attributes = colours[cell->colour];
        }
    }
    (void)WriteConsoleOutputW(io.screen, out, size, from, &to); /* shown again with the next move */
}

/* ---- waiting */

void play_io_stop(void) {
    if (io.stop != NULL) {
        (void)SetEvent(io.stop);
    }
}

static void io_put(play_input *input, const char *bytes) {
    for (; *bytes != '\0' && input->key_bytes < PLAY_KEYS_BYTES; bytes++) {
        input->keys[input->key_bytes++] = (uint8_t)*bytes;
    }
}

static void io_key(play_input *input, const KEY_EVENT_RECORD *key) {
    const char character[2] = {key->uChar.AsciiChar, '\0'};
    if (!key->bKeyDown) {
        return;
    }
    switch (key->wVirtualKeyCode) {
    case VK_UP:
        io_put(input, "\x1b[A");
        break;
    case VK_DOWN:
        io_put(input, "\x1b[B");
        break;
    case VK_RIGHT:
        io_put(input, "\x1b[C");
        break;
    case VK_LEFT:
        io_put(input, "\x1b[D");
        break;
    default:
        io_put(input, character);
        break;
    }
}

/* At most a few records at a time: an arrow takes three bytes of the room. */
static void io_read_keys(play_input *input) {
    INPUT_RECORD record[PLAY_KEYS_BYTES / 4u];
    DWORD count = 0;
    if (GetNumberOfConsoleInputEvents(io.keys, &count) && count == 0) {
        (void)WaitForSingleObject(io.data, IO_LOOK_MS);
        return;
    }
    if (!ReadConsoleInputA(io.keys, record, sizeof record / sizeof record[0], &count)) {
        input->stop = true;
        return;
    }
    for (DWORD i = 0; i < count; i++) {
        if (record[i].EventType == KEY_EVENT) {
            io_key(input, &record[i].Event.KeyEvent);
        } else if (record[i].EventType == WINDOW_BUFFER_SIZE_EVENT) {
            input->resized = true;
        }
    }
}

static void io_read_data(play_input *input) {
    WSANETWORKEVENTS events;
    int got;
    if (WSAEnumNetworkEvents(io.socket, io.data, &events) != 0) { /* resets the event */
        input->closed = true;
        return;
    }
    got = recv(io.socket, (char *)input->data, (int)PLAY_DATA_BYTES, 0);
    if (got > 0) {
        input->data_bytes = (uint32_t)got;
    } else {
        input->closed = got == 0 || WSAGetLastError() != WSAEWOULDBLOCK;
    }
}

void play_io_wait(play_input *input) {
    const HANDLE handles[WAITS] = {io.stop, io.keys, io.data};
    DWORD which;
    input->key_bytes = input->data_bytes = 0;
    input->resized = false;
    which = WaitForMultipleObjects(WAITS, handles, FALSE, IO_LOOK_MS);
    RS_ASSERT(which < WAITS || which == WAIT_TIMEOUT);
    input->stop = input->stop || which == WAIT_STOP;
    if (which == WAIT_KEYS) {
        io_read_keys(input);
    }
    io_read_data(input);
}

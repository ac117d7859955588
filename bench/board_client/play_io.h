/* SPDX-License-Identifier: MIT */
/* The terminal and the connection of board_client: one of each in the process, one thread (but
 * for play_io_stop). */
#ifndef RS_BOARD_CLIENT_PLAY_IO_H
#define RS_BOARD_CLIENT_PLAY_IO_H

#include "board_client/play_game.h"

#define PLAY_KEYS_BYTES 64u
#define PLAY_DATA_BYTES 4096u

/* What came since the last wait. */
typedef struct play_input {
    uint8_t keys[PLAY_KEYS_BYTES];
    uint8_t data[PLAY_DATA_BYTES];
    uint32_t key_bytes, data_bytes;
    bool resized; /* the terminal has another size */
    bool stop;    /* asked to stop, or there is no more input */
    bool closed;  /* the server has ended the connection */
} play_input;

/* play_io_connect: RS_OK, or *error says why not. ip: host byte order. */
rs_status play_io_connect(uint32_t ip, uint16_t port, rs_error *error);

/* play_io_begin: takes the terminal over: keys come singly and are not shown, the screen is ours.
 * play_io_end: gives it back as it was, with what stood there. Also without begin, and twice. */
rs_status play_io_begin(rs_error *error);
void play_io_end(void);

/* play_io_wait: sleeps until there is something, and fetches it. */
void play_io_wait(play_input *input);

/* play_io_stop: any thread: the next wait returns with stop. */
void play_io_stop(void);

/* play_io_send: all of it, or false: the connection is gone. */
bool play_io_send(const uint8_t *data, uint32_t bytes);

/* play_io_show: puts the screen on the terminal. play_io_size: asks the terminal for its size. */
void play_io_show(const play_screen *screen);
void play_io_size(play_screen *screen);

void play_io_disconnect(void);

#endif

/* SPDX-License-Identifier: MIT */
/* board_client: a human on the board. Logs in, shows what is in view, walks with the arrow keys. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board_client/play_io.h"
#include "core/op.h"
#include "core/options.h"
#include "seam/os.h"

#define MAIN_AHEAD 8u /* moves that may be unanswered: a key held down must not run on for ever */
#define MAIN_EXIT_USAGE 2

typedef struct main_settings {
    rs_addr addr;
    const char *name;
    rs_options options;
} main_settings;

static const rs_option main_rows[] = {
    RS_ROW_ADDR(main_settings, addr.ip, "host", 0x7F000001, "address of the server"),
    RS_ROW_UINT(main_settings, addr.port, "port", 1, 65535, 4000, "", "port of the server"),
    RS_ROW_STRING(main_settings, name, "name", "human",
                  "name of the player: 1 to 16 printable characters, no blank"),
};
static const rs_option_table main_options = {main_rows, RS_ROWS(main_rows), NULL};

typedef struct main_client {
    play_game game;
    play_screen screen;
    play_keys keys;
    play_input input;
    uint8_t frame[2u * PLAY_DATA_BYTES]; /* what is not a whole frame yet, and what came */
    uint32_t frame_bytes;
    const char *fault; /* NULL: none */
    bool quit;
} main_client;

static void main_on_stop(void *arg) {
    (void)arg;
    play_io_stop();
}

static void main_send(main_client *client, const rs_board_frame *frame) {
    uint8_t out[RS_BOARD_FRAME_BYTES_MAX];
    if (!play_io_send(out, rs_board_encode(frame, out))) {
        client->fault = "the connection to the server is gone";
    }
}

static void main_login(main_client *client, const char *name) {
    rs_board_frame login = {.type = RS_BOARD_LOGIN, .name_bytes = (uint8_t)strlen(name)};
    memcpy(login.name, name, login.name_bytes);
    memcpy(client->game.name, name, login.name_bytes);
    main_send(client, &login);
}

static void main_keys(main_client *client) {
    for (uint32_t i = 0; i < client->input.key_bytes; i++) {
        const uint32_t key = play_key(&client->keys, client->input.keys[i]);

        if (key == PLAY_KEY_QUIT) {
            client->quit = true;
        } else if (key < RS_BOARD_DIRECTIONS && client->game.welcomed &&
                   client->game.asked - client->game.seq < MAIN_AHEAD) {
            const rs_board_frame move = {.type = RS_BOARD_MOVE, .direction = (uint8_t)key};

            client->game.asked++;
            main_send(client, &move);
        }
    }
}

/* All whole frames of what has come. */
static void main_frames(main_client *client) {
    uint32_t at = 0, bytes = 0;
    rs_status status;
    memcpy(client->frame + client->frame_bytes, client->input.data, client->input.data_bytes);
    client->frame_bytes += client->input.data_bytes;
    while (client->fault == NULL &&
           (status = rs_frame_parse(client->frame + at, client->frame_bytes - at,
                                    RS_BOARD_FRAME_BYTES_MAX, &bytes)) != RS_E_AGAIN) {
        client->fault = status == RS_OK ? play_game_frame(&client->game, client->frame + at, bytes)
                                        : "the server does not speak the board game";
        at += bytes;
    }
    client->frame_bytes -= at;
    memmove(client->frame, client->frame + at, client->frame_bytes);
}

static void main_play(main_client *client) {
    bool changed = true;
    play_io_size(&client->screen);
    while (!client->quit && client->fault == NULL && !client->input.stop) {
        if (changed) { /* a console may take long to show a screen */
            play_game_draw(&client->game, &client->screen);
            play_io_show(&client->screen);
        }
        play_io_wait(&client->input);
        changed = client->input.data_bytes > 0 || client->input.resized;
        if (client->input.resized) {
            play_io_size(&client->screen);
        }
        main_keys(client);
        main_frames(client);
        if (client->input.closed && client->fault == NULL) {
            client->fault = "the server has ended the connection";
        }
    }
    if (client->fault == NULL) {
        main_send(client, &(rs_board_frame){.type = RS_BOARD_LOGOUT});
    }
}

static int main_run(main_client *client, const main_settings *settings) {
    rs_error error = {.text = ""};
    const char *fault;
    rs_status status = play_io_connect(settings->addr.ip, settings->addr.port, &error);
    if (status == RS_OK) {
        status = play_io_begin(&error);
    }
    if (status == RS_OK) {
        status = rs_os_on_stop(main_on_stop, NULL);
    }
    if (status == RS_OK) {
        main_login(client, settings->name);
        main_play(client);
    }
    play_io_end();
    play_io_disconnect();
    fault = client->fault;
    if (status != RS_OK) {
        fault = error.text[0] != '\0' ? error.text : rs_status_text(status);
    }
    if (fault != NULL) {
        (void)fprintf(stderr, "board_client: %s\n", fault);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
    static main_settings settings;
    static main_client client;
    int exit_code;
    rs_os_begin();
    settings.options.program = "board_client";
    settings.options.summary = "a player of the board game (--app board) at this terminal";
    rs_options_add(&settings.options, &main_options, &settings, NULL);
    exit_code = rs_options_read(&settings.options, argc, (const char *const *)argv);
    if (exit_code >= 0) {
        return exit_code;
    }
    if (!rs_board_name_is_legal((const uint8_t *)settings.name,
                                (uint32_t)strnlen(settings.name, RS_BOARD_NAME_MAX + 1u))) {
        (void)fprintf(stderr, "board_client: --name: 1 to 16 printable characters, no blank\n");
        return MAIN_EXIT_USAGE;
    }
    return main_run(&client, &settings);
}

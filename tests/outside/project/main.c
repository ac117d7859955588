/* SPDX-License-Identifier: MIT */
/* Starts a server with what is installed, and stops it. Prints "outside: BACK_END VERSION". */
#include <ringside/ringside.h>

#include <stdio.h>
#include <string.h>

int plus_opens(rs_server_config **out, rs_error *error); /* plus.cpp */

int main(void) {
    rs_server_config *cfg;
    rs_server *server;
    rs_error error;
    if (plus_opens(&cfg, &error) == 0 || rs_server_start(&server, cfg, &error) != RS_OK) {
        (void)fprintf(stderr, "outside: %s\n", error.text);
        return 1;
    }
    rs_server_config_close(cfg);
    if (rs_server_port(server) == 0 || strcmp(rs_version(), RS_VERSION_TEXT) != 0) {
        return 1;
    }
    rs_server_stop(server);
    if (rs_server_join(server, &error) != RS_OK) {
        return 1;
    }
    rs_server_free(server);
    (void)printf("outside: %s %s\n", rs_version(), rs_status_text(RS_OK));
    return 0;
}

// SPDX-License-Identifier: MIT
// The same headers in C++.
#include <ringside/ringside.h>

static void on_message(void *, rs_session *session, const uint8_t *data, uint32_t bytes) {
    (void)rs_session_send(session, data, bytes);
}

extern "C" int plus_opens(rs_server_config **out, rs_error *error);

extern "C" int plus_opens(rs_server_config **out, rs_error *error) {
    rs_app app = rs_app();
    const rs_backend_api *backend = rs_backend_epoll();
    app.on_message = on_message;
    if (backend == nullptr) {
        backend = rs_backend_iocp();
    }
    if (rs_server_config_open(out, backend, error) != RS_OK) {
        return 0;
    }
    rs_server_config_set_app(*out, &app);
    return rs_server_config_set(*out, "port", "0", error) == RS_OK;
}

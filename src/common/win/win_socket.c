/* SPDX-License-Identifier: MIT */
/* Sockets: see win_socket.h. */
#include "win/win_socket.h"

#include "core/assert.h"
#include "net/net_address.h"
#include "win/win_error.h"

#include <string.h>

static const char *const win_call_names[RS_WIN_CALLS] = {
#define X(id, name) name,
    RS_WIN_CALL_TABLE(X)
#undef X
};

void rs_win_stats_add(rs_backend_stats *out, const char *name, uint64_t value, bool is_call) {
    RS_ASSERT(out->count < RS_BACKEND_STATS_MAX);
    out->stat[out->count++] = (rs_backend_stat){.name = name, .value = value, .is_call = is_call};
}

void rs_win_calls_stats(const rs_win_calls *calls, rs_backend_stats *out) {
    for (uint32_t i = 0; i < RS_WIN_CALLS; i++) {
        rs_win_stats_add(out, win_call_names[i], calls->count[i], true);
    }
}

rs_status rs_win_socket_start(rs_error *error) {
    WSADATA data;
    int rc = WSAStartup(MAKEWORD(2, 2), &data);
    if (rc != 0) {
        return rs_error_set(error, rs_win_error_status((uint32_t)rc), "WSAStartup", (uint32_t)rc,
                            "WSAStartup: cannot start Winsock 2.2 (error %d)", rc);
    }
    return RS_OK;
}

void rs_win_socket_stop(void) {
    (void)WSACleanup(); /* fails only without a start, which the caller guarantees */
}

#define WIN_SOCKET_FLAGS (WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT)

static SOCKET win_opened(SOCKET opened, rs_win_calls *calls, uint32_t *os_error) {
    *os_error = opened == INVALID_SOCKET ? (uint32_t)WSAGetLastError() : 0;
    calls->count[RS_WIN_SOCKET]++;
    return opened;
}

SOCKET rs_win_socket_open(int family, DWORD extra_flags, rs_win_calls *calls, uint32_t *os_error) {
    return win_opened(
        WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WIN_SOCKET_FLAGS | extra_flags),
        calls, os_error);
}

SOCKET rs_win_socket_open_by(const WSAPROTOCOL_INFOW *entry, DWORD extra_flags, rs_win_calls *calls,
                             uint32_t *os_error) {
    WSAPROTOCOL_INFOW info = *entry;
    info.dwProviderReserved = 0; /* or it would be the handle of a socket to share */
    return win_opened(WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info,
                                 0, WIN_SOCKET_FLAGS | extra_flags),
                      calls, os_error);
}

/* Returns 0 or the Winsock error. */
static uint32_t win_set_int(SOCKET socket, int level, int option, int value, rs_win_calls *calls) {
    int rc = setsockopt(socket, level, option, (const char *)&value, (int)sizeof value);
    uint32_t os_error = rc == 0 ? 0 : (uint32_t)WSAGetLastError();
    calls->count[RS_WIN_SETSOCKOPT]++;
    return os_error;
}

static uint32_t win_tune(SOCKET socket, const rs_tuning *tuning, rs_win_calls *calls) {
    uint32_t os_error = 0;
    if (tuning->nodelay) {
        os_error = win_set_int(socket, IPPROTO_TCP, TCP_NODELAY, 1, calls);
    }
    if (os_error == 0 && tuning->sndbuf_bytes >= 0) {
        os_error = win_set_int(socket, SOL_SOCKET, SO_SNDBUF, tuning->sndbuf_bytes, calls);
    }
    if (os_error == 0 && tuning->rcvbuf_bytes >= 0) {
        os_error = win_set_int(socket, SOL_SOCKET, SO_RCVBUF, tuning->rcvbuf_bytes, calls);
    }
    return os_error;
}

rs_status rs_win_socket_tune(SOCKET socket, const rs_tuning *tuning, rs_win_calls *calls) {
    return rs_win_error_status(win_tune(socket, tuning, calls));
}

/* The option's value; -1: not told. */
static int win_get_int(SOCKET socket, int level, int option) {
    int value = 0; /* Windows writes one byte of TCP_NODELAY */
    int bytes = (int)sizeof value;
    return getsockopt(socket, level, option, (char *)&value, &bytes) == 0 ? value : -1;
}

static bool win_is_tuned(SOCKET socket, const rs_tuning *tuning) {
    return (!tuning->nodelay || win_get_int(socket, IPPROTO_TCP, TCP_NODELAY) > 0) &&
           (tuning->sndbuf_bytes < 0 ||
            win_get_int(socket, SOL_SOCKET, SO_SNDBUF) == tuning->sndbuf_bytes) &&
           (tuning->rcvbuf_bytes < 0 ||
            win_get_int(socket, SOL_SOCKET, SO_RCVBUF) == tuning->rcvbuf_bytes);
}

rs_status rs_win_socket_tune_accepted(SOCKET socket, const rs_tuning *tuning,
                                      rs_win_inherit *inherit, rs_win_calls *calls) {
    if (*inherit == RS_WIN_INHERIT_UNASKED) {
        *inherit = win_is_tuned(socket, tuning) ? RS_WIN_INHERIT_YES : RS_WIN_INHERIT_NO;
    }
    return *inherit == RS_WIN_INHERIT_YES ? RS_OK : rs_win_socket_tune(socket, tuning, calls);
}

rs_addr rs_win_socket_local(SOCKET socket, rs_win_calls *calls) {
    rs_sockaddr name;
    int bytes = (int)sizeof name;
    memset(&name, 0, sizeof name);
    calls->count[RS_WIN_GETSOCKNAME]++;
    return getsockname(socket, &name.any, &bytes) == 0 ? rs_sockaddr_read(&name)
                                                       : (rs_addr){.port = 0};
}

static rs_status win_listen_error(rs_error *error, const char *call, uint32_t os_error,
                                  const rs_addr *addr) {
    rs_status status = rs_win_error_status(os_error);
    const char *remedy = status == RS_E_ADDRESS_IN_USE ? "; stop the other program or choose --port"
                         : status == RS_E_ADDRESS      ? "; choose an address of this machine"
                         : status == RS_E_ACCESS ? "; another program uses it, or it is reserved"
                                                 : "";
    char text[RS_ADDR_TEXT_BYTES];
    return rs_error_set(error, status, call, os_error, "%s: %s: %s (error %u)%s", call,
                        rs_addr_text(addr, text), rs_status_text(status), os_error, remedy);
}

static int win_backlog(const rs_tuning *tuning) {
    RS_ASSERT(tuning->backlog >= 1);
    RS_ASSERT(tuning->backlog <= 65535);
    int backlog = (int)tuning->backlog;
    return tuning->backlog_hint ? SOMAXCONN_HINT(backlog) : backlog;
}

rs_status rs_win_socket_listen(SOCKET *out, const rs_addr *addr, const rs_tuning *tuning,
                               DWORD extra_flags, rs_win_calls *calls, rs_addr *bound,
                               rs_error *error) {
    rs_sockaddr name;
    int name_bytes = rs_sockaddr_write(&name, addr);
    const char *call = "WSASocket";
    uint32_t os_error = 0;
    SOCKET opened = rs_win_socket_open(name.any.sa_family, extra_flags, calls, &os_error);
    if (opened == INVALID_SOCKET) {
        return win_listen_error(error, call, os_error, addr);
    }
    call = "setsockopt SO_EXCLUSIVEADDRUSE";
    os_error = win_set_int(opened, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1, calls);
    if (os_error == 0 && addr->family == RS_ADDR_V6) {
        call = "setsockopt IPV6_V6ONLY";
        os_error = win_set_int(opened, IPPROTO_IPV6, IPV6_V6ONLY, 0, calls);
    }
    if (os_error == 0) { /* buffer sizes count from the handshake on, and may be inherited */
        call = "setsockopt";
        os_error = win_tune(opened, tuning, calls);
    }
    if (os_error != 0) {
        goto failed;
    }
    call = "bind";
    calls->count[RS_WIN_BIND]++;
    if (bind(opened, &name.any, name_bytes) != 0) {
        os_error = (uint32_t)WSAGetLastError();
        goto failed;
    }
    call = "listen";
    if (listen(opened, win_backlog(tuning)) != 0 ||
        getsockname(opened, &name.any, &name_bytes) != 0) {
        os_error = (uint32_t)WSAGetLastError();
        goto failed;
    }
    *bound = rs_sockaddr_read(&name);
    *out = opened;
    return RS_OK;
failed:
    rs_win_socket_close(opened, calls);
    return win_listen_error(error, call, os_error, addr);
}

/* out: a function pointer of out_bytes. Returns 0 or the Winsock error. */
static uint32_t win_extension(SOCKET socket, GUID guid, void *out, DWORD out_bytes) {
    DWORD bytes = 0;
    int rc = WSAIoctl(socket, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, (DWORD)sizeof guid, out,
                      out_bytes, &bytes, NULL, NULL);
    return rc == 0 ? 0 : (uint32_t)WSAGetLastError();
}

rs_status rs_win_socket_extensions(SOCKET socket, rs_win_extensions *out, rs_error *error) {
    static const GUID accept_ex = WSAID_ACCEPTEX;
    static const GUID connect_ex = WSAID_CONNECTEX;
    static const GUID addresses = WSAID_GETACCEPTEXSOCKADDRS;
    uint32_t os_error =
        win_extension(socket, accept_ex, &out->accept_ex, (DWORD)sizeof out->accept_ex);
    if (os_error == 0) {
        os_error =
            win_extension(socket, connect_ex, &out->connect_ex, (DWORD)sizeof out->connect_ex);
    }
    if (os_error == 0) {
        os_error = win_extension(socket, addresses, &out->accept_ex_addresses,
                                 (DWORD)sizeof out->accept_ex_addresses);
    }
    if (os_error != 0) {
        return rs_error_set(error, RS_E_UNSUPPORTED, "WSAIoctl", os_error,
                            "WSAIoctl: this Winsock lacks AcceptEx or ConnectEx (error %u)",
                            os_error);
    }
    out->provider = rs_win_socket_provider(socket);
    return RS_OK;
}

bool rs_win_probe_v6(rs_win_extensions *out, DWORD extra_flags, rs_win_calls *calls) {
    uint32_t os_error = 0;
    rs_error ignored;
    bool found;
    SOCKET probe = rs_win_socket_open(AF_INET6, extra_flags, calls, &os_error);
    *out = (rs_win_extensions){.accept_ex = NULL};
    if (probe == INVALID_SOCKET) {
        return false;
    }
    found = rs_win_socket_extensions(probe, out, &ignored) == RS_OK;
    rs_win_socket_close(probe, calls);
    return found;
}

bool rs_win_extensions_fit(const rs_win_extensions *extensions, SOCKET socket) {
    const uint32_t entry = extensions->provider.entry;
    return entry == 0 || rs_win_socket_provider(socket).entry == entry;
}

rs_win_provider rs_win_provider_of(const WSAPROTOCOL_INFOW *info) {
    return (rs_win_provider){
        .entry = info->dwCatalogEntryId,
        .layered = info->ProtocolChain.ChainLen != BASE_PROTOCOL,
        .ifs = (info->dwServiceFlags1 & XP1_IFS_HANDLES) != 0,
    };
}

bool rs_win_socket_protocol(SOCKET socket, WSAPROTOCOL_INFOW *out) {
    int bytes = (int)sizeof *out;
    memset(out, 0, sizeof *out);
    if (getsockopt(socket, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)out, &bytes) == 0) {
        return true;
    }
    memset(out, 0, sizeof *out);
    return false;
}

rs_win_provider rs_win_socket_provider(SOCKET socket) {
    WSAPROTOCOL_INFOW info;
    return rs_win_socket_protocol(socket, &info) ? rs_win_provider_of(&info)
                                                 : (rs_win_provider){.entry = 0};
}

const char *rs_win_provider_text(const char *name, const rs_win_provider *provider) {
    static const struct {
        const char *name, *layered;
    } known[] = {{"windows", "windows (layered)"}, {"wine", "wine (layered)"}};
    for (size_t i = 0; provider->layered && i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].layered;
        }
    }
    return name;
}

rs_status rs_win_socket_update_accept(SOCKET accepted, SOCKET listener, rs_win_calls *calls) {
    int rc = setsockopt(accepted, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (const char *)&listener,
                        (int)sizeof listener);
    uint32_t os_error = rc == 0 ? 0 : (uint32_t)WSAGetLastError();
    calls->count[RS_WIN_SETSOCKOPT]++;
    return rs_win_error_status(os_error);
}

rs_status rs_win_socket_update_connect(SOCKET connected, rs_win_calls *calls) {
    int rc = setsockopt(connected, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0);
    uint32_t os_error = rc == 0 ? 0 : (uint32_t)WSAGetLastError();
    calls->count[RS_WIN_SETSOCKOPT]++;
    return rs_win_error_status(os_error);
}

uint32_t rs_win_socket_bind_from(SOCKET socket, const rs_addr *from, bool *port_reuse_failed,
                                 rs_win_calls *calls) {
    rs_sockaddr name;
    int name_bytes = rs_sockaddr_write(&name, from);
    DWORD on = 1;
    if (!*port_reuse_failed) {
        calls->count[RS_WIN_SETSOCKOPT]++;
        *port_reuse_failed = setsockopt(socket, SOL_SOCKET, SO_REUSE_UNICASTPORT, (const char *)&on,
                                        (int)sizeof on) != 0;
    }
    calls->count[RS_WIN_BIND]++;
    return bind(socket, &name.any, name_bytes) == 0 ? 0 : (uint32_t)WSAGetLastError();
}

#define WIN_DISCARD_READS_MAX 4u

void rs_win_socket_discard(SOCKET socket, uint8_t *scratch, rs_win_calls *calls) {
    u_long on = 1;
    calls->count[RS_WIN_IOCTLSOCKET]++;
    if (ioctlsocket(socket, (long)FIONBIO, &on) != 0) {
        return; /* recv might wait for ever */
    }
    for (uint32_t i = 0; i < WIN_DISCARD_READS_MAX; i++) {
        calls->count[RS_WIN_RECV]++;
        if (recv(socket, (char *)scratch, (int)RS_WIN_DISCARD_BYTES, 0) <
            (int)RS_WIN_DISCARD_BYTES) {
            return; /* all there was, its end, or a failure */
        }
    }
}

void rs_win_socket_close(SOCKET socket, rs_win_calls *calls) {
    RS_ASSERT(socket != INVALID_SOCKET);
    calls->count[RS_WIN_CLOSESOCKET]++;
    int rc = closesocket(socket);
    /* A wrong handle could be another connection's the next time. */
    RS_ASSERT(rc == 0 || WSAGetLastError() != WSAENOTSOCK);
}

void rs_win_socket_reset_at_close(SOCKET socket, rs_win_calls *calls) {
    const struct linger hard = {.l_onoff = 1, .l_linger = 0};
    calls->count[RS_WIN_SETSOCKOPT]++;
    /* Fails if the peer has reset the connection already, which is what we want. */
    (void)setsockopt(socket, SOL_SOCKET, SO_LINGER, (const char *)&hard, (int)sizeof hard);
}

void rs_win_socket_abort(SOCKET socket, rs_win_calls *calls) {
    rs_win_socket_reset_at_close(socket, calls);
    rs_win_socket_close(socket, calls);
}

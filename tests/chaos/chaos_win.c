/* SPDX-License-Identifier: MIT */
/* Winsock, ports, events and timers: the real call, or its failure. */
#define CHAOS_REAL_CALLS
#include "chaos_calls.h"

#include <string.h>

#include "chaos.h"
#include "core/assert.h"
#include "seam/os.h"
#include "win/win_error.h"

#define SOCKETS_MAX 2048u
#define REQUESTS_MAX 4096u
#define PORTS_MAX 16u
#define HELD_MAX 2048u
#define NS_PER_MS 1000000u
#define BATCH_MAX 1024u

typedef struct win_socket {
    SOCKET socket;
    chaos_side side;
    HANDLE port;
    ULONG_PTR key;
    bool skips; /* no packet for what succeeds at once */
    bool taken; /* came from accept() */
} win_socket;

typedef struct win_request {
    OVERLAPPED *overlapped;
    chaos_call packet; /* what its packet is */
    chaos_side side;
    chaos_ref ref;
} win_request;

typedef struct win_held {
    OVERLAPPED_ENTRY entry;
    uint64_t due_ns;
    bool posted; /* by PostQueuedCompletionStatus: keeps its place */
} win_held;

/* Used by its own thread alone, but for the first four. */
typedef struct win_port {
    HANDLE port;
    chaos_side side;
    DWORD thread;
    ULONG_PTR wake_key; /* of packets that say nothing; 0 = not seen yet */
    uint32_t count;
    win_held held[HELD_MAX];
} win_port;

static struct {
    win_socket sockets[SOCKETS_MAX];
    uint32_t socket_count;
    win_request requests[REQUESTS_MAX];
    uint32_t request_count;
    win_port ports[PORTS_MAX];
    LPFN_ACCEPTEX accept_ex;
    LPFN_CONNECTEX connect_ex;
} win;

void chaos_win_begin(void) {
    win.socket_count = win.request_count = 0;
    for (uint32_t i = 0; i < PORTS_MAX; i++) {
        win.ports[i].port = NULL;
    }
}

/* ---- results */

static int fail_winsock(uint32_t code) {
    WSASetLastError((int)code);
    return SOCKET_ERROR;
}

static BOOL fail_win(uint32_t code) {
    SetLastError(code);
    return FALSE;
}

/* ---- sockets */

void chaos_socket_opened(SOCKET socket) {
    const chaos_side side = chaos_here();
    chaos_lock();
    RS_ASSERT(win.socket_count < SOCKETS_MAX);
    win.sockets[win.socket_count++] = (win_socket){.socket = socket, .side = side};
    chaos_unlock();
    chaos_count(side, CHAOS_SOCKETS, 1);
    chaos_socket_made(socket);
}

static win_socket *socket_find(SOCKET socket) {
    for (uint32_t i = 0; i < win.socket_count; i++) {
        if (win.sockets[i].socket == socket) {
            return &win.sockets[i];
        }
    }
    return NULL;
}

void chaos_socket_gone(SOCKET socket) {
    win_socket *found;
    chaos_side side = CHAOS_SERVER;
    chaos_lock();
    found = socket_find(socket);
    if (found != NULL) {
        side = found->side;
        *found = win.sockets[--win.socket_count];
    }
    chaos_unlock();
    if (found == NULL) {
        chaos_fail("closesocket of a socket that is not open");
    }
    chaos_count(side, CHAOS_SOCKETS, -1);
    chaos_socket_closed(socket);
}

/* ---- requests */

static void request_add(OVERLAPPED *overlapped, chaos_call packet, chaos_ref ref) {
    const chaos_side side = chaos_here();
    chaos_lock();
    RS_ASSERT(win.request_count < REQUESTS_MAX);
    win.requests[win.request_count++] =
        (win_request){.overlapped = overlapped, .packet = packet, .side = side, .ref = ref};
    chaos_unlock();
    chaos_count(side, CHAOS_PENDING, 1);
}

/* Copies what is known of a request; false: it is none of ours. */
static bool request_find(const OVERLAPPED *overlapped, bool take, win_request *out) {
    bool found = false;
    chaos_lock();
    for (uint32_t i = 0; i < win.request_count && !found; i++) {
        if (win.requests[i].overlapped == overlapped) {
            *out = win.requests[i];
            found = true;
            if (take) {
                win.requests[i] = win.requests[--win.request_count];
            }
        }
    }
    chaos_unlock();
    if (found && take) {
        chaos_count(out->side, CHAOS_PENDING, -1);
    }
    return found;
}

/* ---- ports: packets that are held back */

static win_port *port_find(HANDLE port) {
    for (uint32_t i = 0; i < PORTS_MAX; i++) {
        if (win.ports[i].port == port) {
            return &win.ports[i];
        }
    }
    return NULL;
}

static void port_hold(win_port *port, const OVERLAPPED_ENTRY *entry, bool posted, bool late) {
    const uint64_t now_ns = rs_os_now_ns();
    RS_ASSERT(port->count < HELD_MAX);
    port->held[port->count++] = (win_held){
        .entry = *entry,
        .posted = posted,
        .due_ns = late ? now_ns + chaos_draw(chaos.late_ns_max + 1u) : now_ns,
    };
}

static chaos_dir packet_dir(chaos_call packet) {
    return packet == CHAOS_PACKET_RECV   ? CHAOS_DIR_RECV
           : packet == CHAOS_PACKET_SEND ? CHAOS_DIR_SEND
                                         : CHAOS_DIR_NONE;
}

static void packet_cut_short(const win_request *request, OVERLAPPED_ENTRY *entry) {
    if (request->packet == CHAOS_PACKET_SEND && entry->dwNumberOfBytesTransferred > 1 &&
        chaos_happens(CHAOS_SHORT_SEND, chaos.short_send)) {
        entry->dwNumberOfBytesTransferred--;
        entry->lpOverlapped->InternalHigh--;
        chaos_told_short(request->ref);
    }
}

/* One packet of the real port: what it says may change, and when it comes. */
static void port_arrived(win_port *port, OVERLAPPED_ENTRY entry) {
    win_request request;
    uint32_t code;
    if (entry.lpOverlapped == NULL || !request_find(entry.lpOverlapped, false, &request)) {
        port_hold(port, &entry, entry.dwNumberOfBytesTransferred != 0, false);
        return;
    }
    if ((LONG)entry.lpOverlapped->Internal >= 0) {
        if (chaos_fails(request.packet, &code)) {
            entry.lpOverlapped->Internal = code;
            entry.lpOverlapped->InternalHigh = 0;
            entry.dwNumberOfBytesTransferred = 0;
        } else {
            packet_cut_short(&request, &entry);
        }
    }
    port_hold(port, &entry, false, chaos_happens(CHAOS_LATE, chaos.late));
}

static void packet_told(const OVERLAPPED_ENTRY *entry) {
    win_request request;
    uint32_t code;
    if (entry->lpOverlapped == NULL || !request_find(entry->lpOverlapped, true, &request)) {
        return;
    }
    code = (uint32_t)entry->lpOverlapped->Internal;
    if (code == 0) {
        return;
    }
    if (request.packet == CHAOS_PACKET_ACCEPT) {
        chaos_told_accept(code);
    } else {
        chaos_told(request.ref, packet_dir(request.packet), code);
    }
}

static void port_swap(win_port *port) {
    for (uint32_t i = 1; i < port->count; i++) {
        win_held *one = &port->held[i - 1u], *two = &port->held[i];
        if (!one->posted && !two->posted && chaos_happens(CHAOS_REORDERED, chaos.swap)) {
            const win_held kept = *one;
            *one = *two;
            *two = kept;
        }
    }
}

static ULONG port_release(win_port *port, chaos_cq *cq, OVERLAPPED_ENTRY *entries, ULONG capacity) {
    const uint64_t now_ns = rs_os_now_ns();
    uint32_t kept = 0;
    ULONG given = 0;
    port_swap(port);
    for (uint32_t i = 0; i < port->count; i++) {
        if (given < capacity && port->held[i].due_ns <= now_ns) {
            entries[given] = port->held[i].entry;
            packet_told(&entries[given]);
            if (cq != NULL && chaos_cq_is_notify(cq, &entries[given])) {
                chaos_cq_fired(cq);
            }
            given++;
        } else {
            port->held[kept++] = port->held[i];
        }
    }
    port->count = kept;
    return given;
}

static bool port_holds_notify(const win_port *port, const chaos_cq *cq) {
    for (uint32_t i = 0; i < port->count; i++) {
        if (chaos_cq_is_notify(cq, &port->held[i].entry)) {
            return true;
        }
    }
    return false;
}

static uint64_t port_due_ns(const win_port *port, const chaos_cq *cq, bool waits) {
    uint64_t due_ns = cq != NULL ? chaos_cq_due_ns(cq, waits) : UINT64_MAX;
    for (uint32_t i = 0; i < port->count; i++) {
        due_ns = port->held[i].due_ns < due_ns ? port->held[i].due_ns : due_ns;
    }
    return due_ns;
}

/* What nobody has asked for. */
static void port_disturb(win_port *port, chaos_cq *cq) {
    OVERLAPPED_ENTRY entry;
    memset(&entry, 0, sizeof entry);
    if (port->wake_key != 0 && chaos_happens(CHAOS_SPURIOUS_WAKE, chaos.spurious)) {
        entry.lpCompletionKey = port->wake_key;
        port_hold(port, &entry, false, false);
    }
    if (cq != NULL && chaos_cq_may_fire(cq) && chaos_cq_entry(cq, &entry) &&
        !port_holds_notify(port, cq) && chaos_happens(CHAOS_SPURIOUS_NOTIFY, chaos.spurious)) {
        port_hold(port, &entry, false, false);
    }
}

static DWORD wait_until(uint64_t until_ns, uint64_t now_ns) {
    if (until_ns == UINT64_MAX) {
        return INFINITE;
    }
    return until_ns <= now_ns ? 0 : (DWORD)((until_ns - now_ns + NS_PER_MS - 1u) / NS_PER_MS);
}

BOOL chaos_port_read(HANDLE handle, chaos_cq *cq, bool waits, chaos_read read, void *ctx,
                     OVERLAPPED_ENTRY *entries, ULONG capacity, ULONG *count, DWORD wait_ms) {
    OVERLAPPED_ENTRY got[BATCH_MAX];
    win_port *port = port_find(handle);
    const uint64_t start_ns = rs_os_now_ns();
    const uint64_t end_ns =
        wait_ms == INFINITE ? UINT64_MAX : start_ns + (uint64_t)wait_ms * NS_PER_MS;
    RS_ASSERT(port != NULL && capacity >= 1 && capacity <= BATCH_MAX);
    *count = 0;
    if (!waits) {
        port_disturb(port, cq);
    } else if (wait_ms > 0 && chaos_happens(CHAOS_SPURIOUS_WAKE, chaos.spurious)) {
        return TRUE;
    }
    for (;;) {
        const uint64_t now_ns = rs_os_now_ns();
        const uint64_t due_ns = port_due_ns(port, cq, waits);
        ULONG taken = 0;
        const BOOL read_some =
            read(ctx, got, capacity, &taken, wait_until(due_ns < end_ns ? due_ns : end_ns, now_ns));
        const DWORD os_error = read_some ? 0 : GetLastError();
        OVERLAPPED_ENTRY notify;
        if (!read_some && os_error != WAIT_TIMEOUT) {
            return fail_win(os_error);
        }
        for (ULONG i = 0; read_some && i < taken; i++) {
            port_arrived(port, got[i]);
        }
        if (cq != NULL && chaos_cq_due_ns(cq, waits) <= rs_os_now_ns()) {
            if (!waits && !port_holds_notify(port, cq) && chaos_cq_entry(cq, &notify)) {
                port_hold(port, &notify, false, false);
            }
            *count = port_release(port, cq, entries, capacity);
            return TRUE;
        }
        *count = port_release(port, cq, entries, capacity);
        if (*count > 0 || (waits && read_some)) {
            return TRUE;
        }
        if (rs_os_now_ns() >= end_ns) {
            return fail_win(WAIT_TIMEOUT);
        }
    }
}

static BOOL read_port(void *ctx, OVERLAPPED_ENTRY *entries, ULONG capacity, ULONG *count,
                      DWORD wait_ms) {
    return GetQueuedCompletionStatusEx((HANDLE)ctx, entries, capacity, count, wait_ms, FALSE);
}

BOOL chaos_GetQueuedCompletionStatusEx(HANDLE port, OVERLAPPED_ENTRY *entries, ULONG capacity,
                                       ULONG *count, DWORD wait_ms, BOOL alertable) {
    uint32_t code;
    RS_ASSERT(!alertable);
    if (chaos_fails(CHAOS_GQCSEX, &code)) {
        return fail_win(code);
    }
    return chaos_port_read(port, chaos_cq_of(port), false, read_port, port, entries, capacity,
                           count, wait_ms);
}

BOOL chaos_GetQueuedCompletionStatus(HANDLE port, DWORD *bytes, ULONG_PTR *key,
                                     OVERLAPPED **overlapped, DWORD wait_ms) {
    OVERLAPPED_ENTRY entry;
    ULONG count = 0;
    uint32_t code;
    *overlapped = NULL;
    if (chaos_fails(CHAOS_GQCS, &code)) {
        return fail_win(code);
    }
    if (!chaos_port_read(port, NULL, false, read_port, port, &entry, 1, &count, wait_ms)) {
        return FALSE;
    }
    *bytes = entry.dwNumberOfBytesTransferred;
    *key = entry.lpCompletionKey;
    *overlapped = entry.lpOverlapped;
    /* Of a failed request, FALSE with its record; what GetLastError then says nobody reads. */
    return entry.lpOverlapped == NULL || entry.dwNumberOfBytesTransferred != 0 ||
           (LONG)entry.lpOverlapped->Internal >= 0;
}

BOOL chaos_PostQueuedCompletionStatus(HANDLE handle, DWORD bytes, ULONG_PTR key,
                                      OVERLAPPED *overlapped) {
    const bool says_nothing = bytes == 0 && overlapped == NULL;
    uint32_t code;
    BOOL done;
    if (chaos_fails(CHAOS_POST, &code)) {
        return fail_win(code);
    }
    if (says_nothing) {
        win_port *port = port_find(handle);
        RS_ASSERT(port != NULL);
        chaos_lock();
        port->wake_key = key;
        chaos_unlock();
    }
    done = PostQueuedCompletionStatus(handle, bytes, key, overlapped);
    if (done && says_nothing && chaos_happens(CHAOS_DOUBLED_WAKE, chaos.doubled)) {
        (void)PostQueuedCompletionStatus(handle, 0, key, NULL);
    }
    return done;
}

/* A socket that is prepared and not attached yet: if accept() gave it, a connection is lost. */
static void prepare_told(SOCKET socket, uint32_t code) {
    const chaos_ref ref = chaos_ref_of(socket);
    const win_socket *found;
    bool taken;
    chaos_lock();
    found = socket_find(socket);
    taken = found != NULL && found->taken;
    chaos_unlock();
    if (ref.instance == 0 && taken) {
        chaos_told_accept(code);
    } else {
        chaos_told(ref, CHAOS_DIR_NONE, code);
    }
}

HANDLE chaos_CreateIoCompletionPort(HANDLE file, HANDLE port, ULONG_PTR key, DWORD threads) {
    const chaos_side side = chaos_here();
    uint32_t code;
    HANDLE made;
    if (chaos_fails(CHAOS_CREATEPORT, &code)) {
        prepare_told((SOCKET)file, code);
        SetLastError(code);
        return NULL;
    }
    made = CreateIoCompletionPort(file, port, key, threads);
    if (made == NULL) {
        return NULL;
    }
    chaos_lock();
    if (file == INVALID_HANDLE_VALUE) {
        win_port *free_one = port_find(NULL);
        RS_ASSERT(free_one != NULL);
        free_one->port = made;
        free_one->side = side;
        free_one->thread = GetCurrentThreadId();
        free_one->wake_key = 0;
        free_one->count = 0;
    } else {
        win_socket *socket = socket_find((SOCKET)file);
        RS_ASSERT(socket != NULL);
        socket->port = port;
        socket->key = key;
    }
    chaos_unlock();
    if (file == INVALID_HANDLE_VALUE) {
        chaos_count(side, CHAOS_HANDLES, 1);
    }
    return made;
}

BOOL chaos_SetFileCompletionNotificationModes(HANDLE file, UCHAR modes) {
    uint32_t code;
    if (chaos_fails(CHAOS_MODES, &code)) {
        prepare_told((SOCKET)file, code);
        return fail_win(code);
    }
    if (!SetFileCompletionNotificationModes(file, modes)) {
        return FALSE;
    }
    chaos_lock();
    win_socket *socket = socket_find((SOCKET)file);
    RS_ASSERT(socket != NULL);
    socket->skips = (modes & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS) != 0;
    chaos_unlock();
    return TRUE;
}

BOOL chaos_CancelIoEx(HANDLE file, OVERLAPPED *overlapped) {
    const BOOL done = CancelIoEx(file, overlapped);
    const DWORD os_error = done ? 0 : GetLastError();
    uint32_t code;
    if (chaos_fails(CHAOS_CANCELIOEX, &code)) {
        return fail_win(code); /* they have just ended: by this call, in truth */
    }
    return done ? TRUE : fail_win(os_error);
}

/* ---- handles */

static HANDLE handle_made(HANDLE handle) {
    const DWORD os_error = GetLastError();
    if (handle != NULL) {
        chaos_count(chaos_here(), CHAOS_HANDLES, 1);
    }
    SetLastError(os_error);
    return handle;
}

HANDLE chaos_CreateEventW(SECURITY_ATTRIBUTES *security, BOOL manual, BOOL set, const WCHAR *name) {
    uint32_t code;
    if (chaos_fails(CHAOS_CREATEEVENT, &code)) {
        SetLastError(code);
        return NULL;
    }
    return handle_made(CreateEventW(security, manual, set, name));
}

HANDLE chaos_CreateWaitableTimerExW(SECURITY_ATTRIBUTES *security, const WCHAR *name, DWORD flags,
                                    DWORD access) {
    uint32_t code;
    if (chaos_fails(CHAOS_CREATETIMER, &code)) {
        SetLastError(code);
        return NULL;
    }
    return handle_made(CreateWaitableTimerExW(security, name, flags, access));
}

BOOL chaos_SetWaitableTimer(HANDLE timer, const LARGE_INTEGER *due, LONG period,
                            PTIMERAPCROUTINE routine, void *arg, BOOL resume) {
    uint32_t code;
    if (chaos_fails(CHAOS_SETTIMER, &code)) {
        return fail_win(code);
    }
    return SetWaitableTimer(timer, due, period, routine, arg, resume);
}

BOOL chaos_SetEvent(HANDLE event) {
    uint32_t code;
    if (chaos_fails(CHAOS_SETEVENT, &code)) {
        return fail_win(code);
    }
    if (chaos_happens(CHAOS_DOUBLED_WAKE, chaos.doubled)) {
        (void)SetEvent(event);
    }
    return SetEvent(event);
}

/* A packet that is held back was announced when it came: its time is announced once more. */
static uint64_t wait_due_ns(const chaos_cq *cq, bool *packet) {
    const uint64_t due_ns = chaos_cq_due_ns(cq, false);
    const DWORD thread = GetCurrentThreadId();
    *packet = false;
    for (uint32_t i = 0; i < PORTS_MAX; i++) {
        if (win.ports[i].port != NULL && win.ports[i].thread == thread) {
            const uint64_t port_ns = port_due_ns(&win.ports[i], NULL, false);
            *packet = port_ns < due_ns;
            return *packet ? port_ns : due_ns;
        }
    }
    return due_ns;
}

/* RIO's two events; the alarm's thread waits here too. */
DWORD chaos_WaitForMultipleObjects(DWORD count, const HANDLE *handles, BOOL all, DWORD wait_ms) {
    chaos_cq *cq = chaos_cq_of(handles[0]);
    const uint64_t end_ns =
        wait_ms == INFINITE ? UINT64_MAX : rs_os_now_ns() + (uint64_t)wait_ms * NS_PER_MS;
    uint32_t code;
    if (cq == NULL) {
        return WaitForMultipleObjects(count, handles, all, wait_ms);
    }
    if (chaos_fails(CHAOS_WAIT, &code)) {
        SetLastError(code);
        return WAIT_FAILED;
    }
    if (chaos_cq_may_fire(cq) && chaos_happens(CHAOS_SPURIOUS_NOTIFY, chaos.spurious)) {
        chaos_cq_fired(cq);
        return WAIT_OBJECT_0;
    }
    if (chaos_happens(CHAOS_SPURIOUS_WAKE, chaos.spurious)) {
        return WAIT_OBJECT_0 + 1u;
    }
    for (;;) {
        bool packet;
        const uint64_t due_ns = wait_due_ns(cq, &packet);
        DWORD rc = WaitForMultipleObjects(
            count, handles, all, wait_until(due_ns < end_ns ? due_ns : end_ns, rs_os_now_ns()));
        if (rc == WAIT_TIMEOUT && due_ns <= rs_os_now_ns()) {
            rc = packet ? WAIT_OBJECT_0 + 1u : WAIT_OBJECT_0;
        }
        if (rc == WAIT_OBJECT_0) {
            chaos_cq_fired(cq);
        }
        if (rc != WAIT_TIMEOUT || rs_os_now_ns() >= end_ns) {
            return rc;
        }
    }
}

BOOL chaos_CloseHandle(HANDLE handle) {
    chaos_side side = chaos_here();
    win_port *port;
    chaos_lock();
    port = port_find(handle);
    if (port != NULL) {
        side = port->side;
        port->port = NULL;
    }
    chaos_unlock();
    chaos_count(side, CHAOS_HANDLES, -1);
    return CloseHandle(handle);
}

/* ---- Winsock */

int chaos_WSAStartup(WORD version, WSADATA *data) {
    uint32_t code;
    int rc;
    if (chaos_fails(CHAOS_WSASTARTUP, &code)) {
        return (int)code;
    }
    rc = WSAStartup(version, data);
    if (rc == 0) {
        chaos_count(chaos_here(), CHAOS_STARTS, 1);
    }
    return rc;
}

int chaos_WSACleanup(void) {
    chaos_count(chaos_here(), CHAOS_STARTS, -1);
    return WSACleanup();
}

SOCKET chaos_WSASocketW(int family, int type, int protocol, WSAPROTOCOL_INFOW *info, GROUP group,
                        DWORD flags) {
    uint32_t code;
    SOCKET made;
    if (chaos_fails(CHAOS_WSASOCKET, &code)) {
        chaos_socket_not_made(code);
        (void)fail_winsock(code);
        return INVALID_SOCKET;
    }
    made = WSASocketW(family, type, protocol, info, group, flags);
    if (made != INVALID_SOCKET) {
        chaos_socket_opened(made);
    }
    return made;
}

static BOOL PASCAL chaos_accept_ex(SOCKET listener, SOCKET accepted, PVOID buffer, DWORD data_bytes,
                                   DWORD local_bytes, DWORD remote_bytes, LPDWORD received,
                                   LPOVERLAPPED overlapped) {
    const chaos_ref nobody = {0};
    uint32_t code;
    BOOL done;
    if (chaos_fails(CHAOS_ACCEPTEX, &code)) {
        (void)fail_winsock(code);
        return FALSE;
    }
    done = win.accept_ex(listener, accepted, buffer, data_bytes, local_bytes, remote_bytes,
                         received, overlapped);
    code = done ? 0 : (uint32_t)WSAGetLastError();
    if (done || code == WSA_IO_PENDING) {
        request_add(overlapped, CHAOS_PACKET_ACCEPT, nobody);
    }
    WSASetLastError((int)code);
    return done;
}

static BOOL PASCAL chaos_connect_ex(SOCKET socket, const struct sockaddr *name, int name_bytes,
                                    PVOID buffer, DWORD bytes, LPDWORD sent,
                                    LPOVERLAPPED overlapped) {
    const chaos_ref ref = chaos_ref_of(socket);
    uint32_t code;
    BOOL done;
    if (chaos_fails(CHAOS_CONNECTEX, &code)) {
        chaos_told(ref, CHAOS_DIR_NONE, code);
        (void)fail_winsock(code);
        return FALSE;
    }
    done = win.connect_ex(socket, name, name_bytes, buffer, bytes, sent, overlapped);
    code = done ? 0 : (uint32_t)WSAGetLastError();
    if (code != 0 && code != WSA_IO_PENDING) {
        chaos_told(ref, CHAOS_DIR_NONE, code);
    } else {
        bool packet = code == WSA_IO_PENDING;
        chaos_lock();
        packet = packet || !socket_find(socket)->skips;
        chaos_unlock();
        if (packet) {
            request_add(overlapped, CHAOS_PACKET_CONNECT, ref);
        }
    }
    WSASetLastError((int)code);
    return done;
}

int chaos_WSAIoctl(SOCKET socket, DWORD code, void *in, DWORD in_bytes, void *out, DWORD out_bytes,
                   DWORD *bytes, OVERLAPPED *overlapped,
                   LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) {
    static const GUID accept_ex = WSAID_ACCEPTEX, connect_ex = WSAID_CONNECTEX;
    static const LPFN_ACCEPTEX our_accept_ex = chaos_accept_ex;
    static const LPFN_CONNECTEX our_connect_ex = chaos_connect_ex;
    uint32_t os_error;
    if (chaos_fails(CHAOS_WSAIOCTL, &os_error)) {
        return fail_winsock(os_error);
    }
    if (WSAIoctl(socket, code, in, in_bytes, out, out_bytes, bytes, overlapped, routine) != 0) {
        return SOCKET_ERROR;
    }
    if (code == SIO_GET_EXTENSION_FUNCTION_POINTER) {
        if (memcmp(in, &accept_ex, sizeof accept_ex) == 0) {
            memcpy(&win.accept_ex, out, sizeof win.accept_ex);
            memcpy(out, &our_accept_ex, sizeof our_accept_ex);
        } else if (memcmp(in, &connect_ex, sizeof connect_ex) == 0) {
            memcpy(&win.connect_ex, out, sizeof win.connect_ex);
            memcpy(out, &our_connect_ex, sizeof our_connect_ex);
        }
    }
    return 0;
}

int chaos_bind(SOCKET socket, const struct sockaddr *name, int bytes) {
    uint32_t code;
    int rc;
    if (chaos_fails(CHAOS_BIND, &code)) {
        chaos_told(chaos_ref_of(socket), CHAOS_DIR_NONE, code);
        return fail_winsock(code);
    }
    rc = bind(socket, name, bytes);
    if (rc != 0) {
        code = (uint32_t)WSAGetLastError();
        chaos_told(chaos_ref_of(socket), CHAOS_DIR_NONE, code);
        return fail_winsock(code);
    }
    return rc;
}

int chaos_listen(SOCKET socket, int backlog) {
    uint32_t code;
    return chaos_fails(CHAOS_LISTEN, &code) ? fail_winsock(code) : listen(socket, backlog);
}

int chaos_getsockname(SOCKET socket, struct sockaddr *name, int *bytes) {
    uint32_t code;
    return chaos_fails(CHAOS_GETSOCKNAME, &code) ? fail_winsock(code)
                                                 : getsockname(socket, name, bytes);
}

int chaos_getsockopt(SOCKET socket, int level, int option, char *value, int *bytes) {
    const bool provider = level == SOL_SOCKET && option == SO_PROTOCOL_INFOW;
    uint32_t code;
    if (!chaos_fails(provider                                         ? CHAOS_PROTOCOL_INFO
                     : level == SOL_SOCKET && option == SO_ACCEPTCONN ? CHAOS_ACCEPTCONN
                                                                      : CHAOS_GETSOCKOPT,
                     &code)) {
        return getsockopt(socket, level, option, value, bytes);
    }
    if (provider) {
        chaos_told(chaos_ref_of(socket), CHAOS_DIR_NONE, WSAEINVALIDPROVIDER); /* as it is taken */
    }
    return fail_winsock(code);
}

int chaos_setsockopt(SOCKET socket, int level, int option, const char *value, int bytes) {
    const bool accepts = level == SOL_SOCKET && option == SO_UPDATE_ACCEPT_CONTEXT;
    const bool updates = accepts || (level == SOL_SOCKET && option == SO_UPDATE_CONNECT_CONTEXT);
    uint32_t code = 0;
    if (!chaos_fails(updates ? CHAOS_UPDATE_CONTEXT : CHAOS_SETSOCKOPT, &code) &&
        setsockopt(socket, level, option, value, bytes) != 0) {
        code = (uint32_t)WSAGetLastError();
    }
    if (code == 0) {
        return 0;
    }
    if (accepts) {
        chaos_told_accept(code);
    } else {
        chaos_told(chaos_ref_of(socket), CHAOS_DIR_NONE, code);
    }
    return fail_winsock(code);
}

int chaos_ioctlsocket(SOCKET socket, long command, u_long *value) {
    uint32_t code;
    return chaos_fails(CHAOS_IOCTLSOCKET, &code) ? fail_winsock(code)
                                                 : ioctlsocket(socket, command, value);
}

int chaos_connect(SOCKET socket, const struct sockaddr *name, int bytes) {
    uint32_t code;
    return chaos_fails(CHAOS_CONNECT, &code) ? fail_winsock(code) : connect(socket, name, bytes);
}

SOCKET chaos_accept(SOCKET listener, struct sockaddr *name, int *bytes) {
    uint32_t code = 0;
    SOCKET accepted = INVALID_SOCKET;
    if (!chaos_fails(CHAOS_ACCEPT, &code)) {
        accepted = accept(listener, name, bytes);
        code = accepted == INVALID_SOCKET ? (uint32_t)WSAGetLastError() : 0;
    }
    if (accepted != INVALID_SOCKET) {
        chaos_socket_opened(accepted);
        chaos_lock();
        socket_find(accepted)->taken = true;
        chaos_unlock();
        return accepted;
    }
    if (rs_win_error_find(code).class_of != RS_WIN_AGAIN) {
        chaos_told_accept(code);
    }
    (void)fail_winsock(code);
    return INVALID_SOCKET;
}

/* The IOCP driver's question behind an end of stream: a reset in its answer ends the receive. */
int chaos_send(SOCKET socket, const char *data, int bytes, int flags) {
    uint32_t code = 0;
    if (!chaos_fails(CHAOS_SEND, &code)) {
        const int rc = send(socket, data, bytes, flags);
        if (rc >= 0) {
            return rc;
        }
        code = (uint32_t)WSAGetLastError();
    }
    if (rs_win_error_status(code) == RS_E_RESET) {
        chaos_told(chaos_ref_of(socket), CHAOS_DIR_RECV, code);
    }
    return fail_winsock(code);
}

int chaos_recv(SOCKET socket, char *data, int bytes, int flags) {
    uint32_t code;
    return chaos_fails(CHAOS_RECV, &code) ? fail_winsock(code) : recv(socket, data, bytes, flags);
}

int chaos_shutdown(SOCKET socket, int how) {
    uint32_t code = 0;
    if (!chaos_fails(CHAOS_SHUTDOWN, &code)) {
        if (shutdown(socket, how) == 0) {
            return 0;
        }
        code = (uint32_t)WSAGetLastError();
    }
    chaos_told(chaos_ref_of(socket), CHAOS_DIR_NONE, code);
    return fail_winsock(code);
}

/* Whatever it then says, the socket is gone: nothing else is left to do about it. */
int chaos_closesocket(SOCKET socket) {
    uint32_t code = 0;
    int rc;
    chaos_socket_gone(socket);
    rc = closesocket(socket);
    return chaos_fails(CHAOS_CLOSESOCKET, &code) ? fail_winsock(code) : rc;
}

/* ---- requests of a connection */

/* The call has ended with success: as it was, or as a packet that is to come. */
static bool request_is_inline(SOCKET socket, OVERLAPPED *overlapped, DWORD bytes,
                              const win_request *request) {
    OVERLAPPED_ENTRY entry;
    win_socket found;
    win_port *port;
    chaos_lock();
    found = *socket_find(socket);
    chaos_unlock();
    if (found.skips && !chaos_happens(CHAOS_INLINE_PENDING, chaos.pending)) {
        return true;
    }
    request_add(overlapped, request->packet, request->ref);
    if (!found.skips) {
        return true; /* with a packet of its own */
    }
    memset(&entry, 0, sizeof entry);
    overlapped->Internal = 0;
    overlapped->InternalHigh = bytes;
    entry.lpCompletionKey = found.key;
    entry.lpOverlapped = overlapped;
    entry.dwNumberOfBytesTransferred = bytes;
    port = port_find(found.port);
    RS_ASSERT(port != NULL);
    port_hold(port, &entry, false, true);
    return false;
}

static int request_result(SOCKET socket, OVERLAPPED *overlapped, const win_request *request, int rc,
                          DWORD bytes) {
    const uint32_t code = rc == 0 ? 0 : (uint32_t)WSAGetLastError();
    if (rc == 0) {
        return request_is_inline(socket, overlapped, bytes, request) ? 0
                                                                     : fail_winsock(WSA_IO_PENDING);
    }
    if (code == WSA_IO_PENDING) {
        request_add(overlapped, request->packet, request->ref);
    } else {
        chaos_told(request->ref, packet_dir(request->packet), code);
    }
    return fail_winsock(code);
}

int chaos_WSARecv(SOCKET socket, WSABUF *buffers, DWORD count, DWORD *bytes, DWORD *flags,
                  OVERLAPPED *overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) {
    const win_request request = {.packet = CHAOS_PACKET_RECV, .ref = chaos_ref_of(socket)};
    uint32_t code;
    if (chaos_fails(CHAOS_WSARECV, &code)) {
        chaos_told(request.ref, CHAOS_DIR_RECV, code);
        return fail_winsock(code);
    }
    const int rc = WSARecv(socket, buffers, count, bytes, flags, overlapped, routine);
    return request_result(socket, overlapped, &request, rc, *bytes);
}

int chaos_WSASend(SOCKET socket, WSABUF *buffers, DWORD count, DWORD *bytes, DWORD flags,
                  OVERLAPPED *overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) {
    const win_request request = {.packet = CHAOS_PACKET_SEND, .ref = chaos_ref_of(socket)};
    uint32_t code;
    if (chaos_fails(CHAOS_WSASEND, &code)) {
        chaos_told(request.ref, CHAOS_DIR_SEND, code);
        return fail_winsock(code);
    }
    const int rc = WSASend(socket, buffers, count, bytes, flags, overlapped, routine);
    return request_result(socket, overlapped, &request, rc, *bytes);
}

/* SPDX-License-Identifier: MIT */
/* What fails when, and what is open. Everything here is behind one lock, which is never held over a
 * call of the system's that can wait. */
#include "chaos.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "seam/os.h"
#include "win/win_error.h"

#define ROWS_MAX 1024u
#define CODES_MAX 24u

chaos_plan chaos;

static SRWLOCK state_lock = SRWLOCK_INIT;
static DWORD client_thread;

static struct {
    uint32_t calls[CHAOS_SIDES][CHAOS_CALL_COUNT];
    uint32_t injected[CHAOS_SIDES];
    uint64_t random[CHAOS_SIDES];
    int open[CHAOS_SIDES][CHAOS_THINGS];
} state;

void chaos_lock(void) {
    AcquireSRWLockExclusive(&state_lock);
}

void chaos_unlock(void) {
    ReleaseSRWLockExclusive(&state_lock);
}

const char *chaos_call_name(uint32_t call) {
    static const char *const names[CHAOS_CALL_COUNT] = {
#define X(name, printed) [CHAOS_##name] = printed,
        CHAOS_CALLS(X)
#undef X
    };
    return call < CHAOS_CALL_COUNT ? names[call] : "?";
}

/* ---- the rows: every error that the page of a call documents */

#define BOTH (CHAOS_ON_SERVER | CHAOS_ON_CLIENT)
#define ANY (CHAOS_ON_IOCP | CHAOS_ON_RIO)
#define SOCKET_BASICS WSANOTINITIALISED, WSAENETDOWN, WSAEFAULT, WSAEINPROGRESS, WSAENOTSOCK
#define STREAM_ENDS WSAECONNABORTED, WSAECONNRESET, WSAENETRESET, WSAENOTCONN, WSAESHUTDOWN

typedef struct chaos_page {
    chaos_call call;
    uint32_t where;
    uint32_t codes[CODES_MAX]; /* up to the first 0 */
} chaos_page;

static const chaos_page pages[] = {
    {CHAOS_WSASTARTUP,
     BOTH | ANY,
     {WSASYSNOTREADY, WSAVERNOTSUPPORTED, WSAEINPROGRESS, WSAEPROCLIM, WSAEFAULT}},
    {CHAOS_WSASOCKET,
     BOTH | ANY,
     {WSANOTINITIALISED, WSAENETDOWN, WSAEAFNOSUPPORT, WSAEFAULT, WSAEINPROGRESS, WSAEINVAL,
      WSAEINVALIDPROVIDER, WSAEINVALIDPROCTABLE, WSAEMFILE, WSAENOBUFS, WSAEPROTONOSUPPORT,
      WSAEPROTOTYPE, WSAEPROVIDERFAILEDINIT, WSAESOCKTNOSUPPORT}},
    {CHAOS_WSAIOCTL,
     BOTH | ANY,
     {SOCKET_BASICS, WSAEINVAL, WSAEOPNOTSUPP, WSAENOPROTOOPT, WSAEWOULDBLOCK,
      WSA_OPERATION_ABORTED}},
    {CHAOS_BIND,
     BOTH | ANY,
     {SOCKET_BASICS, WSAEACCES, WSAEADDRINUSE, WSAEADDRNOTAVAIL, WSAEINVAL, WSAENOBUFS}},
    {CHAOS_LISTEN,
     CHAOS_ON_SERVER | ANY,
     {WSANOTINITIALISED, WSAENETDOWN, WSAEINPROGRESS, WSAENOTSOCK, WSAEADDRINUSE, WSAEINVAL,
      WSAEISCONN, WSAEMFILE, WSAENOBUFS, WSAEOPNOTSUPP}},
    {CHAOS_GETSOCKNAME, CHAOS_ON_SERVER | ANY, {SOCKET_BASICS, WSAEINVAL}},
    {CHAOS_PROTOCOL_INFO, BOTH | ANY, {SOCKET_BASICS, WSAEINVAL, WSAENOPROTOOPT}},
    {CHAOS_GETSOCKOPT, CHAOS_ON_SERVER | ANY, {SOCKET_BASICS, WSAEINVAL, WSAENOPROTOOPT}},
    {CHAOS_SETSOCKOPT,
     BOTH | ANY,
     {SOCKET_BASICS, WSAEINVAL, WSAENETRESET, WSAENOPROTOOPT, WSAENOTCONN}},
    {CHAOS_UPDATE_CONTEXT,
     BOTH | ANY,
     {SOCKET_BASICS, WSAEINVAL, WSAENOPROTOOPT, WSAENOTCONN, WSAECONNRESET}},
    {CHAOS_IOCTLSOCKET, BOTH | ANY, {SOCKET_BASICS, WSAEOPNOTSUPP}},
    {CHAOS_CONNECT,
     CHAOS_ON_SERVER | ANY | CHAOS_BY_THREAD,
     {SOCKET_BASICS, WSAEADDRINUSE, WSAEINTR, WSAEALREADY, WSAEADDRNOTAVAIL, WSAEAFNOSUPPORT,
      WSAECONNREFUSED, WSAEINVAL, WSAEISCONN, WSAENETUNREACH, WSAEHOSTUNREACH, WSAENOBUFS,
      WSAETIMEDOUT, WSAEACCES}},
    {CHAOS_ACCEPT,
     CHAOS_ON_SERVER | ANY | CHAOS_BY_THREAD,
     {SOCKET_BASICS, WSAECONNRESET, WSAEINTR, WSAEINVAL, WSAEMFILE, WSAENOBUFS, WSAEOPNOTSUPP,
      WSAEWOULDBLOCK}},
    {CHAOS_SEND,
     CHAOS_ON_SERVER | CHAOS_ON_IOCP | CHAOS_WINE | CHAOS_BY_CLOSES,
     {SOCKET_BASICS, STREAM_ENDS, WSAEACCES, WSAEINTR, WSAENOBUFS, WSAEOPNOTSUPP, WSAEWOULDBLOCK,
      WSAEMSGSIZE, WSAEHOSTUNREACH, WSAEINVAL, WSAETIMEDOUT}},
    {CHAOS_RECV,
     BOTH | ANY | CHAOS_BY_CLOSES,
     {SOCKET_BASICS, WSAECONNABORTED, WSAECONNRESET, WSAENETRESET, WSAENOTCONN, WSAESHUTDOWN,
      WSAEINTR, WSAEOPNOTSUPP, WSAEWOULDBLOCK, WSAEMSGSIZE, WSAEINVAL, WSAETIMEDOUT}},
    {CHAOS_SHUTDOWN,
     BOTH | ANY,
     {WSANOTINITIALISED, WSAENETDOWN, WSAEINPROGRESS, WSAENOTSOCK, WSAECONNABORTED, WSAECONNRESET,
      WSAEINVAL, WSAENOTCONN}},
    {CHAOS_CLOSESOCKET,
     BOTH | ANY,
     {WSANOTINITIALISED, WSAENETDOWN, WSAEINPROGRESS, WSAEINTR, WSAEWOULDBLOCK}},
    {CHAOS_WSARECV,
     BOTH | CHAOS_ON_IOCP,
     {SOCKET_BASICS, STREAM_ENDS, WSAEDISCON, WSAEINTR, WSAEINVAL, WSAEMSGSIZE, WSAEOPNOTSUPP,
      WSAETIMEDOUT, WSAEWOULDBLOCK, WSA_OPERATION_ABORTED, WSAENOBUFS}},
    {CHAOS_WSASEND,
     BOTH | CHAOS_ON_IOCP,
     {SOCKET_BASICS, STREAM_ENDS, WSAEINTR, WSAEINVAL, WSAEMSGSIZE, WSAENOBUFS, WSAEOPNOTSUPP,
      WSAEWOULDBLOCK, WSA_OPERATION_ABORTED}},
    {CHAOS_ACCEPTEX,
     CHAOS_ON_SERVER | ANY,
     {SOCKET_BASICS, WSAECONNRESET, WSAEINVAL, WSAENOBUFS, WSAEMFILE, WSAEOPNOTSUPP}},
    {CHAOS_CONNECTEX,
     CHAOS_ON_CLIENT | ANY,
     {WSANOTINITIALISED, WSAENETDOWN, WSAEFAULT, WSAENOTSOCK, WSAEADDRINUSE, WSAEALREADY,
      WSAEADDRNOTAVAIL, WSAEAFNOSUPPORT, WSAECONNREFUSED, WSAEINVAL, WSAEISCONN, WSAENETUNREACH,
      WSAEHOSTUNREACH, WSAENOBUFS, WSAETIMEDOUT}},
    {CHAOS_CREATEPORT,
     BOTH | ANY,
     {ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY, ERROR_NO_SYSTEM_RESOURCES}},
    {CHAOS_MODES,
     BOTH | CHAOS_ON_IOCP,
     {ERROR_INVALID_PARAMETER, ERROR_INVALID_HANDLE, ERROR_NOT_SUPPORTED}},
    {CHAOS_CANCELIOEX, BOTH | CHAOS_ON_IOCP, {ERROR_NOT_FOUND}},
    {CHAOS_CREATEEVENT,
     BOTH | CHAOS_ON_RIO | CHAOS_BY_EVENT,
     {ERROR_NOT_ENOUGH_MEMORY, ERROR_NO_SYSTEM_RESOURCES}},
    {CHAOS_CREATETIMER,
     CHAOS_ON_CLIENT | CHAOS_ON_IOCP | CHAOS_BY_ALARM,
     {ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY}},
    {CHAOS_SETTIMER,
     CHAOS_ON_CLIENT | CHAOS_ON_IOCP | CHAOS_BY_ALARM,
     {ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY}},
    {CHAOS_RIO_RECEIVE,
     BOTH | CHAOS_ON_RIO,
     {WSAEFAULT, WSAEINVAL, WSAENOBUFS, WSA_OPERATION_ABORTED}},
    {CHAOS_RIO_SEND, BOTH | CHAOS_ON_RIO, {WSAEFAULT, WSAEINVAL, WSAENOBUFS, WSA_IO_PENDING}},
    {CHAOS_RIO_COMMIT_RECV, BOTH | CHAOS_ON_RIO, {WSAEFAULT, WSAEINVAL, WSA_OPERATION_ABORTED}},
    {CHAOS_RIO_COMMIT_SEND, BOTH | CHAOS_ON_RIO, {WSAEFAULT, WSAEINVAL, WSAENOBUFS}},
    {CHAOS_RIO_CREATE_CQ, BOTH | CHAOS_ON_RIO, {WSAEFAULT, WSAEINVAL, WSAENOBUFS}},
    {CHAOS_RIO_CREATE_RQ, BOTH | CHAOS_ON_RIO, {WSAEINVAL, WSAENOBUFS, WSAENOTSOCK, WSAEOPNOTSUPP}},
    {CHAOS_RIO_REGISTER, BOTH | CHAOS_ON_RIO, {WSAEFAULT, WSAEINVAL, WSAENOBUFS}},
    {CHAOS_RIO_NOTIFY, BOTH | CHAOS_ON_RIO | CHAOS_BY_NOTIFY, {WSAEALREADY}},

    /* What the contract makes an end of the process (seam/backend.h, point 10), and a listener
     * that is one no longer. */
    {CHAOS_CLOSESOCKET, CHAOS_ON_SERVER | CHAOS_ON_IOCP | CHAOS_FATAL, {WSAENOTSOCK}},
    {CHAOS_GQCSEX,
     CHAOS_ON_SERVER | ANY | CHAOS_BY_NOTIFY | CHAOS_FATAL,
     {ERROR_ABANDONED_WAIT_0, ERROR_INVALID_HANDLE}},
    {CHAOS_GQCS,
     CHAOS_ON_SERVER | CHAOS_ON_IOCP | CHAOS_BY_SINGLE | CHAOS_FATAL,
     {ERROR_ABANDONED_WAIT_0}},
    {CHAOS_POST,
     CHAOS_ON_SERVER | CHAOS_ON_IOCP | CHAOS_BY_THREAD | CHAOS_FATAL,
     {ERROR_NO_SYSTEM_RESOURCES}},
    {CHAOS_ACCEPTCONN, CHAOS_ON_SERVER | ANY | CHAOS_FATAL, {WSAENETDOWN}},
    {CHAOS_SETEVENT,
     CHAOS_ON_SERVER | CHAOS_ON_RIO | CHAOS_BY_EVENT | CHAOS_BY_THREAD | CHAOS_FATAL,
     {ERROR_INVALID_HANDLE}},
    {CHAOS_WAIT,
     CHAOS_ON_SERVER | CHAOS_ON_RIO | CHAOS_BY_EVENT | CHAOS_FATAL,
     {ERROR_INVALID_HANDLE}},
    {CHAOS_RIO_NOTIFY, CHAOS_ON_SERVER | CHAOS_ON_RIO | CHAOS_BY_NOTIFY | CHAOS_FATAL, {WSAEINVAL}},
    {CHAOS_RIO_DEQUEUE, CHAOS_ON_SERVER | CHAOS_ON_RIO | CHAOS_FATAL, {UINT32_MAX}},
    {CHAOS_RIO_CLOSESOCKET,
     CHAOS_ON_SERVER | CHAOS_ON_RIO | CHAOS_FATAL,
     {WSAENETDOWN, WSAEWOULDBLOCK}},
    {CHAOS_PROVIDER_WAIT,
     CHAOS_ON_SERVER | CHAOS_ON_RIO | CHAOS_BY_PROVIDER | CHAOS_FATAL | CHAOS_WINE,
     {ERROR_INVALID_HANDLE}},
};

static const struct {
    chaos_call call;
    uint32_t where;
} others[] = {
    {CHAOS_LATE, BOTH | ANY},
    {CHAOS_REORDERED, BOTH | ANY},
    {CHAOS_INLINE_PENDING, BOTH | CHAOS_ON_IOCP},
    {CHAOS_SHORT_SEND, BOTH | ANY},
    {CHAOS_DOUBLED_WAKE, CHAOS_ON_SERVER | ANY},
    {CHAOS_SPURIOUS_WAKE, BOTH | ANY},
    {CHAOS_SPURIOUS_NOTIFY, BOTH | CHAOS_ON_RIO},
    {CHAOS_CAPACITY_LATE, CHAOS_ON_SERVER | CHAOS_ON_RIO},
};

static chaos_row rows[CHAOS_SIDES][ROWS_MAX]; /* [rio] */
static uint32_t row_counts[CHAOS_SIDES];

static void row_add(bool rio, uint32_t call, uint32_t where, uint32_t code) {
    if ((where & (rio ? CHAOS_ON_RIO : CHAOS_ON_IOCP)) == 0 ||
        ((where & CHAOS_WINE) != 0 && !rs_os_is_wine())) {
        return;
    }
    RS_ASSERT(row_counts[rio] < ROWS_MAX);
    rows[rio][row_counts[rio]++] =
        (chaos_row){.call = (uint8_t)call, .where = (uint16_t)where, .code = code};
}

/* A packet brings an NTSTATUS; a RIORESULT may bring any number of the table. */
static void rows_of_completions(bool rio) {
    size_t count = 0;
    const rs_win_error *table = rs_win_error_table(&count);
    for (size_t i = 0; i < count; i++) {
        const uint32_t code = table[i].code;
        if (table[i].class_of == RS_WIN_NONE) {
            continue;
        }
        if (code >= 0xC0000000u) {
            row_add(rio, CHAOS_PACKET_RECV, BOTH | CHAOS_ON_IOCP | CHAOS_BY_PACKET, code);
            row_add(rio, CHAOS_PACKET_SEND, BOTH | CHAOS_ON_IOCP | CHAOS_BY_PACKET, code);
            row_add(rio, CHAOS_PACKET_ACCEPT, CHAOS_ON_SERVER | ANY, code);
            row_add(rio, CHAOS_PACKET_CONNECT, CHAOS_ON_CLIENT | ANY, code);
        }
        row_add(rio, CHAOS_RESULT_RECV, BOTH | CHAOS_ON_RIO, code);
        row_add(rio, CHAOS_RESULT_SEND, BOTH | CHAOS_ON_RIO, code);
    }
}

chaos_row *chaos_rows(bool rio, uint32_t *count) {
    if (row_counts[rio] == 0) {
        for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
            for (uint32_t at = 0; at < CODES_MAX && pages[i].codes[at] != 0; at++) {
                row_add(rio, pages[i].call, pages[i].where, pages[i].codes[at]);
            }
        }
        rows_of_completions(rio);
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
            row_add(rio, others[i].call, others[i].where, 0);
        }
    }
    *count = row_counts[rio];
    return rows[rio];
}

/* ---- drawing */

static uint64_t mix(uint64_t z) {
    z += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

chaos_side chaos_here(void) {
    return GetCurrentThreadId() == client_thread ? CHAOS_CLIENT : CHAOS_SERVER;
}

uint32_t chaos_draw(uint32_t below) {
    const chaos_side side = chaos_here();
    uint64_t drawn;
    chaos_lock();
    state.random[side] += 0x9E3779B97F4A7C15u;
    drawn = mix(state.random[side]);
    chaos_unlock();
    return (uint32_t)(drawn % below);
}

static uint64_t draw_for_call(chaos_side side, chaos_call call) {
    return mix(chaos.seed ^
               mix(((uint64_t)side << 48) | ((uint64_t)call << 32) | ++state.calls[side][call]));
}

static bool row_is_free(const chaos_row *row, chaos_side side) {
    return (row->where & CHAOS_FATAL) == 0 &&
           (row->where & (side == CHAOS_SERVER ? CHAOS_ON_SERVER : CHAOS_ON_CLIENT)) != 0;
}

static chaos_row *rule_fires(chaos_side side, chaos_call call) {
    for (uint32_t i = 0; i < chaos.rule_count; i++) {
        chaos_rule *rule = &chaos.rules[i];
        chaos_row *row = &rows[chaos.rio][rule->row];
        if (!rule->fired && rule->side == side && row->call == (uint8_t)call &&
            state.calls[side][call] >= rule->nth) {
            rule->fired = true;
            return row;
        }
    }
    return NULL;
}

static chaos_row *chance_fires(chaos_side side, chaos_call call, uint64_t drawn) {
    uint32_t first = 0, found = 0, wanted;
    if (drawn % CHAOS_ONE >= chaos.fail[side]) {
        return NULL;
    }
    for (uint32_t i = 0; i < row_counts[chaos.rio]; i++) {
        const chaos_row *row = &rows[chaos.rio][i];
        if (row->call == (uint8_t)call && row->code != 0 && row_is_free(row, side)) {
            first = found == 0 ? i : first;
            found++;
        }
    }
    if (found == 0) {
        return NULL;
    }
    wanted = (uint32_t)(drawn >> 32) % found;
    for (uint32_t i = first; i < row_counts[chaos.rio]; i++) {
        chaos_row *row = &rows[chaos.rio][i];
        if (row->call == (uint8_t)call && row_is_free(row, side) && wanted-- == 0) {
            return row;
        }
    }
    return NULL;
}

bool chaos_fails(chaos_call call, uint32_t *code) {
    const chaos_side side = chaos_here();
    chaos_row *row;
    uint64_t drawn;
    chaos_lock();
    drawn = draw_for_call(side, call);
    row = rule_fires(side, call);
    row = row != NULL ? row : chance_fires(side, call, drawn);
    if (row != NULL) {
        row->hits++;
        state.injected[side]++;
        *code = row->code;
    }
    chaos_unlock();
    return row != NULL;
}

bool chaos_happens(chaos_call call, uint32_t probability) {
    const chaos_side side = chaos_here();
    bool happens;
    chaos_lock();
    happens = draw_for_call(side, call) % CHAOS_ONE < probability;
    for (uint32_t i = 0; happens && i < row_counts[chaos.rio]; i++) {
        rows[chaos.rio][i].hits += rows[chaos.rio][i].call == (uint8_t)call;
    }
    chaos_unlock();
    return happens;
}

uint32_t chaos_injected(chaos_side side) {
    uint32_t count;
    chaos_lock();
    count = state.injected[side];
    chaos_unlock();
    return count;
}

/* ---- what is open */

static const char *const thing_names[CHAOS_THINGS] = {
    "sockets",           "handles",        "WSAStartups",       "registered buffers",
    "completion queues", "request queues", "requests in flight"};

void chaos_count(chaos_side side, chaos_thing thing, int change) {
    int open;
    chaos_lock();
    state.open[side][thing] += change;
    open = state.open[side][thing];
    chaos_unlock();
    if (open < 0) {
        chaos_fail("more %s were closed than opened", thing_names[thing]);
    }
}

void chaos_nothing_open(chaos_side side) {
    for (uint32_t i = 0; i < CHAOS_THINGS; i++) {
        if (state.open[side][i] != 0) {
            chaos_fail("the %s has left %d %s", side == CHAOS_SERVER ? "server" : "client",
                       state.open[side][i], thing_names[i]);
        }
    }
}

void chaos_begin(const chaos_plan *plan) {
    client_thread = GetCurrentThreadId();
    memset(&state, 0, sizeof state);
    chaos = *plan;
    for (uint32_t side = 0; side < CHAOS_SIDES; side++) {
        state.random[side] = mix(plan->seed + side);
    }
    chaos_win_begin();
    chaos_rio_begin();
    chaos_seam_begin();
}

void chaos_end(void) {
    chaos_nothing_open(CHAOS_SERVER);
    chaos_nothing_open(CHAOS_CLIENT);
}

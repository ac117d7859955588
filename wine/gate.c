/* SPDX-License-Identifier: MIT */
/* Finds Wine's Unix-call dispatcher and makes system calls through it. Any thread. */
#include "gate.h"

#include <string.h>

#include "linux_abi.h"
#include "unix_gate.h"
#include "win/win.h"

typedef LONG(WINAPI *gate_dispatcher)(UINT64 handle, unsigned code, void *argument);
typedef LONG(WINAPI *gate_query)(HANDLE process, void *address, int class_number, void *out,
                                 SIZE_T size, SIZE_T *returned);
#define GATE_TOO_MANY_OPENED_FILES ((LONG)0xC000011F) /* STATUS_TOO_MANY_OPENED_FILES */

typedef LONG(__cdecl *gate_handle_to_fd)(HANDLE handle, unsigned access, int *fd,
                                         unsigned *options);

/* Wine's MEMORY_INFORMATION_CLASS for "the Unix functions of this module". */
#define GATE_MEMORY_WINE_UNIX_FUNCS 1000

#define GATE_TCP_INFO_BYTES 256
#define GATE_DATAGRAM_BYTES 2304u /* what Linux charges for one of 1 KiB */
#define GATE_ROOM_MAX (16 << 20)

extern IMAGE_DOS_HEADER __ImageBase;

static struct {
    gate_dispatcher *dispatcher; /* ntdll exports a variable that holds the pointer */
    gate_handle_to_fd handle_to_fd;
    UINT64 module;
} gate;

/* GetProcAddress gives a function pointer of one type; a copy is the only portable conversion. */
static void gate_lookup(HMODULE module, const char *name, void *out) {
    FARPROC found = GetProcAddress(module, name);
    memcpy(out, &found, sizeof found);
}

bool rs_gate_open(const char **why) {
    HMODULE ntdll = GetModuleHandleA("ntdll.dll");
    gate_query query = NULL;
    gate_lookup(ntdll, "wine_server_handle_to_fd", &gate.handle_to_fd);
    gate_lookup(ntdll, "__wine_unix_call_dispatcher", &gate.dispatcher);
    gate_lookup(ntdll, "NtQueryVirtualMemory", &query);
    if (gate.handle_to_fd == NULL || gate.dispatcher == NULL || query == NULL) {
        *why = "this is not Wine, or a Wine older than 8";
        return false;
    }
    if (query(GetCurrentProcess(), &__ImageBase, GATE_MEMORY_WINE_UNIX_FUNCS, &gate.module,
              sizeof gate.module, NULL) != 0) {
        *why = "ringside_rio.so was not found: WINEDLLPATH must be the absolute folder that holds "
               "ringside_rio.dll and ringside_rio.so";
        return false;
    }
    return true;
}

int64_t rs_gate_call6(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e,
                      int64_t f) {
    rs_gate_call call = {number, {a, b, c, d, e, f}, 0};
    (void)(*gate.dispatcher)(gate.module, 0, &call); /* the entry always returns 0 */
    return call.result;
}

int rs_gate_socket_fd(uintptr_t socket_handle) {
    int fd = -1;
    unsigned options = 0;
    LONG status = gate.handle_to_fd((HANDLE)socket_handle, 0, &fd, &options);
    if (status != 0) {
        return status == GATE_TOO_MANY_OPENED_FILES ? RS_GATE_FULL : -1;
    }
    return fd;
}

/* TCP_INFO of a socket in state CLOSE; false = it is in another, or no TCP socket. */
static bool gate_closed_info(int fd, uint8_t *info, uint32_t size) {
    return fd >= 0 &&
           rs_gate_call6(LX_SYS_GETSOCKOPT, fd, LX_IPPROTO_TCP, LX_TCP_INFO, (intptr_t)info,
                         (intptr_t)&size, 0) == 0 &&
           info[LX_TCP_INFO_STATE] == LX_TCP_STATE_CLOSE;
}

bool rs_gate_was_reset(int fd, uint64_t received) {
    uint8_t info[GATE_TCP_INFO_BYTES] = {0};
    uint64_t counted;
    if (!gate_closed_info(fd, info, sizeof info)) {
        return false;
    }
    memcpy(&counted, info + LX_TCP_INFO_BYTES_RECEIVED, sizeof counted);
    return counted != received + 1;
}

bool rs_gate_never_connected(int fd) {
    uint8_t info[GATE_TCP_INFO_BYTES] = {0};
    uint8_t byte;
    /* One that was connected and is not any more reads an error or the end. */
    return gate_closed_info(fd, info, sizeof info) &&
           rs_gate_call6(LX_SYS_RECVFROM, fd, (intptr_t)&byte, sizeof byte,
                         LX_MSG_PEEK | LX_MSG_DONTWAIT, 0, 0) == -LX_ENOTCONN;
}

void rs_gate_make_room(int fd, uint32_t datagrams) {
    uint64_t wanted = (uint64_t)datagrams * GATE_DATAGRAM_BYTES;
    int32_t bytes = wanted < GATE_ROOM_MAX ? (int32_t)wanted : GATE_ROOM_MAX;
    if (fd >= 0 && rs_gate_call6(LX_SYS_SETSOCKOPT, fd, LX_SOL_SOCKET, LX_SO_RCVBUFFORCE,
                                 (intptr_t)&bytes, sizeof bytes, 0) != 0) {
        (void)rs_gate_call6(LX_SYS_SETSOCKOPT, fd, LX_SOL_SOCKET, LX_SO_RCVBUF, (intptr_t)&bytes,
                            sizeof bytes, 0); /* less is better than nothing */
    }
}

void rs_gate_close_fd(int fd) {
    if (fd >= 0) {
        (void)rs_gate_call6(LX_SYS_CLOSE, fd, 0, 0, 0, 0,
                            0); /* ours alone: nothing to do on error */
    }
}

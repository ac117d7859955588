/* SPDX-License-Identifier: MIT */
/* Hooks: a Windows program asks Wine for RIO and gets the provider's.
 *
 * Replaced: WSAIoctl (answers the RIO table), closesocket and shutdown (the provider must see
 * them), WSASocketW/A, socket, accept and WSAAccept (which sockets carry WSA_FLAG_REGISTERED_IO).
 *
 * Two ways, because each misses what the other covers. Import tables of modules that are there at
 * the start: entries are matched by address, so that imports by ordinal, or through wsock32, are
 * found too. The export table of ws2_32: GetProcAddress, delayed imports and modules that are
 * loaded later are all served from it. Runs in DllMain, one thread. */
#include "hook.h"

#include <string.h>

#include "sockets.h"
#include "table.h"
#include "verify.h"

#define HOOK_MODULES_MAX 256

static const GUID hook_multiple_rio = WSAID_MULTIPLE_RIO;

/* WSASendMsg and WSARecvMsg answer SOCKET_ERROR where the other extensions answer FALSE. */
static const GUID hook_send_msg = {
    0xa441e712, 0x754f, 0x43ca, {0x84, 0xa7, 0x0d, 0xee, 0x44, 0xcf, 0x60, 0x6d}};
static const GUID hook_recv_msg = {
    0xf689d7c8, 0x6f1f, 0x436b, {0x8a, 0x53, 0xe5, 0x4f, 0xe3, 0x51, 0xc3, 0x22}};

/* Extension functions that Wine lacks: a program may look them up and never call them. Callable
 * with any arguments, because the x64 convention leaves the stack to the caller. */
static BOOL WINAPI hook_missing_bool(void) {
    WSASetLastError(WSAEOPNOTSUPP);
    return FALSE;
}

static int WINAPI hook_missing_int(void) {
    WSASetLastError(WSAEOPNOTSUPP);
    return SOCKET_ERROR;
}

static int hook_answer_table(void *out, DWORD out_bytes, DWORD *returned) {
    if (out == NULL || out_bytes < sizeof(RIO_EXTENSION_FUNCTION_TABLE) || returned == NULL) {
        WSASetLastError(WSAEFAULT);
        return SOCKET_ERROR;
    }
    if (!rs_table_fill(out) || !rs_verify_table(out)) {
        WSASetLastError(WSAEOPNOTSUPP);
        return SOCKET_ERROR;
    }
    *returned = sizeof(RIO_EXTENSION_FUNCTION_TABLE);
    return 0;
}

static void hook_answer_missing(const GUID *id, void *out, DWORD *returned) {
    bool wants_int =
        memcmp(id, &hook_send_msg, sizeof *id) == 0 || memcmp(id, &hook_recv_msg, sizeof *id) == 0;
    FARPROC stub = wants_int ? (FARPROC)(void (*)(void))hook_missing_int
                             : (FARPROC)(void (*)(void))hook_missing_bool;
    memcpy(out, &stub, sizeof stub);
    if (returned != NULL) {
        *returned = sizeof stub;
    }
}

static int WSAAPI hook_ioctl(SOCKET s, DWORD code, void *in, DWORD in_bytes, void *out,
                             DWORD out_bytes, DWORD *returned, OVERLAPPED *overlapped,
                             LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) {
    bool has_id = in != NULL && in_bytes >= sizeof(GUID);
    int result;
    if (code == SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER && has_id &&
        memcmp(in, &hook_multiple_rio, sizeof(GUID)) == 0) {
        return hook_answer_table(out, out_bytes, returned);
    }
    result = WSAIoctl(s, code, in, in_bytes, out, out_bytes, returned, overlapped, routine);
    if (result != 0 && code == SIO_GET_EXTENSION_FUNCTION_POINTER && has_id && out != NULL &&
        out_bytes >= sizeof(FARPROC)) {
        hook_answer_missing(in, out, returned);
        return 0;
    }
    return result;
}

static SOCKET hook_note(SOCKET s, bool registered_io) {
    int error = WSAGetLastError();
    if (s != INVALID_SOCKET) {
        rs_socket_flag(s, registered_io);
    }
    WSASetLastError(error);
    return s;
}

/* RIO needs WSA_FLAG_REGISTERED_IO alone; Wine does not know that flag and would make such a socket
 * synchronous. */
static DWORD hook_flags(DWORD flags) {
    return flags & WSA_FLAG_REGISTERED_IO ? flags | WSA_FLAG_OVERLAPPED : flags;
}

static SOCKET WSAAPI hook_socket_w(int family, int type, int protocol, LPWSAPROTOCOL_INFOW info,
                                   GROUP group, DWORD flags) {
    return hook_note(WSASocketW(family, type, protocol, info, group, hook_flags(flags)),
                     (flags & WSA_FLAG_REGISTERED_IO) != 0);
}

static SOCKET WSAAPI hook_socket_a(int family, int type, int protocol, LPWSAPROTOCOL_INFOA info,
                                   GROUP group, DWORD flags) {
    return hook_note(WSASocketA(family, type, protocol, info, group, hook_flags(flags)),
                     (flags & WSA_FLAG_REGISTERED_IO) != 0);
}

static SOCKET WSAAPI hook_socket(int family, int type, int protocol) {
    return hook_note(socket(family, type, protocol), false);
}

/* A socket accepted from a flagged listener is flagged. */
static SOCKET WSAAPI hook_accept(SOCKET listener, struct sockaddr *address, int *bytes) {
    return hook_note(accept(listener, address, bytes), rs_socket_may(listener));
}

static SOCKET WSAAPI hook_wsa_accept(SOCKET listener, struct sockaddr *address, int *bytes,
                                     LPCONDITIONPROC condition, DWORD_PTR argument) {
    return hook_note(WSAAccept(listener, address, bytes, condition, argument),
                     rs_socket_may(listener));
}

static int WSAAPI hook_closesocket(SOCKET s) {
    return rs_verify_closesocket(s);
}

static int WSAAPI hook_shutdown(SOCKET s, int how) {
    return rs_provider_shutdown(s, how);
}

typedef struct hook_entry {
    const char *name;
    FARPROC replacement;
} hook_entry;

static const hook_entry hook_entries[] = {
    {"WSAIoctl", (FARPROC)(void (*)(void))hook_ioctl},
    {"WSASocketW", (FARPROC)(void (*)(void))hook_socket_w},
    {"WSASocketA", (FARPROC)(void (*)(void))hook_socket_a},
    {"socket", (FARPROC)(void (*)(void))hook_socket},
    {"accept", (FARPROC)(void (*)(void))hook_accept},
    {"WSAAccept", (FARPROC)(void (*)(void))hook_wsa_accept},
    {"closesocket", (FARPROC)(void (*)(void))hook_closesocket},
    {"shutdown", (FARPROC)(void (*)(void))hook_shutdown},
};

#define HOOK_ENTRIES (sizeof hook_entries / sizeof hook_entries[0])

/* The original functions. */
static FARPROC hook_original[HOOK_ENTRIES];

static void hook_remember(void) {
    HMODULE winsock = GetModuleHandleA("ws2_32.dll"); /* ours too: it is loaded */
    for (size_t i = 0; i < HOOK_ENTRIES && hook_original[i] == NULL; i++) {
        hook_original[i] = GetProcAddress(winsock, hook_entries[i].name);
    }
}

/* The entry that replaces a function, HOOK_ENTRIES = none does. */
static size_t hook_find(uintptr_t function) {
    size_t i = 0;
    while (i < HOOK_ENTRIES && function != (uintptr_t)hook_original[i]) {
        i++;
    }
    return i;
}

static bool hook_thunk(FARPROC *thunk) {
    size_t entry = hook_find((uintptr_t)*thunk);
    DWORD before;
    if (entry == HOOK_ENTRIES ||
        !VirtualProtect((void *)thunk, sizeof *thunk, PAGE_READWRITE, &before)) {
        return false;
    }
    *thunk = hook_entries[entry].replacement;
    (void)VirtualProtect((void *)thunk, sizeof *thunk, before, &before); /* as it was */
    return true;
}

/* Where a loaded module keeps one of its tables; NULL = it has none. */
static void *hook_directory(HMODULE module, int which) {
    char *base = (char *)module;
    const IMAGE_DOS_HEADER *dos = (const IMAGE_DOS_HEADER *)(const void *)base;
    const IMAGE_NT_HEADERS *nt = (const IMAGE_NT_HEADERS *)(const void *)(base + dos->e_lfanew);
    const IMAGE_DATA_DIRECTORY *directory = &nt->OptionalHeader.DataDirectory[which];
    return directory->Size > 0 ? base + directory->VirtualAddress : NULL;
}

bool rs_hook_module(HMODULE module) {
    char *base = (char *)module;
    const IMAGE_IMPORT_DESCRIPTOR *import = hook_directory(module, IMAGE_DIRECTORY_ENTRY_IMPORT);
    bool any = false;
    hook_remember();
    for (; import != NULL && import->Name; import++) {
        for (FARPROC *thunk = (FARPROC *)(void *)(base + import->FirstThunk); *thunk != NULL;
             thunk++) {
            any = hook_thunk(thunk) || any;
        }
    }
    if (any) {
        rs_socket_watch();
    }
    return any;
}

/* An export is an offset of 32 bits from its module, so that it leads to a jump close above it. */
typedef struct hook_jump {
    uint8_t code[6]; /* jmp [rip]: to the address that follows */
    uint8_t to[sizeof(FARPROC)];
} hook_jump;

static hook_jump *hook_room_above(HMODULE module) {
    const uintptr_t step = 65536, reach = UINT32_MAX;
    const uintptr_t base = (uintptr_t)module;
    hook_jump *room = NULL;
    for (uintptr_t at = base + step; room == NULL && at < base + reach - step; at += step) {
        room = VirtualAlloc((void *)at, HOOK_ENTRIES * sizeof *room, MEM_RESERVE | MEM_COMMIT,
                            PAGE_EXECUTE_READWRITE);
    }
    return room;
}

static bool hook_export(HMODULE module, DWORD *slot, hook_jump *jump, FARPROC replacement) {
    static const uint8_t code[6] = {0xFF, 0x25, 0, 0, 0, 0};
    DWORD before;
    memcpy(jump->code, code, sizeof code);
    memcpy(jump->to, &replacement, sizeof replacement);
    if (!VirtualProtect(slot, sizeof *slot, PAGE_READWRITE, &before)) {
        return false;
    }
    *slot = (DWORD)((uintptr_t)jump - (uintptr_t)module);
    (void)VirtualProtect(slot, sizeof *slot, before, &before); /* as it was */
    return true;
}

bool rs_hook_exports(void) {
    HMODULE module = GetModuleHandleA("ws2_32.dll");
    char *base = (char *)module;
    const IMAGE_EXPORT_DIRECTORY *exports = hook_directory(module, IMAGE_DIRECTORY_ENTRY_EXPORT);
    hook_jump *jumps = exports != NULL ? hook_room_above(module) : NULL;
    DWORD *slots;
    hook_remember();
    if (jumps == NULL) {
        return false;
    }
    slots = (DWORD *)(void *)(base + exports->AddressOfFunctions);
    for (DWORD i = 0; i < exports->NumberOfFunctions; i++) {
        size_t entry = hook_find((uintptr_t)(base + slots[i]));
        if (entry < HOOK_ENTRIES &&
            !hook_export(module, &slots[i], &jumps[entry], hook_entries[entry].replacement)) {
            return false;
        }
    }
    rs_socket_watch();
    return true;
}

bool rs_hook_program(void) {
    HMODULE modules[HOOK_MODULES_MAX], self = NULL;
    DWORD bytes = 0;
    (void)GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                 GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                             (const char *)hook_entries, &self); /* this very module */
    if (!EnumProcessModules(GetCurrentProcess(), modules, sizeof modules, &bytes)) {
        return false;
    }
    for (size_t i = 0; i < bytes / sizeof modules[0] && i < HOOK_MODULES_MAX; i++) {
        if (modules[i] != self) {
            (void)rs_hook_module(modules[i]); /* a module without Winsock has nothing to replace */
        }
    }
    return rs_hook_exports();
}

/* ---- Ctrl+C, from riorun ---- */

/* A terminal interrupts both processes, one a little later than the other. */
#define HOOK_INTERRUPT_LATE_MS 100
#define HOOK_INTERRUPT_SAME_MS 1000

typedef DWORD(WINAPI *hook_ctrl_routine)(void *event);

static struct {
    HANDLE event;
    rs_atomic_u32 seen, seen_at; /* an interrupt of the program's own, and when */
} hook_interrupt;

/* Wine delivers an interrupt as this exception. */
static LONG CALLBACK hook_on_exception(EXCEPTION_POINTERS *what) {
    if (what->ExceptionRecord->ExceptionCode == DBG_CONTROL_C) {
        rs_atomic_store_u32(&hook_interrupt.seen_at, (uint32_t)GetTickCount64());
        rs_atomic_store_u32(&hook_interrupt.seen, 1);
    }
    return EXCEPTION_CONTINUE_SEARCH;
}

static bool hook_was_interrupted(void) {
    return rs_atomic_load_u32(&hook_interrupt.seen) != 0 &&
           (uint32_t)GetTickCount64() - rs_atomic_load_u32(&hook_interrupt.seen_at) <
               HOOK_INTERRUPT_SAME_MS;
}

static DWORD WINAPI hook_wait_for_interrupt(void *unused) {
    FARPROC found = GetProcAddress(GetModuleHandleA("kernelbase.dll"), "CtrlRoutine");
    hook_ctrl_routine routine;
    (void)unused;
    memcpy(&routine, &found, sizeof routine);
    while (routine != NULL &&
           WaitForSingleObject(hook_interrupt.event, INFINITE) == WAIT_OBJECT_0) {
        Sleep(HOOK_INTERRUPT_LATE_MS);
        if (!hook_was_interrupted()) {
            (void)routine((void *)(uintptr_t)CTRL_C_EVENT); /* the program's handlers, in turn */
        }
    }
    return 0;
}

void rs_hook_listen(HANDLE event) {
    HANDLE thread;
    hook_interrupt.event = event;
    (void)AddVectoredExceptionHandler(1, hook_on_exception); /* without: Ctrl+C comes twice */
    thread = CreateThread(NULL, 65536, hook_wait_for_interrupt, NULL, 0, NULL);
    if (thread != NULL) { /* without: an interrupt of riorun alone is lost */
        CloseHandle(thread);
    }
}

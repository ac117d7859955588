/* SPDX-License-Identifier: MIT */
/* What the compiler refers to on its own: the mark of floating point, the cookie of /GS, the
 * directory of thread-local data, and the probe of large frames. */
#include <intrin.h>
#include <stdint.h>

int _fltused = 0x9875;

uintptr_t __security_cookie = 0x00002B992DDFA232u;
void __security_check_cookie(uintptr_t cookie);

void __security_check_cookie(uintptr_t cookie) {
    if (cookie != __security_cookie) {
        __fastfail(2); /* FAST_FAIL_STACK_COOKIE_CHECK_FAILURE */
    }
}

/* The loader reads _tls_used by name; the linker puts what lies in .tls between the two marks. */
#pragma section(".tls", long, read, write)
#pragma section(".tls$ZZZ", long, read, write)
#pragma section(".rdata$T", long, read)

typedef struct tls_directory {
    uint64_t start, end, index, callbacks;
    uint32_t zero_bytes, flags;
} tls_directory;

uint32_t _tls_index = 0;
__declspec(allocate(".tls")) char _tls_start = 0;
__declspec(allocate(".tls$ZZZ")) char _tls_end = 0;
extern const tls_directory _tls_used;
__declspec(allocate(".rdata$T")) const tls_directory _tls_used = {
    .start = (uint64_t)&_tls_start, .end = (uint64_t)&_tls_end, .index = (uint64_t)&_tls_index};

/* __chkstk: rax bytes of stack are about to be taken; touches each page of them from above, because
 * only the page below the lowest one in use is a guard page. Keeps every register. */
__asm__(".intel_syntax noprefix\n"
        ".text\n"
        ".globl __chkstk\n"
        "__chkstk:\n"
        "    push rcx\n"
        "    push rax\n"
        "    lea rcx, [rsp + 24]\n" /* the caller's stack pointer */
        "    jmp chkstk_last\n"
        "chkstk_page:\n"
        "    sub rcx, 4096\n"
        "    or byte ptr [rcx], 0\n"
        "    sub rax, 4096\n"
        "chkstk_last:\n"
        "    cmp rax, 4096\n"
        "    jae chkstk_page\n"
        "    sub rcx, rax\n"
        "    or byte ptr [rcx], 0\n"
        "    pop rax\n"
        "    pop rcx\n"
        "    ret\n");

/* SPDX-License-Identifier: MIT */
/* rio_late.dll: reaches Winsock by its imports, and is loaded after the program has begun. */
#include "rio/rio_abi.h"

__declspec(dllexport) SOCKET late_socket(DWORD flags);
__declspec(dllexport) int late_ask(SOCKET s, RIO_EXTENSION_FUNCTION_TABLE *out);
__declspec(dllexport) int late_close(SOCKET s);

SOCKET late_socket(DWORD flags) {
    return WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, flags);
}

int late_ask(SOCKET s, RIO_EXTENSION_FUNCTION_TABLE *out) {
    GUID id = WSAID_MULTIPLE_RIO;
    DWORD bytes = 0;
    return WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, out,
                    sizeof *out, &bytes, NULL, NULL);
}

int late_close(SOCKET s) {
    return closesocket(s);
}

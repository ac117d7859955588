/* SPDX-License-Identifier: MIT */
/* What Wine 8's <windows.h> lacks of the Windows SDK's; a later Wine declares the same again. */
#ifndef RS_CLANG_CL_WINDOWS_H
#define RS_CLANG_CL_WINDOWS_H

#include_next <windows.h>

#ifndef ReadTimeStampCounter
#include <intrin.h>
#define ReadTimeStampCounter() __rdtsc()
#endif

#ifndef FILE_SKIP_COMPLETION_PORT_ON_SUCCESS
#define FILE_SKIP_COMPLETION_PORT_ON_SUCCESS 0x1
#define FILE_SKIP_SET_EVENT_ON_HANDLE 0x2
#endif

WINBASEAPI WORD WINAPI GetActiveProcessorGroupCount(void);
WINBASEAPI BOOL WINAPI GetProcessGroupAffinity(HANDLE process, PUSHORT count, PUSHORT groups);
WINBASEAPI BOOL WINAPI SetThreadGroupAffinity(HANDLE thread, const GROUP_AFFINITY *affinity,
                                              PGROUP_AFFINITY before);
WINBASEAPI BOOL WINAPI QueryIdleProcessorCycleTimeEx(USHORT group, PULONG bytes, PULONG64 cycles);
WINBASEAPI BOOL WINAPI GetProcessHandleCount(HANDLE process, PDWORD count);
WINBASEAPI SIZE_T WINAPI GetLargePageMinimum(void);
WINBASEAPI BOOL WINAPI QueryProcessCycleTime(HANDLE process, PULONG64 cycles);
WINBASEAPI WORD WINAPI GetActiveProcessorGroupCount(void);
WINBASEAPI BOOL WINAPI GetProcessGroupAffinity(HANDLE process, PUSHORT count, PUSHORT groups);
WINBASEAPI BOOL WINAPI SetThreadGroupAffinity(HANDLE thread, const GROUP_AFFINITY *affinity,
                                              PGROUP_AFFINITY previous);

#endif

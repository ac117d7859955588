/* SPDX-License-Identifier: MIT */
/* files.h for Windows. */
#include "seam/files.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/assert.h"
#include "win/win.h"

#define FILE_TRIES 16u /* names to try beside the file, if another program left one there */
#define FILE_CHUNK_BYTES 4096u
#define FILE_RENAME_TRIES 10u /* a virus scanner may hold the old file for a moment */
#define FILE_RENAME_PAUSE_MS 50u

/* The temporary file. */
typedef struct file_place {
    const char *path;
    char beside[RS_FILE_PATH_BYTES + 32];
} file_place;

static const char *file_why(DWORD os_error) {
    switch (os_error) {
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
    case ERROR_DISK_QUOTA_EXCEEDED:
        return "the disk is full";
    case ERROR_PATH_NOT_FOUND:
    case ERROR_FILE_NOT_FOUND:
        return "no such directory";
    case ERROR_ACCESS_DENIED:
    case ERROR_WRITE_PROTECT:
        return "write access denied";
    case ERROR_SHARING_VIOLATION:
        return "in use by another program";
    default:
        return "cannot be written";
    }
}

static rs_status file_failed(const char *path, const char *call, DWORD os_error, rs_error *error) {
    return rs_error_set(error, RS_E_OS, call, os_error, "%.100s: %s (error %lu)", path,
                        file_why(os_error), (unsigned long)os_error);
}

/* CON, NUL, COM1 and \\.\pipe\x have this form once they are whole; no open is needed to tell. */
static bool file_is_device(const char *path) {
    char full[RS_FILE_PATH_BYTES];
    const DWORD bytes = GetFullPathNameA(path, sizeof full, full, NULL);
    return bytes > 0 && bytes < sizeof full && strncmp(full, "\\\\.\\", 4) == 0;
}

/* ERROR_SUCCESS, or what keeps the path from being written: ERROR_BAD_DEV_TYPE for a device or a
 * pipe. */
static DWORD file_place_find(file_place *place, const char *path) {
    place->path = path;
    if (file_is_device(path)) {
        return ERROR_BAD_DEV_TYPE;
    }
    const DWORD kind = GetFileAttributesA(path);
    if (strlen(path) >= RS_FILE_PATH_BYTES) {
        return ERROR_FILENAME_EXCED_RANGE;
    }
    if (kind != INVALID_FILE_ATTRIBUTES &&
        (kind & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_READONLY)) != 0) {
        return ERROR_ACCESS_DENIED;
    }
    const HANDLE there =
        CreateFileA(path, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                    OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    if (there != INVALID_HANDLE_VALUE) {
        const DWORD type = GetFileType(there);
        (void)CloseHandle(there);
        return type == FILE_TYPE_DISK ? ERROR_SUCCESS : ERROR_BAD_DEV_TYPE;
    }
    return ERROR_SUCCESS;
}

static rs_status file_begin(file_place *place, const char *path, rs_error *error) {
    const DWORD failed = file_place_find(place, path);
    if (failed == ERROR_BAD_DEV_TYPE) {
        return rs_error_set(error, RS_E_INVALID, NULL, 0, "%.100s: " RS_FILE_NO_FILE, path);
    }
    return failed == ERROR_SUCCESS ? RS_OK : file_failed(path, "CreateFile", failed, error);
}

static int file_folder_bytes(const char *path) {
    int bytes = 0;
    for (int i = 0; path[i] != '\0'; i++) {
        if (path[i] == '\\' || path[i] == '/' || path[i] == ':') {
            bytes = i + 1;
        }
    }
    return bytes;
}

/* A new file in the same folder, with a short name. */
static HANDLE file_open_beside(file_place *place) {
    HANDLE file = INVALID_HANDLE_VALUE;
    for (unsigned i = 0; i < FILE_TRIES && file == INVALID_HANDLE_VALUE; i++) {
        (void)snprintf(place->beside, sizeof place->beside, "%.*s.ringside-%lu-%u",
                       file_folder_bytes(place->path), place->path,
                       (unsigned long)GetCurrentProcessId(), i);
        file = CreateFileA(place->beside, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL,
                           NULL);
        if (file == INVALID_HANDLE_VALUE && GetLastError() != ERROR_FILE_EXISTS) {
            break;
        }
    }
    return file;
}

/* data NULL: zeros. ERROR_SUCCESS, or what went wrong. */
static DWORD file_write(HANDLE file, const char *data, size_t bytes) {
    static const char zeros[FILE_CHUNK_BYTES];
    for (size_t done = 0; done < bytes;) {
        const size_t left = bytes - done;
        const DWORD chunk = (DWORD)(left < sizeof zeros ? left : sizeof zeros);
        DWORD wrote = 0;
        if (!WriteFile(file, data != NULL ? data + done : zeros, chunk, &wrote, NULL)) {
            return GetLastError();
        }
        if (wrote == 0) {
            return ERROR_DISK_FULL;
        }
        done += wrote;
    }
    return ERROR_SUCCESS;
}

static DWORD file_close(HANDLE file, DWORD failed) {
    return CloseHandle(file) || failed != ERROR_SUCCESS ? failed : GetLastError();
}

/* Writes the temporary file; on failure none is left. */
static rs_status file_write_beside(file_place *place, const void *data, size_t bytes,
                                   rs_error *error) {
    const HANDLE file = file_open_beside(place);
    if (file == INVALID_HANDLE_VALUE) {
        return file_failed(place->path, "CreateFile", GetLastError(), error);
    }
    DWORD failed = file_write(file, data, bytes);
    if (failed == ERROR_SUCCESS && !FlushFileBuffers(file)) {
        failed = GetLastError();
    }
    failed = file_close(file, failed);
    if (failed != ERROR_SUCCESS) {
        (void)DeleteFileA(place->beside);
        return file_failed(place->path, "WriteFile", failed, error);
    }
    return RS_OK;
}

static DWORD file_rename(const file_place *place) {
    DWORD failed = ERROR_SUCCESS;
    for (unsigned i = 0; i < FILE_RENAME_TRIES; i++) {
        if (MoveFileExA(place->beside, place->path,
                        MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
            return ERROR_SUCCESS;
        }
        failed = GetLastError();
        if (failed != ERROR_ACCESS_DENIED && failed != ERROR_SHARING_VIOLATION) {
            break;
        }
        Sleep(FILE_RENAME_PAUSE_MS);
    }
    return failed;
}

rs_status rs_file_replace(const char *path, const void *data, size_t bytes, rs_error *error) {
    file_place place;
    rs_status status = file_begin(&place, path, error);
    RS_ASSERT(data != NULL || bytes == 0); /* NULL would write zeros */
    status = status == RS_OK ? file_write_beside(&place, data, bytes, error) : status;
    const DWORD failed = status == RS_OK ? file_rename(&place) : ERROR_SUCCESS;
    if (failed != ERROR_SUCCESS) {
        (void)DeleteFileA(place.beside);
        return file_failed(path, "MoveFileEx", failed, error);
    }
    return status;
}

rs_status rs_file_check(const char *path, size_t bytes, rs_error *error) {
    file_place place;
    rs_status status = file_begin(&place, path, error);
    status = status == RS_OK ? file_write_beside(&place, NULL, bytes, error) : status;
    if (status == RS_OK) {
        (void)DeleteFileA(place.beside);
    }
    return status;
}

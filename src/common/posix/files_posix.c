/* SPDX-License-Identifier: MIT */
/* files.h for Linux. */
#include "seam/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/assert.h"

#define FILE_TRIES 16u /* names to try beside the file, if another program left one there */
#define FILE_CHUNK_BYTES 4096u

_Static_assert(RS_FILE_PATH_BYTES >= PATH_MAX, "realpath writes up to PATH_MAX bytes");

/* The file and its temporary file. */
typedef struct file_place {
    char path[RS_FILE_PATH_BYTES]; /* with links resolved */
    char beside[RS_FILE_PATH_BYTES + 32];
    bool exists; /* and this is what it may be read and written by: */
    mode_t mode;
} file_place;

static rs_status file_failed(const char *path, const char *call, int os_error, rs_error *error) {
    const char *why = os_error == ENOSPC || os_error == EDQUOT ? "the disk is full"
                      : os_error == EFBIG ? "the file size limit (ulimit -f) is too low"
                                          : strerror(os_error);
    return rs_error_set(error, RS_E_OS, call, (uint32_t)os_error, "%.100s: %s", path, why);
}

/* Names under /dev and /proc may denote descriptors that are already open. */
static bool file_is_open_already(const char *path) {
    return strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0;
}

/* 0, errno, or ENOTSUP for a device or a pipe. */
static int file_place_find(file_place *place, const char *path) {
    struct stat info;
    if (strlen(path) >= sizeof place->path) {
        return ENAMETOOLONG;
    }
    (void)snprintf(place->path, sizeof place->path, "%s", path);
    place->exists = stat(path, &info) == 0;
    if (place->exists && S_ISDIR(info.st_mode)) {
        return EISDIR;
    }
    if (file_is_open_already(path) || (place->exists && !S_ISREG(info.st_mode))) {
        return ENOTSUP;
    }
    if (!place->exists) {
        return 0;
    }
    place->mode = info.st_mode & 0777;
    if (access(path, W_OK) != 0 || realpath(path, place->path) == NULL) {
        return errno;
    }
    return 0;
}

/* A descriptor of a new file in the same folder, with a short name. */
static int file_open_beside(file_place *place) {
    const char *slash = strrchr(place->path, '/');
    const int folder = slash != NULL ? (int)(slash - place->path) + 1 : 0;
    int fd = -1;
    for (unsigned i = 0; i < FILE_TRIES && fd < 0; i++) {
        (void)snprintf(place->beside, sizeof place->beside, "%.*s.ringside-%ld-%u", folder,
                       place->path, (long)getpid(), i);
        fd = open(place->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST) {
            break;
        }
    }
    if (fd >= 0 && place->exists) {
        (void)fchmod(fd, place->mode); /* the rights of the new file are a wish */
    }
    return fd;
}

/* data NULL: zeros. 0, or errno. */
static int file_write(int fd, const char *data, size_t bytes) {
    static const char zeros[FILE_CHUNK_BYTES];
    for (size_t done = 0; done < bytes;) {
        const size_t left = bytes - done;
        const ssize_t wrote = data != NULL
                                  ? write(fd, data + done, left)
                                  : write(fd, zeros, left < sizeof zeros ? left : sizeof zeros);
        if (wrote < 0 && errno != EINTR) {
            return errno;
        }
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return 0;
}

/* Writes the temporary file; on failure none is left. */
static rs_status file_write_beside(file_place *place, const void *data, size_t bytes,
                                   rs_error *error) {
    const int fd = file_open_beside(place);
    if (fd < 0) {
        return file_failed(place->path, "open", errno, error);
    }
    int failed = file_write(fd, data, bytes);
    if (failed == 0 && fsync(fd) != 0) {
        failed = errno; /* some file systems report only here that they are full */
    }
    if (close(fd) != 0 && failed == 0) {
        failed = errno;
    }
    if (failed != 0) {
        (void)unlink(place->beside);
        return file_failed(place->path, "write", failed, error);
    }
    return RS_OK;
}

static rs_status file_begin(file_place *place, const char *path, rs_error *error) {
    /* Beyond `ulimit -f` a write is to fail, not to end the program. */
    (void)signal(SIGXFSZ, SIG_IGN);
    const int failed = file_place_find(place, path);
    if (failed == ENOTSUP) {
        return rs_error_set(error, RS_E_INVALID, NULL, 0, "%.100s: " RS_FILE_NO_FILE, path);
    }
    return failed == 0 ? RS_OK : file_failed(path, "open", failed, error);
}

rs_status rs_file_replace(const char *path, const void *data, size_t bytes, rs_error *error) {
    file_place place;
    rs_status status = file_begin(&place, path, error);
    RS_ASSERT(data != NULL || bytes == 0); /* NULL would write zeros */
    status = status == RS_OK ? file_write_beside(&place, data, bytes, error) : status;
    if (status == RS_OK && rename(place.beside, place.path) != 0) {
        status = file_failed(path, "rename", errno, error);
        (void)unlink(place.beside);
    }
    return status;
}

rs_status rs_file_check(const char *path, size_t bytes, rs_error *error) {
    file_place place;
    rs_status status = file_begin(&place, path, error);
    if (status != RS_OK) {
        return status;
    }
    status = file_write_beside(&place, NULL, bytes, error);
    if (status == RS_OK) {
        (void)unlink(place.beside);
    }
    return status;
}

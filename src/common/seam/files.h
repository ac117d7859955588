/* Files that a program leaves behind: whole or not at all.
 *
 * Two implementations: win/files_win.c and posix/files_posix.c. Any thread, but one at a time for
 * one path. Nothing allocates. Errors, with a line "PATH: why": RS_E_OS names a full disk, a limit
 * on the size of files, a folder that may not be written; RS_E_INVALID: a device or a pipe
 * (/dev/stdout, NUL), which might never take what is written. */
#ifndef RS_SEAM_FILES_H
#define RS_SEAM_FILES_H

#include <stddef.h>

#include "core/status.h"

#define RS_FILE_PATH_BYTES 4096u /* the longest path, with its end */
#define RS_FILE_NO_FILE "is a device or a pipe; name a regular file"

/* rs_file_replace: gives a file its whole new content. It is written beside the old one, forced to
 * the disk and renamed over it: when anything fails the old file is as it was, and nothing new lies
 * beside it. A link keeps pointing where it does, a read-only file is refused. error: nullable. */
rs_status rs_file_replace(const char *path, const void *data, size_t bytes, rs_error *error);

/* rs_file_check: would rs_file_replace work, with this many bytes? Writes as many beside the file
 * and removes them; the file itself is not touched, nor made. For the start of a program, so that
 * what cannot be written is found out before the work and not after it. */
rs_status rs_file_check(const char *path, size_t bytes, rs_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* Output files of a program: written completely or not at all.
 *
 * Two implementations: win/files_win.c and posix/files_posix.c. Any thread, but one at a time per
 * path. Nothing allocates. Errors, with a line "PATH: why": RS_E_OS for a full disk, a file size
 * limit, a folder without write access; RS_E_INVALID for a device or a pipe (/dev/stdout, NUL),
 * where a write might block forever. */
#ifndef RS_SEAM_FILES_H
#define RS_SEAM_FILES_H

#include <stddef.h>

#include "core/status.h"

#define RS_FILE_PATH_BYTES 4096u /* the longest path, with its end */
#define RS_FILE_NO_FILE "is a device or a pipe; name a regular file"

/* rs_file_replace: replaces the content of a file. The new file is written beside the old one,
 * flushed to disk and renamed over it: if anything fails the old file is unchanged and no other
 * file is left. A link keeps its target, a read-only file is refused. error: nullable. */
rs_status rs_file_replace(const char *path, const void *data, size_t bytes, rs_error *error);

/* rs_file_check: would rs_file_replace succeed with this many bytes? Writes as many beside the file
 * and removes them; the file itself is neither changed nor created. For the start of a program, so
 * that an output problem is found before the work and not after it. */
rs_status rs_file_check(const char *path, size_t bytes, rs_error *error);

#endif

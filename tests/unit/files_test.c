/* SPDX-License-Identifier: MIT */
/* files.h on the platform at hand: whatever goes wrong, the old file is as it was and nothing new
 * lies beside it. POSIX alone can make the disk full for one process (a limit on the size of its
 * files) and list a folder without more ado. */
#include "seam/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#if defined(_WIN32)
#include <direct.h>
#define make_folder(path) _mkdir(path)
#define remove_folder(path) _rmdir(path)
#else
#include <dirent.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#define make_folder(path) mkdir(path, 0777)
#define remove_folder(path) rmdir(path)
#endif

#define FOLDER "files_test.dir"
#define FILE_NAME FOLDER "/result.json"
#define LARGE_BYTES 20000u

static char large[LARGE_BYTES];

static size_t content(const char *path, char *text, size_t bytes) {
    FILE *file = fopen(path, "rb");
    size_t got = 0;
    if (file != NULL) {
        got = fread(text, 1, bytes - 1, file);
        (void)fclose(file);
    }
    text[got] = '\0';
    return got;
}

static void assert_content(const char *path, const char *expected) {
    char text[64];
    (void)content(path, text, sizeof text);
    assert_string_equal(text, expected);
}

/* Natively: nothing but the file itself lies in its folder. */
static void assert_nothing_beside(void) {
#if !defined(_WIN32)
    DIR *folder = opendir(FOLDER);
    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        assert_true(strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                    strcmp(entry->d_name, "result.json") == 0);
    }
    (void)closedir(folder);
#endif
}

static int setup(void **state) {
    rs_error error;
    (void)state;
    memset(large, 'x', sizeof large);
    (void)make_folder(FOLDER); /* it may be there from a run that failed */
    return rs_file_replace(FILE_NAME, "old", 3, &error) == RS_OK ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    (void)remove(FILE_NAME);
    return remove_folder(FOLDER);
}

static void test_file_replace_gives_the_whole_new_content(void **state) {
    static char text[LARGE_BYTES + 1];
    rs_error error;
    (void)state;
    assert_content(FILE_NAME, "old");
    assert_int_equal(rs_file_replace(FILE_NAME, large, sizeof large, &error), RS_OK);
    assert_int_equal(content(FILE_NAME, text, sizeof text), sizeof large);
    assert_memory_equal(text, large, sizeof large);
    assert_int_equal(rs_file_replace(FILE_NAME, "", 0, NULL), RS_OK);
    assert_content(FILE_NAME, "");
    assert_nothing_beside();
}

static void test_file_check_touches_nothing(void **state) {
    rs_error error;
    (void)state;
    assert_int_equal(rs_file_check(FILE_NAME, LARGE_BYTES, &error), RS_OK);
    assert_content(FILE_NAME, "old");
    (void)remove(FILE_NAME);
    assert_int_equal(rs_file_check(FILE_NAME, LARGE_BYTES, &error), RS_OK);
    assert_null(fopen(FILE_NAME, "rb"));
    assert_nothing_beside();
}

static void test_file_in_no_folder_is_refused(void **state) {
    rs_error error = {.text = ""};
    (void)state;
    assert_int_equal(rs_file_replace(FOLDER "/none/a", "x", 1, &error), RS_E_OS);
    assert_non_null(strstr(error.text, FOLDER "/none/a: "));
    assert_null(strchr(error.text, '\n'));
    assert_int_equal(rs_file_check(FOLDER "/none/a", 1, &error), RS_E_OS);
    assert_int_equal(rs_file_replace(FOLDER, "x", 1, &error), RS_E_OS); /* a folder itself */
    assert_int_equal(rs_file_check(FOLDER, 1, &error), RS_E_OS);
}

/* A pipe that nobody reads would keep a program from ending. */
static void test_file_that_is_none_is_refused(void **state) {
#if defined(_WIN32)
    static const char *const names[] = {"NUL", "CON"};
#else
    static const char *const names[] = {"/dev/null", "/dev/stdout", "/proc/self/fd/1", FILE_NAME};
    (void)remove(FILE_NAME);
    assert_int_equal(mkfifo(FILE_NAME, 0600), 0);
#endif
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        rs_error error = {.text = ""};
        assert_int_equal(rs_file_check(names[i], 1, &error), RS_E_INVALID);
        assert_memory_equal(error.text, names[i], strlen(names[i]));
        assert_null(strchr(error.text, '\n'));
        assert_int_equal(rs_file_replace(names[i], "x", 1, NULL), RS_E_INVALID);
    }
}

#if !defined(_WIN32)
static void test_file_beyond_the_limit_leaves_the_old_one(void **state) {
    struct rlimit old, small;
    rs_error error = {.text = ""};
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){.rlim_cur = LARGE_BYTES / 2, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const rs_status replaced = rs_file_replace(FILE_NAME, large, sizeof large, &error);
    const rs_status checked = rs_file_check(FILE_NAME, sizeof large, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(replaced, RS_E_OS);
    assert_int_equal(checked, RS_E_OS);
    assert_non_null(strstr(error.text, "file size limit"));
    assert_content(FILE_NAME, "old");
    assert_nothing_beside();
}

static void test_file_behind_a_link_is_replaced_and_not_the_link(void **state) {
    struct stat info;
    rs_error error;
    (void)state;
    (void)unlink("files_test.link");
    assert_int_equal(chmod(FILE_NAME, 0640), 0);
    assert_int_equal(symlink(FILE_NAME, "files_test.link"), 0);
    assert_int_equal(rs_file_replace("files_test.link", "new", 3, &error), RS_OK);
    assert_int_equal(lstat("files_test.link", &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(unlink("files_test.link"), 0);
    assert_content(FILE_NAME, "new");
    assert_int_equal(stat(FILE_NAME, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

static void test_file_that_may_not_be_written_is_refused(void **state) {
    rs_error error = {.text = ""};
    (void)state;
    if (geteuid() == 0) {
        skip(); /* root may write everything */
    }
    assert_int_equal(chmod(FILE_NAME, 0400), 0);
    assert_int_equal(rs_file_replace(FILE_NAME, "new", 3, &error), RS_E_OS);
    assert_int_equal(chmod(FILE_NAME, 0600), 0);
    assert_int_equal(chmod(FOLDER, 0500), 0);
    assert_int_equal(rs_file_check(FILE_NAME, 1, &error), RS_E_OS);
    assert_int_equal(rs_file_replace(FILE_NAME, "new", 3, &error), RS_E_OS);
    assert_int_equal(chmod(FOLDER, 0700), 0);
    assert_content(FILE_NAME, "old");
}
#endif

#define FILES_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        FILES_TEST(test_file_replace_gives_the_whole_new_content),
        FILES_TEST(test_file_check_touches_nothing),
        FILES_TEST(test_file_in_no_folder_is_refused),
        FILES_TEST(test_file_that_is_none_is_refused),
#if !defined(_WIN32)
        FILES_TEST(test_file_beyond_the_limit_leaves_the_old_one),
        FILES_TEST(test_file_behind_a_link_is_replaced_and_not_the_link),
        FILES_TEST(test_file_that_may_not_be_written_is_refused),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

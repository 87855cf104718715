/* Small files are read whole, replaced whole, never overwritten by file_create, and locked by one process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"

static char folder[32], path[64];

static int folder_begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/lm-files-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/it", folder);
	return 0;
}

static int folder_end(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder); /* fails, and with it the test, if a temporary file was left behind */
}

static void what_is_written_is_read(void **state)
{
	(void)state;
	struct buffer content = { 0 };
	struct error e;
	struct stat status;
	assert_int_equal(file_read(path, 100, &content, &e), ERR_NOT_FOUND);
	assert_int_equal(file_find(path, NULL), ERR_NOT_FOUND);
	assert_int_equal(file_replace(path, 0640, bytes_from_text("first"), &e), OK);
	assert_int_equal(file_replace(path, 0600, bytes_from_text("the second"), &e), OK);
	assert_int_equal(file_find(path, NULL), OK);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(file_read(path, 10, &content, &e), OK);
	assert_int_equal(content.size, 10);
	assert_string_equal((char *)content.data, "the second");
	assert_int_equal(file_read(path, 9, &content, &e), ERR_TOO_BIG);
	assert_int_equal(content.size, 10); /* untouched */
	assert_int_equal(file_read(folder, 9, &content, &e), ERR_IO);
	buffer_release(&content);
}

static void large_and_empty_files_are_read(void **state)
{
	(void)state;
	enum { SIZE = 1000001 };
	uint8_t *large = malloc(SIZE);
	for (size_t i = 0; i < SIZE; i++)
		large[i] = (uint8_t)(i * 31);
	struct buffer content = { 0 };
	assert_int_equal(file_replace(path, 0600, BYTES(large, SIZE), NULL), OK);
	assert_int_equal(file_read(path, SIZE_MAX, &content, NULL), OK);
	assert_true(bytes_equal(buffer_bytes(&content), BYTES(large, SIZE)));
	assert_int_equal(file_replace(path, 0600, (struct bytes){ 0 }, NULL), OK);
	assert_int_equal(file_read(path, 0, &content, NULL), OK);
	assert_int_equal(content.size, 0);
	assert_int_equal(content.data[0], 0);
	buffer_release(&content);
	free(large);
}

static void creating_never_overwrites(void **state)
{
	(void)state;
	struct buffer content = { 0 };
	assert_int_equal(file_create(path, 0600, bytes_from_text("mine"), NULL), OK);
	assert_int_equal(file_create(path, 0600, bytes_from_text("yours"), NULL), ERR_EXISTS);
	assert_int_equal(file_read(path, 100, &content, NULL), OK);
	assert_string_equal((char *)content.data, "mine");
	buffer_release(&content);
}

static void failing_writes_leave_nothing(void **state)
{
	(void)state;
	struct error e;
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(file_replace(path, 0600, bytes_from_text("x"), &e), ERR_IO); /* a folder is in the way */
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(file_replace("/nowhere/at/all", 0600, bytes_from_text("x"), &e), ERR_IO);
	assert_non_null(strstr(e.text, "/nowhere/at/all"));
}

static void folders_may_exist(void **state)
{
	(void)state;
	char inner[80];
	snprintf(inner, sizeof inner, "%s/inner", folder);
	assert_int_equal(folder_make(inner, 0700, NULL), OK);
	assert_int_equal(folder_make(inner, 0700, NULL), OK);
	assert_int_equal(rmdir(inner), 0);
	assert_int_equal(file_replace(path, 0600, bytes_from_text("x"), NULL), OK);
	assert_int_equal(folder_make(path, 0700, NULL), ERR_IO);
	assert_int_equal(folder_make("/nowhere/at/all", 0700, NULL), ERR_IO);
}

static void a_lock_has_one_holder(void **state)
{
	(void)state;
	struct error e;
	int fd = -1, second = -1;
	char pid_text[32];
	assert_int_equal(file_lock(path, &fd, &e), OK);
	pid_t child = fork();
	if (child == 0) {
		int other;
		_exit(file_lock(path, &other, &e) == ERR_BUSY ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(file_lock(path, &second, &e), ERR_BUSY);
	assert_int_equal(second, -1);
	snprintf(pid_text, sizeof pid_text, "process %ld", (long)getpid());
	assert_non_null(strstr(e.text, pid_text));
	close(fd);
	assert_int_equal(file_lock(path, &second, &e), OK);
	close(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read, folder_begin, folder_end),
		cmocka_unit_test_setup_teardown(large_and_empty_files_are_read, folder_begin, folder_end),
		cmocka_unit_test_setup_teardown(creating_never_overwrites, folder_begin, folder_end),
		cmocka_unit_test_setup_teardown(failing_writes_leave_nothing, folder_begin, folder_end),
		cmocka_unit_test_setup_teardown(folders_may_exist, folder_begin, folder_end),
		cmocka_unit_test_setup_teardown(a_lock_has_one_holder, folder_begin, folder_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

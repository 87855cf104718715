/* Small files: whole reads, writes that survive a power cut, and the lock that keeps a second process out. */
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP_BYTES 4096
#define PID_TEXT_BYTES 24
#define DESTROY_BYTES_MOST 4096

static int descriptor_read(int fd, const char *path, size_t most, struct buffer *out, struct error *e)
{
	for (;;) {
		/* One byte past the limit is asked for, to tell "just fits" from "too big"; one more is for the NUL. */
		size_t left = most - out->size, ask = left < READ_STEP_BYTES ? left + 1 : READ_STEP_BYTES;
		if (buffer_reserve(out, ask + 1))
			return error_set(e, ERR_MEMORY, "no memory to read %s", path);
		ssize_t got = read(fd, out->data + out->size, ask);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_errno(e, errno, "cannot read %s", path);
		if (got == 0)
			break;
		out->size += (size_t)got;
		if (out->size > most)
			return error_set(e, ERR_TOO_BIG, "%s is larger than %zu bytes", path, most);
	}
	out->data[out->size] = '\0';
	return OK;
}

int file_read(const char *path, size_t most, struct buffer *out, struct error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return error_set(e, ERR_NOT_FOUND, "%s does not exist", path);
	if (fd < 0)
		return error_set_errno(e, errno, "cannot open %s", path);
	struct buffer content = { 0 };
	int code = descriptor_read(fd, path, most, &content, e);
	close(fd);
	if (code) {
		buffer_release(&content);
		return code;
	}
	buffer_release(out);
	*out = content;
	return OK;
}

static int descriptor_write(int fd, struct bytes content)
{
	while (content.size) {
		ssize_t put = write(fd, content.data, content.size);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return errno;
		content.data += put;
		content.size -= (size_t)put;
	}
	return 0;
}

int folder_sync_of(const char *path, struct error *e)
{
	const char *slash = strrchr(path, '/');
	char *folder = !slash ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
	if (!folder)
		return error_set(e, ERR_MEMORY, "no memory to sync the folder of %s", path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failure = fd < 0 || fsync(fd) != 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	free(folder);
	return failure ? error_set_errno(e, failure, "cannot sync the folder of %s", path) : OK;
}

/* Writes and syncs a file of its own beside `path`; the caller frees the name. */
static int beside_write(const char *path, mode_t mode, struct bytes content, char **name, struct error *e)
{
	char *temporary = NULL;
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return error_set(e, ERR_MEMORY, "no memory to write %s", path);
	int fd = mkostemp(temporary, O_CLOEXEC), failure = 0;
	if (fd < 0) {
		int code = error_set_errno(e, errno, "cannot make a file beside %s", path);
		free(temporary);
		return code;
	}
	failure = descriptor_write(fd, content);
	if (!failure && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
		failure = errno;
	if (close(fd) != 0 && !failure)
		failure = errno;
	if (failure) {
		unlink(temporary);
		free(temporary);
		return error_set_errno(e, failure, "cannot write %s", path);
	}
	*name = temporary;
	return OK;
}

int file_replace(const char *path, mode_t mode, struct bytes content, struct error *e)
{
	char *temporary;
	int code = beside_write(path, mode, content, &temporary, e);
	if (code)
		return code;
	if (rename(temporary, path) != 0) {
		code = error_set_errno(e, errno, "cannot write %s", path);
		unlink(temporary);
	}
	free(temporary);
	return code ? code : folder_sync_of(path, e);
}

int file_create(const char *path, mode_t mode, struct bytes content, struct error *e)
{
	char *temporary;
	int code = beside_write(path, mode, content, &temporary, e);
	if (code)
		return code;
	/* Unlike rename, link refuses when the name is taken: of two makers one wins and nothing is overwritten. */
	if (link(temporary, path) != 0)
		code = errno == EEXIST ? error_set(e, ERR_EXISTS, "%s exists already", path)
		                       : error_set_errno(e, errno, "cannot write %s", path);
	unlink(temporary);
	free(temporary);
	return code ? code : folder_sync_of(path, e);
}

int file_move(const char *from, const char *path, struct error *e)
{
	if (rename(from, path) != 0)
		return error_set_errno(e, errno, "cannot rename %s to %s", from, path);
	return folder_sync_of(path, e);
}

int file_overwrite(const char *path, mode_t mode, struct bytes content, struct error *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	if (fd < 0)
		return error_set_errno(e, errno, "cannot open %s", path);
	int failure = descriptor_write(fd, content);
	if (!failure && (ftruncate(fd, (off_t)content.size) != 0 || fsync(fd) != 0))
		failure = errno;
	if (close(fd) != 0 && !failure)
		failure = errno;
	return failure ? error_set_errno(e, failure, "cannot write %s", path) : folder_sync_of(path, e);
}

int file_destroy(const char *path, struct error *e)
{
	static const uint8_t zeros[DESTROY_BYTES_MOST];
	struct stat status;
	if (stat(path, &status) != 0)
		return errno == ENOENT ? OK : error_set_errno(e, errno, "cannot look at %s", path);
	if (status.st_size > DESTROY_BYTES_MOST)
		return error_set(e, ERR_TOO_BIG, "%s is larger than %d bytes", path, DESTROY_BYTES_MOST);
	int code = file_overwrite(path, 0600, BYTES(zeros, (size_t)status.st_size), e);
	if (!code && unlink(path) != 0)
		code = error_set_errno(e, errno, "cannot remove %s", path);
	return code ? code : folder_sync_of(path, e);
}

int file_find(const char *path, struct error *e)
{
	struct stat status;
	if (stat(path, &status) == 0)
		return OK;
	if (errno == ENOENT || errno == ENOTDIR)
		return error_set(e, ERR_NOT_FOUND, "%s does not exist", path);
	return error_set_errno(e, errno, "cannot look at %s", path);
}

bool file_exists(const char *path)
{
	return file_find(path, NULL) == OK;
}

int folder_make(const char *path, mode_t mode, struct error *e)
{
	struct stat status;
	if (mkdir(path, mode) == 0)
		return OK;
	if (errno != EEXIST)
		return error_set_errno(e, errno, "cannot make the folder %s", path);
	if (stat(path, &status) != 0)
		return error_set_errno(e, errno, "cannot look at %s", path);
	return S_ISDIR(status.st_mode) ? OK : error_set(e, ERR_IO, "%s is in the way: it is not a folder", path);
}

static int lock_refuse(int fd, const char *path, struct error *e)
{
	char holder[PID_TEXT_BYTES] = "";
	ssize_t got = pread(fd, holder, sizeof holder - 1, 0);
	holder[got > 0 ? (size_t)got : 0] = '\0';
	long pid = strtol(holder, NULL, 10);
	if (pid <= 0)
		return error_set(e, ERR_BUSY, "%s is locked by another process", path);
	return error_set(e, ERR_BUSY, "%s is locked by process %ld; stop that one first", path, pid);
}

int file_lock(const char *path, int *fd, struct error *e)
{
	int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (lock < 0)
		return error_set_errno(e, errno, "cannot open the lock %s", path);
	if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
		int code = errno == EWOULDBLOCK ? lock_refuse(lock, path, e)
		                                : error_set_errno(e, errno, "cannot lock %s", path);
		close(lock);
		return code;
	}
	/* The pid is for people; the lock holds without it, so a full disk does not stop a start. */
	char holder[PID_TEXT_BYTES];
	int length = snprintf(holder, sizeof holder, "%ld\n", (long)getpid());
	bool is_written = ftruncate(lock, 0) == 0 && pwrite(lock, holder, (size_t)length, 0) == length;
	(void)is_written;
	*fd = lock;
	return OK;
}

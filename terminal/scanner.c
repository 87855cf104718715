/*
 * The folder into which a scanner beside the kiosk puts its files. A file is handed to the page once, while somebody
 * fills in a request, and leaves the folder with that; what lay there before, or lies there after, belongs to nobody
 * here and is wiped. Names in the folder are the scanner's: the page never says one, and nothing but plain files of it
 * is opened.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "inside.h"

#define ENTRIES_MOST 256            /* looked at, of one folder */
#define STABLE_US UINT64_C(1000000) /* so long a file must stay as it is before it counts as written */

/* The newest plain file; *count: how many there are. -1: the folder cannot be opened. */
static int newest_find(const char *path, char name[NAME_MAX + 1], struct stat *newest, size_t *count)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = folder < 0 ? NULL : fdopendir(dup(folder));
	*count = 0;
	for (size_t i = 0; d && i < ENTRIES_MOST; i++) {
		struct stat file;
		const struct dirent *entry = readdir(d);
		if (!entry)
			break;
		bool is_plain = fstatat(folder, entry->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0 &&
		                S_ISREG(file.st_mode) && file.st_nlink == 1;
		bool is_newer = !*count || file.st_mtim.tv_sec > newest->st_mtim.tv_sec ||
		                (file.st_mtim.tv_sec == newest->st_mtim.tv_sec &&
		                 file.st_mtim.tv_nsec > newest->st_mtim.tv_nsec);
		if (!is_plain)
			continue;
		if (is_newer) {
			*newest = file;
			snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
		}
		++*count;
	}
	if (d)
		closedir(d);
	return folder;
}

void scans_wipe(struct terminal *t)
{
	const char *path = node_configuration(t->node)->scanner_folder;
	int folder = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *d = folder < 0 ? NULL : fdopendir(folder);
	const struct dirent *entry;
	t->scan = (struct scan){ 0 };
	if (path && !d)
		log_write(LOG_WARN, "scanner", "the scanner's folder cannot be read: %s", strerror(errno));
	while (d && (entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    unlinkat(dirfd(d), entry->d_name, 0) != 0 && errno != EISDIR && errno != ENOENT)
			log_write(LOG_WARN, "scanner", "a file in the scanner's folder cannot be removed: %s",
			          strerror(errno));
	if (d)
		closedir(d);
	else if (folder >= 0)
		close(folder);
}

/* Written to its end: the same in two looks. */
static bool is_stable(struct scan *scan, const struct stat *file)
{
	bool is_same = scan->inode == file->st_ino && scan->size == file->st_size &&
	               scan->time.tv_sec == file->st_mtim.tv_sec && scan->time.tv_nsec == file->st_mtim.tv_nsec;
	if (!is_same)
		*scan = (struct scan){ file->st_ino, file->st_size, file->st_mtim, clock_monotonic_us() };
	return is_same && clock_monotonic_us() - scan->seen_us >= STABLE_US;
}

static int scan_read(int folder, const char *name, const struct stat *seen, struct buffer *out, struct error *e)
{
	struct stat file;
	uint8_t piece[64 * 1024];
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), result = OK;
	if (fd < 0 || fstat(fd, &file) != 0 || file.st_ino != seen->st_ino || !S_ISREG(file.st_mode))
		result = error_set(e, ERR_NOT_READY, "the scanner's file is another one by now");
	while (!result) {
		ssize_t got = read(fd, piece, sizeof piece);
		if (got < 0)
			result = error_set_errno(e, errno, "the scanner's file cannot be read");
		else if (out->size + (size_t)got > (size_t)seen->st_size)
			result = error_set(e, ERR_NOT_READY, "the scanner's file grows while it is read");
		else
			result = buffer_append(out, BYTES(piece, (size_t)got)) ? ERR_MEMORY : OK;
		if (got <= 0)
			break;
	}
	if (!result && out->size != (size_t)seen->st_size)
		result = error_set(e, ERR_NOT_READY, "the scanner's file became shorter while it was read");
	if (fd >= 0)
		close(fd);
	return result;
}

/* A picture is drawn anew by the page, which drops what is beside it; so only what it is, and that it has an end, is
 * asked here. A PDF goes as it is. */
static const char *scan_type(struct bytes file)
{
	bool is_jpeg = file.size > 4 && memcmp(file.data, "\xff\xd8\xff", 3) == 0;
	if (is_jpeg)
		return memcmp(file.data + file.size - 2, "\xff\xd9", 2) == 0 ? "image/jpeg" : NULL;
	bool is_png = file.size > 20 && memcmp(file.data, "\x89PNG\r\n\x1a\n", 8) == 0;
	if (is_png)
		return memmem(file.data + file.size - 12, 12, "IEND", 4) ? "image/png" : NULL;
	const char *type = file_type_of(file);
	return type && strcmp(type, "application/pdf") == 0 ? type : NULL;
}

/* ERR_NOT_FOUND: there is nothing yet; ERR_NOT_READY: it is being written; ERR_TOO_BIG, ERR_INVALID: it is not one that
 * can be taken, and is gone. */
static int scan_take(struct terminal *t, struct buffer *out, const char **type, struct error *e)
{
	char name[NAME_MAX + 1];
	struct stat file;
	size_t count;
	int folder = newest_find(node_configuration(t->node)->scanner_folder, name, &file, &count), result = OK;
	if (folder < 0)
		return error_set_errno(e, errno, "the scanner's folder cannot be read");
	if (!count)
		result = error_set(e, ERR_NOT_FOUND, "the scanner has not sent anything yet");
	else if (!is_stable(&t->scan, &file))
		result = error_set(e, ERR_NOT_READY, "the scanner is still writing");
	else if (file.st_size > REQUEST_FILE_BYTES_MOST)
		result = error_set(e, ERR_TOO_BIG, "the scanner's file is larger than %d bytes",
		                   REQUEST_FILE_BYTES_MOST);
	else
		result = scan_read(folder, name, &file, out, e);
	*type = result ? NULL : scan_type(buffer_bytes(out));
	if (!result && !*type)
		result = error_set(e, ERR_INVALID, "the scanner's file is neither a picture nor a PDF, or is cut off");
	bool is_over = !result || result == ERR_TOO_BIG || result == ERR_INVALID;
	if (is_over && unlinkat(folder, name, 0) != 0)
		result = error_set_errno(e, errno, "the scanner's file cannot be removed from its folder");
	close(folder);
	return result;
}

/* On the loop: one page asks, a file is read in a few milliseconds, and nobody else is to look meanwhile. */
void scan_get(void *context, struct http_request *r)
{
	struct terminal *t = terminal_of(context);
	struct buffer content = { 0 };
	const char *type;
	struct error e = { 0 };
	Lm__FileView view = LM__FILE_VIEW__INIT;
	int result = node_configuration(t->node)->scanner_folder
	                     ? scan_take(t, &content, &type, &e)
	                     : error_set(&e, ERR_NOT_FOUND, "this terminal has no scanner");
	if (result) {
		node_answer_error(r, result, &e);
	} else {
		view.type = (char *)(uintptr_t)type;
		view.content = codec_data(buffer_bytes(&content));
		node_answer(r, &view.base);
	}
	crypto_wipe(content.data, content.size);
	buffer_release(&content);
}

void scan_wipe_post(void *context, struct http_request *r)
{
	Lm__FileView none = LM__FILE_VIEW__INIT;
	scans_wipe(terminal_of(context));
	node_answer(r, &none.base);
}

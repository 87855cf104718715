/* Secrets in a text file. All of it passes through memory on the stack that is wiped, never through the heap. */
#include "keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"

#define HEX_DIGITS (2 * KEY_BYTES)

static void write_line(struct writer *w, const char *name, const uint8_t value[KEY_BYTES])
{
	char digits[HEX_DIGITS + 1];
	hex_encode(BYTES(value, KEY_BYTES), digits);
	write_bytes(w, bytes_from_text(name));
	write_bytes(w, bytes_from_text(" = "));
	write_bytes(w, BYTES(digits, HEX_DIGITS));
	write_u8(w, '\n');
	crypto_wipe(digits, sizeof digits);
}

static int check_compute(struct bytes lines, struct hash *check, struct error *e)
{
	return crypto_hash(SUITE_INTERNATIONAL, &lines, 1, check, e);
}

static int content_write(const char *path, const struct keyfile *f,
                         int (*write)(const char *path, mode_t mode, struct bytes content, struct error *e),
                         struct error *e)
{
	char content[KEYFILE_MOST_BYTES];
	struct hash check;
	struct writer w = writer_over(content, sizeof content);
	write_bytes(&w, bytes_from_text(f->title));
	write_u8(&w, '\n');
	for (size_t i = 0; i < f->line_count; i++)
		write_line(&w, f->line[i].name, f->line[i].value);
	int code = check_compute(BYTES(content, w.size), &check, e);
	if (!code)
		write_line(&w, "check", check.byte);
	if (!code && w.failed)
		code = error_set(e, ERR_INTERNAL, "the keys for %s do not fit their file", path);
	if (!code)
		code = write(path, 0600, BYTES(content, w.size), e);
	crypto_wipe(content, sizeof content);
	return code;
}

int keyfile_create(const char *path, const struct keyfile *f, struct error *e)
{
	return content_write(path, f, file_create, e);
}

int keyfile_overwrite(const char *path, const struct keyfile *f, struct error *e)
{
	return content_write(path, f, file_overwrite, e);
}

/* Takes `text` off the front of what is left to read. */
static bool read_text(struct reader *r, const char *text)
{
	struct bytes wanted = bytes_from_text(text);
	return bytes_equal(read_bytes(r, wanted.size), wanted);
}

static bool read_line(struct reader *r, const char *name, uint8_t value[KEY_BYTES])
{
	char digits[HEX_DIGITS + 1] = "";
	bool is_named = read_text(r, name) && read_text(r, " = ");
	struct bytes hex = read_bytes(r, is_named ? HEX_DIGITS : 0);
	if (hex.size == HEX_DIGITS)
		memcpy(digits, hex.data, HEX_DIGITS);
	bool is_good = hex_decode(digits, value, KEY_BYTES) == OK && read_text(r, "\n");
	crypto_wipe(digits, sizeof digits);
	return is_good;
}

static int content_parse(struct bytes content, const char *path, const struct keyfile *f, struct error *e)
{
	uint8_t value[KEYFILE_LINES_MOST][KEY_BYTES];
	struct hash check, check_wanted;
	struct reader r = reader_over(content);
	bool is_good = read_text(&r, f->title) && read_text(&r, "\n");
	if (!is_good)
		return error_set(e, ERR_DAMAGED, "%s does not begin with '%s'", path, f->title);
	for (size_t i = 0; is_good && i < f->line_count; i++)
		is_good = read_line(&r, f->line[i].name, value[i]);
	size_t checked_bytes = r.at;
	is_good = is_good && read_line(&r, "check", check.byte) && r.at == content.size;
	int code = is_good ? check_compute(BYTES(content.data, checked_bytes), &check_wanted, e) : OK;
	if (!code && (!is_good || !crypto_equal(check.byte, check_wanted.byte, HASH_BYTES)))
		code = error_set(e, ERR_DAMAGED, "%s is damaged; put back the copy from the backup", path);
	for (size_t i = 0; !code && i < f->line_count; i++)
		memcpy(f->line[i].value, value[i], KEY_BYTES);
	crypto_wipe(value, sizeof value);
	return code;
}

bool keyfile_is(const char *path, const char *title)
{
	char line[64];
	size_t size = strlen(title);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	ssize_t got = size < sizeof line ? read(fd, line, size + 1) : -1;
	close(fd);
	return got == (ssize_t)size + 1 && memcmp(line, title, size) == 0 && line[size] == '\n';
}

/* The mode is asked of the open file: of a path it could change between the question and the reading. */
static int mode_check(int fd, const char *path, struct error *e)
{
	struct stat status;
	if (fstat(fd, &status) != 0)
		return error_set_errno(e, errno, "cannot look at %s", path);
	if (!S_ISREG(status.st_mode))
		return error_set(e, ERR_DAMAGED, "%s is not a file", path);
	if (status.st_mode & 077)
		return error_set(e, ERR_DAMAGED, "%s has mode %04o, so others can reach these secrets; set it to 0600",
		                 path, (unsigned)status.st_mode & 07777);
	return OK;
}

int keyfile_read(const char *path, const struct keyfile *f, struct error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe in the way must not hang the start */
	if (fd < 0 && errno == ENOENT)
		return error_set(e, ERR_NOT_FOUND, "%s does not exist", path);
	if (fd < 0)
		return error_set_errno(e, errno, "cannot open %s", path);
	uint8_t content[KEYFILE_MOST_BYTES + 1];
	size_t size = 0;
	ssize_t got = 1;
	int code = mode_check(fd, path, e);
	while (!code && got != 0 && size < sizeof content) {
		got = read(fd, content + size, sizeof content - size);
		if (got > 0)
			size += (size_t)got;
		else if (got < 0 && errno != EINTR)
			code = error_set_errno(e, errno, "cannot read %s", path);
	}
	close(fd);
	if (!code)
		code = content_parse(BYTES(content, size), path, f, e);
	crypto_wipe(content, sizeof content);
	return code;
}

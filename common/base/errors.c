/* The list of errors as tables, and the sentences that go with them. */
#include "base/errors.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

/* What a group means to the two kinds of callers outside: a browser and a shell. Indexed by enum error_group. */
static const struct {
	int http_status;
	int exit_code;
} answers[] = {
	[ERROR_GROUP_INPUT] = { 400, 2 },    [ERROR_GROUP_DENIED] = { 403, 3 },   [ERROR_GROUP_MISSING] = { 404, 4 },
	[ERROR_GROUP_CONFLICT] = { 409, 5 }, [ERROR_GROUP_LATER] = { 503, 6 },    [ERROR_GROUP_FULL] = { 507, 7 },
	[ERROR_GROUP_DAMAGED] = { 500, 8 },  [ERROR_GROUP_INTERNAL] = { 500, 9 },
};

/* A text that was cut may end inside a character; take the broken tail off, or it spoils the JSON it ends up in. */
static void tail_mend(char *text, size_t length)
{
	size_t start = length;
	while (start > 0 && length - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
		start--;
	if (start == 0)
		return;
	unsigned char lead = (unsigned char)text[start - 1];
	size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
	if (need > length - start + 1)
		text[start - 1] = '\0';
}

/* Sentences quote what came in, cut by bytes ("%.20s"): what is not UTF-8 becomes a question mark, for who reads it may
 * be behind a message or a page that takes nothing else. */
static void text_mend(char *text)
{
	if (utf8_length(bytes_from_text(text)) >= 0)
		return;
	for (char *p = text; *p; p++) {
		size_t length = 1, most = strnlen(p, 4);
		while (length <= most && utf8_length(BYTES(p, length)) != 1)
			length++;
		if (length > most)
			*p = '?';
		else
			p += length - 1;
	}
}

__attribute__((format(printf, 2, 0))) static void text_format(char text[ERROR_TEXT_BYTES], const char *format,
                                                              va_list arguments)
{
	int length = vsnprintf(text, ERROR_TEXT_BYTES, format, arguments);
	if (length < 0)
		text[0] = '\0';
	else if (length >= ERROR_TEXT_BYTES)
		tail_mend(text, ERROR_TEXT_BYTES - 1);
	text_mend(text);
}

/* Joins through a scratch text, because callers may pass e->text itself as an argument. */
static void text_join(struct error *e, const char *first, const char *second)
{
	char joined[ERROR_TEXT_BYTES];
	size_t first_length = strnlen(first, sizeof joined - 1), at = first_length;
	memcpy(joined, first, first_length);
	for (const char *parts[] = { ": ", second }, **part = parts; part < parts + 2; part++) {
		size_t room = sizeof joined - 1 - at, length = strlen(*part);
		length = length < room ? length : room;
		memcpy(joined + at, *part, length);
		at += length;
	}
	joined[at] = '\0';
	if (at == sizeof joined - 1)
		tail_mend(joined, at);
	memcpy(e->text, joined, at + 1);
}

int error_set(struct error *e, int code, const char *format, ...)
{
	if (!e)
		return code;
	char text[ERROR_TEXT_BYTES];
	va_list arguments;
	va_start(arguments, format);
	text_format(text, format, arguments);
	va_end(arguments);
	e->code = code;
	memcpy(e->text, text, sizeof text);
	return code;
}

int error_wrap(struct error *e, int code, const char *format, ...)
{
	if (!e)
		return code;
	char context[ERROR_TEXT_BYTES];
	va_list arguments;
	va_start(arguments, format);
	text_format(context, format, arguments);
	va_end(arguments);
	/* An error that nobody filled must not turn into success on its way up. */
	if (e->code == OK) {
		e->code = code;
		memcpy(e->text, context, sizeof context);
		return code;
	}
	text_join(e, context, e->text);
	return e->code;
}

int error_set_errno(struct error *e, int errno_value, const char *format, ...)
{
	int code = errno_value == ENOMEM                            ? ERR_MEMORY
	           : errno_value == ENOSPC || errno_value == EDQUOT ? ERR_FULL
	                                                            : ERR_IO;
	if (!e)
		return code;
	char context[ERROR_TEXT_BYTES], scratch[128];
	va_list arguments;
	va_start(arguments, format);
	text_format(context, format, arguments);
	va_end(arguments);
	e->code = code;
	text_join(e, context, strerror_r(errno_value, scratch, sizeof scratch));
	return code;
}

const char *error_name(int code)
{
	switch (code) {
	case OK:
		return "ok";
#define ERROR_NAME(code, value, name, group) \
	case code:                           \
		return name;
		ERROR_MAP(ERROR_NAME)
#undef ERROR_NAME
	default:
		return "unknown";
	}
}

enum error_group error_group_of(int code)
{
	switch (code) {
#define ERROR_GROUP(code, value, name, group) \
	case code:                            \
		return group;
		ERROR_MAP(ERROR_GROUP)
#undef ERROR_GROUP
	default:
		return ERROR_GROUP_INTERNAL;
	}
}

bool error_is_of_machine(int code)
{
	return code != OK && error_group_of(code) == ERROR_GROUP_INTERNAL;
}

int error_http_status(int code)
{
	return code == OK ? 200 : answers[error_group_of(code)].http_status;
}

int error_exit_code(int code)
{
	return code == OK ? 0 : answers[error_group_of(code)].exit_code;
}

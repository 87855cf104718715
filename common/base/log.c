/*
 * The log: {"time":"2026-11-21T08:00:00.000Z","level":"info","program":"lm-hub","event":"link-up","text":"…"}
 *
 * A line is built on the stack and leaves by one write(2), so that lines of several threads, and of several
 * processes on one descriptor, do not mix. What cannot be written is dropped: there is nowhere to report it.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/errors.h"

#define TEXT_MOST_BYTES 1024
#define LINE_MOST_BYTES (256 + 6 * (TEXT_MOST_BYTES + 192)) /* an escaped byte takes up to six */

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static const char *_Atomic program_name = "lm";
static _Atomic int level_least = LOG_INFO;
static _Atomic unsigned long lines[LOG_ERROR + 1];

void log_open(const char *program, enum log_level least)
{
	program_name = program;
	level_least = (int)least;
}

/* Size of the character that begins here: the lead byte and the continuation bytes after it, at most four. */
static size_t character_size(const char *at, size_t left)
{
	size_t size = 1;
	while ((uint8_t)*at >= 0x80 && size < 4 && size < left && ((uint8_t)at[size] & 0xC0) == 0x80)
		size++;
	return size;
}

/* Writes text between quotes as JSON wants it. Bytes that are not UTF-8 become U+FFFD. */
static void write_quoted(struct writer *w, const char *text, size_t most)
{
	size_t left = strnlen(text, most);
	write_u8(w, '"');
	while (left) {
		size_t size = character_size(text, left);
		uint8_t byte = (uint8_t)*text;
		char escaped[8] = "";
		if (byte < 0x20 || byte == 0x7F)
			snprintf(escaped, sizeof escaped, "\\u%04x", byte);
		else if (byte == '"' || byte == '\\')
			snprintf(escaped, sizeof escaped, "\\%c", byte);
		else if (utf8_length(BYTES(text, size)) != 1)
			memcpy(escaped, "\\ufffd", sizeof "\\ufffd");
		write_bytes(w, *escaped ? bytes_from_text(escaped) : BYTES(text, size));
		text += size;
		left -= size;
	}
	write_u8(w, '"');
}

static void write_field(struct writer *w, const char *name, const char *value, size_t most)
{
	write_bytes(w, bytes_from_text(name));
	write_quoted(w, value, most);
}

static void line_write(enum log_level level, const char *event, const char *trace, const char *format,
                       va_list arguments) __attribute__((format(printf, 4, 0)));
static void line_write(enum log_level level, const char *event, const char *trace, const char *format,
                       va_list arguments)
{
	if ((int)level < level_least)
		return;
	int errno_before = errno; /* callers log first and look at errno afterwards */
	char text[TEXT_MOST_BYTES + 1], time[CLOCK_TEXT_BYTES];
	if (vsnprintf(text, sizeof text, format, arguments) < 0)
		text[0] = '\0';
	clock_format_utc(clock_wall_ms(), time);

	char line[LINE_MOST_BYTES];
	struct writer w = writer_over(line, sizeof line);
	write_field(&w, "{\"time\":", time, sizeof time);
	write_field(&w, ",\"level\":", level_names[level], 8);
	write_field(&w, ",\"program\":", program_name, 64);
	write_field(&w, ",\"event\":", event, 64);
	if (trace)
		write_field(&w, ",\"trace\":", trace, 64);
	write_field(&w, ",\"text\":", text, TEXT_MOST_BYTES);
	write_bytes(&w, bytes_from_text("}\n"));
	ssize_t written = write(STDERR_FILENO, line, w.size);
	(void)written;
	lines[level]++;
	errno = errno_before;
}

void log_write(enum log_level level, const char *event, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	line_write(level, event, NULL, format, arguments);
	va_end(arguments);
}

void log_write_trace(enum log_level level, const char *event, const char *trace, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	line_write(level, event, trace, format, arguments);
	va_end(arguments);
}

unsigned long log_lines(enum log_level level)
{
	return lines[level];
}

int log_level_parse(const char *text, enum log_level *out)
{
	for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++)
		if (strcmp(text, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return OK;
		}
	return ERR_INVALID;
}

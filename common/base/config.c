/*
 * Configuration. A text is read line by line into one draft value a key; only when every line and every
 * default has been accepted do the values move into the caller's object.
 */
#include "base/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/files.h"

#define FILE_MOST_BYTES ((size_t)1024 * 1024)
#define NAME_MOST_BYTES 64 /* longer names are not compared with the known ones, and shown cut */

struct draft {
	long line; /* 0: not given */
	char *text;
	int64_t number;
	bool flag;
};

struct position { /* where in the configuration we are, for messages */
	const char *name;
	long line; /* 0: a built-in default */
};

struct span {
	const char *start;
	size_t size;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span span_trim(struct span s)
{
	while (s.size && is_blank(*s.start))
		s.start++, s.size--;
	while (s.size && is_blank(s.start[s.size - 1]))
		s.size--;
	return s;
}

/* A '#' begins a comment at the start of a line or after a blank: inside a word (a URL) it belongs to the word. */
static struct span span_uncomment(struct span s)
{
	for (size_t i = 0; i < s.size; i++)
		if (s.start[i] == '#' && (i == 0 || is_blank(s.start[i - 1])))
			return (struct span){ s.start, i };
	return s;
}

/* How much of a span a message shows: never half a character. */
static int shown(struct span s)
{
	size_t size = s.size < NAME_MOST_BYTES ? s.size : NAME_MOST_BYTES;
	while (size && size < s.size && ((unsigned char)s.start[size] & 0xC0) == 0x80)
		size--;
	return (int)size;
}

/* Edit distance (insert, delete, replace), in one row; SIZE_MAX when a name is too long to be meant. */
static size_t span_distance(struct span a, const char *b)
{
	size_t row[NAME_MOST_BYTES + 1], length = strlen(b);
	if (a.size > NAME_MOST_BYTES || length > NAME_MOST_BYTES)
		return SIZE_MAX;
	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.size; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t best = diagonal + (a.start[i - 1] != b[j - 1]);
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[length];
}

static int unknown_refuse(struct position at, struct span name, const struct config_key *keys, size_t key_count,
                          struct error *e)
{
	const char *nearest = NULL;
	size_t least = SIZE_MAX;
	for (size_t i = 0; i < key_count; i++) {
		size_t distance = span_distance(name, keys[i].name);
		if (distance < least) {
			least = distance;
			nearest = keys[i].name;
		}
	}
	if (!nearest)
		return error_set(e, ERR_CONFIG, "%s line %ld: there is no key '%.*s'", at.name, at.line, shown(name),
		                 name.start);
	return error_set(e, ERR_CONFIG, "%s line %ld: there is no key '%.*s'; the nearest is '%s'", at.name, at.line,
	                 shown(name), name.start, nearest);
}

static int value_refuse(struct position at, const struct config_key *key, struct span value, const char *want,
                        struct error *e)
{
	if (at.line == 0)
		return error_set(e, ERR_CONFIG, "the built-in default of '%s' is '%.*s'; it must be %s", key->name,
		                 shown(value), value.start, want);
	return error_set(e, ERR_CONFIG, "%s line %ld: %s = '%.*s'; it must be %s", at.name, at.line, key->name,
	                 shown(value), value.start, want);
}

/* Decimal digits with an optional sign; false when there are none, others, or too many for 63 bits. */
static bool number_parse(struct span s, int64_t *out)
{
	bool is_negative = s.size && *s.start == '-';
	size_t at = is_negative ? 1 : 0;
	int64_t number = 0;
	if (at == s.size)
		return false;
	for (; at < s.size; at++) {
		if (s.start[at] < '0' || s.start[at] > '9')
			return false;
		int digit = s.start[at] - '0';
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, is_negative ? -digit : digit, &number))
			return false;
	}
	*out = number;
	return true;
}

static bool size_parse(struct span s, int64_t *out)
{
	static const char units[] = "KMGT";
	const char *unit = s.size ? memchr(units, s.start[s.size - 1], sizeof units - 1) : NULL;
	int64_t number;
	if (!number_parse((struct span){ s.start, s.size - (unit != NULL) }, &number) || number < 0)
		return false;
	int64_t factor = unit ? INT64_C(1024) << (10 * (unit - units)) : 1;
	return !__builtin_mul_overflow(number, factor, out);
}

static bool span_is(struct span s, const char *word)
{
	return bytes_equal(BYTES(s.start, s.size), bytes_from_text(word));
}

static int number_check(struct position at, const struct config_key *key, struct span value, int64_t number,
                        struct error *e)
{
	bool is_bounded = key->least != 0 || key->most != 0;
	if (!is_bounded || (number >= key->least && number <= key->most))
		return OK;
	char want[64];
	snprintf(want, sizeof want, "from %lld to %lld", (long long)key->least, (long long)key->most);
	return value_refuse(at, key, value, want, e);
}

/* Checks and keeps one value; d->text is replaced. */
static int value_parse(struct position at, const struct config_key *key, struct span value, struct draft *d,
                       struct error *e)
{
	switch (key->type) {
	case CONFIG_TEXT:
		if (value.size == 0 && key->is_required)
			return value_refuse(at, key, value, "a text that is not empty", e);
		d->text = strndup(value.start, value.size);
		return d->text ? OK : error_set(e, ERR_MEMORY, "no memory to read %s", at.name);
	case CONFIG_INTEGER:
		if (!number_parse(value, &d->number))
			return value_refuse(at, key, value, "a whole number", e);
		return number_check(at, key, value, d->number, e);
	case CONFIG_SIZE:
		if (!size_parse(value, &d->number))
			return value_refuse(at, key, value, "a size such as 4096, 16M or 1G", e);
		return number_check(at, key, value, d->number, e);
	case CONFIG_BOOLEAN:
		if (!span_is(value, "yes") && !span_is(value, "no"))
			return value_refuse(at, key, value, "yes or no", e);
		d->flag = span_is(value, "yes");
		return OK;
	}
	return error_set(e, ERR_INTERNAL, "the key '%s' has a type that config does not know", key->name);
}

static int line_parse(struct position at, struct span line, const struct config_key *keys, size_t key_count,
                      struct draft *drafts, struct error *e)
{
	line = span_trim(span_uncomment(line));
	if (line.size == 0)
		return OK;
	const char *equals = memchr(line.start, '=', line.size);
	if (!equals)
		return error_set(e, ERR_CONFIG, "%s line %ld: '%.*s' is not of the form key = value", at.name, at.line,
		                 shown(line), line.start);
	size_t name_size = (size_t)(equals - line.start);
	struct span name = span_trim((struct span){ line.start, name_size });
	struct span value = span_trim((struct span){ equals + 1, line.size - name_size - 1 });
	for (size_t i = 0; i < key_count; i++) {
		if (!span_is(name, keys[i].name))
			continue;
		if (drafts[i].line)
			return error_set(e, ERR_CONFIG, "%s line %ld: '%s' was already given in line %ld", at.name,
			                 at.line, keys[i].name, drafts[i].line);
		drafts[i].line = at.line;
		return value_parse(at, &keys[i], value, &drafts[i], e);
	}
	return unknown_refuse(at, name, keys, key_count, e);
}

/* With a list of faults each is told and the next is looked for; without one the first ends it. */
static int fault_take(int code, struct error *e, const struct config_faults *faults, int *found)
{
	if (!code || !faults || code == ERR_MEMORY)
		return code;
	faults->tell(faults->context, e->text);
	e->text[0] = '\0';
	*found = code;
	return OK;
}

static int text_parse(const char *name, const char *text, const struct config_key *keys, size_t key_count,
                      struct draft *drafts, const struct config_faults *faults, struct error *e)
{
	int found = OK;
	struct position at = { .name = name };
	while (*text) {
		at.line++;
		size_t size = strcspn(text, "\n");
		int code = utf8_length(BYTES(text, size)) < 0
		                   ? error_set(e, ERR_CONFIG, "%s line %ld is not UTF-8; save the file as UTF-8", name,
		                               at.line)
		                   : line_parse(at, (struct span){ text, size }, keys, key_count, drafts, e);
		code = fault_take(code, e, faults, &found);
		if (code)
			return code;
		text += size + (text[size] == '\n');
	}
	return found;
}

static int defaults_parse(const char *name, const struct config_key *keys, size_t key_count, struct draft *drafts,
                          const struct config_faults *faults, struct error *e)
{
	int found = OK;
	for (size_t i = 0; i < key_count; i++) {
		if (drafts[i].line)
			continue;
		int code = OK;
		const char *value = keys[i].default_text;
		if (keys[i].is_required)
			code = error_set(e, ERR_CONFIG, "%s: the key '%s' is missing (%s)", name, keys[i].name,
			                 keys[i].help ? keys[i].help : "it is required");
		else if (value)
			code = value_parse((struct position){ name, 0 }, &keys[i],
			                   (struct span){ value, strlen(value) }, &drafts[i], e);
		code = fault_take(code, e, faults, &found);
		if (code)
			return code;
	}
	return found;
}

static void drafts_move(const struct config_key *keys, size_t key_count, struct draft *drafts, void *object)
{
	for (size_t i = 0; i < key_count; i++) {
		void *field = (uint8_t *)object + keys[i].offset;
		switch (keys[i].type) {
		case CONFIG_TEXT:
			*(char **)field = drafts[i].text;
			drafts[i].text = NULL;
			break;
		case CONFIG_INTEGER:
		case CONFIG_SIZE:
			*(int64_t *)field = drafts[i].number;
			break;
		case CONFIG_BOOLEAN:
			*(bool *)field = drafts[i].flag;
			break;
		}
	}
}

static int parse(const char *name, const char *text, const struct config_key *keys, size_t key_count, void *object,
                 const struct config_faults *faults, struct error *e)
{
	struct draft *drafts = calloc(key_count ? key_count : 1, sizeof *drafts);
	if (!drafts)
		return error_set(e, ERR_MEMORY, "no memory to read %s", name);
	int code = text_parse(name, text, keys, key_count, drafts, faults, e);
	if (!code || faults) {
		int later = defaults_parse(name, keys, key_count, drafts, faults, e);
		code = code ? code : later;
	}
	for (size_t i = 0; i < key_count && faults; i++)
		faults->line[i] = drafts[i].line;
	if (!code || faults)
		drafts_move(keys, key_count, drafts, object);
	for (size_t i = 0; i < key_count; i++)
		free(drafts[i].text);
	free(drafts);
	return code;
}

int config_parse(const char *name, const char *text, const struct config_key *keys, size_t key_count, void *object,
                 struct error *e)
{
	return parse(name, text, keys, key_count, object, NULL, e);
}

static int file_parse(const char *path, const struct config_key *keys, size_t key_count, void *object,
                      const struct config_faults *faults, struct error *e)
{
	struct buffer content = { 0 };
	int code = file_read(path, FILE_MOST_BYTES, &content, e);
	if (code == ERR_NOT_FOUND || code == ERR_TOO_BIG)
		return error_set(e, ERR_CONFIG, "the configuration %s %s", path,
		                 code == ERR_NOT_FOUND ? "does not exist" : "is larger than 1 MiB");
	if (code)
		return code;
	if (memchr(content.data, '\0', content.size))
		code = error_set(e, ERR_CONFIG, "%s holds a NUL byte; it is not a text file", path);
	else
		code = parse(path, (const char *)content.data, keys, key_count, object, faults, e);
	buffer_release(&content);
	return code;
}

int config_read(const char *path, const struct config_key *keys, size_t key_count, void *object, struct error *e)
{
	return file_parse(path, keys, key_count, object, NULL, e);
}

int config_read_all(const char *path, const struct config_key *keys, size_t key_count, void *object,
                    const struct config_faults *faults)
{
	struct error e = { 0 };
	memset(faults->line, 0, key_count * sizeof *faults->line);
	int code = file_parse(path, keys, key_count, object, faults, &e);
	if (code && e.text[0])
		faults->tell(faults->context, e.text); /* the file could not be read at all */
	return code;
}

/* 268435456 as 256M. */
static void size_text(int64_t bytes, char text[24])
{
	static const char units[] = " KMGT";
	size_t unit = 0;
	while (bytes && bytes % 1024 == 0 && unit + 1 < sizeof units - 1) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, 24, unit ? "%lld%c" : "%lld", (long long)bytes, units[unit]);
}

static void range_describe(FILE *out, const struct config_key *key)
{
	char least[24], most[24];
	if (key->type == CONFIG_BOOLEAN)
		fputs("; yes or no", out);
	if (key->least == 0 && key->most == 0)
		return;
	snprintf(least, sizeof least, "%lld", (long long)key->least);
	snprintf(most, sizeof most, "%lld", (long long)key->most);
	if (key->type == CONFIG_SIZE) {
		size_text(key->least, least);
		size_text(key->most, most);
	}
	fprintf(out, "; %s to %s", least, most);
}

void config_describe(FILE *out, const struct config_key *key, bool is_sample)
{
	if (is_sample)
		fputs("\n# ", out);
	else
		fprintf(out, "  %-16s ", key->name);
	fputs(key->help, out);
	range_describe(out, key);
	if (key->is_required)
		fputs(" (required)", out);
	else if (key->default_text)
		fprintf(out, "; default %s", key->default_text);
	fputs("\n", out);
	const char *value = key->example ? key->example : key->default_text;
	if (is_sample)
		fprintf(out, "%s%s =%s%s\n", key->example ? "" : "#", key->name, value ? " " : "", value ? value : "");
}

void config_release(const struct config_key *keys, size_t key_count, void *object)
{
	for (size_t i = 0; i < key_count; i++) {
		if (keys[i].type != CONFIG_TEXT)
			continue;
		char **field = (char **)((uint8_t *)object + keys[i].offset);
		free(*field);
		*field = NULL;
	}
}

/* What a person reads at a command line: times, ages, names, tables. Texts of others are cleaned before they are shown.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "proto/json.h"

#include "ctl.h"

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

struct print_row {
	struct print_row *next;
	const char *cell[PRINT_COLUMNS_MOST];
};

static const char *or_unknown(const char *text)
{
	return text ? text : "?";
}

/* Control characters, also those of C1 (U+0080 to U+009F, in UTF-8 c2 80 to c2 9f), become '?'. */
static void text_clean(char *text, bool keeps_lines)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++) {
		if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = '?';
		else if ((*p < ' ' && !(keeps_lines && *p == '\n')) || *p == 0x7f)
			*p = '?';
	}
}

void print_text(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0)
		return;
	text_clean(text, true);
	fputs(text, stdout);
	free(text);
}

void print_error(const struct error *e)
{
	char text[ERROR_TEXT_BYTES];
	memcpy(text, e->text, sizeof text);
	text_clean(text, true);
	fflush(stdout);
	fprintf(stderr, "lmctl: %s\n", text);
}

void print_raw(struct bytes json)
{
	fwrite(json.data, 1, json.size, stdout);
	if (!json.size || json.data[json.size - 1] != '\n')
		putchar('\n');
}

int print_json(const ProtobufCMessage *message, struct error *e)
{
	struct buffer json = { 0 };
	int result = json_encode(message, &json, e);
	if (!result)
		print_raw(buffer_bytes(&json));
	buffer_release(&json);
	return result;
}

/* "DISPOSITION_APPLIED" of the enum Disposition is "applied". */
const char *print_enum(struct arena *arena, const ProtobufCEnumDescriptor *type, int value)
{
	const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, value);
	if (!known)
		return or_unknown(arena_format(arena, "%d", value));
	size_t prefix = 0;
	for (const char *p = type->short_name; *p; p++)
		prefix += 1u + (p > type->short_name && *p >= 'A' && *p <= 'Z');
	char *name = arena_text(arena, strlen(known->name) > prefix ? known->name + prefix + 1 : known->name);
	for (char *p = name; p && *p; p++)
		*p = *p == '_' ? '-' : *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
	return or_unknown(name);
}

const char *print_hex(struct arena *arena, ProtobufCBinaryData data, size_t bytes_most)
{
	if (!data.len)
		return "-";
	size_t size = data.len < bytes_most ? data.len : bytes_most;
	char *text = arena_alloc(arena, 2 * size + 1);
	if (text)
		hex_encode(BYTES(data.data, size), text);
	return or_unknown(text);
}

const char *print_time(struct arena *arena, int64_t wall_ms)
{
	char text[CLOCK_TEXT_BYTES];
	if (wall_ms <= 0)
		return "-";
	clock_format_utc(wall_ms, text);
	return or_unknown(arena_text(arena, text));
}

const char *print_age(struct arena *arena, int64_t age_ms)
{
	if (age_ms < 0)
		age_ms = 0;
	if (age_ms < SECOND_MS)
		return or_unknown(arena_format(arena, "%lld ms", (long long)age_ms));
	if (age_ms < 2 * MINUTE_MS)
		return or_unknown(arena_format(arena, "%lld s", (long long)(age_ms / SECOND_MS)));
	if (age_ms < 2 * HOUR_MS)
		return or_unknown(arena_format(arena, "%lld min", (long long)(age_ms / MINUTE_MS)));
	if (age_ms < 2 * DAY_MS)
		return or_unknown(arena_format(arena, "%lld h %lld min", (long long)(age_ms / HOUR_MS),
		                               (long long)(age_ms % HOUR_MS / MINUTE_MS)));
	return or_unknown(arena_format(arena, "%lld d %lld h", (long long)(age_ms / DAY_MS),
	                               (long long)(age_ms % DAY_MS / HOUR_MS)));
}

/* Columns on a screen: Chinese takes two. Lead bytes from e3 on begin CJK and full-width forms; four-byte ones do, too.
 */
static int width_of(const char *text)
{
	int width = 0;
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if ((*p & 0xc0) != 0x80)
			width += *p >= 0xe3 ? 2 : 1;
	return width;
}

struct print_table print_table_of(struct arena *arena, size_t columns, const char *const *titles)
{
	struct print_table t = { .arena = arena,
		                 .columns = columns < PRINT_COLUMNS_MOST ? columns : PRINT_COLUMNS_MOST };
	print_table_row(&t, titles);
	for (size_t i = 0; t.first && i < t.columns; i++)
		t.first->cell[i] = titles[i]; /* a column may go without a title */
	return t;
}

void print_table_row(struct print_table *t, const char *const *cells)
{
	struct print_row *row = arena_alloc(t->arena, sizeof *row);
	if (!row) {
		t->is_cut = true;
		return;
	}
	for (size_t i = 0; i < t->columns; i++) {
		char *cell = arena_text(t->arena, cells[i] && cells[i][0] ? cells[i] : "-");
		if (cell)
			text_clean(cell, false);
		row->cell[i] = or_unknown(cell);
	}
	if (t->last)
		t->last->next = row;
	else
		t->first = row;
	t->last = row;
}

void print_table_show(const struct print_table *t)
{
	int width[PRINT_COLUMNS_MOST] = { 0 };
	if (t->first == t->last) {
		printf("  none\n");
		return;
	}
	for (const struct print_row *row = t->first; row; row = row->next)
		for (size_t i = 0; i < t->columns; i++)
			if (width_of(row->cell[i]) > width[i])
				width[i] = width_of(row->cell[i]);
	for (const struct print_row *row = t->first; row; row = row->next) {
		for (size_t i = 0; i < t->columns; i++) {
			bool is_last = i + 1 == t->columns;
			printf("  %s%*s", row->cell[i], is_last ? 0 : width[i] - width_of(row->cell[i]), "");
		}
		printf("\n");
	}
	if (t->is_cut)
		printf("  ... (no memory for the rest)\n");
}

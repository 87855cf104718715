/*
 * Two messages side by side. A place is written while the recursion goes down, as text in one buffer that is cut back
 * on the way up.
 */
#include "proto/diff.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json_shape.h"

#define PATH_BYTES_MOST 256

struct diff {
	struct arena *arena;
	Lm__Change **list;
	size_t count;
	char path[PATH_BYTES_MOST];
	size_t length;
	struct error *e;
};

static int message_compare(struct diff *d, const ProtobufCMessage *a, const ProtobufCMessage *b);

static int change_add(struct diff *d, Lm__ChangeKind kind, const char *before, const char *after)
{
	if (d->count == DIFF_CHANGES_MOST)
		return error_set(d->e, ERR_TOO_BIG, "more than %d differences", DIFF_CHANGES_MOST);
	Lm__Change *c = arena_alloc(d->arena, sizeof *c);
	char *path = arena_text(d->arena, d->path);
	if (!c || !path || !before || !after)
		return error_set(d->e, ERR_MEMORY, "no memory for the differences");
	lm__change__init(c);
	c->path = path;
	c->kind = kind;
	c->before = (char *)(uintptr_t)before;
	c->after = (char *)(uintptr_t)after;
	d->list[d->count++] = c;
	return OK;
}

/* Longer than any of ours; a place that does not fit is cut, not wrong. */
static size_t path_push(struct diff *d, const char *left, const char *name, const char *right)
{
	size_t before = d->length, room = sizeof d->path - before;
	int more = snprintf(d->path + before, room, "%s%s%s", left, name, right);
	d->length = more < 0 || (size_t)more >= room ? strlen(d->path) : before + (size_t)more;
	return before;
}

static void path_pop(struct diff *d, size_t before)
{
	d->length = before;
	d->path[before] = '\0';
}

/* ---- one value ---- */

static const char *bytes_text(struct arena *arena, const ProtobufCBinaryData *data)
{
	char *text = arena_alloc(arena, 2 * data->len + 1);
	if (text)
		hex_encode(codec_bytes(*data), text);
	return text;
}

static const char *enum_text(struct arena *arena, const ProtobufCEnumDescriptor *type, int32_t number)
{
	const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, number);
	return known ? known->name : arena_format(arena, "%" PRId32, number);
}

/* Empty for a default: what is not there and what is empty are the same to a reader. */
static const char *value_text(struct arena *arena, const ProtobufCFieldDescriptor *f, const void *slot)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		return *(char *const *)slot ? *(char *const *)slot : "";
	case PROTOBUF_C_TYPE_BYTES:
		return bytes_text(arena, slot);
	case PROTOBUF_C_TYPE_BOOL:
		return *(const protobuf_c_boolean *)slot ? "true" : "";
	case PROTOBUF_C_TYPE_ENUM:
		return *(const int32_t *)slot ? enum_text(arena, f->descriptor, *(const int32_t *)slot) : "";
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return *(const int32_t *)slot ? arena_format(arena, "%" PRId32, *(const int32_t *)slot) : "";
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return *(const uint32_t *)slot ? arena_format(arena, "%" PRIu32, *(const uint32_t *)slot) : "";
	case PROTOBUF_C_TYPE_UINT64:
		return *(const uint64_t *)slot ? arena_format(arena, "%" PRIu64, *(const uint64_t *)slot) : "";
	case PROTOBUF_C_TYPE_FIXED64:
		return *(const uint64_t *)slot ? arena_format(arena, "%016" PRIx64, *(const uint64_t *)slot) : "";
	case PROTOBUF_C_TYPE_FLOAT:
		return *(const float *)slot != 0 ? arena_format(arena, "%.9g", (double)*(const float *)slot) : "";
	case PROTOBUF_C_TYPE_DOUBLE:
		return *(const double *)slot != 0 ? arena_format(arena, "%.17g", *(const double *)slot) : "";
	default:
		return *(const int64_t *)slot ? arena_format(arena, "%" PRId64, *(const int64_t *)slot) : "";
	}
}

/* A NULL slot: its message or element is on the other side only. */
static int value_compare(struct diff *d, const ProtobufCFieldDescriptor *f, const void *a, const void *b)
{
	if (f->type == PROTOBUF_C_TYPE_MESSAGE)
		return message_compare(d, a ? *(ProtobufCMessage *const *)a : NULL,
		                       b ? *(ProtobufCMessage *const *)b : NULL);
	const char *before = a ? value_text(d->arena, f, a) : "", *after = b ? value_text(d->arena, f, b) : "";
	if (before && after && strcmp(before, after) == 0)
		return OK;
	return change_add(d,
	                  !a   ? LM__CHANGE_KIND__CHANGE_KIND_ADDED
	                  : !b ? LM__CHANGE_KIND__CHANGE_KIND_REMOVED
	                       : LM__CHANGE_KIND__CHANGE_KIND_CHANGED,
	                  before, after);
}

/* ---- lists ---- */

struct side {
	const uint8_t *list;
	size_t count;
};

static struct side side_of(const ProtobufCFieldDescriptor *f, const ProtobufCMessage *m)
{
	const uint8_t *base = (const uint8_t *)m;
	return m ? (struct side){ *(uint8_t *const *)(base + f->offset),
		                  *(const size_t *)(base + f->quantifier_offset) }
	         : (struct side){ NULL, 0 };
}

static const void *element(const ProtobufCFieldDescriptor *f, const struct side *s, size_t i)
{
	return s->list + i * json_element_size(f->type);
}

static const ProtobufCFieldDescriptor *id_field(const ProtobufCFieldDescriptor *f)
{
	if (f->type != PROTOBUF_C_TYPE_MESSAGE)
		return NULL;
	const ProtobufCFieldDescriptor *id = protobuf_c_message_descriptor_get_field_by_name(f->descriptor, "id");
	return id && id->type == PROTOBUF_C_TYPE_STRING && id->label != PROTOBUF_C_LABEL_REPEATED ? id : NULL;
}

static const char *id_of(const ProtobufCFieldDescriptor *f, const ProtobufCFieldDescriptor *id, const struct side *s,
                         size_t i)
{
	const ProtobufCMessage *m = *(ProtobufCMessage *const *)element(f, s, i);
	return *(char *const *)((const uint8_t *)m + id->offset);
}

/* Every element has an id, and no two the same: else they are compared by their places. */
static bool ids_are_good(const ProtobufCFieldDescriptor *f, const ProtobufCFieldDescriptor *id, const struct side *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!id_of(f, id, s, i)[0])
			return false;
		for (size_t k = 0; k < i; k++)
			if (strcmp(id_of(f, id, s, i), id_of(f, id, s, k)) == 0)
				return false;
	}
	return true;
}

static size_t id_find(const ProtobufCFieldDescriptor *f, const ProtobufCFieldDescriptor *id, const struct side *s,
                      const char *wanted)
{
	size_t i = 0;
	while (i < s->count && strcmp(id_of(f, id, s, i), wanted) != 0)
		i++;
	return i;
}

static int named_compare(struct diff *d, const ProtobufCFieldDescriptor *f, const char *name, const void *a,
                         const void *b)
{
	size_t before = path_push(d, "[", name, "]");
	int result = value_compare(d, f, a, b);
	path_pop(d, before);
	return result;
}

/* The ids of one side that the other has too, in their order. */
static const char *order_of(struct diff *d, const ProtobufCFieldDescriptor *f, const ProtobufCFieldDescriptor *id,
                            const struct side *s, const struct side *other)
{
	const char *text = "";
	for (size_t i = 0; i < s->count && text; i++) {
		const char *name = id_of(f, id, s, i);
		if (id_find(f, id, other, name) < other->count)
			text = arena_format(d->arena, "%s%s%s", text, text[0] ? ", " : "", name);
	}
	return text;
}

static int by_id_compare(struct diff *d, const ProtobufCFieldDescriptor *f, const ProtobufCFieldDescriptor *id,
                         const struct side *a, const struct side *b)
{
	int result = OK;
	for (size_t i = 0; i < a->count && !result; i++) {
		const char *name = id_of(f, id, a, i);
		size_t at = id_find(f, id, b, name);
		result = named_compare(d, f, name, element(f, a, i), at < b->count ? element(f, b, at) : NULL);
	}
	for (size_t i = 0; i < b->count && !result; i++) {
		const char *name = id_of(f, id, b, i);
		if (id_find(f, id, a, name) == a->count)
			result = named_compare(d, f, name, NULL, element(f, b, i));
	}
	if (result)
		return result;
	const char *before = order_of(d, f, id, a, b), *after = order_of(d, f, id, b, a);
	if (before && after && strcmp(before, after) == 0)
		return OK;
	return change_add(d, LM__CHANGE_KIND__CHANGE_KIND_MOVED, before, after);
}

static int is_equal(struct diff *d, const ProtobufCFieldDescriptor *f, const void *a, const void *b, bool *equal)
{
	size_t before = d->count;
	int result = value_compare(d, f, a, b);
	*equal = d->count == before;
	d->count = before;
	return result;
}

static int by_place_compare(struct diff *d, const ProtobufCFieldDescriptor *f, struct side a, struct side b)
{
	size_t start = 0, least = a.count < b.count ? a.count : b.count, tail = 0;
	bool same = true;
	int result = OK;
	while (start < least && !result) {
		result = is_equal(d, f, element(f, &a, start), element(f, &b, start), &same);
		if (result || !same)
			break;
		start++;
	}
	while (tail < least - start && !result) {
		result = is_equal(d, f, element(f, &a, a.count - 1 - tail), element(f, &b, b.count - 1 - tail), &same);
		if (result || !same)
			break;
		tail++;
	}
	size_t a_end = a.count - tail, b_end = b.count - tail;
	for (size_t i = start; (i < a_end || i < b_end) && !result; i++) {
		char place[24];
		snprintf(place, sizeof place, "%zu", i);
		size_t before = path_push(d, "[", place, "]");
		result =
		        value_compare(d, f, i < a_end ? element(f, &a, i) : NULL, i < b_end ? element(f, &b, i) : NULL);
		path_pop(d, before);
	}
	return result;
}

static int list_compare(struct diff *d, const ProtobufCFieldDescriptor *f, const ProtobufCMessage *before,
                        const ProtobufCMessage *after)
{
	const ProtobufCFieldDescriptor *id = id_field(f);
	struct side a = side_of(f, before), b = side_of(f, after);
	if (id && ids_are_good(f, id, &a) && ids_are_good(f, id, &b))
		return by_id_compare(d, f, id, &a, &b);
	return by_place_compare(d, f, a, b);
}

/* ---- messages ---- */

/* A member of a oneof that is not the chosen one holds another's value. */
static const void *slot_of(const ProtobufCFieldDescriptor *f, const ProtobufCMessage *m)
{
	const uint8_t *base = (const uint8_t *)m;
	if (!m || (json_is_oneof_member(f) && *(const uint32_t *)(base + f->quantifier_offset) != f->id))
		return NULL;
	return base + f->offset;
}

static int message_compare(struct diff *d, const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	const ProtobufCMessageDescriptor *type = a ? a->descriptor : b ? b->descriptor : NULL;
	int result = OK;
	for (unsigned i = 0; type && i < type->n_fields && !result; i++) {
		const ProtobufCFieldDescriptor *f = &type->fields[i];
		size_t before = path_push(d, d->length ? "." : "", f->name, "");
		if (f->label == PROTOBUF_C_LABEL_REPEATED)
			result = list_compare(d, f, a, b);
		else
			result = value_compare(d, f, slot_of(f, a), slot_of(f, b));
		path_pop(d, before);
	}
	return result;
}

int message_diff(const ProtobufCMessage *before, const ProtobufCMessage *after, struct arena *arena,
                 Lm__Change ***changes, size_t *count, struct error *e)
{
	struct diff d = { .arena = arena, .e = e };
	d.list = arena_alloc(arena, DIFF_CHANGES_MOST * sizeof *d.list);
	int result =
	        d.list ? message_compare(&d, before, after) : error_set(e, ERR_MEMORY, "no memory for the differences");
	if (result)
		return result;
	*changes = d.list;
	*count = d.count;
	return OK;
}

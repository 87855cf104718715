/*
 * JSON into a message, by reflection.
 *
 * jansson parses (it refuses wrong UTF-8 and duplicate names, and keeps 64-bit integers); before it does, the text is
 * scanned once for depth and for how many values it holds, because jansson allocates for each and recurses. What it
 * made is then read member by member against the descriptor, so that every fault has a place.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "json_value.h"

static int message_read(const struct json_reading *r, const struct json_place *place,
                        const ProtobufCMessageDescriptor *type, const json_t *value, ProtobufCMessage **out);

/* Values are told by the commas and brackets outside of texts; a malformed text may be counted wrong, and is then
 * refused by jansson before it gets past the fault. */
static int text_scan(const ProtobufCMessageDescriptor *type, struct bytes text, struct error *e)
{
	size_t depth = 0, values = 1;
	bool is_quoted = false;
	for (size_t i = 0; i < text.size; i++) {
		uint8_t c = text.data[i];
		if (is_quoted) {
			i += c == '\\';
			is_quoted = c != '"';
			continue;
		}
		is_quoted = c == '"';
		depth += c == '{' || c == '[';
		depth -= depth && (c == '}' || c == ']');
		values += c == ',' || c == '{' || c == '[';
		if (depth > JSON_DEPTH_MOST)
			return error_set(e, ERR_INVALID,
			                 "%s: more than %d objects and lists within each other at byte %zu",
			                 type->short_name, JSON_DEPTH_MOST, i + 1);
		if (values > JSON_VALUES_MOST)
			return error_set(e, ERR_TOO_BIG, "%s: more than %d values in the text", type->short_name,
			                 JSON_VALUES_MOST);
	}
	return OK;
}

/* jansson quotes the text near the fault, and may cut it within a character: what is not whole becomes '?'. */
static void excerpt_clean(char *text)
{
	for (size_t left = strlen(text), size; left; text += size, left -= size) {
		for (size = 1; size < 4 && size < left && utf8_length(BYTES(text, size)) != 1; size++)
			;
		if (utf8_length(BYTES(text, size)) == 1 && (uint8_t)*text >= 0x20)
			continue;
		*text = '?';
		size = 1;
	}
}

/* Without memory jansson calls a good text invalid, or goes on with a letter less: so we look ourselves. */
static _Thread_local bool is_short_of_memory;
static pthread_once_t memory_once = PTHREAD_ONCE_INIT;

static void *memory_take(size_t size)
{
	void *memory = aligned_alloc(_Alignof(max_align_t), (size + 15) / 16 * 16);
	is_short_of_memory |= !memory;
	return memory;
}

static void memory_watch(void)
{
	json_set_alloc_funcs(memory_take, free);
}

static json_t *text_parse(const ProtobufCMessageDescriptor *type, struct bytes text, struct error *e, int *code)
{
	json_error_t fault;
	/* NUL characters are let through here and refused with their place by json_value_read. */
	pthread_once(&memory_once, memory_watch);
	is_short_of_memory = false;
	json_t *root = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &fault);
	if (is_short_of_memory) {
		json_decref(root);
		*code = error_set(e, ERR_MEMORY, "%s: no memory to read a text of %zu bytes", type->short_name,
		                  text.size);
		return NULL;
	}
	if (root)
		return root;
	*code = ERR_INVALID;
	excerpt_clean(fault.text);
	error_set(e, *code, "%s: line %d, column %d: %s", type->short_name, fault.line, fault.column, fault.text);
	return NULL;
}

static int value_read(const struct json_reading *r, const struct json_place *place,
                      const ProtobufCFieldDescriptor *field, const json_t *value, void *slot)
{
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return message_read(r, place, field->descriptor, value, slot);
	return json_value_read(r, place, field, value, slot);
}

static int list_read(const struct json_reading *r, const struct json_place *place,
                     const ProtobufCFieldDescriptor *field, const json_t *value, ProtobufCMessage *message,
                     size_t *elements)
{
	if (!json_is_array(value))
		return json_refuse(r->e, place, ERR_INVALID, "expected a list, found %s", json_kind_of(value));
	size_t count = json_array_size(value), element_size = json_element_size(field->type);
	*elements += count;
	if (*elements > CODEC_ELEMENTS_MOST)
		return json_refuse(r->e, place, ERR_TOO_BIG, "more than %d list elements in one message",
		                   CODEC_ELEMENTS_MOST);
	if (!count)
		return OK;
	uint8_t *list = arena_alloc(r->arena, count * element_size); /* at most 4096 times 16 */
	if (!list)
		return json_refuse(r->e, place, ERR_MEMORY, "no memory for a list of %zu", count);
	for (size_t i = 0; i < count; i++) {
		struct json_place element = { .up = place, .index = i };
		int code = value_read(r, &element, field, json_array_get(value, i), list + i * element_size);
		if (code)
			return code;
	}
	*(void **)((uint8_t *)message + field->offset) = list;
	*(size_t *)((uint8_t *)message + field->quantifier_offset) = count;
	return OK;
}

/* Marks the oneof of `field` as taken by it. */
static int oneof_claim(const struct json_reading *r, const struct json_place *place,
                       const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	uint32_t *taken_by = (uint32_t *)((uint8_t *)message + field->quantifier_offset);
	if (*taken_by)
		return json_refuse(r->e, place, ERR_INVALID, "given beside %s; only one of them may be",
		                   protobuf_c_message_descriptor_get_field(message->descriptor, *taken_by)->name);
	*taken_by = field->id;
	return OK;
}

static int member_read(const struct json_reading *r, const struct json_place *place,
                       const ProtobufCFieldDescriptor *field, const json_t *value, ProtobufCMessage *message,
                       size_t *elements)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return list_read(r, place, field, value, message, elements);
	int code = json_is_oneof_member(field) ? oneof_claim(r, place, field, message) : OK;
	return code ? code : value_read(r, place, field, value, (uint8_t *)message + field->offset);
}

static int message_read(const struct json_reading *r, const struct json_place *place,
                        const ProtobufCMessageDescriptor *type, const json_t *value, ProtobufCMessage **out)
{
	if (!json_is_object(value))
		return json_refuse(r->e, place, ERR_INVALID, "expected an object, found %s", json_kind_of(value));
	ProtobufCMessage *message = arena_alloc(r->arena, type->sizeof_message);
	if (!message)
		return json_refuse(r->e, place, ERR_MEMORY, "no memory for a %s", type->short_name);
	protobuf_c_message_init(type, message);
	size_t elements = 0;
	json_t *object = (json_t *)(uintptr_t)value; /* jansson's iterators take no const */
	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
		struct json_place member = { .up = place, .name = json_object_iter_key(at) };
		const ProtobufCFieldDescriptor *field =
		        protobuf_c_message_descriptor_get_field_by_name(type, member.name);
		int code = field ? member_read(r, &member, field, json_object_iter_value(at), message, &elements)
		                 : json_refuse(r->e, &member, ERR_INVALID, "%s has no such field", type->short_name);
		if (code)
			return code;
	}
	*out = message;
	return OK;
}

int json_decode(const ProtobufCMessageDescriptor *type, struct bytes text, struct arena *arena, ProtobufCMessage **out,
                struct error *e)
{
	if (text.size > JSON_TEXT_BYTES_MOST)
		return error_set(e, ERR_TOO_BIG, "%s: a text of %zu bytes is more than %d", type->short_name, text.size,
		                 JSON_TEXT_BYTES_MOST);
	if (!text.size)
		return error_set(e, ERR_INVALID, "%s: the text is empty", type->short_name);
	int code = text_scan(type, text, e);
	json_t *root = code ? NULL : text_parse(type, text, e, &code);
	if (!root)
		return code;
	struct json_reading reading = { .arena = arena, .e = e };
	struct json_place place = { .name = type->short_name };
	code = message_read(&reading, &place, type, root, out);
	json_decref(root);
	return code;
}

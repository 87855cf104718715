/* Answers of people who do not exist, so that nobody takes a trial for a resident. */
#include "sample.h"

#include <string.h>

#include "base/clock.h"
#include "base/ids.h"
#include "domain/domain.h"
#include "proto/codec.h"

#define SAMPLE_TEXT "示例内容，并非真人。"
#define SAMPLE_CHARACTERS 10 /* of SAMPLE_TEXT */
#define CHARACTER_BYTES 3    /* of each of them */

static uint8_t picture[] = {
	/* a grey square, PNG */
	0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00,
	0x00, 0x02, 0x00, 0x00, 0x00, 0x02, 0x08, 0x00, 0x00, 0x00, 0x00, 0x57, 0xdd, 0x52, 0xf8, 0x00, 0x00, 0x00,
	0x0e, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x68, 0x68, 0x60, 0x68, 0x68, 0x00, 0x00, 0x06, 0x06, 0x02,
	0x01, 0x31, 0xa9, 0x1e, 0xa1, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
};

/* Between least and most characters, SAMPLE_CHARACTERS if it may be. */
static char *text_make(struct arena *a, int64_t least, int64_t most)
{
	int64_t length = most && most < SAMPLE_CHARACTERS ? most : SAMPLE_CHARACTERS;
	if (length < least)
		length = least;
	if (length > CODEC_MESSAGE_BYTES_MOST / CHARACTER_BYTES)
		return NULL;
	char *text = arena_alloc(a, (size_t)length * CHARACTER_BYTES + 1);
	for (int64_t i = 0; text && i < length; i++)
		memcpy(text + i * CHARACTER_BYTES, &SAMPLE_TEXT[i % SAMPLE_CHARACTERS * CHARACTER_BYTES],
		       CHARACTER_BYTES);
	return text;
}

/* GB 11643: region, date of birth, serial, and the one check character of eleven that fits. */
static char *citizen_make(struct arena *a, uint64_t nth)
{
	for (const char *check = "0123456789X"; *check; check++) {
		char *number = arena_format(a, "99011419700101%03u%c", (unsigned)(nth % 1000), *check);
		if (!number || citizen_id_is_valid(number))
			return number;
	}
	return NULL;
}

static char *certificate_make(struct arena *a, uint64_t nth)
{
	const char *citizen = citizen_make(a, nth);
	return citizen ? arena_format(a, "%s44", citizen) : NULL;
}

static char *money_make(struct arena *a, const Lm__Field *f)
{
	uint64_t fen = f->least > 0 ? (uint64_t)f->least : 0;
	return arena_format(a, "%llu.%02llu", (unsigned long long)(fen / 100), (unsigned long long)(fen % 100));
}

static char *choice_make(struct arena *a, const Lm__Field *f, uint64_t nth)
{
	return f->n_choices ? arena_text(a, f->choices[nth % f->n_choices]->id) : NULL;
}

static char *value_make(struct arena *a, const Lm__Field *f, uint64_t nth)
{
	switch (f->type) {
	case LM__FIELD_TYPE__FIELD_TYPE_TEXT:
	case LM__FIELD_TYPE__FIELD_TYPE_LONG_TEXT:
	case LM__FIELD_TYPE__FIELD_TYPE_ADDRESS:
		return text_make(a, f->least, f->most);
	case LM__FIELD_TYPE__FIELD_TYPE_PERSON:
		return f->most && f->most < 9 ? text_make(a, 1, f->most)
		                              : arena_format(a, "示例人%06u", (unsigned)(nth % 1000000));
	case LM__FIELD_TYPE__FIELD_TYPE_NUMBER:
		return arena_format(a, "%lld", (long long)f->least);
	case LM__FIELD_TYPE__FIELD_TYPE_MONEY:
		return money_make(a, f);
	case LM__FIELD_TYPE__FIELD_TYPE_DATE:
		return arena_text(a, "2030-01-01");
	case LM__FIELD_TYPE__FIELD_TYPE_YES_NO:
		return arena_text(a, "yes");
	case LM__FIELD_TYPE__FIELD_TYPE_CERTIFICATE:
		return certificate_make(a, nth);
	case LM__FIELD_TYPE__FIELD_TYPE_ID_NUMBER:
		return citizen_make(a, nth);
	case LM__FIELD_TYPE__FIELD_TYPE_PHONE:
		return arena_format(a, "000%08u", (unsigned)(nth % 100000000));
	case LM__FIELD_TYPE__FIELD_TYPE_PLACE:
		return arena_text(a, "990114001001");
	default:
		return choice_make(a, f, nth);
	}
}

/* As many different choices as are asked for, one if any number will do. */
static size_t values_count(const Lm__Field *f)
{
	if (f->type != LM__FIELD_TYPE__FIELD_TYPE_SEVERAL || f->least < 1)
		return 1;
	return (uint64_t)f->least < f->n_choices ? (size_t)f->least : f->n_choices;
}

static Lm__FieldValue *answer_make(struct arena *a, const Lm__Field *f, uint64_t nth)
{
	size_t count = values_count(f);
	Lm__FieldValue *v = arena_alloc(a, sizeof *v);
	char **values = arena_alloc(a, count * sizeof *values);
	if (!v || !values)
		return NULL;
	lm__field_value__init(v);
	v->field = f->id;
	if (f->type == LM__FIELD_TYPE__FIELD_TYPE_FILE) {
		v->files = arena_copy(a, &(ProtobufCBinaryData){ sizeof picture, picture }, sizeof *v->files);
		v->n_files = 1;
		return v->files ? v : NULL;
	}
	v->values = values;
	for (size_t i = 0; i < count; i++) {
		values[i] = value_make(a, f, nth + i);
		if (!values[i])
			return NULL;
	}
	v->n_values = count;
	return v;
}

static Lm__Consent *consent_make(struct arena *a, Lm__ConsentKind kind, char *sharing)
{
	Lm__Consent *c = arena_alloc(a, sizeof *c);
	if (!c)
		return NULL;
	lm__consent__init(c);
	c->kind = kind;
	if (sharing)
		c->sharing = sharing;
	c->is_given = true;
	c->time_ms = clock_wall_ms();
	return c;
}

/* Of a person who refuses nothing. */
static int consents_fill(Lm__SubmitCommand *command, const Lm__Service *s, struct arena *arena, struct error *e)
{
	if (!s->privacy)
		return OK;
	command->consents = arena_alloc(arena, (2 + s->n_sharing) * sizeof *command->consents);
	if (!command->consents)
		return error_set(e, ERR_MEMORY, "no memory for consents");
	Lm__Consent **list = command->consents;
	list[command->n_consents++] = consent_make(arena, LM__CONSENT_KIND__CONSENT_KIND_PRIVACY, NULL);
	if (s->privacy->health_why)
		list[command->n_consents++] = consent_make(arena, LM__CONSENT_KIND__CONSENT_KIND_HEALTH, NULL);
	for (size_t i = 0; i < s->n_sharing; i++)
		list[command->n_consents++] =
		        consent_make(arena, LM__CONSENT_KIND__CONSENT_KIND_SHARING, s->sharing[i]->id);
	for (size_t i = 0; i < command->n_consents; i++)
		if (!list[i])
			return error_set(e, ERR_MEMORY, "no memory for consents");
	return OK;
}

int sample_fill(Lm__SubmitCommand *command, const Lm__Service *s, uint64_t nth, struct arena *arena, struct error *e)
{
	struct form_fault fault;
	Lm__FieldValue **values = arena_alloc(arena, s->n_fields * sizeof *values);
	if (!values)
		return error_set(e, ERR_MEMORY, "no memory for answers");
	for (size_t i = 0; i < s->n_fields; i++) {
		values[i] = answer_make(arena, s->fields[i], nth);
		if (!values[i])
			return error_set(e, ERR_INVALID, "no answer can be made up for the field %s: give --values",
			                 s->fields[i]->id);
	}
	if (form_check(s, values, s->n_fields, &fault, 1))
		return error_set(e, ERR_INVALID, "no answer can be made up for the field %s (%s): give --values",
		                 fault.field, fault.rule);
	command->values = values;
	command->n_values = s->n_fields;
	return consents_fill(command, s, arena, e);
}

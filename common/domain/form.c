/*
 * Answers against a service's fields. The pages check by the same rules and name them the same way; this is the
 * check that counts.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "inside.h"

#define VALUE_BYTES_MOST 8192
#define PHONE_CHARACTERS_MOST 24 /* 15 digits by ITU-T E.164, and what people put between them */
#define VALUES_COMPARED_MOST 256 /* a form has far fewer fields; what is beyond can only be wrong */

struct form {
	const Lm__Field *field;
	struct form_fault *faults;
	size_t most, count;
	bool may_be_parted; /* a file of a request, which comes behind it */
};

static void form_fault_add(struct form *f, const char *field, const char *rule, int64_t least, int64_t most)
{
	if (f->count < f->most) {
		struct form_fault *fault = &f->faults[f->count];
		*fault = (struct form_fault){ .rule = rule, .least = least, .most = most };
		snprintf(fault->field, sizeof fault->field, "%s", field);
	}
	f->count++;
}

static void fail(struct form *f, const char *rule)
{
	form_fault_add(f, f->field->id, rule, f->field->least, f->field->most);
}

static void length_check(struct form *f, const char *value, int64_t least, int64_t most)
{
	long length = utf8_length(bytes_from_text(value));
	if (length < 0)
		fail(f, "not-text");
	else if (length < least)
		form_fault_add(f, f->field->id, "too-short", least, most);
	else if (length > most)
		form_fault_add(f, f->field->id, "too-long", least, most);
}

static void range_check(struct form *f, int64_t value)
{
	const Lm__Field *field = f->field;
	if (!field->least && !field->most)
		return;
	if (value < field->least)
		fail(f, "too-small");
	else if (value > field->most)
		fail(f, "too-big");
}

/* At most 15 digits: no overflow, and more than anyone needs. */
static bool digits_read(const char **text, int64_t *out)
{
	const char *p = *text;
	*out = 0;
	while (isdigit((unsigned char)*p) && p - *text < 15)
		*out = *out * 10 + (*p++ - '0');
	bool is_good = p > *text && !isdigit((unsigned char)*p);
	*text = p;
	return is_good;
}

static void number_check(struct form *f, const char *value)
{
	bool is_negative = *value == '-';
	const char *p = value + is_negative;
	int64_t n;
	if (!digits_read(&p, &n) || *p)
		fail(f, "not-a-number");
	else
		range_check(f, is_negative ? -n : n);
}

static void money_check(struct form *f, const char *value)
{
	const char *p = value;
	int64_t yuan, fen = 0;
	bool is_good = digits_read(&p, &yuan) && p - value <= 13;
	if (is_good && *p == '.') {
		const char *decimals = ++p;
		is_good = digits_read(&p, &fen) && p - decimals <= 2;
		if (p - decimals == 1)
			fen *= 10;
	}
	if (!is_good || *p)
		fail(f, "not-money");
	else
		range_check(f, yuan * 100 + fen);
}

bool choice_is_known(const Lm__Field *field, const char *value)
{
	for (size_t i = 0; i < field->n_choices; i++)
		if (strcmp(field->choices[i]->id, value) == 0)
			return true;
	return false;
}

bool phone_is_good(const char *v)
{
	size_t digits = 0;
	if (strlen(v) > PHONE_CHARACTERS_MOST)
		return false;
	for (; *v; v++) {
		if (isdigit((unsigned char)*v))
			digits++;
		else if (*v != '-' && *v != ' ' && *v != '+')
			return false;
	}
	return digits >= 7 && digits <= 15;
}

static void value_check(struct form *f, const char *value)
{
	const Lm__Field *field = f->field;
	if (strlen(value) > VALUE_BYTES_MOST) {
		fail(f, "too-long");
		return;
	}
	switch (field->type) {
	case LM__FIELD_TYPE__FIELD_TYPE_TEXT:
	case LM__FIELD_TYPE__FIELD_TYPE_LONG_TEXT:
		length_check(f, value, field->least, field->most);
		return;
	case LM__FIELD_TYPE__FIELD_TYPE_PERSON:
		length_check(f, value, 1, field->most ? field->most : NAME_CHARACTERS_MOST);
		return;
	case LM__FIELD_TYPE__FIELD_TYPE_ADDRESS:
		length_check(f, value, 1, field->most ? field->most : ADDRESS_CHARACTERS_MOST);
		return;
	case LM__FIELD_TYPE__FIELD_TYPE_NUMBER:
		number_check(f, value);
		return;
	case LM__FIELD_TYPE__FIELD_TYPE_MONEY:
		money_check(f, value);
		return;
	case LM__FIELD_TYPE__FIELD_TYPE_DATE:
		if (!clock_date_read(value, NULL))
			fail(f, "not-a-date");
		return;
	case LM__FIELD_TYPE__FIELD_TYPE_CHOICE:
	case LM__FIELD_TYPE__FIELD_TYPE_SEVERAL:
		if (!choice_is_known(field, value))
			fail(f, "not-a-choice");
		return;
	case LM__FIELD_TYPE__FIELD_TYPE_YES_NO:
		if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0 && strcmp(value, "unknown") != 0)
			fail(f, "not-a-choice");
		return;
	case LM__FIELD_TYPE__FIELD_TYPE_CERTIFICATE:
		if (!certificate_number_is_valid(value))
			fail(f, "not-a-certificate");
		return;
	case LM__FIELD_TYPE__FIELD_TYPE_ID_NUMBER:
		if (!citizen_id_is_valid(value))
			fail(f, "not-an-id-number");
		return;
	case LM__FIELD_TYPE__FIELD_TYPE_PHONE:
		if (!phone_is_good(value))
			fail(f, "not-a-phone");
		return;
	case LM__FIELD_TYPE__FIELD_TYPE_PLACE:
		if (place_level_of(value) != PLACE_COMMUNITY)
			fail(f, "not-a-place");
		return;
	case LM__FIELD_TYPE__FIELD_TYPE_FILE: /* its bytes are checked, it has no text */
		fail(f, "not-a-file");
		return;
	default:
		fail(f, "unknown-field");
	}
}

static bool is_among(char *const *values, size_t count, const char *value)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(values[i], value) == 0)
			return true;
	return false;
}

static void several_check(struct form *f, const Lm__FieldValue *v)
{
	const Lm__Field *field = f->field;
	bool is_several = field->type == LM__FIELD_TYPE__FIELD_TYPE_SEVERAL;
	int64_t most = is_several ? (field->most ? field->most : (int64_t)field->n_choices) : 1;
	if ((int64_t)v->n_values > most)
		form_fault_add(f, field->id, "too-many", field->least, most);
	else if (is_several && (int64_t)v->n_values < field->least)
		fail(f, "too-few");
	else
		for (size_t i = 0; i < v->n_values; i++) {
			value_check(f, v->values[i]);
			if (is_several && is_among(v->values, i, v->values[i]))
				fail(f, "not-a-choice"); /* the same choice twice */
		}
}

static const Lm__FieldValue *value_find(Lm__FieldValue *const *values, size_t count, const char *field)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(values[i]->field, field) == 0)
			return values[i];
	return NULL;
}

static bool has_no_text(const Lm__FieldValue *v)
{
	return !v || !v->n_values || (v->n_values == 1 && !v->values[0][0]);
}

/* What its parts hold is looked at when they are here. */
static void parted_field_check(struct form *f, const Lm__FieldValue *v)
{
	const Lm__PartedFile *file = v->parted[0];
	if (!f->may_be_parted || v->n_parted > 1 || v->n_files || !parted_is_good(file))
		fail(f, "not-a-file");
	else if ((int64_t)file->size > f->field->most)
		fail(f, "file-too-big");
}

static void file_check(struct form *f, const Lm__FieldValue *v)
{
	const ProtobufCBinaryData *file = v->files;
	if (f->field->type != LM__FIELD_TYPE__FIELD_TYPE_FILE)
		fail(f, "unknown-field");
	else if (v->n_parted)
		parted_field_check(f, v);
	else if (v->n_files > 1)
		form_fault_add(f, f->field->id, "too-many", 0, 1);
	else if ((int64_t)file->len > f->field->most)
		fail(f, "file-too-big");
	else if (!file_type_of(codec_bytes(*file)))
		fail(f, "not-a-file");
}

const Lm__Field *field_find(Lm__Field *const *fields, size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(fields[i]->id, id) == 0)
			return fields[i];
	return NULL;
}

size_t fields_check(Lm__Field *const *fields, size_t n_fields, Lm__FieldValue *const *values, size_t count,
                    bool may_be_parted, struct form_fault *faults, size_t most)
{
	struct form f = { .faults = faults, .most = most, .may_be_parted = may_be_parted };
	for (size_t i = 0; i < count; i++) {
		if (i >= VALUES_COMPARED_MOST || !field_find(fields, n_fields, values[i]->field) ||
		    value_find(values, i, values[i]->field))
			form_fault_add(&f, values[i]->field, "unknown-field", 0, 0);
	}
	for (size_t i = 0; i < n_fields; i++) {
		f.field = fields[i];
		const Lm__FieldValue *v = value_find(values, count, f.field->id);
		bool has_text = !has_no_text(v), has_file = v && (v->n_files || v->n_parted);
		if (has_text)
			several_check(&f, v);
		if (has_file)
			file_check(&f, v);
		if (!has_text && !has_file && f.field->is_required)
			fail(&f, "required");
	}
	return f.count;
}

size_t form_check(const Lm__Service *s, Lm__FieldValue *const *values, size_t count, struct form_fault *faults,
                  size_t most)
{
	return fields_check(s->fields, s->n_fields, values, count, true, faults, most);
}

const char *form_text(Lm__FieldValue *const *values, size_t count, const char *field)
{
	const Lm__FieldValue *v = value_find(values, count, field);
	return has_no_text(v) ? NULL : v->values[0];
}

bool form_has_answer(Lm__FieldValue *const *values, size_t count, const char *field)
{
	const Lm__FieldValue *v = value_find(values, count, field);
	return !has_no_text(v) || (v && (v->n_files || v->n_parted));
}

const char *form_value(const Lm__Service *s, Lm__FieldValue *const *values, size_t count, Lm__FieldMeaning meaning)
{
	for (size_t i = 0; i < s->n_fields; i++) {
		if (s->fields[i]->meaning != meaning)
			continue;
		return form_text(values, count, s->fields[i]->id);
	}
	return NULL;
}

/*
 * The shape of a service: what daemons that apply it rely on. Every fault is named with its place, so that a person can
 * mend it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "service_check.h"

#define ID_CHARACTERS_MOST 32
#define FIELDS_MOST 30
#define KEEP_MONTHS_MOST 1200
#define VALID_YEARS_MOST 99
#define VERIFY_DAYS_MOST 3660
#define OWNER_RULES_MOST 12
#define CHOICES_MOST 6 /* UX 12 */
#define LONG_TEXT_MOST 2000
#define STEP_FILES_BYTES_MOST \
	(256 * 1024) /* of all files of a step together: with all texts at their longest it still fits an entry */

void fault_add(struct check *c, const char *format, ...)
{
	if (c->count < c->most) {
		va_list args;
		va_start(args, format);
		char *text = c->faults[c->count].text;
		int length = vsnprintf(text, sizeof c->faults[0].text, format, args);
		va_end(args);
		/* A text that was cut may end inside a character. */
		for (size_t end = strlen(text);
		     length >= (int)sizeof c->faults[0].text && end && utf8_length(bytes_from_text(text)) < 0;)
			text[--end] = '\0';
	}
	c->count++;
}

bool service_id_is_good(const char *id)
{
	size_t length = strlen(id);
	return length && length <= ID_CHARACTERS_MOST && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-_") == length;
}

static void words_check(struct check *c, const char *path, const Lm__Words *w)
{
	if (!w || !w->zh[0])
		fault_add(c, "%s.zh: a Chinese text is missing", path);
	if (!w || !w->en[0])
		fault_add(c, "%s.en: an English text is missing", path);
}

void basis_check(struct check *c, const char *path, const Lm__Basis *b)
{
	char inner[64];
	snprintf(inner, sizeof inner, "%s.text", path);
	words_check(c, inner, b->text);
	if (b->is_sample)
		return;
	if (!b->source[0])
		fault_add(c, "%s.source: a fact has a source, or is_sample is true", path);
	if (!clock_date_read(b->date, NULL))
		fault_add(c, "%s.date: a source has a date like 2021-12-31, or is_sample is true", path);
}

static void bases_check(struct check *c, const char *list, Lm__Basis *const *bases, size_t count)
{
	char path[48];
	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof path, "%s[%zu]", list, i);
		basis_check(c, path, bases[i]);
	}
}

static void choices_check(struct check *c, const char *path, const Lm__Field *f, bool is_of_staff)
{
	bool wants = f->type == LM__FIELD_TYPE__FIELD_TYPE_CHOICE || f->type == LM__FIELD_TYPE__FIELD_TYPE_SEVERAL;
	if (wants && (f->n_choices < 2 || f->n_choices > CHOICES_MOST))
		fault_add(c, "%s.choices: 2 to %d choices are needed", path, CHOICES_MOST);
	if (!wants && f->n_choices)
		fault_add(c, "%s.choices: this type has no choices", path);
	for (size_t i = 0; i < f->n_choices; i++) {
		char inner[80];
		snprintf(inner, sizeof inner, "%s.choices[%zu].name", path, i);
		words_check(c, inner, f->choices[i]->name);
		if (!service_id_is_good(f->choices[i]->id))
			fault_add(c, "%s.choices[%zu].id: lower case letters, digits, - and _, at most %d", path, i,
			          ID_CHARACTERS_MOST);
		for (size_t k = 0; k < i; k++)
			if (strcmp(f->choices[k]->id, f->choices[i]->id) == 0)
				fault_add(c, "%s.choices[%zu].id: '%s' is there twice", path, i, f->choices[i]->id);
	}
	if (wants && f->is_required && !is_of_staff && !choice_is_known(f, "unknown"))
		fault_add(c, "%s.choices: who must choose may say \"I don't know\": a choice 'unknown' is missing",
		          path);
}

/* Limits under which no answer is right would make a question that nobody can pass. */
static void limits_check(struct check *c, const char *path, const Lm__Field *f, bool is_of_staff)
{
	int64_t file_most = is_of_staff ? STEP_FILES_BYTES_MOST : REQUEST_FILE_BYTES_MOST;
	int64_t most = f->most;
	switch (f->type) {
	case LM__FIELD_TYPE__FIELD_TYPE_TEXT:
	case LM__FIELD_TYPE__FIELD_TYPE_LONG_TEXT:
		if (f->least < 0 || most < 1 || most > LONG_TEXT_MOST)
			fault_add(c, "%s.most: a text has a limit from 1 to %d characters", path, LONG_TEXT_MOST);
		break;
	case LM__FIELD_TYPE__FIELD_TYPE_SEVERAL:
	case LM__FIELD_TYPE__FIELD_TYPE_PERSON:
	case LM__FIELD_TYPE__FIELD_TYPE_ADDRESS:
		if (f->least < 0 || most < 0 || most > LONG_TEXT_MOST)
			fault_add(c, "%s.most: from 0 to %d", path, LONG_TEXT_MOST);
		if (f->type == LM__FIELD_TYPE__FIELD_TYPE_SEVERAL && (!most || most > (int64_t)f->n_choices))
			most = (int64_t)f->n_choices;
		else if (!most)
			return;
		break;
	case LM__FIELD_TYPE__FIELD_TYPE_FILE:
		if (f->least || most < 1024 || most > file_most)
			fault_add(c, "%s.most: a file has a limit from 1024 to %lld bytes, and least is 0", path,
			          (long long)file_most);
		return;
	case LM__FIELD_TYPE__FIELD_TYPE_NUMBER:
	case LM__FIELD_TYPE__FIELD_TYPE_MONEY:
		break;
	default:
		return; /* limits mean nothing for the other types */
	}
	if (f->least > most)
		fault_add(c, "%s.least: greater than most", path);
}

void field_check(struct check *c, const char *list, Lm__Field *const *fields, size_t i, bool is_of_staff)
{
	const Lm__Field *f = fields[i];
	char path[40], label[56];
	snprintf(path, sizeof path, "%s[%zu]", list, i);
	snprintf(label, sizeof label, "%s.label", path);
	if (!service_id_is_good(f->id))
		fault_add(c, "%s.id: lower case letters, digits, - and _, at most %d", path, ID_CHARACTERS_MOST);
	for (size_t k = 0; k < i; k++)
		if (strcmp(fields[k]->id, f->id) == 0)
			fault_add(c, "%s.id: '%s' is there twice", path, f->id);
	if (f->type <= LM__FIELD_TYPE__FIELD_TYPE_NONE || f->type > LM__FIELD_TYPE__FIELD_TYPE_FILE)
		fault_add(c, "%s.type: not a type that this version knows", path);
	words_check(c, label, f->label);
	if (f->hint) {
		snprintf(label, sizeof label, "%s.hint", path);
		words_check(c, label, f->hint);
	}
	if (f->easy) {
		snprintf(label, sizeof label, "%s.easy", path);
		words_check(c, label, f->easy);
	}
	choices_check(c, path, f, is_of_staff);
	limits_check(c, path, f, is_of_staff);
}

void files_limit_check(struct check *c, const char *list, Lm__Field *const *fields, size_t count, bool is_step)
{
	int64_t sum = 0, most = is_step ? STEP_FILES_BYTES_MOST : REQUEST_FILES_BYTES_MOST;
	int64_t one_most = is_step ? STEP_FILES_BYTES_MOST : REQUEST_FILE_BYTES_MOST;
	for (size_t i = 0; i < count; i++)
		if (fields[i]->type == LM__FIELD_TYPE__FIELD_TYPE_FILE && fields[i]->most > 0 &&
		    fields[i]->most <= one_most)
			sum += fields[i]->most;
	if (sum > most)
		fault_add(c, "%s: the files together have at most %lld bytes", list, (long long)most);
}

static size_t meaning_count(const Lm__Service *s, Lm__FieldMeaning meaning)
{
	size_t found = 0;
	for (size_t i = 0; i < s->n_fields; i++)
		found += s->fields[i]->meaning == meaning;
	return found;
}

static void meanings_check(struct check *c, const Lm__Service *s)
{
	if (meaning_count(s, LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_NAME) != 1)
		fault_add(c, "fields: one field has the meaning FIELD_MEANING_APPLICANT_NAME");
	if (meaning_count(s, LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_PHONE) > 1)
		fault_add(c, "fields: two fields have the meaning FIELD_MEANING_APPLICANT_PHONE");
	if (meaning_count(s, LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_NUMBER) > 1)
		fault_add(c, "fields: two fields have the meaning FIELD_MEANING_APPLICANT_NUMBER");
}

static bool has_field(const Lm__Service *s, bool (*fits)(const Lm__Field *f))
{
	for (size_t i = 0; i < s->n_fields; i++)
		if (fits(s->fields[i]))
			return true;
	return false;
}

static void privacy_check(struct check *c, const Lm__Service *s)
{
	const Lm__Privacy *p = s->privacy;
	bool has_health = has_field(s, field_is_health);
	if (!p)
		return;
	words_check(c, "privacy.who_asks", p->who_asks);
	words_check(c, "privacy.purpose", p->purpose);
	words_check(c, "privacy.who_sees", p->who_sees);
	if (!p->keep_months || p->keep_months > KEEP_MONTHS_MOST)
		fault_add(c, "privacy.keep_months: from 1 to %d", KEEP_MONTHS_MOST);
	if (p->keep_from <= LM__KEEP_FROM__KEEP_FROM_NONE || p->keep_from > LM__KEEP_FROM__KEEP_FROM_RECEIVED)
		fault_add(c, "privacy.keep_from: KEEP_FROM_CLOSED or KEEP_FROM_RECEIVED");
	if (has_health)
		words_check(c, "privacy.health_why", p->health_why);
	else if (p->health_why)
		fault_add(c, "privacy.health_why: no field asks about health");
}

static void hold_check(struct check *c, const Lm__Hold *h)
{
	if (!h)
		return;
	if (!h->keep_months || h->keep_months > KEEP_MONTHS_MOST)
		fault_add(c, "hold.keep_months: from 1 to %d", KEEP_MONTHS_MOST);
	if (h->keep_from <= LM__KEEP_FROM__KEEP_FROM_NONE || h->keep_from > LM__KEEP_FROM__KEEP_FROM_RECEIVED)
		fault_add(c, "hold.keep_from: KEEP_FROM_CLOSED or KEEP_FROM_RECEIVED");
	if (!h->n_basis)
		fault_add(c, "hold.basis: the rule that forbids erasing is missing");
	bases_check(c, "hold.basis", h->basis, h->n_basis);
}

static void certificate_check(struct check *c, const Lm__CertificateRules *r)
{
	if (!r)
		return;
	words_check(c, "certificate.pledge", r->pledge);
	if (!r->valid_years || r->valid_years > VALID_YEARS_MOST)
		fault_add(c, "certificate.valid_years: from 1 to %d", VALID_YEARS_MOST);
	if (!r->verify_days || r->verify_days > VERIFY_DAYS_MOST)
		fault_add(c, "certificate.verify_days: from 1 to %d", VERIFY_DAYS_MOST);
	if (!r->n_basis)
		fault_add(c, "certificate.basis: where its terms come from is missing");
	bases_check(c, "certificate.basis", r->basis, r->n_basis);
}

static void sharing_check(struct check *c, const Lm__Service *s, size_t i)
{
	const Lm__Sharing *one = s->sharing[i];
	char path[48];
	if (!service_id_is_good(one->id))
		fault_add(c, "sharing[%zu].id: lower case letters, digits, - and _, at most %d", i, ID_CHARACTERS_MOST);
	for (size_t k = 0; k < i; k++)
		if (strcmp(s->sharing[k]->id, one->id) == 0)
			fault_add(c, "sharing[%zu].id: '%s' is there twice", i, one->id);
	snprintf(path, sizeof path, "sharing[%zu].with_whom", i);
	words_check(c, path, one->with_whom);
	snprintf(path, sizeof path, "sharing[%zu].purpose", i);
	words_check(c, path, one->purpose);
}

static void birth_dates_check(struct check *c, const Lm__Service *s)
{
	size_t count = 0;
	for (size_t i = 0; i < s->n_fields; i++) {
		const Lm__Field *f = s->fields[i];
		if (f->is_birth_date && f->type != LM__FIELD_TYPE__FIELD_TYPE_DATE)
			fault_add(c, "fields[%zu].is_birth_date: only a date is one", i);
		count += f->is_birth_date ? 1 : 0;
	}
	if (count > 1)
		fault_add(c, "fields: two fields have is_birth_date");
}

static bool tier_owns(Lm__Tier tier)
{
	return tier == LM__TIER__TIER_TOWN || tier == LM__TIER__TIER_DISTRICT;
}

static void owner_rule_check(struct check *c, const Lm__Service *s, size_t i)
{
	const Lm__OwnerRule *r = s->owner_rules[i];
	const Lm__Field *f = field_find(s->fields, s->n_fields, r->field);
	if (!f || f->type != LM__FIELD_TYPE__FIELD_TYPE_CHOICE)
		fault_add(c, "owner_rules[%zu].field: the id of a field of type FIELD_TYPE_CHOICE", i);
	else if (!choice_is_known(f, r->choice))
		fault_add(c, "owner_rules[%zu].choice: '%.32s' has no choice '%.32s'", i, r->field, r->choice);
	for (size_t k = 0; k < i; k++)
		if (strcmp(s->owner_rules[k]->field, r->field) == 0 &&
		    strcmp(s->owner_rules[k]->choice, r->choice) == 0)
			fault_add(c, "owner_rules[%zu].choice: '%.32s' is there twice", i, r->choice);
	if (!tier_owns(r->owner))
		fault_add(c, "owner_rules[%zu].owner: TIER_TOWN or TIER_DISTRICT decides", i);
	if (r->hidden_from && (!tier_owns(r->hidden_from) || r->hidden_from == r->owner))
		fault_add(c, "owner_rules[%zu].hidden_from: TIER_TOWN or TIER_DISTRICT, and not who decides", i);
}

/* What becomes of what people tell, and who decides on it. */
static void people_check(struct check *c, const Lm__Service *s)
{
	birth_dates_check(c, s);
	privacy_check(c, s);
	hold_check(c, s->hold);
	certificate_check(c, s->certificate);
	if (s->n_sharing > SHARINGS_MOST)
		fault_add(c, "sharing: at most %d", SHARINGS_MOST);
	for (size_t i = 0; i < s->n_sharing && i < SHARINGS_MOST; i++)
		sharing_check(c, s, i);
	if (s->n_owner_rules > OWNER_RULES_MOST)
		fault_add(c, "owner_rules: at most %d", OWNER_RULES_MOST);
	for (size_t i = 0; i < s->n_owner_rules && i < OWNER_RULES_MOST; i++)
		owner_rule_check(c, s, i);
}

size_t service_check(const Lm__Service *s, struct service_fault *faults, size_t most)
{
	struct check c = { faults, most, 0 };
	if (!service_id_is_good(s->id))
		fault_add(&c, "id: lower case letters, digits, - and _, at most %d", ID_CHARACTERS_MOST);
	if (s->module <= LM__MODULE__MODULE_NONE || s->module > LM__MODULE__MODULE_CULTURE)
		fault_add(&c, "module: one of the eight modules");
	words_check(&c, "name", s->name);
	words_check(&c, "easy", s->easy);
	if (s->easy_name)
		words_check(&c, "easy_name", s->easy_name);
	if (s->only_self)
		words_check(&c, "only_self", s->only_self);
	if (s->owner != LM__TIER__TIER_TOWN && s->owner != LM__TIER__TIER_DISTRICT)
		fault_add(&c, "owner: TIER_TOWN or TIER_DISTRICT decides");
	if (!s->n_fields || s->n_fields > FIELDS_MOST)
		fault_add(&c, "fields: 1 to %d fields", FIELDS_MOST);
	for (size_t i = 0; i < s->n_fields; i++) {
		field_check(&c, "fields", s->fields, i, false);
		if (s->fields[i]->is_told)
			fault_add(&c, "fields[%zu].is_told: only what staff fill in, at a step, is told", i);
	}
	files_limit_check(&c, "fields", s->fields, s->n_fields, false);
	meanings_check(&c, s);
	people_check(&c, s);
	if (!s->n_steps)
		fault_add(&c, "steps: at least one step");
	for (size_t i = 0; i < s->n_steps; i++) {
		char path[40];
		snprintf(path, sizeof path, "steps[%zu].text", i);
		words_check(&c, path, s->steps[i]->text);
		step_fields_check(&c, s, i);
	}
	for (size_t i = 0; i < s->n_conditions; i++) {
		char path[40];
		snprintf(path, sizeof path, "conditions[%zu]", i);
		words_check(&c, path, s->conditions[i]);
	}
	for (size_t i = 0; i < s->n_evidence; i++) {
		char path[40];
		snprintf(path, sizeof path, "evidence[%zu]", i);
		words_check(&c, path, s->evidence[i]);
	}
	if (!s->n_basis)
		fault_add(&c, "basis: the legal basis is missing");
	bases_check(&c, "basis", s->basis, s->n_basis);
	bases_check(&c, "facts", s->facts, s->n_facts);
	service_deciding_check(&c, s);
	return c.count;
}

size_t service_readable_check(const Lm__Service *s, struct service_fault *faults, size_t most)
{
	struct check c = { faults, most, service_check(s, faults, most) };
	parts_check(&c, s);
	texts_check(&c, s);
	if (!s->privacy && has_field(s, field_is_personal)) /* older revisions, in the journals for good, have none */
		fault_add(&c, "privacy: a service that asks something personal says who asks, why and how long");
	return c.count;
}

/*
 * What must have been agreed to before an answer may be taken. The consents lie in the request's payload, beside the
 * answers that they are for; the texts that were agreed to are those of the revision that the entry's header names.
 *
 * Sources: Personal Information Protection Law of the PRC (2021-11-01), art. 17 (who, why, how long is told first),
 * art. 23 (passing on needs a consent of its own), art. 28 and 31 (data of children under 14 is sensitive; a guardian
 * agrees), art. 29 (sensitive data needs a consent of its own), art. 16 (no service is refused for data it can do
 * without).
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "inside.h"

#define CHILD_YEARS 14
#define RELATION_CHARACTERS_MOST 20

bool field_is_personal(const Lm__Field *f)
{
	switch (f->type) {
	case LM__FIELD_TYPE__FIELD_TYPE_PERSON:
	case LM__FIELD_TYPE__FIELD_TYPE_CERTIFICATE:
	case LM__FIELD_TYPE__FIELD_TYPE_ID_NUMBER:
	case LM__FIELD_TYPE__FIELD_TYPE_PHONE:
	case LM__FIELD_TYPE__FIELD_TYPE_ADDRESS:
	case LM__FIELD_TYPE__FIELD_TYPE_FILE:
		return true;
	default:
		return f->is_personal || f->is_health || f->is_birth_date;
	}
}

/* A certificate's number says which disability, and how severe. */
bool field_is_health(const Lm__Field *f)
{
	return f->is_health || f->type == LM__FIELD_TYPE__FIELD_TYPE_CERTIFICATE;
}

static int64_t digits_of(const char *text, size_t count)
{
	int64_t n = 0;
	for (size_t i = 0; i < count; i++)
		n = n * 10 + (text[i] - '0');
	return n;
}

/* Born on 20150229: 14 on the same day 14 years on; who was born on a 29 February on 1 March. */
static bool is_under_14(int64_t born, int64_t time_ms)
{
	return clock_shanghai_date(time_ms) < born + CHILD_YEARS * 10000;
}

/* The number or the date says so; both were checked before. */
static bool answers_say_child(const Lm__Service *s, const Lm__RequestPayload *p, int64_t time_ms)
{
	for (size_t i = 0; i < s->n_fields; i++) {
		const Lm__Field *f = s->fields[i];
		const char *text = form_text(p->values, p->n_values, f->id);
		int64_t born = 0;
		if (!text)
			continue;
		if (f->is_birth_date && clock_date_read(text, NULL))
			born = digits_of(text, 4) * 10000 + digits_of(text + 5, 2) * 100 + digits_of(text + 8, 2);
		else if (f->meaning == LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_NUMBER && strlen(text) >= 18 &&
		         strspn(text, "0123456789") >= 17)
			born = digits_of(text + 6, 8);
		if (born && is_under_14(born, time_ms))
			return true;
	}
	return false;
}

bool request_is_for_child(const Lm__Service *s, const Lm__RequestPayload *p, int64_t time_ms)
{
	return p->is_for_child || answers_say_child(s, p, time_ms);
}

struct consenting {
	const Lm__Service *service;
	const Lm__RequestPayload *payload;
	struct form_fault *faults;
	size_t most, count;
	bool is_child;
};

static void fault(struct consenting *c, const char *path, const char *rule)
{
	if (c->count < c->most) {
		struct form_fault *f = &c->faults[c->count];
		*f = (struct form_fault){ .rule = rule };
		snprintf(f->field, sizeof f->field, "%s", path);
	}
	c->count++;
}

static const Lm__Consent *consent_find(const struct consenting *c, Lm__ConsentKind kind, const char *sharing)
{
	for (size_t i = 0; i < c->payload->n_consents; i++) {
		const Lm__Consent *one = c->payload->consents[i];
		if (one->kind == kind && strcmp(one->sharing, sharing) == 0)
			return one;
	}
	return NULL;
}

/* A refusal of what can be refused is an answer, too. */
static void consent_check(struct consenting *c, const char *path, Lm__ConsentKind kind, const char *sharing,
                          bool must_be_given)
{
	const Lm__Consent *one = consent_find(c, kind, sharing);
	if (!one || (must_be_given && !one->is_given))
		fault(c, path, "consent-missing");
	else if (one->is_given && c->is_child && !one->is_by_carer)
		fault(c, path, "guardian-missing");
}

static bool sharing_is_known(const Lm__Service *s, const char *id)
{
	for (size_t i = 0; i < s->n_sharing; i++)
		if (strcmp(s->sharing[i]->id, id) == 0)
			return true;
	return false;
}

/* Each consent is to something that this service asks, and stands there once. */
static void surplus_check(struct consenting *c)
{
	for (size_t i = 0; i < c->payload->n_consents; i++) {
		const Lm__Consent *one = c->payload->consents[i];
		bool is_known = one->kind == LM__CONSENT_KIND__CONSENT_KIND_SHARING
		                        ? sharing_is_known(c->service, one->sharing)
		                        : !one->sharing[0] && one->kind > LM__CONSENT_KIND__CONSENT_KIND_NONE &&
		                                  one->kind < LM__CONSENT_KIND__CONSENT_KIND_SHARING;
		if (i >= CONSENTS_MOST || !is_known || consent_find(c, one->kind, one->sharing) != one) {
			fault(c, "consents", "unknown-field");
			return; /* one is enough: the list was not made by a page of ours */
		}
	}
}

/* A child has a guardian; a grown person may have somebody who acts, unless the service says that nobody does. */
static void carer_check(struct consenting *c)
{
	static const Lm__Carer nobody = LM__CARER__INIT;
	const Lm__Carer *k = c->payload->carer ? c->payload->carer : &nobody;
	if (!c->is_child && !c->payload->carer)
		return;
	long name = utf8_length(bytes_from_text(k->name)), relation = utf8_length(bytes_from_text(k->relation));
	if (name < 1 || name > NAME_CHARACTERS_MOST)
		fault(c, "carer.name", name ? "too-long" : "required");
	if (relation < 1 || relation > RELATION_CHARACTERS_MOST)
		fault(c, "carer.relation", relation ? "too-long" : "required");
	if (!phone_is_good(k->phone))
		fault(c, "carer.phone", k->phone[0] ? "not-a-phone" : "required");
	if (!protobuf_c_enum_descriptor_get_value(&lm__carer_scope__descriptor, (int)k->scope))
		fault(c, "carer.scope", "not-a-choice");
	if (!c->is_child && c->service->only_self)
		fault(c, "carer", "only-self");
}

static void health_check(struct consenting *c)
{
	for (size_t i = 0; i < c->service->n_fields; i++) {
		const Lm__Field *f = c->service->fields[i];
		if (field_is_health(f) && form_has_answer(c->payload->values, c->payload->n_values, f->id)) {
			consent_check(c, "consents.health", LM__CONSENT_KIND__CONSENT_KIND_HEALTH, "", true);
			return;
		}
	}
}

/* Needs that are known, each once. */
static void access_check(struct consenting *c)
{
	uint32_t seen = 0;
	for (size_t i = 0; i < c->payload->n_access; i++) {
		uint32_t bit = access_bits(&c->payload->access[i], 1);
		if (!bit || (seen & bit)) {
			fault(c, "access", "unknown-field");
			return;
		}
		seen |= bit;
	}
}

uint32_t access_bits(const Lm__AccessNeed *need, size_t count)
{
	uint32_t bits = 0;
	for (size_t i = 0; i < count; i++)
		if (need[i] > LM__ACCESS_NEED__ACCESS_NEED_NONE && need[i] <= LM__ACCESS_NEED__ACCESS_NEED_BRAILLE)
			bits |= 1u << (unsigned)need[i];
	return bits;
}

size_t request_check(const Lm__Service *s, const Lm__RequestPayload *p, int64_t time_ms, struct form_fault *faults,
                     size_t most)
{
	struct consenting c = { s, p, faults, most, 0, request_is_for_child(s, p, time_ms) };
	c.count = form_check(s, p->values, p->n_values, faults, most);
	access_check(&c);
	if (!s->privacy) /* a revision from before there were any */
		return c.count;
	surplus_check(&c);
	consent_check(&c, "consents.privacy", LM__CONSENT_KIND__CONSENT_KIND_PRIVACY, "", true);
	health_check(&c);
	for (size_t i = 0; i < s->n_sharing; i++) {
		char path[64];
		snprintf(path, sizeof path, "consents.sharing.%.32s", s->sharing[i]->id);
		consent_check(&c, path, LM__CONSENT_KIND__CONSENT_KIND_SHARING, s->sharing[i]->id,
		              s->sharing[i]->is_needed);
	}
	carer_check(&c);
	return c.count;
}

/*
 * The one check of what is on file of a person: pages and imports ask it whole, apply asks for the shape, so that what
 * was stored stays readable when a rule about contents changes.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "inside.h"

#define NAME_MOST 50
#define ADDRESS_MOST 120
#define RELATION_MOST 20
#define HOUSEHOLD_MOST 40
#define PHONE_BYTES_MOST 24
#define NUMBER_BYTES_MOST 24
#define THING_BYTES_MOST 40 /* ids of benefits and devices */
#define DAY_BYTES 10
#define KINDS_MOST 16 /* access needs, consents: more than there are */

struct check {
	const Lm__PersonFacts *facts;
	struct form_fault *faults;
	size_t most, count;
	bool is_shape;
};

static void fault(struct check *c, const char *path, const char *rule, int64_t least, int64_t most)
{
	if (c->count < c->most) {
		struct form_fault *f = &c->faults[c->count];
		*f = (struct form_fault){ .rule = rule, .least = least, .most = most };
		snprintf(f->field, sizeof f->field, "%s", path);
	}
	c->count++;
}

/* A fault of contents: what was stored before the rule stays. */
static void wrong(struct check *c, const char *path, const char *rule)
{
	if (!c->is_shape)
		fault(c, path, rule, 0, 0);
}

static void text(struct check *c, const char *path, const char *value, bool is_required, int64_t most)
{
	long length = utf8_length(bytes_from_text(value));
	if (length < 0)
		fault(c, path, "not-text", 0, 0);
	else if (length > most)
		fault(c, path, "too-long", is_required, most);
	else if (!value[strspn(value, " \t\r\n")] && (is_required || length))
		wrong(c, path, "required");
}

/* Numbers and ids: bounded in bytes, for they are ASCII when they are right. True: there is one to look at. */
static bool code(struct check *c, const char *path, const char *value, bool is_required, size_t most)
{
	if (strlen(value) > most)
		fault(c, path, "too-long", is_required, (int64_t)most);
	else if (!value[0] && is_required)
		wrong(c, path, "required");
	return value[0] && strlen(value) <= most && !c->is_shape;
}

static void day(struct check *c, const char *path, const char *value, bool is_required)
{
	if (code(c, path, value, is_required, DAY_BYTES) && !clock_date_read(value, NULL))
		wrong(c, path, "not-a-date");
}

static void phone(struct check *c, const char *path, const char *value, bool is_required)
{
	if (code(c, path, value, is_required, PHONE_BYTES_MOST) && !phone_is_good(value))
		wrong(c, path, "not-a-phone");
}

static void list(struct check *c, const char *path, size_t count, size_t most)
{
	if (count > most)
		fault(c, path, "too-many", 0, (int64_t)most);
}

static void choice(struct check *c, const char *path, const ProtobufCEnumDescriptor *type, int value, bool is_required)
{
	if ((value || is_required) && (!value || !protobuf_c_enum_descriptor_get_value(type, value)))
		wrong(c, path, "not-a-choice");
}

/* Days as text lie in their order. */
static void span(struct check *c, const char *path, const char *from, const char *until)
{
	if (from[0] && until[0] && strcmp(from, until) > 0)
		wrong(c, path, "not-in-order");
}

/* GB 11643: places 7 to 14 are the date of birth, place 17 is odd for men. */
static void against_number(struct check *c)
{
	const Lm__PersonFacts *f = c->facts;
	const char *n = f->id_number;
	char birth[DAY_BYTES + 1];
	if (c->is_shape || !n[0] || !citizen_id_is_valid(n))
		return;
	snprintf(birth, sizeof birth, "%.4s-%.2s-%.2s", n + 6, n + 10, n + 12);
	if (f->birth[0] && strcmp(f->birth, birth) != 0)
		wrong(c, "birth", "not-as-id-number");
	bool is_male = (n[16] - '0') % 2 == 1;
	if (f->sex && (f->sex == LM__SEX__SEX_MALE) != is_male)
		wrong(c, "sex", "not-as-id-number");
}

static void identity(struct check *c, const char *town)
{
	const Lm__PersonFacts *f = c->facts;
	text(c, "name", f->name, true, NAME_MOST);
	choice(c, "sex", &lm__sex__descriptor, (int)f->sex, false);
	day(c, "birth", f->birth, true);
	if (code(c, "id_number", f->id_number, false, NUMBER_BYTES_MOST) && !citizen_id_is_valid(f->id_number))
		wrong(c, "id_number", "not-an-id-number");
	against_number(c);
	if (code(c, "certificate", f->certificate, false, NUMBER_BYTES_MOST) &&
	    !certificate_number_is_valid(f->certificate))
		wrong(c, "certificate", "not-a-certificate");
	text(c, "address", f->address, false, ADDRESS_MOST);
	if (code(c, "community", f->community, true, PLACE_TEXT_BYTES - 1) &&
	    (place_level_of(f->community) != PLACE_COMMUNITY || !place_contains(town, f->community)))
		wrong(c, "community", "not-a-place");
	text(c, "household", f->household, false, HOUSEHOLD_MOST);
	text(c, "household_relation", f->household_relation, false, RELATION_MOST);
	choice(c, "income", &lm__income_band__descriptor, (int)f->income, false);
	choice(c, "employment", &lm__employment__descriptor, (int)f->employment, false);
	day(c, "died_on", f->died_on, false);
	span(c, "died_on", f->birth, f->died_on);
	if (f->verified) {
		choice(c, "verified.how", &lm__verified_how__descriptor, (int)f->verified->how, true);
		text(c, "verified.by", f->verified->by, true, NAME_MOST);
	}
	if (f->merged_into.len && f->merged_into.len != ID_BYTES)
		fault(c, "merged_into", "too-long", 0, ID_BYTES);
}

#define PATH_BYTES 64
static const char *path_of(char memory[PATH_BYTES], const char *name, size_t i, const char *part)
{
	snprintf(memory, PATH_BYTES, "%s[%zu]%s%s", name, i, part[0] ? "." : "", part);
	return memory;
}

static void contacts(struct check *c)
{
	const Lm__PersonFacts *f = c->facts;
	char m[PATH_BYTES];
	list(c, "contacts", f->n_contacts, PERSON_CONTACTS_MOST);
	for (size_t i = 0; i < f->n_contacts && i < PERSON_CONTACTS_MOST; i++) {
		const Lm__PersonContact *k = f->contacts[i];
		text(c, path_of(m, "contacts", i, "name"), k->name, false, NAME_MOST);
		text(c, path_of(m, "contacts", i, "relation"), k->relation, false, RELATION_MOST);
		phone(c, path_of(m, "contacts", i, "phone"), k->phone, true);
	}
}

/* Eight at most, each once. */
static void modules(struct check *c, const char *path, const Lm__Representative *r)
{
	list(c, path, r->n_modules, KINDS_MOST);
	for (size_t i = 0; i < r->n_modules && i < KINDS_MOST; i++) {
		choice(c, path, &lm__module__descriptor, (int)r->modules[i], true);
		for (size_t k = 0; k < i; k++)
			if (r->modules[k] == r->modules[i])
				wrong(c, path, "twice");
	}
}

static void representatives(struct check *c)
{
	const Lm__PersonFacts *f = c->facts;
	char m[PATH_BYTES];
	list(c, "representatives", f->n_representatives, PERSON_REPRESENTATIVES_MOST);
	for (size_t i = 0; i < f->n_representatives && i < PERSON_REPRESENTATIVES_MOST; i++) {
		const Lm__Representative *r = f->representatives[i];
		text(c, path_of(m, "representatives", i, "name"), r->name, true, NAME_MOST);
		text(c, path_of(m, "representatives", i, "relation"), r->relation, true, RELATION_MOST);
		phone(c, path_of(m, "representatives", i, "phone"), r->phone, false);
		choice(c, path_of(m, "representatives", i, "scope"), &lm__scope__descriptor, (int)r->scope, true);
		day(c, path_of(m, "representatives", i, "from"), r->from, true);
		day(c, path_of(m, "representatives", i, "until"), r->until, false);
		span(c, path_of(m, "representatives", i, "until"), r->from, r->until);
		modules(c, path_of(m, "representatives", i, "modules"), r);
	}
}

static void thing(struct check *c, const char *path, const char *id)
{
	if (code(c, path, id, true, THING_BYTES_MOST) && !service_id_is_good(id))
		wrong(c, path, "not-a-choice");
}

static void benefits(struct check *c)
{
	const Lm__PersonFacts *f = c->facts;
	char m[PATH_BYTES];
	list(c, "benefits", f->n_benefits, PERSON_BENEFITS_MOST);
	for (size_t i = 0; i < f->n_benefits && i < PERSON_BENEFITS_MOST; i++) {
		const Lm__Benefit *b = f->benefits[i];
		thing(c, path_of(m, "benefits", i, "benefit"), b->benefit);
		day(c, path_of(m, "benefits", i, "from"), b->from, false);
		day(c, path_of(m, "benefits", i, "until"), b->until, false);
		span(c, path_of(m, "benefits", i, "until"), b->from, b->until);
	}
}

static void devices(struct check *c)
{
	const Lm__PersonFacts *f = c->facts;
	char m[PATH_BYTES];
	list(c, "devices", f->n_devices, PERSON_DEVICES_MOST);
	for (size_t i = 0; i < f->n_devices && i < PERSON_DEVICES_MOST; i++) {
		thing(c, path_of(m, "devices", i, ""), f->devices[i]);
		for (size_t k = 0; k < i; k++)
			if (strcmp(f->devices[k], f->devices[i]) == 0)
				wrong(c, m, "twice");
	}
}

static void needs(struct check *c)
{
	const Lm__PersonFacts *f = c->facts;
	char m[PATH_BYTES];
	list(c, "access", f->n_access, KINDS_MOST);
	for (size_t i = 0; i < f->n_access && i < KINDS_MOST; i++) {
		choice(c, path_of(m, "access", i, ""), &lm__access_need__descriptor, (int)f->access[i], true);
		for (size_t k = 0; k < i; k++)
			if (f->access[k] == f->access[i])
				wrong(c, m, "twice");
	}
}

static void consents(struct check *c)
{
	const Lm__PersonFacts *f = c->facts;
	char m[PATH_BYTES];
	list(c, "consents", f->n_consents, KINDS_MOST);
	for (size_t i = 0; i < f->n_consents && i < KINDS_MOST; i++) {
		choice(c, path_of(m, "consents", i, "topic"), &lm__topic__descriptor, (int)f->consents[i]->topic, true);
		day(c, path_of(m, "consents", i, "day"), f->consents[i]->day, true);
		for (size_t k = 0; k < i; k++)
			if (f->consents[k]->topic == f->consents[i]->topic)
				wrong(c, path_of(m, "consents", i, "topic"), "twice");
	}
}

static size_t run(struct check *c, const char *town)
{
	identity(c, town);
	contacts(c);
	needs(c);
	representatives(c);
	benefits(c);
	devices(c);
	consents(c);
	if (protobuf_c_message_get_packed_size(&c->facts->base) > PERSON_FACTS_BYTES_MOST)
		fault(c, "facts", "too-long", 0, PERSON_FACTS_BYTES_MOST);
	return c->count;
}

size_t person_check(const Lm__PersonFacts *facts, const char *town, struct form_fault *faults, size_t most)
{
	struct check c = { .facts = facts, .faults = faults, .most = most };
	return run(&c, town);
}

int person_shape_check(const Lm__PersonFacts *facts, struct error *e)
{
	struct form_fault first;
	struct check c = { .facts = facts, .faults = &first, .most = 1, .is_shape = true };
	return run(&c, "") ? error_set(e, ERR_INVALID, "%s: %s", first.field, first.rule) : OK;
}

bool representative_counts(const Lm__PersonFacts *facts, size_t i, const char *today)
{
	const Lm__Representative *r = facts->representatives[i];
	return !facts->died_on[0] && strcmp(r->from, today) <= 0 && (!r->until[0] || strcmp(today, r->until) <= 0);
}

/* ---- who acted ---- */

/* As far as digits tell: 000-1234 5678 and 00012345678 are one phone. */
static bool same_phone(const char *a, const char *b)
{
	for (;; a++, b++) {
		a += strcspn(a, "0123456789");
		b += strcspn(b, "0123456789");
		if (*a != *b || !*a)
			return *a == *b;
	}
}

static Lm__Authority authority_by(const Lm__PersonFacts *facts, size_t i, const Lm__Carer *carer, Lm__Module module,
                                  const char *day)
{
	const Lm__Representative *r = facts->representatives[i];
	bool covers = r->scope == LM__SCOPE__SCOPE_ALL || r->scope == LM__SCOPE__SCOPE_REQUESTS, is_named = false;
	for (size_t k = 0; k < r->n_modules; k++)
		is_named |= r->modules[k] == module;
	if (strcmp(r->name, carer->name) != 0)
		return LM__AUTHORITY__AUTHORITY_NOT_ON_FILE;
	if (r->phone[0] && !same_phone(r->phone, carer->phone))
		return LM__AUTHORITY__AUTHORITY_OTHER_PHONE;
	if (!representative_counts(facts, i, day))
		return LM__AUTHORITY__AUTHORITY_NOT_NOW;
	return covers && (!r->n_modules || is_named) ? LM__AUTHORITY__AUTHORITY_COVERS
	                                             : LM__AUTHORITY__AUTHORITY_NOT_THIS;
}

/* The nearest to one that covers: somebody may have been put on file twice. */
Lm__Authority authority_of(const Lm__PersonFacts *facts, const Lm__Carer *carer, Lm__Module module, const char *day)
{
	Lm__Authority best = LM__AUTHORITY__AUTHORITY_NOT_ON_FILE;
	for (size_t i = 0; i < facts->n_representatives; i++) {
		Lm__Authority one = authority_by(facts, i, carer, module, day);
		if (one == LM__AUTHORITY__AUTHORITY_COVERS)
			return one;
		best = one > best ? one : best;
	}
	return best;
}

/* What tests of residents' records share: a town with its district, records made by hand, and entries about them. */
#ifndef TESTS_UNIT_DOMAIN_REGISTRY_H
#define TESTS_UNIT_DOMAIN_REGISTRY_H

#include "domain/person.h"
#include "fixture.h"

#define HERE "310114106"
#define DO(action) LM__PERSON_ACTION__PERSON_ACTION_##action

/* ---- facts ---- */

struct facts {
	Lm__PersonFacts facts;
	Lm__PersonContact contact, *contacts[1];
};

/* Made up: region 990114 is none. */
static inline void facts_make(struct facts *f, const char *name, const char *community)
{
	lm__person_facts__init(&f->facts);
	lm__person_contact__init(&f->contact);
	f->facts.name = (char *)(uintptr_t)name;
	f->facts.sex = LM__SEX__SEX_MALE;
	f->facts.birth = "1958-03-01";
	f->facts.community = (char *)(uintptr_t)community;
	f->contact.phone = "00012345678";
	f->contacts[0] = &f->contact;
	f->facts.contacts = f->contacts;
	f->facts.n_contacts = 1;
}

/* ---- entries ---- */

/* `person` and `place` must outlive the header; `record` NULL: the first event. */
static inline Lm__Header person_entry(size_t town, const struct id *person, const Lm__PersonRecord *record,
                                      const char *place)
{
	Lm__Header h = entry_make(town, UP, KIND(PERSON));
	person_event_header(person, record, place, &h);
	return h;
}

static bool n_is_absent; /* payloads of records cannot be opened */

static inline int apply_person_entry(struct node *n, const Lm__Header *h, Lm__PersonAction action,
                                     Lm__PersonFacts *facts)
{
	Lm__PersonPayload p = LM__PERSON_PAYLOAD__INIT;
	struct bytes plain;
	p.action = action;
	p.facts = facts;
	p.staff = "first";
	assert_ok(n, CODEC_PACK(&p, &n->arena, &plain, &n->e));
	struct domain_item item = item_make(n, h, n_is_absent ? (struct bytes){ 0 } : plain);
	item.is_absent = n_is_absent;
	domain_effects_clear(&n->fx);
	return node_apply_item(n, &item);
}

static inline Lm__PersonRecord *node_person(struct node *n, const struct id *person)
{
	Lm__PersonRecord *record;
	assert_ok(n, person_get(n->txn, *person, &n->arena, &record));
	return record;
}

static inline Lm__PersonRecord *node_person_known(struct node *n, const struct id *person, Lm__PersonAction action)
{
	return action == DO(CREATE) ? NULL : node_person(n, person);
}

/* An event of town A at town A. */
static inline int node_person_act(struct node *n, const struct id *person, Lm__PersonAction action,
                                  Lm__PersonFacts *facts)
{
	Lm__Header h = person_entry(TOWN_A, person, node_person_known(n, person, action), HERE);
	return apply_person_entry(n, &h, action, facts);
}

/* ---- a town and its district ---- */

struct pair {
	struct node town, hub;
};

static inline void pair_open(struct pair *p)
{
	node_open(&p->town, &devices[TOWN_A]);
	node_directory(&p->town);
	node_open(&p->hub, &devices[HUB]);
	node_directory(&p->hub);
}

static inline void pair_close(struct pair *p)
{
	node_close(&p->town);
	node_close(&p->hub);
}

/* Town A's event, at both; what the town refuses never reaches the district. */
static inline int pair_act(struct pair *p, const struct id *person, Lm__PersonAction action, Lm__PersonFacts *facts,
                           const char *place)
{
	Lm__PersonRecord *record;
	Lm__PersonPayload payload = LM__PERSON_PAYLOAD__INIT;
	payload.action = action;
	payload.facts = facts;
	int result = person_get(p->town.txn, *person, &p->town.arena, &record);
	if (result)
		record = NULL;
	result = person_action_check(&p->town.domain, record, &payload, place, &p->town.e);
	Lm__Header h = person_entry(TOWN_A, person, record, place);
	int applied = apply_person_entry(&p->town, &h, action, facts);
	if (result || applied) {
		assert_true(applied); /* what is refused before it is written, apply refuses, too */
		return result ? person_action_check(&p->town.domain, record, &payload, place, &p->town.e) : applied;
	}
	assert_ok(&p->hub, apply_person_entry(&p->hub, &h, action, facts));
	return OK;
}

struct same {
	struct node *at, *other;
	size_t count;
};

static inline bool same_visit(void *context, struct id person, const Lm__PersonRecord *record)
{
	struct same *s = context;
	Lm__PersonRecord a = *record, *b = node_person(s->other, &person);
	struct bytes packed[2];
	if (strcmp(record->town, s->at->domain.place) != 0)
		return true;
	a.n_former = b->n_former = 0; /* how much of it each saw */
	assert_ok(s->at, CODEC_PACK(&a, &s->other->arena, &packed[0], &s->at->e));
	assert_ok(s->at, CODEC_PACK(b, &s->other->arena, &packed[1], &s->at->e));
	assert_true(bytes_equal(packed[0], packed[1]));
	s->count++;
	return true;
}

/* What the town has is at the district, to the byte. */
static inline void same_persons(struct node *town, struct node *hub)
{
	struct same s = { town, hub, 0 };
	struct arena arena;
	struct id from = { { 0 } };
	arena_init(&arena, 0);
	assert_ok(town, person_each(town->txn, &from, &arena, same_visit, &s, &town->e));
	assert_true(s.count > 0);
	arena_release(&arena);
}

/* ---- handed over ---- */

struct passed {
	uint64_t device;
	struct bytes message;
};

static inline struct passed passed_on(struct node *hub)
{
	const struct domain_effect *fx = effect_find(hub, DOMAIN_PERSON_COPY);
	assert_non_null(fx);
	return (struct passed){ fx->device, fx->message };
}

static inline int apply_copy(struct node *n, const struct passed *copy, const struct id *person, struct node *hub)
{
	const Lm__PersonRecord *record = node_person(hub, person);
	Lm__Header h = entry_make(HUB, DOWN, KIND(PERSON_COPY));
	h.receiver = n->domain.device;
	h.person_id = codec_data(BYTES(person->byte, ID_BYTES));
	h.place = record->town;
	h.owner = TOWN;
	h.epoch = record->epoch;
	h.version = record->version;
	h.time_ms = record->changed_ms; /* so that rows can be compared */
	return node_apply(n, &h, copy->message);
}

/* ---- looks, cases, erasing ---- */

static inline int look(struct node *n, size_t town, const struct id *person, Lm__LookPurpose purpose, const char *by)
{
	Lm__Header h = entry_make(town, OWN, KIND(LOOK));
	Lm__LookPayload p = LM__LOOK_PAYLOAD__INIT;
	h.person_id = codec_data(BYTES(person->byte, ID_BYTES));
	p.purpose = purpose;
	p.by = (char *)(uintptr_t)by;
	return node_apply_message(n, &h, &p.base);
}

static inline void town_with_case(struct node *n, const struct id *request)
{
	node_open(n, &devices[TOWN_A]);
	node_directory(n);
	node_secret(n, TOWN_A);
	assert_ok(n, node_publish(n, "town", 1, TOWN));
	assert_ok(n, node_request(n, T1, request, "town", 1));
}

static inline int confirm(struct node *n, const struct id *request, const struct id *person)
{
	Lm__Header h = event_entry(n, request, ACTION(CONFIRM_PERSON));
	if (person)
		h.person_id = codec_data(BYTES(person->byte, ID_BYTES));
	return node_apply(n, &h, BYTES(NULL, 0));
}

static inline int erase_step(struct node *n, Lm__EraseAction action, const char *by, struct id *requests, size_t count,
                             struct id *persons, size_t person_count)
{
	static struct id act = { "an act of two" };
	Lm__EraseActPayload p = LM__ERASE_ACT_PAYLOAD__INIT;
	ProtobufCBinaryData request[4], person[4];
	Lm__Header h = entry_make(TOWN_A, OWN, KIND(ERASE_ACT));
	for (size_t i = 0; i < count; i++)
		request[i] = codec_data(BYTES_OF(requests[i].byte));
	for (size_t i = 0; i < person_count; i++)
		person[i] = codec_data(BYTES_OF(persons[i].byte));
	p.action = action;
	p.act = codec_data(BYTES_OF(act.byte));
	p.requests = request;
	p.n_requests = count;
	p.person_id = person;
	p.n_person_id = person_count;
	p.reason = "they ask for it";
	p.ground = "a law";
	p.by = (char *)(uintptr_t)by;
	return node_apply_message(n, &h, &p.base);
}

static inline int propose(struct node *n, struct id *requests, size_t count, struct id *persons, size_t person_count)
{
	return erase_step(n, LM__ERASE_ACTION__ERASE_ACTION_PROPOSE, "first", requests, count, persons, person_count);
}

static inline int erase_decide(struct node *n, const char *by)
{
	return erase_step(n, LM__ERASE_ACTION__ERASE_ACTION_CONFIRM, by, NULL, 0, NULL, 0);
}

static inline int erase_done(struct node *n, struct bytes word)
{
	Lm__Header h = entry_make(TOWN_A, OWN, KIND(ERASURE));
	return node_apply(n, &h, word);
}

/* The word about one record, as `from` says it in `stream`. */
static inline int erase_told(struct node *n, size_t from, Lm__Stream stream, uint64_t receiver, struct id *person)
{
	Lm__ErasePayload word = LM__ERASE_PAYLOAD__INIT;
	ProtobufCBinaryData persons[] = { codec_data(BYTES_OF(person->byte)) };
	Lm__Header h = entry_make(from, stream, KIND(ERASE));
	h.receiver = receiver;
	word.act = codec_data(BYTES_OF(person->byte));
	word.person_id = persons;
	word.n_person_id = 1;
	return node_apply_message(n, &h, &word.base);
}

#endif

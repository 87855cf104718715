/* What the domain's tests share: a district of five devices, a node with a real store, and entries made by hand. */
#ifndef TESTS_UNIT_DOMAIN_FIXTURE_H
#define TESTS_UNIT_DOMAIN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domain/domain.h"
#include "proto/backup.pb-c.h"
#include "proto/codec.h"

#define FIXTURE_MAP_BYTES (16u * 1024 * 1024)
#define TERMINAL LM__TIER__TIER_TERMINAL
#define TOWN LM__TIER__TIER_TOWN
#define DISTRICT LM__TIER__TIER_DISTRICT
#define UP LM__STREAM__STREAM_UP
#define DOWN LM__STREAM__STREAM_DOWN
#define ALL LM__STREAM__STREAM_ALL
#define OWN LM__STREAM__STREAM_OWN
#define KIND(name) LM__KIND__KIND_##name
#define ACTION(name) LM__CASE_ACTION__CASE_ACTION_##name
#define STATE(name) LM__CASE_STATE__CASE_STATE_##name
#define OUTCOME(name) LM__OUTCOME__OUTCOME_##name

/* ---- devices ---- */

struct device {
	uint64_t id;
	Lm__Tier role;
	char place[PLACE_TEXT_BYTES];
	uint8_t key[3][KEY_BYTES];
};

/* The hub, a town with two terminals, and another town with one. */
enum { HUB, TOWN_A, T1, T2, TOWN_B, T3, DEVICE_COUNT };
static struct device devices[DEVICE_COUNT] = {
	[HUB] = { .role = DISTRICT, .place = "310114" },
	[TOWN_A] = { .role = TOWN, .place = "310114106" },
	[T1] = { .role = TERMINAL, .place = "310114106001-T1" },
	[T2] = { .role = TERMINAL, .place = "310114106002-T1" },
	[TOWN_B] = { .role = TOWN, .place = "310114107" },
	[T3] = { .role = TERMINAL, .place = "310114107001-T1" },
};
static uint8_t authority_public[KEY_BYTES], authority_secret[KEY_BYTES];

static inline void devices_make(void)
{
	assert_int_equal(crypto_init(NULL), OK);
	assert_int_equal(sign_keypair(SUITE_INTERNATIONAL, authority_public, authority_secret, NULL), OK);
	for (size_t i = 0; i < DEVICE_COUNT; i++) {
		struct device *d = &devices[i];
		struct hash fingerprint;
		for (size_t k = 0; k < 3; k++)
			memset(d->key[k], (int)(16 * (i + 1) + k), KEY_BYTES);
		assert_int_equal(
		        device_fingerprint(SUITE_INTERNATIONAL, d->key[0], d->key[1], d->key[2], &fingerprint, NULL),
		        OK);
		d->id = device_id_of(&fingerprint);
	}
}

static inline Lm__DeviceRecord device_record(const struct device *d, Lm__DeviceStatus status)
{
	Lm__DeviceRecord r = LM__DEVICE_RECORD__INIT;
	r.device = d->id;
	r.role = d->role;
	r.place = (char *)(uintptr_t)d->place;
	r.suite = SUITE_INTERNATIONAL;
	r.curve_key = codec_data(BYTES_OF(d->key[0]));
	r.signing_key = codec_data(BYTES_OF(d->key[1]));
	r.opening_key = codec_data(BYTES_OF(d->key[2]));
	r.status = status;
	r.since_ms = 1000;
	return r;
}

/* ---- a node ---- */

struct node {
	char folder[64];
	struct store *store;
	struct store_txn *txn; /* one for the whole test */
	struct domain domain;
	struct domain_memo memo;
	struct arena arena; /* of the whole test */
	struct domain_effects fx;
	uint64_t position;
	struct error e;
	uint8_t cause[DOMAIN_CAUSE_BYTES];
	size_t cause_size;
};

#define assert_ok(n, call)                                                                  \
	do {                                                                                \
		int fixture_rc = (call);                                                    \
		if (fixture_rc != OK)                                                       \
			fail_msg("%s: %s: %s", #call, error_name(fixture_rc), (n)->e.text); \
	} while (0)

#define assert_refused(n, expected, call)                                                          \
	do {                                                                                       \
		int fixture_rc = (call);                                                           \
		if (fixture_rc != (expected))                                                      \
			fail_msg("%s: %s: %s, not %s", #call, error_name(fixture_rc), (n)->e.text, \
			         error_name(expected));                                            \
	} while (0)

#define assert_says(n, words)                                                         \
	do {                                                                          \
		if (!strstr((n)->e.text, (words)))                                    \
			fail_msg("\"%s\" does not say \"%s\"", (n)->e.text, (words)); \
	} while (0)

static inline void node_open(struct node *n, const struct device *d)
{
	memset(n, 0, sizeof *n);
	strcpy(n->folder, "/tmp/domain-test-XXXXXX");
	assert_non_null(mkdtemp(n->folder));
	struct store_options options = { .folder = n->folder,
		                         .map_bytes = FIXTURE_MAP_BYTES,
		                         .tables = domain_tables,
		                         .table_count = domain_table_number };
	assert_ok(n, store_open(&options, &n->store, &n->e));
	assert_ok(n, store_begin_write(n->store, &n->txn, &n->e));
	n->domain.tier = d->role;
	n->domain.device = d->id;
	strcpy(n->domain.place, d->place);
	n->domain.memo = &n->memo; /* as in a daemon: the whole test is one turn */
	arena_init(&n->arena, 0);
}

static inline void node_close(struct node *n)
{
	static const char *const names[] = { "data.mdb", "lock.mdb", "lock" };
	store_abort(n->txn);
	store_close(n->store);
	domain_effects_release(&n->fx);
	arena_release(&n->arena);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[128];
		snprintf(path, sizeof path, "%s/%s", n->folder, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(n->folder), 0);
}

/* What the memo points to lies there, too. */
static inline void node_arena_reset(struct node *n)
{
	domain_memo_clear(&n->memo);
	arena_reset(&n->arena);
}

static inline struct hash node_hash(struct node *n)
{
	struct hash hash;
	assert_ok(n, domain_state_hash(n->txn, &hash, &n->e));
	return hash;
}

/* ---- entries ---- */

static uint64_t next_seq = 1;

static inline Lm__Header entry_make(size_t origin, Lm__Stream stream, Lm__Kind kind)
{
	Lm__Header h = LM__HEADER__INIT;
	h.suite = SUITE_INTERNATIONAL;
	h.origin = devices[origin].id;
	h.stream = stream;
	h.kind = kind;
	h.seq = next_seq++;
	h.time_ms = (int64_t)(1700000000000 + h.seq * 1000);
	return h;
}

static inline struct hash entry_hash_of(const Lm__Header *h)
{
	struct arena arena;
	struct bytes packed;
	struct hash hash;
	arena_init(&arena, 0);
	assert_int_equal(CODEC_PACK(h, &arena, &packed, NULL), OK);
	assert_int_equal(crypto_hash(SUITE_INTERNATIONAL, &packed, 1, &hash, NULL), OK);
	arena_release(&arena);
	return hash;
}

/* Leaves the effects that are there. */
static inline int node_apply_item(struct node *n, const struct domain_item *item)
{
	n->e.text[0] = '\0';
	return domain_apply(&n->domain, n->txn, &n->arena, item, &n->fx, n->cause, &n->cause_size, &n->e);
}

static inline struct domain_item item_make(struct node *n, const Lm__Header *h, struct bytes plain)
{
	n->position++;
	return (struct domain_item){ .position = n->position,
		                     .ordinal = n->position,
		                     .taken_ms = (int64_t)(5000 + n->position),
		                     .header = h,
		                     .hash = entry_hash_of(h),
		                     .plain = plain };
}

static inline int node_apply(struct node *n, const Lm__Header *h, struct bytes plain)
{
	struct domain_item item = item_make(n, h, plain);
	domain_effects_clear(&n->fx);
	return node_apply_item(n, &item);
}

static inline int node_apply_message(struct node *n, const Lm__Header *h, const ProtobufCMessage *message)
{
	struct bytes plain;
	assert_ok(n, codec_pack(message, &n->arena, &plain, &n->e));
	return node_apply(n, h, plain);
}

static inline const struct domain_effect *effect_find(const struct node *n, enum domain_effect_type type)
{
	for (size_t i = 0; i < n->fx.count; i++)
		if (n->fx.list[i].type == type)
			return &n->fx.list[i];
	return NULL;
}

static inline size_t effect_count(const struct node *n, enum domain_effect_type type)
{
	size_t count = 0;
	for (size_t i = 0; i < n->fx.count; i++)
		count += n->fx.list[i].type == type;
	return count;
}

/* ---- what a node needs before it can take requests ---- */

static inline int node_admit(struct node *n, size_t device, Lm__DeviceStatus status)
{
	Lm__Header h = entry_make(HUB, ALL, KIND(DEVICE));
	Lm__DeviceRecord r = device_record(&devices[device], status);
	return node_apply_message(n, &h, &r.base);
}

static inline struct bytes authority_pack(struct node *n, const Lm__DeviceRecord *hub)
{
	Lm__AuthorityPayload a = LM__AUTHORITY_PAYLOAD__INIT;
	uint8_t signature[SIGNATURE_BYTES];
	struct bytes packed;
	assert_ok(n, CODEC_PACK(hub, &n->arena, &packed, &n->e));
	assert_ok(n, sign_make(SUITE_INTERNATIONAL, authority_secret, packed, signature, &n->e));
	a.authority_key = codec_data(BYTES_OF(authority_public));
	a.hub = codec_data(packed);
	a.signature = codec_data(BYTES_OF(signature));
	assert_ok(n, CODEC_PACK(&a, &n->arena, &packed, &n->e));
	return packed;
}

static inline void node_directory(struct node *n)
{
	Lm__DeviceRecord hub = device_record(&devices[HUB], LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED);
	Lm__Header h = entry_make(HUB, ALL, KIND(AUTHORITY));
	assert_ok(n, node_apply(n, &h, authority_pack(n, &hub)));
	for (size_t i = TOWN_A; i < DEVICE_COUNT; i++)
		assert_ok(n, node_admit(n, i, LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED));
}

static inline void node_secret(struct node *n, size_t device)
{
	static const uint8_t key[KEY_BYTES] = { 7 }, salt[DEVICE_SALT_BYTES] = { 8 };
	Lm__Header h = entry_make(device, OWN, KIND(NODE_SECRET));
	Lm__NodeSecretPayload secret = LM__NODE_SECRET_PAYLOAD__INIT;
	secret.code_hash_key = codec_data(BYTES_OF(key));
	secret.device_salt = codec_data(BYTES_OF(salt));
	assert_ok(n, node_apply_message(n, &h, &secret.base));
}

static inline void node_restore_step(struct node *n, Lm__RestoreStep step)
{
	Lm__RestorePayload r = LM__RESTORE_PAYLOAD__INIT;
	Lm__Header h = entry_make(HUB, OWN, KIND(RESTORE));
	h.origin = n->domain.device;
	r.step = step;
	assert_ok(n, node_apply_message(n, &h, &r.base));
}

/* The least service that may be published: one field, the applicant's name. */
struct service_parts {
	Lm__Service service;
	Lm__Words name, easy, label, step_text, basis_text, condition, *conditions[1];
	Lm__Field field, *fields[1];
	Lm__Step step, *steps[1];
	Lm__Basis basis, *bases[1];
	Lm__Privacy privacy;
};

static inline void words_make(Lm__Words *w, const char *zh, const char *en)
{
	lm__words__init(w);
	w->zh = (char *)(uintptr_t)zh;
	w->en = (char *)(uintptr_t)en;
}

static inline Lm__Service *service_make(struct service_parts *p, const char *id, uint32_t revision, Lm__Tier owner)
{
	lm__service__init(&p->service);
	lm__field__init(&p->field);
	lm__step__init(&p->step);
	lm__basis__init(&p->basis);
	words_make(&p->name, "居家改造", "Home");
	words_make(&p->easy, "我们上门看看。", "We visit you.");
	words_make(&p->label, "您叫什么名字？", "What is your name?");
	words_make(&p->step_text, "街镇看您的申请。", "The town reads it.");
	words_make(&p->basis_text, "依据", "Basis");
	words_make(&p->condition, "谁都可以。", "Anyone.");
	p->field.id = "name";
	p->field.type = LM__FIELD_TYPE__FIELD_TYPE_PERSON;
	p->field.label = &p->label;
	p->field.is_required = true;
	p->field.meaning = LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_NAME;
	p->step.text = &p->step_text;
	p->basis.text = &p->basis_text;
	p->basis.is_sample = true;
	p->fields[0] = &p->field;
	p->steps[0] = &p->step;
	p->bases[0] = &p->basis;
	p->conditions[0] = &p->condition;
	Lm__Service *s = &p->service;
	s->id = (char *)(uintptr_t)id;
	s->revision = revision;
	s->module = LM__MODULE__MODULE_LIFE;
	s->name = &p->name;
	s->easy = &p->easy;
	s->owner = owner;
	s->n_fields = s->n_steps = s->n_basis = s->n_conditions = 1;
	s->fields = p->fields;
	s->steps = p->steps;
	s->basis = p->bases;
	s->conditions = p->conditions;
	return s;
}

/* As it may be published today; service_make is one from before consents were asked, whose requests carry none. */
static inline Lm__Service *service_make_told(struct service_parts *p, const char *id, uint32_t revision, Lm__Tier owner)
{
	Lm__Service *s = service_make(p, id, revision, owner);
	lm__privacy__init(&p->privacy);
	p->privacy.who_asks = p->privacy.purpose = p->privacy.who_sees = &p->basis_text;
	p->privacy.keep_months = 36;
	p->privacy.keep_from = LM__KEEP_FROM__KEEP_FROM_CLOSED;
	s->privacy = &p->privacy;
	return s;
}

static inline int node_publish(struct node *n, const char *id, uint32_t revision, Lm__Tier owner)
{
	struct service_parts parts;
	Lm__Header h = entry_make(HUB, ALL, KIND(SERVICE));
	return node_apply_message(n, &h, &service_make(&parts, id, revision, owner)->base);
}

/* ---- requests ---- */

static inline struct id id_of(uint64_t number)
{
	uint8_t random[10] = { (uint8_t)(number >> 8), (uint8_t)number };
	return id_make((int64_t)(1700000000000 + number), random);
}

#define CODE "000000000001"

/* `id` must outlive the header. */
static inline Lm__Header request_entry(size_t terminal, const struct id *id, const char *service, uint32_t revision)
{
	Lm__Header h = entry_make(terminal, UP, KIND(REQUEST));
	h.request_id = codec_data(BYTES_OF(*id));
	h.place = devices[terminal].place;
	h.service = (char *)(uintptr_t)service;
	h.revision = revision;
	return h;
}

static inline struct bytes request_plain(struct node *n, const char *code, const char *name)
{
	static const uint8_t receipt_key[RECEIPT_KEY_BYTES] = { 1 }, lookup[RECEIPT_LOOKUP_BYTES] = { 2 };
	Lm__RequestPayload p = LM__REQUEST_PAYLOAD__INIT;
	Lm__FieldValue v = LM__FIELD_VALUE__INIT, *values[] = { &v };
	char *texts[] = { (char *)(uintptr_t)name };
	struct bytes packed;
	v.field = "name";
	v.n_values = 1;
	v.values = texts;
	p.code = (char *)(uintptr_t)code;
	p.receipt_key = codec_data(BYTES_OF(receipt_key));
	p.lookup = codec_data(BYTES_OF(lookup));
	p.n_values = 1;
	p.values = values;
	p.language = "zh-CN";
	assert_ok(n, CODEC_PACK(&p, &n->arena, &packed, &n->e));
	return packed;
}

static inline int node_request(struct node *n, size_t terminal, const struct id *id, const char *service,
                               uint32_t revision)
{
	Lm__Header h = request_entry(terminal, id, service, revision);
	return node_apply(n, &h, request_plain(n, CODE, "张三"));
}

static inline Lm__Header ask_entry(size_t terminal, const struct id *id, Lm__Kind kind, uint32_t version)
{
	Lm__Header h = entry_make(terminal, UP, kind);
	h.request_id = codec_data(BYTES_OF(*id));
	h.version = version;
	return h;
}

static inline Lm__CaseRecord *node_case(struct node *n, const struct id *id)
{
	Lm__CaseRecord *record;
	assert_ok(n, case_get(n->txn, *id, &n->arena, &record));
	return record;
}

/* The owner's event as this node would write it. */
static inline Lm__Header event_entry(struct node *n, const struct id *id, Lm__CaseAction action)
{
	bool is_town = n->domain.tier == TOWN;
	Lm__Header h = entry_make(is_town ? TOWN_A : HUB, is_town ? UP : OWN, KIND(CASE));
	h.request_id = codec_data(BYTES_OF(*id));
	case_event_header(&n->domain, node_case(n, id), action,
	                  action == ACTION(DECIDE) || action == ACTION(PROPOSE) ? OUTCOME(GRANTED) : OUTCOME(NONE), &h);
	return h;
}

static inline int node_act(struct node *n, const struct id *id, Lm__CaseAction action)
{
	Lm__Header h = event_entry(n, id, action);
	return node_apply(n, &h, BYTES(NULL, 0));
}

#endif

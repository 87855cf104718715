/*
 * One entry into the tables: the dispatch by kind and tier, and what all kinds share.
 */
#include <stdlib.h>
#include <string.h>

#include "domain/card.h"
#include "inside.h"

const struct store_table domain_table_device = { .name = "device", .number = 20, .is_projection = true };
const struct store_table domain_table_service = { .name = "service", .number = 21, .is_projection = true };
const struct store_table domain_table_account = { .name = "account", .number = 22, .is_projection = true };
const struct store_table domain_table_secret = { .name = "secret", .number = 23, .is_projection = true };
const struct store_table domain_table_authority = { .name = "authority", .number = 24, .is_projection = true };
const struct store_table domain_table_request = { .name = "request", .number = 25, .is_projection = true };
const struct store_table domain_table_receipt = {
	.name = "receipt", .number = 26, .is_projection = true, .is_key_table = true
};
const struct store_table domain_table_status = { .name = "status", .number = 27, .is_projection = true };
const struct store_table domain_table_case = { .name = "case", .number = 28, .is_projection = true };
const struct store_table domain_table_open = { .name = "open", .number = 29, .is_projection = true };
const struct store_table domain_table_closed = { .name = "closed", .number = 30, .is_projection = true };
const struct store_table domain_table_count = { .name = "count", .number = 31, .is_projection = true };
const struct store_table domain_table_lock = { .name = "lock", .number = 32, .is_projection = true };
const struct store_table domain_table_draft = { .name = "draft", .number = 33, .is_projection = true };
const struct store_table domain_table_publication = { .name = "publication", .number = 34, .is_projection = true };
const struct store_table domain_table_token = { .name = "token", .number = 35, .is_projection = true };
const struct store_table domain_table_act = { .name = "act", .number = 36, .is_projection = true };
const struct store_table domain_table_erasure = { .name = "erasure", .number = 37, .is_projection = true };
const struct store_table domain_table_erased = { .name = "erased", .number = 38, .is_projection = true };
const struct store_table domain_table_person = {
	.name = "person", .number = 39, .is_projection = true, .is_key_table = true
};
const struct store_table domain_table_about = { .name = "about", .number = 41, .is_projection = true };
const struct store_table domain_table_calendar = { .name = "calendar", .number = 42, .is_projection = true };
const struct store_table domain_table_certificate = {
	.name = "certificate", .number = 43, .is_projection = true, .is_key_table = true
};
const struct store_table domain_table_certificate_about = {
	.name = "certificate-about", .number = 44, .is_projection = true, .is_key_table = true
};
const struct store_table domain_table_assessor = {
	.name = "assessor", .number = 45, .is_projection = true, .is_key_table = true
};
const struct store_table domain_table_backup = { .name = "backup", .number = 40, .is_projection = true };

const struct store_table *const domain_tables[] = {
	&domain_table_device,
	&domain_table_service,
	&domain_table_account,
	&domain_table_secret,
	&domain_table_authority,
	&domain_table_request,
	&domain_table_receipt,
	&domain_table_status,
	&domain_table_case,
	&domain_table_open,
	&domain_table_closed,
	&domain_table_count,
	&domain_table_lock,
	&domain_table_draft,
	&domain_table_publication,
	&domain_table_token,
	&domain_table_act,
	&domain_table_erasure,
	&domain_table_erased,
	&domain_table_backup,
	&domain_table_person,
	&domain_table_about,
	&domain_table_calendar,
	&domain_table_certificate,
	&domain_table_certificate_about,
	&domain_table_assessor,
	&domain_table_work,
	&domain_table_letter,
	&domain_table_report,
	&domain_table_wording,
	&domain_table_notice,
	&domain_table_part,
	&domain_table_card,
};
const size_t domain_table_number = sizeof domain_tables / sizeof *domain_tables;

int row_unpack(struct store_txn *txn, const struct store_table *table, const ProtobufCMessageDescriptor *type,
               struct bytes value, struct arena *arena, void *out)
{
	struct error e = { 0 };
	int result = codec_unpack(type, value, arena, (ProtobufCMessage **)out, &e);
	return result ? store_fail(txn, result == ERR_MEMORY ? ERR_MEMORY : ERR_DAMAGED, "table %s: %s", table->name,
	                           e.text)
	              : OK;
}

int row_get(struct store_txn *txn, const struct store_table *table, struct bytes key,
            const ProtobufCMessageDescriptor *type, struct arena *arena, void *out)
{
	struct bytes value;
	int result = store_get(txn, table, key, arena, &value);
	return result ? result : row_unpack(txn, table, type, value, arena, out);
}

int row_put(struct apply *a, const struct store_table *table, struct bytes key, const ProtobufCMessage *row)
{
	struct bytes packed;
	struct error e;
	int result = codec_pack(row, a->arena, &packed, &e);
	return result ? store_fail(a->txn, result, "%s", e.text) : store_put(a->txn, table, key, packed);
}

struct bytes key_u64(uint64_t v, uint8_t memory[8])
{
	struct writer w = writer_over(memory, 8);
	write_u64(&w, v);
	return BYTES(memory, 8);
}

struct bytes key_id(const struct id *id)
{
	return BYTES(id->byte, ID_BYTES);
}

struct id header_request(const Lm__Header *h)
{
	struct id id = { { 0 } };
	if (h->request_id.len == ID_BYTES)
		memcpy(id.byte, h->request_id.data, ID_BYTES);
	return id;
}

static struct id subject_of(const Lm__Header *h)
{
	struct id id = { { 0 } };
	struct bytes subject = header_subject(h);
	if (subject.size == ID_BYTES)
		memcpy(id.byte, subject.data, ID_BYTES);
	return id;
}

void domain_effects_clear(struct domain_effects *fx)
{
	fx->count = 0;
}

void domain_effects_release(struct domain_effects *fx)
{
	free(fx->list);
	memset(fx, 0, sizeof *fx);
}

int effect_add(struct apply *a, struct domain_effect effect)
{
	struct domain_effects *fx = a->fx;
	if (fx->count == fx->capacity) {
		size_t capacity = fx->capacity ? fx->capacity * 2 : 32;
		struct domain_effect *grown = realloc(fx->list, capacity * sizeof *grown);
		if (!grown)
			return store_fail(a->txn, ERR_MEMORY, "no memory for %zu effects", capacity);
		fx->list = grown;
		fx->capacity = capacity;
	}
	fx->list[fx->count++] = effect;
	return OK;
}

/* Causes: 'B', the return of a restored node; 'R' and the request's id; 'S', the revision and the service's id; 'V',
 * the subject's id and a version. */
static size_t cause_of_request(struct id request, uint8_t *memory)
{
	struct writer w = writer_over(memory, DOMAIN_CAUSE_BYTES);
	write_u8(&w, 'R');
	write_bytes(&w, key_id(&request));
	return w.size;
}

static size_t cause_of_service(const char *service, uint32_t revision, uint8_t *memory)
{
	struct writer w = writer_over(memory, DOMAIN_CAUSE_BYTES);
	write_u8(&w, 'S');
	write_u32(&w, revision);
	struct bytes name = bytes_from_text(service);
	if (name.size > DOMAIN_CAUSE_BYTES - 5)
		name.size = DOMAIN_CAUSE_BYTES - 5;
	write_bytes(&w, name);
	return w.size;
}

static size_t cause_of_version(struct id subject, uint32_t version, uint8_t *memory)
{
	struct writer w = writer_over(memory, DOMAIN_CAUSE_BYTES);
	write_u8(&w, 'V');
	write_bytes(&w, key_id(&subject));
	write_u32(&w, version);
	return w.size;
}

int held_on_request(struct apply *a)
{
	if (id_is_zero(header_request(a->item->header)))
		return error_set(a->e, ERR_INVALID, "the entry belongs to no request");
	*a->cause_size = cause_of_request(header_request(a->item->header), a->cause);
	return error_set(a->e, ERR_HELD, "waits for the request it belongs to");
}

int held_on_service(struct apply *a)
{
	const Lm__Header *h = a->item->header;
	*a->cause_size = cause_of_service(h->service, h->revision, a->cause);
	return error_set(a->e, ERR_HELD, "waits for revision %u of service %.64s", h->revision, h->service);
}

/* A cause of its own for each version: what is released is applied or refused, and never waits for the same again. */
int held_on_version(struct apply *a)
{
	const Lm__Header *h = a->item->header;
	*a->cause_size = cause_of_version(subject_of(h), h->version - 1, a->cause);
	return error_set(a->e, ERR_HELD, "waits for version %u of its %s", h->version - 1,
	                 h->request_id.len ? "case" : "record");
}

int held_on_other(struct apply *a, struct id subject, uint32_t version)
{
	*a->cause_size = cause_of_version(subject, version, a->cause);
	return error_set(a->e, ERR_HELD, "waits for version %u of another record", version);
}

#define CAUSE_RETURN 'B'
int held_on_return(struct apply *a)
{
	a->cause[0] = CAUSE_RETURN;
	*a->cause_size = 1;
	return error_set(a->e, ERR_HELD, "waits until everything that was lost has been given back");
}

bool domain_waiters(const Lm__Header *h, struct bytes plain, struct arena *arena, struct domain_waiters *out)
{
	Lm__Service *service;
	switch (h->kind) {
	case LM__KIND__KIND_REQUEST:
		out->shared = out->size = cause_of_request(header_request(h), out->cause);
		return true;
	case LM__KIND__KIND_CASE:
	case LM__KIND__KIND_CASE_COPY: /* the next event waits for it, and so on */
	case LM__KIND__KIND_PERSON:
	case LM__KIND__KIND_PERSON_COPY:
		out->size = cause_of_version(subject_of(h), h->version, out->cause);
		out->shared = out->size - sizeof h->version;
		return true;
	case LM__KIND__KIND_SERVICE:
		if (CODEC_UNPACK(lm__service, plain, arena, &service, NULL))
			return false;
		out->shared = out->size = cause_of_service(service->id, service->revision, out->cause);
		return true;
	default:
		return false;
	}
}

static int release(struct apply *a, const uint8_t *cause, size_t size)
{
	void *copy = arena_copy(a->arena, cause, size);
	if (!copy)
		return store_fail(a->txn, ERR_MEMORY, "no memory for an effect");
	return effect_add(a, (struct domain_effect){ .type = DOMAIN_RELEASE_HELD, .cause = BYTES(copy, size) });
}

int release_request(struct apply *a, struct id request)
{
	uint8_t cause[DOMAIN_CAUSE_BYTES];
	return release(a, cause, cause_of_request(request, cause));
}

int release_service(struct apply *a, const char *service, uint32_t revision)
{
	uint8_t cause[DOMAIN_CAUSE_BYTES];
	return release(a, cause, cause_of_service(service, revision, cause));
}

int release_return(struct apply *a)
{
	const uint8_t cause = CAUSE_RETURN;
	return release(a, &cause, 1);
}

int release_version(struct apply *a, struct id subject, uint32_t version)
{
	uint8_t cause[DOMAIN_CAUSE_BYTES];
	return release(a, cause, cause_of_version(subject, version, cause));
}

/* ---- who may say what, and where it goes ---- */

static bool origin_is(struct apply *a, Lm__Tier tier)
{
	if (a->item->header->origin == a->d->device)
		return a->d->tier == tier;
	Lm__DeviceRecord *record;
	return !memo_device(a, a->item->header->origin, &record) && record->role == tier;
}

struct rule {
	Lm__Kind kind;
	Lm__Stream stream;
	Lm__Tier from; /* whose entry it must be; TIER_NONE: this node's own */
	unsigned at;   /* tiers that apply it, as bits */
	int (*apply)(struct apply *a);
};

#define AT_TERMINAL (1u << LM__TIER__TIER_TERMINAL)
#define AT_TOWN (1u << LM__TIER__TIER_TOWN)
#define AT_DISTRICT (1u << LM__TIER__TIER_DISTRICT)
#define UP LM__STREAM__STREAM_UP
#define PARTS LM__STREAM__STREAM_PARTS
#define DOWN LM__STREAM__STREAM_DOWN
#define ALL LM__STREAM__STREAM_ALL
#define OWN LM__STREAM__STREAM_OWN
#define TERMINAL LM__TIER__TIER_TERMINAL
#define TOWN LM__TIER__TIER_TOWN
#define DISTRICT LM__TIER__TIER_DISTRICT
#define HERE LM__TIER__TIER_NONE

static const struct rule rules[] = {
	{ LM__KIND__KIND_REQUEST, UP, HERE, AT_TERMINAL, apply_request_here },
	{ LM__KIND__KIND_REQUEST, UP, TERMINAL, AT_TOWN | AT_DISTRICT, apply_case_open },
	{ LM__KIND__KIND_REQUEST, UP, HERE, AT_TOWN, apply_case_open }, /* typed at the counter */
	{ LM__KIND__KIND_REQUEST, UP, TOWN, AT_DISTRICT, apply_case_open },
	{ LM__KIND__KIND_REQUEST, DOWN, DISTRICT, AT_TOWN, apply_case_open }, /* referred to it by another town */
	{ LM__KIND__KIND_ANSWER, UP, HERE, AT_TERMINAL, apply_ask_here },
	{ LM__KIND__KIND_ANSWER, UP, TERMINAL, AT_TOWN | AT_DISTRICT, apply_case_ask },
	{ LM__KIND__KIND_ANSWER, DOWN, DISTRICT, AT_TOWN, apply_case_ask },
	{ LM__KIND__KIND_WITHDRAW, UP, HERE, AT_TERMINAL, apply_ask_here },
	{ LM__KIND__KIND_WITHDRAW, UP, TERMINAL, AT_TOWN | AT_DISTRICT, apply_case_ask },
	{ LM__KIND__KIND_WITHDRAW, DOWN, DISTRICT, AT_TOWN, apply_case_ask },
	{ LM__KIND__KIND_OBJECT, UP, HERE, AT_TERMINAL, apply_ask_here },
	{ LM__KIND__KIND_OBJECT, UP, TERMINAL, AT_TOWN | AT_DISTRICT, apply_case_ask },
	{ LM__KIND__KIND_OBJECT, DOWN, DISTRICT, AT_TOWN, apply_case_ask },
	{ LM__KIND__KIND_RATE, UP, HERE, AT_TERMINAL, apply_rating_here },
	{ LM__KIND__KIND_RATE, UP, TERMINAL, AT_TOWN | AT_DISTRICT, apply_case_ask },
	{ LM__KIND__KIND_RATE, DOWN, DISTRICT, AT_TOWN, apply_case_ask },
	{ LM__KIND__KIND_FILE_PART, PARTS, HERE, AT_TERMINAL, apply_file_part_here },
	{ LM__KIND__KIND_FILE_PART, PARTS, HERE, AT_TOWN, apply_file_part }, /* handed in at the counter */
	{ LM__KIND__KIND_FILE_PART, PARTS, TERMINAL, AT_TOWN | AT_DISTRICT, apply_file_part },
	{ LM__KIND__KIND_FILE_PART, PARTS, TOWN, AT_DISTRICT, apply_file_part },
	{ LM__KIND__KIND_KEYS, UP, HERE, AT_TERMINAL | AT_TOWN, apply_keys },
	{ LM__KIND__KIND_KEYS, UP, TERMINAL, AT_TOWN | AT_DISTRICT, apply_keys },
	{ LM__KIND__KIND_KEYS, UP, TOWN, AT_DISTRICT, apply_keys },
	{ LM__KIND__KIND_CASE, UP, HERE, AT_TOWN, apply_case_event },
	{ LM__KIND__KIND_CASE, UP, TOWN, AT_DISTRICT, apply_case_event },
	{ LM__KIND__KIND_CASE, OWN, HERE, AT_DISTRICT, apply_case_event },
	{ LM__KIND__KIND_CASE_COPY, DOWN, DISTRICT, AT_TOWN, apply_case_copy },
	{ LM__KIND__KIND_CASE_COPY, DOWN, HERE, AT_DISTRICT, apply_case_returned },
	{ LM__KIND__KIND_STATUS, DOWN, TOWN, AT_TERMINAL, apply_status },
	{ LM__KIND__KIND_LOCK_RELEASE, DOWN, TOWN, AT_TERMINAL, apply_lock_release },
	{ LM__KIND__KIND_LOCK_RELEASE, DOWN, HERE, AT_TOWN, apply_lock_released },
	{ LM__KIND__KIND_PERSON, UP, HERE, AT_TOWN, apply_person },
	{ LM__KIND__KIND_PERSON, UP, TOWN, AT_DISTRICT, apply_person },
	{ LM__KIND__KIND_PERSON_COPY, DOWN, DISTRICT, AT_TOWN, apply_person_copy },
	{ LM__KIND__KIND_LOOK, OWN, HERE, AT_TOWN | AT_DISTRICT, apply_look },
	{ LM__KIND__KIND_CERTIFICATE_ASK, UP, HERE, AT_TOWN, apply_certificate_ask_here },
	{ LM__KIND__KIND_CERTIFICATE_ASK, UP, TOWN, AT_DISTRICT, apply_certificate_ask },
	{ LM__KIND__KIND_CERTIFICATE, OWN, HERE, AT_DISTRICT, apply_certificate },
	{ LM__KIND__KIND_CERTIFICATE_COPY, DOWN, DISTRICT, AT_TOWN, apply_certificate_copy },
	{ LM__KIND__KIND_CERTIFICATE_COPY, DOWN, HERE, AT_DISTRICT, apply_certificate_returned },
	{ LM__KIND__KIND_NEW_CODE, UP, HERE, AT_TOWN, apply_new_code },
	{ LM__KIND__KIND_NEW_CODE, UP, TOWN, AT_DISTRICT, apply_new_code },
	{ LM__KIND__KIND_LETTER, OWN, HERE, AT_TOWN | AT_DISTRICT, apply_letter },
	{ LM__KIND__KIND_REPORT, OWN, HERE, AT_DISTRICT, apply_report },
	{ LM__KIND__KIND_ERASE, UP, HERE, AT_TOWN, apply_erase_told },
	{ LM__KIND__KIND_ERASE, DOWN, HERE, AT_DISTRICT, apply_erase_told },
	{ LM__KIND__KIND_ERASE, UP, TOWN, AT_DISTRICT, apply_erase },
	{ LM__KIND__KIND_ERASE, DOWN, DISTRICT, AT_TOWN, apply_erase },
	{ LM__KIND__KIND_ERASE, DOWN, TOWN, AT_TERMINAL, apply_erase },
	{ LM__KIND__KIND_ERASE_ACT, OWN, HERE, AT_TOWN | AT_DISTRICT, apply_erase_act },
	{ LM__KIND__KIND_ERASURE, OWN, HERE, AT_TERMINAL | AT_TOWN | AT_DISTRICT, apply_erasure },
	{ LM__KIND__KIND_AUTHORITY, ALL, DISTRICT, AT_TERMINAL | AT_TOWN | AT_DISTRICT, apply_authority },
	{ LM__KIND__KIND_DEVICE, ALL, DISTRICT, AT_TERMINAL | AT_TOWN | AT_DISTRICT, apply_device },
	{ LM__KIND__KIND_SERVICE, ALL, DISTRICT, AT_TERMINAL | AT_TOWN | AT_DISTRICT, apply_content },
	{ LM__KIND__KIND_CALENDAR, ALL, DISTRICT, AT_TERMINAL | AT_TOWN | AT_DISTRICT, apply_content },
	{ LM__KIND__KIND_WORDING, ALL, DISTRICT, AT_TERMINAL | AT_TOWN | AT_DISTRICT, apply_content },
	{ LM__KIND__KIND_NOTICE, ALL, TOWN, AT_TERMINAL | AT_TOWN, apply_content },
	{ LM__KIND__KIND_CARD, OWN, HERE, AT_DISTRICT, apply_card },
	{ LM__KIND__KIND_CARD, ALL, DISTRICT, AT_TERMINAL | AT_TOWN | AT_DISTRICT, apply_card },
	{ LM__KIND__KIND_HISTORY, ALL, DISTRICT, AT_TERMINAL | AT_TOWN | AT_DISTRICT, apply_history },
	{ LM__KIND__KIND_RECEIPT_LOCK, OWN, HERE, AT_TERMINAL, apply_receipt_lock },
	{ LM__KIND__KIND_ACCOUNT, OWN, HERE, AT_TOWN | AT_DISTRICT, apply_account },
	{ LM__KIND__KIND_ACCOUNT_MARK, OWN, HERE, AT_TOWN | AT_DISTRICT, apply_account_mark },
	{ LM__KIND__KIND_DRAFT, OWN, HERE, AT_TOWN | AT_DISTRICT, apply_draft },
	{ LM__KIND__KIND_NODE_SECRET, OWN, HERE, AT_TERMINAL | AT_TOWN | AT_DISTRICT, apply_secret },
	{ LM__KIND__KIND_QUARANTINE_ACT, OWN, HERE, AT_TERMINAL | AT_TOWN | AT_DISTRICT, apply_quarantine_act },
	{ LM__KIND__KIND_TOKEN, OWN, HERE, AT_DISTRICT, apply_token },
	{ LM__KIND__KIND_CLAIM, OWN, HERE, AT_TOWN | AT_DISTRICT, apply_claim },
	{ LM__KIND__KIND_DESK, OWN, HERE, AT_TOWN | AT_DISTRICT, apply_desk },
	{ LM__KIND__KIND_CONTACT, OWN, HERE, AT_TOWN | AT_DISTRICT, apply_contact },
	{ LM__KIND__KIND_BACKUP, OWN, HERE, AT_TERMINAL | AT_TOWN | AT_DISTRICT, apply_backup },
	{ LM__KIND__KIND_RESTORE, OWN, HERE, AT_TERMINAL | AT_TOWN | AT_DISTRICT, apply_restore },
};

/* What we composed for a neighbour has its effect there, not here; but for what stands for our own after a restore. */
static bool is_for_others(const struct apply *a)
{
	const Lm__Header *h = a->item->header;
	if (h->stream != DOWN || h->origin != a->d->device)
		return false;
	return h->kind != LM__KIND__KIND_LOCK_RELEASE && h->kind != LM__KIND__KIND_CASE_COPY &&
	       h->kind != LM__KIND__KIND_CERTIFICATE_COPY &&
	       (h->kind != LM__KIND__KIND_ERASE || a->d->tier != DISTRICT);
}

static bool is_our_town(struct apply *a)
{
	Lm__DeviceRecord *record;
	return a->item->header->origin == a->d->device ||
	       (!memo_device(a, a->item->header->origin, &record) && place_contains(record->place, a->d->place));
}

static bool may_write(struct apply *a, const struct rule *r)
{
	const Lm__Header *h = a->item->header;
	if (r->from == HERE)
		return h->origin == a->d->device;
	if (h->stream == DOWN && h->receiver != a->d->device)
		return false;
	if (h->stream == ALL && r->from == TOWN && !is_our_town(a))
		return false;
	return h->kind == LM__KIND__KIND_AUTHORITY || origin_is(a, r->from); /* an authority's own signature counts */
}

/* The rule under which its origin may write it; if there is none, any of its kind, and *may says so. */
static const struct rule *rule_find(struct apply *a, bool *may)
{
	const Lm__Header *h = a->item->header;
	const struct rule *found = NULL;
	*may = false;
	for (size_t i = 0; i < sizeof rules / sizeof *rules && !*may; i++) {
		if (rules[i].kind != h->kind || rules[i].stream != h->stream || !(rules[i].at & (1u << a->d->tier)))
			continue;
		found = &rules[i];
		*may = may_write(a, found);
	}
	return found;
}

static int apply_by_rule(struct apply *a)
{
	const Lm__Header *h = a->item->header;
	bool may;
	const struct rule *r = rule_find(a, &may);
	if (!r)
		return error_set(a->e, ERR_INVALID, "entries of kind %d in stream %d are not known here", (int)h->kind,
		                 (int)h->stream);
	if (!may)
		return error_set(a->e, ERR_DENIED, "device %016llx may not write entries of kind %d here",
		                 (unsigned long long)h->origin, (int)h->kind);
	return r->apply(a);
}

static bool memo_is_touched(Lm__Kind kind)
{
	return kind == LM__KIND__KIND_SERVICE || kind == LM__KIND__KIND_DEVICE || kind == LM__KIND__KIND_AUTHORITY ||
	       kind == LM__KIND__KIND_NODE_SECRET;
}

int domain_apply(const struct domain *d, struct store_txn *txn, struct arena *arena, const struct domain_item *item,
                 struct domain_effects *fx, uint8_t cause[DOMAIN_CAUSE_BYTES], size_t *cause_size, struct error *e)
{
	struct apply a = { d, txn, arena, item, fx, cause, cause_size, e };
	size_t effects_before = fx->count;
	*cause_size = 0;
	if (item->header->kind == LM__KIND__KIND_PERIOD || is_for_others(&a))
		return OK;
	int result = apply_by_rule(&a);
	if (d->memo && memo_is_touched(item->header->kind))
		domain_memo_clear(d->memo);
	int failure = store_failure(txn, e);
	if (failure || result)
		fx->count = effects_before;
	return failure ? failure : result;
}

int domain_state_hash(struct store_txn *txn, struct hash *out, struct error *e)
{
	struct store_table_digest digest[sizeof domain_tables / sizeof *domain_tables];
	struct bytes parts[sizeof domain_tables / sizeof *domain_tables];
	for (size_t i = 0; i < domain_table_number; i++) {
		int result = store_digest(txn, domain_tables[i], &digest[i], e);
		if (result)
			return result;
		parts[i] = BYTES_OF(digest[i].hash);
	}
	return crypto_hash(SUITE_INTERNATIONAL, parts, domain_table_number, out, e);
}

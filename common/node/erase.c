/*
 * An erasing carried out at this node, in one turn: the entry of our own that says so (apply clears what rows hold),
 * the envelopes, what a terminal still has, and the word to the neighbours. The key table gets another key behind it
 * (writer.c), for what was deleted is still in free pages.
 */
#include <string.h>

#include "base/log.h"
#include "domain/person.h"
#include "inside.h"

#define ERASE_TOWNS_MOST 64 /* no district has so many */

struct erasing {
	struct turn *t;
	Lm__ErasePayload *told;                       /* as it was decided */
	Lm__ErasedRequest *left[ERASE_REQUESTS_MOST]; /* those that are not erased yet */
	Lm__CaseRecord *record[ERASE_REQUESTS_MOST];  /* as it was before; NULL: there is none here */
	size_t count;
	struct id
	        person[ERASE_PERSONS_MOST]; /* those that are not erased yet, with all that was merged into them here */
	Lm__PersonRecord *had[ERASE_PERSONS_MOST]; /* as it was before; NULL: there is none here */
	size_t person_count;
	uint64_t destroyed;
};

static struct bytes id_of(const Lm__ErasedRequest *r)
{
	return codec_bytes(r->request_id);
}

static int payload_append(struct turn *t, Lm__Kind kind, Lm__Stream stream, uint64_t receiver,
                          const Lm__ErasePayload *payload, struct error *e)
{
	Lm__Header h = LM__HEADER__INIT;
	struct bytes packed;
	struct placed placed;
	h.kind = kind;
	h.place = (char *)(uintptr_t)t->node->domain.place;
	int result = CODEC_PACK(payload, t->arena, &packed, e);
	struct draft draft = { .stream = stream, .receiver = receiver, .header = &h, .payload = packed };
	return result ? result : turn_append(t, &draft, &placed, e);
}

/* ---- here ---- */

static int requests_choose(struct erasing *x, struct error *e)
{
	struct turn *t = x->t;
	for (size_t i = 0; i < x->told->n_requests; i++) {
		struct id id;
		if (subject_is_erased(t->txn, id_of(x->told->requests[i])))
			continue;
		memcpy(id.byte, id_of(x->told->requests[i]).data, ID_BYTES);
		x->left[x->count] = x->told->requests[i];
		int result = case_get(t->txn, id, t->arena, &x->record[x->count]);
		if (result == ERR_NOT_FOUND)
			x->record[x->count] = NULL;
		else if (result)
			return store_failure(t->txn, e) ? store_failure(t->txn, e) : result;
		x->count++;
	}
	return OK;
}

static int person_choose(struct erasing *x, struct id person, struct error *e)
{
	struct turn *t = x->t;
	struct id family[PERSON_FAMILY_MOST];
	size_t count;
	int result = person_family(t->txn, person, family, &count);
	for (size_t i = 0; i < count && !result; i++) {
		bool is_chosen = subject_is_erased(t->txn, BYTES_OF(family[i].byte));
		for (size_t k = 0; k < x->person_count && !is_chosen; k++)
			is_chosen = id_equal(x->person[k], family[i]);
		if (is_chosen)
			continue;
		if (x->person_count == ERASE_PERSONS_MOST)
			return error_set(e, ERR_TOO_MANY, "an erasing of more than %d records", ERASE_PERSONS_MOST);
		x->person[x->person_count] = family[i];
		result = person_get(t->txn, family[i], t->arena, &x->had[x->person_count]);
		if (result == ERR_NOT_FOUND) {
			x->had[x->person_count] = NULL;
			result = OK;
		}
		x->person_count++;
	}
	return result ? (store_failure(t->txn, e) ? store_failure(t->txn, e) : result) : OK;
}

static int persons_choose(struct erasing *x, struct error *e)
{
	int result = OK;
	for (size_t i = 0; i < x->told->n_person_id && !result; i++) {
		struct id person;
		memcpy(person.byte, x->told->person_id[i].data, ID_BYTES);
		result = person_choose(x, person, e);
	}
	return result;
}

/* A lock names no request: the one with this lookup is found by opening them. */
static int locks_destroy(struct erasing *x, struct bytes lookup, struct error *e)
{
	struct turn *t = x->t;
	struct arena arena;
	int result = OK;
	arena_init(&arena, 8u * 1024 * 1024);
	for (uint64_t position = 1; !result; position++) {
		Lm__TapeItem *item;
		Lm__ReceiptLockPayload *lock;
		struct bytes plain;
		arena_reset(&arena);
		result = journal_unnamed_next(t->txn, &position, e);
		if (!result)
			result = journal_read(t->txn, position, &arena, &item, e);
		if (result || journal_item_open(t->journal, t->txn, position, item, &arena, &plain, NULL) ||
		    CODEC_UNPACK(lm__receipt_lock_payload, plain, &arena, &lock, NULL) ||
		    !bytes_equal(codec_bytes(lock->lookup), lookup))
			continue;
		result = journal_erase_entry(t->journal, position, e);
		x->destroyed++;
	}
	arena_release(&arena);
	return result == ERR_NOT_FOUND ? OK : result;
}

/* Rows of the checkpoint hold what they held before. */
static int checkpoint_renew(struct turn *t, struct error *e)
{
	Lm__Checkpoint *checkpoint;
	uint64_t removed;
	int result = journal_checkpoint(t->txn, t->arena, &checkpoint, e);
	if (result)
		return result == ERR_NOT_FOUND ? OK : result;
	return journal_trim(t->journal, domain_tables, domain_table_number, JOURNAL_SIGNED_FINAL, t->now_ms, &removed,
	                    e);
}

static int envelopes_destroy(struct erasing *x, struct error *e)
{
	int result = OK;
	for (size_t i = 0; i < x->count && !result; i++) {
		Lm__ErasedFacts facts = LM__ERASED_FACTS__INIT;
		const Lm__CaseRecord *record = x->record[i];
		uint64_t count = 0;
		if (record) {
			facts.owner = record->first_owner;
			facts.hidden_from = record->hidden_from;
			facts.code_hash = record->code_hash;
		}
		result = journal_erase(x->t->journal, id_of(x->left[i]), record ? &facts : NULL, &count, e);
		x->destroyed += count;
		if (!result && x->left[i]->lookup.len)
			result = locks_destroy(x, codec_bytes(x->left[i]->lookup), e);
	}
	for (size_t i = 0; i < x->person_count && !result; i++) {
		uint64_t count = 0;
		result = journal_erase(x->t->journal, BYTES_OF(x->person[i].byte), NULL, &count, e);
		x->destroyed += count;
	}
	return result;
}

/* ---- the neighbours ---- */

/* Those that are this neighbour's; it hears no more than it needs, and a terminal nothing of records. */
static int part_tell(struct erasing *x, const bool is_its[ERASE_REQUESTS_MOST],
                     const bool is_its_person[ERASE_PERSONS_MOST], uint64_t device, bool is_terminal, struct error *e)
{
	Lm__ErasePayload part = *x->told, terminals = LM__ERASE_PAYLOAD__INIT;
	Lm__ErasedRequest request[ERASE_REQUESTS_MOST], *requests[ERASE_REQUESTS_MOST];
	ProtobufCBinaryData persons[ERASE_PERSONS_MOST];
	size_t count = 0, person_count = 0;
	for (size_t i = 0; i < x->person_count; i++)
		if (is_its_person[i])
			persons[person_count++] = codec_data(BYTES_OF(x->person[i].byte));
	for (size_t i = 0; i < x->count; i++) {
		if (!is_its[i])
			continue;
		request[count] = *x->left[i];
		request[count].lookup = is_terminal ? x->record[i]->lookup : (ProtobufCBinaryData){ 0 };
		requests[count] = &request[count];
		count++;
	}
	terminals.act = part.act;
	part = is_terminal ? terminals : part;
	part.person_id = persons;
	part.n_person_id = person_count;
	part.requests = requests;
	part.n_requests = count;
	Lm__Stream stream = device ? LM__STREAM__STREAM_DOWN : LM__STREAM__STREAM_UP;
	return payload_append(x->t, LM__KIND__KIND_ERASE, stream, device, &part, e);
}

/* The i-th town that has the record, or had it; NULL at the end. */
static const char *town_at(const Lm__PersonRecord *had, size_t i)
{
	return !had || i > had->n_former ? NULL : i == had->n_former ? had->town : had->former[i];
}

static bool is_of_town(const Lm__PersonRecord *had, const char *town)
{
	const char *its;
	for (size_t i = 0; (its = town_at(had, i)); i++)
		if (strcmp(its, town) == 0)
			return true;
	return false;
}

static bool case_is_at(const Lm__CaseRecord *record, const char *town)
{
	const char *its;
	for (size_t i = 0; record && (its = case_town_at(record, i)); i++)
		if (strcmp(its, town) == 0)
			return true;
	return false;
}

struct heard { /* towns, as they are told */
	const char *town[ERASE_TOWNS_MOST];
	size_t count;
};

/* At the district: one town hears of all cases and records that it has or had. */
static int town_tell(struct erasing *x, struct heard *heard, const char *town, struct error *e)
{
	bool is_its[ERASE_REQUESTS_MOST], is_its_person[ERASE_PERSONS_MOST];
	if (strcmp(town, x->told->place) == 0) /* it decided */
		return OK;
	for (size_t i = 0; i < heard->count; i++)
		if (strcmp(heard->town[i], town) == 0)
			return OK;
	if (heard->count == ERASE_TOWNS_MOST)
		return error_set(e, ERR_TOO_MANY, "an erasing that more than %d towns hear of", ERASE_TOWNS_MOST);
	heard->town[heard->count++] = town;
	for (size_t k = 0; k < x->count; k++)
		is_its[k] = case_is_at(x->record[k], town);
	for (size_t k = 0; k < x->person_count; k++)
		is_its_person[k] = is_of_town(x->had[k], town);
	uint64_t device = device_town_of(x->t->txn, town, x->t->arena);
	return device ? part_tell(x, is_its, is_its_person, device, false, e) : OK;
}

static int towns_tell(struct erasing *x, struct error *e)
{
	struct heard heard = { .count = 0 };
	const char *town;
	int result = OK;
	for (size_t k = 0; k < x->person_count; k++)
		for (size_t i = 0; !result && (town = town_at(x->had[k], i)); i++)
			result = town_tell(x, &heard, town, e);
	for (size_t k = 0; k < x->count; k++)
		for (size_t i = 0; !result && x->record[k] && (town = case_town_at(x->record[k], i)); i++)
			result = town_tell(x, &heard, town, e);
	return result;
}

int erase_tell_towns(struct turn *t, struct bytes message, struct error *e)
{
	struct erasing x = { .t = t };
	int result = CODEC_UNPACK(lm__erase_payload, message, t->arena, &x.told, e);
	for (size_t i = 0; !result && i < x.told->n_requests && x.count < ERASE_REQUESTS_MOST; i++) {
		struct id id;
		if (id_of(x.told->requests[i]).size != ID_BYTES ||
		    !subject_is_erased(t->txn, id_of(x.told->requests[i])))
			continue; /* it was refused */
		memcpy(id.byte, id_of(x.told->requests[i]).data, ID_BYTES);
		result = case_get(t->txn, id, t->arena, &x.record[x.count]);
		x.left[x.count] = x.told->requests[i];
		x.count += !result;
		result = result == ERR_NOT_FOUND ? OK : result;
	}
	return result ? result : towns_tell(&x, e);
}

/* At a town: the terminal that sent a request. 0: none of ours did. */
static uint64_t neighbour_of(struct erasing *x, size_t i)
{
	const struct domain *d = &x->t->node->domain;
	const Lm__CaseRecord *record = x->record[i];
	if (!record || d->tier != LM__TIER__TIER_TOWN || record->terminal == d->device)
		return 0;
	return record->terminal;
}

static int neighbours_tell(struct erasing *x, struct error *e)
{
	const struct domain *d = &x->t->node->domain;
	bool is_town = d->tier == LM__TIER__TIER_TOWN, is_told[ERASE_REQUESTS_MOST] = { false };
	bool all[ERASE_REQUESTS_MOST], all_persons[ERASE_PERSONS_MOST];
	static const bool no_person[ERASE_PERSONS_MOST];
	int result = d->tier == LM__TIER__TIER_DISTRICT ? towns_tell(x, e) : OK;
	for (size_t i = 0; i < x->count && !result; i++) {
		uint64_t device = is_told[i] ? 0 : neighbour_of(x, i);
		bool is_its[ERASE_REQUESTS_MOST] = { false };
		for (size_t k = i; device && k < x->count; k++)
			is_its[k] = neighbour_of(x, k) == device;
		for (size_t k = i; k < x->count; k++)
			is_told[k] |= is_its[k];
		if (device)
			result = part_tell(x, is_its, no_person, device, is_town, e);
	}
	memset(all, true, sizeof all);
	memset(all_persons, true, sizeof all_persons);
	bool has_decided = is_town && x->told->tier == d->tier && strcmp(x->told->place, d->place) == 0;
	return !result && has_decided ? part_tell(x, all, all_persons, 0, false, e) : result;
}

int erase_carry_out(struct turn *t, struct bytes message, struct error *e)
{
	struct erasing x = { .t = t };
	Lm__ErasePayload own;
	ProtobufCBinaryData persons[ERASE_PERSONS_MOST];
	int result = CODEC_UNPACK(lm__erase_payload, message, t->arena, &x.told, e);
	if (!result && x.told->n_requests > ERASE_REQUESTS_MOST)
		result = error_set(e, ERR_TOO_MANY, "an erasing of %zu requests", x.told->n_requests);
	if (!result && x.told->n_person_id > ERASE_PERSONS_MOST)
		result = error_set(e, ERR_TOO_MANY, "an erasing of %zu records", x.told->n_person_id);
	if (!result)
		result = requests_choose(&x, e);
	if (!result)
		result = persons_choose(&x, e);
	if (result || !(x.count + x.person_count))
		return result;
	own = *x.told;
	own.person_id = persons;
	own.n_person_id = x.person_count;
	for (size_t i = 0; i < x.person_count; i++)
		persons[i] = codec_data(BYTES_OF(x.person[i].byte));
	own.requests = x.left;
	own.n_requests = x.count;
	/* Terminals are told when the return ends, by this entry, and have to find the lock. */
	for (size_t i = 0; t->node->is_returning && i < x.count; i++)
		if (x.record[i] && x.record[i]->lookup.len)
			x.left[i]->lookup = x.record[i]->lookup;
	result = payload_append(t, LM__KIND__KIND_ERASURE, LM__STREAM__STREAM_OWN, 0, &own, e);
	if (!result)
		result = envelopes_destroy(&x, e);
	if (!result && !t->node->is_returning)
		result = neighbours_tell(&x, e);
	if (!result)
		result = checkpoint_renew(t, e);
	if (!result)
		log_write(LOG_INFO, "erased", "%zu requests and %zu records were erased: %llu keys destroyed", x.count,
		          x.person_count, (unsigned long long)x.destroyed);
	return result;
}

static int terminal_tell(struct turn *t, uint64_t terminal, ProtobufCBinaryData act, Lm__ErasedRequest *one,
                         struct error *e)
{
	Lm__ErasePayload part = LM__ERASE_PAYLOAD__INIT;
	part.act = act;
	part.requests = &one;
	part.n_requests = 1;
	return payload_append(t, LM__KIND__KIND_ERASE, LM__STREAM__STREAM_DOWN, terminal, &part, e);
}

int erase_tell_late(struct turn *t, struct id request, uint64_t terminal, struct error *e)
{
	Lm__ErasedRequest one = LM__ERASED_REQUEST__INIT;
	Lm__ErasedRecord *record;
	int result = erased_get(t->txn, BYTES_OF(request.byte), t->arena, &record);
	if (result)
		return result;
	one.request_id = codec_data(BYTES_OF(request.byte));
	return terminal_tell(t, terminal, record->act, &one, e);
}

int erase_tell_again(struct turn *t, const struct domain_item *erasure, struct error *e)
{
	Lm__ErasePayload *done;
	int result = CODEC_UNPACK(lm__erase_payload, erasure->plain, t->arena, &done, e);
	for (size_t i = 0; !result && i < done->n_requests; i++) {
		struct id request;
		Lm__CaseRecord *record;
		memcpy(request.byte, done->requests[i]->request_id.data, ID_BYTES);
		result = case_get(t->txn, request, t->arena, &record);
		if (!result && record->terminal != t->node->domain.device)
			result = terminal_tell(t, record->terminal, done->act, done->requests[i], e);
		result = result == ERR_NOT_FOUND ? OK : result;
	}
	return result;
}

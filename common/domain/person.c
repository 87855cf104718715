/*
 * The owner's events on a resident's record.
 *
 *             CHANGE                              MERGE
 *   CREATE ──► lives ◄──────────── DEATH_MISTAKEN ── died      lives, died ──────► merged
 *                └───── DEATH ────────────────────────►                    ◄── SPLIT ──┘
 *
 *   VERIFY in lives: what is on file was asked after, and stays.
 *   HAND_OVER from lives and died: another town owns it, and accepts no event of the former one any more.
 *
 * What state it is in follows from its facts, and an event carries all of them. So an event whose payload is absent
 * takes away what is known, and the next one brings it back.
 */
#include <string.h>

#include "inside.h"

int person_get(struct store_txn *txn, struct id person, struct arena *arena, Lm__PersonRecord **out)
{
	return row_get(txn, &domain_table_person, key_id(&person), &lm__person_record__descriptor, arena, out);
}

bool person_is_erased(struct store_txn *txn, struct id person)
{
	return subject_is_erased(txn, key_id(&person));
}

/* ---- what may be done ---- */

#define DO(action) LM__PERSON_ACTION__PERSON_ACTION_##action

static bool same_id(ProtobufCBinaryData a, ProtobufCBinaryData b)
{
	return bytes_equal(codec_bytes(a), codec_bytes(b));
}

static bool same_verified(const Lm__Verification *a, const Lm__Verification *b)
{
	return !a || !b ? a == b : a->time_ms == b->time_ms && a->how == b->how && strcmp(a->by, b->by) == 0;
}

/* The action changes what it is for, and nothing else of what says how things stand. */
static int outcome_check(const Lm__PersonPayload *p, const Lm__PersonFacts *before, struct error *e)
{
	const Lm__PersonFacts *after = p->facts;
	bool keeps_death = !before || strcmp(before->died_on, after->died_on) == 0;
	bool keeps_merge = !before || same_id(before->merged_into, after->merged_into);
	bool keeps_verified = same_verified(before ? before->verified : NULL, after->verified);
	bool is_good = false;
	if (!keeps_verified && p->action != DO(VERIFY))
		return error_set(e, ERR_INVALID, "facts.verified: only who asks the resident changes that");
	switch (p->action) {
	case DO(CREATE):
		is_good = !after->died_on[0] && !after->merged_into.len;
		break;
	case DO(CHANGE):
	case DO(HAND_OVER):
		is_good = keeps_death && keeps_merge;
		break;
	case DO(VERIFY):
		is_good = keeps_death && keeps_merge && after->verified;
		break;
	case DO(MERGE):
		is_good = keeps_death && after->merged_into.len == ID_BYTES;
		break;
	case DO(SPLIT):
		is_good = keeps_death && !after->merged_into.len;
		break;
	case DO(DEATH):
		is_good = keeps_merge && after->died_on[0];
		break;
	case DO(DEATH_MISTAKEN):
		is_good = keeps_merge && !after->died_on[0];
		break;
	default:
		return error_set(e, ERR_INVALID, "action: there is no such action on a record");
	}
	return is_good ? OK : error_set(e, ERR_INVALID, "facts: they do not fit the action");
}

static int state_check(Lm__PersonAction action, const Lm__PersonFacts *now, struct error *e)
{
	char text[ID_TEXT_BYTES] = "";
	if (now->merged_into.len == ID_BYTES)
		hex_encode(codec_bytes(now->merged_into), text);
	if (now->merged_into.len && action != DO(SPLIT))
		return error_set(e, ERR_CLOSED, "this record was merged into %s: that one goes on", text);
	if (!now->merged_into.len && action == DO(SPLIT))
		return error_set(e, ERR_CONFLICT, "this record is not merged into another one");
	if (now->died_on[0] && (action == DO(CHANGE) || action == DO(DEATH) || action == DO(VERIFY)))
		return error_set(e, ERR_CLOSED,
		                 "this person died on %.10s: the record changes no more, unless that was a mistake",
		                 now->died_on);
	if (!now->died_on[0] && action == DO(DEATH_MISTAKEN))
		return error_set(e, ERR_CONFLICT, "no death is on file here");
	return OK;
}

int person_action_check(const struct domain *d, const Lm__PersonRecord *record, const Lm__PersonPayload *p,
                        const char *place, struct error *e)
{
	const Lm__PersonFacts *now = record ? record->facts : NULL;
	if (!p->facts)
		return error_set(e, ERR_INVALID, "facts: they are missing");
	if ((p->action == DO(CREATE)) != !record)
		return record ? error_set(e, ERR_EXISTS, "this record is there already")
		              : error_set(e, ERR_NOT_FOUND, "there is no such record here");
	if (record && d->tier == LM__TIER__TIER_TOWN && strcmp(record->town, d->place) != 0)
		return error_set(e, ERR_CLOSED, "town %.20s has this record now: changes are made there", record->town);
	if (record && (p->action == DO(HAND_OVER)) != (strcmp(place, record->town) != 0))
		return error_set(e, ERR_INVALID, "town: a record is handed over to another town, and else stays");
	int result = now ? state_check(p->action, now, e) : OK;
	if (!result)
		result = outcome_check(p, now, e);
	return result ? result : person_shape_check(p->facts, e);
}

void person_event_header(const struct id *person, const Lm__PersonRecord *record, const char *place, Lm__Header *h)
{
	bool moves = record && strcmp(record->town, place) != 0;
	h->kind = LM__KIND__KIND_PERSON;
	h->person_id = codec_data(BYTES(person->byte, ID_BYTES));
	h->place = (char *)(uintptr_t)place;
	h->owner = LM__TIER__TIER_TOWN;
	h->epoch = record ? record->epoch + moves : 1;
	h->version = record ? record->version + 1 : 1;
}

/* ---- rows ---- */

int merge_note(struct apply *a, struct id person, const Lm__PersonFacts *facts, bool is_there)
{
	struct id into;
	uint8_t key[STORE_KEY_BYTES_MOST];
	if (!facts || facts->merged_into.len != ID_BYTES)
		return OK;
	memcpy(into.byte, facts->merged_into.data, ID_BYTES);
	struct bytes row = about_key(into, ABOUT_MERGED, key_id(&person), key);
	return is_there ? store_put(a->txn, &domain_table_about, row, bytes_from_text("merged"))
	                : store_delete(a->txn, &domain_table_about, row);
}

static int person_put(struct apply *a, struct id person, const Lm__PersonRecord *before, const Lm__PersonRecord *after)
{
	int result = before ? merge_note(a, person, before->facts, false) : OK;
	if (!result)
		result = merge_note(a, person, after->facts, true);
	if (!result)
		result = row_put(a, &domain_table_person, key_id(&person), &after->base);
	return result ? result : effect_add(a, (struct domain_effect){ .type = DOMAIN_PERSON, .request = person });
}

static int event_note(struct apply *a, struct id person, uint32_t version)
{
	uint8_t key[STORE_KEY_BYTES_MOST], number[8], position[8];
	struct writer w = writer_over(number, sizeof number);
	write_u32(&w, version);
	return store_put(a->txn, &domain_table_about, about_key(person, ABOUT_EVENT, BYTES(number, w.size), key),
	                 key_u64(a->item->position, position));
}

static int former_add(struct apply *a, Lm__PersonRecord *record, char *town)
{
	for (size_t i = 0; i < record->n_former; i++)
		if (strcmp(record->former[i], town) == 0)
			return OK;
	char **grown = arena_alloc(a->arena, (record->n_former + 1) * sizeof *grown);
	if (!grown)
		return store_fail(a->txn, ERR_MEMORY, "no memory for a record");
	if (record->n_former)
		memcpy(grown, record->former, record->n_former * sizeof *grown);
	grown[record->n_former++] = town;
	record->former = grown;
	return OK;
}

/* ---- events ---- */

static struct id header_person(const Lm__Header *h)
{
	struct id id = { { 0 } };
	if (h->person_id.len == ID_BYTES)
		memcpy(id.byte, h->person_id.data, ID_BYTES);
	return id;
}

static int header_check(struct apply *a)
{
	const Lm__Header *h = a->item->header;
	if (id_is_zero(header_person(h)) || h->request_id.len)
		return error_set(a->e, ERR_INVALID, "an event on a record names one person, and no request");
	if (place_level_of(h->place) != PLACE_TOWN || h->owner != LM__TIER__TIER_TOWN || !h->version || !h->epoch)
		return error_set(a->e, ERR_INVALID,
		                 "an event on a record names the town that has it, epoch and version");
	return OK;
}

/* The town whose entry it is. */
static int origin_town(struct apply *a, const char **town)
{
	Lm__DeviceRecord *device;
	*town = a->d->place;
	if (a->item->header->origin == a->d->device)
		return OK;
	if (memo_device(a, a->item->header->origin, &device))
		return error_set(a->e, ERR_DENIED, "device %016llx is not in the directory",
		                 (unsigned long long)a->item->header->origin);
	*town = device->place;
	return OK;
}

/* Version, owner and epoch, which the header tells: the same whether the payload opens or not. */
static int order_check(struct apply *a, const Lm__PersonRecord *record)
{
	const Lm__Header *h = a->item->header;
	const char *town;
	uint32_t version = record ? record->version : 0;
	int result = origin_town(a, &town);
	if (result)
		return result;
	if (h->version > version && h->version - version > 1)
		return held_on_version(a);
	if (h->version <= version)
		return error_set(a->e, ERR_CONFLICT, "event %u does not follow version %u of the record", h->version,
		                 version);
	if (strcmp(town, record ? record->town : h->place) != 0)
		return error_set(a->e, ERR_DENIED, "town %.20s may not write for a record of town %.20s", town,
		                 record ? record->town : h->place);
	Lm__Header want = LM__HEADER__INIT;
	struct id person = header_person(h);
	person_event_header(&person, record, h->place, &want);
	return h->epoch == want.epoch ? OK : error_set(a->e, ERR_INVALID, "the event's epoch does not fit the record");
}

static int merge_check(struct apply *a, struct id person, const Lm__PersonPayload *p, const char *town)
{
	Lm__PersonRecord *into;
	struct id id;
	if (p->action != DO(MERGE))
		return OK;
	memcpy(id.byte, p->facts->merged_into.data, ID_BYTES);
	if (id_equal(id, person))
		return error_set(a->e, ERR_INVALID, "merged_into: a record is not merged into itself");
	int result = person_get(a->txn, id, a->arena, &into);
	if (result)
		return result == ERR_NOT_FOUND ? held_on_other(a, id, 1) : result;
	if (restore_gave_back(a)) /* that record may have gone on since: its town had it when it wrote this */
		return OK;
	if (strcmp(into->town, town) != 0) /* after a restore its hand-over to this town may still be on its way */
		return restore_is_returning(a->txn, a->arena) ? held_on_return(a)
		                                              : held_on_other(a, id, into->version + 1);
	if (into->facts && into->facts->merged_into.len)
		return error_set(a->e, ERR_CLOSED, "merged_into: that record was itself merged into another one");
	return OK;
}

/* To a town that nobody knows: then nobody would have the record. */
static int target_check(struct apply *a)
{
	const char *place = a->item->header->place;
	return device_town_of(a->txn, place, a->arena)
	               ? OK
	               : error_set(a->e, ERR_NOT_FOUND, "town: %.20s is not in the directory", place);
}

static int payload_read(struct apply *a, struct id person, const Lm__PersonRecord *record, const char *town,
                        Lm__PersonPayload **out)
{
	int result = CODEC_UNPACK(lm__person_payload, a->item->plain, a->arena, out, a->e);
	if (!result)
		result = person_action_check(a->d, record, *out, a->item->header->place, a->e);
	return result ? result : merge_check(a, person, *out, town);
}

static int copy_pack(struct apply *a, const Lm__PersonRecord *record, struct bytes *packed)
{
	Lm__PersonCopyPayload copy = LM__PERSON_COPY_PAYLOAD__INIT;
	copy.facts = record->facts;
	copy.created_ms = record->created_ms;
	int result = CODEC_PACK(&copy, a->arena, packed, a->e);
	return result ? store_fail(a->txn, result, "no memory for a record's copy") : OK;
}

/* At the district: what was handed over goes on to its new town. */
static int copy_effect(struct apply *a, struct id person, const Lm__PersonRecord *record)
{
	const Lm__Header *h = a->item->header;
	struct domain_effect fx = {
		.type = DOMAIN_PERSON_COPY, .request = person, .version = h->version, .source = a->item->hash
	};
	fx.device = device_town_of(a->txn, h->place, a->arena);
	int result = copy_pack(a, record, &fx.message);
	return result ? result : effect_add(a, fx);
}

/* The former owner keeps who has it. */
static int moved(struct apply *a, struct id person, Lm__PersonRecord *record, char *from)
{
	int result = former_add(a, record, from);
	bool is_district = a->d->tier == LM__TIER__TIER_DISTRICT;
	if (!result && is_district)
		result = copy_effect(a, person, record);
	if (!result && is_district)
		result = certificate_moved(a, person, from, a->item->header->place);
	else if (!result)
		record->facts = NULL;
	return result;
}

static int event_apply(struct apply *a, struct id person, Lm__PersonRecord *before)
{
	const Lm__Header *h = a->item->header;
	Lm__PersonRecord after = LM__PERSON_RECORD__INIT;
	Lm__PersonPayload *payload = NULL;
	char *town = before ? before->town : h->place;
	bool moves = strcmp(town, h->place) != 0;
	int result = moves ? target_check(a) : OK;
	if (!result && !a->item->is_absent)
		result = payload_read(a, person, before, town, &payload);
	if (result)
		return result;
	if (before)
		after = *before;
	else
		after.created_ms = h->time_ms;
	after.facts = payload ? payload->facts : NULL;
	after.is_absent = !payload;
	after.town = h->place;
	after.epoch = h->epoch;
	after.version = h->version;
	after.changed_ms = h->time_ms;
	result = moves ? moved(a, person, &after, town) : OK;
	if (!result)
		result = person_put(a, person, before, &after);
	if (!result)
		result = event_note(a, person, h->version);
	return result ? result : release_version(a, person, h->version);
}

/* Our own word that is given back: the copy with which the district sent the record back later may have come first. */
static bool is_overtaken(struct apply *a, const Lm__PersonRecord *record)
{
	const Lm__Header *h = a->item->header;
	return record && h->origin == a->d->device && h->version <= record->version &&
	       (restore_is_returning(a->txn, a->arena) || restore_gave_back(a));
}

int apply_person(struct apply *a)
{
	struct id person = header_person(a->item->header);
	Lm__PersonRecord *record = NULL;
	int result = header_check(a);
	if (!result && person_is_erased(a->txn, person))
		return OK;
	if (!result)
		result = person_get(a->txn, person, a->arena, &record);
	if (result && result != ERR_NOT_FOUND)
		return result;
	if (result == ERR_NOT_FOUND)
		record = NULL;
	if (is_overtaken(a, record))
		return event_note(a, person, a->item->header->version);
	result = order_check(a, record);
	return result ? result : event_apply(a, person, record);
}

/* ---- taken over ---- */

int apply_person_copy(struct apply *a)
{
	const Lm__Header *h = a->item->header;
	struct id person = header_person(h);
	Lm__PersonRecord *before = NULL, after = LM__PERSON_RECORD__INIT;
	Lm__PersonCopyPayload *copy = NULL;
	int result = header_check(a);
	if (result || person_is_erased(a->txn, person))
		return result;
	if (strcmp(h->place, a->d->place) != 0)
		return error_set(a->e, ERR_DENIED, "a record for town %.20s has come here", h->place);
	if (!a->item->is_absent)
		result = CODEC_UNPACK(lm__person_copy_payload, a->item->plain, a->arena, &copy, a->e);
	if (!result && copy && copy->facts)
		result = person_shape_check(copy->facts, a->e);
	if (!result)
		result = person_get(a->txn, person, a->arena, &before);
	if (result && result != ERR_NOT_FOUND)
		return result;
	if (!result && h->epoch <= before->epoch) /* given back twice after a restore */
		return OK;
	before = result ? NULL : before;
	if (before)
		after = *before;
	else
		after.created_ms = copy ? copy->created_ms : h->time_ms;
	after.facts = copy ? copy->facts : NULL;
	after.is_absent = !after.facts;
	after.town = h->place;
	after.epoch = h->epoch;
	after.version = h->version;
	after.changed_ms = h->time_ms;
	result = person_put(a, person, before, &after);
	if (!result)
		result = event_note(a, person, h->version);
	return result ? result : release_version(a, person, h->version);
}

/* The same as when it was applied, if nothing has happened to the record since. */
int person_copy_effect(const struct domain *d, struct store_txn *txn, struct arena *arena,
                       const struct domain_item *item, struct domain_effects *fx, struct error *e)
{
	struct apply a = { .d = d, .txn = txn, .arena = arena, .item = item, .fx = fx, .e = e };
	struct id person = header_person(item->header);
	Lm__PersonRecord *record;
	int result = person_get(txn, person, arena, &record);
	if (result)
		return result == ERR_NOT_FOUND ? OK : result;
	const char *from;
	result = origin_town(&a, &from);
	if (result || record->version != item->header->version || strcmp(from, record->town) == 0)
		return result;
	return copy_effect(&a, person, record);
}

/* ---- looks ---- */

int apply_look(struct apply *a)
{
	const Lm__Header *h = a->item->header;
	struct id person = header_person(h);
	Lm__LookPayload *look;
	Lm__LookRecord row = LM__LOOK_RECORD__INIT;
	uint8_t key[STORE_KEY_BYTES_MOST], position[8];
	int result = CODEC_UNPACK(lm__look_payload, a->item->plain, a->arena, &look, a->e);
	if (result)
		return result;
	if (id_is_zero(person) || !look->by[0] || strlen(look->by) > LOOK_BY_BYTES_MOST || !look->purpose ||
	    !protobuf_c_enum_descriptor_get_value(&lm__look_purpose__descriptor, (int)look->purpose))
		return error_set(a->e, ERR_INVALID, "purpose: say for what the record is looked at");
	row.purpose = look->purpose;
	row.by = look->by;
	row.time_ms = h->time_ms;
	return row_put(a, &domain_table_about, about_key(person, ABOUT_LOOK, key_u64(a->item->position, position), key),
	               &row.base);
}

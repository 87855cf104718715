/*
 * Cases at town and district. One owner; the other tier follows. Which acts are possible in which state: case_move.c.
 *
 * An ask waits in the row until the owner's event cites it. An event may cite an ask that has not come yet over
 * another stream: then the row remembers it as answered, and the ask does nothing when it comes.
 */
#include <string.h>

#include "inside.h"

#define TO(state) LM__CASE_STATE__CASE_STATE_##state

/*
 * Limits, so that a row stays small whatever a terminal or a clerk does. Those on asks count what only this tier sees,
 * so they may refuse an ask and never an event: both tiers must judge an event alike, by what it and its predecessors
 * say. They lie so far below those on events that every ask which was taken can be answered.
 */
#define CASE_ASKS_WAITING_MOST 24 /* asks without an answer; also what one event may cite */
#define CASE_ASKS_TAKEN_MOST 100  /* asks in the row when one more comes */
#define CASE_ASK_EVENTS_MOST 150  /* events of the case when an ask comes */
#define CASE_ASKS_ANSWERED_MOST 200
#define CASE_EVENTS_MOST 200 /* one more may close the case */

int case_get(struct store_txn *txn, struct id request, struct arena *arena, Lm__CaseRecord **out)
{
	return row_get(txn, &domain_table_case, key_id(&request), &lm__case_record__descriptor, arena, out);
}

int case_put(struct apply *a, struct id request, const Lm__CaseRecord *record)
{
	return row_put(a, &domain_table_case, key_id(&request), &record->base);
}

/* ---- the open and closed lists ---- */

int lists_move(struct apply *a, struct id request, Lm__CaseRecord *record)
{
	bool should_be_open = case_is_ours(a->d, record) && !case_state_is_closed(record->state);
	bool should_be_closed = case_state_is_closed(record->state);
	uint8_t key[8];
	if (record->open_key && !should_be_open) {
		store_delete(a->txn, &domain_table_open, key_u64(record->open_key, key));
		record->open_key = 0;
	} else if (!record->open_key && should_be_open) {
		record->open_key = a->item->position;
		store_put(a->txn, &domain_table_open, key_u64(record->open_key, key), key_id(&request));
	}
	if (!should_be_closed && record->closed_key) {
		store_delete(a->txn, &domain_table_closed, key_u64(record->closed_key, key));
		store_delete(a->txn, &domain_table_lock, key_u64(record->closed_key, key));
		record->closed_key = 0;
		record->closed_ms = 0;
	}
	if (should_be_closed && !record->closed_key) {
		record->closed_key = a->item->position;
		record->closed_ms = a->item->taken_ms;
		store_put(a->txn, &domain_table_closed, key_u64(record->closed_key, key), key_id(&request));
		if (a->d->tier == LM__TIER__TIER_TOWN && record->lookup.len)
			store_put(a->txn, &domain_table_lock, key_u64(record->closed_key, key), key_id(&request));
	}
	return store_failure(a->txn, NULL);
}

/* ---- asks ---- */

static Lm__PendingAsk *ask_find(const Lm__CaseRecord *record, struct bytes hash)
{
	for (size_t i = 0; i < record->n_asks; i++)
		if (bytes_equal(codec_bytes(record->asks[i]->hash), hash))
			return record->asks[i];
	return NULL;
}

static int ask_add(struct apply *a, Lm__CaseRecord *record, const Lm__PendingAsk *ask)
{
	Lm__PendingAsk **grown = arena_alloc(a->arena, (record->n_asks + 1) * sizeof *grown);
	Lm__PendingAsk *copy = arena_copy(a->arena, ask, sizeof *ask);
	if (!grown || !copy)
		return store_fail(a->txn, ERR_MEMORY, "no memory for an ask");
	if (record->n_asks)
		memcpy(grown, record->asks, record->n_asks * sizeof *grown);
	grown[record->n_asks++] = copy;
	record->asks = grown;
	return OK;
}

static int ask_effect(struct apply *a, struct id request, const Lm__PendingAsk *ask)
{
	struct domain_effect fx = {
		.type = DOMAIN_ANSWER_ASK, .request = request, .kind = ask->kind, .version = ask->version
	};
	memcpy(fx.ask.byte, ask->hash.data, HASH_BYTES);
	return effect_add(a, fx);
}

static size_t asks_answered(const Lm__CaseRecord *record)
{
	size_t count = 0;
	for (size_t i = 0; i < record->n_asks; i++)
		count += record->asks[i]->is_answered ? 1 : 0;
	return count;
}

/* Of this town, and not too many. Any terminal of the town may ask: who knows the receipt code can look it up there. */
static int ask_check(struct apply *a, const Lm__CaseRecord *record)
{
	Lm__DeviceRecord *device;
	uint64_t origin = a->item->header->origin;
	bool is_passed_on = a->item->header->stream == LM__STREAM__STREAM_DOWN; /* the district has looked */
	if (!is_passed_on && memo_device(a, origin, &device))
		return error_set(a->e, ERR_DENIED, "device %016llx is not in the directory",
		                 (unsigned long long)origin);
	if (!is_passed_on && !place_contains(record->town, device->place))
		return error_set(a->e, ERR_DENIED, "a device of %.20s may not ask for a case of town %.20s",
		                 device->place, record->town);
	if (record->n_asks - asks_answered(record) >= CASE_ASKS_WAITING_MOST ||
	    record->n_asks >= CASE_ASKS_TAKEN_MOST || record->n_events >= CASE_ASK_EVENTS_MOST)
		return error_set(a->e, ERR_TOO_MANY, "this case has %zu asks and %zu events, as many as it may",
		                 record->n_asks, record->n_events);
	return OK;
}

static bool rating_is_right(const Lm__Header *h)
{
	return (h->kind == LM__KIND__KIND_RATE) == (h->rating != LM__RATING__RATING_NONE) &&
	       (unsigned)h->rating <= LM__RATING__RATING_VERY_BAD;
}

int apply_case_ask(struct apply *a)
{
	const Lm__Header *h = a->item->header;
	struct id request = header_request(h);
	bool is_passed_on = h->stream == LM__STREAM__STREAM_DOWN;
	struct bytes hash = is_passed_on ? codec_bytes(h->source) : BYTES_OF(a->item->hash);
	Lm__CaseRecord *record;
	int result = case_get(a->txn, request, a->arena, &record);
	if (result == ERR_NOT_FOUND)
		return held_on_request(a);
	if (!result && hash.size != HASH_BYTES)
		return error_set(a->e, ERR_INVALID, "an ask that was passed on names no entry");
	if (!result && !rating_is_right(h))
		return error_set(a->e, ERR_INVALID, "a rating, and no other ask, has one of five words");
	if (result)
		return result;
	Lm__PendingAsk *known = ask_find(record, hash);
	if (known) { /* answered by the owner before it came here, or passed on before */
		known->position = a->item->position;
		known->kind = h->kind;
		known->version = h->version;
		known->rating = h->rating;
		known->time_ms = event_ms(h);
		result = case_put(a, request, record);
		return result ? result
		              : effect_add(a, (struct domain_effect){ .type = DOMAIN_CASE, .request = request });
	}
	result = ask_check(a, record);
	if (result)
		return result;
	Lm__PendingAsk ask = LM__PENDING_ASK__INIT;
	ask.hash = codec_data(hash);
	ask.kind = h->kind;
	ask.version = h->version;
	ask.rating = h->rating;
	ask.position = a->item->position;
	ask.time_ms = event_ms(h);
	result = ask_add(a, record, &ask);
	if (!result)
		result = case_put(a, request, record);
	if (!result && case_is_ours(a->d, record))
		result = ask_effect(a, request, &ask);
	if (!result)
		result = case_ask_pass(a, request, record, ask.position);
	return result ? result : effect_add(a, (struct domain_effect){ .type = DOMAIN_CASE, .request = request });
}

/* ---- the owner's events ---- */

static int asks_settle(struct apply *a, Lm__CaseRecord *record)
{
	const Lm__Header *h = a->item->header;
	if (h->n_asks > CASE_ASKS_WAITING_MOST || asks_answered(record) + h->n_asks > CASE_ASKS_ANSWERED_MOST)
		return error_set(a->e, ERR_TOO_MANY, "the event answers %zu asks, more than it may", h->n_asks);
	for (size_t i = 0; i < h->n_asks; i++) {
		struct bytes hash = codec_bytes(h->asks[i]);
		if (hash.size != HASH_BYTES)
			return error_set(a->e, ERR_INVALID, "the event cites an ask by %zu bytes", hash.size);
		Lm__PendingAsk *known = ask_find(record, hash);
		if (known) {
			if (known->is_answered)
				return error_set(a->e, ERR_CONFLICT,
				                 "the ask that this event answers was answered before");
			known->is_answered = true;
			continue;
		}
		Lm__PendingAsk ask = LM__PENDING_ASK__INIT;
		ask.hash = h->asks[i];
		ask.is_answered = true;
		int result = ask_add(a, record, &ask);
		if (result)
			return result;
	}
	return OK;
}

/* `author`: the town that writes it; NULL: the district. */
static int event_check(struct apply *a, const Lm__CaseRecord *record, const char *author)
{
	const Lm__Header *h = a->item->header;
	/* The one before it is held or in quarantine: what cites it is held with it. First, as that one may change the
	 * owner. */
	if (h->version > record->version && h->version - record->version > 1)
		return held_on_version(a);
	if (h->version <= record->version)
		return error_set(a->e, ERR_CONFLICT, "event %u does not follow version %u of the case", h->version,
		                 record->version);
	int result = case_author_check(a, record, author);
	if (!result)
		result = case_action_check(record, h->action, h->outcome, a->e);
	if (!result)
		result = refer_check(record, h->action, h->town, a->e);
	if (!result)
		result = case_rating_check(record, h->action, h->rating, a->e);
	if (result)
		return result;
	Lm__Header want = LM__HEADER__INIT;
	case_event_header(a->d, record, h->action, h->outcome, &want);
	if (h->owner != want.owner || h->epoch != want.epoch || h->is_closing != want.is_closing ||
	    h->is_reopening != want.is_reopening)
		return error_set(a->e, ERR_INVALID, "the event's owner, epoch or end does not fit the case");
	if (record->n_events >= CASE_EVENTS_MOST && !h->is_closing)
		return error_set(a->e, ERR_TOO_MANY, "this case has %zu events, as many as it may", record->n_events);
	return OK;
}

static int event_note(struct apply *a, Lm__CaseRecord *record)
{
	uint64_t *grown = arena_alloc(a->arena, (record->n_events + 1) * sizeof *grown);
	if (!grown)
		return store_fail(a->txn, ERR_MEMORY, "no memory for an event");
	if (record->n_events)
		memcpy(grown, record->events, record->n_events * sizeof *grown);
	grown[record->n_events++] = a->item->position;
	record->events = grown;
	return OK;
}

static bool is_handing(Lm__CaseAction action)
{
	return action == LM__CASE_ACTION__CASE_ACTION_HAND_OVER || action == LM__CASE_ACTION__CASE_ACTION_REFER;
}

static int asks_hand_on(struct apply *a, struct id request, const Lm__CaseRecord *record)
{
	if (!case_is_ours(a->d, record) || !is_handing(a->item->header->action))
		return OK;
	int result = OK;
	for (size_t i = 0; i < record->n_asks && !result; i++)
		if (!record->asks[i]->is_answered)
			result = ask_effect(a, request, record->asks[i]);
	return result;
}

/* ---- terms ---- */

static int pause_add(struct apply *a, Lm__CaseRecord *record, int64_t to_ms)
{
	Lm__Pause **grown = arena_alloc(a->arena, (record->n_pauses + 1) * sizeof *grown);
	Lm__Pause *pause = arena_alloc(a->arena, sizeof *pause);
	if (!grown || !pause)
		return store_fail(a->txn, ERR_MEMORY, "no memory for a pause");
	lm__pause__init(pause);
	pause->from_ms = record->asked_ms;
	pause->to_ms = to_ms;
	if (record->n_pauses)
		memcpy(grown, record->pauses, record->n_pauses * sizeof *grown);
	grown[record->n_pauses++] = pause;
	record->pauses = grown;
	return OK;
}

/* Times are those of the owner's events, so that both tiers come to the same. There are no more pauses than events. */
static int term_move(struct apply *a, const Lm__CaseRecord *before, Lm__CaseRecord *record)
{
	const Lm__Header *h = a->item->header;
	int result = OK;
	if (before->state == TO(ASKED) && record->state != TO(ASKED))
		result = pause_add(a, record, event_ms(h));
	record->asked_ms = record->state != TO(ASKED) ? 0 : before->state == TO(ASKED) ? before->asked_ms : event_ms(h);
	if (h->action == LM__CASE_ACTION__CASE_ACTION_STEP) {
		record->step++;
		record->step_ms = event_ms(h);
		record->n_pauses = 0;
	}
	return result;
}

/* The revision is known: the request waited for it. */
static int service_rules_check(struct apply *a, const Lm__CaseRecord *record)
{
	const Lm__Header *h = a->item->header;
	Lm__Service *service;
	if (!case_action_needs_service(h->action))
		return OK;
	int result = memo_service(a, record->service, record->revision, &service);
	return result ? result : case_service_check(service, record, h->action, h->outcome, a->e);
}

/* What was decided, proposed, objected to and rated. */
static void outcome_move(const Lm__Header *h, const Lm__CaseRecord *before, Lm__CaseRecord *record)
{
	bool is_reopened = case_state_is_closed(before->state) && !case_state_is_closed(record->state);
	if (h->action == LM__CASE_ACTION__CASE_ACTION_DECIDE)
		record->outcome = h->outcome;
	record->proposed = h->action == LM__CASE_ACTION__CASE_ACTION_PROPOSE ? h->outcome
	                   : record->state == TO(PROPOSED)                   ? before->proposed
	                                                                     : LM__OUTCOME__OUTCOME_NONE;
	if (h->action == LM__CASE_ACTION__CASE_ACTION_OBJECT && is_reopened)
		record->is_objected = record->was_objected = true;
	if (case_state_is_closed(record->state))
		record->is_objected = false;
	if (h->rating)
		record->rating = h->rating;
}

/* Who is handed a case accepts it or sends it back. What came back stays: it does not go to and fro by itself. What was
 * referred always comes back so, for it comes to the resident's own town. */
static void handed_move(struct apply *a, Lm__CaseRecord *record)
{
	Lm__CaseAction action = a->item->header->action;
	bool is_handed = is_handing(action);
	bool is_new = action == LM__CASE_ACTION__CASE_ACTION_REFER ||
	              (is_handed && !record->referred_to[0] && record->handed != LM__HANDED_OVER__HANDED_OVER_WAITS);
	if (is_handed)
		record->handed = is_new ? LM__HANDED_OVER__HANDED_OVER_WAITS : LM__HANDED_OVER__HANDED_OVER_CAME_BACK;
	else if (record->state != TO(RECEIVED))
		record->handed = LM__HANDED_OVER__HANDED_OVER_NO;
	if (is_handed || record->state != TO(RECEIVED))
		record->handed_ms = is_new ? a->item->taken_ms : 0;
}

static int event_apply(struct apply *a, struct id request, Lm__CaseRecord *record, const char *author)
{
	const Lm__Header *h = a->item->header;
	Lm__CaseRecord before = *record;
	int result = event_check(a, record, author);
	if (!result)
		result = service_rules_check(a, record);
	if (!result)
		result = asks_settle(a, record);
	if (!result)
		result = event_note(a, record);
	if (result)
		return result;
	record->state = case_state_after(record, h->action);
	outcome_move(h, &before, record);
	handed_move(a, record);
	result = referred_move(a, record);
	record->owner = h->owner;
	record->epoch = h->epoch;
	record->version = h->version;
	record->changed_ms = event_ms(h);
	if (!result)
		result = term_move(a, &before, record);
	if (!result && h->action == LM__CASE_ACTION__CASE_ACTION_CONFIRM_PERSON)
		result = case_person_set(a, request, record, h->person_id);
	if (!result)
		result = lists_move(a, request, record);
	if (!result)
		result = case_put(a, request, record);
	if (!result)
		result = count_move(a, &before, record);
	if (!result)
		result = asks_hand_on(a, request, record);
	if (!result)
		result = case_event_pass(a, request, record, author);
	if (!result)
		result = release_version(a, request, record->version);
	return result ? result : effect_add(a, (struct domain_effect){ .type = DOMAIN_CASE, .request = request });
}

/* Of the receipt only the resident's town speaks. */
int case_town_check(struct apply *a, const Lm__CaseRecord *record)
{
	Lm__DeviceRecord *town;
	uint64_t origin = a->item->header->origin;
	if (origin == a->d->device)
		return OK;
	if (memo_device(a, origin, &town))
		return error_set(a->e, ERR_DENIED, "device %016llx is not in the directory",
		                 (unsigned long long)origin);
	if (strcmp(town->place, record->town) != 0)
		return error_set(a->e, ERR_DENIED, "town %.20s may not write for a case of town %.20s", town->place,
		                 record->town);
	return OK;
}

int apply_case_event(struct apply *a)
{
	struct id request = header_request(a->item->header);
	Lm__CaseRecord *record;
	const char *author;
	int result = case_get(a->txn, request, a->arena, &record);
	if (result == ERR_NOT_FOUND)
		return held_on_request(a);
	if (!result)
		result = case_author(a, &author);
	return result ? result : event_apply(a, request, record, author);
}

/* The terminal was told to drop the lock of a case that ended long ago, or of a code that was replaced. A town that is
 * given back what it lacks may hear of that first. */
int apply_lock_released(struct apply *a)
{
	Lm__CaseRecord *record;
	uint8_t key[8];
	int result = case_get(a->txn, header_request(a->item->header), a->arena, &record);
	if (result)
		return result == ERR_NOT_FOUND ? held_on_request(a) : result;
	return store_delete(a->txn, &domain_table_lock, key_u64(record->closed_key, key));
}

/* Our own copy for a town. Mostly its event has just been applied. After a restore the event itself is lost with `own`,
 * and the copy that the town gives back stands for it. What a town did it gives back itself. */
int apply_case_returned(struct apply *a)
{
	const Lm__Header *h = a->item->header;
	Lm__CaseRecord *record;
	int result = case_get(a->txn, header_request(h), a->arena, &record);
	bool is_of_town = place_level_of(h->place) == PLACE_TOWN;
	return (!result && h->version <= record->version) || is_of_town ? OK : apply_case_event(a);
}

int apply_case_copy(struct apply *a)
{
	Lm__CaseRecord *record;
	int result = case_get(a->txn, header_request(a->item->header), a->arena, &record);
	if (!result && !case_is_of_town(a->d, record) && a->item->header->version <= record->version)
		return OK; /* referred to us once more: the whole comes again */
	result = apply_case_event(a);
	return result ? result : case_copy_relay(a);
}

int case_copy_relay(struct apply *a)
{
	const Lm__Header *h = a->item->header;
	if (a->item->is_absent)
		return OK;
	Lm__CaseCopyPayload *copy;
	Lm__CaseRecord *record;
	int result = case_get(a->txn, header_request(h), a->arena, &record);
	if (result || !case_is_of_town(a->d, record) || case_code_is_new(record)) /* its lock is gone, or elsewhere */
		return result;
	result = CODEC_UNPACK(lm__case_copy_payload, a->item->plain, a->arena, &copy, a->e);
	if (error_is_of_machine(result))
		return result;
	if (result || !copy->receipt_message.len || copy->terminal == a->d->device)
		return OK; /* the case moved; there is nothing to pass on, or it is read here */
	return effect_add(a, (struct domain_effect){ .type = DOMAIN_RELAY_STATUS,
	                                             .request = header_request(h),
	                                             .device = copy->terminal,
	                                             .version = h->version,
	                                             .flag = h->is_closing,
	                                             .message = codec_bytes(copy->receipt_message),
	                                             .source = a->item->hash });
}

/*
 * Cases that one town refers to another. `town` of a row stays the resident's, whose terminal shows the receipt; who
 * decides is `referred_to` while it is set. Only the resident's town refers, and the other one gives the case back: it
 * goes no further. The district, through which all of it goes, passes on
 *
 *   a referral                     to the town that decides: the request, every event, and the asks without an answer
 *   an event of the town that has it   to the resident's town, with what the resident is told
 *   an ask                         to the town that has it
 *
 * A town that had the case before passes over what it knows.
 */
#include <string.h>

#include "inside.h"

#define REFER LM__CASE_ACTION__CASE_ACTION_REFER
#define HAND_OVER LM__CASE_ACTION__CASE_ACTION_HAND_OVER
#define OF_TOWN LM__TIER__TIER_TOWN

const char *case_decider(const Lm__CaseRecord *record)
{
	return record->referred_to[0] ? record->referred_to : record->town;
}

bool case_is_ours(const struct domain *d, const Lm__CaseRecord *record)
{
	return record->owner == d->tier && (d->tier != OF_TOWN || strcmp(case_decider(record), d->place) == 0);
}

bool case_is_of_town(const struct domain *d, const Lm__CaseRecord *record)
{
	return d->tier == OF_TOWN && strcmp(record->town, d->place) == 0;
}

int64_t event_ms(const Lm__Header *h)
{
	return h->passed_ms ? h->passed_ms : h->time_ms;
}

/* ---- who writes ---- */

int case_author(struct apply *a, const char **town)
{
	const Lm__Header *h = a->item->header;
	Lm__DeviceRecord *device;
	*town = NULL;
	if (h->stream == LM__STREAM__STREAM_OWN)
		return OK;
	if (h->stream == LM__STREAM__STREAM_DOWN) { /* the district's word for it */
		*town = place_level_of(h->place) == PLACE_TOWN ? h->place : NULL;
		return OK;
	}
	*town = a->d->place;
	if (h->origin == a->d->device)
		return OK;
	if (memo_device(a, h->origin, &device))
		return error_set(a->e, ERR_DENIED, "device %016llx is not in the directory",
		                 (unsigned long long)h->origin);
	*town = device->place;
	return OK;
}

int case_author_check(struct apply *a, const Lm__CaseRecord *record, const char *town)
{
	if ((record->owner == OF_TOWN) != (town != NULL))
		return error_set(a->e, ERR_DENIED, "the case belongs to another tier");
	return !town || strcmp(town, case_decider(record)) == 0
	               ? OK
	               : error_set(a->e, ERR_DENIED, "town %.20s may not write for a case that town %.20s decides",
	                           town, case_decider(record));
}

int refer_check(const Lm__CaseRecord *record, Lm__CaseAction action, const char *town, struct error *e)
{
	if (action != REFER)
		return town[0] ? error_set(e, ERR_INVALID, "town: only a referral names one") : OK;
	if (place_level_of(town) != PLACE_TOWN || strlen(town) >= PLACE_TEXT_BYTES)
		return error_set(e, ERR_INVALID, "town: choose the town that is to decide");
	if (strcmp(town, record->town) == 0)
		return error_set(e, ERR_INVALID, "town: the case is of this town already");
	return OK;
}

/* ---- where it is ---- */

static int referred_add(struct apply *a, Lm__CaseRecord *record, char *town)
{
	if (name_is_among(town, record->referred, record->n_referred))
		return OK;
	char **grown = arena_alloc(a->arena, (record->n_referred + 1) * sizeof *grown);
	if (!grown)
		return store_fail(a->txn, ERR_MEMORY, "no memory for a case");
	if (record->n_referred)
		memcpy(grown, record->referred, record->n_referred * sizeof *grown);
	grown[record->n_referred++] = town;
	record->referred = grown;
	return OK;
}

int referred_move(struct apply *a, Lm__CaseRecord *record)
{
	const Lm__Header *h = a->item->header;
	if (h->action == HAND_OVER) {
		record->referred_to = (char *)(uintptr_t) "";
		record->referred_ms = 0;
	}
	if (h->action != REFER)
		return OK;
	record->referred_to = h->town;
	record->referred_ms = a->item->taken_ms;
	return referred_add(a, record, h->town);
}

const char *case_town_at(const Lm__CaseRecord *record, size_t i)
{
	return i == 0 ? record->town : i <= record->n_referred ? record->referred[i - 1] : NULL;
}

/* ---- at the district: what goes on to whom ---- */

static int pass(struct apply *a, struct id request, const char *town, uint64_t position)
{
	struct domain_effect fx = { .type = DOMAIN_CASE_PASS, .request = request, .position = position };
	fx.device = device_town_of(a->txn, town, a->arena);
	/* Staff choose among the towns of the directory; it may be given back later than this. */
	return fx.device ? effect_add(a, fx) : OK;
}

int case_event_pass(struct apply *a, struct id request, const Lm__CaseRecord *record, const char *author)
{
	const Lm__Header *h = a->item->header;
	if (a->d->tier != LM__TIER__TIER_DISTRICT || !author)
		return OK;
	if (h->action == REFER)
		return pass(a, request, h->town, 0);
	return strcmp(author, record->town) != 0 ? pass(a, request, record->town, a->item->position) : OK;
}

int case_ask_pass(struct apply *a, struct id request, const Lm__CaseRecord *record, uint64_t position)
{
	bool is_passed = a->d->tier == LM__TIER__TIER_DISTRICT && record->owner == OF_TOWN && record->referred_to[0];
	return is_passed && position ? pass(a, request, record->referred_to, position) : OK;
}

bool case_has_event(const Lm__CaseRecord *record, uint64_t position)
{
	for (size_t i = record->n_events; i; i--)
		if (record->events[i - 1] == position)
			return true;
	return false;
}

int case_pass_again(const struct domain *d, struct store_txn *txn, struct arena *arena, const struct domain_item *item,
                    struct domain_effects *fx, struct error *e)
{
	struct apply a = { .d = d, .txn = txn, .arena = arena, .item = item, .fx = fx, .e = e };
	struct id request = header_request(item->header);
	Lm__CaseRecord *record;
	const char *author;
	int result = case_get(txn, request, arena, &record);
	if (result)
		return result == ERR_NOT_FOUND ? OK : result;
	if (!case_has_event(record, item->position))
		return OK; /* refused, or still held up */
	result = case_author(&a, &author);
	return result ? result : case_event_pass(&a, request, record, author);
}

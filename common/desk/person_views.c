/*
 * Residents' records as the pages show them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "errand.h"
#include "proto/diff.h"

#define EVENTS_MOST 50
#define CASES_MOST 50
#define TAIL 4

static char *tail_of(struct arena *arena, const char *number)
{
	size_t size = strlen(number);
	return arena_text(arena, size > TAIL ? number + size - TAIL : number);
}

Lm__PersonRow *person_row(struct node *n, struct id person, const Lm__PersonRecord *record, struct arena *arena)
{
	static const Lm__PersonFacts none = LM__PERSON_FACTS__INIT;
	Lm__PersonRow *row = arena_alloc(arena, sizeof *row);
	void *id = arena_copy(arena, person.byte, ID_BYTES);
	const Lm__PersonFacts *f = record->facts ? record->facts : &none;
	if (!row || !id)
		return NULL;
	lm__person_row__init(row);
	row->person_id = codec_data(BYTES(id, ID_BYTES));
	row->name = arena_text(arena, f->name); /* copies: the record may live in a turn */
	row->sex = f->sex;
	row->birth = arena_text(arena, f->birth);
	row->id_tail = tail_of(arena, f->id_number);
	row->community = arena_text(arena, f->community);
	row->community_name = f->community[0] ? node_place_words(n, row->community, arena) : NULL;
	row->town = arena_text(arena, record->town);
	row->town_name = node_place_words(n, row->town, arena);
	row->is_dead = f->died_on[0] != '\0';
	row->is_merged = f->merged_into.len != 0;
	row->is_away = node_domain(n)->tier == LM__TIER__TIER_TOWN && strcmp(record->town, node_domain(n)->place) != 0;
	return row->name && row->birth && row->id_tail && row->community && row->town ? row : NULL;
}

/* ---- what happened ---- */

static const Lm__PersonFacts *event_content(Lm__PersonEventView *v, const Lm__Header *h, struct bytes plain,
                                            struct arena *arena)
{
	Lm__PersonPayload *p;
	Lm__PersonCopyPayload *copy;
	if (h->kind == LM__KIND__KIND_PERSON_COPY)
		return CODEC_UNPACK(lm__person_copy_payload, plain, arena, &copy, NULL) ? NULL : copy->facts;
	if (CODEC_UNPACK(lm__person_payload, plain, arena, &p, NULL))
		return NULL;
	v->action = p->action;
	v->staff = p->staff;
	v->reason = p->reason;
	v->others = p->others;
	v->n_others = p->n_others;
	return p->facts;
}

static Lm__PersonEventView *event_view(struct node *n, struct store_txn *txn, uint64_t position, struct arena *arena,
                                       const Lm__PersonFacts **facts)
{
	Lm__PersonEventView *v = arena_alloc(arena, sizeof *v);
	Lm__TapeItem *item;
	Lm__Header *h;
	struct bytes plain;
	bool is_absent;
	if (!v || item_at(n, txn, position, arena, &item, &h, &plain, &is_absent))
		return NULL;
	lm__person_event_view__init(v);
	v->version = h->version;
	v->time_ms = h->time_ms;
	v->town = h->place;
	v->town_name = node_place_words(n, h->place, arena);
	*facts = is_absent ? NULL : event_content(v, h, plain, arena);
	v->is_absent = !*facts;
	return v;
}

/* The newest first; what changed is told against the one before, as far as both are here. */
static int events_fill(struct node *n, struct store_txn *txn, struct id person, struct arena *arena,
                       Lm__PersonView *view)
{
	const Lm__PersonFacts *facts, *newer = NULL;
	struct person_event *events;
	size_t count;
	struct error e;
	int result = person_events(txn, person, arena, &events, &count);
	view->events = result ? NULL : arena_alloc(arena, (count + 1) * sizeof *view->events);
	if (!view->events)
		return result ? result : ERR_MEMORY;
	for (size_t i = 0; i < count && i <= EVENTS_MOST && !result; i++) {
		Lm__PersonEventView *v = event_view(n, txn, events[i].position, arena, &facts);
		if (!v)
			return ERR_MEMORY;
		if (i > 0 && newer && facts)
			result = message_diff(&facts->base, &newer->base, arena, &view->events[i - 1]->changes,
			                      &view->events[i - 1]->n_changes, &e);
		view->events[i] = v;
		view->n_events = i < EVENTS_MOST ? i + 1 : EVENTS_MOST;
		newer = facts;
	}
	return result;
}

/* ---- its cases, and those of what was merged into it ---- */

static int newest_first(const void *a, const void *b)
{
	return memcmp(b, a, ID_BYTES); /* ids begin with the time */
}

static int cases_list(struct store_txn *txn, const struct id *family, size_t members, struct arena *arena,
                      struct id **out, size_t *count, bool *is_more)
{
	*count = 0;
	*out = arena_alloc(arena, members * CASES_MOST * sizeof **out);
	int result = *out ? OK : ERR_MEMORY;
	for (size_t i = 0; i < members && !result; i++) {
		struct id *list;
		size_t some = 0;
		bool has_more = false;
		result = person_cases(txn, family[i], arena, CASES_MOST, &list, &some, &has_more);
		if (!result && some)
			memcpy(*out + *count, list, some * sizeof *list);
		*count += some;
		*is_more |= has_more;
	}
	if (!result && *count)
		qsort(*out, *count, sizeof **out, newest_first);
	return result;
}

static int cases_fill(struct node *n, struct store_txn *txn, const struct id *family, size_t members,
                      struct arena *arena, Lm__PersonView *view)
{
	struct id *list;
	size_t count = 0;
	bool is_more = false;
	struct working_days days;
	int result = cases_list(txn, family, members, arena, &list, &count, &is_more);
	if (!result)
		result = working_days_load(txn, arena, &days);
	view->cases = arena_alloc(arena, (CASES_MOST + 1) * sizeof *view->cases);
	if (!result && !view->cases)
		result = ERR_MEMORY;
	for (size_t i = 0; i < count && !result && view->n_cases < CASES_MOST; i++) {
		Lm__CaseRecord *record;
		result = case_get(txn, list[i], arena, &record);
		if (result || case_is_hidden(node_domain(n), record))
			continue;
		Lm__CaseRow *row = case_row(n, txn, list[i], record, &days, arena);
		if (!row)
			return ERR_MEMORY;
		view->cases[view->n_cases++] = row;
	}
	view->has_more_cases = is_more || count > CASES_MOST;
	return result;
}

static int merged_fill(struct node *n, struct store_txn *txn, const struct id *family, size_t members,
                       struct arena *arena, Lm__PersonView *view)
{
	view->merged = arena_alloc(arena, members * sizeof *view->merged);
	int result = view->merged ? OK : ERR_MEMORY;
	for (size_t i = 1; i < members && !result; i++) {
		Lm__PersonRecord *record;
		result = person_get(txn, family[i], arena, &record);
		if (result)
			break;
		Lm__PersonRow *row = person_row(n, family[i], record, arena);
		result = row ? OK : ERR_MEMORY;
		if (row)
			view->merged[view->n_merged++] = row;
	}
	return result;
}

static int goes_on_fill(struct node *n, struct store_txn *txn, struct arena *arena, Lm__PersonView *view)
{
	Lm__PersonRecord *record;
	struct id into;
	if (!view->facts || view->facts->merged_into.len != ID_BYTES)
		return OK;
	memcpy(into.byte, view->facts->merged_into.data, ID_BYTES);
	int result = person_get(txn, into, arena, &record);
	if (result)
		return result == ERR_NOT_FOUND ? OK : result;
	view->goes_on = person_row(n, into, record, arena);
	return view->goes_on ? OK : ERR_MEMORY;
}

/* ---- the record ---- */

static int in_force_fill(struct arena *arena, Lm__PersonView *view)
{
	char today[CLOCK_TEXT_BYTES];
	clock_format_shanghai(clock_wall_ms(), today);
	today[10] = '\0'; /* the day of it */
	size_t count = view->facts ? view->facts->n_representatives : 0;
	view->in_force = arena_alloc(arena, (count + 1) * sizeof *view->in_force);
	if (!view->in_force)
		return ERR_MEMORY;
	for (size_t i = 0; i < count; i++)
		if (representative_counts(view->facts, i, today))
			view->in_force[view->n_in_force++] = (uint32_t)i;
	return OK;
}

/* Handed over by us, and the district has not signed that it has it. */
static bool is_on_its_way(struct node *n, struct store_txn *txn, struct id person, const Lm__PersonRecord *record,
                          struct arena *arena)
{
	struct person_event *events;
	size_t count;
	const struct domain *d = node_domain(n);
	return d->tier == LM__TIER__TIER_TOWN && strcmp(record->town, d->place) != 0 &&
	       !person_events(txn, person, arena, &events, &count) && count &&
	       !journal_is_final(txn, events[0].position);
}

static int parts_fill(struct node *n, struct store_txn *txn, struct id person, const Lm__PersonRecord *record,
                      const char *user, struct arena *arena, Lm__PersonView *view)
{
	struct id family[PERSON_FAMILY_MOST];
	size_t members;
	int result = person_family(txn, person, family, &members);
	if (!result || result == ERR_TOO_MANY)
		result = cases_fill(n, txn, family, members, arena, view);
	if (!result)
		result = merged_fill(n, txn, family, members, arena, view);
	if (!result)
		result = goes_on_fill(n, txn, arena, view);
	if (!result)
		result = events_fill(n, txn, person, arena, view);
	if (!result)
		result = in_force_fill(arena, view);
	if (!result)
		result = certificate_view(n, txn, person, record, arena, &view->certificate);
	return result ? result : erasure_of(n, txn, person, user, arena, &view->erasure);
}

int person_view(struct node *n, struct store_txn *txn, struct id person, const char *user, struct arena *arena,
                Lm__PersonView **out, struct error *e)
{
	const struct domain *d = node_domain(n);
	Lm__PersonRecord *record;
	Lm__PersonView *view = arena_alloc(arena, sizeof *view);
	int result = view ? person_get(txn, person, arena, &record) : ERR_MEMORY;
	if (result == ERR_NOT_FOUND)
		return error_set(e, result, "there is no such record here");
	if (result)
		return store_failure(txn, e) ? store_failure(txn, e) : result;
	lm__person_view__init(view);
	view->row = person_row(n, person, record, arena);
	view->facts = record->facts;
	view->epoch = record->epoch;
	view->version = record->version;
	view->is_ours = d->tier == LM__TIER__TIER_TOWN && strcmp(record->town, d->place) == 0;
	view->created_ms = record->created_ms;
	view->changed_ms = record->changed_ms;
	result = view->row ? parts_fill(n, txn, person, record, user, arena, view) : ERR_MEMORY;
	view->is_on_its_way = is_on_its_way(n, txn, person, record, arena);
	view->can_erase = view->is_ours && !view->erasure;
	int failure = store_failure(txn, e);
	if (failure || result)
		return failure ? failure : error_set(e, result, "the record cannot be shown: %s", error_name(result));
	*out = view;
	return OK;
}

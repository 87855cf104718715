/*
 * Cases as the pages show them. Personal content is opened here, when somebody who is logged in looks, and nowhere
 * kept.
 */
#include <string.h>

#include "base/clock.h"
#include "deciding.h"
#include "domain/work.h"
#include "errand.h"

#define PAYLOAD_ARENA_BYTES (8u * 1024 * 1024)

static char *text_of(struct arena *arena, const char *text)
{
	char *copy = arena_text(arena, text ? text : "");
	return copy ? copy : (char *)(uintptr_t) "";
}

/* The first character of the name; the others as asterisks. */
static char *name_mask(struct arena *arena, const char *name)
{
	if (!name || !name[0])
		return text_of(arena, "");
	size_t first = 1;
	while ((name[first] & 0xC0) == 0x80)
		first++;
	long rest = utf8_length(bytes_from_text(name + first));
	return arena_format(arena, "%.*s%s", (int)first, name, rest > 1 ? "**" : "*");
}

static Lm__Words *service_words(struct arena *arena, const Lm__Service *service, const char *id)
{
	if (service && service->name)
		return service->name;
	Lm__Words *w = arena_alloc(arena, sizeof *w);
	if (!w)
		return NULL;
	lm__words__init(w);
	w->zh = w->en = text_of(arena, id);
	return w;
}

/* False: not now, for want of memory. */
static bool row_name(struct node *n, struct store_txn *txn, const Lm__CaseRecord *record, const Lm__Service *service,
                     struct arena *arena, Lm__CaseRow *row)
{
	Lm__RequestPayload *payload;
	struct arena whole; /* a page of cases with their pictures is more than a page of names */
	arena_init(&whole, PAYLOAD_ARENA_BYTES);
	row->masked_name = text_of(arena, "");
	int result = request_payload_open(n, txn, record, &whole, &payload, NULL);
	row->is_absent = result != OK;
	if (!result && service)
		row->masked_name = name_mask(arena, form_value(service, payload->values, payload->n_values,
		                                               LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_NAME));
	arena_release(&whole);
	return !error_is_of_machine(result);
}

Lm__PersonRecord *case_person(struct store_txn *txn, const Lm__CaseRecord *record, struct arena *arena)
{
	Lm__PersonRecord *person;
	struct id id;
	if (record->person_id.len != ID_BYTES)
		return NULL;
	memcpy(id.byte, record->person_id.data, ID_BYTES);
	return person_get(txn, id, arena, &person) ? NULL : person;
}

Lm__CaseRow *case_row(struct node *n, struct store_txn *txn, struct id request, const Lm__CaseRecord *record,
                      const struct working_days *days, struct arena *arena)
{
	Lm__CaseRow *row = arena_alloc(arena, sizeof *row);
	void *id = arena_copy(arena, request.byte, ID_BYTES);
	Lm__Service *service = NULL;
	Lm__ClaimRecord *claim;
	if (!row || !id)
		return NULL;
	lm__case_row__init(row);
	if (service_get(txn, record->service, record->revision, arena, &service))
		service = NULL;
	row->request_id = codec_data(BYTES(id, ID_BYTES));
	row->service = record->service;
	row->service_name = service_words(arena, service, record->service);
	row->revision = record->revision;
	row->place = record->place;
	row->place_name = node_place_words(n, record->place, arena);
	row->state = record->state;
	row->outcome = record->outcome;
	row->proposed = record->proposed;
	row->owner = record->owner;
	row->is_ours = record->owner == node_domain(n)->tier;
	row->epoch = record->epoch;
	row->version = record->version;
	row->received_ms = record->received_ms;
	row->changed_ms = record->changed_ms;
	for (size_t i = 0; i < record->n_asks; i++)
		row->pending_asks += !record->asks[i]->is_answered;
	Lm__PersonRecord *person = case_person(txn, record, arena);
	row->has_person = record->person_id.len != 0;
	row->person_died = person && person->facts && person->facts->died_on[0] && !case_state_is_closed(record->state);
	if (person && person->facts) {
		row->access = person->facts->access;
		row->n_access = person->facts->n_access;
	}
	if (!claim_get(txn, request, arena, &claim))
		row->staff = claim->staff;
	if (service)
		term_fill(record, service, days, row);
	row->handed = record->handed;
	if (row->is_ours)
		row->take_by_ms = take_by_ms(record, days, node_configuration(n)->hand_over_days);
	else if (row->handed == LM__HANDED_OVER__HANDED_OVER_WAITS && record->n_events)
		row->is_on_its_way = node_domain(n)->tier == LM__TIER__TIER_TOWN &&
		                     !journal_is_final(txn, record->events[record->n_events - 1]);
	return row_name(n, txn, record, service, arena, row) ? row : NULL;
}

/* A case of which nothing is known but that it is there: its row is damaged. */
Lm__CaseRow *case_row_unreadable(struct id request, struct arena *arena)
{
	Lm__CaseRow *row = arena_alloc(arena, sizeof *row);
	void *id = arena_copy(arena, request.byte, ID_BYTES);
	if (!row || !id)
		return NULL;
	lm__case_row__init(row);
	row->request_id = codec_data(BYTES(id, ID_BYTES));
	row->service_name = service_words(arena, NULL, "");
	row->is_absent = true;
	return row;
}

/* ---- answers ---- */

/* What a stored value is called: a choice by its name, a community by its own. */
static Lm__Words *value_name(const struct node *n, const Lm__Field *field, const char *value, struct arena *arena)
{
	if (field->type == LM__FIELD_TYPE__FIELD_TYPE_PLACE)
		return node_place_words(n, value, arena);
	for (size_t i = 0; i < field->n_choices; i++)
		if (strcmp(field->choices[i]->id, value) == 0)
			return field->choices[i]->name;
	return NULL;
}

static Lm__FieldView *field_view(const struct node *n, const Lm__Field *field, const Lm__FieldValue *value,
                                 struct arena *arena)
{
	Lm__FieldView *v = arena_alloc(arena, sizeof *v);
	if (!v)
		return NULL;
	lm__field_view__init(v);
	v->id = field->id;
	v->label = field->label;
	v->type = field->type;
	if (!value)
		return v;
	v->values = value->values;
	v->n_values = value->n_values;
	v->choice_names = arena_alloc(arena, (value->n_values + 1) * sizeof *v->choice_names);
	v->file_types = arena_alloc(arena, (value->n_files + 1) * sizeof *v->file_types);
	for (size_t i = 0; i < value->n_files && v->file_types; i++) {
		const char *type = file_type_of(codec_bytes(value->files[i]));
		v->file_types[v->n_file_types++] = text_of(arena, type);
	}
	for (size_t i = 0; i < value->n_values && v->choice_names; i++) {
		Lm__Words *name = value_name(n, field, value->values[i], arena);
		if (name)
			v->choice_names[v->n_choice_names++] = name;
	}
	return v;
}

static int fields_fill(const struct node *n, const Lm__RequestPayload *payload, struct arena *arena, Lm__CaseView *view)
{
	const Lm__Service *s = view->service;
	view->fields = arena_alloc(arena, (s->n_fields + 1) * sizeof *view->fields);
	for (size_t i = 0; i < s->n_fields && view->fields; i++) {
		const Lm__FieldValue *value = NULL;
		for (size_t k = 0; k < payload->n_values; k++)
			if (strcmp(payload->values[k]->field, s->fields[i]->id) == 0)
				value = payload->values[k];
		Lm__FieldView *v = field_view(n, s->fields[i], value, arena);
		if (!v)
			return ERR_MEMORY;
		view->fields[view->n_fields++] = v;
	}
	return view->fields ? OK : ERR_MEMORY;
}

/* ---- timeline ---- */

int item_at(struct node *n, struct store_txn *txn, uint64_t position, struct arena *arena, Lm__TapeItem **item,
            Lm__Header **h, struct bytes *plain, bool *is_absent)
{
	int result = journal_read(txn, position, arena, item, NULL);
	if (!result)
		result = CODEC_UNPACK(lm__header, codec_bytes((*item)->header), arena, h, NULL);
	if (result)
		return result;
	result = journal_item_open(node_journal(n), txn, position, *item, arena, plain, NULL);
	*is_absent = result == ERR_ABSENT;
	return *is_absent ? OK : result;
}

static void event_content(Lm__EventView *v, const Lm__Header *h, struct bytes plain, struct arena *arena)
{
	Lm__CasePayload *content = NULL;
	Lm__CaseCopyPayload *copy;
	int result = OK;
	if (h->kind == LM__KIND__KIND_CASE_COPY) {
		result = CODEC_UNPACK(lm__case_copy_payload, plain, arena, &copy, NULL);
		content = result ? NULL : copy->event;
	} else {
		result = CODEC_UNPACK(lm__case_payload, plain, arena, &content, NULL);
	}
	if (result || !content) {
		v->is_absent = true;
		return;
	}
	v->staff = content->staff;
	v->note = content->note;
	v->text = content->text;
	v->ground = content->ground;
	v->remedy = content->remedy;
	v->duplicate_of = content->duplicate_of;
	v->seen = content->seen;
	v->n_seen = content->n_seen;
	v->not_seen = content->not_seen;
	v->n_not_seen = content->n_not_seen;
	v->proposed_by = content->proposed_by;
}

static Lm__EventView *event_view(struct node *n, struct store_txn *txn, uint64_t position, struct arena *arena)
{
	Lm__EventView *v = arena_alloc(arena, sizeof *v);
	Lm__TapeItem *item;
	Lm__Header *h;
	struct bytes plain;
	bool is_absent;
	if (!v || item_at(n, txn, position, arena, &item, &h, &plain, &is_absent))
		return NULL;
	lm__event_view__init(v);
	v->version = h->version;
	v->action = h->action;
	v->outcome = h->outcome;
	v->owner = h->owner;
	bool is_handed = h->action == LM__CASE_ACTION__CASE_ACTION_HAND_OVER;
	v->by_tier = !is_handed                        ? h->owner
	             : h->owner == LM__TIER__TIER_TOWN ? LM__TIER__TIER_DISTRICT
	                                               : LM__TIER__TIER_TOWN;
	v->time_ms = h->time_ms;
	v->is_absent = is_absent;
	if (!is_absent)
		event_content(v, h, plain, arena);
	return v;
}

static void ask_text(Lm__AskView *v, const Lm__Header *h, struct bytes plain, struct arena *arena)
{
	Lm__AnswerPayload *answer;
	Lm__WithdrawPayload *withdraw;
	bool is_text = h->kind == LM__KIND__KIND_ANSWER || h->kind == LM__KIND__KIND_OBJECT;
	if (is_text && !CODEC_UNPACK(lm__answer_payload, plain, arena, &answer, NULL))
		v->text = answer->text;
	else if (h->kind == LM__KIND__KIND_WITHDRAW &&
	         !CODEC_UNPACK(lm__withdraw_payload, plain, arena, &withdraw, NULL))
		v->text = withdraw->reason;
	else
		v->is_absent = true;
}

static Lm__AskView *ask_view(struct node *n, struct store_txn *txn, const Lm__PendingAsk *ask, struct arena *arena)
{
	Lm__AskView *v = arena_alloc(arena, sizeof *v);
	Lm__TapeItem *item;
	Lm__Header *h;
	struct bytes plain;
	bool is_absent;
	if (!v)
		return NULL;
	lm__ask_view__init(v);
	v->kind = ask->kind;
	v->time_ms = ask->time_ms;
	v->version = ask->version;
	v->is_answered = ask->is_answered;
	v->is_absent = true;
	int result = ask->position ? item_at(n, txn, ask->position, arena, &item, &h, &plain, &is_absent) : ERR_ABSENT;
	if (!result && !is_absent) {
		v->is_absent = false;
		ask_text(v, h, plain, arena);
	}
	return error_is_of_machine(result) ? NULL : v;
}

static int timeline_fill(struct node *n, struct store_txn *txn, const Lm__CaseRecord *record, struct arena *arena,
                         Lm__CaseView *view)
{
	view->events = arena_alloc(arena, (record->n_events + 1) * sizeof *view->events);
	view->asks = arena_alloc(arena, (record->n_asks + 1) * sizeof *view->asks);
	if (!view->events || !view->asks)
		return ERR_MEMORY;
	for (size_t i = 0; i < record->n_events; i++) {
		Lm__EventView *v = event_view(n, txn, record->events[i], arena);
		if (!v)
			return ERR_MEMORY;
		view->events[view->n_events++] = v;
	}
	for (size_t i = 0; i < record->n_asks; i++) {
		Lm__AskView *v = ask_view(n, txn, record->asks[i], arena);
		if (!v)
			return ERR_MEMORY;
		view->asks[view->n_asks++] = v;
	}
	return OK;
}

/* Who types it is what the tiers vouch for: what a terminal sends has nobody. */
static Lm__RequestChannel channel_of(const Lm__RequestPayload *payload)
{
	if (!payload->taken_by[0])
		return LM__REQUEST_CHANNEL__REQUEST_CHANNEL_KIOSK;
	return payload->channel == LM__REQUEST_CHANNEL__REQUEST_CHANNEL_PHONE
	               ? LM__REQUEST_CHANNEL__REQUEST_CHANNEL_PHONE
	               : LM__REQUEST_CHANNEL__REQUEST_CHANNEL_COUNTER;
}

int case_view(struct node *n, struct store_txn *txn, struct id request, const char *user, struct arena *arena,
              Lm__CaseView **out, struct error *e)
{
	Lm__CaseRecord *record;
	Lm__RequestPayload *payload = NULL;
	int result = case_get(txn, request, arena, &record);
	if (result == ERR_NOT_FOUND)
		return error_set(e, result, "there is no such case here");
	if (result)
		return store_failure(txn, e) ? store_failure(txn, e) : result;
	Lm__CaseView *view = arena_alloc(arena, sizeof *view);
	if (!view)
		return error_set(e, ERR_MEMORY, "no memory for the case");
	lm__case_view__init(view);
	struct working_days days;
	result = working_days_load(txn, arena, &days);
	if (result)
		return store_failure(txn, e) ? store_failure(txn, e) : result;
	view->row = case_row(n, txn, request, record, &days, arena);
	view->language = text_of(arena, "");
	Lm__PersonRecord *person = case_person(txn, record, arena);
	if (person) {
		struct id id;
		memcpy(id.byte, record->person_id.data, ID_BYTES);
		view->person = person_row(n, id, person, arena);
	}
	if (service_get(txn, record->service, record->revision, arena, &view->service))
		view->service = NULL;
	result = view->row ? timeline_fill(n, txn, record, arena, view) : ERR_MEMORY;
	int opened =
	        !result && view->service ? request_payload_open(n, txn, record, arena, &payload, NULL) : ERR_ABSENT;
	if (!result && error_is_of_machine(opened))
		result = opened;
	if (!result && !opened) {
		view->language = payload->language;
		view->consents = payload->consents;
		view->n_consents = payload->n_consents;
		view->is_for_child = payload->is_for_child;
		view->guardian = payload->guardian;
		view->taken_by = payload->taken_by;
		view->channel = channel_of(payload);
		result = fields_fill(n, payload, arena, view);
	}
	if (!result)
		result = new_codes_fill(n, txn, record, arena, view);
	if (!result)
		result = letters_of(txn, request, arena, LETTERS_SHOWN_MOST, &view->letters, &view->n_letters);
	if (!result)
		result = proofs_fill(opened ? NULL : payload, person, arena, view);
	const char *why = result ? NULL : deciding_stranger_why(view, record, user);
	view->why_not_decide = text_of(arena, why);
	if (!result && view->service && case_may_object(txn, request, record, clock_wall_ms(), arena))
		view->object_until_ms = case_object_until(view->service, record->outcome, false, record->closed_ms);
	if (!result)
		result = erasure_fill(n, txn, request, record, user, arena, view);
	int failure = store_failure(txn, e); /* half a case is worse than none */
	if (failure || result)
		return failure ? failure : error_set(e, result, "the case cannot be shown: %s", error_name(result));
	*out = view;
	return OK;
}

int file_view(struct node *n, struct store_txn *txn, struct id request, const char *field, struct arena *arena,
              Lm__FileView **out, struct error *e)
{
	Lm__CaseRecord *record;
	Lm__RequestPayload *payload;
	int result = case_get(txn, request, arena, &record);
	if (!result)
		result = request_payload_open(n, txn, record, arena, &payload, NULL);
	for (size_t i = 0; !result && i < payload->n_values; i++) {
		const Lm__FieldValue *v = payload->values[i];
		const char *type = v->n_files ? file_type_of(codec_bytes(v->files[0])) : NULL;
		if (!type || strcmp(v->field, field) != 0)
			continue;
		*out = arena_alloc(arena, sizeof **out);
		if (!*out)
			return error_set(e, ERR_MEMORY, "no memory for the file");
		lm__file_view__init(*out);
		(*out)->type = text_of(arena, type);
		(*out)->content = v->files[0];
		return OK;
	}
	int failure = store_failure(txn, e);
	if (failure || error_is_of_machine(result))
		return failure ? failure : error_set(e, result, "the file cannot be shown: %s", error_name(result));
	return error_set(e, ERR_NOT_FOUND, "this case has no such file, or it cannot be opened");
}

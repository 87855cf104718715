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

static bool row_access(uint32_t bits, struct arena *arena, Lm__CaseRow *row)
{
	row->access = arena_alloc(arena, 32 * sizeof *row->access);
	for (unsigned need = 1; need < 32 && row->access; need++)
		if (bits & (1u << need))
			row->access[row->n_access++] = (Lm__AccessNeed)need;
	return row->access != NULL;
}

/* What the request itself tells, beside what the record says of it: the name, masked, how the resident wants to be
 * served, and whether a carer may act. False: not now, for want of memory. */
static bool row_told(struct node *n, struct store_txn *txn, const Lm__CaseRecord *record, const Lm__Service *service,
                     const Lm__PersonFacts *facts, struct arena *arena, Lm__CaseRow *row)
{
	uint32_t needs = facts ? access_bits(facts->access, facts->n_access) : 0;
	Lm__RequestPayload *payload;
	struct arena whole; /* a page of cases with their pictures is more than a page of names */
	arena_init(&whole, PAYLOAD_ARENA_BYTES);
	row->masked_name = text_of(arena, "");
	int result = request_payload_open(n, txn, record, &whole, &payload, NULL);
	row->is_absent = result != OK;
	if (!result && service)
		row->masked_name = name_mask(arena, form_value(service, payload->values, payload->n_values,
		                                               LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_NAME));
	if (!result)
		needs |= access_bits(payload->access, payload->n_access);
	if (!result)
		result = carer_authority(n, txn, record, service, payload, facts, arena, &row->authority);
	arena_release(&whole);
	return row_access(needs, arena, row) && !error_is_of_machine(result);
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

static void referred_fill(const struct node *n, const Lm__CaseRecord *record, struct arena *arena, Lm__CaseRow *row)
{
	const struct domain *d = node_domain(n);
	bool is_open = !case_state_is_closed(record->state);
	row->can_refer = row->is_ours && is_open && case_is_of_town(d, record);
	row->referred_to = record->referred_to;
	row->referred_ms = record->referred_ms;
	if (record->referred_to[0])
		row->referred_name = node_place_words(n, row->is_ours ? record->town : record->referred_to, arena);
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
	row->is_ours = case_is_ours(node_domain(n), record);
	row->epoch = record->epoch;
	row->version = record->version;
	row->received_ms = record->received_ms;
	row->changed_ms = record->changed_ms;
	for (size_t i = 0; i < record->n_asks; i++)
		row->pending_asks += !record->asks[i]->is_answered;
	Lm__PersonRecord *person = case_person(txn, record, arena);
	row->has_person = record->person_id.len != 0;
	const Lm__PersonFacts *facts = person ? person->facts : NULL;
	row->person_died = facts && facts->died_on[0] && !case_state_is_closed(record->state);
	if (!claim_get(txn, request, arena, &claim))
		row->staff = claim->staff;
	if (service)
		term_fill(record, service, days, row);
	referred_fill(n, record, arena, row);
	row->handed = record->handed;
	if (row->is_ours)
		row->take_by_ms = take_by_ms(record, days, node_configuration(n)->hand_over_days);
	else if (row->handed == LM__HANDED_OVER__HANDED_OVER_WAITS && record->n_events)
		row->is_on_its_way = node_domain(n)->tier == LM__TIER__TIER_TOWN &&
		                     !journal_is_final(txn, record->events[record->n_events - 1]);
	return row_told(n, txn, record, service, facts, arena, row) ? row : NULL;
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

/* A file that travels in parts, and how many of them are here. */
static void parted_fill(struct store_txn *txn, struct id request, const Lm__FieldValue *value, struct arena *arena,
                        Lm__FieldView *v)
{
	const Lm__PartedFile *file = value && value->n_parted ? value->parted[0] : NULL;
	if (!file || !parted_is_good(file))
		return;
	char **types = arena_alloc(arena, sizeof *types);
	if (!types)
		return;
	types[0] = file->type;
	v->file_types = types;
	v->n_file_types = 1;
	v->parts = parted_count(file);
	v->parts_come = parted_come(txn, request, file);
}

static int fields_fill(const struct node *n, struct store_txn *txn, struct id request,
                       const Lm__RequestPayload *payload, struct arena *arena, Lm__CaseView *view)
{
	const Lm__Service *s = view->service;
	view->fields = arena_alloc(arena, (s->n_fields + 1) * sizeof *view->fields);
	for (size_t i = 0; i < s->n_fields && view->fields; i++) {
		const Lm__FieldValue *value = NULL;
		for (size_t k = 0; k < payload->n_values; k++)
			if (strcmp(payload->values[k]->field, s->fields[i]->id) == 0)
				value = payload->values[k];
		Lm__FieldView *v = node_field_view(n, s->fields[i], value, arena);
		if (!v)
			return ERR_MEMORY;
		parted_fill(txn, request, value, arena, v);
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

int event_open(struct node *n, struct store_txn *txn, uint64_t position, struct arena *arena, Lm__Header **h,
               Lm__CasePayload **out)
{
	Lm__TapeItem *item;
	Lm__CaseCopyPayload *copy;
	struct bytes plain;
	bool is_absent;
	int result = item_at(n, txn, position, arena, &item, h, &plain, &is_absent);
	*out = NULL;
	if (result || is_absent)
		return result;
	if ((*h)->kind == LM__KIND__KIND_CASE_COPY) {
		result = CODEC_UNPACK(lm__case_copy_payload, plain, arena, &copy, NULL);
		*out = result ? NULL : copy->event;
	} else {
		result = CODEC_UNPACK(lm__case_payload, plain, arena, out, NULL);
	}
	return error_is_of_machine(result) ? result : OK;
}

static int event_fields_fill(const struct node *n, const Lm__Service *service, const Lm__CasePayload *content,
                             struct arena *arena, Lm__EventView *v)
{
	v->fields = arena_alloc(arena, (content->n_values + 1) * sizeof *v->fields);
	for (size_t i = 0; i < content->n_values && v->fields; i++) {
		const Lm__Field *f = service ? step_field(service, content->values[i]->field) : NULL;
		Lm__FieldView *one = f ? node_field_view(n, f, content->values[i], arena) : NULL;
		if (f && !one)
			return ERR_MEMORY;
		if (one)
			v->fields[v->n_fields++] = one;
	}
	return v->fields ? OK : ERR_MEMORY;
}

static void event_content(Lm__EventView *v, const Lm__CasePayload *content)
{
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

static int event_fill(struct node *n, struct store_txn *txn, uint64_t position, const Lm__Service *service,
                      struct arena *arena, Lm__EventView *v)
{
	Lm__Header *h;
	Lm__CasePayload *content;
	int result = event_open(n, txn, position, arena, &h, &content);
	if (result)
		return result;
	v->version = h->version;
	v->action = h->action;
	v->outcome = h->outcome;
	v->rating = h->rating;
	v->owner = h->owner;
	v->by_tier = place_level_of(h->place) == PLACE_TOWN ? LM__TIER__TIER_TOWN : LM__TIER__TIER_DISTRICT;
	v->place = h->place;
	v->place_name = node_place_words(n, h->place, arena);
	v->town = h->town;
	v->town_name = h->town[0] ? node_place_words(n, h->town, arena) : NULL;
	v->time_ms = h->passed_ms ? h->passed_ms : h->time_ms;
	v->is_absent = !content;
	if (!content)
		return OK;
	event_content(v, content);
	return event_fields_fill(n, service, content, arena, v);
}

/* Files of steps stay behind: a case with many of them is not more than its words. */
static Lm__EventView *event_view(struct node *n, struct store_txn *txn, uint64_t position, const Lm__Service *service,
                                 struct arena *arena)
{
	Lm__EventView v = LM__EVENT_VIEW__INIT;
	ProtobufCMessage *copy = NULL;
	struct bytes packed;
	struct arena whole;
	arena_init(&whole, PAYLOAD_ARENA_BYTES);
	int result = event_fill(n, txn, position, service, &whole, &v);
	if (!result)
		result = CODEC_PACK(&v, &whole, &packed, NULL);
	if (!result)
		result = codec_unpack(&lm__event_view__descriptor, packed, arena, &copy, NULL);
	arena_release(&whole);
	return result ? NULL : (Lm__EventView *)copy;
}

static void ask_text(Lm__AskView *v, const Lm__Header *h, struct bytes plain, struct arena *arena)
{
	Lm__AnswerPayload *answer;
	Lm__WithdrawPayload *withdraw;
	bool is_text = h->kind != LM__KIND__KIND_WITHDRAW;
	if (is_text && !CODEC_UNPACK(lm__answer_payload, plain, arena, &answer, NULL))
		v->text = answer->text;
	else if (!is_text && !CODEC_UNPACK(lm__withdraw_payload, plain, arena, &withdraw, NULL)) {
		v->text = withdraw->reason;
		v->is_unwanted = withdraw->is_unwanted;
	} else
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
	v->rating = ask->rating;
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
		Lm__EventView *v = event_view(n, txn, record->events[i], view->service, arena);
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
	view->rating = record->rating;
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
		view->carer = payload->carer;
		view->taken_by = payload->taken_by;
		view->channel = channel_of(payload);
		view->identity = payload->taken_by[0] ? NULL : payload->identity;
		result = fields_fill(n, txn, request, payload, arena, view);
		parted_leave_out(txn, request, payload->values, payload->n_values);
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

static const Lm__FieldValue *value_of(Lm__FieldValue *const *values, size_t count, const char *field)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(values[i]->field, field) == 0)
			return values[i];
	return NULL;
}

/* False: it is no file that is shown. */
static bool file_take(struct bytes content, struct arena *arena, Lm__FileView **out)
{
	const char *type = file_type_of(content);
	if (!type)
		return false;
	*out = arena_alloc(arena, sizeof **out);
	if (!*out)
		return true;
	lm__file_view__init(*out);
	(*out)->type = text_of(arena, type);
	(*out)->content = codec_data(content);
	return true;
}

static bool value_file_take(const Lm__FieldValue *v, struct arena *arena, Lm__FileView **out)
{
	return v && v->n_files && file_take(codec_bytes(v->files[0]), arena, out);
}

/* ERR_NOT_READY and ERR_DAMAGED say of a file in parts what is the matter with it. */
static int request_file_find(struct store_txn *txn, struct id request, const Lm__RequestPayload *payload,
                             const char *field, struct arena *arena, bool *is_found, Lm__FileView **out,
                             struct error *e)
{
	const Lm__FieldValue *v = value_of(payload->values, payload->n_values, field);
	struct bytes content;
	if (!v || !v->n_parted) {
		*is_found = value_file_take(v, arena, out);
		return OK;
	}
	int result = parted_read(txn, request, v->parted[0], arena, &content, e);
	*is_found = !result && file_take(content, arena, out);
	return result;
}

static int event_file_find(struct node *n, struct store_txn *txn, const Lm__CaseRecord *record,
                           const struct file_name *name, struct arena *arena, bool *is_found, Lm__FileView **out)
{
	int result = OK;
	for (size_t i = 0; i < record->n_events && !result && !*is_found; i++) {
		Lm__Header *h;
		Lm__CasePayload *content;
		struct arena whole;
		arena_init(&whole, PAYLOAD_ARENA_BYTES);
		result = event_open(n, txn, record->events[i], &whole, &h, &content);
		bool is_it = !result && content && h->version == name->version;
		arena_release(&whole);
		if (!is_it)
			continue;
		result = event_open(n, txn, record->events[i], arena, &h, &content);
		*is_found = !result && content &&
		            value_file_take(value_of(content->values, content->n_values, name->field), arena, out);
	}
	return result;
}

int file_view(struct node *n, struct store_txn *txn, struct id request, const struct file_name *name,
              struct arena *arena, Lm__FileView **out, struct error *e)
{
	Lm__CaseRecord *record;
	Lm__RequestPayload *payload;
	bool is_found = false;
	*out = NULL;
	int result = case_get(txn, request, arena, &record);
	if (!result && name->version)
		result = event_file_find(n, txn, record, name, arena, &is_found, out);
	else if (!result)
		result = request_payload_open(n, txn, record, arena, &payload, NULL);
	if (!result && !name->version) {
		result = request_file_find(txn, request, payload, name->field, arena, &is_found, out, e);
		if (result)
			return store_failure(txn, e) ? store_failure(txn, NULL) : result;
	}
	if (is_found)
		return *out ? OK : error_set(e, ERR_MEMORY, "no memory for the file");
	int failure = store_failure(txn, e);
	if (failure || error_is_of_machine(result))
		return failure ? failure : error_set(e, result, "the file cannot be shown: %s", error_name(result));
	return error_set(e, ERR_NOT_FOUND, "this case has no such file, or it cannot be opened");
}

/* A receipt that was made at another terminal: the town finds the case by the keyed hash of its code. */
#include <string.h>

#include "codes.h"
#include "inside.h"

static int receipt_search(struct node *n, const char *code, struct arena *arena, struct hash *hash, struct id found[2],
                          size_t *count, struct error *e)
{
	Lm__NodeSecretPayload *secret;
	struct store_txn *txn;
	int result = store_begin_read(node_store(n), &txn, e);
	if (result)
		return result;
	result = secret_get(txn, arena, &secret);
	if (!result)
		result = case_code_hash(secret->code_hash_key.data, code, hash, e);
	store_abort(txn);
	*count = 0;
	return result ? result : codes_find(codes_of(n), node_store(n), hash, found, 2, count, e);
}

struct decision { /* what the event says beyond its words, as its message does */
	Lm__Objected objected;
	int64_t object_until_ms;
};

/* The same as what was told when it was decided: from the events before it. */
static struct decision decision_at(const Lm__CaseView *view, size_t at)
{
	struct decision d = { 0 };
	const Lm__EventView *event = view->events[at];
	Lm__Outcome before = LM__OUTCOME__OUTCOME_NONE;
	bool is_objected = false, was_objected = false;
	if (event->action != LM__CASE_ACTION__CASE_ACTION_DECIDE)
		return d;
	for (size_t i = 0; i < at; i++) {
		Lm__CaseAction action = view->events[i]->action;
		is_objected = (is_objected || action == LM__CASE_ACTION__CASE_ACTION_OBJECT) &&
		              action != LM__CASE_ACTION__CASE_ACTION_DECIDE;
		was_objected |= is_objected;
		if (action == LM__CASE_ACTION__CASE_ACTION_DECIDE)
			before = view->events[i]->outcome;
	}
	d.objected = objected_of(is_objected, before, event->outcome);
	if (view->service)
		d.object_until_ms = case_object_until(view->service, event->outcome, was_objected, event->time_ms);
	return d;
}

/* As the event's own message has it. */
static bool told_fill(const Lm__Service *service, const Lm__EventView *event, struct arena *arena, Lm__StatusMessage *m)
{
	Lm__FieldValue **values = arena_alloc(arena, (event->n_fields + 1) * sizeof *values);
	for (size_t i = 0; i < event->n_fields && values; i++) {
		values[i] = arena_alloc(arena, sizeof **values);
		if (!values[i])
			return false;
		lm__field_value__init(values[i]);
		values[i]->field = event->fields[i]->id;
		values[i]->values = event->fields[i]->values;
		values[i]->n_values = event->fields[i]->n_values;
	}
	return values && (!service || !step_values_told(service, values, event->n_fields, arena, m));
}

static bool status_from(const Lm__CaseView *view, const Lm__EventView *event, const struct decision *decision,
                        struct id *request, struct arena *arena, ProtobufCBinaryData *out)
{
	Lm__StatusMessage m = LM__STATUS_MESSAGE__INIT;
	struct bytes packed;
	m.request_id = codec_data(BYTES(request->byte, ID_BYTES));
	m.version = event->version;
	m.action = event->action;
	m.outcome = event->outcome;
	m.office = event->place;
	m.time_ms = event->time_ms;
	m.text = event->text;
	m.ground = event->ground;
	m.remedy = event->remedy;
	m.owner = event->owner;
	m.town = event->town;
	m.rating = event->rating;
	m.is_closing = event->action == LM__CASE_ACTION__CASE_ACTION_DECIDE ||
	               event->action == LM__CASE_ACTION__CASE_ACTION_WITHDRAWN ||
	               event->action == LM__CASE_ACTION__CASE_ACTION_DUPLICATE;
	m.objected = decision->objected;
	m.object_until_ms = decision->object_until_ms;
	if (!told_fill(view->service, event, arena, &m) || CODEC_PACK(&m, arena, &packed, NULL))
		return false;
	*out = codec_data(packed);
	return true;
}

static int receipt_fill(struct node *n, struct store_txn *txn, struct id request, const struct hash *hash,
                        struct arena *arena, Lm__Answer *answer, struct error *e)
{
	Lm__CaseView *view;
	Lm__CaseRecord *record;
	int64_t until_ms = 0;
	int result = case_get(txn, request, arena, &record);
	if (!result && case_has_code(record, hash, &until_ms) && until_ms) {
		answer->why = arena_text(arena, "replaced");
		answer->replaced_ms = until_ms;
		return OK;
	}
	if (!result)
		result = case_view(n, txn, request, "", arena, &view, e);
	if (result)
		return result;
	answer->statuses = arena_alloc(arena, (view->n_events + 1) * sizeof *answer->statuses);
	if (!answer->statuses)
		return error_set(e, ERR_MEMORY, "no memory");
	bool is_erased = view->erasure && view->erasure->is_done;
	answer->erased_ms = is_erased ? view->erasure->erased_ms : 0;
	for (size_t i = 0; i < view->n_events && !is_erased; i++) {
		struct decision decision = decision_at(view, i);
		if (!case_action_is_told(view->events[i]->action))
			continue;
		if (status_from(view, view->events[i], &decision, &request, arena,
		                &answer->statuses[answer->n_statuses]))
			answer->n_statuses++;
	}
	answer->is_found = true;
	answer->request_id = codec_data(BYTES(arena_copy(arena, request.byte, ID_BYTES), ID_BYTES));
	answer->service = record->service;
	answer->revision = record->revision;
	answer->created_ms = record->created_ms;
	answer->mark = journal_is_final(txn, record->position) ? LM__MARK_LEVEL__MARK_LEVEL_FINAL
	                                                       : LM__MARK_LEVEL__MARK_LEVEL_CUSTODY;
	return OK;
}

int desk_find_receipt(struct node *n, const char *code, uint64_t asker, struct arena *arena, Lm__Answer *answer,
                      struct error *e)
{
	struct store_txn *txn;
	struct hash hash;
	struct id found[2];
	size_t count = 0;
	char plain[RECEIPT_CODE_DIGITS + 1];
	(void)asker;
	int result = receipt_code_parse(code, plain, e);
	if (!result)
		result = receipt_search(n, plain, arena, &hash, found, &count, e);
	if (result)
		return result;
	if (count == 0 && e->code)
		return e->code; /* perhaps it is the one that cannot be read */
	if (count != 1) {       /* two people drew the same code: neither is shown here */
		answer->why = arena_text(arena, count ? "see-staff" : "not-found");
		return OK;
	}
	result = store_begin_read(node_store(n), &txn, e);
	if (result)
		return result;
	result = receipt_fill(n, txn, found[0], &hash, arena, answer, e);
	store_abort(txn);
	return result;
}

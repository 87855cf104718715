/*
 * The owner's events. One event is up to three entries, in one transaction: the event (town: up, district: own), and
 * what goes down: at a town the resident's message to the terminal, at the district a copy for the town with the
 * message inside, which the town passes on. A town that the case was referred to puts the message into its event.
 */
#include <string.h>

#include "base/log.h"
#include "inside.h"

int request_payload_open(struct node *n, struct store_txn *txn, const Lm__CaseRecord *record, struct arena *arena,
                         Lm__RequestPayload **out, struct error *e)
{
	Lm__TapeItem *item;
	struct bytes plain;
	int result = journal_read(txn, record->position, arena, &item, e);
	if (!result)
		result = journal_item_open(node_journal(n), txn, record->position, item, arena, &plain, e);
	if (!result)
		result = CODEC_UNPACK(lm__request_payload, plain, arena, out, e);
	if (!result && (*out)->receipt_key.len != RECEIPT_KEY_BYTES)
		result = error_set(e, ERR_ABSENT, "the request carries no receipt key");
	return result;
}

static void id_set(Lm__Header *h, const struct id *request)
{
	h->request_id = codec_data(BYTES(request->byte, ID_BYTES));
}

Lm__Objected objected_of(bool was_objection, Lm__Outcome before, Lm__Outcome after)
{
	if (!was_objection)
		return LM__OBJECTED__OBJECTED_NONE;
	return before == after ? LM__OBJECTED__OBJECTED_UPHELD : LM__OBJECTED__OBJECTED_CHANGED;
}

/* Both, where one acted for the other. */
static void names_set(const Lm__Service *service, const Lm__RequestPayload *payload, Lm__StatusMessage *message)
{
	const char *name = form_value(service, payload->values, payload->n_values,
	                              LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_NAME);
	message->name = name ? (char *)(uintptr_t)name : message->name;
	message->carer = payload->carer->name;
}

/* What the resident reads, sealed so that only the receipt's code opens it. */
static int message_make(struct turn *t, const struct id *request, const Lm__CaseRecord *before, const Lm__Header *event,
                        int64_t time_ms, const Lm__CasePayload *content, const Lm__RequestPayload *payload,
                        struct bytes *out, struct error *e)
{
	Lm__Service *service;
	Lm__StatusMessage message = LM__STATUS_MESSAGE__INIT;
	struct bytes packed;
	uint8_t associated[24];
	message.request_id = codec_data(BYTES(request->byte, ID_BYTES));
	message.version = event->version;
	message.action = event->action;
	message.outcome = event->outcome;
	message.office = event->place;
	message.time_ms = time_ms;
	message.text = content->text;
	message.ground = content->ground;
	message.remedy = content->remedy;
	message.is_closing = event->is_closing;
	message.owner = event->owner;
	message.town = event->town;
	message.rating = event->rating;
	bool is_decision = event->action == LM__CASE_ACTION__CASE_ACTION_DECIDE;
	bool has_service = (is_decision || content->n_values || payload->carer) &&
	                   !service_get(t->txn, before->service, before->revision, t->arena, &service);
	if (is_decision && has_service)
		message.object_until_ms = case_object_until(service, event->outcome, before->was_objected, time_ms);
	if (is_decision)
		message.objected = objected_of(before->is_objected, before->outcome, event->outcome);
	if (has_service && payload->carer)
		names_set(service, payload, &message);
	if (has_service && step_values_told(service, content->values, content->n_values, t->arena, &message))
		return error_set(e, ERR_MEMORY, "no memory for the resident's message");
	int result = CODEC_PACK(&message, t->arena, &packed, e);
	if (result)
		return result;
	size_t size = receipt_message_sealed_bytes(packed.size);
	uint8_t *sealed = arena_alloc(t->arena, size);
	if (!size || !sealed)
		return error_set(e, ERR_MEMORY, "no memory for the resident's message");
	*out = BYTES(sealed, size);
	return receipt_message_seal(payload->receipt_key.data, status_associated(*request, event->version, associated),
	                            packed, sealed, e);
}

static int status_write(struct turn *t, const struct id *request, const Lm__CaseRecord *record, const Lm__Header *event,
                        struct bytes message, const struct hash *source, struct error *e)
{
	Lm__Header h = LM__HEADER__INIT;
	struct placed placed;
	h.kind = LM__KIND__KIND_STATUS;
	id_set(&h, request);
	h.version = event->version;
	h.is_closing = event->is_closing;
	h.is_reopening = event->is_reopening;
	h.source = codec_data(BYTES(source->byte, HASH_BYTES));
	struct draft draft = {
		.stream = LM__STREAM__STREAM_DOWN, .receiver = record->terminal, .header = &h, .payload = message
	};
	return turn_append(t, &draft, &placed, e);
}

static int copy_write(struct turn *t, const struct id *request, const Lm__CaseRecord *record, const Lm__Header *event,
                      Lm__CasePayload *content, struct bytes message, const struct hash *source, struct error *e)
{
	Lm__Header h = *event;
	Lm__CaseCopyPayload copy = LM__CASE_COPY_PAYLOAD__INIT;
	struct bytes packed;
	struct placed placed;
	uint64_t town = device_town_of(t->txn, record->town, t->arena);
	if (!town && store_failure(t->txn, e))
		return store_failure(t->txn, e);
	if (!town)
		return error_set(e, ERR_NOT_READY, "town %.20s is not in the directory", record->town);
	h.kind = LM__KIND__KIND_CASE_COPY;
	id_set(&h, request);
	h.source = codec_data(BYTES(source->byte, HASH_BYTES));
	copy.event = content;
	copy.receipt_message = codec_data(message);
	copy.terminal = record->terminal;
	copy.lookup = record->lookup;
	int result = CODEC_PACK(&copy, t->arena, &packed, e);
	struct draft draft = {
		.stream = LM__STREAM__STREAM_DOWN, .receiver = town, .header = &h, .payload = packed, .is_sealed = true
	};
	return result ? result : turn_append(t, &draft, &placed, e);
}

/* Fields that the journal fills in are not to be carried from one entry into the next. */
static void header_copy_public(Lm__Header *to, const Lm__Header *from)
{
	Lm__Header clean = LM__HEADER__INIT;
	clean.kind = from->kind;
	clean.place = from->place;
	clean.service = from->service;
	clean.revision = from->revision;
	clean.action = from->action;
	clean.outcome = from->outcome;
	clean.owner = from->owner;
	clean.epoch = from->epoch;
	clean.version = from->version;
	clean.asks = from->asks;
	clean.n_asks = from->n_asks;
	clean.is_closing = from->is_closing;
	clean.is_reopening = from->is_reopening;
	clean.person_id = from->person_id;
	clean.town = from->town;
	clean.rating = from->rating;
	*to = clean;
}

int case_event_write(struct turn *t, struct id request, const Lm__CaseRecord *record, const struct case_event *event,
                     struct error *e)
{
	const struct domain *d = node_domain(t->node);
	bool is_town = d->tier == LM__TIER__TIER_TOWN;
	Lm__Header h = LM__HEADER__INIT, outline;
	Lm__RequestPayload *payload;
	ProtobufCBinaryData asks[1];
	struct bytes packed, message = { 0 };
	struct placed placed;
	int result = case_action_check(record, event->action, event->outcome, e);
	if (!result)
		result = case_rating_check(record, event->action, event->rating, e);
	if (result)
		return result;
	case_event_header(d, record, event->action, event->outcome, &h);
	id_set(&h, &request);
	if (event->ask) {
		asks[0] = codec_data(BYTES(event->ask->byte, HASH_BYTES));
		h.asks = asks;
		h.n_asks = 1;
	}
	h.person_id = codec_data(event->person_id);
	h.town = event->town ? event->town : h.town;
	h.rating = event->rating;
	header_copy_public(&outline, &h);
	/* The receipt key first: without it the case still moves, but nothing can be told. */
	int opened = request_payload_open(t->node, t->txn, record, t->arena, &payload, e);
	if (error_is_of_machine(opened))
		result = opened;
	bool can_tell = !opened && case_action_is_told(event->action) &&
	                !case_code_is_new(record); /* no terminal has a lock for it: it asks the town */
	if (!result && can_tell)
		result = message_make(t, &request, record, &outline, t->now_ms, event->content, payload, &message, e);
	bool is_referred = is_town && !case_is_of_town(d, record); /* the resident's town passes the message on */
	if (is_referred)
		event->content->receipt_message = codec_data(message);
	if (!result)
		result = CODEC_PACK(event->content, t->arena, &packed, e);
	struct draft draft = { .stream = is_town ? LM__STREAM__STREAM_UP : LM__STREAM__STREAM_OWN,
		               .header = &h,
		               .payload = packed,
		               .is_sealed = true };
	if (!result)
		result = turn_append(t, &draft, &placed, e);
	if (result)
		return result;
	if (!is_town)
		return copy_write(t, &request, record, &outline, event->content, message, &placed.hash, e);
	/* Typed at our counter: no terminal waits for it. */
	bool is_read_here = record->terminal == d->device || is_referred;
	return can_tell && !is_read_here ? status_write(t, &request, record, &outline, message, &placed.hash, e) : OK;
}

static Lm__Rating rating_of(const Lm__CaseRecord *record, const struct hash *ask)
{
	for (size_t i = 0; i < record->n_asks; i++)
		if (bytes_equal(codec_bytes(record->asks[i]->hash), BYTES_OF(ask->byte)))
			return record->asks[i]->rating;
	return LM__RATING__RATING_NONE;
}

int desk_answer_ask(struct turn *t, const struct domain_effect *ask, struct error *e)
{
	Lm__CaseRecord *record;
	Lm__CasePayload content = LM__CASE_PAYLOAD__INIT;
	struct case_event event = { .content = &content, .ask = &ask->ask };
	int result = case_get(t->txn, ask->request, t->arena, &record);
	if (result)
		return error_set(e, result, "the case of an ask is gone");
	bool is_closed = case_state_is_closed(record->state);
	if (ask->kind == LM__KIND__KIND_RATE) {
		event.action = LM__CASE_ACTION__CASE_ACTION_RATE;
		event.rating = is_closed ? rating_of(record, &ask->ask) : LM__RATING__RATING_NONE;
	} else if (is_closed)
		event.action = ask->kind == LM__KIND__KIND_OBJECT &&
		                               case_may_object(t->txn, ask->request, record, t->now_ms, t->arena)
		                       ? LM__CASE_ACTION__CASE_ACTION_OBJECT
		                       : LM__CASE_ACTION__CASE_ACTION_TOO_LATE;
	else if (ask->kind == LM__KIND__KIND_WITHDRAW)
		event.action = LM__CASE_ACTION__CASE_ACTION_WITHDRAWN;
	else
		event.action = LM__CASE_ACTION__CASE_ACTION_ANSWER_TAKEN;
	return case_event_write(t, ask->request, record, &event, e);
}

int desk_tell_again(struct turn *t, const struct domain_item *event, struct error *e)
{
	const Lm__Header *h = event->header;
	struct id request;
	Lm__CaseRecord *record;
	Lm__CasePayload *content;
	Lm__RequestPayload *payload;
	struct bytes message;
	bool is_code = h->kind == LM__KIND__KIND_NEW_CODE;
	if (h->request_id.len != ID_BYTES || (!is_code && (event->is_absent || !case_action_is_told(h->action))))
		return OK;
	memcpy(request.byte, h->request_id.data, ID_BYTES);
	int result = case_get(t->txn, request, t->arena, &record);
	if (!result && is_code)
		return lock_release(t, request, record, e);
	/* Who asks for it with the code that was given last reads it here. */
	if (!result && (record->terminal == node_domain(t->node)->device || case_code_is_new(record) ||
	                !case_is_of_town(node_domain(t->node), record)))
		return OK;
	if (!result)
		result = request_payload_open(t->node, t->txn, record, t->arena, &payload, e);
	if (!result)
		result = CODEC_UNPACK(lm__case_payload, event->plain, t->arena, &content, e);
	if (result) /* nobody can be told what cannot be opened */
		return error_is_of_machine(result) ? result : store_failure(t->txn, e);
	record->is_objected = false; /* whether this decided on an objection is not told twice */
	result = message_make(t, &request, record, h, h->time_ms, content, payload, &message, e);
	return result ? result : status_write(t, &request, record, h, message, &event->hash, e);
}

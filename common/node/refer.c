/*
 * The district passes on what one town has to hear of another one's case: the request without the receipt's code and
 * its lock, events with what the resident is told, asks. Composed anew, so that the receiver's payload key is its own.
 */
#include "domain/domain.h"
#include "inside.h"
#include "proto/codec.h"

struct passing {
	struct turn *t;
	const struct domain_effect *fx;
	const Lm__CaseRecord *record;
	Lm__TapeItem *item; /* what is passed on */
	Lm__Header *was;
	struct bytes plain;
	bool is_absent; /* it was erased, or cannot be opened: the receiver gets an empty payload */
	struct hash hash;
	struct error *e;
};

static int item_open(struct passing *p, uint64_t position)
{
	struct turn *t = p->t;
	p->plain = (struct bytes){ 0 };
	int result = journal_read(t->txn, position, t->arena, &p->item, p->e);
	if (!result)
		result = CODEC_UNPACK(lm__header, codec_bytes(p->item->header), t->arena, &p->was, p->e);
	if (!result)
		result = entry_hash(codec_bytes(p->item->header), &p->hash, p->e);
	if (result)
		return result;
	result = journal_item_open(t->journal, t->txn, position, p->item, t->arena, &p->plain, p->e);
	if (error_is_of_machine(result))
		return result;
	p->is_absent = result != OK;
	p->plain = result ? (struct bytes){ 0 } : p->plain;
	return OK;
}

static int down_append(struct passing *p, Lm__Header *h, struct bytes payload)
{
	struct placed placed;
	struct draft draft = { .stream = LM__STREAM__STREAM_DOWN,
		               .receiver = p->fx->device,
		               .header = h,
		               .payload = payload,
		               .is_sealed = true };
	h->request_id = codec_data(BYTES(p->fx->request.byte, ID_BYTES));
	return turn_append(p->t, &draft, &placed, p->e);
}

static int request_pass(struct passing *p)
{
	Lm__Header h = LM__HEADER__INIT;
	Lm__RequestPayload *payload;
	struct bytes packed = { 0 };
	int result = item_open(p, p->record->position);
	if (!result && !p->is_absent)
		result = CODEC_UNPACK(lm__request_payload, p->plain, p->t->arena, &payload, p->e);
	if (!result && !p->is_absent) {
		payload->code = (char *)(uintptr_t) "";
		payload->lookup = (ProtobufCBinaryData){ 0 };
		result = CODEC_PACK(payload, p->t->arena, &packed, p->e);
	}
	if (result)
		return result;
	h.kind = LM__KIND__KIND_REQUEST;
	h.place = p->record->place;
	h.service = p->record->service;
	h.revision = p->record->revision;
	h.owner = p->record->first_owner;
	h.passed_ms = p->record->received_ms;
	return down_append(p, &h, packed);
}

/* A town's event holds the resident's message; ours, which is passed on with a case, was told before. */
static int event_pack(struct passing *p, bool is_told, struct bytes *packed)
{
	Lm__CaseCopyPayload copy = LM__CASE_COPY_PAYLOAD__INIT, *own;
	int result = OK;
	if (p->was->kind == LM__KIND__KIND_CASE_COPY) { /* our own, which a restore gave back */
		result = CODEC_UNPACK(lm__case_copy_payload, p->plain, p->t->arena, &own, p->e);
		copy.event = result ? NULL : own->event;
	} else {
		result = CODEC_UNPACK(lm__case_payload, p->plain, p->t->arena, &copy.event, p->e);
	}
	if (!result && is_told)
		copy.receipt_message = copy.event->receipt_message;
	if (!result && copy.event)
		copy.event->receipt_message = (ProtobufCBinaryData){ 0 };
	copy.terminal = is_told ? p->record->terminal : 0;
	return result ? result : CODEC_PACK(&copy, p->t->arena, packed, p->e);
}

/* `is_news`: it is what is passed on, and not what lies before it. Only then the copy names it: after a restore that
 * says that it was passed on. */
static int event_pass(struct passing *p, uint64_t position, bool is_news)
{
	struct bytes packed = { 0 };
	int result = item_open(p, position);
	if (!result && !p->is_absent)
		result = event_pack(p, is_news, &packed);
	if (result)
		return result;
	Lm__Header h = LM__HEADER__INIT;
	const Lm__Header *was = p->was;
	h.kind = LM__KIND__KIND_CASE_COPY;
	h.place = was->place;
	h.service = was->service;
	h.revision = was->revision;
	h.person_id = was->person_id;
	h.action = was->action;
	h.outcome = was->outcome;
	h.owner = was->owner;
	h.epoch = was->epoch;
	h.version = was->version;
	h.asks = was->asks;
	h.n_asks = was->n_asks;
	h.is_closing = was->is_closing;
	h.is_reopening = was->is_reopening;
	h.town = was->town;
	h.rating = was->rating;
	h.passed_ms = was->passed_ms ? was->passed_ms : was->time_ms;
	if (is_news)
		h.source = codec_data(BYTES_OF(p->hash));
	return down_append(p, &h, packed);
}

static int ask_pass(struct passing *p, uint64_t position)
{
	Lm__Header h = LM__HEADER__INIT;
	int result = item_open(p, position);
	if (result)
		return result;
	h.kind = p->was->kind;
	h.version = p->was->version;
	h.rating = p->was->rating;
	h.source = codec_data(BYTES_OF(p->hash));
	h.passed_ms = p->was->time_ms;
	return down_append(p, &h, p->plain);
}

/* The request, what was done, what nobody has answered. */
static int whole_pass(struct passing *p)
{
	const Lm__CaseRecord *record = p->record;
	int result = request_pass(p);
	for (size_t i = 0; i < record->n_events && !result; i++)
		result = event_pass(p, record->events[i], i + 1 == record->n_events);
	for (size_t i = 0; i < record->n_asks && !result; i++)
		if (!record->asks[i]->is_answered && record->asks[i]->position)
			result = ask_pass(p, record->asks[i]->position);
	return result;
}

int case_pass(struct turn *t, const struct domain_effect *fx, struct error *e)
{
	Lm__CaseRecord *record;
	struct passing p = { .t = t, .fx = fx, .e = e };
	int result = case_get(t->txn, fx->request, t->arena, &record);
	if (result)
		return error_set(e, result, "the case that is to be passed on is gone");
	p.record = record;
	if (!fx->position)
		return whole_pass(&p);
	return case_has_event(record, fx->position) ? event_pass(&p, fx->position, true) : ask_pass(&p, fx->position);
}

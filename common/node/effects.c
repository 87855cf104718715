/*
 * What apply wants done besides: asks answered, messages passed on, held items tried again. All within the turn, so
 * that it is committed with its cause. What others should know is collected as news for the loop.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "base/log.h"
#include "domain/person.h"

#define EFFECTS_A_TURN_MOST 100000

void news_add(struct node *n, const struct domain_effect *effect)
{
	struct domain_effects *news = &n->news;
	for (size_t i = news->count; i > 0 && i + 16 > news->count; i--) /* the same again, most likely just before */
		if (news->list[i - 1].type == effect->type && id_equal(news->list[i - 1].request, effect->request) &&
		    news->list[i - 1].device == effect->device)
			return;
	if (news->count == news->capacity) {
		size_t capacity = news->capacity ? news->capacity * 2 : 64;
		struct domain_effect *grown = realloc(news->list, capacity * sizeof *grown);
		if (!grown)
			return; /* pages refresh by themselves */
		news->list = grown;
		news->capacity = capacity;
	}
	news->list[news->count] = *effect;
	news->list[news->count].message = news->list[news->count].cause = (struct bytes){ 0 };
	news->count++;
}

static int status_relay(struct turn *t, const struct domain_effect *fx, struct error *e)
{
	Lm__Header h = LM__HEADER__INIT;
	struct placed placed;
	h.kind = LM__KIND__KIND_STATUS;
	h.request_id = codec_data(BYTES(fx->request.byte, ID_BYTES));
	h.version = fx->version;
	h.is_closing = fx->flag;
	h.source = codec_data(BYTES_OF(fx->source));
	struct draft draft = {
		.stream = LM__STREAM__STREAM_DOWN, .receiver = fx->device, .header = &h, .payload = fx->message
	};
	return turn_append(t, &draft, &placed, e);
}

/* The record goes to the town that has it now. */
static int person_pass_on(struct turn *t, const struct domain_effect *fx, struct error *e)
{
	Lm__Header h = LM__HEADER__INIT;
	Lm__PersonRecord *record;
	struct placed placed;
	int result = person_get(t->txn, fx->request, t->arena, &record);
	if (result)
		return error_set(e, result, "the record that was handed over is gone");
	h.kind = LM__KIND__KIND_PERSON_COPY;
	h.person_id = codec_data(BYTES(fx->request.byte, ID_BYTES));
	h.place = record->town;
	h.owner = LM__TIER__TIER_TOWN;
	h.epoch = record->epoch;
	h.version = record->version;
	h.source = codec_data(BYTES_OF(fx->source));
	struct draft draft = { .stream = LM__STREAM__STREAM_DOWN,
		               .receiver = fx->device,
		               .header = &h,
		               .payload = fx->message,
		               .is_sealed = true };
	return turn_append(t, &draft, &placed, e);
}

/* The town learns what became of a certificate. */
static int certificate_tell(struct turn *t, const struct domain_effect *fx, struct error *e)
{
	Lm__Header h = LM__HEADER__INIT;
	struct placed placed;
	h.kind = LM__KIND__KIND_CERTIFICATE_COPY;
	h.person_id = codec_data(BYTES(fx->request.byte, ID_BYTES));
	h.owner = LM__TIER__TIER_DISTRICT;
	h.version = fx->version;
	h.source = codec_data(BYTES_OF(fx->source));
	struct draft draft = { .stream = LM__STREAM__STREAM_DOWN,
		               .receiver = fx->device,
		               .header = &h,
		               .payload = fx->message,
		               .is_sealed = true };
	return turn_append(t, &draft, &placed, e);
}

int item_retry(struct turn *t, uint64_t position, struct error *e)
{
	Lm__TapeItem *item;
	Lm__Header *h;
	struct domain_item again = { 0 };
	uint64_t retry_position;
	bool is_refused;
	int result = journal_read(t->txn, position, t->arena, &item, e);
	if (!result)
		result = CODEC_UNPACK(lm__header, codec_bytes(item->header), t->arena, &h, e);
	if (!result)
		result = entry_hash(codec_bytes(item->header), &again.hash, e);
	if (result)
		return result;
	again.position = position;
	again.ordinal = item->ordinal;
	again.taken_ms = item->taken_ms;
	again.header = h;
	again.facts = item->facts;
	result = journal_item_open(t->journal, t->txn, position, item, t->arena, &again.plain, e);
	again.is_absent = result == ERR_ABSENT;
	if (result && !again.is_absent)
		return result;
	news_add(t->node, &(struct domain_effect){ .type = DOMAIN_QUARANTINE });
	result = journal_retry(t->journal, position, &retry_position);
	return result ? result : item_apply(t, &again, retry_position, &is_refused, e);
}

static int held_release(struct turn *t, struct bytes cause, struct error *e)
{
	uint64_t position;
	int result;
	while ((result = journal_held_take(t->journal, cause, &position)) == OK) {
		result = item_retry(t, position, e);
		if (result)
			return result;
	}
	return result == ERR_NOT_FOUND ? OK : store_failure(t->txn, e);
}

static int effect_run(struct turn *t, const struct domain_effect *fx, struct error *e)
{
	struct node *n = t->node;
	bool must_wait = fx->type == DOMAIN_ANSWER_ASK || fx->type == DOMAIN_RELAY_STATUS ||
	                 fx->type == DOMAIN_ERASE_TELL || fx->type == DOMAIN_KEYS || fx->type == DOMAIN_PERSON_COPY ||
	                 fx->type == DOMAIN_CERTIFICATE_COPY || fx->type == DOMAIN_CASE_PASS;
	if (n->is_returning && must_wait) /* what comes back may show that it was done before the restore */
		return OK;
	switch (fx->type) {
	case DOMAIN_ANSWER_ASK:
		return n->tier.answer_ask ? n->tier.answer_ask(t, fx, e) : OK;
	case DOMAIN_RELAY_STATUS:
		return status_relay(t, fx, e);
	case DOMAIN_PERSON_COPY:
		return person_pass_on(t, fx, e);
	case DOMAIN_CERTIFICATE_COPY:
		return certificate_tell(t, fx, e);
	case DOMAIN_CASE_PASS:
		return case_pass(t, fx, e);
	case DOMAIN_RELEASE_HELD:
		return held_release(t, fx->cause, e);
	case DOMAIN_KEYS:
		return packed_append(t, LM__KIND__KIND_DEVICE, fx->message, e);
	case DOMAIN_HISTORY:
		return history_run(t, fx, e);
	case DOMAIN_ERASE:
		return erase_carry_out(t, fx->message, e);
	case DOMAIN_ERASE_TELL:
		return erase_tell_late(t, fx->request, fx->device, e);
	case DOMAIN_DIRECTORY:
		n->must_refresh_directory = true;
		break;
	default:
		break;
	}
	news_add(n, fx);
	return OK;
}

/* Effects may have effects: the list grows while it is worked through. */
int effects_run(struct turn *t, struct error *e)
{
	struct domain_effects *fx = &t->node->effects;
	int result = OK;
	for (size_t i = 0; i < fx->count && !result; i++) {
		struct domain_effect effect = fx->list[i];
		if (fx->count > EFFECTS_A_TURN_MOST)
			return error_set(e, ERR_INTERNAL, "effects without end");
		result = effect_run(t, &effect, e);
	}
	return result;
}

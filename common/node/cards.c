/*
 * Cards of the district: issuing and revoking them, over the hub's socket. The district's authority signs for a card's
 * key; the card itself is written elsewhere (docs/CARDS.md).
 */
#include <string.h>

#include "act.h"
#include "card/card.h"
#include "domain/card.h"
#include "node/control.h"

#define DAY_MS INT64_C(86400000)
#define VALID_DAYS_USUAL 3650
#define VALID_DAYS_MOST 7300

static int own_append(struct turn *t, const Lm__CardRecord *record, struct error *e)
{
	Lm__Header h = LM__HEADER__INIT;
	struct bytes packed;
	struct placed placed;
	int result = CODEC_PACK(record, t->arena, &packed, e);
	h.kind = LM__KIND__KIND_CARD;
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h, .payload = packed };
	return result ? result : turn_append(t, &draft, &placed, e);
}

static int certificate_from(const Lm__CardIssueCommand *in, int64_t now_ms, struct card_certificate *c, struct error *e)
{
	*c = (struct card_certificate){ .expires_ms = 0 };
	uint32_t days = in->valid_days ? in->valid_days : VALID_DAYS_USUAL;
	if (days > VALID_DAYS_MOST)
		return error_set(e, ERR_INVALID, "valid_days: at most %d", VALID_DAYS_MOST);
	if (hex_decode(in->public_key, c->key, CARD_KEY_BYTES))
		return error_set(e, ERR_INVALID, "public_key: %d hexadecimal digits, as the card shows it",
		                 2 * CARD_KEY_BYTES);
	if (in->person[0] && hex_decode(in->person, c->holder, CARD_HOLDER_BYTES))
		return error_set(e, ERR_INVALID, "person: 32 hexadecimal digits of a resident's record");
	c->expires_ms = now_ms + days * DAY_MS;
	return OK;
}

static int issued_view(struct act *a, const struct card_certificate *c, const uint8_t packed[CARD_CERTIFICATE_BYTES],
                       struct error *e)
{
	char number[CARD_NUMBER_TEXT_BYTES], text[2 * CARD_CERTIFICATE_BYTES + 1];
	Lm__CardIssuedView *v = arena_alloc(&a->arena, sizeof *v);
	if (!v)
		return error_set(e, ERR_MEMORY, "no memory");
	lm__card_issued_view__init(v);
	card_number_to_text(c->number, number);
	hex_encode(BYTES(packed, CARD_CERTIFICATE_BYTES), text);
	v->number = arena_text(&a->arena, number);
	v->certificate = arena_text(&a->arena, text);
	v->expires_ms = c->expires_ms;
	a->output = &v->base;
	return v->number && v->certificate ? OK : error_set(e, ERR_MEMORY, "no memory");
}

static int issue_run(struct turn *t, struct command *command, struct error *e)
{
	struct act *a = command->context;
	const Lm__CardIssueCommand *in = (Lm__CardIssueCommand *)a->input;
	struct card_certificate c;
	uint8_t packed[CARD_CERTIFICATE_BYTES];
	Lm__CardRecord record = LM__CARD_RECORD__INIT;
	int result = only_at_hub(t->node, e);
	if (!result)
		result = certificate_from(in, t->now_ms, &c, e);
	if (!result && card_newest(t->txn, &a->arena, &c.number))
		result = error_set(e, ERR_INTERNAL, "the cards cannot be read");
	c.number++;
	if (!result)
		result = card_certificate_make(&c, t->node->authority.signing_secret, packed, e);
	if (result)
		return result;
	record.number = c.number;
	record.status = LM__CARD_STATUS__CARD_STATUS_ISSUED;
	record.person_id = codec_data(in->person[0] ? BYTES_OF(c.holder) : BYTES(NULL, 0));
	record.public_key = codec_data(BYTES_OF(c.key));
	record.expires_ms = c.expires_ms;
	record.since_ms = t->now_ms;
	record.by = in->by;
	result = own_append(t, &record, e);
	return result ? result : issued_view(a, &c, packed, e);
}

static int revoke_run(struct turn *t, struct command *command, struct error *e)
{
	static const Lm__Empty empty = LM__EMPTY__INIT;
	struct act *a = command->context;
	const Lm__CardRevokeCommand *in = (Lm__CardRevokeCommand *)a->input;
	Lm__CardRecord *known, record = LM__CARD_RECORD__INIT;
	int result = only_at_hub(t->node, e);
	if (!result)
		result = card_number_from_text(in->number, &record.number, e);
	if (result)
		return result;
	result = card_get(t->txn, record.number, &a->arena, &known);
	if (result)
		return error_set(e, result, "no card %.20s was issued here", in->number);
	record.status = LM__CARD_STATUS__CARD_STATUS_REVOKED;
	record.since_ms = t->now_ms;
	record.by = in->by;
	record.reason = in->reason;
	a->output = (ProtobufCMessage *)(uintptr_t)&empty.base;
	return all_append(t, LM__KIND__KIND_CARD, &record.base, e);
}

void control_card_issue(void *context, struct http_request *r)
{
	struct act *a = act_with_body(r, &lm__card_issue_command__descriptor);
	if (a)
		act_command(context, a, issue_run);
}

void control_card_revoke(void *context, struct http_request *r)
{
	struct act *a = act_with_body(r, &lm__card_revoke_command__descriptor);
	if (a)
		act_command(context, a, revoke_run);
}

/*
 * Who did what: read off the tape, where every act is an entry. Nothing is written for it, so nothing can be left out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "domain/publication.h"
#include "inside.h"
#include "proto/certificate.pb-c.h"
#include "proto/report.pb-c.h"

#define ROWS_MOST 100
#define ROWS_USUAL 50
#define LOOK_US 40000 /* a snapshot is not held longer: the page asks for more */
#define ITEM_BYTES_MOST (8u * 1024 * 1024)

struct look {
	struct http_request *request;
	struct arena arena, item; /* the answer; one item after another */
	uint64_t before;
	size_t limit;
	Lm__AuditView *view;
	int result;
	struct error error;
};

struct reading { /* one item of the tape */
	struct arena *to;
	const Lm__Header *header;
	struct bytes plain;
	struct arena *arena;
	Lm__AuditRow *row; /* `what` stays empty: nothing of ours */
	bool is_short;
};

static char *say(struct reading *r, const char *text)
{
	char *copy = arena_text(r->to, text);
	r->is_short |= !copy;
	return copy ? copy : (char *)(uintptr_t) "";
}

static char *say_hex(struct reading *r, ProtobufCBinaryData data)
{
	char text[2 * ID_BYTES + 1] = "";
	if (data.len <= ID_BYTES)
		hex_encode(codec_bytes(data), text);
	return say(r, text);
}

/* ---- one function a kind: what cannot be unpacked says nothing ---- */

static void account_say(struct reading *r)
{
	static const char *const acts[] = {
		[LM__ACCOUNT_ACT__ACCOUNT_ACT_NONE] = "account-set",
		[LM__ACCOUNT_ACT__ACCOUNT_ACT_OPEN] = "account-open",
		[LM__ACCOUNT_ACT__ACCOUNT_ACT_CLOSE] = "account-close",
		[LM__ACCOUNT_ACT__ACCOUNT_ACT_ROLE] = "account-role",
		[LM__ACCOUNT_ACT__ACCOUNT_ACT_PASSWORD] = "account-password",
		[LM__ACCOUNT_ACT__ACCOUNT_ACT_SECOND_FACTOR] = "account-second",
		[LM__ACCOUNT_ACT__ACCOUNT_ACT_PROPOSE_RESET] = "account-reset-propose",
		[LM__ACCOUNT_ACT__ACCOUNT_ACT_DROP_RESET] = "account-reset-drop",
		[LM__ACCOUNT_ACT__ACCOUNT_ACT_RESET] = "account-reset",
	};
	Lm__AccountPayload *p;
	char about[80];
	if (CODEC_UNPACK(lm__account_payload, r->plain, r->arena, &p, NULL) ||
	    (size_t)p->act >= sizeof acts / sizeof *acts)
		return;
	bool is_close = p->act == LM__ACCOUNT_ACT__ACCOUNT_ACT_NONE && !p->password_hash[0];
	snprintf(about, sizeof about, "%.32s (%.32s)", p->name, p->role);
	r->row->what = say(r, is_close ? "account-close" : acts[p->act]);
	r->row->by = say(r, p->by);
	r->row->second = say(r, p->second);
	r->row->about = say(r, about);
}

static void mark_say(struct reading *r)
{
	Lm__AccountMarkPayload *p;
	if (CODEC_UNPACK(lm__account_mark_payload, r->plain, r->arena, &p, NULL))
		return;
	r->row->what = say(r, p->act == LM__ACCOUNT_ACT__ACCOUNT_ACT_LOCK     ? "account-lock"
	                      : p->act == LM__ACCOUNT_ACT__ACCOUNT_ACT_UNLOCK ? "account-unlock"
	                                                                      : "account-login");
	r->row->by = say(r, p->by);
	r->row->about = say(r, p->name);
}

static void quarantine_say(struct reading *r)
{
	Lm__QuarantineActPayload *p;
	if (CODEC_UNPACK(lm__quarantine_act_payload, r->plain, r->arena, &p, NULL))
		return;
	r->row->what = say(r, p->act == LM__QUARANTINE_ACT__QUARANTINE_ACT_DROP ? "item-drop" : "item-retry");
	r->row->by = say(r, p->by);
	r->row->about = say(r, p->item);
	r->row->reason = say(r, p->reason);
}

static void erase_act_say(struct reading *r)
{
	Lm__EraseActPayload *p;
	if (CODEC_UNPACK(lm__erase_act_payload, r->plain, r->arena, &p, NULL))
		return;
	r->row->what = say(r, p->action == LM__ERASE_ACTION__ERASE_ACTION_PROPOSE ? "erase-propose"
	                      : p->action == LM__ERASE_ACTION__ERASE_ACTION_DROP  ? "erase-drop"
	                                                                          : "erase-confirm");
	r->row->by = say(r, p->by);
	r->row->about = say_hex(r, p->act);
	r->row->reason = say(r, p->reason);
}

static void erasure_say(struct reading *r)
{
	Lm__ErasePayload *p;
	if (CODEC_UNPACK(lm__erase_payload, r->plain, r->arena, &p, NULL))
		return;
	r->row->what = say(r, "erased");
	r->row->by = say(r, p->confirmed_by);
	r->row->second = say(r, p->proposed_by);
	r->row->about = say_hex(r, p->act);
	r->row->reason = say(r, p->reason);
}

/* What was published, or taken back by one person. */
static void content_say(struct reading *r)
{
	const struct collection *c = collection_of_kind(r->header->kind);
	ProtobufCMessage *content;
	char about[80], what[40];
	if (codec_unpack(c->type, r->plain, r->arena, &content, NULL))
		return;
	struct publication_stamp stamp = c->stamp_of(content);
	bool is_service = c == &collection_catalogue;
	snprintf(about, sizeof about, "%.64s %u", c->key(content), stamp.revision);
	snprintf(what, sizeof what, "%s%s%s", stamp.drafted_by_count ? "publish" : "take-back", is_service ? "" : "-",
	         is_service ? "" : c->name);
	r->row->what = say(r, what);
	r->row->by = say(r, stamp.published_by);
	r->row->second = say(r, stamp.drafted_by_count ? stamp.drafted_by[0] : "");
	r->row->about = say(r, about);
}

/* What staff do about a contact stands at the case; what the daemon does by itself stands here, too. */
static void sms_say(struct reading *r)
{
	Lm__ContactPayload *p;
	if (CODEC_UNPACK(lm__contact_payload, r->plain, r->arena, &p, NULL) || !p->n_tries)
		return;
	const Lm__ContactTry *last = p->tries[p->n_tries - 1];
	if (last->by[0])
		return;
	r->row->what = say(r, last->outcome == LM__CONTACT_OUTCOME__CONTACT_OUTCOME_GIVEN  ? "sms-given"
	                      : last->outcome == LM__CONTACT_OUTCOME__CONTACT_OUTCOME_SENT ? "sms-sent"
	                                                                                   : "sms-failed");
	r->row->by = say(r, p->by);
	r->row->about = say_hex(r, r->header->request_id);
	r->row->reason = say(r, last->note);
}

static void token_say(struct reading *r)
{
	Lm__TokenPayload *p;
	if (CODEC_UNPACK(lm__token_payload, r->plain, r->arena, &p, NULL))
		return;
	r->row->what = say(r, p->state == LM__TOKEN_STATE__TOKEN_STATE_ISSUED ? "token-issue"
	                      : p->state == LM__TOKEN_STATE__TOKEN_STATE_USED ? "token-use"
	                                                                      : "token-withdraw");
	r->row->by = say(r, p->by);
	r->row->about = say(r, p->place);
}

static void device_say(struct reading *r)
{
	Lm__DeviceRecord *p;
	if (CODEC_UNPACK(lm__device_record, r->plain, r->arena, &p, NULL))
		return;
	bool is_revoked = p->status == LM__DEVICE_STATUS__DEVICE_STATUS_REVOKED;
	r->row->what = say(r, is_revoked ? "device-revoke" : p->generation ? "device-keys" : "device-admit");
	r->row->by = say(r, p->by);
	r->row->about = say(r, p->place);
	r->row->reason = say(r, p->reason);
}

static void card_say(struct reading *r)
{
	Lm__CardRecord *p;
	char about[24];
	if (CODEC_UNPACK(lm__card_record, r->plain, r->arena, &p, NULL))
		return;
	r->row->what = say(r, p->status == LM__CARD_STATUS__CARD_STATUS_REVOKED ? "card-revoke" : "card-issue");
	r->row->by = say(r, p->by);
	snprintf(about, sizeof about, "%012llu", (unsigned long long)p->number);
	r->row->about = say(r, about);
	r->row->reason = say(r, p->reason);
}

static void history_say(struct reading *r)
{
	Lm__HistoryPayload *p;
	char about[20];
	if (CODEC_UNPACK(lm__history_payload, r->plain, r->arena, &p, NULL))
		return;
	snprintf(about, sizeof about, "%016llx", (unsigned long long)p->device);
	r->row->what = say(r, "release");
	r->row->by = say(r, p->by);
	r->row->about = say(r, about);
	r->row->reason = say(r, p->reason);
}

/* Which act on whose certificate; what else was said is in the record. */
static void certificate_say(struct reading *r)
{
	Lm__CertificatePayload *p;
	char person[2 * ID_BYTES + 1] = "", about[80];
	if (CODEC_UNPACK(lm__certificate_payload, r->plain, r->arena, &p, NULL))
		return;
	const ProtobufCEnumValue *act =
	        p->step ? protobuf_c_enum_descriptor_get_value(&lm__certificate_act__descriptor, (int)p->step->act)
	                : NULL;
	if (r->header->person_id.len == ID_BYTES)
		hex_encode(codec_bytes(r->header->person_id), person);
	snprintf(about, sizeof about, "%s%s%s", person, act ? " " : "", act ? act->name : "");
	r->row->what = say(r, p->step          ? "certificate-step"
	                      : p->declaration ? "assessor-declare"
	                      : p->sample      ? "sample-draw"
	                                       : "sample-result");
	r->row->by = say(r, p->step          ? p->step->staff
	                    : p->declaration ? p->declaration->by
	                    : p->sample      ? p->sample->by
	                    : p->result      ? p->result->by
	                                     : "");
	r->row->about = say(r, about);
}

static void letter_say(struct reading *r)
{
	Lm__LetterPayload *p;
	if (CODEC_UNPACK(lm__letter_payload, r->plain, r->arena, &p, NULL))
		return;
	r->row->what = say(r, "letter");
	r->row->by = say(r, p->by);
	r->row->about = say_hex(r, r->header->request_id);
}

static void report_say(struct reading *r)
{
	Lm__ReportPayload *p;
	char about[120] = "";
	if (CODEC_UNPACK(lm__report_payload, r->plain, r->arena, &p, NULL))
		return;
	const Lm__ReportSending *s = p->sending;
	if (s && s->content && s->content->definition)
		snprintf(about, sizeof about, "%.40s %.8s %u", s->content->definition->id, s->content->period,
		         s->version);
	else if (p->taking)
		snprintf(about, sizeof about, "%.40s %.8s %u %s", p->taking->id, p->taking->period, p->taking->version,
		         p->taking->format == LM__REPORT_FORMAT__REPORT_FORMAT_CSV ? "CSV" : "PDF");
	r->row->what = say(r, s ? "report-send" : "report-take");
	r->row->by = say(r, p->by);
	r->row->about = say(r, about);
	r->row->reason = say(r, s ? s->reason : "");
}

static void new_code_say(struct reading *r)
{
	Lm__NewCodePayload *p;
	if (CODEC_UNPACK(lm__new_code_payload, r->plain, r->arena, &p, NULL))
		return;
	r->row->what = say(r, "code-replace");
	r->row->by = say(r, p->staff);
	r->row->about = say_hex(r, r->header->request_id);
}

static const struct {
	Lm__Kind kind;
	void (*say)(struct reading *r);
} sayings[] = {
	{ LM__KIND__KIND_ACCOUNT, account_say },
	{ LM__KIND__KIND_ACCOUNT_MARK, mark_say },
	{ LM__KIND__KIND_QUARANTINE_ACT, quarantine_say },
	{ LM__KIND__KIND_ERASE_ACT, erase_act_say },
	{ LM__KIND__KIND_ERASURE, erasure_say },
	{ LM__KIND__KIND_SERVICE, content_say },
	{ LM__KIND__KIND_TOKEN, token_say },
	{ LM__KIND__KIND_DEVICE, device_say },
	{ LM__KIND__KIND_CARD, card_say },
	{ LM__KIND__KIND_HISTORY, history_say },
	{ LM__KIND__KIND_CALENDAR, content_say },
	{ LM__KIND__KIND_WORDING, content_say },
	{ LM__KIND__KIND_NOTICE, content_say },
	{ LM__KIND__KIND_CONTACT, sms_say },
	{ LM__KIND__KIND_CERTIFICATE, certificate_say },
	{ LM__KIND__KIND_CERTIFICATE_ASK, certificate_say },
	{ LM__KIND__KIND_LETTER, letter_say },
	{ LM__KIND__KIND_REPORT, report_say },
	{ LM__KIND__KIND_NEW_CODE, new_code_say },
};

/* ---- the tape, backwards ---- */

static int item_say(struct node *n, struct store_txn *txn, struct look *l, uint64_t position, Lm__TapeItem *item)
{
	Lm__Header *h;
	if (item->disposition != LM__DISPOSITION__DISPOSITION_APPLIED ||
	    CODEC_UNPACK(lm__header, codec_bytes(item->header), &l->item, &h, NULL) ||
	    h->origin != node_domain(n)->device)
		return OK;
	for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++) {
		if (sayings[i].kind != h->kind)
			continue;
		Lm__AuditRow *row = arena_alloc(&l->arena, sizeof *row);
		struct reading r = { .to = &l->arena, .header = h, .arena = &l->item, .row = row };
		if (!row)
			return ERR_MEMORY;
		lm__audit_row__init(row);
		int result = journal_item_open(node_journal(n), txn, position, item, &l->item, &r.plain, &l->error);
		if (error_is_of_machine(result))
			return result;
		if (!result)
			sayings[i].say(&r);
		row->position = position;
		row->time_ms = h->time_ms;
		if (row->what[0])
			l->view->rows[l->view->n_rows++] = row;
		return r.is_short ? ERR_MEMORY : OK;
	}
	return OK;
}

static void look_pool(struct node *n, void *context)
{
	struct look *l = context;
	struct store_txn *txn;
	uint64_t position = l->before, began_us = clock_monotonic_us();
	Lm__AuditRow **rows = arena_alloc(&l->arena, l->limit * sizeof *rows);
	l->view = arena_alloc(&l->arena, sizeof *l->view);
	l->result = rows && l->view ? store_begin_read(node_store(n), &txn, &l->error) : ERR_MEMORY;
	if (l->result)
		return;
	lm__audit_view__init(l->view);
	l->view->rows = rows;
	while (!l->result && l->view->n_rows < l->limit && clock_monotonic_us() - began_us < LOOK_US) {
		Lm__TapeItem *item;
		arena_reset(&l->item);
		l->result = journal_read_before(txn, &position, &l->item, &item, &l->error);
		if (!l->result)
			l->result = item_say(n, txn, l, position, item);
	}
	store_abort(txn);
	l->view->next = l->result == ERR_NOT_FOUND ? 0 : position;
	if (l->result == ERR_NOT_FOUND)
		l->result = OK;
	else if (l->result == ERR_MEMORY)
		error_set(&l->error, ERR_MEMORY, "no memory for the list");
}

static void look_done(struct node *n, void *context)
{
	struct look *l = context;
	(void)n;
	if (l->result)
		node_answer_error(l->request, l->result, &l->error);
	else
		node_answer(l->request, &l->view->base);
	arena_release(&l->arena);
	arena_release(&l->item);
	free(l);
}

/* A number of the query, `otherwise` where there is none. */
static uint64_t number_of(const char *text, uint64_t otherwise)
{
	char *end;
	uint64_t v = text ? strtoull(text, &end, 10) : 0;
	return text && *text && !*end ? v : otherwise;
}

void audit_get(void *context, struct http_request *r)
{
	struct look *l = calloc(1, sizeof *l);
	if (!l) {
		http_answer_error(r, ERR_MEMORY, "no memory for this request");
		return;
	}
	uint64_t limit = number_of(http_query(r, "limit"), ROWS_USUAL);
	l->request = r;
	l->before = number_of(http_query(r, "before"), UINT64_MAX);
	l->limit = limit > ROWS_MOST ? ROWS_MOST : limit ? (size_t)limit : 1;
	arena_init(&l->arena, 4u * 1024 * 1024);
	arena_init(&l->item, ITEM_BYTES_MOST);
	if (!node_pool(context, look_pool, look_done, l))
		return;
	http_answer_error(r, ERR_BUSY, "too much is waiting; try again");
	arena_release(&l->arena);
	arena_release(&l->item);
	free(l);
}

/*
 * Receipts on paper. The request itself cannot be read back: the code comes from the page, and must open the request
 * here; service, place, time and how far it has come are this terminal's own. Nothing of a slip is kept or logged.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "inside.h"

#define NAME_LETTERS_MOST 60
#define AGAIN_US UINT64_C(10000000) /* so soon a second press wants the same slip */

struct printing {
	struct http_request *request;
	struct arena arena;
	Lm__PrintCommand *in;
	struct id wanted;
	char code[RECEIPT_CODE_DIGITS + 1];
	uint8_t salt[DEVICE_SALT_BYTES];
	bool is_clock_wrong;
	bool is_again; /* it came out just now: once is enough */
	struct slip slip;
	enum printer_state state;
	int result;
	struct error error;
};

/* ---- what stands on it ---- */

static void part_add(struct slip_facts *f, enum slip_kind kind, char *text)
{
	f->is_short |= !text || f->count == SLIP_PARTS_MOST;
	if (!f->is_short)
		f->parts[f->count++] = (struct slip_part){ kind, text };
}

static void words_add(struct slip_facts *f, const char *zh, const char *en, const Lm__Words *words)
{
	part_add(f, SLIP_TEXT,
	         arena_format(f->arena, "%s：%s\n%s: %s", zh, words ? words->zh : "", en, words ? words->en : ""));
}

static char *groups_of(struct arena *arena, const char *code)
{
	return arena_format(arena, "%.4s %.4s %.4s", code, code + 4, code + 8);
}

static void mark_add(struct slip_facts *f)
{
	part_add(f, SLIP_TEXT,
	         arena_text(f->arena, f->marks.district ? "现在：已到区\nNow: at the district"
	                              : f->marks.town   ? "现在：已到街镇\nNow: at the town"
	                                                : "现在：已在本机保存，会自动送到街镇\n"
	                                                  "Now: saved at this terminal; it goes to the town by itself"));
}

static void contact_add(struct slip_facts *f)
{
	const Lm__Contact *c = f->contact;
	if (c && c->name)
		part_add(f, SLIP_TEXT,
		         arena_format(f->arena, "电话：%s %s%s\nPhone: %s%s", c->name->zh, c->phone,
		                      c->is_sample ? "（示例，待核实）" : "", c->phone,
		                      c->is_sample ? " (a sample, not checked)" : ""));
}

void slip_compose(struct slip_facts *f)
{
	char time[CLOCK_TEXT_BYTES];
	clock_format_shanghai(f->saved_ms, time);
	part_add(f, SLIP_TITLE, arena_text(f->arena, "助残服务 回执\nReceipt"));
	if (f->is_demo)
		part_add(f, SLIP_TEXT, arena_text(f->arena, "演示数据 Demo data"));
	if (f->is_practice)
		part_add(f, SLIP_TEXT, arena_text(f->arena, "练习：这里办的都不算数\nPractice: nothing here counts"));
	words_add(f, "事项", "Service", f->service);
	words_add(f, "地点", "Place", f->place);
	part_add(f, SLIP_TEXT,
	         arena_format(f->arena, "时间：%s\nSaved: %s", f->saved_ms ? time : "本机时钟不准",
	                      f->saved_ms ? time : "the clock here is wrong"));
	if (f->by_name[0])
		part_add(f, SLIP_TEXT,
		         arena_format(f->arena, "申请人：%s\n代办人：%s\nFor: %s\nHanded in by: %s", f->name,
		                      f->by_name, f->name, f->by_name));
	part_add(f, SLIP_RULE, arena_text(f->arena, ""));
	part_add(f, SLIP_TEXT, arena_text(f->arena, "回执号 Receipt code"));
	part_add(f, SLIP_DIGITS, groups_of(f->arena, f->code));
	part_add(f, SLIP_QR, arena_text(f->arena, f->code));
	part_add(f, SLIP_RULE, arena_text(f->arena, ""));
	mark_add(f);
	part_add(f, SLIP_TEXT,
	         arena_text(f->arena, "您可以走了。查进度、看答复：在任何一台终端输入回执号，或把这张纸给工作人员看。\n"
	                              "You can go. To read the answer, key in the code at any terminal, or show this "
	                              "slip to staff."));
	contact_add(f);
}

/* ---- on the pool ---- */

static int code_check(struct printing *p, struct store_txn *txn)
{
	struct receipt_match match[MATCHES_MOST];
	size_t count = 0;
	bool is_it = false;
	struct error damage;
	int result = receipt_open(txn, p->code, p->salt, match, &count, &damage, &p->error);
	for (size_t i = 0; i < count; i++)
		is_it |= id_equal(match[i].request, p->wanted);
	crypto_wipe(match, sizeof match);
	if (!result && !is_it)
		result = error_set(&p->error, ERR_NOT_FOUND, "this code does not belong to that request");
	return result;
}

static int facts_read(struct node *n, struct printing *p, struct store_txn *txn, struct slip_facts *f)
{
	Lm__RequestRecord *record;
	Lm__Service *service;
	int result = code_check(p, txn);
	if (!result)
		result = request_get(txn, p->wanted, &p->arena, &record);
	if (result)
		return result;
	result = service_get(txn, record->service, record->revision, &p->arena, &service);
	f->service = result ? NULL : service->name;
	f->saved_ms = p->is_clock_wrong ? 0 : record->created_ms;
	marks_of(n, record->ordinal, &f->marks);
	return result;
}

static void printing_run(struct node *n, void *context)
{
	struct printing *p = context;
	const struct node_config *config = node_configuration(n);
	const char *place = node_domain(n)->place;
	struct store_txn *txn;
	struct slip_facts f = { .arena = &p->arena,
		                .place = node_place_words(n, place, &p->arena),
		                .contact = node_place_contact(n, place),
		                .code = p->code,
		                .name = p->in->name,
		                .by_name = p->in->by_name,
		                .is_demo = config->is_demo,
		                .is_practice = config->is_practice };
	p->result = store_begin_read(node_store(n), &txn, &p->error);
	if (p->result)
		return;
	p->result = facts_read(n, p, txn, &f);
	if (p->result)
		store_failure(txn, &p->error);
	if (!p->result)
		slip_compose(&f);
	store_abort(txn); /* before the printer is waited for */
	if (!p->result && f.is_short)
		p->result = error_set(&p->error, ERR_MEMORY, "no memory for the slip");
	if (p->is_again) {
		p->state = PRINTER_READY;
		return;
	}
	if (!p->result)
		p->result = slip_draw(f.parts, f.count, &p->arena, &p->slip, &p->error);
	if (p->result)
		return;
	p->state = printer_print(config->printer, &p->slip);
	crypto_wipe(p->slip.dots, p->slip.height * SLIP_ROW_BYTES);
}

/* ---- over HTTP ---- */

static void printing_free(struct printing *p)
{
	arena_release(&p->arena);
	crypto_wipe(p, sizeof *p);
	free(p);
}

static void state_answer(struct http_request *r, Lm__PrintState state)
{
	Lm__PrintView view = LM__PRINT_VIEW__INIT;
	view.state = state;
	node_answer(r, &view.base);
}

static void printing_done(struct node *n, void *context)
{
	struct printing *p = context;
	struct terminal *t = terminal_of(n);
	t->is_printing = false;
	if (p->result) {
		node_answer_error(p->request, p->result, &p->error);
	} else {
		t->tries -= t->tries > 0;
		if (!p->is_again) {
			t->printed = p->state == PRINTER_READY ? p->wanted : (struct id){ 0 };
			t->printed_us = clock_monotonic_us();
		}
		state_answer(p->request, p->state == PRINTER_READY      ? LM__PRINT_STATE__PRINT_STATE_PRINTED
		                         : p->state == PRINTER_NO_PAPER ? LM__PRINT_STATE__PRINT_STATE_NO_PAPER
		                                                        : LM__PRINT_STATE__PRINT_STATE_NO_ANSWER);
	}
	printing_free(p);
}

static bool name_is_good(const char *name)
{
	long letters = utf8_length(bytes_from_text(name));
	return letters >= 0 && letters <= NAME_LETTERS_MOST;
}

static int printing_check(struct terminal *t, struct printing *p)
{
	const Lm__PrintCommand *in = p->in;
	if (!node_configuration(t->node)->printer)
		return error_set(&p->error, ERR_NOT_READY, "no printer is configured at this terminal");
	if (in->request_id.len == ID_BYTES)
		memcpy(p->wanted.byte, in->request_id.data, ID_BYTES);
	if (id_is_zero(p->wanted))
		return error_set(&p->error, ERR_INVALID, "request_id: 32 hexadecimal digits");
	if (!name_is_good(in->name) || !name_is_good(in->by_name) || !in->name[0] != !in->by_name[0])
		return error_set(&p->error, ERR_INVALID, "name and by_name: both or neither, at most %d letters each",
		                 NAME_LETTERS_MOST);
	return receipt_code_parse(in->code, p->code, &p->error);
}

/* On its way to the pool, or answered. */
static bool printing_send(struct terminal *t, struct printing *p)
{
	int result = printing_check(t, p);
	if (!result && t->is_printing) {
		state_answer(p->request, LM__PRINT_STATE__PRINT_STATE_BUSY);
		return false;
	}
	p->is_again = id_equal(t->printed, p->wanted) && clock_monotonic_us() - t->printed_us < AGAIN_US;
	if (!result && !try_take(t))
		result = error_set(&p->error, ERR_TOO_MANY, "too many codes were tried; please wait a minute");
	if (!result)
		result = node_pool(t->node, printing_run, printing_done, p);
	if (result)
		node_answer_error(p->request, result, &p->error);
	t->is_printing = !result;
	return !result;
}

void print_post(void *context, struct http_request *r)
{
	struct terminal *t = terminal_of(context);
	struct printing *p = calloc(1, sizeof *p);
	if (!p) {
		http_answer_error(r, ERR_MEMORY, "no memory for the slip");
		return;
	}
	p->request = r;
	p->is_clock_wrong = t->notices & (1u << NOTICE_CLOCK);
	memcpy(p->salt, t->salt, sizeof p->salt);
	arena_init(&p->arena, 4 * 1024 * 1024);
	if (node_body(r, &lm__print_command__descriptor, &p->arena, &p->in) || !printing_send(t, p))
		printing_free(p);
}

/*
 * Who has how much and until when, who is away and who stands in, notes of a shift, saved views and texts of one's own.
 */
#include "domain/work.h"

#include <string.h>

#include "base/clock.h"
#include "worklist.h"

#define VIEWS_MOST 50
#define NOTES_SHOWN 50
#define LEAVES_MOST 1000
#define STAFF_MOST 200

/* ---- what is shown ---- */

struct listing {
	struct arena *arena;
	Lm__WorkView *view;
	bool is_short;
};

static bool row_add(struct listing *l, const char *staff, const char *role)
{
	Lm__WorkRow *row = arena_alloc(l->arena, sizeof *row);
	if (!row) {
		l->is_short = true;
		return false;
	}
	lm__work_row__init(row);
	row->staff = (char *)(uintptr_t)staff;
	row->role = (char *)(uintptr_t)role;
	l->view->rows[l->view->n_rows++] = row;
	return l->view->n_rows < STAFF_MOST;
}

static bool account_visit(void *context, const Lm__AccountPayload *account)
{
	struct listing *l = context;
	if (!account->password_hash[0] || !role_may(account->role, RIGHT_CASES))
		return true;
	return row_add(l, account->name, account->role);
}

static int rows_fill(struct node *n, struct store_txn *txn, struct arena *arena, Lm__WorkView *view, int64_t now_ms)
{
	struct listing l = { .arena = arena, .view = view };
	ProtobufCMessage **leaves;
	size_t count;
	char today[CLOCK_TEXT_BYTES];
	view->rows = arena_alloc(arena, (STAFF_MOST + 1) * sizeof *view->rows);
	if (!view->rows || !row_add(&l, "", ""))
		return ERR_MEMORY;
	int result = account_each(txn, arena, account_visit, &l);
	if (!result)
		result = work_list(txn, WORK_LEAVE, (struct bytes){ 0 }, false, LEAVES_MOST, arena, &leaves, &count);
	if (result || l.is_short)
		return result ? result : ERR_MEMORY;
	clock_format_shanghai(now_ms, today);
	today[10] = '\0';
	for (size_t i = 0; i < count; i++) {
		Lm__Leave *leave = (Lm__Leave *)leaves[i];
		for (size_t k = 1; k < view->n_rows && strcmp(leave->until, today) >= 0; k++)
			if (strcmp(view->rows[k]->staff, leave->staff) == 0) {
				view->rows[k]->leave = leave;
				view->rows[k]->is_away = leave_counts(leave, today);
			}
	}
	worklist_count(worklist_of(n), now_ms, view->rows, view->n_rows);
	return OK;
}

static int view_fill(struct node *n, struct store_txn *txn, const char *user, struct arena *arena, Lm__WorkView *view)
{
	uint8_t account[sizeof((struct errand *)0)->user];
	struct writer mine = writer_over(account, sizeof account);
	write_bytes(&mine, BYTES(user, strlen(user) + 1));
	int result = rows_fill(n, txn, arena, view, clock_wall_ms());
	if (!result)
		result = work_list(txn, WORK_VIEW, BYTES(account, mine.size), false, VIEWS_MOST, arena,
		                   (ProtobufCMessage ***)&view->views, &view->n_views);
	if (!result)
		result = work_list(txn, WORK_NOTE, (struct bytes){ 0 }, true, NOTES_SHOWN, arena,
		                   (ProtobufCMessage ***)&view->notes, &view->n_notes);
	if (!result)
		result = work_list(txn, WORK_TEMPLATE, (struct bytes){ 0 }, false, TEMPLATES_MOST, arena,
		                   (ProtobufCMessage ***)&view->templates, &view->n_templates);
	view->is_ready = index_is_ready(&worklist_of(n)->index);
	return result;
}

static bool may_lead(struct http_request *r)
{
	return role_may(http_role(r), RIGHT_RESETS);
}

static void work_pool(struct node *n, void *context)
{
	struct errand *x = context;
	struct store_txn *txn;
	Lm__WorkView *view = (Lm__WorkView *)x->output;
	x->result = store_begin_read(node_store(n), &txn, &x->error);
	if (x->result)
		return;
	x->result = view_fill(n, txn, x->user, &x->arena, view);
	if (store_failure(txn, &x->error))
		x->result = store_failure(txn, &x->error);
	store_abort(txn);
}

static bool output_make(struct errand *x)
{
	Lm__WorkView *view = arena_alloc(&x->arena, sizeof *view);
	if (!view) {
		errand_answer(x, ERR_MEMORY, NULL);
		return false;
	}
	lm__work_view__init(view);
	view->user = x->user;
	view->may_lead = may_lead(x->request);
	x->output = &view->base;
	return true;
}

void work_get(void *context, struct http_request *r)
{
	struct errand *x = errand_new(r);
	if (x && output_make(x))
		errand_pool(context, x, work_pool);
}

/* ---- what is written ---- */

static int account_works(struct turn *t, const char *name, const char *refusal, struct error *e)
{
	Lm__AccountPayload *account;
	int result = account_get(t->txn, name, t->arena, &account);
	if (result && result != ERR_NOT_FOUND)
		return result;
	return !result && account->password_hash[0] && role_may(account->role, RIGHT_CASES)
	               ? OK
	               : error_set(e, ERR_INVALID, "%s", refusal);
}

static int deputy_check(struct turn *t, const Lm__Leave *leave, struct error *e)
{
	int result = account_works(t, leave->staff, "leave.staff: there is no such account that works on cases", e);
	return result ? result
	              : account_works(t, leave->deputy, "leave.deputy: there is no such account that works on cases",
	                              e);
}

static int room_check(struct turn *t, const Lm__DeskPayload *p, struct error *e)
{
	ProtobufCMessage **rows;
	size_t count = 0;
	int result = OK;
	if (p->act == LM__DESK_ACT__DESK_ACT_KEEP_TEMPLATE)
		result = work_list(t->txn, WORK_TEMPLATE, (struct bytes){ 0 }, false, TEMPLATES_MOST, t->arena, &rows,
		                   &count);
	if (!result && count == TEMPLATES_MOST)
		return error_set(e, ERR_TOO_MANY, "there are %d texts already: drop one first", TEMPLATES_MOST);
	if (p->act == LM__DESK_ACT__DESK_ACT_KEEP_VIEW)
		result = work_list(t->txn, WORK_VIEW, BYTES(p->by, strlen(p->by) + 1), false, VIEWS_MOST, t->arena,
		                   &rows, &count);
	if (!result && count == VIEWS_MOST)
		return error_set(e, ERR_TOO_MANY, "you have %d views already: drop one first", VIEWS_MOST);
	return result;
}

static int desk_run(struct turn *t, struct command *c, struct error *e)
{
	struct errand *x = c->context;
	Lm__DeskPayload *p = (Lm__DeskPayload *)x->input;
	Lm__Header h = LM__HEADER__INIT;
	struct bytes packed;
	struct placed placed;
	int result = p->act == LM__DESK_ACT__DESK_ACT_SET_LEAVE ? deputy_check(t, p->leave, e) : OK;
	if (!result)
		result = room_check(t, p, e);
	if (!result)
		result = CODEC_PACK(p, t->arena, &packed, e);
	h.kind = LM__KIND__KIND_DESK;
	h.place = (char *)(uintptr_t)node_domain(t->node)->place;
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h, .payload = packed };
	return result ? result : turn_append(t, &draft, &placed, e);
}

static void desk_done(struct node *n, struct command *c)
{
	struct errand *x = c->context;
	Lm__Empty empty = LM__EMPTY__INIT;
	if (c->result) {
		errand_answer(x, c->result, &c->error);
		return;
	}
	desk_publish(n, RIGHT_CASES, "work", &empty.base);
	if (output_make(x))
		errand_pool(n, x, work_pool);
}

void work_post(void *context, struct http_request *r)
{
	struct errand *x = errand_with_body(r, &lm__desk_payload__descriptor);
	if (!x)
		return;
	Lm__DeskPayload *p = (Lm__DeskPayload *)x->input;
	p->by = x->user;
	int result = desk_payload_check(p, &x->error);
	bool is_leave = p->act == LM__DESK_ACT__DESK_ACT_SET_LEAVE || p->act == LM__DESK_ACT__DESK_ACT_END_LEAVE;
	if (!result && is_leave && strcmp(p->leave->staff, x->user) != 0 && !may_lead(r))
		result = error_set(&x->error, ERR_DENIED, "leave: a supervisor sets that of others");
	if (result)
		errand_answer(x, result, &x->error);
	else
		errand_command(context, x, desk_run, desk_done);
}

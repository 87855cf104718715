/*
 * Accounts: listed, opened, closed, given other roles, unlocked, reset. The same at a page and for lmctl, where whoever
 * can open the socket is let in and says who he is; a reset takes two people either way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/ids.h"
#include "lockout.h"
#include "login.h"

#define ACCOUNTS_MOST 500

struct deed { /* one request under way */
	struct command command;
	struct http_request *request;
	struct arena arena;
	Lm__AccountCommand *input;
	ProtobufCMessage *output;
	char user[65];
	char drawn[TOKEN_SECRET_BYTES]; /* a password, in the form in which it is checked */
	char hash[PASSWORD_HASH_BYTES];
	Lm__AccountPayload *shown; /* the account as the act leaves it */
	int result;
	struct error error;
};

int account_append(struct turn *t, const Lm__AccountPayload *account, struct error *e)
{
	Lm__Header h = LM__HEADER__INIT;
	struct bytes packed;
	struct placed placed;
	h.kind = LM__KIND__KIND_ACCOUNT;
	int result = account_check(account, node_domain(t->node)->tier, e);
	if (!result)
		result = CODEC_PACK(account, t->arena, &packed, e);
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h, .payload = packed };
	return result ? result : turn_append(t, &draft, &placed, e);
}

int account_mark_append(struct turn *t, const Lm__AccountMarkPayload *mark, struct error *e)
{
	Lm__Header h = LM__HEADER__INIT;
	struct bytes packed;
	struct placed placed;
	h.kind = LM__KIND__KIND_ACCOUNT_MARK;
	int result = CODEC_PACK(mark, t->arena, &packed, e);
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h, .payload = packed };
	return result ? result : turn_append(t, &draft, &placed, e);
}

/* ---- one deed ---- */

static struct deed *deed_new(struct http_request *r)
{
	struct deed *d = calloc(1, sizeof *d);
	if (!d) {
		http_answer_error(r, ERR_MEMORY, "no memory for this request");
		return NULL;
	}
	d->request = r;
	snprintf(d->user, sizeof d->user, "%s", http_user(r));
	arena_init(&d->arena, 1024 * 1024);
	return d;
}

static void deed_free(struct deed *d)
{
	if (d->input) {
		crypto_wipe(d->input->by_password, strlen(d->input->by_password));
		crypto_wipe(d->input->second_password, strlen(d->input->second_password));
	}
	arena_release(&d->arena);
	crypto_wipe(d, sizeof *d);
	free(d);
}

static void deed_answer(struct deed *d, int result, const struct error *e)
{
	if (result)
		node_answer_error(d->request, result, e);
	else
		node_answer(d->request, d->output);
	deed_free(d);
}

/* ---- the list ---- */

static Lm__AccountRow *row_of(const struct deed *d, const Lm__AccountPayload *account, struct arena *arena)
{
	Lm__AccountRow *row = arena_alloc(arena, sizeof *row);
	if (!row)
		return NULL;
	lm__account_row__init(row);
	row->name = arena_text(arena, account->name);
	row->role = arena_text(arena, account->role);
	row->reset_by = arena_text(arena, account->reset_by);
	row->is_closed = !account->password_hash[0];
	row->must_change = account->must_change;
	row->has_second = account->second_factor.len > 0;
	row->is_mine = strcmp(d->user, account->name) == 0;
	return row->name && row->role && row->reset_by ? row : NULL;
}

struct list {
	struct deed *deed;
	Lm__AccountsView *view;
	bool is_short;
};

static bool list_visit(void *context, const Lm__AccountPayload *account)
{
	struct list *l = context;
	if (l->view->n_accounts == ACCOUNTS_MOST)
		return false;
	Lm__AccountRow *row = row_of(l->deed, account, &l->deed->arena);
	l->is_short |= !row;
	if (row)
		l->view->accounts[l->view->n_accounts++] = row;
	return row != NULL;
}

static void list_pool(struct node *n, void *context)
{
	struct deed *d = context;
	struct store_txn *txn;
	struct list l = { .deed = d, .view = arena_alloc(&d->arena, sizeof *l.view) };
	Lm__AccountRow **rows = arena_alloc(&d->arena, ACCOUNTS_MOST * sizeof *rows);
	const char **roles = arena_alloc(&d->arena, ROLES_MOST * sizeof *roles);
	d->result = l.view && rows && roles ? store_begin_read(node_store(n), &txn, &d->error) : ERR_MEMORY;
	if (d->result)
		return;
	lm__accounts_view__init(l.view);
	l.view->accounts = rows;
	l.view->n_roles = role_list(node_domain(n)->tier, roles);
	l.view->roles = (char **)(uintptr_t)roles;
	const char *configured = node_configuration(n)->second_factor;
	l.view->is_second_optional = !configured || strcmp(configured, "optional") == 0;
	d->result = account_each(txn, &d->arena, list_visit, &l);
	if (d->result)
		store_failure(txn, &d->error);
	else if (l.is_short)
		d->result = error_set(&d->error, ERR_MEMORY, "no memory for the list");
	store_abort(txn);
	d->output = &l.view->base;
}

static void list_done(struct node *n, void *context)
{
	struct deed *d = context;
	Lm__AccountsView *view = (Lm__AccountsView *)d->output;
	(void)n;
	for (size_t i = 0; !d->result && i < view->n_accounts; i++)
		view->accounts[i]->locked_until_ms = (int64_t)lockout_until_ms(view->accounts[i]->name);
	deed_answer(d, d->result, &d->error);
}

void accounts_get(void *context, struct http_request *r)
{
	struct deed *d = deed_new(r);
	int result = d ? node_pool(context, list_pool, list_done, d) : OK;
	if (result)
		deed_answer(d, result, NULL);
}

/* ---- what may be done, and what it makes of the account ---- */

static bool is_open(const Lm__AccountPayload *account)
{
	return account && account->password_hash[0];
}

static int open_do(struct deed *d, const Lm__AccountPayload *known, Lm__AccountPayload *account, struct error *e)
{
	if (is_open(known))
		return error_set(e, ERR_EXISTS, "name: there is an account '%.32s' already", account->name);
	account->role = d->input->role;
	account->password_hash = d->hash;
	account->must_change = true;
	account->second_factor = (ProtobufCBinaryData){ 0 };
	return OK;
}

static int change_do(struct turn *t, struct deed *d, const Lm__AccountPayload *known, Lm__AccountPayload *account,
                     struct error *e)
{
	bool is_close = account->act == LM__ACCOUNT_ACT__ACCOUNT_ACT_CLOSE;
	if (strcmp(known->name, account->by) == 0)
		return error_set(e, ERR_DENIED, "nobody closes his own account or changes his own role");
	int result = account_last_check(t->txn, known, t->arena, e);
	if (is_close) {
		account->password_hash = (char *)(uintptr_t) "";
		account->second_factor = (ProtobufCBinaryData){ 0 };
	} else {
		account->role = d->input->role;
	}
	account->reset_by = (char *)(uintptr_t) "";
	return result;
}

static int reset_propose(const Lm__AccountPayload *known, Lm__AccountPayload *account, struct error *e)
{
	if (strcmp(known->name, account->by) == 0)
		return error_set(e, ERR_DENIED, "nobody proposes to reset his own account");
	if (known->reset_by[0])
		return error_set(e, ERR_EXISTS, "%s has proposed this already", known->reset_by);
	account->reset_by = account->by;
	return OK;
}

/* At the machine both are there; at a page the second one confirms what the first proposed. */
static int reset_do(const struct deed *d, const Lm__AccountPayload *known, Lm__AccountPayload *account, struct error *e)
{
	bool is_local = http_is_local(d->request);
	const char *first = is_local ? d->input->by : known->reset_by;
	const char *second = is_local ? d->input->second : d->user;
	if (!first[0])
		return error_set(e, ERR_CONFLICT, "nobody has proposed to reset %.32s", known->name);
	if (strcmp(first, second) == 0)
		return error_set(e, ERR_DENIED, "it takes two: %.32s proposed it, somebody else confirms it", first);
	if (strcmp(known->name, first) == 0 || strcmp(known->name, second) == 0)
		return error_set(e, ERR_DENIED, "nobody takes part in resetting his own account");
	account->by = (char *)(uintptr_t)second;
	account->second = (char *)(uintptr_t)first;
	account->reset_by = (char *)(uintptr_t) "";
	account->password_hash = (char *)(uintptr_t)d->hash;
	account->must_change = true;
	account->second_factor = (ProtobufCBinaryData){ 0 };
	return OK;
}

static int drop_do(const Lm__AccountPayload *known, Lm__AccountPayload *account, struct error *e)
{
	if (!known->reset_by[0])
		return error_set(e, ERR_CONFLICT, "nobody has proposed to reset %.32s", known->name);
	account->reset_by = (char *)(uintptr_t) "";
	return OK;
}

static int act_do(struct turn *t, struct deed *d, const Lm__AccountPayload *known, Lm__AccountPayload *account,
                  struct error *e)
{
	if (account->act == LM__ACCOUNT_ACT__ACCOUNT_ACT_OPEN)
		return open_do(d, known, account, e);
	if (!is_open(known))
		return error_set(e, ERR_NOT_FOUND, "there is no open account '%.32s'", account->name);
	switch (account->act) {
	case LM__ACCOUNT_ACT__ACCOUNT_ACT_CLOSE:
	case LM__ACCOUNT_ACT__ACCOUNT_ACT_ROLE:
		return change_do(t, d, known, account, e);
	case LM__ACCOUNT_ACT__ACCOUNT_ACT_PROPOSE_RESET:
		return reset_propose(known, account, e);
	case LM__ACCOUNT_ACT__ACCOUNT_ACT_RESET:
		return reset_do(d, known, account, e);
	case LM__ACCOUNT_ACT__ACCOUNT_ACT_DROP_RESET:
		return drop_do(known, account, e);
	case LM__ACCOUNT_ACT__ACCOUNT_ACT_UNLOCK:
		return OK;
	default:
		return error_set(e, ERR_INVALID,
		                 "act: an account is opened, closed, unlocked or reset, or given another role");
	}
}

static int unlock_append(struct turn *t, const Lm__AccountPayload *account, struct error *e)
{
	Lm__AccountMarkPayload mark = LM__ACCOUNT_MARK_PAYLOAD__INIT;
	mark.name = account->name;
	mark.act = account->act;
	mark.by = account->by;
	return account_mark_append(t, &mark, e);
}

static int act_run(struct turn *t, struct command *c, struct error *e)
{
	struct deed *d = c->context;
	Lm__AccountPayload account = LM__ACCOUNT_PAYLOAD__INIT, *known = NULL;
	int result = account_get(t->txn, d->input->name, t->arena, &known);
	if (result && result != ERR_NOT_FOUND)
		return store_failure(t->txn, e) ? store_failure(t->txn, e) : result;
	if (!result)
		account = *known;
	account.name = d->input->name;
	account.act = d->input->act;
	account.by = d->user;
	account.second = (char *)(uintptr_t) "";
	result = act_do(t, d, result ? NULL : known, &account, e);
	if (!result)
		result = account.act == LM__ACCOUNT_ACT__ACCOUNT_ACT_UNLOCK ? unlock_append(t, &account, e)
		                                                            : account_append(t, &account, e);
	if (result)
		return result;
	Lm__AccountStepView *view = arena_alloc(&d->arena, sizeof *view);
	char *drawn = arena_alloc(&d->arena, TOKEN_TEXT_BYTES);
	if (!view || !drawn)
		return error_set(e, ERR_MEMORY, "no memory for this act");
	lm__account_step_view__init(view);
	view->account = row_of(d, &account, &d->arena);
	drawn[0] = '\0';
	if (d->drawn[0])
		token_secret_to_text(d->drawn, drawn);
	view->password = drawn;
	d->output = &view->base;
	return view->account ? OK : error_set(e, ERR_MEMORY, "no memory for this act");
}

/* Whoever was let in as what the account was is not any more. */
static void act_done(struct node *n, struct command *c)
{
	struct deed *d = c->context;
	Lm__AccountAct act = d->input->act;
	bool is_reset = act == LM__ACCOUNT_ACT__ACCOUNT_ACT_RESET;
	if (!c->result && (is_reset || act == LM__ACCOUNT_ACT__ACCOUNT_ACT_UNLOCK))
		lockout_lift(d->input->name);
	if (!c->result &&
	    (is_reset || act == LM__ACCOUNT_ACT__ACCOUNT_ACT_CLOSE || act == LM__ACCOUNT_ACT__ACCOUNT_ACT_ROLE)) {
		login_accounts_changed();
		http_sessions_end_user(node_http(n), d->input->name);
	}
	if (!c->result)
		((Lm__AccountStepView *)d->output)->account->locked_until_ms =
		        (int64_t)lockout_until_ms(d->input->name);
	deed_answer(d, c->result, &c->error);
}

/* ---- before the writer: what is slow ---- */

static bool draws_password(Lm__AccountAct act)
{
	return act == LM__ACCOUNT_ACT__ACCOUNT_ACT_OPEN || act == LM__ACCOUNT_ACT__ACCOUNT_ACT_RESET;
}

static int password_draw(struct deed *d)
{
	uint8_t random[TOKEN_SECRET_CHARACTERS - 1];
	int result = crypto_random(random, sizeof random, &d->error);
	if (result)
		return result;
	token_secret_make(random, d->drawn);
	crypto_wipe(random, sizeof random);
	return password_hash(d->drawn, d->hash, &d->error);
}

/* One of the two who reset an account at the machine. */
static int person_check(struct node *n, struct deed *d, const char *name, const char *password)
{
	struct store_txn *txn;
	Lm__AccountPayload *account;
	int result = store_begin_read(node_store(n), &txn, &d->error);
	if (result)
		return result;
	result = account_get(txn, name, &d->arena, &account);
	store_abort(txn);
	if (!result && (!is_open(account) || account->must_change || !role_may(account->role, RIGHT_RESETS)))
		result = ERR_NOT_FOUND;
	if (result == ERR_NOT_FOUND)
		return error_set(&d->error, ERR_DENIED, "'%.32s' has no account here that takes part in resets", name);
	if (!result)
		result = password_check(password, account->password_hash, &d->error);
	return result == ERR_LOGIN ? error_set(&d->error, result, "the password of %.32s is wrong", name) : result;
}

static void act_pool(struct node *n, void *context)
{
	struct deed *d = context;
	const Lm__AccountCommand *in = d->input;
	d->result = OK;
	if (http_is_local(d->request) && in->act == LM__ACCOUNT_ACT__ACCOUNT_ACT_RESET) {
		d->result = person_check(n, d, in->by, in->by_password);
		if (!d->result)
			d->result = person_check(n, d, in->second, in->second_password);
	}
	if (!d->result && draws_password(in->act))
		d->result = password_draw(d);
}

static void act_pooled(struct node *n, void *context)
{
	struct deed *d = context;
	d->command = (struct command){ .run = act_run, .done = act_done, .context = d };
	if (!d->result)
		d->result = node_command(n, &d->command);
	if (d->result)
		deed_answer(d, d->result, &d->error);
}

static int right_check(struct http_request *r, Lm__AccountAct act, struct error *e)
{
	bool is_help = act == LM__ACCOUNT_ACT__ACCOUNT_ACT_UNLOCK ||
	               act == LM__ACCOUNT_ACT__ACCOUNT_ACT_PROPOSE_RESET ||
	               act == LM__ACCOUNT_ACT__ACCOUNT_ACT_DROP_RESET || act == LM__ACCOUNT_ACT__ACCOUNT_ACT_RESET;
	if (!is_help && !role_may(http_role(r), RIGHT_ACCOUNTS))
		return error_set(e, ERR_DENIED, "this account may not open, close or change accounts");
	return act == LM__ACCOUNT_ACT__ACCOUNT_ACT_PROPOSE_RESET || act == LM__ACCOUNT_ACT__ACCOUNT_ACT_RESET
	               ? desk_fresh_check(r, e)
	               : OK;
}

void accounts_post(void *context, struct http_request *r)
{
	struct deed *d = deed_new(r);
	if (!d)
		return;
	if (node_body(r, &lm__account_command__descriptor, &d->arena, &d->input)) {
		d->input = NULL; /* answered */
		deed_free(d);
		return;
	}
	int result = right_check(r, d->input->act, &d->error);
	if (http_is_local(r))
		snprintf(d->user, sizeof d->user, "%s", d->input->by);
	if (!result && !d->user[0])
		result = error_set(&d->error, ERR_INVALID, "by: say who does it");
	if (!result)
		result = node_pool(context, act_pool, act_pooled, d);
	if (result)
		deed_answer(d, result, &d->error);
}

/*
 * Logging in, step by step:
 *
 *   password ──▶ drawn for one login? set one's own ──▶ second factor: a code, or enrol one ──▶ at the desk
 *
 * Until the last step a session has the role "login", which has no rights: only these routes take it. Then it begins
 * anew, with another id. Argon2id runs on the pool; what is used up or set goes through the writer, which decides who
 * was first; wrong tries are counted before it is known that they are wrong.
 */
#include "login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lockout.h"
#include "second.h"

#define TYPED_BYTES_MOST 256 /* as password_hash */
#define ROLE_HALF "login"
#define FRESH_MS (UINT64_C(5) * 60 * 1000)

struct login {
	struct command command;
	struct http_request *request;
	struct arena arena;
	ProtobufCMessage *input;
	char name[33], *password; /* to be checked; it lies in `input` */
	const char *chosen;       /* to be set; the same */
	const char *code;
	bool is_whole;             /* the request's session is at the desk already */
	bool is_enrolling;         /* the code is of a second factor that was drawn just now */
	uint64_t changes;          /* of accounts, when it was read */
	Lm__AccountPayload *known; /* as it was read; NULL: there is none, or it is closed */
	uint8_t secret[TOTP_SECRET_BYTES];
	uint64_t step;
	char hash[PASSWORD_HASH_BYTES];
	int result;
	struct error error;
};

static uint64_t changes; /* loop thread */

/* ---- what is said ---- */

static bool is_second_optional(const struct node *n)
{
	const char *configured = node_configuration(n)->second_factor;
	return !configured || strcmp(configured, "optional") == 0;
}

static void session_answer(struct node *n, struct http_request *r, const char *csrf, const char *step)
{
	struct arena arena;
	arena_init(&arena, 64 * 1024);
	Lm__SessionView view = LM__SESSION_VIEW__INIT;
	const char *role = http_role(r);
	view.user = (char *)(uintptr_t)http_user(r);
	view.role = (char *)(uintptr_t)role;
	view.csrf = (char *)(uintptr_t)csrf;
	view.step = (char *)(uintptr_t)step;
	view.tier = node_domain(n)->tier;
	view.place = (char *)(uintptr_t)node_domain(n)->place;
	view.place_name = node_place_words(n, node_domain(n)->place, &arena);
	view.is_demo = node_configuration(n)->is_demo;
	view.is_practice = node_configuration(n)->is_practice;
	view.idle_s = (uint32_t)node_configuration(n)->session_idle_s;
	view.is_second_optional = is_second_optional(n);
	view.has_second = http_session_proved_ms(r) != UINT64_MAX;
	char *may[RIGHT_COUNT];
	view.may = may;
	for (unsigned i = 0; i < RIGHT_COUNT; i++)
		if (role_may(role, 1u << i))
			may[view.n_may++] = (char *)(uintptr_t)right_names[i];
	node_answer(r, &view.base);
	arena_release(&arena);
}

static struct login *login_new(struct http_request *r)
{
	struct login *l = calloc(1, sizeof *l);
	if (!l) {
		http_answer_error(r, ERR_MEMORY, "no memory for this request");
		return NULL;
	}
	l->request = r;
	l->changes = changes;
	l->is_whole = role_may(http_role(r), RIGHT_DESK);
	snprintf(l->name, sizeof l->name, "%s", http_user(r));
	arena_init(&l->arena, 256 * 1024);
	return l;
}

static void login_free(struct login *l)
{
	if (l->password)
		crypto_wipe(l->password, strlen(l->password));
	if (l->chosen)
		crypto_wipe((char *)(uintptr_t)l->chosen, strlen(l->chosen));
	if (l->known && l->known->second_factor.len)
		crypto_wipe(l->known->second_factor.data, l->known->second_factor.len);
	arena_release(&l->arena);
	crypto_wipe(l, sizeof *l);
	free(l);
}

static void login_refuse(struct login *l, int result)
{
	node_answer_error(l->request, result, &l->error);
	login_free(l);
}

/* What comes next for this account: "" if nothing does. */
static const char *step_of(const struct node *n, const Lm__AccountPayload *account)
{
	if (account->must_change)
		return "password";
	if (account->second_factor.len)
		return "code";
	return is_second_optional(n) ? "" : "second";
}

/* The session begins, whole if nothing more is to come; it is answered. */
static void login_begin(struct node *n, struct login *l, const char *step, bool is_proved)
{
	char csrf[HTTP_CSRF_TEXT_BYTES];
	int result =
	        l->changes == changes
	                ? http_session_begin(l->request, l->name, *step ? ROLE_HALF : l->known->role, csrf, &l->error)
	                : error_set(&l->error, ERR_AGAIN, "accounts were changed just now: log in once more");
	if (result) {
		login_refuse(l, result);
		return;
	}
	if (is_proved)
		http_session_prove(l->request);
	session_answer(n, l->request, csrf, step);
	login_free(l);
}

/* ---- tries ---- */

/* False: it has been answered. */
static bool try_take(struct login *l)
{
	int result = lockout_take(l->name, &l->error);
	if (result)
		login_refuse(l, result);
	return !result;
}

/* Wrong tries are forgiven for all that the account asks for: with the password alone nobody gets more tries at codes.
 */
static void try_end(struct node *n, const struct login *l)
{
	bool is_all = !l->result && (l->code || !l->known->second_factor.len);
	if (l->result == ERR_LOGIN)
		lockout_wrong(n, l->name, l->known != NULL);
	else
		lockout_end(l->name, is_all);
}

void login_accounts_changed(void)
{
	changes++;
}

/* ---- on the pool ---- */

static int account_read(struct node *n, struct login *l)
{
	struct store_txn *txn;
	Lm__AccountPayload *account;
	int result = store_begin_read(node_store(n), &txn, &l->error);
	if (result)
		return result;
	result = account_get(txn, l->name, &l->arena, &account);
	if (!result && account->password_hash[0])
		l->known = account;
	store_abort(txn);
	return error_is_of_machine(result) ? error_set(&l->error, result, "the account cannot be read") : OK;
}

/* A password that was drawn is typed off a paper: without regard to its hyphens and case. What cannot be one costs as
 * much time. */
static int drawn_check(const struct login *l)
{
	char secret[TOKEN_SECRET_BYTES];
	bool is_one = !token_secret_from_text(l->password, secret, NULL);
	int result = password_check(is_one ? secret : l->password, l->known->password_hash, NULL);
	crypto_wipe(secret, sizeof secret);
	return result;
}

/* An unknown name costs as much time as a wrong password: names cannot be found out by the clock. */
static int password_right(struct login *l)
{
	char unknown[PASSWORD_HASH_BYTES];
	int result = ERR_LOGIN;
	if (strlen(l->password) > TYPED_BYTES_MOST)
		result = ERR_LOGIN; /* whoever it is: nobody's is longer */
	else if (!l->known)
		password_hash("there is no such account", unknown, NULL);
	else if (l->known->must_change)
		result = drawn_check(l);
	else
		result = password_check(l->password, l->known->password_hash, NULL);
	if (error_is_of_machine(result))
		return error_set(&l->error, result, "the machine cannot check a password now: try again");
	return result ? error_set(&l->error, ERR_LOGIN, "the name or the password is wrong") : OK;
}

static void password_pool(struct node *n, void *context)
{
	struct login *l = context;
	l->result = account_read(n, l);
	if (!l->result)
		l->result = password_right(l);
}

static int choice_check(struct login *l)
{
	int result = password_choice_check(l->chosen, l->name, &l->error);
	if (result)
		return result;
	l->password = (char *)(uintptr_t)l->chosen;
	struct error kept = l->error;
	result = password_right(l);
	l->password = NULL;
	l->error = kept;
	if (error_is_of_machine(result))
		return error_set(&l->error, result, "the machine cannot check a password now: try again");
	return result ? OK : error_set(&l->error, ERR_INVALID, "password: it is the one before; take another");
}

/* Who is at the desk shows that he knows the one before; who is not has just logged in with one that was drawn. */
static void choice_pool(struct node *n, void *context)
{
	struct login *l = context;
	l->result = account_read(n, l);
	if (!l->result && !l->known)
		l->result = error_set(&l->error, ERR_LOGIN, "this account is closed");
	if (!l->result && l->is_whole)
		l->result = password_right(l);
	else if (!l->result && !l->known->must_change)
		l->result = error_set(&l->error, ERR_DENIED, "this login goes on with another step: log in again");
	if (l->result)
		return;
	char *old = l->password;
	l->result = choice_check(l);
	l->password = old;
	if (!l->result)
		l->result = password_hash(l->chosen, l->hash, &l->error);
}

static void code_pool(struct node *n, void *context)
{
	struct login *l = context;
	l->result = account_read(n, l);
	if (l->result)
		return;
	bool has_one = l->known && l->known->second_factor.len == TOTP_SECRET_BYTES;
	l->is_enrolling &= l->is_whole || !has_one; /* half a login does not replace one */
	if (!l->known || l->known->must_change || (!l->is_enrolling && !has_one))
		l->result = error_set(&l->error, ERR_DENIED, "there is no second factor to check: log in again");
	else
		l->result = totp_check(l->is_enrolling ? l->secret : l->known->second_factor.data, clock_wall_ms(),
		                       l->is_enrolling ? 0 : l->known->second_step, l->code, &l->step, &l->error);
}

static void second_pool(struct node *n, void *context)
{
	struct login *l = context;
	l->result = account_read(n, l);
	if (l->result)
		return;
	bool is_next = l->known && (l->is_whole || strcmp(step_of(n, l->known), "second") == 0);
	if (!is_next)
		l->result = error_set(&l->error, ERR_DENIED, "this login goes on with another step: log in again");
	else
		l->result = crypto_random(l->secret, sizeof l->secret, &l->error);
}

/* ---- through the writer ---- */

/* The account as it stands now, if it is still what was read. */
static int account_same(struct turn *t, const struct login *l, Lm__AccountPayload **out, struct error *e)
{
	int result = account_get(t->txn, l->name, t->arena, out);
	bool is_same = !result && strcmp((*out)->password_hash, l->known->password_hash) == 0 &&
	               (*out)->second_factor.len == l->known->second_factor.len;
	if (is_same || error_is_of_machine(result))
		return result;
	return error_set(e, ERR_CONFLICT, "the account was changed meanwhile: log in again");
}

static int choice_run(struct turn *t, struct command *c, struct error *e)
{
	struct login *l = c->context;
	Lm__AccountPayload *account;
	int result = account_same(t, l, &account, e);
	if (result)
		return result;
	account->password_hash = l->hash;
	account->must_change = false;
	account->act = LM__ACCOUNT_ACT__ACCOUNT_ACT_PASSWORD;
	account->by = account->name;
	account->second = (char *)(uintptr_t) "";
	return account_append(t, account, e);
}

static void choice_done(struct node *n, struct command *c)
{
	struct login *l = c->context;
	if (c->result) {
		l->error = c->error;
		login_refuse(l, c->result);
		return;
	}
	bool is_proved = l->is_whole && http_session_proved_ms(l->request) != UINT64_MAX;
	l->known->must_change = false;
	http_sessions_end_user(node_http(n), l->name); /* whoever had the one before */
	login_begin(n, l, l->is_whole ? "" : step_of(n, l->known), is_proved);
}

static int code_run(struct turn *t, struct command *c, struct error *e)
{
	struct login *l = c->context;
	Lm__AccountPayload *account;
	if (!l->is_enrolling) {
		Lm__AccountMarkPayload mark = LM__ACCOUNT_MARK_PAYLOAD__INIT;
		mark.name = mark.by = l->name;
		mark.act = LM__ACCOUNT_ACT__ACCOUNT_ACT_LOGIN;
		mark.second_step = l->step;
		return account_mark_append(t, &mark, e);
	}
	int result = account_same(t, l, &account, e);
	if (result)
		return result;
	account->second_factor = codec_data(BYTES_OF(l->secret));
	account->second_step = l->step;
	account->act = LM__ACCOUNT_ACT__ACCOUNT_ACT_SECOND_FACTOR;
	account->by = account->name;
	account->second = (char *)(uintptr_t) "";
	return account_append(t, account, e);
}

static void code_done(struct node *n, struct command *c)
{
	struct login *l = c->context;
	char csrf[HTTP_CSRF_TEXT_BYTES];
	l->result = c->result;
	try_end(n, l);
	if (c->result) {
		l->error = c->error;
		login_refuse(l, c->result);
		return;
	}
	if (l->is_enrolling) {
		second_forget(l->name);
		http_sessions_end_user(node_http(n), l->name); /* those who came in without it */
	}
	if (!l->is_whole || l->is_enrolling || !http_session_csrf(l->request, csrf)) {
		login_begin(n, l, "", true);
		return;
	}
	http_session_prove(l->request);
	session_answer(n, l->request, csrf, "");
	login_free(l);
}

static void writer_ask(struct node *n, struct login *l, int (*run)(struct turn *t, struct command *c, struct error *e),
                       void (*done)(struct node *n, struct command *c))
{
	l->command = (struct command){ .run = run, .done = done, .context = l };
	int result = node_command(n, &l->command);
	if (result)
		login_refuse(l, result);
}

/* ---- on the loop, after the pool ---- */

static void login_done(struct node *n, void *context)
{
	struct login *l = context;
	try_end(n, l);
	if (l->result)
		login_refuse(l, l->result);
	else
		login_begin(n, l, step_of(n, l->known), false);
}

static void unlock_done(struct node *n, void *context)
{
	struct login *l = context;
	char csrf[HTTP_CSRF_TEXT_BYTES];
	try_end(n, l);
	if (!l->result)
		l->result = http_session_unlock(l->request, &l->error);
	if (!l->result && !http_session_csrf(l->request, csrf))
		l->result = error_set(&l->error, ERR_CLOSED, "the session has ended: log in again");
	if (l->result) {
		login_refuse(l, l->result);
		return;
	}
	session_answer(n, l->request, csrf, "");
	login_free(l);
}

static void choice_pooled(struct node *n, void *context)
{
	struct login *l = context;
	if (l->is_whole)
		try_end(n, l);
	if (l->result)
		login_refuse(l, l->result);
	else
		writer_ask(n, l, choice_run, choice_done);
}

static void code_pooled(struct node *n, void *context)
{
	struct login *l = context;
	if (!l->result) {
		writer_ask(n, l, code_run, code_done);
		return;
	}
	try_end(n, l);
	login_refuse(l, l->result);
}

static void second_pooled(struct node *n, void *context)
{
	struct login *l = context;
	Lm__EnrolView *view = NULL;
	if (!l->result)
		l->result = second_view(node_domain(n)->place, l->name, l->secret, &l->arena, &view, &l->error);
	if (l->result) {
		login_refuse(l, l->result);
		return;
	}
	second_keep(l->name, l->secret);
	node_answer(l->request, &view->base);
	crypto_wipe(view->secret, strlen(view->secret));
	crypto_wipe(view->modules, strlen(view->modules));
	login_free(l);
}

/* ---- routes ---- */

static void pool_ask(struct node *n, struct login *l, void (*work)(struct node *n, void *context),
                     void (*done)(struct node *n, void *context))
{
	if (node_pool(n, work, done, l))
		login_refuse(l, error_set(&l->error, ERR_BUSY, "too much is waiting; try again"));
}

/* With its body read; NULL: answered. */
static struct login *login_with(struct http_request *r, const ProtobufCMessageDescriptor *type)
{
	struct login *l = login_new(r);
	if (l && node_body(r, type, &l->arena, &l->input)) {
		login_free(l);
		return NULL;
	}
	return l;
}

void desk_login(void *context, struct http_request *r)
{
	struct login *l = login_with(r, &lm__login_command__descriptor);
	if (!l)
		return;
	Lm__LoginCommand *in = (Lm__LoginCommand *)l->input;
	snprintf(l->name, sizeof l->name, "%s", in->name);
	l->password = in->password;
	if (try_take(l))
		pool_ask(context, l, password_pool, login_done);
}

void desk_unlock(void *context, struct http_request *r)
{
	struct login *l = login_with(r, &lm__unlock_command__descriptor);
	if (!l)
		return;
	const char *user = http_locked_user(r);
	if (!user || !l->is_whole) {
		http_session_end(r);
		login_refuse(l, error_set(&l->error, ERR_CLOSED, "there is no locked session: log in again"));
		return;
	}
	snprintf(l->name, sizeof l->name, "%s", user);
	l->password = ((Lm__UnlockCommand *)l->input)->password;
	if (try_take(l))
		pool_ask(context, l, password_pool, unlock_done);
}

void desk_password(void *context, struct http_request *r)
{
	struct login *l = login_with(r, &lm__password_command__descriptor);
	if (!l)
		return;
	Lm__PasswordCommand *in = (Lm__PasswordCommand *)l->input;
	l->chosen = in->password;
	l->password = in->old;
	if (!l->is_whole || try_take(l))
		pool_ask(context, l, choice_pool, choice_pooled);
}

void desk_second(void *context, struct http_request *r)
{
	struct login *l = login_new(r);
	if (!l)
		return;
	if (desk_fresh_check(r, &l->error)) /* a second factor is replaced by who has it */
		login_refuse(l, ERR_PROOF);
	else
		pool_ask(context, l, second_pool, second_pooled);
}

void desk_code(void *context, struct http_request *r)
{
	struct login *l = login_with(r, &lm__code_command__descriptor);
	if (!l)
		return;
	l->code = ((Lm__CodeCommand *)l->input)->code;
	l->is_enrolling = second_kept(l->name, l->secret);
	if (try_take(l))
		pool_ask(context, l, code_pool, code_pooled);
}

void desk_logout(void *context, struct http_request *r)
{
	Lm__Empty empty = LM__EMPTY__INIT;
	(void)context;
	http_session_end(r);
	node_answer(r, &empty.base);
}

void desk_front(void *context, struct http_request *r)
{
	Lm__FrontView view = LM__FRONT_VIEW__INIT;
	view.is_demo = node_configuration(context)->is_demo;
	view.is_practice = node_configuration(context)->is_practice;
	node_answer(r, &view.base);
}

void desk_me(void *context, struct http_request *r)
{
	char csrf[HTTP_CSRF_TEXT_BYTES];
	if (!http_session_csrf(r, csrf))
		csrf[0] = '\0'; /* over the Unix socket */
	session_answer(context, r, csrf, "");
}

/* Who never proved anything has nothing to prove it with: such sessions begin only where second factors are optional.
 */
int desk_fresh_check(struct http_request *r, struct error *e)
{
	uint64_t proved_ms = http_session_proved_ms(r);
	if (http_is_local(r) || proved_ms == UINT64_MAX || proved_ms <= FRESH_MS)
		return OK;
	return error_set(e, ERR_PROOF, "this needs a code of your authenticator, not older than %u minutes",
	                 (unsigned)(FRESH_MS / 60000));
}

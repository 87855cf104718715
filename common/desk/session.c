/*
 * Logging in: Argon2id on the pool, wrong tries limited, sessions kept by common/http.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "inside.h"

#define TRIES_A_MINUTE 10 /* per node: a person who forgot needs few, a program that guesses gets few */

struct login {
	struct http_request *request;
	struct arena arena;
	Lm__LoginCommand *input;
	char role[33];
	int result;
	struct error error;
};

static uint64_t tries_minute, tries_count; /* loop thread */

/* Counted before the slow function runs, so that many at once are not more than many in turn; a login gives it back. */
static bool try_take(void)
{
	uint64_t minute = clock_monotonic_us() / 60000000;
	if (minute != tries_minute) {
		tries_minute = minute;
		tries_count = 0;
	}
	return tries_count < TRIES_A_MINUTE && ++tries_count;
}

static void session_answer(struct node *n, struct http_request *r, const char *user, const char *role, const char *csrf)
{
	struct arena arena;
	arena_init(&arena, 64 * 1024);
	Lm__SessionView view = LM__SESSION_VIEW__INIT;
	view.user = (char *)(uintptr_t)user;
	view.role = (char *)(uintptr_t)role;
	view.csrf = (char *)(uintptr_t)csrf;
	view.tier = node_domain(n)->tier;
	view.place = (char *)(uintptr_t)node_domain(n)->place;
	view.place_name = node_place_words(n, node_domain(n)->place, &arena);
	view.is_demo = node_configuration(n)->is_demo;
	char *may[RIGHT_COUNT];
	view.may = may;
	for (unsigned i = 0; i < RIGHT_COUNT; i++)
		if (role_may(role, 1u << i))
			may[view.n_may++] = (char *)(uintptr_t)right_names[i];
	node_answer(r, &view.base);
	arena_release(&arena);
}

static void login_free(struct login *l)
{
	if (l->input)
		crypto_wipe(l->input->password, strlen(l->input->password));
	arena_release(&l->arena);
	free(l);
}

/* An unknown name costs as much time as a wrong password: names cannot be found out by the clock. */
static void login_pool(struct node *n, void *context)
{
	struct login *l = context;
	struct store_txn *txn;
	Lm__AccountPayload *account = NULL;
	char unknown[PASSWORD_HASH_BYTES];
	l->result = store_begin_read(node_store(n), &txn, &l->error);
	if (l->result)
		return;
	bool is_known = !account_get(txn, l->input->name, &l->arena, &account) && account->password_hash[0];
	store_abort(txn);
	if (!is_known) {
		password_hash("there is no such account", unknown, NULL);
		l->result = ERR_LOGIN;
	} else {
		l->result = password_check(l->input->password, account->password_hash, NULL);
		strncpy(l->role, account->role, sizeof l->role - 1);
	}
	if (l->result)
		error_set(&l->error, ERR_LOGIN, "the name or the password is wrong");
}

static void login_done(struct node *n, void *context)
{
	struct login *l = context;
	char csrf[HTTP_CSRF_TEXT_BYTES];
	if (!l->result)
		l->result = http_session_begin(l->request, l->input->name, l->role, csrf, &l->error);
	if (l->result) {
		node_answer_error(l->request, l->result, &l->error);
	} else {
		tries_count -= tries_count > 0;
		session_answer(n, l->request, l->input->name, l->role, csrf);
	}
	login_free(l);
}

void desk_login(void *context, struct http_request *r)
{
	struct node *n = context;
	struct login *l = calloc(1, sizeof *l);
	if (!l) {
		http_answer_error(r, ERR_MEMORY, "no memory for this request");
		return;
	}
	l->request = r;
	arena_init(&l->arena, 256 * 1024);
	if (!try_take())
		http_answer_error(r, ERR_TOO_MANY, "too many wrong tries; wait a minute");
	else if (node_body(r, &lm__login_command__descriptor, &l->arena, &l->input))
		l->input = NULL; /* answered */
	else if (node_pool(n, login_pool, login_done, l))
		http_answer_error(r, ERR_BUSY, "too much is waiting; try again");
	else
		return;
	login_free(l);
}

void desk_logout(void *context, struct http_request *r)
{
	Lm__Empty empty = LM__EMPTY__INIT;
	(void)context;
	http_session_end(r);
	node_answer(r, &empty.base);
}

void desk_me(void *context, struct http_request *r)
{
	char csrf[HTTP_CSRF_TEXT_BYTES];
	if (!http_session_csrf(r, csrf))
		csrf[0] = '\0'; /* over the Unix socket */
	session_answer(context, r, http_user(r), http_role(r), csrf);
}

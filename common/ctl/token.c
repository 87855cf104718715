/* Tokens: issued, listed and withdrawn at the hub; given to the device that they are for. */
#include <stdio.h>

#include "base/ids.h"
#include "crypto/crypto.h"
#include "proto/api.pb-c.h"

#include "ctl.h"

#define VALID_MOST_S 900

static void token_show(struct arena *a, const Lm__TokenView *v)
{
	print_text("token        %s\n", v->secret);
	print_text("for          the %s at %s, and no other device\n",
	           print_enum(a, &lm__tier__descriptor, (int)v->role), v->place);
	print_text("fingerprint  %s\nvalid until  %s\n", v->fingerprint, print_time(a, v->expires_ms));
	print_text("\nThe device's configuration says, or should say:\n");
	if (v->join_address[0])
		print_text("upstream_join = %s\n", v->join_address);
	print_text("upstream_key = %s\nauthority = %s\n", v->curve_key, v->authority);
}

int token_run(struct call *c, struct error *e)
{
	Lm__TokenCommand command = LM__TOKEN_COMMAND__INIT;
	Lm__TokenView *view = NULL;
	struct hash fingerprint;
	uint64_t valid_s = 0;
	int result = seat_read(c, &command.role, e);
	if (!result && fingerprint_from_text(c->option[OPTION_KEY], &fingerprint, e))
		result = error_wrap(e, ERR_INVALID, "--key");
	if (!result)
		result = call_number(c, OPTION_VALID, 1, VALID_MOST_S, VALID_MOST_S, &valid_s, e);
	if (result)
		return result;
	command.fingerprint = c->option[OPTION_KEY];
	command.place = c->option[OPTION_PLACE];
	command.by = call_by(c);
	command.valid_s = (uint32_t)valid_s;
	result = client_post(c, "/ctl/v1/tokens", &command.base, &lm__token_view__descriptor, &view, e);
	if (!result && !call_has(c, OPTION_JSON))
		token_show(&c->arena, view);
	return result;
}

static void tokens_show(struct call *c, Lm__TokenRow *const *tokens, size_t count)
{
	struct arena *a = &c->arena;
	struct print_table t = print_table_of(
	        a, 7, (const char *const[]){ "token", "place", "role", "state", "until", "by", "fingerprint" });
	for (size_t i = 0; i < count; i++) {
		const Lm__TokenRow *r = tokens[i];
		bool is_over = r->state == LM__TOKEN_STATE__TOKEN_STATE_ISSUED && !r->is_open;
		print_table_row(
		        &t, (const char *const[]){
		                    r->token,
		                    r->place,
		                    print_enum(a, &lm__tier__descriptor, (int)r->role),
		                    is_over ? "expired" : print_enum(a, &lm__token_state__descriptor, (int)r->state),
		                    print_time(a, r->expires_ms),
		                    r->by,
		                    r->fingerprint,
		            });
	}
	print_table_show(&t);
}

int tokens_run(struct call *c, struct error *e)
{
	Lm__TokensView *view = NULL;
	int result = client_get(c, "/ctl/v1/tokens", &lm__tokens_view__descriptor, &view, e);
	if (!result && !call_has(c, OPTION_JSON))
		tokens_show(c, view->tokens, view->n_tokens);
	return result;
}

int withdraw_run(struct call *c, struct error *e)
{
	Lm__WithdrawTokenCommand command = LM__WITHDRAW_TOKEN_COMMAND__INIT;
	Lm__TokenRow *row = NULL;
	command.token = c->word[0];
	command.by = call_by(c);
	int result = client_post(c, "/ctl/v1/tokens/withdraw", &command.base, &lm__token_row__descriptor, &row, e);
	if (!result && !call_has(c, OPTION_JSON))
		tokens_show(c, &row, 1);
	return result;
}

int join_run(struct call *c, struct error *e)
{
	Lm__JoinCommand command = LM__JOIN_COMMAND__INIT;
	Lm__Empty *empty = NULL;
	char secret[TOKEN_SECRET_BYTES];
	int result = token_secret_from_text(c->word[0], secret, e);
	if (result)
		return result;
	command.secret = secret;
	result = client_send(c, "/ctl/v1/join", &command.base, &lm__empty__descriptor, &empty, e);
	crypto_wipe(secret, sizeof secret);
	if (!result)
		printf("the device asks the district with this token; lmctl status says how it goes\n");
	return result;
}

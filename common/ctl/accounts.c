/* lmctl account: what an administrator does at the machine. Whoever can open the socket may; a reset takes two people.
 */
#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"
#include "domain/domain.h"
#include "proto/api.pb-c.h"

#include "account.h"
#include "ctl.h"

#define PATH "/ctl/v1/accounts"

static const char *state_of(const Lm__AccountRow *row)
{
	return row->is_closed         ? "closed"
	       : row->locked_until_ms ? "locked"
	       : row->reset_by[0]     ? "reset proposed"
	       : row->must_change     ? "password drawn"
	                              : "open";
}

int account_list_run(struct call *c, struct error *e)
{
	static const char *const titles[] = { "name", "role", "is", "second factor", "until", "reset by" };
	Lm__AccountsView *view = NULL;
	int result = client_get(c, PATH, &lm__accounts_view__descriptor, &view, e);
	if (result || call_has(c, OPTION_JSON))
		return result;
	struct print_table t = print_table_of(&c->arena, sizeof titles / sizeof *titles, titles);
	for (size_t i = 0; i < view->n_accounts; i++) {
		const Lm__AccountRow *row = view->accounts[i];
		const char *cells[] = { row->name,
			                row->role,
			                state_of(row),
			                row->has_second ? "yes" : "-",
			                print_time(&c->arena, row->locked_until_ms),
			                row->reset_by[0] ? row->reset_by : "-" };
		print_table_row(&t, cells);
	}
	print_table_show(&t);
	return OK;
}

static int act_send(struct call *c, Lm__AccountCommand *command, Lm__AccountStepView **out, struct error *e)
{
	command->name = c->word[0];
	if (!command->by[0])
		command->by = call_by(c);
	return client_post(c, PATH, &command->base, &lm__account_step_view__descriptor, out, e);
}

static int act_run(struct call *c, Lm__AccountAct act, const char *done, struct error *e)
{
	Lm__AccountCommand command = LM__ACCOUNT_COMMAND__INIT;
	Lm__AccountStepView *view = NULL;
	command.act = act;
	if (call_has(c, OPTION_ROLE))
		command.role = c->option[OPTION_ROLE];
	int result = call_has(c, OPTION_ROLE) ? role_check(command.role, e) : OK;
	if (!result)
		result = act_send(c, &command, &view, e);
	if (result || call_has(c, OPTION_JSON))
		return result;
	print_text("%s %s\n", c->word[0], done);
	if (view->password[0])
		print_text("password for the first login, told only here: %s\n", view->password);
	return OK;
}

int account_open_run(struct call *c, struct error *e)
{
	return act_run(c, LM__ACCOUNT_ACT__ACCOUNT_ACT_OPEN, "is open", e);
}

int account_close_run(struct call *c, struct error *e)
{
	return act_run(c, LM__ACCOUNT_ACT__ACCOUNT_ACT_CLOSE, "is closed", e);
}

int account_role_run(struct call *c, struct error *e)
{
	return act_run(c, LM__ACCOUNT_ACT__ACCOUNT_ACT_ROLE, "has another role now", e);
}

int account_unlock_run(struct call *c, struct error *e)
{
	return act_run(c, LM__ACCOUNT_ACT__ACCOUNT_ACT_UNLOCK, "may try again", e);
}

/* Without the pages: both persons type their passwords here. */
int account_reset_run(struct call *c, struct error *e)
{
	Lm__AccountCommand command = LM__ACCOUNT_COMMAND__INIT;
	Lm__AccountStepView *view = NULL;
	struct password first = { 0 }, second = { 0 };
	char prompt[120];
	command.act = LM__ACCOUNT_ACT__ACCOUNT_ACT_RESET;
	command.by = c->option[OPTION_BY];
	command.second = c->option[OPTION_SECOND];
	command.by_password = first.text;
	command.second_password = second.text;
	snprintf(prompt, sizeof prompt, "password of %.40s", command.by);
	int result = password_ask(c, prompt, &first, e);
	snprintf(prompt, sizeof prompt, "password of %.40s", command.second);
	if (!result)
		result = password_ask(c, prompt, &second, e);
	if (!result)
		result = act_send(c, &command, &view, e);
	crypto_wipe(&first, sizeof first);
	crypto_wipe(&second, sizeof second);
	if (!result && !call_has(c, OPTION_JSON))
		print_text("%s is reset, without a second factor\npassword for the first login, told only here: %s\n",
		           c->word[0], view->password);
	return result;
}

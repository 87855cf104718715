/* Cards of the district: the certificate that is written into one, and the end of a lost one. */
#include <stdio.h>

#include "proto/api.pb-c.h"

#include "ctl.h"

int card_issue_run(struct call *c, struct error *e)
{
	Lm__CardIssueCommand command = LM__CARD_ISSUE_COMMAND__INIT;
	Lm__CardIssuedView *view = NULL;
	command.public_key = c->word[0];
	if (c->word_count > 1)
		command.person = c->word[1];
	command.by = call_by(c);
	int result = client_post(c, "/ctl/v1/cards/issue", &command.base, &lm__card_issued_view__descriptor, &view, e);
	if (!result && !call_has(c, OPTION_JSON))
		print_text("number       %s\nvalid until  %s\ncertificate  %s\n", view->number,
		           print_time(&c->arena, view->expires_ms), view->certificate);
	return result;
}

int card_revoke_run(struct call *c, struct error *e)
{
	Lm__CardRevokeCommand command = LM__CARD_REVOKE_COMMAND__INIT;
	Lm__Empty *empty = NULL;
	command.number = c->word[0];
	command.reason = c->option[OPTION_REASON];
	command.by = call_by(c);
	int result = client_post(c, "/ctl/v1/cards/revoke", &command.base, &lm__empty__descriptor, &empty, e);
	if (!result && !call_has(c, OPTION_JSON))
		printf("terminals refuse this card as soon as they hear of it\n");
	return result;
}

/* What the commands about accounts share. */
#ifndef CTL_ACCOUNT_H
#define CTL_ACCOUNT_H

#include "ctl.h"

#define PASSWORD_BYTES_MOST 256 /* as password_hash */

struct password {
	char text[PASSWORD_BYTES_MOST + 1];
};

/* Once, unseen; with --password-file - the next line of standard input. */
int password_ask(struct call *c, const char *prompt, struct password *out, struct error *e);
int role_check(const char *role, struct error *e);

#endif

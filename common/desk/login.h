/* What logins and accounts know of each other. Loop thread, but for what takes a turn. */
#ifndef DESK_LOGIN_H
#define DESK_LOGIN_H

#include "inside.h"

void login_accounts_changed(void); /* logins that are under way begin anew */

/* accounts.c: entries of accounts; writer thread. */
int account_append(struct turn *t, const Lm__AccountPayload *account, struct error *e);
int account_mark_append(struct turn *t, const Lm__AccountMarkPayload *mark, struct error *e);

#endif

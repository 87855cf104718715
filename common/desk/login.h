/* What logins and accounts know of each other. Loop thread, but for what takes a turn. */
#ifndef DESK_LOGIN_H
#define DESK_LOGIN_H

#include "inside.h"

/* Until when an account waits after too many wrong tries, by the wall clock; 0: it does not. */
uint64_t login_locked_until_ms(const char *name);
void login_unlock(const char *name);
void login_accounts_changed(void); /* logins that are under way begin anew */

/* accounts.c: entries of accounts; writer thread. */
int account_append(struct turn *t, const Lm__AccountPayload *account, struct error *e);
int account_mark_append(struct turn *t, const Lm__AccountMarkPayload *mark, struct error *e);

#endif

/* Who may try to log in now. Loop thread. */
#ifndef DESK_LOCKOUT_H
#define DESK_LOCKOUT_H

#include "inside.h"

/* Counts a try before it is known whether it is right. ERR_TOO_MANY says how long to wait; an unknown name is counted
 * and refused like any other. */
int lockout_take(const char *name, struct error *e);
/* It was wrong; the journal keeps that an account has to wait now. */
void lockout_wrong(struct node *n, const char *name, bool is_account);
/* It was not wrong. `is_all`: right, and nothing more is asked for: earlier wrong ones are forgiven. */
void lockout_end(const char *name, bool is_all);

/* Until when a name waits after too many wrong tries, by the wall clock; 0: it does not. */
uint64_t lockout_until_ms(const char *name);
void lockout_lift(const char *name); /* by somebody else */

#endif

/*
 * Wrong tries: each name waits for itself (tries.c), and the node takes only so many a minute from all together.
 */
#include "lockout.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "login.h"
#include "tries.h"

#define MINUTE_US UINT64_C(60000000)
#define TRIES_A_MINUTE 10 /* per node: a person who forgot needs few, a program that guesses gets few */

static struct tries tries;
static bool has_tries;
static uint64_t tries_minute, tries_count;

int lockout_take(const char *name, struct error *e)
{
	uint64_t now_us = clock_monotonic_us(), minute = now_us / MINUTE_US;
	int result = has_tries ? OK : tries_open(&tries, e);
	if (result)
		return result;
	has_tries = true;
	if (minute != tries_minute) {
		tries_minute = minute;
		tries_count = 0;
	}
	uint64_t until_us = tries_until_us(&tries, name, now_us);
	if (until_us) {
		unsigned minutes = (unsigned)((until_us - now_us) / MINUTE_US + 1);
		return error_set(e, ERR_TOO_MANY,
		                 "too many wrong tries under this name: wait %u minute%s, or ask an administrator",
		                 minutes, minutes == 1 ? "" : "s");
	}
	if (tries_count >= TRIES_A_MINUTE)
		return error_set(e, ERR_TOO_MANY, "too many wrong tries; wait a minute");
	tries_count++;
	tries_take(&tries, name, now_us);
	return OK;
}

static int lock_run(struct turn *t, struct command *c, struct error *e)
{
	Lm__AccountMarkPayload *mark = c->context;
	return account_mark_append(t, mark, e);
}

static void lock_done(struct node *n, struct command *c)
{
	(void)n;
	Lm__AccountMarkPayload *mark = c->context;
	free(mark->name);
	free(mark);
	free(c);
}

/* The journal keeps that an account was locked; whether there is one made no difference to the answer. */
static void lock_tell(struct node *n, const char *name, uint64_t until_us)
{
	struct command *c = calloc(1, sizeof *c);
	Lm__AccountMarkPayload *mark = calloc(1, sizeof *mark);
	char *copy = strdup(name);
	if (c && mark && copy) {
		lm__account_mark_payload__init(mark);
		mark->name = copy;
		mark->act = LM__ACCOUNT_ACT__ACCOUNT_ACT_LOCK;
		mark->until_ms = clock_wall_ms() + (int64_t)((until_us - clock_monotonic_us()) / 1000);
		*c = (struct command){ .run = lock_run, .done = lock_done, .context = mark };
		log_write(LOG_WARN, "locked", "an account waits after too many wrong tries: lmctl account list");
		if (!node_command(n, c))
			return;
	}
	free(copy);
	free(mark);
	free(c);
}

void lockout_wrong(struct node *n, const char *name, bool is_account)
{
	uint64_t until_us = tries_until_us(&tries, name, clock_monotonic_us());
	if (until_us && is_account)
		lock_tell(n, name, until_us);
}

void lockout_end(const char *name, bool is_all)
{
	if (is_all)
		tries_forgive(&tries, name);
	else
		tries_give_back(&tries, name);
	tries_count -= tries_count > 0;
}

uint64_t lockout_until_ms(const char *name)
{
	uint64_t now_us = clock_monotonic_us(), until_us = has_tries ? tries_until_us(&tries, name, now_us) : 0;
	return until_us ? (uint64_t)clock_wall_ms() + (until_us - now_us) / 1000 : 0;
}

void lockout_lift(const char *name)
{
	if (has_tries)
		tries_forgive(&tries, name);
}

/*
 * A process of its own for work that should not be done in the daemon: one question a message over a socket, one answer
 * back. It is started when it is first asked, ended when it does not answer in time, and started again.
 *
 * One question at a time; the functions are safe from any thread.
 */
#ifndef TERMINAL_WORKER_H
#define TERMINAL_WORKER_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/errors.h"

#define WORKER_ANSWER_BYTES_MOST (64 * 1024)
#define WORKER_WAITING_MOST 2 /* questions, beside the one that is being answered */

struct worker;

/* `program` must live as long as the worker. An answer may take `patience_ms`. NULL: no memory. */
struct worker *worker_new(const char *program, int patience_ms);
void worker_free(struct worker *w); /* ends the process, when nobody asks it any more; NULL is fine */

/* Waits for the answer: not for the loop. The question is not empty; the answer lies in `arena`. If the process has
 * died, it is asked once more in a new one. ERR_NOT_READY: there is no such process, or it ends again and again: that
 * is tried after a second. ERR_TIMEOUT: it is killed, the next question goes to a new one. ERR_BUSY: too many wait.
 * ERR_MEMORY. */
int worker_ask(struct worker *w, struct bytes question, struct arena *arena, struct bytes *answer, struct error *e);

#endif

/*
 * A process of its own for work that should not be done in a daemon: one question at a time over a socket, one answer
 * back. It is started when it is first asked, with no other descriptor, no environment and nowhere to print to; ended
 * when it does not answer in time; started again.
 *
 *   worker    u8 status (an error's, 0: ready)  u32 size  sentence     when it has started
 *   daemon    u32 size  question
 *   worker    u8 status  u32 size  answer, or a sentence that says what is wrong
 *   daemon    u32 0                                                    what is asked is not wanted any more
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "base/errors.h"

#define WORKER_DESCRIPTOR 3             /* of the worker: its end of the socket */
#define WORKER_QUESTION_BYTES_MOST 4096 /* always finds room in the socket, so that no daemon waits to be read */
#define WORKER_WAITING_MOST 2           /* questions, beside the one that is being answered */

/* ---- the daemon's side: safe from any thread ---- */

struct worker;

struct worker_plan {
	const char *program, *argument; /* `argument` may be NULL */
	int patience_ms;                /* for an answer, not for the start */
	size_t answer_bytes_most;
};

/* Starts nothing yet; the plan's texts are copied. NULL: no memory. */
struct worker *worker_new(const struct worker_plan *plan);
void worker_free(struct worker *w); /* ends the process, when nobody asks it any more; NULL is fine */

/* Appends the answer to `out`. Waits for it: not for the loop. A process that was there and has died or stands still is
 * replaced, and the new one is asked; only that one's failure is told. ERR_CLOSED: *is_unwanted (may be NULL) was set,
 * and the process has stopped that work. ERR_NOT_READY: it cannot be started, ends, or talks nonsense; ERR_TIMEOUT;
 * after these two it is tried again in a second. ERR_BUSY: too many wait. ERR_TOO_BIG: the question. ERR_MEMORY. Others
 * are what the process says of the question. */
int worker_ask(struct worker *w, struct bytes question, const atomic_bool *is_unwanted, struct buffer *out,
               struct error *e);

/* ---- the process's side ---- */

/* The next question in place of what `question` held, which is wiped; at most `most` bytes. ERR_CLOSED: there is none,
 * or the daemon does not keep its word. ERR_MEMORY. */
int worker_hear(int descriptor, size_t most, struct buffer *question);
/* `body` is a sentence where `status` is an error. ERR_CLOSED: nobody listens. */
int worker_say(int descriptor, int status, struct bytes body);
bool worker_is_interrupted(int descriptor); /* nobody wants the answer to the last question */
/* From here on: files can be read, memory had, and the sockets used that are open; nothing else. ERR_INTERNAL. */
int worker_lock_in(struct error *e);

#endif

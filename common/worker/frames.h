/* What goes over the socket, in both directions. */
#ifndef WORKER_FRAMES_H
#define WORKER_FRAMES_H

#include "worker/worker.h"

/* ERR_NOT_READY: the worker does not read, or has ended. */
int question_write(int descriptor, struct bytes question);

/* Appends what the worker says to `out`: an answer of at most `bytes_most`, or a sentence, as *status tells. `until_ms`
 * is monotonic. ERR_CLOSED: *is_unwanted (may be NULL) was set before anything came. ERR_NOT_READY: the worker has
 * ended, or says what makes no sense; ERR_TIMEOUT, ERR_MEMORY: nothing that comes later can be understood. */
int answer_read(int descriptor, int64_t until_ms, const atomic_bool *is_unwanted, size_t bytes_most, struct buffer *out,
                int *status);

#endif

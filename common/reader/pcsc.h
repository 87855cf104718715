/* The readers of this machine, through pcscd. */
#ifndef READER_PCSC_H
#define READER_PCSC_H

#include "session.h"

/* ERR_NOT_READY: pcscd does not run, or lets nobody in. */
int pcsc_begin(struct error *e);
/* ERR_NOT_READY: pcscd has ended. What a card or a reader says is in `out`. */
int pcsc_ask(const struct card_question *q, struct session_memory *memory, struct card_answer *out, struct error *e);

#endif

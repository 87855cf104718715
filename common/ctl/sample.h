/* Inside lmctl: answers of people who do not exist. */
#ifndef CTL_SAMPLE_H
#define CTL_SAMPLE_H

#include "base/arena.h"
#include "base/errors.h"
#include "proto/api.pb-c.h"

/* Fills `command->values` with answers to every field of the service, number `nth` of a series. They pass form_check:
 * ERR_INVALID names a field for which none could be made. The region 990114 is in no register, and no phone number
 * begins with 000. */
int sample_fill(Lm__SubmitCommand *command, const Lm__Service *service, uint64_t nth, struct arena *arena,
                struct error *e);

#endif

/* Entries that are signed and chained as they should be, and that nobody can apply. */
#ifndef TESTS_LIB_POISON_H
#define TESTS_LIB_POISON_H

#include "base/arena.h"
#include "base/ids.h"
#include "crypto/crypto.h"
#include "proto/wire.pb-c.h"

#define POISON_ASKS 25 /* one more than a case has waiting */

/* The first message of a device that never wrote: a request that names no service, an ask that cites it, and
 * POISON_ASKS asks on `about`. Always of the same process: made a second time it is another history. In `arena`; aborts
 * without memory. */
Lm__Batch *poison_make(const struct device_keys *keys, uint64_t device, const char *place, struct id about,
                       struct arena *arena);

#endif

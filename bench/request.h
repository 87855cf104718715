/* A request as the benches make it: the answers of a form, packed as the terminal packs them. */
#ifndef BENCH_REQUEST_H
#define BENCH_REQUEST_H

#include "terminal/terminal.h"

#define PACKED_BYTES_MOST 2048
#define PACK_BYTES_MOST 16384 /* of the arena that packing takes */

/* The SubmitCommand of a JSON file; it lives in `arena`, which this makes. */
int form_read(const char *path, struct arena *arena, Lm__SubmitCommand **form, struct error *e);

/* Fills what the caller fills of a submission. Its receipt is drawn at random instead of being stretched by Argon2id,
 * which the daemon does ahead of time. `packed` must live until the command is done; `arena` only during the call. */
int request_make(const Lm__SubmitCommand *form, struct submission *out, uint8_t packed[PACKED_BYTES_MOST],
                 struct arena *arena, struct error *e);

#endif

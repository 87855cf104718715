/* A request as the benches make it: the answers of a form, packed as the terminal packs them. */
#ifndef BENCH_REQUEST_H
#define BENCH_REQUEST_H

#include "terminal/terminal.h"

#define PACKED_BYTES_MOST 2048
#define PACK_BYTES_MOST 16384 /* of the arena that packing takes */

/* The SubmitCommand of a JSON file; it lives in `arena`, which this makes. */
int form_read(const char *path, struct arena *arena, Lm__SubmitCommand **form, struct error *e);

/* Who hands in: names and phones of nobody, a line each with a tab between; the order in which they are drawn is the
 * file's. */
struct people {
	struct buffer text;
	struct applicant {
		const char *name, *phone;
	} * row;
	size_t count;
};
int people_read(const char *path, struct people *out, struct error *e);

/* Fills what the caller fills of a submission, with the answers of `form`, those of `who` in the place of its own
 * (NULL: as they are). Its receipt is drawn at random instead of being stretched by Argon2id, which the daemon does
 * ahead of time. `packed` must live until the command is done; `arena` only during the call. */
int request_make(const Lm__SubmitCommand *form, const struct applicant *who, struct submission *out,
                 uint8_t packed[PACKED_BYTES_MOST], struct arena *arena, struct error *e);

#endif

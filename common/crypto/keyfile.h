/*
 * Inside the room: secrets in a small text file that only its owner can read.
 *
 *   last-mile device keys v1
 *   curve_public = 3f…            64 hexadecimal digits a line, names and order fixed
 *   …
 *   check = 9a…                   SHA-256 of all the lines above
 *
 * The check tells a damaged disk from a wrong key; it protects nothing, the mode does.
 */
#ifndef CRYPTO_KEYFILE_H
#define CRYPTO_KEYFILE_H

#include "crypto/crypto.h"

#define KEYFILE_LINES_MOST 24
#define KEYFILE_MOST_BYTES 3072

struct keyfile_line {
	const char *name;
	uint8_t *value; /* KEY_BYTES: read from or written to */
};

struct keyfile {
	const char *title; /* the first line, with its version */
	struct keyfile_line line[KEYFILE_LINES_MOST];
	size_t line_count;
};

/* Whether the file begins with this title; false also if it cannot be read. */
bool keyfile_is(const char *path, const char *title);
/* ERR_NOT_FOUND; ERR_DAMAGED if it is not of this form or others may read it. Values are untouched on failure. */
int keyfile_read(const char *path, const struct keyfile *f, struct error *e);
/* Mode 0600. ERR_EXISTS leaves the file that is there as it is. */
int keyfile_create(const char *path, const struct keyfile *f, struct error *e);
/* Over the very bytes of the file that is there, or a new one; a power cut may leave it torn (ERR_DAMAGED). */
int keyfile_overwrite(const char *path, const struct keyfile *f, struct error *e);

#endif

/* Initials of names as people type them: 王小明 → wxm. */
#ifndef DESK_PINYIN_H
#define DESK_PINYIN_H

#include "base/errors.h"

#define PINYIN_INITIALS_BYTES 32

struct pinyin; /* for one thread at a time */

int pinyin_open(struct pinyin **out, struct error *e);
void pinyin_close(struct pinyin *p); /* NULL is fine */
/* Lower case; empty if `p` is NULL or the name has none. */
void pinyin_initials(struct pinyin *p, const char *name, char out[PINYIN_INITIALS_BYTES]);

#endif

/*
 * Chinese by pinyin: letters in, candidates out. Made of libpinyin's dictionaries, which are only read: nothing of what
 * is asked is kept, so that nobody sees what somebody else typed. It may be linked by lm-pinyin alone
 * (docs/RATIONALE.md).
 */
#ifndef TYPING_TYPING_H
#define TYPING_TYPING_H

#include "base/arena.h"
#include "base/errors.h"
#include "proto/desk.pb-c.h"

#define TYPING_LETTERS_MOST 60 /* ten syllables of six */
#define TYPING_PAGE_MOST 36    /* candidates of one answer */

struct typing; /* for one thread */

/* Opens the dictionaries in `folder`. Slow: a fifth of a second. ERR_CONFIG: they are not there. ERR_MEMORY. */
int typing_open(const char *folder, struct typing **out, struct error *e);
void typing_close(struct typing *t); /* NULL is fine */

/* The candidates that `in` asks for; `out` points into `arena`. Letters are a to z and ' between syllables; what cannot
 * be read as pinyin has no candidates. ERR_INVALID, ERR_MEMORY. */
int typing_find(struct typing *t, const Lm__PinyinCommand *in, struct arena *arena, Lm__PinyinView *out,
                struct error *e);

#endif

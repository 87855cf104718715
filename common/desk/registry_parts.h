/* The index of residents' records in memory: what its files share. */
#ifndef DESK_REGISTRY_PARTS_H
#define DESK_REGISTRY_PARTS_H

#include "errand.h"
#include "index.h"

extern const struct index_kind registry_kind;

/* An entry's data: name, initials, id number, birth, then further numbers: each ends with a NUL, an empty one the last.
 * NULL: no memory; the caller frees it. Numbers are kept whole and without what people put between digits. */
char *entry_text(struct pinyin *p, const Lm__PersonFacts *f);

/* What somebody looks for, as it is typed. */
#define WORDS_BYTES_MOST 200
struct words {
	char text[WORDS_BYTES_MOST + 1];
	bool is_number, is_latin;
};
bool words_read(const char *text, struct words *w); /* false: nothing */
bool words_fit_name(const struct words *w, const char *name, const char *initials);
bool words_fit_number(const struct words *w, const char *number); /* the whole, or its last four */

#endif

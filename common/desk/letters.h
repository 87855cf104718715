/* The texts of letters to residents, read once from the configured file. */
#ifndef DESK_LETTERS_H
#define DESK_LETTERS_H

#include "inside.h"

struct letters {
	struct arena arena;
	Lm__LettersFile *file; /* NULL: none is configured */
};
/* ERR_CONFIG names the file, the path within it and what is wrong. `path` NULL: none. */
int letters_open(struct letters *l, const char *path, struct error *e);
void letters_release(struct letters *l);
/* A configured file of such texts, whole and without a fault, or the same errors. Opens `arena`; `out`: where the
 * message is put, if there is a path. */
int texts_read(const char *path, const ProtobufCMessageDescriptor *type, struct arena *arena, void *out,
               size_t (*check)(const void *file, struct service_fault *faults, size_t most), struct error *e);
struct letters *letters_in(struct node *n); /* memory.c */
/* What a case puts into the places LETTER_PLACES_OF_CASE, in one language: `office` of it acts, on this day. The texts
 * lie in `arena` and the view. */
int case_values(struct node *n, const Lm__CaseView *view, Lm__Tier office, int64_t day_ms, bool is_english,
                struct arena *arena, const char *values[LETTER_PLACES], struct error *e);

#endif

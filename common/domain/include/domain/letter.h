/* Letters to residents: their texts, which are data, and who printed which (KIND_LETTER in `own` of town and district).
 */
#ifndef DOMAIN_LETTER_H
#define DOMAIN_LETTER_H

#include "domain/domain.h"
#include "proto/letter.pb-c.h"

extern const struct store_table domain_table_letter;

#define LETTERS_SHOWN_MOST 50

/* The places that a text may name: {name} and so on. */
enum letter_place {
	LETTER_NAME, /* of the resident */
	LETTER_SERVICE,
	LETTER_NUMBER,   /* of the case */
	LETTER_RECEIVED, /* days */
	LETTER_DAY,      /* of what the letter tells */
	LETTER_DUE,      /* the promised end of the step that is under way; may be empty, as all that follow */
	LETTER_OFFICE,   /* that acted */
	LETTER_CONTACT,  /* whom to call */
	LETTER_CARER,    /* who handed it in for the resident */
	LETTER_OUTCOME,  /* from here on what an event says */
	LETTER_TEXT,     /* what staff wrote: the question, or the reason */
	LETTER_GROUND,
	LETTER_REMEDY,
	LETTER_PLACES
};
#define LETTER_PLACES_OF_CASE LETTER_OUTCOME /* before anything is answered */

/* Every fault of the file as "path: what is wrong", at most `most`; returns how many there are. */
size_t letter_texts_check(const Lm__LettersFile *file, struct service_fault *faults, size_t most);
/* NULL: the file has none of this kind. */
const Lm__LetterText *letter_find(const Lm__LettersFile *file, Lm__LetterKind kind);
bool letter_has_place(const char *name, const char *const values[LETTER_PLACES]); /* and something stands there */
/* The text with its places filled in, in `arena`; what is filled in is not looked at again. NULL: no memory. */
char *letter_fill(const char *text, const char *const values[LETTER_PLACES], struct arena *arena);

/* Letters of a case that were printed at this node, the newest first. */
int letters_of(struct store_txn *txn, struct id request, struct arena *arena, size_t most, Lm__LetterRecord ***out,
               size_t *count);

#endif

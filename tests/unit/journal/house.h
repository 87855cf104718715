/* The three parties of most tests: what a terminal writes goes through its town to the hub. */
#ifndef TESTS_UNIT_JOURNAL_HOUSE_H
#define TESTS_UNIT_JOURNAL_HOUSE_H

#include "rig.h"

struct house {
	struct party terminal, town, hub;
	struct line_key up;
};

static inline int house_begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);
	assert_non_null(h);
	party_begin(&h->terminal);
	party_begin(&h->town);
	party_begin(&h->hub);
	recipients_are(&h->terminal, &h->town, &h->hub);
	h->up = up_of(&h->terminal);
	*state = h;
	return 0;
}

static inline int house_end(void **state)
{
	struct house *h = *state;
	party_end(&h->terminal);
	party_end(&h->town);
	party_end(&h->hub);
	free(h);
	return 0;
}

#endif

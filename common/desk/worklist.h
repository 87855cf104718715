/*
 * What cases can be filtered by and found by, in memory: service, community, state, who has it, how the resident is
 * served, until when, and the applicant's name and numbers. A search looks at every case: see bench/RESULTS.md,
 * console.
 */
#ifndef DESK_WORKLIST_H
#define DESK_WORKLIST_H

#include "domain/work.h"
#include "errand.h"
#include "index.h"
#include "proto/desk.pb-c.h"
#include "registry_parts.h"
#include "shared.h"

struct worklist {
	struct index index;       /* the first: what is given to one is the other */
	struct shared labels;     /* services, communities, accounts */
	struct shared applicants; /* name, numbers, an empty text, initials: each ends with a NUL */
};
struct worklist *worklist_of(struct node *n); /* memory.c */
void worklist_init(struct worklist *l);
int worklist_start(struct worklist *l, struct node *n, struct error *e);
void worklist_close(struct worklist *l);

#define STAFF_NAMED_MOST 32 /* somebody, and those whose deputy they are */
#define WORKLIST_CURSOR_BYTES 49

struct wish { /* what is looked for; everything lives as long as the search */
	const Lm__CaseFilter *filter;
	const char *staff[STAFF_NAMED_MOST]; /* any of them; staff_count 0: anybody's */
	size_t staff_count;
	const struct words *words; /* NULL: none are given */
	const struct id *also;     /* sorted: cases whose resident or whose receipt code the words fit */
	size_t also_count;
	int64_t now_ms;
};

struct hit {
	uint64_t order;
	struct id request;
};
/* The first `most` cases behind the cursor `after` ("": from the first) in the order of the view; returns how many, all
 * that fit in *matches. Any thread. */
size_t worklist_search(struct worklist *l, const struct wish *wish, const char *after, struct hit *found, size_t most,
                       uint64_t *matches);
void worklist_cursor(const struct hit *last, char text[WORKLIST_CURSOR_BYTES]);
bool worklist_cursor_is_good(const char *text);

/* Cases that were handed over to this tier and that nobody accepted in time, at most `most`. Any thread. */
size_t worklist_not_taken(struct worklist *l, int64_t now_ms, struct id *found, size_t most);

/* Adds what each of `rows` has of open cases of this tier; whose account none of them names counts as nobody's, the
 * first row. */
void worklist_count(struct worklist *l, int64_t now_ms, Lm__WorkRow **rows, size_t count);

#endif

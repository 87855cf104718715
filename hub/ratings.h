/* How residents say that it went, summed by town and by service. */
#ifndef HUB_RATINGS_H
#define HUB_RATINGS_H

#include "base/arena.h"
#include "proto/api.pb-c.h"
#include "proto/row.pb-c.h"

#define RATINGS 5 /* from very good to very bad */
#define RATING_ROWS_MOST 500
struct rated {
	const char *id; /* of a town or service */
	Lm__Words *name;
	uint64_t counts[RATINGS];
};
struct ratings { /* of zeros at first */
	struct rated row[RATING_ROWS_MOST];
	size_t count;
};
/* `id` and `name` must live as long as it. */
void ratings_add(struct ratings *r, const char *id, Lm__Words *name, const Lm__CountRecord *c);
/* Those who were rated, and at the end all of them, in `arena`. NULL: no memory. */
Lm__RatingRow **ratings_rows(const struct ratings *r, struct arena *arena, size_t *count);

#endif

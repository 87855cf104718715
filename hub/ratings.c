/* How residents say that it went, summed by town and by service; small numbers stay here. */
#include <inttypes.h>
#include <string.h>

#include "domain/report.h"
#include "ratings.h"

void ratings_add(struct ratings *r, const char *id, Lm__Words *name, const Lm__CountRecord *c)
{
	size_t i = 0;
	while (i < r->count && strcmp(r->row[i].id, id) != 0)
		i++;
	if (i == RATING_ROWS_MOST)
		return;
	if (i == r->count)
		r->row[r->count++] = (struct rated){ .id = id, .name = name };
	const uint64_t counts[RATINGS] = { c->very_good, c->good, c->fair, c->bad, c->very_bad };
	for (size_t k = 0; k < RATINGS; k++)
		r->row[i].counts[k] += counts[k];
}

static char *cell(uint64_t count, struct arena *arena)
{
	return count < REPORT_SMALL ? arena_format(arena, "<%d", REPORT_SMALL) : arena_format(arena, "%" PRIu64, count);
}

static bool row_fill(const struct rated *r, struct arena *arena, Lm__RatingRow *out)
{
	char **const cells[RATINGS] = { &out->very_good, &out->good, &out->fair, &out->bad, &out->very_bad };
	uint64_t all = 0;
	bool is_whole = true;
	lm__rating_row__init(out);
	out->id = (char *)(uintptr_t)r->id;
	out->name = r->name;
	for (size_t k = 0; k < RATINGS; k++) {
		*cells[k] = cell(r->counts[k], arena);
		is_whole &= *cells[k] != NULL;
		all += r->counts[k];
	}
	out->rated = cell(all, arena);
	return is_whole && out->rated;
}

Lm__RatingRow **ratings_rows(const struct ratings *r, struct arena *arena, size_t *count)
{
	Lm__RatingRow **list = arena_alloc(arena, (r->count + 1) * sizeof *list);
	Lm__RatingRow *rows = arena_alloc(arena, (r->count + 1) * sizeof *rows);
	struct rated all = { .id = "" };
	*count = 0;
	if (!list || !rows)
		return NULL;
	for (size_t i = 0; i <= r->count; i++) {
		const struct rated *one = i < r->count ? &r->row[i] : &all;
		uint64_t sum = 0;
		for (size_t k = 0; k < RATINGS; k++) {
			sum += one->counts[k];
			all.counts[k] += i < r->count ? one->counts[k] : 0;
		}
		if (!sum && i < r->count) /* nobody has rated */
			continue;
		if (!row_fill(one, arena, &rows[i]))
			return NULL;
		list[(*count)++] = &rows[i];
	}
	return list;
}

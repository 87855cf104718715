/*
 * Service points near a terminal, from the file of places: how far each is in a straight line, the nearest first. Whole
 * numbers do: over a district the error is below a fifth of a per cent, and places are known to some ten metres.
 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define POINTS_MOST 500
#define POINTS_SHOWN_MOST 12
#define NORTH_MOST_E5 9000000
#define EAST_MOST_E5 18000000
#define LOCATION_RULE "north_e5 is at most 9000000 and east_e5 at most 18000000"
#define MM_A_STEP 1112 /* of a hundred-thousandth of a degree of latitude */
#define FAR_M UINT32_MAX

/* ---- what the file may say ---- */

static bool location_is_right(const Lm__Location *at)
{
	return !at || (at->north_e5 <= NORTH_MOST_E5 && at->east_e5 <= EAST_MOST_E5);
}

static bool features_are_right(const Lm__ServicePoint *point)
{
	unsigned seen = 0;
	for (size_t i = 0; i < point->n_features; i++) {
		unsigned feature = (unsigned)point->features[i];
		if (feature == LM__PLACE_FEATURE__PLACE_FEATURE_NONE ||
		    feature > LM__PLACE_FEATURE__PLACE_FEATURE_HEARING_LOOP || seen & 1u << feature)
			return false;
		seen |= 1u << feature;
	}
	return true;
}

static const Lm__CommunityPlace *community_find(const Lm__PlacesFile *file, const char *place)
{
	for (size_t i = 0; i < file->n_towns; i++)
		for (size_t k = 0; k < file->towns[i]->n_communities; k++)
			if (place_contains(file->towns[i]->communities[k]->code, place))
				return file->towns[i]->communities[k];
	return NULL;
}

static int communities_check(const Lm__PlacesFile *file, struct error *e)
{
	for (size_t i = 0; i < file->n_towns; i++)
		for (size_t k = 0; k < file->towns[i]->n_communities; k++)
			if (!location_is_right(file->towns[i]->communities[k]->at))
				return error_set(e, ERR_CONFIG, "the location of %.20s: " LOCATION_RULE,
				                 file->towns[i]->communities[k]->code);
	return OK;
}

int points_check(const Lm__PlacesFile *file, struct error *e)
{
	if (file->n_points > POINTS_MOST)
		return error_set(e, ERR_CONFIG, "there are %zu service points; %d are the most", file->n_points,
		                 POINTS_MOST);
	for (size_t i = 0; i < file->n_points; i++) {
		const Lm__ServicePoint *point = file->points[i];
		const char *wrong = NULL;
		if (place_level_of(point->place) != PLACE_COMMUNITY || !community_find(file, point->place))
			wrong = "its place is not a community of this file";
		else if (!point->name || !point->address || !point->hours)
			wrong = "it needs a name, an address and hours";
		else if (!location_is_right(point->at))
			wrong = "its location: " LOCATION_RULE;
		else if (!features_are_right(point))
			wrong = "its features are not known, or one stands twice";
		if (wrong)
			return error_set(e, ERR_CONFIG, "service point %zu (place '%.20s'): %s", i + 1, point->place,
			                 wrong);
	}
	return communities_check(file, e);
}

/* ---- how far ---- */

static uint64_t square_root(uint64_t square)
{
	uint64_t root = 0;
	for (uint64_t bit = 1ull << 31; bit; bit >>= 1)
		if ((root + bit) * (root + bit) <= square)
			root += bit;
	return root;
}

/* In ten-thousandths, by Bhaskara's formula: (4 * 90^2 - 4 x^2) / (4 * 90^2 + x^2). Off by 0.0016 at most. */
static int64_t cosine_e4(int64_t north_e5)
{
	int64_t all = 4ll * NORTH_MOST_E5 * NORTH_MOST_E5, square = north_e5 * north_e5;
	return (all - 4 * square) / ((all + square) / 10000);
}

/* On the plane that touches the earth between the two: right within a district, not across a continent. */
static uint32_t distance_m(const Lm__Location *a, const Lm__Location *b)
{
	int64_t middle_e5 = ((int64_t)a->north_e5 + b->north_e5) / 2;
	int64_t north_m = ((int64_t)a->north_e5 - b->north_e5) * MM_A_STEP / 1000;
	int64_t east_m = ((int64_t)a->east_e5 - b->east_e5) * MM_A_STEP / 1000 * cosine_e4(middle_e5) / 10000;
	return (uint32_t)square_root((uint64_t)(north_m * north_m + east_m * east_m));
}

/* ---- the nearest first ---- */

struct near {
	Lm__ServicePoint *point;
	uint32_t m;      /* FAR_M: not known */
	int strangeness; /* where no distance tells: 0 the same community, 1 the same town, 2 another */
	size_t nth;      /* in the file */
};

static int compare(const void *one, const void *other)
{
	const struct near *a = one, *b = other;
	if (a->m != b->m)
		return a->m < b->m ? -1 : 1;
	if (a->strangeness != b->strangeness)
		return a->strangeness - b->strangeness;
	return a->nth < b->nth ? -1 : a->nth > b->nth;
}

static int strangeness_of(const char *place, const char *of)
{
	if (place_contains(of, place))
		return 0;
	return strlen(place) >= 9 && strncmp(place, of, 9) == 0 ? 1 : 2;
}

Lm__PointsView *points_view(const Lm__PlacesFile *file, const char *place, struct arena *arena)
{
	const Lm__CommunityPlace *here = community_find(file, place);
	size_t shown = file->n_points < POINTS_SHOWN_MOST ? file->n_points : POINTS_SHOWN_MOST;
	struct near *near = arena_alloc(arena, (file->n_points + 1) * sizeof *near);
	Lm__PointsView *view = arena_alloc(arena, sizeof *view);
	Lm__PointView *rows = arena_alloc(arena, (shown + 1) * sizeof *rows);
	Lm__PointView **list = arena_alloc(arena, (shown + 1) * sizeof *list);
	if (!near || !view || !rows || !list)
		return NULL;
	for (size_t i = 0; i < file->n_points; i++) {
		Lm__ServicePoint *point = file->points[i];
		bool is_known = here && here->at && point->at;
		near[i] = (struct near){ point, is_known ? distance_m(here->at, point->at) : FAR_M,
			                 strangeness_of(place, point->place), i };
	}
	qsort(near, file->n_points, sizeof *near, compare);
	for (size_t i = 0; i < shown; i++) {
		lm__point_view__init(&rows[i]);
		rows[i].point = near[i].point;
		rows[i].has_distance = near[i].m != FAR_M;
		rows[i].distance_m = rows[i].has_distance ? near[i].m : 0;
		list[i] = &rows[i];
	}
	lm__points_view__init(view);
	view->points = list;
	view->n_points = shown;
	return view;
}

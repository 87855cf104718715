/*
 * Names of places, read once from the configured file; codes are shown where it has none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "inside.h"
#include "proto/json.h"
#include "proto/place.pb-c.h"

#define PLACES_BYTES_MOST (1024 * 1024)
#define PLACES_MOST 2000

struct place_name {
	const char *code;
	Lm__Words *name;
	Lm__Contact *contact; /* of a town */
};

struct place_names {
	struct arena arena;
	struct place_name *row; /* sorted by code */
	size_t count;
	const Lm__PlacesFile *file; /* in the arena */
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct place_name *)a)->code, ((const struct place_name *)b)->code);
}

static int names_add(struct place_names *names, const char *code, Lm__Words *name, Lm__Contact *contact,
                     struct error *e)
{
	if (place_level_of(code) == PLACE_NONE || !name || names->count == PLACES_MOST)
		return error_set(e, ERR_CONFIG, "'%.20s' is not a place code with a name, or there are more than %d",
		                 code, PLACES_MOST);
	names->row[names->count++] = (struct place_name){ code, name, contact };
	return OK;
}

static int names_fill(struct place_names *names, const Lm__PlacesFile *file, struct error *e)
{
	int result = OK;
	names->row = arena_alloc(&names->arena, PLACES_MOST * sizeof *names->row);
	if (!names->row)
		return error_set(e, ERR_MEMORY, "no memory for the names of places");
	if (file->district)
		result = names_add(names, file->district->code, file->district->name, NULL, e);
	for (size_t i = 0; i < file->n_towns && !result; i++) {
		const Lm__TownPlace *town = file->towns[i];
		result = names_add(names, town->code, town->name, town->contact, e);
		for (size_t k = 0; k < town->n_communities && !result; k++)
			result = names_add(names, town->communities[k]->code, town->communities[k]->name, NULL, e);
	}
	if (!result)
		qsort(names->row, names->count, sizeof *names->row, compare);
	return result;
}

int places_open(const char *path, struct place_names **out, struct error *e)
{
	struct place_names *names = calloc(1, sizeof *names);
	struct buffer text = { 0 };
	Lm__PlacesFile *file;
	if (!names)
		return error_set(e, ERR_MEMORY, "no memory for the names of places");
	arena_init(&names->arena, 8 * PLACES_BYTES_MOST);
	int result = file_read(path, PLACES_BYTES_MOST, &text, e);
	if (!result)
		result = JSON_DECODE(lm__places_file, buffer_bytes(&text), &names->arena, &file, e);
	if (!result)
		result = names_fill(names, file, e);
	if (!result)
		result = points_check(file, e);
	buffer_release(&text);
	if (result) {
		places_close(names);
		return error_wrap(e, result, "%s", path);
	}
	names->file = file;
	*out = names;
	return OK;
}

void places_close(struct place_names *names)
{
	if (names)
		arena_release(&names->arena);
	free(names);
}

Lm__PlacesView *places_view(const struct node *n, struct arena *arena)
{
	Lm__PlacesView *view = arena_alloc(arena, sizeof *view);
	size_t count = n->names ? n->names->count : 0;
	Lm__PlaceRow *rows = arena_alloc(arena, (count + 1) * sizeof *rows);
	Lm__PlaceRow **list = arena_alloc(arena, (count + 1) * sizeof *list);
	if (!view || !rows || !list)
		return NULL;
	lm__places_view__init(view);
	for (size_t i = 0; i < count; i++) {
		lm__place_row__init(&rows[i]);
		rows[i].code = (char *)(uintptr_t)n->names->row[i].code;
		rows[i].name = n->names->row[i].name;
		list[i] = &rows[i];
	}
	view->places = list;
	view->n_places = count;
	return view;
}

static const struct place_name *place_find(const struct node *n, const char *place, int digits)
{
	char code[PLACE_TEXT_BYTES];
	if (!n->names || !place)
		return NULL;
	snprintf(code, sizeof code, "%.*s", digits, place);
	return bsearch(&(struct place_name){ .code = code }, n->names->row, n->names->count, sizeof *n->names->row,
	               compare);
}

/* A device has the name of its community. */
static const Lm__Words *place_words(const struct node *n, const char *place)
{
	const struct place_name *row = place_find(n, place, 12);
	return row ? row->name : NULL;
}

Lm__Contact *node_place_contact(const struct node *n, const char *place)
{
	const struct place_name *row = place_find(n, place, 9);
	return row ? row->contact : NULL;
}

Lm__PointsView *node_points(const struct node *n, const char *place, struct arena *arena)
{
	static const Lm__PlacesFile none = LM__PLACES_FILE__INIT;
	return points_view(n->names ? n->names->file : &none, place, arena);
}

Lm__Words *node_place_words(const struct node *n, const char *place, struct arena *arena)
{
	Lm__Words *w = arena_alloc(arena, sizeof *w);
	if (!w)
		return NULL;
	lm__words__init(w);
	const Lm__Words *known = place_words(n, place);
	w->zh = known && known->zh ? known->zh : (char *)(uintptr_t)place;
	w->en = known && known->en ? known->en : (char *)(uintptr_t)place;
	return w;
}

/* Service points around a terminal: what a file may say of them, and which is the nearest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../../common/node/inside.h"
#include "proto/json.h"

#define WORDS "{ \"zh\": \"一\", \"en\": \"one\" }"
#define AT(north, east) "\"at\": { \"north_e5\": " #north ", \"east_e5\": " #east " }"
#define POINT(place, more) \
	"{ \"place\": \"" place "\", \"name\": " WORDS ", \"address\": " WORDS ", \"hours\": " WORDS more " }"
#define COMMUNITY(code, more) "{ \"code\": \"" code "\", \"name\": " WORDS more " }"
#define TOWN(code, communities) "{ \"code\": \"" code "\", \"name\": " WORDS ", \"communities\": [ " communities " ] }"
#define TWO_TOWNS(points)                                                                          \
	"{ \"towns\": [ " TOWN(                                                                    \
	        "310114001", COMMUNITY("310114001001", ", " AT(3130000, 12120000)) ", " COMMUNITY( \
	                             "310114001002", "")) ", " TOWN("310114002",                   \
	                                                            COMMUNITY("310114002001",      \
	                                                                      "")) " ], \"points\": [ " points " ] }"

#define HERE "310114001001-T1"

static struct arena arena;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 1024 * 1024);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static Lm__PlacesFile *file_of(const char *text)
{
	Lm__PlacesFile *file;
	struct error e = { 0 };
	int result = JSON_DECODE(lm__places_file, BYTES(text, strlen(text)), &arena, &file, &e);
	if (result)
		fail_msg("%s", e.text);
	return file;
}

static Lm__PointsView *around(const char *place, const char *text)
{
	struct error e = { 0 };
	const Lm__PlacesFile *file = file_of(text);
	assert_int_equal(points_check(file, &e), OK);
	Lm__PointsView *view = points_view(file, place, &arena);
	assert_non_null(view);
	return view;
}

static void near_m(const Lm__PointView *row, uint32_t m, uint32_t share)
{
	assert_true(row->has_distance);
	assert_in_range(row->distance_m, m - m / share, m + m / share);
}

/* The metres are of the great circle on a sphere of 6,371 km (haversine). */
static void the_nearest_is_first(void **state)
{
	(void)state;
	Lm__PointsView *view =
	        around(HERE, TWO_TOWNS(POINT("310114001002", ", " AT(3130000, 12220000)) ", " /* east */
	                               POINT("310114002001", ", " AT(3131000, 12120000)) ", " /* north */
	                               POINT("310114001001", ", " AT(3130000, 12120000)) ", " /* here */
	                               POINT("310114001001", ", " AT(3120000, 12110000))));   /* south-west */
	assert_int_equal(view->n_points, 4);
	assert_true(view->points[0]->has_distance);
	assert_int_equal(view->points[0]->distance_m, 0);
	near_m(view->points[1], 1112, 200);
	near_m(view->points[2], 14623, 200);
	near_m(view->points[3], 95011, 200);
}

static void without_distances_what_belongs_together_is_first(void **state)
{
	(void)state;
	const char *text = TWO_TOWNS(POINT("310114002001", "") ", " POINT("310114001001", "") ", " POINT(
	        "310114001002", ", " AT(3130000, 12120000)));
	Lm__PointsView *view = around("310114001002-T1", text); /* nobody knows where this terminal is */
	assert_string_equal(view->points[0]->point->place, "310114001002");
	assert_string_equal(view->points[1]->point->place, "310114001001");
	assert_string_equal(view->points[2]->point->place, "310114002001");
	for (size_t i = 0; i < view->n_points; i++)
		assert_false(view->points[i]->has_distance);
	view = around(HERE, text); /* here it is known, and of one point */
	assert_true(view->points[0]->has_distance);
	assert_string_equal(view->points[0]->point->place, "310114001002");
	assert_false(view->points[1]->has_distance);
	view = around("310114009001-T1", text); /* a community that the file has not */
	assert_int_equal(view->n_points, 3);
	assert_false(view->points[0]->has_distance);
	assert_int_equal(around(HERE, TWO_TOWNS(""))->n_points, 0);
}

static void a_dozen_are_enough(void **state)
{
	(void)state;
#define FOUR                      \
	POINT("310114002001", "") \
	", " POINT("310114002001", "") ", " POINT("310114002001", "") ", " POINT("310114002001", "")
	Lm__PointsView *view = around(HERE, TWO_TOWNS(FOUR ", " FOUR ", " FOUR ", " FOUR
	                                                   ", " POINT("310114001001", ", " AT(3130000, 12130000))));
	assert_int_equal(view->n_points, 12);
	assert_true(view->points[0]->has_distance); /* the last of the file */
	assert_false(view->points[1]->has_distance);
}

static void refuse(const char *text, const char *word)
{
	struct error e = { 0 };
	assert_int_equal(points_check(file_of(text), &e), ERR_CONFIG);
	if (!strstr(e.text, word))
		fail_msg("'%s' does not say '%s'", e.text, word);
}

static void wrong_points_are_told(void **state)
{
	(void)state;
	refuse(TWO_TOWNS(POINT("310114009001", "")), "not a community");
	refuse(TWO_TOWNS(POINT("310114001", "")), "not a community");
	refuse(TWO_TOWNS(POINT("310114001001-T1", "")), "not a community");
	refuse(TWO_TOWNS("{ \"place\": \"310114001001\", \"name\": " WORDS ", \"hours\": " WORDS " }"), "an address");
	refuse(TWO_TOWNS(POINT("310114001001", ", " AT(9000001, 1))), "at most 9000000");
	refuse(TWO_TOWNS(POINT("310114001001", "") ", " POINT("310114001001", ", " AT(1, 4294967295))), "point 2");
	refuse(TWO_TOWNS(POINT("310114001001", ", \"features\": [ \"PLACE_FEATURE_NONE\" ]")), "features");
	refuse(TWO_TOWNS(POINT("310114001001", ", \"features\": [ \"PLACE_FEATURE_LIFT\", \"PLACE_FEATURE_LIFT\" ]")),
	       "twice");
	refuse("{ \"towns\": [ " TOWN("310114001", COMMUNITY("310114001001", ", " AT(1, 18000001))) " ] }",
	       "310114001001");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_nearest_is_first, setup, teardown),
		cmocka_unit_test_setup_teardown(without_distances_what_belongs_together_is_first, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dozen_are_enough, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_points_are_told, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

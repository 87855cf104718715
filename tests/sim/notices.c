/*
 * Who writes notices at each town, and who publishes them and takes them back: each looks what there is before each
 * step, as people at a page do. In the end every kiosk shows what its town has in force and names its community, and
 * nothing else; and what was called published is in force, or something newer.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define KEYS 3 /* notices of a town */
#define LIST "/api/v1/publications/notice"

struct author {
	struct site *town;
	size_t key; /* under way */
	uint32_t saved, published[KEYS];
	uint64_t published_us[KEYS];
	bool is_busy, is_publishing;
};

static struct author authors[SITES_MOST];
static size_t author_count, written;
static bool is_everybody_leaving;

static void author_step(void *context, bool is_alive);

static void author_rest(struct author *a)
{
	a->is_busy = a->is_publishing = false;
	if (!is_everybody_leaving)
		plan(draw_between(SECONDS, 2 * world.pace->people_us), NULL, author_step, a);
}

static json_int_t number_at(const json_t *view, const char *part, const char *member)
{
	const json_t *row = json_object_get(json_object_get(view, "row"), part);
	return json_integer_value(json_object_get(row, member));
}

static void path_of(const struct author *a, char path[80])
{
	snprintf(path, 80, LIST "/n%zu", a->key);
}

/* To one community or several, so that a kiosk is also one that is not meant. */
static json_t *notice_make(const struct author *a)
{
	char id[8], text[80], place[PLACE_TEXT_BYTES];
	json_t *places = json_array();
	size_t first = (size_t)draw_between(1, 3), last = (size_t)draw_between(first, 3);
	for (size_t i = first; i <= last; i++) {
		snprintf(place, sizeof place, "%.9s%03zu", a->town->place, i);
		json_array_append_new(places, json_string(place));
	}
	snprintf(id, sizeof id, "n%zu", a->key);
	snprintf(text, sizeof text, "示例通知第%zu号。", ++written);
	return json_pack("{s:s,s:s,s:{s:s},s:[{s:s}],s:o,s:s}", "id", id, "about", "NOTICE_ABOUT_SERVICE", "name", "zh",
	                 "示例通知", "text", "zh", text, "places", places, "until", "2199-12-31");
}

static void stepped(void *context, int status, json_t *body)
{
	struct author *a = context;
	uint32_t revision = (uint32_t)json_integer_value(json_object_get(body, "revision"));
	if (status == 200 && a->is_publishing) {
		a->published[a->key] = revision;
		a->published_us[a->key] = world.now_us;
	}
	author_rest(a);
}

static void seen(void *context, int status, json_t *body)
{
	struct author *a = context;
	char path[80];
	json_int_t draft = number_at(body, "draft", "version"), newest = number_at(body, "newest", "revision");
	const char *code = json_string_value(json_object_get(json_object_get(body, "error"), "code"));
	if (status != 200 && (!code || strcmp(code, "not-found") != 0)) {
		author_rest(a);
		return;
	}
	path_of(a, path);
	a->is_publishing = draft ? draw(3) != 0 : newest && draw(4) == 0;
	json_t *step = a->is_publishing ? json_pack("{s:s,s:I}", "action",
	                                            draft ? "DRAFT_ACTION_PUBLISH" : "DRAFT_ACTION_WITHDRAW", "version",
	                                            draft ? draft : newest)
	                                : json_pack("{s:s,s:I,s:I,s:o}", "action", "DRAFT_ACTION_SAVE", "version",
	                                            draft, "based_on", newest, "notice", notice_make(a));
	ask_page(a->town, "POST", path, step, a->is_publishing ? "supervisor1" : "clerk1", stepped, a);
}

static void author_step(void *context, bool is_alive)
{
	struct author *a = context;
	char path[80];
	(void)is_alive;
	if (is_everybody_leaving)
		return;
	a->is_busy = true;
	a->key = (size_t)draw(KEYS);
	path_of(a, path);
	ask_page(a->town, "GET", path, NULL, "clerk1", seen, a);
}

void authors_arrive(void)
{
	is_everybody_leaving = false;
	for (size_t i = 0; i < world.site_count; i++) {
		if (world.site[i].tier != LM__TIER__TIER_TOWN)
			continue;
		authors[author_count] = (struct author){ .town = &world.site[i] };
		author_rest(&authors[author_count++]);
	}
}

void authors_leave(void)
{
	is_everybody_leaving = true;
}

size_t authors_waiting(void)
{
	size_t waiting = 0;
	for (size_t i = 0; i < author_count; i++)
		waiting += authors[i].is_busy;
	return waiting;
}

/* What no kiosk had taken is lost with the disk. */
void authors_hear_of_put_back(const struct site *town, uint64_t image_us)
{
	for (size_t i = 0; i < author_count; i++)
		for (size_t k = 0; k < KEYS && authors[i].town == town; k++)
			if (authors[i].published_us[k] >= image_us)
				authors[i].published[k] = 0;
}

void authors_reset(void)
{
	memset(authors, 0, sizeof authors);
	author_count = written = 0;
}

/* ---- afterwards ---- */

static bool names_place(const json_t *notice, const char *place)
{
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(notice, "places"), i,
	                   one) if (strncmp(json_string_value(one), place, 12) == 0) return true;
	return false;
}

/* In the list of a kiosk; NULL: it is not shown. */
static const json_t *shown_as(const json_t *list, const char *id)
{
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(list, "notices"), i, one)
	{
		if (strcmp(json_string_value(json_object_get(one, "id")), id) == 0)
			return one;
	}
	return NULL;
}

static size_t kiosk_check(struct site *kiosk, const struct author *a, const json_t *notice, const char *id)
{
	json_t *list = ask_now(kiosk, "GET", "/api/v1/notices", NULL);
	bool is_for_it =
	        notice && !json_is_true(json_object_get(notice, "is_withdrawn")) && names_place(notice, kiosk->place);
	const json_t *found = shown_as(list, id);
	if (is_for_it != (found != NULL) || (found && !json_equal(found, notice)))
		fail("%s %s notice %s of %s", kiosk->name, found ? "shows an older or foreign" : "does not show", id,
		     a->town->name);
	json_decref(list);
	return is_for_it;
}

void authors_check(void)
{
	size_t shown = 0;
	for (size_t i = 0; i < author_count; i++) {
		struct author *a = &authors[i];
		for (a->key = 0; a->key < KEYS; a->key++) {
			char path[80];
			path_of(a, path);
			json_t *view = is_there(a->town, path) ? ask_now(a->town, "GET", path, NULL) : NULL;
			if (number_at(view, "newest", "revision") < a->published[a->key])
				fail("%s: revision %u of n%zu was called published, and an older one is in force",
				     a->town->name, a->published[a->key], a->key);
			for (size_t k = 0; k < world.site_count; k++)
				if (world.site[k].above == a->town)
					shown += kiosk_check(&world.site[k], a, json_object_get(view, "notice"),
					                     path + sizeof LIST);
			json_decref(view);
		}
	}
	tell("%zu notices were written, %zu are shown", written, shown);
}

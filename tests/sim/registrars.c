/*
 * A registrar at each town: takes up residents' records, changes them, hands them over to the other town, merges two
 * and parts them again. Who loses an answer looks at the record, and goes on from what it says.
 */
#include <string.h>

#include "sim.h"

#define PERSONS_MOST 4096

struct known { /* a record that some page called saved */
	char person[33];
	uint32_t version; /* the newest that a page called saved */
};

struct registrar {
	struct site *desk;
	size_t at; /* the record under way */
	bool is_busy;
};

static struct registrar registrars[SITES_MOST];
static struct known known_list[PERSONS_MOST];
static size_t registrar_count, known_count, name_count;
static bool is_everybody_leaving;

static void registrar_step(void *context, bool is_alive);

static void registrar_rest(struct registrar *r)
{
	r->is_busy = false;
	if (!is_everybody_leaving)
		plan(draw_between(SECONDS, 2 * world.pace->people_us), NULL, registrar_step, r);
}

/* With its check character (GB 11643). Region 990114 is nobody's. */
static void number_make(size_t nth, char number[19])
{
	unsigned sum = 0;
	snprintf(number, 19, "99011419580301%03zu", nth % 1000);
	for (size_t i = 0; i < 17; i++)
		sum += (unsigned)(number[i] - '0') << (17 - i);
	number[17] = "10X98765432"[sum % 11];
	number[18] = '\0';
}

/* Another name and number each time, so that nobody seems to be somebody else. */
static json_t *facts_make(const struct site *desk)
{
	char name[64], community[16], number[19];
	number_make(name_count, number);
	snprintf(name, sizeof name, CANARY "%zu", name_count++);
	snprintf(community, sizeof community, "%.9s%03llu", desk->place, (unsigned long long)draw_between(1, 9));
	return json_pack("{s:s,s:s,s:s,s:s}", "name", name, "birth", "1958-03-01", "community", community, "id_number",
	                 number);
}

static void saved_note(const json_t *body)
{
	const char *person = json_string_value(json_object_get(body, "person_id"));
	uint32_t version = (uint32_t)json_integer_value(json_object_get(body, "version"));
	if (!person || !json_is_true(json_object_get(body, "is_saved")))
		return;
	for (size_t i = 0; i < known_count; i++)
		if (strcmp(known_list[i].person, person) == 0) {
			if (version > known_list[i].version)
				known_list[i].version = version;
			return;
		}
	if (known_count == PERSONS_MOST)
		fail("more than %d records", PERSONS_MOST);
	snprintf(known_list[known_count].person, sizeof known_list->person, "%s", person);
	known_list[known_count++].version = version;
}

static void stepped(void *context, int status, json_t *body)
{
	struct registrar *r = context;
	if (status == 200)
		saved_note(body);
	registrar_rest(r);
}

static const struct site *other_town(const struct site *desk)
{
	for (size_t i = 0; i < world.site_count; i++)
		if (world.site[i].tier == LM__TIER__TIER_TOWN && &world.site[i] != desk)
			return &world.site[i];
	return desk;
}

static json_t *step_draw(const struct registrar *r, const json_t *view)
{
	const json_t *row = json_object_get(view, "row");
	bool is_merged = json_is_true(json_object_get(row, "is_merged"));
	json_int_t version = json_integer_value(json_object_get(view, "version"));
	if (is_merged)
		return json_pack("{s:s,s:I,s:s}", "action", "PERSON_ACTION_SPLIT", "version", version, "reason",
		                 "示例");
	switch (draw(6)) {
	case 0:
	case 1:
		return json_pack("{s:s,s:I,s:s,s:s}", "action", "PERSON_ACTION_HAND_OVER", "version", version, "town",
		                 other_town(r->desk)->place, "reason", "示例");
	case 2:
		return json_pack("{s:s,s:I,s:s,s:s}", "action", "PERSON_ACTION_MERGE", "version", version,
		                 "merged_into", known_list[draw(known_count)].person, "reason", "示例");
	default:
		return json_pack("{s:s,s:I,s:o}", "action", "PERSON_ACTION_CHANGE", "version", version, "facts",
		                 facts_make(r->desk));
	}
}

static void looked(void *context, int status, json_t *body)
{
	struct registrar *r = context;
	char path[80];
	if (status != 200 || !json_is_true(json_object_get(body, "is_ours"))) {
		registrar_rest(r);
		return;
	}
	snprintf(path, sizeof path, "/api/v1/persons/%s", known_list[r->at].person);
	ask_page(r->desk, "POST", path, step_draw(r, body), "clerk1", stepped, r);
}

static void look_at(struct registrar *r)
{
	char path[80];
	snprintf(path, sizeof path, "/api/v1/persons/%s/look", known_list[r->at].person);
	ask_page(r->desk, "POST", path, json_pack("{s:s}", "purpose", "LOOK_PURPOSE_UPKEEP"), "clerk1", looked, r);
}

static void registrar_step(void *context, bool is_alive)
{
	struct registrar *r = context;
	(void)is_alive;
	if (is_everybody_leaving)
		return;
	r->is_busy = true;
	if (known_count && draw(4)) {
		r->at = (size_t)draw(known_count);
		look_at(r);
		return;
	}
	ask_page(r->desk, "POST", "/api/v1/persons",
	         json_pack("{s:s,s:o}", "action", "PERSON_ACTION_CREATE", "facts", facts_make(r->desk)), "clerk1",
	         stepped, r);
}

const char *registrars_known(void)
{
	return known_count ? known_list[draw(known_count)].person : NULL;
}

void registrars_arrive(void)
{
	is_everybody_leaving = false;
	for (size_t i = 0; i < world.site_count; i++) {
		if (world.site[i].tier != LM__TIER__TIER_TOWN)
			continue;
		registrars[registrar_count] = (struct registrar){ .desk = &world.site[i] };
		registrar_rest(&registrars[registrar_count++]);
	}
}

void registrars_leave(void)
{
	is_everybody_leaving = true;
}

size_t registrars_waiting(void)
{
	size_t waiting = 0;
	for (size_t i = 0; i < registrar_count; i++)
		waiting += registrars[i].is_busy;
	return waiting;
}

void registrars_reset(void)
{
	memset(registrars, 0, sizeof registrars);
	registrar_count = known_count = name_count = 0;
}

/* ---- afterwards: one owner, and the district knows what that knows ---- */

static json_t *view_at(struct site *s, const struct known *k)
{
	char path[80];
	snprintf(path, sizeof path, "/api/v1/persons/%s/look", k->person);
	json_t *view = ask_if_alive(s, "POST", path, json_pack("{s:s}", "purpose", "LOOK_PURPOSE_CHECK"));
	if (!view || !json_object_get(view, "row")) {
		json_decref(view);
		return NULL;
	}
	return view;
}

static void known_check(const struct known *k)
{
	static const char *const same[] = { "facts", "version", "epoch" };
	size_t owners = 0;
	json_t *at_hub = view_at(site_hub(), k);
	if (!at_hub)
		fail("the district has no record %s, which was called saved", k->person);
	if ((uint32_t)json_integer_value(json_object_get(at_hub, "version")) < k->version)
		fail("record %s: version %u was called saved, and the district has an older one", k->person,
		     k->version);
	for (size_t i = 0; i < world.site_count; i++) {
		struct site *s = &world.site[i];
		json_t *view = s->tier == LM__TIER__TIER_TOWN ? view_at(s, k) : NULL;
		bool is_owner = json_is_true(json_object_get(view, "is_ours"));
		owners += is_owner;
		for (size_t p = 0; is_owner && p < sizeof same / sizeof *same; p++)
			if (!json_object_get(view, same[p]) ||
			    !json_equal(json_object_get(view, same[p]), json_object_get(at_hub, same[p])))
				fail("record %s: the district and %s have other %s", k->person, s->name, same[p]);
		if (is_owner)
			certificate_check(k->person, at_hub, view);
		json_decref(view);
	}
	if (owners != 1)
		fail("record %s has %zu owners", k->person, owners);
	json_decref(at_hub);
}

void registrars_check(void)
{
	for (size_t i = 0; i < known_count; i++)
		known_check(&known_list[i]);
	tell("%zu records have one owner each", known_count);
	certifiers_tell();
}

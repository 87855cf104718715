/*
 * What a desk does beside its cases: accounts, who works on what, notes, leave, views, texts, calls that are planned,
 * tokens for devices. Most of it stays in the `own` of its node; nobody insists on it, and nothing but a fault may
 * refuse it. In the end a replay of each tape gives the same rows (check.c), and a note that was called saved is there.
 */
#include <string.h>

#include "sim.h"

#define NOTES_MOST 4096
#define SHOWN 20 /* of a page, which may show some more whose answer was lost */

struct runner {
	struct site *desk;
	const struct chore *chore;
	size_t nth; /* of its note */
	bool is_busy;
};

struct chore {
	const char *path; /* with %s: of a case */
	json_t *(*make)(const struct runner *r, const json_t *row);
	bool is_of_supervisor, is_of_operator; /* otherwise a clerk's; operators have no supervisor */
};

static struct note { /* that a page called saved */
	const struct site *desk;
	uint64_t saved_us;
	size_t nth;
} notes[NOTES_MOST];

static struct runner runners[SITES_MOST];
static size_t runner_count, note_count, written;
static bool is_everybody_leaving;

/* ---- what there is to do ---- */

static json_t *account_make(const struct runner *r, const json_t *row)
{
	(void)row;
	return json_pack("{s:s,s:s,s:s,s:s}", "name", draw(2) ? "helper1" : "helper2", "role",
	                 r->desk->tier == LM__TIER__TIER_TOWN ? "clerk" : "operator", "password",
	                 draw(5) ? "a long password for all" : "", "by", "sim");
}

static json_t *claim_make(const struct runner *r, const json_t *row)
{
	(void)r;
	return json_pack("{s:s,s:s,s:[{s:O,s:O}]}", "act", "BULK_ACT_ASSIGN", "staff",
	                 draw(3) ? draw(2) ? "helper1" : "helper2" : "", "items", "request_id",
	                 json_object_get(row, "request_id"), "version", json_object_get(row, "version"));
}

static json_t *contact_make(const struct runner *r, const json_t *row)
{
	(void)r;
	(void)row;
	return json_pack("{s:s,s:{s:s,s:s,s:s,s:b}}", "act", "CONTACT_ACT_ADD", "contact", "way", "CONTACT_WAY_CALL",
	                 "text", CANARY, "day", "2199-11-24", "is_call_back", (int)draw(2));
}

static json_t *note_make(const struct runner *r, const json_t *row)
{
	char text[40];
	(void)row;
	snprintf(text, sizeof text, "示例%zu。", r->nth);
	return json_pack("{s:s,s:s}", "act", "DESK_ACT_WRITE_NOTE", "text", text);
}

static json_t *leave_make(const struct runner *r, const json_t *row)
{
	(void)r;
	(void)row;
	return json_pack("{s:s,s:{s:s,s:s,s:s,s:s}}", "act", draw(3) ? "DESK_ACT_SET_LEAVE" : "DESK_ACT_END_LEAVE",
	                 "leave", "staff", "helper1", "from", "2026-11-22", "until", "2026-11-30", "deputy", "helper2");
}

static json_t *view_make(const struct runner *r, const json_t *row)
{
	(void)r;
	(void)row;
	return json_pack("{s:s,s:{s:s,s:s,s:{s:s}}}", "act", draw(3) ? "DESK_ACT_KEEP_VIEW" : "DESK_ACT_DROP_VIEW",
	                 "view", "id", draw(2) ? "v1" : "v2", "name", "示例", "filter", "view", "open");
}

static json_t *token_make(const struct runner *r, const json_t *row)
{
	char place[PLACE_TEXT_BYTES];
	(void)r;
	(void)row;
	snprintf(place, sizeof place, "310114106001-T%llu", (unsigned long long)draw_between(7, 9));
	return json_pack("{s:s,s:s,s:s,s:s}", "fingerprint",
	                 "1111-2222-3333-4444-5555-6666-7777-8888-9999-aaaa-bbbb-cccc-dddd-eeee-ffff-0000", "role",
	                 "TIER_TERMINAL", "place", place, "by", "sim");
}

static const struct chore chores[] = {
	{ .path = "/ctl/v1/users", .make = account_make, .is_of_operator = true },
	{ .path = "/api/v1/cases/bulk", .make = claim_make },
	{ .path = "/api/v1/cases/%s/contacts", .make = contact_make },
	{ .path = "/api/v1/work", .make = note_make },
	{ .path = "/api/v1/work", .make = leave_make, .is_of_supervisor = true },
	{ .path = "/api/v1/work", .make = view_make },
	{ .path = "/ctl/v1/tokens", .make = token_make, .is_of_operator = true },
};

/* ---- doing it ---- */

static void runner_step(void *context, bool is_alive);

static void runner_rest(struct runner *r)
{
	r->is_busy = false;
	if (!is_everybody_leaving)
		plan(draw_between(SECONDS, 2 * world.pace->people_us), NULL, runner_step, r);
}

static void done(void *context, int status, json_t *body)
{
	static const char *const fine[] = { "busy",   "again",  "not-ready", "unreachable", "too-many",
		                            "full",   "memory", "frozen",    "conflict",    "closed",
		                            "absent", "denied", "not-found" };
	struct runner *r = context;
	const char *code = json_string_value(json_object_get(json_object_get(body, "error"), "code"));
	const char *text = json_string_value(json_object_get(json_object_get(body, "error"), "text"));
	bool is_fine = status == 0 || status == 200 || (text && strstr(text, "no such account"));
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		is_fine |= code && strcmp(code, fine[i]) == 0;
	if (!is_fine)
		fail("%s answers %s with %s", r->desk->name, r->chore->path, json_dumps(body, JSON_COMPACT));
	if (status == 200 && r->chore->make == note_make && note_count < NOTES_MOST)
		notes[note_count++] = (struct note){ r->desk, world.now_us, r->nth };
	runner_rest(r);
}

static void queue_seen(void *context, int status, json_t *body)
{
	struct runner *r = context;
	char path[120];
	const json_t *cases = json_object_get(body, "cases");
	const json_t *row = json_array_get(cases, (size_t)draw(json_array_size(cases) + 1));
	bool is_town = r->desk->tier == LM__TIER__TIER_TOWN;
	r->chore = &chores[draw(sizeof chores / sizeof *chores)];
	bool needs_case = r->chore->make == claim_make || r->chore->make == contact_make;
	if (status != 200 || (needs_case && !row) || (is_town && r->chore->make == token_make)) {
		runner_rest(r);
		return;
	}
	r->nth = ++written;
	if (r->chore->make == contact_make)
		snprintf(path, sizeof path, "/api/v1/cases/%s/contacts",
		         json_string_value(json_object_get(row, "request_id")));
	else
		snprintf(path, sizeof path, "%s", r->chore->path);
	const char *user = r->chore->is_of_operator     ? "local"
	                   : !is_town                   ? "operator1"
	                   : r->chore->is_of_supervisor ? "supervisor1"
	                                                : "clerk1";
	ask_page(r->desk, "POST", path, r->chore->make(r, row), user, done, r);
}

static void runner_step(void *context, bool is_alive)
{
	struct runner *r = context;
	(void)is_alive;
	if (is_everybody_leaving)
		return;
	r->is_busy = true;
	ask_page(r->desk, "GET", "/api/v1/cases?view=open&limit=40", NULL,
	         r->desk->tier == LM__TIER__TIER_TOWN ? "clerk1" : "operator1", queue_seen, r);
}

void runners_arrive(void)
{
	is_everybody_leaving = false;
	for (size_t i = 0; i < world.site_count; i++) {
		if (world.site[i].tier == LM__TIER__TIER_TERMINAL)
			continue;
		runners[runner_count] = (struct runner){ .desk = &world.site[i] };
		runner_rest(&runners[runner_count++]);
	}
}

void runners_leave(void)
{
	is_everybody_leaving = true;
}

size_t runners_waiting(void)
{
	size_t waiting = 0;
	for (size_t i = 0; i < runner_count; i++)
		waiting += runners[i].is_busy;
	return waiting;
}

/* What lies in `own` has no copy elsewhere. */
void runners_hear_of_put_back(const struct site *desk, uint64_t image_us)
{
	size_t kept = 0;
	for (size_t i = 0; i < note_count; i++)
		if (notes[i].desk != desk || notes[i].saved_us < image_us)
			notes[kept++] = notes[i];
	note_count = kept;
}

void runners_reset(void)
{
	memset(runners, 0, sizeof runners);
	runner_count = note_count = written = 0;
}

/* ---- afterwards ---- */

static bool is_among(const json_t *view, size_t nth)
{
	char text[40];
	size_t i;
	json_t *note;
	snprintf(text, sizeof text, "示例%zu。", nth);
	json_array_foreach(json_object_get(view, "notes"), i, note)
	{
		if (strcmp(json_string_value(json_object_get(note, "text")), text) == 0)
			return true;
	}
	return false;
}

void runners_check(void)
{
	for (size_t i = 0; i < runner_count; i++) {
		struct site *desk = runners[i].desk;
		json_t *view = ask_now(desk, "GET", "/api/v1/work", NULL);
		size_t seen = 0;
		for (size_t k = note_count; k-- > 0 && seen < SHOWN;)
			if (notes[k].desk == desk && ++seen && !is_among(view, notes[k].nth))
				fail("%s: a note was called saved, and is not there", desk->name);
		json_decref(view);
	}
	tell("%zu notes of desks are there", note_count);
}

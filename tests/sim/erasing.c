/* Two people at each desk who erase closed cases: one proposes, the other confirms, and insists until it is done. */
#include <string.h>

#include "sim.h"

#define ERASED_MOST 1024

struct officer {
	struct site *desk;
	char request[33], act[33]; /* act "": nothing is proposed */
	bool is_busy;
};

static struct officer officers[SITES_MOST];
static struct erased erased_list[ERASED_MOST];
static size_t officer_count, erased_count;
static bool is_everybody_leaving;

static struct erased *erased_find(const char *request)
{
	for (size_t i = 0; i < erased_count; i++)
		if (strcmp(erased_list[i].request, request) == 0)
			return &erased_list[i];
	return NULL;
}

bool is_erased(const char *request)
{
	const struct erased *e = erased_find(request);
	return e && !e->is_lost;
}

bool is_erasing_doubtful(const char *request)
{
	const struct erased *e = erased_find(request);
	return e && e->is_doubtful;
}

bool is_erasing_lost(const char *request)
{
	const struct erased *e = erased_find(request);
	return e && e->is_lost;
}

void erasing_lose(const char *request)
{
	struct erased *e = erased_find(request);
	if (e)
		e->is_lost = true;
}

static const char *code_of(const json_t *body)
{
	const char *code = json_string_value(json_object_get(json_object_get(body, "error"), "code"));
	return code ? code : "";
}

static void officer_step(void *context, bool is_alive);

static void officer_rest(struct officer *o)
{
	o->is_busy = o->act[0] != '\0';
	if (o->is_busy || !is_everybody_leaving)
		plan(draw_between(SECONDS, o->is_busy ? world.pace->insist_us : 2 * world.pace->people_us), NULL,
		     officer_step, o);
}

static void confirmed(void *context, int status, json_t *body)
{
	struct officer *o = context;
	bool is_done = status == 200 || strcmp(code_of(body), "closed") == 0; /* the answer before was lost */
	struct erased *e = is_done ? erased_find(o->request) : NULL;
	if (is_done && !e) {
		if (erased_count == ERASED_MOST)
			fail("more than %d erasings", ERASED_MOST);
		e = &erased_list[erased_count++];
		tell("%-24s erased %s", o->desk->name, o->request);
	}
	if (is_done) {
		*e = (struct erased){ .desk = o->desk, .done_us = world.now_us };
		snprintf(e->request, sizeof e->request, "%s", o->request);
	}
	bool may_forget = fault_is_about(FAULT_RESTORE) || fault_is_about(FAULT_PUT_BACK);
	if (is_done || (may_forget && strcmp(code_of(body), "not-found") == 0))
		o->act[0] = '\0';
	officer_rest(o);
}

static void proposed(void *context, int status, json_t *body)
{
	struct officer *o = context;
	if (status == 200)
		snprintf(o->act, sizeof o->act, "%s", json_string_value(json_object_get(body, "act")));
	officer_rest(o);
}

static void closed_seen(void *context, int status, json_t *body)
{
	struct officer *o = context;
	const json_t *cases = json_object_get(body, "cases");
	size_t count = status == 200 ? json_array_size(cases) : 0;
	const json_t *row = count ? json_array_get(cases, (size_t)draw(count)) : NULL;
	if (!row || !json_is_true(json_object_get(row, "is_ours")) || json_is_true(json_object_get(row, "is_absent"))) {
		officer_rest(o);
		return;
	}
	snprintf(o->request, sizeof o->request, "%s", json_string_value(json_object_get(row, "request_id")));
	ask_page(o->desk, "POST", "/api/v1/erasures",
	         json_pack("{s:s,s:[s],s:s,s:s}", "action", "ERASE_ACTION_PROPOSE", "requests", o->request, "reason",
	                   "示例", "ground", "示例"),
	         "first", proposed, o);
}

static void officer_step(void *context, bool is_alive)
{
	struct officer *o = context;
	char path[80];
	(void)is_alive;
	if (!o->act[0] && is_everybody_leaving)
		return;
	o->is_busy = true;
	if (!o->act[0]) {
		ask_page(o->desk, "GET", "/api/v1/cases?view=closed&limit=40", NULL, "first", closed_seen, o);
		return;
	}
	snprintf(path, sizeof path, "/api/v1/erasures/%s", o->act);
	ask_page(o->desk, "POST", path, json_pack("{s:s}", "action", "ERASE_ACTION_CONFIRM"), "second", confirmed, o);
}

void officers_hear_of_restore(uint64_t backup_us)
{
	for (size_t i = 0; i < erased_count; i++)
		erased_list[i].is_doubtful |= erased_list[i].desk == site_hub() && erased_list[i].done_us >= backup_us;
}

void officers_arrive(void)
{
	is_everybody_leaving = false;
	for (size_t i = 0; i < world.site_count; i++) {
		if (world.site[i].tier == LM__TIER__TIER_TERMINAL)
			continue;
		officers[officer_count] = (struct officer){ .desk = &world.site[i] };
		officer_rest(&officers[officer_count++]);
	}
}

void officers_leave(void)
{
	is_everybody_leaving = true;
}

size_t officers_waiting(void)
{
	size_t waiting = 0;
	for (size_t i = 0; i < officer_count; i++)
		waiting += officers[i].is_busy;
	return waiting;
}

void officers_reset(void)
{
	memset(officers, 0, sizeof officers);
	officer_count = erased_count = 0;
}

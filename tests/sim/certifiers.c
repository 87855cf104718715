/*
 * Certificates: clerks of the towns apply, report losses, renew and cancel for the residents that registrars know;
 * assessors declare, pledge and assess what was drawn for them; the district draws, checks and decides. Each does what
 * the page says is possible.
 */
#include <string.h>

#include "sim.h"

#define ASKS_MOST 4096

enum certifier_role { CLERK, ASSESSOR, DISTRICT_DESK };

struct certifier {
	struct site *desk;
	enum certifier_role role;
	char person[33];
	bool is_busy, has_declared;
};

struct asked { /* a town's page said that it is with the district, or will be */
	char person[33];
	char act[40];
};

static struct certifier certifiers[2 * SITES_MOST];
static struct asked asked_list[ASKS_MOST];
static size_t certifier_count, asked_count;
static bool is_everybody_leaving;

static void certifier_step(void *context, bool is_alive);

static void certifier_rest(struct certifier *c)
{
	c->is_busy = false;
	if (!is_everybody_leaving)
		plan(draw_between(SECONDS, 2 * world.pace->people_us), NULL, certifier_step, c);
}

static void rested(void *context, int status, json_t *body)
{
	(void)status;
	(void)body;
	certifier_rest(context);
}

/* ---- with a record: a clerk, the district ---- */

static char act_under_way[SITES_MOST * 2][40];

static void acted(void *context, int status, json_t *body)
{
	struct certifier *c = context;
	size_t at = (size_t)(c - certifiers);
	if (status == 200 && json_is_true(json_object_get(body, "is_waiting"))) {
		if (asked_count == ASKS_MOST)
			fail("more than %d asks about certificates", ASKS_MOST);
		memcpy(asked_list[asked_count].person, c->person, sizeof c->person);
		memcpy(asked_list[asked_count++].act, act_under_way[at], sizeof act_under_way[at]);
	}
	certifier_rest(c);
}

static void looked(void *context, int status, json_t *body)
{
	struct certifier *c = context;
	size_t at = (size_t)(c - certifiers);
	const json_t *may = json_object_get(json_object_get(body, "certificate"), "may");
	char path[80];
	if (status != 200 || !json_array_size(may)) {
		certifier_rest(c);
		return;
	}
	const char *act = json_string_value(json_array_get(may, (size_t)draw(json_array_size(may))));
	snprintf(act_under_way[at], sizeof act_under_way[at], "%s", act);
	snprintf(path, sizeof path, "/api/v1/persons/%s/certificate", c->person);
	ask_page(c->desk, "POST", path,
	         json_pack("{s:s,s:s,s:s,s:s,s:s}", "act", act, "reason", "示例", "ground", "示例", "remedy", "示例",
	                   "cancel", "CANCEL_GROUND_OWN_WISH"),
	         c->role == CLERK ? "clerk2" : "operator2", acted, c);
}

static void look_at(struct certifier *c, const char *person)
{
	char path[80];
	snprintf(c->person, sizeof c->person, "%s", person);
	snprintf(path, sizeof path, "/api/v1/persons/%s/look", person);
	ask_page(c->desk, "POST", path, json_pack("{s:s}", "purpose", "LOOK_PURPOSE_UPKEEP"),
	         c->role == CLERK ? "clerk2" : "operator2", looked, c);
}

static void listed(void *context, int status, json_t *body)
{
	struct certifier *c = context;
	const json_t *rows = json_object_get(body, "rows");
	size_t count = json_array_size(rows);
	const json_t *row = count ? json_array_get(rows, (size_t)draw(count)) : NULL;
	const char *person = json_string_value(json_object_get(json_object_get(row, "person"), "person_id"));
	if (status == 200 && person)
		look_at(c, person);
	else
		certifier_rest(c);
}

/* ---- an assessor ---- */

static void declared(void *context, int status, json_t *body)
{
	struct certifier *c = context;
	(void)body;
	c->has_declared = status == 200;
	certifier_rest(c);
}

static json_t *finding_make(void)
{
	return json_pack("{s:s,s:{s:I,s:I,s:s}}", "act", "CERTIFICATE_ACT_ASSESS", "finding", "category",
	                 (json_int_t)draw_between(1, 7), "grade", (json_int_t)draw_between(1, 4), "findings",
	                 CANARY "：活动受限");
}

static void drawn_for(void *context, int status, json_t *body)
{
	struct certifier *c = context;
	const json_t *rows = json_object_get(body, "rows");
	size_t count = json_array_size(rows);
	const json_t *row = count ? json_array_get(rows, (size_t)draw(count)) : NULL;
	const char *state = json_string_value(json_object_get(row, "state"));
	char path[80];
	if (status != 200 || !state) {
		certifier_rest(c);
		return;
	}
	bool is_drawn = strcmp(state, "CERTIFICATE_STATE_DRAWN") == 0;
	snprintf(path, sizeof path, "/api/v1/assessments/%s", json_string_value(json_object_get(row, "person_id")));
	ask_page(c->desk, "POST", path,
	         draw(8) == 0 ? json_pack("{s:s,s:s}", "act", "CERTIFICATE_ACT_DECLINE", "reason", "示例")
	         : is_drawn   ? json_pack("{s:s}", "act", "CERTIFICATE_ACT_PLEDGE")
	                      : finding_make(),
	         "assessor1", rested, c);
}

/* ---- a step ---- */

static void certifier_step(void *context, bool is_alive)
{
	struct certifier *c = context;
	const char *person = registrars_known();
	(void)is_alive;
	if (is_everybody_leaving)
		return;
	c->is_busy = true;
	if (c->role == ASSESSOR && !c->has_declared)
		ask_page(c->desk, "POST", "/api/v1/assessments/declaration",
		         json_pack("{s:s}", "own_number", "990114194001010026"), "assessor1", declared, c);
	else if (c->role == ASSESSOR)
		ask_page(c->desk, "GET", "/api/v1/assessments", NULL, "assessor1", drawn_for, c);
	else if (c->role == DISTRICT_DESK)
		ask_page(c->desk, "GET", "/api/v1/certificates", NULL, "operator2", listed, c);
	else if (person)
		look_at(c, person);
	else
		certifier_rest(c);
}

static void certifier_add(struct site *desk, enum certifier_role role)
{
	certifiers[certifier_count] = (struct certifier){ .desk = desk, .role = role };
	certifier_rest(&certifiers[certifier_count++]);
}

void certifiers_arrive(void)
{
	is_everybody_leaving = false;
	for (size_t i = 0; i < world.site_count; i++) {
		struct site *s = &world.site[i];
		if (s->tier == LM__TIER__TIER_DISTRICT)
			certifier_add(s, DISTRICT_DESK);
		if (s->tier != LM__TIER__TIER_TOWN)
			continue;
		certifier_add(s, CLERK);
		certifier_add(s, ASSESSOR);
	}
}

void certifiers_leave(void)
{
	is_everybody_leaving = true;
}

size_t certifiers_waiting(void)
{
	size_t waiting = 0;
	for (size_t i = 0; i < certifier_count; i++)
		waiting += certifiers[i].is_busy;
	return waiting;
}

void certifiers_reset(void)
{
	memset(certifiers, 0, sizeof certifiers);
	certifier_count = asked_count = 0;
}

/* ---- afterwards: every ask is answered, and the town of the record knows what the district knows ---- */

static size_t asks_of(const char *person, const char *act)
{
	size_t count = 0;
	for (size_t i = 0; i < asked_count; i++)
		count += strcmp(asked_list[i].person, person) == 0 && strcmp(asked_list[i].act, act) == 0;
	return count;
}

static size_t events_of(const json_t *certificate, const char *act)
{
	const json_t *events = json_object_get(certificate, "events");
	size_t count = 0;
	for (size_t i = 0; i < json_array_size(events); i++) {
		const json_t *step = json_object_get(json_array_get(events, i), "step");
		const char *done = json_string_value(json_object_get(step, "act"));
		count += done && strcmp(done, act) == 0;
	}
	return count;
}

void certificate_check(const char *person, const json_t *at_hub, const json_t *at_owner)
{
	static const char *const acts[] = { "CERTIFICATE_ACT_APPLY", "CERTIFICATE_ACT_LOSS", "CERTIFICATE_ACT_RENEWAL",
		                            "CERTIFICATE_ACT_CANCEL" };
	const json_t *told = json_object_get(at_hub, "certificate"), *known = json_object_get(at_owner, "certificate");
	if (json_array_size(json_object_get(known, "waiting")))
		fail("record %s: what its town asked for its certificate was never answered", person);
	if (json_integer_value(json_object_get(told, "version")) !=
	    json_integer_value(json_object_get(known, "version")))
		fail("record %s: the district and its town have other versions of its certificate", person);
	if (json_object_get(told, "facts") &&
	    !json_equal(json_object_get(told, "facts"), json_object_get(known, "facts")))
		fail("record %s: the district and its town have other certificates", person);
	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
		if (events_of(told, acts[i]) < asks_of(person, acts[i]))
			fail("record %s: %zu asks %s were called saved, and the district answered %zu", person,
			     asks_of(person, acts[i]), acts[i], events_of(told, acts[i]));
}

void certifiers_tell(void)
{
	tell("%zu asks about certificates were answered", asked_count);
}

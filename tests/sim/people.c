/* Residents and staff. Whoever asked for something insists until there is an answer, however often the daemon dies. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define PROMISES_MOST 16384
#define DEEDS_MOST 32768
#define OPEN_MOST 64
#define LOOK_EVERY_US (12 * SECONDS) /* a terminal takes 12 codes a minute */

struct resident {
	struct site *terminal;
	json_t *command; /* handed in, not answered yet */
	struct promise *subject;
	uint64_t looked_us;
	char code[16]; /* that was looked up */
	bool rates;    /* what was asked last */
	bool is_leaving, is_busy;
};

struct clerk {
	struct site *desk;
	const char *user;
	char request[33];
	uint32_t version;
	struct promise *lost; /* whose code this clerk replaces */
	bool is_leaving, is_busy;
};

static struct resident residents[SITES_MOST];
static struct clerk clerks[SITES_MOST];
static size_t resident_count, clerk_count;
static struct promise promise_list[PROMISES_MOST];
static struct deed deed_list[DEEDS_MOST];
static size_t promise_count, deed_count;
static bool is_everybody_leaving;

size_t promises(const struct promise **out)
{
	*out = promise_list;
	return promise_count;
}

size_t deeds(const struct deed **out)
{
	*out = deed_list;
	return deed_count;
}

static const char *error_of(const json_t *body)
{
	const char *code = json_string_value(json_object_get(json_object_get(body, "error"), "code"));
	return code ? code : "";
}

/* Answers that ask for another try. */
static bool is_later(int status, const json_t *body)
{
	static const char *const later[] = {
		"busy", "again", "not-ready", "unreachable", "too-many", "full", "memory"
	};
	const char *code = error_of(body);
	for (size_t i = 0; i < sizeof later / sizeof *later; i++)
		if (strcmp(code, later[i]) == 0)
			return true;
	if ((fault_is_about(FAULT_ALTER) || fault_is_about(FAULT_ROLLBACK) || fault_is_about(FAULT_CLONE)) &&
	    strcmp(code, "frozen") == 0)
		return true; /* the town refuses what was altered, and looks again after a minute; or an operator must
		                come */
	return status == 0;
}

_Noreturn static void refused(const struct site *s, const char *what, const json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT);
	fail("%s answers %s with %s", s->name, what, text);
}

/* ---- residents ---- */

static void resident_step(void *context, bool is_alive);

static void resident_rest(struct resident *r)
{
	uint64_t longest_us = world.pace->people_us / (r->terminal->is_map_small ? 4 : 1);
	r->is_busy = false;
	if (!is_everybody_leaving)
		plan(draw_between(200 * MS, longest_us), NULL, resident_step, r);
}

static void hand_in(void *context, bool is_alive);

static void promise_add(struct resident *r, const json_t *view)
{
	const char *request = json_string_value(json_object_get(view, "request_id"));
	const char *code = json_string_value(json_object_get(view, "code"));
	if (!json_is_true(json_object_get(view, "is_saved")))
		refused(r->terminal, "a request", view);
	for (size_t i = 0; i < promise_count; i++)
		if (strcmp(promise_list[i].request, request) == 0)
			return;
	if (promise_count == PROMISES_MOST)
		fail("more than %d requests", PROMISES_MOST);
	struct promise *p = &promise_list[promise_count++];
	memset(p, 0, sizeof *p);
	p->terminal = r->terminal;
	snprintf(p->request, sizeof p->request, "%s", request);
	snprintf(p->code, sizeof p->code, "%s", code);
	p->saved_us = world.now_us;
	tell("%-24s says that %s is saved", r->terminal->name, request);
}

static void handed_in(void *context, int status, json_t *body)
{
	struct resident *r = context;
	if (status == 200) {
		promise_add(r, body);
		bool once_more = draw(10) == 0;
		if (once_more) { /* pressed twice: one request */
			plan(draw(SECONDS), NULL, hand_in, r);
			return;
		}
	} else if (is_later(status, body) && !(is_everybody_leaving && strcmp(error_of(body), "full") == 0)) {
		plan(draw_between(100 * MS, world.pace->insist_us), NULL, hand_in, r);
		return;
	} else if (!is_later(status, body)) {
		refused(r->terminal, "a request", body);
	}
	json_decref(r->command);
	r->command = NULL;
	resident_rest(r);
}

static void hand_in(void *context, bool is_alive)
{
	struct resident *r = context;
	if (!is_alive) { /* the world ends, and insisting with it */
		json_decref(r->command);
		r->command = NULL;
		return;
	}
	if (r->command)
		ask_page(r->terminal, "POST", "/api/v1/requests", json_incref(r->command), "resident", handed_in, r);
	else
		resident_rest(r); /* the machine with the page has gone */
}

static void drafted(void *context, int status, json_t *body)
{
	struct resident *r = context;
	if (status != 200) {
		if (!is_later(status, body))
			refused(r->terminal, "a draft", body);
		resident_rest(r);
		return;
	}
	json_t *consent = json_pack("{s:s,s:b,s:i}", "kind", "CONSENT_KIND_PRIVACY", "is_given", 1, "time_ms", 1);
	r->command =
	        json_pack("{s:O,s:O,s:s,s:i,s:s,s:[{s:s,s:[s]},{s:s,s:[s]}],s:[o]}", "request_id",
	                  json_object_get(body, "request_id"), "code", json_object_get(body, "code"), "service",
	                  draw(3) ? "sim-town" : "sim-district", "revision", 1, "language", "zh-CN", "values", "field",
	                  "name", "values", CANARY, "field", "wheelchair", "values", "unknown", "consents", consent);
	if (draw(5) == 0) { /* somebody acts for the resident */
		json_object_set_new(r->command, "carer",
		                    json_pack("{s:s,s:s,s:s,s:s}", "name", CANARY, "relation", CANARY, "phone",
		                              "00012345678", "scope", "CARER_SCOPE_ONCE"));
		json_object_set_new(consent, "is_by_carer", json_true());
	}
	paper_add(json_string_value(json_object_get(body, "request_id")), json_object_get(r->command, "values"));
	plan(draw(2 * SECONDS), NULL, hand_in, r);
}

static void asked(void *context, int status, json_t *body)
{
	struct resident *r = context;
	const char *code = error_of(body);
	if (status != 200 && !is_later(status, body) && strcmp(code, "conflict") != 0 && strcmp(code, "duplicate") != 0)
		refused(r->terminal, "an answer", body);
	r->subject->is_rated |= status == 200 && r->rates;
	resident_rest(r);
}

static const json_t *receipt_of(const struct promise *p, const json_t *view)
{
	size_t i;
	json_t *receipt;
	json_array_foreach(json_object_get(view, "receipts"), i, receipt)
	{
		if (strcmp(json_string_value(json_object_get(receipt, "request_id")), p->request) == 0)
			return receipt;
	}
	return NULL;
}

static bool has_closed(const json_t *statuses)
{
	size_t i;
	json_t *status;
	bool is_closed = false;
	json_array_foreach(statuses, i, status) /* a rating may come behind it */
	{
		const char *action = json_string_value(json_object_get(status, "action"));
		is_closed = json_is_true(json_object_get(status, "is_closing")) ||
		            (is_closed && strcmp(action, "CASE_ACTION_RATE") == 0);
	}
	return is_closed;
}

/* A mark that was shown once stands for ever. */
static void marks_check(struct promise *p, const json_t *marks)
{
	bool town = json_is_true(json_object_get(marks, "town")),
	     district = json_is_true(json_object_get(marks, "district"));
	if ((p->was_town && !town) || (p->was_district && !district))
		fail("%s: the mark of request %s went back", p->terminal->name, p->request);
	p->was_town = town;
	p->was_district = district;
}

static void looked_up(void *context, int status, json_t *body)
{
	struct resident *r = context;
	struct promise *p = r->subject;
	if (status != 200) {
		if (!is_later(status, body))
			refused(r->terminal, "a code", body);
		resident_rest(r);
		return;
	}
	const json_t *receipt = receipt_of(p, body);
	/* A town that is given back what was erased in the meantime cannot learn its code any more. */
	bool may_show_nothing = p->is_doubtful || (fault_is_about(FAULT_PUT_BACK) && is_erased(p->request));
	if (p->is_losing || strcmp(r->code, p->code) != 0 || (!receipt && may_show_nothing)) {
		resident_rest(r);
		return;
	}
	if (!receipt)
		fail("%s: request %s was saved, and its code shows nothing", r->terminal->name, p->request);
	bool is_from_town = json_is_true(json_object_get(receipt, "is_from_town"));
	const char *erased_ms = json_string_value(json_object_get(receipt, "erased_ms"));
	if (is_from_town && erased_ms && strcmp(erased_ms, "0") != 0) {
		resident_rest(r);
		return;
	}
	marks_check(p, json_object_get(receipt, "marks"));
	const json_t *statuses = json_object_get(receipt, "statuses");
	const json_t *last = json_array_get(statuses, json_array_size(statuses) - 1);
	/* Its lock is gone: 90 days after the case was closed, by a clock that may have jumped. */
	if (is_from_town && !p->is_forgotten && !p->former[0] && !has_closed(statuses))
		fail("%s: the code of %s opens nothing, and nobody erased or closed it", r->terminal->name, p->request);
	json_int_t version = last ? json_integer_value(json_object_get(last, "version")) : 0;
	bool answers = json_is_true(json_object_get(receipt, "can_answer")) && draw(5);
	bool withdraws = !answers && json_is_true(json_object_get(receipt, "can_withdraw")) && draw(8) == 0;
	const char *until_ms = json_string_value(json_object_get(receipt, "object_until_ms"));
	bool objects = !answers && !withdraws && until_ms && strcmp(until_ms, "0") != 0 && draw(2);
	bool rates =
	        !answers && !withdraws && !objects && json_is_true(json_object_get(receipt, "can_rate")) && draw(2);
	if (!answers && !withdraws && !objects && !rates) {
		resident_rest(r);
		return;
	}
	r->rates = rates;
	static const char *const ratings[] = { "RATING_VERY_GOOD", "RATING_GOOD", "RATING_FAIR", "RATING_BAD",
		                               "RATING_VERY_BAD" };
	ask_page(r->terminal, "POST",
	         answers   ? "/api/v1/receipts/answer"
	         : objects ? "/api/v1/receipts/object"
	         : rates   ? "/api/v1/receipts/rate"
	                   : "/api/v1/receipts/withdraw",
	         json_pack("{s:s,s:s,s:I,s:s,s:b,s:s}", "code", p->code, "request_id", p->request, "version", version,
	                   "text", withdraws || rates ? "" : "示例回答", "is_unwanted", withdraws && draw(2), "rating",
	                   rates ? ratings[draw(5)] : "RATING_NONE"),
	         "resident", asked, r);
}

static struct promise *promise_draw(const struct site *terminal)
{
	size_t mine = 0;
	for (size_t i = 0; i < promise_count; i++)
		mine += promise_list[i].terminal == terminal;
	size_t wanted = mine ? (size_t)draw(mine) : 0;
	for (size_t i = 0; i < promise_count; i++)
		if (promise_list[i].terminal == terminal && wanted-- == 0)
			return &promise_list[i];
	return NULL;
}

static void resident_step(void *context, bool is_alive)
{
	struct resident *r = context;
	(void)is_alive;
	if (is_everybody_leaving)
		return;
	r->is_busy = true;
	bool may_look = world.now_us >= r->looked_us + LOOK_EVERY_US;
	r->subject = may_look && draw(2) ? promise_draw(r->terminal) : NULL;
	if (!r->subject) {
		ask_page(r->terminal, "POST", "/api/v1/drafts", json_object(), "resident", drafted, r);
		return;
	}
	r->looked_us = world.now_us;
	memcpy(r->code, r->subject->code, sizeof r->code);
	ask_page(r->terminal, "POST", "/api/v1/receipts/lookup", json_pack("{s:s}", "code", r->subject->code),
	         "resident", looked_up, r);
}

#define HAND_IN_MS 60000 /* a terminal that has no more room takes nothing */

const struct promise *people_hand_in(struct site *terminal)
{
	size_t before = promise_count;
	for (size_t i = 0; i < resident_count; i++)
		if (residents[i].terminal == terminal && !residents[i].is_busy)
			ask_page(terminal, "POST", "/api/v1/drafts", json_object(), "resident", drafted, &residents[i]);
	uint64_t until_us = world.now_us + HAND_IN_MS * MS;
	while (promise_count == before && world.now_us < until_us && world_step()) {
	}
	return promise_count == before ? NULL : &promise_list[before];
}

/* ---- staff ---- */

static void clerk_step(void *context, bool is_alive);

static void clerk_rest(struct clerk *c)
{
	c->is_busy = false;
	if (!is_everybody_leaving)
		plan(draw_between(200 * MS, world.pace->people_us), NULL, clerk_step, c);
}

static void deed_add(const struct clerk *c)
{
	struct deed *a = NULL;
	for (size_t i = 0; i < deed_count && !a; i++)
		if (deed_list[i].version == c->version + 1 && strcmp(deed_list[i].request, c->request) == 0)
			a = &deed_list[i];
	if (a && !a->is_doubtful)
		fail("%s: version %u of case %s was made twice", c->desk->name, c->version + 1, c->request);
	if (!a && deed_count == DEEDS_MOST)
		fail("more than %d acts", DEEDS_MOST);
	a = a ? a : &deed_list[deed_count++];
	snprintf(a->request, sizeof a->request, "%s", c->request);
	a->version = c->version + 1;
	a->desk = c->desk;
	a->done_us = world.now_us;
	a->is_doubtful = false;
}

static void acted(void *context, int status, json_t *body)
{
	struct clerk *c = context;
	const char *code = error_of(body);
	if (status == 200)
		deed_add(c);
	else if (!is_later(status, body) && strcmp(code, "conflict") != 0 && strcmp(code, "closed") != 0 &&
	         strcmp(code, "denied") != 0)
		refused(c->desk, "an act", body);
	clerk_rest(c);
}

/* Where a town may refer a case to. */
static const char *other_town(const struct site *town)
{
	for (size_t i = 0; i < world.site_count; i++)
		if (world.site[i].tier == LM__TIER__TIER_TOWN && &world.site[i] != town)
			return world.site[i].place;
	return "";
}

static const char *act_draw(const char *state, bool is_handed, bool can_refer)
{
	if (can_refer && draw(8) == 0)
		return "CASE_ACTION_REFER";
	if (draw(is_handed ? 3 : 12) == 0)
		return "CASE_ACTION_HAND_OVER";
	if (strcmp(state, "CASE_STATE_RECEIVED") == 0)
		return "CASE_ACTION_ACCEPT";
	if (strcmp(state, "CASE_STATE_ACCEPTED") == 0 && draw(2))
		return "CASE_ACTION_ASK";
	if (strcmp(state, "CASE_STATE_ASKED") == 0 && draw(4))
		return NULL; /* the resident's turn */
	return "CASE_ACTION_DECIDE";
}

/* A lost receipt: until the new code is known nobody can look, so this one is insisted on. */
static void code_ask(void *context, bool is_alive);

static void code_given(void *context, int status, json_t *body)
{
	struct clerk *c = context;
	struct promise *p = c->lost;
	if (status == 200) {
		memcpy(p->former, p->code, sizeof p->former);
		snprintf(p->code, sizeof p->code, "%s", json_string_value(json_object_get(body, "code")));
		tell("%-24s replaced the code of %s", c->desk->name, p->request);
	} else if (is_later(status, body)) {
		plan(draw_between(100 * MS, world.pace->insist_us), NULL, code_ask, c);
		return;
	} else if (strcmp(error_of(body), "closed") != 0 && strcmp(error_of(body), "absent") != 0) {
		refused(c->desk, "a new code", body);
	}
	p->is_losing = false;
	c->lost = NULL;
	clerk_rest(c);
}

static void code_ask(void *context, bool is_alive)
{
	struct clerk *c = context;
	char path[100];
	(void)is_alive;
	snprintf(path, sizeof path, "/api/v1/cases/%s/code", c->lost->request);
	ask_page(c->desk, "POST", path, json_pack("{s:s,s:s}", "checked", "IDENTITY_CHECK_ID_CARD", "note", "示例"),
	         c->user, code_given, c);
}

/* Once a request, of those of this town's residents. */
static bool code_replace(struct clerk *c, const char *request, const char *place)
{
	if (c->desk->tier != LM__TIER__TIER_TOWN || !place_contains(c->desk->place, place) || draw(20))
		return false;
	for (size_t i = 0; i < promise_count; i++) {
		struct promise *p = &promise_list[i];
		if (strcmp(p->request, request) != 0 || p->former[0] || p->is_losing || p->is_forgotten)
			continue;
		p->is_losing = true;
		c->lost = p;
		code_ask(c, true);
		return true;
	}
	return false;
}

static void queue_seen(void *context, int status, json_t *body)
{
	struct clerk *c = context;
	const json_t *cases = json_object_get(body, "cases");
	size_t count = status == 200 ? json_array_size(cases) : 0;
	const json_t *row = count ? json_array_get(cases, (size_t)draw(count)) : NULL;
	if (row && code_replace(c, json_string_value(json_object_get(row, "request_id")),
	                        json_string_value(json_object_get(row, "place"))))
		return;
	const char *id = row ? json_string_value(json_object_get(row, "request_id")) : "";
	bool is_handed = row && strcmp(json_string_value(json_object_get(row, "handed")), "HANDED_OVER_WAITS") == 0;
	/* Some are accepted by nobody: they go back by themselves. */
	if (is_handed && strchr("01234567", id[strlen(id) - 1])) {
		clerk_rest(c);
		return;
	}
	const char *action = row ? act_draw(json_string_value(json_object_get(row, "state")), is_handed,
	                                    json_is_true(json_object_get(row, "can_refer")))
	                         : NULL;
	if (!action || !json_is_true(json_object_get(row, "is_ours"))) {
		clerk_rest(c);
		return;
	}
	char path[100];
	snprintf(c->request, sizeof c->request, "%s", json_string_value(json_object_get(row, "request_id")));
	c->version = (uint32_t)json_integer_value(json_object_get(row, "version"));
	snprintf(path, sizeof path, "/api/v1/cases/%s/actions", c->request);
	static const char *const outcomes[] = { "OUTCOME_GRANTED", "OUTCOME_PARTLY_GRANTED", "OUTCOME_REFUSED" };
	bool decides = strcmp(action, "CASE_ACTION_DECIDE") == 0, refers = strcmp(action, "CASE_ACTION_REFER") == 0;
	bool is_objected = strcmp(json_string_value(json_object_get(row, "state")), "CASE_STATE_OBJECTED") == 0;
	const char *other = c->desk->tier == LM__TIER__TIER_TOWN ? "clerk2" : "operator2"; /* than who decided */
	ask_page(c->desk, "POST", path,
	         json_pack("{s:s,s:i,s:s,s:s,s:s,s:s,s:s,s:s}", "action", action, "version", (int)c->version, "outcome",
	                   decides ? outcomes[draw(3)] : "OUTCOME_NONE", "text", "示例", "note", "示例", "ground",
	                   "示例", "remedy", "示例", "town", refers ? other_town(c->desk) : ""),
	         is_objected ? other : c->user, acted, c);
}

static void clerk_step(void *context, bool is_alive)
{
	struct clerk *c = context;
	(void)is_alive;
	if (is_everybody_leaving)
		return;
	c->is_busy = true;
	ask_page(c->desk, "GET", "/api/v1/cases?view=open&limit=40", NULL, c->user, queue_seen, c);
}

/* ---- disks that are put back ---- */

/* What was saved after the image, and of which no page said that it was at the town, may have been on that disk alone.
 * The machine has not heard yet how far the rest has come. */
void people_hear_of_rollback(const struct site *s, uint64_t image_us)
{
	for (size_t i = 0; i < promise_count; i++) {
		struct promise *p = &promise_list[i];
		if (p->terminal != s)
			continue;
		if (p->saved_us >= image_us && !p->is_forgotten) {
			p->is_forgotten = true;
			p->is_doubtful = !p->was_town;
		}
		p->was_town = p->was_district = p->is_rated = false;
	}
}

static void pages_close(const struct site *s)
{
	for (size_t i = 0; i < resident_count; i++)
		if (residents[i].terminal == s) {
			json_decref(residents[i].command);
			residents[i].command = NULL;
		}
}

/* The page went with the disk: who was not told that it is saved begins anew. */
void people_hear_of_wipe(const struct site *s)
{
	people_hear_of_rollback(s, 0);
	pages_close(s);
}

/* What the closed machine had saved is nowhere doubtful: it was tried again, and is found at the town. */
void people_hear_of_end(const struct site *closed, const struct site *second, struct site *first)
{
	pages_close(closed);
	for (size_t i = 0; i < promise_count; i++) {
		struct promise *p = &promise_list[i];
		if (p->terminal != first && p->terminal != second)
			continue;
		p->is_forgotten |= p->terminal == closed;
		p->was_town = p->was_district = p->is_rated = false;
		p->terminal = first;
	}
	for (size_t i = 0; i < resident_count; i++)
		if (residents[i].terminal == second)
			residents[i].terminal = first;
}

/* What the district said after its backup is lost with it where no town had heard of it. */
void people_hear_of_restore(uint64_t backup_us)
{
	for (size_t i = 0; i < deed_count; i++)
		deed_list[i].is_doubtful |= deed_list[i].desk == site_hub() && deed_list[i].done_us >= backup_us;
}

/* ---- coming and going ---- */

void people_arrive_at(struct site *terminal)
{
	struct resident *r = &residents[resident_count++];
	*r = (struct resident){ .terminal = terminal };
	resident_rest(r);
}

void people_arrive(void)
{
	is_everybody_leaving = false;
	for (size_t i = 0; i < world.site_count; i++) {
		struct site *s = &world.site[i];
		if (s->tier == LM__TIER__TIER_TERMINAL) {
			people_arrive_at(s);
		} else {
			clerks[clerk_count] =
			        (struct clerk){ .desk = s,
				                .user = s->tier == LM__TIER__TIER_TOWN ? "clerk1" : "operator1" };
			clerk_rest(&clerks[clerk_count++]);
		}
	}
	if (!world.images) /* erasing changes key files, of which an image has those of its beginning */
		officers_arrive();
	registrars_arrive();
	certifiers_arrive();
	authors_arrive();
	runners_arrive();
}

void people_leave(void)
{
	is_everybody_leaving = true;
	officers_leave();
	registrars_leave();
	certifiers_leave();
	authors_leave();
	runners_leave();
}

size_t people_waiting(void)
{
	size_t waiting = officers_waiting() + registrars_waiting() + certifiers_waiting() + authors_waiting() +
	                 runners_waiting();
	for (size_t i = 0; i < resident_count; i++)
		waiting += residents[i].is_busy;
	for (size_t i = 0; i < clerk_count; i++)
		waiting += clerks[i].is_busy;
	return waiting;
}

void people_reset(void)
{
	for (size_t i = 0; i < resident_count; i++)
		json_decref(residents[i].command);
	memset(residents, 0, sizeof residents);
	memset(clerks, 0, sizeof clerks);
	resident_count = clerk_count = promise_count = deed_count = 0;
	officers_reset();
	registrars_reset();
	certifiers_reset();
	authors_reset();
	runners_reset();
}

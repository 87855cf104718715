/* What must hold, seen from outside: over the same paths as pages and lmctl, compared by what was promised. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "sim.h"

#define PAGE 500
#define SEEN_MOST (1u << 19)
#define MEMORY_MOST (64u * 1024 * 1024) /* of one daemon */
#define REVOKED_MOST MINUTES

static json_int_t number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_string(value) ? strtoll(json_string_value(value), NULL, 10) : json_integer_value(value);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

/* ---- quiet ---- */

/* Whoever starts anew has not heard of all its neighbours yet: those are no direct links, and may lack something. */
static bool is_link_quiet(const struct site *s, const json_t *link)
{
	const char *below = s->tier == LM__TIER__TIER_DISTRICT ? "TIER_TOWN" : "TIER_TERMINAL";
	if (strcmp(text_of(link, "tier"), below) != 0 || json_is_true(json_object_get(link, "is_revoked")))
		return true;
	return json_is_true(json_object_get(link, "is_direct")) && json_is_true(json_object_get(link, "is_up")) &&
	       number_of(link, "waiting_down") == 0 && number_of(link, "waiting_up") == 0;
}

static char restless[200]; /* why it was not quiet, the last time somebody looked */

const char *who_is_restless(void)
{
	return restless;
}

static bool is_site_quiet(struct site *s)
{
	if (!s->node || s->is_dying)
		return false;
	json_t *status = ask_if_alive(s, "GET", "/ctl/v1/status", NULL);
	if (!status)
		return false; /* it starts anew with other keys */
	const json_t *upstream = json_object_get(json_object_get(status, "links"), "upstream");
	bool is_linked = !s->above || json_is_true(json_object_get(upstream, "is_up"));
	bool is_drained = number_of(status, "unsent") == 0 && number_of(status, "held") == 0 &&
	                  !json_is_true(json_object_get(status, "is_changing_keys")) && !is_returning(s);
	size_t i;
	json_t *link;
	json_array_foreach(json_object_get(json_object_get(status, "links"), "links"), i, link) is_drained &=
	        is_link_quiet(s, link);
	if (!is_linked || !is_drained)
		snprintf(restless, sizeof restless, "%s: unsent %lld, held %lld%s", s->name,
		         (long long)number_of(status, "unsent"), (long long)number_of(status, "held"),
		         is_linked ? "" : ", its link is down");
	json_decref(status);
	return is_linked && is_drained;
}

void waiting_tell(struct site *s, FILE *to)
{
	lanes_tell(s, to);
	json_t *view = s->node ? ask_if_alive(s, "GET", "/ctl/v1/quarantine?limit=100", NULL) : NULL, *item;
	size_t i;
	json_array_foreach(json_object_get(view, "items"), i, item)
	{
		fprintf(to, "  %s: %s, %s of request %s: %s\n", s->name, text_of(item, "disposition"),
		        text_of(item, "kind"), text_of(item, "request_id"), text_of(item, "reason"));
	}
	json_decref(view);
}

bool is_quiet(void)
{
	snprintf(restless, sizeof restless, "there are two machines with one key");
	if (twins_waiting())
		return false;
	snprintf(restless, sizeof restless, "somebody asks for other keys");
	if (strikes_waiting())
		return false;
	for (size_t i = 0; i < world.site_count; i++)
		if (!is_site_quiet(&world.site[i]))
			return false;
	snprintf(restless, sizeof restless, "%zu people wait for an answer", people_waiting());
	return people_waiting() == 0;
}

/* ---- the tape: at most once each, in order ---- */

struct seen {
	char key[80];
	uint64_t seq;
};

static void seen_read(const json_t *header, struct seen *out)
{
	memset(out, 0, sizeof *out);
	snprintf(out->key, sizeof out->key, "%s/%s/%s/%s", text_of(header, "origin"), text_of(header, "incarnation"),
	         text_of(header, "stream"), text_of(header, "receiver"));
	out->seq = (uint64_t)number_of(header, "seq");
}

static int seen_compare(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int order = strcmp(x->key, y->key);
	return order ? order : (x->seq > y->seq) - (x->seq < y->seq);
}

#define RETRIED_MOST 256

struct tape {
	struct seen *seen;
	size_t count;
	size_t requests;                  /* applied */
	json_int_t held_up[RETRIED_MOST]; /* requests that were not applied where they stand */
	size_t held_up_count;
};

static bool is_applied(const char *disposition)
{
	return strcmp(disposition, "DISPOSITION_APPLIED") == 0 || strcmp(disposition, "DISPOSITION_ERASED") == 0;
}

/* What was tried again is applied at a position of its own, which names the first. */
static bool is_request_retried(const struct tape *tape, json_int_t first)
{
	for (size_t i = 0; i < tape->held_up_count; i++)
		if (tape->held_up[i] == first)
			return true;
	return false;
}

static void tape_item(struct site *s, struct tape *tape, const json_t *item)
{
	const json_t *header = json_object_get(item, "header");
	bool is_request = header && strcmp(text_of(header, "kind"), "KIND_REQUEST") == 0 &&
	                  strcmp(text_of(header, "stream"), "STREAM_UP") == 0;
	if (strcmp(text_of(item, "disposition"), "DISPOSITION_RETRIED") == 0)
		tape->requests += is_request_retried(tape, number_of(item, "retry_of"));
	if (!header)
		return;
	if (!is_applied(text_of(item, "disposition"))) {
		if (is_request && tape->held_up_count < RETRIED_MOST)
			tape->held_up[tape->held_up_count++] = number_of(item, "position");
		return;
	}
	if (tape->count == SEEN_MOST)
		fail("%s: more than %u entries", s->name, SEEN_MOST);
	seen_read(header, &tape->seen[tape->count++]);
	tape->requests += is_request;
}

/* ---- on the way: what each tape has got since the last look, in order and nothing twice ---- */

#define LINES_MOST 16384 /* of one tape: each start of a neighbour begins new ones */

static struct {
	json_int_t next;
	struct seen *line; /* the newest of each, found by a hash of its key */
} watched[SITES_MOST];

void check_begin(void)
{
	for (size_t i = 0; i < SITES_MOST; i++) {
		watched[i].next = 1;
		free(watched[i].line);
		watched[i].line = calloc(LINES_MOST, sizeof(struct seen));
		if (!watched[i].line)
			abort();
	}
}

void check_forget(const struct site *s)
{
	watched[s - world.site].next = 1;
	memset(watched[s - world.site].line, 0, LINES_MOST * sizeof(struct seen));
}

static struct seen *line_find(struct seen *lines, const char *key)
{
	uint32_t at = 2166136261u;
	for (const char *p = key; *p; p++)
		at = (at ^ (uint8_t)*p) * 16777619u;
	for (size_t tries = 0; tries < LINES_MOST; tries++, at++) {
		struct seen *line = &lines[at % LINES_MOST];
		if (!line->key[0])
			memcpy(line->key, key, sizeof line->key);
		if (strcmp(line->key, key) == 0)
			return line;
	}
	fail("more than %d lines on one tape", LINES_MOST);
}

static void item_watch(const struct site *s, struct seen *lines, const json_t *item)
{
	struct seen seen;
	const json_t *header = json_object_get(item, "header");
	if (!header || strcmp(text_of(item, "disposition"), "DISPOSITION_APPLIED") != 0)
		return;
	seen_read(header, &seen);
	struct seen *line = line_find(lines, seen.key);
	if (seen.seq <= line->seq)
		fail("%s applied entry %llu of %s after %llu", s->name, (unsigned long long)seen.seq, seen.key,
		     (unsigned long long)line->seq);
	line->seq = seen.seq;
}

static void tape_watch(struct site *s)
{
	json_int_t *next = &watched[s - world.site].next, before = 0;
	while (*next != before) {
		char path[80];
		size_t i;
		json_t *item;
		snprintf(path, sizeof path, "/ctl/v1/journal?from=%lld&count=%d", (long long)*next, PAGE);
		json_t *page = ask_if_alive(s, "GET", path, NULL);
		if (!page)
			return; /* it is dead, or dies now: another time */
		json_array_foreach(json_object_get(page, "items"), i, item)
		{
			item_watch(s, watched[s - world.site].line, item);
		}
		before = *next;
		*next = number_of(page, "next");
		json_decref(page);
	}
}

/* What a terminal takes as signed by the district is there, whatever its town says. Where the hub is dead, or lacks
 * what its towns give back, nobody asks. */
static void signed_check(const struct site *s)
{
	const struct site *hub = site_hub();
	struct store_txn *here, *there;
	uint64_t incarnation, seq, ordinal;
	bool is_exact = false;
	if (s->tier != LM__TIER__TIER_TERMINAL || !s->node || s->is_dying || !hub->node || hub->is_dying ||
	    is_returning(hub))
		return;
	struct line_key up = { node_domain(s->node)->device, LM__STREAM__STREAM_UP, 0 };
	const struct line *l = journal_line_find(node_journal(s->node), &up);
	const struct line *at_hub = journal_line_find(node_journal(hub->node), &up);
	if (!l || !l->signed_final)
		return;
	if (store_begin_read(node_store(s->node), &here, NULL))
		return; /* no memory */
	int result = journal_coordinates(here, l->number, l->signed_final, &incarnation, &seq);
	store_abort(here);
	if (result || store_begin_read(node_store(hub->node), &there, NULL))
		return;
	result = at_hub ? journal_locate(there, at_hub->number, incarnation, seq, &ordinal, &is_exact) : ERR_NOT_FOUND;
	store_abort(there);
	if (result == ERR_NOT_FOUND || (!result && !is_exact))
		fail("%s takes entry %llu of %016llx as signed, and the district has it not", s->name,
		     (unsigned long long)seq, (unsigned long long)incarnation);
}

void check_on_the_way(void)
{
	for (size_t i = 0; i < world.site_count; i++)
		signed_check(&world.site[i]);
	for (size_t i = 0; i < world.site_count; i++)
		tape_watch(&world.site[i]);
}

/* ---- at the end: the whole of each tape ---- */

static void tape_check(struct site *s, size_t promised)
{
	struct tape tape = { .seen = malloc(SEEN_MOST * sizeof(struct seen)) };
	json_int_t next = 1, before = 0;
	if (!tape.seen)
		abort();
	while (next != before) {
		char path[80];
		snprintf(path, sizeof path, "/ctl/v1/journal?from=%lld&count=%d", (long long)next, PAGE);
		json_t *page = ask_now(s, "GET", path, NULL);
		size_t i;
		json_t *item;
		json_array_foreach(json_object_get(page, "items"), i, item)
		{
			tape_item(s, &tape, item);
		}
		before = next;
		next = number_of(page, "next");
		json_decref(page);
	}
	qsort(tape.seen, tape.count, sizeof *tape.seen, seen_compare);
	for (size_t i = 1; i < tape.count; i++)
		if (seen_compare(&tape.seen[i - 1], &tape.seen[i]) == 0)
			fail("%s applied entry %llu of %s twice", s->name, (unsigned long long)tape.seen[i].seq,
			     tape.seen[i].key);
	if (s == site_hub() && tape.requests < promised)
		fail("%s applied %zu requests; %zu were promised", s->name, tape.requests, promised);
	free(tape.seen);
}

/* ---- each promise ---- */

static json_t *case_at(struct site *s, const char *request)
{
	char path[100];
	snprintf(path, sizeof path, "/api/v1/cases/%s", request);
	return ask_now(s, "GET", path, NULL);
}

static void case_compare(const struct promise *p, const json_t *here, const json_t *there)
{
	static const char *const keys[] = { "state", "outcome", "owner", "handed", "referred_to" };
	const json_t *a = json_object_get(here, "row"), *b = json_object_get(there, "row");
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(text_of(a, keys[i]), text_of(b, keys[i])) != 0)
			fail("case %s: the town says %s %s, the district %s", p->request, keys[i], text_of(a, keys[i]),
			     text_of(b, keys[i]));
	if (strcmp(text_of(here, "rating"), text_of(there, "rating")) != 0)
		fail("case %s: the town says %s, the district %s", p->request, text_of(here, "rating"),
		     text_of(there, "rating"));
	if (number_of(a, "version") != number_of(b, "version"))
		fail("case %s: version %lld at the town, %lld at the district", p->request,
		     (long long)number_of(a, "version"), (long long)number_of(b, "version"));
}

static size_t referrals; /* that were looked at */

static bool says_erased(const json_t *view)
{
	return json_is_true(json_object_get(json_object_get(view, "erasure"), "is_done"));
}

/* What the district erased just before its disk was lost, and told nobody, is erased nowhere else; it has destroyed its
 * own key to it, in its backup too. */
static void erasings_settle(void)
{
	const struct promise *p;
	size_t promised = promises(&p);
	for (size_t i = 0; i < promised; i++) {
		if (!is_erasing_doubtful(p[i].request))
			continue;
		json_t *at_town = case_at(p[i].terminal->above, p[i].request);
		if (!says_erased(at_town))
			erasing_lose(p[i].request);
		json_decref(at_town);
	}
}

/* Absent where it was erased, and nowhere else. */
static void absence_check(const struct promise *p, const json_t *view, const struct site *s)
{
	bool is_absent = json_is_true(json_object_get(json_object_get(view, "row"), "is_absent"));
	bool is_said = says_erased(view);
	if (s == site_hub() && is_erasing_lost(p->request) && !is_said)
		return;
	if (is_absent != is_erased(p->request) || is_said != is_absent)
		fail("%s: %s is%s erased, and its page says otherwise", s->name, p->request, is_absent ? " not" : "");
}

/* The terminal has nothing of it any more, and asks its town: a question that may get lost. */
static void erased_receipt_check(const struct promise *p)
{
	json_t *view = NULL;
	for (int tries = 0; !view && tries < 20; tries++) {
		world_run_until(world.now_us + 6 * SECONDS);
		view = ask_if_alive(p->terminal, "POST", "/api/v1/receipts/lookup",
		                    json_pack("{s:s}", "code", p->code));
	}
	const json_t *receipt = json_array_get(json_object_get(view, "receipts"), 0);
	bool may_show_nothing = fault_is_about(FAULT_PUT_BACK); /* people.c says why */
	if (!receipt && may_show_nothing) {
		json_decref(view);
		return;
	}
	if (!number_of(receipt, "erased_ms") || json_array_size(json_object_get(receipt, "statuses")))
		fail("%s: %s was erased, and its receipt says %s", p->terminal->name, p->request,
		     json_dumps(view, JSON_COMPACT));
	json_decref(view);
}

/* A receipt whose lock has gone is asked for at the town, and of a link that nobody uses it may take a while to learn
 * that it is dead. */
static json_t *receipt_ask(const struct promise *p)
{
	json_t *view = NULL;
	for (uint64_t end = world.now_us + world.pace->drain_most_us; !view;) {
		if (world.now_us > end)
			fail("%s: the code of %s cannot be looked up", p->terminal->name, p->request);
		world_run_until(world.now_us + 6 * SECONDS); /* twelve codes a minute */
		view = ask_if_alive(p->terminal, "POST", "/api/v1/receipts/lookup",
		                    json_pack("{s:s}", "code", p->code));
		if (!view)
			world_run_until(world.now_us + (uint64_t)world.pace->beat_s * SECONDS / 2);
	}
	return view;
}

/* The code before opens nothing, and the town says since when. */
static void former_code_check(const struct promise *p)
{
	struct promise former = *p;
	memcpy(former.code, p->former, sizeof former.code);
	json_t *view = receipt_ask(&former);
	if (json_array_size(json_object_get(view, "receipts")) || !number_of(view, "replaced_ms"))
		fail("%s: the code of %s was replaced, and the one before says %s", p->terminal->name, p->request,
		     json_dumps(view, JSON_COMPACT));
	json_decref(view);
}

static bool has_rating(const json_t *events)
{
	for (size_t i = 0; i < json_array_size(events); i++)
		if (strcmp(text_of(json_array_get(events, i), "action"), "CASE_ACTION_RATE") == 0)
			return true;
	return false;
}

static void receipt_check(const struct promise *p, const json_t *of_case)
{
	if (is_erased(p->request)) {
		erased_receipt_check(p);
		return;
	}
	if (p->former[0])
		former_code_check(p);
	json_t *view = receipt_ask(p);
	const json_t *receipts = json_object_get(view, "receipts"), *receipt = NULL, *events;
	for (size_t i = 0; i < json_array_size(receipts); i++)
		if (strcmp(text_of(json_array_get(receipts, i), "request_id"), p->request) == 0)
			receipt = json_array_get(receipts, i);
	if (!receipt)
		fail("%s: the code of %s shows nothing", p->terminal->name, p->request);
	const json_t *marks = json_object_get(receipt, "marks"), *statuses = json_object_get(receipt, "statuses");
	if (!json_is_true(json_object_get(marks, "town")) || !json_is_true(json_object_get(marks, "district")))
		fail("%s: request %s is everywhere, and its receipt does not say so", p->terminal->name, p->request);
	events = json_object_get(of_case, "events");
	if (p->is_rated && !has_rating(events))
		fail("%s: %s was rated, and nobody knows", p->terminal->name, p->request);
	if (json_array_size(events) != json_array_size(statuses))
		fail("%s: the receipt of %s shows %zu messages, its case has %zu events", p->terminal->name, p->request,
		     json_array_size(statuses), json_array_size(events));
	for (size_t i = 0; i < json_array_size(events); i++) {
		const json_t *event = json_array_get(events, i), *status = json_array_get(statuses, i);
		if (number_of(event, "version") != number_of(status, "version") ||
		    strcmp(text_of(event, "action"), text_of(status, "action")) != 0 ||
		    strcmp(text_of(event, "outcome"), text_of(status, "outcome")) != 0 ||
		    strcmp(text_of(event, "rating"), text_of(status, "rating")) != 0)
			fail("%s: message %zu of %s is not what the case says", p->terminal->name, i, p->request);
	}
	json_decref(view);
}

/* It was on one disk only, and that one was put back. */
static bool is_lost(const struct promise *p)
{
	char path[100];
	snprintf(path, sizeof path, "/api/v1/cases/%s", p->request);
	return p->is_doubtful && !is_there(p->terminal->above, path) && !is_there(site_hub(), path);
}

static bool says_ours(const json_t *view)
{
	return json_is_true(json_object_get(json_object_get(view, "row"), "is_ours"));
}

/* At towns that it was referred to: the one that has it knows what the district knows, and one alone has it. */
static void referral_check(const struct promise *p, const json_t *at_town, const json_t *at_hub)
{
	int owners = says_ours(at_town) + says_ours(at_hub);
	char path[100];
	snprintf(path, sizeof path, "/api/v1/cases/%s", p->request);
	for (size_t i = 0; i < world.site_count; i++) {
		struct site *s = &world.site[i];
		bool has_it = strcmp(s->place, text_of(json_object_get(at_hub, "row"), "referred_to")) == 0;
		if (s->tier != LM__TIER__TIER_TOWN || s == p->terminal->above || (!has_it && !is_there(s, path)))
			continue;
		json_t *view = case_at(s, p->request);
		owners += says_ours(view);
		absence_check(p, view, s);
		if (has_it)
			case_compare(p, view, at_hub);
		if (has_it && json_array_size(json_object_get(view, "events")) !=
		                      json_array_size(json_object_get(at_hub, "events")))
			fail("%s: case %s was referred, and lacks events", s->name, p->request);
		referrals++;
		json_decref(view);
	}
	if (owners != 1)
		fail("case %s has %d owners", p->request, owners);
}

static void promise_check(const struct promise *p)
{
	json_t *at_town = case_at(p->terminal->above, p->request), *at_hub = case_at(site_hub(), p->request);
	case_compare(p, at_town, at_hub);
	absence_check(p, at_town, p->terminal->above);
	absence_check(p, at_hub, site_hub());
	paper_check(p->terminal->above, p, at_town);
	paper_check(site_hub(), p, at_hub);
	referral_check(p, at_town, at_hub);
	if (!is_erasing_lost(p->request)) /* the district cannot pass on any more what it had said */
		receipt_check(p, at_town);
	json_decref(at_town);
	json_decref(at_hub);
}

static void deed_check(const struct deed *a)
{
	json_t *view = case_at(site_hub(), a->request);
	if (!a->is_doubtful && number_of(json_object_get(view, "row"), "version") < a->version)
		fail("case %s: version %u was called done, and the district has %lld", a->request, a->version,
		     (long long)number_of(json_object_get(view, "row"), "version"));
	json_decref(view);
}

/* ---- each store ---- */

static void store_check(struct site *s)
{
	json_t *status = ask_now(s, "GET", "/ctl/v1/status", NULL);
	if (number_of(status, "quarantined"))
		fail("%s has %lld entries in quarantine", s->name, (long long)number_of(status, "quarantined"));
	json_decref(status);
	json_t *verify = ask_now(s, "GET", "/ctl/v1/verify", NULL);
	if (!json_is_true(json_object_get(verify, "is_good")))
		fail("%s: %s", s->name, text_of(verify, "text"));
	json_decref(verify);
}

/* Open (docs/TESTING.md): who answers at another machine than the one where the request was handed in, as here after a
 * wipe, leaves a key there, which the terminal itself cannot use, and of which an erasing does not know. */
static bool is_answered_elsewhere(const struct site *s, const char *request)
{
	const struct promise *p;
	size_t promised = promises(&p);
	for (size_t i = 0; i < promised && fault_is_about(FAULT_WIPE); i++)
		if (p[i].terminal == s && p[i].is_forgotten && strcmp(p[i].request, request) == 0)
			return true;
	return false;
}

/* No key of an erased request is left, and no second key of a key table. */
static void keys_check(struct site *s)
{
	struct closed_node node;
	struct store_txn *txn;
	struct store_cursor *c;
	struct bytes key;
	struct error e = { 0 };
	char path[300], request[33] = "";
	snprintf(path, sizeof path, "%s/keytable.key.next", s->folder);
	if (file_exists(path))
		fail("%s: the key table was not sealed anew to the end", s->name);
	if (closed_node_open(s->folder, true, &node, &e) || store_begin_read(node.store, &txn, &e))
		fail("%s cannot be opened: %s", s->name, e.text);
	int result = store_cursor_open(txn, &journal_table_envelope, &c);
	for (result = result ? result : store_cursor_first(c, NULL, &key, NULL); !result;
	     result = store_cursor_next(c, NULL, &key, NULL)) {
		hex_encode(BYTES(key.data, 16), request);
		if (is_erased(request) && !is_answered_elsewhere(s, request))
			fail("%s has a key of %s, which was erased", s->name, request);
	}
	store_cursor_close(c);
	store_abort(txn);
	closed_node_close(&node);
}

static void rebuild_check(struct site *s)
{
	struct rebuild_result result;
	struct error e = { 0 };
	if (node_rebuild(s->folder, false, &result, &e))
		fail("%s cannot be rebuilt: %s", s->name, e.text);
	if (memcmp(&result.live, &result.rebuilt, sizeof result.live) != 0)
		fail("%s: a replay of its tape gives another state", s->name);
}

/* ---- what is in clear, and how much memory it takes ---- */

static void secrecy_check(const struct site *s)
{
	if (disk_holds(s, CANARY))
		fail("%s has what a resident wrote in clear on its disk", s->name);
}

static void memory_check(void)
{
	struct mallinfo2 of = mallinfo2();
	size_t used = of.uordblks + of.hblkhd;
	if (used > world.site_count * MEMORY_MOST)
		fail("%zu daemons use %zu bytes of memory", world.site_count, used);
}

/* ---- a device that is revoked is refused, within a minute ---- */

static struct site *terminal_draw(void)
{
	struct site *s;
	do
		s = &world.site[draw(world.site_count)];
	while (s->tier != LM__TIER__TIER_TERMINAL);
	return s;
}

static void revocation_check(void)
{
	struct site *s = terminal_draw();
	json_decref(ask_now(site_hub(), "POST", "/ctl/v1/revoke",
	                    json_pack("{s:s,s:s,s:s}", "device", s->place, "reason", "示例", "by", "sim")));
	world_run_until(world.now_us + REVOKED_MOST);
	json_t *state = ask_now(s, "GET", "/api/v1/state", NULL);
	if (strcmp(text_of(state, "why_code"), "revoked") != 0)
		fail("%s was revoked %llu s ago and still takes requests", s->name,
		     (unsigned long long)(REVOKED_MOST / SECONDS));
	json_decref(state);
}

void check_all(void)
{
	const struct promise *promise;
	const struct deed *act;
	size_t promised = promises(&promise), done = deeds(&act), lost = 0;
	erasings_settle();
	for (size_t i = 0; i < promised; i++)
		if (is_lost(&promise[i]))
			lost++;
		else
			promise_check(&promise[i]);
	for (size_t i = 0; i < done; i++)
		deed_check(&act[i]);
	tell("%zu cases were referred to another town", referrals);
	tell("%zu files that came in parts were looked at, all of them whole", papers_whole());
	registrars_check();
	authors_check();
	runners_check();
	for (size_t i = 0; i < world.site_count; i++) {
		tape_check(&world.site[i], promised - lost);
		store_check(&world.site[i]);
		secrecy_check(&world.site[i]);
	}
	memory_check();
	poison_check();
	revocation_check();
	for (size_t i = 0; i < world.site_count; i++) {
		site_kill(&world.site[i], draw(2) == 0);
		site_bury_if_dead(&world.site[i]);
		keys_check(&world.site[i]);
		rebuild_check(&world.site[i]);
	}
}

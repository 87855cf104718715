/*
 * Texts that answers begin with: what the district publishes names only places that a case can fill, every tier takes
 * it, and a desk's own stay free.
 */
#include "fixture.h"

#include "domain/publication.h"
#include "domain/work.h"
#include "proto/json.h"

#define FAULTS_SEEN 8
#define TEXT_MOST 2048

static const char good[] = "{ \"id\": \"ask-paper\", \"action\": \"CASE_ACTION_ASK\",\n"
                           "\"name\": { \"zh\": \"补材料\", \"en\": \"A paper\" },\n"
                           "\"plain\": { \"zh\": \"请在{due}前带来。\", \"en\": \"Please bring it by {due}.\" },\n"
                           "\"easy\": { \"zh\": \"请带来。\", \"en\": \"Bring it.\" } }\n";

static Lm__Template *wording_read(struct node *n, const char *text)
{
	Lm__Template *w;
	assert_ok(n, JSON_DECODE(lm__template, bytes_from_text(text), &n->arena, &w, &n->e));
	return w;
}

static const struct {
	const char *part, *change, *fault;
} wrong[] = {
	{ "\"id\": \"ask-paper\"", "\"id\": \"Ask paper\"", "id: " },
	{ "\"id\": \"ask-paper\"", "\"id\": \"a\", \"service\": \"A b\"", "service: " },
	{ "\"CASE_ACTION_ASK\"", "\"CASE_ACTION_NONE\"", "action: " },
	{ "\"CASE_ACTION_ASK\"", "\"CASE_ACTION_DECIDE\"", "outcome: " },
	{ "\"CASE_ACTION_ASK\"", "\"CASE_ACTION_ASK\", \"outcome\": \"OUTCOME_GRANTED\"", "outcome: " },
	{ "\"zh\": \"补材料\"", "\"zh\": \"\"", "name.zh: a Chinese text is missing" },
	{ "\"en\": \"Bring it.\"", "\"en\": \"\"", "easy.en: an English text is missing" },
	{ "by {due}", "by {dew}", "plain.en: there is no place '{dew}'" },
	{ "by {due}", "by {due", "plain.en: there is no place '{due" },
	{ "by {due}", "{一一一一一一一一}",
	  "plain.en: there is no place '{一一一一一一'" },                     /* cut between characters */
	{ "by {due}", "{outcome}", "plain.en: there is no place '{outcome}" }, /* of an event that is not there yet */
};

static void test_one_change_one_fault(void **state)
{
	(void)state;
	struct node n;
	struct service_fault faults[FAULTS_SEEN];
	node_open(&n, &devices[HUB]);
	assert_int_equal(collection_wording.check(&wording_read(&n, good)->base, faults, FAULTS_SEEN), 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char text[TEXT_MOST];
		const char *at = strstr(good, wrong[i].part);
		assert_non_null(at);
		snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, wrong[i].change,
		         at + strlen(wrong[i].part));
		size_t count = collection_wording.check(&wording_read(&n, text)->base, faults, FAULTS_SEEN);
		if (count != 1 || strncmp(faults[0].text, wrong[i].fault, strlen(wrong[i].fault)) != 0)
			fail_msg("%s: %zu faults, \"%s\"", wrong[i].change, count, count ? faults[0].text : "");
	}
	Lm__Template *w = wording_read(&n, good);
	char long_text[WORK_TEXT_BYTES_MOST + 2];
	memset(long_text, 'a', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	w->plain->en = long_text;
	assert_int_equal(collection_wording.check(&w->base, faults, FAULTS_SEEN), 1);
	assert_string_equal(faults[0].text, "plain.en: at most 4000 bytes");
	node_close(&n);
}

static void test_every_tier_takes_what_the_district_publishes(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct node n;
		ProtobufCMessage *found;
		static char by[] = "publisher1";
		node_open(&n, &devices[(int[]){ HUB, TOWN_A, T1 }[i]]);
		node_directory(&n);
		Lm__Template *w = wording_read(&n, good);
		Lm__Header h = entry_make(HUB, ALL, KIND(WORDING));
		w->published_by = by;
		assert_refused(&n, ERR_INVALID, node_apply_message(&n, &h, &w->base)); /* no revision */
		w->revision = 1;
		h = entry_make(HUB, ALL, KIND(WORDING));
		assert_ok(&n, node_apply_message(&n, &h, &w->base));
		assert_ok(&n, content_get(n.txn, &collection_wording, "ask-paper", 0, &n.arena, &found));
		assert_int_equal(content_revision(&collection_wording, found), 1);
		w->revision = 2;
		h = entry_make(TOWN_B, ALL, KIND(WORDING));
		assert_refused(&n, ERR_DENIED, node_apply_message(&n, &h, &w->base));
		node_close(&n);
	}
}

/* Somebody at a desk keeps a text of his own: it says nothing of places, and never that it is the district's. */
static void test_a_desk_keeps_its_own(void **state)
{
	(void)state;
	struct node n;
	static char by[] = "clerk1";
	Lm__DeskPayload p = LM__DESK_PAYLOAD__INIT;
	node_open(&n, &devices[TOWN_A]);
	p.act = LM__DESK_ACT__DESK_ACT_KEEP_TEMPLATE;
	p.by = by;
	p.wording = wording_read(&n, good);
	static char braces[] = "{whatever}";
	p.wording->plain->en = braces;
	assert_ok(&n, desk_payload_check(&p, &n.e));
	p.wording->revision = 1;
	assert_refused(&n, ERR_INVALID, desk_payload_check(&p, &n.e));
	p.wording->revision = 0;
	p.wording->is_withdrawn = true;
	assert_refused(&n, ERR_INVALID, desk_payload_check(&p, &n.e));
	p.wording->is_withdrawn = false;
	static char none[] = "";
	p.wording->easy->zh = none;
	assert_refused(&n, ERR_INVALID, desk_payload_check(&p, &n.e));
	assert_string_equal(n.e.text, "easy.zh: a Chinese text is missing");
	node_close(&n);
}

static int setup(void **state)
{
	(void)state;
	devices_make();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_change_one_fault),
		cmocka_unit_test(test_every_tier_takes_what_the_district_publishes),
		cmocka_unit_test(test_a_desk_keeps_its_own),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}

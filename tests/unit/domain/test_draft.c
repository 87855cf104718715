/* Drafts: who may save, who may publish, over what; and every refusal with its sentence. */
#include "fixture.h"

#include "domain/publication.h"

#define STEP(name) LM__DRAFT_ACTION__DRAFT_ACTION_##name

static const struct collection *catalogue(void)
{
	return collection_of(LM__COLLECTION__COLLECTION_CATALOGUE);
}

/* A service whose easy sentence is `zh`, packed as a draft holds it. */
static struct bytes content_of(struct node *n, const char *id, const char *zh)
{
	struct service_parts parts;
	struct bytes packed;
	Lm__Service *s = service_make_told(&parts, id, 0, TOWN);
	s->easy->zh = (char *)(uintptr_t)zh;
	assert_ok(n, content_pack(catalogue(), &s->base, &n->arena, &packed, &n->e));
	return packed;
}

static Lm__DraftPayload step_of(Lm__DraftAction action, uint32_t version, const char *by)
{
	Lm__DraftPayload step = LM__DRAFT_PAYLOAD__INIT;
	step.action = action;
	step.collection = LM__COLLECTION__COLLECTION_CATALOGUE;
	step.key = "home";
	step.version = version;
	step.by = (char *)(uintptr_t)by;
	return step;
}

static int node_step(struct node *n, const Lm__DraftPayload *step)
{
	Lm__Header h = entry_make(HUB, OWN, KIND(DRAFT));
	return node_apply_message(n, &h, &step->base);
}

static int node_save(struct node *n, uint32_t version, uint32_t based_on, const char *zh, const char *by)
{
	Lm__DraftPayload step = step_of(STEP(SAVE), version, by);
	step.based_on = based_on;
	step.content = codec_data(content_of(n, "home", zh));
	return node_step(n, &step);
}

static int node_end(struct node *n, Lm__DraftAction action, uint32_t version, const char *by)
{
	Lm__DraftPayload step = step_of(action, version, by);
	return node_step(n, &step);
}

/* What a hub appends to `all` when a draft is published. */
static int node_publish_text(struct node *n, uint32_t revision, const char *zh, char *drafted_by, char *published_by)
{
	struct service_parts parts;
	Lm__Header h = entry_make(HUB, ALL, KIND(SERVICE));
	Lm__Service *s = service_make_told(&parts, "home", revision, TOWN);
	s->easy->zh = (char *)(uintptr_t)zh;
	s->published_by = published_by;
	s->published_ms = 1700000000000;
	s->drafted_by = &drafted_by;
	s->n_drafted_by = drafted_by ? 1 : 0;
	return node_apply_message(n, &h, &s->base);
}

static Lm__DraftRecord *draft_of(struct node *n)
{
	Lm__DraftRecord *record;
	assert_ok(n, draft_get(n->txn, catalogue(), "home", &n->arena, &record));
	return record;
}

static void hub_open(struct node *n)
{
	node_open(n, &devices[HUB]);
	node_directory(n);
}

static void everybody_who_saves_is_an_author(void **state)
{
	struct node n;
	(void)state;
	hub_open(&n);
	assert_ok(&n, node_save(&n, 1, 0, "一句话。", "zhao"));
	assert_non_null(effect_find(&n, DOMAIN_DRAFT));
	assert_ok(&n, node_save(&n, 2, 0, "两句话。", "qian"));
	assert_ok(&n, node_save(&n, 3, 0, "三句话。", "zhao"));
	Lm__DraftRecord *d = draft_of(&n);
	assert_int_equal(d->version, 3);
	assert_int_equal(d->n_authors, 2);
	assert_string_equal(d->authors[0], "zhao");
	assert_string_equal(d->authors[1], "qian");
	assert_string_equal(d->changed_by, "zhao");
	for (size_t i = 0; i < 2; i++) {
		assert_refused(&n, ERR_DENIED, node_end(&n, STEP(PUBLISH), 3, i ? "qian" : "zhao"));
		assert_says(&n, "somebody else");
	}
	assert_ok(&n, node_end(&n, STEP(PUBLISH), 3, "sun"));
	assert_int_equal(draft_get(n.txn, catalogue(), "home", &n.arena, &d), ERR_NOT_FOUND);
	node_close(&n);
}

static void authors_are_bounded(void **state)
{
	struct node n;
	char name[16];
	(void)state;
	hub_open(&n);
	for (uint32_t i = 1; i <= DRAFT_AUTHORS_MOST; i++) {
		snprintf(name, sizeof name, "author%u", i);
		assert_ok(&n, node_save(&n, i, 0, "一句话。", name));
	}
	assert_refused(&n, ERR_TOO_MANY, node_save(&n, DRAFT_AUTHORS_MOST + 1, 0, "一句话。", "one-more"));
	assert_ok(&n, node_save(&n, DRAFT_AUTHORS_MOST + 1, 0, "一句话。", "author1"));
	node_close(&n);
}

static void a_draft_with_faults_is_saved_but_not_published(void **state)
{
	struct node n;
	(void)state;
	hub_open(&n);
	assert_ok(&n, node_save(&n, 1, 0, "", "zhao"));
	struct hash before = node_hash(&n);
	assert_refused(&n, ERR_INVALID, node_end(&n, STEP(PUBLISH), 1, "sun"));
	assert_says(&n, "easy.zh: a Chinese text is missing");
	struct hash after = node_hash(&n);
	assert_memory_equal(&before, &after, sizeof before);
	node_close(&n);
}

static void what_was_not_seen_is_a_conflict(void **state)
{
	struct node n;
	(void)state;
	hub_open(&n);
	assert_refused(&n, ERR_CONFLICT, node_save(&n, 2, 0, "一句话。", "zhao"));
	assert_says(&n, "gone");
	assert_refused(&n, ERR_CONFLICT, node_end(&n, STEP(DROP), 1, "zhao"));
	assert_ok(&n, node_save(&n, 1, 0, "一句话。", "zhao"));
	assert_refused(&n, ERR_CONFLICT, node_save(&n, 1, 0, "别的话。", "qian"));
	assert_says(&n, "zhao saved version 1");
	assert_ok(&n, node_save(&n, 2, 0, "两句话。", "zhao"));
	assert_refused(&n, ERR_CONFLICT, node_end(&n, STEP(PUBLISH), 1, "sun"));
	assert_refused(&n, ERR_CONFLICT, node_end(&n, STEP(DROP), 1, "qian"));
	assert_ok(&n, node_end(&n, STEP(DROP), 2, "qian"));
	assert_refused(&n, ERR_CONFLICT, node_end(&n, STEP(PUBLISH), 2, "sun"));
	node_close(&n);
}

static void a_draft_on_an_old_revision_is_looked_at_again(void **state)
{
	struct node n;
	(void)state;
	hub_open(&n);
	assert_refused(&n, ERR_INVALID, node_save(&n, 1, 1, "一句话。", "zhao"));
	assert_ok(&n, node_publish_text(&n, 1, "一句话。", "li", "wu"));
	assert_refused(&n, ERR_CONFLICT, node_save(&n, 1, 0, "两句话。", "zhao"));
	assert_says(&n, "wu published revision 1");
	assert_ok(&n, node_save(&n, 1, 1, "两句话。", "zhao"));
	assert_ok(&n, node_publish_text(&n, 2, "三句话。", "li", "wu"));
	assert_refused(&n, ERR_CONFLICT, node_end(&n, STEP(PUBLISH), 1, "sun"));
	assert_says(&n, "wu published revision 2");
	assert_ok(&n, node_save(&n, 2, 1, "两句话吧。", "zhao")); /* nothing that is typed is lost */
	assert_refused(&n, ERR_CONFLICT, node_end(&n, STEP(PUBLISH), 2, "sun"));
	assert_refused(&n, ERR_CONFLICT, node_save(&n, 3, 3, "两句话吧。", "zhao"));
	assert_ok(&n, node_save(&n, 3, 2, "两句话吧。", "zhao"));
	assert_ok(&n, node_end(&n, STEP(PUBLISH), 3, "sun"));
	node_close(&n);
}

static void what_is_in_force_is_not_published_again(void **state)
{
	struct node n;
	(void)state;
	hub_open(&n);
	assert_ok(&n, node_publish_text(&n, 1, "一句话。", "li", "wu"));
	assert_ok(&n, node_save(&n, 1, 1, "一句话。", "zhao"));
	assert_refused(&n, ERR_EXISTS, node_end(&n, STEP(PUBLISH), 1, "sun"));
	assert_says(&n, "unchanged");
	node_close(&n);
}

static void going_back_gives_what_stood_there(void **state)
{
	struct node n;
	(void)state;
	hub_open(&n);
	assert_ok(&n, node_publish_text(&n, 1, "一句话。", "li", "wu"));
	assert_ok(&n, node_publish_text(&n, 2, "两句话。", "li", "wu"));
	Lm__DraftPayload back = step_of(STEP(SAVE), 1, "zhao");
	back.based_on = 2;
	back.goes_back_to = 1;
	back.content = codec_data(content_of(&n, "home", "三句话。"));
	assert_refused(&n, ERR_INVALID, node_step(&n, &back));
	assert_says(&n, "not what revision 1 says");
	back.goes_back_to = 2;
	assert_refused(&n, ERR_NOT_FOUND, node_step(&n, &back));
	back.goes_back_to = 1;
	back.content = codec_data(content_of(&n, "home", "一句话。"));
	assert_ok(&n, node_step(&n, &back));
	assert_int_equal(draft_of(&n)->goes_back_to, 1);
	assert_ok(&n, node_save(&n, 2, 2, "四句话。", "zhao"));
	assert_int_equal(draft_of(&n)->goes_back_to, 0);
	node_close(&n);
}

static void steps_that_make_no_sense_are_refused(void **state)
{
	struct node n;
	(void)state;
	hub_open(&n);
	Lm__DraftPayload step = step_of(STEP(SAVE), 1, "zhao");
	step.content = codec_data(content_of(&n, "home", "一句话。"));
	struct hash before = node_hash(&n);

	step.collection = (Lm__Collection)99;
	assert_refused(&n, ERR_INVALID, node_step(&n, &step));
	step.collection = LM__COLLECTION__COLLECTION_CATALOGUE;
	step.key = "No Such Name";
	assert_refused(&n, ERR_INVALID, node_step(&n, &step));
	step.key = "other";
	assert_refused(&n, ERR_INVALID, node_step(&n, &step));
	assert_says(&n, "stays so");
	step.key = "home";
	step.by = "";
	assert_refused(&n, ERR_INVALID, node_step(&n, &step));
	step.by = "zhao";
	step.action = STEP(NONE);
	assert_refused(&n, ERR_INVALID, node_step(&n, &step));
	step.action = STEP(SAVE);
	step.content = codec_data(bytes_from_text("this is no message"));
	assert_refused(&n, ERR_INVALID, node_step(&n, &step));
	static uint8_t large[DRAFT_BYTES_MOST + 1];
	step.content = codec_data(BYTES_OF(large));
	assert_refused(&n, ERR_TOO_BIG, node_step(&n, &step));
	Lm__Header h = entry_make(HUB, OWN, KIND(DRAFT));
	struct domain_item absent = item_make(&n, &h, BYTES(NULL, 0));
	absent.is_absent = true;
	assert_refused(&n, ERR_ABSENT, node_apply_item(&n, &absent));

	struct hash after = node_hash(&n);
	assert_memory_equal(&before, &after, sizeof before);
	node_close(&n);
}

static void drafts_are_of_who_publishes(void **state)
{
	struct node n;
	(void)state;
	for (size_t i = 0; i < 2; i++) { /* at the town, of what the district publishes; at the hub, from a town */
		node_open(&n, &devices[i ? HUB : TOWN_A]);
		node_directory(&n);
		Lm__DraftPayload step = step_of(STEP(SAVE), 1, "zhao");
		step.content = codec_data(content_of(&n, "home", "一句话。"));
		Lm__Header h = entry_make(TOWN_A, OWN, KIND(DRAFT));
		assert_refused(&n, ERR_DENIED, node_apply_message(&n, &h, &step.base));
		assert_says(&n, i ? "may not write" : "another tier");
		node_close(&n);
	}
}

/* Whoever signs as the district: the second person is a rule of the entry itself, at every tier. */
static void nobody_publishes_what_they_wrote(void **state)
{
	static const size_t tiers[] = { HUB, TOWN_A, T1 };
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct node n;
		node_open(&n, &devices[tiers[i]]);
		node_directory(&n);
		assert_refused(&n, ERR_DENIED, node_publish_text(&n, 1, "一句话。", "li", "li"));
		assert_ok(&n, node_publish_text(&n, 1, "一句话。", "li", "wu"));
		assert_ok(&n, node_publish_text(&n, 2, "两句话。", NULL, "wu")); /* from before there were drafts */
		node_close(&n);
	}
}

struct seen {
	char text[200];
};

static bool seen_visit(void *context, const char *key, uint32_t revision, const Lm__PublicationRecord *record)
{
	struct seen *s = context;
	size_t length = strlen(s->text);
	snprintf(s->text + length, sizeof s->text - length, "%s %u %s; ", key, revision, record->published_by);
	return true;
}

static void the_history_of_a_key_is_its_own(void **state)
{
	struct node n;
	struct seen seen = { "" };
	(void)state;
	hub_open(&n);
	assert_ok(&n, node_publish(&n, "home-care", 1, TOWN));
	assert_ok(&n, node_publish_text(&n, 2, "两句话。", "li", "wu"));
	assert_ok(&n, node_publish_text(&n, 10, "十句话。", "li", "zhou"));
	assert_ok(&n, node_publish(&n, "hom", 1, TOWN));
	assert_ok(&n, publication_each(n.txn, catalogue(), "home", &n.arena, seen_visit, &seen));
	assert_string_equal(seen.text, "home 2 wu; home 10 zhou; ");
	Lm__PublicationRecord *record;
	uint32_t which = 0;
	assert_ok(&n, publication_get(n.txn, catalogue(), "home", 0, &n.arena, &which, &record));
	assert_int_equal(which, 10);
	assert_int_equal(publication_get(n.txn, catalogue(), "home", 3, &n.arena, NULL, &record), ERR_NOT_FOUND);
	assert_int_equal(publication_get(n.txn, catalogue(), "none", 0, &n.arena, NULL, &record), ERR_NOT_FOUND);
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
		cmocka_unit_test(everybody_who_saves_is_an_author),
		cmocka_unit_test(authors_are_bounded),
		cmocka_unit_test(a_draft_with_faults_is_saved_but_not_published),
		cmocka_unit_test(what_was_not_seen_is_a_conflict),
		cmocka_unit_test(a_draft_on_an_old_revision_is_looked_at_again),
		cmocka_unit_test(what_is_in_force_is_not_published_again),
		cmocka_unit_test(going_back_gives_what_stood_there),
		cmocka_unit_test(steps_that_make_no_sense_are_refused),
		cmocka_unit_test(drafts_are_of_who_publishes),
		cmocka_unit_test(nobody_publishes_what_they_wrote),
		cmocka_unit_test(the_history_of_a_key_is_its_own),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}

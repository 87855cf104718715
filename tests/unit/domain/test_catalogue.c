/* Services: what may be published, what is said of what may not, and which revision is the newest. */
#include "domain/publication.h"
#include "fixture.h"

#include <glob.h>

#include "proto/json.h"

#define TYPE(name) LM__FIELD_TYPE__FIELD_TYPE_##name
#define MEANS(name) LM__FIELD_MEANING__FIELD_MEANING_##name
#define HAN_10 "一二三四五六七八九十"
#define HAN_20 HAN_10 HAN_10

/* A service with two fields, a name and one that the test shapes, so that each list has an element to spoil. */
struct spoiled {
	struct service_parts parts;
	Lm__Service *s;
	Lm__Field second, third, *fields[31];
	Lm__FieldChoice choice[7], *choices[7];
	Lm__Words words, empty, *evidence[1];
	Lm__Basis fact, *facts[1];
	Lm__Privacy privacy;
	Lm__Sharing sharing, *sharings[4];
	Lm__OwnerRule rule, *rules[13];
	Lm__Hold hold;
	Lm__Basis hold_basis, *hold_bases[1];
};

/* What is told and asked before personal questions, and who decides: field 1 is a choice of three. */
static void people_init(struct spoiled *x)
{
	lm__privacy__init(&x->privacy);
	lm__sharing__init(&x->sharing);
	lm__owner_rule__init(&x->rule);
	x->privacy.who_asks = x->privacy.purpose = x->privacy.who_sees = &x->words;
	x->privacy.keep_months = 36;
	x->privacy.keep_from = LM__KEEP_FROM__KEEP_FROM_CLOSED;
	x->sharing.id = "school";
	x->sharing.with_whom = x->sharing.purpose = &x->words;
	for (size_t i = 0; i < 4; i++)
		x->sharings[i] = &x->sharing;
	x->rule.field = "second";
	x->rule.choice = "a";
	x->rule.owner = DISTRICT;
	x->rule.hidden_from = TOWN;
	for (size_t i = 0; i < 13; i++)
		x->rules[i] = &x->rule;
	x->s->privacy = &x->privacy;
	x->s->sharing = x->sharings;
	x->s->n_sharing = 1;
	x->s->owner_rules = x->rules;
	lm__hold__init(&x->hold);
	lm__basis__init(&x->hold_basis);
	x->hold_basis.text = &x->words;
	x->hold_basis.is_sample = true;
	x->hold_bases[0] = &x->hold_basis;
	x->hold.keep_months = 60;
	x->hold.keep_from = LM__KEEP_FROM__KEEP_FROM_CLOSED;
	x->hold.basis = x->hold_bases;
	x->hold.n_basis = 1;
	x->s->hold = &x->hold;
}

static void spoiled_init(struct spoiled *x)
{
	memset(x, 0, sizeof *x);
	x->s = service_make(&x->parts, "home", 1, TOWN);
	words_make(&x->words, "问题", "Question");
	words_make(&x->empty, "", "");
	lm__field__init(&x->second);
	lm__basis__init(&x->fact);
	for (size_t i = 0; i < 7; i++) {
		static char *const ids[] = { "a", "b", "unknown", "d", "e", "f", "g" };
		lm__field_choice__init(&x->choice[i]);
		x->choice[i].id = ids[i];
		x->choice[i].name = &x->words;
		x->choices[i] = &x->choice[i];
	}
	x->second.id = "second";
	x->second.type = TYPE(TEXT);
	x->second.most = 20;
	x->second.label = &x->words;
	x->second.choices = x->choices;
	x->fields[0] = &x->parts.field;
	for (size_t i = 1; i < 31; i++)
		x->fields[i] = &x->second;
	x->s->fields = x->fields;
	x->s->n_fields = 2;
	x->evidence[0] = &x->words;
	x->s->evidence = x->evidence;
	x->s->n_evidence = 1;
	x->fact.text = &x->words;
	x->fact.source = "a law";
	x->fact.date = "2023-09-01";
	x->facts[0] = &x->fact;
	x->s->facts = x->facts;
	x->s->n_facts = 1;
	people_init(x);
}

/* Two files, each within its limit. */
static void files_give(struct spoiled *x)
{
	x->second.type = TYPE(FILE);
	x->second.most = REQUEST_FILES_BYTES_MOST / 2 + 1;
	x->third = x->second;
	x->third.id = "third";
	x->fields[2] = &x->third;
	x->s->n_fields = 3;
}

static void choices_give(struct spoiled *x, Lm__FieldType type, size_t count)
{
	x->second.type = type;
	x->second.most = 0;
	x->second.n_choices = count;
}

/* Each spoils one thing; the place is how the fault begins. */
static void rules_give(struct spoiled *x)
{
	choices_give(x, TYPE(CHOICE), 3);
	x->s->n_owner_rules = 1;
}

#define SPOIL(name, code)                           \
	static void spoil_##name(struct spoiled *x) \
	{                                           \
		code;                               \
	}
SPOIL(id_empty, x->s->id = "")
SPOIL(id_upper, x->s->id = "Home")
SPOIL(id_space, x->s->id = "home care")
SPOIL(id_han, x->s->id = "居家")
SPOIL(id_long, x->s->id = "abcdefghijklmnopqrstuvwxyz0123456")
SPOIL(module_none, x->s->module = LM__MODULE__MODULE_NONE)
SPOIL(module_beyond, x->s->module = (Lm__Module)9)
SPOIL(name_none, x->s->name = NULL)
SPOIL(name_no_zh, x->s->name->zh = "")
SPOIL(name_no_en, x->s->name->en = "")
SPOIL(easy_none, x->s->easy = NULL)
SPOIL(easy_no_en, x->s->easy->en = "")
SPOIL(owner_none, x->s->owner = LM__TIER__TIER_NONE)
SPOIL(owner_terminal, x->s->owner = TERMINAL)
SPOIL(owner_beyond, x->s->owner = (Lm__Tier)4)
SPOIL(fields_none, x->s->n_fields = 0)
SPOIL(fields_many, x->s->n_fields = 31)
SPOIL(field_id, x->second.id = "")
SPOIL(field_id_upper, x->second.id = "Second")
SPOIL(field_id_twice, x->second.id = "name")
SPOIL(field_type_none, x->second.type = TYPE(NONE))
SPOIL(field_type_beyond, x->second.type = (Lm__FieldType)99)
SPOIL(file_no_limit, (x->second.type = TYPE(FILE), x->second.most = 0))
SPOIL(file_big, (x->second.type = TYPE(FILE), x->second.most = REQUEST_FILE_BYTES_MOST + 1))
SPOIL(file_least, (x->second.type = TYPE(FILE), x->second.most = 2048, x->second.least = 1))
SPOIL(files_big, (files_give(x)))
SPOIL(who_asks, x->privacy.who_asks = NULL)
SPOIL(purpose, x->privacy.purpose = &x->empty)
SPOIL(who_sees, x->privacy.who_sees = NULL)
SPOIL(keep_never, x->privacy.keep_months = 0)
SPOIL(keep_ever, x->privacy.keep_months = 1201)
SPOIL(keep_from, x->privacy.keep_from = LM__KEEP_FROM__KEEP_FROM_NONE)
SPOIL(keep_from_beyond, x->privacy.keep_from = (Lm__KeepFrom)9)
SPOIL(health_unsaid, x->second.is_health = true)
SPOIL(health_by_type, x->second.type = TYPE(CERTIFICATE))
SPOIL(health_needless, x->privacy.health_why = &x->words)
SPOIL(sharing_id, x->sharing.id = "")
SPOIL(sharing_twice, x->s->n_sharing = 2)
SPOIL(sharing_many, x->s->n_sharing = 4)
SPOIL(sharing_whom, x->sharing.with_whom = NULL)
SPOIL(sharing_purpose, x->sharing.purpose = &x->empty)
SPOIL(birth_not_a_date, x->second.is_birth_date = true)
SPOIL(rule_no_field, (rules_give(x), x->rule.field = "third"))
SPOIL(rule_no_choice, (rules_give(x), x->rule.choice = "z"))
SPOIL(rule_not_a_choice, (rules_give(x), x->rule.field = "name"))
SPOIL(rule_twice, (rules_give(x), x->s->n_owner_rules = 2))
SPOIL(rule_many, (rules_give(x), x->s->n_owner_rules = 13))
SPOIL(rule_owner, (rules_give(x), x->rule.owner = TERMINAL))
SPOIL(rule_hidden_from_owner, (rules_give(x), x->rule.hidden_from = DISTRICT))
SPOIL(rule_hidden_from_nobody, (rules_give(x), x->rule.hidden_from = TERMINAL))
SPOIL(label_none, x->second.label = NULL)
SPOIL(label_no_zh, x->second.label = &x->empty)
SPOIL(hint_half, x->second.hint = &x->empty)
SPOIL(choice_one, choices_give(x, TYPE(CHOICE), 1))
SPOIL(choice_seven, choices_give(x, TYPE(CHOICE), 7))
SPOIL(several_none, choices_give(x, TYPE(SEVERAL), 0))
SPOIL(choice_of_text, x->second.n_choices = 2)
SPOIL(choice_id, choices_give(x, TYPE(CHOICE), 3); x->choice[1].id = "B")
SPOIL(choice_id_long, choices_give(x, TYPE(CHOICE), 3); x->choice[1].id = HAN_20 HAN_20 HAN_20 HAN_20)
SPOIL(choice_twice, choices_give(x, TYPE(CHOICE), 3); x->choice[1].id = "a")
SPOIL(choice_name, choices_give(x, TYPE(CHOICE), 3); x->choice[2].name = NULL)
SPOIL(choice_forced, choices_give(x, TYPE(CHOICE), 2); x->second.is_required = true)
SPOIL(several_forced, choices_give(x, TYPE(SEVERAL), 2); x->second.is_required = true)
SPOIL(several_limits, choices_give(x, TYPE(SEVERAL), 3); x->second.least = 4)
SPOIL(several_most, choices_give(x, TYPE(SEVERAL), 3); x->second.most = -1)
SPOIL(text_no_limit, x->second.most = 0)
SPOIL(text_limit, x->second.most = 2001)
SPOIL(text_negative, x->second.least = -1)
SPOIL(text_limits, x->second.least = 21)
SPOIL(number_limits, x->second.type = TYPE(NUMBER); x->second.least = 21)
SPOIL(number_least_only, x->second.type = TYPE(NUMBER); x->second.least = 5; x->second.most = 0)
SPOIL(money_limits, x->second.type = TYPE(MONEY); x->second.least = 100; x->second.most = 99)
SPOIL(person_limit, x->second.type = TYPE(PERSON); x->second.most = -1)
SPOIL(address_limits, x->second.type = TYPE(ADDRESS); x->second.least = 5; x->second.most = 4)
SPOIL(no_applicant, x->fields[0]->meaning = MEANS(NONE))
SPOIL(two_applicants, x->second.meaning = MEANS(APPLICANT_NAME))
SPOIL(two_phones, x->second.meaning = MEANS(APPLICANT_PHONE); x->s->n_fields = 3)
SPOIL(two_numbers, x->second.meaning = MEANS(APPLICANT_NUMBER); x->s->n_fields = 3)
SPOIL(steps_none, x->s->n_steps = 0)
SPOIL(step_text, x->s->steps[0]->text = NULL)
SPOIL(step_no_en, x->s->steps[0]->text->en = "")
SPOIL(evidence, x->evidence[0] = &x->empty)
SPOIL(hold_never, x->hold.keep_months = 0)
SPOIL(hold_ever, x->hold.keep_months = 1201)
SPOIL(hold_from, x->hold.keep_from = 0)
SPOIL(hold_no_basis, x->hold.n_basis = 0)
SPOIL(hold_no_source, x->hold_basis.is_sample = false; x->hold_basis.date = "2023-09-01")
SPOIL(basis_none, x->s->n_basis = 0)
SPOIL(basis_text, x->s->basis[0]->text = NULL)
SPOIL(basis_source, x->s->basis[0]->is_sample = false; x->s->basis[0]->date = "2023-09-01")
SPOIL(fact_source, x->fact.source = "")
SPOIL(fact_no_date, x->fact.date = "")
SPOIL(fact_date, x->fact.date = "2023-9-1")
SPOIL(fact_no_day, x->fact.date = "2023-02-30")

static const struct {
	const char *name;
	void (*spoil)(struct spoiled *x);
	const char *place;
} wrong[] = {
#define WRONG(name, place)                 \
	{                                  \
#name, spoil_##name, place \
	}
	WRONG(id_empty, "id:"),
	WRONG(id_upper, "id:"),
	WRONG(id_space, "id:"),
	WRONG(id_han, "id:"),
	WRONG(id_long, "id:"),
	WRONG(module_none, "module:"),
	WRONG(module_beyond, "module:"),
	WRONG(name_none, "name.zh:"),
	WRONG(name_no_zh, "name.zh:"),
	WRONG(name_no_en, "name.en:"),
	WRONG(easy_none, "easy.zh:"),
	WRONG(easy_no_en, "easy.en:"),
	WRONG(owner_none, "owner:"),
	WRONG(owner_terminal, "owner:"),
	WRONG(owner_beyond, "owner:"),
	WRONG(fields_none, "fields: 1 to"),
	WRONG(fields_many, "fields: 1 to"),
	WRONG(field_id, "fields[1].id:"),
	WRONG(field_id_upper, "fields[1].id:"),
	WRONG(field_id_twice, "fields[1].id: 'name'"),
	WRONG(field_type_none, "fields[1].type:"),
	WRONG(field_type_beyond, "fields[1].type:"),
	WRONG(file_no_limit, "fields[1].most: a file"),
	WRONG(file_big, "fields[1].most: a file"),
	WRONG(file_least, "fields[1].most: a file"),
	WRONG(files_big, "fields: the files together"),
	WRONG(who_asks, "privacy.who_asks.zh:"),
	WRONG(purpose, "privacy.purpose.zh:"),
	WRONG(who_sees, "privacy.who_sees.zh:"),
	WRONG(keep_never, "privacy.keep_months:"),
	WRONG(keep_ever, "privacy.keep_months:"),
	WRONG(keep_from, "privacy.keep_from:"),
	WRONG(keep_from_beyond, "privacy.keep_from:"),
	WRONG(health_unsaid, "privacy.health_why.zh:"),
	WRONG(health_by_type, "privacy.health_why.zh:"),
	WRONG(health_needless, "privacy.health_why:"),
	WRONG(sharing_id, "sharing[0].id:"),
	WRONG(sharing_twice, "sharing[1].id: 'school' is there twice"),
	WRONG(sharing_many, "sharing: at most 3"),
	WRONG(sharing_whom, "sharing[0].with_whom.zh:"),
	WRONG(sharing_purpose, "sharing[0].purpose.zh:"),
	WRONG(birth_not_a_date, "fields[1].is_birth_date:"),
	WRONG(rule_no_field, "owner_rules[0].field:"),
	WRONG(rule_no_choice, "owner_rules[0].choice:"),
	WRONG(rule_not_a_choice, "owner_rules[0].field:"),
	WRONG(rule_twice, "owner_rules[1].choice: 'a' is there twice"),
	WRONG(rule_many, "owner_rules: at most 12"),
	WRONG(rule_owner, "owner_rules[0].owner:"),
	WRONG(rule_hidden_from_owner, "owner_rules[0].hidden_from:"),
	WRONG(rule_hidden_from_nobody, "owner_rules[0].hidden_from:"),
	WRONG(label_none, "fields[1].label.zh:"),
	WRONG(label_no_zh, "fields[1].label.zh:"),
	WRONG(hint_half, "fields[1].hint.zh:"),
	WRONG(choice_one, "fields[1].choices: 2 to 6"),
	WRONG(choice_seven, "fields[1].choices: 2 to 6"),
	WRONG(several_none, "fields[1].choices: 2 to 6"),
	WRONG(choice_of_text, "fields[1].choices:"),
	WRONG(choice_id, "fields[1].choices[1].id:"),
	WRONG(choice_id_long, "fields[1].choices[1].id:"),
	WRONG(choice_twice, "fields[1].choices[1].id: 'a'"),
	WRONG(choice_name, "fields[1].choices[2].name.zh:"),
	WRONG(choice_forced, "fields[1].choices: who must choose"),
	WRONG(several_forced, "fields[1].choices: who must choose"),
	WRONG(several_limits, "fields[1].least:"),
	WRONG(several_most, "fields[1].most:"),
	WRONG(text_no_limit, "fields[1].most:"),
	WRONG(text_limit, "fields[1].most:"),
	WRONG(text_negative, "fields[1].most:"),
	WRONG(text_limits, "fields[1].least:"),
	WRONG(number_limits, "fields[1].least:"),
	WRONG(number_least_only, "fields[1].least:"),
	WRONG(money_limits, "fields[1].least:"),
	WRONG(person_limit, "fields[1].most:"),
	WRONG(address_limits, "fields[1].least:"),
	WRONG(no_applicant, "fields: one field"),
	WRONG(two_applicants, "fields: one field"),
	WRONG(two_phones, "fields[2].id: 'second'"), /* and the meaning, below */
	WRONG(two_numbers, "fields[2].id: 'second'"),
	WRONG(steps_none, "steps:"),
	WRONG(step_text, "steps[0].text.zh:"),
	WRONG(step_no_en, "steps[0].text.en:"),
	WRONG(evidence, "evidence[0].zh:"),
	WRONG(hold_never, "hold.keep_months:"),
	WRONG(hold_ever, "hold.keep_months:"),
	WRONG(hold_from, "hold.keep_from:"),
	WRONG(hold_no_basis, "hold.basis:"),
	WRONG(hold_no_source, "hold.basis[0].source:"),
	WRONG(basis_none, "basis:"),
	WRONG(basis_text, "basis[0].text.zh:"),
	WRONG(basis_source, "basis[0].source:"),
	WRONG(fact_source, "facts[0].source:"),
	WRONG(fact_no_date, "facts[0].date:"),
	WRONG(fact_date, "facts[0].date:"),
	WRONG(fact_no_day, "facts[0].date:"),
};

static void test_wrong_services(void **state)
{
	(void)state;
	struct spoiled x;
	struct service_fault faults[40];
	spoiled_init(&x);
	if (service_check(x.s, faults, 40))
		fail_msg("nothing is spoiled: %s", faults[0].text);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		spoiled_init(&x);
		wrong[i].spoil(&x);
		size_t count = service_check(x.s, faults, 40);
		if (!count || strncmp(faults[0].text, wrong[i].place, strlen(wrong[i].place)) != 0)
			fail_msg("%s: \"%s\" is not at %s", wrong[i].name, count ? faults[0].text : "no fault",
			         wrong[i].place);
		assert_int_equal(service_check(x.s, NULL, 0), count);
	}
	assert_true(sizeof wrong / sizeof *wrong >= 40);
}

/* Old revisions, which are in the journals for good, know no privacy; a new one does not leave without it. */
static void test_publication_demands_privacy(void **state)
{
	(void)state;
	struct spoiled x;
	struct service_fault fault;
	spoiled_init(&x);
	assert_int_equal(service_readable_check(x.s, &fault, 1), 0);
	x.s->privacy = NULL;
	assert_int_equal(service_check(x.s, &fault, 1), 0);
	assert_int_equal(service_readable_check(x.s, &fault, 1), 1);
	assert_memory_equal(fault.text, "privacy:", 8);
	/* Nothing personal is asked: a name always is. */
	x.parts.field.type = TYPE(TEXT);
	x.parts.field.most = 20;
	assert_int_equal(service_readable_check(x.s, &fault, 1), 0);
	x.second.is_personal = true;
	assert_int_equal(service_readable_check(x.s, &fault, 1), 1);
}

static void test_all_faults_at_once(void **state)
{
	(void)state;
	struct spoiled x;
	struct service_fault faults[3];
	Lm__Service nothing = LM__SERVICE__INIT;
	assert_true(service_check(&nothing, faults, 3) > 8);
	spoiled_init(&x);
	spoil_two_phones(&x);
	assert_int_equal(service_check(x.s, faults, 3), 2);
	assert_string_equal(faults[1].text, "fields: two fields have the meaning FIELD_MEANING_APPLICANT_PHONE");
	/* A text that is cut is cut between characters. */
	spoiled_init(&x);
	choices_give(&x, TYPE(CHOICE), 3);
	x.choice[0].id = x.choice[1].id = HAN_20 HAN_20 HAN_20 HAN_20;
	assert_int_equal(service_check(x.s, faults, 3), 3);
	assert_true(strlen(faults[2].text) > 190);
	assert_true(utf8_length(bytes_from_text(faults[2].text)) > 0);
}

static void file_check(const char *path)
{
	struct arena arena;
	struct error e = { 0 };
	Lm__Service *service;
	struct service_fault fault;
	char *text = malloc(65536);
	FILE *file = fopen(path, "r");
	assert_non_null(text);
	assert_non_null(file);
	size_t size = fread(text, 1, 65536, file);
	assert_true(feof(file));
	fclose(file);
	arena_init(&arena, 0);
	if (JSON_DECODE(lm__service, BYTES(text, size), &arena, &service, &e))
		fail_msg("%s: %s", path, e.text);
	if (service_readable_check(service, &fault, 1))
		fail_msg("%s: %s", path, fault.text);
	arena_release(&arena);
	free(text);
}

static void test_our_own_catalogue(void **state)
{
	(void)state;
	glob_t found;
	assert_int_equal(glob(TOP "/deploy/catalogue/*.json", 0, NULL, &found), 0);
	assert_true(found.gl_pathc >= 28);
	for (size_t i = 0; i < found.gl_pathc; i++)
		file_check(found.gl_pathv[i]);
	globfree(&found);
}

/* ---- revisions ---- */

static uint32_t newest(struct node *n, const char *id)
{
	Lm__Service *s;
	int result = service_get(n->txn, id, 0, &n->arena, &s);
	assert_true(result == OK || result == ERR_NOT_FOUND);
	if (result)
		return 0;
	assert_string_equal(s->id, id);
	return s->revision;
}

static void test_newest_revision(void **state)
{
	(void)state;
	struct node n;
	node_open(&n, &devices[TOWN_A]);
	node_directory(&n);
	assert_int_equal(newest(&n, "a"), 0); /* of nothing */
	static const struct {
		const char *id;
		uint32_t revision;
	} published[] = { { "a", 1 },  { "a-b", 7 }, { "a", 300 }, { "ab", 2 },
		          { "a0", 9 }, { "a", 299 }, { "abc", 4 }, { "b", UINT32_MAX } };
	for (size_t i = 0; i < sizeof published / sizeof *published; i++)
		assert_ok(&n, node_publish(&n, published[i].id, published[i].revision, TOWN));
	assert_int_equal(newest(&n, "a"), 300);
	assert_int_equal(newest(&n, "a-b"), 7);
	assert_int_equal(newest(&n, "a0"), 9);
	assert_int_equal(newest(&n, "ab"), 2);
	assert_int_equal(newest(&n, "abc"), 4);
	assert_int_equal(newest(&n, "b"), UINT32_MAX);
	assert_int_equal(newest(&n, ""), 0);
	assert_int_equal(newest(&n, "a-"), 0);
	assert_int_equal(newest(&n, "abcd"), 0);
	assert_int_equal(newest(&n, "0"), 0);
	assert_int_equal(newest(&n, "z"), 0);
	char big[201];
	memset(big, 'a', 200);
	big[200] = '\0';
	assert_int_equal(newest(&n, big), 0);
	Lm__Service *s;
	assert_ok(&n, service_get(n.txn, "a", 299, &n.arena, &s));
	assert_int_equal(s->revision, 299);
	assert_int_equal(service_get(n.txn, "a", 2, &n.arena, &s), ERR_NOT_FOUND);
	assert_int_equal(service_get(n.txn, big, 1, &n.arena, &s), ERR_NOT_FOUND);
	node_close(&n);
}

struct seen {
	char text[128];
	size_t most;
};

static bool seen_visit(void *context, ProtobufCMessage *newest)
{
	struct seen *seen = context;
	const Lm__Service *s = (Lm__Service *)newest;
	size_t length = strlen(seen->text);
	snprintf(seen->text + length, sizeof seen->text - length, "%s.%u ", s->id, s->revision);
	return --seen->most > 0;
}

static void test_each_service_once(void **state)
{
	(void)state;
	struct node n;
	struct seen seen = { "", 9 };
	node_open(&n, &devices[TOWN_A]);
	node_directory(&n);
	assert_ok(&n, content_each(n.txn, &collection_catalogue, &n.arena, seen_visit, &seen));
	assert_string_equal(seen.text, "");
	assert_ok(&n, node_publish(&n, "b", 1, TOWN));
	assert_ok(&n, node_publish(&n, "a", 1, TOWN));
	assert_ok(&n, node_publish(&n, "a", 2, DISTRICT));
	assert_ok(&n, node_publish(&n, "a-b", 3, TOWN));
	assert_ok(&n, content_each(n.txn, &collection_catalogue, &n.arena, seen_visit, &seen));
	assert_string_equal(seen.text, "a.2 a-b.3 b.1 ");
	for (size_t most = 1; most <= 3; most++) { /* and stops when told to */
		seen = (struct seen){ "", most };
		assert_ok(&n, content_each(n.txn, &collection_catalogue, &n.arena, seen_visit, &seen));
		assert_int_equal(strlen(seen.text), most == 1 ? 4 : most == 2 ? 10 : 14);
	}
	node_close(&n);
}

static void test_publication(void **state)
{
	(void)state;
	struct node n;
	struct service_parts parts;
	node_open(&n, &devices[TOWN_A]);
	node_directory(&n);
	assert_ok(&n, node_publish(&n, "a", 1, TOWN));
	assert_non_null(effect_find(&n, DOMAIN_CATALOGUE));
	struct hash before = node_hash(&n);
	assert_refused(&n, ERR_EXISTS, node_publish(&n, "a", 1, DISTRICT));
	assert_refused(&n, ERR_INVALID, node_publish(&n, "a", 0, TOWN));
	assert_refused(&n, ERR_INVALID, node_publish(&n, "A", 1, TOWN));
	assert_says(&n, "id: lower case");
	Lm__Header h = entry_make(TOWN_A, ALL, KIND(SERVICE)); /* not the hub's */
	assert_refused(&n, ERR_DENIED, node_apply_message(&n, &h, &service_make(&parts, "b", 1, TOWN)->base));
	h = entry_make(T1, ALL, KIND(SERVICE));
	assert_refused(&n, ERR_DENIED, node_apply_message(&n, &h, &service_make(&parts, "b", 1, TOWN)->base));
	h = entry_make(HUB, ALL, KIND(SERVICE));
	struct domain_item item = item_make(&n, &h, BYTES(NULL, 0));
	item.is_absent = true;
	assert_refused(&n, ERR_ABSENT, node_apply_item(&n, &item));
	assert_int_equal(n.fx.count, 0);
	struct hash after = node_hash(&n);
	assert_memory_equal(&before, &after, sizeof before);
	node_close(&n);
}

int main(void)
{
	devices_make();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_services),     cmocka_unit_test(test_publication_demands_privacy),
		cmocka_unit_test(test_all_faults_at_once), cmocka_unit_test(test_our_own_catalogue),
		cmocka_unit_test(test_newest_revision),    cmocka_unit_test(test_each_service_once),
		cmocka_unit_test(test_publication),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

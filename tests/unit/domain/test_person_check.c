/*
 * Facts of a resident's record: each thing that can be wrong is found where it is, and nothing else.
 */
#include "registry.h"

#define GOOD_NUMBER "990114195803010014" /* region 990114 is none */

static struct facts good;
static Lm__Representative son, *sons[PERSON_REPRESENTATIVES_MOST + 1];
static Lm__Benefit benefit, *benefits[PERSON_BENEFITS_MOST + 1];
static Lm__PersonConsent consent, *consents[2];
static Lm__AccessNeed needs[3];
static char *things[PERSON_DEVICES_MOST + 1], long_text[1024];

static void good_make(void)
{
	facts_make(&good, "王小明", "310114106001");
	good.facts.id_number = GOOD_NUMBER;
	good.facts.certificate = GOOD_NUMBER "41";
	lm__representative__init(&son);
	son.name = "王大明";
	son.relation = "儿子";
	son.scope = LM__SCOPE__SCOPE_REQUESTS;
	son.from = "2026-01-01";
	lm__benefit__init(&benefit);
	benefit.benefit = "nursing-subsidy";
	lm__person_consent__init(&consent);
	consent.topic = LM__TOPIC__TOPIC_CALLS;
	consent.day = "2026-01-01";
	for (size_t i = 0; i < sizeof sons / sizeof *sons; i++)
		sons[i] = &son;
	for (size_t i = 0; i < sizeof benefits / sizeof *benefits; i++)
		benefits[i] = &benefit;
	for (size_t i = 0; i < sizeof things / sizeof *things; i++)
		things[i] = "white-cane";
	consents[0] = consents[1] = &consent;
	needs[0] = LM__ACCESS_NEED__ACCESS_NEED_SPEECH;
	needs[1] = LM__ACCESS_NEED__ACCESS_NEED_COMPANION;
	needs[2] = LM__ACCESS_NEED__ACCESS_NEED_SPEECH;
	Lm__PersonFacts *f = &good.facts;
	f->representatives = sons;
	f->benefits = benefits;
	f->consents = consents;
	f->access = needs;
	f->devices = things;
	f->n_representatives = f->n_benefits = f->n_consents = f->n_devices = 1;
	f->n_access = 2;
}

/* The one fault that there is. */
static void finds(const char *field, const char *rule)
{
	struct form_fault fault[4];
	size_t count = person_check(&good.facts, HERE, fault, 4);
	if (count != 1 || strcmp(fault[0].field, field) != 0 || strcmp(fault[0].rule, rule) != 0)
		fail_msg("%zu faults, the first %s: %s, not one %s: %s", count, count ? fault[0].field : "none",
		         count ? fault[0].rule : "", field, rule);
	good_make();
}

#define WRONG(change, field, rule)  \
	do {                        \
		change;             \
		finds(field, rule); \
	} while (0)

static void test_each_fault_where_it_is(void **state)
{
	(void)state;
	Lm__PersonFacts *f = &good.facts;
	good_make();
	assert_int_equal(person_check(f, HERE, NULL, 0), 0);
	WRONG(f->name = "", "name", "required");
	WRONG(f->name = " ", "name", "required");
	WRONG(f->name = long_text, "name", "too-long");
	WRONG(f->id_number = ""; f->birth = "1958-02-30", "birth", "not-a-date");
	WRONG(f->id_number = ""; f->birth = "", "birth", "required");
}

static void test_numbers_and_places(void **state)
{
	(void)state;
	Lm__PersonFacts *f = &good.facts;
	good_make();
	WRONG(f->birth = "1958-03-02", "birth", "not-as-id-number");
	WRONG(f->sex = LM__SEX__SEX_FEMALE, "sex", "not-as-id-number");
	WRONG(f->id_number = "990114195803010013", "id_number", "not-an-id-number");
	WRONG(f->certificate = GOOD_NUMBER "81", "certificate", "not-a-certificate");
	WRONG(f->community = "310114107001", "community", "not-a-place"); /* of another town */
	WRONG(f->community = HERE, "community", "not-a-place");
	WRONG(f->community = "", "community", "required");
	WRONG(f->died_on = "1957-01-01", "died_on", "not-in-order");
	WRONG(f->income = (Lm__IncomeBand)99, "income", "not-a-choice");
	WRONG(f->address = long_text, "address", "too-long");
}

static void son_of(size_t count, int module)
{
	static Lm__Module modules[2];
	modules[0] = modules[1] = (Lm__Module)module;
	son.modules = modules;
	son.n_modules = count;
}

static void test_lists(void **state)
{
	(void)state;
	Lm__PersonFacts *f = &good.facts;
	good_make();
	WRONG(good.contact.phone = "12", "contacts[0].phone", "not-a-phone");
	WRONG(good.contact.phone = "", "contacts[0].phone", "required");
	WRONG(son.scope = LM__SCOPE__SCOPE_NONE, "representatives[0].scope", "not-a-choice");
	WRONG(son.until = "2025-12-31", "representatives[0].until", "not-in-order");
	WRONG(son.from = "", "representatives[0].from", "required");
	WRONG(son_of(1, 99), "representatives[0].modules", "not-a-choice");
	WRONG(son_of(2, LM__MODULE__MODULE_LIFE), "representatives[0].modules", "twice");
	WRONG(f->n_representatives = PERSON_REPRESENTATIVES_MOST + 1, "representatives", "too-many");
	WRONG(f->n_benefits = PERSON_BENEFITS_MOST + 1, "benefits", "too-many");
	WRONG(benefit.benefit = "a b", "benefits[0].benefit", "not-a-choice");
	WRONG(f->n_devices = 2, "devices[1]", "twice");
	WRONG(f->n_access = 3, "access[2]", "twice");
	WRONG(needs[0] = (Lm__AccessNeed)99, "access[0]", "not-a-choice");
	WRONG(f->n_consents = 2, "consents[1].topic", "twice");
	WRONG(consent.day = "yesterday", "consents[0].day", "not-a-date");
}

static void test_in_force(void **state)
{
	(void)state;
	good_make();
	son.until = "2026-06-30";
	assert_false(representative_counts(&good.facts, 0, "2025-12-31"));
	assert_true(representative_counts(&good.facts, 0, "2026-01-01"));
	assert_true(representative_counts(&good.facts, 0, "2026-06-30"));
	assert_false(representative_counts(&good.facts, 0, "2026-07-01"));
	son.until = "";
	assert_true(representative_counts(&good.facts, 0, "2099-01-01"));
	good.facts.died_on = "2026-03-01";
	assert_false(representative_counts(&good.facts, 0, "2026-01-01"));
}

#define AUTHORITY(name) LM__AUTHORITY__AUTHORITY_##name

static void test_who_may_act(void **state)
{
	(void)state;
	static const Lm__Module life = LM__MODULE__MODULE_LIFE, jobs = LM__MODULE__MODULE_JOBS;
	static const char *const today = "2026-11-22";
	const Lm__PersonFacts *f = &good.facts;
	Lm__Carer carer = LM__CARER__INIT;
	good_make();
	carer.name = "王大明";
	carer.phone = "000 1234 5678";
	assert_int_equal(authority_of(f, &carer, life, today), AUTHORITY(COVERS));
	assert_int_equal(authority_of(f, &carer, life, "2025-12-31"), AUTHORITY(NOT_NOW));
	son_of(1, life);
	assert_int_equal(authority_of(f, &carer, life, today), AUTHORITY(COVERS));
	assert_int_equal(authority_of(f, &carer, jobs, today), AUTHORITY(NOT_THIS));
	son.n_modules = 0;
	static const Lm__Authority by_scope[] = { AUTHORITY(NOT_THIS), AUTHORITY(COVERS), AUTHORITY(COVERS),
		                                  AUTHORITY(NOT_THIS), AUTHORITY(NOT_THIS) };
	for (son.scope = 0; son.scope <= LM__SCOPE__SCOPE_MONEY; son.scope++)
		assert_int_equal(authority_of(f, &carer, life, today), by_scope[son.scope]);
	son.scope = LM__SCOPE__SCOPE_ALL;
	static const struct {
		const char *on_file;
		Lm__Authority says;
	} phones[] = { { "", AUTHORITY(COVERS) },
		       { "000-12345678", AUTHORITY(COVERS) },
		       { "00012345679", AUTHORITY(OTHER_PHONE) },
		       { "0001234567", AUTHORITY(OTHER_PHONE) },
		       { "000123456780", AUTHORITY(OTHER_PHONE) } };
	for (size_t i = 0; i < sizeof phones / sizeof *phones; i++) {
		son.phone = (char *)(uintptr_t)phones[i].on_file;
		assert_int_equal(authority_of(f, &carer, life, today), phones[i].says);
	}
	/* Of two of one name the one that covers counts. */
	Lm__Representative other = son;
	other.phone = "";
	sons[1] = &other;
	good.facts.n_representatives = 2;
	assert_int_equal(authority_of(f, &carer, life, today), AUTHORITY(COVERS));
	carer.name = "王大";
	assert_int_equal(authority_of(f, &carer, life, today), AUTHORITY(NOT_ON_FILE));
	good_make();
	good.facts.died_on = "2026-03-01";
	carer.name = "王大明";
	assert_int_equal(authority_of(f, &carer, life, today), AUTHORITY(NOT_NOW));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_fault_where_it_is),
		cmocka_unit_test(test_numbers_and_places),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_in_force),
		cmocka_unit_test(test_who_may_act),
	};
	memset(long_text, 'a', sizeof long_text - 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

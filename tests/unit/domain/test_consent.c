/* What must have been agreed to, by whom, and what a submit without it is told. */
#include "fixture.h"

#define TYPE(name) LM__FIELD_TYPE__FIELD_TYPE_##name
#define CONSENT(name) LM__CONSENT_KIND__CONSENT_KIND_##name
#define NOW_MS 1795302821847 /* 2026-11-21T23:13:41Z, which is 22 November in Shanghai */

/* A service with a name, a number, a date of birth, a health question and one sharing, and a request that is right. */
struct asked {
	Lm__Service service;
	Lm__Field field[4], *fields[4];
	Lm__Privacy privacy;
	Lm__Sharing sharing, *sharings[1];
	Lm__RequestPayload payload;
	Lm__FieldValue value[4], *values[4];
	char *text[4];
	Lm__Consent consent[6], *consents[6];
	Lm__Carer carer;
	struct form_fault faults[8];
};

static void answer(struct asked *a, size_t i, const char *text)
{
	a->text[i] = (char *)(uintptr_t)text;
	a->value[i].n_values = text ? 1 : 0;
}

static void consent(struct asked *a, size_t i, Lm__ConsentKind kind, const char *sharing)
{
	a->consent[i].kind = kind;
	a->consent[i].sharing = (char *)(uintptr_t)sharing;
	a->consent[i].is_given = true;
}

static void asked_init(struct asked *a)
{
	static char *const ids[] = { "name", "number", "born", "ill" };
	static const Lm__FieldType types[] = { TYPE(PERSON), TYPE(ID_NUMBER), TYPE(DATE), TYPE(YES_NO) };
	memset(a, 0, sizeof *a);
	lm__service__init(&a->service);
	lm__privacy__init(&a->privacy);
	lm__sharing__init(&a->sharing);
	lm__request_payload__init(&a->payload);
	lm__carer__init(&a->carer);
	for (size_t i = 0; i < 4; i++) {
		lm__field__init(&a->field[i]);
		lm__field_value__init(&a->value[i]);
		a->field[i].id = a->value[i].field = ids[i];
		a->field[i].type = types[i];
		a->fields[i] = &a->field[i];
		a->values[i] = &a->value[i];
		a->value[i].values = &a->text[i];
	}
	for (size_t i = 0; i < 6; i++) {
		lm__consent__init(&a->consent[i]);
		a->consents[i] = &a->consent[i];
	}
	a->field[1].meaning = LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_NUMBER;
	a->field[2].is_birth_date = true;
	a->field[3].is_health = true;
	a->sharing.id = "school";
	a->sharings[0] = &a->sharing;
	a->service.fields = a->fields;
	a->service.n_fields = 4;
	a->service.privacy = &a->privacy;
	a->service.sharing = a->sharings;
	a->service.n_sharing = 1;
	a->payload.values = a->values;
	a->payload.n_values = 4;
	a->payload.consents = a->consents;
	a->payload.n_consents = 3;
	answer(a, 0, "示例人");
	answer(a, 3, "yes");
	consent(a, 0, CONSENT(PRIVACY), "");
	consent(a, 1, CONSENT(HEALTH), "");
	consent(a, 2, CONSENT(SHARING), "school");
}

/* What is wrong, "path rule" each, in one text. */
static const char *wrong(struct asked *a)
{
	static char text[512];
	size_t count = request_check(&a->service, &a->payload, NOW_MS, a->faults, 8);
	text[0] = '\0';
	for (size_t i = 0; i < count && i < 8; i++) {
		size_t at = strlen(text);
		snprintf(text + at, sizeof text - at, "%s%s %s", at ? ", " : "", a->faults[i].field, a->faults[i].rule);
	}
	assert_int_equal(request_check(&a->service, &a->payload, NOW_MS, NULL, 0), count);
	return text;
}

static void test_each_consent_is_needed(void **state)
{
	(void)state;
	struct asked a;
	asked_init(&a);
	assert_string_equal(wrong(&a), "");
	a.payload.n_consents = 0;
	assert_string_equal(wrong(&a), "consents.privacy consent-missing, consents.health consent-missing, "
	                               "consents.sharing.school consent-missing");
	for (size_t i = 0; i < 3; i++) {
		static const char *const paths[] = { "consents.privacy consent-missing",
			                             "consents.health consent-missing", "" };
		asked_init(&a);
		a.consent[i].is_given = false; /* asked and refused: only the sharing may be */
		assert_string_equal(wrong(&a), paths[i]);
	}
}

static void test_a_needed_sharing_cannot_be_refused(void **state)
{
	(void)state;
	struct asked a;
	asked_init(&a);
	a.sharing.is_needed = true;
	assert_string_equal(wrong(&a), "");
	a.consent[2].is_given = false;
	assert_string_equal(wrong(&a), "consents.sharing.school consent-missing");
}

/* No health answer, no consent to it; but one is enough to need it, also a file or a certificate's number. */
static void test_health_is_asked_for_only_when_told(void **state)
{
	(void)state;
	struct asked a;
	ProtobufCBinaryData file = { 1, (uint8_t *)"x" };
	asked_init(&a);
	a.consent[1].is_given = false;
	answer(&a, 3, "");
	assert_string_equal(wrong(&a), "");
	answer(&a, 3, NULL);
	a.value[3].files = &file;
	a.value[3].n_files = 1;
	assert_string_equal(wrong(&a), "ill unknown-field, consents.health consent-missing");
	a.value[3].n_files = 0;
	a.field[1].type = TYPE(CERTIFICATE);
	answer(&a, 1, "11010519491231002X41");
	assert_string_equal(wrong(&a), "consents.health consent-missing");
}

static void test_nothing_that_was_not_asked(void **state)
{
	(void)state;
	struct asked a;
	asked_init(&a);
	a.payload.n_consents = 4; /* the fourth is of no kind */
	assert_string_equal(wrong(&a), "consents unknown-field");
	consent(&a, 3, CONSENT(PRIVACY), ""); /* twice */
	assert_string_equal(wrong(&a), "consents unknown-field");
	consent(&a, 3, CONSENT(SHARING), "shop");
	assert_string_equal(wrong(&a), "consents unknown-field");
	consent(&a, 3, CONSENT(HEALTH), "school");
	assert_string_equal(wrong(&a), "consents unknown-field");
	consent(&a, 3, (Lm__ConsentKind)77, "");
	assert_string_equal(wrong(&a), "consents unknown-field");
}

static void test_older_revisions_ask_nothing(void **state)
{
	(void)state;
	struct asked a;
	asked_init(&a);
	a.service.privacy = NULL;
	a.payload.n_consents = 0;
	assert_string_equal(wrong(&a), "");
	answer(&a, 0, "");
	a.field[0].is_required = true;
	assert_string_equal(wrong(&a), "name required");
}

static void carer_give(struct asked *a)
{
	a->carer.name = "示例监护人";
	a->carer.relation = "母亲";
	a->carer.phone = "00000000000";
	a->payload.carer = &a->carer;
	for (size_t i = 0; i < 3; i++)
		a->consent[i].is_by_carer = true;
}

static void test_a_guardian_agrees_for_a_child(void **state)
{
	(void)state;
	struct asked a;
	asked_init(&a);
	a.payload.is_for_child = true;
	assert_string_equal(wrong(&a), "consents.privacy guardian-missing, consents.health guardian-missing, "
	                               "consents.sharing.school guardian-missing, carer.name required, "
	                               "carer.relation required, carer.phone required");
	carer_give(&a);
	assert_string_equal(wrong(&a), "");
	a.consent[1].is_by_carer = false;
	assert_string_equal(wrong(&a), "consents.health guardian-missing");
	carer_give(&a);
	a.consent[2].is_given = a.consent[2].is_by_carer = false; /* who refuses need not be told who refused */
	assert_string_equal(wrong(&a), "");
	a.carer.phone = "12";
	a.carer.name = "";
	a.carer.relation = "一二三四五六七八九十一二三四五六七八九十一";
	assert_string_equal(wrong(&a), "carer.name required, carer.relation too-long, carer.phone not-a-phone");
}

/* With the same questions; unless the service is for oneself alone. */
static void test_somebody_acts_for_a_grown_person(void **state)
{
	(void)state;
	struct asked a;
	Lm__Words why = LM__WORDS__INIT;
	asked_init(&a);
	carer_give(&a);
	for (a.carer.scope = 0; a.carer.scope <= LM__CARER_SCOPE__CARER_SCOPE_ALL; a.carer.scope++)
		assert_string_equal(wrong(&a), "");
	assert_string_equal(wrong(&a), "carer.scope not-a-choice");
	a.carer.scope = LM__CARER_SCOPE__CARER_SCOPE_ONCE;
	a.carer.phone = "";
	assert_string_equal(wrong(&a), "carer.phone required");
	carer_give(&a);
	a.service.only_self = &why;
	assert_string_equal(wrong(&a), "carer only-self");
	a.payload.is_for_child = true; /* a child asks for nothing alone */
	assert_string_equal(wrong(&a), "");
	a.payload.is_for_child = false;
	a.payload.carer = NULL;
	assert_string_equal(wrong(&a), "");
}

static void test_how_somebody_is_served(void **state)
{
	(void)state;
	struct asked a;
	Lm__AccessNeed needs[] = { LM__ACCESS_NEED__ACCESS_NEED_SIGN_LANGUAGE, LM__ACCESS_NEED__ACCESS_NEED_BRAILLE,
		                   LM__ACCESS_NEED__ACCESS_NEED_BRAILLE };
	asked_init(&a);
	a.payload.access = needs;
	a.payload.n_access = 2;
	assert_string_equal(wrong(&a), "");
	a.payload.n_access = 3;
	assert_string_equal(wrong(&a), "access unknown-field");
	static const int strange[] = { LM__ACCESS_NEED__ACCESS_NEED_NONE, 10, 33, -1 };
	for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
		needs[1] = (Lm__AccessNeed)strange[i];
		a.payload.n_access = 2;
		assert_string_equal(wrong(&a), "access unknown-field");
		assert_int_equal(access_bits(needs, 2), 1u << LM__ACCESS_NEED__ACCESS_NEED_SIGN_LANGUAGE);
	}
}

/* On the day in Shanghai, whatever day it is elsewhere. */
static void test_14_on_the_day(void **state)
{
	(void)state;
	static const struct {
		const char *born;
		bool is_child;
	} rows[] = {
		{ "2012-11-22", false }, { "2012-11-23", true },  { "2012-12-01", true },
		{ "2013-01-01", true },  { "2012-11-21", false }, { "2011-12-31", false },
		{ "1949-12-31", false }, { "2026-11-21", true },  { "2012-02-29", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct asked a;
		asked_init(&a);
		answer(&a, 2, rows[i].born);
		if ((strstr(wrong(&a), "guardian") != NULL) != rows[i].is_child)
			fail_msg("born %s: %s", rows[i].born, wrong(&a));
		if (rows[i].is_child) {
			carer_give(&a);
			assert_string_equal(wrong(&a), "");
		}
	}
	struct asked a;
	asked_init(&a);
	answer(&a, 2, "2012-02-29");
	/* 2026-02-28T12:00Z and 2026-03-01T00:00 in Shanghai */
	assert_int_equal(request_check(&a.service, &a.payload, 1772280000000, NULL, 0), 6);
	assert_int_equal(request_check(&a.service, &a.payload, 1772294400000, NULL, 0), 0);
}

static void test_the_number_tells_the_age(void **state)
{
	(void)state;
	struct asked a;
	asked_init(&a);
	answer(&a, 1, "990114201602290010"); /* another's check character: still a number of a child */
	assert_non_null(strstr(wrong(&a), "carer.name required"));
	a.field[1].meaning = LM__FIELD_MEANING__FIELD_MEANING_NONE; /* of somebody else */
	assert_null(strstr(wrong(&a), "guardian"));
	asked_init(&a);
	answer(&a, 1, "9901142016022900"); /* too short to tell */
	assert_string_equal(wrong(&a), "number not-an-id-number");
	answer(&a, 1, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
	assert_string_equal(wrong(&a), "number not-an-id-number");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_consent_is_needed),
		cmocka_unit_test(test_a_needed_sharing_cannot_be_refused),
		cmocka_unit_test(test_health_is_asked_for_only_when_told),
		cmocka_unit_test(test_nothing_that_was_not_asked),
		cmocka_unit_test(test_older_revisions_ask_nothing),
		cmocka_unit_test(test_a_guardian_agrees_for_a_child),
		cmocka_unit_test(test_somebody_acts_for_a_grown_person),
		cmocka_unit_test(test_how_somebody_is_served),
		cmocka_unit_test(test_14_on_the_day),
		cmocka_unit_test(test_the_number_tells_the_age),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

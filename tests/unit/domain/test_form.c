/* Answers against a service's fields: every type, its edges, and forms that are wrong as a whole. */
#include "fixture.h"

#define TYPE(name) LM__FIELD_TYPE__FIELD_TYPE_##name
#define HAN_10 "一二三四五六七八九十"
#define HAN_50 HAN_10 HAN_10 HAN_10 HAN_10 HAN_10
#define DIGITS_17 "11010519491231002"

static const struct row {
	Lm__FieldType type;
	int64_t least, most;
	const char *value;
	const char *rule; /* NULL: right */
	int64_t fault_least, fault_most;
} rows[] = {
	/* text: characters, not bytes */
	{ TYPE(TEXT), 2, 4, "ab", NULL, 0, 0 },
	{ TYPE(TEXT), 2, 4, "abcd", NULL, 0, 0 },
	{ TYPE(TEXT), 2, 4, "a", "too-short", 2, 4 },
	{ TYPE(TEXT), 2, 4, "abcde", "too-long", 2, 4 },
	{ TYPE(TEXT), 2, 4, "一二三四", NULL, 0, 0 },
	{ TYPE(TEXT), 2, 4, "一二三四五", "too-long", 2, 4 },
	{ TYPE(TEXT), 0, 4, "\xff", "not-text", 0, 4 },
	{ TYPE(TEXT), 0, 4, "\xe4\xb8", "not-text", 0, 4 },
	{ TYPE(LONG_TEXT), 0, 300, "line\nline", NULL, 0, 0 },
	{ TYPE(LONG_TEXT), 0, 9, HAN_10, "too-long", 0, 9 },
	{ TYPE(LONG_TEXT), 3, 9, "一", "too-short", 3, 9 },
	{ TYPE(LONG_TEXT), 0, 300, "\xed\xa0\x80", "not-text", 0, 300 },
	/* numbers */
	{ TYPE(NUMBER), 0, 0, "0", NULL, 0, 0 },
	{ TYPE(NUMBER), 0, 0, "-5", NULL, 0, 0 },
	{ TYPE(NUMBER), 0, 0, "999999999999999", NULL, 0, 0 },
	{ TYPE(NUMBER), 0, 0, "1000000000000000", "not-a-number", 0, 0 },
	{ TYPE(NUMBER), 0, 0, "99999999999999999999", "not-a-number", 0, 0 },
	{ TYPE(NUMBER), 40, 250, "40", NULL, 0, 0 },
	{ TYPE(NUMBER), 40, 250, "250", NULL, 0, 0 },
	{ TYPE(NUMBER), 40, 250, "39", "too-small", 40, 250 },
	{ TYPE(NUMBER), 40, 250, "251", "too-big", 40, 250 },
	{ TYPE(NUMBER), 40, 250, "-40", "too-small", 40, 250 },
	{ TYPE(NUMBER), -10, 0, "-10", NULL, 0, 0 },
	{ TYPE(NUMBER), -10, 0, "1", "too-big", -10, 0 },
	{ TYPE(NUMBER), 0, 0, "-", "not-a-number", 0, 0 },
	{ TYPE(NUMBER), 0, 0, "--5", "not-a-number", 0, 0 },
	{ TYPE(NUMBER), 0, 0, "+5", "not-a-number", 0, 0 },
	{ TYPE(NUMBER), 0, 0, "5.0", "not-a-number", 0, 0 },
	{ TYPE(NUMBER), 0, 0, "5 ", "not-a-number", 0, 0 },
	{ TYPE(NUMBER), 0, 0, "1e3", "not-a-number", 0, 0 },
	{ TYPE(NUMBER), 0, 0, "五", "not-a-number", 0, 0 },
	{ TYPE(NUMBER), 0, 0, "５", "not-a-number", 0, 0 },
	/* money: yuan in, fen compared */
	{ TYPE(MONEY), 0, 100000, "0", NULL, 0, 0 },
	{ TYPE(MONEY), 0, 100000, "1000", NULL, 0, 0 },
	{ TYPE(MONEY), 0, 100000, "1000.00", NULL, 0, 0 },
	{ TYPE(MONEY), 0, 100000, "1000.01", "too-big", 0, 100000 },
	{ TYPE(MONEY), 0, 100000, "1000.1", "too-big", 0, 100000 },
	{ TYPE(MONEY), 150, 100000, "1.5", NULL, 0, 0 },
	{ TYPE(MONEY), 150, 100000, "1.49", "too-small", 150, 100000 },
	{ TYPE(MONEY), 150, 100000, "1.05", "too-small", 150, 100000 },
	{ TYPE(MONEY), 0, 0, "9999999999999.99", NULL, 0, 0 },
	{ TYPE(MONEY), 0, 0, "10000000000000", "not-money", 0, 0 },
	{ TYPE(MONEY), 0, 0, "1.", "not-money", 0, 0 },
	{ TYPE(MONEY), 0, 0, ".5", "not-money", 0, 0 },
	{ TYPE(MONEY), 0, 0, "1.234", "not-money", 0, 0 },
	{ TYPE(MONEY), 0, 0, "-1", "not-money", 0, 0 },
	{ TYPE(MONEY), 0, 0, "1,000", "not-money", 0, 0 },
	{ TYPE(MONEY), 0, 0, "1.2.3", "not-money", 0, 0 },
	/* dates that there are */
	{ TYPE(DATE), 0, 0, "2026-11-21", NULL, 0, 0 },
	{ TYPE(DATE), 0, 0, "2024-02-29", NULL, 0, 0 },
	{ TYPE(DATE), 0, 0, "2000-02-29", NULL, 0, 0 },
	{ TYPE(DATE), 0, 0, "1900-02-29", "not-a-date", 0, 0 },
	{ TYPE(DATE), 0, 0, "2023-02-29", "not-a-date", 0, 0 },
	{ TYPE(DATE), 0, 0, "2026-04-31", "not-a-date", 0, 0 },
	{ TYPE(DATE), 0, 0, "2026-13-01", "not-a-date", 0, 0 },
	{ TYPE(DATE), 0, 0, "2026-00-01", "not-a-date", 0, 0 },
	{ TYPE(DATE), 0, 0, "2026-01-00", "not-a-date", 0, 0 },
	{ TYPE(DATE), 0, 0, "1899-12-31", "not-a-date", 0, 0 },
	{ TYPE(DATE), 0, 0, "2026-1-01", "not-a-date", 0, 0 },
	{ TYPE(DATE), 0, 0, "2026/01/01", "not-a-date", 0, 0 },
	{ TYPE(DATE), 0, 0, "2026-01-011", "not-a-date", 0, 0 },
	{ TYPE(DATE), 0, 0, "2O26-01-01", "not-a-date", 0, 0 },
	/* choices "a" and "b" */
	{ TYPE(CHOICE), 0, 0, "a", NULL, 0, 0 },
	{ TYPE(CHOICE), 0, 0, "c", "not-a-choice", 0, 0 },
	{ TYPE(CHOICE), 0, 0, "A", "not-a-choice", 0, 0 },
	{ TYPE(CHOICE), 0, 0, "ab", "not-a-choice", 0, 0 },
	{ TYPE(SEVERAL), 0, 0, "b", NULL, 0, 0 },
	{ TYPE(SEVERAL), 2, 2, "b", "too-few", 2, 2 },
	{ TYPE(SEVERAL), 0, 0, "c", "not-a-choice", 0, 0 },
	{ TYPE(YES_NO), 0, 0, "yes", NULL, 0, 0 },
	{ TYPE(YES_NO), 0, 0, "no", NULL, 0, 0 },
	{ TYPE(YES_NO), 0, 0, "unknown", NULL, 0, 0 },
	{ TYPE(YES_NO), 0, 0, "true", "not-a-choice", 0, 0 },
	{ TYPE(YES_NO), 0, 0, "Yes", "not-a-choice", 0, 0 },
	/* people, numbers, ways to reach them */
	{ TYPE(PERSON), 0, 0, "阿卜杜热合曼·买买提", NULL, 0, 0 },
	{ TYPE(PERSON), 0, 0, HAN_50, NULL, 0, 0 },
	{ TYPE(PERSON), 0, 0, HAN_50 "一", "too-long", 1, 50 },
	{ TYPE(PERSON), 0, 5, "一二三四五六", "too-long", 1, 5 },
	{ TYPE(PERSON), 0, 0, "\xc0\x80", "not-text", 0, 0 },
	{ TYPE(ADDRESS), 0, 0, "嘉定区某路1号", NULL, 0, 0 },
	{ TYPE(ADDRESS), 0, 0, HAN_50 HAN_50 HAN_10 HAN_10, NULL, 0, 0 },
	{ TYPE(ADDRESS), 0, 0, HAN_50 HAN_50 HAN_10 HAN_10 "一", "too-long", 1, 120 },
	{ TYPE(CERTIFICATE), 0, 0, DIGITS_17 "X41", NULL, 0, 0 },
	{ TYPE(CERTIFICATE), 0, 0, DIGITS_17 "X41B1", NULL, 0, 0 },
	{ TYPE(CERTIFICATE), 0, 0, DIGITS_17 "X74B12", NULL, 0, 0 },
	{ TYPE(CERTIFICATE), 0, 0, DIGITS_17 "X81", "not-a-certificate", 0, 0 },
	{ TYPE(CERTIFICATE), 0, 0, DIGITS_17 "X45", "not-a-certificate", 0, 0 },
	{ TYPE(CERTIFICATE), 0, 0, DIGITS_17 "141", "not-a-certificate", 0, 0 },
	{ TYPE(CERTIFICATE), 0, 0, DIGITS_17 "X", "not-a-certificate", 0, 0 },
	{ TYPE(CERTIFICATE), 0, 0, DIGITS_17 "X41B123", "not-a-certificate", 0, 0 },
	{ TYPE(ID_NUMBER), 0, 0, DIGITS_17 "X", NULL, 0, 0 },
	{ TYPE(ID_NUMBER), 0, 0, DIGITS_17 "0", "not-an-id-number", 0, 0 },
	{ TYPE(ID_NUMBER), 0, 0, "110105194912310", "not-an-id-number", 0, 0 },
	{ TYPE(ID_NUMBER), 0, 0, DIGITS_17 "X41", "not-an-id-number", 0, 0 },
	{ TYPE(PHONE), 0, 0, "13800138000", NULL, 0, 0 },
	{ TYPE(PHONE), 0, 0, "000-5999 0000", NULL, 0, 0 },
	{ TYPE(PHONE), 0, 0, "+86 138 0013 8000", NULL, 0, 0 },
	{ TYPE(PHONE), 0, 0, "123456", "not-a-phone", 0, 0 },
	{ TYPE(PHONE), 0, 0, "1234567890123456", "not-a-phone", 0, 0 },
	{ TYPE(PHONE), 0, 0, "1380013800a", "not-a-phone", 0, 0 },
	{ TYPE(PHONE), 0, 0, "1234567------------------", "not-a-phone", 0, 0 },
	{ TYPE(PLACE), 0, 0, "310114106001", NULL, 0, 0 },
	{ TYPE(PLACE), 0, 0, "310114106", "not-a-place", 0, 0 },
	{ TYPE(PLACE), 0, 0, "310114106001-T1", "not-a-place", 0, 0 },
	{ TYPE(PLACE), 0, 0, "somewhere", "not-a-place", 0, 0 },
	/* a type of a newer version */
	{ TYPE(NONE), 0, 0, "x", "unknown-field", 0, 0 },
	{ (Lm__FieldType)99, 0, 0, "x", "unknown-field", 0, 0 },
};

struct form {
	Lm__Service service;
	Lm__Field field[2], *fields[2];
	Lm__FieldChoice choice[2], *choices[2];
	Lm__FieldValue value[3], *values[3];
	char *texts[3][4];
	struct form_fault faults[8];
};

/* Field "f" as given, which is asked first, and an optional text "g". */
static void form_init(struct form *f, Lm__FieldType type, int64_t least, int64_t most)
{
	memset(f, 0, sizeof *f);
	lm__service__init(&f->service);
	for (size_t i = 0; i < 2; i++) {
		lm__field__init(&f->field[i]);
		lm__field_choice__init(&f->choice[i]);
		f->fields[i] = &f->field[i];
		f->choices[i] = &f->choice[i];
	}
	for (size_t i = 0; i < 3; i++) {
		lm__field_value__init(&f->value[i]);
		f->value[i].values = f->texts[i];
		f->values[i] = &f->value[i];
	}
	f->choice[0].id = "a";
	f->choice[1].id = "b";
	f->field[0].id = "f";
	f->field[0].type = type;
	f->field[0].least = least;
	f->field[0].most = most;
	f->field[0].choices = f->choices;
	f->field[0].n_choices = type == TYPE(CHOICE) || type == TYPE(SEVERAL) ? 2 : 0;
	f->field[1].id = "g";
	f->field[1].type = TYPE(TEXT);
	f->field[1].most = 10;
	f->service.fields = f->fields;
	f->service.n_fields = 2;
}

static void form_give(struct form *f, size_t i, const char *field, const char *first, const char *second)
{
	f->value[i].field = (char *)(uintptr_t)field;
	f->texts[i][0] = (char *)(uintptr_t)first;
	f->texts[i][1] = (char *)(uintptr_t)second;
	f->value[i].n_values = !first ? 0 : !second ? 1 : 2;
}

static size_t form_run(struct form *f, size_t count)
{
	memset(f->faults, 0, sizeof f->faults);
	return form_check(&f->service, f->values, count, f->faults, 8);
}

static void test_values(void **state)
{
	(void)state;
	assert_true(sizeof rows / sizeof *rows >= 80);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct form f;
		form_init(&f, r->type, r->least, r->most);
		form_give(&f, 0, "f", r->value, NULL);
		size_t count = form_run(&f, 1);
		const char *rule = count ? f.faults[0].rule : NULL;
		if (count != (r->rule != NULL) || (rule && strcmp(rule, r->rule) != 0))
			fail_msg("row %zu, type %d, \"%s\": %s, not %s", i, (int)r->type, r->value,
			         rule ? rule : "right", r->rule ? r->rule : "right");
		if (!rule)
			continue;
		assert_string_equal(f.faults[0].field, "f");
		assert_int_equal(f.faults[0].least, r->fault_least);
		assert_int_equal(f.faults[0].most, r->fault_most);
	}
}

/* Every type is in the table, with a right and a wrong value. */
static void test_no_type_is_left_out(void **state)
{
	(void)state;
	for (Lm__FieldType type = TYPE(TEXT); type <= TYPE(PLACE); type++) {
		size_t right = 0, wrong = 0;
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
			right += rows[i].type == type && !rows[i].rule;
			wrong += rows[i].type == type && rows[i].rule;
		}
		assert_true(right && wrong);
	}
	assert_null(protobuf_c_enum_descriptor_get_value(&lm__field_type__descriptor, TYPE(PLACE) + 1));
}

static void test_required(void **state)
{
	(void)state;
	for (Lm__FieldType type = TYPE(TEXT); type <= TYPE(PLACE); type++) {
		struct form f;
		form_init(&f, type, 0, type == TYPE(TEXT) ? 5 : 0);
		form_give(&f, 0, "f", "", NULL);
		assert_int_equal(form_run(&f, 1), 0);
		f.field[0].is_required = true;
		assert_int_equal(form_run(&f, 1), 1); /* empty */
		assert_string_equal(f.faults[0].rule, "required");
		assert_int_equal(form_run(&f, 0), 1); /* not there */
		form_give(&f, 0, "f", NULL, NULL);
		assert_int_equal(form_run(&f, 1), 1); /* no value in it */
		assert_string_equal(f.faults[0].field, "f");
	}
}

static void test_several(void **state)
{
	(void)state;
	struct form f;
	form_init(&f, TYPE(SEVERAL), 1, 2);
	form_give(&f, 0, "f", "a", "b");
	assert_int_equal(form_run(&f, 1), 0);
	form_give(&f, 0, "f", "a", "a");
	assert_int_equal(form_run(&f, 1), 1);
	assert_string_equal(f.faults[0].rule, "not-a-choice");
	form_give(&f, 0, "f", "a", "");
	assert_int_equal(form_run(&f, 1), 1);
	f.field[0].most = 1;
	form_give(&f, 0, "f", "a", "b");
	assert_int_equal(form_run(&f, 1), 1);
	assert_string_equal(f.faults[0].rule, "too-many");
	assert_int_equal(f.faults[0].most, 1);
	f.field[0].most = 0; /* all of them */
	assert_int_equal(form_run(&f, 1), 0);
	f.value[0].n_values = 3;
	f.texts[0][2] = "a";
	assert_int_equal(form_run(&f, 1), 1);
	assert_string_equal(f.faults[0].rule, "too-many");
	form_init(&f, TYPE(CHOICE), 0, 0); /* one choice is one */
	form_give(&f, 0, "f", "a", "b");
	assert_int_equal(form_run(&f, 1), 1);
	assert_string_equal(f.faults[0].rule, "too-many");
}

static void test_unknown_and_double_fields(void **state)
{
	(void)state;
	struct form f;
	form_init(&f, TYPE(TEXT), 0, 5);
	form_give(&f, 0, "f", "one", NULL);
	form_give(&f, 1, "f", "two", NULL);
	form_give(&f, 2, "elsewhere", "x", NULL);
	assert_int_equal(form_run(&f, 3), 2);
	assert_string_equal(f.faults[0].rule, "unknown-field");
	assert_string_equal(f.faults[0].field, "f");
	assert_string_equal(f.faults[1].field, "elsewhere");
	assert_int_equal(form_check(&f.service, f.values, 3, NULL, 0), 2); /* counted without being written */
}

static void test_hostile_sizes(void **state)
{
	(void)state;
	struct form f;
	char *big = malloc(9001);
	assert_non_null(big);
	memset(big, '1', 9000);
	big[9000] = '\0';
	for (Lm__FieldType type = TYPE(TEXT); type <= TYPE(PLACE); type++) {
		form_init(&f, type, 0, type == TYPE(TEXT) ? 2000 : 0);
		form_give(&f, 0, "f", big, NULL);
		assert_int_equal(form_run(&f, 1), 1);
		assert_string_equal(f.faults[0].rule, "too-long");
	}
	free(big);
	/* As many values and as many choices as a message holds: counted, and soon. */
	static Lm__FieldValue *many[4096];
	static char *texts[4096];
	form_init(&f, TYPE(SEVERAL), 0, 0);
	form_give(&f, 0, "f", "a", NULL);
	for (size_t i = 0; i < 4096; i++) {
		many[i] = &f.value[0];
		texts[i] = "a";
	}
	assert_int_equal(form_check(&f.service, many, 4096, f.faults, 8), 4095);
	f.value[0].values = texts;
	f.value[0].n_values = 4096;
	assert_int_equal(form_run(&f, 1), 1);
	assert_string_equal(f.faults[0].rule, "too-many");
}

static void test_value_by_meaning(void **state)
{
	(void)state;
	struct form f;
	Lm__FieldMeaning name = LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_NAME,
	                 phone = LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_PHONE;
	form_init(&f, TYPE(PERSON), 0, 0);
	f.field[0].meaning = name;
	form_give(&f, 0, "g", "other", NULL);
	form_give(&f, 1, "f", "张三", NULL);
	assert_string_equal(form_value(&f.service, f.values, 2, name), "张三");
	assert_null(form_value(&f.service, f.values, 1, name));
	assert_null(form_value(&f.service, f.values, 2, phone));
	form_give(&f, 1, "f", "", NULL);
	assert_null(form_value(&f.service, f.values, 2, name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),           cmocka_unit_test(test_no_type_is_left_out),
		cmocka_unit_test(test_required),         cmocka_unit_test(test_several),
		cmocka_unit_test(test_hostile_sizes),    cmocka_unit_test(test_unknown_and_double_fields),
		cmocka_unit_test(test_value_by_meaning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

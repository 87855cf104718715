/* Pinyin: what is found, how it is told apart, and that nothing is learned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "typing/typing.h"

static struct typing *typing;
static struct arena arena;

static int group_setup(void **state)
{
	struct error e;
	(void)state;
	return typing_open(LM_PINYIN_DATA, &typing, &e);
}

static int group_teardown(void **state)
{
	(void)state;
	typing_close(typing);
	arena_release(&arena);
	return 0;
}

static int find(const char *letters, unsigned from, unsigned most, Lm__PinyinView *out)
{
	Lm__PinyinCommand in = LM__PINYIN_COMMAND__INIT;
	struct error e;
	in.letters = (char *)(uintptr_t)letters;
	in.from = from;
	in.most = most;
	return typing_find(typing, &in, &arena, out, &e);
}

/* The candidate with this text, wherever it is; NULL: there is none. */
static const Lm__PinyinCandidate *candidate(const char *letters, const char *text)
{
	Lm__PinyinView view;
	unsigned from = 0;
	do {
		assert_int_equal(OK, find(letters, from, 0, &view));
		for (size_t i = 0; i < view.n_candidates; i++)
			if (strcmp(view.candidates[i]->text, text) == 0)
				return view.candidates[i];
		from += TYPING_PAGE_MOST;
	} while (from < view.total);
	return NULL;
}

static void test_phrases_and_names_are_found(void **state)
{
	(void)state;
	static const struct {
		const char *letters, *text;
		unsigned taken;
	} wanted[] = {
		{ "shenfenzheng", "身份证", 12 },
		{ "wangkun", "王堃", 7 },
		{ "wangkun", "王", 4 },
		{ "kun", "堃", 3 },
		{ "rong", "镕", 4 },
		{ "zhe", "喆", 3 },
		{ "lv", "吕", 2 },
		{ "xian", "西安", 4 },
		{ "xi'an", "西安", 5 },
		{ "xi'an", "西", 2 },
		{ "wangk", "王", 4 },
		{ "chongmingqu", "崇明区", 11 },
	};
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		const Lm__PinyinCandidate *found = candidate(wanted[i].letters, wanted[i].text);
		assert_non_null(found);
		assert_int_equal(wanted[i].taken, found->letters);
	}
}

static void test_homophones_are_told_apart(void **state)
{
	(void)state;
	assert_string_equal("方方土", candidate("kun", "堃")->told);
	assert_string_equal("中国的中", candidate("zhong", "中")->told);
	assert_string_not_equal(candidate("zhong", "重")->told, candidate("chong", "重")->told);
	assert_string_equal("", candidate("shenfenzheng", "身份证")->told); /* a word tells itself */
}

static void test_pages_are_parts_of_one_list(void **state)
{
	(void)state;
	Lm__PinyinView all, part;
	assert_int_equal(OK, find("shi", 0, 0, &all));
	assert_int_equal(TYPING_PAGE_MOST, all.n_candidates);
	assert_true(all.total > TYPING_PAGE_MOST);
	assert_int_equal(OK, find("shi", 5, 3, &part));
	assert_int_equal(3, part.n_candidates);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(all.candidates[5 + i]->text, part.candidates[i]->text);
	assert_int_equal(OK, find("shi", all.total, 0, &part));
	assert_int_equal(0, part.n_candidates);
	assert_int_equal(OK, find("shi", UINT32_MAX, UINT32_MAX, &part));
	assert_int_equal(0, part.n_candidates);
	assert_int_equal(OK, find("shi", 0, UINT32_MAX, &part));
	assert_int_equal(TYPING_PAGE_MOST, part.n_candidates);
}

static void test_bounds(void **state)
{
	(void)state;
	Lm__PinyinView view;
	char letters[TYPING_LETTERS_MOST + 2];
	memset(letters, 'a', sizeof letters);
	letters[TYPING_LETTERS_MOST + 1] = '\0';
	assert_int_equal(ERR_INVALID, find(letters, 0, 0, &view));
	letters[TYPING_LETTERS_MOST] = '\0';
	assert_int_equal(OK, find(letters, 0, 0, &view));
	assert_true(view.n_candidates > 0);
	assert_int_equal(ERR_INVALID, find("Wang", 0, 0, &view));
	assert_int_equal(ERR_INVALID, find("王", 0, 0, &view));
	assert_int_equal(OK, find("", 0, 0, &view));
	assert_int_equal(0, view.n_candidates);
	static const char *const odd[] = { "'", "''''", "vvvv", "i", "u", "uuu'iii", "q'w'e'r't", "zhzhzh", "nvnv'" };
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		assert_int_equal(OK, find(odd[i], 0, 0, &view));
		for (size_t k = 0; k < view.n_candidates; k++)
			assert_in_range(view.candidates[k]->letters, 1, strlen(odd[i]));
	}
}

/* Candidates are looked at, which chooses each for a moment; the order is as it was. */
static void test_nothing_is_learned(void **state)
{
	(void)state;
	Lm__PinyinView before, after;
	assert_int_equal(OK, find("wangkun", 0, 0, &before));
	for (int i = 0; i < 200; i++)
		assert_non_null(candidate("wangkun", "王堃"));
	assert_int_equal(OK, find("wangkun", 0, 0, &after));
	assert_int_equal(before.total, after.total);
	for (size_t i = 0; i < before.n_candidates; i++)
		assert_string_equal(before.candidates[i]->text, after.candidates[i]->text);
}

static void test_no_dictionaries(void **state)
{
	(void)state;
	struct typing *none;
	struct error e;
	assert_int_equal(ERR_CONFIG, typing_open("/nonexistent", &none, &e));
	assert_non_null(strstr(e.text, "libpinyin-data"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_phrases_and_names_are_found), cmocka_unit_test(test_homophones_are_told_apart),
		cmocka_unit_test(test_pages_are_parts_of_one_list), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_nothing_is_learned),          cmocka_unit_test(test_no_dictionaries),
	};
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

/* What a voice is given to read: numbers, codes, words, and what nobody should hear. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/files.h"
#include "speech/normalise.h"

static struct lexicon *lexicon;

static void expect_in(enum speech_language language, const char *text, const char *expected)
{
	struct buffer out = { 0 };
	struct error e;
	assert_int_equal(speech_normalise(lexicon, language, bytes_from_text(text), &out, &e), OK);
	assert_int_equal(buffer_append(&out, BYTES("", 1)), OK);
	assert_string_equal((const char *)out.data, expected);
	buffer_release(&out);
}

static void expect(const char *text, const char *expected)
{
	expect_in(SPEECH_CHINESE, text, expected);
}

static void test_numbers(void **state)
{
	(void)state;
	expect("共0项", "共零项");
	expect("10", "十");
	expect("12", "十二");
	expect("20", "二十");
	expect("101", "一百零一");
	expect("110个", "一百一十个");
	expect("1001", "一千零一");
	expect("1010", "一千零一十");
	expect("10010", "一万零一十");
	expect("100000", "十万");
	expect("200300", "二十万零三百");
	expect("1,234,567", "一百二十三万四千五百六十七");
	expect("3.14", "三点一四");
	expect("-3度", "负三度");
	expect("3-5天", "三到五天");
	expect("3~5天", "三到五天");
	expect("35%", "百分之三十五");
	expect("１２步", "十二步");
	expect("2个", "两个");
	expect("12个", "十二个");
	expect("1.2个", "一点二个");
	expect("102个", "一百零二个");
}

static void test_days_and_times(void **state)
{
	(void)state;
	expect("2026年11月22日", "二零二六年十一月二十二日");
	expect("2026-11-22", "二零二六年十一月二十二日");
	expect("2026/1/2。", "二零二六年一月二日。");
	expect("9:05", "九点零五分");
	expect("18:00开", "十八点整开");
	expect("12:30:59", "十二点三十分");
	expect("99:99", "九十九:九十九"); /* no time */
	expect_in(SPEECH_ENGLISH, "On 2026-11-22 at 9:00", "On 22 November 2026 at 9 o'clock");
}

static void test_money(void **state)
{
	(void)state;
	expect("￥12.50", "十二元五角");
	expect("¥0.05", "零元零五分");
	expect("12.05元", "十二元零五分");
	expect("300元", "三百元");
	expect("10000000元", "一千万元");
	expect("¥1,234.5", "一千二百三十四元五角");
	expect_in(SPEECH_ENGLISH, "¥12.5", "12.5 yuan");
	expect_in(SPEECH_ENGLISH, "35%", "35 per cent");
}

static void test_codes(void **state)
{
	(void)state;
	expect("1234 5678 9012", "幺二三四，五六七八，九零幺二");
	expect("123456789012", "幺二三四，五六七八，九零幺二");
	expect("13912345678", "幺三九，幺二三四，五六七八");
	expect("021-5954 0000", "零二幺，五九五四，零零零零");
	expect("11010119900307001X", "幺幺零幺，零幺幺九，九零零三，零七零零，幺 X ");
	expect("007", "零零七");
	expect("拨打12385。", "拨打幺二三八五。");
	expect("912385", "九十一万二千三百八十五"); /* not the number of the line for us in it */
	expect_in(SPEECH_ENGLISH, "code 1234 5678 9012", "code 1 2 3 4 , 5 6 7 8 , 9 0 1 2 ");
}

static void test_words(void **state)
{
	(void)state;
	expect("去银行，在重庆", "去银航，在虫庆");
	expect("Wi-Fi和WAV文件", "Wi-Fi和WAV文件");
	expect_in(SPEECH_ENGLISH, "银行", "银行");
}

static void test_hostile(void **state)
{
	(void)state;
	struct buffer out = { 0 };
	struct error e;
	expect("\xe2\x80\xae"
	       "abc\xe2\x80\xac\x01\x7f"
	       "d\xef\xbb\xbf",
	       "abc d");
	expect("[[hI]]<b>|", "  hI   b  ");
	expect("一\n二", "一。二");
	assert_int_equal(speech_normalise(lexicon, SPEECH_CHINESE, BYTES("\xff", 1), &out, &e), ERR_INVALID);
	char *many = malloc(30001);
	assert_non_null(many);
	for (int i = 0; i < 10000; i++)
		memcpy(many + 3 * i, "好", 3);
	assert_int_equal(speech_normalise(lexicon, SPEECH_CHINESE, BYTES(many, 30000), &out, &e), OK);
	assert_int_equal(out.size, 3 * SPEECH_POINTS_MOST);
	buffer_clear(&out);
	memset(many, '1', 30000);
	assert_int_equal(speech_normalise(lexicon, SPEECH_CHINESE, BYTES(many, 30000), &out, &e), OK);
	assert_true(out.size < SPEECH_OUT_BYTES_MOST && utf8_length(buffer_bytes(&out)) > 0);
	buffer_clear(&out);
	for (int i = 0; i < 30000; i++)
		many[i] = "1-%.,:2 ¥"[i % 8];
	assert_int_equal(speech_normalise(lexicon, SPEECH_CHINESE, BYTES(many, 30000), &out, &e), OK);
	buffer_release(&out);
	free(many);
}

/* Every start of a text, so that nothing is looked at behind the end. */
static void test_cut_short(void **state)
{
	(void)state;
	const char *text = "-2026-11-22 9:05:01 ¥1,234.50元 35% 3-5 021-5954 0000 11010119900307001X 2个";
	for (size_t size = 0; size <= strlen(text); size++) {
		struct buffer out = { 0 };
		char *cut = malloc(size + 1);
		assert_non_null(cut);
		memcpy(cut, text, size);
		int result = speech_normalise(lexicon, SPEECH_CHINESE, BYTES(cut, size), &out, NULL);
		assert_true(result == OK || result == ERR_INVALID); /* cut within a character */
		buffer_release(&out);
		free(cut);
	}
}

static void test_lexicon_wrong(void **state)
{
	(void)state;
	struct lexicon *l = NULL;
	struct error e;
	const char *const wrong[] = { "银行",     "\t银航",   "银行\t",
		                      "好\t\xff", "好\t坏\r", "一二三四五六七八九十一二三\t长" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(lexicon_parse("test", bytes_from_text(wrong[i]), &l, &e), ERR_INVALID);
		assert_non_null(strstr(e.text, "line 1"));
	}
	assert_null(l);
	assert_int_equal(lexicon_parse("test", bytes_from_text("# nothing\n\n"), &l, &e), OK);
	lexicon_free(l);
}

static int lexicon_open(void **state)
{
	(void)state;
	struct buffer text = { 0 };
	struct error e;
	int result = file_read(TOP "/deploy/speech/lexicon-zh.tsv", LEXICON_BYTES_MOST, &text, &e);
	if (!result)
		result = lexicon_parse("lexicon-zh.tsv", buffer_bytes(&text), &lexicon, &e);
	buffer_release(&text);
	return result;
}

static int lexicon_close(void **state)
{
	(void)state;
	lexicon_free(lexicon);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),   cmocka_unit_test(test_days_and_times), cmocka_unit_test(test_money),
		cmocka_unit_test(test_codes),     cmocka_unit_test(test_words),          cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_cut_short), cmocka_unit_test(test_lexicon_wrong),
	};
	return cmocka_run_group_tests_name("normalise", tests, lexicon_open, lexicon_close);
}

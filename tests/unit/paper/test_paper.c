/* Letters as PDF: the same bytes each time, pages as many as it takes, and limits. What can be read of them is asked of
 * pdftotext by tests/system/test_letters.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "paper/paper.h"

static struct arena arena;

static int begin(void **state)
{
	(void)state;
	arena_init(&arena, 16u * 1024 * 1024);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static struct paper letter(const struct paper_part *parts, size_t count)
{
	return (struct paper){ .title = "受理通知书",
		               .language = "zh-CN",
		               .foot = "第 {page} 页，共 {pages} 页",
		               .time_ms = 1795302821847,
		               .parts = parts,
		               .part_count = count };
}

static bool has(struct bytes pdf, const char *word)
{
	return memmem(pdf.data, pdf.size, word, strlen(word)) != NULL;
}

static void test_the_same_paper_is_the_same_bytes(void **state)
{
	const char *cells[] = { "街镇", "12", "少于 5" };
	struct paper_part parts[] = { { .kind = PAPER_TITLE, .text = "受理通知书" },
		                      { .kind = PAPER_HEADING, .text = "办理事项" },
		                      { .kind = PAPER_FACT, .label = "姓名", .text = "演示一" },
		                      { .kind = PAPER_TEXT, .text = "我们收到了您的申请。" },
		                      { .kind = PAPER_ROW, .cells = cells, .cell_count = 3 },
		                      { .kind = PAPER_SPACE, .text = "此处盖章" } };
	struct paper p = letter(parts, 6);
	struct bytes one, two;
	struct error e = { 0 };
	(void)state;
	assert_int_equal(paper_pdf(&p, &arena, &one, &e), OK);
	assert_int_equal(paper_pdf(&p, &arena, &two, &e), OK);
	assert_true(bytes_equal(one, two));
	assert_true(has(one, "%PDF-"));
	assert_true(has(one, "/Lang (zh-CN)"));
	assert_true(has(one, "/DisplayDocTitle true"));
	assert_true(has(one, "20261121231341")); /* what it tells, not when it was made */
	assert_int_equal(memcmp(one.data + one.size - 6, "%%EOF\n", 6), 0);
	p.time_ms += 1000;
	assert_int_equal(paper_pdf(&p, &arena, &two, &e), OK);
	assert_false(bytes_equal(one, two));
}

static void refused(const struct paper *p, int code, const char *word)
{
	struct bytes out = { 0 };
	struct error e = { 0 };
	assert_int_equal(paper_pdf(p, &arena, &out, &e), code);
	assert_null(out.data);
	assert_non_null(strstr(e.text, word));
}

static void test_what_is_too_much_is_refused(void **state)
{
	static char text[PAPER_TEXT_BYTES_MOST + 2];
	static struct paper_part many[PAPER_PARTS_MOST + 1];
	(void)state;
	memset(text, 'W', sizeof text - 1);
	struct paper_part long_text = { .kind = PAPER_TEXT, .text = text };
	struct paper p = letter(&long_text, 1);
	refused(&p, ERR_TOO_BIG, "bytes of text");
	for (size_t i = 0; i < PAPER_PARTS_MOST + 1; i++)
		many[i] = (struct paper_part){ .kind = PAPER_TEXT, .text = "1" };
	p = letter(many, PAPER_PARTS_MOST + 1);
	refused(&p, ERR_TOO_BIG, "parts");
	for (size_t i = 0; i < 500; i++)
		many[i] = (struct paper_part){ .kind = PAPER_SPACE, .text = "" };
	p = letter(many, 500);
	refused(&p, ERR_TOO_BIG, "pages");
	struct paper_part wide = { .kind = PAPER_ROW, .cell_count = PAPER_COLUMNS_MOST + 1 };
	p = letter(&wide, 1);
	refused(&p, ERR_INVALID, "columns");
	struct paper_part bad = { .kind = PAPER_TEXT, .text = "\xff\xfe" };
	p = letter(&bad, 1);
	refused(&p, ERR_INVALID, "UTF-8");
}

static void test_hostile_text_is_only_text(void **state)
{
	static char name[4097];
	struct bytes out;
	struct error e = { 0 };
	(void)state;
	memset(name, 'W', sizeof name - 1);
	struct paper_part parts[] = {
		{ .kind = PAPER_FACT, .label = "<b>姓名</b>", .text = name },
		{ .kind = PAPER_FACT,
		  .label = "",
		  .text = "a\xe2\x80\xae"
		          "b\x01\x1b[31m\xef\xbb\xbf{pages} %s" },
		{ .kind = PAPER_TEXT, .text = "" },
		{ .kind = PAPER_TEXT, .text = NULL },
		{ .kind = PAPER_TEXT, .text = "\n\n\n\n" },
	};
	struct paper p = letter(parts, 5);
	p.title = "a) /JS (x\n%%EOF";
	p.foot = "{pages}{pages}{pages}{pages}{pages}{page";
	assert_int_equal(paper_pdf(&p, &arena, &out, &e), OK);
	assert_false(has(out, "/JS (x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_same_paper_is_the_same_bytes, begin, end),
		cmocka_unit_test_setup_teardown(test_what_is_too_much_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(test_hostile_text_is_only_text, begin, end),
	};
	return cmocka_run_group_tests_name("paper", tests, NULL, NULL);
}

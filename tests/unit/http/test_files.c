/* Pages from the folder: types, caching, and that no path leads out of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

static struct rig rig;
static struct reply reply;

static int setup(void **state)
{
	static const char *const names[] = { "app.js",  "app.css", "logo.svg", "font.woff2",   "data.json",
		                             "dot.png", "plain",   ".hidden",  "sub/page.html" };
	char path[256], inside[256];

	(void)state;
	rig_open(&rig, 600);
	rig_file(&rig, "secret.txt", "TOP SECRET");
	snprintf(path, sizeof(path), "%s/sub", rig.pages);
	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "pages/%s", names[i]);
		rig_file(&rig, path, names[i]);
	}
	snprintf(path, sizeof(path), "%s/secret.txt", rig.folder);
	snprintf(inside, sizeof(inside), "%s/link.txt", rig.pages);
	assert_int_equal(symlink(path, inside), 0);
	snprintf(inside, sizeof(inside), "%s/up", rig.pages);
	assert_int_equal(symlink("..", inside), 0);
	snprintf(inside, sizeof(inside), "%s/same.js", rig.pages);
	assert_int_equal(symlink("app.js", inside), 0);
	/* A neighbour whose name begins like the folder's */
	snprintf(path, sizeof(path), "%s/pages-old", rig.folder);
	assert_int_equal(mkdir(path, 0700), 0);
	rig_file(&rig, "pages-old/secret.txt", "TOP SECRET");
	snprintf(inside, sizeof(inside), "%s/old", rig.pages);
	assert_int_equal(symlink("../pages-old", inside), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_close(&rig, false);
	return 0;
}

static void each_ending_has_its_type(void **state)
{
	static const struct {
		const char *path, *type;
	} pages[] = {
		{ "/", "text/html; charset=utf-8" },
		{ "/index.html", "text/html; charset=utf-8" },
		{ "/sub/page.html", "text/html; charset=utf-8" },
		{ "/app.js", "text/javascript; charset=utf-8" },
		{ "/app.css", "text/css; charset=utf-8" },
		{ "/logo.svg", "image/svg+xml" },
		{ "/font.woff2", "font/woff2" },
		{ "/data.json", "application/json" },
		{ "/dot.png", "image/png" },
		{ "/plain", "application/octet-stream" },
		{ "/same.js?v=1", "text/javascript; charset=utf-8" },
	};
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		assert_int_equal(fetch(&rig, &reply, "GET", pages[i].path, "", NULL), 200);
		snprintf(line, sizeof(line), "Content-Type: %s\r\n", pages[i].type);
		assert_true(has_text(&reply, line));
		assert_true(has_text(&reply, "Cache-Control: no-cache\r\n"));
		assert_true(has_text(&reply, "ETag: \""));
	}
	assert_int_equal(fetch(&rig, &reply, "GET", "/", "", NULL), 200);
	assert_string_equal(reply.body, "<p>home</p>");
}

static void no_path_leads_out(void **state)
{
	static const char *const paths[] = {
		"/../secret.txt",
		"/%2e%2e/secret.txt",
		"/sub/../../secret.txt",
		"/..%2fsecret.txt",
		"/%2e%2e%2fsecret.txt",
		"/sub/..%5c..%5csecret.txt",
		"/link.txt",
		"/up/secret.txt",
		"/old/secret.txt",
		"/.hidden",
		"/./app.js",
		"//etc/passwd",
		"/%2fetc%2fpasswd",
		"/sub",
		"/sub/",
		"/app.js/",
		"/nothing",
		"/nothing.html",
		"/sub/../app.js",
		"/sub%2fpage.html",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int status = fetch(&rig, &reply, "GET", paths[i], "", NULL);
		if (status != 404)
			fail_msg("%s: %d", paths[i], status);
		assert_false(has_text(&reply, "SECRET"));
		assert_true(has_text(&reply, "\"code\":\"not-found\""));
	}
}

static void an_unchanged_page_is_not_sent_again(void **state)
{
	char line[160];

	(void)state;
	assert_int_equal(fetch(&rig, &reply, "GET", "/app.css", "", NULL), 200);
	const char *etag = strstr(reply.text, "ETag: ") + 6;
	snprintf(line, sizeof(line), "If-None-Match: W/\"x\", %.*s\r\n", (int)strcspn(etag, "\r"), etag);
	assert_int_equal(fetch(&rig, &reply, "GET", "/app.css", line, NULL), 304);
	assert_int_equal(strlen(reply.body), 0);
	assert_true(has_text(&reply, "ETag: ") && has_text(&reply, "X-Content-Type-Options: nosniff"));
	usleep(20000);
	rig_file(&rig, "pages/app.css", "app.ccs"); /* the same size */
	assert_int_equal(fetch(&rig, &reply, "GET", "/app.css", line, NULL), 200);
	assert_string_equal(reply.body, "app.ccs");
}

static void pages_take_get_and_head_only(void **state)
{
	(void)state;
	assert_int_equal(fetch(&rig, &reply, "HEAD", "/app.js", "", NULL), 200);
	assert_true(has_text(&reply, "Content-Length: 6\r\n"));
	assert_int_equal(strlen(reply.body), 0);
	assert_int_equal(fetch(&rig, &reply, "POST", "/app.js", "", "{}"), 405);
	assert_true(has_text(&reply, "Allow: GET, HEAD\r\n"));
}

static void a_large_file_comes_whole(void **state)
{
	size_t size = 200 * 1024;
	char *text = malloc(size + 1);

	(void)state;
	for (size_t i = 0; i < size; i++)
		text[i] = (char)('a' + i % 23);
	text[size] = '\0';
	rig_file(&rig, "pages/large.js", text);
	assert_int_equal(fetch(&rig, &reply, "GET", "/large.js", "", NULL), 200);
	assert_string_equal(reply.body, text);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_ending_has_its_type),
		cmocka_unit_test(no_path_leads_out),
		cmocka_unit_test(an_unchanged_page_is_not_sent_again),
		cmocka_unit_test(pages_take_get_and_head_only),
		cmocka_unit_test(a_large_file_comes_whole),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

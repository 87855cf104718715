/* Who is let in: Host, Origin, sessions, CSRF tokens, the Unix socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

#define IDLE_S 2 /* after which the rig's sessions end, or are locked */
#define MOST_S 5 /* after which those of staff are over */

static struct rig rig;
static struct reply reply;

static int setup(void **state)
{
	(void)state;
	rig_open(&rig, IDLE_S);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_close(&rig, false);
	return 0;
}

/* One request with exactly these headers. */
static int raw(const char *method, const char *path, const char *body, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
static int raw(const char *method, const char *path, const char *body, const char *format, ...)
{
	char headers[1024];
	va_list arguments;
	int fd = dial(rig.port);

	va_start(arguments, format);
	vsnprintf(headers, sizeof(headers), format, arguments);
	va_end(arguments);
	ask(fd, &reply, method, path, headers, body);
	close(fd);
	return reply.status;
}

static void only_our_own_names_are_hosts(void **state)
{
	static const char *const right[] = { "127.0.0.1:%u", "localhost:%u", "[::1]:%u" };
	static const char *const wrong[] = { "evil.example:%u",   "localhost",    "localhost.:%u",  "LOCALHOST:%u",
		                             "127.0.0.1:%u.evil", "127.0.0.2:%u", "x@localhost:%u", "" };
	char host[64];

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(host, sizeof(host), right[i], rig.port);
		assert_int_equal(raw("GET", "/api/hello", NULL, "Host: %s\r\n", host), 200);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(host, sizeof(host), wrong[i], rig.port);
#pragma GCC diagnostic pop
		assert_int_equal(raw("GET", "/api/hello", NULL, "Host: %s\r\n", host), 421);
		assert_true(has_text(&reply, "Wrong Host header"));
		assert_int_equal(raw("GET", "/", NULL, "Host: %s\r\n", host), 421);
	}
	assert_int_equal(raw("GET", "/api/hello", NULL, "Host: localhost:%u\r\nHost: evil\r\n", rig.port), 400);
}

static void another_sites_page_cannot_write(void **state)
{
	static const char *const wrong[] = { "http://evil.example", "null", "https://localhost:%u", "http://localhost",
		                             "http://localhost:%u.evil" };
	char origin[64];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(origin, sizeof(origin), wrong[i], rig.port);
#pragma GCC diagnostic pop
		assert_int_equal(raw("POST", "/api/echo", "{}", "Host: localhost:%u\r\n" JSON_TYPE "Origin: %s\r\n",
		                     rig.port, origin),
		                 403);
		assert_true(has_text(&reply, "Wrong Origin header"));
	}
	assert_int_equal(raw("POST", "/api/echo", "{}",
	                     "Host: localhost:%u\r\n" JSON_TYPE "Origin: http://127.0.0.1:%u\r\n", rig.port, rig.port),
	                 201);
}

static void the_public_name_is_a_host_over_tls_only(void **state)
{
	static const char host[] = "Host: desk.example.org:8443\r\n";

	(void)state;
	assert_int_equal(raw("GET", "/api/hello", NULL, "%s", host), 200);
	assert_int_equal(raw("GET", "/api/hello", NULL, "Host: desk.example.org\r\n"), 421);
	assert_int_equal(
	        raw("POST", "/api/echo", "{}", "%s" JSON_TYPE "Origin: https://desk.example.org:8443\r\n", host), 201);
	assert_int_equal(
	        raw("POST", "/api/echo", "{}", "%s" JSON_TYPE "Origin: http://desk.example.org:8443\r\n", host), 403);
	assert_int_equal(
	        raw("POST", "/api/echo", "{}", "%s" JSON_TYPE "Origin: http://127.0.0.1:%u\r\n", host, rig.port), 403);
	assert_int_equal(raw("POST", "/api/echo", "{}",
	                     "Host: localhost:%u\r\n" JSON_TYPE "Origin: https://desk.example.org:8443\r\n", rig.port),
	                 403);
	assert_int_equal(raw("POST", "/api/login?user=a", "{}", "%s" JSON_TYPE, host), 200);
	assert_true(has_text(&reply, "; HttpOnly; SameSite=Strict; Secure\r\n"));
}

static void public_names_are_written_as_browsers_send_them(void **state)
{
	static const char *const right[] = { "desk.example.org", "desk.example.org:8443", "a-1" };
	static const char *const wrong[] = { "",
		                             "https://desk.example.org",
		                             "Desk.example.org",
		                             "desk.example.org:443",
		                             "desk.example.org:",
		                             "desk.example.org/",
		                             ":8443",
		                             "desk.example.org:0" };
	struct error e;

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		assert_int_equal(http_public_name_check(right[i], &e), OK);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(http_public_name_check(wrong[i], &e), ERR_INVALID);
}

static void cross_site_fetches_are_refused(void **state)
{
	static const char site[] = "Sec-Fetch-Site: cross-site\r\n";

	(void)state;
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/hello", site, NULL), 403);
	assert_true(has_text(&reply, "Wrong Sec-Fetch-Site header"));
	assert_int_equal(fetch(&rig, &reply, "POST", "/api/echo", site, "{}"), 403);
	/* A link from another site may open the page itself. */
	assert_int_equal(fetch(&rig, &reply, "GET", "/", site, NULL), 200);
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/hello", "Sec-Fetch-Site: same-origin\r\n", NULL), 200);
}

struct login {
	char cookie[160]; /* a whole header line */
	char csrf[HTTP_CSRF_TEXT_BYTES];
	char token_line[96];
};

static void login(struct login *out, const char *user, const char *headers)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/login?user=%s", user);
	assert_int_equal(fetch(&rig, &reply, "POST", path, headers, "{}"), 200);
	const char *set = strstr(reply.text, "Set-Cookie: lm_test=");
	assert_non_null(set);
	assert_non_null(strstr(set, "; Path=/; HttpOnly; SameSite=Strict\r\n"));
	snprintf(out->cookie, sizeof(out->cookie), "Cookie: a=b; lm_test=%.64s; c=d\r\n",
	         set + strlen("Set-Cookie: lm_test="));
	snprintf(out->csrf, sizeof(out->csrf), "%.64s", strstr(reply.body, "csrf\":\"") + 7);
	snprintf(out->token_line, sizeof(out->token_line), "X-Lm-Csrf: %s\r\n", out->csrf);
}

static int post_me(const struct login *l, const char *token_line)
{
	char headers[512];

	snprintf(headers, sizeof(headers), "%s%s", l->cookie, token_line);
	return fetch(&rig, &reply, "POST", "/api/me", headers, "{}");
}

static void a_session_opens_what_needs_one(void **state)
{
	struct login l;
	char expected[256];

	(void)state;
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/me", "", NULL), 403);
	assert_true(has_text(&reply, "\"code\":\"login\"") && has_text(&reply, "There is no session"));
	login(&l, "wang", "");
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/me", l.cookie, NULL), 200);
	snprintf(expected, sizeof(expected),
	         "{\"user\":\"wang\",\"role\":\"clerk\",\"has\":1,\"csrf\":\"%s\",\"local\":0}", l.csrf);
	assert_string_equal(reply.body, expected);
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/anybody", l.cookie, NULL), 200);
	assert_true(has_text(&reply, "\"user\":\"wang\""));
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/anybody", "", NULL), 200);
	assert_true(has_text(&reply, "\"user\":\"\""));
	l.cookie[strlen(l.cookie) - 10] ^= 1;
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/me", l.cookie, NULL), 403);
}

static void writing_needs_the_sessions_own_token(void **state)
{
	struct login l, other;

	(void)state;
	login(&l, "wang", "");
	login(&other, "li", "");
	assert_int_equal(post_me(&l, l.token_line), 200);
	assert_int_equal(post_me(&l, ""), 403);
	assert_true(has_text(&reply, "CSRF token"));
	assert_int_equal(post_me(&l, other.token_line), 403);
	assert_int_equal(post_me(&l, "X-Lm-Csrf: \r\n"), 403);
	assert_int_equal(post_me(&l, "X-Lm-Csrf: 00\r\n"), 403);
}

static void logging_out_ends_the_session(void **state)
{
	struct login l;
	char headers[512];

	(void)state;
	login(&l, "wang", "");
	snprintf(headers, sizeof(headers), "%s%s", l.cookie, l.token_line);
	assert_int_equal(fetch(&rig, &reply, "POST", "/api/logout", headers, "{}"), 200);
	assert_true(has_text(&reply, "Set-Cookie: lm_test=; Path=/; Max-Age=0"));
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/me", l.cookie, NULL), 403);
}

static void a_new_login_replaces_the_old_session(void **state)
{
	struct login first, second;

	(void)state;
	login(&first, "wang", "");
	login(&second, "wang", first.cookie);
	assert_string_not_equal(first.cookie, second.cookie);
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/me", first.cookie, NULL), 403);
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/me", second.cookie, NULL), 200);
}

static void end_user_task(struct rig *r, void *argument)
{
	http_sessions_end_user(r->http, argument);
}

static void all_sessions_of_a_user_can_be_ended(void **state)
{
	struct login first, second, other;
	char user[] = "zhao";

	(void)state;
	login(&first, "zhao", "");
	login(&second, "zhao", "");
	login(&other, "qian", "");
	rig_call(&rig, end_user_task, user);
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/me", first.cookie, NULL), 403);
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/me", second.cookie, NULL), 403);
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/me", other.cookie, NULL), 200);
}

/* Somebody works for so long. False if the machine stood still meanwhile for as long as an idle session may. */
static bool works_for(const struct login *l, uint64_t work_ms)
{
	uint64_t now_us = clock_monotonic_us(), end_us = now_us + work_ms * 1000, last_us = now_us;

	for (; now_us < end_us; last_us = now_us) {
		usleep(200000);
		int status = fetch(&rig, &reply, "GET", "/api/me", l->cookie, NULL);
		now_us = clock_monotonic_us();
		if (now_us > last_us + IDLE_S * 1000000 - 100000)
			return false;
		assert_int_equal(status, 200);
	}
	return true;
}

static void an_idle_session_ends_a_used_one_lives(void **state)
{
	struct login idle, used;

	(void)state;
	do {
		login(&idle, "wang", "");
		login(&used, "li", "");
	} while (!works_for(&used, IDLE_S * 1000 + 500));
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/me", idle.cookie, NULL), 403);
}

static int setup_most(void **state)
{
	(void)state;
	rig_open_most(&rig, IDLE_S, MOST_S);
	return 0;
}

static int status_of(const struct login *l, const char *code)
{
	int status = fetch(&rig, &reply, "GET", "/api/me", l->cookie, NULL);
	if (status != 200)
		assert_true(has_text(&reply, code));
	return status;
}

/* False if the machine was so slow that it may be over. */
static bool is_locked_in_time(const struct login *l, uint64_t begun_us)
{
	int status = fetch(&rig, &reply, "GET", "/api/me", l->cookie, NULL);

	if (clock_monotonic_us() > begun_us + MOST_S * 1000000 - 100000)
		return false;
	assert_int_equal(status, 403);
	assert_true(has_text(&reply, "\"code\":\"locked\""));
	return true;
}

/* As those of staff: locked when idle, over after MOST_S, also for who works on. */
static void a_session_is_locked_when_idle_and_ends_when_it_is_old(void **state)
{
	struct login idle, used;
	uint64_t begun_us, now_us;

	(void)state;
	do {
		begun_us = clock_monotonic_us();
		login(&idle, "wang", "");
		login(&used, "li", "");
	} while (!works_for(&used, IDLE_S * 1000 + 1000) || !is_locked_in_time(&idle, begun_us));
	now_us = clock_monotonic_us();
	int status;
	while ((status = status_of(&used, "\"code\":\"login\"")) == 200 && now_us < begun_us + 30000000) {
		usleep(200000);
		now_us = clock_monotonic_us();
	}
	assert_int_equal(status, 403);
	assert_true(clock_monotonic_us() > begun_us + MOST_S * 1000000 - 100000);
	assert_int_equal(status_of(&idle, "\"code\":\"login\""), 403);
}

/* Names that do not fit are refused; so is the 1025th session, until old ones have ended. */
static void sessions_are_bounded(void **state)
{
	char path[256], user[160];
	char headers[128];
	int fd = dial(rig.port), refused = 0;

	(void)state;
	memset(user, 'u', sizeof(user));
	snprintf(path, sizeof(path), "/api/login?user=%.129s", user);
	assert_int_equal(fetch(&rig, &reply, "POST", path, "", "{}"), 400);
	snprintf(headers, sizeof(headers), "Host: localhost:%u\r\n" JSON_TYPE, rig.port);
	for (int tries = 0; tries < 10 && refused == 0; tries++) { /* on a slow machine the first ones end meanwhile */
		for (int i = 0; i < 1025 && refused == 0; i++) {
			ask(fd, &reply, "POST", "/api/login", headers, "{}");
			refused = reply.status == 200 ? 0 : tries * 1025 + i;
		}
	}
	assert_int_equal(reply.status, 503);
	assert_true(refused > 900);
	assert_true(has_text(&reply, "\"code\":\"too-many\""));
	usleep(IDLE_S * 1000000 + 100000);
	ask(fd, &reply, "POST", "/api/login", headers, "{}");
	assert_int_equal(reply.status, 200);
	close(fd);
}

static void the_unix_socket_needs_neither_host_nor_session(void **state)
{
	struct stat st;
	int fd = dial_local(rig.socket_path);

	(void)state;
	assert_int_equal(stat(rig.socket_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	ask(fd, &reply, "GET", "/api/local", "Host: lmctl\r\n", NULL);
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.body, "{\"user\":\"local\",\"role\":\"local\",\"has\":0,\"csrf\":\"\",\"local\":1}");
	ask(fd, &reply, "POST", "/api/me", "Host: lmctl\r\nOrigin: http://evil\r\n" JSON_TYPE, "{}");
	assert_int_equal(reply.status, 200);
	ask(fd, &reply, "POST", "/api/login", "Host: lmctl\r\n" JSON_TYPE, "{}");
	assert_int_equal(reply.status, 400);
	close(fd);
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/local", "", NULL), 404);
	assert_int_equal(fetch(&rig, &reply, "POST", "/api/stop", "", "{}"), 404);
}

static void a_route_with_a_right_is_for_roles_that_have_it(void **state)
{
	struct login l;
	char headers[512];
	(void)state;
	login(&l, "wang", "");
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/clerks", "", NULL), 403);
	assert_true(has_text(&reply, "\"code\":\"login\""));
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/clerks", l.cookie, NULL), 200);
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/writers", l.cookie, NULL), 403);
	assert_true(has_text(&reply, "\"code\":\"denied\"") && has_text(&reply, "other work"));
	snprintf(headers, sizeof(headers), "%s%s", l.cookie, l.token_line);
	assert_int_equal(fetch(&rig, &reply, "POST", "/api/writers", headers, "{}"), 403);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_our_own_names_are_hosts),
		cmocka_unit_test(another_sites_page_cannot_write),
		cmocka_unit_test(the_public_name_is_a_host_over_tls_only),
		cmocka_unit_test(public_names_are_written_as_browsers_send_them),
		cmocka_unit_test(cross_site_fetches_are_refused),
		cmocka_unit_test(a_session_opens_what_needs_one),
		cmocka_unit_test(writing_needs_the_sessions_own_token),
		cmocka_unit_test(logging_out_ends_the_session),
		cmocka_unit_test(a_new_login_replaces_the_old_session),
		cmocka_unit_test(all_sessions_of_a_user_can_be_ended),
		cmocka_unit_test(a_route_with_a_right_is_for_roles_that_have_it),
		cmocka_unit_test(an_idle_session_ends_a_used_one_lives),
		cmocka_unit_test(sessions_are_bounded),
		cmocka_unit_test(the_unix_socket_needs_neither_host_nor_session),
	};

	const struct CMUnitTest of_staff[] = {
		cmocka_unit_test(a_session_is_locked_when_idle_and_ends_when_it_is_old),
	};

	int failed = cmocka_run_group_tests(tests, setup, teardown);
	return failed + cmocka_run_group_tests(of_staff, setup_most, teardown);
}

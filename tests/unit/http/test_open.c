/* Opening: which addresses and sockets are refused, and that hostile bytes leave the server alive. */
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
	(void)state;
	rig_open(&rig, 600);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_close(&rig, false);
	return 0;
}

/* Opens a server on a loop that lives only for this call. */
static int open_once(const struct http_options *options, struct error *e)
{
	uv_loop_t loop;
	struct http *h = NULL;

	memset(e, 0, sizeof(*e));
	assert_int_equal(uv_loop_init(&loop), 0);
	int code = http_open(&loop, options, &h, e);
	assert_int_equal(code == OK, h != NULL);
	if (code == OK)
		http_close(h);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	return code;
}

static void only_loopback_is_served(void **state)
{
	static const char *const wrong[] = { "0.0.0.0:0",     "192.168.1.5:80", "[::]:0",     "[::ffff:127.0.0.1]:0",
		                             "localhost:0",   "127.0.0.1",      "127.0.0.1:", "127.0.0.1:65536",
		                             "127.0.0.1:-1",  "128.0.0.1:0",    ":80",        "",
		                             "127.0.0.1:80x", "::1:0",          "[::1:0",     "[fe80::1]:0" };
	static const char *const right[] = { "127.0.0.1:0", "127.1.2.3:0" };
	struct error e;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(open_once(&(struct http_options){ .address = wrong[i] }, &e), ERR_INVALID);
		assert_non_null(strstr(e.text, "only loopback is served"));
	}
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		assert_int_equal(open_once(&(struct http_options){ .address = right[i] }, &e), OK);
}

static void a_port_in_use_is_named(void **state)
{
	char address[64];
	struct error e;

	(void)state;
	snprintf(address, sizeof(address), "127.0.0.1:%u", rig.port);
	assert_int_equal(open_once(&(struct http_options){ .address = address }, &e), ERR_EXISTS);
	assert_non_null(strstr(e.text, address));
	assert_non_null(strstr(e.text, "is in use"));
}

static void a_socket_path_is_taken_over_only_when_dead(void **state)
{
	char path[128];
	struct error e;
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	(void)state;
	assert_int_equal(open_once(&(struct http_options){ .socket_path = rig.socket_path }, &e), ERR_EXISTS);
	assert_non_null(strstr(e.text, "is in use"));
	rig_file(&rig, "file", "no socket");
	snprintf(path, sizeof(path), "%s/file", rig.folder);
	assert_int_equal(open_once(&(struct http_options){ .socket_path = path }, &e), ERR_EXISTS);
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/dead.sock", rig.folder);
	memcpy(to.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	close(fd);
	assert_int_equal(open_once(&(struct http_options){ .socket_path = path }, &e), OK);
	assert_int_equal(access(path, F_OK), -1);
	char long_path[200];
	memset(long_path, 'a', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_equal(open_once(&(struct http_options){ .socket_path = long_path }, &e), ERR_INVALID);
}

static void nothing_stays_when_opening_fails(void **state)
{
	char path[128];
	struct error e;
	static const struct http_route bad[] = { { HTTP_GET, "/:a/:b/:c/:d", HTTP_OPEN, on_hello } };

	(void)state;
	snprintf(path, sizeof(path), "%s/other.sock", rig.folder);
	assert_int_equal(open_once(&(struct http_options){ .address = "127.0.0.1:0", .socket_path = "/nowhere/x" }, &e),
	                 ERR_IO);
	assert_int_equal(open_once(&(struct http_options){ .socket_path = path, .routes = bad, .route_count = 1 }, &e),
	                 ERR_INVALID);
	assert_int_equal(open_once(&(struct http_options){ .socket_path = path, .static_folder = "/nowhere" }, &e),
	                 ERR_NOT_FOUND);
	assert_int_equal(access(path, F_OK), -1);
}

static void expect_alive(void)
{
	assert_int_equal(fetch(&rig, &reply, "GET", "/api/hello", "", NULL), 200);
	assert_string_equal(reply.body, "{\"hello\":\"world\"}");
}

/* Sends the bytes and reads whatever comes until the server closes or is quiet. */
static void throw_at(const char *bytes, size_t size)
{
	int fd = dial(rig.port);

	reply_clear(&reply);
	transmit(fd, bytes, size);
	shutdown(fd, SHUT_WR);
	while (receive(fd, &reply, 1000) > 0)
		reply.size = 0;
	close(fd);
}

static void malformed_requests_leave_the_server_alive(void **state)
{
	static const char *const garbage[] = {
		"\r\n\r\n\r\n",
		"GET\r\n\r\n",
		"GET /\r\n\r\n",
		"GET  HTTP/1.1\r\n\r\n",
		" / HTTP/1.1\r\n\r\n",
		"GET / HTTP/9.9\r\n\r\n",
		"GET http://evil/ HTTP/1.1\r\nHost: evil\r\n\r\n",
		"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET ?a=%zz HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /api/hello HTTP/1.1\r\n: no name\r\nno colon\r\n\r\n",
		"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\nabc",
		"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\nabc",
		"POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzzz\r\n",
		"POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
		"POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: "
		"3\r\n\r\n0\r\n\r\n",
		"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort",
		"GET / HTTP/1.1\r\nHost: x\r\nCookie: lm_test=;;;===;\"\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS",
		"GET /api/hello HTTP/1.1\r\nHost: x\r\n\r\nGARBAGE \x01\x02\xff\r\n\r\nGET /",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		throw_at(garbage[i], strlen(garbage[i]));
		expect_alive();
	}
	char zeros[4096] = { 0 };
	throw_at(zeros, sizeof(zeros));
	expect_alive();
}

static void random_bytes_leave_the_server_alive(void **state)
{
	char bytes[512];
	unsigned seed = 20261121;

	(void)state;
	for (int i = 0; i < 300; i++) {
		size_t start = 0;
		if (i % 2 == 0)
			start = (size_t)snprintf(bytes, sizeof(bytes),
			                         "GET /api/hello?%d HTTP/1.1\r\nHost: localhost:%u\r\n", i, rig.port);
		for (size_t at = start; at < sizeof(bytes); at++)
			bytes[at] = (char)rand_r(&seed);
		throw_at(bytes, sizeof(bytes));
	}
	expect_alive();
}

static void a_hundred_thousand_headers_are_refused(void **state)
{
	char head[128], line[64];
	int fd = dial(rig.port);

	(void)state;
	snprintf(head, sizeof(head), "GET /api/hello HTTP/1.1\r\nHost: localhost:%u\r\n", rig.port);
	transmit(fd, head, strlen(head));
	bool is_open = true;
	for (int i = 0; i < 100000 && is_open; i++) {
		int size = snprintf(line, sizeof(line), "X-Header-%d: value of %d\r\n", i, i);
		is_open = transmit(fd, line, (size_t)size);
	}
	assert_false(is_open);
	close(fd);
	expect_alive();
	char many[8192] = "";
	for (int i = 0; i < 100; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), "X-%d: 1\r\n", i);
	fd = dial(rig.port);
	snprintf(head, sizeof(head), "Host: localhost:%u\r\n", rig.port);
	strcat(many, head);
	ask(fd, &reply, "GET", "/api/hello", many, NULL);
	assert_int_equal(reply.status, 431);
	close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	char text[1024];
	int fd = dial(rig.port);

	(void)state;
	snprintf(text, sizeof(text),
	         "GET /api/late/80 HTTP/1.1\r\nHost: localhost:%u\r\nUser-Agent: S\r\n\r\n"
	         "GET /api/hello HTTP/1.1\r\nHost: localhost:%u\r\n\r\n"
	         "GET /api/towns/1/cases/2?q=last HTTP/1.1\r\nHost: localhost:%u\r\n\r\n",
	         rig.port, rig.port, rig.port);
	reply_clear(&reply);
	assert_true(transmit(fd, text, strlen(text)));
	assert_true(await_text(fd, &reply, "\"q\":\"last\"", PATIENCE_MS));
	const char *late = strstr(reply.text, "\"late\":80"), *hello = strstr(reply.text, "\"hello\"");
	assert_true(late != NULL && hello != NULL && late < hello);
	close(fd);
}

/* Connection 257 waits, and is served as soon as another one ends. */
static void connections_are_bounded_and_none_is_lost(void **state)
{
	int fd[256];
	char text[128];

	(void)state;
	usleep(50000);
	for (int i = 0; i < 256; i++)
		fd[i] = dial(rig.port);
	int waiting = dial(rig.port);
	snprintf(text, sizeof(text), "GET /api/hello HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", rig.port);
	assert_true(transmit(waiting, text, strlen(text)));
	reply_clear(&reply);
	assert_int_equal(receive(waiting, &reply, 300), -1);
	close(fd[100]);
	assert_true(await_text(waiting, &reply, "\"world\"", PATIENCE_MS));
	close(waiting);
	for (int i = 0; i < 256; i++) {
		if (i != 100)
			close(fd[i]);
	}
	expect_alive();
}

/* What HOUSE asks to know; it asserts little, for the machine may be busy. Prints with LM_SLOW_TESTS. */
static void many_requests_over_one_connection(void **state)
{
	char headers[64];
	int fd = dial(rig.port), count = getenv("LM_SLOW_TESTS") == NULL ? 2000 : 100000;

	(void)state;
	snprintf(headers, sizeof(headers), "Host: localhost:%u\r\n", rig.port);
	uint64_t start = clock_monotonic_us();
	for (int i = 0; i < count; i++) {
		ask(fd, &reply, "GET", "/api/hello", headers, NULL);
		assert_int_equal(reply.status, 200);
	}
	double seconds = (double)(clock_monotonic_us() - start) / 1e6;
	if (getenv("LM_SLOW_TESTS") != NULL)
		print_message("%.0f requests/s, one connection, one after the other\n", count / seconds);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_loopback_is_served),
		cmocka_unit_test(a_port_in_use_is_named),
		cmocka_unit_test(a_socket_path_is_taken_over_only_when_dead),
		cmocka_unit_test(nothing_stays_when_opening_fails),
		cmocka_unit_test(malformed_requests_leave_the_server_alive),
		cmocka_unit_test(random_bytes_leave_the_server_alive),
		cmocka_unit_test(a_hundred_thousand_headers_are_refused),
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(connections_are_bounded_and_none_is_lost),
		cmocka_unit_test(many_requests_over_one_connection),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/*
 * Bytes on a connection of the pages' server: the request line, headers, guards, cookies, bodies. Every request is
 * answered with a status that we know, or the connection ends; no handler runs that the guards should have stopped.
 *
 * Input: bytes of one connection. "$S" stands for a session's id, "$C" for its CSRF token.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "crypto/crypto.h"
#include "fuzz.h"
#include "http/http.h"
#include "server.h" /* of the room http */

#define ROUNDS_MOST 400
#define REPLY_BYTES_MOST (64 * 1024)
#define INPUT_BYTES_LARGEST (96 * 1024)

static uv_loop_t loop;
static struct http *http;
static char session[2 * KEY_BYTES + 1], csrf[HTTP_CSRF_TEXT_BYTES];

/* ---- handlers: what the guards promise holds ---- */

static void text_answer(struct http_request *r)
{
	char text[64];
	snprintf(text, sizeof text, "{\"size\":%zu}", http_body(r).size);
	http_answer_json(r, 200, bytes_from_text(text));
}

static void on_open(void *context, struct http_request *r)
{
	(void)context;
	must(http_body(r).size <= HTTP_BODY_BYTES_MOST);
	const char *query = http_query(r, "q"), *agent = http_header(r, "User-Agent");
	must(!query || utf8_length(bytes_from_text(query)) >= 0);
	must(!agent || strlen(agent) < 64 * 1024);
	text_answer(r);
}

static void on_large(void *context, struct http_request *r)
{
	(void)context;
	must(http_body(r).size <= HTTP_LARGE_BODY_BYTES_MOST);
	text_answer(r);
}

static void on_parameters(void *context, struct http_request *r)
{
	(void)context;
	const char *town = http_parameter(r, "town"), *name = http_parameter(r, "case");
	must(town && *town && name && *name);
	must(utf8_length(bytes_from_text(town)) > 0 && utf8_length(bytes_from_text(name)) > 0);
	text_answer(r);
}

static void on_session(void *context, struct http_request *r)
{
	char token[HTTP_CSRF_TEXT_BYTES];
	const char *origin = http_header(r, "Origin");
	(void)context;
	must(strcmp(http_user(r), "wang") == 0 && http_session_csrf(r, token) && strcmp(token, csrf) == 0);
	if (r->method == REQUEST_POST) {
		must(http_header(r, "X-Lm-Csrf") && strcmp(http_header(r, "X-Lm-Csrf"), csrf) == 0);
		must(!origin || strstr(origin, "desk.example.org") || strstr(origin, "localhost") ||
		     strstr(origin, "127.0.0.1") || strstr(origin, "[::1]"));
	}
	text_answer(r);
}

static void on_local(void *context, struct http_request *r)
{
	(void)context;
	(void)r;
	never("a route of the Unix socket was reached over TCP");
}

static void on_never(void *context, struct http_request *r)
{
	(void)context;
	(void)r;
	never("a route that this role may not use was reached");
}

static bool may(const char *role, unsigned right)
{
	return strcmp(role, "clerk") == 0 && right == 1;
}

static const struct http_route routes[] = {
	{ HTTP_GET, "/api/open", HTTP_OPEN, on_open },
	{ HTTP_POST, "/api/open", HTTP_OPEN, on_open },
	{ HTTP_POST_LARGE, "/api/large", HTTP_OPEN, on_large },
	{ HTTP_GET, "/api/towns/:town/cases/:case", HTTP_OPEN, on_parameters },
	{ HTTP_GET, "/api/me", HTTP_SESSION_OF(1), on_session },
	{ HTTP_POST, "/api/me", HTTP_SESSION, on_session },
	{ HTTP_GET, "/api/never", HTTP_SESSION_OF(2), on_never },
	{ HTTP_POST, "/api/local", HTTP_LOCAL, on_local },
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	must(!crypto_init(NULL) && !uv_loop_init(&loop));
	struct http_options options = { .address = "127.0.0.1:0",
		                        .public_name = "desk.example.org",
		                        .static_folder = FUZZ_PAGES,
		                        .session_cookie = "lm_fuzz",
		                        .session_idle_s = 86400,
		                        .routes = routes,
		                        .route_count = sizeof routes / sizeof *routes,
		                        .may = may };
	struct error e;
	if (http_open(&loop, &options, &http, &e)) {
		fprintf(stderr, "%s\n", e.text);
		abort();
	}
	/* A login, as a handler would make it. */
	struct http_request r = { .http = http };
	must(!http_session_begin(&r, "wang", "clerk", csrf, &e));
	const char *id = strchr(r.set_cookie, '=');
	must(id && strlen(id) > sizeof session);
	memcpy(session, id + 1, sizeof session - 1);
	return 0;
}

/* ---- a connection ---- */

static size_t input_fill(const uint8_t *data, size_t size, char *out)
{
	size_t filled = 0;
	for (size_t i = 0; i < size && filled + sizeof session < INPUT_BYTES_LARGEST; i++) {
		const char *word = NULL;
		if (data[i] == '$' && i + 1 < size)
			word = data[i + 1] == 'S' ? session : data[i + 1] == 'C' ? csrf : NULL;
		if (!word) {
			out[filled++] = (char)data[i];
			continue;
		}
		memcpy(out + filled, word, strlen(word));
		filled += strlen(word);
		i++;
	}
	return filled;
}

static int dial(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons(http_port(http)),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger at_once = { 1, 0 }; /* no TIME_WAIT: there are many connections a second */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(fd >= 0);
	must(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
	must(!connect(fd, (struct sockaddr *)&to, sizeof to));
	return fd;
}

static void reply_check(const char *reply, size_t size)
{
	static const int known[] = { 200, 304, 400, 403, 404, 405, 413, 414, 415, 421, 431, 501, 505 };
	int status = 0;
	bool is_known = false;
	if (size < 12)
		return; /* the connection ended without an answer */
	must(memcmp(reply, "HTTP/1.", 7) == 0);
	status = atoi(reply + 9);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		is_known |= status == known[i];
	if (!is_known)
		fprintf(stderr, "status %d\n", status);
	must(is_known || status == 100);
}

/* Until nothing moves any more: what was sent has been read and answered. */
static void connection_run(int fd, char *reply, size_t *got)
{
	for (int round = 0, idle = 0; round < ROUNDS_MOST && idle < 3; round++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		ssize_t n = *got < REPLY_BYTES_MOST ? recv(fd, reply + *got, REPLY_BYTES_MOST - *got, MSG_DONTWAIT) : 0;
		if (n > 0)
			*got += (size_t)n;
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return;
		idle = n > 0 ? 0 : idle + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char input[INPUT_BYTES_LARGEST], reply[REPLY_BYTES_MOST + 1];
	size_t filled = input_fill(data, size, input), sent = 0, got = 0;
	struct http_load load;
	int fd = dial();
	while (sent < filled) {
		ssize_t n = send(fd, input + sent, filled - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			sent += (size_t)n;
		connection_run(fd, reply, &got);
		if (n <= 0)
			break;
	}
	connection_run(fd, reply, &got);
	reply[got] = '\0';
	reply_check(reply, got);
	close(fd);
	for (int round = 0; round < ROUNDS_MOST; round++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		http_load_read(http, &load);
		if (!load.requests)
			break;
	}
	must(!load.requests && load.sessions == 1);
	return 0;
}

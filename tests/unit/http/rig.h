/*
 * A server on a loop in a thread of its own, and a client of bare sockets in the test's thread, so that the test can
 * send what no honest client sends.
 */
#ifndef TESTS_HTTP_RIG_H
#define TESTS_HTTP_RIG_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include "http/http.h"

#define UNUSED_OK __attribute__((unused))
#define REPLY_BYTES_MOST (256 * 1024)
#define PATIENCE_MS 60000 /* for what must come at some time */

struct rig {
	uv_loop_t loop;
	uv_thread_t thread;
	uv_async_t async;
	uv_sem_t done;
	void (*task)(struct rig *rig, void *argument);
	void *argument;
	struct http *http;
	char folder[64], pages[96], socket_path[96];
	uint16_t port;
	int late_begun, late_answers; /* on the loop thread */
};

/* ---- routes of the test server ---- */

static void answer_format(struct http_request *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void answer_format(struct http_request *r, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	http_answer_json(r, 200, bytes_from_text(text));
}

static void on_hello(void *context, struct http_request *r)
{
	(void)context;
	http_answer_json(r, 200, bytes_from_text("{\"hello\":\"world\"}"));
}

static void on_pair(void *context, struct http_request *r)
{
	const char *q = http_query(r, "q");

	(void)context;
	answer_format(r, "{\"town\":\"%s\",\"case\":\"%s\",\"q\":\"%s\",\"none\":%d}", http_parameter(r, "town"),
	              http_parameter(r, "case"), q == NULL ? "" : q, http_parameter(r, "nothing") == NULL);
}

static void on_search(void *context, struct http_request *r)
{
	(void)context;
	answer_format(r, "{\"search\":true,\"agent\":\"%s\"}",
	              http_header(r, "user-agent") == NULL ? "" : http_header(r, "user-agent"));
}

static inline void on_size(void *context, struct http_request *request)
{
	char text[40];
	(void)context;
	snprintf(text, sizeof(text), "{\"size\":%zu}", http_body(request).size);
	http_answer_json(request, 200, bytes_from_text(text));
}

static void on_echo(void *context, struct http_request *r)
{
	(void)context;
	http_answer_json(r, 201, http_body(r));
}

static void on_fail(void *context, struct http_request *r)
{
	(void)context;
	http_answer_error(r, ERR_CONFLICT, "Somebody \"else\" was faster.");
}

struct late {
	uv_work_t work;
	struct http_request *request;
	struct rig *rig;
	long wait_ms;
	char text[128];
};

static void late_work(uv_work_t *work)
{
	struct late *late = work->data;
	struct timespec pause = { late->wait_ms / 1000, late->wait_ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
	/* A job on the pool may read its request at any time, also when the client and the server have gone. */
	snprintf(late->text, sizeof(late->text), "{\"late\":%s,\"agent\":\"%s\",\"body\":%zu}",
	         http_parameter(late->request, "ms"), http_header(late->request, "User-Agent"),
	         http_body(late->request).size);
}

static void late_done(uv_work_t *work, int status)
{
	struct late *late = work->data;
	char csrf[HTTP_CSRF_TEXT_BYTES];

	(void)status;
	late->rig->late_answers++;
	http_session_begin(late->request, "late", "clerk", csrf, NULL);
	http_answer_json(late->request, 200, bytes_from_text(late->text));
	free(late);
}

static void on_late(void *context, struct http_request *r)
{
	struct late *late = calloc(1, sizeof(*late));

	late->request = r;
	late->rig = context;
	late->work.data = late;
	late->wait_ms = atol(http_parameter(r, "ms"));
	late->rig->late_begun++;
	uv_queue_work(&late->rig->loop, &late->work, late_work, late_done);
}

/* Clerks have the first right, and no other. */
static bool role_has(const char *role, unsigned right)
{
	return strcmp(role, "clerk") == 0 && (right & 1);
}

static void on_login(void *context, struct http_request *r)
{
	char csrf[HTTP_CSRF_TEXT_BYTES];
	struct error e;
	const char *user = http_query(r, "user");

	(void)context;
	if (http_session_begin(r, user == NULL ? "wang" : user, "clerk", csrf, &e) != OK)
		http_answer_error(r, e.code, e.text);
	else
		answer_format(r, "{\"csrf\":\"%s\"}", csrf);
}

static void on_me(void *context, struct http_request *r)
{
	char csrf[HTTP_CSRF_TEXT_BYTES] = "";
	bool has = http_session_csrf(r, csrf);

	(void)context;
	answer_format(r, "{\"user\":\"%s\",\"role\":\"%s\",\"has\":%d,\"csrf\":\"%s\",\"local\":%d}", http_user(r),
	              http_role(r), has, csrf, http_is_local(r));
}

static void on_logout(void *context, struct http_request *r)
{
	(void)context;
	http_session_end(r);
	http_answer_json(r, 200, bytes_from_text("{}"));
}

static void on_events(void *context, struct http_request *r)
{
	(void)context;
	http_answer_events(r, http_parameter(r, "channel"));
}

static void on_stop(void *context, struct http_request *r)
{
	struct rig *rig = context;

	http_close(rig->http); /* from within a handler */
	http_answer_json(r, 200, bytes_from_text("{}"));
}

static const struct http_route rig_routes[] = {
	{ HTTP_GET, "/api/hello", HTTP_OPEN, on_hello },
	{ HTTP_GET, "/api/towns/:town/cases/:case", HTTP_OPEN, on_pair },
	{ HTTP_GET, "/api/towns/:town/cases/search", HTTP_OPEN, on_search },
	{ HTTP_POST, "/api/echo", HTTP_OPEN, on_echo },
	{ HTTP_POST_LARGE, "/api/size", HTTP_OPEN, on_size },
	{ HTTP_POST, "/api/fail", HTTP_OPEN, on_fail },
	{ HTTP_GET, "/api/late/:ms", HTTP_OPEN, on_late },
	{ HTTP_POST, "/api/late/:ms", HTTP_OPEN, on_late },
	{ HTTP_POST, "/api/login", HTTP_OPEN, on_login },
	{ HTTP_GET, "/api/me", HTTP_SESSION, on_me },
	{ HTTP_POST, "/api/me", HTTP_SESSION, on_me },
	{ HTTP_GET, "/api/anybody", HTTP_OPEN, on_me },
	{ HTTP_GET, "/api/clerks", HTTP_SESSION_OF(1), on_me },
	{ HTTP_GET, "/api/writers", HTTP_SESSION_OF(2 | 4), on_me },
	{ HTTP_POST, "/api/writers", HTTP_SESSION_OF(2 | 4), on_me },
	{ HTTP_POST, "/api/logout", HTTP_SESSION, on_logout },
	{ HTTP_GET, "/api/events/:channel", HTTP_OPEN, on_events },
	{ HTTP_GET, "/api/own-events/:channel", HTTP_SESSION, on_events },
	{ HTTP_GET, "/api/local", HTTP_LOCAL, on_me },
	{ HTTP_POST, "/api/stop", HTTP_LOCAL, on_stop },
};

/* ---- the server's thread ---- */

static void rig_on_async(uv_async_t *async)
{
	struct rig *rig = async->data;

	rig->task(rig, rig->argument);
	uv_sem_post(&rig->done);
}

static void rig_thread(void *argument)
{
	struct rig *rig = argument;

	uv_run(&rig->loop, UV_RUN_DEFAULT);
}

/* Runs `task` on the loop thread and waits for its end. */
static UNUSED_OK void rig_call(struct rig *rig, void (*task)(struct rig *, void *), void *argument)
{
	rig->task = task;
	rig->argument = argument;
	uv_async_send(&rig->async);
	uv_sem_wait(&rig->done);
}

static UNUSED_OK void rig_file(struct rig *rig, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", rig->folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* Sessions are locked when idle and end after `most_s`; 0: idling ends them. */
static UNUSED_OK void rig_open_most(struct rig *rig, uint32_t session_idle_s, uint32_t most_s)
{
	struct error e = { 0 };

	memset(rig, 0, sizeof(*rig));
	assert_int_equal(crypto_init(&e), OK);
	strcpy(rig->folder, "/tmp/lm-http-XXXXXX");
	assert_non_null(mkdtemp(rig->folder));
	snprintf(rig->pages, sizeof(rig->pages), "%s/pages", rig->folder);
	snprintf(rig->socket_path, sizeof(rig->socket_path), "%s/ctl.sock", rig->folder);
	assert_int_equal(mkdir(rig->pages, 0700), 0);
	rig_file(rig, "pages/index.html", "<p>home</p>");
	assert_int_equal(uv_loop_init(&rig->loop), 0);
	rig->async.data = rig;
	uv_async_init(&rig->loop, &rig->async, rig_on_async);
	uv_sem_init(&rig->done, 0);
	struct http_options options = {
		.address = "127.0.0.1:0",
		.public_name = "desk.example.org:8443",
		.socket_path = rig->socket_path,
		.static_folder = rig->pages,
		.session_cookie = "lm_test",
		.may = role_has,
		.session_idle_s = session_idle_s,
		.session_most_s = most_s,
		.routes = rig_routes,
		.route_count = sizeof(rig_routes) / sizeof(rig_routes[0]),
		.context = rig,
	};
	if (http_open(&rig->loop, &options, &rig->http, &e) != OK)
		fail_msg("%s", e.text);
	rig->port = http_port(rig->http);
	assert_int_not_equal(rig->port, 0);
	uv_thread_create(&rig->thread, rig_thread, rig);
}

static UNUSED_OK void rig_open(struct rig *rig, uint32_t session_idle_s)
{
	rig_open_most(rig, session_idle_s, 0);
}

static void rig_stop_task(struct rig *rig, void *argument)
{
	if (argument == NULL)
		http_close(rig->http);
	uv_close((uv_handle_t *)&rig->async, NULL);
}

/* Ends the loop and sees that nothing is left on it. `is_closed`: the server was closed by the test itself. */
static UNUSED_OK void rig_close(struct rig *rig, bool is_closed)
{
	char command[96];

	rig_call(rig, rig_stop_task, is_closed ? rig : NULL);
	uv_thread_join(&rig->thread);
	assert_int_equal(uv_loop_close(&rig->loop), 0);
	uv_sem_destroy(&rig->done);
	assert_int_equal(access(rig->socket_path, F_OK), -1);
	snprintf(command, sizeof(command), "rm -rf %s", rig->folder);
	assert_int_equal(system(command), 0);
}

/* ---- the client ---- */

struct reply {
	int status;
	size_t size;
	char *body; /* within text */
	char text[REPLY_BYTES_MOST];
};

static UNUSED_OK int dial(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons(port),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static UNUSED_OK int dial_local(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(to.sun_path, path, strlen(path));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* False if the server has closed the connection meanwhile. */
static UNUSED_OK bool transmit(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		data += n;
		size -= (size_t)n;
	}
	return true;
}

/* More bytes into the reply; 0: the server has closed; -1: nothing came in time. */
static ssize_t receive(int fd, struct reply *reply, int patience_ms)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	if (poll(&wait, 1, patience_ms) != 1 || reply->size + 1 >= sizeof(reply->text))
		return -1;
	ssize_t n = recv(fd, reply->text + reply->size, sizeof(reply->text) - 1 - reply->size, 0);
	if (n <= 0)
		return 0;
	reply->size += (size_t)n;
	reply->text[reply->size] = '\0';
	return n;
}

static UNUSED_OK void reply_clear(struct reply *reply)
{
	reply->size = 0;
	reply->text[0] = '\0';
	reply->status = 0;
	reply->body = reply->text;
}

/* Reads until `text` has come. */
static UNUSED_OK bool await_text(int fd, struct reply *reply, const char *text, int patience_ms)
{
	while (strstr(reply->text, text) == NULL) {
		if (receive(fd, reply, patience_ms) <= 0)
			return false;
	}
	return true;
}

/* Reads one answer with Content-Length (none for HEAD and 304); status 0 if the connection ends before. */
static UNUSED_OK void await_reply(int fd, struct reply *reply, bool is_head)
{
	reply_clear(reply);
	if (!await_text(fd, reply, "\r\n\r\n", PATIENCE_MS))
		return;
	size_t length = 0;
	const char *field = strcasestr(reply->text, "\r\nContent-Length:");
	int status = atoi(reply->text + strlen("HTTP/1.1 "));
	if (field != NULL && !is_head && status != 304)
		length = strtoul(field + strlen("\r\nContent-Length:"), NULL, 10);
	reply->body = strstr(reply->text, "\r\n\r\n") + 4;
	while (reply->size < (size_t)(reply->body - reply->text) + length) {
		if (receive(fd, reply, PATIENCE_MS) <= 0)
			return;
	}
	reply->status = status;
}

/* One request over `fd`: `headers` are whole lines with their ends; a body adds its Content-Length. */
static UNUSED_OK void ask(int fd, struct reply *reply, const char *method, const char *path, const char *headers,
                          const char *body)
{
	size_t size = strlen(path) + strlen(headers) + (body == NULL ? 0 : strlen(body)) + 256;
	char *text = malloc(size);
	char length[64] = "";

	if (body != NULL)
		snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(body));
	snprintf(text, size, "%s %s HTTP/1.1\r\n%s%s\r\n%s", method, path, headers, length, body == NULL ? "" : body);
	transmit(fd, text, strlen(text));
	free(text);
	await_reply(fd, reply, strcmp(method, "HEAD") == 0);
}

#define JSON_TYPE "Content-Type: application/json\r\n"

/* One request over a new TCP connection with the right Host. A body goes as JSON. */
static UNUSED_OK int fetch(struct rig *rig, struct reply *reply, const char *method, const char *path,
                           const char *headers, const char *body)
{
	char all[4096];
	int fd = dial(rig->port);

	snprintf(all, sizeof(all), "Host: localhost:%u\r\n%s%s", rig->port, headers, body == NULL ? "" : JSON_TYPE);
	ask(fd, reply, method, path, all, body);
	close(fd);
	return reply->status;
}

static UNUSED_OK bool has_text(const struct reply *reply, const char *text)
{
	return strstr(reply->text, text) != NULL;
}

#endif

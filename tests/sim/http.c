/* The pages' server, as calls: routes are found and answers are counted as the real one does, without sockets. */
#include <stdlib.h>
#include <string.h>

#include "http/http.h"
#include "sim.h"

struct http {
	struct site *site;
	struct http_options options;
};

struct parameter {
	char name[24], value[120];
};

struct http_request {
	struct site *site;
	char method[8], path[400], user[40], role[40];
	json_t *body;
	char *text;
	answered done;
	void *context;
	struct parameter parameter[8];
	size_t parameters;
	bool is_begun;
	struct http_request *next; /* of those that wait for an answer */
};

static struct http *servers[SITES_MOST];
static struct http_request *waiting;

static size_t index_of(const struct site *s)
{
	return (size_t)(s - world.site);
}

int http_open(uv_loop_t *loop, const struct http_options *options, struct http **out, struct error *e)
{
	struct http *h = calloc(1, sizeof *h);
	if (!h)
		return error_set(e, ERR_MEMORY, "no memory");
	h->site = loop->data;
	h->options = *options;
	servers[index_of(h->site)] = h;
	*out = h;
	return OK;
}

void http_close(struct http *h)
{
	servers[index_of(h->site)] = NULL;
	free(h);
}

uint16_t http_port(const struct http *h)
{
	(void)h;
	return 0;
}

/* ---- routes ---- */

static void parameter_add(struct http_request *r, const char *name, size_t name_size, const char *value, size_t size)
{
	if (r->parameters == sizeof r->parameter / sizeof *r->parameter)
		return;
	struct parameter *p = &r->parameter[r->parameters++];
	snprintf(p->name, sizeof p->name, "%.*s", (int)name_size, name);
	snprintf(p->value, sizeof p->value, "%.*s", (int)size, value);
}

/* Whether the path is of this form; its parameters are kept. */
static bool route_fits(const char *form, const char *path, struct http_request *r)
{
	size_t before = r->parameters;
	while (*form && *path && *path != '?') {
		size_t of_form = strcspn(form, "/"), of_path = strcspn(path, "/?");
		if (form[0] == ':' && of_path)
			parameter_add(r, form + 1, of_form - 1, path, of_path);
		else if (of_form != of_path || memcmp(form, path, of_form) != 0)
			break;
		form += of_form;
		path += of_path;
		if (*form == '/' && *path == '/') {
			form++;
			path++;
		} else {
			break;
		}
	}
	bool fits = !*form && (!*path || *path == '?');
	if (!fits)
		r->parameters = before;
	return fits;
}

static void query_read(struct http_request *r)
{
	const char *at = strchr(r->path, '?');
	while (at && *at) {
		at++;
		size_t size = strcspn(at, "&"), name = strcspn(at, "=&");
		parameter_add(r, at, name, at + name + (name < size), name < size ? size - name - 1 : 0);
		at = at[size] ? at + size : NULL;
	}
}

static const struct http_route *route_find(const struct http *h, struct http_request *r)
{
	bool is_get = strcmp(r->method, "GET") == 0;
	for (size_t i = 0; i < h->options.route_count; i++) {
		const struct http_route *route = &h->options.routes[i];
		if ((route->method == HTTP_GET) == is_get && route_fits(route->path, r->path, r))
			return route;
	}
	return NULL;
}

/* ---- asking ---- */

static void request_end(struct http_request *r, int status, json_t *body)
{
	for (struct http_request **at = &waiting; *at; at = &(*at)->next)
		if (*at == r) {
			*at = r->next;
			break;
		}
	answered done = r->done;
	void *context = r->context;
	r->done = NULL; /* an answer that comes after the site's death only frees the request */
	struct site *before = world.here;
	world.here = NULL;
	if (done)
		done(context, status, body);
	world.here = before;
	json_decref(body);
}

static void request_free(struct http_request *r)
{
	free(r->text);
	free(r);
}

static void request_run(void *context, bool is_alive)
{
	struct http_request *r = context;
	struct http *h = is_alive ? servers[index_of(r->site)] : NULL;
	if (!h || r->site->is_dying) {
		request_end(r, 0, NULL);
		request_free(r);
		return;
	}
	query_read(r);
	const struct http_route *route = route_find(h, r);
	if (!route)
		fail("%s has no route %s %s", r->site->name, r->method, r->path);
	r->is_begun = true;
	route->handle(h->options.context, r);
}

void ask_page(struct site *s, const char *method, const char *path, json_t *body, const char *user, answered done,
              void *context)
{
	struct http_request *r = calloc(1, sizeof *r);
	if (!r)
		abort();
	r->site = s;
	r->done = done;
	r->context = context;
	snprintf(r->method, sizeof r->method, "%s", method);
	snprintf(r->path, sizeof r->path, "%s", path);
	snprintf(r->user, sizeof r->user, "%s", user);
	snprintf(r->role, sizeof r->role, "%.*s", (int)strcspn(user, "0123456789"), user); /* clerk1 */
	r->text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	r->next = waiting;
	waiting = r;
	plan(draw_between(50, 500), s, request_run, r);
}

/* Whoever waits for a dead site's answer learns that none will come; the daemon may still answer into the void. */
void http_site_died(struct site *s)
{
	for (struct http_request *r = waiting, *next; r; r = next) {
		next = r->next;
		if (r->site == s && r->is_begun) {
			request_end(r, 0, NULL);
			next = waiting; /* who heard it may have asked anew */
		}
	}
}

struct now {
	int status;
	json_t *body;
};

static void now_answered(void *context, int status, json_t *body)
{
	struct now *now = context;
	now->status = status ? status : -1;
	now->body = json_incref(body);
}

static struct now ask_and_wait(struct site *s, const char *method, const char *path, json_t *body)
{
	struct now now = { 0, NULL };
	ask_page(s, method, path, body, "local", now_answered, &now);
	while (!now.status && world_step()) {
	}
	return now;
}

json_t *ask_now(struct site *s, const char *method, const char *path, json_t *body)
{
	struct now now = ask_and_wait(s, method, path, body);
	if (now.status != 200) {
		char *text = now.body ? json_dumps(now.body, JSON_COMPACT) : NULL;
		fail("%s answers %s %s with %d %s", s->name, method, path, now.status, text ? text : "");
	}
	return now.body;
}

bool is_there(struct site *s, const char *path)
{
	struct now now = ask_and_wait(s, "GET", path, NULL);
	const char *code = json_string_value(json_object_get(json_object_get(now.body, "error"), "code"));
	bool is_missing = code && strcmp(code, "not-found") == 0;
	json_decref(now.body);
	if (now.status != 200 && !is_missing)
		fail("%s answers GET %s with %d", s->name, path, now.status);
	return !is_missing;
}

json_t *ask_if_alive(struct site *s, const char *method, const char *path, json_t *body)
{
	if (!s->node || s->is_dying) {
		json_decref(body);
		return NULL;
	}
	struct now now = ask_and_wait(s, method, path, body);
	if (now.status == 200)
		return now.body;
	json_decref(now.body);
	return NULL;
}

/* ---- within a request ---- */

static const char *parameter_find(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->parameters; i++)
		if (strcmp(r->parameter[i].name, name) == 0)
			return r->parameter[i].value;
	return NULL;
}

const char *http_parameter(const struct http_request *r, const char *name)
{
	return parameter_find(r, name);
}

const char *http_query(const struct http_request *r, const char *name)
{
	return parameter_find(r, name);
}

struct bytes http_body(const struct http_request *r)
{
	return r->text ? bytes_from_text(r->text) : BYTES(NULL, 0);
}

const char *http_user(const struct http_request *r)
{
	return r->user;
}

const char *http_role(const struct http_request *r)
{
	return r->role;
}

bool http_is_local(const struct http_request *r)
{
	return strcmp(r->user, "local") == 0;
}

const char *http_header(const struct http_request *r, const char *name)
{
	(void)r;
	(void)name;
	return NULL;
}

void http_answer_json(struct http_request *r, int status, struct bytes json)
{
	if (r->done && effect_is_seen(r->site, EFFECT_ANSWER)) {
		json_error_t fault;
		json_t *body = json_loadb((const char *)json.data, json.size, JSON_DECODE_ANY, &fault);
		if (!body)
			fail("%s answers %s with something that is not JSON: %s", r->site->name, r->path, fault.text);
		trace_note("answer", json.data, json.size);
		request_end(r, status, body);
	} else if (r->done) {
		request_end(r, 0, NULL);
	}
	request_free(r);
}

/* What is not JSON is nothing that people here ask for. */
void http_answer_typed(struct http_request *r, int status, const char *content_type, struct bytes body)
{
	(void)content_type;
	(void)body;
	http_answer_json(r, status, bytes_from_text("{}"));
}

void http_answer_error(struct http_request *r, int code, const char *text)
{
	json_t *body = json_pack("{s:{s:s,s:s}}", "error", "code", error_name(code), "text", text ? text : "");
	char *packed = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	if (!packed)
		abort();
	http_answer_json(r, 400, bytes_from_text(packed));
	free(packed);
}

int http_session_begin(struct http_request *r, const char *user, const char *role, char csrf[HTTP_CSRF_TEXT_BYTES],
                       struct error *e)
{
	(void)r;
	(void)user;
	(void)role;
	(void)e;
	memset(csrf, '0', HTTP_CSRF_TEXT_BYTES - 1);
	csrf[HTTP_CSRF_TEXT_BYTES - 1] = '\0';
	return OK;
}

void http_session_end(struct http_request *r)
{
	(void)r;
}

void http_sessions_end_user(struct http *h, const char *user)
{
	(void)h;
	(void)user;
}

/* Nobody logs in here: people of the simulator come as the users that they say they are. */
void http_session_lock(struct http_request *r)
{
	(void)r;
}

const char *http_locked_user(const struct http_request *r)
{
	(void)r;
	return NULL;
}

int http_session_unlock(struct http_request *r, struct error *e)
{
	(void)r;
	return error_set(e, ERR_CLOSED, "there are no sessions");
}

void http_session_prove(struct http_request *r)
{
	(void)r;
}

uint64_t http_session_proved_ms(const struct http_request *r)
{
	(void)r;
	return UINT64_MAX;
}

void http_sessions_each(const struct http_request *r,
                        void (*visit)(void *context, const struct http_session_view *view), void *context)
{
	(void)r;
	(void)visit;
	(void)context;
}

bool http_session_end_named(struct http_request *r, const char *name)
{
	(void)r;
	(void)name;
	return false;
}

bool http_session_csrf(const struct http_request *r, char csrf[HTTP_CSRF_TEXT_BYTES])
{
	(void)r;
	(void)csrf;
	return false;
}

void http_answer_events(struct http_request *r, const char *channel)
{
	(void)channel;
	http_answer_json(r, 200, bytes_from_text("{}"));
}

void http_publish(struct http *h, const char *channel, const char *name, struct bytes json)
{
	(void)h;
	(void)channel;
	trace_note(name, json.data, json.size);
}

void http_load_read(const struct http *h, struct http_load *out)
{
	(void)h;
	memset(out, 0, sizeof *out);
}

void http_tally_each(const struct http *h, http_tally_visit *visit, void *context)
{
	(void)h;
	(void)visit;
	(void)context;
}

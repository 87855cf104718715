/*
 * Sessions. The browser holds 256 random bits in a cookie; we hold only their SHA-256, in memory, so that neither a
 * dump nor the time a search takes tells a usable id. A restart ends all sessions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server.h"

struct session {
	struct session *next;
	struct hash key;                       /* SHA-256 of the id */
	uint64_t begun_ms, used_ms, proved_ms; /* the loop's clock; proved_ms 0: never */
	int64_t begun_wall_ms;
	bool is_locked;
	char user[USER_BYTES_MOST + 1], role[ROLE_BYTES_MOST + 1], csrf[HTTP_CSRF_TEXT_BYTES];
};

static struct session **bucket_of(struct http *h, const struct hash *key)
{
	return &h->sessions[(key->byte[0] * 256u + key->byte[1]) % SESSION_BUCKETS];
}

/* Takes *link out of the table. Event streams of the session end with it. */
static void session_remove(struct http *h, struct session **link)
{
	struct session *s = *link;

	*link = s->next;
	h->session_count--;
	streams_drop_session(h, &s->key);
	crypto_wipe(s, sizeof(*s));
	free(s);
}

static bool is_expired(const struct http *h, const struct session *s)
{
	if (h->session_most_ms)
		return uv_now(h->loop) - s->begun_ms >= h->session_most_ms;
	return uv_now(h->loop) - s->used_ms >= h->session_idle_ms;
}

static struct session **session_find(struct http *h, const struct hash *key)
{
	struct session **link = bucket_of(h, key);

	while (*link != NULL && memcmp((*link)->key.byte, key->byte, sizeof(key->byte)) != 0)
		link = &(*link)->next;
	if (*link == NULL)
		return NULL;
	if (!is_expired(h, *link))
		return link;
	session_remove(h, link);
	return NULL;
}

/* Removes every session of `user`, or every expired one if `user` is NULL. */
static void sessions_sweep(struct http *h, const char *user)
{
	for (size_t i = 0; i < SESSION_BUCKETS; i++) {
		for (struct session **link = &h->sessions[i]; *link != NULL;) {
			if (user == NULL ? is_expired(h, *link) : strcmp((*link)->user, user) == 0)
				session_remove(h, link);
			else
				link = &(*link)->next;
		}
	}
}

void sessions_expire(struct http *h)
{
	sessions_sweep(h, NULL);
	for (size_t i = 0; i < SESSION_BUCKETS; i++) {
		for (struct session *s = h->sessions[i]; s != NULL; s = s->next) {
			if (s->is_locked || uv_now(h->loop) - s->used_ms < h->session_idle_ms)
				continue;
			s->is_locked = true;
			streams_drop_session(h, &s->key);
		}
	}
}

void http_sessions_end_user(struct http *h, const char *user)
{
	sessions_sweep(h, user);
}

void sessions_release(struct http *h)
{
	for (size_t i = 0; i < SESSION_BUCKETS; i++) {
		while (h->sessions[i] != NULL)
			session_remove(h, &h->sessions[i]);
	}
}

/* The id in the request's cookie, hashed. ERR_NOT_FOUND: there is none of the right form. */
static int cookie_key(const struct http_request *r, struct hash *key)
{
	uint8_t id[KEY_BYTES];
	struct bytes part = BYTES(id, sizeof(id));
	const char *name = r->http->session_cookie;
	const char *text = name == NULL ? NULL : MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, name);

	if (text == NULL || hex_decode(text, id, sizeof(id)) != OK)
		return ERR_NOT_FOUND;
	int code = crypto_hash(SUITE_INTERNATIONAL, &part, 1, key, NULL);
	crypto_wipe(id, sizeof(id));
	return code;
}

int session_load(struct http_request *r)
{
	struct hash key;

	if (r->is_local) {
		strcpy(r->user, "local");
		strcpy(r->role, "local");
		return OK;
	}
	int code = cookie_key(r, &key);
	if (code != OK)
		return code == ERR_NOT_FOUND ? OK : code;
	struct session **link = session_find(r->http, &key);
	if (link == NULL)
		return OK;
	bool is_idle = uv_now(r->http->loop) - (*link)->used_ms >= r->http->session_idle_ms;
	(*link)->is_locked |= is_idle;
	r->is_session_locked = (*link)->is_locked;
	r->has_session = !r->is_session_locked;
	if (r->has_session)
		(*link)->used_ms = uv_now(r->http->loop);
	r->session = key;
	memcpy(r->user, (*link)->user, sizeof(r->user));
	memcpy(r->role, (*link)->role, sizeof(r->role));
	memcpy(r->csrf, (*link)->csrf, sizeof(r->csrf));
	return OK;
}

/* Draws the id and the token; the id leaves only as hexadecimal text, for the cookie. */
static int session_draw(struct session *s, char id_text[2 * KEY_BYTES + 1], struct error *e)
{
	uint8_t id[KEY_BYTES], token[KEY_BYTES];
	struct bytes part = BYTES(id, sizeof(id));
	int code = crypto_random(id, sizeof(id), e);

	if (code == OK)
		code = crypto_random(token, sizeof(token), e);
	if (code == OK)
		code = crypto_hash(SUITE_INTERNATIONAL, &part, 1, &s->key, e);
	if (code == OK) {
		hex_encode(part, id_text);
		hex_encode(BYTES(token, sizeof(token)), s->csrf);
	}
	crypto_wipe(id, sizeof(id));
	crypto_wipe(token, sizeof(token));
	return code;
}

static int session_check(struct http_request *r, const char *user, const char *role, struct error *e)
{
	struct http *h = r->http;

	if (h->is_closing)
		return error_set(e, ERR_CLOSED, "the server is closing; try again in a minute");
	if (r->is_local || h->session_cookie == NULL)
		return error_set(e, ERR_INVALID, "there are no sessions over this socket");
	if (user[0] == '\0' || strlen(user) > USER_BYTES_MOST || strlen(role) > ROLE_BYTES_MOST)
		return error_set(e, ERR_INVALID, "a user has 1 to %d bytes, a role at most %d", USER_BYTES_MOST,
		                 ROLE_BYTES_MOST);
	if (h->session_count == SESSIONS_MOST)
		sessions_expire(h);
	if (h->session_count == SESSIONS_MOST)
		return error_set(e, ERR_TOO_MANY, "%d people are logged in; no more fit, try again later",
		                 SESSIONS_MOST);
	return OK;
}

int http_session_begin(struct http_request *r, const char *user, const char *role, char csrf[HTTP_CSRF_TEXT_BYTES],
                       struct error *e)
{
	char id_text[2 * KEY_BYTES + 1];
	int code = session_check(r, user, role, e);

	if (code != OK)
		return code;
	struct session *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return error_set(e, ERR_MEMORY, "no memory for a session");
	code = session_draw(s, id_text, e);
	if (code != OK) {
		free(s);
		return code;
	}
	http_session_end(r); /* a login always gets a new id: an id planted before it is worth nothing after it */
	s->begun_ms = s->used_ms = uv_now(r->http->loop);
	s->begun_wall_ms = clock_wall_ms();
	snprintf(s->user, sizeof(s->user), "%s", user);
	snprintf(s->role, sizeof(s->role), "%s", role);
	struct session **link = bucket_of(r->http, &s->key);
	s->next = *link;
	*link = s;
	r->http->session_count++;
	r->has_session = true;
	r->is_session_locked = false;
	r->session = s->key;
	memcpy(r->user, s->user, sizeof(r->user));
	memcpy(r->role, s->role, sizeof(r->role));
	memcpy(r->csrf, s->csrf, sizeof(r->csrf));
	memcpy(csrf, s->csrf, HTTP_CSRF_TEXT_BYTES);
	snprintf(r->set_cookie, sizeof(r->set_cookie), "%s=%s; Path=/; HttpOnly; SameSite=Strict%s",
	         r->http->session_cookie, id_text, r->is_public ? "; Secure" : "");
	crypto_wipe(id_text, sizeof(id_text));
	return OK;
}

void http_session_end(struct http_request *r)
{
	if (!r->has_session && !r->is_session_locked)
		return;
	struct session **link = session_find(r->http, &r->session);
	if (link != NULL)
		session_remove(r->http, link);
	r->has_session = r->is_session_locked = false;
	r->user[0] = '\0';
	r->role[0] = '\0';
	crypto_wipe(r->csrf, sizeof(r->csrf));
	snprintf(r->set_cookie, sizeof(r->set_cookie), "%s=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict%s",
	         r->http->session_cookie, r->is_public ? "; Secure" : "");
}

bool http_session_csrf(const struct http_request *r, char csrf[HTTP_CSRF_TEXT_BYTES])
{
	if (!r->has_session)
		return false;
	memcpy(csrf, r->csrf, HTTP_CSRF_TEXT_BYTES);
	return true;
}

/* ---- locked, proved, listed ---- */

static struct session *session_of(const struct http_request *r)
{
	bool is_one = r->has_session || r->is_session_locked;
	struct session **link = is_one ? session_find(r->http, &r->session) : NULL;
	return link == NULL ? NULL : *link;
}

void http_session_lock(struct http_request *r)
{
	struct session *s = session_of(r);
	if (s == NULL)
		return;
	s->is_locked = true;
	streams_drop_session(r->http, &s->key); /* what it may not ask for it does not hear */
}

const char *http_locked_user(const struct http_request *r)
{
	return r->is_session_locked ? r->user : NULL;
}

int http_session_unlock(struct http_request *r, struct error *e)
{
	struct session *s = session_of(r);
	if (s == NULL)
		return error_set(e, ERR_CLOSED, "the session has ended: log in again");
	s->is_locked = false;
	s->used_ms = uv_now(r->http->loop);
	r->is_session_locked = false;
	r->has_session = true;
	return OK;
}

void http_session_prove(struct http_request *r)
{
	struct session *s = session_of(r);
	uint64_t now_ms = uv_now(r->http->loop);
	if (s != NULL)
		s->proved_ms = now_ms ? now_ms : 1;
}

uint64_t http_session_proved_ms(const struct http_request *r)
{
	const struct session *s = session_of(r);
	return s == NULL || !s->proved_ms ? UINT64_MAX : uv_now(r->http->loop) - s->proved_ms;
}

#define NAME_BYTES 8

static void name_make(const struct session *s, char name[2 * NAME_BYTES + 1])
{
	hex_encode(BYTES(s->key.byte, NAME_BYTES), name);
}

void http_sessions_each(const struct http_request *r,
                        void (*visit)(void *context, const struct http_session_view *view), void *context)
{
	const struct http *h = r->http;
	uint64_t now_ms = uv_now(h->loop);

	for (size_t i = 0; i < SESSION_BUCKETS; i++) {
		for (const struct session *s = h->sessions[i]; s != NULL; s = s->next) {
			if (strcmp(s->user, r->user) != 0 || is_expired(h, s))
				continue;
			struct http_session_view view = {
				.begun_ms = s->begun_wall_ms,
				.used_ms = s->begun_wall_ms + (int64_t)(s->used_ms - s->begun_ms),
				.is_locked = s->is_locked || now_ms - s->used_ms >= h->session_idle_ms,
				.is_this = memcmp(s->key.byte, r->session.byte, sizeof(s->key.byte)) == 0,
			};
			name_make(s, view.name);
			visit(context, &view);
		}
	}
}

bool http_session_end_named(struct http_request *r, const char *name)
{
	char found[2 * NAME_BYTES + 1];

	for (size_t i = 0; i < SESSION_BUCKETS; i++) {
		for (struct session **link = &r->http->sessions[i]; *link != NULL; link = &(*link)->next) {
			name_make(*link, found);
			if (strcmp((*link)->user, r->user) != 0 || strcmp(found, name) != 0)
				continue;
			if (memcmp((*link)->key.byte, r->session.byte, sizeof((*link)->key.byte)) == 0)
				http_session_end(r); /* with its cookie */
			else
				session_remove(r->http, link);
			return true;
		}
	}
	return false;
}

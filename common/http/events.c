/*
 * Server-sent events. A stream is a response without end: libmicrohttpd asks stream_read for more, and when nothing is
 * pending the connection is suspended until something is published.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "server.h"

struct channel {
	struct channel *next;
	struct stream *first;
	char name[];
};

struct stream {
	struct http *http;
	struct front *front;
	struct MHD_Connection *connection;
	struct channel *channel;
	struct stream *next, *previous; /* in the channel */
	struct buffer pending;
	size_t sent; /* of `pending` */
	int fd;
	bool is_suspended, is_over;
	bool has_session;
	struct hash session;
};

/* ---- channels ---- */

static struct channel **channel_find(struct http *h, const char *name)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (const char *c = name; *c != '\0'; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619u;
	struct channel **link = &h->channels[hash % CHANNEL_BUCKETS];
	while (*link != NULL && strcmp((*link)->name, name) != 0)
		link = &(*link)->next;
	return link;
}

static bool channel_join(struct http *h, struct stream *s, const char *name)
{
	struct channel **link = channel_find(h, name);

	if (*link == NULL) {
		size_t size = strlen(name) + 1;
		*link = calloc(1, sizeof(**link) + size);
		if (*link == NULL)
			return false;
		memcpy((*link)->name, name, size);
	}
	s->channel = *link;
	s->next = s->channel->first;
	if (s->next != NULL)
		s->next->previous = s;
	s->channel->first = s;
	h->stream_count++;
	return true;
}

static void channel_leave(struct stream *s)
{
	struct channel *channel = s->channel;

	if (s->next != NULL)
		s->next->previous = s->previous;
	if (s->previous != NULL)
		s->previous->next = s->next;
	else
		channel->first = s->next;
	s->http->stream_count--;
	if (channel->first != NULL)
		return;
	struct channel **link = channel_find(s->http, channel->name);
	*link = channel->next;
	free(channel);
}

/* ---- one stream ---- */

static void stream_wake(struct stream *s)
{
	if (!s->is_suspended)
		return;
	s->is_suspended = false;
	front_resume(s->front, s->connection);
}

/* The connection ends as soon as libmicrohttpd looks at it: also when it waits for a client that reads nothing. */
void stream_drop(struct stream *s)
{
	if (s->is_over)
		return;
	s->is_over = true;
	shutdown(s->fd, SHUT_RDWR);
	stream_wake(s);
}

static void stream_append(struct stream *s, struct bytes text)
{
	if (s->is_over)
		return;
	if (s->sent > 0) {
		s->pending.size -= s->sent;
		memmove(s->pending.data, s->pending.data + s->sent, s->pending.size);
		s->sent = 0;
	}
	if (text.size > STREAM_BEHIND_BYTES_MOST - s->pending.size || buffer_append(&s->pending, text) != OK)
		stream_drop(s);
	else
		stream_wake(s);
}

static ssize_t stream_read(void *context, uint64_t position, char *out, size_t most)
{
	struct stream *s = context;
	size_t left = s->pending.size - s->sent;

	(void)position;
	if (s->is_over)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (left == 0) {
		s->is_suspended = true;
		MHD_suspend_connection(s->connection);
		return 0;
	}
	size_t size = left < most ? left : most;
	memcpy(out, s->pending.data + s->sent, size);
	s->sent += size;
	if (s->sent == s->pending.size) {
		buffer_clear(&s->pending);
		s->sent = 0;
	}
	return (ssize_t)size;
}

void stream_end(struct stream *s)
{
	channel_leave(s);
	buffer_release(&s->pending);
	free(s);
}

/* NULL: no memory. From here on r->stream belongs to the connection. */
static struct stream *stream_begin(struct http_request *r, const char *channel)
{
	struct stream *s = r->peer == NULL ? NULL : calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->http = r->http;
	s->front = r->front;
	s->connection = r->connection;
	s->fd = r->peer->fd;
	s->has_session = r->has_session;
	s->session = r->session;
	/* The first bytes let the browser know at once that the stream is open. */
	if (buffer_append(&s->pending, bytes_from_text("retry: 2000\n\n")) != OK ||
	    !channel_join(r->http, s, channel)) {
		buffer_release(&s->pending);
		free(s);
		return NULL;
	}
	return s;
}

void http_answer_events(struct http_request *r, const char *channel)
{
	if (r->connection == NULL || (r->peer != NULL && r->peer->has_left)) {
		answer_put(r, 200, NULL);
		return;
	}
	if (r->http->stream_count >= STREAMS_MOST) {
		http_answer_error(r, ERR_TOO_MANY, "Too many event streams are open; close other windows.");
		return;
	}
	r->stream = stream_begin(r, channel);
	if (r->stream == NULL) {
		http_answer_error(r, ERR_MEMORY, "There is no memory for an event stream.");
		return;
	}
	MHD_set_connection_option(r->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
	struct MHD_Response *response =
	        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, stream_read, r->stream, NULL);
	if (response != NULL && !answer_headers_add(r->http, response, "text/event-stream", "no-store")) {
		MHD_destroy_response(response);
		response = NULL;
	}
	answer_put(r, 200, response);
}

/* ---- all streams ---- */

/* A line end within the data begins a new data line, as the format wants it. */
static int event_format(struct buffer *out, const char *name, struct bytes json)
{
	size_t start = 0;
	int code = buffer_append(out, bytes_from_text("event: "));

	if (code == OK)
		code = buffer_append(out, BYTES(name, strcspn(name, "\r\n")));
	for (size_t i = 0; code == OK && i <= json.size; i++) {
		if (i < json.size && json.data[i] != '\n' && json.data[i] != '\r')
			continue;
		code = buffer_append(out, bytes_from_text("\ndata: "));
		if (code == OK)
			code = buffer_append(out, BYTES(json.data + start, i - start));
		start = i + 1;
	}
	return code == OK ? buffer_append(out, bytes_from_text("\n\n")) : code;
}

void http_publish(struct http *h, const char *channel, const char *name, struct bytes json)
{
	struct channel *found = *channel_find(h, channel);
	struct buffer text = { 0 };

	if (found == NULL)
		return;
	bool is_made = event_format(&text, name, json) == OK;
	for (struct stream *s = found->first; s != NULL; s = s->next) {
		if (is_made)
			stream_append(s, buffer_bytes(&text));
		else
			stream_drop(
			        s); /* it would miss an event without knowing; after a new connection it asks for all */
	}
	buffer_release(&text);
}

/* Calls `visit` for every stream; it must not take streams out. */
static void streams_visit(struct http *h, void (*visit)(struct stream *s, const void *context), const void *context)
{
	for (size_t i = 0; i < CHANNEL_BUCKETS; i++) {
		for (struct channel *channel = h->channels[i]; channel != NULL; channel = channel->next) {
			for (struct stream *s = channel->first; s != NULL; s = s->next)
				visit(s, context);
		}
	}
}

static void visit_keepalive(struct stream *s, const void *context)
{
	(void)context;
	stream_append(s, bytes_from_text(":\n\n"));
}

static void visit_session(struct stream *s, const void *context)
{
	const struct hash *session = context;

	if (s->has_session && memcmp(s->session.byte, session->byte, sizeof(session->byte)) == 0)
		stream_drop(s);
}

static void visit_drop(struct stream *s, const void *context)
{
	(void)context;
	stream_drop(s);
}

void streams_drop_session(struct http *h, const struct hash *session)
{
	if (h->stream_count > 0)
		streams_visit(h, visit_session, session);
}

static void on_keepalive(uv_timer_t *timer)
{
	struct http *h = timer->data;

	sessions_expire(h);
	streams_visit(h, visit_keepalive, NULL);
}

void events_start(struct http *h)
{
	uv_timer_init(h->loop, &h->keepalive);
	h->keepalive.data = h;
	h->handle_count++;
	uv_timer_start(&h->keepalive, on_keepalive, STREAM_KEEPALIVE_MS, STREAM_KEEPALIVE_MS);
}

static void on_keepalive_closed(uv_handle_t *handle)
{
	http_handle_closed(handle->data);
}

void events_stop(struct http *h)
{
	streams_visit(h, visit_drop, NULL);
	if (h->keepalive.data != NULL)
		uv_close((uv_handle_t *)&h->keepalive, on_keepalive_closed);
}

/*
 * Two engines joined by memory. One allocation of theirs fails somewhere on the way; who lost an event for that begins
 * a new session: afterwards both come to rest with everything stored.
 */
#include <stdlib.h>
#include <string.h>

#include "sweep.h"
#include "sync/link.h"

#define LINES 12
#define ENTRIES 600
#define STEP_MS 250
#define STEPS 40
#define REST_STEPS 400 /* 100 s: more than a lost session costs */
#define FRAMES_MOST 256

struct frame {
	enum link_action_type type;
	uint64_t session;
	uint32_t line;
	uint64_t first, last, at[LINES];
	uint32_t entries, bytes;
	bool is_expected;
};

struct side {
	struct link link;
	struct side *peer;
	struct frame inbox[FRAMES_MOST];
	size_t count;
	uint64_t head[LINES], stored[LINES]; /* what it has of its own lines, and of the other's */
	bool must_reconnect;
};

struct tested {
	struct side client, server;
	uint64_t now_ms, sessions;
	bool has_failed, must_restart;
	struct error e;
};

static void event(struct tested *own, struct side *s, struct link_event ev);

static void carry_out(struct tested *own, struct side *s, const struct link_action *a)
{
	struct frame f = { .type = a->type,
		           .session = s->link.session,
		           .line = a->line,
		           .last = a->ordinal,
		           .entries = a->entries,
		           .bytes = a->bytes,
		           .is_expected = a->is_expected };
	if (a->type == LINK_DO_RECONNECT) {
		s->must_reconnect = true;
		return;
	}
	if (a->type == LINK_DO_TELL_OPEN || a->type == LINK_DO_TELL_CLOSED)
		return;
	memcpy(f.at, s->stored, sizeof f.at);
	if (a->type == LINK_DO_SEND) {
		f.first = a->ordinal;
		f.last =
		        a->ordinal + a->entries - 1 < s->head[a->line] ? a->ordinal + a->entries - 1 : s->head[a->line];
	}
	if (s->peer->count < FRAMES_MOST)
		s->peer->inbox[s->peer->count++] = f;
	if (a->type == LINK_DO_SEND)
		event(own, s,
		      (struct link_event){ .type = LINK_SENT, .line = a->line, .ordinal = f.last, .bytes = 500 });
}

static void event(struct tested *own, struct side *s, struct link_event ev)
{
	struct link_update update = { 0 };
	ev.now_ms = own->now_ms;
	int result = link_step(&s->link, &ev, &update);
	if (result && !own->has_failed) {
		own->has_failed = own->must_restart = true;
		error_set(&own->e, result, "an event was lost: %s", error_name(result));
	}
	for (size_t i = 0; i < update.count; i++)
		carry_out(own, s, &update.action[i]);
	link_update_release(&update);
}

static void batch_came(struct tested *own, struct side *s, const struct frame *f)
{
	uint64_t *stored = &s->stored[f->line];
	event(own, s, (struct link_event){ .type = LINK_TAKE_LINE, .line = f->line });
	if (f->first > *stored + 1) {
		event(own, s, (struct link_event){ .type = LINK_GAP, .line = f->line });
		return;
	}
	enum link_event_type type = f->last > *stored ? LINK_STORED : LINK_DUPLICATE;
	*stored = f->last > *stored ? f->last : *stored;
	event(own, s, (struct link_event){ .type = LINK_STORED, .line = f->line, .ordinal = *stored });
	if (type == LINK_DUPLICATE)
		event(own, s, (struct link_event){ .type = type, .line = f->line });
}

/* As a journal does it: what it has is told again whenever it moves, and at every greeting. */
static void lines_tell(struct tested *own, struct side *s)
{
	for (uint32_t line = 0; line < LINES; line++) {
		bool is_new = !link_out_find(&s->link, line);
		event(own, s,
		      (struct link_event){ .type = is_new ? LINK_SEND_LINE : LINK_LINE_MOVED,
		                           .line = line,
		                           .ordinal = s->head[line] });
	}
}

static void hello_came(struct tested *own, struct side *s, const struct frame *f)
{
	lines_tell(own, s);
	event(own, s,
	      (struct link_event){ .type = LINK_HELLO,
	                           .session = f->session,
	                           .fresh_session = ++own->sessions,
	                           .version_least = LINK_VERSION_LEAST,
	                           .version_most = LINK_VERSION_MOST });
	for (uint32_t line = 0; line < LINES; line++)
		event(own, s, (struct link_event){ .type = LINK_PEER_AT, .line = line, .ordinal = f->at[line] });
}

static void frame_came(struct tested *own, struct side *s, const struct frame *f)
{
	if (f->type == LINK_DO_HELLO)
		hello_came(own, s, f);
	else if (s->link.state != LINK_OPEN || f->session != s->link.session)
		return;
	else if (f->type == LINK_DO_SEND)
		batch_came(own, s, f);
	else if (f->type == LINK_DO_ACK)
		event(own, s,
		      (struct link_event){ .type = f->is_expected ? LINK_PEER_AT : LINK_ACKED,
		                           .line = f->line,
		                           .ordinal = f->last,
		                           .credit_entries = f->entries,
		                           .credit_bytes = f->bytes });
	else
		event(own, s, (struct link_event){ .type = LINK_HEARD });
}

static void frames_come(struct tested *own, struct side *s)
{
	struct frame came[FRAMES_MOST];
	size_t count = s->count;
	memcpy(came, s->inbox, count * sizeof *came);
	s->count = 0;
	for (size_t i = 0; i < count; i++)
		frame_came(own, s, &came[i]);
}

static void step(struct tested *own)
{
	own->now_ms += STEP_MS;
	if (own->must_restart) { /* as the node does: what was not heard may never be said again within a session */
		event(own, &own->server, (struct link_event){ .type = LINK_REFUSED });
		own->client.must_reconnect = true;
	}
	if (own->client.must_reconnect) {
		own->must_restart = own->client.must_reconnect = false;
		event(own, &own->client, (struct link_event){ .type = LINK_TRANSPORT_DOWN });
		event(own, &own->client, (struct link_event){ .type = LINK_TRANSPORT_UP });
	}
	frames_come(own, &own->server);
	frames_come(own, &own->client);
	event(own, &own->client, (struct link_event){ .type = LINK_TICK });
	event(own, &own->server, (struct link_event){ .type = LINK_TICK });
}

static void ready(struct scene *s)
{
	struct tested *own = s->own = calloc(1, sizeof *own);
	if (!own)
		broken("no memory");
	link_init(&own->client.link, LINK_CLIENT, LINK_BEAT_MS);
	link_init(&own->server.link, LINK_SERVER, LINK_BEAT_MS);
	own->client.peer = &own->server;
	own->server.peer = &own->client;
	own->now_ms = 100000;
}

static int carried(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	event(own, &own->client, (struct link_event){ .type = LINK_TRANSPORT_UP });
	for (int i = 0; i < STEPS; i++) {
		for (size_t line = 0; line < LINES; line++) {
			own->client.head[line] += line < LINES / 2 ? ENTRIES / STEPS : 0;
			own->server.head[line] += line < LINES / 2 ? 0 : ENTRIES / STEPS;
		}
		lines_tell(own, &own->client);
		lines_tell(own, &own->server);
		step(own);
	}
	if (own->has_failed && e)
		*e = own->e;
	return own->has_failed ? own->e.code : OK;
}

static const char *all_is_stored(const struct scene *s, int result)
{
	struct tested *own = s->own;
	(void)result;
	for (int i = 0; i < REST_STEPS; i++)
		step(own);
	for (size_t line = 0; line < LINES; line++)
		if (own->server.stored[line] != own->client.head[line] ||
		    own->client.stored[line] != own->server.head[line])
			return "afterwards something stays behind";
	return link_waiting(&own->client.link) || link_waiting(&own->server.link) ? "something is not acked" : NULL;
}

static void clean(struct scene *s)
{
	struct tested *own = s->own;
	link_release(&own->client.link);
	link_release(&own->server.link);
	free(own);
}

static const struct operation list[] = { { "link", ready, carried, all_is_stored, clean } };
const struct operations link_operations = { list, sizeof list / sizeof *list };

/*
 * The transport side of peers, on the loop thread: sockets, routes, frames that wait for a socket, and the outbox.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "join.h"

#define STRANGER_LOG_US 1000000 /* anybody on the network can knock: told at most so often */

static struct peer *peer_make(struct node *n)
{
	struct peer *p = n->peer_count < PEERS_MOST ? calloc(1, sizeof *p) : NULL;
	if (!p)
		return NULL;
	p->node = n;
	return p;
}

/* The writer walks peers too: it sees a peer only when it is complete. */
static void peer_show(struct node *n, struct peer *p)
{
	n->peer[n->peer_count++] = p;
	atomic_store(&n->peer_visible, n->peer_count);
}

/* The peer that this device is already, which comes with another key than before: old or new, while both are valid. */
static struct peer *peer_changed(struct node *n, const struct directory_row *row, const uint8_t key[KEY_BYTES])
{
	for (size_t i = 0; i < n->peer_count && row->has_former; i++) {
		struct peer *p = n->peer[i];
		if (p->is_upstream || p->device != row->device)
			continue;
		pthread_mutex_lock(&n->directory_lock); /* the writer compares it under this lock */
		memcpy(p->curve_key, key, KEY_BYTES);
		pthread_mutex_unlock(&n->directory_lock);
		return p;
	}
	return NULL;
}

static uint32_t beat_ms(const struct node *n)
{
	return (uint32_t)n->config.beat_s * 1000;
}

static struct peer *peer_below(struct node *n, const uint8_t key[KEY_BYTES])
{
	for (size_t i = 0; i < n->peer_count; i++)
		if (!n->peer[i]->is_upstream && memcmp(n->peer[i]->curve_key, key, KEY_BYTES) == 0)
			return n->peer[i];
	struct directory_row row;
	if (directory_find(n, key, &row))
		return NULL;
	struct peer *p = row.is_replaced ? NULL : peer_changed(n, &row, key);
	if (p)
		return p;
	p = peer_make(n);
	if (!p)
		return NULL;
	p->device = row.is_replaced ? 0 : row.device; /* a key that is over makes nobody a device */
	p->role = row.role;
	snprintf(p->place, sizeof p->place, "%s", row.place);
	memcpy(p->curve_key, key, KEY_BYTES);
	link_init(&p->link, LINK_SERVER, beat_ms(n));
	peer_show(n, p);
	return p;
}

void out_frame_free(struct out_frame *f)
{
	free(f->data);
	free(f);
}

static void pending_drop(struct peer *p)
{
	while (p->pending_first) {
		struct out_frame *f = p->pending_first;
		p->pending_first = f->next;
		out_frame_free(f);
	}
	p->pending_last = NULL;
	p->pending_bytes = 0;
}

void peer_free(struct peer *p)
{
	while (p->raw_first) {
		struct raw_frame *raw = p->raw_first;
		p->raw_first = raw->next;
		free(raw);
	}
	pending_drop(p);
	link_release(&p->link);
	buffer_release(&p->signed_marks);
	free(p->marks_due);
	free(p->signed_told);
	free(p);
}

/* ---- in ---- */

/* Known keys of the tier below get in, revoked ones too: they are told why, and nothing else (links.c). */
static int on_admit(void *context, const uint8_t key[KEY_BYTES])
{
	struct node *n = context;
	struct directory_row row;
	int result = directory_find(n, key, &row);
	bool is_below = !result && (n->domain.tier == LM__TIER__TIER_DISTRICT ? row.role == LM__TIER__TIER_TOWN
	                                                                      : row.role == LM__TIER__TIER_TERMINAL);
	if (is_below && place_contains(n->domain.place, row.place))
		return OK;
	uint64_t now = clock_monotonic_us();
	if (n->stranger_us && now - n->stranger_us < STRANGER_LOG_US)
		return result ? result : ERR_DENIED;
	n->stranger_us = now;
	char text[2 * KEY_BYTES + 1];
	hex_encode(BYTES(key, KEY_BYTES), text);
	log_write(LOG_WARN, "key-refused", "a device with CURVE key %.16s… is not admitted here", text);
	return result ? result : ERR_DENIED;
}

static void on_server_frame(void *context, const struct net_route *route, const uint8_t key[KEY_BYTES],
                            struct bytes frame)
{
	struct node *n = context;
	struct peer *p = peer_below(n, key);
	if (!p)
		return;
	/* Identity is the key; the route is only where its answers go now. */
	p->route = *route;
	p->has_route = true;
	peer_frame_came(n, p, frame);
}

static void on_server_dropped(void *context, const uint8_t key[NET_KEY_BYTES], const char *why)
{
	struct node *n = context;
	struct peer *p = peer_below(n, key);
	n->counters.frames_dropped++;
	log_write(LOG_WARN, "frame-dropped", "%s drops a message of %s: %s", n->domain.place,
	          p ? p->place : "a device that has gone", why);
}

static void on_client_frame(void *context, struct bytes frame)
{
	struct node *n = context;
	peer_frame_came(n, n->upstream, frame);
}

/* The engine must hear of it: without memory the timer tries again. */
static void transport_tell(struct node *n)
{
	struct work *w = calloc(1, sizeof *w);
	n->must_tell_transport = !w;
	if (!w)
		return;
	w->type = WORK_TRANSPORT;
	w->peer = n->upstream;
	w->is_up = n->is_transport_up;
	if (inbox_push(n, w))
		work_free(w);
}

void peers_tick(struct node *n)
{
	if (n->must_tell_transport)
		transport_tell(n);
}

static void on_client_state(void *context, enum net_client_state state)
{
	struct node *n = context;
	struct upstream_state *u = &n->upstream_state;
	pthread_mutex_lock(&n->directory_lock);
	if (state == NET_REFUSED) {
		snprintf(u->code, sizeof u->code, "unknown-key");
		snprintf(u->text, sizeof u->text,
		         "%s does not know this device's key. Ask the district to admit it; its fingerprint is %s",
		         n->config.upstream, n->fingerprint);
	} else if (state == NET_WRONG_KEY) {
		snprintf(u->code, sizeof u->code, "wrong-key");
		snprintf(u->text, sizeof u->text,
		         "%s does not hold the key that upstream_key names: check the configuration",
		         n->config.upstream);
	}
	if (state == NET_REFUSED || state == NET_WRONG_KEY)
		log_write(LOG_WARN, "link-refused", "%s", u->text);
	pthread_mutex_unlock(&n->directory_lock);
	if (state != NET_CONNECTED)
		pending_drop(n->upstream);
	n->is_transport_up = state == NET_CONNECTED;
	transport_tell(n);
	if (n->tier.on_links)
		n->tier.on_links(n);
	node_tick_by(n, clock_monotonic_us() + TICK_SOON_US);
}

/* ---- out ---- */

static int transport_send(struct node *n, struct peer *p, const struct out_frame *f)
{
	struct bytes data = BYTES(f->data, f->size);
	int result = ERR_UNREACHABLE;
	if (p->is_upstream && n->client)
		result = net_client_send(n->client, data);
	else if (!p->is_upstream && n->server && p->has_route)
		result = net_server_send(n->server, &p->route, data);
	n->counters.frames_out += !result;
	n->counters.bytes_out += result ? 0 : f->size;
	return result;
}

static void pending_flush(struct node *n, struct peer *p)
{
	while (p->pending_first) {
		struct out_frame *f = p->pending_first;
		if (transport_send(n, p, f) == ERR_AGAIN)
			return;
		p->pending_first = f->next;
		if (!p->pending_first)
			p->pending_last = NULL;
		p->pending_bytes -= f->size;
		out_frame_free(f);
	}
}

static void on_writable(void *context)
{
	struct node *n = context;
	for (size_t i = 0; i < n->peer_count; i++)
		pending_flush(n, n->peer[i]);
}

static void peer_send(struct node *n, struct peer *p, struct out_frame *f)
{
	pending_flush(n, p);
	int result = p->pending_first ? ERR_AGAIN : transport_send(n, p, f);
	if (result != ERR_AGAIN || p->pending_bytes + f->size > PENDING_BYTES_MOST) {
		out_frame_free(f); /* gone, or dropped as a network would: the engine sends again */
		return;
	}
	f->next = NULL;
	if (p->pending_last)
		p->pending_last->next = f;
	else
		p->pending_first = f;
	p->pending_last = f;
	p->pending_bytes += f->size;
}

/* ---- the outbox ---- */

static void answer_came(struct node *n, struct out *o)
{
	struct arena arena;
	arena_init(&arena, 256 * 1024);
	Lm__Answer *answer = NULL;
	for (struct ask **at = &n->asks; *at; at = &(*at)->next) {
		struct ask *ask = *at;
		if (ask->number != o->number)
			continue;
		*at = ask->next;
		if (CODEC_UNPACK(lm__answer, buffer_bytes(&o->answer), &arena, &answer, NULL))
			answer = NULL;
		ask->done(ask->context, answer);
		free(ask);
		break;
	}
	arena_release(&arena);
	buffer_release(&o->answer);
}

static void join_reply_came(struct node *n, struct out *o)
{
	struct arena arena;
	Lm__JoinReply *reply;
	arena_init(&arena, 64 * 1024);
	if (!CODEC_UNPACK(lm__join_reply, buffer_bytes(&o->answer), &arena, &reply, NULL))
		join_answer_came(n, o->number, reply);
	arena_release(&arena);
	buffer_release(&o->answer);
}

static void out_handle(struct node *n, struct out *o)
{
	switch (o->type) {
	case OUT_FRAME:
		peer_send(n, o->peer, o->frame);
		break;
	case OUT_COMMAND:
		o->command->done(n, o->command);
		break;
	case OUT_NEWS:
		if (n->tier.on_news)
			n->tier.on_news(n, o->news, o->news_count);
		node_tick_by(n, clock_monotonic_us() + TICK_SOON_US);
		free(o->news);
		break;
	case OUT_MARKS:
		if (n->tier.on_marks)
			n->tier.on_marks(n, &o->line);
		break;
	case OUT_LINKS:
		if (n->tier.on_links)
			n->tier.on_links(n);
		node_tick_by(n, clock_monotonic_us() + TICK_SOON_US);
		break;
	case OUT_RECONNECT:
		pending_drop(n->upstream);
		if (n->client)
			net_client_reconnect(n->client);
		break;
	case OUT_ANSWER:
		answer_came(n, o);
		break;
	case OUT_JOIN_ANSWER:
		join_reply_came(n, o);
		break;
	case OUT_RING:
		if (n->tier.on_ring)
			n->tier.on_ring(n);
		node_tick_by(n, clock_monotonic_us() + TICK_SOON_US);
		break;
	}
}

void outbox_drain(struct node *n)
{
	for (struct out *o = outbox_take(n), *next; o; o = next) {
		next = o->next;
		out_handle(n, o);
		free(o);
	}
}

/* ---- life ---- */

int peers_start(struct node *n, struct error *e)
{
	char door[4200];
	int result = net_open(n->loop, &n->net, e);
	node_path(n, FILE_LINK, door, sizeof door);
	if (!result && n->config.link_address) {
		struct net_server_options server = { .address = n->config.link_address,
			                             .door_socket = door,
			                             .zap_domain = "link",
			                             .public_key = n->keys.curve_public,
			                             .secret_key = n->keys.curve_secret,
			                             .context = n,
			                             .admit = on_admit,
			                             .on_frame = on_server_frame,
			                             .on_writable = on_writable,
			                             .on_dropped = on_server_dropped };
		result = net_server_open(n->net, &server, &n->server, e);
	}
	if (!result)
		result = join_endpoint_open(n, e);
	if (result || !n->config.upstream)
		return result;
	n->upstream = peer_make(n);
	if (!n->upstream)
		return error_set(e, ERR_MEMORY, "no memory for the link to %s", n->config.upstream);
	n->upstream->is_upstream = true;
	n->upstream->role = n->domain.tier == LM__TIER__TIER_TERMINAL ? LM__TIER__TIER_TOWN : LM__TIER__TIER_DISTRICT;
	snprintf(n->upstream->place, sizeof n->upstream->place, "%.*s",
	         n->domain.tier == LM__TIER__TIER_TERMINAL ? 9 : 6, n->domain.place);
	link_init(&n->upstream->link, LINK_CLIENT, beat_ms(n));
	peer_show(n, n->upstream);
	return node_is_joining(n) ? OK : peers_connect(n, e);
}

int peers_connect(struct node *n, struct error *e)
{
	struct net_client_options client = { .address = n->config.upstream,
		                             .server_key = n->upstream_key,
		                             .public_key = n->keys.curve_public,
		                             .secret_key = n->keys.curve_secret,
		                             .context = n,
		                             .on_state = on_client_state,
		                             .on_frame = on_client_frame,
		                             .on_writable = on_writable,
		                             .retry_ms = REFUSED_RETRY_MS };
	return net_client_open(n->net, &client, &n->client, e);
}

void peers_close(struct node *n)
{
	join_endpoint_close(n);
	join_device_close(n);
	if (n->client)
		net_client_close(n->client);
	if (n->server)
		net_server_close(n->server);
	if (n->net)
		net_close(n->net);
	n->client = NULL;
	n->server = NULL;
	n->net = NULL;
}

static int ask_send(struct node *n, Lm__Ask *body, void (*done)(void *context, const Lm__Answer *answer), void *context)
{
	uint64_t session = n->upstream && !n->is_stopping ? atomic_load(&n->upstream->session) : 0;
	if (!session)
		return ERR_UNREACHABLE;
	struct ask *ask = calloc(1, sizeof *ask);
	struct out_frame *f = calloc(1, sizeof *f);
	struct buffer packed = { 0 };
	Lm__Frame frame = LM__FRAME__INIT;
	body->number = ++n->ask_number;
	frame.session = session;
	frame.body_case = LM__FRAME__BODY_ASK;
	frame.ask = body;
	int result = ask && f ? codec_pack_append(&frame.base, &packed, NULL) : ERR_MEMORY;
	if (result) {
		free(ask);
		free(f);
		buffer_release(&packed);
		return result;
	}
	*ask = (struct ask){ n->asks, body->number, clock_monotonic_us() + 5000000, done, context };
	n->asks = ask;
	node_tick_by(n, ask->deadline_us);
	f->data = packed.data;
	f->size = packed.size;
	peer_send(n, n->upstream, f);
	return OK;
}

int node_ask_upstream(struct node *n, const char *code, void (*done)(void *context, const Lm__Answer *answer),
                      void *context)
{
	Lm__Ask body = LM__ASK__INIT;
	body.receipt_code = (char *)(uintptr_t)code;
	return ask_send(n, &body, done, context);
}

int node_ring_upstream(struct node *n, uint64_t ring, bool is_over,
                       void (*done)(void *context, const Lm__Answer *answer), void *context)
{
	Lm__Ask body = LM__ASK__INIT;
	body.ring = ring;
	body.is_ring_over = is_over;
	return ask_send(n, &body, done, context);
}

/*
 * The join endpoint: a server of its own, in a ZeroMQ context of its own (so its flood is not the links' flood), that
 * admits any CURVE key, hears requests to join and nothing else. A door stands before it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "join.h"

#define DROPPED_LOG_US 1000000

struct knock { /* for the district's answer */
	struct knock *next;
	uint64_t number, deadline_us;
	struct net_route route;
};

struct heard { /* a key, and when it was heard last */
	uint8_t key[KEY_BYTES];
	uint64_t us;
};

struct join_endpoint {
	struct net *net;
	struct net_server *server;
	struct net_door *door;
	struct knock *first;
	size_t waiting;
	uint64_t number;
	struct heard heard[JOIN_KEYS];
	size_t heard_next;
	uint64_t second, count; /* requests in this second */
	uint64_t logged_us;
};

void join_reply_to(struct node *n, const struct net_route *route, const Lm__JoinReply *reply)
{
	struct buffer packed = { 0 };
	if (!n->join || !n->join->server)
		return;
	if (!codec_pack_append(&reply->base, &packed, NULL))
		net_server_send(n->join->server, route, buffer_bytes(&packed)); /* gone, or busy: it asks again */
	buffer_release(&packed);
}

static void refuse(struct node *n, const struct net_route *route, int code, const char *text)
{
	Lm__JoinReply reply = LM__JOIN_REPLY__INIT;
	reply.code = (char *)(uintptr_t)error_name(code);
	reply.text = (char *)(uintptr_t)text;
	join_reply_to(n, route, &reply);
}

/* ---- how often ---- */

static bool key_may_ask(struct join_endpoint *j, const uint8_t key[KEY_BYTES], uint64_t now)
{
	for (size_t i = 0; i < JOIN_KEYS; i++) {
		struct heard *h = &j->heard[i];
		if (!h->us || memcmp(h->key, key, KEY_BYTES) != 0)
			continue;
		bool may = now - h->us >= JOIN_SAME_KEY_US;
		if (may)
			h->us = now;
		return may;
	}
	struct heard *h = &j->heard[j->heard_next++ % JOIN_KEYS];
	memcpy(h->key, key, KEY_BYTES);
	h->us = now;
	return true;
}

static bool may_ask(struct join_endpoint *j, const uint8_t key[KEY_BYTES])
{
	uint64_t now = clock_monotonic_us(), second = now / 1000000;
	if (j->second != second) {
		j->second = second;
		j->count = 0;
	}
	return key_may_ask(j, key, now) && j->count++ < JOIN_A_SECOND;
}

/* ---- a request ---- */

static int request_for_here(const struct node *n, const Lm__DeviceRecord *r, struct error *e)
{
	Lm__Tier below = n->domain.tier == LM__TIER__TIER_DISTRICT ? LM__TIER__TIER_TOWN : LM__TIER__TIER_TERMINAL;
	if (r->role == below && place_contains(n->domain.place, r->place))
		return OK;
	return error_set(e, ERR_DENIED,
	                 "%s admits no device for %.20s: the device's configuration names the wrong tier "
	                 "above it",
	                 n->domain.place, r->place);
}

static struct knock *waiting_add(struct node *n, const struct net_route *route)
{
	struct join_endpoint *j = n->join;
	struct knock *w = j->waiting < JOIN_WAITING_MOST ? calloc(1, sizeof *w) : NULL;
	if (!w)
		return NULL;
	*w = (struct knock){ j->first, ++j->number, clock_monotonic_us() + JOIN_ANSWER_US, *route };
	j->first = w;
	j->waiting++;
	node_tick_by(n, w->deadline_us);
	return w;
}

static void request_pass_up(struct node *n, const struct net_route *route, const uint8_t key[KEY_BYTES],
                            Lm__JoinRequest *request)
{
	uint64_t session = n->upstream ? atomic_load(&n->upstream->session) : 0;
	if (!session) {
		refuse(n, route, ERR_UNREACHABLE, "the town has no connection to the district at the moment");
		return;
	}
	struct knock *w = waiting_add(n, route);
	if (!w) {
		refuse(n, route, ERR_TOO_MANY, "many devices are joining at once");
		return;
	}
	Lm__Frame frame = LM__FRAME__INIT;
	Lm__JoinAsk ask = LM__JOIN_ASK__INIT;
	ask.number = w->number;
	ask.key = codec_data(BYTES(key, KEY_BYTES));
	ask.request = request;
	frame.session = session;
	frame.body_case = LM__FRAME__BODY_JOIN_ASK;
	frame.join_ask = &ask;
	frame_send(n, n->upstream, &frame);
}

static void request_take(struct node *n, const struct net_route *route, const uint8_t key[KEY_BYTES],
                         struct bytes packed, struct arena *arena)
{
	struct error e = { 0 };
	Lm__JoinRequest *request;
	Lm__DeviceRecord record;
	struct hash fingerprint;
	int result = CODEC_UNPACK(lm__join_request, packed, arena, &request, &e);
	if (!result)
		result = join_request_check(request, key, &record, &fingerprint, &e);
	if (!result)
		result = request_for_here(n, &record, &e);
	if (result)
		refuse(n, route, result, e.text);
	else if (n->domain.tier == LM__TIER__TIER_DISTRICT)
		join_at_hub(n, route, request);
	else
		request_pass_up(n, route, key, request);
}

static void on_frame(void *context, const struct net_route *route, const uint8_t key[KEY_BYTES], struct bytes frame)
{
	struct node *n = context;
	struct arena arena;
	if (n->is_stopping)
		return;
	if (!may_ask(n->join, key)) {
		refuse(n, route, ERR_TOO_MANY, "too many requests to join come in at the moment");
		return;
	}
	arena_init(&arena, 64 * 1024);
	request_take(n, route, key, frame, &arena);
	arena_release(&arena);
}

static int on_admit(void *context, const uint8_t key[KEY_BYTES])
{
	(void)context;
	(void)key; /* whoever it is: the key counts only in what it asks */
	return OK;
}

static void on_dropped(void *context, const uint8_t key[KEY_BYTES], const char *why)
{
	struct node *n = context;
	uint64_t now = clock_monotonic_us();
	(void)key;
	if (n->join->logged_us && now - n->join->logged_us < DROPPED_LOG_US)
		return;
	n->join->logged_us = now;
	log_write(LOG_WARN, "join-dropped", "a message at the join endpoint is dropped: %s", why);
}

/* ---- the district's answer ---- */

void join_answer_came(struct node *n, uint64_t number, const Lm__JoinReply *reply)
{
	if (!n->join)
		return;
	for (struct knock **at = &n->join->first; *at; at = &(*at)->next) {
		struct knock *w = *at;
		if (w->number != number)
			continue;
		*at = w->next;
		n->join->waiting--;
		join_reply_to(n, &w->route, reply);
		free(w);
		return;
	}
}

void join_endpoint_tick(struct node *n)
{
	uint64_t now = clock_monotonic_us();
	if (!n->join)
		return;
	for (struct knock **at = &n->join->first; *at;) {
		struct knock *w = *at;
		if (w->deadline_us > now) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		n->join->waiting--;
		refuse(n, &w->route, ERR_UNREACHABLE, "the district does not answer the town at the moment");
		free(w);
	}
}

/* The newest stand first, and all wait equally long. */
uint64_t join_endpoint_due_us(const struct node *n)
{
	uint64_t due_us = UINT64_MAX;
	for (const struct knock *w = n->join ? n->join->first : NULL; w; w = w->next)
		due_us = w->deadline_us;
	return due_us;
}

/* ---- life ---- */

static int server_open(struct node *n, const char *path, struct error *e)
{
	char address[4200];
	snprintf(address, sizeof address, "ipc://%s", path);
	struct net_server_options options = { .address = address,
		                              .is_behind_door = true,
		                              .zap_domain = "join",
		                              .public_key = n->keys.curve_public,
		                              .secret_key = n->keys.curve_secret,
		                              .frame_bytes_most = JOIN_FRAME_BYTES_MOST,
		                              .context = n,
		                              .admit = on_admit,
		                              .on_frame = on_frame,
		                              .on_dropped = on_dropped };
	return net_server_open(n->join->net, &options, &n->join->server, e);
}

int join_endpoint_open(struct node *n, struct error *e)
{
	char path[4096], folder[4096];
	if (!n->config.join_address)
		return OK;
	if (!realpath(n->config.data, folder))
		return error_set(e, ERR_IO, "the folder %s cannot be found", n->config.data);
	n->join = calloc(1, sizeof *n->join);
	if (!n->join)
		return error_set(e, ERR_MEMORY, "no memory for the join endpoint");
	int length = snprintf(path, sizeof path, "%s/join.sock", folder);
	if (length < 0 || length >= (int)sizeof path)
		return error_set(e, ERR_CONFIG, "the path of the data folder is too long");
	int result = net_open(n->loop, &n->join->net, e);
	if (!result)
		result = server_open(n, path, e);
	struct net_door_options door = { .address = n->config.join_address, .socket_path = path };
	return result ? result : net_door_open(n->loop, &door, &n->join->door, e);
}

void join_endpoint_close(struct node *n)
{
	if (!n->join)
		return;
	net_door_close(n->join->door);
	net_server_close(n->join->server);
	net_close(n->join->net);
	for (struct knock *w = n->join->first, *next; w; w = next) {
		next = w->next;
		free(w);
	}
	free(n->join);
	n->join = NULL;
}

const char *join_endpoint_address(const struct node *n)
{
	return n->join && n->join->door ? net_door_address(n->join->door) : "";
}

/* ZeroMQ's sockets over the weather. A connection is TCP's: what arrives, arrives in its order, unless the weather says
 * otherwise; a frame that was changed on its way does not pass CURVE and ends the connection. */
#include <stdlib.h>
#include <string.h>

#include "net/net.h"
#include "sim.h"

#define CONNECTIONS_MOST 64
#define ADDRESS_BYTES 64
#define AWAY_MS 1000 /* as ZMQ_RECONNECT_IVL */

struct net {
	struct site *site;
};

struct net_server {
	struct site *site;
	struct net_server_options options;
	char address[ADDRESS_BYTES];
	uint8_t public_key[NET_KEY_BYTES];
	uint64_t refused;
};

struct net_client {
	struct site *site;
	struct net_client_options options;
	char address[ADDRESS_BYTES];
	uint8_t server_key[NET_KEY_BYTES], public_key[NET_KEY_BYTES];
	enum net_client_state state;
	uint32_t connection; /* 0: none */
	uint64_t attempt;    /* a try that was planned before this one is void */
	size_t planned;      /* tries that still hold this client */
	bool is_waiting; /* nobody is there: it tries every second, and each try before somebody is there is in vain */
	bool is_closed;
};

struct connection {
	uint32_t id;
	struct net_server *server; /* NULL: its site is gone */
	struct net_client *client;
	uint8_t key[NET_KEY_BYTES]; /* of the client */
	uint64_t up_us, down_us;    /* when the last frame arrives */
	bool is_half_open;          /* nothing arrives any more, and nobody knows */
};

uint64_t net_delay_us = NET_DELAY_US;

static struct net_server *servers[2 * SITES_MOST];
static struct net_client *clients[2 * SITES_MOST];
static struct connection connections[CONNECTIONS_MOST];
static uint32_t connections_made;
static struct {
	bool is_up_cut, is_down_cut;
} cut[SITES_MOST];

static size_t index_of(const struct site *s)
{
	return (size_t)(s - world.site);
}

void net_reset(void)
{
	memset(connections, 0, sizeof connections);
	memset(servers, 0, sizeof servers);
	memset(clients, 0, sizeof clients);
	memset(cut, 0, sizeof cut);
	net_delay_us = NET_DELAY_US;
	connections_made = 0;
}

static struct connection *connection_find(uint32_t id)
{
	struct connection *c = &connections[id % CONNECTIONS_MOST];
	return id && c->id == id ? c : NULL;
}

/* ---- life ---- */

int net_open(uv_loop_t *loop, struct net **out, struct error *e)
{
	struct net *n = calloc(1, sizeof *n);
	if (!n)
		return error_set(e, ERR_MEMORY, "no memory");
	n->site = loop->data;
	*out = n;
	return OK;
}

void net_close(struct net *n)
{
	free(n);
}

int net_keypair(uint8_t public_key[NET_KEY_BYTES], uint8_t secret_key[NET_KEY_BYTES], struct error *e)
{
	int result = crypto_random(public_key, NET_KEY_BYTES, e);
	return result ? result : crypto_random(secret_key, NET_KEY_BYTES, e);
}

static void clients_wake(void);

int net_server_open(struct net *n, const struct net_server_options *options, struct net_server **out, struct error *e)
{
	struct net_server *s = calloc(1, sizeof *s);
	size_t at = 0;
	while (at < 2 * SITES_MOST && servers[at])
		at++;
	if (!s || at == 2 * SITES_MOST) {
		free(s);
		return error_set(e, ERR_MEMORY, "no memory");
	}
	s->site = n->site;
	s->options = *options;
	snprintf(s->address, sizeof s->address, "%s", options->address);
	memcpy(s->public_key, options->public_key, NET_KEY_BYTES);
	servers[at] = s;
	clients_wake();
	*out = s;
	return OK;
}

const char *net_server_address(const struct net_server *s)
{
	return s->address;
}

uint64_t net_server_refused(const struct net_server *s)
{
	return s->refused;
}

uint64_t net_server_dropped(const struct net_server *s)
{
	(void)s;
	return 0;
}

uint64_t net_server_ended(const struct net_server *s)
{
	(void)s;
	return 0;
}

bool net_zap_answers(struct net *n)
{
	(void)n;
	return true;
}

static void connection_end(struct connection *c, bool is_client_told);

void net_server_close(struct net_server *s)
{
	for (size_t i = 0; i < CONNECTIONS_MOST; i++)
		if (connections[i].id && connections[i].server == s)
			connection_end(&connections[i], true);
	for (size_t i = 0; i < 2 * SITES_MOST; i++)
		if (servers[i] == s)
			servers[i] = NULL;
	free(s);
}

/* ---- connecting ---- */

struct attempt {
	struct net_client *client;
	uint64_t number;
};

static void attempt_plan(struct net_client *c, uint64_t delay_us);

static struct net_server *server_at(const char *address)
{
	for (size_t i = 0; i < 2 * SITES_MOST; i++)
		if (servers[i] && strcmp(servers[i]->address, address) == 0 && !servers[i]->site->is_dying)
			return servers[i];
	return NULL;
}

static void state_tell(struct net_client *c, enum net_client_state state)
{
	struct site *before = world.here;
	c->state = state;
	world.here = c->site;
	c->options.on_state(c->options.context, state);
	world.here = before;
}

/* The next of their tries finds somebody. */
static void clients_wake(void)
{
	for (size_t i = 0; i < 2 * SITES_MOST; i++)
		if (clients[i] && clients[i]->is_waiting)
			attempt_plan(clients[i], draw(AWAY_MS * MS));
}

static int admission(struct net_server *s, const struct net_client *c)
{
	struct site *before = world.here;
	world.here = s->site;
	int result = s->options.admit(s->options.context, c->public_key);
	world.here = before;
	s->refused += result != OK;
	return result;
}

static void connect_to(struct net_client *c, struct net_server *s)
{
	struct connection *made = NULL;
	while (!made) {
		uint32_t id = ++connections_made;
		struct connection *slot = &connections[id % CONNECTIONS_MOST];
		if (!slot->id) {
			*slot = (struct connection){ .id = id, .server = s, .client = c };
			memcpy(slot->key, c->public_key, NET_KEY_BYTES);
			made = slot;
		}
	}
	c->connection = made->id;
	state_tell(c, NET_CONNECTED);
}

static void client_free_if_unused(struct net_client *c)
{
	if (c->is_closed && !c->planned)
		free(c);
}

static void attempt_run(void *context, bool is_alive)
{
	struct attempt *attempt = context;
	struct net_client *c = attempt->client;
	if (is_alive && !c->is_closed && !c->site->is_dying && attempt->number == c->attempt && !c->connection) {
		struct net_server *s = server_at(c->address);
		size_t at = index_of(c->site);
		if (!s || cut[at].is_up_cut || cut[at].is_down_cut) {
			c->is_waiting = true;
		} else if (memcmp(s->public_key, c->server_key, NET_KEY_BYTES) != 0) {
			state_tell(c, NET_WRONG_KEY);
			attempt_plan(c, c->options.retry_ms * MS);
		} else if (admission(s, c)) {
			state_tell(c, NET_REFUSED);
			attempt_plan(c, c->options.retry_ms * MS);
		} else {
			connect_to(c, s);
		}
	}
	c->planned--;
	client_free_if_unused(c);
	free(attempt);
}

static void attempt_plan(struct net_client *c, uint64_t delay_us)
{
	struct attempt *attempt = malloc(sizeof *attempt);
	if (!attempt)
		abort();
	*attempt = (struct attempt){ c, ++c->attempt };
	c->planned++;
	c->is_waiting = false;
	plan(delay_us + draw_between(100, 20000), c->site, attempt_run, attempt);
}

int net_client_open(struct net *n, const struct net_client_options *options, struct net_client **out, struct error *e)
{
	struct net_client *c = calloc(1, sizeof *c);
	if (!c)
		return error_set(e, ERR_MEMORY, "no memory");
	c->site = n->site;
	c->options = *options;
	if (!c->options.retry_ms)
		c->options.retry_ms = AWAY_MS;
	snprintf(c->address, sizeof c->address, "%s", options->address);
	memcpy(c->server_key, options->server_key, NET_KEY_BYTES);
	memcpy(c->public_key, options->public_key, NET_KEY_BYTES);
	for (size_t i = 0; i < 2 * SITES_MOST; i++)
		if (!clients[i]) {
			clients[i] = c;
			break;
		}
	*out = c;
	attempt_plan(c, 0);
	return OK;
}

static void connection_end(struct connection *c, bool is_client_told)
{
	struct net_client *client = c->client;
	memset(c, 0, sizeof *c);
	if (!client)
		return;
	client->connection = 0;
	if (!is_client_told || client->site->is_dying)
		return;
	state_tell(client, NET_CONNECTING);
	attempt_plan(client, AWAY_MS * MS);
}

void net_client_reconnect(struct net_client *c)
{
	struct connection *connection = connection_find(c->connection);
	if (connection)
		connection_end(connection, false);
	state_tell(c, NET_CONNECTING);
	attempt_plan(c, c->options.retry_ms * MS);
}

void net_client_close(struct net_client *c)
{
	struct connection *connection = connection_find(c->connection);
	if (connection)
		connection_end(connection, false);
	c->is_closed = true;
	for (size_t i = 0; i < 2 * SITES_MOST; i++)
		if (clients[i] == c)
			clients[i] = NULL;
	client_free_if_unused(c);
}

static struct connection *connection_of(const struct site *below)
{
	for (size_t i = 0; i < CONNECTIONS_MOST; i++)
		if (connections[i].id && connections[i].client && connections[i].client->site == below)
			return &connections[i];
	return NULL;
}

bool net_break(struct site *below)
{
	struct connection *c = connection_of(below);
	if (c)
		connection_end(c, true);
	return c != NULL;
}

bool net_half_open(struct site *below)
{
	struct connection *c = connection_of(below);
	if (!c || c->is_half_open)
		return false;
	tell("%-24s has a connection that is dead, and nobody knows", below->name);
	c->is_half_open = true;
	return true;
}

/* ZeroMQ asks for every key, and what came through all the same must lead to nothing. */
bool net_stranger(struct site *above)
{
	uint8_t key[NET_KEY_BYTES], junk[200];
	struct site *before = world.here;
	bool is_done = false;
	prng_fill(&world.chance, key, sizeof key);
	prng_fill(&world.chance, junk, sizeof junk);
	world.here = above;
	for (size_t i = 0; i < 2 * SITES_MOST; i++) {
		struct net_route route = { .size = 4 };
		if (!servers[i] || servers[i]->site != above)
			continue;
		if (servers[i]->options.admit(servers[i]->options.context, key) == OK)
			fail("%s admits a key that nobody knows", above->name);
		servers[i]->refused++;
		servers[i]->options.on_frame(servers[i]->options.context, &route, key,
		                             BYTES(junk, draw(sizeof junk) + 1));
		is_done = true;
	}
	world.here = before;
	return is_done;
}

void net_cut(struct site *below, bool is_up_cut, bool is_down_cut)
{
	cut[index_of(below)].is_up_cut = is_up_cut;
	cut[index_of(below)].is_down_cut = is_down_cut;
	clients_wake();
}

/* A machine without power says no goodbye: its neighbours find out by silence, or as their next frame is refused. */
void net_site_died(struct site *s)
{
	bool is_noticed = !s->is_power_cut;
	for (size_t i = 0; i < CONNECTIONS_MOST; i++) {
		struct connection *c = &connections[i];
		if (!c->id)
			continue;
		if (c->client && c->client->site == s)
			connection_end(c, false);
		else if (c->server && c->server->site == s && is_noticed)
			connection_end(c, true);
		else if (c->server && c->server->site == s)
			c->server = NULL;
	}
}

/* ---- frames ---- */

struct flight {
	uint32_t connection;
	bool is_up;
	size_t size;
	uint8_t data[];
};

static void flight_land(void *context, bool is_alive)
{
	struct flight *f = context;
	struct connection *c = connection_find(f->connection);
	struct site *before = world.here, *to = NULL;
	(void)is_alive; /* the receiver's life is the connection's */
	if (c && f->is_up && c->server)
		to = c->server->site;
	else if (c && !f->is_up && c->client)
		to = c->client->site;
	if (site_is_paused(to)) {
		plan(to->paused_until_us - world.now_us, NULL, flight_land, f);
		return;
	}
	if (c && f->is_up && c->server && !c->server->site->is_dying) {
		struct net_route route = { .size = sizeof c->id };
		memcpy(route.byte, &c->id, sizeof c->id);
		world.here = c->server->site;
		trace_note("frame up", f->data, f->size);
		c->server->options.on_frame(c->server->options.context, &route, c->key, BYTES(f->data, f->size));
	} else if (c && !f->is_up && c->client && !c->client->site->is_dying) {
		world.here = c->client->site;
		trace_note("frame down", f->data, f->size);
		c->client->options.on_frame(c->client->options.context, BYTES(f->data, f->size));
	}
	world.here = before;
	free(f);
}

static void flight_plan(struct connection *c, bool is_up, bool is_late, struct bytes frame)
{
	struct flight *f = malloc(sizeof *f + frame.size);
	if (!f)
		abort();
	*f = (struct flight){ .connection = c->id, .is_up = is_up, .size = frame.size };
	memcpy(f->data, frame.data, frame.size);
	uint64_t delay = draw_between(net_delay_us / 2, net_delay_us * 2);
	uint64_t *last = is_up ? &c->up_us : &c->down_us;
	if (is_late) {
		delay += draw(2 * SECONDS); /* out of its order */
	} else {
		uint64_t arrives = world.now_us + delay;
		if (arrives <= *last)
			delay = *last + 1 - world.now_us;
		*last = world.now_us + delay;
	}
	plan(delay, NULL, flight_land, f);
}

static int frame_send_over(struct connection *c, bool is_up, struct bytes frame)
{
	struct site *from = is_up ? c->client->site : c->server->site;
	struct site *sender = world.here;
	const struct site *below = c->client ? c->client->site : NULL;
	if (frame.size > NET_FRAME_BYTES_MOST)
		return ERR_TOO_BIG;
	if (!effect_is_seen(from, EFFECT_SEND))
		return OK;
	if (below && (is_up ? cut[index_of(below)].is_up_cut : cut[index_of(below)].is_down_cut))
		return OK;
	if (c->is_half_open)
		return OK;
	if (fault_hits(FAULT_CORRUPT, from)) { /* CURVE refuses it */
		connection_end(c, true);
		return OK;
	}
	struct buffer harmed = { 0 };
	world.here = NULL; /* the relay is nobody's daemon: it has memory */
	enum harm harm = relay_harm(from, below, is_up, frame, &harmed);
	world.here = sender;
	if (harm == HARM_REPLAYED)
		flight_plan(c, is_up, false, buffer_bytes(&harmed));
	if (harm != HARM_WITHHELD && !fault_hits(FAULT_DROP, from)) {
		struct bytes sent = harm == HARM_ALTERED ? buffer_bytes(&harmed) : frame;
		flight_plan(c, is_up, fault_hits(FAULT_LATE, from), sent);
		if (fault_hits(FAULT_REPEAT, from))
			flight_plan(c, is_up, false, sent);
	}
	buffer_release(&harmed);
	return OK;
}

int net_client_send(struct net_client *c, struct bytes frame)
{
	struct connection *connection = connection_find(c->connection);
	return connection ? frame_send_over(connection, true, frame) : ERR_UNREACHABLE;
}

int net_server_send(struct net_server *s, const struct net_route *route, struct bytes frame)
{
	uint32_t id = 0;
	if (route->size == sizeof id)
		memcpy(&id, route->byte, sizeof id);
	struct connection *c = connection_find(id);
	return c && c->server == s && c->client ? frame_send_over(c, false, frame) : ERR_UNREACHABLE;
}

/* ---- doors: there are none, for every device of this world is admitted before it starts ---- */

int net_door_open(uv_loop_t *loop, const struct net_door_options *options, struct net_door **out, struct error *e)
{
	(void)loop;
	(void)out;
	return error_set(e, ERR_INVALID, "%s: nobody joins in the simulator", options->address);
}

const char *net_door_address(const struct net_door *d)
{
	(void)d;
	return "";
}

void net_door_close(struct net_door *d)
{
	(void)d;
}

/*
 * Messaging alone: a frame goes up over two CURVE links of the net room and a short one comes back the same way. Each
 * of the three nodes has its own thread and loop, as it has its own process in the product.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/net.h"
#include "parts.h"

#define FRAME_BYTES_MOST 65536
#define ROUNDS_MOST 100000
#define WARM_UP 50

struct keys {
	uint8_t public_key[NET_KEY_BYTES], secret_key[NET_KEY_BYTES];
};

struct stop {
	uv_loop_t loop;
	struct net *net;
	struct net_server *server; /* none at the bottom */
	struct net_client *client; /* none at the top */
	struct net_route below;
	struct keys keys;
	uint8_t above_key[NET_KEY_BYTES];
	char address[64]; /* of the server above */
	uv_async_t end;
	pthread_t thread;
	/* the bottom's */
	uint8_t frame[FRAME_BYTES_MOST];
	size_t up_bytes, down_bytes;
	int rounds, done;
	uint64_t begun_us;
	uint32_t sample_us[ROUNDS_MOST];
};

static struct stop bottom, middle, top;
static atomic_bool is_middle_up;

static int on_admit(void *context, const uint8_t key[NET_KEY_BYTES])
{
	(void)context;
	(void)key;
	return OK;
}

static void ping(struct stop *s)
{
	s->begun_us = clock_monotonic_us();
	net_client_send(s->client, BYTES(s->frame, s->up_bytes));
}

static void on_top_frame(void *context, const struct net_route *route, const uint8_t *key, struct bytes frame)
{
	struct stop *s = context;
	(void)key;
	(void)frame;
	net_server_send(s->server, route, BYTES(s->frame, s->down_bytes));
}

static void on_middle_frame(void *context, const struct net_route *route, const uint8_t *key, struct bytes frame)
{
	struct stop *s = context;
	(void)key;
	s->below = *route;
	net_client_send(s->client, frame);
}

static void on_middle_answer(void *context, struct bytes frame)
{
	struct stop *s = context;
	net_server_send(s->server, &s->below, frame);
}

static void on_bottom_answer(void *context, struct bytes frame)
{
	struct stop *s = context;
	(void)frame;
	s->sample_us[s->done++] = (uint32_t)(clock_monotonic_us() - s->begun_us);
	if (s->done < s->rounds) {
		ping(s);
		return;
	}
	uv_async_send(&bottom.end);
	uv_async_send(&middle.end);
	uv_async_send(&top.end);
}

static void on_state(void *context, enum net_client_state state)
{
	struct stop *s = context;
	if (state != NET_CONNECTED)
		return;
	if (s == &bottom)
		ping(s);
	else
		atomic_store(&is_middle_up, true);
}

static void on_end(uv_async_t *async)
{
	struct stop *s = async->data;
	if (s->client)
		net_client_close(s->client);
	if (s->server)
		net_server_close(s->server);
	net_close(s->net);
	uv_close((uv_handle_t *)async, NULL);
}

static int stop_open(struct stop *s, struct error *e)
{
	int result = net_keypair(s->keys.public_key, s->keys.secret_key, e);
	if (uv_loop_init(&s->loop) || uv_async_init(&s->loop, &s->end, on_end))
		return error_set(e, ERR_INTERNAL, "no loop");
	s->end.data = s;
	return result ? result : net_open(&s->loop, &s->net, e);
}

static int server_open(struct stop *s,
                       void (*on_frame)(void *, const struct net_route *, const uint8_t *, struct bytes),
                       struct error *e)
{
	struct net_server_options options = { .address = "tcp://127.0.0.1:*",
		                              .zap_domain = "link",
		                              .public_key = s->keys.public_key,
		                              .secret_key = s->keys.secret_key,
		                              .context = s,
		                              .admit = on_admit,
		                              .on_frame = on_frame };
	return net_server_open(s->net, &options, &s->server, e);
}

static int client_open(struct stop *s, const struct stop *above, void (*on_frame)(void *, struct bytes),
                       struct error *e)
{
	memcpy(s->above_key, above->keys.public_key, NET_KEY_BYTES);
	snprintf(s->address, sizeof s->address, "%s", net_server_address(above->server));
	struct net_client_options options = { .address = s->address,
		                              .server_key = s->above_key,
		                              .public_key = s->keys.public_key,
		                              .secret_key = s->keys.secret_key,
		                              .context = s,
		                              .on_state = on_state,
		                              .on_frame = on_frame };
	return net_client_open(s->net, &options, &s->client, e);
}

static void *stop_run(void *context)
{
	struct stop *s = context;
	uv_run(&s->loop, UV_RUN_DEFAULT);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

int ping_run(int rounds, int up_bytes, int down_bytes)
{
	struct error e = { 0 };
	struct stop *stops[] = { &top, &middle, &bottom };
	rounds += WARM_UP;
	if (rounds > ROUNDS_MOST || up_bytes > FRAME_BYTES_MOST || down_bytes > FRAME_BYTES_MOST)
		return 64;
	bottom.rounds = rounds;
	bottom.up_bytes = (size_t)up_bytes;
	top.down_bytes = (size_t)down_bytes;
	int result = OK;
	for (int i = 0; i < 3 && !result; i++)
		result = stop_open(stops[i], &e);
	if (!result)
		result = server_open(&top, on_top_frame, &e);
	if (!result)
		result = server_open(&middle, on_middle_frame, &e);
	if (!result)
		result = client_open(&middle, &top, on_middle_answer, &e);
	for (int i = 0; i < 2 && !result; i++)
		result = pthread_create(&stops[i]->thread, NULL, stop_run, stops[i]);
	while (!result && !atomic_load(&is_middle_up)) /* what is sent before that would be lost */
		usleep(1000);
	if (!result)
		result = client_open(&bottom, &middle, on_bottom_answer, &e);
	if (!result)
		result = pthread_create(&bottom.thread, NULL, stop_run, &bottom);
	if (result) {
		fprintf(stderr, "bench_parts: %s\n", e.text);
		return 1;
	}
	for (int i = 0; i < 3; i++)
		pthread_join(stops[i]->thread, NULL);
	qsort(bottom.sample_us + WARM_UP, (size_t)(rounds - WARM_UP), sizeof *bottom.sample_us, compare);
	printf("{\"p50_ms\":%.4f}\n", bottom.sample_us[WARM_UP + (rounds - WARM_UP) / 2] / 1000.0);
	return 0;
}

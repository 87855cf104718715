/*
 * mosquitto: published with QoS 1 to the broker of tier 1; bridges carry it to those of tier 2 and 3.
 *
 * Tier 1 learns by a message. A subscriber with a lasting session at tier 3 publishes the ids of all that have come
 * meanwhile, with QoS 0: answering those would make Nagle's delay meet the next request. The bridges carry that to
 * tier 1. A broker keeps a message only until the next one has confirmed it.
 *
 *   bench_mosquitto PORT_1 PORT_3
 */
#include <mosquitto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define TOPIC_UP "up"
#define TOPIC_ACKS "acks"
#define IDS_MOST 1024
#define QOS 1
#define KEEP_ALIVE_S 60
#define PACKETS_A_TURN 256

static int port[2];
static struct mosquitto *listener, *relay;
static uint64_t arrived[IDS_MOST]; /* the relay thread's */
static size_t arrived_count;

static bool is_well(int result, const char *what)
{
	return result == MOSQ_ERR_SUCCESS || load_fail("mosquitto: %s: %s", what, mosquitto_strerror(result));
}

static struct mosquitto *connect_to(int where, const char *name, bool is_clean)
{
	struct mosquitto *m = mosquitto_new(name, is_clean, NULL);
	if (!m) {
		load_fail("mosquitto: no memory for a client");
		return NULL;
	}
	if (is_well(mosquitto_int_option(m, MOSQ_OPT_SEND_MAXIMUM, 0), "window") &&
	    is_well(mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1), "socket") &&
	    is_well(mosquitto_connect(m, "127.0.0.1", where, KEEP_ALIVE_S), "connect"))
		return m;
	mosquitto_destroy(m);
	return NULL;
}

/* ---- the news ---- */

static bool arrived_send(void)
{
	size_t count = arrived_count;
	arrived_count = 0;
	return !count ||
	       is_well(mosquitto_publish(relay, NULL, TOPIC_ACKS, (int)(count * sizeof *arrived), arrived, 0, false),
	               "acks");
}

static void on_arrived(struct mosquitto *m, void *context, const struct mosquitto_message *message)
{
	(void)m;
	(void)context;
	if (message->payloadlen != REQUEST_BYTES)
		return;
	memcpy(&arrived[arrived_count++], message->payload, sizeof *arrived);
	if (arrived_count == IDS_MOST)
		arrived_send();
}

static void *relay_run(void *context)
{
	(void)context;
	int result = MOSQ_ERR_SUCCESS;
	while (result == MOSQ_ERR_SUCCESS) {
		result = mosquitto_loop(relay, 1000, PACKETS_A_TURN);
		if (arrived_count && !arrived_send())
			return NULL;
	}
	is_well(result, "relay");
	return NULL;
}

static void on_news(struct mosquitto *m, void *context, const struct mosquitto_message *message)
{
	(void)m;
	(void)context;
	load_done_all(message->payload, (size_t)message->payloadlen);
}

static bool mosquitto_open(char **arguments)
{
	pthread_t thread;
	mosquitto_lib_init();
	for (int i = 0; i < 2; i++)
		port[i] = atoi(arguments[i]);
	listener = connect_to(port[0], "listener", true);
	relay = connect_to(port[1], "relay", false);
	if (!listener || !relay)
		return false;
	mosquitto_message_callback_set(listener, on_news);
	mosquitto_message_callback_set(relay, on_arrived);
	return is_well(mosquitto_subscribe(listener, NULL, TOPIC_ACKS, 0), "subscribe") &&
	       is_well(mosquitto_subscribe(relay, NULL, TOPIC_UP, QOS), "subscribe") &&
	       is_well(mosquitto_loop_start(listener), "listener") &&
	       pthread_create(&thread, NULL, relay_run, NULL) == 0;
}

/* ---- producers ---- */

static void *mosquitto_lane_open(size_t number, size_t window)
{
	char name[32];
	(void)window;
	snprintf(name, sizeof name, "producer-%zu", number);
	struct mosquitto *m = connect_to(port[0], name, true);
	if (m && is_well(mosquitto_loop_start(m), "producer"))
		return m;
	return NULL;
}

static bool mosquitto_lane_send(void *lane, const struct request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!is_well(mosquitto_publish(lane, NULL, TOPIC_UP, REQUEST_BYTES, &requests[i], QOS, false),
		             "publishing"))
			return false;
	return true;
}

static void mosquitto_lane_close(void *lane)
{
	mosquitto_disconnect(lane);
	mosquitto_loop_stop(lane, false);
	mosquitto_destroy(lane);
}

int main(int argc, char **argv)
{
	static const struct peer mosquitto = { .batch_most = 64,
		                               .argument_count = 2,
		                               .open = mosquitto_open,
		                               .lane_open = mosquitto_lane_open,
		                               .lane_send = mosquitto_lane_send,
		                               .lane_close = mosquitto_lane_close };
	return load_main(&mosquitto, argc, argv);
}

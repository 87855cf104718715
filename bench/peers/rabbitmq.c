/*
 * RabbitMQ: published to a quorum queue of tier 1, moved by shovels to those of tier 2 and 3.
 *
 * Tier 1 learns by a message. A consumer at tier 3, which a quorum queue serves once the message is in its log, sends
 * the ids of all that have come meanwhile; two shovels carry that to tier 1, over queues that need not survive.
 *
 *   bench_rabbitmq PORT_1 PORT_3
 */
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define CHANNEL 1
#define IDS_MOST 1024
#define PREFETCH 8192
#define QUEUE_UP "up"
#define QUEUE_ACKS "acks"

static int port[2]; /* tier 1, tier 3 */
static amqp_connection_state_t relay_connection, listener_connection;

static bool is_well(amqp_rpc_reply_t reply, const char *what)
{
	if (reply.reply_type == AMQP_RESPONSE_NORMAL)
		return true;
	return load_fail("RabbitMQ: %s: %s", what,
	                 reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION ? "refused by the broker"
	                                                                    : amqp_error_string2(reply.library_error));
}

static amqp_connection_state_t connect_to(int where)
{
	amqp_connection_state_t c = amqp_new_connection();
	amqp_socket_t *socket = amqp_tcp_socket_new(c);
	if (!socket || amqp_socket_open(socket, "127.0.0.1", where) ||
	    !is_well(amqp_login(c, "/", 0, AMQP_DEFAULT_FRAME_SIZE, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest"),
	             "login")) {
		load_fail("RabbitMQ: port %d does not answer", where);
		amqp_destroy_connection(c);
		return NULL;
	}
	amqp_channel_open(c, CHANNEL);
	if (is_well(amqp_get_rpc_reply(c), "channel"))
		return c;
	amqp_destroy_connection(c);
	return NULL;
}

static bool publish(amqp_connection_state_t c, const char *queue, const void *data, size_t size, uint8_t mode)
{
	amqp_basic_properties_t properties = { ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG, .delivery_mode = mode };
	amqp_bytes_t body = { size, (void *)(uintptr_t)data };
	int result =
	        amqp_basic_publish(c, CHANNEL, amqp_empty_bytes, amqp_cstring_bytes(queue), 0, 0, &properties, body);
	return !result || load_fail("RabbitMQ: publishing: %s", amqp_error_string2(result));
}

static bool consume(amqp_connection_state_t c, const char *queue, bool must_ack)
{
	amqp_basic_qos(c, CHANNEL, 0, PREFETCH, 0);
	if (!is_well(amqp_get_rpc_reply(c), "prefetch"))
		return false;
	amqp_basic_consume(c, CHANNEL, amqp_cstring_bytes(queue), amqp_empty_bytes, 0, !must_ack, 0, amqp_empty_table);
	return is_well(amqp_get_rpc_reply(c), "consume");
}

/* One message, if there is one within so many microseconds. False: none, or a fault. */
static bool message_take(amqp_connection_state_t c, long wait_us, amqp_envelope_t *out)
{
	struct timeval wait = { wait_us / 1000000, wait_us % 1000000 };
	amqp_maybe_release_buffers(c);
	amqp_rpc_reply_t reply = amqp_consume_message(c, out, &wait, 0);
	if (reply.reply_type == AMQP_RESPONSE_NORMAL)
		return true;
	if (reply.library_error != AMQP_STATUS_TIMEOUT)
		is_well(reply, "consume");
	return false;
}

/* ---- the news ---- */

static void *relay_run(void *context)
{
	amqp_connection_state_t c = context;
	uint64_t ids[IDS_MOST], unacked = 0, newest = 0;
	while (!load_has_failed()) {
		size_t count = 0;
		amqp_envelope_t envelope;
		while (count < IDS_MOST && message_take(c, count ? 0 : 1000000, &envelope)) {
			if (envelope.message.body.len == REQUEST_BYTES)
				memcpy(&ids[count++], envelope.message.body.bytes, sizeof *ids);
			newest = envelope.delivery_tag;
			unacked++;
			amqp_destroy_envelope(&envelope);
		}
		if (count)
			publish(c, QUEUE_ACKS, ids, count * sizeof *ids, 1);
		if (unacked && (!count || unacked >= PREFETCH / 4)) { /* what was stored is let go, now and then */
			amqp_basic_ack(c, CHANNEL, newest, 1);
			unacked = 0;
		}
	}
	return NULL;
}

static void *listener_run(void *context)
{
	amqp_envelope_t envelope;
	while (!load_has_failed()) {
		if (!message_take(context, 1000000, &envelope))
			continue;
		load_done_all(envelope.message.body.bytes, envelope.message.body.len);
		amqp_destroy_envelope(&envelope);
	}
	return NULL;
}

static bool rabbitmq_open(char **arguments)
{
	pthread_t thread[2];
	for (int i = 0; i < 2; i++)
		port[i] = atoi(arguments[i]);
	listener_connection = connect_to(port[0]);
	relay_connection = connect_to(port[1]);
	if (!listener_connection || !relay_connection || !consume(listener_connection, QUEUE_ACKS, false) ||
	    !consume(relay_connection, QUEUE_UP, true))
		return false;
	return pthread_create(&thread[0], NULL, relay_run, relay_connection) == 0 &&
	       pthread_create(&thread[1], NULL, listener_run, listener_connection) == 0;
}

/* ---- producers ---- */

static void *rabbitmq_lane_open(size_t number, size_t window)
{
	amqp_connection_state_t c = connect_to(port[0]);
	(void)number;
	(void)window;
	if (!c)
		return NULL;
	amqp_confirm_select(c, CHANNEL);
	return is_well(amqp_get_rpc_reply(c), "confirms") ? c : NULL;
}

/* Takes the broker's confirms out of the way: that a request is done says more. */
static bool confirms_take(amqp_connection_state_t c)
{
	struct timeval now = { 0, 0 };
	amqp_frame_t frame;
	int result;
	while ((result = amqp_simple_wait_frame_noblock(c, &frame, &now)) == AMQP_STATUS_OK)
		if (frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
			return load_fail("RabbitMQ: method %x instead of a confirm", frame.payload.method.id);
	amqp_maybe_release_buffers(c);
	return result == AMQP_STATUS_TIMEOUT || load_fail("RabbitMQ: confirms: %s", amqp_error_string2(result));
}

static bool rabbitmq_lane_send(void *lane, const struct request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!publish(lane, QUEUE_UP, &requests[i], REQUEST_BYTES, 2))
			return false;
	return confirms_take(lane);
}

static void rabbitmq_lane_close(void *lane)
{
	amqp_connection_close(lane, AMQP_REPLY_SUCCESS);
	amqp_destroy_connection(lane);
}

int main(int argc, char **argv)
{
	static const struct peer rabbitmq = { .batch_most = 64,
		                              .argument_count = 2,
		                              .open = rabbitmq_open,
		                              .lane_open = rabbitmq_lane_open,
		                              .lane_send = rabbitmq_lane_send,
		                              .lane_close = rabbitmq_lane_close };
	return load_main(&rabbitmq, argc, argv);
}

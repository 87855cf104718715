/*
 * Who may connect: the ZAP handler (ZeroMQ RFC 27), served on the loop thread.
 *
 *   request   "1.0" | request id | domain | address | routing id | "CURVE" | client key (32 bytes)
 *   reply     "1.0" | request id | "200" or "400" | text | User-Id | metadata (none)
 *
 * The User-Id is the key in hexadecimal; ZeroMQ attaches it to every message of that connection.
 */
#include <string.h>
#include <zmq.h>

#include "context.h"

#define ZAP_ADDRESS "inproc://zeromq.zap.01"

enum { ZAP_VERSION, ZAP_REQUEST_ID, ZAP_DOMAIN, ZAP_PEER, ZAP_ROUTE, ZAP_MECHANISM, ZAP_KEY, ZAP_PARTS };

static struct bytes part_bytes(zmq_msg_t *part)
{
	return BYTES(zmq_msg_data(part), zmq_msg_size(part));
}

static bool part_is(zmq_msg_t *part, const char *text)
{
	return bytes_equal(part_bytes(part), bytes_from_text(text));
}

/* True: `user` is the key as text. */
static bool is_admitted(struct net *n, zmq_msg_t *parts, size_t count, char user[2 * NET_KEY_BYTES + 1])
{
	if (count != ZAP_PARTS || !part_is(&parts[ZAP_VERSION], "1.0") || !part_is(&parts[ZAP_MECHANISM], "CURVE"))
		return false;
	struct bytes key = part_bytes(&parts[ZAP_KEY]);
	if (key.size != NET_KEY_BYTES || !net_server_admits(n, part_bytes(&parts[ZAP_DOMAIN]), key.data))
		return false;
	hex_encode(key, user);
	return true;
}

static void zap_reply(struct net_socket *s, struct bytes request_id, const char *status, const char *text,
                      const char *user)
{
	struct bytes parts[] = { bytes_from_text("1.0"), request_id, bytes_from_text(status), bytes_from_text(text),
		                 bytes_from_text(user),  { NULL, 0 } };
	size_t count = sizeof(parts) / sizeof(parts[0]);

	/* A reply to a connection that is gone is discarded by ZeroMQ: no failure here needs an answer. */
	for (size_t i = 0; i < count; i++)
		zmq_send(s->zmq, parts[i].data, parts[i].size, ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0));
	net_socket_stir(s);
}

static bool zap_take(void *owner)
{
	struct net *n = owner;
	zmq_msg_t parts[ZAP_PARTS];
	char user[2 * NET_KEY_BYTES + 1] = "";
	struct bytes request_id = { NULL, 0 };

	size_t count = net_socket_receive(&n->zap, parts, ZAP_PARTS);
	if (count == 0)
		return false;
	if (count > ZAP_REQUEST_ID)
		request_id = part_bytes(&parts[ZAP_REQUEST_ID]);
	if (is_admitted(n, parts, count, user))
		zap_reply(&n->zap, request_id, "200", "OK", user);
	else
		zap_reply(&n->zap, request_id, "400", "refused", "");
	net_parts_close(parts, count, ZAP_PARTS);
	return true;
}

static void zap_closed(void *owner)
{
	(void)owner; /* the context is freed by its last holder */
}

int net_zap_open(struct net *n, struct error *e)
{
	n->zap.owner = n;
	n->zap.take = zap_take;
	n->zap.on_closed = zap_closed;
	int rc = net_socket_open(&n->zap, n, ZMQ_REP, e);
	if (rc != OK)
		return rc;
	if (zmq_bind(n->zap.zmq, ZAP_ADDRESS) != 0)
		return error_set(e, ERR_INTERNAL, "the ZAP handler has no address: %s", zmq_strerror(zmq_errno()));
	return net_socket_start(&n->zap, e);
}

static bool knock_open(struct net *n)
{
	int linger = 0;
	n->knock = zmq_socket(n->zmq, ZMQ_REQ);
	if (!n->knock)
		return false;
	zmq_setsockopt(n->knock, ZMQ_LINGER, &linger, sizeof(linger));
	if (zmq_connect(n->knock, ZAP_ADDRESS) == 0)
		return true;
	zmq_close(n->knock);
	n->knock = NULL;
	return false;
}

bool net_zap_answers(struct net *n)
{
	static const uint8_t nobody[NET_KEY_BYTES];
	const struct bytes parts[ZAP_PARTS] = { bytes_from_text("1.0"), bytes_from_text("1"), bytes_from_text("knock"),
		                                bytes_from_text(""),    bytes_from_text(""),  bytes_from_text("CURVE"),
		                                BYTES_OF(nobody) };
	char part[64];
	bool has_answered = false;

	if (!n->knock && !knock_open(n))
		return false;
	while (zmq_recv(n->knock, part, sizeof(part), ZMQ_DONTWAIT) >= 0)
		has_answered = true;
	/* Refused by ZeroMQ while an answer is still owed. */
	for (size_t i = 0; i < ZAP_PARTS; i++)
		if (zmq_send(n->knock, parts[i].data, parts[i].size,
		             ZMQ_DONTWAIT | (i + 1 < ZAP_PARTS ? ZMQ_SNDMORE : 0)) < 0)
			break;
	return has_answered;
}

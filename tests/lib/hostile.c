/*
 * A peer with the real keys of an admitted device that does not keep to the rules.
 *
 *   hostile DATA PLACE ADDRESS SERVER_KEY AUTHORITY WHAT
 *
 *   greet            a HELLO as it should be, and nothing more
 *   as=DEVICE        a HELLO that claims to be another device (16 hexadecimal digits)
 *   route=TEXT       a HELLO from a socket that chose its routing id
 *   bytes=N          after the greeting: a frame of N bytes
 *   cut              after the greeting: a frame without its last byte
 *   groups           after the greeting: 10,000 groups within each other
 *   nested           after the greeting: 10,000 messages within each other, in a field that nobody knows
 *   stream=DEVICE    after the greeting: an entry in the stream of another device
 *   asks=CODE        after the greeting: 45 questions whose receipt it is
 *   poison=REQUEST   after the greeting: entries of its own that nobody can apply (poison.h)
 *
 * A greeting that nobody answers is said again, as every device does. What comes back is told on stdout, a line each,
 * until it is killed: greeted, refused CODE TEXT, frozen WHY, answered WHY, ended.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/ids.h"
#include "crypto/crypto.h"
#include "proto/codec.h"
#include "proto/wire.pb-c.h"

#include "poison.h"

#define FRAME_BYTES_MOST (8u * 1024 * 1024)
#define DEPTH 10000
#define RETRY_MS 1000
#define ASKS 45 /* more than two minutes allow */
#define MONITOR "inproc://hostile"

struct hostile {
	struct device_keys keys;
	uint64_t device;
	char *place;
	uint8_t server_key[KEY_BYTES];
	struct hash authority;
	const char *what;
	void *context, *socket, *monitor;
	struct arena arena;
	uint64_t session;
	bool is_answered;
};

static const char *value_of(const struct hostile *h, const char *name)
{
	size_t length = strlen(name);
	return strncmp(h->what, name, length) == 0 && h->what[length] == '=' ? h->what + length + 1 : NULL;
}

static void frame_put(struct hostile *h, struct bytes frame)
{
	if (zmq_send(h->socket, frame.data, frame.size, 0) < 0)
		printf("not sent: %s\n", zmq_strerror(zmq_errno()));
}

static struct bytes frame_pack(struct hostile *h, const Lm__Frame *frame)
{
	struct bytes packed = { 0 };
	struct error e;
	if (CODEC_PACK(frame, &h->arena, &packed, &e))
		printf("not packed: %s\n", e.text);
	return packed;
}

static struct bytes hello_pack(struct hostile *h)
{
	Lm__Frame frame = LM__FRAME__INIT;
	Lm__Hello hello = LM__HELLO__INIT;
	hello.version_least = hello.version_most = 1;
	hello.device = value_of(h, "as") ? strtoull(value_of(h, "as"), NULL, 16) : h->device;
	hello.place = h->place;
	hello.authority_hash = codec_data(BYTES_OF(h->authority));
	hello.credit_entries = 100;
	hello.credit_bytes = 100000;
	frame.session = h->session;
	frame.body_case = LM__FRAME__BODY_HELLO;
	frame.hello = &hello;
	return frame_pack(h, &frame);
}

static struct bytes repeated(struct hostile *h, size_t size, uint8_t byte)
{
	uint8_t *data = arena_alloc(&h->arena, size);
	if (!data)
		abort();
	memset(data, byte, size);
	return BYTES(data, size);
}

static size_t varint_put(uint8_t *out, size_t value)
{
	size_t size = 0;
	for (; value > 0x7f; value >>= 7)
		out[size++] = (uint8_t)(value | 0x80);
	out[size++] = (uint8_t)value;
	return size;
}

/* From the inside out: each round puts a tag (field 100, a length) and its length before what is there. */
static struct bytes nested(struct hostile *h)
{
	size_t size = 0, room = DEPTH * 8;
	uint8_t *end = (uint8_t *)(uintptr_t)repeated(h, room, 0).data + room;
	for (int i = 0; i < DEPTH; i++) {
		uint8_t head[12];
		size_t length = varint_put(head, 100 << 3 | 2);
		length += varint_put(head + length, size);
		size += length;
		memcpy(end - size, head, length);
	}
	return BYTES(end - size, size);
}

static struct bytes stream_of_another(struct hostile *h, uint64_t device)
{
	Lm__Frame frame = LM__FRAME__INIT;
	Lm__Batch batch = LM__BATCH__INIT;
	Lm__StreamKey key = LM__STREAM_KEY__INIT;
	key.origin = device;
	key.stream = LM__STREAM__STREAM_UP;
	batch.key = &key;
	frame.session = h->session;
	frame.body_case = LM__FRAME__BODY_BATCH;
	frame.batch = &batch;
	return frame_pack(h, &frame);
}

static struct bytes poison(struct hostile *h, const char *request)
{
	Lm__Frame frame = LM__FRAME__INIT;
	struct id about;
	if (id_from_text(request, &about))
		abort();
	frame.session = h->session;
	frame.body_case = LM__FRAME__BODY_BATCH;
	frame.batch = poison_make(&h->keys, h->device, h->place, about, &h->arena);
	return frame_pack(h, &frame);
}

static struct bytes ask(struct hostile *h, const char *code, uint64_t number)
{
	Lm__Frame frame = LM__FRAME__INIT;
	Lm__Ask body = LM__ASK__INIT;
	body.number = number;
	body.receipt_code = (char *)(uintptr_t)code;
	frame.session = h->session;
	frame.body_case = LM__FRAME__BODY_ASK;
	frame.ask = &body;
	return frame_pack(h, &frame);
}

/* After the greeting. */
static void misbehave(struct hostile *h)
{
	struct bytes good = hello_pack(h);
	if (value_of(h, "bytes"))
		frame_put(h, repeated(h, strtoul(value_of(h, "bytes"), NULL, 10), 0x7a));
	else if (strcmp(h->what, "cut") == 0)
		frame_put(h, BYTES(good.data, good.size - 1));
	else if (strcmp(h->what, "groups") == 0)
		frame_put(h, repeated(h, DEPTH, 0x0b)); /* field 1, start of a group */
	else if (strcmp(h->what, "nested") == 0)
		frame_put(h, nested(h));
	else if (value_of(h, "stream"))
		frame_put(h, stream_of_another(h, strtoull(value_of(h, "stream"), NULL, 16)));
	else if (value_of(h, "asks"))
		for (uint64_t number = 1; number <= ASKS; number++)
			frame_put(h, ask(h, value_of(h, "asks"), number));
	else if (value_of(h, "poison"))
		frame_put(h, poison(h, value_of(h, "poison")));
}

static void frame_came(struct hostile *h, struct bytes packed)
{
	Lm__Frame *frame;
	struct error e;
	if (CODEC_UNPACK(lm__frame, packed, &h->arena, &frame, &e)) {
		printf("not understood: %s\n", e.text);
	} else if (frame->body_case == LM__FRAME__BODY_HELLO) {
		printf("greeted\n");
		h->session = frame->session;
		misbehave(h);
	} else if (frame->body_case == LM__FRAME__BODY_REFUSE) {
		printf("refused %s %s\n", frame->refuse->code, frame->refuse->text);
	} else if (frame->body_case == LM__FRAME__BODY_ANSWER) {
		printf("answered %s\n", frame->answer->why);
	} else if (frame->body_case == LM__FRAME__BODY_ACK) {
		for (size_t i = 0; i < frame->ack->n_lines; i++)
			if (frame->ack->lines[i]->state == LM__ACK_STATE__ACK_STATE_FROZEN)
				printf("frozen %s\n", frame->ack->lines[i]->why);
	}
}

/* False: the socket or its monitor had nothing. */
static bool message_take(struct hostile *h, void *socket)
{
	zmq_msg_t message;
	zmq_msg_init(&message);
	bool has_come = zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) >= 0;
	if (has_come && socket == h->socket) {
		h->is_answered = true;
		frame_came(h, BYTES(zmq_msg_data(&message), zmq_msg_size(&message)));
	} else if (has_come && zmq_msg_more(&message)) { /* an event; its address follows */
		zmq_msg_recv(&message, socket, 0);
		printf("ended\n");
	}
	zmq_msg_close(&message);
	fflush(stdout);
	return has_come;
}

static void listen(struct hostile *h)
{
	zmq_pollitem_t items[] = { { h->socket, 0, ZMQ_POLLIN, 0 }, { h->monitor, 0, ZMQ_POLLIN, 0 } };
	for (;;) {
		if (!h->is_answered)
			frame_put(h, hello_pack(h));
		if (zmq_poll(items, 2, h->is_answered ? -1 : RETRY_MS) < 0)
			return;
		while (message_take(h, h->socket) || message_take(h, h->monitor))
			continue;
	}
}

static bool socket_open(struct hostile *h, const char *address)
{
	const char *route = value_of(h, "route");
	int never = -1, linger = 0;
	h->context = zmq_ctx_new();
	h->socket = zmq_socket(h->context, ZMQ_DEALER);
	h->monitor = zmq_socket(h->context, ZMQ_PAIR);
	zmq_setsockopt(h->socket, ZMQ_CURVE_SERVERKEY, h->server_key, KEY_BYTES);
	zmq_setsockopt(h->socket, ZMQ_CURVE_PUBLICKEY, h->keys.curve_public, KEY_BYTES);
	zmq_setsockopt(h->socket, ZMQ_CURVE_SECRETKEY, h->keys.curve_secret, KEY_BYTES);
	zmq_setsockopt(h->socket, ZMQ_RECONNECT_IVL, &never, sizeof never);
	zmq_setsockopt(h->socket, ZMQ_LINGER, &linger, sizeof linger);
	if (route)
		zmq_setsockopt(h->socket, ZMQ_ROUTING_ID, route, strlen(route));
	return !zmq_socket_monitor(h->socket, MONITOR, ZMQ_EVENT_DISCONNECTED) && !zmq_connect(h->monitor, MONITOR) &&
	       !zmq_connect(h->socket, address);
}

static int keys_read(struct hostile *h, char **argv, struct error *e)
{
	char path[4096];
	bool was_made;
	struct hash fingerprint;
	snprintf(path, sizeof path, "%s/device.keys", argv[1]);
	h->place = argv[2];
	h->what = argv[6];
	int result = crypto_init(e);
	if (!result)
		result = device_keys_open(path, &h->keys, &was_made, e);
	if (!result)
		result = device_fingerprint(h->keys.suite, h->keys.curve_public, h->keys.signing_public,
		                            h->keys.opening_public, &fingerprint, e);
	if (!result &&
	    (hex_decode(argv[4], h->server_key, KEY_BYTES) || hex_decode(argv[5], h->authority.byte, HASH_BYTES)))
		result = error_set(e, ERR_USAGE, "SERVER_KEY and AUTHORITY have 64 hexadecimal digits");
	if (!result)
		h->device = device_id_of(&fingerprint);
	return result;
}

int main(int argc, char **argv)
{
	static struct hostile h;
	struct error e = { 0 };
	if (argc != 7) {
		fprintf(stderr, "usage: hostile DATA PLACE ADDRESS SERVER_KEY AUTHORITY WHAT\n");
		return 64;
	}
	arena_init(&h.arena, FRAME_BYTES_MOST);
	if (keys_read(&h, argv, &e) || !socket_open(&h, argv[3])) {
		fprintf(stderr, "hostile: %s\n", e.text[0] ? e.text : zmq_strerror(zmq_errno()));
		return 1;
	}
	listen(&h);
	return 0;
}

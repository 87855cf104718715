/*
 * A town that is hostile: it serves the terminals of a town with that town's keys, and says of the district's stream
 * what the district never said.
 *
 *   usurper DATA PLACE ADDRESS AUTHORITY WHAT      DATA: the folder of the town, which is stopped
 *
 *   old              what the district wrote, from its beginning, once more
 *   altered          the same, one letter of a service changed
 *   forged           a newer revision of the newest service, as the district would write it, signed with the town's key
 *   own              the same in a stream of the town's
 *
 * What comes back is told on stdout, a line each, until it is killed: greeted, stored, expected, frozen WHY, refused
 * CODE TEXT.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/ids.h"
#include "node/node.h"
#include "proto/catalogue.pb-c.h"
#include "proto/codec.h"
#include "proto/wire.pb-c.h"

#define ENTRIES_MOST 256u
#define ARENA_BYTES (32u * 1024 * 1024)

struct usurper {
	struct closed_node town;
	struct hash authority;
	const char *place, *what;
	void *socket;
	struct arena arena;
	Lm__Batch *batch; /* what the district wrote last, in one message */
	uint64_t session;
};

static void good(bool is_good, const char *what)
{
	if (is_good)
		return;
	fprintf(stderr, "usurper: %s\n", what);
	exit(1);
}

static ProtobufCBinaryData kept(struct usurper *u, const void *data, size_t size)
{
	void *copy = arena_copy(&u->arena, data, size);
	good(copy, "no memory");
	return codec_data(BYTES(copy, size));
}

static void signed_by_town(struct usurper *u, const Lm__Header *h, const struct hash *hash)
{
	Lm__SignedHeads *heads = arena_alloc(&u->arena, sizeof *heads);
	uint8_t signature[SIGNATURE_BYTES];
	struct hash head, digest;
	good(heads && !head_hash(h, hash, &head, NULL), "no head");
	lm__signed_heads__init(heads);
	heads->suite = SUITE_INTERNATIONAL;
	heads->origin = h->origin;
	heads->hashes = kept(u, head.byte, HASH_BYTES);
	good(!heads_digest(heads, &digest, NULL) &&
	             !sign_make(SUITE_INTERNATIONAL, u->town.keys.signing_secret, BYTES_OF(digest), signature, NULL),
	     "no signature");
	heads->signature = kept(u, signature, SIGNATURE_BYTES);
	u->batch->heads = heads;
}

static Lm__Header *header_of(struct usurper *u, const Lm__Entry *entry)
{
	Lm__Header *h;
	good(!CODEC_UNPACK(lm__header, codec_bytes(entry->header), &u->arena, &h, NULL), "no header");
	return h;
}

/* The newest service again, one revision later, behind the newest entry. */
static void forge(struct usurper *u, bool is_own)
{
	size_t at = u->batch->n_entries - 1;
	Lm__Entry *last = u->batch->entries[at], *entry = last;
	Lm__Header *h = header_of(u, last);
	uint64_t seq = h->seq;
	Lm__Service *service;
	struct bytes packed;
	struct hash before, payload;
	while (h->kind != LM__KIND__KIND_SERVICE && at) {
		entry = u->batch->entries[--at];
		h = header_of(u, entry);
	}
	good(!CODEC_UNPACK(lm__service, codec_bytes(entry->payload), &u->arena, &service, NULL), "no service");
	good(!entry_hash(codec_bytes(last->header), &before, NULL), "no hash");
	h->revision = ++service->revision;
	h->seq = seq + 1;
	h->parent = NULL;
	h->previous_hash = kept(u, before.byte, HASH_BYTES);
	if (is_own) {
		u->batch->key->origin = h->origin = u->town.domain.device;
		h->seq = 1;
		h->previous_hash = (ProtobufCBinaryData){ 0 };
	}
	good(!CODEC_PACK(service, &u->arena, &packed, NULL), "no payload");
	entry->payload = codec_data(packed);
	good(!crypto_hash(SUITE_INTERNATIONAL, &packed, 1, &payload, NULL), "no hash");
	h->payload_hash = kept(u, payload.byte, HASH_BYTES);
	good(!CODEC_PACK(h, &u->arena, &packed, NULL) && !entry_hash(packed, &before, NULL), "no header");
	entry->header = codec_data(packed);
	u->batch->entries[0] = entry;
	u->batch->n_entries = 1;
	signed_by_town(u, h, &before);
}

static void batch_make(struct usurper *u)
{
	const struct line *all = NULL;
	struct store_txn *txn;
	uint64_t through;
	uint32_t bytes;
	for (uint32_t number = 1; number <= journal_line_count(u->town.journal); number++)
		if (journal_line(u->town.journal, number)->key.stream == LM__STREAM__STREAM_ALL)
			all = journal_line(u->town.journal, number);
	good(all && !store_begin_read(u->town.store, &txn, NULL), "the town has nothing of the district");
	bool is_old = strcmp(u->what, "old") == 0 || strcmp(u->what, "altered") == 0;
	for (uint64_t from = 1; from <= all->ordinal; from = through + 1) {
		good(!journal_load(txn, all, from, ENTRIES_MOST, UINT32_MAX, &u->arena, &u->batch, &through, &bytes,
		                   NULL),
		     "the stream cannot be read");
		if (is_old)
			break;
	}
	store_abort(txn);
	if (strcmp(u->what, "altered") == 0)
		u->batch->entries[u->batch->n_entries - 1]->payload.data[8] ^= 1;
	if (!is_old)
		forge(u, strcmp(u->what, "own") == 0);
}

static void frame_put(struct usurper *u, const void *route, size_t route_size, const Lm__Frame *frame)
{
	struct bytes packed;
	good(!CODEC_PACK(frame, &u->arena, &packed, NULL), "a frame cannot be packed");
	zmq_send(u->socket, route, route_size, ZMQ_SNDMORE);
	zmq_send(u->socket, packed.data, packed.size, 0);
}

static void greet(struct usurper *u, const void *route, size_t route_size)
{
	Lm__Frame frame = LM__FRAME__INIT;
	Lm__Hello hello = LM__HELLO__INIT;
	frame.session = ++u->session;
	frame.body_case = LM__FRAME__BODY_HELLO;
	frame.hello = &hello;
	hello.version_least = hello.version_most = 1;
	hello.device = u->town.domain.device;
	hello.place = (char *)(uintptr_t)u->place;
	hello.authority_hash = codec_data(BYTES_OF(u->authority));
	hello.credit_entries = 100;
	hello.credit_bytes = 100000;
	frame_put(u, route, route_size, &frame);
	frame.body_case = LM__FRAME__BODY_BATCH;
	frame.batch = u->batch;
	frame_put(u, route, route_size, &frame);
}

static void frame_came(struct usurper *u, const void *route, size_t route_size, struct bytes packed)
{
	static const char *const states[] = { "stored", "expected", "frozen" };
	Lm__Frame *frame;
	if (CODEC_UNPACK(lm__frame, packed, &u->arena, &frame, NULL))
		return;
	if (frame->body_case == LM__FRAME__BODY_HELLO) {
		printf("greeted\n");
		greet(u, route, route_size);
	} else if (frame->body_case == LM__FRAME__BODY_REFUSE) {
		printf("refused %s %s\n", frame->refuse->code, frame->refuse->text);
	} else if (frame->body_case == LM__FRAME__BODY_ACK) {
		for (size_t i = 0; i < frame->ack->n_lines; i++)
			printf("%s %s\n", states[frame->ack->lines[i]->state % 3], frame->ack->lines[i]->why);
	}
	fflush(stdout);
}

static void serve(struct usurper *u)
{
	for (;;) {
		zmq_msg_t route, frame;
		zmq_msg_init(&route);
		zmq_msg_init(&frame);
		if (zmq_msg_recv(&route, u->socket, 0) < 0 || zmq_msg_recv(&frame, u->socket, 0) < 0)
			return;
		frame_came(u, zmq_msg_data(&route), zmq_msg_size(&route),
		           BYTES(zmq_msg_data(&frame), zmq_msg_size(&frame)));
		zmq_msg_close(&frame);
		zmq_msg_close(&route);
	}
}

int main(int argc, char **argv)
{
	static struct usurper u;
	struct error e = { 0 };
	int yes = 1;
	if (argc != 6) {
		fprintf(stderr, "usage: usurper DATA PLACE ADDRESS AUTHORITY WHAT\n");
		return 64;
	}
	arena_init(&u.arena, ARENA_BYTES);
	good(!hex_decode(argv[4], u.authority.byte, HASH_BYTES), "AUTHORITY has 64 hexadecimal digits");
	good(!closed_node_open(argv[1], true, &u.town, &e), e.text);
	u.place = argv[2];
	u.what = argv[5];
	batch_make(&u);
	u.socket = zmq_socket(zmq_ctx_new(), ZMQ_ROUTER);
	zmq_setsockopt(u.socket, ZMQ_CURVE_SERVER, &yes, sizeof yes);
	zmq_setsockopt(u.socket, ZMQ_CURVE_SECRETKEY, u.town.keys.curve_secret, KEY_BYTES);
	good(zmq_bind(u.socket, argv[3]) == 0, "cannot bind");
	serve(&u);
	return 0;
}

/* Records packed and unpacked, JSON both ways. */
#include <stdlib.h>
#include <string.h>

#include "proto/api.pb-c.h"
#include "proto/catalogue.pb-c.h"
#include "proto/codec.h"
#include "proto/json.h"
#include "proto/wire.pb-c.h"
#include "sweep.h"

#define ENTRIES 12

static const char service[] =
        "{\"id\":\"meals\",\"revision\":1,\"name\":{\"zh\":\"送餐\",\"en\":\"Meals\"},\"owner\":\"TIER_TOWN\","
        "\"fields\":[{\"id\":\"days\",\"label\":{\"zh\":\"几天\",\"en\":\"How many days\"}},"
        "{\"id\":\"note\",\"label\":{\"zh\":\"备注\",\"en\":\"Note\"}}]}";

static int batch_pack(struct arena *arena, struct bytes *packed, struct error *e)
{
	Lm__Batch batch = LM__BATCH__INIT;
	Lm__StreamKey key = LM__STREAM_KEY__INIT;
	Lm__Entry entry[ENTRIES], *entries[ENTRIES];
	uint8_t payload[300] = { 1 };
	for (size_t i = 0; i < ENTRIES; i++) {
		lm__entry__init(&entry[i]);
		entry[i].header = entry[i].payload = codec_data(BYTES_OF(payload));
		entries[i] = &entry[i];
	}
	batch.key = &key;
	batch.n_entries = ENTRIES;
	batch.entries = entries;
	return CODEC_PACK(&batch, arena, packed, e);
}

static int record_round(struct scene *s, struct error *e)
{
	struct arena arena;
	struct bytes packed;
	struct buffer appended = { 0 };
	Lm__Batch *batch;
	(void)s;
	arena_init(&arena, 0);
	int result = batch_pack(&arena, &packed, e);
	if (!result)
		result = CODEC_UNPACK(lm__batch, packed, &arena, &batch, e);
	if (!result)
		result = codec_pack_append(&batch->base, &appended, e);
	if (!result && !bytes_equal(packed, buffer_bytes(&appended)))
		result = error_set(e, ERR_DAMAGED, "the record came back as another one");
	buffer_release(&appended);
	arena_release(&arena);
	return result;
}

static int json_round(struct scene *s, struct error *e)
{
	struct arena arena;
	struct buffer text = { 0 };
	Lm__Service *first, *second;
	(void)s;
	arena_init(&arena, 0);
	int result = JSON_DECODE(lm__service, bytes_from_text(service), &arena, &first, e);
	if (!result)
		result = json_encode(&first->base, &text, e);
	if (!result)
		result = JSON_DECODE(lm__service, buffer_bytes(&text), &arena, &second, e);
	if (!result && (second->n_fields != 2 || strcmp(second->name->zh, first->name->zh) != 0))
		result = error_set(e, ERR_DAMAGED, "the service came back as another one");
	buffer_release(&text);
	arena_release(&arena);
	return result;
}

static const struct operation list[] = {
	{ "record", NULL, record_round, NULL, NULL },
	{ "json", NULL, json_round, NULL, NULL },
};
const struct operations proto_operations = { list, sizeof list / sizeof *list };

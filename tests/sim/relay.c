/* A relay that wants harm: it has the keys of its connection, so it can do to messages with entries what it likes. */
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/wire.pb-c.h"
#include "sim.h"

#define KEPT 8 /* old messages a sender */
#define SESSION_AT 1
#define BODY_AT 9
#define TAG_SESSION 0x09
#define TAG_BATCH 0x1a
#define TAG_ACK 0x22
#define TAG_SIGNED_MARKS 0x32

static struct kept {
	uint8_t *data;
	size_t size;
	bool is_up;
} kept[SITES_MOST][KEPT];

/* What origins sign is what it is after; the rest is between neighbours, who can say what they like. */
static bool is_signed(struct bytes frame)
{
	return frame.size > BODY_AT && frame.data[0] == TAG_SESSION &&
	       (frame.data[BODY_AT] == TAG_BATCH || frame.data[BODY_AT] == TAG_SIGNED_MARKS);
}

static void one_bit_flip(ProtobufCBinaryData *part)
{
	if (part->len)
		part->data[draw(part->len)] ^= (uint8_t)(1u << draw(8));
}

/* One bit of what an origin has hashed or signed. */
static void batch_alter(Lm__Batch *batch)
{
	Lm__Entry *entry = batch->n_entries ? batch->entries[draw(batch->n_entries)] : NULL;
	uint64_t which = draw(batch->heads ? 5 : 3);
	if (entry && which == 0)
		one_bit_flip(&entry->header);
	else if (entry && which == 1)
		one_bit_flip(&entry->payload);
	else if (entry && which == 2)
		one_bit_flip(&entry->envelope);
	else if (which == 3)
		one_bit_flip(&batch->heads->hashes);
	else if (which == 4)
		one_bit_flip(&batch->heads->signature);
}

static void frame_alter(struct bytes frame, struct buffer *out)
{
	struct arena arena;
	Lm__Frame *parsed;
	arena_init(&arena, 8u * 1024 * 1024);
	if (CODEC_UNPACK(lm__frame, frame, &arena, &parsed, NULL))
		fail("a frame of ours cannot be read");
	if (parsed->body_case == LM__FRAME__BODY_BATCH)
		batch_alter(parsed->batch);
	else
		one_bit_flip(draw(2) ? &parsed->signed_marks->marks : &parsed->signed_marks->signature);
	if (codec_pack_append(&parsed->base, out, NULL))
		abort();
	arena_release(&arena);
}

static struct kept *kept_draw(const struct site *from)
{
	return &kept[from - world.site][draw(KEPT)];
}

static void frame_keep(const struct site *from, bool is_up, struct bytes frame)
{
	struct kept *k = kept_draw(from);
	free(k->data);
	*k = (struct kept){ malloc(frame.size), frame.size, is_up };
	if (!k->data)
		abort();
	memcpy(k->data, frame.data, frame.size);
}

/* An old message, in the clothes of this session. */
static bool frame_replay(const struct site *from, bool is_up, struct bytes frame, struct buffer *out)
{
	struct kept *k = kept_draw(from);
	if (!k->data || k->is_up != is_up)
		return false;
	memcpy(k->data + SESSION_AT, frame.data + SESSION_AT, BODY_AT - SESSION_AT);
	return buffer_append(out, BYTES(k->data, k->size)) == OK;
}

/* ---- two views ---- */

/* For a while a town keeps what one of its terminals writes from the district, and tells the terminal that the district
 * has it. What people see is a lie then; what the terminal trims rests on the district's signature. */
static struct view {
	const struct site *victim;
	uint64_t device, until_us;
} views[SITES_MOST]; /* by town */

void relay_reset(void)
{
	memset(views, 0, sizeof views);
}

bool strike_two_views(struct site *s)
{
	if (!s->above || s->tier != LM__TIER__TIER_TERMINAL || !s->node || s->is_dying)
		return false;
	views[s->above - world.site] = (struct view){ .victim = s,
		                                      .device = node_domain(s->node)->device,
		                                      .until_us = world.now_us + draw(world.pace->outage_us / 4) };
	tell("%-24s shows two views of %s", s->above->name, s->name);
	return true;
}

static void marks_forge(const Lm__Frame *acked, struct buffer *out)
{
	Lm__Frame frame = LM__FRAME__INIT;
	Lm__Marks marks = LM__MARKS__INIT;
	Lm__Mark mark = LM__MARK__INIT, *one = &mark;
	Lm__SignedMarks forged = LM__SIGNED_MARKS__INIT;
	uint8_t memory[256], signature[SIGNATURE_BYTES] = { 1 };
	mark.at = acked->ack->lines[0]->at;
	mark.level = LM__MARK_LEVEL__MARK_LEVEL_FINAL;
	marks.marks = &one;
	marks.n_marks = 1;
	frame.session = acked->session;
	frame.body_case = LM__FRAME__BODY_MARKS;
	frame.marks = &marks;
	if (!draw(4)) { /* and, rarely, as if the district had signed it */
		forged.marks.data = memory;
		forged.marks.len = lm__marks__pack(&marks, memory);
		forged.signature = codec_data(BYTES_OF(signature));
		frame.body_case = LM__FRAME__BODY_SIGNED_MARKS;
		frame.signed_marks = &forged;
	}
	if (codec_pack_append(&frame.base, out, NULL))
		abort();
}

static enum harm two_views(const struct site *from, const struct site *below, bool is_up, struct bytes frame,
                           struct buffer *out)
{
	const struct view *v = &views[from - world.site];
	bool has_session = frame.size > BODY_AT && frame.data[0] == TAG_SESSION;
	bool is_batch = is_up && has_session && frame.data[BODY_AT] == TAG_BATCH;
	bool is_ack = !is_up && has_session && frame.data[BODY_AT] == TAG_ACK && below == v->victim;
	if (v->until_us <= world.now_us || weather_is_over() || (!is_batch && !is_ack))
		return HARM_NONE;
	struct arena arena;
	Lm__Frame *parsed;
	enum harm harm = HARM_NONE;
	arena_init(&arena, 8u * 1024 * 1024);
	if (CODEC_UNPACK(lm__frame, frame, &arena, &parsed, NULL))
		fail("a frame of ours cannot be read");
	if (is_batch && parsed->batch->key && parsed->batch->key->origin == v->device)
		harm = HARM_WITHHELD;
	if (is_ack && parsed->ack->n_lines && parsed->ack->lines[0]->at) {
		marks_forge(parsed, out);
		harm = HARM_REPLAYED;
	}
	arena_release(&arena);
	return harm;
}

enum harm relay_harm(const struct site *from, const struct site *below, bool is_up, struct bytes frame,
                     struct buffer *out)
{
	enum harm harm = two_views(from, below, is_up, frame, out);
	if (harm != HARM_NONE || !is_signed(frame))
		return harm;
	if (fault_is_about(FAULT_REPLAY) && draw(4) == 0)
		frame_keep(from, is_up, frame);
	if (fault_hits(FAULT_WITHHOLD, from))
		return HARM_WITHHELD;
	if (fault_hits(FAULT_ALTER, from)) {
		frame_alter(frame, out);
		return HARM_ALTERED;
	}
	if (fault_hits(FAULT_REPLAY, from) && frame_replay(from, is_up, frame, out))
		return HARM_REPLAYED;
	return HARM_NONE;
}

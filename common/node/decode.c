/*
 * Frames in: unpacked, checked, opened on the pool, one at a time per peer, so that results enter the inbox in the
 * order in which an origin sent them. What the checks refuse never reaches the journal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "join.h"

#define FRAME_ARENA_BYTES (16u * 1024 * 1024)
#define WORK_BYTES_LEAST 3072              /* a work and the first block of its arena */
#define RAW_BYTES_MOST (16u * 1024 * 1024) /* per peer: more than credits allow */

struct decode_job {
	uv_work_t work;
	struct node *node;
	struct peer *peer;
	struct raw_frame *raw;
};

/* ---- who may send what over this link ---- */

static int batch_may_come(struct node *n, const struct peer *p, const Lm__StreamKey *key, struct error *e)
{
	struct directory_row row;
	bool is_known = directory_device(n, key->origin, &row);
	bool may = false;
	if (!p->is_upstream && stream_is_up(key->stream) && !key->receiver)
		may = key->origin == p->device ||
		      (p->role == LM__TIER__TIER_TOWN && is_known && row.role == LM__TIER__TIER_TERMINAL &&
		       place_contains(p->place, row.place));
	else if (p->is_upstream && key->stream == LM__STREAM__STREAM_ALL && !key->receiver)
		may = true; /* whose it is, the authority's entry or the hub's signature tells */
	else if (p->is_upstream && key->stream == LM__STREAM__STREAM_DOWN && key->receiver == n->domain.device)
		may = is_known && row.role == p->role && place_contains(row.place, n->domain.place);
	if (may || line_may_return(n, p, key))
		return OK;
	return error_set(e, is_known || !p->is_upstream ? ERR_DENIED : ERR_NOT_READY,
	                 "stream %d of device %016llx does not come over the link of %.20s", (int)key->stream,
	                 (unsigned long long)key->origin, p->place);
}

/* The key that an origin signs with. The hub's own first entry carries it, vouched for by the authority. */
static int signing_key_of(struct node *n, struct store_txn *txn, const Lm__Batch *b, struct arena *arena,
                          uint8_t key[KEY_BYTES], struct error *e)
{
	Lm__DeviceRecord *record;
	int result = device_get(txn, b->key->origin, arena, &record);
	if (result == ERR_NOT_FOUND && b->key->stream == LM__STREAM__STREAM_ALL && b->n_entries) {
		Lm__Header *h;
		result = CODEC_UNPACK(lm__header, codec_bytes(b->entries[0]->header), arena, &h, e);
		if (!result && h->kind != LM__KIND__KIND_AUTHORITY)
			return error_set(e, ERR_NOT_READY, "the district's authority has not been seen yet");
		if (!result)
			result = authority_check(codec_bytes(b->entries[0]->payload), &n->authority_hash, arena,
			                         &record, e);
		if (!result && record->device != b->key->origin)
			return error_set(e, ERR_DENIED, "the authority vouches for another hub");
	}
	if (result == ERR_NOT_FOUND)
		return error_set(e, ERR_NOT_READY, "device %016llx is not in the directory yet",
		                 (unsigned long long)b->key->origin);
	if (result)
		return result;
	bool is_our_town = record->role == LM__TIER__TIER_TOWN && place_contains(record->place, n->domain.place);
	if (b->key->stream == LM__STREAM__STREAM_ALL && record->role != LM__TIER__TIER_DISTRICT && !is_our_town)
		return error_set(e, ERR_DENIED, "only the district and this place's town write a stream for all");
	result = device_signing_key(record, b->heads ? b->heads->generation : 0, key);
	if (result == ERR_NOT_READY)
		return error_set(e, result, "device %016llx signs with keys that the directory here does not name yet",
		                 (unsigned long long)b->key->origin);
	return result;
}

struct decided { /* of the service asked about last: mostly the next entry's too */
	const Lm__Header *header;
	bool is_ours;
};

static bool service_is_ours(const struct node *n, struct store_txn *txn, const Lm__Header *h, struct arena *arena,
                            struct decided *last)
{
	Lm__Service *service;
	if (last->header && last->header->revision == h->revision && strcmp(last->header->service, h->service) == 0)
		return last->is_ours;
	last->header = h;
	last->is_ours = service_get(txn, h->service, h->revision, arena, &service) || service->owner == n->domain.tier;
	return last->is_ours;
}

/* What apply will look into at this tier. */
static bool wants_plain(const struct node *n, struct store_txn *txn, const Lm__Header *h, struct arena *arena,
                        struct decided *last)
{
	if (h->kind == LM__KIND__KIND_CASE_COPY || h->kind == LM__KIND__KIND_PERSON ||
	    h->kind == LM__KIND__KIND_PERSON_COPY || h->kind == LM__KIND__KIND_CERTIFICATE_ASK ||
	    h->kind == LM__KIND__KIND_CERTIFICATE_COPY)
		return true;
	if (h->kind == LM__KIND__KIND_NEW_CODE) /* our own, given back after a restore */
		return n->domain.tier == LM__TIER__TIER_TOWN;
	if (h->kind != LM__KIND__KIND_REQUEST)
		return false;
	return n->domain.tier == LM__TIER__TIER_TOWN || service_is_ours(n, txn, h, arena, last);
}

/* Fails by a fault of the machine only; what cannot be opened is absent. */
static int entry_open(struct node *n, struct store_txn *txn, struct work *w, struct checked_entry *c, bool is_wanted,
                      struct error *e)
{
	int result;
	if (c->header->kind == LM__KIND__KIND_PERIOD) {
		/* The opener learns of a period before it is stored. A lost turn does not matter: it comes again. */
		result = journal_period_learn(n->journal, c->header, c->payload, e);
		c->plain = c->payload;
		return error_is_of_machine(result) ? result : OK;
	}
	c->is_absent = !is_wanted;
	if (!is_wanted) /* for apply at this tier it is not needed */
		return OK;
	result = journal_payload_open(n->journal, txn, c->header, c->payload, c->envelope_packed, &w->arena, &c->plain,
	                              e);
	c->is_absent = result == ERR_ABSENT;
	return c->is_absent ? OK : result;
}

static int entries_open(struct node *n, struct store_txn *txn, struct work *w, struct error *e)
{
	struct arena scratch;
	struct decided last = { 0 };
	int result = OK;
	arena_init(&scratch, FRAME_ARENA_BYTES);
	for (size_t i = 0; i < w->entry_count && !result; i++) {
		struct checked_entry *c = &w->entries[i];
		bool is_sealed = c->header->envelope_hash.len != 0;
		bool is_wanted = !is_sealed || wants_plain(n, txn, c->header, &scratch, &last);
		result = store_failure(txn, e);
		if (!result)
			result = entry_open(n, txn, w, c, is_wanted, e);
		arena_reset(&scratch);
	}
	arena_release(&scratch);
	return result;
}

static int batch_decode(struct node *n, struct peer *p, struct work *w, struct error *e)
{
	const Lm__Batch *b = w->frame->batch;
	struct store_txn *txn;
	uint8_t key[KEY_BYTES];
	if (!b->key)
		return error_set(e, ERR_INVALID, "a message without a stream");
	int result = batch_may_come(n, p, b->key, e);
	if (!result)
		result = store_begin_read(n->store, &txn, e);
	if (result)
		return result;
	result = signing_key_of(n, txn, b, &w->arena, key, e);
	if (!result)
		result = entries_check(b, key, &w->arena, &w->entries, &w->entry_count, e);
	if (!result)
		result = entries_open(n, txn, w, e);
	if (result)
		w->entry_count = 0; /* nothing of it is taken */
	store_abort(txn);
	return result;
}

/* ---- marks that the district signed ---- */

static int signed_marks_check(struct node *n, struct work *w, struct error *e)
{
	struct store_txn *txn;
	Lm__AuthorityPayload *authority;
	Lm__DeviceRecord *hub;
	struct hash digest;
	uint8_t key[KEY_BYTES];
	const Lm__SignedMarks *m = w->frame->signed_marks;
	int result = store_begin_read(n->store, &txn, e);
	if (result)
		return result;
	result = authority_get(txn, &w->arena, &authority, &hub);
	if (result == ERR_NOT_FOUND) { /* first contact: the authority's own entry is on its way */
		store_abort(txn);
		return error_set(e, ERR_NOT_READY, "marks came before the district's authority");
	}
	struct bytes parts[] = { bytes_from_text("lm marks v1"), codec_bytes(m->marks) };
	if (!result)
		result = crypto_hash(SUITE_INTERNATIONAL, parts, 2, &digest, e);
	if (!result && m->signature.len != SIGNATURE_BYTES)
		result = ERR_BAD_SIGNATURE;
	if (!result)
		result = device_signing_key(hub, m->generation, key);
	if (!result)
		result = sign_check(SUITE_INTERNATIONAL, key, BYTES_OF(digest), m->signature.data, e);
	store_abort(txn);
	if (result == ERR_NOT_READY)
		return error_set(e, result, "the district signed marks with keys that are not known here yet");
	return result ? error_set(e, result, "marks that the district did not sign") : OK;
}

/* ---- receipts looked up at the town ---- */

static bool ask_is_allowed(_Atomic uint64_t *last_minute, _Atomic uint64_t *count, uint64_t most)
{
	uint64_t minute = clock_monotonic_us() / 60000000;
	if (atomic_exchange(last_minute, minute) != minute)
		atomic_store(count, 0);
	return atomic_fetch_add(count, 1) < most;
}

/* A revoked device may connect, to be told so; without a session it is told nothing else. */
static bool session_is_open(struct peer *p, const Lm__Frame *frame)
{
	return frame->session && frame->session == atomic_load(&p->session);
}

static void ring_hear(struct node *n, struct peer *p, const Lm__Ask *ask, Lm__Answer *answer)
{
	if (!n->tier.hear_ring || !ask_is_allowed(&p->ring_minute, &p->ring_count, RINGS_A_MINUTE))
		return;
	bool has_news = n->tier.hear_ring(n, p->device, ask->ring, ask->is_ring_over, answer);
	struct out *o = has_news ? out_new(OUT_RING) : NULL;
	if (o)
		outbox_push(n, o);
}

static void ask_answer(struct node *n, struct peer *p, const struct work *w)
{
	struct arena arena;
	struct error e = { 0 };
	Lm__Answer answer = LM__ANSWER__INIT;
	Lm__Frame frame = LM__FRAME__INIT;
	arena_init(&arena, FRAME_ARENA_BYTES);
	if (w->frame->ask->ring) {
		ring_hear(n, p, w->frame->ask, &answer);
	} else if (!n->tier.find_receipt || !ask_is_allowed(&p->ask_minute, &p->ask_count, ASKS_A_MINUTE)) {
		answer.why = arena_text(&arena, "too-many");
	} else if (n->tier.find_receipt(n, w->frame->ask->receipt_code, p->device, &arena, &answer, &e)) {
		lm__answer__init(&answer);
		answer.why = arena_text(&arena, error_name(e.code));
	}
	answer.number = w->frame->ask->number;
	frame.session = w->frame->session;
	frame.body_case = LM__FRAME__BODY_ANSWER;
	frame.answer = &answer;
	frame_send(n, p, &frame);
	arena_release(&arena);
}

static void join_answer_pass(struct node *n, const struct peer *p, const struct work *w)
{
	struct out *o = p->is_upstream && w->frame->join_answer->reply ? out_new(OUT_JOIN_ANSWER) : NULL;
	if (!o)
		return;
	o->number = w->frame->join_answer->number;
	if (codec_pack_append(&w->frame->join_answer->reply->base, &o->answer, NULL))
		buffer_release(&o->answer);
	outbox_push(n, o);
}

static void answer_pass(struct node *n, const struct peer *p, const struct work *w)
{
	struct out *o = p->is_upstream ? out_new(OUT_ANSWER) : NULL;
	if (!o)
		return;
	o->number = w->frame->answer->number;
	if (codec_pack_append(&w->frame->answer->base, &o->answer, NULL))
		buffer_release(&o->answer);
	outbox_push(n, o);
}

/* Unpacked, not yet checked. NULL: no memory, as if the network had lost it. */
static struct work *frame_unpack(struct peer *p, struct bytes frame)
{
	struct work *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->type = WORK_FRAME;
	w->peer = p;
	w->is_unread = true;
	atomic_fetch_add(&p->unread, 1);
	arena_init(&w->arena, FRAME_ARENA_BYTES);
	w->fault = CODEC_UNPACK(lm__frame, frame, &w->arena, &w->frame, &w->error);
	return w;
}

/* NULL: nothing for the writer. */
static struct work *frame_check(struct node *n, struct peer *p, struct work *w)
{
	int result = w->fault;
	if (!result) {
		switch (w->frame->body_case) {
		case LM__FRAME__BODY_BATCH:
			result = batch_decode(n, p, w, &w->error);
			break;
		case LM__FRAME__BODY_SIGNED_MARKS:
			result = p->is_upstream ? signed_marks_check(n, w, &w->error)
			                        : error_set(&w->error, ERR_DENIED, "signed marks come from above");
			break;
		case LM__FRAME__BODY_ASK:
			if (session_is_open(p, w->frame))
				ask_answer(n, p, w);
			work_free(w);
			return NULL;
		case LM__FRAME__BODY_ANSWER:
			answer_pass(n, p, w);
			work_free(w);
			return NULL;
		case LM__FRAME__BODY_JOIN_ASK:
			if (session_is_open(p, w->frame))
				join_ask_came(n, p, w->frame);
			work_free(w);
			return NULL;
		case LM__FRAME__BODY_JOIN_ANSWER:
			join_answer_pass(n, p, w);
			work_free(w);
			return NULL;
		case LM__FRAME__BODY__NOT_SET:
			result =
			        error_set(&w->error, ERR_INVALID, "a frame with nothing in it that this version knows");
			break;
		default:
			break;
		}
	}
	w->fault = result;
	if (result && !w->error.text[0])
		error_set(&w->error, result, "%s", error_name(result));
	w->bytes = WORK_BYTES_LEAST + w->arena.used_bytes;
	return w;
}

static void work_pass(struct node *n, struct work *w)
{
	if (w && inbox_push(n, w))
		work_free(w); /* as if the network had lost it */
}

/* ---- one job a peer ---- */

static void decode_next(struct node *n, struct peer *p);

static void decode_work(uv_work_t *work)
{
	struct decode_job *job = work->data;
	struct work *w = frame_unpack(job->peer, BYTES(job->raw->data, job->raw->size));
	if (w)
		work_pass(job->node, frame_check(job->node, job->peer, w));
}

static void decode_done(uv_work_t *work, int status)
{
	struct decode_job *job = work->data;
	struct node *n = job->node;
	struct peer *p = job->peer;
	(void)status;
	n->pool_jobs--;
	p->raw_bytes -= job->raw->size;
	atomic_fetch_sub(&p->unread, 1);
	free(job->raw);
	free(job);
	p->is_decoding = false;
	decode_next(n, p);
}

static void decode_next(struct node *n, struct peer *p)
{
	if (p->is_decoding || !p->raw_first || n->is_stopping)
		return;
	struct decode_job *job = calloc(1, sizeof *job);
	if (!job)
		return; /* the next frame tries again */
	struct raw_frame *raw = p->raw_first;
	*job = (struct decode_job){ .node = n, .peer = p, .raw = raw };
	job->work.data = job;
	if (uv_queue_work(n->loop, &job->work, decode_work, decode_done)) {
		free(job);
		return;
	}
	n->pool_jobs++;
	p->raw_first = raw->next;
	if (!p->raw_first)
		p->raw_last = NULL;
	p->is_decoding = true;
}

void peer_frame_came(struct node *n, struct peer *p, struct bytes frame)
{
	if (n->is_stopping)
		return;
	n->counters.frames_in++;
	n->counters.bytes_in += frame.size;
	if (frame.size <= SMALL_FRAME_BYTES && !p->is_decoding && !p->raw_first) {
		struct work *w = frame_unpack(p, frame);
		if (!w)
			return;
		if (w->fault || w->frame->body_case != LM__FRAME__BODY_ASK) {
			work_pass(n, frame_check(n, p, w));
			return;
		}
		work_free(w); /* a search through all cases is nothing for the loop */
	}
	if (p->raw_bytes + frame.size > RAW_BYTES_MOST) {
		n->counters.frames_dropped++;
		log_write(LOG_WARN, "frame-dropped", "%s sends more than its credits allow", p->place);
		return;
	}
	struct raw_frame *raw = malloc(sizeof *raw + frame.size);
	if (!raw)
		return; /* as if the network had lost it */
	raw->next = NULL;
	raw->size = frame.size;
	memcpy(raw->data, frame.data, frame.size);
	if (p->raw_last)
		p->raw_last->next = raw;
	else
		p->raw_first = raw;
	p->raw_last = raw;
	p->raw_bytes += frame.size;
	atomic_fetch_add(&p->unread, 1);
	decode_next(n, p);
}

/*
 * Frames put together, on the writer (and asks' answers on the pool). What a frame says, it says of committed state:
 * positions and entries are read from a snapshot taken after the commit.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "join.h"

void frame_send(struct node *n, struct peer *p, Lm__Frame *frame)
{
	struct error e;
	struct buffer packed = { 0 };
	struct out *o = out_new(OUT_FRAME);
	struct out_frame *f = calloc(1, sizeof *f);
	int result = o && f ? codec_pack_append(&frame->base, &packed, &e)
	                    : error_set(&e, ERR_MEMORY, "no memory for a frame");
	if (result) {
		log_write(LOG_ERROR, "frame-lost", "a frame to %s could not be made: %s", p->place, e.text);
		free(o);
		free(f);
		buffer_release(&packed);
		return;
	}
	f->data = packed.data;
	f->size = packed.size;
	o->peer = p;
	o->frame = f;
	outbox_push(n, o);
}

struct store_txn *send_snapshot(struct node *n)
{
	struct error e;
	if (!n->send_txn && store_begin_read(n->store, &n->send_txn, &e)) {
		log_write(LOG_ERROR, "snapshot", "%s", e.text);
		return NULL;
	}
	return n->send_txn;
}

int line_ordinal(struct node *n, uint32_t line, uint64_t incarnation, uint64_t seq, uint64_t *ordinal)
{
	const struct line *l = journal_line(n->journal, line);
	if (l->incarnation == incarnation && seq <= l->seq && !l->released.seq) { /* then it may lie in two parts */
		*ordinal = l->ordinal - (l->seq - seq);
		/* seq 0 cannot be; older incarnations are not contiguous with this one by seq */
		return seq ? OK : ERR_INVALID;
	}
	struct store_txn *txn = send_snapshot(n);
	bool is_exact;
	return txn ? journal_locate(txn, line, incarnation, seq, ordinal, &is_exact) : ERR_IO;
}

static Lm__StreamKey *stream_key(struct arena *arena, const struct line *l)
{
	Lm__StreamKey *key = arena_alloc(arena, sizeof *key);
	if (!key)
		return NULL;
	lm__stream_key__init(key);
	key->origin = l->key.origin;
	key->stream = l->key.stream;
	key->receiver = l->key.receiver;
	return key;
}

static Lm__Position *position_at(struct arena *arena, const struct line *l, uint64_t incarnation, uint64_t seq)
{
	Lm__Position *at = arena_alloc(arena, sizeof *at);
	Lm__StreamKey *key = stream_key(arena, l);
	if (!at || !key)
		return NULL;
	lm__position__init(at);
	at->key = key;
	at->incarnation = incarnation;
	at->seq = seq;
	return at;
}

/* Position of an ordinal of a line; the newest is in memory. */
static Lm__Position *position_of(struct node *n, const struct line *l, uint64_t ordinal)
{
	uint64_t incarnation = l->incarnation, seq = l->seq;
	if (ordinal != l->ordinal) {
		struct store_txn *txn = send_snapshot(n);
		if (!txn || !ordinal || journal_coordinates(txn, l->number, ordinal, &incarnation, &seq))
			return NULL;
	}
	return position_at(&n->send_arena, l, incarnation, seq);
}

/* Lines that come to us over this link. */
bool line_comes_from(const struct node *n, const struct line *l, const struct peer *p)
{
	if (l->key.origin == n->domain.device)
		return false;
	if (p->is_upstream)
		return l->key.stream == LM__STREAM__STREAM_ALL ||
		       (l->key.stream == LM__STREAM__STREAM_DOWN && l->key.receiver == n->domain.device);
	struct directory_row row;
	return stream_is_up(l->key.stream) &&
	       (l->key.origin == p->device ||
	        (p->role == LM__TIER__TIER_TOWN && directory_device((struct node *)(uintptr_t)n, l->key.origin, &row) &&
	         place_contains(p->place, row.place)));
}

void frame_hello(struct node *n, struct peer *p)
{
	struct store_txn *txn = send_snapshot(n);
	struct arena *arena = &n->send_arena;
	uint32_t lines = journal_line_count(n->journal);
	Lm__Position **have = arena_alloc(arena, (lines + 1) * HAVE_PER_LINE * sizeof *have);
	Lm__Frame frame = LM__FRAME__INIT;
	Lm__Hello hello = LM__HELLO__INIT;
	if (!txn || !have)
		return;
	for (uint32_t number = 1; number <= lines; number++) {
		const struct line *l = journal_line(n->journal, number);
		uint64_t incarnations[HAVE_PER_LINE], seqs[HAVE_PER_LINE];
		if (!line_comes_from(n, l, p) && !(n->was_returning && line_flows_to(n, l, p)))
			continue;
		size_t ends;
		if (journal_ends(txn, number, HAVE_PER_LINE, incarnations, seqs, &ends))
			return; /* half of what we have is worse than no greeting: it is tried again */
		for (size_t i = 0; i < ends; i++) {
			have[hello.n_have] = position_at(arena, l, incarnations[i], seqs[i]);
			if (!have[hello.n_have++])
				return;
		}
	}
	hello.version_least = LINK_VERSION_LEAST;
	hello.version_most = LINK_VERSION_MOST;
	hello.device = n->domain.device;
	hello.place = n->domain.place;
	hello.authority_hash = codec_data(BYTES_OF(n->authority_hash));
	hello.have = have;
	hello.credit_entries = LINK_CREDIT_ENTRIES;
	hello.credit_bytes = LINK_CREDIT_BYTES;
	hello.run = n->run;
	hello.wants_return = n->was_returning;
	hello.beat_ms = p->link.beat_ms;
	hello.join_address = (char *)(uintptr_t)join_endpoint_address(n);
	frame.session = p->link.session;
	frame.body_case = LM__FRAME__BODY_HELLO;
	frame.hello = &hello;
	frame_send(n, p, &frame);
}

/* Seqs of the line that were put into quarantine since the last ack. */
static size_t quarantined_take(struct peer *p, uint32_t line, uint64_t *seqs)
{
	size_t count = 0, kept = 0;
	for (size_t i = 0; i < p->quarantined_count; i++) {
		if (p->quarantined[i].line == line)
			seqs[count++] = p->quarantined[i].seq;
		else
			p->quarantined[kept++] = p->quarantined[i];
	}
	p->quarantined_count = kept;
	return count;
}

void ack_line_send(struct node *n, struct peer *p, Lm__AckLine *line)
{
	Lm__Frame frame = LM__FRAME__INIT;
	Lm__Ack ack = LM__ACK__INIT;
	ack.lines = &line;
	ack.n_lines = 1;
	frame.session = p->link.session;
	frame.body_case = LM__FRAME__BODY_ACK;
	frame.ack = &ack;
	frame_send(n, p, &frame);
}

void frame_ack(struct node *n, struct peer *p, const struct link_action *action)
{
	const struct line *l = journal_line(n->journal, action->line);
	Lm__AckLine line = LM__ACK_LINE__INIT;
	uint64_t seqs[QUARANTINED_TOLD_MOST];
	line.at = action->ordinal ? position_of(n, l, action->ordinal) : position_at(&n->send_arena, l, 0, 0);
	if (!line.at)
		return;
	line.state = action->is_frozen     ? LM__ACK_STATE__ACK_STATE_FROZEN
	             : action->is_expected ? LM__ACK_STATE__ACK_STATE_EXPECTED
	                                   : LM__ACK_STATE__ACK_STATE_STORED;
	line.quarantined = seqs;
	line.n_quarantined = quarantined_take(p, action->line, seqs);
	line.credit_entries = action->entries;
	line.credit_bytes = action->bytes;
	Lm__History history[2], *histories[2] = { &history[0], &history[1] };
	char why[SHARE_WHY_BYTES];
	if (action->is_frozen)
		line.why = (char *)(uintptr_t)l->frozen_why;
	if (action->is_frozen && !l->is_frozen && share_is_spent(n, l)) {
		share_why(n, l, why, sizeof why);
		line.why = why;
		line.code = (char *)(uintptr_t)error_name(ERR_FULL);
	}
	if (action->is_frozen && histories_of(l, history)) {
		line.histories = histories;
		line.n_histories = 2;
	}
	ack_line_send(n, p, &line);
}

/* What came again, acked as far as that goes: a neighbour whose disk was put back knows it, and perhaps not our newest
 * position. */
void frame_ack_again(struct node *n, struct peer *p, const Lm__Batch *batch, const Lm__Header *last)
{
	Lm__AckLine line = LM__ACK_LINE__INIT;
	Lm__Position at = LM__POSITION__INIT;
	at.key = batch->key;
	at.incarnation = last->incarnation;
	at.seq = last->seq;
	line.at = &at;
	line.state = LM__ACK_STATE__ACK_STATE_STORED;
	line.credit_entries = p->link.is_inbox_full ? 0 : LINK_CREDIT_ENTRIES;
	line.credit_bytes = p->link.is_inbox_full ? 0 : LINK_CREDIT_BYTES;
	ack_line_send(n, p, &line);
}

struct report { /* of a link below, with what it points to */
	Lm__LinkReport message;
	Lm__History history[2], *histories[2];
};

static void report_histories(const struct node *n, uint64_t device, struct report *r)
{
	struct line_key up = { device, LM__STREAM__STREAM_UP, 0 };
	const struct line *l = journal_line_find(n->journal, &up);
	if (!l || !histories_of(l, r->history))
		return;
	r->histories[0] = &r->history[0];
	r->histories[1] = &r->history[1];
	r->message.histories = r->histories;
	r->message.n_histories = 2;
}

static size_t reports_make(struct node *n, struct report *reports, size_t most)
{
	size_t count = 0, peers = atomic_load(&n->peer_visible);
	for (size_t i = 0; i < peers && count < most; i++) {
		const struct peer *below = n->peer[i];
		if (below->is_upstream)
			continue;
		struct report *report = &reports[count++];
		Lm__LinkReport *r = &report->message;
		lm__link_report__init(r);
		r->device = below->device;
		r->is_up = below->link.state == LINK_OPEN;
		r->since_ms = below->since_ms;
		r->heard_ms = below->heard_ms;
		r->waiting = link_waiting(&below->link);
		r->clock_ahead_ms = atomic_load(&below->clock_ahead_ms);
		arrival_report(n, below, r);
		report_histories(n, below->device, report);
	}
	return count;
}

/* A mark may be lost on its way, and nothing is acked that says so: a beat tells what has come. */
static void beat_marks(struct node *n, Lm__Beat *beat)
{
	struct line_key up = { n->domain.device, LM__STREAM__STREAM_UP, 0 };
	const struct line *l = journal_line_find(n->journal, &up);
	beat->signed_ms = n->signed_ms;
	if (!l || n->domain.tier != LM__TIER__TIER_TERMINAL)
		return;
	arena_reset(&n->send_arena);
	beat->final = l->final ? position_of(n, l, l->final) : NULL;
	beat->signed_final = l->signed_final ? position_of(n, l, l->signed_final) : NULL;
	beat->newest = l->final < l->ordinal ? position_of(n, l, l->ordinal) : NULL;
}

void frame_beat(struct node *n, struct peer *p)
{
	Lm__Frame frame = LM__FRAME__INIT;
	Lm__Beat beat = LM__BEAT__INIT;
	struct report reports[REPORTS_MOST];
	Lm__LinkReport *list[REPORTS_MOST];
	beat.time_ms = clock_wall_ms();
	beat.waiting = link_waiting(&p->link);
	if (p->is_upstream && n->domain.tier == LM__TIER__TIER_TOWN) {
		beat.n_links = reports_make(n, reports, REPORTS_MOST);
		for (size_t i = 0; i < beat.n_links; i++)
			list[i] = &reports[i].message;
		beat.links = list;
	}
	beat.has_returned = p->wants_return && !beat.waiting;
	if (p->is_upstream)
		beat_marks(n, &beat);
	frame.session = p->link.session;
	frame.body_case = LM__FRAME__BODY_BEAT;
	frame.beat = &beat;
	frame_send(n, p, &frame);
}

int frame_batch(struct node *n, struct peer *p, const struct link_action *action, uint64_t *through, uint32_t *bytes)
{
	struct error e;
	Lm__Batch *batch;
	const struct line *l = journal_line(n->journal, action->line);
	arena_reset(&n->send_arena);
	int result = journal_load_recent(n->journal, l, action->ordinal, action->entries, action->bytes, &n->send_arena,
	                                 &batch, through, bytes, &e);
	if (result == ERR_NOT_FOUND) {
		struct store_txn *txn = send_snapshot(n);
		if (!txn)
			return ERR_IO;
		result = journal_load(txn, l, action->ordinal, action->entries, action->bytes, &n->send_arena, &batch,
		                      through, bytes, &e);
	}
	if (result) {
		log_write(LOG_ERROR, "load", "entries for %s cannot be read: %s", p->place, e.text);
		return result;
	}
	if (!batch->n_entries)
		return ERR_NOT_FOUND;
	Lm__Frame frame = LM__FRAME__INIT;
	frame.session = p->link.session;
	frame.body_case = LM__FRAME__BODY_BATCH;
	frame.batch = batch;
	frame_send(n, p, &frame);
	return OK;
}

static Lm__Mark *mark_make(struct node *n, const struct line *l, uint64_t ordinal, Lm__MarkLevel level)
{
	Lm__Mark *m = arena_alloc(&n->send_arena, sizeof *m);
	if (!m)
		return NULL;
	lm__mark__init(m);
	m->at = position_of(n, l, ordinal);
	m->level = level;
	return m->at ? m : NULL;
}

/* A terminal that was put back to an earlier image does not know its line's newest positions: those of earlier
 * incarnations tell it how far what it knows has come, and its own newest one, which may lie before all of those.
 * Returns how many were added. */
static size_t marks_behind(struct node *n, const struct peer *p, const struct line *l, Lm__Mark **out)
{
	uint64_t incarnations[HAVE_PER_LINE], seqs[HAVE_PER_LINE], ordinal;
	struct store_txn *txn = send_snapshot(n);
	size_t ends = 0, count = 0;
	if (p->behind_until && p->behind_until <= l->final) {
		out[count] = mark_make(n, l, p->behind_until, LM__MARK_LEVEL__MARK_LEVEL_FINAL);
		count += out[count] != NULL;
	}
	if (!txn || journal_ends(txn, l->number, HAVE_PER_LINE, incarnations, seqs, &ends))
		return count; /* they are told again when a beat shows that they are missing */
	for (size_t i = 0; i < ends; i++) {
		if (line_ordinal(n, l->number, incarnations[i], seqs[i], &ordinal) || ordinal > l->final)
			continue;
		out[count] = mark_make(n, l, ordinal, LM__MARK_LEVEL__MARK_LEVEL_FINAL);
		count += out[count] != NULL;
	}
	return count;
}

/* The district's marks, told down at once, unsigned: they are shown, not trusted for trimming. */
void frame_marks(struct node *n, struct peer *p)
{
	Lm__Frame frame = LM__FRAME__INIT;
	Lm__Marks marks = LM__MARKS__INIT;
	size_t most = p->marks_due_count * (2 + HAVE_PER_LINE);
	Lm__Mark **pointers = arena_alloc(&n->send_arena, most * sizeof *pointers);
	if (!pointers)
		return;
	for (size_t i = 0; i < p->marks_due_count; i++) {
		const struct line *l = journal_line(n->journal, p->marks_due[i]);
		Lm__Mark *m = l->final ? mark_make(n, l, l->final, LM__MARK_LEVEL__MARK_LEVEL_FINAL) : NULL;
		if (m)
			pointers[marks.n_marks++] = m;
		if (p->is_behind)
			marks.n_marks += marks_behind(n, p, l, pointers + marks.n_marks);
	}
	p->marks_due_count = 0;
	p->is_behind = false;
	if (!marks.n_marks)
		return;
	marks.marks = pointers;
	marks.time_ms = clock_wall_ms();
	frame.session = p->link.session;
	frame.body_case = LM__FRAME__BODY_MARKS;
	frame.marks = &marks;
	frame_send(n, p, &frame);
}

static bool signed_told_reserve(struct peer *p, uint32_t lines)
{
	if (lines <= p->signed_told_count)
		return true;
	struct told *grown = realloc(p->signed_told, lines * sizeof *grown);
	if (!grown)
		return false;
	memset(grown + p->signed_told_count, 0, (lines - p->signed_told_count) * sizeof *grown);
	p->signed_told = grown;
	p->signed_told_count = lines;
	return true;
}

static int marks_sign(struct node *n, const Lm__Marks *marks, Lm__SignedMarks *out, uint8_t signature[SIGNATURE_BYTES])
{
	struct bytes packed;
	struct hash digest;
	int result = CODEC_PACK(marks, &n->send_arena, &packed, NULL);
	struct bytes parts[] = { bytes_from_text("lm marks v1"), packed };
	if (!result)
		result = crypto_hash(SUITE_INTERNATIONAL, parts, 2, &digest, NULL);
	if (!result)
		result = sign_make(SUITE_INTERNATIONAL, n->keys.signing_secret, BYTES_OF(digest), signature, NULL);
	out->marks = codec_data(packed);
	out->generation = n->keys.generation;
	out->signature = codec_data(BYTES(signature, SIGNATURE_BYTES));
	return result;
}

static bool is_news_to(const struct line *l, const struct peer *p)
{
	const struct told *told = &p->signed_told[l->number - 1];
	return l->ordinal > told->final || l->safe > told->safe;
}

/* A town keeps only the newest message for a terminal: it names both lines of the origin if either has moved. */
static bool is_news_of_origin(const struct node *n, const struct line *l, const struct peer *p)
{
	bool is_up = l->key.stream == LM__STREAM__STREAM_UP;
	struct line_key other = { l->key.origin, is_up ? LM__STREAM__STREAM_PARTS : LM__STREAM__STREAM_UP, 0 };
	const struct line *beside = journal_line_find(n->journal, &other);
	return is_news_to(l, p) || (beside && is_news_to(beside, p));
}

/* Hub: what of this town's lines is stored here and what of it is safe, signed. `is_all`: also what was told before (a
 * new session). */
void frame_signed_marks(struct node *n, struct peer *p, bool is_all)
{
	uint32_t lines = journal_line_count(n->journal);
	Lm__Marks marks = LM__MARKS__INIT;
	Lm__Mark **pointers = arena_alloc(&n->send_arena, 2 * lines * sizeof *pointers);
	bool *is_named = arena_alloc(&n->send_arena, lines * sizeof *is_named);
	if (!pointers || !is_named || !signed_told_reserve(p, lines))
		return;
	for (uint32_t number = 1; number <= lines; number++) {
		const struct line *l = journal_line(n->journal, number);
		is_named[number - 1] = l->ordinal && line_comes_from(n, l, p) && (is_all || is_news_of_origin(n, l, p));
	}
	for (uint32_t number = 1; number <= lines; number++) {
		const struct line *l = journal_line(n->journal, number);
		struct told *told = &p->signed_told[number - 1];
		if (!is_named[number - 1])
			continue;
		/* Both, for the same reason. */
		Lm__Mark *final = mark_make(n, l, l->ordinal, LM__MARK_LEVEL__MARK_LEVEL_FINAL);
		Lm__Mark *safe = l->safe ? mark_make(n, l, l->safe, LM__MARK_LEVEL__MARK_LEVEL_SAFE) : NULL;
		if (!final)
			continue;
		pointers[marks.n_marks++] = final;
		if (safe)
			pointers[marks.n_marks++] = safe;
		*told = (struct told){ l->ordinal, safe ? l->safe : told->safe };
	}
	if (!marks.n_marks)
		return;
	marks.marks = pointers;
	/* The town tells by it which marks have come: never the same twice, though the clock stand still or go back. */
	marks.time_ms = clock_wall_ms() > p->signed_ms ? clock_wall_ms() : p->signed_ms + 1;
	Lm__Frame frame = LM__FRAME__INIT;
	Lm__SignedMarks body = LM__SIGNED_MARKS__INIT;
	uint8_t signature[SIGNATURE_BYTES];
	if (marks_sign(n, &marks, &body, signature))
		return;
	frame.session = p->link.session;
	frame.body_case = LM__FRAME__BODY_SIGNED_MARKS;
	frame.signed_marks = &body;
	frame_send(n, p, &frame);
	p->signed_ms = marks.time_ms;
	p->signed_us = clock_monotonic_us();
}

/* Town: the newest signed marks for this terminal, as the district packed them. */
void frame_forward_marks(struct node *n, struct peer *p)
{
	Lm__SignedMarks *body;
	Lm__Frame frame = LM__FRAME__INIT;
	if (!p->signed_marks.size ||
	    CODEC_UNPACK(lm__signed_marks, buffer_bytes(&p->signed_marks), &n->send_arena, &body, NULL))
		return;
	frame.session = p->link.session;
	frame.body_case = LM__FRAME__BODY_SIGNED_MARKS;
	frame.signed_marks = body;
	frame_send(n, p, &frame);
}

/*
 * The turn.
 *
 *   1  take what has come in: commands and frames, within the limits of one commit
 *   2  control frames step the engines (marks are raised in memory; nothing is sent but about committed state)
 *   3  one transaction: entries are placed and applied, commands run, heads signed once, rows written, commit
 *      – a fault of the store: roll back, leave out the offender, again
 *   4  only now: acks, entries to send, answers to commands, news to the pages
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "inside.h"

#define MARKS_WRITE_US 1000000 /* marks that move alone reach the store this often */
#define TRIM_EVERY_US 2000000
#define TRIM_SAFE_LEAST 256       /* entries: a checkpoint for fewer costs more than they do */
#define DIRECTORY_AGAIN_US 250000 /* it could not be read */
#define RETURN_LOOK_US 250000     /* a restored node looks whether all have answered */
#define RERUNS_MOST 8
#define REKEY_STEPS_A_TURN 4
#define REKEY_AGAIN_US 1000000 /* after a step that failed */

static void outbox_command(struct node *n, struct work *w)
{
	struct out *o = w->answer;
	if (w->command->is_done_early) {
		w->command->done(n, w->command);
		return;
	}
	w->answer = NULL;
	o->command = w->command;
	outbox_push(n, o);
}

/* How full the map is. A terminal must be able to write a checkpoint before it may trim: the room for one counts as
 * used. */
static void usage_measure(struct node *n, struct store_txn *txn, struct store_usage *out)
{
	store_usage_within(txn, domain_tables, n->domain.tier == LM__TIER__TIER_TERMINAL ? domain_table_number : 0,
	                   out);
}

/* The same when the answers to what was taken will have come: for those there must be room, or nothing comes down any
 * more. */
static unsigned promised_percent(struct store_txn *txn, const struct store_usage *usage)
{
	uint64_t promised_bytes = answers_expected(txn) * ANSWER_ROOM_BYTES;
	return usage->percent + (unsigned)(promised_bytes / (usage->map_bytes / 100 + 1));
}

bool turn_is_full(struct turn *t)
{
	struct store_usage usage;
	usage_measure(t->node, t->txn, &usage);
	return promised_percent(t->txn, &usage) >= FULL_PERCENT;
}

static void usage_update(struct node *n)
{
	struct store_usage usage;
	struct store_txn *txn;
	if (store_begin_read(n->store, &txn, NULL))
		return; /* what was known stands: a moment old */
	usage_measure(n, txn, &usage);
	bool is_full = promised_percent(txn, &usage) >= FULL_PERCENT;
	store_abort(txn);
	atomic_store(&n->percent, usage.percent);
	if (atomic_exchange(&n->is_full, is_full) != is_full) {
		log_write(is_full ? LOG_ERROR : LOG_INFO, is_full ? "storage-full" : "storage-free",
		          "the map is %u %% full", usage.percent);
		n->must_tell_links = true;
	}
}

/* ---- the transaction ---- */

static int works_take(struct turn *t, struct work *first)
{
	for (struct work *w = first; w; w = w->next) {
		int result = OK;
		if (w->is_dropped)
			continue;
		if (w->type == WORK_COMMAND)
			result = take_command(t, w);
		else if (w->type == WORK_FRAME && w->entry_count)
			result = take_batch(t, w);
		if (result) {
			w->is_blamed = true;
			return result;
		}
	}
	return OK;
}

/* What came in one turn may be much for a small map: the part that is kept for marks and trimming is not for it. */
static int room_check(struct turn *t, const struct work *first, struct error *e)
{
	struct store_usage usage;
	bool is_adding = false;
	for (const struct work *w = first; w && !is_adding; w = w->next)
		is_adding = !w->is_dropped && (w->type == WORK_COMMAND ? w->command->is_business && !w->command->result
		                                                       : w->entry_count > 0);
	if (!is_adding)
		return OK;
	usage_measure(t->node, t->txn, &usage);
	return usage.percent < STOP_PERCENT
	               ? OK
	               : error_set(e, ERR_FULL, "it would leave the map %u %% full", usage.percent);
}

static int turn_commit(struct node *n, struct work *first, struct error *e)
{
	struct turn t = { .node = n, .journal = n->journal, .arena = &n->turn_arena, .now_ms = clock_wall_ms() };
	int result = store_begin_write(n->store, &t.txn, e);
	if (result)
		return result;
	arena_reset(&n->turn_arena);
	domain_memo_clear(&n->memo);
	n->news.count = 0;
	n->turn_counts = (struct turn_counts){ 0 };
	n->trace_count = 0;
	n->must_rerun = false;
	return_turn_begin(n);
	result = journal_turn_begin(n->journal, t.txn, t.now_ms);
	if (!result)
		result = works_take(&t, first);
	if (!result)
		result = room_check(&t, first, e);
	if (!result)
		result = journal_turn_seal(n->journal, e);
	if (result) {
		if (!e->text[0] && !store_failure(t.txn, e))
			error_set(e, result, "nothing was stored: %s", error_name(result));
		store_abort(t.txn);
	} else {
		uint64_t began_us = clock_monotonic_us();
		result = store_commit(t.txn, e);
		if (!result)
			metrics_commit(n, clock_monotonic_us() - began_us);
	}
	journal_turn_end(n->journal, result == OK);
	if (!result)
		return_turn_committed(n);
	return result;
}

/* Leaves out whoever made the turn fail. False: nobody in particular. */
static bool offender_leave_out(struct work *first, int code, const struct error *e)
{
	for (struct work *w = first; w; w = w->next) {
		if (!w->is_blamed || w->is_dropped)
			continue;
		w->is_blamed = false;
		if (w->type == WORK_COMMAND) {
			w->is_dropped = true;
			if (!w->command->result)
				w->command->result = error_set(&w->command->error, code, "%s", e->text);
			return true;
		}
		if (code == ERR_FULL || code == ERR_MEMORY || code == ERR_CRYPTO || !w->offender) {
			w->is_dropped = true; /* not its fault: it is not acked and comes again */
			w->fault = code;
			return true;
		}
		if (!w->offenders)
			w->offenders = calloc(w->entry_count, sizeof *w->offenders);
		if (!w->offenders)
			w->is_dropped = true;
		else
			w->offenders[w->offender - 1] = true;
		log_write(LOG_ERROR, "offender", "an entry of %s made a turn fail (%s); it goes into quarantine",
		          w->peer->place, w->error.text);
		return true;
	}
	return false;
}

/* A commit that did not fit: new business is told so, and what only frees or acks goes on, if that does not fail, too.
 */
static void business_leave_out(struct work *first, bool is_all, int code, const struct error *e)
{
	for (struct work *w = first; w; w = w->next) {
		if (w->type == WORK_COMMAND && !w->is_dropped && (is_all || w->command->is_business)) {
			w->is_dropped = true;
			w->command->result = error_set(&w->command->error, code == ERR_FULL ? ERR_FULL : ERR_BUSY,
			                               "nothing was stored, please try again: %.240s", e->text);
		} else if (w->type == WORK_FRAME && w->entry_count) {
			w->is_dropped = true;
			w->fault = code;
		}
	}
}

static void turn_run(struct node *n, struct work *first)
{
	struct error e;
	for (int run = 0;; run++) {
		e = (struct error){ 0 };
		int result = turn_commit(n, first, &e);
		if (!result)
			break;
		atomic_fetch_add(&n->counters.turn_failures, 1);
		if (store_is_broken(n->store) || result == ERR_IO) {
			log_write(LOG_ERROR, "store-broken",
			          "%s; ending, so that the directory is verified before it is used again", e.text);
			writer_die(n);
			return;
		}
		if (run < RERUNS_MOST && offender_leave_out(first, result, &e))
			continue;
		log_write(LOG_ERROR, "turn-failed", "%s", e.text);
		business_leave_out(first, run > 0, result, &e);
		if (run > RERUNS_MOST + 1)
			break;
	}
}

/* ---- after the commit ---- */

/* It was checked before what vouches for it was stored, at the first contact: asked for again, it does not have to wait
 * until the sender misses an ack. */
static bool is_early_batch(const struct work *w)
{
	if (w->type != WORK_FRAME || w->fault != ERR_NOT_READY || !w->frame)
		return false;
	const struct link *link = &w->peer->link;
	return w->frame->body_case == LM__FRAME__BODY_BATCH && w->frame->batch->key && link->state == LINK_OPEN &&
	       w->frame->session == link->session;
}

static void duplicate_tell(struct node *n, struct work *w, const struct line *l)
{
	const Lm__Header *last = w->entries[w->entry_count - 1].header;
	if (last->incarnation != l->incarnation && w->peer->link.state == LINK_OPEN)
		frame_ack_again(n, w->peer, w->frame->batch, last);
	batch_tell(n, w, LINK_DUPLICATE, l->number);
}

static void frames_tell(struct node *n, struct work *first)
{
	for (struct work *w = first; w; w = w->next) {
		bool is_early = is_early_batch(w);
		if (w->type != WORK_FRAME || (!w->entry_count && !is_early) || w->is_dropped)
			continue;
		struct line_key key = { w->frame->batch->key->origin, w->frame->batch->key->stream,
			                w->frame->batch->key->receiver };
		const struct line *l = journal_line_find(n->journal, &key);
		if (!l)
			continue;
		if (w->was_rollback)
			log_write(LOG_ERROR, "rollback",
			          "device %016llx went on from an earlier image of its disk; what it had sent after it "
			          "is kept",
			          (unsigned long long)key.origin);
		if (w->fault == ERR_CLONE)
			log_write(LOG_ERROR, "clone", "%s", w->error.text);
		if (w->fault == ERR_BAD_SIGNATURE)
			log_write(LOG_ERROR, "frame-refused", "%s", w->error.text);
		if (w->fault == ERR_CLONE || w->was_rollback)
			n->must_tell_links = true;
		if (w->fault == ERR_FULL)
			share_tell(n, w->peer, l);
		batch_tell(n, w, LINK_STORED, l->number);
		if (w->fault == ERR_GAP || is_early)
			batch_tell(n, w, LINK_GAP, l->number);
		else if (w->fault == ERR_CLONE || w->fault == ERR_FROZEN || w->fault == ERR_FULL)
			batch_tell(n, w, LINK_FROZEN, l->number);
		else if (w->fault == ERR_DUPLICATE)
			duplicate_tell(n, w, l);
		atomic_fetch_add(&n->entries, w->entry_count);
	}
}

static void news_tell(struct node *n)
{
	if (!n->news.count)
		return;
	struct out *o = out_new(OUT_NEWS);
	struct domain_effect *copy = o ? malloc(n->news.count * sizeof *copy) : NULL;
	if (!copy) {
		free(o);
		return;
	}
	memcpy(copy, n->news.list, n->news.count * sizeof *copy);
	o->news = copy;
	o->news_count = n->news.count;
	n->news.count = 0;
	outbox_push(n, o);
}

static void works_finish(struct node *n, struct work *first)
{
	for (struct work *w = first, *next; w; w = next) {
		next = w->next;
		if (w->type == WORK_COMMAND)
			outbox_command(n, w);
		work_free(w);
	}
}

static void inbox_watch(struct node *n)
{
	pthread_mutex_lock(&n->inbox_lock);
	size_t bytes = n->inbox_bytes;
	pthread_mutex_unlock(&n->inbox_lock);
	bool is_full = n->is_inbox_full ? bytes > INBOX_BYTES_LOW : bytes > INBOX_BYTES_HIGH;
	is_full |= atomic_load(&n->percent) >= STOP_PERCENT;
	if (is_full == n->is_inbox_full)
		return;
	n->is_inbox_full = is_full;
	size_t peers = atomic_load(&n->peer_visible);
	for (size_t i = 0; i < peers; i++) {
		struct link_event ev = { .type = LINK_INBOX, .now_ms = clock_monotonic_us() / 1000, .flag = is_full };
		link_event_apply(n, n->peer[i], &ev);
	}
}

static void snapshot_end(struct node *n)
{
	store_abort(n->send_txn);
	n->send_txn = NULL;
	arena_reset(&n->send_arena);
}

/* By the journal and not by the engine, which knows of no line before the first greeting. */
static void waiting_update(struct node *n)
{
	uint64_t waiting = 0;
	for (uint32_t number = 1; n->upstream && number <= journal_line_count(n->journal); number++)
		waiting += line_unsent(n, journal_line(n->journal, number));
	atomic_store(&n->waiting_up, waiting);
}

/* ---- what a writer does without being asked ---- */

static bool is_short_of_room(const struct node *n)
{
	return atomic_load(&n->percent) >= TRIM_PERCENT || atomic_load(&n->is_full);
}

static int trim_run(struct turn *t, struct command *c, struct error *e)
{
	uint64_t removed;
	(void)c;
	/* What lies in a verified backup of the district goes at any time; what is only stored there, when room is
	 * short. */
	bool is_short = is_short_of_room(t->node);
	int result = journal_trim(t->journal, domain_tables, domain_table_number,
	                          is_short ? JOURNAL_SIGNED_FINAL : JOURNAL_SAFE, t->now_ms, &removed, e);
	if (!result)
		log_write(LOG_INFO, "trimmed", "%llu entries that the district has were removed after a checkpoint",
		          (unsigned long long)removed);
	return result;
}

static void trim_done(struct node *n, struct command *c)
{
	(void)n;
	if (c->result)
		log_write(LOG_ERROR, "trim", "%s", c->error.text);
	free(c);
}

static bool can_trim(const struct node *n)
{
	static const Lm__Stream streams[] = { LM__STREAM__STREAM_UP, LM__STREAM__STREAM_PARTS };
	for (size_t i = 0; i < 2 && n->domain.tier == LM__TIER__TIER_TERMINAL; i++) {
		struct line_key key = { n->domain.device, streams[i], 0 };
		const struct line *l = journal_line_find(n->journal, &key);
		if (!l)
			continue;
		uint64_t safe = l->safe < l->signed_final ? l->safe : l->signed_final;
		if (is_short_of_room(n) ? l->signed_final > l->trimmed : safe >= l->trimmed + TRIM_SAFE_LEAST)
			return true;
	}
	return false;
}

static struct command *trim_command(struct node *n)
{
	uint64_t now = clock_monotonic_us();
	if (now - n->trimmed_us < TRIM_EVERY_US || !can_trim(n))
		return NULL;
	n->trimmed_us = now;
	struct command *c = calloc(1, sizeof *c);
	if (c)
		*c = (struct command){ .run = trim_run, .done = trim_done };
	return c;
}

/* Before what came in. Takes the command, which may be NULL. */
static struct work *work_before(struct command *c, struct work *first)
{
	struct work *w = c ? calloc(1, sizeof *w) : NULL;
	struct out *answer = w ? out_new(OUT_COMMAND) : NULL;
	if (!answer) {
		free(w);
		free(c);
		return first;
	}
	*w = (struct work){ .type = WORK_COMMAND, .command = c, .answer = answer, .next = first };
	return w;
}

static bool marks_are_due(const struct node *n, bool is_stop)
{
	return journal_has_unwritten_marks(n->journal) &&
	       (is_stop || clock_monotonic_us() - n->marks_written_us >= MARKS_WRITE_US);
}

static bool has_business(const struct work *first)
{
	for (const struct work *w = first; w; w = w->next)
		if (w->type == WORK_COMMAND || (w->type == WORK_FRAME && w->entry_count && !w->is_dropped))
			return true;
	return false;
}

static void works_control(struct node *n, struct work *first)
{
	for (struct work *w = first; w; w = w->next)
		if (w->type == WORK_FRAME)
			links_frame(n, w);
		else if (w->type == WORK_TRANSPORT)
			links_transport(n, w);
}

/* What was erased is in free pages until the key table has another key. */
static void rekey_steps(struct node *n)
{
	bool is_done = false;
	if (clock_monotonic_us() < n->rekey_again_us)
		return;
	for (int i = 0; i < REKEY_STEPS_A_TURN && !is_done; i++) {
		struct error e = { 0 };
		int result = store_rekey_step(n->store, &is_done, &e);
		if (store_is_broken(n->store)) {
			log_write(LOG_ERROR, "store-broken",
			          "%s; ending, so that the directory is verified before it is used again", e.text);
			writer_die(n);
			return;
		}
		if (result) {
			log_write(LOG_ERROR, "rekey", "what was erased is not destroyed yet: %s", e.text);
			n->rekey_again_us = clock_monotonic_us() + REKEY_AGAIN_US;
			return;
		}
		if (is_done && n->is_rekeying)
			atomic_store(&n->must_renew, true);
		if (is_done && n->is_rekeying)
			log_write(LOG_INFO, "rekeyed",
			          "the key table has a new key: nothing opens what was erased before");
		n->is_rekeying = !is_done;
	}
}

static void writer_turn(struct node *n, struct work *first, bool is_last)
{
	atomic_store(&n->writer_us, clock_monotonic_us());
	works_control(n, first);
	/* Snapshots for frames sent so far end before the write: the next ones see what it commits. */
	snapshot_end(n);
	first = work_before(trim_command(n), first);
	first = work_before(history_command(n), first);
	first = work_before(return_command(n), first);
	bool must_commit = has_business(first) || marks_are_due(n, is_last);
	if (must_commit) {
		turn_run(n, first);
		n->marks_written_us = clock_monotonic_us();
	}
	frames_tell(n, first);
	if (must_commit) {
		links_after_commit(n);
		usage_update(n);
		news_tell(n);
		traces_tell(n);
	}
	if (n->must_refresh_directory && !directory_refresh(n, NULL))
		n->must_refresh_directory = false;
	links_tick(n); /* by the new directory: who was revoked is told at once */
	inbox_watch(n);
	snapshot_end(n);
	journal_recent_end(n->journal); /* entries that came lie in the memory of their frames */
	works_finish(n, first);
	rekey_steps(n);
	waiting_update(n);
	history_state_tell(n);
	if (n->must_tell_links) {
		n->must_tell_links = false;
		outbox_push(n, out_new(OUT_LINKS));
	}
	metrics_turn(n);
	atomic_store(&n->writer_us, 0);
}

void writer_begin(struct node *n)
{
	struct line_key up = { n->domain.device, LM__STREAM__STREAM_UP, 0 };
	const struct line *l = journal_line_find(n->journal, &up);
	atomic_store(&n->up_custody, l ? l->custody : 0);
	atomic_store(&n->up_final, l ? l->final : 0);
	n->must_take_asides = true; /* the last life may have ended before it was through */
	history_state_tell(n);
	usage_update(n);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t writer_wait_us(const struct node *n)
{
	uint64_t now = clock_monotonic_us(), due = sooner(links_due_us(n), now + WRITER_SLEEP_MOST_US);
	if (journal_has_unwritten_marks(n->journal))
		due = sooner(due, n->marks_written_us + MARKS_WRITE_US);
	if (is_short_of_room(n) && can_trim(n))
		due = sooner(due, n->trimmed_us + TRIM_EVERY_US);
	if (n->must_take_asides)
		due = now;
	if (n->is_returning)
		due = sooner(due, now + RETURN_LOOK_US);
	if (n->is_rekeying || n->rekey_again_us > now)
		due = sooner(due, n->rekey_again_us);
	if (n->must_refresh_directory)
		due = sooner(due, now + DIRECTORY_AGAIN_US);
	if (n->has_stale_gauges)
		due = sooner(due, n->gauges_us + METRICS_EVERY_US);
	return due > now + WRITER_REST_US ? due - now : WRITER_REST_US;
}

bool writer_step(struct node *n)
{
	bool is_over = false;
	struct work *first = inbox_take(n, writer_wait_us(n), &is_over);
	writer_turn(n, first, is_over);
	if (is_over) {
		atomic_store(&n->is_writer_over, true);
		uv_async_send(&n->outbox_async);
	}
	return !is_over;
}

/* The journal: opened, a turn of its own entries, entries taken, sent on, opened, checked, released, dropped, trimmed,
 * erased; two histories of one device. */
#define MAP_BYTES (1024 * 1024)
#define RIG_FOLDER "/dev/shm" /* thousands of stores are made */
#include "../unit/journal/rig.h"
#include "sweep.h"

#define REQUESTS 5

struct tested {
	struct party terminal, town, hub;
	struct party second; /* another machine with the terminal's keys; open if it has a journal */
	struct line_key up;
	Lm__Batch *batch; /* the terminal's requests, as they come to the town */
	uint64_t placed;  /* the town's, before */
	struct waiting_name held;
};

static void ready(struct scene *s)
{
	struct tested *own = s->own = calloc(1, sizeof *own);
	if (!own)
		broken("no memory");
	party_begin(&own->terminal);
	party_begin(&own->town);
	party_begin(&own->hub);
	recipients_are(&own->terminal, &own->town, &own->hub);
	own->up = up_of(&own->terminal);
}

static void requests_hand_in(struct tested *own)
{
	turn_begin(&own->terminal);
	for (int i = 0; i < REQUESTS; i++)
		request(&own->terminal, "please");
	turn_commit(&own->terminal);
}

static void with_requests(struct scene *s)
{
	ready(s);
	requests_hand_in(s->own);
}

/* Requests lie at the town, and more are on their way. */
static void with_more_on_the_way(struct scene *s)
{
	struct tested *own;
	uint64_t through;
	with_requests(s);
	own = s->own;
	carry(&own->terminal, &own->town, &own->terminal, own->up);
	own->placed = line_of(&own->town, own->up)->ordinal;
	requests_hand_in(own);
	own->batch = wired(&own->town, load(&own->terminal, own->up, own->placed + 1, &through));
}

static void clean(struct scene *s)
{
	struct tested *own = s->own;
	party_end(&own->terminal);
	party_end(&own->town);
	party_end(&own->hub);
	if (own->second.journal)
		party_end(&own->second);
	free(own);
}

static const char *party_is_whole(struct tested *own, struct party *p)
{
	struct keyring ring = { { &own->terminal, &own->town, &own->hub } };
	struct journal_audit audit;
	if (verify(p, ring, &audit))
		return "afterwards it does not verify";
	party_restart(p);
	return verify(p, ring, &audit) ? "after a restart it does not verify" : NULL;
}

/* ---- a turn ---- */

static int begin(struct party *p, struct error *e)
{
	int result = store_begin_write(p->store, &p->txn, e);
	if (result)
		return result;
	result = journal_turn_begin(p->journal, p->txn, p->now_ms);
	return result && e ? error_set(e, result, "a turn does not begin") : result;
}

/* As the writer ends it. */
static int end(struct party *p, int result, struct error *e)
{
	if (!p->txn)
		return result;
	if (!result)
		result = journal_turn_seal(p->journal, e);
	if (result) {
		if (!e->text[0])
			store_failure(p->txn, e);
		store_abort(p->txn);
	} else {
		result = store_commit(p->txn, e);
	}
	journal_turn_end(p->journal, result == OK);
	p->txn = NULL;
	return result;
}

static int append(struct party *p, const char *text, struct error *e)
{
	struct placed placed;
	p->e = (struct error){ 0 };
	int result =
	        try_append(p, LM__KIND__KIND_REQUEST, LM__STREAM__STREAM_UP, 0, bytes_from_text(text), true, &placed);
	if (result)
		*e = p->e;
	return result;
}

static int turn_made(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	struct party *p = &own->terminal;
	int result = begin(p, e);
	for (int i = 0; i < REQUESTS && !result; i++)
		result = append(p, "one more", e);
	return end(p, result, e);
}

/* What was called stored is there, and what was not is not; and the next turn goes on from there. */
static const char *terminal_holds(const struct scene *s, int result)
{
	struct tested *own = s->own;
	struct party *p = &own->terminal;
	struct error e = { 0 };
	if (store_is_broken(p->store)) {
		party_restart(p);
		recipients_are(p, &own->town, &own->hub);
	}
	uint64_t before = 0, after = line_of(p, own->up) ? line_of(p, own->up)->ordinal : 0;
	if (!result && after < REQUESTS)
		return "what was called stored is missing";
	before = after;
	if (turn_made((struct scene *)(uintptr_t)s, &e))
		return "the next turn fails, too";
	if (line_of(p, own->up)->ordinal < before + REQUESTS)
		return "the next turn is lost";
	carry(p, &own->town, p, own->up);
	if (line_of(&own->town, own->up)->ordinal != line_of(p, own->up)->ordinal)
		return "the town cannot take what lies there";
	return party_is_whole(own, p);
}

/* ---- entries that come ---- */

static int taken(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	struct party *p = &own->town;
	struct checked_entry *entries;
	struct placed placed;
	size_t count;
	enum reception how;
	int result = entries_check(own->batch, own->terminal.keys.signing_public, &p->arena, &entries, &count, e);
	if (!result)
		result = begin(p, e);
	for (size_t i = 0; i < count && !result; i++)
		result = journal_receive(p->journal, &entries[i], LM__DISPOSITION__DISPOSITION_APPLIED, NULL, &placed,
		                         &how, e);
	return end(p, result, e);
}

static const char *town_holds(const struct scene *s, int result)
{
	struct tested *own = s->own;
	struct party *p = &own->town;
	if (store_is_broken(p->store))
		party_restart(p);
	const struct line *l = line_of(p, own->up);
	if (l->is_frozen)
		return "the line is frozen";
	if (!result && l->ordinal != line_of(&own->terminal, own->up)->ordinal)
		return "what was called stored is missing";
	if (result && l->ordinal != own->placed && !store_is_broken(p->store) && result != ERR_IO)
		return "a part of what failed is there";
	carry(&own->terminal, p, &own->terminal, own->up);
	if (line_of(p, own->up)->ordinal != line_of(&own->terminal, own->up)->ordinal)
		return "it cannot be sent again";
	return party_is_whole(own, p);
}

static int sent(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	struct party *p = &own->town;
	struct store_txn *txn;
	Lm__Batch *batch;
	uint64_t through, incarnation[4], seq[4];
	size_t count;
	uint32_t bytes;
	int result = store_begin_read(p->store, &txn, e);
	if (result)
		return result;
	result = journal_load(txn, line_of(p, own->up), 1, 256, 256 * 1024, &p->arena, &batch, &through, &bytes, e);
	if (!result && !batch->n_entries)
		result = error_set(e, ERR_NOT_FOUND, "nothing was loaded");
	if (!result)
		result = journal_ends(txn, line_of(p, own->up)->number, 4, incarnation, seq, &count);
	if (result && !e->text[0])
		error_set(e, result, "nothing can be sent");
	store_abort(txn);
	return result;
}

/* The town reads what is sealed to it; not being able to now is not the same as never. */
static int read_by_the_town(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	struct party *p = &own->town;
	struct store_txn *txn;
	Lm__TapeItem *item;
	struct bytes plain;
	uint64_t position;
	int result = store_begin_read(p->store, &txn, e);
	if (result)
		return result;
	result = journal_read_line(txn, line_of(p, own->up)->number, own->placed, &p->arena, &position, &item, e);
	if (!result)
		result = journal_item_open(p->journal, txn, position, item, &p->arena, &plain, e);
	store_abort(txn);
	return result;
}

/* ---- opening, checking ---- */

static int reopened(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	struct party *p = &own->town;
	journal_close(p->journal);
	p->journal = NULL;
	struct journal_options options = { .store = p->store, .keys = &p->keys, .device = p->device };
	return journal_open(&options, &p->journal, e);
}

static const char *town_opens(const struct scene *s, int result)
{
	struct tested *own = s->own;
	if (result)
		party_restart(&own->town);
	return party_is_whole(own, &own->town);
}

static int verified(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	struct keyring ring = { { &own->terminal, &own->town, &own->hub } };
	struct journal_audit audit;
	struct store_txn *txn;
	int result = store_begin_read(own->town.store, &txn, e);
	if (result)
		return result;
	result = journal_verify(own->town.journal, txn, keyring_find, &ring, &audit, e);
	store_abort(txn);
	return result;
}

/* ---- two machines with one key ---- */

static int received(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	struct party *p = &own->town;
	struct checked_entry *entries;
	struct placed placed;
	size_t count;
	enum reception how;
	int result = entries_check(own->batch, own->terminal.keys.signing_public, &p->arena, &entries, &count, e);
	if (!result)
		result = begin(p, e);
	for (size_t i = 0; i < count && !result; i++) {
		result = journal_receive(p->journal, &entries[i], LM__DISPOSITION__DISPOSITION_APPLIED, NULL, &placed,
		                         &how, e);
		if (result == ERR_CLONE || result == ERR_FROZEN) /* kept aside: that is what was asked for */
			result = OK;
	}
	return end(p, result, e);
}

static const char *town_is_whole(const struct scene *s, int result)
{
	struct tested *own = s->own;
	(void)result;
	if (store_is_broken(own->town.store))
		party_restart(&own->town);
	return party_is_whole(own, &own->town);
}

/* The town has what the first wrote; what the second wrote since an image of its disk is on its way. */
static void with_a_second_machine(struct scene *s)
{
	struct tested *own;
	uint64_t through;
	with_requests(s);
	own = s->own;
	party_image(&own->terminal);
	party_clone(&own->terminal, &own->second);
	recipients_are(&own->second, &own->town, &own->hub);
	requests_hand_in(own);
	carry(&own->terminal, &own->town, &own->terminal, own->up);
	turn_begin(&own->second);
	request(&own->second, "from another machine");
	request(&own->second, "and once more");
	turn_commit(&own->second);
	own->batch = wired(&own->town, load(&own->second, own->up, REQUESTS + 2, &through));
}

static void with_a_fork_on_the_way(struct scene *s)
{
	struct tested *own;
	uint64_t through;
	with_a_second_machine(s);
	own = s->own;
	take(&own->town, &own->terminal, own->batch);
	uint64_t stored = line_of(&own->terminal, own->up)->ordinal;
	requests_hand_in(own);
	own->batch = wired(&own->town, load(&own->terminal, own->up, stored + 1, &through));
}

static void with_two_histories(struct scene *s)
{
	struct error e;
	with_a_fork_on_the_way(s);
	if (received(s, &e))
		broken("%s", e.text);
}

static int let_go_on(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	struct party *p = &own->town;
	const struct line *l = line_of(p, own->up);
	struct release r = { .device = own->terminal.device,
		             .goes_on = l->fork,
		             .closed = { l->incarnation, l->seq },
		             .closed_from = l->seq + 1,
		             .why = "it was closed",
		             .is_taken_here = true };
	struct aside *list;
	struct checked_entry entry;
	struct placed placed;
	enum reception how;
	size_t count = 0;
	int result = begin(p, e);
	if (!result)
		result = journal_release(p->journal, &r, e);
	if (!result)
		result = journal_asides(p->journal, p->txn, &p->arena, &list, &count, e);
	for (size_t i = 0; i < count && !result; i++)
		result = journal_aside_receive(p->journal, &list[i], &p->arena, &entry, &placed, &how, e);
	return end(p, result, e);
}

static const char *goes_on_or_not(const struct scene *s, int result)
{
	struct tested *own = s->own;
	const struct line *l = line_of(&own->town, own->up);
	if (!store_is_broken(own->town.store) && l->is_frozen != (result != OK))
		return "the line is not as it was said";
	if (!result && l->seq != line_of(&own->terminal, own->up)->seq)
		return "what was kept aside is missing";
	return town_is_whole(s, result);
}

static int told_to_stop(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	struct party *p = &own->terminal;
	struct history fork = { 1, 1 }, ours = { journal_incarnation(p->journal), 1 };
	int result = begin(p, e);
	if (!result)
		result = journal_freeze(p->journal, line_of(p, own->up)->number, &fork, "two machines");
	if (!result)
		result = journal_history_is_ours(p->journal, p->txn, &ours);
	if (!result)
		result = journal_own_release(p->journal, "the other one goes on");
	if (!result)
		result = journal_own_release(p->journal, NULL);
	if (result && !e->text[0])
		error_set(e, result, "it cannot be told to stop");
	return end(p, result, e);
}

static int set_aside(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	struct party *p = &own->town;
	struct checked_entry *entries;
	size_t count;
	int result = entries_check(own->batch, own->terminal.keys.signing_public, &p->arena, &entries, &count, e);
	if (!result)
		result = begin(p, e);
	for (size_t i = 0; i < count && !result; i++)
		result = journal_set_aside(p->journal, &entries[i], LM__DISPOSITION__DISPOSITION_REVOKED, "revoked");
	return end(p, result, e);
}

/* ---- erasing ---- */

static void with_requests_at_the_town(struct scene *s)
{
	struct tested *own;
	with_requests(s);
	own = s->own;
	carry(&own->terminal, &own->town, &own->terminal, own->up);
	own->placed = line_of(&own->town, own->up)->ordinal;
}

static int erased(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	struct party *p = &own->town;
	uint8_t request[16] = "request-0000001";
	uint64_t count, position = 0;
	int result = begin(p, e);
	if (!result)
		result = journal_erase_entry(p->journal, own->placed, e);
	if (!result)
		result = journal_erase(p->journal, BYTES_OF(request), NULL, &count, e);
	if (!result)
		result = journal_unnamed_next(p->txn, &position, e);
	return end(p, result == ERR_NOT_FOUND ? OK : result, e);
}

static const char *erased_or_not(const struct scene *s, int result)
{
	struct tested *own = s->own;
	struct party *p = &own->town;
	struct bytes plain;
	if (store_is_broken(p->store))
		return town_is_whole(s, result);
	for (uint64_t ordinal = 2; ordinal <= own->placed; ordinal++) /* 1 is the notice of a period */
		if ((open_at(p, own->up, ordinal, &plain) == OK) != (result != OK))
			return "what was erased opens, or what was not does not";
	return town_is_whole(s, result);
}

/* ---- what is held up ---- */

static void with_held(struct scene *s)
{
	struct tested *own;
	struct placed placed;
	with_requests(s);
	own = s->own;
	struct party *p = &own->terminal;
	turn_begin(p);
	placed = request(p, "what nobody knows yet");
	assert_ok(p,
	          journal_set_disposition(p->journal, placed.position, LM__DISPOSITION__DISPOSITION_HELD, "not yet"));
	assert_ok(p, journal_hold(p->journal, bytes_from_text("cause"), placed.position));
	turn_commit(p);
	own->held = waiting_at(placed.position);
}

static int released(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	struct party *p = &own->terminal;
	struct waiting waiting;
	uint64_t position;
	int result = begin(p, e);
	if (!result)
		result = journal_waiting_next(p->txn, &(struct waiting_name){ 0 }, &p->arena, &waiting, e);
	if (!result)
		result = journal_held_take(p->journal, bytes_from_text("cause"), &position);
	if (!result)
		result = journal_retry(p->journal, position, &position);
	return end(p, result, e);
}

static int dropped(struct scene *s, struct error *e)
{
	struct tested *own = s->own;
	struct party *p = &own->terminal;
	int result = begin(p, e);
	if (!result)
		result = journal_drop(p->journal, &own->held, "it was meant otherwise", e);
	return end(p, result, e);
}

static const char *waits_or_not(const struct scene *s, int result)
{
	struct tested *own = s->own;
	struct party *p = &own->terminal;
	bool may_be_either = store_is_broken(p->store);
	if (may_be_either)
		party_restart(p);
	struct store_txn *txn = snapshot(p);
	uint64_t count = journal_waiting_count(txn);
	store_abort(txn);
	if (!may_be_either && count != (result ? 1 : 0))
		return "what waits is not what was said";
	return party_is_whole(own, p);
}

/* ---- trimming ---- */

static void with_what_the_district_has(struct scene *s)
{
	struct tested *own;
	with_requests(s);
	own = s->own;
	struct party *p = &own->terminal;
	turn_begin(p);
	for (uint32_t n = 0; n < 20; n++)
		store_put(p->txn, &cases, BYTES_OF(n), bytes_from_text("a case"));
	turn_commit(p);
	carry(p, &own->town, p, own->up);
	journal_mark_raise(p->journal, line_of(p, own->up)->number, JOURNAL_SIGNED_FINAL, REQUESTS);
}

static int trimmed(struct scene *s, struct error *e)
{
	static const struct store_table *const projections[] = { &cases };
	struct tested *own = s->own;
	struct party *p = &own->terminal;
	uint64_t removed;
	int result = begin(p, e);
	if (!result)
		result = journal_trim(p->journal, projections, 1, JOURNAL_SIGNED_FINAL, p->now_ms, &removed, e);
	return end(p, result, e);
}

static const struct operation list[] = {
	{ "turn, the first", ready, turn_made, terminal_holds, clean },
	{ "turn", with_requests, turn_made, terminal_holds, clean },
	{ "entries taken", with_more_on_the_way, taken, town_holds, clean },
	{ "entries sent", with_more_on_the_way, sent, NULL, clean },
	{ "payload read", with_more_on_the_way, read_by_the_town, NULL, clean },
	{ "journal opened", with_more_on_the_way, reopened, town_opens, clean },
	{ "journal verified", with_more_on_the_way, verified, NULL, clean },
	{ "rollback taken", with_a_second_machine, received, town_is_whole, clean },
	{ "clone frozen", with_a_fork_on_the_way, received, town_is_whole, clean },
	{ "history released", with_two_histories, let_go_on, goes_on_or_not, clean },
	{ "told to stop", with_requests, told_to_stop, terminal_holds, clean },
	{ "set aside", with_more_on_the_way, set_aside, town_is_whole, clean },
	{ "erased", with_requests_at_the_town, erased, erased_or_not, clean },
	{ "held, released", with_held, released, waits_or_not, clean },
	{ "held, dropped", with_held, dropped, waits_or_not, clean },
	{ "trimmed", with_what_the_district_has, trimmed, terminal_holds, clean },
};
const struct operations journal_operations = { list, sizeof list / sizeof *list };

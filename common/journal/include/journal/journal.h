/*
 * The journal: streams with chains and signed heads, the tape, watermarks, quarantine, checkpoints.
 *
 * A line is one stream of one origin for one receiver, numbered locally. Its entries have ordinals (1, 2, 3 …,
 * across incarnations) here and (incarnation, seq) on the wire; segments translate. The tape is the order in which
 * this node took things up: its items are the entries themselves. Domain state is a replay of the tape.
 *
 * Everything that writes happens in a turn, on the writer thread, inside one store transaction: journal_turn_begin,
 * any number of appends and receipts, journal_turn_seal (signs once), store_commit, journal_turn_end. If the commit
 * fails, journal_turn_end(j, false) puts memory back to what the store holds.
 *
 * This is the narrow interface behind which a journal could lie elsewhere: append a batch durably, read from a
 * position, watermarks.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "crypto/crypto.h"
#include "proto/entry.pb-c.h"
#include "proto/wire.pb-c.h"
#include "store/store.h"

struct journal;

/* The journal's tables; an environment that holds a journal lists them with its domain's tables. */
extern const struct store_table journal_table_tape, journal_table_line, journal_table_segment, journal_table_run,
        journal_table_envelope, journal_table_period, journal_table_quarantine, journal_table_held,
        journal_table_checkpoint, journal_table_base, journal_table_waiting, journal_table_history;
extern const struct store_table *const journal_tables[];
extern const size_t journal_table_count;

struct line_key {
	uint64_t origin;
	Lm__Stream stream;
	uint64_t receiver; /* STREAM_DOWN only */
};

struct history { /* of a device that has two: named by one of its entries that the other lacks */
	uint64_t incarnation, seq;
};

struct line {
	uint32_t number; /* from 1, local */
	struct line_key key;
	uint64_t ordinal;     /* of the newest entry; 0: none */
	uint64_t incarnation; /* of the newest entry */
	uint64_t seq;
	struct hash hash;
	uint64_t custody, final, safe, signed_final;
	uint64_t trimmed; /* entries up to here are gone */
	struct hash trimmed_hash;
	bool is_frozen;
	char frozen_why[160];
	uint64_t rollbacks;
	uint64_t closed_incarnation, closed_seq;
	uint32_t generation;     /* of the keys that signed the newest entry */
	struct history fork;     /* frozen: the first entry that does not continue what is stored */
	struct history released; /* its incarnation may be continued whatever came after it; seq 0: none */
	bool is_closed;          /* our own: the district lets another copy of this device go on */
	bool is_told;            /* frozen because the tier above says so */
	uint64_t bytes;          /* that its entries took when they were placed, and what is kept aside of it takes */
};

struct journal_options {
	struct store *store;
	const struct device_keys *keys;
	uint64_t device;
	bool is_reader; /* for lmctl on a closed directory: no turn will be begun */
};

/* Loads the lines. Draws this process's incarnation. */
int journal_open(const struct journal_options *options, struct journal **out, struct error *e);
void journal_close(struct journal *j);
uint64_t journal_incarnation(const struct journal *j);

/* ---- lines (writer thread; as of the turn under way) ---- */
const struct line *journal_line(const struct journal *j, uint32_t number);                 /* NULL if unknown */
const struct line *journal_line_find(const struct journal *j, const struct line_key *key); /* NULL if unknown */
uint32_t journal_line_count(const struct journal *j); /* numbers run from 1 to this */
uint64_t journal_position(const struct journal *j);   /* of the newest tape item; 0: none */

/* ---- a turn ---- */
/* `now_ms`: the wall clock, recorded with every item that the turn takes up. */
int journal_turn_begin(struct journal *j, struct store_txn *txn, int64_t now_ms);
int journal_turn_seal(struct journal *j, struct error *e); /* signs the heads that moved, writes lines and runs */
void journal_turn_end(struct journal *j, bool was_committed);
/* Lines whose entries or marks moved in the turn (valid between seal and the next begin). */
size_t journal_turn_lines(const struct journal *j, const uint32_t **numbers);

/* What an entry of our own is to be. */
struct draft {
	Lm__Stream stream;
	uint64_t receiver; /* STREAM_DOWN */
	/* kind, request_id, place, service … set by the caller; the rest is filled in. */
	Lm__Header *header;
	struct bytes payload;
	bool is_forgotten; /* sealed, and nobody keeps the key: what it is about was erased */
	bool is_sealed;    /* to the recipients of the line (journal_set_recipients); in `own` to the key table alone */
};

struct placed { /* where an entry lies */
	uint32_t line;
	uint64_t ordinal;
	uint64_t position;
	struct hash hash;
};

/* Recipients for sealed payloads of a stream of ours; ends the period under way if they changed. */
int journal_set_recipients(struct journal *j, const struct line_key *key, const struct period_recipient *recipients,
                           size_t count, struct error *e);

/* Appends an entry of our own (and the notice of a new period before it, if one is due). ERR_NOT_READY without
 * recipients; ERR_TOO_BIG above 512 KiB; ERR_INTERNAL if the kind is always sealed in this stream and `is_sealed` is
 * false, or the other way round. What the header then points to lives until the next turn begins. */
int journal_append(struct journal *j, const struct draft *draft, struct placed *out, struct error *e);

/* An entry from a link after entries_check, on its way into the journal. */
struct checked_entry {
	const Lm__Header *header;
	struct bytes header_packed, payload, envelope_packed;
	struct hash hash;
	const Lm__SignedHeads *heads; /* of the last entry of its message; NULL for the others */
	struct history follows;       /* what comes before it in the sender's order; seq 0: it does not say */
	uint32_t generation;          /* of the keys that signed its message */
	struct bytes plain;           /* opened payload, when the opener could and was asked to */
	bool is_absent;               /* could not be opened */
};

/* Checks without a store, for the thread pool: unpacks, hashes, chains the entries of one message to each other, checks
 * the signature over the last head with the origin's key. ERR_INVALID, ERR_BAD_SIGNATURE. The results live in `arena`.
 */
int entries_check(const Lm__Batch *batch, const uint8_t signing_key[KEY_BYTES], struct arena *arena,
                  struct checked_entry **out, size_t *count, struct error *e);

/* Places the next entry of a line. The entries of one message are placed within one turn, since only the last one
 * carries the signed head behind which they can be passed on. OK; ERR_DUPLICATE (known, same hash); ERR_GAP (does not
 * follow); ERR_CLONE (fork: the line is frozen now and the entry kept in quarantine); ERR_FROZEN (the line was frozen
 * before, or the entry fits nowhere in a history that was closed; kept in quarantine); ERR_BAD_SIGNATURE (it would
 * follow, but with keys that its origin has replaced: nothing is stored); or a store fault. `why` of a disposition
 * other than APPLIED is stored with it. */
enum reception {
	RECEIVED,
	RECEIVED_BEHIND, /* a rollback: its incarnation begins behind the known head */
	RECEIVED_CLOSED, /* of a history that was closed: placed as quarantined, it must not be applied */
};
int journal_receive(struct journal *j, const struct checked_entry *entry, Lm__Disposition disposition, const char *why,
                    struct placed *out, enum reception *how, struct error *e);

/* Keeps an entry in quarantine without placing it: its origin was revoked, or its line is frozen. Bounded. */
int journal_set_aside(struct journal *j, const struct checked_entry *entry, Lm__Disposition disposition,
                      const char *why);

/* Changes the disposition of an item placed in this turn: held or quarantined after apply refused it. */
int journal_set_disposition(struct journal *j, uint64_t position, Lm__Disposition disposition, const char *why);
/* A held or quarantined item is applied now, at a new position of the tape; it waits no longer, unless that fails.
 * ERR_NOT_FOUND if it is not there. */
int journal_retry(struct journal *j, uint64_t position, uint64_t *retry_position);

/* Held items wait for a cause (≤ 40 bytes: what they cite). */
int journal_hold(struct journal *j, struct bytes cause, uint64_t position);
/* Takes one item waiting for `cause` off the list; ERR_NOT_FOUND if none waits. */
int journal_held_take(struct journal *j, struct bytes cause, uint64_t *position);

/* ---- what is not applied: held, in quarantine, set aside ---- */
#define WAITING_NAME_BYTES 37
#define WAITING_TEXT_BYTES (2 * WAITING_NAME_BYTES + 1)
struct waiting_name { /* of an item of the tape, or of an entry that was set aside */
	uint8_t byte[WAITING_NAME_BYTES];
	size_t size; /* 0: none */
};
struct waiting_name waiting_at(uint64_t position);
uint64_t waiting_position(const struct waiting_name *name); /* 0: not on the tape */
void waiting_name_to_text(const struct waiting_name *name, char out[WAITING_TEXT_BYTES]);
int waiting_name_from_text(const char *text, struct waiting_name *out, struct error *e); /* ERR_INVALID */

struct waiting {
	struct waiting_name name;
	bool is_waiting;             /* false: it was applied or dropped */
	Lm__TapeItem *item;          /* as it came */
	Lm__Disposition disposition; /* as it stands now, after the last retry */
	const char *reason;
	int64_t tried_ms; /* the last retry; 0: none */
};
/* Whatever became of it. ERR_NOT_FOUND. */
int journal_waiting_get(struct store_txn *txn, const struct waiting_name *name, struct arena *arena,
                        struct waiting *out, struct error *e);
/* The first behind `after` (size 0: the first of all): items of the tape in their order, then what was set aside.
 * ERR_NOT_FOUND at the end. */
int journal_waiting_next(struct store_txn *txn, const struct waiting_name *after, struct arena *arena,
                         struct waiting *out, struct error *e);
uint64_t journal_waiting_count(struct store_txn *txn);
/* Items held for a cause that begins with the first `shared` bytes of this one and does not lie before it. */
uint64_t journal_held_because(struct store_txn *txn, struct bytes cause, size_t shared);
/* In a turn: it will never be applied, and says why. ERR_NOT_FOUND. */
int journal_drop(struct journal *j, const struct waiting_name *name, const char *why, struct error *e);

/* ---- two histories of one device ---- */
/* Freezes a line because somebody who takes it says that it has two histories: a neighbour's line that is passed on, or
 * one of our own, of which we then are one copy. Within a turn or between turns. ERR_NOT_FOUND, ERR_MEMORY. */
int journal_freeze(struct journal *j, uint32_t line, const struct history *fork, const char *why);
/* Whether our own `up` holds this entry: then that history is ours. OK, ERR_NOT_FOUND, or a store fault. */
int journal_history_is_ours(struct journal *j, struct store_txn *txn, const struct history *history);
/* In a turn: our own lines go on, or, `why` not NULL, never will. */
int journal_own_release(struct journal *j, const char *why);

struct release {
	uint64_t device;
	struct history goes_on, closed;
	uint64_t closed_from; /* the first seq in `up` that is kept in quarantine */
	const char *why;
	bool is_taken_here; /* its `up` comes here, though perhaps nothing of it has come yet */
};
/* In a turn: every line of another device goes on. From now on entries that continue one history are placed as ever,
 * those of the other as quarantined, so that an operator can look at each; both in the order in which they come. */
int journal_release(struct journal *j, const struct release *r, struct error *e);

/* Entries that were kept aside while their line was frozen and that are signed: by line, incarnation, seq. */
struct aside {
	struct waiting_name name;
	uint32_t line;
	uint64_t incarnation, seq;
	uint32_t generation; /* of the keys that signed its message */
	bool is_signed;
};
int journal_asides(const struct journal *j, struct store_txn *txn, struct arena *arena, struct aside **out,
                   size_t *count, struct error *e);
/* As journal_receive, for one of them. ERR_GAP: it does not continue anything yet, and stays where it is. What *entry
 * points to lies in `arena`. */
int journal_aside_receive(struct journal *j, const struct aside *aside, struct arena *arena,
                          struct checked_entry *entry, struct placed *out, enum reception *how, struct error *e);

/* ---- erasing ---- */
/* In a turn: destroys the envelopes of everything that is stored about a subject (proto/subject.h), also beside the
 * tape, and asks for another key of the key table (store_rekey_step). What was applied is DISPOSITION_ERASED then, and
 * has `facts` (may be NULL) beside it. `count`: how many were destroyed. */
int journal_erase(struct journal *j, struct bytes subject, const Lm__ErasedFacts *facts, uint64_t *count,
                  struct error *e);
/* The same for one entry of the tape. */
int journal_erase_entry(struct journal *j, uint64_t position, struct error *e);
/* The first entry at or after *position that has an envelope and names neither request nor person. ERR_NOT_FOUND at the
 * end. */
int journal_unnamed_next(struct store_txn *txn, uint64_t *position, struct error *e);

/* ---- marks ---- */
enum journal_mark { JOURNAL_CUSTODY, JOURNAL_FINAL, JOURNAL_SAFE, JOURNAL_SIGNED_FINAL };
/* Raises a watermark (never lowers it) in memory at once; it reaches the store with the next turn. True if it moved. */
bool journal_mark_raise(struct journal *j, uint32_t line, enum journal_mark mark, uint64_t ordinal);
bool journal_has_unwritten_marks(const struct journal *j);
/* Within a turn, or between turns (then the next one writes it). ERR_NOT_FOUND. */
int journal_unfreeze(struct journal *j, uint32_t line);

/* ---- reading (any thread, in a transaction of its own or the turn's) ---- */
/* A tape item, unpacked. `entry_hash` of its header. ERR_NOT_FOUND for a trimmed or unknown position. */
int journal_read(struct store_txn *txn, uint64_t position, struct arena *arena, Lm__TapeItem **item, struct error *e);
/* The first item at or after *position; *position becomes its position. */
int journal_read_next(struct store_txn *txn, uint64_t *position, struct arena *arena, Lm__TapeItem **item,
                      struct error *e);
/* The last item before *position (UINT64_MAX: of all); *position becomes its position. ERR_NOT_FOUND at the beginning.
 */
int journal_read_before(struct store_txn *txn, uint64_t *position, struct arena *arena, Lm__TapeItem **item,
                        struct error *e);
int journal_read_line(struct store_txn *txn, uint32_t line, uint64_t ordinal, struct arena *arena, uint64_t *position,
                      Lm__TapeItem **item, struct error *e);
/* Envelope of the entry at `position`, packed; empty if it was destroyed. */
int journal_envelope(struct store_txn *txn, const Lm__Header *header, uint64_t position, struct arena *arena,
                     struct bytes *packed);
int journal_period(struct store_txn *txn, uint64_t origin, struct bytes period_id, struct arena *arena,
                   struct bytes *notice_packed);
uint64_t journal_quarantine_count(struct store_txn *txn);
bool journal_line_is_frozen(struct store_txn *txn, uint32_t line);
/* Whether the district has the item at this position of the tape, by the marks that are stored. */
bool journal_is_final(struct store_txn *txn, uint64_t position);
uint64_t journal_held_count(struct store_txn *txn);

/* (incarnation, seq) → ordinal. A seq past the end of a known incarnation gives its last ordinal and *is_exact = false.
 * ERR_NOT_FOUND for an unknown incarnation. */
int journal_locate(struct store_txn *txn, uint32_t line, uint64_t incarnation, uint64_t seq, uint64_t *ordinal,
                   bool *is_exact);
/* ordinal → (incarnation, seq). */
int journal_coordinates(struct store_txn *txn, uint32_t line, uint64_t ordinal, uint64_t *incarnation, uint64_t *seq);
/* The last ordinals of the newest segments, newest first: what HELLO says. `most` > 0; *count are written. */
int journal_ends(struct store_txn *txn, uint32_t line, size_t most, uint64_t *incarnations, uint64_t *seqs,
                 size_t *count);

/* Entries of a line from `from` on as a message: at most `entries_most` and about `bytes_most`, ending at a signed head
 * (at least one commit's worth) and never reaching over the end of an incarnation. *through is the last ordinal; equal
 * to from - 1 if nothing can be sent. ERR_NOT_FOUND if `from` is trimmed. */
int journal_load(struct store_txn *txn, const struct line *line, uint64_t from, uint32_t entries_most,
                 uint32_t bytes_most, struct arena *arena, Lm__Batch **out, uint64_t *through, uint32_t *bytes,
                 struct error *e);

/* The same from memory, for entries that the last turn placed, if it was committed; ERR_NOT_FOUND for others. Valid as
 * long as what was given to journal_append and journal_receive in that turn lives: call journal_recent_end before it
 * goes. Writer thread. */
int journal_load_recent(const struct journal *j, const struct line *line, uint64_t from, uint32_t entries_most,
                        uint32_t bytes_most, struct arena *arena, Lm__Batch **out, uint64_t *through, uint32_t *bytes,
                        struct error *e);
void journal_recent_end(struct journal *j);

/* ---- opening sealed payloads (thread-safe) ---- */
/* Opens the payload of an entry that is sealed to us. ERR_ABSENT if it cannot be opened: not for us, envelope gone,
 * damaged. For kinds that are not sealed the payload itself. `envelope` may be empty. `txn` serves to find the period's
 * notice. */
int journal_payload_open(struct journal *j, struct store_txn *txn, const Lm__Header *header, struct bytes payload,
                         struct bytes envelope_packed, struct arena *arena, struct bytes *plain, struct error *e);
/* The same for an item of the tape. */
int journal_item_open(struct journal *j, struct store_txn *txn, uint64_t position, const Lm__TapeItem *item,
                      struct arena *arena, struct bytes *plain, struct error *e);
/* Tells the opener of a period's notice before it is in the store. */
int journal_period_learn(struct journal *j, const Lm__Header *header, struct bytes notice_packed, struct error *e);

/* ---- trimming ---- */
/* In a turn: writes a checkpoint of the projections, then removes our own `up` and `own` entries that the checkpoint
 * covers and, for `up`, that the district's signature calls `up_to` (JOURNAL_SAFE or JOURNAL_SIGNED_FINAL), and entries
 * taken from above that are applied. *removed counts them. */
int journal_trim(struct journal *j, const struct store_table *const *projections, size_t count, enum journal_mark up_to,
                 int64_t now_ms, uint64_t *removed, struct error *e);
/* OK and the checkpoint, or ERR_NOT_FOUND. */
int journal_checkpoint(struct store_txn *txn, struct arena *arena, Lm__Checkpoint **out, struct error *e);

/* ---- checking ---- */
struct journal_audit {
	uint64_t items, signatures, lines;
};
/* Chains every line from its start (or from the checkpoint), checks every payload hash and every signed head.
 * `signing_key` gives an origin's key of a generation (ERR_NOT_FOUND: signatures of it are not checked). ERR_DAMAGED
 * names line and position. */
int journal_verify(struct journal *j, struct store_txn *txn,
                   int (*signing_key)(void *context, uint64_t origin, uint32_t generation, uint8_t key[KEY_BYTES]),
                   void *context, struct journal_audit *out, struct error *e);

/* Hash of a packed header: what the next entry cites. */
int entry_hash(struct bytes header_packed, struct hash *out, struct error *e);
/* Hash of a head: what SignedHeads lists. */
int head_hash(const Lm__Header *header, const struct hash *entry, struct hash *out, struct error *e);
/* The message that SignedHeads.signature covers. */
int heads_digest(const Lm__SignedHeads *heads, struct hash *out, struct error *e);

#endif

/*
 * What the files of this room share. lines.c keeps the lines, place.c puts entries, receive.c takes those of
 * neighbours, history.c knows which of two histories goes on, turn.c ends turns, read.c reads, open.c opens payloads,
 * trim.c and verify.c do what their names say.
 */
#ifndef JOURNAL_INSIDE_H
#define JOURNAL_INSIDE_H

#include <pthread.h>

#include "journal/journal.h"
#include "proto/codec.h"
#include "proto/subject.h"

#define LINES_MOST 4000 /* 282 sites with several streams each, and replaced devices; one message lists them all */
#define LINE_INDEX_SLOTS 8192 /* power of two, at least twice LINES_MOST */
#define SIGN_ENTRIES_MOST 256 /* a line of ours is signed this often, so that any message can end at a signed head */
#define SIGN_BYTES_MOST (256u * 1024)
#define PAYLOAD_BYTES_MOST (512u * 1024)
#define MESSAGE_ENTRIES_MOST 1024
#define ENTRY_BESIDE_BYTES 1024 /* rows beside an entry: its place in its line, and what it leads to */
#define RUN_STEP_MOST 16        /* further apart is chance: the next entry is not expected there */
#define TAPE_KEY_BYTES 8
#define LINE_KEY_BYTES 4
#define ORDINAL_KEY_BYTES 12  /* line, ordinal */
#define ENVELOPE_KEY_BYTES 24 /* request id, position */
#define PERIOD_KEY_BYTES 24   /* origin, period id */
#define HELD_CAUSE_BYTES_MOST 48
#define HELD_KEY_BYTES_MOST (1 + HELD_CAUSE_BYTES_MOST + 8)

struct run { /* entries at even distances on the tape */
	uint64_t ordinal, position;
	uint32_t count, step; /* step: known from the second on */
};

struct slot_state { /* what a rolled back turn puts back */
	struct line line;
	struct run run;
	struct period_recipient recipient[PERIOD_RECIPIENTS_MOST];
	size_t recipient_count;
};

struct slot { /* a line in memory */
	struct slot_state now, committed;
	bool is_touched;                         /* in the turn under way: entries or marks moved */
	bool is_run_unwritten;                   /* now.run is ahead of its row */
	bool is_mark_unwritten, is_mark_in_turn; /* moved since the last seal; written by the turn under way */
	uint32_t unsigned_count, unsigned_bytes; /* entries of our own in this turn that no signed head covers yet */
	uint64_t last_position;                  /* of the newest of them */
	struct period *period;
	bool is_period_new; /* begun in the turn under way */
};

#define RECENT_MOST 1024
struct recent { /* placed by the last turn; what it points to lives until journal_recent_end */
	uint32_t line;
	uint64_t ordinal, position, incarnation, seq;
	ProtobufCBinaryData header, payload;
	struct bytes envelope;
	const Lm__SignedHeads *heads;
};

struct opener_cache; /* The key of a row of what is held; empty if the cause is too long. The cause's size comes first,
                      * so that no other cause lies between the items of one. */
struct bytes held_key(struct bytes cause, uint64_t position, uint8_t memory[HELD_KEY_BYTES_MOST]);

/* waiting.c */
int waiting_put(struct journal *j, uint64_t position, struct bytes cause); /* no cause: in quarantine */
int waiting_put_aside(struct journal *j, struct bytes quarantine_key);
int waiting_remove(struct journal *j, uint64_t position); /* one that does not wait is fine */
int waiting_remove_aside(struct journal *j, struct bytes quarantine_key);

/* open.c */

struct journal {
	struct store *store;
	const struct device_keys *keys;
	uint64_t device, incarnation;
	struct slot *slot; /* slot[n - 1] is line n; room for LINES_MOST from the start, so that none ever moves */
	uint16_t index[LINE_INDEX_SLOTS]; /* line numbers by hash of the key; 0: free */
	uint32_t line_count, committed_line_count;
	uint32_t stored_line_count; /* lines that have a row: rows are without gaps, so that their numbers are their
	                               order */
	uint64_t position, committed_position;
	/* the turn */
	struct store_txn *txn;
	int64_t now_ms;
	struct arena arena;
	uint32_t *touched;
	size_t touched_count, touched_capacity;
	bool has_unwritten_marks;
	struct recent *recent; /* RECENT_MOST */
	size_t recent_count;
	bool is_recent_committed, has_erased; /* has_erased: in the turn under way; nothing is sent from memory then */
	struct opener_cache *openers;
	pthread_mutex_t opener_lock;
};

/* keys of rows */
struct bytes tape_key(uint64_t position, uint8_t memory[TAPE_KEY_BYTES]);
struct bytes line_key_bytes(uint32_t line, uint8_t memory[LINE_KEY_BYTES]);
struct bytes ordinal_key(uint32_t line, uint64_t ordinal, uint8_t memory[ORDINAL_KEY_BYTES]);
struct bytes envelope_key(struct bytes subject, uint64_t position, uint8_t memory[ENVELOPE_KEY_BYTES]);
struct bytes period_key(uint64_t origin, struct bytes period_id, uint8_t memory[PERIOD_KEY_BYTES]);

/* lines.c */
int lines_load(struct journal *j, struct error *e);
int line_store(struct journal *j, const struct line *line); /* writes its row in the turn */
struct slot *slot_find(const struct journal *j, const struct line_key *key);
int slot_make(struct journal *j, const struct line_key *key, struct slot **out, struct error *e);
void slots_drop(struct journal *j, uint32_t count); /* keeps the first `count` lines */
int slot_touch(struct journal *j, struct slot *s);
void line_freeze(struct line *l, const struct history *fork, const char *why);
void line_unfreeze(struct line *l);

/* history.c */
/* Whether the entry at (incarnation, seq) is of a history that was closed; *why, if wanted, lies in the turn's arena.
 */
bool history_is_closed(struct journal *j, uint32_t line, uint64_t incarnation, uint64_t seq, const char **why);
/* The incarnation was let go on, or closed: it may be continued though others came after it. */
bool history_is_settled(struct journal *j, const struct line *l, uint64_t incarnation);
/* Before an entry is placed that begins an incarnation: what was said of its parent's history holds for it, too. */
int history_inherit(struct journal *j, struct line *l, const Lm__Header *h, bool is_behind);

/* receive.c */
#define QUARANTINE_KEY_BYTES (LINE_KEY_BYTES + HASH_BYTES)
#define QUARANTINE_ENVELOPE \
	(UINT64_C(1) << 63) /* stands for a position: the envelope of what has no place on the tape */
struct bytes aside_envelope_key(const Lm__Header *h, const struct hash *hash, uint8_t memory[ENVELOPE_KEY_BYTES]);
/* As journal_receive; with `is_aside` what does not continue anything is ERR_GAP, and nothing freezes. */
int entry_receive(struct journal *j, const struct checked_entry *entry, Lm__Disposition disposition, const char *why,
                  bool is_aside, struct placed *out, enum reception *how, struct error *e);

/* place.c */
uint64_t entry_bytes(size_t header, size_t payload, size_t envelope); /* that it takes in the store, about */
int item_write(struct journal *j, uint64_t position, const Lm__TapeItem *item, bool is_new, struct error *e);
int run_write(struct journal *j, struct slot *s);
int entry_place(struct journal *j, struct slot *s, const Lm__Header *h, Lm__TapeItem *item, struct bytes envelope,
                const struct hash *hash, struct placed *out, struct error *e);
int row_write(struct journal *j, const struct store_table *table, struct bytes key, const ProtobufCMessage *row,
              bool is_append);

/* load.c */
void recent_add(struct journal *j, const struct placed *placed, const Lm__Header *h, const Lm__TapeItem *item,
                struct bytes envelope);
void recent_sign(struct journal *j, uint64_t position, const Lm__SignedHeads *heads); /* beside the entry there */

/* read.c */
struct spot { /* of an entry on the tape, and how its run goes on */
	uint64_t position;
	uint32_t left, step; /* left: entries of the run from this one on */
};

int spot_of(struct store_txn *txn, uint32_t line, uint64_t ordinal, struct arena *arena, struct spot *out);
int item_unpack(struct bytes value, struct arena *arena, Lm__TapeItem **item, struct error *e);
/* As journal_locate, for a line whose newest ordinal is `end` whatever its row says so far. */
int line_locate(struct store_txn *txn, uint32_t line, uint64_t end, uint64_t incarnation, uint64_t seq,
                uint64_t *ordinal, bool *is_exact);

/* turn.c */
/* Signs the heads of these lines of ours, once for all, and puts the list beside their newest entries. */
int lines_sign(struct journal *j, struct slot *const *slots, size_t count, struct error *e);

/* open.c */
int openers_make(struct journal *j);
void openers_free(struct journal *j);
/* What a payload's seal is bound to. */
struct bytes payload_associated(const Lm__Header *h, uint8_t memory[80]);
bool kind_is_sealed(Lm__Kind kind, Lm__Stream stream);
/* For nobody but who has the key table: under a key of its own that the envelope holds. */
int own_seal(struct journal *j, const Lm__Header *h, struct bytes plain, struct bytes *sealed, struct bytes *envelope,
             struct error *e);

#endif

/*
 * What the files of this room share. lines.c keeps the lines, place.c puts entries, turn.c ends turns,
 * read.c reads, open.c opens payloads, trim.c and verify.c do what their names say.
 */
#ifndef JOURNAL_INSIDE_H
#define JOURNAL_INSIDE_H

#include <pthread.h>

#include "journal/journal.h"
#include "proto/codec.h"

#define LINES_MOST 4096 /* 282 sites with several streams each, and room for devices that were replaced */
#define TAPE_KEY_BYTES 8
#define LINE_KEY_BYTES 4
#define ORDINAL_KEY_BYTES 12 /* line, ordinal */
#define ENVELOPE_KEY_BYTES 24 /* request id, position */
#define PERIOD_KEY_BYTES 24 /* origin, period id */

struct run { /* entries side by side on the tape */
	uint64_t ordinal, position;
	uint32_t count;
};

struct slot_state { /* what a rolled back turn puts back */
	struct line line;
	struct run run;
};

struct slot { /* a line in memory */
	struct slot_state now, committed;
	bool is_touched;      /* in the turn under way: entries or marks moved */
	bool has_new_entry;   /* of our own, to be signed */
	bool is_mark_unwritten;
	uint64_t last_position; /* of the newest entry of our own in this turn */
	struct period_recipient recipient[PERIOD_RECIPIENTS_MOST];
	size_t recipient_count;
	struct period *period;
	bool is_period_new; /* begun in the turn under way */
};

struct opener_cache; /* open.c */

struct journal {
	struct store *store;
	const struct device_keys *keys;
	uint64_t device, incarnation;
	struct slot *slot; /* slot[n - 1] is line n */
	uint32_t line_count, committed_line_count, capacity;
	uint32_t stored_line_count; /* lines that have a row: rows are without gaps, so that their numbers are their order */
	uint64_t position, committed_position;
	/* the turn */
	struct store_txn *txn;
	int64_t now_ms;
	struct arena arena;
	uint32_t *touched;
	size_t touched_count, touched_capacity;
	bool has_unwritten_marks;
	struct opener_cache *openers;
	pthread_mutex_t opener_lock;
};

/* keys of rows */
struct bytes tape_key(uint64_t position, uint8_t memory[TAPE_KEY_BYTES]);
struct bytes line_key_bytes(uint32_t line, uint8_t memory[LINE_KEY_BYTES]);
struct bytes ordinal_key(uint32_t line, uint64_t ordinal, uint8_t memory[ORDINAL_KEY_BYTES]);
struct bytes envelope_key(struct bytes request_id, uint64_t position, uint8_t memory[ENVELOPE_KEY_BYTES]);
struct bytes period_key(uint64_t origin, struct bytes period_id, uint8_t memory[PERIOD_KEY_BYTES]);

/* lines.c */
int lines_load(struct journal *j, struct error *e);
int line_store(struct journal *j, const struct line *line); /* writes its row in the turn */
struct slot *slot_of(struct journal *j, uint32_t line);
struct slot *slot_find(const struct journal *j, const struct line_key *key);
int slot_make(struct journal *j, const struct line_key *key, struct slot **out, struct error *e);
int slot_touch(struct journal *j, struct slot *s);

/* place.c */
int item_write(struct journal *j, uint64_t position, const Lm__TapeItem *item, bool is_new, struct error *e);
int run_extend(struct journal *j, struct slot *s, uint64_t ordinal, uint64_t position);
int run_write(struct journal *j, const struct slot *s);
int row_write(struct journal *j, const struct store_table *table, struct bytes key, const ProtobufCMessage *row, bool is_append);

/* open.c */
int openers_make(struct journal *j);
void openers_free(struct journal *j);
/* What a payload's seal is bound to. */
struct bytes payload_associated(const Lm__Header *h, uint8_t memory[80]);
bool kind_is_sealed(Lm__Kind kind, Lm__Stream stream);

#endif

/*
 * An index in memory of rows of the store: it is made when the daemon starts, a slice at a time, and follows what turns
 * change. What an entry holds is whoever's it is, and so is its end (`drop`).
 */
#ifndef DESK_INDEX_H
#define DESK_INDEX_H

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/ids.h"
#include "desk/desk.h"
#include "pinyin.h"

struct index;

struct index_place { /* where the slice before ended; zeros at the beginning */
	struct id id;
	char text[40];
};

struct index_kind {
	const char *what; /* "residents' records", for the log */
	/* Pool: index_take for the next `most` rows; *count: how many there were. */
	int (*slice)(struct index *x, struct store_txn *txn, struct index_place *at, size_t most, struct arena *arena,
	             size_t *count, struct error *e);
	/* Pool: index_take for this row, as it is now. */
	int (*follow)(struct index *x, struct store_txn *txn, struct id id, struct arena *arena);
	void (*drop)(struct index *x, void *data); /* locked: what an entry holds is not needed any more; not NULL */
};

struct entry {
	struct id id;
	void *data;
};

struct index {
	const struct index_kind *kind;
	struct node *node;
	struct pinyin *pinyin; /* of the job under way */
	/* loop */
	bool is_busy, must_fill, wants_renewal;
	struct id *pending; /* rows that changed */
	size_t pending_count, pending_capacity;
	/* the job under way: a slice at a time, so that a daemon that is to end does not wait for the rest */
	bool is_filling, is_unfinished;
	struct index_place place; /* filling: where the next slice begins */
	struct id *taken;         /* following: the rows */
	size_t taken_count, taken_at;
	/* any thread */
	atomic_bool is_ready;
	pthread_mutex_t lock;
	struct entry *entry;
	size_t count, capacity;
	uint32_t *slot; /* open addressing: number of the entry + 1; twice as many as entries, at least */
	size_t slots;
};

void index_init(struct index *x, const struct index_kind *kind);
int index_start(struct index *x, struct node *n, struct error *e);
void index_close(struct index *x);
/* From slice and follow. Takes `data`; NULL: the row is not to be found. False: no memory, and `data` is dropped. */
bool index_take(struct index *x, struct id id, void *data);
/* Loop thread: a row changed, or went. */
void index_news(struct index *x, struct id id);
/* Loop thread: everything is to be read anew. */
void index_renew(struct index *x);
bool index_is_ready(struct index *x);

/* Texts that lie one behind the other. */
static inline const char *next_piece(const char *text)
{
	return text + strlen(text) + 1;
}

#endif

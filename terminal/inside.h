/* What the files of the terminal share. All of it belongs to the loop thread. */
#ifndef TERMINAL_INSIDE_H
#define TERMINAL_INSIDE_H

#include "paper/slip.h"
#include "proto/codec.h"
#include "speech/voice.h"
#include "terminal/terminal.h"
#include "worker/worker.h"

#define KIOSK_CHANNEL "kiosk"
#define READY_MOST 64
#define DRAFTS_MOST 128
#define RECENT_MOST 128
#define TRIES_A_MINUTE 12 /* codes tried at this terminal; 10^11 codes leave a guesser no chance */

struct draft_slot { /* a form that somebody fills in: its receipt is drawn, nothing is stored */
	struct id request;
	struct ready_receipt receipt;
	bool is_used;
};

struct recent { /* saved since the start: its marks go to the page */
	struct id request;
	uint64_t ordinal;
	bool town, district;
};

enum printer_state { PRINTER_NONE, PRINTER_READY, PRINTER_NO_PAPER, PRINTER_NO_ANSWER };
enum notice { NOTICE_LINK, NOTICE_CLOCK, NOTICE_PAPER, NOTICE_PRINTER, NOTICE_COUNT };

#define KEPT_SPEECH_MOST 48
#define CLIP_NAME_BYTES 16       /* of a hash: no two texts of a district are taken for each other */
struct kept_speech {             /* of a text that is nobody's: pages, catalogue */
	struct buffer text, wav; /* no text: nothing there */
	enum speech_language language;
	unsigned rate;
};
struct speech {
	struct utterance *now, *next; /* said on the pool; waits for it */
	bool is_gone;                 /* the last text could not be said */
	struct kept_speech kept[KEPT_SPEECH_MOST];
	size_t kept_next;
};

/* What the newest file of the scanner was at the last look. */
struct scan {
	ino_t inode;
	off_t size;
	struct timespec time;
	uint64_t seen_us; /* monotonic: since when it is so */
};

struct signs {
	struct arena arena;
	Lm__SignPack *pack; /* what can be shown, in `arena`; NULL: nothing */
};

struct terminal {
	struct node *node;
	uint8_t salt[DEVICE_SALT_BYTES];
	bool has_salt;
	bool must_read; /* the tables could not be read whole: that is tried again */
	struct ready_receipt ready[READY_MOST];
	size_t ready_count;
	bool is_making;
	struct draft_slot draft[DRAFTS_MOST];
	size_t draft_next;
	uint32_t town_notices; /* shown on notices_day */
	int64_t notices_day;
	struct recent recent[RECENT_MOST];
	size_t recent_next;
	uint32_t services;
	uint64_t tries_minute, tries;
	uint64_t ring; /* of somebody who asks for a person; 0: nobody does */
	struct speech speech;
	struct signs signs;
	struct scan scan;
	/* condition.c */
	int64_t signed_ms; /* the newest time that the district has put under its directory or catalogue */
	uint64_t linked_us,
	        looked_us; /* monotonic: when the link was last up, and when the printer was last looked at */
	bool is_linked;
	enum printer_state printer;
	bool is_looking;
	unsigned notices; /* bits of enum notice */
	int stopped;
	/* typing.c */
	uint64_t typing_minute, typing_count;
	/* slip.c */
	bool is_printing;
	struct id printed; /* the request whose slip the printer took last, and when; zero: it did not take it */
	uint64_t printed_us;
	/* NULL: not configured. The pool may ask them until the node is freed. */
	struct worker *voice, *pinyin, *card;
	struct card_proof proof; /* card.c */
};

struct terminal *terminal_of(struct node *n);
void state_send(struct node *n, struct http_request *r); /* r NULL: to the pages that listen */

/* condition.c */
/* OK, or why nothing new is taken: ERR_REVOKED, ERR_FROZEN, ERR_NOT_READY, ERR_FULL with a sentence. */
int terminal_stopped(struct node *n, const struct upstream_state *up, struct error *e);
/* True: the state for the page has changed. */
bool condition_tick(struct terminal *t, uint64_t now_us);
uint64_t condition_due_us(const struct terminal *t); /* UINT64_MAX: when something happens */
/* What the page is told of it, in `arena`. ERR_MEMORY. */
int condition_show(struct node *n, const struct upstream_state *up, struct arena *arena, Lm__TerminalState *s);

/* printer.c */
/* Both may wait for the device, at most some 15 s: not for the loop. */
enum printer_state printer_read(const char *path);
/* READY: the printer has taken all of it. */
enum printer_state printer_print(const char *path, const struct slip *slip);

/* slip.c */
struct slip_facts {
	struct arena *arena;
	const Lm__Words *service, *place; /* NULL: not known */
	const Lm__Contact *contact;       /* NULL: not known */
	const char *code;
	const char *name, *by_name; /* whose it is, and who acts for them; both may be empty */
	int64_t saved_ms;           /* 0: no clock can be believed */
	Lm__Marks3 marks;
	bool is_demo, is_practice;
	/* results */
	struct slip_part parts[SLIP_PARTS_MOST];
	size_t count;
	bool is_short; /* no memory, or no room */
};
void slip_compose(struct slip_facts *f);
void print_post(void *context, struct http_request *r);

/* receipts.c */
void receipts_tick(struct terminal *t);
uint64_t receipts_due_us(const struct terminal *t, uint64_t now_us); /* UINT64_MAX: there are enough */
bool receipt_take(struct terminal *t, struct ready_receipt *out);

/* submit.c */
void draft_post(void *context, struct http_request *r);
void request_post(void *context, struct http_request *r);
void marks_get(void *context, struct http_request *r);
void marks_moved(struct terminal *t);
void marks_of(struct node *n, uint64_t ordinal, Lm__Marks3 *out);

/* speech.c */
int speech_start(struct terminal *t, struct error *e); /* starts no process yet. ERR_CONFIG, ERR_MEMORY */
void speech_post(void *context, struct http_request *r);
bool speech_can(const struct terminal *t); /* as far as is known */
void speech_stop(struct terminal *t);

/* notices.c */
void notices_get(void *context, struct http_request *r);
int notices_count(struct terminal *t, struct store_txn *txn, struct arena *arena); /* what is shown today */
bool notices_are_of_today(const struct terminal *t);                               /* as they were counted */

/* scanner.c */
void scans_wipe(struct terminal *t); /* when a request begins, and when it is saved or left */
void scan_get(void *context, struct http_request *r);
void scan_wipe_post(void *context, struct http_request *r);

/* signs.c */
void signs_start(struct terminal *t); /* what is broken is logged and left out */
void signs_stop(struct terminal *t);
void signs_get(void *context, struct http_request *r);
void sign_get(void *context, struct http_request *r);

/* ring.c */
void ring_post(void *context, struct http_request *r);

/* card.c */
int card_start(struct terminal *t, struct error *e); /* starts no process yet. ERR_MEMORY */
void card_post(void *context, struct http_request *r);
void card_forget(struct terminal *t);
/* Whether a card was shown for this request, and is still there as far as is known. */
bool card_shown(struct terminal *t, struct id request, struct card_proof *out);

/* typing.c */
int typing_start(struct terminal *t, struct error *e); /* starts no process yet. ERR_MEMORY */
void pinyin_post(void *context, struct http_request *r);

/* lookup.c */
#define MATCHES_MOST 8
struct receipt_match { /* a lock that the code opened */
	struct id request;
	uint8_t key[RECEIPT_KEY_BYTES];
};
/* Slow, on the pool: what the code opens here, at most MATCHES_MOST. `damage` names a row that was passed over. */
int receipt_open(struct store_txn *txn, const char *code, const uint8_t salt[DEVICE_SALT_BYTES],
                 struct receipt_match *match, size_t *count, struct error *damage, struct error *e);
bool try_take(struct terminal *t); /* false: too many codes were tried in this minute */
void lookup_post(void *context, struct http_request *r);
void answer_post(void *context, struct http_request *r);
void withdraw_post(void *context, struct http_request *r);
void object_post(void *context, struct http_request *r);
void rate_post(void *context, struct http_request *r);

#endif

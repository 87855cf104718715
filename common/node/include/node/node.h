/*
 * A daemon: what the three tiers have in common.
 *
 *   loop thread    libuv, ZeroMQ, HTTP. Owns sockets, peers' transport side, pages.
 *   writer thread  the write transaction, the journal, the engines of all links. One turn: what has come in becomes a
 *                  batch, stepped and applied in ONE transaction, committed; only then do acks, frames and answers
 * leave. pool           libuv's: checking signatures, opening payloads, Argon2, searches.
 *
 * Work goes from the loop and the pool to the writer through one bounded inbox, results come back through one outbox.
 * Order of effects and who owns each pointer: docs/SYNC.md.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "crypto/crypto.h"
#include "domain/domain.h"
#include "http/http.h"
#include "journal/journal.h"

struct node;

/* ---- configuration (docs/OPERATIONS.md) ---- */
struct node_config {
	char *place;          /* 310114, 310114106, 310114106001-T1 */
	char *data;           /* folder of keys and store */
	char *link_address;   /* hub and town: where those below connect */
	char *join_address;   /* hub and town: where new devices of the tier below join */
	char *upstream;       /* town and terminal: address of the tier above */
	char *upstream_key;   /* its CURVE key, 64 hexadecimal digits */
	char *upstream_join;  /* town and terminal: where this device joins */
	char *authority;      /* hash of the district's authority, 64 hexadecimal digits */
	char *http_address;   /* loopback address for the pages; absent: none */
	char *public_name;    /* under which a web server in front serves the pages; absent: none does */
	char *pages;          /* folder of the pages */
	char *places;         /* JSON file with the names of places; absent: codes are shown */
	char *letters;        /* hub and town: JSON file with the texts of letters; absent: none are made */
	char *reports;        /* hub: JSON file that says what is reported to the city; absent: nothing is */
	char *sms_spool;      /* hub and town: folder of text messages; absent: none are sent */
	char *printer;        /* terminal: its device; absent: none */
	char *pinyin;         /* terminal: the program lm-pinyin; absent: none */
	char *card_adapter;   /* terminal: the program at a card reader, lm-card; absent: none */
	char *speech;         /* terminal: folder of the lexicon and of recorded clips; absent: it does not speak */
	char *signs;          /* terminal: folder of clips in sign language; absent: there are none */
	char *scanner_folder; /* terminal: where a scanner puts its files; absent: there is none */
	char *recovery_key;   /* backups are sealed to it, 64 hexadecimal digits; absent: none are made */
	char *backup_folder;  /* where they go */
	int64_t backup_alarm_days;
	char *second_factor; /* hub and town: "required" or "optional" */
	char *log_level;
	int64_t hand_over_days; /* hub and town: working days in which a case that was handed over is accepted */
	int64_t map_bytes;
	int64_t origin_share;   /* hub and town: per cent of the map that entries of one device below may take */
	int64_t receipts_ahead; /* terminal: receipts made ahead when idle */
	int64_t session_idle_s;
	int64_t clock_warn_s; /* wall clocks of neighbours may differ by so much */
	int64_t beat_s, probe_s;
	bool is_demo;     /* pages carry 演示数据 */
	bool is_practice; /* pages carry 练习 instead */
};
/* ERR_CONFIG. Which keys are required depends on the tier. */
int node_config_read(const char *path, Lm__Tier tier, struct node_config *out, struct error *e);
void node_config_release(struct node_config *config);
void node_config_help(Lm__Tier tier);
void node_config_sample(const char *program, Lm__Tier tier); /* a file with every key, on standard output */
/* Prints every fault of the file, and of the files and folders that it names; opens no socket and no store.
 * ERR_CONFIG. */
int node_config_check(const char *path, Lm__Tier tier);

/* ---- a turn of the writer ---- */
struct turn {
	struct node *node;
	struct store_txn *txn;
	struct journal *journal;
	struct arena *arena; /* lives until the turn is over */
	int64_t now_ms;
};

/* Appends an entry of our own and applies it. An error that apply returns ends the command: return it, the turn is run
 * again without the command. */
int turn_append(struct turn *t, struct draft *draft, struct placed *out, struct error *e);

/* Whether what this node writes is taken by the tier above. ERR_FROZEN says why not: there are two histories of it. */
int turn_may_write(struct turn *t, struct error *e);

/* ---- commands: what the loop asks the writer to do ---- */
struct command {
	/* On the writer thread, within the turn's transaction; may run more than once if the turn is run again: it sets
	 * its results anew each time. Returns an error to refuse; then nothing of it is stored. */
	int (*run)(struct turn *t, struct command *c, struct error *e);
	/* On the loop thread, after the commit. Owns the command from here. */
	void (*done)(struct node *n, struct command *c);
	bool is_business;   /* refused with ERR_FULL while storage is short */
	bool is_done_early; /* benches: call done on the writer thread, right after the commit */
	void *context;
	int result;
	struct error error;
	struct command *next; /* the inbox's */
};
/* From any thread. Takes the command on OK; ERR_BUSY when the inbox is full. */
int node_command(struct node *n, struct command *c);

/* ---- what a tier adds ---- */
struct tier {
	Lm__Tier tier;
	const char *program; /* "lm-hub" */
	const struct http_route *routes;
	size_t route_count;
	const char *session_cookie;
	/* All optional. */
	int (*on_start)(struct node *n, struct error *e); /* loop thread, before it runs */
	void (*on_stop)(struct node *n);
	/* Writer thread: this node owns the case, an ask waits. */
	int (*answer_ask)(struct turn *t, const struct domain_effect *ask, struct error *e);
	/* The same, of a town: an event or a new code of ours came back to us, and no message about it did. */
	int (*tell_again)(struct turn *t, const struct domain_item *event, struct error *e);
	/* Loop thread, after a commit that changed something. */
	void (*on_news)(struct node *n, const struct domain_effect *news, size_t count);
	void (*on_marks)(struct node *n, const struct line *up); /* our own up line's marks moved */
	void (*on_links)(struct node *n);                        /* a link's state changed */
	/* Now and then, soon after news and a change of links. Returns when again at the latest, monotonic in µs. */
	uint64_t (*on_tick)(struct node *n, uint64_t now_us);
	/* Pool thread: a terminal asks for a receipt made elsewhere. Fills `answer`, whose parts live in `arena`. */
	int (*find_receipt)(struct node *n, const char *code, uint64_t asker, struct arena *arena, Lm__Answer *answer,
	                    struct error *e);
	/* Pool thread: somebody at the terminal `device` asks for a person, or no longer. Fills is_ringing and is_taken
	 * of `answer`. True: on_ring is to be called, on the loop thread. */
	bool (*hear_ring)(struct node *n, uint64_t device, uint64_t ring, bool is_over, Lm__Answer *answer);
	void (*on_ring)(struct node *n);
	void (*on_free)(void *context); /* last of all */
	void *context;
};

/* ---- life ---- */
struct node_options {
	struct node_config config;
	struct tier tier;
	uv_loop_t *loop;
};
int node_start(const struct node_options *options, struct node **out, struct error *e);
/* Begins to stop; the loop ends when everything is closed. */
void node_stop(struct node *n);
void node_free(struct node *n);               /* after the loop has ended */
int node_exit_code(const struct node *n);     /* not 0 if a fault of the store ended it */
bool node_must_restart(const struct node *n); /* it ended to begin anew with other keys */
/* The whole of a daemon's main: arguments, configuration, signals, loop. */
int node_main(int argc, char **argv, struct tier tier);

/* ---- for handlers ---- */
/* Loop thread: on_tick is due by then, monotonic in µs; sooner if something else is. */
void node_tick_by(struct node *n, uint64_t due_us);
void *node_context(struct node *n);
const struct domain *node_domain(const struct node *n);
const struct node_config *node_configuration(const struct node *n);
struct store *node_store(struct node *n);
bool node_is_stopping(const struct node *n);  /* loop thread: what is only useful later is not begun any more */
struct journal *node_journal(struct node *n); /* from other threads than the writer: only its thread-safe functions */
struct http *node_http(struct node *n);
const char *node_fingerprint(const struct node *n);
bool node_is_full(const struct node *n); /* new business is refused */
unsigned node_storage_percent(const struct node *n);
bool node_can_seal(const struct node *n); /* the keys of town and district are known: requests can be sealed */
/* How far our own up line is with the town and with the district: ordinals. */
void node_up_marks(const struct node *n, uint64_t *custody, uint64_t *final);
uint64_t node_waiting_up(const struct node *n); /* entries not yet with the tier above */

struct upstream_state {
	bool is_up;
	int64_t since_ms;
	char code[24];      /* name of an error, "" if none: "revoked", "unknown-key" … */
	char text[320];     /* what the link says, for the person who reads it */
	char join_step[16]; /* while it joins: "token" (waits for one), "asking", "unanswered", "refused" */
	bool is_frozen;     /* the tier above takes no more of what we write: two histories of it, or no room */
	bool is_full_above; /* frozen, because it has no more room for this device */
	bool is_closed;     /* for ever: another machine with this device's keys goes on */
	char frozen_why[160];
	bool is_clock_off; /* its wall clock and ours differ by more than they may */
};
void node_upstream(struct node *n, struct upstream_state *out);

/* Whether this device still waits to be let into the district; then it is connected with nothing. */
bool node_is_joining(const struct node *n);
/* Loop thread. A person typed a token in: the device asks with it until it is answered. ERR_INVALID, ERR_EXISTS. */
int node_join(struct node *n, const char *text, struct error *e);

/* A place's names, from the configured file; its code where a name is unknown. They live as long as the node and
 * `place`. NULL: no memory. */
Lm__Words *node_place_words(const struct node *n, const char *place, struct arena *arena);
/* Whom to call in the town that a place belongs to; NULL if the file does not say. Lives as long as the node. */
Lm__Contact *node_place_contact(const struct node *n, const char *place);
/* The service points around a device, the nearest first, in `arena`; their parts live as long as the node. NULL: no
 * memory. */
Lm__PointsView *node_points(const struct node *n, const char *place, struct arena *arena);

/* Asks the tier above for a receipt; `done` on the loop thread with NULL when it is not reachable or does not answer.
 */
int node_ask_upstream(struct node *n, const char *code, void (*done)(void *context, const Lm__Answer *answer),
                      void *context);
/* The same: somebody here asks for a person at the tier above. Say it again every two seconds as long as they wait. */
int node_ring_upstream(struct node *n, uint64_t ring, bool is_over,
                       void (*done)(void *context, const Lm__Answer *answer), void *context);

/* A job on the pool that reads: `work` on a pool thread, `done` on the loop. Takes `context`. */
int node_pool(struct node *n, void (*work)(struct node *n, void *context), void (*done)(struct node *n, void *context),
              void *context);

/* JSON answer from a message; on failure an error answer. */
void node_answer(struct http_request *r, const ProtobufCMessage *message);
void node_answer_error(struct http_request *r, int code, const struct error *e);
/* Body of a request as a message in `arena`; on failure it has been answered already. */
int node_body(struct http_request *r, const ProtobufCMessageDescriptor *type, struct arena *arena, void *out);
void node_publish(struct node *n, const char *channel, const char *name, const ProtobufCMessage *message);

/* ---- rebuild (lmctl, closed directory) ---- */
struct rebuild_result {
	uint64_t replayed, from_position;
	struct hash live, rebuilt; /* live: zeros, if it is replaced because rows of it are damaged */
};
/* Replays the tape of the directory into a scratch environment and compares. With `must_replace` the projections are
 * replaced. */
int node_rebuild(const char *data, bool must_replace, struct rebuild_result *out, struct error *e);

/* Opens a directory that no daemon has open: keys, store, journal. */
struct closed_node {
	struct device_keys keys;
	struct store *store;
	struct journal *journal;
	struct domain domain;
};
int closed_node_open(const char *data, bool is_read_only, struct closed_node *out, struct error *e);
void closed_node_close(struct closed_node *c);
/* Reads every row, every chain, every signature. Works on a store in use too. */
int node_verify(struct store *store, const struct device_keys *keys, uint64_t device, struct arena *arena,
                Lm__VerifyView *out, struct error *e);

/* ---- forms ---- */
/* What was filled in, without a receipt. Points into `in`. */
Lm__RequestPayload node_request_payload(const Lm__SubmitCommand *in);
/* Do answers and consents fit the service's revision? False: *result is OK if the request has been answered with the
 * faults; otherwise it is what to refuse it with. Loop thread. */
bool node_form_is_good(struct node *n, struct http_request *r, const Lm__SubmitCommand *in, struct arena *arena,
                       Lm__Service **service, int *result, struct error *e);
/* Files that are too large for their request, which is one entry: taken out of `values`, which then name them, and
 * sealed. Everything lies in `arena`, 12 MiB of it at most. ERR_TOO_BIG, ERR_MEMORY, ERR_CRYPTO. Any thread. */
#define PARTS_MOST (REQUEST_FILES_BYTES_MOST / PART_BYTES + 32)
struct parts {
	struct id request;
	size_t count;
	struct bytes payload[PARTS_MOST];
};
int parts_make(struct id request, Lm__FieldValue *const *values, size_t count, struct arena *arena, struct parts *parts,
               struct error *e);
/* In the turn that saves the request. */
int parts_append(struct turn *t, const struct parts *parts, struct error *e);
/* The whole file, checked against what the request says of it. ERR_NOT_READY says how many parts have come;
 * ERR_DAMAGED, ERR_MEMORY. */
int parted_read(struct store_txn *txn, struct id request, const Lm__PartedFile *file, struct arena *arena,
                struct bytes *out, struct error *e);
/* An answer as pages show it, without the bytes of its files; `value` may be NULL. NULL: no memory. */
Lm__FieldView *node_field_view(const struct node *n, const Lm__Field *field, const Lm__FieldValue *value,
                               struct arena *arena);

#endif

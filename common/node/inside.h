/*
 * What the files of this room share, and which thread owns what.
 *
 *   start.c      life                                   loop
 *   queues.c     inbox and outbox                       any
 *   threads.c    the writer's thread, and its waiting   any
 *   peers.c      sockets, frames out                    loop
 *   decode.c     frames in: unpack, check, open         pool
 *   writer.c     the turn                               writer
 *   take.c       entries and commands into the turn     writer
 *   share.c      what one device below may fill         writer
 *   effects.c    what apply wants done                  writer
 *   links.c      engines: events in, actions out        writer; greet.c: HELLO, marks.c: acks, marks, beats
 *   frames.c     frames put together                    writer
 *   arrival.c    how far sites are               writer writes, any reads (directory_lock)
 *   publication.c drafts and publication            writer
 *   directory.c  who may connect                        writer writes, loop reads (locked)
 *   control.c    lmctl's routes; devices.c: those of the directory
 *   tokens.c     issued, listed, withdrawn, typed in
 *   join.h       how a device gets into the directory
 *   act.c        requests that the writer or the pool answers
 *   history.c    a device with two histories: told, shown, decided   writer
 *   backup.c, restore.c, restored.c   backups made and read   pool, or lmctl without a daemon
 *   backups.c    lmctl's routes of backups, and `safe`  writer
 *   returning.c  what a restored node is given back     writer
 *   quarantine.c what is held up: list, retry, drop     pool lists, writer acts
 *   neighbour_clock.c wall clocks compared: told, shown, and nothing else   writer
 *   trace.c      a request through the logs             writer
 *   metrics.c    /metrics                               writer fills, loop prints
 *   health.c     /healthz, /readyz, the probe           loop; the probe runs on the writer
 *   notify.c     systemd                                loop
 */
#ifndef NODE_INSIDE_H
#define NODE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "net/net.h"
#include "node/node.h"
#include "notify.h"
#include "proto/codec.h"
#include "proto/subject.h"
#include "sync/link.h"

struct place_names;
struct join_endpoint;

#define NODE_VERSION "1.0"

#define PEERS_MOST 512
#define INBOX_COMMANDS_MOST 16384
#define INBOX_BYTES_HIGH (64u * 1024 * 1024) /* of frames, unpacked; then credits stop */
#define INBOX_BYTES_LOW (24u * 1024 * 1024)
#define INBOX_BYTES_MOST (96u * 1024 * 1024) /* from neighbours that heed no credits: then frames are dropped */
#define TURN_COMMANDS_MOST LINK_BATCH_ENTRIES_MOST
#define TURN_FRAMES_MOST 64
#define TURN_ARENA_BYTES (96u * 1024 * 1024)
#define FULL_PERCENT 80        /* new business stops */
#define ANSWER_ROOM_BYTES 2048 /* of a message to a receipt: its row, and once more in a checkpoint */
#define STOP_PERCENT 90        /* entries of neighbours wait too: the last tenth is for marks and deletes */
#define TRIM_PERCENT 60
#define PENDING_BYTES_MOST (8u * 1024 * 1024) /* per peer, waiting for a socket */
#define SMALL_FRAME_BYTES 512                 /* decoded on the loop when nothing is before it: not worth a thread */
#define BEAT_MS_MOST 3600000u
#define TICK_SOON_US 1000000 /* what happens within a second is told once */
#define MARKS_SIGN_MS 1000
#define REFUSED_RETRY_MS 3000
#define HELLO_LEAST_MS \
	100 /* a neighbour that greets more often is not heard: each greeting costs a walk over all lines */
#define HAVE_PER_LINE \
	8 /* ends of the newest incarnations that HELLO names, so that a rolled back sender finds common ground */
#define REPORTS_MOST 64 /* links that a beat tells of; no town of the district has more communities than 44 */
#define QUARANTINED_TOLD_MOST 64
#define RINGS_A_MINUTE 60 /* calls for a person, and that they go on */
#define ASKS_A_MINUTE 20  /* receipt look-ups that a terminal may send up */

enum data_file { FILE_KEYS, FILE_KEYS_NEXT, FILE_KEY_TABLE, FILE_AUTHORITY, FILE_SOCKET, FILE_STORE, FILE_LINK };

struct raw_frame { /* as it came */
	struct raw_frame *next;
	size_t size;
	uint8_t data[];
};

struct out_frame { /* packed, on its way out */
	struct out_frame *next;
	size_t size;
	uint8_t *data;
};

struct quarantined { /* to be told with the next ack */
	uint32_t line;
	uint64_t seq;
};

struct peer {
	struct node *node;
	bool is_upstream;
	uint64_t device; /* of the directory; upstream: from its HELLO, 0 before */
	Lm__Tier role;
	char place[PLACE_TEXT_BYTES];
	uint8_t curve_key[KEY_BYTES];
	/* loop */
	struct net_route route;
	bool has_route;
	struct raw_frame *raw_first, *raw_last;
	size_t raw_bytes;
	bool is_decoding;
	struct out_frame *pending_first, *pending_last;
	size_t pending_bytes;
	/* any thread */
	_Atomic uint64_t session; /* of the open link, 0 if closed */
	_Atomic uint64_t ask_minute, ask_count, ring_minute, ring_count, join_minute, join_count;
	_Atomic size_t unread; /* frames that have come, and that the writer has not looked at */
	/* writer */
	struct link link;
	_Atomic int64_t since_ms;
	int64_t heard_ms;               /* wall clock, for people */
	_Atomic int64_t clock_ahead_ms; /* of its wall clock, by its newest beat; 0 while the link is down */
	bool is_clock_off;              /* by more than they may; it was told */
	uint64_t greeted_ms,
	        refused_ms;         /* monotonic: the last HELLO that was looked at, the last refusal that was told */
	uint64_t run, run_before;   /* of the process that greeted last, and of another before it */
	unsigned run_returns;       /* how often the one before came back: it lives as well */
	char join_address[96];      /* hub: where this town's terminals join */
	struct buffer signed_marks; /* town: the newest for this terminal, */
	int64_t signed_marks_ms;    /* and their time */
	struct quarantined quarantined[QUARANTINED_TOLD_MOST];
	size_t quarantined_count;
	Lm__LinkReport reports[REPORTS_MOST];             /* hub: what a town said of its links */
	struct history report_histories[REPORTS_MOST][2]; /* of those that a town froze; seq 0: none */
	size_t report_count;
	uint32_t *marks_due; /* lines whose final mark goes down to this peer */
	size_t marks_due_count, marks_due_capacity;
	bool is_behind;        /* it said that it knows less than it was told */
	uint64_t behind_until; /* and which entry of its own is its newest; 0: none that we know */
	int64_t signed_ms;     /* hub: time of the newest signed marks that were sent, and when that was */
	uint64_t signed_us;
	struct told {
		uint64_t final, safe;
	} * signed_told; /* hub: ordinals last signed, by line number */
	uint32_t signed_told_count;
	bool wants_return;      /* by its last greeting: it was restored */
	bool has_returned;      /* we were restored, and it has given back what it had */
	uint32_t share_line;    /* whose share was spent when that was last logged, and when that was */
	uint64_t share_said_ms; /* monotonic */
	bool has_lost_event;    /* of the engine, for want of memory: a new session says everything again */
	bool must_reconnect;    /* there was no memory to say so to the loop */
};

enum work_type { WORK_COMMAND, WORK_FRAME, WORK_TRANSPORT };

struct work {
	struct work *next;
	enum work_type type;
	struct command *command;
	struct out *answer; /* takes the command back to the loop: an answer must not fail for want of memory */
	/* WORK_FRAME: everything lives in `arena` */
	struct peer *peer;
	struct arena arena;
	Lm__Frame *frame;
	struct checked_entry *entries;
	size_t entry_count;
	int fault; /* the frame was refused by the checks: nothing of it is stored */
	struct error error;
	size_t bytes;
	bool is_up; /* WORK_TRANSPORT */
	/* writer */
	size_t offender; /* entries before it were fine; this one made the turn fail: index + 1 */
	bool *offenders;
	bool is_unread;  /* WORK_FRAME: counted in peer->unread */
	bool is_blamed;  /* the turn failed at it */
	bool is_dropped; /* left out of this turn: it will be sent again */
	bool was_rollback;
};

enum out_type {
	OUT_FRAME,
	OUT_COMMAND,
	OUT_NEWS,
	OUT_MARKS,
	OUT_LINKS,
	OUT_RECONNECT,
	OUT_ANSWER,
	OUT_JOIN_ANSWER,
	OUT_RING
};

struct out {
	struct out *next;
	enum out_type type;
	struct peer *peer;
	struct out_frame *frame;
	struct command *command;
	struct domain_effect *news; /* without memory behind message and cause */
	size_t news_count;
	struct line line;
	struct buffer answer; /* packed Lm__Answer or Lm__JoinReply */
	uint64_t number;
};

#define COMMIT_BUCKETS 12
struct turn_counts { /* of one turn, until it is committed */
	uint64_t applied, quarantined, held;
};

struct counters { /* since the start */
	/* writer */
	_Atomic uint64_t turns, commits, turn_failures, applied, quarantined, held;
	_Atomic uint64_t commit_bucket[COMMIT_BUCKETS + 1], commit_us; /* the last bucket: slower than all bounds */
	/* loop */
	uint64_t frames_in, frames_out, bytes_in, bytes_out, frames_dropped;
};

#define TRACES_A_TURN_MOST 32
struct trace { /* an entry about a request, to be logged when it is committed */
	struct id request;
	Lm__Kind kind;
	Lm__CaseAction action;
	uint64_t position;
	const char *what; /* "applied" */
};

struct gauges; /* metrics.c */

struct probe { /* whether the store takes writes; loop, but for `command` while it is under way */
	struct command command;
	bool is_under_way;
	uint64_t begun_us, good_us; /* monotonic; 0: never */
	int result;                 /* of the last one */
	struct error error;
};

struct ask { /* of this node, upstream */
	struct ask *next;
	uint64_t number, deadline_us;
	void (*done)(void *context, const Lm__Answer *answer);
	void *context;
};

struct joining { /* of this device, into the district; loop */
	bool is_waiting;
	char secret[TOKEN_SECRET_BYTES]; /* "": none has been typed in */
	struct net_client *client;       /* during an attempt */
	uint64_t until_us, next_us, pause_us;
};

struct directory_row {
	uint8_t curve_key[KEY_BYTES];
	uint64_t device;
	Lm__Tier role;
	char place[PLACE_TEXT_BYTES];
	uint32_t generation;                 /* of its keys */
	uint8_t former_curve_key[KEY_BYTES]; /* the one before, if generation > 0 and it was another */
	bool has_former, is_passing;
	bool is_replaced; /* of directory_find: the key was the former one; then is_revoked, too */
	bool is_revoked;
	char why[200]; /* of a revocation: date, by whom, reason */
	char former_why[60];
};

struct node {
	struct node_config config;
	struct tier tier;
	struct domain domain;
	struct device_keys keys;
	struct device_keys authority; /* hub */
	struct hash authority_hash;
	uint8_t upstream_key[KEY_BYTES];
	char fingerprint[FINGERPRINT_TEXT_BYTES];
	struct store *store;
	struct journal *journal;
	uint64_t run; /* random per process start */
	int64_t started_ms;
	/* loop */
	uv_loop_t *loop;
	struct net *net;
	struct net_server *server;
	struct net_client *client;
	bool is_transport_up, must_tell_transport; /* of the client; the engine has not been told yet */
	struct http *http;
	struct http_route *routes;
	uv_async_t outbox_async;
	uv_timer_t timer;
	uv_signal_t interrupt, terminate;
	bool is_stopping, is_closed;
	bool must_restart; /* with other keys, when it has ended */
	_Atomic bool is_changing_keys;
	uint64_t tick_us; /* monotonic: when the timer is due; UINT64_MAX: never */
	int exit_code;
	struct peer *peer[PEERS_MOST];
	size_t peer_count;
	_Atomic size_t peer_visible; /* peers that the writer may walk */
	struct peer *upstream;
	struct ask *asks;
	uint64_t ask_number;
	struct probe probe;
	struct notify notify;
	uint64_t zap_us, knocked_us; /* monotonic: when the ZAP handler last answered (0: never), and since when it owes
	                                an answer */
	uint64_t pool_jobs;          /* waiting or running */
	uint64_t stranger_us;        /* when a key that is not admitted was last logged */
	struct upstream_state upstream_state;
	struct place_names *names;
	struct join_endpoint *join; /* NULL: nobody joins here */
	struct joining joining;
	bool is_backing_up, is_backup_stale;
	int64_t backup_verified_ms; /* when the newest verified backup was made; 0: none */
	_Atomic bool must_renew;    /* something was erased: the copy of the key table is to be replaced */
	uint64_t renew_us;          /* monotonic: not before */
	uint64_t backups_looked_us, stale_said_us;
	/* queues */
	pthread_mutex_t inbox_lock, outbox_lock;
	pthread_cond_t inbox_ready;
	struct work *inbox_first, *inbox_last;
	size_t inbox_commands, inbox_bytes;
	bool is_inbox_closed; /* nothing new comes in; the writer ends when it is empty */
	struct out *outbox_first, *outbox_last;
	/* any thread */
	_Atomic bool is_full;
	_Atomic unsigned percent;
	_Atomic uint64_t waiting_up, entries, up_custody, up_final;
	struct counters counters;
	_Atomic uint64_t writer_us; /* monotonic: when the writer began the turn that it is in; 0: it waits for work */
	pthread_mutex_t gauges_lock;
	struct gauges *gauges; /* what the writer owns, as it was a moment ago; locked */
	_Atomic bool is_writer_over;
	_Atomic bool can_seal;        /* the keys of town and district are known */
	_Atomic bool shows_returning; /* was_returning */
	pthread_mutex_t directory_lock;
	struct directory_row *directory;
	size_t directory_count;
	struct arrival *arrivals; /* hub and town; directory_lock */
	size_t arrival_count, arrival_capacity;
	_Atomic uint64_t arrival_moves;
	/* writer */
	pthread_t writer;
	bool has_writer, is_inbox_full;
	struct arena turn_arena;
	struct domain_effects effects, news;
	struct domain_memo memo;    /* in turn_arena */
	struct store_txn *send_txn; /* snapshot after the commit, for loading entries */
	struct arena send_arena;
	bool must_refresh_directory;
	bool must_rerun; /* a command's entry was refused by apply: run the turn again without it */
	bool must_tell_links;
	bool must_offer;        /* a frozen line was released: what neighbours refused is offered again */
	bool must_take_asides;  /* entries were kept aside, and may go on now */
	char refused_why[160];  /* what the tier above says of our entries; "": it takes them, or they are offered again
	                         */
	bool is_refused_full;   /* it has no more room for them */
	bool has_marks_to_sign; /* hub: lines moved since the last signature over marks */
	bool has_stale_gauges;
	struct turn_counts turn_counts;
	struct trace trace[TRACES_A_TURN_MOST];
	size_t trace_count; /* may be more than fit */
	uint64_t trace_second, traces_told, traces_left_out;
	int64_t signed_ms;       /* of the newest marks that the district signed and that came here */
	uint64_t join_logged_us; /* when a token that nobody issued was last logged */
	uint64_t marks_written_us, marks_signed_us, trimmed_us, gauges_us, rekey_again_us;
	bool is_rekeying;                 /* the key table is being sealed anew */
	bool is_returning, was_returning; /* restored, waits for its neighbours: in this turn, as committed */
	uint64_t return_looked_us;
	bool has_told_behind; /* a neighbour knows more of us than we do */
};

/* closed.c */
size_t node_tables(const struct store_table *tables[STORE_TABLES_MOST]); /* of a daemon's store */
/* The store in AROUND/store under the keys of the folder DATA. */
int closed_store_open(const char *around, const char *data, const struct device_keys *keys, bool is_read_only,
                      struct store **out, struct error *e);
/* The store of a backup: its key table is emptied and gets a new key, DATA/keytable.key. *envelopes: how many there
 * were. */
int closed_store_adopt(const char *data, const struct device_keys *keys, uint64_t map_bytes, uint64_t *envelopes,
                       struct store **out, struct error *e);
void scratch_remove(const char *folder); /* with all that is in it */

/* start.c */
void node_path(const struct node *n, enum data_file file, char *out, size_t size);
void node_close_begin(struct node *n);

/* queues.c */
int inbox_push(struct node *n, struct work *w);
/* A batch within the turn's limits; NULL when the time is up. *is_over: the inbox is closed and this was the last. */
struct work *inbox_take(struct node *n, uint64_t wait_us, bool *is_over);
void inbox_close(struct node *n);
void outbox_push(struct node *n, struct out *o);
struct out *outbox_take(struct node *n);
struct out *out_new(enum out_type type);
void out_frame_free(struct out_frame *f);
void work_free(struct work *w);
void work_read(struct work *w); /* the writer looks at its frame, or nobody will */

/* peers.c */
int peers_start(struct node *n, struct error *e);
int peers_connect(struct node *n, struct error *e); /* to the tier above */
void peers_close(struct node *n);
void peers_tick(struct node *n);
void peer_free(struct peer *p);
void outbox_drain(struct node *n);

/* decode.c */
void peer_frame_came(struct node *n, struct peer *p, struct bytes frame);

/* threads.c: what a simulator, which has no threads, puts its own in place of */
int writer_launch(struct node *n, struct error *e); /* writer_begin, then writer_step until it says no */
void writer_join(struct node *n);                   /* after inbox_close: returns when the writer has ended */
void writer_die(struct node *n); /* at once, with nothing more said or written: nobody knows what the disk holds */
void inbox_wake(struct node *n); /* inbox_lock is held */
void inbox_wait(struct node *n, uint64_t wait_us); /* inbox_lock is held; until there is something, or so long */

/* writer.c */
#define METRICS_EVERY_US 2000000        /* what the writer leaves for /metrics */
#define WRITER_REST_US 1000             /* between two turns that nobody asked for */
#define WRITER_SLEEP_MOST_US 600000000u /* as long as nothing is due */
void writer_begin(struct node *n);
bool writer_step(struct node *n);              /* one turn; false: the inbox is closed and this was the last */
uint64_t writer_wait_us(const struct node *n); /* until something is due that nobody asks for */

/* take.c */
bool turn_is_full(struct turn *t); /* new business finds no room any more, as things are in this turn */
int take_command(struct turn *t, struct work *w);
int take_batch(struct turn *t, struct work *w);
/* An entry that was kept aside while its line was frozen: placed and applied, as if it came now. ERR_GAP,
 * ERR_DUPLICATE, ERR_FROZEN: not, and nothing has changed. */
int aside_take(struct turn *t, const struct aside *aside, struct error *e);
int item_apply(struct turn *t, const struct domain_item *item, uint64_t tape_position, bool *is_refused,
               struct error *e);

/* effects.c */
/* An item that waited is applied at a new place of the tape, or waits again. */
int item_retry(struct turn *t, uint64_t position, struct error *e);
int effects_run(struct turn *t, struct error *e);
void news_add(struct node *n, const struct domain_effect *effect);

/* erase.c */
/* What an owner decided (a packed ErasePayload) is destroyed here, and told to the neighbours. Twice is once. */
int case_pass(struct turn *t, const struct domain_effect *fx, struct error *e); /* refer.c: DOMAIN_CASE_PASS */
int erase_carry_out(struct turn *t, struct bytes message, struct error *e);
/* At the district: towns hear once more of the cases that a town erased; who has heard does nothing. */
int erase_tell_towns(struct turn *t, struct bytes message, struct error *e);
/* At a town: a request that was erased before it came is erased at the terminal that sent it, too. */
int erase_tell_late(struct turn *t, struct id request, uint64_t terminal, struct error *e);
/* What a town destroyed while it was given back what it had lost; its terminals may have heard of it, or not. */
int erase_tell_again(struct turn *t, const struct domain_item *erasure, struct error *e);

/* links.c */
void link_event_apply(struct node *n, struct peer *p, const struct link_event *event);
void links_frame(struct node *n, struct work *w); /* control frames, before the commit */
void links_after_commit(struct node *n);          /* lines that moved */
void links_tick(struct node *n);
uint64_t links_due_us(const struct node *n); /* when links_tick has something to do; UINT64_MAX: never */
void links_transport(struct node *n, struct work *w);
bool line_flows_to(const struct node *n, const struct line *line, const struct peer *p);
uint64_t line_unsent(const struct node *n, const struct line *line); /* entries not yet with the tier above */
void batch_tell(struct node *n, struct work *w, enum link_event_type type, uint32_t line);
void peer_refuse(struct node *n, struct peer *p, int code, const char *text);

/* neighbour_clock.c */
void neighbour_clock_heard(struct node *n, struct peer *p, int64_t time_ms);
void neighbour_clock_forget(struct peer *p);
bool clock_is_off(const struct node *n, int64_t ahead_ms);
const char *clock_text(struct arena *arena, int64_t ahead_ms); /* "its clock is 75 s ahead"; NULL: no memory */

/* history.c */
/* Names of both histories of a line that is frozen for having two; false: it is not. */
bool histories_of(const struct line *l, Lm__History out[2]);
void history_ack_came(struct node *n, struct peer *p, const struct line *l, const Lm__AckLine *ack); /* frozen */
void history_taken(struct node *n, const struct peer *p, const struct line *l); /* it is not, or no longer */
void histories_tell(struct node *n, struct peer *p); /* a session began: the neighbour hears which lines are frozen */
void history_run_note(struct peer *p, uint64_t run); /* a process greets: is it the only one with its keys? */
bool history_is_doubled(const struct peer *p);
void history_state_tell(struct node *n); /* after a turn: what pages show of our own line */
int history_run(struct turn *t, const struct domain_effect *fx, struct error *e); /* the district's word */
struct command *history_command(struct node *n); /* what was kept aside goes on; NULL: nothing was */
const struct peer *reporter_of(struct node *n, uint64_t device, size_t *report); /* the town that tells of it; NULL */
/* Of a device that has two, as far as is known here: the one that is stored, the other. */
bool histories_known(struct node *n, uint64_t device, Lm__History out[2]);

/* backups.c */
void backups_tick(struct node *n);

/* returning.c */
int return_open(struct node *n, struct error *e);  /* before anything is taken */
int return_begin(struct turn *t, struct error *e); /* writes down that this store was restored; once */
struct command *return_command(struct node *n);    /* the command that ends it, when everybody has answered */
void return_turn_begin(struct node *n);
void return_turn_committed(struct node *n);
int return_refuse(struct error *e);                          /* ERR_NOT_READY */
bool return_must_wait(struct turn *t, const struct work *w); /* what came is not taken yet: it comes again */
bool line_returns_to(const struct node *n, const struct line *line, const struct peer *p);
bool line_may_return(struct node *n, const struct peer *p, const Lm__StreamKey *key);

/* frames.c */
bool line_comes_from(const struct node *n, const struct line *line, const struct peer *p);
void frame_send(struct node *n, struct peer *p, Lm__Frame *frame);
void frame_hello(struct node *n, struct peer *p);
void ack_line_send(struct node *n, struct peer *p, Lm__AckLine *line);
void frame_ack(struct node *n, struct peer *p, const struct link_action *action);
void frame_ack_again(struct node *n, struct peer *p, const Lm__Batch *batch, const Lm__Header *last);
void frame_beat(struct node *n, struct peer *p);
int frame_batch(struct node *n, struct peer *p, const struct link_action *action, uint64_t *through, uint32_t *bytes);
void frame_marks(struct node *n, struct peer *p);
void frame_signed_marks(struct node *n, struct peer *p, bool is_all);
void frame_forward_marks(struct node *n, struct peer *p);
int line_ordinal(struct node *n, uint32_t line, uint64_t incarnation, uint64_t seq, uint64_t *ordinal);
struct store_txn *send_snapshot(struct node *n);

/* share.c */
#define SHARE_WHY_BYTES 160
uint64_t share_bytes(const struct node *n); /* what the entries of one device below may take of the store */
uint64_t share_used(const struct node *n, uint64_t device); /* and what they take of it */
bool share_is_spent(const struct node *n, const struct line *l);
bool share_refuses(struct turn *t, const struct work *w, size_t i); /* entry i, unless it is here already */
void share_why(const struct node *n, const struct line *l, char *out, size_t size);
void share_tell(struct node *n, struct peer *p, const struct line *l); /* to the operator */

/* arrival.c */
void arrival_report(struct node *n, const struct peer *p, Lm__LinkReport *r); /* town: how far p is */
void arrival_acked(struct node *n, const struct peer *p); /* town: how far p is with the town's own */
void arrival_reported(struct node *n, const struct peer *town, const Lm__LinkReport *r); /* hub */
void arrival_town_lost(struct node *n, const struct peer *town);                         /* hub */

/* directory.c */
int directory_refresh(struct node *n, struct error *e); /* writer, between turns: reads the tables */
int directory_find(struct node *n, const uint8_t curve_key[KEY_BYTES], struct directory_row *out);
bool directory_device(struct node *n, uint64_t device, struct directory_row *out);

/* control.c */
extern const struct http_route control_routes[];
extern const size_t control_route_count;

/* status.c */
/* NULL: no memory. Writer thread. */
Lm__LinksView *links_build(struct node *n, struct arena *arena);
/* Age of the oldest entry that the tier above does not have, whoever wrote it; -1 if there is none. */
int64_t oldest_unsent_ms(struct turn *t, uint64_t *unsent);

/* metrics.c */
void metrics_commit(struct node *n, uint64_t took_us); /* after each commit: its duration, and n->turn_counts */
void metrics_turn(struct node *n);                     /* at the end of a turn */
void metrics_get(void *node, struct http_request *r);
void metrics_free(struct node *n);

/* trace.c */
void entry_trace(struct node *n, const Lm__Header *h, uint64_t position, const char *what);
void traces_tell(struct node *n); /* after the commit */

/* health.c */
void healthz_get(void *node, struct http_request *r);
void readyz_get(void *node, struct http_request *r);
uint64_t health_tick(struct node *n, uint64_t now_us); /* returns when it is due again */

/* check.c */
/* What the configuration's files and folders must be; tells of each fault by its key. NULL values are passed over. */
void files_check(const struct node_config *c, void (*tell)(void *context, const char *key, const char *text),
                 void *context);

/* places.c */
int places_open(const char *path, struct place_names **out, struct error *e);
void places_close(struct place_names *names);                           /* NULL is fine */
Lm__PlacesView *places_view(const struct node *n, struct arena *arena); /* NULL: no memory */

/* points.c */
/* Service points and what their distances are reckoned from. ERR_CONFIG names what is wrong. */
int points_check(const Lm__PlacesFile *file, struct error *e);
/* Those of a checked file around a community or a device in it, the nearest first; parts are the file's. NULL: no
 * memory. */
Lm__PointsView *points_view(const Lm__PlacesFile *file, const char *place, struct arena *arena);

#endif

/*
 * The simulator: hub, towns and terminals as the product's own code in one process without threads, over a network, a
 * disk, clocks and a source of random numbers of its own. One world at a time; everything that happens in it is an
 * event at a moment, and everything that is left to chance is drawn from the seed: the same seed gives the same trace.
 *
 *   world.c     moments and events, chance, the trace
 *   machine.c   clocks, random numbers, the slow functions: what the product asks the machine for
 *   uv.c        libuv's loop, timers and pool, as events
 *   threads.c   the writer's turns, as events
 *   net.c       ZeroMQ's sockets, as frames that the weather delays, drops, repeats or cuts off
 *   http.c      the pages' server, as calls
 *   disk.c      LMDB's writes, recorded: what a power cut leaves of them
 *   site.c      a machine with its daemon: set up, started, killed, cut off from power
 *   people.c    residents and staff, who insist
 *   weather.c   which faults happen, and when
 *   check.c     what must hold, seen from outside
 *   main.c      one seed after another
 */
#ifndef SIM_H
#define SIM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <uv.h>

#include "base/prng.h"
#include "node/node.h"

#define MS UINT64_C(1000)
#define SECONDS (1000 * MS)
#define MINUTES (60 * SECONDS)
#define SITES_MOST 16

/* ---- world.c ---- */

enum effect { EFFECT_WRITE, EFFECT_SYNC, EFFECT_SEND, EFFECT_ANSWER };

struct site {
	char name[32], place[PLACE_TEXT_BYTES], folder[256];
	Lm__Tier tier;
	struct site *above;
	uint32_t life; /* how often it was started */
	struct node *node;
	uv_loop_t loop;
	bool is_dying;         /* from this instant on nothing that it does is seen by anybody */
	bool is_power_cut;     /* how it dies */
	uint64_t effects_left; /* it dies after so many more; 0: it lives */
	bool has_writer, is_writer_due;
	uint64_t writer_turn;     /* a tick that was set before this turn is void */
	uint64_t paused_until_us; /* stopped, as a laptop's lid stops a process */
	int64_t map_bytes;
	int64_t wall_skew_ms;
	uint64_t monotonic_skew_us;
	struct disk_image *image;
	char curve_key[65], authority[65];
	uint64_t deaths;
};

struct world {
	uint64_t seed, now_us;
	struct prng chance;
	struct site site[SITES_MOST];
	size_t site_count;
	struct site *here; /* whose code runs; NULL: nobody's */
	char folder[200];
	uint64_t trace; /* hash of what happened */
	uint64_t events;
	bool is_told; /* tell the story as it happens */
	bool is_calm; /* no more faults */
};
extern struct world world;

/* `call` runs `delay_us` from now. With an owner it is told whether the owner still lives the life in which this was
 * planned: if not, it only frees what it holds. */
void plan(uint64_t delay_us, struct site *owner, void (*call)(void *context, bool is_alive), void *context);
bool world_step(void);                    /* the next event; false: there is none */
bool world_step_of(const struct site *s); /* the event of this site that was planned first, now */
void world_run_until(uint64_t moment_us);
void world_end(void);          /* drops what is still planned */
uint64_t draw(uint64_t bound); /* 0 … bound - 1 */
uint64_t draw_between(uint64_t least, uint64_t most);
bool chance_is(uint32_t in_million);
bool site_is_paused(const struct site *s);
void trace_note(const char *what, const void *data, size_t size);
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Something that others can see. False: the site is dead, and nobody sees it. */
bool effect_is_seen(struct site *s, enum effect effect);

/* ---- net.c ---- */

struct weather { /* of the network, in millionths of frames */
	uint32_t drop, repeat, late, breaks;
	uint64_t delay_us;
};
extern struct weather net_weather;
void net_cut(struct site *below, bool is_up_cut, bool is_down_cut); /* frames vanish, nobody is told */
void net_break(struct site *below);                                 /* the connection ends, both sides learn it */
void net_site_died(struct site *s);
void net_reset(void);

/* ---- http.c ---- */

typedef void (*answered)(void *context, int status, json_t *body); /* status 0: no answer will come */
/* Takes the reference to `body`, which may be NULL. `user` is who is logged in. */
void ask_page(struct site *s, const char *method, const char *path, json_t *body, const char *user, answered done,
              void *context);
void http_site_died(struct site *s);
/* Asks and runs the world until there is an answer; for setting up and for checking. Fails the run on a refusal. */
json_t *ask_now(struct site *s, const char *method, const char *path, json_t *body);
json_t *ask_if_alive(struct site *s, const char *method, const char *path, json_t *body); /* NULL: it did not answer */

/* ---- disk.c ---- */

void disk_reset(void);
void disk_site_died(struct site *s);    /* what is durable is decided now */
void disk_site_restore(struct site *s); /* the files hold it again */
void disk_site_lost(struct site *s);    /* another disk is in its place: what is on it is durable */
uint64_t disk_power_cuts(void);
extern uint32_t disk_faults; /* writes and syncs that fail, in a million */
uint64_t disk_faults_met(void);

/* ---- threads.c ---- */

struct site *site_of(const struct node *n);

/* ---- site.c ---- */

void sites_lay_out(size_t towns, size_t terminals_each); /* and starts them; returns when all can take requests */
void site_start(struct site *s);
void site_kill(struct site *s, bool is_power_cut);
void site_bury_if_dead(struct site *s);
void sites_remove(void);
void folder_remove(const char *folder); /* with all that is in it */
struct site *site_hub(void);

/* ---- people.c ---- */

void people_arrive(void);
void people_leave(void);
size_t people_waiting(void); /* who still insist on an answer */
struct promise {             /* what a terminal's page called saved */
	struct site *terminal;
	char request[33], code[16];
	bool was_town, was_district; /* marks that were shown */
};
size_t promises(const struct promise **out);
struct deed { /* what a desk's page called done */
	char request[33];
	uint32_t version;
};
size_t deeds(const struct deed **out);
void people_reset(void);

/* ---- erasing.c ---- */

void officers_arrive(void);
void officers_leave(void);
size_t officers_waiting(void);
struct erased { /* what a desk's page called erased */
	char request[33];
};
size_t erased_requests(const struct erased **out);
bool is_erased(const char *request);
void officers_reset(void);

/* ---- weather.c ---- */

void weather_begin(void);
void weather_end(void);
bool weather_prepare(void); /* once, before the first seed has its process */
void weather_count(void);   /* into what all processes share */
void weather_tell(void);    /* how often each fault met each state */

/* ---- check.c ---- */

bool is_quiet(void); /* every queue is drained */
void check_all(void);

#endif

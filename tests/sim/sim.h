/*
 * The simulator: hub, towns and terminals as the product's own code in one process without threads, over a network, a
 * disk, clocks and a source of random numbers of its own. One world at a time; everything that happens in it is an
 * event at a moment, and everything that is left to chance is drawn from the seed: the same seed gives the same trace.
 *
 *   world.c     moments and events, chance, the trace
 *   machine.c   clocks, random numbers, the slow functions: what the product asks the machine for
 *   once.c      what takes long and gives the same each time
 *   uv.c        libuv's loop, timers and pool, as events
 *   threads.c   the writer's turns, as events
 *   net.c       ZeroMQ's sockets, as frames that the weather delays, drops, repeats or cuts off
 *   relay.c     a relay that wants harm
 *   http.c      the pages' server, as calls
 *   disk.c      LMDB's writes, recorded: what a power cut leaves of them
 *   power.c     what power cuts could leave, opened and verified
 *   images.c    disks that are put back to an earlier image
 *   damage.c    disks that rot
 *   wipes.c     disks that are lost
 *   restores.c  a hub that is made from its backup
 *   twins.c     machines that run twice
 *   site.c      a machine with its daemon: set up, started, killed, cut off from power
 *   poison.c    entries that nobody can apply, and the operators who drop them
 *   operators.c who releases a device that has two histories
 *   people.c    residents and staff, who insist
 *   papers.c    files of requests, in parts
 *   faults.h    every fault there is
 *   weather.c   which of them happen, how often; the table of what met whom
 *   strikes.c   those that strike a site at a moment
 *   state.c     in which state a fault meets a site
 *   memory.c    malloc, which may fail
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

#include "base/bytes.h"
#include "base/prng.h"
#include "node/node.h"

#define MS UINT64_C(1000)
#define SECONDS (1000 * MS)
#define MINUTES (60 * SECONDS)
#define HOURS (60 * MINUTES)
#define SITES_MOST 16

/* ---- main.c ---- */

struct pace { /* how much happens: under load, or over years */
	const char *name;
	uint64_t weather_us; /* between two looks of the weather */
	uint64_t people_us;  /* longest rest of a person; and of one that insists: */
	uint64_t insist_us;
	uint64_t outage_us; /* longest cut */
	uint64_t restart_us;
	uint64_t watch_us;       /* between two checks of all tapes */
	uint64_t drain_most_us;  /* so long the queues may take when the faults are over */
	int64_t beat_s, probe_s; /* of the daemons' configuration */
};

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
	bool is_starting, is_stopping;
	bool is_damaged; /* its store: it may not start */
	bool is_retired; /* it is not started again */
	bool is_at_disk; /* within a write or a sync */
	uint64_t disk_broken_until_us;
	int64_t map_bytes;
	bool is_map_small;   /* it is to fill up */
	bool is_share_small; /* of its map, for one device below; until the faults are over */
	int64_t wall_skew_ms, drift_ppm;
	uint64_t wall_frozen_us; /* since when it stands still; 0: it goes */
	uint64_t monotonic_skew_us, started_us;
	uint64_t said_position; /* of its tape: how far it had come when it last said anything */
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
	const struct pace *pace;
	uint32_t images; /* of a power cut, at every write */
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

#define NET_DELAY_US 200
extern uint64_t net_delay_us;                                       /* of a frame, about */
void net_cut(struct site *below, bool is_up_cut, bool is_down_cut); /* frames vanish, nobody is told */
bool net_break(struct site *below);                                 /* the connection ends, both sides learn it */
bool net_half_open(struct site *below);                             /* it ends, and nobody learns it */
bool net_stranger(struct site *above);                              /* a key that nobody admitted knocks, and talks */
void net_site_died(struct site *s);
void net_reset(void);

/* ---- relay.c ---- */

enum harm { HARM_NONE, HARM_WITHHELD, HARM_ALTERED, HARM_REPLAYED };
/* What a hostile relay makes of a frame: `out` is sent in its place (ALTERED), or before it (REPLAYED). */
enum harm relay_harm(const struct site *from, const struct site *below, bool is_up, struct bytes frame,
                     struct buffer *out);
void relay_reset(void);

/* ---- http.c ---- */

typedef void (*answered)(void *context, int status, json_t *body); /* status 0: no answer will come */
/* Takes the reference to `body`, which may be NULL. `user` is who is logged in. */
void ask_page(struct site *s, const char *method, const char *path, json_t *body, const char *user, answered done,
              void *context);
void http_site_died(struct site *s);
/* Asks and runs the world until there is an answer; for setting up and for checking. Fails the run on a refusal. */
json_t *ask_now(struct site *s, const char *method, const char *path, json_t *body);
bool is_there(struct site *s, const char *path); /* GET; another error than "not-found" fails the run */
json_t *ask_if_alive(struct site *s, const char *method, const char *path, json_t *body); /* NULL: it did not answer */

/* ---- disk.c ---- */

void disk_reset(void);
void disk_site_died(struct site *s);    /* what is durable is decided now */
void disk_site_restore(struct site *s); /* the files hold it again */
uint64_t disk_power_cuts(void);
bool disk_may_refuse(const struct site *s);
bool disk_is_durable(const struct site *s); /* all that was written has been synced */
uint64_t disk_faults_met(void);
struct bytes disk_content(const struct site *s); /* what is durable */
void disk_site_changed(struct site *s);          /* somebody else wrote its file: what lies there now is durable */
bool disk_holds(const struct site *s, const char *text); /* in clear, anywhere */

/* What is durable and some of what is not, drawn by power_draw, through power_patch; and back. */
void disk_image_make(const struct site *s);
void disk_image_undo(const struct site *s);

/* ---- power.c ---- */

void power_reset(void);
void power_disk_changed(const struct site *s);
void power_boundary(const struct site *s, struct bytes durable);
void power_patch(const struct site *s, const void *data, size_t size, size_t at); /* of the image, if there is one */
uint64_t power_draw(uint64_t bound);
uint64_t power_images(void);

/* ---- images.c ---- */

void folder_copy(const char *from, const char *to); /* of a machine: its keys and its store */
bool is_changing_keys(const struct site *s);
void images_reset(void);
void images_site_buried(struct site *s);   /* its disk may be copied, or exchanged */
void images_forget(const struct site *s);  /* it has another history now */
bool is_giving_back(const struct site *s); /* to a town or the hub, whose disk was lost or put back */

/* ---- damage.c ---- */

void damage_reset(void);
bool strike_flip(struct site *s);
bool strike_cut_short(struct site *s);
void damage_site_buried(struct site *s);

/* ---- wipes.c ---- */

void wipes_reset(void);
bool wipes_are_about(const struct site *s); /* its machine is being replaced */
bool wipes_know(const char *device);        /* that it is no more */
void wipes_site_buried(struct site *s);

/* ---- restores.c ---- */

void restores_reset(void);
void restores_configure(struct node_config *c); /* of the hub */
void restores_begin(void);
void restores_forget(void); /* of another history now: no backup yet */
void restores_site_buried(struct site *s);

/* ---- twins.c ---- */

void twins_reset(void);
bool is_twin(const struct site *s); /* or was one */
bool twins_waiting(void);
struct site *twins_kept(struct site *s); /* of two the one that the operator lets go on */
void twins_site_buried(struct site *s);
void twins_settle(void); /* when the faults are over, now and then */

/* ---- machine.c ---- */

int64_t machine_wall_ms(void); /* the right time */
uint64_t machine_monotonic_us(const struct site *s);

/* ---- once.c ---- */

bool once_prepare(void); /* before the first seed has its process */

/* ---- memory.c: what the simulator takes never fails ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
#define malloc __real_malloc
#define calloc __real_calloc
#define realloc __real_realloc

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
json_t *admission_of(const struct site *s, json_t *file); /* a command; takes what device.json holds */

/* ---- poison.c ---- */

void poison_reset(void);
bool strike_poison(struct site *s);
/* When the faults are over: what lies in quarantine, and must be poison or of a history that was closed. `is_last`: all
 * queues are drained, so nothing more comes that it could wait for. */
void operators_drop(bool is_last);
void poison_check(void); /* each was dropped at both tiers, and another delays nobody */

/* ---- operators.c ---- */

void operators_reset(void);
void operators_release(void);         /* devices with two histories */
bool is_released(const char *device); /* by its hexadecimal name */

/* ---- people.c ---- */

#define CANARY "张示例" /* what residents write: found in clear nowhere */
void people_arrive(void);
void people_arrive_at(struct site *terminal);
void people_leave(void);
const struct promise *people_hand_in(struct site *terminal); /* one more request, now; NULL: it takes none */
void people_hear_of_rollback(const struct site *s, uint64_t image_us);
void people_hear_of_wipe(const struct site *s);
/* `closed` ends, one of two at a place; what was handed in at `second` is now asked for at `first`. */
void people_hear_of_end(const struct site *closed, const struct site *second, struct site *first);
void people_hear_of_restore(uint64_t backup_us); /* of the hub */
size_t people_waiting(void);                     /* who still insist on an answer */
struct promise {                                 /* what a terminal's page called saved */
	struct site *terminal;
	char request[33], code[16];
	bool was_town, was_district; /* marks that were shown */
	uint64_t saved_us;
	bool is_forgotten; /* its terminal's disk was put back to an image from before it, or lost */
	bool is_losing;   /* its receipt was lost: staff replace the code, and insist until they are told the new one */
	char former[16];  /* the code before */
	bool is_doubtful; /* and no page had said that anybody else had it: perhaps nobody has */
	bool is_rated;    /* its terminal's page said that a rating is saved, and its disk was not put back since */
};
size_t promises(const struct promise **out);
struct deed { /* what a desk's page called done */
	char request[33];
	uint32_t version;
	const struct site *desk;
	uint64_t done_us;
	bool is_doubtful; /* the district said so after the backup that it was made from: perhaps nobody else heard it
	                   */
};
size_t deeds(const struct deed **out);
void people_reset(void);

/* ---- papers.c ---- */

void paper_add(const char *request, json_t *values); /* a file, to some requests */
/* At a site that has the case: its file is there whole, or is seen not to be. */
void paper_check(struct site *s, const struct promise *p, const json_t *view);
size_t papers_whole(void); /* that were looked at in this world */

/* ---- erasing.c ---- */

void officers_arrive(void);
void officers_leave(void);
size_t officers_waiting(void);
struct erased { /* what a desk's page called erased */
	char request[33];
	const struct site *desk;
	uint64_t done_us;
	bool is_doubtful; /* as a deed */
	bool is_lost;     /* and nobody had */
};
bool is_erasing_doubtful(const char *request);
bool is_erasing_lost(const char *request);
void erasing_lose(const char *request);
void officers_hear_of_restore(uint64_t backup_us);
bool is_erased(const char *request);
void officers_reset(void);

/* ---- registrars.c ---- */

void registrars_arrive(void);
void registrars_leave(void);
size_t registrars_waiting(void);
void registrars_check(
        void); /* each record that was called saved has one owner, and the district knows what that knows */
void registrars_reset(void);

const char *registrars_known(void); /* some record that was called saved; NULL: none yet */

/* ---- notices.c ---- */

void authors_arrive(void);
void authors_leave(void);
size_t authors_waiting(void);
void authors_hear_of_put_back(const struct site *town, uint64_t image_us);
void authors_check(void); /* every kiosk shows what its town tells it, and nothing else */
void authors_reset(void);

/* ---- errands.c ---- */

void runners_arrive(void);
void runners_leave(void);
size_t runners_waiting(void);
void runners_hear_of_put_back(const struct site *desk, uint64_t image_us);
void runners_check(void); /* what a desk noted is there */
void runners_reset(void);

/* ---- certifiers.c ---- */

void certifiers_arrive(void);
void certifiers_leave(void);
size_t certifiers_waiting(void);
void certifiers_reset(void);
/* What the district and the town that has the record show of its certificate: the same, and every ask is answered. */
void certificate_check(const char *person, const json_t *at_hub, const json_t *at_owner);
void certifiers_tell(void);

/* ---- weather.c ---- */

enum fault {
#define FAULT(name, text, rate, strike) FAULT_##name,
#include "faults.h"
#undef FAULT
	FAULT_COUNT
};
bool faults_choose(const char *list); /* names with commas; "none" is none. False: there is no such fault */
void faults_list(FILE *to);
bool fault_hits(enum fault fault, const struct site *s); /* now, by its rate; it is counted */
void fault_met(enum fault fault, const struct site *s);  /* it is counted */
bool fault_is_about(enum fault fault);                   /* this seed knows it */

void weather_draw(void); /* the rates, before anything else of a seed */
void weather_begin(void);
void weather_end(void);
bool weather_is_over(void);
void weather_site_died(struct site *s); /* it is started again, some time */
void weather_start_all(void);
void weather_start(struct site *s); /* soon */
bool weather_prepare(void);         /* once, before the first seed has its process */
void weather_count(void);           /* into what all processes share */
size_t weather_tell(void);          /* how often each fault met each state; returns how many pairs never met */

/* ---- strikes.c ---- */

bool strike_stop(struct site *s);
bool strike_kill(struct site *s);
bool strike_kill_within(struct site *s);
bool strike_power(struct site *s);
bool strike_power_within(struct site *s);
bool strike_pause(struct site *s);
bool strike_keys(struct site *s);
bool strike_two_views(struct site *s); /* relay.c */
bool strike_rollback(struct site *s);  /* images.c */
bool strike_put_back(struct site *s);  /* images.c */
bool strike_wipe(struct site *s);      /* wipes.c */
bool strike_restore(struct site *s);   /* restores.c */
bool strike_clone(struct site *s);     /* twins.c */
bool strike_disk_broken(struct site *s);
bool strike_break(struct site *s);
bool strike_half_open(struct site *s);
bool strike_cut(struct site *s);
bool strike_cut_one_way(struct site *s);
bool strike_clock_jump(struct site *s);
bool strike_clock_freeze(struct site *s);
bool strike_stranger(struct site *s);
void strike_at_start(struct site *s); /* what is drawn for the life that begins */
void strikes_end(void);
size_t strikes_waiting(void); /* changes of keys that were asked for and not answered yet */

/* ---- state.c ---- */

enum state {
	STATE_DEAD,
	STATE_STARTING,
	STATE_ALONE,    /* nobody above to talk to; a hub: nobody at all */
	STATE_GREETING, /* HELLO was sent and is not answered */
	STATE_IDLE,
	STATE_BACKLOG,    /* something waits to be sent or acked */
	STATE_DRAINING,   /* much of it, after an absence */
	STATE_FULL,       /* takes no new business */
	STATE_COMMITTING, /* within a write or a sync */
	STATE_TRIMMING,   /* within the turn that trims */
	STATE_COUNT
};
extern const char *const state_names[];
enum state state_of(const struct site *s);
void lanes_tell(const struct site *s, FILE *to); /* what its links still wait for */
bool is_share_spent(const struct site *s);       /* of a device below it */
bool has_told_all(const struct site *s);         /* upwards: nothing waits for an ack */
bool is_returning(const struct site *s);         /* restored: its neighbours give back what it lacks */

/* ---- check.c ---- */

const char *who_is_restless(void);           /* of the newest is_quiet that was false */
void waiting_tell(struct site *s, FILE *to); /* its links, and its items that are held up */
bool is_quiet(void);                         /* every queue is drained */
void check_begin(void);                      /* of a seed */
void check_forget(const struct site *s);     /* its tape is another one now */
void check_on_the_way(void);                 /* what can be asked while faults are about */
void check_all(void);

#endif

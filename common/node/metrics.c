/*
 * /metrics, in Prometheus' text format (version 0.0.4). What the loop owns is read as it prints; what the writer owns
 * it leaves here every two seconds, so that a writer which is stuck does not keep its metrics from being read.
 *
 * Labels are bounded: routes and statuses by the program, places by the directory. No person, no request, no key.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "inside.h"

#define GAUGES_ARENA_BYTES (8u * 1024 * 1024)
#define LINKS_MOST 1024 /* told one by one; the sums count all */
#define LABEL_BYTES 128

struct gauges {
	struct arena arena;
	const Lm__LinksView *links;
	uint64_t made_us; /* monotonic */
	int64_t made_ms;
	uint64_t position, quarantined, held, unsent, resends;
	int64_t oldest_unsent_ms; /* -1: none */
	struct store_usage usage;
};

/* ---- the writer's side ---- */

static const uint64_t commit_bound_us[COMMIT_BUCKETS] = { 1000,   2500,   5000,   10000,   25000,   50000,
	                                                  100000, 250000, 500000, 1000000, 2500000, 10000000 };

void metrics_commit(struct node *n, uint64_t took_us)
{
	struct counters *c = &n->counters;
	size_t bucket = 0;
	while (bucket < COMMIT_BUCKETS && took_us > commit_bound_us[bucket])
		bucket++;
	atomic_fetch_add(&c->commit_bucket[bucket], 1);
	atomic_fetch_add(&c->commit_us, took_us);
	atomic_fetch_add(&c->commits, 1);
	atomic_fetch_add(&c->applied, n->turn_counts.applied);
	atomic_fetch_add(&c->quarantined, n->turn_counts.quarantined);
	atomic_fetch_add(&c->held, n->turn_counts.held);
}

static void gauges_fill(struct node *n, struct gauges *g)
{
	struct turn t = { .node = n, .journal = n->journal, .arena = &g->arena, .now_ms = clock_wall_ms() };
	if (store_begin_read(n->store, &t.txn, NULL))
		return;
	g->oldest_unsent_ms = oldest_unsent_ms(&t, &g->unsent);
	g->held = journal_held_count(t.txn);
	g->quarantined = journal_waiting_count(t.txn) - g->held;
	store_abort(t.txn);
	store_usage_read(n->store, &g->usage);
	g->links = links_build(n, &g->arena);
	g->position = journal_position(n->journal);
	for (size_t i = 0, peers = atomic_load(&n->peer_visible); i < peers; i++)
		g->resends += n->peer[i]->link.resends;
	g->made_ms = t.now_ms;
	g->made_us = clock_monotonic_us();
}

static void gauges_free(struct gauges *g)
{
	if (g)
		arena_release(&g->arena);
	free(g);
}

void metrics_turn(struct node *n)
{
	atomic_fetch_add(&n->counters.turns, 1);
	n->has_stale_gauges = n->gauges && clock_monotonic_us() - n->gauges_us < METRICS_EVERY_US;
	if (n->has_stale_gauges)
		return;
	n->gauges_us = clock_monotonic_us();
	struct gauges *fresh = calloc(1, sizeof *fresh);
	if (!fresh)
		return;
	arena_init(&fresh->arena, GAUGES_ARENA_BYTES);
	gauges_fill(n, fresh);
	pthread_mutex_lock(&n->gauges_lock);
	struct gauges *old = n->gauges;
	n->gauges = fresh;
	pthread_mutex_unlock(&n->gauges_lock);
	gauges_free(old);
}

void metrics_free(struct node *n)
{
	gauges_free(n->gauges);
	n->gauges = NULL;
}

/* ---- printing ---- */

struct sheet {
	struct buffer text;
	bool is_short; /* of memory: then nothing is told rather than half of it */
};

static void put(struct sheet *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct sheet *out, const char *format, ...)
{
	char line[512];
	va_list arguments;
	va_start(arguments, format);
	int size = vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	out->is_short |=
	        size < 0 || (size_t)size >= sizeof line || buffer_append(&out->text, BYTES(line, (size_t)size)) != OK;
}

static void family(struct sheet *out, const char *name, const char *type, const char *help)
{
	put(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct sheet *out, const char *name, const char *type, const char *help, double value)
{
	family(out, name, type, help);
	put(out, "%s %.17g\n", name, value);
}

static void counter(struct sheet *out, const char *name, const char *help, uint64_t value)
{
	family(out, name, "counter", help);
	put(out, "%s %" PRIu64 "\n", name, value);
}

static void gauge(struct sheet *out, const char *name, const char *help, uint64_t value)
{
	family(out, name, "gauge", help);
	put(out, "%s %" PRIu64 "\n", name, value);
}

/* A label's value; what would need escaping is nothing that we name anything by. */
static const char *label(const char *text, char out[LABEL_BYTES])
{
	size_t size = 0;
	for (; text && *text && size + 1 < LABEL_BYTES; text++)
		out[size++] = *text == '"' || *text == '\\' || (unsigned char)*text < ' ' ? '_' : *text;
	out[size] = '\0';
	return out;
}

static const char *tier_name(Lm__Tier tier)
{
	return tier == LM__TIER__TIER_DISTRICT ? "district" : tier == LM__TIER__TIER_TOWN ? "town" : "terminal";
}

static void put_process(struct node *n, struct sheet *out)
{
	struct rusage used = { 0 };
	char sizes[128] = "", *at = sizes; /* "total resident …", in pages */
	FILE *file = fopen("/proc/self/statm", "re");
	if (file && !fgets(sizes, sizeof sizes, file))
		sizes[0] = '\0';
	if (file)
		fclose(file);
	strtoul(sizes, &at, 10);
	unsigned long pages = strtoul(at, NULL, 10);
	getrusage(RUSAGE_SELF, &used);
	family(out, "lm_build_info", "gauge", "Always 1; the labels say what runs here.");
	put(out, "lm_build_info{program=\"%s\",version=\"%s\",tier=\"%s\",place=\"%s\"} 1\n", n->tier.program,
	    NODE_VERSION, tier_name(n->domain.tier), n->domain.place);
	one(out, "process_start_time_seconds", "gauge", "Start of the process, in seconds since 1970.",
	    (double)n->started_ms / 1000);
	gauge(out, "process_resident_memory_bytes", "Memory of the process that is in RAM.",
	      pages * (uint64_t)sysconf(_SC_PAGESIZE));
	one(out, "process_cpu_seconds_total", "counter", "Processor time used, user and system.",
	    (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	            (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
	family(out, "lm_log_lines_total", "counter", "Lines written to the log, by level.");
	put(out, "lm_log_lines_total{level=\"warn\"} %lu\nlm_log_lines_total{level=\"error\"} %lu\n",
	    log_lines(LOG_WARN), log_lines(LOG_ERROR));
}

static void put_commits(const struct counters *c, struct sheet *out)
{
	uint64_t sum = 0;
	family(out, "lm_commit_duration_seconds", "histogram", "How long the commits of the store took.");
	for (size_t i = 0; i < COMMIT_BUCKETS; i++) {
		sum += atomic_load(&c->commit_bucket[i]);
		put(out, "lm_commit_duration_seconds_bucket{le=\"%g\"} %" PRIu64 "\n", (double)commit_bound_us[i] / 1e6,
		    sum);
	}
	sum += atomic_load(&c->commit_bucket[COMMIT_BUCKETS]);
	put(out, "lm_commit_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", sum);
	put(out, "lm_commit_duration_seconds_sum %.6f\n", (double)atomic_load(&c->commit_us) / 1e6);
	put(out, "lm_commit_duration_seconds_count %" PRIu64 "\n", sum);
}

static void put_writer(struct node *n, struct sheet *out)
{
	struct counters *c = &n->counters;
	uint64_t turn_us = atomic_load(&n->writer_us);
	counter(out, "lm_turns_total", "Turns of the writer, with and without a commit.", atomic_load(&c->turns));
	one(out, "lm_writer_turn_age_seconds", "gauge",
	    "How long the writer has been in the turn that it is in; 0 while it waits for work.",
	    turn_us ? (double)(clock_monotonic_us() - turn_us) / 1e6 : 0);
	counter(out, "lm_commits_total", "Commits of the store.", atomic_load(&c->commits));
	counter(out, "lm_turn_failures_total", "Turns that failed and were run again without their offender.",
	        atomic_load(&c->turn_failures));
	put_commits(c, out);
	family(out, "lm_entries_total", "counter",
	       "Entries taken up, by what became of them; one that was held counts again when it is released.");
	put(out, "lm_entries_total{result=\"applied\"} %" PRIu64 "\n", atomic_load(&c->applied));
	put(out, "lm_entries_total{result=\"quarantined\"} %" PRIu64 "\n", atomic_load(&c->quarantined));
	put(out, "lm_entries_total{result=\"held\"} %" PRIu64 "\n", atomic_load(&c->held));
}

static void put_queues(struct node *n, struct sheet *out)
{
	pthread_mutex_lock(&n->inbox_lock);
	size_t commands = n->inbox_commands, bytes = n->inbox_bytes;
	pthread_mutex_unlock(&n->inbox_lock);
	gauge(out, "lm_inbox_commands", "Commands that wait for the writer.", commands);
	gauge(out, "lm_inbox_commands_limit", "Beyond this, commands are refused as busy.", INBOX_COMMANDS_MOST);
	gauge(out, "lm_inbox_bytes", "Memory of the frames that wait for the writer.", bytes);
	gauge(out, "lm_inbox_bytes_limit", "Beyond this, neighbours get no credit.", INBOX_BYTES_HIGH);
	gauge(out, "lm_pool_jobs", "Jobs that wait for the thread pool or run there.", n->pool_jobs);
}

static void put_frames(struct node *n, struct sheet *out)
{
	const struct counters *c = &n->counters;
	family(out, "lm_frames_total", "counter", "Frames of all links.");
	put(out, "lm_frames_total{direction=\"in\"} %" PRIu64 "\n", c->frames_in);
	put(out, "lm_frames_total{direction=\"out\"} %" PRIu64 "\n", c->frames_out);
	family(out, "lm_frame_bytes_total", "counter", "Bytes of these frames, before encryption.");
	put(out, "lm_frame_bytes_total{direction=\"in\"} %" PRIu64 "\n", c->bytes_in);
	put(out, "lm_frame_bytes_total{direction=\"out\"} %" PRIu64 "\n", c->bytes_out);
	counter(out, "lm_frames_dropped_total", "Messages of neighbours that were no frame, or beyond their credits.",
	        c->frames_dropped);
	counter(out, "lm_keys_refused_total", "Handshakes with a key that is not admitted here.",
	        n->server ? net_server_refused(n->server) : 0);
	counter(out, "lm_strangers_ended_total",
	        "Connections that ended because nobody admitted came with them in time.",
	        n->server ? net_server_ended(n->server) : 0);
}

static void put_tally(void *context, const char *method, const char *route, unsigned status, uint64_t count)
{
	char text[LABEL_BYTES];
	put(context, "lm_http_requests_total{method=\"%s\",route=\"%s\",status=\"%u\"} %" PRIu64 "\n", method,
	    label(route, text), status, count);
}

static void put_http(struct node *n, struct sheet *out)
{
	struct http_load load;
	http_load_read(n->http, &load);
	gauge(out, "lm_http_sessions", "Sessions of pages.", load.sessions);
	gauge(out, "lm_http_event_streams", "Pages that listen to events.", load.streams);
	gauge(out, "lm_http_requests_in_progress", "Requests under way, event streams among them.", load.requests);
	family(out, "lm_http_requests_total", "counter", "Answered requests by route and status.");
	http_tally_each(n->http, put_tally, out);
}

/* ---- what the writer left ---- */

static const Lm__LinkView *link_at(const Lm__LinksView *view, size_t i)
{
	return i < view->n_links ? view->links[i] : view->upstream;
}

static size_t links_count(const Lm__LinksView *view)
{
	return view->n_links + (view->upstream != NULL);
}

static void put_link_sums(const Lm__LinksView *view, struct sheet *out)
{
	static const Lm__Tier tiers[] = { LM__TIER__TIER_TERMINAL, LM__TIER__TIER_TOWN, LM__TIER__TIER_DISTRICT };
	family(out, "lm_links", "gauge",
	       "Links by the tier at their other end; the district also counts those that towns report.");
	for (size_t k = 0; k < sizeof tiers / sizeof *tiers; k++) {
		uint64_t up = 0, down = 0;
		for (size_t i = 0; i < links_count(view); i++) {
			const Lm__LinkView *l = link_at(view, i);
			if (l->tier == tiers[k] && !l->is_revoked)
				*(l->is_up ? &up : &down) += 1;
		}
		put(out, "lm_links{tier=\"%s\",state=\"up\"} %" PRIu64 "\n", tier_name(tiers[k]), up);
		put(out, "lm_links{tier=\"%s\",state=\"down\"} %" PRIu64 "\n", tier_name(tiers[k]), down);
	}
}

enum link_figure {
	FIGURE_IS_UP,
	FIGURE_IS_FROZEN,
	FIGURE_HEARD,
	FIGURE_WAITING_DOWN,
	FIGURE_WAITING_UP,
	FIGURE_STORED,
	FIGURE_IS_SPENT
};

static uint64_t link_figure(const Lm__LinkView *l, enum link_figure figure)
{
	switch (figure) {
	case FIGURE_IS_UP:
		return l->is_up ? 1 : 0;
	case FIGURE_IS_FROZEN:
		return l->is_frozen ? 1 : 0;
	case FIGURE_HEARD:
		return l->heard_ms > 0 ? (uint64_t)l->heard_ms / 1000 : 0;
	case FIGURE_WAITING_DOWN:
		return l->waiting_down;
	case FIGURE_WAITING_UP:
		return l->waiting_up;
	case FIGURE_STORED:
		return l->stored_bytes;
	case FIGURE_IS_SPENT:
		return l->is_share_spent ? 1 : 0;
	}
	return 0;
}

static void put_each_link(const Lm__LinksView *view, enum link_figure figure, const char *name, const char *help,
                          struct sheet *out)
{
	char place[LABEL_BYTES];
	family(out, name, "gauge", help);
	for (size_t i = 0; i < links_count(view) && i < LINKS_MOST; i++) {
		const Lm__LinkView *l = link_at(view, i);
		if (!l->is_revoked)
			put(out, "%s{tier=\"%s\",place=\"%s\"} %" PRIu64 "\n", name, tier_name(l->tier),
			    label(l->place, place), link_figure(l, figure));
	}
}

static void put_clocks(const Lm__LinksView *view, struct sheet *out)
{
	char place[LABEL_BYTES];
	family(out, "lm_link_clock_ahead_seconds", "gauge",
	       "How far the device's wall clock is ahead of ours, or of its town's; negative: behind.");
	for (size_t i = 0; i < links_count(view) && i < LINKS_MOST; i++) {
		const Lm__LinkView *l = link_at(view, i);
		if (!l->is_revoked && l->is_up)
			put(out, "lm_link_clock_ahead_seconds{tier=\"%s\",place=\"%s\"} %.3f\n", tier_name(l->tier),
			    label(l->place, place), (double)l->clock_ahead_ms / 1000);
	}
}

static void put_links(const Lm__LinksView *view, struct sheet *out)
{
	put_link_sums(view, out);
	put_each_link(view, FIGURE_IS_UP, "lm_link_up", "1 while the link is up.", out);
	put_each_link(view, FIGURE_IS_FROZEN, "lm_link_frozen", "1 when the device's stream is frozen: a clone.", out);
	put_each_link(view, FIGURE_HEARD, "lm_link_heard_timestamp_seconds",
	              "When the device was last heard, in seconds since 1970; 0: not since the start.", out);
	put_each_link(view, FIGURE_WAITING_DOWN, "lm_link_waiting_out_entries",
	              "Entries that still have to be sent over this link.", out);
	put_each_link(view, FIGURE_WAITING_UP, "lm_link_waiting_in_entries",
	              "Entries that the other end said it still has to send.", out);
	put_each_link(view, FIGURE_STORED, "lm_link_stored_bytes",
	              "Room that the device's own entries take here, about.", out);
	put_each_link(
	        view, FIGURE_IS_SPENT, "lm_link_share_spent",
	        "1 while nothing more of the device is taken: its entries fill the share of the store that one may.",
	        out);
	put_clocks(view, out);
}

static void put_gauges(const struct gauges *g, struct sheet *out)
{
	int64_t age_ms = clock_wall_ms() - g->made_ms;
	one(out, "lm_snapshot_age_seconds", "gauge", "Age of the figures that follow; the writer renews them.",
	    (double)(clock_monotonic_us() - g->made_us) / 1e6);
	gauge(out, "lm_tape_position", "Position of the newest item of the tape.", g->position);
	gauge(out, "lm_quarantined_entries", "Entries in quarantine that no operator has dealt with.", g->quarantined);
	gauge(out, "lm_held_entries", "Entries that wait for what they cite.", g->held);
	gauge(out, "lm_store_map_bytes", "Size of the store.", g->usage.map_bytes);
	gauge(out, "lm_store_used_bytes", "Of which is in use.", g->usage.used_bytes);
	gauge(out, "lm_unsent_entries", "Entries that the tier above does not have yet.", g->unsent);
	one(out, "lm_oldest_unsent_seconds", "gauge", "Age of the oldest of them; 0 if there is none.",
	    g->oldest_unsent_ms < 0 ? 0 : (double)(g->oldest_unsent_ms + (age_ms > 0 ? age_ms : 0)) / 1000);
	counter(out, "lm_resends_total", "Times that entries were sent again, because no ack came or some were missed.",
	        g->resends);
	if (g->links)
		put_links(g->links, out);
}

void metrics_get(void *context, struct http_request *r)
{
	struct node *n = context;
	struct sheet out = { 0 };
	put_process(n, &out);
	put_writer(n, &out);
	gauge(&out, "lm_store_full", "1 while new business is refused because the store is too full.",
	      atomic_load(&n->is_full));
	gauge(&out, "lm_backup_verified_timestamp_seconds",
	      "When the newest backup that was verified was made, in seconds since 1970; 0: none.",
	      n->backup_verified_ms > 0 ? (uint64_t)n->backup_verified_ms / 1000 : 0);
	gauge(&out, "lm_backup_stale", "1 when no backup of the last days has been verified.", n->is_backup_stale);
	gauge(&out, "lm_returning", "1 while a restored node waits for what its neighbours give back.",
	      atomic_load(&n->shows_returning));
	put_queues(n, &out);
	put_frames(n, &out);
	put_http(n, &out);
	pthread_mutex_lock(&n->gauges_lock);
	if (n->gauges && n->gauges->made_us)
		put_gauges(n->gauges, &out);
	pthread_mutex_unlock(&n->gauges_lock);
	if (out.is_short)
		http_answer_error(r, ERR_MEMORY, "no memory for the metrics");
	else
		http_answer_typed(r, 200, "text/plain; version=0.0.4; charset=utf-8", buffer_bytes(&out.text));
	buffer_release(&out.text);
}

/*
 * Is this daemon well? /healthz: the loop answers and the writer takes its turns; when not, only a restart helps.
 * /readyz: it can do its work: the disk takes writes, there is room, handshakes are answered, the tier above does not
 * refuse it. A link that is merely down is told and does not count: every tier works alone.
 *
 * The probe is a command like any other: it writes a row through the writer thread and is over when that is committed.
 * systemd's watchdog is fed by its success only, so a stuck writer or a stuck disk ends in a restart.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "inside.h"
#include "proto/json.h"

#define STUCK_US 10000000u /* a turn or a probe that takes so long, unless systemd has another patience */
#define AGAIN_US 1000000u
#define CHECKS_MOST 6

struct checks {
	Lm__HealthCheck check[CHECKS_MOST], *list[CHECKS_MOST];
	char text[CHECKS_MOST][400];
	Lm__HealthView view;
};

static void check_add(struct checks *c, const char *name, bool is_good, bool is_required, const char *format, ...)
        __attribute__((format(printf, 5, 6)));
static void check_add(struct checks *c, const char *name, bool is_good, bool is_required, const char *format, ...)
{
	size_t i = c->view.n_checks++;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(c->text[i], sizeof c->text[i], format, arguments);
	va_end(arguments);
	c->list[i] = &c->check[i];
	lm__health_check__init(&c->check[i]);
	c->check[i].name = (char *)(uintptr_t)name;
	c->check[i].is_good = is_good;
	c->check[i].is_required = is_required;
	c->check[i].text = c->text[i];
	c->view.is_good = c->view.is_good && (is_good || !is_required);
}

static void checks_begin(struct checks *c)
{
	lm__health_view__init(&c->view);
	c->view.checks = c->list;
	c->view.is_good = true;
}

static uint64_t seconds_since(uint64_t us)
{
	return (clock_monotonic_us() - us) / 1000000;
}

static uint64_t stuck_us(const struct node *n)
{
	return n->notify.watchdog_us ? n->notify.watchdog_us : STUCK_US;
}

static void check_writer(struct node *n, struct checks *c)
{
	uint64_t turn_us = atomic_load(&n->writer_us);
	bool is_stuck = turn_us && clock_monotonic_us() - turn_us >= stuck_us(n);
	check_add(c, "writer", !is_stuck, true,
	          is_stuck ? "the writer is in one turn for %llu s: its disk may be stuck"
	                   : "the writer takes its turns",
	          (unsigned long long)seconds_since(turn_us));
}

static void check_store(struct node *n, struct checks *c)
{
	const struct probe *p = &n->probe;
	if (p->is_under_way && (!p->good_us || clock_monotonic_us() - p->begun_us >= stuck_us(n)))
		check_add(c, "store", false, true, "a write has been under way for %llu s",
		          (unsigned long long)seconds_since(p->begun_us));
	else if (p->result)
		check_add(c, "store", false, true, "the last write failed: %s", p->error.text);
	else if (!p->good_us)
		check_add(c, "store", false, true, "nothing has been written since the start");
	else
		check_add(c, "store", true, true, "a write was committed %llu s ago",
		          (unsigned long long)seconds_since(p->good_us));
}

static void check_room(struct node *n, struct checks *c)
{
	bool is_full = atomic_load(&n->is_full);
	check_add(c, "room", !is_full, true,
	          is_full ? "the store is %u %% full: new business is refused" : "the store is %u %% full",
	          atomic_load(&n->percent));
}

/* Each look knocks; the next one finds the answer. */
static void handshakes_look(struct node *n, uint64_t now_us)
{
	if (n->server && net_zap_answers(n->net)) {
		n->zap_us = now_us;
		n->knocked_us = 0;
	}
	if (!n->knocked_us)
		n->knocked_us = now_us;
}

static void check_handshakes(struct node *n, struct checks *c)
{
	if (!n->server)
		return;
	handshakes_look(n, clock_monotonic_us());
	bool is_good = n->zap_us && (!n->knocked_us || clock_monotonic_us() - n->knocked_us < stuck_us(n));
	check_add(c, "handshakes", is_good, true,
	          is_good ? "connections from below are answered"
	                  : "nobody decides about connections from below: they cannot come up");
}

static void check_upstream(struct node *n, struct checks *c)
{
	struct upstream_state up;
	if (!n->upstream)
		return;
	node_upstream(n, &up);
	if (up.is_up)
		check_add(c, "upstream", true, false, "the link to %s is up", n->upstream->place);
	else if (up.code[0])
		check_add(c, "upstream", false, true, "%s", up.text);
	else
		check_add(c, "upstream", false, false, "the link to %s is down; work goes on without it",
		          n->upstream->place);
}

static void checks_answer(struct checks *c, struct http_request *r)
{
	struct buffer text = { 0 };
	struct error e;
	int result = json_encode(&c->view.base, &text, &e);
	if (result)
		node_answer_error(r, result, &e);
	else
		http_answer_json(r, c->view.is_good ? 200 : 503, buffer_bytes(&text));
	buffer_release(&text);
}

void healthz_get(void *context, struct http_request *r)
{
	struct checks c;
	checks_begin(&c);
	check_writer(context, &c);
	checks_answer(&c, r);
}

void readyz_get(void *context, struct http_request *r)
{
	struct node *n = context;
	struct checks c;
	checks_begin(&c);
	check_writer(n, &c);
	check_store(n, &c);
	check_room(n, &c);
	check_handshakes(n, &c);
	check_upstream(n, &c);
	checks_answer(&c, r);
}

/* ---- the probe ---- */

static int probe_run(struct turn *t, struct command *c, struct error *e)
{
	(void)c;
	int result = store_probe(t->txn);
	return result ? store_failure(t->txn, e) : OK;
}

/* A store that is full answers all the same: a restart would not make room. */
static void probe_done(struct node *n, struct command *c)
{
	struct probe *p = &n->probe;
	p->is_under_way = false;
	p->result = c->result;
	p->error = c->error;
	if (!c->result)
		p->good_us = clock_monotonic_us();
	else
		log_write(LOG_ERROR, "probe", "the store takes no writes: %s", c->error.text);
	if (!c->result || c->result == ERR_FULL)
		notify_alive(&n->notify);
}

/* Returns when the next one is due. */
static uint64_t probe_begin(struct node *n, uint64_t now_us)
{
	struct probe *p = &n->probe;
	uint64_t every_us = (uint64_t)n->config.probe_s * 1000000;
	if (n->notify.watchdog_us && n->notify.watchdog_us / 3 < every_us)
		every_us = n->notify.watchdog_us / 3;
	if (p->is_under_way || (p->begun_us && now_us - p->begun_us < every_us))
		return p->is_under_way ? now_us + AGAIN_US : p->begun_us + every_us;
	p->command = (struct command){ .run = probe_run, .done = probe_done };
	p->is_under_way = !node_command(n, &p->command);
	if (!p->is_under_way) /* busy */
		return now_us + AGAIN_US;
	p->begun_us = now_us;
	return now_us + every_us;
}

/* ---- systemd ---- */

/* Ready is what it does alone. STATUS says the first thing that is not well. */
static void state_tell(struct node *n)
{
	struct checks c;
	const char *text = "serving";
	checks_begin(&c);
	check_writer(n, &c);
	check_store(n, &c);
	check_handshakes(n, &c);
	bool is_ready = c.view.is_good;
	check_room(n, &c);
	check_upstream(n, &c);
	for (size_t i = c.view.n_checks; i-- > 0;)
		if (!c.check[i].is_good)
			text = c.text[i];
	notify_state(&n->notify, is_ready, text);
}

uint64_t health_tick(struct node *n, uint64_t now_us)
{
	if (n->is_stopping)
		return UINT64_MAX;
	handshakes_look(n, now_us);
	uint64_t due_us = probe_begin(n, now_us);
	if (!n->notify.is_wanted)
		return due_us;
	state_tell(n);
	bool is_watched = !n->notify.is_ready || n->probe.is_under_way; /* what comes next is to be told soon */
	return is_watched ? now_us + AGAIN_US : due_us;
}

/*
 * Bits that flip on a disk at rest, and a file that is cut short. LMDB may end a process on a page that is not what it
 * was, so whoever opens such a store does it in a process of his own:
 *
 *   the daemon    answers what it answered before the damage, or refuses, or ends: never something else. Where the
 *                 key of a row is damaged it may say that something is absent, or leave it out of a list
 *   verify        tells
 *   the operator  lets `rebuild` make what can be made anew; otherwise takes the copy (docs/OPERATIONS.md, Disk)
 *
 * In all of this the machine stands still. What goes on afterwards is the copy even where a rebuild is good: pages that
 * only LMDB reads may be damaged, too, and would end the process of the whole world.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ids.h"
#include "sim.h"

#define FLIPS_MOST 3
#define PAGE 20 /* items of the tape */
#define QUESTIONS_MOST 48
#define STEPS_MOST 100000 /* events of the machine within which it answers */
#define PATIENCE_S 300    /* real seconds: a store that is damaged must not stop whoever reads it */
#define LOOKUPS_A_MINUTE 10

struct damage {
	bool is_cut;
	size_t cut_at;
	size_t count, at[FLIPS_MOST];
	uint8_t bit[FLIPS_MOST];
};

struct question {
	const char *method;
	char path[120], code[16];
	uint64_t last;  /* of the tape before the damage: what a start writes anew is its own */
	json_t *answer; /* before; NULL: none, or a refusal */
};

static enum { NOTHING, FLIP, CUT } wanted[SITES_MOST];

void damage_reset(void)
{
	memset(wanted, 0, sizeof wanted);
}

static bool is_struck(struct site *s, int what)
{
	if (!s->node || s->is_dying || wanted[s - world.site])
		return false;
	wanted[s - world.site] = what;
	site_kill(s, false);
	return true;
}

bool strike_flip(struct site *s)
{
	return is_struck(s, FLIP);
}

bool strike_cut_short(struct site *s)
{
	return is_struck(s, CUT);
}

static void damage_draw(struct damage *d, bool is_cut, struct bytes disk)
{
	size_t used = disk.size;
	while (used > 1 && !disk.data[used - 1])
		used--;
	memset(d, 0, sizeof *d);
	d->is_cut = is_cut;
	d->cut_at = (size_t)draw(used);
	d->count = is_cut ? 0 : (size_t)draw_between(1, FLIPS_MOST);
	for (size_t i = 0; i < d->count; i++) {
		d->at[i] = (size_t)draw(used);
		d->bit[i] = (uint8_t)(1u << draw(8));
	}
}

static void damage_do(const struct damage *d, const char *folder)
{
	char path[320];
	snprintf(path, sizeof path, "%s/store/data.mdb", folder);
	if (d->is_cut && truncate(path, (off_t)d->cut_at))
		fail("cannot cut %s", path);
	FILE *file = fopen(path, "r+b");
	for (size_t i = 0; file && i < d->count; i++) {
		fseek(file, (long)d->at[i], SEEK_SET);
		int byte = fgetc(file);
		fseek(file, (long)d->at[i], SEEK_SET);
		fputc(byte ^ d->bit[i], file);
	}
	if (!file || fclose(file))
		fail("cannot write %s", path);
}

/* ---- the daemon, asked before and after ---- */

static size_t questions_make(const struct site *s, struct question *q)
{
	const struct promise *p;
	size_t count = 0, promised = promises(&p), lookups = 0;
	for (uint64_t from = 1; from + PAGE <= s->said_position && count < QUESTIONS_MOST / 2; from += PAGE) {
		q[count].last = s->said_position;
		snprintf(q[count].path, sizeof q->path, "/ctl/v1/journal?count=%d&from=%llu", PAGE,
		         (unsigned long long)from);
		q[count++].method = "GET";
	}
	for (size_t i = promised; i-- > 0 && count < QUESTIONS_MOST;) {
		if (s->tier != LM__TIER__TIER_TERMINAL && (s == site_hub() || p[i].terminal->above == s)) {
			snprintf(q[count].path, sizeof q->path, "/api/v1/cases/%s", p[i].request);
			q[count++].method = "GET";
		} else if (p[i].terminal == s && lookups++ < LOOKUPS_A_MINUTE) {
			snprintf(q[count].code, sizeof q->code, "%s", p[i].code);
			snprintf(q[count].path, sizeof q->path, "/api/v1/receipts/lookup");
			q[count++].method = "POST";
		}
	}
	return count;
}

struct answer {
	uint64_t last;
	bool is_there;
	int status;
	json_t *body;
};

static void items_cut(json_t *items, uint64_t last)
{
	for (size_t i = json_array_size(items); i-- > 0;) {
		const char *position = json_string_value(json_object_get(json_array_get(items, i), "position"));
		if (position && strtoull(position, NULL, 10) > last)
			json_array_remove(items, i);
	}
}

static void answer_came(void *context, int status, json_t *body)
{
	struct answer *a = context;
	items_cut(json_object_get(body, "items"), a->last);
	a->is_there = true;
	a->status = status;
	a->body = json_incref(body);
}

static uint64_t position_in(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? strtoull(text, NULL, 10) : 0;
}

/* A page of the tape in which nothing stands but what stood there; what is left out makes room for what comes after. */
static bool is_part_of(const json_t *now, const json_t *before)
{
	size_t i, j = 0;
	json_t *item, *items = json_object_get(before, "items");
	json_array_foreach(json_object_get(now, "items"), i, item)
	{
		if (position_in(item, "position") >= position_in(before, "next"))
			return true;
		while (j < json_array_size(items) && !json_equal(json_array_get(items, j), item))
			j++;
		if (j++ == json_array_size(items))
			return false;
	}
	return json_is_array(items);
}

static bool says_absent(json_t *body)
{
	char *text = json_dumps(body, JSON_SORT_KEYS);
	bool says = text && strstr(text, "\"is_absent\": true");
	free(text);
	return says;
}

/* Nobody else is awake: a link is never answered, and no time passes. False: what was there is absent. */
static bool ask(struct site *s, struct question *q, bool is_damaged)
{
	struct answer a = { .last = q->last };
	json_t *body = q->code[0] ? json_pack("{s:s}", "code", q->code) : NULL;
	if (!s->node || s->is_dying) {
		json_decref(body);
		return true;
	}
	ask_page(s, q->method, q->path, body, q->code[0] ? "resident" : "local", answer_came, &a);
	for (size_t i = 0; i < STEPS_MOST && !a.is_there && world_step_of(s); i++)
		site_bury_if_dead(s);
	if (a.status == 200 && !is_damaged)
		q->answer = json_incref(a.body);
	bool is_same = a.status != 200 || !q->answer || json_equal(q->answer, a.body);
	if (!is_same && !says_absent(a.body) && !is_part_of(a.body, q->answer))
		fail("%s answers %s %s otherwise than before its disk was damaged", s->name, q->method, q->path);
	json_decref(a.body);
	return is_same;
}

static bool daemon_try(struct site *s, const char *folder, const struct damage *d)
{
	struct question questions[QUESTIONS_MOST] = { { 0 } };
	size_t count = questions_make(s, questions);
	bool is_all_there = true;
	char sound[sizeof s->folder];
	snprintf(sound, sizeof sound, "%s", s->folder);
	weather_end();
	world.is_calm = true;
	snprintf(s->folder, sizeof s->folder, "%s", folder);
	for (int is_damaged = 0; is_damaged < 2; is_damaged++) {
		folder_copy(sound,
		            folder); /* afresh: a daemon that starts may trim what it then does not show any more */
		if (is_damaged)
			damage_do(d, folder);
		s->is_damaged = is_damaged;
		disk_site_changed(s);
		site_start(s);
		site_bury_if_dead(s);
		for (size_t i = 0; i < count; i++)
			is_all_there &= ask(s, &questions[i], is_damaged);
		site_kill(s, false);
		site_bury_if_dead(s);
	}
	for (size_t i = 0; i < count; i++)
		json_decref(questions[i].answer);
	return is_all_there;
}

/* ---- verify and the remedy ---- */

static bool is_good(const char *folder)
{
	struct closed_node c;
	struct error e = { 0 };
	struct arena arena;
	Lm__VerifyView view = LM__VERIFY_VIEW__INIT;
	if (closed_node_open(folder, true, &c, &e))
		return false;
	arena_init(&arena, 0);
	bool is_good = !node_verify(c.store, &c.keys, c.domain.device, &arena, &view, &e) && view.is_good;
	arena_release(&arena);
	closed_node_close(&c);
	return is_good;
}

static bool is_rebuilt(const char *folder)
{
	struct rebuild_result result;
	struct error e = { 0 };
	return !node_rebuild(folder, true, &result, &e) && is_good(folder);
}

enum task { TASK_DAEMON, TASK_VERIFY, TASK_REBUILD };

/* True if it says yes; a process that the damage ended says no. */
static bool apart(struct site *s, enum task task, const char *folder, const struct damage *d)
{
	const struct rlimit none = { 0, 0 };
	int status = 0;
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGSEGV, SIG_DFL); /* to be ended by the damage is no finding of a sanitizer's */
		signal(SIGBUS, SIG_DFL);
		alarm(PATIENCE_S);
		bool is_yes = task == TASK_DAEMON   ? daemon_try(s, folder, d)
		              : task == TASK_VERIFY ? is_good(folder)
		                                    : is_rebuilt(folder);
		_exit(is_yes ? 0 : 2);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		fail("no process to look at a damaged disk");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		fail("%s: whoever reads its damaged disk does not come to an end", s->name);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		exit(1); /* it has said why */
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void damage_site_buried(struct site *s)
{
	struct damage d;
	char folder[300];
	int what = wanted[s - world.site];
	wanted[s - world.site] = NOTHING;
	if (!what || weather_is_over() || !s->image)
		return;
	snprintf(folder, sizeof folder, "%s/damaged-%s", world.folder, s->place);
	damage_draw(&d, what == CUT, disk_content(s));
	bool is_all_there = apart(s, TASK_DAEMON, folder, &d);
	folder_copy(s->folder, folder);
	damage_do(&d, folder);
	const char *end = "nobody needs what was there";
	bool is_unnoticed = apart(s, TASK_VERIFY, folder, &d);
	if (is_unnoticed && !is_all_there)
		fail("%s does not answer what it answered before its disk was damaged, and verify calls that good",
		     s->name);
	if (!is_unnoticed) {
		bool is_made_anew = !d.is_cut && apart(s, TASK_REBUILD, folder, &d);
		end = is_made_anew ? "it can be rebuilt" : "it needs the copy";
	}
	tell("%-24s has a disk with %s: %s", s->name, d.is_cut ? "a file cut short" : "flipped bits", end);
	folder_remove(folder);
}

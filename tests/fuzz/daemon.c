/*
 * A district, a town and a terminal as whole daemons (over the simulator's network, clocks and threads), and a hostile
 * neighbour or page: frames of every kind with the right session and signature, requests to every route. None of it
 * ends a daemon, every answer is JSON, and every chain verifies afterwards.
 *
 * Input: steps. Each is: what, who, how, size (16 bits), bytes.
 *   what 0: a Frame to daemon `who` from its neighbour `how`; session 1 is the present one, entries.h fills in entries
 *   what 1: a request to route `how` of daemon `who`, which also draws the role: parameter, NUL, body
 *   what 2: time goes by
 *
 * The world lives on from input to input, and is made anew after WORLD_INPUTS. What led to a finding lies then,
 * numbered, in the folder story-daemon: `fuzz_daemon story-daemon` tells it again.
 */
#include <fcntl.h>

#include "entries.h"
#include "inside.h" /* of the room node */
#include "sim.h"

#define WORLD_INPUTS 400
#define INPUT_BYTES_KEPT 65536
#define STEPS_MOST 12
#define STEP_ARENA_BYTES (16u * 1024 * 1024)
#define FULL_ENOUGH_PERCENT 70

void machine_random_take(void);                         /* machine.c */
void __sanitizer_set_death_callback(void (*call)(void)) /* only with a sanitizer */
        __attribute__((weak));

static struct {
	uint8_t *data;
	size_t size;
} story[WORLD_INPUTS];
static size_t told;
static bool is_laid_out;
static char base[] = "/dev/shm/lm-fuzz-XXXXXX";

/* ---- no faults, and an honest disk ---- */

#undef malloc
#undef calloc
#undef realloc

void *__real_malloc(size_t size)
{
	return malloc(size);
}

void *__real_calloc(size_t count, size_t size)
{
	return calloc(count, size);
}

void *__real_realloc(void *memory, size_t size)
{
	return realloc(memory, size);
}

bool fault_is_about(enum fault fault)
{
	(void)fault;
	return false;
}

bool fault_hits(enum fault fault, const struct site *s)
{
	(void)fault;
	(void)s;
	return false;
}

void fault_met(enum fault fault, const struct site *s)
{
	(void)fault;
	(void)s;
}

void restores_configure(struct node_config *c)
{
	(void)c;
}

void strike_at_start(struct site *s)
{
	(void)s;
}

void weather_site_died(struct site *s)
{
	(void)s;
}

enum harm relay_harm(const struct site *from, const struct site *below, bool is_up, struct bytes frame,
                     struct buffer *out)
{
	(void)from;
	(void)below;
	(void)is_up;
	(void)frame;
	(void)out;
	return HARM_NONE;
}

bool disk_may_refuse(const struct site *s)
{
	(void)s;
	return false;
}

bool disk_is_durable(const struct site *s)
{
	(void)s;
	return true;
}

void disk_reset(void)
{
}

void disk_site_died(struct site *s)
{
	(void)s;
	never("a daemon ended");
}

void disk_site_restore(struct site *s)
{
	(void)s;
}

/* ---- the world ---- */

static void story_keep(void)
{
	char path[64];
	mkdir("story-daemon", 0700);
	for (size_t i = 0; i < told; i++) {
		snprintf(path, sizeof path, "story-daemon/%04zu", i);
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (fd >= 0 && write(fd, story[i].data, story[i].size) >= 0)
			close(fd);
	}
}

static void world_check(void)
{
	for (size_t i = 0; i < world.site_count; i++) {
		json_t *view = ask_now(&world.site[i], "GET", "/ctl/v1/verify", NULL);
		must(view);
		json_decref(view);
	}
}

static void world_make(void)
{
	if (is_laid_out) {
		world_run_until(world.now_us + 5 * SECONDS);
		world_check();
		/* Their ends are no finding. */
		for (size_t i = 0; i < world.site_count; i++)
			node_stop(world.site[i].node);
		world_run_until(world.now_us + 5 * SECONDS);
		for (size_t i = 0; i < world.site_count; i++) {
			while (world_step_of(&world.site[i]))
				continue;
			node_free(world.site[i].node);
			world.site[i].node = NULL;
		}
		sites_remove();
	}
	static const struct pace pace = { .beat_s = 2, .probe_s = 30 };
	world.pace = &pace;
	prng_seed(&world.chance, 1);
	world.seed = 1;
	world.now_us = world.trace = world.events = 0;
	net_reset();
	snprintf(world.folder, sizeof world.folder, "%s/world", base);
	must(!mkdir(world.folder, 0700));
	sites_lay_out(1, 1);
	is_laid_out = true;
	for (size_t i = 0; i < told; i++)
		free(story[i].data);
	told = 0;
}

static void base_remove(void)
{
	folder_remove(base);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	must(!crypto_init(NULL) && mkdtemp(base));
	atexit(base_remove);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(story_keep);
	machine_random_take();
	world_make();
	return 0;
}

/* ---- frames ---- */

static struct node *site_node(uint8_t who)
{
	return world.site[who % world.site_count].node;
}

/* Whose stream it is, by a short name: 0 is the neighbour, then hub, town, terminal. */
static const struct node *node_named(uint64_t name, const struct peer *p)
{
	for (size_t i = 0; i < world.site_count; i++)
		if (name ? name == i + 1 : world.site[i].node->domain.device == p->device)
			return world.site[i].node;
	return NULL;
}

static void batch_sign(struct node *n, const struct peer *p, Lm__Batch *batch, struct arena *a)
{
	const struct node *from = batch->key ? node_named(batch->key->origin, p) : NULL;
	if (!from || !batch->n_entries)
		return;
	batch->key->origin = from->domain.device;
	if (batch->key->stream == LM__STREAM__STREAM_DOWN && batch->key->receiver < 4)
		batch->key->receiver = n->domain.device;
	struct line_key key = { batch->key->origin, batch->key->stream, batch->key->receiver };
	const struct line *line = journal_line_find(n->journal, &key);
	struct signer s = { .device = from->domain.device, .signing_secret = from->keys.signing_secret };
	if (line) {
		s.incarnation = line->incarnation;
		s.seq = line->seq;
		s.head = line->hash;
	}
	seqs_fix(batch, &s, a);
	batch_finish(batch, &s, a);
}

static void hello_fix(const struct node *n, const struct peer *p, Lm__Hello *hello, struct arena *a)
{
	if (hello->device < 4)
		hello->device = p->device;
	if (!hello->authority_hash.len)
		hello->authority_hash = data_copy(a, &n->authority_hash, sizeof n->authority_hash);
	if (!hello->version_most)
		hello->version_least = hello->version_most = LINK_VERSION_MOST;
}

static void frame_come(struct node *n, uint8_t how, struct bytes packed, struct arena *a)
{
	Lm__Frame *frame;
	struct bytes again = packed;
	if (!n->peer_count)
		return;
	struct peer *p = n->peer[how % n->peer_count];
	if (!CODEC_UNPACK(lm__frame, packed, a, &frame, NULL)) {
		if (frame->session == 1)
			frame->session = atomic_load(&p->session);
		if (frame->body_case == LM__FRAME__BODY_BATCH)
			batch_sign(n, p, frame->batch, a);
		if (frame->body_case == LM__FRAME__BODY_HELLO)
			hello_fix(n, p, frame->hello, a);
		if (CODEC_PACK(frame, a, &again, NULL))
			again = packed;
	}
	world.here = site_of(n);
	peer_frame_came(n, p, again);
	world.here = NULL;
}

/* ---- pages ---- */

static void on_answered(void *context, int status, json_t *body)
{
	(void)context;
	must(status && body);
}

static const struct http_route *route_at(const struct node *n, uint8_t how)
{
	size_t all = n->tier.route_count + control_route_count, at = how % all;
	return at < n->tier.route_count ? &n->tier.routes[at] : &control_routes[at - n->tier.route_count];
}

#define PARAMETER_BYTES_MOST 80 /* three of them leave room for the rest of the path */

/* Every parameter of the path is the same text; what a path cannot hold is left out. */
static void path_make(const char *form, const char *parameter, char *path, size_t size)
{
	size_t at = 0;
	for (; *form && at + 1 < size; form++) {
		if (*form != ':') {
			path[at++] = *form;
			continue;
		}
		size_t end = at + PARAMETER_BYTES_MOST;
		for (const char *c = *parameter ? parameter : "x"; *c && at < end && at + 1 < size; c++)
			path[at++] = (unsigned char)*c <= ' ' || strchr("/?&=", *c) ? '-' : *c;
		form += strcspn(form, "/") - 1;
	}
	path[at] = '\0';
}

static void page_ask(struct node *n, uint8_t who, uint8_t how, struct bytes bytes, struct arena *a)
{
	static const char *const users[] = { "clerk1",  "operator1",  "administrator1", "supervisor1",
		                             "editor1", "publisher1", "auditor1",       "assessor1" };
	struct reader r = reader_over(bytes);
	const struct http_route *route = route_at(n, how);
	char path[300], *text = feed_text(&r, a);
	size_t parameter = strlen(text);
	const char *body = parameter < bytes.size ? text + parameter + 1 : "";
	bool is_local = (route->guard & 0xff) == HTTP_LOCAL, is_get = route->method == HTTP_GET;
	if (strstr(route->path, "/events"))
		return;
	path_make(route->path, text, path, sizeof path);
	json_t *json = is_get ? NULL : json_loadb(body, strlen(body), JSON_DECODE_ANY, NULL);
	ask_page(site_of(n), is_get ? "GET" : "POST", path, json,
	         is_local ? "local" : users[who / world.site_count % (sizeof users / sizeof *users)], on_answered,
	         NULL);
}

/* ---- one input ---- */

static void input_keep(const uint8_t *data, size_t size)
{
	story[told].data = malloc(size ? size : 1);
	must(story[told].data);
	if (size)
		memcpy(story[told].data, data, size);
	story[told++].size = size;
}

static bool world_is_used_up(void)
{
	bool is_full = false;
	for (size_t i = 0; i < world.site_count; i++)
		is_full |= atomic_load(&world.site[i].node->percent) >= FULL_ENOUGH_PERCENT;
	return is_full || told == WORLD_INPUTS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(BYTES(data, size));
	struct arena arena;
	if (size > INPUT_BYTES_KEPT)
		return 0;
	if (world_is_used_up())
		world_make();
	input_keep(data, size);
	arena_init(&arena, STEP_ARENA_BYTES);
	for (int left = STEPS_MOST; left && r.at < r.size; left--) {
		uint8_t what = read_u8(&r) % 3;
		uint8_t who = read_u8(&r);
		struct node *n = site_node(who);
		uint8_t how = read_u8(&r);
		size_t bytes = read_u16(&r);
		struct bytes content = read_bytes(&r, bytes < r.size - r.at ? bytes : r.size - r.at);
		if (what == 0)
			frame_come(n, how, content, &arena);
		else if (what == 1)
			page_ask(n, who, how, content, &arena);
		world_run_until(world.now_us + (what == 2 ? how * 40 * MS : 2 * MS));
		arena_reset(&arena);
	}
	world_run_until(world.now_us + 10 * MS);
	arena_release(&arena);
	return 0;
}

#ifdef LM_FUZZ
static void frame_change(struct prng *p, ProtobufCMessage *message, struct arena *a)
{
	Lm__Frame *frame = (Lm__Frame *)message;
	if (frame->body_case == LM__FRAME__BODY_BATCH && prng_below(p, 8))
		batch_change(p, frame->batch, a);
	else if (frame->body_case == LM__FRAME__BODY_SIGNED_MARKS && prng_below(p, 2))
		packed_change(p, &lm__marks__descriptor, &frame->signed_marks->marks, a);
	else
		message_change(p, message, a, 0);
	if (prng_below(p, 4))
		frame->session = 1;
}

/* Changes the frame of one step, and writes its size anew. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	struct prng p;
	size_t at = 0, starts[STEPS_MOST], count = 0;
	prng_seed(&p, seed);
	for (; at + 5 <= size && count < STEPS_MOST; at += 5u + ((size_t)data[at + 3] << 8 | data[at + 4]))
		if (data[at] % 3 == 0)
			starts[count++] = at;
	if (!count || prng_below(&p, 4) == 0)
		return LLVMFuzzerMutate(data, size, most);
	size_t start = starts[prng_below(&p, count)] + 5, old = (size_t)data[start - 2] << 8 | data[start - 1];
	if (old > size - start)
		old = size - start;
	size_t room = old + (most - size);
	uint8_t *frame = malloc(room ? room : 1);
	must(frame);
	memcpy(frame, data + start, old);
	size_t grown = packed_mutate(&lm__frame__descriptor, 0, frame, old, room < 65535 ? room : 65535,
	                             (unsigned)prng_next(&p), frame_change);
	memmove(data + start + grown, data + start + old, size - start - old);
	memcpy(data + start, frame, grown);
	data[start - 2] = (uint8_t)(grown >> 8);
	data[start - 1] = (uint8_t)grown;
	free(frame);
	return size - old + grown;
}
#endif

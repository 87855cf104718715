/*
 * Life of a daemon: opening everything in order, the signals, closing in reverse.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "act.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "join.h"
#include "node/backup.h"
#include "node/device_file.h"
#include "rotation.h"

#define SESSION_MOST_S (12 * 3600) /* of staff: nobody works longer */
#define DESCRIPTORS 8192

#define TICK_MOST_US 60000000 /* whatever nobody thought of waits no longer */

void node_path(const struct node *n, enum data_file file, char *out, size_t size)
{
	static const char *const names[] = { "device.keys",    "device.keys.next", "keytable.key",
		                             "authority.keys", "ctl.sock",         "store",
		                             "link.sock" };
	snprintf(out, size, "%s/%s", n->config.data, names[file]);
}

/* ---- keys and store ---- */

static int keys_open(struct node *n, struct error *e)
{
	char path[4096];
	bool was_made;
	struct hash fingerprint;
	int result = folder_make(n->config.data, 0700, e);
	node_path(n, FILE_KEYS, path, sizeof path);
	if (!result)
		result = device_keys_open(path, &n->keys, &was_made, e);
	if (!result)
		result = device_fingerprint(n->keys.suite, n->keys.curve_public, n->keys.signing_public,
		                            n->keys.opening_public, &fingerprint, e);
	if (result)
		return result;
	fingerprint_to_text(&fingerprint, n->fingerprint);
	n->domain.device = device_id_of(&n->keys.first);
	n->domain.tier = n->tier.tier;
	n->domain.memo = &n->memo;
	snprintf(n->domain.place, sizeof n->domain.place, "%s", n->config.place);
	if (was_made)
		log_write(LOG_INFO, "keys-made", "this device's keys were made; fingerprint %s", n->fingerprint);
	result = device_file_write(n->config.data, &n->keys, e);
	if (result || n->domain.tier != LM__TIER__TIER_DISTRICT)
		return result;
	node_path(n, FILE_AUTHORITY, path, sizeof path);
	result = device_keys_open(path, &n->authority, &was_made, e);
	return result ? result : authority_key_hash(n->authority.signing_public, &n->authority_hash, e);
}

static int store_start(struct node *n, struct error *e)
{
	const struct store_table *tables[STORE_TABLES_MOST];
	char folder[4096], path[4096];
	size_t count = 0;
	for (size_t i = 0; i < journal_table_count; i++)
		tables[count++] = journal_tables[i];
	for (size_t i = 0; i < domain_table_number; i++)
		tables[count++] = domain_tables[i];
	node_path(n, FILE_STORE, folder, sizeof folder);
	node_path(n, FILE_KEY_TABLE, path, sizeof path);
	struct store_options options = { .folder = folder,
		                         .map_bytes = (uint64_t)n->config.map_bytes,
		                         .tables = tables,
		                         .table_count = count,
		                         .key_file = path };
	memcpy(options.master_key, n->keys.store_key, KEY_BYTES);
	int result = store_open(&options, &n->store, e);
	crypto_wipe(options.master_key, sizeof options.master_key);
	struct journal_options journal = { .store = n->store, .keys = &n->keys, .device = n->domain.device };
	return result ? result : journal_open(&journal, &n->journal, e);
}

static void birth_done(struct node *n, struct command *c)
{
	struct error e;
	if (!c->result &&
	    restored_remove(n->config.data, &e)) /* it says nothing any more; a start with it does no harm */
		log_write(LOG_WARN, "start", "%s", e.text);
	if (c->result) {
		log_write(LOG_ERROR, "start", "%s", c->error.text);
		n->exit_code = error_exit_code(c->result);
		node_stop(n);
	}
	free(c);
}

/* ---- loop handles ---- */

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void on_outbox(uv_async_t *async)
{
	struct node *n = async->data;
	outbox_drain(n);
	if (atomic_load(&n->is_writer_over))
		node_close_begin(n);
}

/* Returns when the next one is due. */
static uint64_t asks_expire(struct node *n)
{
	uint64_t now = clock_monotonic_us(), due_us = UINT64_MAX;
	for (struct ask **at = &n->asks; *at;) {
		struct ask *ask = *at;
		if (ask->deadline_us > now && !n->is_stopping) {
			due_us = sooner(due_us, ask->deadline_us);
			at = &ask->next;
			continue;
		}
		*at = ask->next;
		ask->done(ask->context, NULL);
		free(ask);
	}
	return due_us;
}

static void on_timer(uv_timer_t *timer)
{
	struct node *n = timer->data;
	uint64_t now = clock_monotonic_us(), due_us = now + TICK_MOST_US;
	n->tick_us = UINT64_MAX;
	peers_tick(n);
	join_endpoint_tick(n);
	join_device_tick(n);
	rotation_tick(n);
	backups_tick(n);
	due_us = sooner(due_us, asks_expire(n));
	due_us = sooner(due_us, health_tick(n, now));
	due_us = sooner(due_us, join_endpoint_due_us(n));
	due_us = sooner(due_us, join_device_due_us(n));
	if (n->tier.on_tick)
		due_us = sooner(due_us, n->tier.on_tick(n, now));
	node_tick_by(n, due_us);
}

void node_tick_by(struct node *n, uint64_t due_us)
{
	if (due_us >= n->tick_us || n->is_closed)
		return;
	uint64_t now = clock_monotonic_us();
	n->tick_us = due_us;
	uv_timer_start(&n->timer, on_timer, due_us > now ? (due_us - now + 999) / 1000 : 0, 0);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct node *n = handle->data;
	(void)number;
	n->must_restart = false;
	node_stop(n);
}

static int handles_start(struct node *n, struct error *e)
{
	/* Before they are tried: node_close_begin closes those that were made. */
	n->outbox_async.data = n->timer.data = n->interrupt.data = n->terminate.data = n;
	int failed = uv_async_init(n->loop, &n->outbox_async, on_outbox);
	failed = failed ? failed : uv_timer_init(n->loop, &n->timer);
	failed = failed ? failed : uv_signal_init(n->loop, &n->interrupt);
	failed = failed ? failed : uv_signal_init(n->loop, &n->terminate);
	if (failed)
		return error_set(e, ERR_INTERNAL, "the event loop cannot be set up: %s", uv_strerror(failed));
	node_tick_by(n, clock_monotonic_us() + TICK_SOON_US);
	uv_signal_start(&n->interrupt, on_signal, SIGINT);
	uv_signal_start(&n->terminate, on_signal, SIGTERM);
	return OK;
}

static int http_start(struct node *n, struct error *e)
{
	char path[4096];
	node_path(n, FILE_SOCKET, path, sizeof path);
	size_t count = n->tier.route_count + control_route_count + device_route_count;
	struct http_route *routes = calloc(count, sizeof *routes);
	if (!routes)
		return error_set(e, ERR_MEMORY, "no memory for routes");
	memcpy(routes, n->tier.routes, n->tier.route_count * sizeof *routes);
	memcpy(routes + n->tier.route_count, control_routes, control_route_count * sizeof *routes);
	memcpy(routes + count - device_route_count, device_routes, device_route_count * sizeof *routes);
	n->routes = routes;
	struct http_options options = { .address = n->config.http_address,
		                        .public_name = n->config.public_name,
		                        .socket_path = path,
		                        .static_folder = n->config.pages,
		                        .session_cookie = n->tier.session_cookie,
		                        .session_idle_s = (uint32_t)n->config.session_idle_s,
		                        .session_most_s = n->tier.tier == LM__TIER__TIER_TERMINAL ? 0 : SESSION_MOST_S,
		                        .has_one_window = n->tier.tier == LM__TIER__TIER_TERMINAL,
		                        .routes = routes,
		                        .route_count = count,
		                        .may = role_may,
		                        .context = n };
	return http_open(n->loop, &options, &n->http, e);
}

static int writer_start(struct node *n, struct error *e)
{
	struct command *birth = calloc(1, sizeof *birth);
	if (!birth)
		return error_set(e, ERR_MEMORY, "no memory to start");
	birth->run = birth_run;
	birth->done = birth_done;
	int result = writer_launch(n, e);
	if (!result) /* the first, as the loop does not run yet */
		result = node_command(n, birth) ? error_set(e, ERR_MEMORY, "no memory to start") : OK;
	if (result)
		free(birth);
	return result;
}

static int node_open(struct node *n, struct error *e)
{
	int result = keys_open(n, e);
	if (!result && n->config.authority && hex_decode(n->config.authority, n->authority_hash.byte, HASH_BYTES))
		result = error_set(e, ERR_CONFIG, "authority is not 64 hexadecimal digits");
	if (!result && n->config.upstream_key && hex_decode(n->config.upstream_key, n->upstream_key, KEY_BYTES))
		result = error_set(e, ERR_CONFIG, "upstream_key is not 64 hexadecimal digits");
	if (!result)
		result = crypto_random(&n->run, sizeof n->run, e);
	if (!result)
		result = n->config.places ? places_open(n->config.places, &n->names, e) : OK;
	if (!result)
		result = store_start(n, e);
	if (!result)
		result = return_open(n, e);
	if (!result)
		result = handles_start(n, e);
	if (!result)
		result = directory_refresh(n, e);
	if (!result)
		result = join_device_open(n, e);
	if (!result)
		result = rotation_open(n, e);
	if (!result)
		result = http_start(n, e);
	if (!result)
		result = peers_start(n, e);
	if (!result && n->tier.on_start)
		result = n->tier.on_start(n, e);
	if (!result)
		result = writer_start(n, e);
	if (!result)
		node_tick_by(
		        n, health_tick(
		                   n, clock_monotonic_us())); /* the first probe follows what is written at the start */
	return result;
}

int node_start(const struct node_options *options, struct node **out, struct error *e)
{
	struct node *n = calloc(1, sizeof *n);
	pthread_condattr_t attributes;
	if (!n)
		return error_set(e, ERR_MEMORY, "no memory to start");
	n->config = options->config;
	n->tier = options->tier;
	n->loop = options->loop;
	n->started_ms = clock_wall_ms();
	notify_open(&n->notify);
	arena_init(&n->turn_arena, TURN_ARENA_BYTES);
	arena_init(&n->send_arena, TURN_ARENA_BYTES);
	pthread_mutex_init(&n->inbox_lock, NULL);
	pthread_mutex_init(&n->outbox_lock, NULL);
	pthread_mutex_init(&n->directory_lock, NULL);
	pthread_mutex_init(&n->gauges_lock, NULL);
	n->tick_us = UINT64_MAX;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&n->inbox_ready, &attributes);
	pthread_condattr_destroy(&attributes);
	*out = n; /* also when half built: node_stop and node_free clean it up */
	int result = crypto_init(e);
	return result ? result : node_open(n, e);
}

/* ---- the end ---- */

static void handle_close(uv_handle_t *handle)
{
	if (uv_handle_get_type(handle) != UV_UNKNOWN_HANDLE && !uv_is_closing(handle))
		uv_close(handle, NULL);
}

void node_close_begin(struct node *n)
{
	if (n->is_closed)
		return;
	n->is_closed = true;
	writer_join(n);
	outbox_drain(n); /* answers that were still on their way */
	asks_expire(n);
	if (n->tier.on_stop)
		n->tier.on_stop(n);
	peers_close(n);
	if (n->http)
		http_close(n->http);
	n->http = NULL;
	handle_close((uv_handle_t *)&n->outbox_async);
	handle_close((uv_handle_t *)&n->timer);
	handle_close((uv_handle_t *)&n->interrupt);
	handle_close((uv_handle_t *)&n->terminate);
}

void node_stop(struct node *n)
{
	if (n->is_stopping)
		return;
	n->is_stopping = true;
	if (!n->must_restart)
		notify_stopping(&n->notify);
	inbox_close(n);
	if (!n->has_writer) /* else when it has worked off what is in the inbox */
		node_close_begin(n);
}

void node_free(struct node *n)
{
	for (struct out *o = outbox_take(n), *next; o; o = next) {
		next = o->next;
		if (o->frame)
			out_frame_free(o->frame);
		buffer_release(&o->answer);
		free(o->news);
		free(o);
	}
	for (size_t i = 0; i < n->peer_count; i++)
		peer_free(n->peer[i]);
	journal_close(n->journal);
	store_close(n->store);
	places_close(n->names);
	metrics_free(n);
	notify_close(&n->notify);
	free(n->routes);
	free(n->directory);
	free(n->arrivals);
	domain_effects_release(&n->effects);
	domain_effects_release(&n->news);
	arena_release(&n->turn_arena);
	arena_release(&n->send_arena);
	pthread_mutex_destroy(&n->inbox_lock);
	pthread_mutex_destroy(&n->outbox_lock);
	pthread_mutex_destroy(&n->directory_lock);
	pthread_mutex_destroy(&n->gauges_lock);
	pthread_cond_destroy(&n->inbox_ready);
	node_config_release(&n->config);
	crypto_wipe(&n->keys, sizeof n->keys);
	crypto_wipe(&n->authority, sizeof n->authority);
	if (n->tier.on_free)
		n->tier.on_free(n->tier.context);
	free(n);
}

int node_exit_code(const struct node *n)
{
	return n->exit_code;
}

bool node_must_restart(const struct node *n)
{
	return n->must_restart;
}

/* ---- main ---- */

static void usage(const char *program, Lm__Tier tier)
{
	printf("usage: %s --config FILE                  runs\n"
	       "       %s --config FILE --check-config   tells all that is wrong with it\n"
	       "       %s --sample-config                prints a configuration with every key\n"
	       "\nKeys of the configuration:\n",
	       program, program, program);
	node_config_help(tier);
}

/* Secrets live in this process: no core files, no tracing by others. A link takes three descriptors: as many as it may.
 */
static void process_guard(void)
{
	struct rlimit none = { 0, 0 }, files;
	setrlimit(RLIMIT_CORE, &none);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < DESCRIPTORS) {
		files.rlim_cur = files.rlim_max < DESCRIPTORS ? files.rlim_max : DESCRIPTORS;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_IGN);
}

static int daemon_run(const struct tier *tier, struct node_config *config, bool *must_restart)
{
	uv_loop_t loop;
	struct node *n = NULL;
	struct error e = { 0 };
	int failed = uv_loop_init(&loop);
	if (failed) {
		fprintf(stderr, "%s: the event loop cannot be set up: %s\n", tier->program, uv_strerror(failed));
		node_config_release(config);
		return error_exit_code(ERR_INTERNAL);
	}
	struct node_options options = { .config = *config, .tier = *tier, .loop = &loop };
	int result = node_start(&options, &n, &e);
	if (result) {
		fprintf(stderr, "%s: %s\n", tier->program, e.text);
		if (n)
			node_stop(n);
	} else {
		log_write(LOG_INFO, "started", "%s for %s, fingerprint %s", tier->program, n->domain.place,
		          n->fingerprint);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	int code = result ? error_exit_code(result) : node_exit_code(n);
	*must_restart = n && node_must_restart(n);
	if (n)
		node_free(n);
	uv_loop_close(&loop);
	log_write(LOG_INFO, "ended", "%s ended", tier->program);
	return code;
}

/* For the test that knows who may do what: nothing is to be served that it does not name. */
static void routes_print(const struct http_route *routes, size_t count)
{
	static const char *const guards[] = {
		[HTTP_OPEN] = "open", [HTTP_SESSION] = "session", [HTTP_LOCAL] = "local"
	};
	for (size_t i = 0; i < count; i++) {
		printf("%s %s %s", routes[i].method == HTTP_GET ? "GET" : "POST", routes[i].path,
		       guards[routes[i].guard & 0xff]);
		for (unsigned bit = 0; bit < RIGHT_COUNT; bit++)
			if (routes[i].guard >> 8 & 1u << bit)
				printf(" %s", right_names[bit]);
		printf("\n");
	}
}

static void all_routes_print(const struct tier *tier)
{
	const char *roles[ROLES_MOST];
	size_t count = role_list(tier->tier, roles);
	routes_print(tier->routes, tier->route_count);
	routes_print(control_routes, control_route_count);
	routes_print(device_routes, device_route_count);
	for (size_t i = 0; i < count; i++)
		printf("role %s\n", roles[i]);
}

int node_main(int argc, char **argv, struct tier tier)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },  { "check-config", no_argument, NULL, 'k' },
		{ "sample-config", no_argument, NULL, 's' }, { "print-routes", no_argument, NULL, 'r' }, /* of tests */
		{ "help", no_argument, NULL, 'h' },          { NULL, 0, NULL, 0 }
	};
	const char *path = NULL;
	bool is_check = false;
	for (int option; (option = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
		if (option == 'c') {
			path = optarg;
		} else if (option == 'k') {
			is_check = true;
		} else if (option == 's') {
			node_config_sample(tier.program, tier.tier);
			return 0;
		} else if (option == 'r') {
			all_routes_print(&tier);
			return 0;
		} else {
			usage(tier.program, tier.tier);
			return option == 'h' ? 0 : error_exit_code(ERR_USAGE);
		}
	}
	if (!path || optind != argc) {
		usage(tier.program, tier.tier);
		return error_exit_code(ERR_USAGE);
	}
	if (is_check)
		return error_exit_code(node_config_check(path, tier.tier));
	struct node_config config;
	struct error e;
	enum log_level level = LOG_INFO;
	int result = node_config_read(path, tier.tier, &config, &e);
	if (result) {
		fprintf(stderr, "%s: %s\n", tier.program, e.text);
		return error_exit_code(result);
	}
	log_level_parse(config.log_level, &level); /* it was checked */
	process_guard();
	log_open(tier.program, level);
	bool must_restart = false;
	int code = daemon_run(&tier, &config, &must_restart);
	if (!must_restart || code)
		return code;
	execv("/proc/self/exe", argv); /* the same process to its supervisor */
	log_write(LOG_ERROR, "ended", "the daemon cannot start itself anew: %s", strerror(errno));
	return error_exit_code(ERR_INTERNAL);
}

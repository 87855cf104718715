/*
 * The daemons' configuration: one table of keys; which are required depends on the tier.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "inside.h"

#define KEY(field) .offset = offsetof(struct node_config, field)
#define MAP_LEAST (4ll * 1024 * 1024)
#define MAP_MOST (1ll << 40)
#define NO_KEY "0000000000000000000000000000000000000000000000000000000000000000"
#define SHARE "/usr/local/share/last-mile/"
#define PAGES SHARE "pages/"

static const struct config_key all_keys[] = {
	{ .name = "place",
	  .type = CONFIG_TEXT,
	  .is_required = true,
	  KEY(place),
	  .help = "place code of this node: 310114, 310114106 or 310114106001-T1" },
	{ .name = "data",
	  .type = CONFIG_TEXT,
	  .is_required = true,
	  KEY(data),
	  .help = "folder of keys and store, mode 0700" },
	{ .name = "link_address",
	  .type = CONFIG_TEXT,
	  KEY(link_address),
	  .help = "hub and town: where the tier below connects, tcp://127.0.0.1:5601" },
	{ .name = "join_address",
	  .type = CONFIG_TEXT,
	  KEY(join_address),
	  .help = "hub and town: where new devices of the tier below join with a token, tcp://127.0.0.1:5602; absent: "
	          "nowhere" },
	{ .name = "upstream",
	  .type = CONFIG_TEXT,
	  KEY(upstream),
	  .help = "town and terminal: address of the tier above" },
	{ .name = "upstream_key",
	  .type = CONFIG_TEXT,
	  KEY(upstream_key),
	  .help = "town and terminal: CURVE key of the tier above, 64 hexadecimal digits; `lmctl status` there prints "
	          "it" },
	{ .name = "upstream_join",
	  .type = CONFIG_TEXT,
	  KEY(upstream_join),
	  .help = "town and terminal: where this device joins with a token at its first start; absent: it is admitted "
	          "by hand" },
	{ .name = "authority",
	  .type = CONFIG_TEXT,
	  KEY(authority),
	  .help = "town and terminal: hash of the district's authority, 64 hexadecimal digits; `lmctl status` at the "
	          "hub "
	          "prints it" },
	{ .name = "http_address",
	  .type = CONFIG_TEXT,
	  KEY(http_address),
	  .help = "loopback address of the pages, of /metrics, /healthz and /readyz: 127.0.0.1:8601" },
	{ .name = "public_name",
	  .type = CONFIG_TEXT,
	  KEY(public_name),
	  .help = "name under which nginx serves the pages over TLS, as browsers write it: desk.example.org, or "
	          "desk.example.org:8443" },
	{ .name = "pages", .type = CONFIG_TEXT, KEY(pages), .help = "folder of the pages" },
	{ .name = "places", .type = CONFIG_TEXT, KEY(places), .help = "JSON file with the names of places" },
	{ .name = "letters",
	  .type = CONFIG_TEXT,
	  KEY(letters),
	  .help = "hub and town: JSON file with the texts of letters to residents; absent: none can be made" },
	{ .name = "reports",
	  .type = CONFIG_TEXT,
	  KEY(reports),
	  .help = "hub: JSON file that says what is reported to the city; absent: nothing is" },
	{ .name = "sms_spool",
	  .type = CONFIG_TEXT,
	  KEY(sms_spool),
	  .help = "hub and town: folder through which another program sends text messages; absent: telling residents "
	          "so is a "
	          "task of staff" },
	{ .name = "map_size",
	  .type = CONFIG_SIZE,
	  .default_text = "256M",
	  .least = MAP_LEAST,
	  .most = MAP_MOST,
	  KEY(map_bytes),
	  .help = "size of the store in bytes, with K, M, G or T; preallocated, it only grows, and only between runs" },
	{ .name = "origin_share",
	  .type = CONFIG_INTEGER,
	  .default_text = "50",
	  .least = 1,
	  .most = STOP_PERCENT,
	  KEY(origin_share),
	  .help = "hub and town: per cent of the store that the entries of one device below may fill; then nothing "
	          "more of "
	          "it is taken, and the others go on" },
	{ .name = "receipts_ahead",
	  .type = CONFIG_INTEGER,
	  .default_text = "64",
	  .least = 0,
	  .most = 64,
	  KEY(receipts_ahead),
	  .help = "terminal: how many receipts are made ahead when idle" },
	{ .name = "session_idle_s",
	  .type = CONFIG_INTEGER,
	  .default_text = "900",
	  .least = 60,
	  .most = 86400,
	  KEY(session_idle_s),
	  .help = "after so many seconds without a request a session is locked, or ends at a terminal" },
	{ .name = "second_factor",
	  .type = CONFIG_TEXT,
	  .default_text = "required",
	  KEY(second_factor),
	  .help = "hub and town: required, or optional for a trial: whether everybody logs in with an authenticator's "
	          "code besides the password" },
	{ .name = "hand_over_days",
	  .type = CONFIG_INTEGER,
	  .default_text = "3",
	  .least = 1,
	  .most = 60,
	  KEY(hand_over_days),
	  .help = "hub and town: a case that was handed over and that nobody accepts here within so many working days "
	          "goes back by itself" },
	{ .name = "clock_warn_s",
	  .type = CONFIG_INTEGER,
	  .default_text = "60",
	  .least = 1,
	  .most = 86400,
	  KEY(clock_warn_s),
	  .help = "a neighbour's wall clock that differs by more than so many seconds is told; nothing depends on it" },
	{ .name = "beat_s",
	  .type = CONFIG_INTEGER,
	  .default_text = "2",
	  .least = 1,
	  .most = BEAT_MS_MOST / 1000,
	  KEY(beat_s),
	  .help = "a link with nothing to say says every so many seconds that it lives; after four and a half times as "
	          "long the other side takes it as lost" },
	{ .name = "probe_s",
	  .type = CONFIG_INTEGER,
	  .default_text = "30",
	  .least = 5,
	  .most = 86400,
	  KEY(probe_s),
	  .help = "every so many seconds a row is written, to see whether the disk takes writes; under systemd's "
	          "watchdog "
	          "as often as that wants" },
	{ .name = "demo",
	  .type = CONFIG_BOOLEAN,
	  .default_text = "no",
	  KEY(is_demo),
	  .help = "pages say that the data is made up" },
	{ .name = "practice",
	  .type = CONFIG_BOOLEAN,
	  .default_text = "no",
	  KEY(is_practice),
	  .help = "pages say that this is for practice: nothing that is done here counts" },
	{ .name = "printer",
	  .type = CONFIG_TEXT,
	  KEY(printer),
	  .help = "terminal: device of the receipt printer (ESC/POS, paper of 80 mm), /dev/usb/lp0; absent: receipts "
	          "are on the screen only" },
	{ .name = "pinyin",
	  .type = CONFIG_TEXT,
	  KEY(pinyin),
	  .help = "terminal: program that finds Chinese characters by pinyin, lm-pinyin; absent: residents type "
	          "letters "
	          "and digits only, unless their keyboard does it" },
	{ .name = "card_adapter",
	  .type = CONFIG_TEXT,
	  KEY(card_adapter),
	  .help = "terminal: program at a card reader, lm-card for cards of the district; absent: nobody shows a "
	          "card" },
	{ .name = "speech",
	  .type = CONFIG_TEXT,
	  KEY(speech),
	  .help = "terminal: folder of the voice's lexicon and of recorded clips; absent: screens are not read aloud" },
	{ .name = "signs",
	  .type = CONFIG_TEXT,
	  KEY(signs),
	  .help = "terminal: folder of clips in sign language and their index.json; absent: there are none" },
	{ .name = "scanner_folder",
	  .type = CONFIG_TEXT,
	  KEY(scanner_folder),
	  .help = "terminal: folder into which a scanner puts its files, best in memory; files in it are wiped; "
	          "absent: "
	          "there is no scanner" },
	{ .name = "recovery_key",
	  .type = CONFIG_TEXT,
	  KEY(recovery_key),
	  .help = "public key to which backups are sealed, 64 hexadecimal digits; `lmctl recovery key` makes it "
	          "elsewhere; absent: lmctl backup make refuses" },
	{ .name = "backup_folder",
	  .type = CONFIG_TEXT,
	  KEY(backup_folder),
	  .help = "folder that lmctl backup make writes to; from there they are fetched by another machine" },
	{ .name = "backup_alarm_days",
	  .type = CONFIG_INTEGER,
	  .default_text = "7",
	  .least = 1,
	  .most = 365,
	  KEY(backup_alarm_days),
	  .help = "alarm when for so many days no backup was made that has been verified" },
	{ .name = "log_level",
	  .type = CONFIG_TEXT,
	  .default_text = "info",
	  KEY(log_level),
	  .help = "debug, info, warn or error" },
};
#define KEY_COUNT (sizeof all_keys / sizeof *all_keys)

static const struct { /* of the keys that not every tier has, and of what a sample file says */
	const char *key;
	const char *at[3]; /* terminal, town, district: NULL: that tier has no such key */
} samples[] = {
	{ "place", { "310114106001-T1", "310114106", "310114" } },
	{ "data", { "/var/lib/lm-terminal", "/var/lib/lm-subcenter", "/var/lib/lm-hub" } },
	{ "link_address", { NULL, "tcp://0.0.0.0:5602", "tcp://0.0.0.0:5601" } },
	{ "join_address", { NULL, "tcp://0.0.0.0:5604", "tcp://0.0.0.0:5603" } },
	{ "upstream", { "tcp://192.0.2.6:5602", "tcp://192.0.2.1:5601", NULL } },
	{ "upstream_key", { NO_KEY, NO_KEY, NULL } },
	{ "upstream_join", { "tcp://192.0.2.6:5604", "tcp://192.0.2.1:5603", NULL } },
	{ "authority", { NO_KEY, NO_KEY, NULL } },
	{ "http_address", { "127.0.0.1:8603", "127.0.0.1:8602", "127.0.0.1:8601" } },
	{ "pages", { PAGES "terminal", PAGES "town", PAGES "hub" } },
	{ "places", { SHARE "places.json", SHARE "places.json", SHARE "places.json" } },
	{ "pinyin", { "/usr/local/bin/lm-pinyin", NULL, NULL } },
	{ "speech", { SHARE "speech", NULL, NULL } },
	{ "letters", { NULL, SHARE "letters.json", SHARE "letters.json" } },
	{ "reports", { NULL, NULL, SHARE "reports.json" } },
	{ "second_factor", { NULL, "required", "required" } },
	{ "map_size", { "256M", "2G", "8G" } },
};

/* The keys as this tier has them. It reads the others too, to say why it has no use for them. */
static void keys_for(Lm__Tier tier, struct config_key keys[KEY_COUNT], bool is_used[KEY_COUNT])
{
	memcpy(keys, all_keys, sizeof all_keys);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		const char *others = tier == LM__TIER__TIER_TERMINAL ? "hub and town: " : "terminal: ";
		is_used[i] = strncmp(keys[i].help, others, strlen(others)) != 0;
		for (size_t k = 0; k < sizeof samples / sizeof *samples; k++) {
			if (strcmp(keys[i].name, samples[k].key) != 0)
				continue;
			keys[i].example = samples[k].at[tier - LM__TIER__TIER_TERMINAL];
			is_used[i] = keys[i].example != NULL;
		}
		if (strcmp(keys[i].name, "link_address") == 0 || strcmp(keys[i].name, "upstream") == 0 ||
		    strcmp(keys[i].name, "upstream_key") == 0 || strcmp(keys[i].name, "authority") == 0)
			keys[i].is_required = is_used[i];
	}
}

/* ---- what the values must be, beyond their form ---- */

static int place_rule(Lm__Tier tier, const struct node_config *c, struct error *e)
{
	enum place_level want = tier == LM__TIER__TIER_DISTRICT ? PLACE_DISTRICT
	                        : tier == LM__TIER__TIER_TOWN   ? PLACE_TOWN
	                                                        : PLACE_DEVICE;
	if (!c->place || place_level_of(c->place) == want)
		return OK;
	return error_set(e, ERR_CONFIG,
	                 "place = %s is not a place of this tier (hub 310114, town 310114106, terminal "
	                 "310114106001-T1)",
	                 c->place);
}

static int above_rule(Lm__Tier tier, const struct node_config *c, struct error *e)
{
	if (tier != LM__TIER__TIER_DISTRICT || (!c->upstream && !c->upstream_key && !c->upstream_join && !c->authority))
		return OK;
	return error_set(e, ERR_CONFIG,
	                 "the hub has nothing above it: remove upstream, upstream_key, upstream_join and authority");
}

static int below_rule(Lm__Tier tier, const struct node_config *c, struct error *e)
{
	if (tier == LM__TIER__TIER_TERMINAL && (c->link_address || c->join_address))
		return error_set(e, ERR_CONFIG,
		                 "a terminal has nothing below it: remove link_address and join_address");
	return c->link_address ? net_address_check(c->link_address, true, e) : OK;
}

static int key_rule(const char *name, const char *text, struct error *e)
{
	uint8_t key[KEY_BYTES];
	if (!text || !hex_decode(text, key, KEY_BYTES))
		return OK;
	return error_set(e, ERR_CONFIG, "%s is not 64 hexadecimal digits", name);
}

static int upstream_key_rule(Lm__Tier tier, const struct node_config *c, struct error *e)
{
	(void)tier;
	return key_rule("upstream_key", c->upstream_key, e);
}

static int recovery_key_rule(Lm__Tier tier, const struct node_config *c, struct error *e)
{
	(void)tier;
	return key_rule("recovery_key", c->recovery_key, e);
}

static int authority_rule(Lm__Tier tier, const struct node_config *c, struct error *e)
{
	(void)tier;
	return key_rule("authority", c->authority, e);
}

static int upstream_rule(Lm__Tier tier, const struct node_config *c, struct error *e)
{
	(void)tier;
	return c->upstream ? net_address_check(c->upstream, false, e) : OK;
}

static int upstream_join_rule(Lm__Tier tier, const struct node_config *c, struct error *e)
{
	(void)tier;
	return c->upstream_join ? net_address_check(c->upstream_join, false, e) : OK;
}

static int join_rule(Lm__Tier tier, const struct node_config *c, struct error *e)
{
	(void)tier;
	return c->join_address ? net_address_check(c->join_address, true, e) : OK;
}

static int http_rule(Lm__Tier tier, const struct node_config *c, struct error *e)
{
	(void)tier;
	return c->http_address ? http_address_check(c->http_address, e) : OK;
}

static int public_name_rule(Lm__Tier tier, const struct node_config *c, struct error *e)
{
	(void)tier;
	return c->public_name ? http_public_name_check(c->public_name, e) : OK;
}

static int second_factor_rule(Lm__Tier tier, const struct node_config *c, struct error *e)
{
	(void)tier;
	if (!c->second_factor || strcmp(c->second_factor, "required") == 0 || strcmp(c->second_factor, "optional") == 0)
		return OK;
	return error_set(e, ERR_CONFIG, "second_factor = %s: it is required or optional", c->second_factor);
}

static int log_rule(Lm__Tier tier, const struct node_config *c, struct error *e)
{
	enum log_level level;
	(void)tier;
	if (!c->log_level || !log_level_parse(c->log_level, &level))
		return OK;
	return error_set(e, ERR_CONFIG, "log_level = %s: it is debug, info, warn or error", c->log_level);
}

static const struct {
	const char *key; /* whose line is named */
	int (*check)(Lm__Tier tier, const struct node_config *c, struct error *e);
} rules[] = {
	{ "place", place_rule },
	{ "upstream", above_rule },
	{ "link_address", below_rule },
	{ "upstream_key", upstream_key_rule },
	{ "authority", authority_rule },
	{ "recovery_key", recovery_key_rule },
	{ "upstream", upstream_rule },
	{ "upstream_join", upstream_join_rule },
	{ "join_address", join_rule },
	{ "http_address", http_rule },
	{ "public_name", public_name_rule },
	{ "second_factor", second_factor_rule },
	{ "log_level", log_rule },
};
#define RULE_COUNT (sizeof rules / sizeof *rules)

int node_config_read(const char *path, Lm__Tier tier, struct node_config *out, struct error *e)
{
	struct config_key keys[KEY_COUNT];
	bool is_used[KEY_COUNT];
	struct node_config config = { 0 };
	keys_for(tier, keys, is_used);
	int result = config_read(path, keys, KEY_COUNT, &config, e);
	for (size_t i = 0; i < RULE_COUNT && !result; i++)
		if (rules[i].check(tier, &config, e))
			result = error_wrap(e, ERR_CONFIG, "%s", path);
	if (result) {
		node_config_release(&config);
		return error_is_of_machine(result) ? result : ERR_CONFIG;
	}
	*out = config;
	return OK;
}

/* ---- all faults ---- */

struct report {
	const char *path;
	struct config_key keys[KEY_COUNT];
	long line[KEY_COUNT];
	size_t faults;
};

static void fault_print(void *context, const char *text)
{
	struct report *r = context;
	r->faults++;
	printf("%s\n", text);
}

static void fault_at(void *context, const char *key, const char *text)
{
	struct report *r = context;
	long line = 0;
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (strcmp(r->keys[i].name, key) == 0)
			line = r->line[i];
	r->faults++;
	if (line)
		printf("%s line %ld: %s: %s\n", r->path, line, key, text);
	else
		printf("%s: %s: %s\n", r->path, key, text);
}

int node_config_check(const char *path, Lm__Tier tier)
{
	struct report r = { .path = path };
	struct node_config config = { 0 };
	bool is_used[KEY_COUNT];
	struct error e;
	struct config_faults faults = { .tell = fault_print, .context = &r, .line = r.line };
	keys_for(tier, r.keys, is_used);
	config_read_all(path, r.keys, KEY_COUNT, &config, &faults);
	for (size_t i = 0; i < RULE_COUNT; i++)
		if (rules[i].check(tier, &config, &e))
			fault_at(&r, rules[i].key, e.text);
	files_check(&config, fault_at, &r);
	node_config_release(&config);
	if (!r.faults)
		printf("%s: no fault found\n", path);
	return r.faults ? ERR_CONFIG : OK;
}

void node_config_release(struct node_config *config)
{
	config_release(all_keys, KEY_COUNT, config);
}

void node_config_help(Lm__Tier tier)
{
	struct config_key keys[KEY_COUNT];
	bool is_used[KEY_COUNT];
	keys_for(tier, keys, is_used);
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (is_used[i])
			config_describe(stdout, &keys[i], false);
}

void node_config_sample(const char *program, Lm__Tier tier)
{
	struct config_key keys[KEY_COUNT];
	bool is_used[KEY_COUNT];
	keys_for(tier, keys, is_used);
	printf("# Configuration of %s: lines of `key = value`. What is commented out shows the default.\n"
	       "# `%s --check-config --config FILE` tells all that is wrong with it. Made by `%s --sample-config`.\n",
	       program, program, program);
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (is_used[i])
			config_describe(stdout, &keys[i], true);
}

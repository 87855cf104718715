/*
 * The daemons' configuration: one table of keys; which are required depends on the tier.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "inside.h"

#define KEY(field) .offset = offsetof(struct node_config, field)
#define MAP_LEAST (4ll * 1024 * 1024)
#define MAP_MOST (1ll << 40)

enum { KEY_LINK_ADDRESS = 2, KEY_UPSTREAM, KEY_UPSTREAM_KEY, KEY_AUTHORITY };

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
	{ .name = "upstream",
	  .type = CONFIG_TEXT,
	  KEY(upstream),
	  .help = "town and terminal: address of the tier above" },
	{ .name = "upstream_key",
	  .type = CONFIG_TEXT,
	  KEY(upstream_key),
	  .help = "town and terminal: CURVE key of the tier above, 64 hexadecimal digits" },
	{ .name = "authority",
	  .type = CONFIG_TEXT,
	  KEY(authority),
	  .help = "town and terminal: hash of the district's authority, 64 hexadecimal digits" },
	{ .name = "http_address",
	  .type = CONFIG_TEXT,
	  KEY(http_address),
	  .help = "loopback address of the pages, 127.0.0.1:8601" },
	{ .name = "pages", .type = CONFIG_TEXT, KEY(pages), .help = "folder of the pages" },
	{ .name = "places", .type = CONFIG_TEXT, KEY(places), .help = "JSON file with the names of places" },
	{ .name = "map_size",
	  .type = CONFIG_SIZE,
	  .default_text = "256M",
	  .least = MAP_LEAST,
	  .most = MAP_MOST,
	  KEY(map_bytes),
	  .help = "size of the store, preallocated; it only grows, and only between runs" },
	{ .name = "receipts_ahead",
	  .type = CONFIG_INTEGER,
	  .default_text = "64",
	  .least = 0,
	  .most = 64,
	  KEY(receipts_ahead),
	  .help = "terminal: receipts made ahead when idle" },
	{ .name = "session_idle_s",
	  .type = CONFIG_INTEGER,
	  .default_text = "1800",
	  .least = 60,
	  .most = 86400,
	  KEY(session_idle_s),
	  .help = "a login ends after so many seconds without a request" },
	{ .name = "demo",
	  .type = CONFIG_BOOLEAN,
	  .default_text = "no",
	  KEY(is_demo),
	  .help = "pages say that the data is made up" },
	{ .name = "log_level",
	  .type = CONFIG_TEXT,
	  .default_text = "info",
	  KEY(log_level),
	  .help = "debug, info, warn or error" },
};
#define KEY_COUNT (sizeof all_keys / sizeof *all_keys)

static void keys_for(Lm__Tier tier, struct config_key keys[KEY_COUNT])
{
	memcpy(keys, all_keys, sizeof all_keys);
	keys[KEY_LINK_ADDRESS].is_required = tier != LM__TIER__TIER_TERMINAL;
	keys[KEY_UPSTREAM].is_required = tier != LM__TIER__TIER_DISTRICT;
	keys[KEY_UPSTREAM_KEY].is_required = tier != LM__TIER__TIER_DISTRICT;
	keys[KEY_AUTHORITY].is_required = tier != LM__TIER__TIER_DISTRICT;
}

static int config_check(const char *path, Lm__Tier tier, const struct node_config *c, struct error *e)
{
	uint8_t key[KEY_BYTES];
	enum place_level want = tier == LM__TIER__TIER_DISTRICT ? PLACE_DISTRICT
	                        : tier == LM__TIER__TIER_TOWN   ? PLACE_TOWN
	                                                        : PLACE_DEVICE;
	if (place_level_of(c->place) != want)
		return error_set(e, ERR_CONFIG,
		                 "%s: place = %s is not a place of this tier (hub 310114, town 310114106, terminal "
		                 "310114106001-T1)",
		                 path, c->place);
	if (tier == LM__TIER__TIER_DISTRICT && (c->upstream || c->upstream_key || c->authority))
		return error_set(e, ERR_CONFIG,
		                 "%s: the hub has nothing above it: remove upstream, upstream_key and authority", path);
	if (tier == LM__TIER__TIER_TERMINAL && c->link_address)
		return error_set(e, ERR_CONFIG, "%s: a terminal has nothing below it: remove link_address", path);
	if (c->upstream_key && hex_decode(c->upstream_key, key, KEY_BYTES))
		return error_set(e, ERR_CONFIG, "%s: upstream_key is not 64 hexadecimal digits", path);
	if (c->authority && hex_decode(c->authority, key, KEY_BYTES))
		return error_set(e, ERR_CONFIG, "%s: authority is not 64 hexadecimal digits", path);
	return OK;
}

int node_config_read(const char *path, Lm__Tier tier, struct node_config *out, struct error *e)
{
	struct config_key keys[KEY_COUNT];
	struct node_config config = { 0 };
	keys_for(tier, keys);
	int result = config_read(path, keys, KEY_COUNT, &config, e);
	if (!result)
		result = config_check(path, tier, &config, e);
	if (result)
		node_config_release(&config);
	else
		*out = config;
	return result;
}

void node_config_release(struct node_config *config)
{
	config_release(all_keys, KEY_COUNT, config);
}

void node_config_help(Lm__Tier tier)
{
	struct config_key keys[KEY_COUNT];
	keys_for(tier, keys);
	for (size_t i = 0; i < KEY_COUNT; i++)
		printf("  %-15s %s%s%s%s\n", keys[i].name, keys[i].help, keys[i].is_required ? " (required)" : "",
		       keys[i].default_text ? "; default " : "", keys[i].default_text ? keys[i].default_text : "");
}

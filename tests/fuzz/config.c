/* Configuration files of each tier, and the files that they name: places, key files, device.json. */
#include "crypto/crypto.h"
#include "inside.h" /* of the room node */
#include "node/device_file.h"

#include "fuzz.h"

enum { CONFIG_OF_TERMINAL, CONFIG_OF_TOWN, CONFIG_OF_HUB, PLACES, DEVICE_KEYS, SECRET, DEVICE_FILE, WHAT_COUNT };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	must(!crypto_init(NULL));
	return 0;
}

static void config_take(Lm__Tier tier, struct bytes content)
{
	struct node_config config = { 0 };
	struct error e = { 0 };
	if (node_config_read(file_of(content), tier, &config, &e)) {
		must(utf8_length(bytes_from_text(e.text)) > 0);
		return;
	}
	must(config.place && config.data && config.map_bytes > 0);
	node_config_release(&config);
}

static void places_take(struct bytes content)
{
	struct place_names *names = NULL;
	struct error e = { 0 };
	if (!places_open(file_of(content), &names, &e))
		places_close(names);
}

/* `has_check`: the file ends with the line that a hostile hand can compute, too. */
static void keys_take(bool is_secret, bool has_check, struct bytes content)
{
	uint8_t key[KEY_BYTES];
	char line[2 * HASH_BYTES + 1];
	struct device_keys keys;
	struct buffer file = { 0 };
	struct hash check;
	bool was_made = false;
	must(!buffer_append(&file, content));
	if (has_check) {
		must(!crypto_hash(SUITE_INTERNATIONAL, &content, 1, &check, NULL));
		hex_encode(BYTES_OF(check), line);
		must(!buffer_append(&file, bytes_from_text("check = ")));
		must(!buffer_append(&file, bytes_from_text(line)));
		must(!buffer_append(&file, bytes_from_text("\n")));
	}
	const char *path = file_of(buffer_bytes(&file));
	if (is_secret)
		must(secret_file_open(path, key, &was_made, NULL) || has_check || content.size);
	else
		device_keys_open(path, &keys, &was_made, NULL);
	must(!was_made);
	buffer_release(&file);
}

static void device_file_take(struct bytes content)
{
	struct arena arena;
	struct hash fingerprint;
	Lm__DeviceFile *file;
	arena_init(&arena, 1024 * 1024);
	if (!device_file_read(file_of(content), &arena, &file, &fingerprint, NULL))
		must(file->suite == SUITE_INTERNATIONAL);
	arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(BYTES(data, size));
	uint8_t what = read_u8(&r);
	struct bytes content = feed_rest(&r);
	switch (what % WHAT_COUNT) {
	case CONFIG_OF_TERMINAL:
		config_take(LM__TIER__TIER_TERMINAL, content);
		break;
	case CONFIG_OF_TOWN:
		config_take(LM__TIER__TIER_TOWN, content);
		break;
	case CONFIG_OF_HUB:
		config_take(LM__TIER__TIER_DISTRICT, content);
		break;
	case PLACES:
		places_take(content);
		break;
	case DEVICE_KEYS:
	case SECRET:
		keys_take(what % WHAT_COUNT == SECRET, what >= 128, content);
		break;
	case DEVICE_FILE:
		device_file_take(content);
		break;
	}
	return 0;
}

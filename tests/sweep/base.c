/* Small files, configuration, device.json. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/files.h"
#include "crypto/crypto.h"
#include "node/device_file.h"
#include "node/node.h"
#include "sweep.h"

#define BEFORE "what stood there before"
#define AFTER "what is to stand there"
#define KEY64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void file_put(const struct scene *s, const char *name, const char *text)
{
	char path[256];
	struct error e;
	path_in(s, name, path);
	if (file_replace(path, 0600, bytes_from_text(text), &e))
		broken("%s", e.text);
}

/* OK when the file holds this text, ERR_NOT_FOUND without one. */
static int file_holds(const struct scene *s, const char *name, const char *text)
{
	char path[256];
	struct buffer content = { 0 };
	path_in(s, name, path);
	int result = file_read(path, 4096, &content, NULL);
	if (!result && !bytes_equal(buffer_bytes(&content), bytes_from_text(text)))
		result = ERR_CONFLICT;
	buffer_release(&content);
	return result;
}

static void a_file(struct scene *s)
{
	file_put(s, "file", BEFORE);
}

static int file_replaced(struct scene *s, struct error *e)
{
	char path[256];
	path_in(s, "file", path);
	return file_replace(path, 0600, bytes_from_text(AFTER), e);
}

/* A folder that was not synced: the new file may be there, too. */
static const char *holds_either(const struct scene *s, int result)
{
	if (!file_holds(s, "file", AFTER))
		return NULL;
	return result && !file_holds(s, "file", BEFORE) ? NULL : "the file holds neither the old nor the new text";
}

static int file_made(struct scene *s, struct error *e)
{
	char path[256];
	path_in(s, "made", path);
	return file_create(path, 0600, bytes_from_text(AFTER), e);
}

static const char *is_whole_or_gone(const struct scene *s, int result)
{
	int held = file_holds(s, "made", AFTER);
	return held == OK || (result && held == ERR_NOT_FOUND) ? NULL : "there is no file, or half of one";
}

static int file_was_read(struct scene *s, struct error *e)
{
	char path[256];
	struct buffer content = { 0 };
	path_in(s, "file", path);
	int result = file_read(path, 4096, &content, e);
	if (!result && !bytes_equal(buffer_bytes(&content), bytes_from_text(BEFORE)))
		result = error_set(e, ERR_DAMAGED, "another text was read");
	buffer_release(&content);
	return result;
}

static int file_was_locked(struct scene *s, struct error *e)
{
	char path[256];
	int fd;
	path_in(s, "lock", path);
	int result = file_lock(path, &fd, e);
	if (!result)
		close(fd);
	return result;
}

static void a_configuration(struct scene *s)
{
	file_put(s, "conf",
	         "# a town\nplace = 310114106\ndata = data\nlink_address = tcp://127.0.0.1:5602\n"
	         "upstream = tcp://127.0.0.1:5601\nupstream_key = " KEY64 "\nauthority = " KEY64 "\nmap_size = 16M\n");
}

static int configuration_read(struct scene *s, struct error *e)
{
	char path[256];
	struct node_config config;
	path_in(s, "conf", path);
	int result = node_config_read(path, LM__TIER__TIER_TOWN, &config, e);
	if (result)
		return result;
	bool is_right = strcmp(config.place, "310114106") == 0 && config.map_bytes == 16 * 1024 * 1024;
	node_config_release(&config);
	return is_right ? OK : error_set(e, ERR_DAMAGED, "other values were read");
}

static void device_keys_ready(struct scene *s)
{
	struct device_keys *keys = s->own = calloc(1, sizeof *keys);
	char path[256];
	bool was_made;
	struct error e;
	path_in(s, "device.keys", path);
	if (!keys || crypto_init(&e) || device_keys_open(path, keys, &was_made, &e))
		broken("no keys");
}

static int device_file_was_written(struct scene *s, struct error *e)
{
	return device_file_write(s->folder, s->own, e);
}

static void own_free(struct scene *s)
{
	free(s->own);
}

static const struct operation list[] = {
	{ "file replaced", a_file, file_replaced, holds_either, NULL },
	{ "file made", NULL, file_made, is_whole_or_gone, NULL },
	{ "file read", a_file, file_was_read, NULL, NULL },
	{ "file locked", a_file, file_was_locked, NULL, NULL },
	{ "configuration read", a_configuration, configuration_read, NULL, NULL },
	{ "device.json written", device_keys_ready, device_file_was_written, NULL, own_free },
};
const struct operations base_operations = { list, sizeof list / sizeof *list };

/*
 * What a configuration points at: folders, files, room on the disk. Looks only; makes, opens and locks nothing.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "inside.h"

#define SPARE_BYTES (16ull * 1024 * 1024) /* beside the map: keys, the lock file, a new environment's first pages */

struct look {
	void (*tell)(void *context, const char *key, const char *text);
	void *context;
};

static void say(const struct look *l, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(const struct look *l, const char *key, const char *format, ...)
{
	char text[PATH_MAX + 200];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	l->tell(l->context, key, text);
}

/* False: it is not there, or not to be looked at; the latter has been told. */
static bool look_at(const struct look *l, const char *key, const char *path, struct stat *out)
{
	if (stat(path, out) == 0)
		return true;
	if (errno != ENOENT)
		say(l, key, "%s cannot be looked at: %s", path, strerror(errno));
	return false;
}

static void secrets_look(const struct look *l, const char *folder)
{
	static const char *const names[] = { "device.keys", "keytable.key", "authority.keys" };
	char path[PATH_MAX];
	struct stat file;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		if (!look_at(l, "data", path, &file))
			continue;
		if (!S_ISREG(file.st_mode) || file.st_mode & 077)
			say(l, "data", "%s holds secrets and others may read it: chmod 600", path);
		if (access(path, R_OK) != 0)
			say(l, "data", "%s cannot be read by this user: %s", path, strerror(errno));
	}
}

/* A folder that is not there yet is made, one level. */
static void parent_look(const struct look *l, const char *folder)
{
	char parent[PATH_MAX];
	snprintf(parent, sizeof parent, "%s", folder);
	for (size_t size = strlen(parent); size > 1 && parent[size - 1] == '/';)
		parent[--size] = '\0';
	char *slash = strrchr(parent, '/');
	if (slash)
		slash[slash == parent] = '\0';
	else
		strcpy(parent, ".");
	if (access(parent, W_OK | X_OK) != 0)
		say(l, "data", "%s does not exist and cannot be made in %s: %s", folder, parent, strerror(errno));
}

static void data_look(const struct look *l, const char *folder)
{
	struct stat file;
	if (strlen(folder) + 32 > PATH_MAX) {
		say(l, "data", "the path is too long");
		return;
	}
	if (!look_at(l, "data", folder, &file)) {
		if (errno == ENOENT)
			parent_look(l, folder);
		return;
	}
	if (!S_ISDIR(file.st_mode)) {
		say(l, "data", "%s is not a folder", folder);
		return;
	}
	if (file.st_mode & 077)
		say(l, "data", "%s is open to others (mode %o): chmod 700", folder, (unsigned)file.st_mode & 0777);
	if (access(folder, R_OK | W_OK | X_OK) != 0)
		say(l, "data", "%s cannot be written by this user: %s", folder, strerror(errno));
	secrets_look(l, folder);
}

static void room_look(const struct look *l, const char *folder, int64_t map_bytes)
{
	char path[PATH_MAX];
	struct stat file;
	struct statvfs disk;
	snprintf(path, sizeof path, "%.*s/store/data.mdb", PATH_MAX - 32, folder);
	uint64_t has = stat(path, &file) == 0 ? (uint64_t)file.st_blocks * 512 : 0;
	uint64_t needs = (uint64_t)map_bytes > has ? (uint64_t)map_bytes - has + SPARE_BYTES : 0;
	if (statvfs(folder, &disk) != 0)
		return; /* the folder is not there yet, and that was told if it matters */
	uint64_t is_free = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (needs > is_free)
		say(l, "map_size", "the store needs %llu bytes more in %s and %llu are free", (unsigned long long)needs,
		    folder, (unsigned long long)is_free);
}

static void pages_look(const struct look *l, const char *folder)
{
	static const char *const names[] = { "index.html", "app.js", "app.css" };
	char path[PATH_MAX];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%.*s/%s", PATH_MAX - 32, folder, names[i]);
		if (access(path, R_OK) != 0)
			say(l, "pages", "%s cannot be read: %s", path, strerror(errno));
	}
}

void files_check(const struct node_config *c, void (*tell)(void *context, const char *key, const char *text),
                 void *context)
{
	struct look l = { tell, context };
	struct place_names *names = NULL;
	struct error e;
	if (c->data)
		data_look(&l, c->data);
	if (c->data && c->map_bytes)
		room_look(&l, c->data, c->map_bytes);
	if (c->pages)
		pages_look(&l, c->pages);
	if (c->places && places_open(c->places, &names, &e))
		say(&l, "places", "%s", e.text);
	places_close(names);
}

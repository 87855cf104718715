/*
 * Disks that are put back: somebody copies the folder of a machine that stands still, and later puts that image in the
 * place of what has become of it. Not across a change of keys, with whose old ones nothing new is taken (a device of
 * which no newer image is left is replaced).
 *
 *   a terminal      goes on by itself
 *   a town, a hub   is told so before it starts (`lmctl return begin`), and its neighbours give back what the image
 *                   lacks. Of a town nothing is gone then but notices that no kiosk has: it is struck when the
 *                   district has all that it has said.
 *                   While one tier is given back something, nobody takes it from another
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/files.h"
#include "node/backup.h"
#include "sim.h"

static struct kept {
	uint64_t moment_us; /* 0: there is no image */
	bool is_wanted;     /* when the machine is buried */
} kept[SITES_MOST];

static struct kept *kept_of(const struct site *s)
{
	return &kept[s - world.site];
}

void images_reset(void)
{
	memset(kept, 0, sizeof kept);
}

static void folder_of(const struct site *s, char *out, size_t size)
{
	snprintf(out, size, "%s/older-%s", world.folder, s->place);
}

/* Below disk.c, which is about what daemons write. */
static void file_copy(const char *from, const char *to)
{
	struct stat file;
	int source = (int)syscall(SYS_openat, AT_FDCWD, from, O_RDONLY | O_CLOEXEC, 0);
	if (source < 0 && errno == ENOENT) {
		syscall(SYS_unlinkat, AT_FDCWD, to, 0);
		return;
	}
	int target = (int)syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (source < 0 || target < 0 || fstat(source, &file))
		fail("cannot copy %s to %s: %s", from, to, strerror(errno));
	off_t at = 0, end = 0; /* holes stay holes */
	while (end < file.st_size && (at = syscall(SYS_lseek, source, end, SEEK_DATA)) >= 0) {
		end = syscall(SYS_lseek, source, at, SEEK_HOLE);
		syscall(SYS_lseek, target, at, SEEK_SET);
		while (at < end)
			if (sendfile(target, source, &at, (size_t)(end - at)) <= 0)
				fail("cannot copy %s: %s", from, strerror(errno));
	}
	if (syscall(SYS_ftruncate, target, file.st_size))
		fail("cannot copy %s to its end: %s", from, strerror(errno));
	syscall(SYS_close, source);
	syscall(SYS_close, target);
}

void folder_copy(const char *from, const char *to)
{
	static const char *const names[] = { "device.keys",    "device.keys.next", "keytable.key", "keytable.key.next",
		                             "authority.keys", "device.json",      "restored",     "store/data.mdb" };
	char source[400], target[400];
	snprintf(target, sizeof target, "%s/store", to);
	if ((mkdir(to, 0700) && errno != EEXIST) || (mkdir(target, 0700) && errno != EEXIST))
		fail("cannot make %s: %s", target, strerror(errno));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(source, sizeof source, "%s/%s", from, names[i]);
		snprintf(target, sizeof target, "%s/%s", to, names[i]);
		file_copy(source, target);
	}
}

static void image_keep(struct site *s, struct kept *k)
{
	char folder[300];
	folder_of(s, folder, sizeof folder);
	folder_copy(s->folder, folder);
	k->moment_us = world.now_us;
	tell("%-24s has its disk copied", s->name);
}

/* As `lmctl return begin`. An image that was taken before its daemon had begun to return says so already. */
static void return_begin(struct site *s)
{
	struct arena arena;
	struct error e;
	Lm__RestorePayload *begun;
	arena_init(&arena, 0);
	int result = node_put_back(s->folder, &arena, &begun, &e);
	if (result && result != ERR_EXISTS)
		fail("%s cannot be told that its disk is an image: %s", s->name, e.text);
	arena_release(&arena);
	if (s != site_hub())
		return;
	people_hear_of_restore(kept_of(s)->moment_us);
	officers_hear_of_restore(kept_of(s)->moment_us);
	restores_forget();
}

static void image_put_back(struct site *s, struct kept *k)
{
	char folder[300];
	folder_of(s, folder, sizeof folder);
	k->is_wanted = false;
	folder_copy(folder, s->folder);
	disk_site_changed(s);
	s->said_position = 0;
	check_forget(s);
	if (s->tier == LM__TIER__TIER_TERMINAL)
		people_hear_of_rollback(s, k->moment_us);
	else
		return_begin(s);
	authors_hear_of_put_back(s, k->moment_us);
	runners_hear_of_put_back(s, k->moment_us);
	tell("%-24s gets its disk of %llu s ago", s->name,
	     (unsigned long long)((world.now_us - k->moment_us) / SECONDS));
}

bool is_changing_keys(const struct site *s)
{
	char path[300];
	snprintf(path, sizeof path, "%s/device.keys.next", s->folder);
	return file_exists(path);
}

static bool has_same_keys(const struct site *s)
{
	char folder[300], path[2][320];
	struct buffer keys[2] = { { 0 }, { 0 } };
	folder_of(s, folder, sizeof folder);
	snprintf(path[0], sizeof path[0], "%s/device.keys", s->folder);
	snprintf(path[1], sizeof path[1], "%s/device.keys", folder);
	for (size_t i = 0; i < 2; i++)
		if (file_read(path[i], 65536, &keys[i], NULL))
			fail("cannot read %s", path[i]);
	bool is_same = bytes_equal(buffer_bytes(&keys[0]), buffer_bytes(&keys[1]));
	buffer_release(&keys[0]);
	buffer_release(&keys[1]);
	return is_same;
}

void images_site_buried(struct site *s)
{
	struct kept *k = kept_of(s);
	enum fault fault = s->tier == LM__TIER__TIER_TERMINAL ? FAULT_ROLLBACK : FAULT_PUT_BACK;
	if (!fault_is_about(fault) || weather_is_over())
		return;
	if (k->is_wanted)
		image_put_back(s, k);
	else if (draw(k->moment_us ? 8 : 2) == 0 && !is_changing_keys(s))
		image_keep(s, k);
}

void images_forget(const struct site *s)
{
	kept_of(s)->moment_us = 0;
}

static bool strike(struct site *s)
{
	struct kept *k = kept_of(s);
	k->is_wanted = k->moment_us && !is_changing_keys(s) && has_same_keys(s);
	bool is_struck = k->is_wanted;
	site_kill(s, false);
	return is_struck;
}

bool strike_rollback(struct site *s)
{
	return s->tier == LM__TIER__TIER_TERMINAL && s->node && !s->is_dying && !is_twin(s) && strike(s);
}

/* Another tier than its own has not got back yet what this one may have. */
bool is_giving_back(const struct site *s)
{
	for (size_t i = 0; i < world.site_count; i++) {
		const struct site *other = &world.site[i];
		if (other->tier == s->tier || other->tier == LM__TIER__TIER_TERMINAL)
			continue;
		if (!other->node || is_returning(other) || kept_of(other)->is_wanted)
			return true;
	}
	return false;
}

bool strike_put_back(struct site *s)
{
	if (s->tier == LM__TIER__TIER_TERMINAL || !s->node || s->is_dying || is_giving_back(s))
		return false;
	return (s == site_hub() || has_told_all(s)) && strike(s);
}

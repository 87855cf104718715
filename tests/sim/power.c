/*
 * What a power cut could leave, tried at every write and sync of every store: any of the writes that were not synced,
 * whole or torn, over what was. Each such image must open, every value, every chain and head in it must verify, and it
 * must reach at least as far as the site had come when it last said anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/files.h"
#include "node/node.h"
#include "sim.h"

static struct prng chance; /* of its own: images change nothing in what the seed does */
static uint64_t made;
static struct {
	int fd; /* of the image; 0: none yet */
	char folder[300];
	bool is_stale; /* another disk is in the place of the one that it follows */
} bench[SITES_MOST];

uint64_t power_images(void)
{
	return made;
}

void power_reset(void)
{
	prng_seed(&chance, world.seed ^ UINT64_C(0x706f776572));
	made = 0;
	memset(bench, 0, sizeof bench);
}

void power_disk_changed(const struct site *s)
{
	bench[s - world.site].is_stale = bench[s - world.site].fd != 0;
}

void power_patch(const struct site *s, const void *data, size_t size, size_t at)
{
	int fd = bench[s - world.site].fd;
	if (fd && syscall(SYS_pwrite64, fd, data, size, (off_t)at) != (long)size)
		fail("cannot write an image: %s", strerror(errno));
}

static void file_copy(const char *from, const char *to, const char *name)
{
	char path[600];
	struct buffer content = { 0 };
	struct error e = { 0 };
	snprintf(path, sizeof path, "%s/%s", from, name);
	int result = file_read(path, 65536, &content, &e);
	snprintf(path, sizeof path, "%s/%s", to, name);
	if (result || file_replace(path, 0600, buffer_bytes(&content), &e))
		fail("cannot copy %s: %s", path, e.text);
	buffer_release(&content);
}

/* A folder like the site's, whose store holds what is durable there. */
static void bench_make(const struct site *s, struct bytes durable)
{
	char path[600], *folder = bench[s - world.site].folder;
	snprintf(folder, 300, "%.200s/image-%.20s", world.folder, s->place);
	snprintf(path, sizeof path, "%s/store", folder);
	if (mkdir(folder, 0700) || mkdir(path, 0700))
		fail("cannot make %s: %s", path, strerror(errno));
	file_copy(s->folder, folder, "device.keys");
	file_copy(s->folder, folder, "keytable.key");
	snprintf(path, sizeof path, "%s/store/data.mdb", folder);
	bench[s - world.site].fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	power_patch(s, durable.data, durable.size, 0);
}

/* Signatures are checked by verify at the end of each seed; here there is no time for them. */
static int key_of_nobody(void *context, uint64_t origin, uint32_t generation, uint8_t key[KEY_BYTES])
{
	(void)context;
	(void)origin;
	(void)generation;
	(void)key;
	return ERR_NOT_FOUND;
}

static void table_seen(void *context, const struct store_table_digest *digest)
{
	(void)context;
	(void)digest;
}

static void image_verify(const struct site *s)
{
	struct closed_node c;
	struct error e = { 0 };
	struct store_txn *txn;
	struct journal_audit audit;
	const char *folder = bench[s - world.site].folder;
	if (closed_node_open(folder, true, &c, &e))
		fail("%s: after a power cut its store does not open: %s", s->name, e.text);
	if (journal_position(c.journal) < s->said_position)
		fail("%s: it had come to position %llu of its tape when it last said something, and after a power cut "
		     "it is "
		     "at %llu",
		     s->name, (unsigned long long)s->said_position, (unsigned long long)journal_position(c.journal));
	if (store_verify(c.store, table_seen, NULL, &e) || store_begin_read(c.store, &txn, &e))
		fail("%s: after a power cut its store does not verify: %s", s->name, e.text);
	if (journal_verify(c.journal, txn, key_of_nobody, NULL, &audit, &e))
		fail("%s: after a power cut its journal does not verify: %s", s->name, e.text);
	store_abort(txn);
	closed_node_close(&c);
	made++;
}

uint64_t power_draw(uint64_t bound)
{
	return prng_below(&chance, bound);
}

void power_boundary(const struct site *s, struct bytes durable)
{
	struct site *before = world.here;
	if (!world.images || weather_is_over())
		return;
	if (!bench[s - world.site].fd)
		bench_make(s, durable);
	if (bench[s - world.site].is_stale)
		power_patch(s, durable.data, durable.size, 0);
	bench[s - world.site].is_stale = false;
	world.here = NULL;
	for (uint32_t i = 0; i < world.images; i++) {
		disk_image_make(s);
		image_verify(s);
		disk_image_undo(s);
	}
	world.here = before;
}

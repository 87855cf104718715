/*
 * What LMDB writes, recorded below it: data.mdb of every site is a file in memory that LMDB reads through its map, and
 * beside it stands what a disk would hold if the power went now. Writes reach it when they are synced; at a power cut
 * any of the others may have reached it, too, whole or torn at 512 bytes. Other files are taken as durable at once;
 * what a site that is dying still runs changes none of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sim.h"

#define FILES_MOST 1024
#define SECTOR_BYTES 512
#define HOLE_BYTES_LEAST 4096

struct write {
	struct write *next;
	off_t offset;
	size_t size;
	uint8_t data[];
};

struct range {
	struct range *next;
	off_t offset;
	size_t size;
};

struct disk_image {
	const struct site *site;
	char path[300];
	uint8_t *durable;
	size_t size, used;          /* used: behind it are zeros */
	struct write *first, *last; /* not synced yet */
	struct range *doubtful;     /* where the file may hold something else, since the site died */
	bool is_torn;               /* a write of a commit was refused: what it wrote before counts for nothing */
};

static struct {
	struct site *site; /* NULL: none of ours */
	bool is_synced;    /* O_DSYNC: what is written is durable when the call returns */
} file_of[FILES_MOST];

static uint64_t power_cuts, faults;

static void range_doubt(struct disk_image *image, off_t offset, size_t size)
{
	struct range *r = malloc(sizeof *r);
	if (!r)
		abort();
	*r = (struct range){ image->doubtful, offset, size };
	image->doubtful = r;
}

static void ranges_forget(struct disk_image *image)
{
	for (struct range *r = image->doubtful, *next; r; r = next) {
		next = r->next;
		free(r);
	}
	image->doubtful = NULL;
}

static void writes_forget(struct disk_image *image)
{
	while (image->first) {
		struct write *w = image->first;
		image->first = w->next;
		free(w);
	}
	image->last = NULL;
}

void disk_site_changed(struct site *s)
{
	if (!s->image)
		return;
	writes_forget(s->image);
	ranges_forget(s->image);
	free(s->image->durable);
	free(s->image);
	power_disk_changed(s);
	s->image = NULL; /* read when it is opened */
}

struct bytes disk_content(const struct site *s)
{
	return BYTES(s->image->durable, s->image->size);
}

void disk_reset(void)
{
	for (size_t i = 0; i < SITES_MOST; i++)
		disk_site_changed(&world.site[i]);
	memset(file_of, 0, sizeof file_of);
}

uint64_t disk_power_cuts(void)
{
	return power_cuts;
}

uint64_t disk_faults_met(void)
{
	return faults;
}

/* The disk refuses a write or a sync, and what it holds of it is anybody's guess. */
static bool is_refused(struct site *s)
{
	if (!s || s->is_dying)
		return false;
	bool is_broken = s->disk_broken_until_us > world.now_us;
	bool is_full = !is_broken && fault_hits(FAULT_ENOSPC, s);
	if (!is_broken && !is_full && !fault_hits(FAULT_EIO, s))
		return false;
	faults++;
	if (s->image)
		s->image->is_torn = true;
	errno = is_full ? ENOSPC : EIO;
	tell("%-24s has a disk that answers %s", s->name, strerrorname_np(errno));
	return true;
}

bool disk_may_refuse(const struct site *s)
{
	return s->disk_broken_until_us > world.now_us || fault_is_about(FAULT_EIO) || fault_is_about(FAULT_ENOSPC);
}

bool disk_is_durable(const struct site *s)
{
	return !s->image || !s->image->first || s->image->is_torn;
}

/* ---- what is durable ---- */

static void image_take(struct disk_image *image, const struct write *w, size_t from, size_t size)
{
	size_t at = (size_t)w->offset + from;
	memcpy(image->durable + at, w->data + from, size);
	image->used = at + size > image->used ? at + size : image->used;
	power_patch(image->site, w->data + from, size, at);
}

static void image_take_all(struct disk_image *image)
{
	for (struct write *w = image->first; w; w = w->next)
		image_take(image, w, 0, w->size);
	image->is_torn = false;
	writes_forget(image);
}

/* Any subset, and of a write any of its sectors. */
static void writes_choose(struct disk_image *image, uint64_t (*random)(uint64_t bound),
                          void (*take)(struct disk_image *image, const struct write *w, size_t from, size_t size))
{
	for (struct write *w = image->first; w; w = w->next) {
		enum { LOST, WHOLE, TORN } fate = random(3);
		for (size_t from = 0; from < w->size && fate != LOST; from += SECTOR_BYTES) {
			size_t size = w->size - from < SECTOR_BYTES ? w->size - from : SECTOR_BYTES;
			if (fate == WHOLE || random(2))
				take(image, w, from, size);
		}
	}
}

static void image_take_some(struct disk_image *image)
{
	for (struct write *w = image->first; w; w = w->next)
		range_doubt(image, w->offset, w->size);
	writes_choose(image, draw, image_take);
	writes_forget(image);
}

static void patch_take(struct disk_image *image, const struct write *w, size_t from, size_t size)
{
	power_patch(image->site, w->data + from, size, (size_t)w->offset + from);
}

void disk_image_make(const struct site *s)
{
	writes_choose(s->image, power_draw, patch_take);
}

void disk_image_undo(const struct site *s)
{
	for (const struct write *w = s->image->first; w; w = w->next)
		power_patch(s, s->image->durable + w->offset, w->size, (size_t)w->offset);
}

bool disk_holds(const struct site *s, const char *text)
{
	return s->image && memmem(s->image->durable, s->image->used, text, strlen(text));
}

void disk_site_died(struct site *s)
{
	if (!s->image)
		return;
	if (s->is_power_cut) {
		power_cuts++;
		image_take_some(s->image);
	} else {
		image_take_all(s->image); /* the kernel lives on and writes what it was given */
	}
}

void disk_site_restore(struct site *s)
{
	struct disk_image *image = s->image;
	if (!image)
		return;
	long fd = syscall(SYS_openat, AT_FDCWD, image->path, O_WRONLY | O_CLOEXEC, 0);
	if (fd < 0)
		fail("cannot open %s: %s", image->path, strerror(errno));
	for (const struct range *r = image->doubtful; r; r = r->next) {
		size_t at = (size_t)r->offset, size = at < image->size ? image->size - at : 0;
		size = r->size < size ? r->size : size;
		if (syscall(SYS_pwrite64, (int)fd, image->durable + at, size, r->offset) != (long)size)
			fail("cannot write %s back: %s", image->path, strerror(errno));
	}
	syscall(SYS_close, (int)fd);
	ranges_forget(image);
}

/* Most of a store's file was never written: what is a hole is not read. */
static void image_read(struct disk_image *image, int fd)
{
	off_t at = 0, end = 0;
	while ((at = syscall(SYS_lseek, fd, end, SEEK_DATA)) >= 0 && (size_t)at < image->size) {
		end = syscall(SYS_lseek, fd, at, SEEK_HOLE);
		size_t size = (size_t)(end - at);
		if (end < at || syscall(SYS_pread64, fd, image->durable + at, size, at) != (long)size)
			fail("cannot read %s: %s", image->path, strerror(errno));
		image->used = (size_t)end;
	}
	if (at < 0 && errno != ENXIO)
		fail("cannot read %s: %s", image->path, strerror(errno));
	syscall(SYS_lseek, fd, 0, SEEK_SET);
}

static void image_load(struct site *s, const char *path, int fd)
{
	struct stat file;
	if (s->image)
		return;
	struct disk_image *image = calloc(1, sizeof *image);
	if (!image || fstat(fd, &file) != 0)
		abort();
	image->site = s;
	snprintf(image->path, sizeof image->path, "%s", path);
	image->size = (size_t)file.st_size;
	image->durable = calloc(1, image->size ? image->size : 1);
	if (!image->durable)
		abort();
	image_read(image, fd);
	s->image = image;
}

/* ---- the calls ---- */

static struct site *site_at(const char *path)
{
	for (size_t i = 0; i < world.site_count; i++) {
		size_t length = strlen(world.site[i].folder);
		if (strncmp(path, world.site[i].folder, length) == 0 && strcmp(path + length, "/store/data.mdb") == 0)
			return &world.site[i];
	}
	return NULL;
}

static int file_open_here(const char *path, int flags, mode_t mode)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	if (fd < 0 || fd >= FILES_MOST)
		return fd;
	struct site *s = (flags & O_ACCMODE) == O_RDONLY ? NULL : site_at(path);
	file_of[fd].site = s;
	file_of[fd].is_synced = (flags & O_DSYNC) != 0;
	if (s)
		image_load(s, path, fd);
	return fd;
}

int open(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(arguments, unsigned) : 0;
	va_end(arguments);
	return file_open_here(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(arguments, unsigned) : 0;
	va_end(arguments);
	return file_open_here(path, flags, mode);
}

int close(int fd)
{
	if (fd >= 0 && fd < FILES_MOST)
		file_of[fd].site = NULL;
	return (int)syscall(SYS_close, fd);
}

static struct site *site_written(int fd)
{
	return fd >= 0 && fd < FILES_MOST ? file_of[fd].site : NULL;
}

static struct write *write_note(struct site *s, off_t offset, size_t size)
{
	struct disk_image *image = s->image;
	struct write *w = malloc(sizeof *w + size);
	if (!w)
		abort();
	*w = (struct write){ .offset = offset, .size = size };
	if ((size_t)offset + size > image->size)
		fail("%s writes beyond its map", s->name);
	if (image->last)
		image->last->next = w;
	else
		image->first = w;
	image->last = w;
	return w;
}

static void write_seen(struct site *s, int fd)
{
	if (effect_is_seen(s, EFFECT_WRITE) && file_of[fd].is_synced)
		image_take_all(s->image);
}

/* What the site writes; after its death only where. False: the disk refuses. */
static bool write_take(int fd, const struct iovec *part, int count, off_t offset)
{
	struct site *s = site_written(fd);
	if (!s)
		return true;
	size_t size = 0, done = 0;
	for (int i = 0; i < count; i++)
		size += part[i].iov_len;
	if (s->is_dying) {
		if (s->image)
			range_doubt(s->image, offset, size);
		return true;
	}
	s->is_at_disk = true;
	bool is_taken = !is_refused(s);
	if (is_taken) {
		uint8_t *to = write_note(s, offset, size)->data;
		for (int i = 0; i < count; done += part[i++].iov_len)
			memcpy(to + done, part[i].iov_base, part[i].iov_len);
		power_boundary(s, BYTES(s->image->durable, s->image->size));
		write_seen(s, fd);
	}
	s->is_at_disk = false;
	return is_taken;
}

static bool one_take(int fd, const void *data, size_t size, off_t offset)
{
	struct iovec part = { (void *)(uintptr_t)data, size };
	return write_take(fd, &part, 1, offset);
}

/* Zeros into a hole leave it one: whole maps are made of them. */
static bool is_hole_filled(int fd, const uint8_t *data, size_t size, off_t offset)
{
	if (site_written(fd) || size < HOLE_BYTES_LEAST || data[0] || memcmp(data, data + 1, size - 1) != 0)
		return false;
	off_t before = lseek(fd, 0, SEEK_CUR), next = lseek(fd, offset, SEEK_DATA);
	bool is_hole = next < 0 ? errno == ENXIO : next >= offset + (off_t)size;
	lseek(fd, before, SEEK_SET);
	return is_hole && lseek(fd, 0, SEEK_END) >= offset + (off_t)size && lseek(fd, before, SEEK_SET) == before;
}

/* Room that is asked for is there: nothing is written for it, and nobody sees that. */
int fstat(int fd, struct stat *out)
{
	if (syscall(SYS_fstat, fd, out) != 0)
		return -1;
	out->st_blocks = (out->st_size + SECTOR_BYTES - 1) / SECTOR_BYTES;
	return 0;
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
	struct stat file;
	if (fstat(fd, &file) != 0)
		return errno;
	bool is_there = file.st_size >= offset + size;
	return is_there || syscall(SYS_ftruncate, fd, offset + size) == 0 ? 0 : errno;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	if (is_hole_filled(fd, data, size, offset))
		return (ssize_t)size;
	return one_take(fd, data, size, offset) ? syscall(SYS_pwrite64, fd, data, size, offset) : -1;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
{
	return pwrite(fd, data, size, offset);
}

/* The site's code runs on to where it can be left, but its process is gone. */
static bool is_ghost(void)
{
	return world.here && world.here->is_dying;
}

int ftruncate(int fd, off_t size)
{
	return !site_written(fd) && is_ghost() ? 0 : (int)syscall(SYS_ftruncate, fd, size);
}

int unlink(const char *path)
{
	return is_ghost() ? 0 : (int)syscall(SYS_unlink, path);
}

int rename(const char *from, const char *to)
{
	return is_ghost() ? 0 : (int)syscall(SYS_rename, from, to);
}

int link(const char *from, const char *to)
{
	return is_ghost() ? 0 : (int)syscall(SYS_link, from, to);
}

ssize_t write(int fd, const void *data, size_t size)
{
	if (!site_written(fd) && fd > STDERR_FILENO && is_ghost())
		return (ssize_t)size;
	return one_take(fd, data, size, site_written(fd) ? lseek(fd, 0, SEEK_CUR) : 0)
	               ? syscall(SYS_write, fd, data, size)
	               : -1;
}

ssize_t writev(int fd, const struct iovec *part, int count)
{
	return write_take(fd, part, count, site_written(fd) ? lseek(fd, 0, SEEK_CUR) : 0)
	               ? syscall(SYS_writev, fd, part, count)
	               : -1;
}

int fdatasync(int fd)
{
	struct site *s = site_written(fd);
	if (!s || s->is_dying)
		return 0; /* the file itself lies in memory */
	s->is_at_disk = true;
	bool is_taken = !is_refused(s);
	if (is_taken && s->image->first)
		power_boundary(s, BYTES(s->image->durable, s->image->size));
	if (is_taken && effect_is_seen(s, EFFECT_SYNC))
		image_take_all(s->image);
	s->is_at_disk = false;
	return is_taken ? 0 : -1;
}

int fsync(int fd)
{
	return fdatasync(fd);
}

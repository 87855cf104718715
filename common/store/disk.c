/*
 * The store's files: data.mdb and lock.mdb get all their disk space before LMDB uses them.
 *
 * LMDB appends to data.mdb as it needs pages and maps a sparse lock.mdb; a disk that fills up later would fail a commit
 * or kill the process with SIGBUS. So a new environment is made as data.mdb.new (LMDB refuses a file that was allocated
 * before it wrote its first pages), closed, allocated, synced, and only then renamed: a crash leaves no half-made one.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store_private.h"

int disk_path(const char *folder, const char *name, char *path, size_t size, struct error *e)
{
	int length = snprintf(path, size, "%s/%s", folder, name);
	if (length < 0 || (size_t)length >= size)
		return error_set(e, ERR_INVALID, "the path of the store's folder is too long: %.100s…", folder);
	return OK;
}

int disk_sync_folder_of(const char *path, struct error *e)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int length = slash ? snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path)
	                   : snprintf(folder, sizeof(folder), ".");
	if (length < 0 || (size_t)length >= sizeof(folder))
		return error_set(e, ERR_INVALID, "the path %.100s… is too long", path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(e, errno, "cannot open the folder %s", folder);
	int failed = fsync(fd) != 0 ? errno : 0;
	close(fd);
	return failed ? error_set_errno(e, failed, "cannot sync the folder %s", folder) : OK;
}

static int full(const char *path, uint64_t needed, uint64_t available, struct error *e)
{
	return error_set(
	        e, ERR_FULL,
	        "%s needs %llu bytes more on its disk and %llu are free: free disk space or give it a smaller map",
	        path, (unsigned long long)needed, (unsigned long long)available);
}

/* Zeros up to `size`: space that is only allocated costs the file system a change of its own records at the first write
 * to each page, and with it every commit of a growing store more than twice the time. */
static int zeros_write(int fd, uint64_t from, uint64_t size)
{
	static const uint8_t zeros[256 * 1024];
	while (from < size) {
		size_t part = size - from < sizeof zeros ? (size_t)(size - from) : sizeof zeros;
		ssize_t written = pwrite(fd, zeros, part, (off_t)from);
		if (written < 0 && errno != EINTR)
			return errno;
		from += written > 0 ? (uint64_t)written : 0;
	}
	return 0;
}

/* Allocates the first `size` bytes of the file, which is put back to its old length if that fails. */
static int allocate_fd(int fd, const char *path, uint64_t size, struct error *e)
{
	struct stat file;
	struct statvfs disk;
	if (fstat(fd, &file) != 0 || fstatvfs(fd, &disk) != 0)
		return error_set_errno(e, errno, "cannot read the size of %s", path);
	uint64_t allocated = (uint64_t)file.st_blocks * 512;
	if ((uint64_t)file.st_size >= size && allocated >= size)
		return OK;
	uint64_t needed = size > allocated ? size - allocated : 0;
	uint64_t available = (uint64_t)disk.f_bavail * disk.f_frsize;
	/* Ask first: an attempt that cannot succeed would fill the disk under everybody else before it fails. */
	if ((uint64_t)file.st_size < size && needed > available)
		return full(path, needed, available, e);
	int rc;
	do {
		rc = posix_fallocate(fd, 0, (off_t)size);
	} while (rc == EINTR);
	if (rc == 0)
		rc = zeros_write(fd, (uint64_t)file.st_size, size);
	if (rc == 0 && fsync(fd) != 0)
		rc = errno;
	if (rc == 0)
		return OK;
	if (ftruncate(fd, file.st_size) != 0)
		return error_set_errno(e, errno, "cannot take back the space given to %s", path);
	if (rc == ENOSPC || rc == EDQUOT)
		return full(path, needed, available, e);
	return error_set_errno(e, rc, "cannot allocate %llu bytes for %s", (unsigned long long)size, path);
}

static int allocate(const char *path, int flags, uint64_t size, struct error *e)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
	if (fd < 0)
		return error_set_errno(e, errno, "cannot open %s", path);
	int rc = allocate_fd(fd, path, size, e);
	close(fd);
	return rc;
}

static int write_empty_environment(const char *path, uint64_t map_bytes, struct error *e)
{
	MDB_env *env = NULL;
	int rc = mdb_env_create(&env);
	if (rc == 0)
		rc = mdb_env_set_mapsize(env, (size_t)map_bytes);
	if (rc == 0)
		rc = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK, 0600);
	if (env)
		mdb_env_close(env);
	if (rc == 0)
		return OK;
	return rc > 0 ? error_set_errno(e, rc, "cannot make %s", path)
	              : error_set(e, ERR_IO, "cannot make %s: %s", path, mdb_strerror(rc));
}

static int make_environment(const char *folder, const char *data, uint64_t map_bytes, struct error *e)
{
	char made[PATH_MAX];
	if (disk_path(folder, "data.mdb.new", made, sizeof(made), e) != OK)
		return ERR_INVALID;
	if (unlink(made) != 0 && errno != ENOENT)
		return error_set_errno(e, errno, "cannot remove %s, left over from a start that was cut off", made);
	int rc = write_empty_environment(made, map_bytes, e);
	if (rc == OK)
		rc = allocate(made, 0, map_bytes, e);
	if (rc == OK && rename(made, data) != 0)
		rc = error_set_errno(e, errno, "cannot rename %s to %s", made, data);
	if (rc == OK)
		return disk_sync_folder_of(data, e);
	unlink(made);
	return rc;
}

/* A file that was cut short must not be filled up with zeros: they would stand where rows were. `size` of the file. */
static int length_check(const char *folder, const char *data, uint64_t size, struct error *e)
{
	MDB_env *env = NULL;
	MDB_envinfo info;
	MDB_stat stat;
	if (size == 0) /* LMDB would begin anew */
		return error_set(e, ERR_DAMAGED, "%s is empty", data);
	int rc = mdb_env_create(&env);
	if (rc == 0)
		rc = mdb_env_open(env, folder, MDB_RDONLY | MDB_NOLOCK, 0600);
	if (rc == 0)
		rc = mdb_env_info(env, &info);
	if (rc == 0)
		rc = mdb_env_stat(env, &stat);
	if (env)
		mdb_env_close(env);
	if (rc == ENOMEM)
		return error_set(e, ERR_MEMORY, "no memory to look at %s", data);
	if (rc > 0)
		return error_set_errno(e, rc, "cannot look at %s", data);
	if (rc != 0)
		return error_set(e, ERR_DAMAGED, "%s is damaged: %s", data, mdb_strerror(rc));
	uint64_t pages = (uint64_t)info.me_last_pgno + 1;
	if (pages <= size / stat.ms_psize)
		return OK;
	return error_set(e, ERR_DAMAGED,
	                 "%s was cut short: it has %llu bytes, and what is stored takes %llu pages of %u", data,
	                 (unsigned long long)size, (unsigned long long)pages, stat.ms_psize);
}

int disk_prepare(const char *folder, bool is_read_only, uint64_t *map_bytes, struct error *e)
{
	char data[PATH_MAX], lock[PATH_MAX];
	if (disk_path(folder, "data.mdb", data, sizeof(data), e) != OK ||
	    disk_path(folder, "lock.mdb", lock, sizeof(lock), e) != OK)
		return ERR_INVALID;
	struct stat file;
	bool is_there = stat(data, &file) == 0;
	if (!is_there && errno != ENOENT)
		return error_set_errno(e, errno, "cannot look at %s", data);
	if (!is_there && is_read_only)
		return error_set(e, ERR_NOT_FOUND, "there is no store in %s", folder);

	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t wanted = *map_bytes;
	if (is_there && (is_read_only || (uint64_t)file.st_size > wanted))
		wanted = (uint64_t)file.st_size;
	if (wanted > (uint64_t)INT64_MAX - page)
		return error_set(e, ERR_INVALID, "a map of %llu bytes is too large", (unsigned long long)wanted);
	wanted = (wanted + page - 1) / page * page;

	int rc = OK;
	if (!is_there)
		rc = make_environment(folder, data, wanted, e);
	else if (is_read_only || (uint64_t)file.st_size < wanted)
		rc = length_check(folder, data, (uint64_t)file.st_size, e);
	if (rc == OK && !is_read_only)
		rc = allocate(data, 0, wanted, e);
	if (rc == OK && !is_read_only)
		rc = allocate(lock, O_CREAT, LOCK_FILE_BYTES, e);
	if (rc == OK)
		*map_bytes = wanted;
	return rc;
}

/* Small files: whole reads, and writes that survive a power cut. */
#ifndef BASE_FILES_H
#define BASE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/errors.h"

/* Reads all of `path` into `out` (appends a NUL past the end, not counted). ERR_NOT_FOUND, ERR_TOO_BIG above `most`,
 * ERR_IO, ERR_MEMORY. */
int file_read(const char *path, size_t most, struct buffer *out, struct error *e);
/* Writes a temporary file beside `path`, syncs it, renames it, syncs the folder. */
int file_replace(const char *path, mode_t mode, struct bytes content, struct error *e);
/* The same for a file that must not exist yet: ERR_EXISTS, and what is there stays. */
int file_create(const char *path, mode_t mode, struct bytes content, struct error *e);
/* Puts the file `from` in the place of `path`, in the same folder, and syncs the folder. */
int file_move(const char *from, const char *path, struct error *e);
/* Writes over the very bytes of the file (made if missing), so that what stood there is gone; syncs it and its folder.
 * A power cut may leave it torn. */
int file_overwrite(const char *path, mode_t mode, struct bytes content, struct error *e);
/* Overwrites a small file with zeros and removes it; one that is missing is fine. */
int file_destroy(const char *path, struct error *e);
int file_find(const char *path, struct error *e);                /* OK; ERR_NOT_FOUND; or it cannot be known now */
bool file_exists(const char *path);                              /* false also where it cannot be known now */
int folder_make(const char *path, mode_t mode, struct error *e); /* one level; an existing folder is fine */
/* Makes a rename to `path`, or its removal, durable: it is an entry in the folder around it. */
int folder_sync_of(const char *path, struct error *e);

/* Takes an exclusive lock on `path` (made if missing) for the life of the process; *fd is closed to give it back.
 * ERR_BUSY names the process that holds it (its pid stands in the file). */
int file_lock(const char *path, int *fd, struct error *e);

#endif

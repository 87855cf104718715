/* What the files about backups share: the parts of a backup's content, in their order, and its rows. */
#ifndef NODE_INSIDE_BACKUP_H
#define NODE_INSIDE_BACKUP_H

#include "node/backup.h"
#include "proto/codec.h"

#define BACKUP_VERSION 1
#define BACKUP_COPY_BYTES 65536

/*
 *   store      := { size of name u8 ‖ name ‖ size u64 ‖ bytes } 0u8 proof key (32)
 *   key table  := { table u8 ‖ size of key u16 ‖ key ‖ size u32 ‖ value } 0u8
 */
extern const char *const backup_files[]; /* under DATA; the store's own last; NULL at the end */
#define BACKUP_STORE_FILE "store/data.mdb"
#define BACKUP_KEY_FILE_BYTES_MOST 65536
#define BACKUP_ENVELOPE_BYTES_MOST 4096

int backup_path(char *out, size_t size, struct error *e, const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif

/* The file by which a device shows the district its public keys: DATA/device.json, message DeviceFile as JSON. */
#ifndef NODE_DEVICE_FILE_H
#define NODE_DEVICE_FILE_H

#include "base/arena.h"
#include "crypto/crypto.h"
#include "proto/payload.pb-c.h"

#define DEVICE_FILE_BYTES_MOST 4096

/* Writes DATA/device.json anew: suite, keys and fingerprint; role and place stay empty, the district gives them.
 * ERR_IO, ERR_FULL, ERR_TOO_BIG for a path that is too long, ERR_MEMORY. */
int device_file_write(const char *data, const struct device_keys *keys, struct error *e);

/* Reads such a file and checks that its fingerprint is that of its keys. The message lies in `arena`, `fingerprint` is
 * the one computed from the keys. ERR_NOT_FOUND, ERR_INVALID, ERR_VERSION for a suite that is not known. */
int device_file_read(const char *path, struct arena *arena, Lm__DeviceFile **out, struct hash *fingerprint,
                     struct error *e);

#endif

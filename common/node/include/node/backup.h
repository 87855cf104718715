/*
 * Backups: two files, each sealed to the recovery key, whose secret half never lies on this machine.
 *
 *   PLACE-20261122T030000Z.backup   the device's keys and a copy of the store; many are kept
 *   PLACE.keytable                  the envelopes, which that copy holds under a key that is in no backup; only the
 *                                   newest is kept, so that what was erased since cannot be opened from an old copy
 *
 * A restore takes one of the first and the second. docs/DATA.md shows the bytes.
 */
#ifndef NODE_BACKUP_H
#define NODE_BACKUP_H

#include "node/node.h"
#include "proto/backup.pb-c.h"

struct backup_order {
	const char *data;   /* folder of keys and store */
	const char *folder; /* where the files go; made with mode 0700 if missing */
	const uint8_t *recovery_key;
	struct store *store; /* open; it may be in use */
	const struct device_keys *keys;
	const struct domain *domain;
	int64_t now_ms;
	bool is_key_table_only; /* after an erasing: replaces the newest copy of the envelopes, and nothing else */
};
/* Any thread but the writer's; takes as long as the disk. `out` and `made` (the entry that `own` keeps of it; nothing
 * for the key table alone) live in `arena`. Leaves no half-made file behind. */
int backup_make(const struct backup_order *order, struct arena *arena, Lm__BackupView *out, Lm__BackupPayload *made,
                struct error *e);

/* Makes the new folder `data` from the two files and verifies it. ERR_EXISTS; ERR_DENIED: another recovery key, or
 * files of two devices; ERR_DAMAGED with a sentence. A daemon that starts there first asks its neighbours for what the
 * backup lacks. */
struct restore_result {
	Lm__BackupHead *head;     /* in the caller's arena */
	Lm__VerifyView *verified; /* the same */
	uint64_t envelopes;       /* put back */
	uint64_t erased;          /* were in the store's copy, and have been destroyed since */
	struct bytes proof_key;
};
int backup_restore(const char *store_file, const char *key_table_file, const struct recovery_key *key, const char *data,
                   struct arena *arena, struct restore_result *out, struct error *e);
/* The same into a scratch folder that is removed; writes STORE_FILE.verified, which is for lmctl backup confirm. */
int backup_verify(const char *store_file, const char *key_table_file, const struct recovery_key *key,
                  const char *scratch, int64_t now_ms, struct arena *arena, struct restore_result *out,
                  struct error *e);

/* A proof read from a file, for who holds proof_key: ERR_DENIED if it is not the key's. `head` lives in `arena`. */
int backup_proof_check(const Lm__BackupProof *proof, const Lm__BackupPayload *made, struct arena *arena,
                       Lm__BackupHead **head, struct error *e);

/* DATA/restored, which a restore leaves for the daemon. ERR_NOT_FOUND: there is none; ERR_EXISTS: there is one. */
int restored_write(const char *data, const Lm__RestorePayload *begun, struct arena *arena, struct error *e);
int restored_read(const char *data, struct arena *arena, Lm__RestorePayload **out, struct error *e);
int restored_remove(const char *data, struct error *e);
/* The disk in `data`, of a hub or a town whose daemon does not run, was put back to an earlier image: leaves the same,
 * in *out too. ERR_INVALID: a terminal's; ERR_BUSY: a daemon runs there; ERR_EXISTS. */
int node_put_back(const char *data, struct arena *arena, Lm__RestorePayload **out, struct error *e);

#endif

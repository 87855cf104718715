/*
 * What `own` tells of backups and of a restore. Both are entries like any other: a replay comes to the same rows.
 */
#ifndef DOMAIN_BACKUP_H
#define DOMAIN_BACKUP_H

#include "domain/domain.h"
#include "proto/backup.pb-c.h"

#define BACKUP_ID_BYTES 16
#define BACKUPS_WAITING_MOST 32 /* made and not verified: older ones are forgotten */

/* ERR_NOT_FOUND: none was made here yet. */
int backup_get(struct store_txn *txn, struct arena *arena, Lm__BackupRecord **out);
/* One that was made and waits to be verified; NULL: it is not known, or it was verified. */
const Lm__BackupPayload *backup_waiting(const Lm__BackupRecord *record, struct bytes backup);
/* ERR_NOT_FOUND: this store never was restored. */
int restore_get(struct store_txn *txn, struct arena *arena, Lm__RestoreRecord **out);

/* Cases of ours with an ask that nobody has answered: as effects, for desk work that waited while a restored node was
 * given back what it lacked. Reads every case. */
int case_asks_unanswered(const struct domain *d, struct store_txn *txn, struct arena *arena, struct domain_effects *fx,
                         struct error *e);
/* The effect of a copy that was applied while nothing could be passed on; none if there is nothing to pass. */
int case_copy_effect(const struct domain *d, struct store_txn *txn, struct arena *arena, const struct domain_item *item,
                     struct domain_effects *fx, struct error *e);

#endif

/* Cards that the district issued: at the hub all of them, elsewhere those that were revoked. */
#ifndef DOMAIN_CARD_H
#define DOMAIN_CARD_H

#include "domain/domain.h"

extern const struct store_table domain_table_card;

/* ERR_NOT_FOUND: below the hub, not revoked. */
int card_get(struct store_txn *txn, uint64_t number, struct arena *arena, Lm__CardRecord **out);
/* The highest number that was issued; 0: none was. */
int card_newest(struct store_txn *txn, struct arena *arena, uint64_t *out);

#endif

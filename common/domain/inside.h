/* What the files of this room share. */
#ifndef DOMAIN_INSIDE_H
#define DOMAIN_INSIDE_H

#include "domain/domain.h"
#include "proto/codec.h"

struct apply { /* one call of domain_apply */
	const struct domain *d;
	struct store_txn *txn;
	struct arena *arena;
	const struct domain_item *item;
	struct domain_effects *fx;
	uint8_t *cause;
	size_t *cause_size;
	struct error *e;
};

/* rows */
int row_get(struct store_txn *txn, const struct store_table *table, struct bytes key, const ProtobufCMessageDescriptor *type, struct arena *arena, void *out);
int row_put(struct apply *a, const struct store_table *table, struct bytes key, const ProtobufCMessage *row);
struct bytes key_u64(uint64_t v, uint8_t memory[8]);
struct bytes key_id(const struct id *id);

/* effects and causes */
int effect_add(struct apply *a, struct domain_effect effect);
int held_on_request(struct apply *a);  /* ERR_HELD */
int held_on_service(struct apply *a);
int release_request(struct apply *a, struct id request);
int release_service(struct apply *a, const char *service, uint32_t revision);

struct id header_request(const Lm__Header *h);

/* one function a kind */
int apply_authority(struct apply *a);
int apply_device(struct apply *a);
int apply_service(struct apply *a);
int apply_account(struct apply *a);
int apply_secret(struct apply *a);
int apply_request_here(struct apply *a);
int apply_ask_here(struct apply *a);
int apply_receipt_lock(struct apply *a);
int apply_lock_release(struct apply *a);
int apply_lock_released(struct apply *a);
int apply_status(struct apply *a);
int apply_case_open(struct apply *a);
int apply_case_ask(struct apply *a);
int apply_case_event(struct apply *a);
int apply_case_copy(struct apply *a);

/* totals */
int count_move(struct apply *a, const Lm__CaseRecord *before, const Lm__CaseRecord *after); /* `before` NULL: a new case */

#endif

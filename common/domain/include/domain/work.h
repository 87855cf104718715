/*
 * The day's work at a desk: whose a case is, saved views, who is away, notes of a shift, texts of one's own, and
 * telling the resident. Entries of `own`, all in one table, whose keys begin with what a row is.
 */
#ifndef DOMAIN_WORK_H
#define DOMAIN_WORK_H

#include "domain/domain.h"
#include "proto/work.pb-c.h"

extern const struct store_table domain_table_work, domain_table_wording; /* wording: what the district published */

#define WORK_ACCOUNT_BYTES_MOST 32
#define VIEW_ID_BYTES_MOST 16
#define WORK_NAME_BYTES_MOST 96
#define WORK_TEXT_BYTES_MOST 4000
#define CONTACTS_MOST 50 /* of one case */
#define CONTACT_TRIES_MOST 20

enum work_kind {
	WORK_CLAIM = 'C',    /* request id */
	WORK_CONTACT = 'K',  /* request id, contact id */
	WORK_LEAVE = 'L',    /* account */
	WORK_NOTE = 'N',     /* tape position */
	WORK_OPEN = 'O',     /* day, contact id: contacts that are to be made */
	WORK_TEMPLATE = 'T', /* id */
	WORK_VIEW = 'V',     /* account, 0, id */
};

/* ERR_NOT_FOUND: nobody has had it. */
int claim_get(struct store_txn *txn, struct id request, struct arena *arena, Lm__ClaimRecord **out);
/* Rows of one kind whose key goes on with `head` (may be empty), in the order of keys or the last first; at most
 * `most`. The list and its messages lie in `arena`. */
int work_list(struct store_txn *txn, enum work_kind kind, struct bytes head, bool is_last_first, size_t most,
              struct arena *arena, ProtobufCMessage ***out, size_t *count);
int contact_get(struct store_txn *txn, struct id request, struct id contact, struct arena *arena,
                Lm__ContactRecord **out);

/* Shape of what is written: ERR_INVALID, ERR_TOO_BIG say what is wrong. */
int desk_payload_check(const Lm__DeskPayload *payload, struct error *e);
int contact_check(const Lm__ContactPayload *payload, struct error *e);
bool contact_is_done(const Lm__ContactPayload *payload);
/* Faults of a text that a desk keeps, as collection.check counts them: what the district publishes has its own. */
size_t own_wording_check(const Lm__Template *wording, struct service_fault *faults, size_t most);

/* Whether somebody is away on this day (2026-11-22). */
bool leave_counts(const Lm__Leave *leave, const char *day);

#endif

/*
 * Residents' records. A record is owned by the town in which the person is registered; the district holds them all. An
 * event of the owner carries everything that is on file and replaces what was there, so a history is the difference
 * between neighbours, and who has seen the newest event knows the record.
 *
 *   up (town)      PERSON        created, changed, merged, split, died, handed over
 *   down (to town) PERSON_COPY   the whole of a record that was handed over to it
 *   own            LOOK          who looked at it, for what
 */
#ifndef DOMAIN_PERSON_H
#define DOMAIN_PERSON_H

#include "domain/domain.h"
#include "proto/person.pb-c.h"

extern const struct store_table domain_table_person, domain_table_about;

#define PERSON_CONTACTS_MOST 4
#define PERSON_REPRESENTATIVES_MOST 4
#define PERSON_BENEFITS_MOST 16
#define PERSON_DEVICES_MOST 16
#define PERSON_FACTS_BYTES_MOST 8192
#define PERSON_OTHERS_MOST 8
#define PERSON_REASON_CHARACTERS_MOST 200
#define PERSON_FAMILY_MOST 16 /* a record and those that were merged into it */

/* Checks facts of a record that the town `town` owns. Returns how many faults there are; at most `most` are written:
 * their paths are those of PersonFacts ("contacts[1].phone"), their rules those of forms, and not-as-id-number,
 * not-in-order (a last day before the first), twice. */
size_t person_check(const Lm__PersonFacts *facts, const char *town, struct form_fault *faults, size_t most);
/* Whether somebody may act for the person on this day (2026-11-22): within its dates, and the person lives. */
bool representative_counts(const Lm__PersonFacts *facts, size_t i, const char *day);
/* Whether the record lets the carer ask for a service of this module on this day; never NONE. They are told apart by
 * name, and by phone where the record has one. */
Lm__Authority authority_of(const Lm__PersonFacts *facts, const Lm__Carer *carer, Lm__Module module, const char *day);

/* ERR_NOT_FOUND. */
int person_get(struct store_txn *txn, struct id person, struct arena *arena, Lm__PersonRecord **out);
/* Records in the order of ids, those behind *from (zero: all); *from becomes the last one. `visit` returns false to
 * stop. Resets `arena` after every row: give it one of its own. In a read transaction damaged rows are passed over, and
 * `e` names one although OK is returned. */
int person_each(struct store_txn *txn, struct id *from, struct arena *arena,
                bool (*visit)(void *context, struct id person, const Lm__PersonRecord *record), void *context,
                struct error *e);
bool person_is_erased(struct store_txn *txn, struct id person);
/* The record and those that were merged into it, and into them; *count is at least 1. ERR_TOO_MANY. */
int person_family(struct store_txn *txn, struct id person, struct id family[PERSON_FAMILY_MOST], size_t *count);

/* May this node do that to the record now? `record` NULL: it is not there yet. ERR_CLOSED, ERR_CONFLICT, ERR_DENIED,
 * ERR_INVALID with a sentence. `place`: the town that owns it afterwards. */
int person_action_check(const struct domain *d, const Lm__PersonRecord *record, const Lm__PersonPayload *payload,
                        const char *place, struct error *e);
/* Fills the header of the owner's event: everything that apply will check. `place` as above, kept by reference. */
void person_event_header(const struct id *person, const Lm__PersonRecord *record, const char *place, Lm__Header *h);

#define PERSON_EVENTS_SHOWN 200
struct person_event {
	uint32_t version;
	uint64_t position; /* on this node's tape */
};
/* All three newest first, in `arena`; *is_more: there are more than `most`. */
int person_events(struct store_txn *txn, struct id person, struct arena *arena, struct person_event **out,
                  size_t *count); /* the last PERSON_EVENTS_SHOWN */
/* Requests that staff said to be this person's. */
int person_cases(struct store_txn *txn, struct id person, struct arena *arena, size_t most, struct id **out,
                 size_t *count, bool *is_more);
int person_looks(struct store_txn *txn, struct id person, struct arena *arena, size_t most, Lm__LookRecord ***out,
                 size_t *count, bool *is_more);

/* A hand-over that another node's event tells of, as an effect: the hub passes the record on (after a restore). */
int person_copy_effect(const struct domain *d, struct store_txn *txn, struct arena *arena,
                       const struct domain_item *item, struct domain_effects *fx, struct error *e);

#endif

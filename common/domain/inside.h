/* What the files of this room share. */
#ifndef DOMAIN_INSIDE_H
#define DOMAIN_INSIDE_H

#include "domain/backup.h"
#include "domain/certificate.h"
#include "domain/domain.h"
#include "domain/letter.h"
#include "domain/person.h"
#include "domain/publication.h"
#include "domain/report.h"
#include "domain/work.h"
#include "proto/codec.h"
#include "proto/subject.h"

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
int row_get(struct store_txn *txn, const struct store_table *table, struct bytes key,
            const ProtobufCMessageDescriptor *type, struct arena *arena, void *out);
/* Unpacks a row that we wrote: if that fails the store is at fault, not the entry under way. */
int row_unpack(struct store_txn *txn, const struct store_table *table, const ProtobufCMessageDescriptor *type,
               struct bytes value, struct arena *arena, void *out);
int row_put(struct apply *a, const struct store_table *table, struct bytes key, const ProtobufCMessage *row);
/* Removes the rows whose keys are as `first` but for the u32 in which they end. */
int rows_numbered_remove(struct apply *a, const struct store_table *table, struct bytes first);
struct bytes key_u64(uint64_t v, uint8_t memory[8]);
struct bytes key_id(const struct id *id);

/* effects and causes */
int effect_add(struct apply *a, struct domain_effect effect);
int held_on_request(struct apply *a); /* ERR_HELD; ERR_INVALID if it names none */
int held_on_service(struct apply *a);
int held_on_version(struct apply *a); /* the event before it has not come */
/* backup.c: the item came before a return ended: it was late, whatever it says, and others of its time were not. */
bool restore_gave_back(struct apply *a);
int held_on_return(struct apply *a); /* until a restored node has what its neighbours give back */
int held_on_other(struct apply *a, struct id subject, uint32_t version);
int release_request(struct apply *a, struct id request);
int release_service(struct apply *a, const char *service, uint32_t revision);
int release_return(struct apply *a);
int release_version(struct apply *a, struct id subject, uint32_t version); /* what follows `version` */

struct id header_request(const Lm__Header *h);

#define NAME_CHARACTERS_MOST 50 /* where a field sets no limit */
#define ADDRESS_CHARACTERS_MOST 120

const Lm__Field *field_find(Lm__Field *const *fields, size_t count, const char *id); /* NULL: there is none */
size_t fields_check(Lm__Field *const *fields, size_t n_fields, Lm__FieldValue *const *values, size_t count,
                    bool may_be_parted, struct form_fault *faults, size_t most); /* as form_check */
bool choice_is_known(const Lm__Field *field, const char *choice);
bool service_id_is_good(const char *id);
bool phone_is_good(const char *text);
const char *form_text(Lm__FieldValue *const *values, size_t count, const char *field); /* NULL: no answer */
bool form_has_answer(Lm__FieldValue *const *values, size_t count, const char *field);  /* a text or a file */

#define SHARINGS_MOST 3
#define CONSENTS_MOST (2 + SHARINGS_MOST)

/* memo.c: as service_get, device_get and secret_get, once a turn */
int memo_service(struct apply *a, const char *id, uint32_t revision, Lm__Service **out);
int memo_device(struct apply *a, uint64_t device, Lm__DeviceRecord **out);
int memo_secret(struct apply *a, Lm__NodeSecretPayload **out);

/* one function a kind */
int apply_authority(struct apply *a);
int apply_device(struct apply *a);
int apply_keys(struct apply *a);
int apply_content(struct apply *a);
int apply_history(struct apply *a);
int apply_account(struct apply *a);
int apply_account_mark(struct apply *a);
int apply_draft(struct apply *a);
int apply_secret(struct apply *a);
int apply_quarantine_act(struct apply *a);
int apply_card(struct apply *a);
int apply_token(struct apply *a);
int apply_request_here(struct apply *a);
int apply_ask_here(struct apply *a);
int apply_rating_here(struct apply *a);
int apply_receipt_lock(struct apply *a);
int apply_lock_release(struct apply *a);
int apply_lock_released(struct apply *a);
int apply_status(struct apply *a);
int apply_case_open(struct apply *a);
int apply_case_ask(struct apply *a);
int apply_case_event(struct apply *a);
int apply_case_copy(struct apply *a);
int apply_erase_act(struct apply *a);
int apply_erase(struct apply *a);
int apply_erase_told(struct apply *a);
int apply_erasure(struct apply *a);
int apply_case_returned(struct apply *a);
int apply_person(struct apply *a);
int apply_person_copy(struct apply *a);
int apply_look(struct apply *a);
int apply_certificate(struct apply *a);
int apply_certificate_ask(struct apply *a);
int apply_certificate_ask_here(struct apply *a);
int apply_certificate_copy(struct apply *a);
int apply_certificate_returned(struct apply *a);
int apply_claim(struct apply *a);
int apply_desk(struct apply *a);
int apply_contact(struct apply *a);
int apply_letter(struct apply *a);
int apply_report(struct apply *a);
int apply_new_code(struct apply *a);
int apply_backup(struct apply *a);
int apply_restore(struct apply *a);

/* parted.c */
extern const struct store_table domain_table_part;
int apply_file_part(struct apply *a);
int apply_file_part_here(struct apply *a);
int parts_remove(struct apply *a, struct id request); /* where they lie; the request's key goes with the request */

/* cases */
int case_town_check(struct apply *a, const Lm__CaseRecord *record); /* ERR_DENIED: not the resident's town */
/* refer.c */
int64_t event_ms(const Lm__Header *h); /* when it was written, also where the district passes it on */
/* *town: that wrote the event on a case; NULL: the district did. */
int case_author(struct apply *a, const char **town);
int case_author_check(struct apply *a, const Lm__CaseRecord *record, const char *town); /* ERR_DENIED: not the owner */
int referred_move(struct apply *a, Lm__CaseRecord *record); /* after a referral, or its way back */
/* At the district: what another town has to hear of an event that was applied, and of an ask. */
int case_event_pass(struct apply *a, struct id request, const Lm__CaseRecord *record, const char *author);
int case_ask_pass(struct apply *a, struct id request, const Lm__CaseRecord *record, uint64_t position);
int case_copy_relay(struct apply *a); /* the effect by which a copy's message goes on to its terminal */
Lm__CaseState case_state_after(const Lm__CaseRecord *record, Lm__CaseAction action); /* case_move.c */
int case_put(struct apply *a, struct id request, const Lm__CaseRecord *record);
int lists_move(struct apply *a, struct id request,
               Lm__CaseRecord *record); /* open, closed, locks: to where the row now belongs */

/* residents' records */
#define LOOK_BY_BYTES_MOST 64
enum about { ABOUT_CASE = 'C', ABOUT_EVENT = 'E', ABOUT_LOOK = 'L', ABOUT_MERGED = 'M' };
struct bytes about_key(struct id person, enum about about, struct bytes rest, uint8_t memory[STORE_KEY_BYTES_MOST]);
int person_shape_check(const Lm__PersonFacts *facts, struct error *e); /* ERR_INVALID */
int merge_note(struct apply *a, struct id person, const Lm__PersonFacts *facts, bool is_there);
int case_person_set(struct apply *a, struct id request, Lm__CaseRecord *record,
                    ProtobufCBinaryData person_id);   /* the row is not put; empty: nobody's */
int person_remove(struct apply *a, struct id person); /* it is erased: the row, and what lies beside it */

/* Rows of a table whose keys are ids of persons, behind *from (0: from the first), as person_each. */
int person_rows_each(struct store_txn *txn, const struct store_table *table, const ProtobufCMessageDescriptor *type,
                     struct id *from, struct arena *arena,
                     bool (*visit)(void *context, struct id person, const ProtobufCMessage *row), void *context,
                     struct error *e);

/* certificates */
enum certificate_beside { /* of a person; of nobody: samples */
	                  CERTIFICATE_EVENT = 'E',
	                  CERTIFICATE_RESULT = 'R',
	                  CERTIFICATE_SAMPLE = 'S',
	                  CERTIFICATE_TAKEN = 'T',
	                  CERTIFICATE_WAITING = 'W',
};
struct bytes certificate_key(struct id person, enum certificate_beside what, struct bytes rest,
                             uint8_t memory[STORE_KEY_BYTES_MOST]);
int assessor_declare(struct apply *a, Lm__AssessorDeclaration *d, const char *place);
int certificate_moved(struct apply *a, struct id person, const char *from, char *to);
/* A return has ended: records that moved meanwhile take along the certificates that no copy brought after them. */
int certificates_follow(struct apply *a);
int certificate_remove(struct apply *a, struct id person);
bool restore_is_returning(struct store_txn *txn, struct arena *arena);

/* erasing */
#define ACT_BYTES ID_BYTES
struct id id_at(const ProtobufCBinaryData *list, size_t i); /* zero if it is no id */
/* The act that is about a request or a record. `type`: DOMAIN_CASE, DOMAIN_PERSON. */
int subject_note(struct apply *a, ProtobufCBinaryData subject, ProtobufCBinaryData act, bool is_erased,
                 enum domain_effect_type type);
/* What a terminal still has of a request. */
int statuses_remove(struct apply *a, struct id request);
int locks_remove(struct apply *a, struct bytes lookup);
int contacts_remove(struct apply *a, struct id request);
/* A request that was erased before it came. */
int erase_tell(struct apply *a, struct id request);

/* drafts and publications */
struct bytes publication_key(const struct collection *c, const char *key, const uint32_t *revision,
                             uint8_t memory[STORE_KEY_BYTES_MOST]); /* `revision` NULL: of a draft */
int publication_note(struct apply *a, const struct collection *c, const char *key,
                     const struct publication_stamp *stamp);
/* All of a key that is published is forgotten here. */
int content_forget(struct apply *a, const struct collection *c, const char *key);
bool name_is_among(const char *name, char *const *names, size_t count);

/* totals */
int count_move(struct apply *a, const Lm__CaseRecord *before,
               const Lm__CaseRecord *after); /* `before` NULL: a new case */

#endif

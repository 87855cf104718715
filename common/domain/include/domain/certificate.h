/*
 * Certificates of disability. The district owns each; a person has one, under the person's id, through all its renewals
 * and reissues. A town asks, the district answers each ask once, and tells the town that has the resident's record what
 * became of it. Which act is possible in which state stands in one table, certificate_moves.
 *
 *   up (town)      CERTIFICATE_ASK    what its clerks and assessors do
 *   own (district) CERTIFICATE        what the district does
 *   down (to town) CERTIFICATE_COPY   the whole record after each of these, or why an ask was not possible
 */
#ifndef DOMAIN_CERTIFICATE_H
#define DOMAIN_CERTIFICATE_H

#include "domain/domain.h"
#include "proto/certificate.pb-c.h"

extern const struct store_table domain_table_certificate, domain_table_certificate_about, domain_table_assessor;

#define CERTIFICATE_SERVICE "certificate-application" /* its rules are those of the procedure */
#define CERTIFICATE_TEXT_CHARACTERS_MOST 500
#define CERTIFICATE_FINDINGS_CHARACTERS_MOST 2000
#define CERTIFICATE_EVENTS_SHOWN 100
#define ASSESSOR_RELATIONS_MOST 32
#define ASSESSORS_MOST 256
#define SAMPLE_MOST 500
#define SAMPLE_SEED_BYTES 16

/* ---- what may be done ---- */

enum certificate_who { BY_TOWN = 1, BY_DISTRICT = 2, BY_ASSESSOR = 4, BY_RECORD = 8 /* where that goes */ };
struct certificate_move {
	Lm__CertificateAct act;
	unsigned who;            /* bits of certificate_who */
	unsigned from;           /* states, as bits */
	Lm__CertificateState to; /* NONE: where it is */
	const char *done;        /* "issued" */
};
extern const struct certificate_move certificate_moves[];
extern const size_t certificate_move_count;

/* NULL: not possible for these in this state. */
const struct certificate_move *certificate_move_find(Lm__CertificateState state, Lm__CertificateAct act, unsigned who);

struct certificate_actor { /* who does a step, where */
	Lm__Tier tier;     /* of the node whose entry it is */
	const char *place; /* its place */
	const char *town;  /* that has the resident's record */
	bool has_died;     /* the resident, as far as is known */
	bool is_guess;     /* a town looks ahead: nobody is drawn */
	int64_t time_ms;
};
/* The facts after a step; `before` NULL: nobody ever applied. What `after` points to lives in `before`, `step` and
 * `arena`. ERR_INVALID, ERR_CONFLICT, ERR_DENIED, ERR_NOT_FOUND (nobody can be drawn) with a sentence. */
int certificate_step(struct store_txn *txn, struct id person, const struct certificate_actor *actor,
                     const Lm__CertificateFacts *before, const Lm__CertificateStep *step, struct arena *arena,
                     Lm__CertificateFacts *after, struct error *e);
bool certificate_recheck_is_due(const Lm__CertificateFacts *facts, const char *day);

/* ---- who assesses ---- */

/* An assessor's id: from place and account. */
int assessor_id(const char *place, const char *account, struct id *out, struct error *e);
int assessor_get(struct store_txn *txn, struct id assessor, struct arena *arena, Lm__AssessorDeclaration **out);
/* In the order of their ids; `visit` returns false to stop. */
int assessor_each(struct store_txn *txn, struct arena *arena,
                  bool (*visit)(void *context, struct id assessor, const Lm__AssessorDeclaration *row), void *context);
/* Draws for the certificate of `person` of `town`, with this number, the `sequence`-th time: among the assessors of the
 * district and of that town who may, the one with the smallest SHA-256("lm draw v1" ‖ person ‖ sequence u32 ‖
 * assessor). Nobody may who is that person or close to him, or is in `passed`. ERR_NOT_FOUND: nobody may. */
struct draw_order {
	struct id person;
	const char *town, *id_number;
	uint32_t sequence;
	const ProtobufCBinaryData *passed;
	size_t passed_count;
};
int assessor_draw(struct store_txn *txn, const struct draw_order *order, struct arena *arena, Lm__AssessorDraw *out,
                  struct error *e);

/* ---- samples ---- */

/* The `count` of `ids` with the smallest SHA-256("lm sample v1" ‖ seed ‖ id), in that order, at the front of `ids`. */
int sample_draw(const uint8_t seed[SAMPLE_SEED_BYTES], struct id *ids, size_t all, size_t count, struct error *e);
int sample_frame_hash(const struct id *ids, size_t count, struct hash *out, struct error *e);
int sample_get(struct store_txn *txn, struct id sample, struct arena *arena, Lm__SampleRecord **out);
/* The newest first. */
int sample_each(struct store_txn *txn, struct arena *arena,
                bool (*visit)(void *context, struct id sample, const Lm__SampleRecord *record), void *context);
int sample_result_get(struct store_txn *txn, struct id sample, struct id person, struct arena *arena,
                      Lm__QualityRow **out);

/* ---- rows ---- */

int certificate_get(struct store_txn *txn, struct id person, struct arena *arena, Lm__CertificateRecord **out);
/* As person_each. */
int certificate_each(struct store_txn *txn, struct id *from, struct arena *arena,
                     bool (*visit)(void *context, struct id person, const Lm__CertificateRecord *record), void *context,
                     struct error *e);
struct certificate_event {
	uint32_t version;
	uint64_t position;
	char *refusal;
};
/* Newest first, the last CERTIFICATE_EVENTS_SHOWN. */
int certificate_events(struct store_txn *txn, struct id person, struct arena *arena, struct certificate_event **out,
                       size_t *count);
/* At a town: what it asked and the district has not answered, oldest first. */
int certificate_waiting(struct store_txn *txn, struct id person, struct arena *arena, Lm__CertificateWaiting ***out,
                        size_t *count);
/* The facts as they will be if the district agrees to all that waits; *out is NULL if nobody ever applied. */
int certificate_expected(struct store_txn *txn, struct id person, const struct certificate_actor *town,
                         struct arena *arena, Lm__CertificateFacts **out);
/* The header of the district's event. */
void certificate_event_header(const struct id *person, const Lm__CertificateRecord *record, const char *town,
                              Lm__Header *h);
/* Until when a certificate's record is kept whatever anybody asks; 0: nothing holds it. */
int64_t certificate_kept_until(struct store_txn *txn, struct id person, struct arena *arena);

#endif

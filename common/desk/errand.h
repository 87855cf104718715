/*
 * One request about a resident's record or a case under way: its input, its output, and the arena that both lie in.
 * Whoever answers it frees it.
 */
#ifndef DESK_ERRAND_H
#define DESK_ERRAND_H

#include "domain/person.h"
#include "inside.h"
#include "proto/registry.pb-c.h"

struct errand {
	struct command command;
	struct http_request *request;
	struct arena arena;
	ProtobufCMessage *input, *output;
	struct id person; /* or the request whose case it is about */
	char user[33];
	char place[PLACE_TEXT_BYTES]; /* that the address names */
	uint8_t seed[16];             /* of what is drawn */
	Lm__LookPurpose purpose;
	void *context;                               /* of who began it; in the arena */
	void (*view)(struct node *n, void *context); /* after the look */
	bool is_done;                                /* nothing more is to be written: the output is the answer */
	int result;
	struct error error;
};

struct errand *errand_new(struct http_request *r);                                               /* NULL: answered */
struct errand *errand_with_body(struct http_request *r, const ProtobufCMessageDescriptor *type); /* the same */
struct errand *errand_about(struct http_request *r, const ProtobufCMessageDescriptor *type); /* and names a person */
void errand_answer(struct errand *x, int result, const struct error *e);
/* On the pool, then answered by x->result. */
void errand_pool(struct node *n, struct errand *x, void (*run)(struct node *n, void *context));
/* On the writer, then `done`. */
void errand_command(struct node *n, struct errand *x, int (*run)(struct turn *t, struct command *c, struct error *e),
                    void (*done)(struct node *n, struct command *c));
void errand_done(struct node *n, struct command *c); /* answers */

/* person_views.c: in `arena`; NULL: no memory */
Lm__PersonRow *person_row(struct node *n, struct id person, const Lm__PersonRecord *record, struct arena *arena);
int person_view(struct node *n, struct store_txn *txn, struct id person, const char *user, struct arena *arena,
                Lm__PersonView **out, struct error *e);

/* certificate_views.c: what a record's page shows of its certificate */
int certificate_view(struct node *n, struct store_txn *txn, struct id person, const Lm__PersonRecord *record,
                     struct arena *arena, Lm__CertificateView **out);

/* persons.c: what is put into answers */
struct form_fault;
int faults_fill(const struct form_fault *faults, size_t count, struct arena *arena, Lm__FieldFault ***out,
                size_t *filled);
/* Records that may be of the same person, but for those that `named` (may be NULL) says are not. */
int candidates_find(struct node *n, const Lm__PersonFacts *facts, const Lm__PersonCommand *named, struct id except,
                    struct arena *arena, Lm__PersonCandidate ***out, size_t *count, struct error *e);

/* Journals that somebody looks at the record, then runs `view` on the pool and answers. */
void errand_look(struct node *n, struct errand *x, Lm__LookPurpose purpose,
                 void (*view)(struct node *n, void *context));

/* person_event.c */
struct person_step { /* what the owner does to a record */
	Lm__PersonAction action;
	Lm__PersonFacts *facts; /* create, change */
	const char *staff, *reason, *died_on, *town;
	Lm__VerifiedHow how;
	struct bytes merged_into;
	Lm__OtherPerson **others;
	size_t other_count;
	uint32_t version; /* that was seen */
};
/* Writes the event; *version is the record's then. */
int person_step_write(struct turn *t, struct id person, const struct person_step *step, uint32_t *version,
                      struct error *e);

/* registry.c: what can be found, in memory */
struct index;
struct agreement { /* a record that may be of the same person */
	struct id person;
	bool has_id_number, has_name_and_birth, has_name_and_phone;
};
struct index *registry_of(struct node *n); /* memory.c */
uint64_t registry_count(struct index *r);
/* At most `most` records that the words fit; *is_more: there are others. Any thread. */
size_t registry_search(struct index *r, const char *words, struct id *found, size_t most, bool *is_more);
size_t registry_agreeing(struct index *r, const Lm__PersonFacts *facts, struct id except, struct agreement *found,
                         size_t most);
/* Groups of records with one id number, side by side in `found`; `group` numbers them from 0. ERR_MEMORY. */
int registry_doubles(struct index *r, struct id *found, size_t *group, size_t most, size_t *count, bool *is_more);

#endif

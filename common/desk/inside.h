/* What the files of this room share. */
#ifndef DESK_INSIDE_H
#define DESK_INSIDE_H

#include "desk/desk.h"
#include "domain/letter.h"
#include "proto/codec.h"

/* The owner's event on a case: written to our stream, applied, and told to the resident under the receipt key. */
struct case_event {
	Lm__CaseAction action;
	Lm__Outcome outcome;
	Lm__CasePayload *content;
	const struct hash *ask; /* that it answers, or NULL */
	struct bytes person_id; /* CONFIRM_PERSON: whose case it is; empty: nobody's */
	char *town;             /* REFER: to which; NULL otherwise */
	Lm__Rating rating;      /* RATE of a closed case */
};
int case_event_write(struct turn *t, struct id request, const Lm__CaseRecord *record, const struct case_event *event,
                     struct error *e);

/* What a decision on an objection makes of the one before. */
Lm__Objected objected_of(bool was_objection, Lm__Outcome before, Lm__Outcome after);
/* deciding.c: may the resident object to what was decided, by `now_ms`? */
bool case_may_object(struct store_txn *txn, struct id request, const Lm__CaseRecord *record, int64_t now_ms,
                     struct arena *arena);

/* hand_over.c: what nobody here accepts goes back. Loop thread; when again at the latest, monotonic in µs. */
struct hand_overs { /* memory.c */
	uint64_t look_us;
};
struct hand_overs *hand_overs_of(struct node *n);
uint64_t hand_over_tick(struct node *n, uint64_t now_us);

/* act.c */
void case_action_post(void *context, struct http_request *r);

/* The request's payload, opened. ERR_ABSENT when it was erased or cannot be opened. */
int request_payload_open(struct node *n, struct store_txn *txn, const Lm__CaseRecord *record, struct arena *arena,
                         Lm__RequestPayload **out, struct error *e);

/* carers.c: whether who handed the request in for somebody may; NONE: nobody did. `facts` of the resident's record, or
 * NULL. ERR_MEMORY, ERR_IO: then it is not known. */
int carer_authority(struct node *n, struct store_txn *txn, const Lm__CaseRecord *record, const Lm__Service *service,
                    const Lm__RequestPayload *payload, const Lm__PersonFacts *facts, struct arena *arena,
                    Lm__Authority *out);

/* views.c */
Lm__CaseRow *case_row_unreadable(struct id request, struct arena *arena);
/* `days`: of working_days_load, once for all rows. */
Lm__CaseRow *case_row(struct node *n, struct store_txn *txn, struct id request, const Lm__CaseRecord *record,
                      const struct working_days *days, struct arena *arena);
/* term.c: how long the step that is under way may still take. Fills in step, steps, step_text, term and what belongs to
 * it; overdue by the wall clock. */
void term_fill(const Lm__CaseRecord *record, const Lm__Service *service, const struct working_days *days,
               Lm__CaseRow *row);
/* The end of `count` working days in which a case that was handed over is to be accepted. 0: it is not waiting, or
 * nobody has published the working days. */
int64_t take_by_ms(const Lm__CaseRecord *record, const struct working_days *days, int64_t count);
/* The promised end of the step that is under way has passed. */
bool case_is_overdue(const Lm__CaseRecord *record, const Lm__Service *service, const struct working_days *days,
                     int64_t now_ms);
/* `user`: who looks. */
int case_view(struct node *n, struct store_txn *txn, struct id request, const char *user, struct arena *arena,
              Lm__CaseView **out, struct error *e);

/* api.c: the case, unless it is about this tier: then there is none here. */
int case_shown(struct node *n, struct store_txn *txn, struct id request, struct arena *arena, Lm__CaseRecord **out,
               struct error *e);

/* An item of the tape with its header, opened if it can be. */
int item_at(struct node *n, struct store_txn *txn, uint64_t position, struct arena *arena, Lm__TapeItem **item,
            Lm__Header **h, struct bytes *plain, bool *is_absent);

/* views.c: an event of the case, opened. *out is NULL where it was erased or cannot be opened. */
int event_open(struct node *n, struct store_txn *txn, uint64_t position, struct arena *arena, Lm__Header **h,
               Lm__CasePayload **out);

/* The file in this field of the request, or of what staff filled in. ERR_NOT_FOUND also when that was erased or cannot
 * be opened. */
struct file_name {
	uint32_t version; /* of the event; 0: of the request */
	const char *field;
};
int file_view(struct node *n, struct store_txn *txn, struct id request, const struct file_name *name,
              struct arena *arena, Lm__FileView **out, struct error *e);

/* erase.c: who proposes and who confirms that what a person told is destroyed */
void erasures_get(void *context, struct http_request *r);
void erasures_post(void *context, struct http_request *r);
void erasure_post(void *context, struct http_request *r);
/* What the case's page says of it. */
int erasure_fill(struct node *n, struct store_txn *txn, struct id request, const Lm__CaseRecord *record,
                 const char *user, struct arena *arena, Lm__CaseView *view);
/* The act that is about a request or a record; *out is NULL if there is none. */
int erasure_of(struct node *n, struct store_txn *txn, struct id subject, const char *user, struct arena *arena,
               Lm__ErasureView **out);

/* queue.c: what is looked for among the cases */
void cases_search(void *context, struct http_request *r);

/* bulk.c: one act on many cases */
void cases_bulk(void *context, struct http_request *r);
int action_allowed(struct turn *t, struct id request, uint32_t version, const Lm__CaseCommand *in,
                   Lm__CaseRecord **record, struct error *e); /* act.c: may this tier do it now, by what was seen? */

/* contacts.c: telling residents */
void contacts_get(void *context, struct http_request *r);
void contacts_post(void *context, struct http_request *r);
/* The newest event of a contact. ERR_ABSENT: it cannot be opened. */
int contact_read(struct node *n, struct store_txn *txn, const Lm__ContactRecord *row, struct arena *arena,
                 Lm__ContactPayload **out);
/* The telephone that the request names, "" for none, and its language. NULL: no memory. */
char *contact_phone(struct node *n, struct store_txn *txn, const Lm__CaseRecord *record, struct arena *arena,
                    bool *is_english);
/* Writes one more try of what contact_read gave; its time is the turn's. */
int contact_try_write(struct turn *t, struct id request, Lm__ContactPayload *p, Lm__ContactTry *one, struct error *e);

/* sms.c: text messages, through a folder that another program empties. Loop thread; when again, monotonic in µs. */
struct sms { /* memory.c */
	uint64_t look_us;
	bool is_looking, has_failed;
};
struct sms *sms_in(struct node *n);
int sms_open(struct node *n, struct error *e); /* ERR_CONFIG, ERR_IO; OK too if no folder is configured */
uint64_t sms_tick(struct node *n, uint64_t now_us);

/* work.c: who has how much, who is away, notes */
void work_get(void *context, struct http_request *r);
void work_post(void *context, struct http_request *r);

/* wordings.c */
#define TEMPLATES_MOST 200 /* of a desk */
void wordings_get(void *context, struct http_request *r);

/* views.c: NULL: nobody said whose case it is, or the record cannot be read */
Lm__PersonRecord *case_person(struct store_txn *txn, const Lm__CaseRecord *record, struct arena *arena);

/* persons.c: residents' records */
void persons_search(void *context, struct http_request *r);
void persons_post(void *context, struct http_request *r);
void person_post(void *context, struct http_request *r);
void person_look(void *context, struct http_request *r);
void person_looks_get(void *context, struct http_request *r);
void person_doubles_get(void *context, struct http_request *r);
void persons_import(void *context, struct http_request *r); /* person_import.c */

/* certificates.c, certificate_views.c, verification.c */
void certificate_post(void *context, struct http_request *r);
void certificates_get(void *context, struct http_request *r);
void assessments_get(void *context, struct http_request *r);
void assessment_look(void *context, struct http_request *r);
void assessment_post(void *context, struct http_request *r);
void declaration_post(void *context, struct http_request *r);
void samples_get(void *context, struct http_request *r);
void verification_get(void *context, struct http_request *r);

/* login.c */
void desk_login(void *context, struct http_request *r);
void desk_password(void *context, struct http_request *r);
void desk_second(void *context, struct http_request *r);
void desk_code(void *context, struct http_request *r);
void desk_unlock(void *context, struct http_request *r);
void desk_logout(void *context, struct http_request *r);
void desk_me(void *context, struct http_request *r);
void desk_front(void *context, struct http_request *r);
/* For what cannot be taken back: ERR_PROOF unless a second factor was shown a short while ago. */
int desk_fresh_check(struct http_request *r, struct error *e);

/* new_code.c: how often the receipt was lost, into the view */
int new_codes_fill(struct node *n, struct store_txn *txn, const Lm__CaseRecord *record, struct arena *arena,
                   Lm__CaseView *view);

/* publications.c, publication_views.c, publication_steps.c: what people write for others */
struct publications { /* memory.c; loop thread */
	bool have_moved;
	uint64_t sites_seen;
};
struct publications *publications_in(struct node *n);
void publications_get(void *context, struct http_request *r);
void publication_get_one(void *context, struct http_request *r);
void publication_get_revision(void *context, struct http_request *r);
void publication_post(void *context, struct http_request *r);
void publications_news(struct node *n, const struct domain_effect *news);
void publications_tick(struct node *n); /* tells pages, once a turn of the loop */

/* letters.c */
void letter_post(void *context, struct http_request *r);

/* sessions.c */
void sessions_get(void *context, struct http_request *r);
void sessions_end_post(void *context, struct http_request *r);
void session_lock_post(void *context, struct http_request *r);

/* accounts.c */
void accounts_get(void *context, struct http_request *r);
void accounts_post(void *context, struct http_request *r);

/* audit.c */
void audit_get(void *context, struct http_request *r);

/* new_code.c: the terminal's lock and messages go, if there is a lock. */
int lock_release(struct turn *t, struct id request, const Lm__CaseRecord *record, struct error *e);

#endif

/*
 * What the service is about: directory, catalogue, requests, receipts, cases, totals. Pure apply and queries over
 * tables: no clock, no configuration, no random source, no bytes packed by hand.
 *
 * domain_apply takes one entry after another, in the order of the tape, and changes projection tables. It checks
 * before it writes: a refusal is a value and leaves no trace; only a store fault is sticky. What has to be done
 * besides (answer an ask, pass a message on) comes out as effects, which a live node carries out and a replay ignores.
 */
#ifndef DOMAIN_DOMAIN_H
#define DOMAIN_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/ids.h"
#include "crypto/crypto.h"
#include "proto/api.pb-c.h"
#include "proto/calendar.pb-c.h"
#include "proto/join.pb-c.h"
#include "proto/payload.pb-c.h"
#include "proto/row.pb-c.h"
#include "store/store.h"

extern const struct store_table domain_table_device, domain_table_service, domain_table_account, domain_table_secret,
        domain_table_authority, domain_table_request, domain_table_receipt, domain_table_status, domain_table_case,
        domain_table_open, domain_table_closed, domain_table_count, domain_table_lock, domain_table_token,
        domain_table_act, domain_table_calendar, domain_table_erasure, domain_table_erased, domain_table_backup;
extern const struct store_table *const domain_tables[];
extern const size_t domain_table_number;

/* What domain_apply has unpacked before and will want again, in the arena that it was given: clear it when that arena
 * is reset and when a transaction begins. */
#define DOMAIN_MEMO_MOST 8
struct domain_memo {
	Lm__Service *service[DOMAIN_MEMO_MOST];
	Lm__DeviceRecord *device[DOMAIN_MEMO_MOST];
	Lm__NodeSecretPayload *secret;
	size_t services, devices; /* how often one was added: the oldest makes room */
};
void domain_memo_clear(struct domain_memo *memo);

struct domain { /* who this node is; fixed for the life of its directory */
	Lm__Tier tier;
	uint64_t device;
	char place[PLACE_TEXT_BYTES];
	struct domain_memo *memo; /* the writer's; NULL: every row is read each time */
};

struct domain_item {
	uint64_t position; /* on the tape */
	uint64_t ordinal;  /* in its line */
	int64_t taken_ms;  /* when this node took it up */
	const Lm__Header *header;
	struct hash hash;
	struct bytes plain;           /* opened payload */
	bool is_absent;               /* the payload was erased or cannot be opened: a defined input */
	const Lm__ErasedFacts *facts; /* of one that was erased after it was applied; NULL otherwise */
};

enum domain_effect_type {
	DOMAIN_ANSWER_ASK,   /* this node owns the case and an ask waits: `request`, `ask`, `kind`, `version` */
	DOMAIN_RELAY_STATUS, /* pass `message` down to `device`: `request`, `version`, `flag` (closing) */
	DOMAIN_RELEASE_HELD, /* items that waited for `cause` can be tried again */
	DOMAIN_DIRECTORY,    /* a device was admitted or revoked, or has other keys: `device` */
	DOMAIN_KEYS,         /* hub: `message`, a packed record, is to be told to all */
	DOMAIN_HISTORY,      /* one history of `device` goes on: `message` is the HistoryPayload */
	DOMAIN_CATALOGUE,
	DOMAIN_NOTICE,  /* a notice of the town */
	DOMAIN_DRAFT,   /* a draft was saved, dropped or published */
	DOMAIN_CASE,    /* a case changed: `request` */
	DOMAIN_REQUEST, /* a request of this terminal changed: `request` */
	DOMAIN_TOTALS,
	DOMAIN_SECRET,
	DOMAIN_QUARANTINE,       /* something is held up, or no longer */
	DOMAIN_ERASE,            /* destroy what `message` (ErasePayload) names, and tell the neighbours */
	DOMAIN_ERASE_TELL,       /* `request` was erased before it came: tell `device` */
	DOMAIN_PERSON,           /* a resident's record changed: `request` is its id */
	DOMAIN_PERSON_COPY,      /* hub: pass the record `request` in `message` on to the town's `device`: `version`,
	                            `source` */
	DOMAIN_CERTIFICATE_COPY, /* hub: tell the town's `device` of the certificate of `request`: `message`, `version`,
	                            `source` */
	DOMAIN_CASE_PASS, /* hub: pass what stands at `position` of the tape on to the town's `device`; 0: the whole
	                     case `request`, which was referred to it */
};

#define DOMAIN_CAUSE_BYTES 44

struct domain_effect {
	enum domain_effect_type type;
	struct id request;
	uint64_t device;
	struct hash ask;
	Lm__Kind kind;
	uint32_t version;
	uint64_t position;
	bool flag;
	struct bytes message; /* in the arena given to domain_apply */
	struct hash source;
	struct bytes cause;
};

struct domain_effects {
	struct domain_effect *list;
	size_t count, capacity;
};
void domain_effects_clear(struct domain_effects *fx);
void domain_effects_release(struct domain_effects *fx);

/* OK; ERR_HELD: it cites something that has not come yet, `cause` says what; a store fault (sticky); any other error is
 * a refusal. Unless it is OK it adds no effect. `arena` must live until the effects are carried out. */
int domain_apply(const struct domain *d, struct store_txn *txn, struct arena *arena, const struct domain_item *item,
                 struct domain_effects *fx, uint8_t cause[DOMAIN_CAUSE_BYTES], size_t *cause_size, struct error *e);

/* Which held items wait for an entry, or for one that waits for it: those whose cause begins with the first `shared`
 * bytes of this one and does not lie before it. False: none ever. */
struct domain_waiters {
	uint8_t cause[DOMAIN_CAUSE_BYTES];
	size_t size, shared;
};
bool domain_waiters(const Lm__Header *h, struct bytes plain, struct arena *arena, struct domain_waiters *out);

/* ---- what operators did with items that were held up ---- */
#define ACT_REASON_BYTES_MOST 600
/* Shape of an act: ERR_INVALID says what is wrong. */
int act_check(const Lm__QuarantineActPayload *act, struct error *e);
/* The newest act before tape position `before` (UINT64_MAX: of all). ERR_NOT_FOUND at the end. */
int act_before(struct store_txn *txn, uint64_t before, struct arena *arena, uint64_t *position,
               Lm__QuarantineRecord **out, struct error *e);

/* ---- directory ---- */
int device_get(struct store_txn *txn, uint64_t device, struct arena *arena, Lm__DeviceRecord **out);
int device_find_key(struct store_txn *txn, const uint8_t curve_key[KEY_BYTES], struct arena *arena,
                    Lm__DeviceRecord **out);
int device_find_place(struct store_txn *txn, const char *place, struct arena *arena,
                      Lm__DeviceRecord **out); /* the admitted one, else the newest */
/* Calls `visit` for every device; it returns false to stop. Records live in `arena` until it is reset by the caller. */
int device_each(struct store_txn *txn, struct arena *arena,
                bool (*visit)(void *context, const Lm__DeviceRecord *record), void *context);
uint64_t device_town_of(struct store_txn *txn, const char *place,
                        struct arena *arena); /* device id of the town that a place belongs to; 0 */
int authority_get(struct store_txn *txn, struct arena *arena, Lm__AuthorityPayload **out, Lm__DeviceRecord **hub);
/* Checks that `payload` is signed by the authority with this hash; gives the hub's record. */
int authority_check(struct bytes payload, const struct hash *authority_hash, struct arena *arena,
                    Lm__DeviceRecord **hub, struct error *e);
int authority_key_hash(const uint8_t authority_key[KEY_BYTES], struct hash *out, struct error *e);
/* Fingerprint and shape of a record: ERR_INVALID says what is wrong. */
int device_record_check(const Lm__DeviceRecord *record, struct error *e);
/* The key with which the device signs, or signed, in this generation. ERR_NOT_READY: the record does not know it yet.
 */
int device_signing_key(const Lm__DeviceRecord *record, uint32_t generation, uint8_t key[KEY_BYTES]);

/* ---- changing a device's keys (rotation) ---- */
/* Asks: fills `ask` with the keys `next`, signed by them; the bytes are those of `next` and of `signature`. */
int keys_ask_sign(const struct device_keys *next, Lm__KeysPayload *ask, uint8_t signature[SIGNATURE_BYTES],
                  struct error *e);
/* The record of a device that goes on with the keys of `ask`; what `out` points to lives in `known`, `ask` and `arena`.
 * ERR_FULL after KEY_CHANGES_MOST changes. */
int keys_record(const Lm__DeviceRecord *known, const Lm__KeysPayload *ask, int64_t now_ms, struct arena *arena,
                Lm__DeviceRecord *out, struct error *e);

/* ---- a device with two histories ---- */
#define HISTORY_TEXT_BYTES 40
/* Name of a history, for people: 3fe5ac98d3ebdcc9-27. */
void history_to_text(const Lm__History *history, char out[HISTORY_TEXT_BYTES]);
/* Shape of what the district decides: ERR_INVALID says what is wrong. */
int history_check(const Lm__HistoryPayload *payload, struct error *e);

/* ---- joining: tokens at the hub, requests and certificates everywhere ---- */
#define TOKEN_VALID_MOST_MS (15 * 60 * 1000)
#define JOIN_VERSION 1
int token_hash(const char *secret, struct hash *out, struct error *e);
int token_get(struct store_txn *txn, const struct hash *hash, struct arena *arena, Lm__TokenPayload **out);
int token_each(struct store_txn *txn, struct arena *arena, bool (*visit)(void *context, const Lm__TokenPayload *token),
               void *context);
/* Whether the token admits this device now. ERR_EXISTS: this very device used it already; ERR_DENIED with a sentence
 * for the person who typed it in. */
int token_check(const Lm__TokenPayload *token, const struct hash *fingerprint, const Lm__DeviceRecord *record,
                int64_t now_ms, struct error *e);
/* Signs with the device's key; `signature` is where request->signature shall lie. */
int join_request_sign(Lm__JoinRequest *request, const uint8_t signing_secret[KEY_BYTES],
                      uint8_t signature[SIGNATURE_BYTES], struct error *e);
/* Shape and signature of what came over a connection with this CURVE key. Fills what the request says of the record
 * (it points into the request) and the fingerprint of its keys. ERR_INVALID, ERR_VERSION, ERR_DENIED,
 * ERR_BAD_SIGNATURE. */
int join_request_check(const Lm__JoinRequest *request, const uint8_t connection_key[KEY_BYTES],
                       Lm__DeviceRecord *record, struct hash *fingerprint, struct error *e);
/* The hub's word. `out` lies in `arena`; the same record gives the same bytes. */
int join_certificate_make(struct store_txn *txn, const Lm__DeviceRecord *record,
                          const uint8_t signing_secret[KEY_BYTES], struct arena *arena, Lm__JoinCertificate **out,
                          struct error *e);
/* From the authority's hash to the device's record. ERR_DENIED: of another district; ERR_BAD_SIGNATURE; ERR_INVALID. */
int join_certificate_check(const Lm__JoinCertificate *certificate, const struct hash *authority_hash,
                           struct arena *arena, Lm__DeviceRecord **record, struct error *e);

/* ---- catalogue ---- */
int service_get(struct store_txn *txn, const char *id, uint32_t revision, struct arena *arena,
                Lm__Service **out); /* revision 0: the newest */

/* ---- working days ---- */
#define TERM_DAYS_MOST 1000
struct working_days { /* what the calendars in force say, read once for many terms; lies in the arena given */
	struct day_range {
		int64_t from, to; /* days since 1970 in Shanghai, both included */
		bool is_off;
	} * ranges;
	int *years; /* that have a calendar */
	size_t range_count, year_count;
};
int working_days_load(struct store_txn *txn, struct arena *arena, struct working_days *out);
/* The end (24:00 in Shanghai) of a term of so many working days, the day of `start_ms` not counted: Civil Code art.
 * 201, 203. ERR_NOT_FOUND: it reaches into *unknown_year, which has no calendar, so no date can be promised. */
int term_end(const struct working_days *d, int64_t start_ms, uint32_t days, int64_t *end_ms, int *unknown_year);
/* Working days after the day of `from_ms` up to that of `to_ms`; of years without a calendar, Monday to Friday. */
uint32_t term_days(const struct working_days *d, int64_t from_ms, int64_t to_ms);

/* Every fault of a service as "path: what is wrong", at most `most`; returns how many there are. */
struct service_fault {
	char text[200];
};
size_t service_check(const Lm__Service *service, struct service_fault *faults, size_t most);
/* The same, and that its parts agree, people can read it, and it says what becomes of what they tell: for who writes
 * and publishes one, not for apply. */
size_t service_readable_check(const Lm__Service *service, struct service_fault *faults, size_t most);
/* Checks answers against a service's fields. Returns how many faults there are; at most `most` are written. */
struct form_fault {
	char field[72]; /* or "consents.health", "carer.name": the path of what is wrong */
	const char *rule;
	int64_t least, most;
};
size_t form_check(const Lm__Service *service, Lm__FieldValue *const *values, size_t count, struct form_fault *faults,
                  size_t most);
/* The same, and the consents that the service's revision demands; under 14 by the applicant's number or date of birth
 * as of `time_ms`, in Shanghai. */
size_t request_check(const Lm__Service *service, const Lm__RequestPayload *payload, int64_t time_ms,
                     struct form_fault *faults, size_t most);
bool request_is_for_child(const Lm__Service *service, const Lm__RequestPayload *payload, int64_t time_ms);
/* Needs as bits, 1 << need; what is none is left out, whoever wrote it. */
uint32_t access_bits(const Lm__AccessNeed *need, size_t count);
/* What staff fill in at a step. The step that is under way; NULL: all are done. Acts that end it carry values. */
const Lm__Step *case_step(const Lm__Service *service, const Lm__CaseRecord *record);
bool case_action_has_values(Lm__CaseAction action);
/* How many faults the values have, *first the first of them. A refusal may leave out what is required. */
size_t step_values_check(const Lm__Step *step, Lm__CaseAction action, Lm__Outcome outcome,
                         Lm__FieldValue *const *values, size_t count, struct form_fault *first);
/* The field of any step with this id, or NULL. */
const Lm__Field *step_field(const Lm__Service *service, const char *id);
/* Puts those that residents are told into the message; they stay where they are. ERR_MEMORY. */
int step_values_told(const Lm__Service *service, Lm__FieldValue *const *values, size_t count, struct arena *arena,
                     Lm__StatusMessage *message);
/* Who decides, by the service and its owner rules. */
Lm__Tier request_owner(const Lm__Service *service, Lm__FieldValue *const *values, size_t count);
bool field_is_personal(const Lm__Field *field); /* by its type, or because the service says so */
bool field_is_health(const Lm__Field *field);
/* The media type of a file that a field may hold ("image/jpeg", "image/png", "image/webp", "application/pdf"), from its
 * bytes alone; NULL: another, or one that is cut off. Pictures that carry a place, a camera or an owner (EXIF, XMP) are
 * refused, too: nobody asked for that. */
const char *file_type_of(struct bytes file);

/* ---- files that travel in parts (parted.c) ---- */
#define REQUEST_FILE_BYTES_MOST (4 * 1024 * 1024)  /* of any file of a request; its service may say less */
#define REQUEST_FILES_BYTES_MOST (6 * 1024 * 1024) /* of all files of a request together */
#define PART_BYTES (32 * 1024)                     /* a file that is not larger lies in its request */
#define PARTED_ID_BYTES 16
uint32_t parted_count(const Lm__PartedFile *file); /* of parts */
bool parted_is_good(const Lm__PartedFile *file);   /* as it came in a payload: sizes; of all below it must be so */
/* Draws the key; everything lies in `arena`. ERR_TOO_BIG, ERR_MEMORY, ERR_CRYPTO. */
int parted_make(struct bytes content, struct arena *arena, Lm__PartedFile **out, struct error *e);
/* *out: the payload of KIND_FILE_PART. */
int part_seal(struct id request, const Lm__PartedFile *file, struct bytes content, uint32_t part, struct arena *arena,
              struct bytes *out, struct error *e);
/* Into its place in `content`, which holds file->size. ERR_DAMAGED: it is not that part of that file. */
int part_open(struct id request, const Lm__PartedFile *file, uint32_t part, struct bytes packed, struct arena *arena,
              uint8_t *content, struct error *e);
int parted_check(const Lm__PartedFile *file, struct bytes content, struct error *e); /* ERR_DAMAGED: another file */
/* Where a part lies on the tape; ERR_NOT_FOUND: it has not come. */
int part_position(struct store_txn *txn, struct id request, const Lm__PartedFile *file, uint32_t part,
                  struct arena *arena, uint64_t *position);
uint32_t parted_come(struct store_txn *txn, struct id request, const Lm__PartedFile *file); /* how many are here */
/* Takes files out of the values of which not all parts are here: they are no evidence yet. */
void parted_leave_out(struct store_txn *txn, struct id request, Lm__FieldValue *const *values, size_t count);

/* Text of the value with this meaning, or NULL. */
const char *form_value(const Lm__Service *service, Lm__FieldValue *const *values, size_t count,
                       Lm__FieldMeaning meaning);

/* ---- accounts and secrets ---- */
int account_get(struct store_txn *txn, const char *name, struct arena *arena, Lm__AccountPayload **out);
int account_check(const Lm__AccountPayload *account, Lm__Tier tier, struct error *e);
/* Every account, open and closed, by name; `visit` returns false to stop. */
int account_each(struct store_txn *txn, struct arena *arena,
                 bool (*visit)(void *context, const Lm__AccountPayload *account), void *context);
/* May this account be closed, or lose its role? ERR_CONFLICT: it is the last that may open others. */
int account_last_check(struct store_txn *txn, const Lm__AccountPayload *account, struct arena *arena, struct error *e);
enum right {
	RIGHT_CASES = 1,        /* everything about cases and what they hold */
	RIGHT_DRAFT = 2,        /* write what others publish */
	RIGHT_PUBLISH = 4,      /* publish what others wrote */
	RIGHT_DEVICES = 8,      /* the directory: tokens, revocations, histories */
	RIGHT_DESK = 16,        /* be logged in, wholly */
	RIGHT_STATE = 32,       /* how the node and its links are */
	RIGHT_RESETS = 64,      /* see accounts, unlock them, take part in a reset */
	RIGHT_ACCOUNTS = 128,   /* open and close accounts, change roles */
	RIGHT_AUDIT = 256,      /* read who did what */
	RIGHT_ASSESS = 512,     /* assess for certificates what was drawn for him */
	RIGHT_SUPERVISE = 1024, /* approve what others propose, open closed cases again, see what is overdue */
};
#define RIGHT_COUNT 11
#define RIGHT_ALL ((1u << RIGHT_COUNT) - 1)
extern const char *const right_names[RIGHT_COUNT]; /* in the order of their bits */
#define ROLE_LOCAL "local"                         /* whoever can open the daemon's Unix socket: everything */
/* Whether an account of this role has one of these rights; a role that is not known has none. */
bool role_may(const char *role, unsigned rights);
#define ROLES_MOST 12
#define ROLE_WORDS_BYTES 160
/* Roles of accounts at this tier, or of all tiers (TIER_NONE). */
size_t role_list(Lm__Tier tier, const char *names[ROLES_MOST]);
void role_words(Lm__Tier tier, char *text, size_t size); /* "clerk, assessor and administrator" */
int secret_get(struct store_txn *txn, struct arena *arena, Lm__NodeSecretPayload **out);

/* ---- requests and receipts at the terminal ---- */
/* The name under which logs tell of a request: a hash, the same at every tier. */
#define TRACE_TEXT_BYTES 13
void request_trace(struct id request, char text[TRACE_TEXT_BYTES]);
int request_get(struct store_txn *txn, struct id request, struct arena *arena, Lm__RequestRecord **out);
/* Locks with this lookup id, newest first; at most `most`. Scans: codes are looked up rarely, rows are small. In a read
 * transaction damaged rows are passed over, and `e` names one although OK is returned. */
struct receipt_row {
	uint8_t lock[RECEIPT_LOCK_BYTES];
};
int receipt_find(struct store_txn *txn, const uint8_t lookup[RECEIPT_LOOKUP_BYTES], struct receipt_row *rows,
                 size_t most, size_t *count, struct error *e);
/* How many messages are still to come, about, to receipts whose locks lie here: there should be room for them. */
uint64_t answers_expected(struct store_txn *txn);
/* Sealed status messages of a request, oldest first. */
int status_each(struct store_txn *txn, struct id request, struct arena *arena,
                bool (*visit)(void *context, uint32_t version, struct bytes sealed), void *context);
/* What a status message's seal is bound to. */
struct bytes status_associated(struct id request, uint32_t version, uint8_t memory[24]);

/* ---- cases at town and district ---- */
int case_get(struct store_txn *txn, struct id request, struct arena *arena, Lm__CaseRecord **out);
bool case_state_is_closed(Lm__CaseState state);
/* This tier is what the request is about: no page of it shows the case, or counts it by name. */
bool case_is_hidden(const struct domain *d, const Lm__CaseRecord *record);
/* The town that decides where a town does: the resident's, or the one that it was referred to. */
const char *case_decider(const Lm__CaseRecord *record);
/* This node decides it; it is this town that has the resident's terminal. */
bool case_is_ours(const struct domain *d, const Lm__CaseRecord *record);
bool case_is_of_town(const struct domain *d, const Lm__CaseRecord *record);
/* The i-th town that has the case, or had it; NULL at the end. */
const char *case_town_at(const Lm__CaseRecord *record, size_t i);
/* What names a town, and what must: a referral, to another one. ERR_INVALID. */
int refer_check(const Lm__CaseRecord *record, Lm__CaseAction action, const char *town, struct error *e);
/* The event at this position of the tape was applied. */
bool case_has_event(const Lm__CaseRecord *record, uint64_t position);
/* At the district: the same effect as when the event was applied. */
int case_pass_again(const struct domain *d, struct store_txn *txn, struct arena *arena, const struct domain_item *item,
                    struct domain_effects *fx, struct error *e);
/* May the owner do this now? ERR_CLOSED, ERR_CONFLICT, ERR_INVALID with a sentence. */
int case_action_check(const Lm__CaseRecord *record, Lm__CaseAction action, Lm__Outcome outcome, struct error *e);
/* A rating stands in RATE on a closed case, and nowhere else. ERR_INVALID. */
int case_rating_check(const Lm__CaseRecord *record, Lm__CaseAction action, Lm__Rating rating, struct error *e);
/* What the resident is told of; of other acts only staff know. */
bool case_action_is_told(Lm__CaseAction action);
/* Whether case_service_check has something to say about it, and what it says by the revision of the case: steps,
 * decisions by two, objections. ERR_CONFLICT, ERR_DENIED, ERR_INVALID. */
bool case_action_needs_service(Lm__CaseAction action);
int case_service_check(const Lm__Service *service, const Lm__CaseRecord *record, Lm__CaseAction action,
                       Lm__Outcome outcome, struct error *e);
bool service_needs_second(const Lm__Service *service, Lm__Outcome outcome);
/* Until when a decision may be objected to (24:00 of a day in Shanghai); 0: it may not. */
int64_t case_object_until(const Lm__Service *service, Lm__Outcome outcome, bool was_objected, int64_t decided_ms);
/* Fills the header of the owner's event on a case: everything that apply will check, but for a referral's town. */
void case_event_header(const struct domain *d, const Lm__CaseRecord *record, Lm__CaseAction action, Lm__Outcome outcome,
                       Lm__Header *h);
enum case_view { CASE_VIEW_OPEN, CASE_VIEW_CLOSED, CASE_VIEW_ALL };
/* A page of cases: open and closed in the order in which they became so (closed: newest first), all: newest first.
 * `after` is the cursor text of the page before ("" for the first). A damaged row does not stand in the way of the
 * others in a read transaction: a case that cannot be read is visited with `record` NULL, and `e` names the damage
 * although OK is returned. */
int case_page(struct store_txn *txn, enum case_view view, const char *after, size_t most, struct arena *arena,
              bool (*visit)(void *context, struct id request, const Lm__CaseRecord *record), void *context,
              char next[40], struct error *e);
uint64_t case_open_count(struct store_txn *txn);
/* The keyed code hash of every case that has one, until `visit` says false. In steps of bounded time: call it again
 * with *from until *from is 0. In a read transaction damaged rows are passed over, and `e` names one although OK is
 * returned. Resets `arena` after every row: give it one of its own. */
int case_codes_each(struct store_txn *txn, struct id *from, struct arena *arena,
                    bool (*visit)(void *context, struct id request, const struct hash *code_hash), void *context,
                    struct error *e);
int case_code_hash(const uint8_t key[KEY_BYTES], const char *code, struct hash *out, struct error *e);
/* ---- a receipt that was lost (new_code.c) ---- */
#define NEW_CODES_MOST 20 /* of one case */
#define NEW_CODE_NOTE_BYTES_MOST 600
int new_code_check(const Lm__NewCodePayload *payload, struct error *e); /* ERR_INVALID says what is missing */
/* The receipt has another code than the terminal drew: no terminal has a lock for it, and nothing is sent to one. */
bool case_code_is_new(const Lm__CaseRecord *record);
/* The hash of its code and of those that it had, one after another; false: there is no such one. */
bool case_code_at(const Lm__CaseRecord *record, size_t i, struct hash *out);
/* Whether this keyed hash is, or was, that of the case's code. *until_ms: 0 if it is, otherwise when it was replaced.
 */
bool case_has_code(const Lm__CaseRecord *record, const struct hash *hash, int64_t *until_ms);

/* At a town: closed cases whose lock at the terminal still stands, oldest first. */
int case_locks_each(struct store_txn *txn, struct arena *arena,
                    bool (*visit)(void *context, struct id request, const Lm__CaseRecord *record), void *context);

/* ---- erasing ---- */
#define ERASE_REQUESTS_MOST 20
#define ERASE_PERSONS_MOST 16 /* a record and those that were merged into it */
#define ERASE_TEXT_BYTES_MOST 600
/* May the request be erased now, by the tier that owns it? ERR_NOT_FOUND; ERR_DENIED: another tier's; ERR_CONFLICT: it
 * is open, or kept until a day that the sentence names; ERR_EXISTS: proposed or erased already. */
int erase_check(const struct domain *d, struct store_txn *txn, struct id request, int64_t now_ms, struct arena *arena,
                struct error *e);
/* Until when a closed case is kept whatever anybody asks, by the newest revision of its service; 0: nothing holds it.
 * `why` may be NULL. */
int64_t erase_kept_until(struct store_txn *txn, const Lm__CaseRecord *record, struct arena *arena, Lm__Basis **why);
/* What one act names. */
struct erase_list {
	const ProtobufCBinaryData *requests;
	size_t request_count;
	const ProtobufCBinaryData *persons;
	size_t person_count;
};
/* May the resident's record be erased now? Only the town that has it does so, together with what was merged into it and
 * with all requests that are this person's here: `named` holds them. Whether those may go is for erase_check.
 * ERR_NOT_FOUND, ERR_DENIED, ERR_CONFLICT. */
int erase_person_check(const struct domain *d, struct store_txn *txn, struct id person, const struct erase_list *named,
                       int64_t now_ms, struct arena *arena, struct error *e);
bool subject_is_erased(struct store_txn *txn, struct bytes subject); /* of a request or a resident's record */
int erased_get(struct store_txn *txn, struct bytes subject, struct arena *arena, Lm__ErasedRecord **out);
int erasure_get(struct store_txn *txn, struct bytes act, struct arena *arena, Lm__ErasureRecord **out);
/* The newest first. */
int erasure_each(struct store_txn *txn, struct arena *arena,
                 bool (*visit)(void *context, const Lm__ErasureRecord *record), void *context);

/* ---- totals at the district ---- */
int count_each(struct store_txn *txn, struct arena *arena,
               bool (*visit)(void *context, const char *town, const char *service, const Lm__CountRecord *record),
               void *context);

/* Hash over all projections of the domain, table by table. */
int domain_state_hash(struct store_txn *txn, struct hash *out, struct error *e);

#endif

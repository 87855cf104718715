/*
 * Text messages that there is news, through a folder ("spool") that another program empties: the provider's, which
 * knows how to send one. What is to be sent are the contacts that staff wrote down with that way; the journal says of
 * each what became of it, and the files only follow:
 *
 *                  GIVEN                 out/ID.json → taken/ID.json → done/ID.json           SENT
 *   to be sent ───────────► given out ──────────────────────────────────────────────► told ───────────► done
 *       ▲                                                          │ failed, or no answer in time: NOT_REACHED
 *       └──────────────────────────────────────────────────────────┘ after a pause, GIVEN_MOST times
 *
 * The pool looks what is to be done and writes and removes files; the writer notes what came of it. The file of what is
 * given out is written by the first look after that is stored, and again if it is nowhere: after a crash in between.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "domain/person.h"
#include "domain/work.h"
#include "errand.h"
#include "letters.h"
#include "proto/json.h"

#define LOOK_EVERY_US UINT64_C(2000000)
#define LOOK_SOON_US UINT64_C(200000) /* what was noted has its file */
#define CONTACTS_LOOKED_MOST 2000
#define FOUND_MOST 64 /* in one look */
#define GIVEN_MOST 3
#define PAUSE_MS INT64_C(900000)    /* from a failure to the next try */
#define ANSWER_MS INT64_C(86400000) /* in which the program answers */
#define DAY_BEGINS "08:00"          /* nobody is woken by a message that says no hours */
#define DAY_ENDS "20:00"
#define PATH_BYTES_MOST 512
#define NAME_BYTES_MOST (2 * ID_BYTES + 16)
#define ANSWER_BYTES_MOST 4096
#define REASON_BYTES_MOST 200
#define FILE_MODE 0660 /* the program runs as somebody else, of the same group */
#define FOLDER_MODE 0770

static const char *const folders[] = { "out", "taken", "done" };
enum { OUT, TAKEN, DONE, FOLDERS };

struct found { /* what the writer is to note */
	struct id request, contact;
	size_t tries; /* that were seen */
	Lm__ContactOutcome outcome;
	char note[REASON_BYTES_MOST + 1];
};

struct look {
	struct node *node;
	struct arena arena, item;
	const char *spool;
	int64_t now_ms;
	char day[CLOCK_TEXT_BYTES], hour[6]; /* in Shanghai */
	char (*pending)[NAME_BYTES_MOST];    /* names of what is given out */
	size_t pending_count;
	struct found found[FOUND_MOST];
	size_t found_count;
	int result;
	struct error error;
};

/* ---- files ---- */

static bool path_of(const struct look *l, int folder, const char *name, char path[PATH_BYTES_MOST])
{
	int length = snprintf(path, PATH_BYTES_MOST, "%s/%s/%s.json", l->spool, folders[folder], name);
	return length > 0 && length < PATH_BYTES_MOST;
}

static bool is_there(const struct look *l, int folder, const char *name)
{
	char path[PATH_BYTES_MOST];
	return path_of(l, folder, name, path) && file_exists(path);
}

static void name_make(const struct id *contact, size_t nth, char name[NAME_BYTES_MOST])
{
	char hex[2 * ID_BYTES + 1];
	hex_encode(BYTES(contact->byte, ID_BYTES), hex);
	snprintf(name, NAME_BYTES_MOST, "%s-%zu", hex, nth);
}

static int message_write(struct look *l, const char *name, const char *phone, bool is_english)
{
	const Lm__Words *words = letters_in(l->node)->file->sms;
	Lm__SmsMessage message = LM__SMS_MESSAGE__INIT;
	struct buffer text = { 0 };
	char path[PATH_BYTES_MOST];
	message.id = (char *)(uintptr_t)name;
	message.to = (char *)(uintptr_t)phone;
	message.text = is_english ? words->en : words->zh;
	message.language = (char *)(uintptr_t)(is_english ? "en" : "zh-CN");
	int result = path_of(l, OUT, name, path) ? json_encode(&message.base, &text, &l->error) : ERR_TOO_BIG;
	if (!result)
		result = file_create(path, FILE_MODE, buffer_bytes(&text), &l->error);
	buffer_release(&text);
	return result;
}

/* What is not given out any more has been noted, was erased, or is no longer wanted: it holds a telephone number. */
static void folder_clear(struct look *l, int folder)
{
	char path[PATH_BYTES_MOST];
	snprintf(path, sizeof path, "%s/%s", l->spool, folders[folder]);
	DIR *at = opendir(path);
	for (struct dirent *file; at && (file = readdir(at));) {
		size_t length = strlen(file->d_name), name = length - strlen(".json"), i = 0;
		if (length <= strlen(".json") || strcmp(file->d_name + name, ".json") != 0)
			continue;
		while (i < l->pending_count &&
		       (strlen(l->pending[i]) != name || strncmp(l->pending[i], file->d_name, name) != 0))
			i++;
		if (i == l->pending_count)
			unlinkat(dirfd(at), file->d_name, 0);
	}
	if (at)
		closedir(at);
}

/* ---- what is to be done about one ---- */

static void found_add(struct look *l, const struct id *request, const Lm__ContactPayload *p, Lm__ContactOutcome outcome,
                      const char *note)
{
	if (l->found_count == FOUND_MOST)
		return; /* the next look finds it */
	struct found *f = &l->found[l->found_count++];
	f->request = *request;
	memcpy(f->contact.byte, p->contact.data, ID_BYTES);
	f->tries = p->n_tries;
	f->outcome = outcome;
	size_t size = strnlen(note, REASON_BYTES_MOST);
	while (size && utf8_length(BYTES(note, size)) < 0)
		size--; /* cut between characters */
	memcpy(f->note, note, size);
	f->note[size] = '\0';
}

/* The program's answer. A file that cannot be read as one counts as a failure: the contact goes on to staff. */
static void answer_take(struct look *l, const struct id *request, const Lm__ContactPayload *p, const char *name)
{
	Lm__ContactOutcome failed = LM__CONTACT_OUTCOME__CONTACT_OUTCOME_NOT_REACHED;
	struct buffer text = { 0 };
	Lm__SmsAnswer *answer;
	struct error e = { 0 };
	char path[PATH_BYTES_MOST];
	int result = path_of(l, DONE, name, path) ? file_read(path, ANSWER_BYTES_MOST, &text, &e) : ERR_TOO_BIG;
	if (!result)
		result = JSON_DECODE(lm__sms_answer, buffer_bytes(&text), &l->item, &answer, &e);
	buffer_release(&text);
	bool is_sent = !result && strcmp(answer->result, "sent") == 0;
	if (result || strcmp(answer->id, name) != 0 || (!is_sent && strcmp(answer->result, "failed") != 0))
		found_add(l, request, p, failed, "the answer of the text message program cannot be read");
	else
		found_add(l, request, p, is_sent ? LM__CONTACT_OUTCOME__CONTACT_OUTCOME_SENT : failed, answer->reason);
}

static bool consent_is_refused(struct look *l, struct store_txn *txn, const Lm__CaseRecord *record)
{
	const Lm__PersonRecord *person = case_person(txn, record, &l->item);
	for (size_t i = 0; person && person->facts && i < person->facts->n_consents; i++)
		if (person->facts->consents[i]->topic == LM__TOPIC__TOPIC_CALLS)
			return !person->facts->consents[i]->is_given;
	return false;
}

/* Digits, and what people write between them. */
static bool phone_is_good(const char *phone)
{
	return phone[0] && strspn(phone, "+0123456789 -") == strlen(phone);
}

static void given_look(struct look *l, struct store_txn *txn, const struct id *request, const Lm__CaseRecord *record,
                       const Lm__ContactPayload *p)
{
	struct id contact;
	bool is_english;
	char *name = l->pending[l->pending_count++];
	memcpy(contact.byte, p->contact.data, ID_BYTES);
	name_make(&contact, p->n_tries, name);
	if (is_there(l, DONE, name)) {
		answer_take(l, request, p, name);
		return;
	}
	if (l->now_ms - p->tries[p->n_tries - 1]->time_ms > ANSWER_MS) {
		l->pending_count--; /* nobody takes it any more */
		found_add(l, request, p, LM__CONTACT_OUTCOME__CONTACT_OUTCOME_NOT_REACHED,
		          "the text message program gave no answer within 24 hours");
		return;
	}
	if (is_there(l, OUT, name) || is_there(l, TAKEN, name))
		return;
	const char *phone = contact_phone(l->node, txn, record, &l->item, &is_english);
	int result = phone ? message_write(l, name, phone, is_english) : ERR_MEMORY;
	l->result = l->result ? l->result : result;
}

static bool is_time(const struct look *l, const Lm__ContactPayload *p)
{
	const char *from = p->from[0] ? p->from : DAY_BEGINS, *until = p->until[0] ? p->until : DAY_ENDS;
	return strcmp(l->day, p->day) >= 0 && strcmp(l->hour, from) >= 0 && strcmp(l->hour, until) < 0;
}

/* Not yet, not again, or not any more: a person has it in hand, or it is for one now. */
static bool may_begin(const struct look *l, const Lm__ContactPayload *p)
{
	size_t given = 0;
	for (size_t i = 0; i < p->n_tries; i++) {
		const Lm__ContactTry *one = p->tries[i];
		if (one->by[0] || (one->outcome != LM__CONTACT_OUTCOME__CONTACT_OUTCOME_GIVEN &&
		                   one->outcome != LM__CONTACT_OUTCOME__CONTACT_OUTCOME_NOT_REACHED))
			return false;
		given += one->outcome == LM__CONTACT_OUTCOME__CONTACT_OUTCOME_GIVEN;
	}
	bool has_paused = !p->n_tries || l->now_ms - p->tries[p->n_tries - 1]->time_ms >= PAUSE_MS;
	return given < GIVEN_MOST && has_paused && is_time(l, p);
}

static int contact_look(struct look *l, struct store_txn *txn, const Lm__ContactRecord *row)
{
	struct id request;
	Lm__CaseRecord *record;
	Lm__ContactPayload *p;
	bool is_english;
	memcpy(request.byte, row->request_id.data, ID_BYTES);
	if (case_get(txn, request, &l->item, &record) || case_is_hidden(node_domain(l->node), record))
		return store_failure(txn, &l->error);
	int result = contact_read(l->node, txn, row, &l->item, &p);
	if (result || p->way != LM__CONTACT_WAY__CONTACT_WAY_SMS)
		return error_is_of_machine(result) ? result : OK;
	if (p->n_tries && p->tries[p->n_tries - 1]->outcome == LM__CONTACT_OUTCOME__CONTACT_OUTCOME_GIVEN) {
		given_look(l, txn, &request, record, p);
		return OK;
	}
	if (!may_begin(l, p))
		return OK;
	const char *phone = contact_phone(l->node, txn, record, &l->item, &is_english);
	if (!phone)
		return ERR_MEMORY;
	if (consent_is_refused(l, txn, record))
		found_add(l, &request, p, LM__CONTACT_OUTCOME__CONTACT_OUTCOME_NOT_ALLOWED, "");
	else if (!phone_is_good(phone))
		found_add(l, &request, p, LM__CONTACT_OUTCOME__CONTACT_OUTCOME_WRONG_ADDRESS, "");
	else
		found_add(l, &request, p, LM__CONTACT_OUTCOME__CONTACT_OUTCOME_GIVEN, "");
	return OK;
}

static int contacts_look(struct look *l, struct store_txn *txn)
{
	ProtobufCMessage **rows;
	size_t count = 0;
	int result =
	        work_list(txn, WORK_OPEN, (struct bytes){ 0 }, false, CONTACTS_LOOKED_MOST, &l->arena, &rows, &count);
	l->pending = arena_alloc(&l->arena, (count + 1) * sizeof *l->pending);
	if (!result && !l->pending)
		result = error_set(&l->error, ERR_MEMORY, "no memory for text messages");
	for (size_t i = 0; i < count && !result; i++) {
		arena_reset(&l->item);
		result = contact_look(l, txn, (Lm__ContactRecord *)rows[i]);
	}
	for (int folder = OUT; folder < FOLDERS && !result && count < CONTACTS_LOOKED_MOST; folder++)
		folder_clear(l, folder);
	return result ? result : l->result;
}

static void look_pool(struct node *n, void *context)
{
	struct look *l = context;
	struct store_txn *txn;
	char now[CLOCK_TEXT_BYTES];
	l->node = n;
	l->now_ms = clock_wall_ms();
	clock_format_shanghai(l->now_ms, now); /* 2026-11-21 16:00 */
	snprintf(l->day, sizeof l->day, "%.10s", now);
	snprintf(l->hour, sizeof l->hour, "%.5s", now + strlen("2026-11-21 "));
	l->result = store_begin_read(node_store(n), &txn, &l->error);
	if (l->result)
		return;
	l->result = contacts_look(l, txn);
	store_abort(txn);
}

/* ---- what came of it ---- */

struct noting {
	struct command command;
	struct found found;
};

static int note_run(struct turn *t, struct command *c, struct error *e)
{
	struct found *f = &((struct noting *)c->context)->found;
	Lm__ContactRecord *row;
	Lm__ContactPayload *p;
	Lm__ContactTry one = LM__CONTACT_TRY__INIT;
	int result = turn_may_write(t, e);
	if (!result)
		result = contact_get(t->txn, f->request, f->contact, t->arena, &row);
	if (!result && !row->is_done)
		result = contact_read(t->node, t->txn, row, t->arena, &p);
	if (result || row->is_done || p->n_tries != f->tries)
		return result == ERR_NOT_FOUND || result == ERR_ABSENT ? OK
		                                                       : result; /* erased, or somebody was faster */
	one.outcome = f->outcome;
	one.note = f->note;
	return contact_try_write(t, f->request, p, &one, e);
}

static void note_done(struct node *n, struct command *c)
{
	Lm__Empty empty = LM__EMPTY__INIT;
	if (!c->result) {
		sms_in(n)->look_us = clock_monotonic_us() + LOOK_SOON_US;
		desk_publish(n, RIGHT_CASES, "cases", &empty.base);
	} else if (c->result != ERR_NOT_READY && c->result != ERR_FROZEN) /* later */
		log_write(LOG_WARN, "sms-not-noted", "what became of a text message is not noted: %s", c->error.text);
	free(c->context);
}

/* Said once, until it works again. */
static void trouble_say(struct sms *s, const struct look *l)
{
	if (l->result && !s->has_failed)
		log_write(LOG_WARN, "sms-spool", "text messages stand still: %s",
		          l->error.text[0] ? l->error.text : error_name(l->result));
	s->has_failed = l->result != OK;
}

static void look_free(struct look *l)
{
	arena_release(&l->item);
	arena_release(&l->arena);
	free(l);
}

static void look_done(struct node *n, void *context)
{
	struct look *l = context;
	struct sms *s = sms_in(n);
	trouble_say(s, l);
	for (size_t i = 0; i < l->found_count; i++) {
		struct noting *one = calloc(1, sizeof *one);
		if (!one)
			break;
		one->found = l->found[i];
		one->command = (struct command){ .run = note_run, .done = note_done, .context = one };
		if (node_command(n, &one->command))
			free(one);
	}
	s->is_looking = false;
	look_free(l);
}

uint64_t sms_tick(struct node *n, uint64_t now_us)
{
	struct sms *s = sms_in(n);
	const char *spool = node_configuration(n)->sms_spool;
	if (!spool || s->is_looking || now_us < s->look_us)
		return !spool ? UINT64_MAX : s->is_looking ? now_us + LOOK_EVERY_US : s->look_us;
	s->look_us = now_us + LOOK_EVERY_US;
	struct look *l = calloc(1, sizeof *l);
	if (!l)
		return s->look_us;
	arena_init(&l->arena, 8u * 1024 * 1024);
	arena_init(&l->item, 32u * 1024 * 1024);
	l->spool = spool;
	s->is_looking = !node_pool(n, look_pool, look_done, l);
	if (!s->is_looking)
		look_free(l);
	return s->look_us;
}

int sms_open(struct node *n, struct error *e)
{
	const char *spool = node_configuration(n)->sms_spool;
	int result = OK;
	if (!spool)
		return OK;
	if (!letters_in(n)->file || !letters_in(n)->file->sms)
		return error_set(e, ERR_CONFIG, "sms_spool: the file of `letters` has no text `sms`");
	result = folder_make(spool, FOLDER_MODE, e);
	for (int folder = OUT; folder < FOLDERS && !result; folder++) {
		char path[PATH_BYTES_MOST];
		int length = snprintf(path, sizeof path, "%s/%s", spool, folders[folder]);
		/* room for the longest name of a file in it */
		result = length < PATH_BYTES_MOST - NAME_BYTES_MOST - 16
		                 ? folder_make(path, FOLDER_MODE, e)
		                 : error_set(e, ERR_CONFIG, "sms_spool: the path is too long");
	}
	return result;
}

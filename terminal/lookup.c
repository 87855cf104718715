/*
 * Receipts looked up, questions answered, requests withdrawn, objected to and rated. The code opens the lock on the
 * pool; a code that opens nothing here is asked for at the town. Wrong tries are counted.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "inside.h"

#define TEXT_BYTES_MOST 4000
#define RATINGS_MOST 3 /* the first, and two that change it: each is an event of the case */

struct search {
	struct command command;
	struct http_request *request;
	struct node *node;
	struct arena arena;
	uint8_t salt[DEVICE_SALT_BYTES];
	char code[RECEIPT_CODE_DIGITS + 1];
	Lm__LookupCommand *lookup;
	Lm__AskCommand *ask; /* NULL: only looking */
	Lm__Kind kind;       /* of the ask */
	struct id wanted;
	struct receipt_match match[MATCHES_MOST];
	size_t match_count;
	Lm__ReceiptsView *view;
	Lm__ReceiptView *partial; /* with messages that its key does not open: the town can read them */
	char service[40];
	uint32_t revision;
	uint64_t ordinal;
	int result;
	struct error error;
	struct error damage; /* of a row that was passed over */
};

static void search_free(struct search *s)
{
	arena_release(&s->arena);
	crypto_wipe(s, sizeof *s);
	free(s);
}

static void search_fail(struct search *s, int result, const struct error *e)
{
	node_answer_error(s->request, result, e);
	search_free(s);
}

/* Counted before the slow function runs, so that many at once are not more than many in turn; a code that opens
 * something gives it back. Tokens that are typed in count too. */
bool try_take(struct terminal *t)
{
	uint64_t minute = clock_monotonic_us() / 60000000;
	if (t->tries_minute != minute) {
		t->tries_minute = minute;
		t->tries = 0;
	}
	return t->tries < TRIES_A_MINUTE && ++t->tries;
}

/* ---- on the pool: what the code opens here ---- */

int receipt_open(struct store_txn *txn, const char *code, const uint8_t salt[DEVICE_SALT_BYTES],
                 struct receipt_match *match, size_t *count, struct error *damage, struct error *e)
{
	struct receipt_secret secret;
	struct receipt_row rows[MATCHES_MOST];
	size_t found = 0;
	*damage = (struct error){ 0 };
	int result = receipt_derive(code, salt, &secret, e);
	if (!result)
		result = receipt_find(txn, secret.lookup, rows, MATCHES_MOST, &found, damage);
	if (result && damage->code)
		*e = *damage;
	for (size_t i = 0; i < found && !result; i++)
		if (!receipt_lock_open(&secret, rows[i].lock, match[*count].key, match[*count].request.byte, NULL))
			++*count;
	crypto_wipe(&secret, sizeof secret);
	return result;
}

struct statuses {
	struct search *s;
	const struct receipt_match *match;
	Lm__ReceiptView *view;
	const Lm__Service *service; /* NULL: not here */
	bool is_foreign;
};

static Lm__StatusView *status_view(struct node *n, struct arena *arena, const Lm__StatusMessage *m)
{
	Lm__StatusView *v = arena_alloc(arena, sizeof *v);
	if (!v)
		return NULL;
	lm__status_view__init(v);
	v->version = m->version;
	v->action = m->action;
	v->outcome = m->outcome;
	v->office = m->office;
	v->office_name = node_place_words(n, m->office, arena);
	v->time_ms = m->time_ms;
	v->text = m->text;
	v->ground = m->ground;
	v->remedy = m->remedy;
	v->is_closing = m->is_closing;
	v->objected = m->objected;
	v->object_until_ms = m->object_until_ms;
	v->owner = m->owner;
	v->name = m->name;
	v->carer = m->carer;
	v->town_name = m->town[0] ? node_place_words(n, m->town, arena) : NULL;
	v->rating = m->rating;
	return v;
}

/* What staff filled in, called as the revision calls it; what that does not know stays out. */
static void told_add(struct search *s, const Lm__Service *service, const Lm__StatusMessage *m, Lm__StatusView *v)
{
	v->fields = arena_alloc(&s->arena, (m->n_values + 1) * sizeof *v->fields);
	for (size_t i = 0; i < m->n_values && v->fields && service; i++) {
		const Lm__Field *f = step_field(service, m->values[i]->field);
		Lm__FieldView *one = f ? node_field_view(s->node, f, m->values[i], &s->arena) : NULL;
		if (one)
			v->fields[v->n_fields++] = one;
	}
}

static void status_add(struct search *s, Lm__ReceiptView *view, const Lm__Service *service, const Lm__StatusMessage *m)
{
	Lm__StatusView **grown = arena_alloc(&s->arena, (view->n_statuses + 1) * sizeof *grown);
	Lm__StatusView *v = status_view(s->node, &s->arena, m);
	if (!grown || !v)
		return;
	if (view->n_statuses)
		memcpy(grown, view->statuses, view->n_statuses * sizeof *grown);
	told_add(s, service, m, v);
	grown[view->n_statuses++] = v;
	view->statuses = grown;
}

static bool status_visit(void *context, uint32_t version, struct bytes sealed)
{
	struct statuses *st = context;
	Lm__StatusMessage *m;
	uint8_t associated[24];
	size_t size;
	uint8_t *plain = arena_alloc(&st->s->arena, sealed.size);
	int result =
	        plain ? receipt_message_open(st->match->key, status_associated(st->match->request, version, associated),
	                                     sealed, plain, &size, NULL)
	              : ERR_MEMORY;
	if (!result && !CODEC_UNPACK(lm__status_message, BYTES(plain, size), &st->s->arena, &m, NULL))
		status_add(st->s, st->view, st->service, m);
	st->is_foreign |= result && !error_is_of_machine(result);
	return true;
}

/* What was rated, and whether it may be once more. `ours`: what this terminal sent; NULL: nothing. */
static void rating_set(Lm__ReceiptView *v, bool is_closed, const Lm__RequestRecord *ours)
{
	uint32_t answered = 0;
	size_t count = 0;
	for (size_t i = 0; i < v->n_statuses; i++) {
		const Lm__StatusView *s = v->statuses[i];
		if (s->action != LM__CASE_ACTION__CASE_ACTION_RATE)
			continue;
		answered = s->version;
		v->rating = s->rating ? s->rating : v->rating;
		count++;
	}
	v->is_rating_sent = ours && ours->rated_version > answered;
	if (v->is_rating_sent)
		v->rating = ours->rating;
	v->can_rate = is_closed && !v->is_rating_sent && !v->erased_ms && count < RATINGS_MOST;
}

/* What the newest message leaves open to the resident. */
static void options_set(Lm__ReceiptView *v, const Lm__RequestRecord *ours)
{
	const Lm__StatusView *last = v->n_statuses ? v->statuses[v->n_statuses - 1] : NULL;
	bool is_closed = false;
	int64_t object_until_ms = 0;
	for (size_t i = 0; i < v->n_statuses; i++) {
		const Lm__StatusView *s = v->statuses[i];
		bool reopens = s->action == LM__CASE_ACTION__CASE_ACTION_OBJECT ||
		               s->action == LM__CASE_ACTION__CASE_ACTION_REOPEN;
		is_closed = s->is_closing || (is_closed && !reopens);
		if (s->is_closing || reopens)
			object_until_ms = s->is_closing ? s->object_until_ms : 0;
	}
	uint32_t version = last ? last->version : 0;
	v->has_pending_ask = ours && ours->asked_version == version + 1;
	v->can_answer = last && last->action == LM__CASE_ACTION__CASE_ACTION_ASK && !v->has_pending_ask;
	v->can_withdraw = !is_closed && !v->has_pending_ask && !v->erased_ms;
	v->object_until_ms = !v->has_pending_ask && !v->erased_ms ? object_until_ms : 0;
	rating_set(v, is_closed, ours);
}

static const Lm__Service *service_words(struct search *s, struct store_txn *txn, Lm__ReceiptView *v)
{
	Lm__Service *service;
	if (service_get(txn, v->service, v->revision, &s->arena, &service) &&
	    service_get(txn, v->service, 0, &s->arena, &service))
		return NULL;
	v->service_name = service->name;
	return service;
}

/* A town that was given back what was erased cannot name the lock: it is still here, and opens nothing. */
static int64_t erased_at(struct search *s, struct store_txn *txn, struct id request)
{
	Lm__ErasedRecord *erased;
	Lm__ErasureRecord *act;
	if (erased_get(txn, BYTES_OF(request.byte), &s->arena, &erased) || !erased->is_erased ||
	    erasure_get(txn, codec_bytes(erased->act), &s->arena, &act))
		return 0;
	return act->erased_ms;
}

/* A request that a page handed in again after this terminal's disk was put back has a new lock and a new key, and the
 * town still writes to the first one: what cannot be read here is asked for there. */
static Lm__ReceiptView *receipt_view(struct search *s, struct store_txn *txn, const struct receipt_match *m)
{
	Lm__RequestRecord *record;
	Lm__ReceiptView *v = arena_alloc(&s->arena, sizeof *v);
	Lm__Marks3 *marks = arena_alloc(&s->arena, sizeof *marks);
	if (!v || !marks || request_get(txn, m->request, &s->arena, &record))
		return NULL;
	lm__receipt_view__init(v);
	v->request_id = codec_data(BYTES(m->request.byte, ID_BYTES));
	v->service = record->service;
	v->revision = record->revision;
	v->created_ms = record->created_ms;
	marks_of(s->node, record->ordinal, marks);
	v->marks = marks;
	struct statuses st = { .s = s, .match = m, .view = v, .service = service_words(s, txn, v) };
	status_each(txn, m->request, &s->arena, status_visit, &st);
	v->erased_ms = erased_at(s, txn, m->request);
	options_set(v, record);
	if (!st.is_foreign)
		return v;
	s->partial = v;
	return NULL;
}

static void search_pool(struct node *n, void *context)
{
	struct search *s = context;
	struct store_txn *txn;
	(void)n;
	s->view = arena_alloc(&s->arena, sizeof *s->view);
	Lm__ReceiptView **list = arena_alloc(&s->arena, (MATCHES_MOST + 1) * sizeof *list);
	s->result = s->view && list ? store_begin_read(node_store(n), &txn, &s->error) : ERR_MEMORY;
	if (s->result)
		return;
	lm__receipts_view__init(s->view);
	s->view->receipts = list;
	s->result = receipt_open(txn, s->code, s->salt, s->match, &s->match_count, &s->damage, &s->error);
	for (size_t i = 0; i < s->match_count && !s->result; i++) {
		Lm__ReceiptView *v = receipt_view(s, txn, &s->match[i]);
		if (v)
			list[s->view->n_receipts++] = v;
	}
	if (!s->result)
		s->result = store_failure(txn, &s->error);
	store_abort(txn);
}

/* ---- at the town ---- */

static void answer_view(struct search *s, const Lm__Answer *a)
{
	Lm__ReceiptView *v = arena_alloc(&s->arena, sizeof *v);
	Lm__Marks3 *marks = arena_alloc(&s->arena, sizeof *marks);
	struct store_txn *txn;
	const Lm__Service *service = NULL;
	if (!v || !marks || a->request_id.len != ID_BYTES)
		return;
	lm__receipt_view__init(v);
	lm__marks3__init(marks);
	v->request_id = codec_data(BYTES(arena_copy(&s->arena, a->request_id.data, ID_BYTES), ID_BYTES));
	v->service = arena_text(&s->arena, a->service);
	v->revision = a->revision;
	v->created_ms = a->created_ms;
	v->erased_ms = a->erased_ms;
	marks->saved = marks->town = true;
	marks->district = a->mark >= LM__MARK_LEVEL__MARK_LEVEL_FINAL;
	v->marks = marks;
	v->is_from_town = true;
	if (!store_begin_read(node_store(s->node), &txn, NULL)) {
		struct id request;
		Lm__RequestRecord *record;
		memcpy(request.byte, a->request_id.data, ID_BYTES);
		if (!request_get(txn, request, &s->arena, &record)) /* made here, and its lock has gone */
			marks_of(s->node, record->ordinal, marks);
		service = service_words(s, txn, v);
		store_abort(txn);
	}
	for (size_t i = 0; i < a->n_statuses; i++) {
		Lm__StatusMessage *m;
		void *copy = arena_copy(&s->arena, a->statuses[i].data, a->statuses[i].len);
		if (copy && !CODEC_UNPACK(lm__status_message, BYTES(copy, a->statuses[i].len), &s->arena, &m, NULL))
			status_add(s, v, service, m);
	}
	options_set(v, NULL);
	s->view->receipts[s->view->n_receipts++] = v;
}

static void search_found(struct search *s);

static void answer_came(void *context, const Lm__Answer *a)
{
	struct search *s = context;
	if (s->partial && (!a || !a->is_found)) {
		s->view->receipts[s->view->n_receipts++] = s->partial;
		search_found(s);
		return;
	}
	if (s->damage.code && (!a || !a->is_found)) { /* perhaps it is the one that cannot be read here */
		search_fail(s, s->damage.code, &s->damage);
		return;
	}
	if (!a) {
		error_set(&s->error, ERR_UNREACHABLE,
		          "this code opens nothing here, and the town is out of reach just now; it works at the "
		          "terminal where the request was made");
		search_fail(s, ERR_UNREACHABLE, &s->error);
		return;
	}
	if (a->is_found)
		answer_view(s, a);
	else if (strcmp(a->why, "see-staff") == 0)
		s->view->see_staff = true;
	else if (strcmp(a->why, "replaced") == 0)
		s->view->replaced_ms = a->replaced_ms;
	else if (strcmp(a->why, "too-many") == 0) {
		error_set(&s->error, ERR_TOO_MANY, "too many codes were tried; please wait a minute");
		search_fail(s, ERR_TOO_MANY, &s->error);
		return;
	} else if (strcmp(a->why, "not-found") != 0) {
		error_set(&s->error, ERR_AGAIN, "the town could not look for this code just now; please try again");
		search_fail(s, ERR_AGAIN, &s->error);
		return;
	}
	search_found(s);
}

/* ---- asks ---- */

static int ask_run(struct turn *t, struct command *c, struct error *e)
{
	struct search *s = c->context;
	Lm__Header h = LM__HEADER__INIT;
	Lm__AnswerPayload answer = LM__ANSWER_PAYLOAD__INIT;
	Lm__WithdrawPayload withdraw = LM__WITHDRAW_PAYLOAD__INIT;
	struct bytes packed;
	struct placed placed = { 0 };
	answer.text = withdraw.reason = s->ask->text;
	withdraw.is_unwanted = s->ask->is_unwanted;
	int result = s->kind == LM__KIND__KIND_WITHDRAW ? CODEC_PACK(&withdraw, t->arena, &packed, e)
	                                                : CODEC_PACK(&answer, t->arena, &packed, e);
	Lm__RequestRecord *record;
	if (!result && !request_get(t->txn, s->wanted, t->arena, &record) &&
	    (s->kind == LM__KIND__KIND_RATE ? record->rated_version : record->asked_version) == s->ask->version + 1)
		return error_set(e, ERR_DUPLICATE, "this was sent already; please wait for the answer");
	h.kind = s->kind;
	h.request_id = codec_data(BYTES_OF(s->wanted.byte));
	h.place = (char *)(uintptr_t)node_domain(t->node)->place;
	h.service = s->service;
	h.revision = s->revision;
	h.version = s->ask->version;
	h.rating = s->ask->rating;
	struct draft draft = { .stream = LM__STREAM__STREAM_UP, .header = &h, .payload = packed, .is_sealed = true };
	if (!result)
		result = turn_append(t, &draft, &placed, e);
	s->ordinal = placed.ordinal;
	return result;
}

static void ask_done(struct node *n, struct command *c)
{
	struct search *s = c->context;
	Lm__Marks3 marks;
	if (c->result) {
		search_fail(s, c->result, &c->error);
		return;
	}
	marks_of(n, s->ordinal, &marks);
	node_answer(s->request, &marks.base);
	search_free(s);
}

static void ask_send(struct search *s)
{
	const Lm__ReceiptView *receipt = NULL;
	for (size_t i = 0; i < s->view->n_receipts; i++)
		if (memcmp(s->view->receipts[i]->request_id.data, s->wanted.byte, ID_BYTES) == 0)
			receipt = s->view->receipts[i];
	if (!receipt) {
		error_set(&s->error, ERR_NOT_FOUND, "this code does not belong to that request");
		search_fail(s, ERR_NOT_FOUND, &s->error);
		return;
	}
	bool is_sent = s->kind == LM__KIND__KIND_RATE ? receipt->is_rating_sent : receipt->has_pending_ask;
	bool may = s->kind == LM__KIND__KIND_ANSWER   ? receipt->can_answer
	           : s->kind == LM__KIND__KIND_RATE   ? receipt->can_rate
	           : s->kind == LM__KIND__KIND_OBJECT ? receipt->object_until_ms != 0
	                                              : receipt->can_withdraw;
	uint32_t version = receipt->n_statuses ? receipt->statuses[receipt->n_statuses - 1]->version : 0;
	if (is_sent || version != s->ask->version || !may) {
		int code = is_sent ? ERR_DUPLICATE : ERR_CONFLICT;
		error_set(&s->error, code, "%s",
		          is_sent                      ? "this was sent already; please wait for the answer"
		          : version != s->ask->version ? "there is news; please read it first"
		                                       : "this is not open any more");
		search_fail(s, code, &s->error);
		return;
	}
	strncpy(s->service, receipt->service, sizeof s->service - 1);
	s->revision = receipt->revision;
	s->command = (struct command){ .run = ask_run, .done = ask_done, .is_business = true, .context = s };
	int result = node_command(s->node, &s->command);
	if (result)
		search_fail(s, result, NULL);
}

/* Whatever was found, here or at the town, is in s->view. */
static void search_found(struct search *s)
{
	struct terminal *t = terminal_of(s->node);
	if (s->view->n_receipts || s->view->see_staff)
		t->tries -= t->tries > 0;
	if (s->ask) {
		ask_send(s);
		return;
	}
	node_answer(s->request, &s->view->base);
	search_free(s);
}

static void search_done(struct node *n, void *context)
{
	struct search *s = context;
	if (s->result) {
		search_fail(s, s->result, &s->error);
		return;
	}
	if (s->view->n_receipts && !s->partial) {
		search_found(s);
		return;
	}
	int result = node_ask_upstream(n, s->code, answer_came, s);
	if (result)
		answer_came(s, NULL);
}

static void search_begin(struct node *n, struct search *s, const char *code)
{
	struct terminal *t = terminal_of(n);
	int result = receipt_code_parse(code, s->code, &s->error);
	if (!result && !try_take(t))
		result = error_set(&s->error, ERR_TOO_MANY, "too many codes were tried; please wait a minute");
	if (!result && !t->has_salt)
		result = error_set(&s->error, ERR_NOT_READY, "this terminal is not ready yet");
	memcpy(s->salt, t->salt, sizeof s->salt);
	if (!result)
		result = node_pool(n, search_pool, search_done, s);
	if (result)
		search_fail(s, result, &s->error);
}

static struct search *search_new(struct node *n, struct http_request *r)
{
	struct search *s = calloc(1, sizeof *s);
	if (!s) {
		http_answer_error(r, ERR_MEMORY, "no memory for this request");
		return NULL;
	}
	s->node = n;
	s->request = r;
	arena_init(&s->arena, 8 * 1024 * 1024);
	return s;
}

void lookup_post(void *context, struct http_request *r)
{
	struct search *s = search_new(context, r);
	if (!s)
		return;
	if (node_body(r, &lm__lookup_command__descriptor, &s->arena, &s->lookup))
		search_free(s);
	else
		search_begin(context, s, s->lookup->code);
}

static int ask_check(const Lm__AskCommand *ask, Lm__Kind kind, struct error *e)
{
	bool is_rating = kind == LM__KIND__KIND_RATE;
	bool needs_text = kind == LM__KIND__KIND_ANSWER || kind == LM__KIND__KIND_OBJECT;
	if (ask->request_id.len != ID_BYTES)
		return error_set(e, ERR_INVALID, "request_id: 32 hexadecimal digits");
	if (strlen(ask->text) > TEXT_BYTES_MOST)
		return error_set(e, ERR_TOO_BIG, "text: at most %d bytes", TEXT_BYTES_MOST);
	if (needs_text && !ask->text[0])
		return error_set(e, ERR_INVALID,
		                 kind == LM__KIND__KIND_ANSWER ? "text: an answer is needed"
		                                               : "text: what you object to is needed");
	if (is_rating != (ask->rating != LM__RATING__RATING_NONE) || (is_rating && ask->text[0]) ||
	    (unsigned)ask->rating > LM__RATING__RATING_VERY_BAD)
		return error_set(e, ERR_INVALID, "rating: one of five words, and no text; nothing else has one");
	return OK;
}

static void ask_post(struct node *n, struct http_request *r, Lm__Kind kind)
{
	struct search *s = search_new(n, r);
	if (!s)
		return;
	s->kind = kind;
	if (node_body(r, &lm__ask_command__descriptor, &s->arena, &s->ask)) {
		search_free(s);
		return;
	}
	int result = ask_check(s->ask, kind, &s->error);
	if (result) {
		search_fail(s, result, &s->error);
		return;
	}
	memcpy(s->wanted.byte, s->ask->request_id.data, ID_BYTES);
	search_begin(n, s, s->ask->code);
}

void answer_post(void *context, struct http_request *r)
{
	ask_post(context, r, LM__KIND__KIND_ANSWER);
}

void withdraw_post(void *context, struct http_request *r)
{
	ask_post(context, r, LM__KIND__KIND_WITHDRAW);
}

void object_post(void *context, struct http_request *r)
{
	ask_post(context, r, LM__KIND__KIND_OBJECT);
}

void rate_post(void *context, struct http_request *r)
{
	ask_post(context, r, LM__KIND__KIND_RATE);
}

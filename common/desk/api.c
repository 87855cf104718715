/*
 * The queue, a case, and the event stream. Reads run on the pool in short snapshots; what is done with a case: act.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "codes.h"
#include "errand.h"
#include "node/control.h"
#include "rings.h"
#include "worklist.h"

#define PAGE_MOST 100
/* Of the open cases, the oldest first: what is overdue stands in front. */
#define OVERDUE_LOOKED_MOST 5000
#define PAGE_USUAL 50

/* Which of the open cases a list is about. */
enum attention { ATTENTION_ALL, ATTENTION_OVERDUE, ATTENTION_SUPERVISOR };

struct job {
	struct http_request *request;
	struct arena arena;
	ProtobufCMessage *output;
	struct id id;
	enum case_view view;
	enum attention attention; /* of the view, only those */
	char after[40], user[33], field[64];
	uint32_t version; /* of the event whose file it is; 0: the request's */
	size_t limit;
	int result;
	struct error error;
};

static struct job *job_new(struct http_request *r)
{
	struct job *j = calloc(1, sizeof *j);
	if (!j) {
		http_answer_error(r, ERR_MEMORY, "no memory for this request");
		return NULL;
	}
	j->request = r;
	arena_init(&j->arena, 32u * 1024 * 1024);
	return j;
}

static void job_answer(struct job *j, int result, const struct error *e)
{
	if (result)
		node_answer_error(j->request, result, e);
	else
		node_answer(j->request, j->output);
	arena_release(&j->arena);
	free(j);
}

static void pool_done(struct node *n, void *context)
{
	struct job *j = context;
	(void)n;
	job_answer(j, j->result, &j->error);
}

static void job_pool(struct node *n, struct job *j, void (*run)(struct node *n, void *context))
{
	int result = node_pool(n, run, pool_done, j);
	if (result)
		job_answer(j, result, NULL);
}

static bool id_parameter(struct job *j)
{
	const char *text = http_parameter(j->request, "id");
	if (text && !id_from_text(text, &j->id))
		return true;
	error_set(&j->error, ERR_INVALID, "the case's id is not 32 hexadecimal digits");
	job_answer(j, ERR_INVALID, &j->error);
	return false;
}

int case_shown(struct node *n, struct store_txn *txn, struct id request, struct arena *arena, Lm__CaseRecord **out,
               struct error *e)
{
	int result = case_get(txn, request, arena, out);
	if (!result && case_is_hidden(node_domain(n), *out))
		result = ERR_NOT_FOUND;
	if (result == ERR_NOT_FOUND)
		return error_set(e, result, "there is no such case here");
	return result ? (store_failure(txn, e) ? store_failure(txn, e) : result) : OK;
}

/* ---- the queue ---- */

/* Thousands of cases are looked at for what is overdue, of a few services. */
struct known_service {
	const Lm__CaseRecord *of; /* a case of this service and revision */
	Lm__Service *service;     /* NULL: there is none */
	struct known_service *next;
};

struct rows {
	struct node *node;
	struct store_txn *txn;
	struct arena *arena;
	Lm__CasesView *view;
	struct working_days days;
	enum attention attention;
	int64_t overdue_ms; /* by when a step should have been done */
	size_t most;        /* rows of the view */
	bool is_short;
	struct known_service *services;
};

static const Lm__Service *service_of(struct rows *r, const Lm__CaseRecord *record)
{
	struct known_service *k = r->services;
	while (k && (k->of->revision != record->revision || strcmp(k->of->service, record->service) != 0))
		k = k->next;
	if (k)
		return k->service;
	k = arena_alloc(r->arena, sizeof *k);
	if (!k) {
		r->is_short = true;
		return NULL;
	}
	*k = (struct known_service){ .of = record, .next = r->services };
	if (service_get(r->txn, record->service, record->revision, r->arena, &k->service))
		k->service = NULL;
	r->services = k;
	return k->service;
}

static bool is_overdue(struct rows *r, const Lm__CaseRecord *record)
{
	const Lm__Service *service = record ? service_of(r, record) : NULL;
	return service && case_is_overdue(record, service, &r->days, r->overdue_ms);
}

static void damage_log(const struct error *e)
{
	log_write(LOG_ERROR, "damaged", "%s", e->text);
}

/* A supervisor sees what is late, and what another person than before has to decide. */
static bool is_wanted(struct rows *r, const Lm__CaseRecord *record)
{
	if (r->attention == ATTENTION_ALL)
		return true;
	if (r->attention == ATTENTION_SUPERVISOR && record &&
	    (record->is_objected || record->state == LM__CASE_STATE__CASE_STATE_PROPOSED))
		return true;
	return is_overdue(r, record);
}

static bool rows_visit(void *context, struct id request, const Lm__CaseRecord *record)
{
	struct rows *r = context;
	struct error e;
	if (record && case_is_hidden(node_domain(r->node), record))
		return true;
	if (!is_wanted(r, record))
		return true;
	Lm__CaseRow *row = record ? case_row(r->node, r->txn, request, record, &r->days, r->arena)
	                          : case_row_unreadable(request, r->arena);
	if (store_pass_over(r->txn, &e)) /* what the request itself says cannot be read: the row is there without it */
		damage_log(&e);
	r->is_short |= !row;
	if (row)
		r->view->cases[r->view->n_cases++] = row;
	return row && !(r->attention && r->view->n_cases == r->most); /* other views end by their count, and go on */
}

static void cases_pool(struct node *n, void *context)
{
	struct job *j = context;
	struct store_txn *txn;
	char next[40];
	Lm__CasesView *view = arena_alloc(&j->arena, sizeof *view);
	Lm__CaseRow **list = arena_alloc(&j->arena, j->limit * sizeof *list);
	j->result = view && list ? store_begin_read(node_store(n), &txn, &j->error) : ERR_MEMORY;
	if (j->result)
		return;
	lm__cases_view__init(view);
	view->cases = list;
	struct rows rows = { .node = n, .txn = txn, .arena = &j->arena, .view = view, .most = j->limit };
	rows.attention = j->attention;
	rows.overdue_ms = clock_wall_ms();
	j->result = working_days_load(txn, &j->arena, &rows.days);
	if (!j->result)
		j->result = case_page(txn, j->view, j->after, j->attention ? OVERDUE_LOOKED_MOST : j->limit, &j->arena,
		                      rows_visit, &rows, next, &j->error);
	if (!j->result && j->error.code)
		damage_log(&j->error);
	view->open = case_open_count(txn);
	store_abort(txn);
	view->next = arena_text(&j->arena, next);
	if (!j->result && (rows.is_short || !view->next))
		j->result = error_set(&j->error, ERR_MEMORY, "no memory for the list");
	j->output = &view->base;
}

static bool view_parse(const char *text, struct job *j)
{
	static const struct {
		const char *name;
		enum case_view view;
		enum attention attention;
	} views[] = { { "open", CASE_VIEW_OPEN, ATTENTION_ALL },
		      { "overdue", CASE_VIEW_OPEN, ATTENTION_OVERDUE },
		      { "supervisor", CASE_VIEW_OPEN, ATTENTION_SUPERVISOR },
		      { "closed", CASE_VIEW_CLOSED, ATTENTION_ALL },
		      { "all", CASE_VIEW_ALL, ATTENTION_ALL } };
	for (size_t i = 0; i < sizeof views / sizeof *views; i++)
		if (strcmp(text, views[i].name) == 0) {
			j->view = views[i].view;
			j->attention = views[i].attention;
			return true;
		}
	return false;
}

static void cases_get(void *context, struct http_request *r)
{
	struct job *j = job_new(r);
	if (!j)
		return;
	const char *view = http_query(r, "view"), *after = http_query(r, "after"), *limit = http_query(r, "limit");
	long wanted = limit ? strtol(limit, NULL, 10) : PAGE_USUAL;
	j->limit = wanted < 1 ? 1 : wanted > PAGE_MOST ? PAGE_MOST : (size_t)wanted;
	if (!view_parse(view ? view : "open", j) || (after && strlen(after) >= sizeof j->after)) {
		error_set(
		        &j->error, ERR_INVALID,
		        "view is open, overdue, supervisor, closed or all; after is what the page before gave as next");
		job_answer(j, ERR_INVALID, &j->error);
		return;
	}
	if (j->attention == ATTENTION_SUPERVISOR && !role_may(http_role(r), RIGHT_SUPERVISE)) {
		error_set(&j->error, ERR_DENIED, "this list is a supervisor's");
		job_answer(j, ERR_DENIED, &j->error);
		return;
	}
	strncpy(j->after, after ? after : "", sizeof j->after - 1);
	job_pool(context, j, cases_pool);
}

/* ---- a case ---- */

/* The case, or one of its files if a field is named. */
static void case_pool(struct node *n, void *context)
{
	struct job *j = context;
	struct store_txn *txn;
	Lm__CaseView *view = NULL;
	Lm__FileView *file = NULL;
	Lm__CaseRecord *record;
	j->result = store_begin_read(node_store(n), &txn, &j->error);
	if (j->result)
		return;
	j->result = case_shown(n, txn, j->id, &j->arena, &record, &j->error);
	if (!j->result && j->field[0])
		j->result = file_view(n, txn, j->id, &(struct file_name){ j->version, j->field }, &j->arena, &file,
		                      &j->error);
	else if (!j->result)
		j->result = case_view(n, txn, j->id, j->user, &j->arena, &view, &j->error);
	store_abort(txn);
	j->output = file ? &file->base : view ? &view->base : NULL;
}

static void case_get_one(void *context, struct http_request *r)
{
	struct job *j = job_new(r);
	if (!j || !id_parameter(j))
		return;
	strncpy(j->user, http_user(r), sizeof j->user - 1);
	job_pool(context, j, case_pool);
}

/* As JSON, so that no address shows a stranger's file as a page of ours. */
static void case_get_file(void *context, struct http_request *r)
{
	struct job *j = job_new(r);
	if (!j || !id_parameter(j))
		return;
	snprintf(j->field, sizeof j->field, "%s", http_parameter(r, "field"));
	const char *version = http_parameter(r, "version");
	unsigned long long number = version ? strtoull(version, NULL, 10) : 0;
	j->version = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number; /* there is no such event */
	if (version && !number)
		job_answer(j, error_set(&j->error, ERR_INVALID, "version: the number of the event"), &j->error);
	else
		job_pool(context, j, case_pool);
}

/* ---- events ---- */

/* Each page hears what its account may see, and nothing else; that the session ended everybody hears. */
#define CHANNEL_CASES "cases"
#define CHANNEL_STATE "state"
#define CHANNEL_NOTHING "nothing"

static void events_get(void *context, struct http_request *r)
{
	const char *role = http_role(r);
	node_tick_by(context, clock_monotonic_us()); /* what is shown while somebody looks */
	http_answer_events(r, role_may(role, RIGHT_CASES)   ? CHANNEL_CASES
	                      : role_may(role, RIGHT_STATE) ? CHANNEL_STATE
	                                                    : CHANNEL_NOTHING);
}

void desk_publish(struct node *n, enum right right, const char *name, const ProtobufCMessage *message)
{
	node_publish(n, CHANNEL_CASES, name, message);
	if (right == RIGHT_STATE)
		node_publish(n, CHANNEL_STATE, name, message);
}

static void quarantine_publish(struct node *n)
{
	Lm__Empty empty = LM__EMPTY__INIT;
	desk_publish(n, RIGHT_CASES, "quarantine", &empty.base);
}

static void person_publish(struct node *n, struct id person)
{
	Lm__PersonEvent event = LM__PERSON_EVENT__INIT;
	index_news(registry_of(n), person);
	event.person_id = codec_data(BYTES_OF(person.byte));
	desk_publish(n, RIGHT_CASES, "persons", &event.base);
}

void desk_news(struct node *n, const struct domain_effect *news, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		publications_news(n, &news[i]);
		if (news[i].type == DOMAIN_QUARANTINE)
			quarantine_publish(n);
		if (news[i].type == DOMAIN_PERSON)
			person_publish(n, news[i].request);
		if (news[i].type == DOMAIN_CATALOGUE)
			index_renew(&worklist_of(n)->index); /* a service or a calendar: terms may be others */
		if (news[i].type != DOMAIN_CASE)
			continue;
		index_news(&worklist_of(n)->index, news[i].request);
		codes_news(codes_of(n), news[i].request);
		Lm__DraftView view = LM__DRAFT_VIEW__INIT; /* only the id: the page asks for what it may see */
		view.request_id = codec_data(BYTES(news[i].request.byte, ID_BYTES));
		desk_publish(n, RIGHT_CASES, "cases", &view.base);
	}
}

static void links_publish(struct node *n, const Lm__LinksView *view)
{
	desk_publish(n, RIGHT_STATE, "links", &view->base);
}

void desk_links(struct node *n)
{
	links_view_get(n, links_publish);
}

/* ---- locks of long closed cases ---- */

#define LOCK_CHECK_FIRST_US UINT64_C(60000000)
#define LOCK_CHECK_EVERY_US UINT64_C(3600000000)
#define LOCKS_A_TURN_MOST 64
#define DAY_MS (24ll * 3600 * 1000)

struct releases {
	struct id request[LOCKS_A_TURN_MOST];
	uint64_t terminal[LOCKS_A_TURN_MOST];
	uint8_t lookup[LOCKS_A_TURN_MOST][RECEIPT_LOOKUP_BYTES];
	size_t count;
	int64_t before_ms;
};

static bool release_visit(void *context, struct id request, const Lm__CaseRecord *record)
{
	struct releases *r = context;
	if (record->changed_ms >= r->before_ms || r->count == LOCKS_A_TURN_MOST)
		return false;
	r->request[r->count] = request;
	r->terminal[r->count] = record->terminal;
	memcpy(r->lookup[r->count++], record->lookup.data, RECEIPT_LOOKUP_BYTES);
	return true;
}

static int release_run(struct turn *t, struct command *c, struct error *e)
{
	struct releases r = { .before_ms = t->now_ms - DESK_LOCK_DAYS * DAY_MS };
	(void)c;
	int result = case_locks_each(t->txn, t->arena, release_visit, &r);
	for (size_t i = 0; i < r.count && !result; i++) {
		Lm__Header h = LM__HEADER__INIT;
		Lm__LockReleasePayload release = LM__LOCK_RELEASE_PAYLOAD__INIT;
		struct bytes packed;
		struct placed placed;
		h.kind = LM__KIND__KIND_LOCK_RELEASE;
		h.request_id = codec_data(BYTES(r.request[i].byte, ID_BYTES));
		release.lookup = codec_data(BYTES(r.lookup[i], RECEIPT_LOOKUP_BYTES));
		result = CODEC_PACK(&release, t->arena, &packed, e);
		struct draft draft = {
			.stream = LM__STREAM__STREAM_DOWN, .receiver = r.terminal[i], .header = &h, .payload = packed
		};
		if (!result)
			result = turn_append(t, &draft, &placed, e);
	}
	return result;
}

static void release_done(struct node *n, struct command *c)
{
	(void)n;
	if (c->result)
		log_write(LOG_WARN, "locks", "%s", c->error.text);
	free(c);
}

static uint64_t locks_tick(struct node *n, uint64_t now_us)
{
	static uint64_t due_us; /* loop thread */
	if (!due_us)
		due_us = now_us + LOCK_CHECK_FIRST_US;
	if (now_us < due_us)
		return due_us;
	due_us = now_us + LOCK_CHECK_EVERY_US;
	struct command *c = calloc(1, sizeof *c);
	if (!c)
		return due_us;
	*c = (struct command){ .run = release_run, .done = release_done };
	if (node_command(n, c))
		free(c);
	return due_us;
}

uint64_t desk_cases_tick(struct node *n, uint64_t now_us)
{
	uint64_t hand_over_us = hand_over_tick(n, now_us), sms_us = sms_tick(n, now_us);
	publications_tick(n);
	return hand_over_us < sms_us ? hand_over_us : sms_us;
}

uint64_t desk_tick(struct node *n, uint64_t now_us)
{
	const uint64_t due_us[] = { locks_tick(n, now_us), rings_tick(n, now_us), desk_cases_tick(n, now_us) };
	uint64_t first_us = due_us[0];
	for (size_t i = 1; i < sizeof due_us / sizeof *due_us; i++)
		first_us = due_us[i] < first_us ? due_us[i] : first_us;
	return first_us;
}

/* Drafts are for those who write and publish; of the district's what is in force anybody may read. */
#define WRITERS (RIGHT_DRAFT | RIGHT_PUBLISH)

/* Cases are personal: accounts for other work see none of them, and nothing that was made of them. */
const struct http_route desk_routes[] = {
	{ HTTP_GET, "/api/v1/front", HTTP_OPEN, desk_front },
	{ HTTP_POST, "/api/v1/login", HTTP_OPEN, desk_login },
	{ HTTP_POST, "/api/v1/login/password", HTTP_SESSION, desk_password },
	{ HTTP_POST, "/api/v1/login/second", HTTP_SESSION, desk_second },
	{ HTTP_POST, "/api/v1/login/code", HTTP_SESSION, desk_code },
	{ HTTP_POST, "/api/v1/logout", HTTP_OPEN, desk_logout }, /* of a locked session, too */
	{ HTTP_POST, "/api/v1/lock", HTTP_SESSION_OF(RIGHT_DESK), session_lock_post },
	{ HTTP_POST, "/api/v1/unlock", HTTP_OPEN, desk_unlock },
	{ HTTP_GET, "/api/v1/me", HTTP_SESSION_OF(RIGHT_DESK), desk_me },
	{ HTTP_GET, "/api/v1/sessions", HTTP_SESSION_OF(RIGHT_DESK), sessions_get },
	{ HTTP_POST, "/api/v1/sessions/end", HTTP_SESSION_OF(RIGHT_DESK), sessions_end_post },
	{ HTTP_GET, "/api/v1/accounts", HTTP_SESSION_OF(RIGHT_RESETS), accounts_get },
	{ HTTP_POST, "/api/v1/accounts", HTTP_SESSION_OF(RIGHT_RESETS), accounts_post },
	{ HTTP_GET, "/ctl/v1/accounts", HTTP_LOCAL, accounts_get },
	{ HTTP_POST, "/ctl/v1/accounts", HTTP_LOCAL, accounts_post },
	{ HTTP_GET, "/api/v1/audit", HTTP_SESSION_OF(RIGHT_AUDIT), audit_get },
	{ HTTP_GET, "/api/v1/cases", HTTP_SESSION_OF(RIGHT_CASES), cases_get },
	{ HTTP_POST, "/api/v1/cases/search", HTTP_SESSION_OF(RIGHT_CASES), cases_search },
	{ HTTP_POST, "/api/v1/cases/bulk", HTTP_SESSION_OF(RIGHT_CASES), cases_bulk },
	{ HTTP_GET, "/api/v1/contacts", HTTP_SESSION_OF(RIGHT_CASES), contacts_get },
	{ HTTP_GET, "/api/v1/cases/:id/contacts", HTTP_SESSION_OF(RIGHT_CASES), contacts_get },
	{ HTTP_POST, "/api/v1/cases/:id/contacts", HTTP_SESSION_OF(RIGHT_CASES), contacts_post },
	{ HTTP_GET, "/api/v1/work", HTTP_SESSION_OF(RIGHT_CASES), work_get },
	{ HTTP_POST, "/api/v1/work", HTTP_SESSION_OF(RIGHT_CASES), work_post },
	{ HTTP_GET, "/api/v1/cases/:id", HTTP_SESSION_OF(RIGHT_CASES), case_get_one },
	{ HTTP_GET, "/api/v1/cases/:id/files/:field", HTTP_SESSION_OF(RIGHT_CASES), case_get_file },
	{ HTTP_GET, "/api/v1/cases/:id/events/:version/files/:field", HTTP_SESSION_OF(RIGHT_CASES), case_get_file },
	{ HTTP_POST_LARGE, "/api/v1/cases/:id/actions", HTTP_SESSION_OF(RIGHT_CASES), case_action_post },
	{ HTTP_GET, "/api/v1/cases/:id/wordings", HTTP_SESSION_OF(RIGHT_CASES), wordings_get },
	{ HTTP_POST, "/api/v1/cases/:id/letters", HTTP_SESSION_OF(RIGHT_CASES), letter_post },
	{ HTTP_GET, "/api/v1/erasures", HTTP_SESSION_OF(RIGHT_CASES), erasures_get },
	{ HTTP_POST, "/api/v1/erasures", HTTP_SESSION_OF(RIGHT_CASES), erasures_post },
	{ HTTP_POST, "/api/v1/erasures/:act", HTTP_SESSION_OF(RIGHT_CASES), erasure_post },
	{ HTTP_POST, "/api/v1/persons", HTTP_SESSION_OF(RIGHT_CASES), persons_post },
	{ HTTP_POST, "/api/v1/persons/search", HTTP_SESSION_OF(RIGHT_CASES), persons_search },
	{ HTTP_GET, "/api/v1/persons/doubles", HTTP_SESSION_OF(RIGHT_CASES), person_doubles_get },
	{ HTTP_POST, "/api/v1/persons/:id", HTTP_SESSION_OF(RIGHT_CASES), person_post },
	{ HTTP_POST, "/api/v1/persons/:id/look", HTTP_SESSION_OF(RIGHT_CASES), person_look },
	{ HTTP_GET, "/api/v1/persons/:id/looks", HTTP_SESSION_OF(RIGHT_CASES), person_looks_get },
	{ HTTP_POST, "/api/v1/persons/:id/certificate", HTTP_SESSION_OF(RIGHT_CASES), certificate_post },
	{ HTTP_GET, "/api/v1/certificates", HTTP_SESSION_OF(RIGHT_CASES), certificates_get },
	{ HTTP_GET, "/api/v1/assessments", HTTP_SESSION_OF(RIGHT_ASSESS), assessments_get },
	{ HTTP_POST, "/api/v1/assessments/declaration", HTTP_SESSION_OF(RIGHT_ASSESS), declaration_post },
	{ HTTP_POST, "/api/v1/assessments/:id", HTTP_SESSION_OF(RIGHT_ASSESS), assessment_post },
	{ HTTP_POST, "/api/v1/assessments/:id/look", HTTP_SESSION_OF(RIGHT_ASSESS), assessment_look },
	{ HTTP_GET, "/api/v1/verification", HTTP_SESSION_OF(RIGHT_CASES), verification_get },
	{ HTTP_POST_LARGE, "/ctl/v1/persons", HTTP_LOCAL, persons_import },
	{ HTTP_GET, "/api/v1/places", HTTP_SESSION_OF(RIGHT_CASES | RIGHT_DEVICES), control_places },
	{ HTTP_GET, "/api/v1/links", HTTP_SESSION_OF(RIGHT_STATE), control_links },
	{ HTTP_GET, "/api/v1/backups", HTTP_SESSION_OF(RIGHT_STATE), control_backups },
	{ HTTP_GET, "/api/v1/return", HTTP_SESSION_OF(RIGHT_STATE), control_return },
	{ HTTP_GET, "/api/v1/quarantine", HTTP_SESSION_OF(RIGHT_CASES), control_quarantine },
	{ HTTP_POST, "/api/v1/quarantine", HTTP_SESSION_OF(RIGHT_CASES), control_quarantine_act },
	{ HTTP_GET, "/api/v1/publications/:collection", HTTP_SESSION_OF(WRITERS), publications_get },
	{ HTTP_GET, "/api/v1/publications/:collection/:key", HTTP_SESSION_OF(WRITERS), publication_get_one },
	{ HTTP_GET, "/api/v1/publications/:collection/:key/:revision", HTTP_SESSION_OF(WRITERS),
	  publication_get_revision },
	{ HTTP_POST, "/api/v1/publications/:collection/:key", HTTP_SESSION_OF(WRITERS), publication_post },
	{ HTTP_GET, "/api/v1/events", HTTP_SESSION_OF(RIGHT_DESK), events_get },
};
const size_t desk_route_count = sizeof desk_routes / sizeof *desk_routes;

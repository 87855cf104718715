/*
 * Certificates as pages show them: with a resident's record, in the lists of those that wait, to the assessor for whom
 * one was drawn, and in quality samples.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "certificates.h"

#define ROWS_MOST 200
#define SLICE_MOST 500 /* rows a snapshot */
#define DAY_BYTES 11
#define IN(name) (1u << LM__CERTIFICATE_STATE__CERTIFICATE_STATE_##name)
#define WAITS_FOR_DISTRICT \
	(IN(APPLIED) | IN(DRAWN) | IN(PLEDGED) | IN(ASSESSED) | IN(CHECKED) | IN(LOST) | IN(RENEWING))

static void today_fill(char day[CLOCK_TEXT_BYTES])
{
	clock_format_shanghai(clock_wall_ms(), day);
	day[DAY_BYTES - 1] = '\0';
}

/* ---- with a resident's record ---- */

static int waiting_fill(struct store_txn *txn, struct id person, struct arena *arena, Lm__CertificateView *view)
{
	Lm__CertificateWaiting **waiting;
	size_t count;
	int result = certificate_waiting(txn, person, arena, &waiting, &count);
	view->waiting = result ? NULL : arena_alloc(arena, (count + 1) * sizeof *view->waiting);
	for (size_t i = 0; i < count && view->waiting; i++) {
		Lm__CertificateEventView *v = arena_alloc(arena, sizeof *v);
		if (!v)
			return ERR_MEMORY;
		lm__certificate_event_view__init(v);
		v->step = waiting[i]->step;
		v->time_ms = waiting[i]->time_ms;
		view->waiting[view->n_waiting++] = v;
	}
	return result ? result : view->waiting ? OK : ERR_MEMORY;
}

/* What the entry says; of a resident's record that was handed over: that the certificate moved. */
static Lm__CertificateStep *step_of(const Lm__Header *h, struct bytes plain, struct arena *arena)
{
	Lm__CertificatePayload *p;
	Lm__CertificateCopyPayload *copy;
	Lm__CertificateStep *moved;
	switch (h->kind) {
	case LM__KIND__KIND_CERTIFICATE_COPY:
		return CODEC_UNPACK(lm__certificate_copy_payload, plain, arena, &copy, NULL) ? NULL : copy->step;
	case LM__KIND__KIND_CERTIFICATE:
	case LM__KIND__KIND_CERTIFICATE_ASK:
		return CODEC_UNPACK(lm__certificate_payload, plain, arena, &p, NULL) ? NULL : p->step;
	default:
		moved = arena_alloc(arena, sizeof *moved);
		if (moved) {
			lm__certificate_step__init(moved);
			moved->act = LM__CERTIFICATE_ACT__CERTIFICATE_ACT_TRANSFER;
		}
		return moved;
	}
}

static int events_fill(struct node *n, struct store_txn *txn, struct id person, struct arena *arena,
                       Lm__CertificateView *view)
{
	struct certificate_event *events;
	size_t count;
	int result = certificate_events(txn, person, arena, &events, &count);
	view->events = result ? NULL : arena_alloc(arena, (count + 1) * sizeof *view->events);
	for (size_t i = 0; i < count && view->events; i++) {
		Lm__CertificateEventView *v = arena_alloc(arena, sizeof *v);
		Lm__TapeItem *item;
		Lm__Header *h;
		struct bytes plain;
		bool is_absent;
		if (!v || item_at(n, txn, events[i].position, arena, &item, &h, &plain, &is_absent))
			return ERR_MEMORY;
		lm__certificate_event_view__init(v);
		v->version = events[i].version;
		v->time_ms = h->time_ms;
		v->refusal = events[i].refusal;
		v->step = is_absent ? NULL : step_of(h, plain, arena);
		v->is_absent = !v->step;
		view->events[view->n_events++] = v;
	}
	return result ? result : view->events ? OK : ERR_MEMORY;
}

static int may_fill(const struct certificate_actor *actor, struct arena *arena, Lm__CertificateView *view)
{
	unsigned who = actor->tier == LM__TIER__TIER_DISTRICT ? BY_DISTRICT : BY_TOWN;
	view->may = arena_alloc(arena, certificate_move_count * sizeof *view->may);
	if (!view->may)
		return ERR_MEMORY;
	for (size_t i = 0; i < certificate_move_count; i++)
		if (certificate_move_find(view->expected, certificate_moves[i].act, who))
			view->may[view->n_may++] = certificate_moves[i].act;
	return OK;
}

int certificate_view(struct node *n, struct store_txn *txn, struct id person, const Lm__PersonRecord *record,
                     struct arena *arena, Lm__CertificateView **out)
{
	Lm__CertificateView *view = arena_alloc(arena, sizeof *view);
	Lm__CertificateRecord *known;
	Lm__CertificateFacts *expected;
	char today[CLOCK_TEXT_BYTES];
	struct certificate_actor actor = desk_actor(n, record);
	int result = view ? certificate_get(txn, person, arena, &known) : ERR_MEMORY;
	if (result && result != ERR_NOT_FOUND)
		return result;
	lm__certificate_view__init(view);
	if (!result) {
		today_fill(today);
		view->facts = known->facts;
		view->version = known->version;
		view->is_absent = known->is_absent;
		view->is_recheck_due = known->facts && certificate_recheck_is_due(known->facts, today);
	}
	result = certificate_expected(txn, person, &actor, arena, &expected);
	view->expected = !result && expected ? expected->state : LM__CERTIFICATE_STATE__CERTIFICATE_STATE_NONE;
	bool is_ours = actor.tier == LM__TIER__TIER_DISTRICT || strcmp(actor.town, actor.place) == 0;
	if (!result && is_ours && record->facts && !record->facts->merged_into.len)
		result = may_fill(&actor, arena, view);
	if (!result)
		result = waiting_fill(txn, person, arena, view);
	if (!result)
		result = events_fill(n, txn, person, arena, view);
	*out = view;
	return result;
}

/* ---- lists, a slice of the table at a time ---- */

struct found {
	struct id person;
	int64_t since_ms;
	Lm__CertificateState state;
	uint32_t version;
	bool is_due, is_recheck;
};

struct looking {
	const char *today, *place, *account; /* `account`: of the assessor for whom they were drawn; NULL: of anybody */
	struct found rows[ROWS_MOST];
	size_t count, seen;
	bool is_more;
};

static bool is_wanted(const struct looking *l, const Lm__CertificateFacts *f)
{
	if (!l->account)
		return (WAITS_FOR_DISTRICT & (1u << f->state)) || certificate_recheck_is_due(f, l->today);
	return ((IN(DRAWN) | IN(PLEDGED)) & (1u << f->state)) && f->draw && strcmp(f->draw->place, l->place) == 0 &&
	       strcmp(f->draw->account, l->account) == 0;
}

static bool looking_visit(void *context, struct id person, const Lm__CertificateRecord *record)
{
	struct looking *l = context;
	const Lm__CertificateFacts *f = record->facts;
	if (f && is_wanted(l, f)) {
		l->is_more = l->count == ROWS_MOST;
		if (l->is_more)
			return false;
		l->rows[l->count++] = (struct found){ person,
			                              record->changed_ms,
			                              f->state,
			                              record->version,
			                              certificate_recheck_is_due(f, l->today),
			                              f->is_recheck };
	}
	return ++l->seen < SLICE_MOST;
}

static int oldest_first(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	return (x->since_ms > y->since_ms) - (x->since_ms < y->since_ms);
}

static int look_for(struct node *n, struct looking *l, struct error *e)
{
	struct id from = { { 0 } };
	struct arena arena;
	int result;
	arena_init(&arena, 1024 * 1024);
	do {
		struct store_txn *txn;
		l->seen = 0;
		result = store_begin_read(node_store(n), &txn, e);
		if (result)
			break;
		result = certificate_each(txn, &from, &arena, looking_visit, l, e);
		store_abort(txn);
	} while (!result && l->seen == SLICE_MOST && !l->is_more);
	arena_release(&arena);
	if (l->count)
		qsort(l->rows, l->count, sizeof *l->rows, oldest_first);
	return result;
}

static Lm__PersonRow *row_of(struct node *n, struct store_txn *txn, struct id person, struct arena *arena)
{
	Lm__PersonRecord *record;
	return person_get(txn, person, arena, &record) ? NULL : person_row(n, person, record, arena);
}

static void certificates_pool(struct node *n, void *context)
{
	struct errand *x = context;
	char today[CLOCK_TEXT_BYTES];
	Lm__CertificatesView *view = arena_alloc(&x->arena, sizeof *view);
	struct looking *l = arena_alloc(&x->arena, sizeof *l);
	struct store_txn *txn;
	x->result = view && l ? OK : ERR_MEMORY;
	if (x->result)
		return;
	today_fill(today);
	memset(l, 0, sizeof *l);
	l->today = today;
	x->result = look_for(n, l, &x->error);
	lm__certificates_view__init(view);
	view->is_more = l->is_more;
	view->rows = arena_alloc(&x->arena, (l->count + 1) * sizeof *view->rows);
	if (!x->result)
		x->result = view->rows ? store_begin_read(node_store(n), &txn, &x->error) : ERR_MEMORY;
	if (x->result)
		return;
	for (size_t i = 0; i < l->count; i++) {
		Lm__CertificateRow *row = arena_alloc(&x->arena, sizeof *row);
		Lm__PersonRow *person = row_of(n, txn, l->rows[i].person, &x->arena);
		if (!row || !person)
			continue; /* it went meanwhile */
		lm__certificate_row__init(row);
		row->person = person;
		row->state = l->rows[i].state;
		row->since_ms = l->rows[i].since_ms;
		row->is_recheck_due = l->rows[i].is_due;
		row->is_recheck = l->rows[i].is_recheck;
		row->version = l->rows[i].version;
		view->rows[view->n_rows++] = row;
	}
	store_abort(txn);
	x->output = &view->base;
}

void certificates_get(void *context, struct http_request *r)
{
	struct errand *x = errand_new(r);
	if (x)
		errand_pool(context, x, certificates_pool);
}

/* ---- to an assessor ---- */

/* As it will be when the district has taken what waits. */
static int expected_state(struct node *n, struct store_txn *txn, struct id person, struct arena *arena,
                          Lm__CertificateState *state, uint32_t *waiting)
{
	struct certificate_actor actor = desk_actor(n, NULL);
	Lm__CertificateFacts *facts;
	Lm__CertificateWaiting **list;
	size_t count = 0;
	int result = certificate_expected(txn, person, &actor, arena, &facts);
	if (!result)
		result = certificate_waiting(txn, person, arena, &list, &count);
	*state = !result && facts ? facts->state : LM__CERTIFICATE_STATE__CERTIFICATE_STATE_NONE;
	*waiting = (uint32_t)count;
	return result;
}

static int rules_fill(struct store_txn *txn, struct arena *arena, Lm__AssessmentsView *view)
{
	Lm__Service *service;
	int result = service_get(txn, CERTIFICATE_SERVICE, 0, arena, &service);
	if (result || !service->certificate)
		return result == ERR_NOT_FOUND ? OK : result;
	view->pledge = service->certificate->pledge;
	view->revision = service->revision;
	view->basis = service->certificate->basis;
	view->n_basis = service->certificate->n_basis;
	return OK;
}

static int declared_fill(struct node *n, struct store_txn *txn, const struct errand *x, struct arena *arena,
                         Lm__AssessmentsView *view, struct error *e)
{
	Lm__AssessorDeclaration *declaration;
	struct id id;
	int result = assessor_id(node_domain(n)->place, x->user, &id, e);
	if (!result)
		result = assessor_get(txn, id, arena, &declaration);
	if (result)
		return result == ERR_NOT_FOUND ? OK : result;
	view->is_declared = true;
	view->is_over = declaration->is_over;
	view->relations = (uint32_t)declaration->n_relations;
	return OK;
}

static int assessments_fill(struct node *n, struct store_txn *txn, struct errand *x, const struct looking *l,
                            Lm__AssessmentsView *view)
{
	int result = declared_fill(n, txn, x, &x->arena, view, &x->error);
	if (!result)
		result = rules_fill(txn, &x->arena, view);
	view->rows = arena_alloc(&x->arena, (l->count + 1) * sizeof *view->rows);
	for (size_t i = 0; i < l->count && !result; i++) {
		Lm__AssessmentRow *row = view->rows ? arena_alloc(&x->arena, sizeof *row) : NULL;
		if (!row)
			return ERR_MEMORY;
		lm__assessment_row__init(row);
		row->person_id = codec_data(BYTES_OF(l->rows[i].person.byte));
		row->since_ms = l->rows[i].since_ms;
		result = expected_state(n, txn, l->rows[i].person, &x->arena, &row->state, &row->waiting);
		view->rows[view->n_rows++] = row;
	}
	return result;
}

static void assessments_pool(struct node *n, void *context)
{
	struct errand *x = context;
	Lm__AssessmentsView *view = arena_alloc(&x->arena, sizeof *view);
	struct looking *l = arena_alloc(&x->arena, sizeof *l);
	struct store_txn *txn;
	x->result = view && l ? OK : ERR_MEMORY;
	if (x->result)
		return;
	memset(l, 0, sizeof *l);
	l->today = "";
	l->place = node_domain(n)->place;
	l->account = x->user;
	lm__assessments_view__init(view);
	x->result = look_for(n, l, &x->error);
	if (!x->result)
		x->result = store_begin_read(node_store(n), &txn, &x->error);
	if (x->result)
		return;
	x->result = assessments_fill(n, txn, x, l, view);
	if (store_failure(txn, &x->error))
		x->result = store_failure(txn, &x->error);
	store_abort(txn);
	x->output = &view->base;
}

void assessments_get(void *context, struct http_request *r)
{
	struct errand *x = errand_new(r);
	if (x)
		errand_pool(context, x, assessments_pool);
}

static int assessment_fill(struct node *n, struct store_txn *txn, struct errand *x, Lm__AssessmentView *view)
{
	Lm__CertificateRecord *known;
	const struct looking mine = { .today = "", .place = node_domain(n)->place, .account = x->user };
	int result = certificate_get(txn, x->person, &x->arena, &known);
	if (result == ERR_NOT_FOUND || (!result && (!known->facts || !is_wanted(&mine, known->facts))))
		return error_set(&x->error, ERR_NOT_FOUND, "nothing of this record was drawn for you");
	view->facts = result ? NULL : known->facts;
	view->person = row_of(n, txn, x->person, &x->arena);
	if (!result && !view->person)
		result = ERR_MEMORY;
	return result ? result : expected_state(n, txn, x->person, &x->arena, &view->expected, &view->waiting);
}

static void assessment_pool(struct node *n, void *context)
{
	struct errand *x = context;
	Lm__AssessmentView *view = arena_alloc(&x->arena, sizeof *view);
	struct store_txn *txn;
	x->result = view ? store_begin_read(node_store(n), &txn, &x->error) : ERR_MEMORY;
	if (x->result)
		return;
	lm__assessment_view__init(view);
	x->result = assessment_fill(n, txn, x, view);
	store_abort(txn);
	x->output = &view->base;
}

/* Not his: then nobody looked. */
static void assessment_tried(struct node *n, void *context)
{
	struct errand *x = context;
	if (x->result)
		errand_answer(x, x->result, &x->error);
	else
		errand_look(n, x, LM__LOOK_PURPOSE__LOOK_PURPOSE_CASE, assessment_pool);
}

void assessment_look(void *context, struct http_request *r)
{
	struct errand *x = errand_about(r, NULL);
	int result = x ? node_pool(context, assessment_pool, assessment_tried, x) : OK;
	if (result)
		errand_answer(x, result, NULL);
}

/* ---- samples ---- */

struct samples {
	struct node *node;
	struct store_txn *txn;
	struct arena *arena;
	Lm__SamplesView *view;
	size_t capacity;
	int result;
};

static int sampled_fill(struct samples *s, struct id sample, Lm__SampleView *v)
{
	v->rows = arena_alloc(s->arena, (v->sample->n_person_id + 1) * sizeof *v->rows);
	for (size_t i = 0; i < v->sample->n_person_id; i++) {
		Lm__SampledRow *row = v->rows ? arena_alloc(s->arena, sizeof *row) : NULL;
		Lm__QualityRow *found;
		struct id person;
		if (!row)
			return ERR_MEMORY;
		lm__sampled_row__init(row);
		memcpy(person.byte, v->sample->person_id[i].data, ID_BYTES);
		row->person_id = v->sample->person_id[i];
		row->person = row_of(s->node, s->txn, person, s->arena);
		int result = sample_result_get(s->txn, sample, person, s->arena, &found);
		if (result && result != ERR_NOT_FOUND)
			return result;
		if (!result) {
			row->outcome = found->outcome;
			row->by = found->by;
			row->time_ms = found->time_ms;
		}
		v->rows[v->n_rows++] = row;
	}
	return OK;
}

#define SAMPLES_SHOWN 10

static bool sample_visit(void *context, struct id sample, const Lm__SampleRecord *record)
{
	struct samples *s = context;
	Lm__SampleView *v = arena_alloc(s->arena, sizeof *v);
	void *id = arena_copy(s->arena, sample.byte, ID_BYTES);
	if (!v || !id) {
		s->result = ERR_MEMORY;
		return false;
	}
	lm__sample_view__init(v);
	v->sample_id = codec_data(BYTES(id, ID_BYTES));
	v->sample = record->sample;
	v->time_ms = record->time_ms;
	s->result = sampled_fill(s, sample, v);
	s->view->samples[s->view->n_samples++] = v;
	return !s->result && s->view->n_samples < SAMPLES_SHOWN;
}

static void samples_pool(struct node *n, void *context)
{
	struct errand *x = context;
	struct samples s = { .node = n, .arena = &x->arena };
	s.view = arena_alloc(&x->arena, sizeof *s.view);
	x->result = s.view ? store_begin_read(node_store(n), &s.txn, &x->error) : ERR_MEMORY;
	if (x->result)
		return;
	lm__samples_view__init(s.view);
	s.view->samples = arena_alloc(&x->arena, SAMPLES_SHOWN * sizeof *s.view->samples);
	x->result = s.view->samples ? sample_each(s.txn, &x->arena, sample_visit, &s) : ERR_MEMORY;
	x->result = x->result ? x->result : s.result;
	store_abort(s.txn);
	x->output = &s.view->base;
}

void samples_get(void *context, struct http_request *r)
{
	struct errand *x = errand_new(r);
	if (x)
		errand_pool(context, x, samples_pool);
}

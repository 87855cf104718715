/*
 * Residents' records over HTTP. The town in which somebody is registered keeps the record; the district reads. Nothing
 * personal stands in an address: what is searched for is a body. Whoever wants to see a record says for what, and that
 * is journalled before the record is sent.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "errand.h"
#include "index.h"

#define SEARCH_USUAL 20
#define SEARCH_MOST 50
#define FAULTS_MOST 32
#define CANDIDATES_MOST 8
#define LOOKS_MOST 200
#define DOUBLES_MOST 200

#define DO(action) LM__PERSON_ACTION__PERSON_ACTION_##action

/* ---- search ---- */

/* Rows of what was found; those that went meanwhile are passed over. */
static int rows_read(struct node *n, const struct id *found, size_t count, struct arena *arena, Lm__PersonRow **rows,
                     size_t *row_count, struct error *e)
{
	struct store_txn *txn;
	int result = store_begin_read(node_store(n), &txn, e);
	for (size_t i = 0; i < count && !result; i++) {
		Lm__PersonRecord *record;
		result = person_get(txn, found[i], arena, &record);
		if (result == ERR_NOT_FOUND) {
			result = OK;
			continue;
		}
		if (!result)
			result = (rows[*row_count] = person_row(n, found[i], record, arena)) ? OK : ERR_MEMORY;
		else if (store_failure(txn, e))
			result = store_failure(txn, e);
		*row_count += !result;
	}
	store_abort(txn);
	return result;
}

static void search_pool(struct node *n, void *context)
{
	struct errand *x = context;
	const Lm__PersonSearchCommand *in = (Lm__PersonSearchCommand *)x->input;
	struct index *r = registry_of(n);
	struct id found[SEARCH_MOST];
	bool is_more;
	Lm__PersonsView *view = arena_alloc(&x->arena, sizeof *view);
	Lm__PersonRow **rows = arena_alloc(&x->arena, SEARCH_MOST * sizeof *rows);
	size_t most = in->limit < 1 ? SEARCH_USUAL : in->limit > SEARCH_MOST ? SEARCH_MOST : in->limit;
	if (!view || !rows) {
		x->result = ERR_MEMORY;
		return;
	}
	lm__persons_view__init(view);
	size_t count = registry_search(r, in->query, found, most, &is_more);
	view->is_more = is_more;
	view->is_ready = index_is_ready(r);
	view->total = registry_count(r);
	view->persons = rows;
	x->result = rows_read(n, found, count, &x->arena, rows, &view->n_persons, &x->error);
	x->output = &view->base;
}

void persons_search(void *context, struct http_request *r)
{
	struct errand *x = errand_with_body(r, &lm__person_search_command__descriptor);
	if (x)
		errand_pool(context, x, search_pool);
}

/* ---- candidates ---- */

static bool is_named(const Lm__PersonCommand *in, struct id person)
{
	for (size_t i = 0; i < in->n_others; i++)
		if (bytes_equal(codec_bytes(in->others[i]->person_id), BYTES_OF(person.byte)))
			return true;
	return false;
}

int candidates_find(struct node *n, const Lm__PersonFacts *facts, const Lm__PersonCommand *named, struct id except,
                    struct arena *arena, Lm__PersonCandidate ***out, size_t *count, struct error *e)
{
	struct agreement found[CANDIDATES_MOST + PERSON_OTHERS_MOST];
	struct store_txn *txn;
	size_t all = registry_agreeing(registry_of(n), facts, except, found, sizeof found / sizeof *found);
	*count = 0;
	*out = arena_alloc(arena, sizeof found / sizeof *found * sizeof **out);
	int result = *out ? store_begin_read(node_store(n), &txn, e) : ERR_MEMORY;
	if (result)
		return result;
	for (size_t i = 0; i < all && !result; i++) {
		Lm__PersonRecord *record;
		Lm__PersonCandidate *c = arena_alloc(arena, sizeof *c);
		if ((named && is_named(named, found[i].person)) || person_get(txn, found[i].person, arena, &record))
			continue;
		Lm__PersonRow *row = person_row(n, found[i].person, record, arena);
		if (!c || !row) {
			result = ERR_MEMORY;
			break;
		}
		lm__person_candidate__init(c);
		c->row = row;
		c->has_id_number = found[i].has_id_number;
		c->has_name_and_birth = found[i].has_name_and_birth;
		c->has_name_and_phone = found[i].has_name_and_phone;
		if (!row->is_merged)
			(*out)[(*count)++] = c;
	}
	store_abort(txn);
	return result;
}

int faults_fill(const struct form_fault *faults, size_t count, struct arena *arena, Lm__FieldFault ***out,
                size_t *filled)
{
	Lm__FieldFault **list = arena_alloc(arena, (count + 1) * sizeof *list);
	*filled = 0;
	for (size_t i = 0; list && i < count; i++) {
		Lm__FieldFault *f = arena_alloc(arena, sizeof *f);
		char *field = arena_text(arena, faults[i].field);
		if (!f || !field)
			return ERR_MEMORY;
		lm__field_fault__init(f);
		f->field = field;
		f->rule = (char *)(uintptr_t)faults[i].rule;
		f->least = faults[i].least;
		f->most = faults[i].most;
		list[(*filled)++] = f;
	}
	*out = list;
	return list ? OK : ERR_MEMORY;
}

/* ---- one step ---- */

static int step_run(struct turn *t, struct command *c, struct error *e)
{
	struct errand *x = c->context;
	const Lm__PersonCommand *in = (Lm__PersonCommand *)x->input;
	struct person_step step = { .action = in->action,
		                    .facts = in->facts,
		                    .staff = x->user,
		                    .reason = in->reason,
		                    .died_on = in->died_on,
		                    .how = in->how,
		                    .town = in->town,
		                    .merged_into = codec_bytes(in->merged_into),
		                    .others = in->others,
		                    .other_count = in->n_others,
		                    .version = in->version };
	Lm__PersonStepView *view = arena_alloc(&x->arena, sizeof *view);
	if (!view)
		return error_set(e, ERR_MEMORY, "no memory for the record");
	lm__person_step_view__init(view);
	int result = person_step_write(t, x->person, &step, &view->version, e);
	view->is_saved = !result;
	view->person_id = codec_data(BYTES_OF(x->person.byte));
	x->output = &view->base;
	return result;
}

static void looked_for(struct node *n, void *context)
{
	struct errand *x = context;
	if (x->result || x->is_done)
		errand_answer(x, x->result, &x->error);
	else
		errand_command(n, x, step_run, errand_done);
}

/* Faults and candidates stand in the way: then nothing is written, and the answer names them. */
static void step_pool(struct node *n, void *context)
{
	struct errand *x = context;
	Lm__PersonCommand *in = (Lm__PersonCommand *)x->input;
	struct form_fault faults[FAULTS_MOST];
	Lm__PersonStepView *view = arena_alloc(&x->arena, sizeof *view);
	x->result = view ? OK : ERR_MEMORY;
	if (x->result)
		return;
	lm__person_step_view__init(view);
	view->person_id = codec_data(BYTES_OF(x->person.byte));
	in->facts->verified = NULL;
	in->facts->died_on = "";
	in->facts->merged_into = (ProtobufCBinaryData){ 0 };
	size_t count = person_check(in->facts, node_domain(n)->place, faults, FAULTS_MOST);
	count = count < FAULTS_MOST ? count : FAULTS_MOST;
	x->result = faults_fill(faults, count, &x->arena, &view->faults, &view->n_faults);
	if (!x->result && !count)
		x->result = candidates_find(n, in->facts, in, x->person, &x->arena, &view->candidates,
		                            &view->n_candidates, &x->error);
	x->is_done = count || view->n_candidates;
	x->output = &view->base;
}

static void step_begin(struct node *n, struct errand *x)
{
	const Lm__PersonCommand *in = (Lm__PersonCommand *)x->input;
	bool has_facts = in->action == DO(CREATE) || in->action == DO(CHANGE);
	int result = OK;
	if (node_domain(n)->tier != LM__TIER__TIER_TOWN)
		result = error_set(&x->error, ERR_DENIED,
		                   "the town in which somebody is registered keeps the record: the district reads");
	else if (has_facts && !in->facts)
		result = error_set(&x->error, ERR_INVALID, "facts: they are missing");
	if (!result && has_facts)
		result = node_pool(n, step_pool, looked_for, x);
	else if (!result) {
		errand_command(n, x, step_run, errand_done);
		return;
	}
	if (result)
		errand_answer(x, result, &x->error);
}

void persons_post(void *context, struct http_request *r)
{
	struct errand *x = errand_with_body(r, &lm__person_command__descriptor);
	uint8_t random[10];
	if (!x)
		return;
	int result = crypto_random(random, sizeof random, &x->error);
	if (!result && ((Lm__PersonCommand *)x->input)->action != DO(CREATE))
		result = error_set(&x->error, ERR_INVALID, "action: here a record is created");
	if (result) {
		errand_answer(x, result, &x->error);
		return;
	}
	x->person = id_make(clock_wall_ms(), random);
	step_begin(context, x);
}

void person_post(void *context, struct http_request *r)
{
	struct errand *x = errand_about(r, &lm__person_command__descriptor);
	if (!x)
		return;
	if (((Lm__PersonCommand *)x->input)->action == DO(CREATE)) {
		error_set(&x->error, ERR_INVALID, "action: this record is there already");
		errand_answer(x, ERR_INVALID, &x->error);
		return;
	}
	step_begin(context, x);
}

/* ---- looks ---- */

static int look_run(struct turn *t, struct command *c, struct error *e)
{
	struct errand *x = c->context;
	Lm__LookPayload look = LM__LOOK_PAYLOAD__INIT;
	Lm__PersonRecord *record;
	Lm__Header h = LM__HEADER__INIT;
	struct bytes packed;
	struct placed placed;
	int result = person_get(t->txn, x->person, t->arena, &record);
	if (result == ERR_NOT_FOUND)
		return error_set(e, result, "there is no such record here");
	look.purpose = x->purpose;
	look.by = x->user;
	if (!result)
		result = CODEC_PACK(&look, t->arena, &packed, e);
	h.kind = LM__KIND__KIND_LOOK;
	h.person_id = codec_data(BYTES_OF(x->person.byte));
	h.place = (char *)(uintptr_t)node_domain(t->node)->place;
	struct draft draft = { .stream = LM__STREAM__STREAM_OWN, .header = &h, .payload = packed };
	return result ? result : turn_append(t, &draft, &placed, e);
}

static void view_pool(struct node *n, void *context)
{
	struct errand *x = context;
	Lm__PersonView *view = NULL;
	struct store_txn *txn;
	x->result = store_begin_read(node_store(n), &txn, &x->error);
	if (x->result)
		return;
	x->result = person_view(n, txn, x->person, x->user, &x->arena, &view, &x->error);
	store_abort(txn);
	x->output = view ? &view->base : NULL;
}

static void looked(struct node *n, struct command *c)
{
	struct errand *x = c->context;
	if (c->result)
		errand_answer(x, c->result, &c->error);
	else
		errand_pool(n, x, x->view);
}

void errand_look(struct node *n, struct errand *x, Lm__LookPurpose purpose, void (*view)(struct node *n, void *context))
{
	x->purpose = purpose;
	x->view = view;
	errand_command(n, x, look_run, looked);
}

void person_look(void *context, struct http_request *r)
{
	struct errand *x = errand_about(r, &lm__look_command__descriptor);
	if (x)
		errand_look(context, x, ((Lm__LookCommand *)x->input)->purpose, view_pool);
}

static void looks_pool(struct node *n, void *context)
{
	struct errand *x = context;
	Lm__LookRecord **looks;
	Lm__LooksView *view = arena_alloc(&x->arena, sizeof *view);
	struct store_txn *txn;
	size_t count = 0;
	bool is_more = false;
	x->result = view ? store_begin_read(node_store(n), &txn, &x->error) : ERR_MEMORY;
	if (x->result)
		return;
	lm__looks_view__init(view);
	x->result = person_looks(txn, x->person, &x->arena, LOOKS_MOST, &looks, &count, &is_more);
	if (store_failure(txn, &x->error))
		x->result = store_failure(txn, &x->error);
	store_abort(txn);
	view->is_more = is_more;
	view->looks = arena_alloc(&x->arena, (count + 1) * sizeof *view->looks);
	for (size_t i = 0; i < count && !x->result; i++) {
		Lm__LookView *v = view->looks ? arena_alloc(&x->arena, sizeof *v) : NULL;
		if (!v) {
			x->result = ERR_MEMORY;
			break;
		}
		lm__look_view__init(v);
		v->purpose = looks[i]->purpose;
		v->by = looks[i]->by;
		v->time_ms = looks[i]->time_ms;
		view->looks[view->n_looks++] = v;
	}
	x->output = &view->base;
}

void person_looks_get(void *context, struct http_request *r)
{
	struct errand *x = errand_about(r, NULL);
	if (x)
		errand_pool(context, x, looks_pool);
}

/* ---- the same id number twice ---- */

static void doubles_pool(struct node *n, void *context)
{
	struct errand *x = context;
	struct id found[DOUBLES_MOST];
	size_t group[DOUBLES_MOST], count;
	bool is_more;
	Lm__PersonDoublesView *view = arena_alloc(&x->arena, sizeof *view);
	Lm__PersonDouble *doubles = arena_alloc(&x->arena, DOUBLES_MOST * sizeof *doubles);
	Lm__PersonRow **rows = arena_alloc(&x->arena, DOUBLES_MOST * sizeof *rows);
	Lm__PersonDouble **list = arena_alloc(&x->arena, DOUBLES_MOST * sizeof *list);
	x->result = view && doubles && rows && list
	                    ? registry_doubles(registry_of(n), found, group, DOUBLES_MOST, &count, &is_more)
	                    : ERR_MEMORY;
	if (x->result)
		return;
	lm__person_doubles_view__init(view);
	view->doubles = list;
	view->is_more = is_more;
	for (size_t i = 0, at = 0, end; i < count && !x->result; i = end) {
		Lm__PersonDouble *d = &doubles[view->n_doubles];
		for (end = i + 1; end < count && group[end] == group[i];)
			end++;
		lm__person_double__init(d);
		d->rows = rows + at;
		x->result = rows_read(n, found + i, end - i, &x->arena, d->rows, &d->n_rows, &x->error);
		at += d->n_rows;
		list[view->n_doubles++] = d;
	}
	x->output = &view->base;
}

void person_doubles_get(void *context, struct http_request *r)
{
	struct errand *x = errand_new(r);
	if (x)
		errand_pool(context, x, doubles_pool);
}

/*
 * Records that lmctl brings from a file, a turn's worth at a time. What is taken is an ordinary event of the town. The
 * id of a record follows from its name in the file, under a key of this node: the same file again changes nothing, and
 * the id tells nobody where it came from.
 */
#include <stdio.h>
#include <string.h>

#include "errand.h"

#define IMPORT_MOST 200
#define FAULTS_MOST 16

static int ref_to_id(struct store_txn *txn, const char *ref, struct arena *arena, struct id *out, struct error *e)
{
	static const char label[] = "lm import v1";
	Lm__NodeSecretPayload *secret;
	struct hash hash;
	char *text = arena_format(arena, "%s %s", label, ref);
	int result = text ? secret_get(txn, arena, &secret) : ERR_MEMORY;
	if (!result && secret->code_hash_key.len != KEY_BYTES)
		result = ERR_DAMAGED;
	if (!result)
		result = crypto_hmac(SUITE_INTERNATIONAL, secret->code_hash_key.data, bytes_from_text(text), &hash, e);
	if (!result)
		memcpy(out->byte, hash.byte, ID_BYTES);
	return result;
}

static bool is_known(struct store_txn *txn, struct id person, struct arena *arena)
{
	Lm__PersonRecord *record;
	return !person_get(txn, person, arena, &record) || person_is_erased(txn, person);
}

/* ---- on the pool: what is left out, and why ---- */

static int row_leave(struct errand *x, Lm__PersonImportView *view, const Lm__ImportedPerson *p,
                     const struct form_fault *faults, size_t count, Lm__PersonCandidate **candidates,
                     size_t candidate_count)
{
	Lm__PersonImportRow *row = arena_alloc(&x->arena, sizeof *row);
	if (!row)
		return ERR_MEMORY;
	lm__person_import_row__init(row);
	row->ref = p->ref;
	row->candidates = candidates;
	row->n_candidates = candidate_count;
	view->left[view->n_left++] = row;
	return faults_fill(faults, count < FAULTS_MOST ? count : FAULTS_MOST, &x->arena, &row->faults, &row->n_faults);
}

/* Leaves only those in the command that are to be written. */
static int person_sort(struct node *n, struct errand *x, struct store_txn *txn, Lm__ImportedPerson *p,
                       Lm__PersonImportView *view, bool *is_left)
{
	const Lm__PersonImportCommand *in = (Lm__PersonImportCommand *)x->input;
	struct form_fault faults[FAULTS_MOST] = { { .field = "ref", .rule = "required" } };
	Lm__PersonCandidate **candidates;
	struct id person;
	size_t count = 1, candidate_count = 0;
	if (!p->facts)
		snprintf(faults[0].field, sizeof faults[0].field, "facts");
	if (p->facts && p->ref[0] && strlen(p->ref) <= 64) {
		p->facts->died_on = "";
		p->facts->merged_into = (ProtobufCBinaryData){ 0 };
		count = person_check(p->facts, node_domain(n)->place, faults, FAULTS_MOST);
	}
	*is_left = true;
	if (count)
		return row_leave(x, view, p, faults, count, NULL, 0);
	int result = ref_to_id(txn, p->ref, &x->arena, &person, &x->error);
	if (result)
		return result;
	if (is_known(txn, person, &x->arena)) {
		view->known++;
		return OK;
	}
	if (!in->takes_doubles)
		result =
		        candidates_find(n, p->facts, NULL, person, &x->arena, &candidates, &candidate_count, &x->error);
	if (!result && candidate_count)
		return row_leave(x, view, p, NULL, 0, candidates, candidate_count);
	*is_left = result != OK;
	return result;
}

static void sort_pool(struct node *n, void *context)
{
	struct errand *x = context;
	Lm__PersonImportCommand *in = (Lm__PersonImportCommand *)x->input;
	Lm__PersonImportView *view = arena_alloc(&x->arena, sizeof *view);
	struct store_txn *txn;
	size_t kept = 0;
	x->result = view ? store_begin_read(node_store(n), &txn, &x->error) : ERR_MEMORY;
	if (x->result)
		return;
	lm__person_import_view__init(view);
	view->left = arena_alloc(&x->arena, (in->n_persons + 1) * sizeof *view->left);
	x->result = view->left ? OK : ERR_MEMORY;
	for (size_t i = 0; i < in->n_persons && !x->result; i++) {
		bool is_left;
		x->result = person_sort(n, x, txn, in->persons[i], view, &is_left);
		if (!is_left)
			in->persons[kept++] = in->persons[i];
	}
	if (store_failure(txn, &x->error))
		x->result = store_failure(txn, &x->error);
	store_abort(txn);
	in->n_persons = x->result ? 0 : kept;
	x->is_done = !kept;
	x->output = &view->base;
}

/* ---- on the writer ---- */

static int take_run(struct turn *t, struct command *c, struct error *e)
{
	struct errand *x = c->context;
	const Lm__PersonImportCommand *in = (Lm__PersonImportCommand *)x->input;
	Lm__PersonImportView *view = (Lm__PersonImportView *)x->output;
	int result = OK;
	view->taken = 0; /* a turn may run twice */
	for (size_t i = 0; i < in->n_persons && !result; i++) {
		struct person_step step = { .action = LM__PERSON_ACTION__PERSON_ACTION_CREATE,
			                    .facts = in->persons[i]->facts,
			                    .staff = in->by,
			                    .reason = in->reason };
		struct id person;
		uint32_t version;
		result = ref_to_id(t->txn, in->persons[i]->ref, t->arena, &person, e);
		if (result || is_known(t->txn, person, t->arena)) /* the same name twice in one file */
			continue;
		result = person_step_write(t, person, &step, &version, e);
		view->taken += !result;
	}
	return result;
}

static void sorted(struct node *n, void *context)
{
	struct errand *x = context;
	if (x->result || x->is_done)
		errand_answer(x, x->result, &x->error);
	else
		errand_command(n, x, take_run, errand_done);
}

void persons_import(void *context, struct http_request *r)
{
	struct node *n = context;
	struct errand *x = errand_with_body(r, &lm__person_import_command__descriptor);
	if (!x)
		return;
	const Lm__PersonImportCommand *in = (Lm__PersonImportCommand *)x->input;
	int result = OK;
	if (node_domain(n)->tier != LM__TIER__TIER_TOWN)
		result = error_set(&x->error, ERR_DENIED, "records are brought in at the town that keeps them");
	else if (!in->by[0] || !in->reason[0] || strlen(in->by) > 64)
		result = error_set(&x->error, ERR_INVALID,
		                   "by, reason: say who brings them in, and where they come from");
	else if (in->n_persons > IMPORT_MOST)
		result = error_set(&x->error, ERR_TOO_MANY, "persons: at most %d at a time", IMPORT_MOST);
	if (!result)
		result = node_pool(n, sort_pool, sorted, x);
	if (result)
		errand_answer(x, result, &x->error);
}

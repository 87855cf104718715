/* A report counted of the district's own store, with its names, and compared with what was sent. */
#include <stdlib.h>
#include <string.h>

#include "reports.h"

const Lm__Words *report_measure_words(const Lm__ReportsFile *file, Lm__ReportMeasure measure)
{
	for (size_t i = 0; i < file->n_measures; i++)
		if (file->measures[i]->measure == measure)
			return file->measures[i]->name;
	return NULL;
}

bool report_is_alike(const Lm__ReportContent *a, const Lm__ReportContent *b)
{
	const Lm__ReportDefinition *one = a->definition, *other = b->definition;
	return one->split == other->split && one->n_measures == other->n_measures &&
	       memcmp(one->measures, other->measures, one->n_measures * sizeof *one->measures) == 0;
}

static int tally_all(struct node *n, struct report_tally *t, struct error *e)
{
	struct id from = { { 0 } };
	struct arena scratch;
	int result;
	arena_init(&scratch, 1024 * 1024);
	do { /* no snapshot is held for long */
		struct store_txn *txn;
		result = store_begin_read(node_store(n), &txn, e);
		if (result)
			break;
		result = report_tally(t, txn, &from, &scratch, e);
		store_abort(txn);
	} while (!result && !id_is_zero(from));
	arena_release(&scratch);
	return result;
}

static const Lm__Words *module_words(const Lm__ReportsFile *file, const char *key)
{
	long module = strtol(key, NULL, 10);
	for (size_t i = 0; i < file->n_modules; i++)
		if ((long)file->modules[i]->module == module)
			return file->modules[i]->name;
	return NULL;
}

static int names_fill(struct node *n, struct store_txn *txn, struct report *w, struct errand *x)
{
	for (size_t i = 0; i < w->content->n_rows; i++) {
		Lm__ReportRow *row = w->content->rows[i];
		Lm__Service *service;
		Lm__Words *same = arena_alloc(&x->arena, sizeof *same);
		if (!same)
			return report_no_memory(&x->error);
		lm__words__init(same);
		same->zh = same->en = row->key;
		if (w->definition->split == LM__REPORT_SPLIT__REPORT_SPLIT_TOWN)
			row->name = node_place_words(n, row->key, &x->arena);
		else if (w->definition->split == LM__REPORT_SPLIT__REPORT_SPLIT_MODULE)
			row->name = (Lm__Words *)(uintptr_t)module_words(w->file, row->key);
		else if (!service_get(txn, row->key, 0, &x->arena, &service))
			row->name = service->name;
		if (!row->name)
			row->name = same;
	}
	return OK;
}

const Lm__ReportRow *report_row_find(const Lm__ReportContent *c, const char *key)
{
	for (size_t i = 0; i < c->n_rows; i++)
		if (strcmp(c->rows[i]->key, key) == 0)
			return c->rows[i];
	return NULL;
}

static bool counts_are_same(const Lm__ReportContent *a, const Lm__ReportContent *b)
{
	bool is_same = report_is_alike(a, b) && a->n_rows == b->n_rows;
	for (size_t i = 0; is_same && i < a->n_rows; i++) {
		const Lm__ReportRow *other = report_row_find(b, a->rows[i]->key);
		is_same = other &&
		          memcmp(a->rows[i]->counts, other->counts, other->n_counts * sizeof *other->counts) == 0;
	}
	return is_same;
}

static int last_get(struct store_txn *txn, struct report *w, struct errand *x)
{
	int result = report_get(txn, w->definition->id, w->period, 0, &x->arena, &w->last);
	if (result && result != ERR_NOT_FOUND)
		return store_failure(txn, &x->error);
	if (result)
		w->last = NULL;
	w->is_changed = w->last && !counts_are_same(w->last->sending->content, w->content);
	return OK;
}

int report_count(struct node *n, struct errand *x, struct store_txn **txn)
{
	struct report *w = x->context;
	struct report_tally *t = arena_alloc(&x->arena, sizeof *t);
	if (!t)
		return report_no_memory(&x->error);
	t->definition = w->definition;
	t->start_ms = w->start_ms;
	t->end_ms = w->end_ms;
	t->count = 0;
	int result = tally_all(n, t, &x->error);
	if (!result)
		result = store_begin_read(node_store(n), txn, &x->error);
	if (result)
		return result;
	result = report_content(t, *txn, w->period, &x->arena, &w->content, &x->error);
	if (!result)
		result = names_fill(n, *txn, w, x);
	if (!result)
		result = report_hash(w->content, &x->arena, &w->hash, &x->error);
	if (!result)
		result = last_get(*txn, w, x);
	if (result)
		store_abort(*txn);
	return result;
}

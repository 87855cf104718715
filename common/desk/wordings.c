/*
 * Texts that an answer may begin with, as they would read for one case: the desk's own, and what the district
 * publishes. What the case cannot say of a place stays an empty line, which nobody takes for a part of the text.
 */
#include <string.h>

#include "base/clock.h"
#include "domain/publication.h"
#include "domain/work.h"
#include "errand.h"
#include "letters.h"
#include "proto/desk.pb-c.h"

#define PUBLISHED_MOST 200 /* shown */
#define NOTHING_KNOWN "____"

struct filling {
	struct arena *arena;
	const char *values[2][LETTER_PLACES]; /* in Chinese, in English */
	const char *service;
	Lm__WordingsView *view;
	bool is_short;
};

static char *text_fill(struct filling *f, const char *text, bool is_english)
{
	char *filled = letter_fill(text, f->values[is_english], f->arena);
	f->is_short |= !filled;
	return filled;
}

static Lm__Words *words_fill(struct filling *f, const Lm__Words *words)
{
	Lm__Words *filled = words ? arena_alloc(f->arena, sizeof *filled) : NULL;
	f->is_short |= words && !filled;
	if (!filled)
		return NULL;
	lm__words__init(filled);
	filled->zh = text_fill(f, words->zh, false);
	filled->en = text_fill(f, words->en, true);
	return filled;
}

/* Puts it into the list if it is for this case. */
static void wording_add(struct filling *f, Lm__Template *wording, Lm__Template **list, size_t *count)
{
	if (wording->is_withdrawn || (wording->service[0] && strcmp(wording->service, f->service) != 0))
		return;
	wording->plain = words_fill(f, wording->plain);
	wording->easy = words_fill(f, wording->easy);
	list[(*count)++] = wording;
}

static bool published_visit(void *context, ProtobufCMessage *newest)
{
	struct filling *f = context;
	wording_add(f, (Lm__Template *)newest, f->view->published, &f->view->n_published);
	return !f->is_short && f->view->n_published < PUBLISHED_MOST;
}

/* What a place says in both languages; a place that has nothing to say shows that it is empty. */
static int filling_begin(struct node *n, const Lm__CaseView *view, struct filling *f, struct error *e)
{
	int result = OK;
	for (size_t english = 0; english < 2 && !result; english++) {
		const char **values = f->values[english];
		result = case_values(n, view, node_domain(n)->tier, clock_wall_ms(), english, f->arena, values, e);
		for (size_t i = 0; i < LETTER_PLACES_OF_CASE; i++)
			if (!values[i] || !values[i][0])
				values[i] = NOTHING_KNOWN;
	}
	return result;
}

static int wordings_fill(struct store_txn *txn, struct filling *f, struct error *e)
{
	ProtobufCMessage **own;
	size_t count = 0;
	int result = work_list(txn, WORK_TEMPLATE, (struct bytes){ 0 }, false, TEMPLATES_MOST, f->arena, &own, &count);
	if (result)
		return result;
	f->view->own = arena_alloc(f->arena, (count + 1) * sizeof *f->view->own);
	f->view->published = arena_alloc(f->arena, PUBLISHED_MOST * sizeof *f->view->published);
	f->is_short = !f->view->own || !f->view->published;
	for (size_t i = 0; i < count && !f->is_short; i++)
		wording_add(f, (Lm__Template *)own[i], f->view->own, &f->view->n_own);
	if (!f->is_short)
		result = content_each(txn, &collection_wording, f->arena, published_visit, f);
	return !result && f->is_short ? error_set(e, ERR_MEMORY, "no memory for the texts of answers") : result;
}

static int wordings_make(struct node *n, struct errand *x, struct store_txn *txn)
{
	Lm__WordingsView *view = arena_alloc(&x->arena, sizeof *view);
	struct filling *f = arena_alloc(&x->arena, sizeof *f);
	Lm__CaseRecord *record;
	Lm__CaseView *of = NULL;
	if (!view || !f)
		return error_set(&x->error, ERR_MEMORY, "no memory for the texts of answers");
	lm__wordings_view__init(view);
	x->output = &view->base;
	int result = case_shown(n, txn, x->person, &x->arena, &record, &x->error);
	if (!result)
		result = case_view(n, txn, x->person, x->user, &x->arena, &of, &x->error);
	if (result)
		return result;
	*f = (struct filling){ .arena = &x->arena, .service = record->service, .view = view };
	result = filling_begin(n, of, f, &x->error);
	return result ? result : wordings_fill(txn, f, &x->error);
}

static void wordings_pool(struct node *n, void *context)
{
	struct errand *x = context;
	struct store_txn *txn;
	x->result = store_begin_read(node_store(n), &txn, &x->error);
	if (x->result)
		return;
	x->result = wordings_make(n, x, txn);
	if (store_failure(txn, &x->error))
		x->result = store_failure(txn, &x->error);
	store_abort(txn);
}

void wordings_get(void *context, struct http_request *r)
{
	struct errand *x = errand_about(r, NULL);
	if (x)
		errand_pool(context, x, wordings_pool);
}

/*
 * What is looked for among the cases: filters, and words of one box. Names and numbers come in a body, never in an
 * address.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "codes.h"
#include "worklist.h"

#define PAGE_USUAL 50
#define PAGE_MOST 100
#define PERSONS_MOST 50 /* whose cases are looked for, too */
#define PERSON_CASES_MOST 100
#define CODE_CASES_MOST 8

static int id_order(const void *a, const void *b)
{
	return memcmp(a, b, ID_BYTES);
}

/* Cases that the query names by their receipt code. */
static int code_cases(struct node *n, struct store_txn *txn, const char *query, struct arena *arena, struct id *out,
                      size_t *count, struct error *e)
{
	char code[RECEIPT_CODE_DIGITS + 1];
	Lm__NodeSecretPayload *secret;
	struct hash hash;
	*count = 0;
	if (node_domain(n)->tier != LM__TIER__TIER_TOWN || receipt_code_parse(query, code, NULL))
		return OK;
	int result = secret_get(txn, arena, &secret);
	if (!result)
		result = case_code_hash(secret->code_hash_key.data, code, &hash, e);
	if (!result)
		result = codes_find(codes_of(n), node_store(n), &hash, out, CODE_CASES_MOST, count, e);
	*count = *count > CODE_CASES_MOST ? CODE_CASES_MOST : *count;
	return result;
}

/* And cases of residents whom the words fit. */
static int named_cases(struct node *n, struct store_txn *txn, const char *query, struct arena *arena, struct id **out,
                       size_t *count, struct error *e)
{
	struct id person[PERSONS_MOST];
	bool is_more;
	size_t persons = registry_search(registry_of(n), query, person, PERSONS_MOST, &is_more);
	*out = arena_alloc(arena, (persons * PERSON_CASES_MOST + CODE_CASES_MOST) * sizeof **out);
	if (!*out)
		return ERR_MEMORY;
	int result = code_cases(n, txn, query, arena, *out, count, e);
	for (size_t i = 0; i < persons && !result; i++) {
		struct id *cases;
		size_t found = 0;
		result = person_cases(txn, person[i], arena, PERSON_CASES_MOST, &cases, &found, &is_more);
		if (!result && found)
			memcpy(*out + *count, cases, found * sizeof *cases);
		*count += result ? 0 : found;
	}
	qsort(*out, *count, sizeof **out, id_order);
	return result;
}

/* Somebody's cases are also those of whom they stand in for today. */
static int staff_read(struct store_txn *txn, struct wish *wish, struct arena *arena)
{
	ProtobufCMessage **leaves;
	size_t count;
	char today[CLOCK_TEXT_BYTES];
	const char *staff = wish->filter->staff;
	if (!staff[0] || strcmp(staff, "-") == 0)
		return OK;
	wish->staff[wish->staff_count++] = staff;
	clock_format_shanghai(wish->now_ms, today);
	today[10] = '\0';
	int result = work_list(txn, WORK_LEAVE, (struct bytes){ 0 }, false, 1000, arena, &leaves, &count);
	for (size_t i = 0; i < count && !result && wish->staff_count < STAFF_NAMED_MOST; i++) {
		const Lm__Leave *leave = (Lm__Leave *)leaves[i];
		if (strcmp(leave->deputy, staff) == 0 && leave_counts(leave, today))
			wish->staff[wish->staff_count++] = leave->staff;
	}
	return result;
}

static int rows_fill(struct node *n, struct store_txn *txn, const struct hit *found, size_t count, struct arena *arena,
                     Lm__CasesFoundView *view, struct error *e)
{
	struct working_days days;
	int result = working_days_load(txn, arena, &days);
	view->cases = arena_alloc(arena, (count + 1) * sizeof *view->cases);
	if (!view->cases)
		return ERR_MEMORY;
	for (size_t i = 0; i < count && !result; i++) {
		Lm__CaseRecord *record;
		Lm__CaseRow *row = NULL;
		if (!case_get(txn, found[i].request, arena, &record))
			row = case_row(n, txn, found[i].request, record, &days, arena);
		else if (store_pass_over(txn, e))
			row = case_row_unreadable(found[i].request, arena);
		if (store_pass_over(txn, e)) /* the row is there without what cannot be read */
			log_write(LOG_ERROR, "damaged", "%s", e->text);
		result = row ? OK : ERR_MEMORY;
		view->cases[view->n_cases] = row;
		view->n_cases += row != NULL;
	}
	return result;
}

static int search_run(struct node *n, struct store_txn *txn, struct errand *x, Lm__CasesFoundView *view)
{
	const Lm__CaseSearchCommand *in = (Lm__CaseSearchCommand *)x->input;
	struct words words;
	struct id *also = NULL;
	struct hit found[PAGE_MOST];
	char next[WORKLIST_CURSOR_BYTES] = "";
	size_t most = in->limit < 1 ? PAGE_USUAL : in->limit > PAGE_MOST ? PAGE_MOST : in->limit;
	struct wish wish = { .filter = in->filter, .now_ms = clock_wall_ms() };
	int result = staff_read(txn, &wish, &x->arena);
	if (!result && words_read(in->query, &words)) {
		wish.words = &words;
		result = named_cases(n, txn, in->query, &x->arena, &also, &wish.also_count, &x->error);
		wish.also = also;
	}
	if (result)
		return result;
	size_t count = worklist_search(worklist_of(n), &wish, in->after, found, most, &view->matches);
	result = rows_fill(n, txn, found, count, &x->arena, view, &x->error);
	if (count == most)
		worklist_cursor(&found[count - 1], next);
	view->next = arena_text(&x->arena, next);
	view->open = case_open_count(txn);
	view->is_ready = index_is_ready(&worklist_of(n)->index);
	return result ? result : view->next ? OK : ERR_MEMORY;
}

static void search_pool(struct node *n, void *context)
{
	struct errand *x = context;
	struct store_txn *txn;
	Lm__CasesFoundView *view = arena_alloc(&x->arena, sizeof *view);
	x->result = view ? store_begin_read(node_store(n), &txn, &x->error) : ERR_MEMORY;
	if (x->result)
		return;
	lm__cases_found_view__init(view);
	x->result = search_run(n, txn, x, view);
	if (!x->result && store_failure(txn, &x->error))
		x->result = store_failure(txn, &x->error);
	store_abort(txn);
	x->output = &view->base;
}

void cases_search(void *context, struct http_request *r)
{
	struct errand *x = errand_with_body(r, &lm__case_search_command__descriptor);
	if (!x)
		return;
	const Lm__CaseSearchCommand *in = (Lm__CaseSearchCommand *)x->input;
	if (!in->filter || !worklist_cursor_is_good(in->after)) {
		error_set(&x->error, ERR_INVALID,
		          "filter: what is looked for; after: what the page before gave as next");
		errand_answer(x, ERR_INVALID, &x->error);
		return;
	}
	errand_pool(context, x, search_pool);
}

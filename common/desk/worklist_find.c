/* Searches among the cases: every case is looked at, and each text that cases share once. */
#include <stdlib.h>

#include "base/bytes.h"
#include "worklist_parts.h"

#define DAY_MS INT64_C(86400000)

/* ---- what fits ---- */

static bool is_view(const struct work *w, const char *view)
{
	if (strcmp(view, "closed") == 0)
		return w->closed != 0;
	if (strcmp(view, "handed") == 0)
		return w->is_handed;
	return strcmp(view, "all") == 0 || w->opened != 0;
}

static bool left_fits(const struct work *w, Lm__CaseLeft left, int64_t now_ms)
{
	int64_t left_ms = w->due_ms - now_ms;
	switch (left) {
	case LM__CASE_LEFT__CASE_LEFT_OVERDUE:
		return w->due_ms && left_ms <= 0;
	case LM__CASE_LEFT__CASE_LEFT_DAY:
		return w->due_ms && left_ms > 0 && left_ms <= DAY_MS;
	case LM__CASE_LEFT__CASE_LEFT_THREE_DAYS:
		return w->due_ms && left_ms > 0 && left_ms <= 3 * DAY_MS;
	case LM__CASE_LEFT__CASE_LEFT_PAUSED:
		return w->state == LM__CASE_STATE__CASE_STATE_ASKED;
	default:
		return true;
	}
}

static bool staff_fits(const char *staff, const struct wish *wish)
{
	if (strcmp(wish->filter->staff, "-") == 0)
		return !staff[0];
	for (size_t i = 0; i < wish->staff_count; i++)
		if (strcmp(staff, wish->staff[i]) == 0)
			return true;
	return !wish->staff_count;
}

static bool words_found(const struct words *words, const char *applicant)
{
	const char *number = next_piece(applicant);
	bool is_found = false;
	for (; *number; number = next_piece(number))
		is_found |= words_fit_number(words, number);
	return is_found || words_fit_name(words, applicant, next_piece(number));
}

enum { FITS_SERVICE = 1, FITS_PLACE = 2, FITS_STAFF = 4 }; /* marks of a label */

/* Marks what each text is asked for, so that a case has only numbers to compare. */
static void texts_mark(struct worklist *l, const struct wish *wish)
{
	const Lm__CaseFilter *f = wish->filter;
	size_t place_size = strlen(f->place);
	for (uint32_t i = 0; i < l->labels.count; i++) {
		const char *text = shared_text(&l->labels, i);
		unsigned mark = 0;
		if (text && (!f->service[0] || strcmp(text, f->service) == 0))
			mark |= FITS_SERVICE;
		if (text && strncmp(text, f->place, place_size) == 0)
			mark |= FITS_PLACE;
		if (text && staff_fits(text, wish))
			mark |= FITS_STAFF;
		l->labels.mark[i] = (uint8_t)mark;
	}
	for (uint32_t i = 0; wish->words && i < l->applicants.count; i++) {
		const char *text = shared_text(&l->applicants, i);
		l->applicants.mark[i] = text && words_found(wish->words, text);
	}
}

static int id_compare(const void *a, const void *b)
{
	return memcmp(a, b, ID_BYTES);
}

/* -1: any; -2: one that there is not. */
static int state_wanted(const char *name)
{
	const ProtobufCEnumValue *state =
	        name[0] ? protobuf_c_enum_descriptor_get_value_by_name(&lm__case_state__descriptor, name) : NULL;
	return state ? state->value : name[0] ? -2 : -1;
}

static bool work_fits(const struct worklist *l, const struct entry *entry, const struct wish *wish, int state)
{
	const struct work *w = entry->data;
	const Lm__CaseFilter *f = wish->filter;
	const uint8_t *label = l->labels.mark;
	if (!is_view(w, f->view) || (state != -1 && w->state != state))
		return false;
	if (!(label[w->service] & FITS_SERVICE) || !(label[w->place] & FITS_PLACE) || !(label[w->staff] & FITS_STAFF))
		return false;
	if (f->access && !(w->access & (1u << (unsigned)f->access)))
		return false;
	if (!left_fits(w, f->left, wish->now_ms))
		return false;
	return !wish->words || l->applicants.mark[w->applicant] ||
	       (wish->also_count &&
	        bsearch(&entry->id, wish->also, wish->also_count, sizeof *wish->also, id_compare) != NULL);
}

/* ---- the first of them ---- */

/* Open ones as they became so, the others the newest first. */
static struct hit hit_of(const struct entry *entry, const char *view)
{
	const struct work *w = entry->data;
	struct hit h = { .request = entry->id };
	struct reader begin = reader_over(BYTES_OF(entry->id.byte));
	if (strcmp(view, "closed") == 0)
		h.order = ~w->closed;
	else if (strcmp(view, "all") == 0 || strcmp(view, "handed") == 0)
		h.order = ~read_u64(&begin);
	else
		h.order = w->opened;
	return h;
}

static bool is_before(const struct hit *a, const struct hit *b)
{
	return a->order != b->order ? a->order < b->order : memcmp(a->request.byte, b->request.byte, ID_BYTES) < 0;
}

/* `heap`: the last of those that were kept is at its top. */
static void heap_sink(struct hit *heap, size_t count)
{
	for (size_t i = 0, child; (child = 2 * i + 1) < count; i = child) {
		if (child + 1 < count && is_before(&heap[child], &heap[child + 1]))
			child++;
		if (!is_before(&heap[i], &heap[child]))
			return;
		struct hit moved = heap[i];
		heap[i] = heap[child];
		heap[child] = moved;
	}
}

static void heap_add(struct hit *heap, size_t *count, size_t most, struct hit hit)
{
	size_t i = *count;
	if (i == most) {
		if (!is_before(&hit, &heap[0]))
			return;
		heap[0] = hit;
		heap_sink(heap, most);
		return;
	}
	heap[(*count)++] = hit;
	for (; i && is_before(&heap[(i - 1) / 2], &heap[i]); i = (i - 1) / 2) {
		struct hit moved = heap[i];
		heap[i] = heap[(i - 1) / 2];
		heap[(i - 1) / 2] = moved;
	}
}

static int hit_compare(const void *a, const void *b)
{
	return is_before(a, b) ? -1 : is_before(b, a);
}

bool worklist_cursor_is_good(const char *text)
{
	return !text[0] || (strlen(text) == WORKLIST_CURSOR_BYTES - 1 &&
	                    strspn(text, "0123456789abcdef") == WORKLIST_CURSOR_BYTES - 1);
}

void worklist_cursor(const struct hit *last, char text[WORKLIST_CURSOR_BYTES])
{
	uint8_t memory[8 + ID_BYTES];
	struct writer w = writer_over(memory, sizeof memory);
	write_u64(&w, last->order);
	write_bytes(&w, BYTES_OF(last->request.byte));
	hex_encode(BYTES_OF(memory), text);
}

static struct hit cursor_read(const char *text)
{
	uint8_t memory[8 + ID_BYTES] = { 0 };
	struct hit h = { 0 };
	if (text[0] && hex_decode(text, memory, sizeof memory) == OK) {
		struct reader r = reader_over(BYTES_OF(memory));
		h.order = read_u64(&r);
		memcpy(h.request.byte, memory + 8, ID_BYTES);
	}
	return h;
}

size_t worklist_search(struct worklist *l, const struct wish *wish, const char *after, struct hit *found, size_t most,
                       uint64_t *matches)
{
	struct index *x = &l->index;
	struct hit begin = cursor_read(after);
	int state = state_wanted(wish->filter->state);
	size_t count = 0;
	*matches = 0;
	pthread_mutex_lock(&x->lock);
	texts_mark(l, wish);
	for (size_t i = 0; i < x->count; i++) {
		if (!work_fits(l, &x->entry[i], wish, state))
			continue;
		struct hit hit = hit_of(&x->entry[i], wish->filter->view);
		++*matches;
		if (!after[0] || is_before(&begin, &hit))
			heap_add(found, &count, most, hit);
	}
	pthread_mutex_unlock(&x->lock);
	qsort(found, count, sizeof *found, hit_compare);
	return count;
}

size_t worklist_not_taken(struct worklist *l, int64_t now_ms, struct id *found, size_t most)
{
	struct index *x = &l->index;
	size_t count = 0;
	pthread_mutex_lock(&x->lock);
	for (size_t i = 0; i < x->count && count < most; i++) {
		const struct work *w = x->entry[i].data;
		if (w->take_by_ms && w->take_by_ms <= now_ms)
			found[count++] = x->entry[i].id;
	}
	pthread_mutex_unlock(&x->lock);
	return count;
}

/* Whose account no row names counts as nobody's. */
static Lm__WorkRow *row_of(const char *staff, Lm__WorkRow **rows, size_t count)
{
	for (size_t i = 1; i < count && staff[0]; i++)
		if (strcmp(rows[i]->staff, staff) == 0)
			return rows[i];
	return rows[0];
}

void worklist_count(struct worklist *l, int64_t now_ms, Lm__WorkRow **rows, size_t count)
{
	struct index *x = &l->index;
	pthread_mutex_lock(&x->lock);
	for (size_t i = 0; i < x->count; i++) {
		const struct work *w = x->entry[i].data;
		if (!w->opened)
			continue;
		Lm__WorkRow *row = row_of(shared_text(&l->labels, w->staff), rows, count);
		row->open++;
		row->overdue += left_fits(w, LM__CASE_LEFT__CASE_LEFT_OVERDUE, now_ms);
		row->day += left_fits(w, LM__CASE_LEFT__CASE_LEFT_DAY, now_ms);
		row->asked += left_fits(w, LM__CASE_LEFT__CASE_LEFT_PAUSED, now_ms);
	}
	pthread_mutex_unlock(&x->lock);
}

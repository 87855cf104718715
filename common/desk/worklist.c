#include "worklist.h"

#include <stdlib.h>

#include "base/bytes.h"

#define DAY_MS INT64_C(86400000)
#define PAYLOAD_ARENA_BYTES (8u * 1024 * 1024)

struct work {                    /* an entry's data */
	uint64_t opened, closed; /* keys of the open and the closed list; 0: not there */
	int64_t due_ms;          /* 0: nothing runs */
	int64_t take_by_ms;      /* handed over to us: until then somebody accepts it; 0: not, or nobody knows */
	bool is_handed;          /* handed over, to us or by us, and not accepted yet; or referred, and not back */
	uint32_t access;         /* needs, as bits */
	Lm__CaseState state;
	char text[]; /* service, community, who has it, name, initials, then numbers: each ends with a NUL, an empty one
	              * the last */
};

/* ---- an entry ---- */

static void piece(struct buffer *b, const char *text, bool *is_short)
{
	*is_short |= buffer_append(b, BYTES(text, strlen(text) + 1)) != OK;
}

/* Name and numbers of the applicant, and how they want to be served, as far as the request can be opened. False: not
 * now. */
static bool applicant_append(struct index *x, struct store_txn *txn, const Lm__CaseRecord *record,
                             const Lm__Service *service, struct buffer *b, uint32_t *access, bool *is_short)
{
	Lm__RequestPayload *payload;
	struct arena whole;
	char initials[PINYIN_INITIALS_BYTES] = "";
	arena_init(&whole, PAYLOAD_ARENA_BYTES);
	int result = request_payload_open(x->node, txn, record, &whole, &payload, NULL);
	bool has = !result && service;
	if (!result)
		*access |= access_bits(payload->access, payload->n_access);
	const char *name = has ? form_value(service, payload->values, payload->n_values,
	                                    LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_NAME)
	                       : NULL;
	if (name)
		pinyin_initials(x->pinyin, name, initials);
	piece(b, name ? name : "", is_short);
	piece(b, initials, is_short);
	static const Lm__FieldMeaning numbers[] = { LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_PHONE,
		                                    LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_NUMBER };
	for (size_t i = 0; has && i < sizeof numbers / sizeof *numbers; i++) {
		const char *number = form_value(service, payload->values, payload->n_values, numbers[i]);
		if (number && number[0])
			piece(b, number, is_short);
	}
	piece(b, "", is_short);
	arena_release(&whole);
	return !error_is_of_machine(result);
}

static uint32_t access_of(struct store_txn *txn, const Lm__CaseRecord *record, struct arena *arena)
{
	Lm__PersonRecord *person = case_person(txn, record, arena);
	return person && person->facts ? access_bits(person->facts->access, person->facts->n_access) : 0;
}

/* Of this town, and another one works on it. */
static bool is_elsewhere(const struct index *x, const Lm__CaseRecord *record)
{
	return record->referred_to[0] && case_is_of_town(node_domain(x->node), record) &&
	       !case_state_is_closed(record->state);
}

static int work_take(struct index *x, struct store_txn *txn, struct id request, const Lm__CaseRecord *record,
                     const struct working_days *days, struct arena *arena)
{
	struct buffer b = { 0 };
	struct work w = { .opened = record->open_key, .closed = record->closed_key, .state = record->state };
	Lm__Service *service = NULL;
	Lm__ClaimRecord *claim = NULL;
	Lm__CaseRow row = LM__CASE_ROW__INIT;
	bool is_short = false;
	if (service_get(txn, record->service, record->revision, arena, &service))
		service = NULL;
	if (claim_get(txn, request, arena, &claim))
		claim = NULL;
	if (service)
		term_fill(record, service, days, &row);
	w.due_ms = row.term == LM__CASE_TERM__CASE_TERM_RUNS ? row.due_ms : 0;
	w.is_handed = record->handed == LM__HANDED_OVER__HANDED_OVER_WAITS || is_elsewhere(x, record);
	if (case_is_ours(node_domain(x->node), record))
		w.take_by_ms = take_by_ms(record, days, node_configuration(x->node)->hand_over_days);
	w.access = access_of(txn, record, arena);
	is_short |= buffer_append(&b, BYTES(&w, offsetof(struct work, text))) != OK;
	piece(&b, record->service, &is_short);
	piece(&b, record->place, &is_short);
	piece(&b, claim ? claim->staff : "", &is_short);
	bool is_read = applicant_append(x, txn, record, service, &b, &w.access, &is_short);
	if (is_short || !is_read) {
		buffer_release(&b);
		return ERR_MEMORY;
	}
	memcpy(b.data, &w, offsetof(struct work, text)); /* the request was opened since */
	void *fitting = realloc(b.data, b.size); /* there are many, and they stay */
	return index_take(x, request, fitting ? fitting : b.data) ? OK : ERR_MEMORY;
}

struct slice {
	struct index *index;
	struct store_txn *txn;
	struct arena *arena;
	struct working_days days;
	size_t count;
	int result;
};

static bool slice_visit(void *context, struct id request, const Lm__CaseRecord *record)
{
	struct slice *s = context;
	s->count++;
	if (record && !case_is_hidden(node_domain(s->index->node), record))
		s->result = work_take(s->index, s->txn, request, record, &s->days, s->arena);
	return !s->result;
}

static int worklist_slice(struct index *x, struct store_txn *txn, struct index_place *at, size_t most,
                          struct arena *arena, size_t *count, struct error *e)
{
	struct slice s = { .index = x, .txn = txn, .arena = arena };
	int result = working_days_load(txn, arena, &s.days);
	if (!result)
		result = case_page(txn, CASE_VIEW_ALL, at->text, most, arena, slice_visit, &s, at->text, e);
	*count = at->text[0] ? s.count : 0;
	return result ? result : s.result;
}

static int worklist_follow(struct index *x, struct store_txn *txn, struct id request, struct arena *arena)
{
	Lm__CaseRecord *record;
	struct working_days days;
	int result = case_get(txn, request, arena, &record);
	if (result == ERR_NOT_FOUND)
		return index_take(x, request, NULL) ? OK : ERR_MEMORY;
	if (!result && case_is_hidden(node_domain(x->node), record))
		return index_take(x, request, NULL) ? OK : ERR_MEMORY;
	if (!result)
		result = working_days_load(txn, arena, &days);
	return result ? result : work_take(x, txn, request, record, &days, arena);
}

const struct index_kind worklist_kind = { "cases", worklist_slice, worklist_follow };

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

static int id_compare(const void *a, const void *b)
{
	return memcmp(a, b, ID_BYTES);
}

static bool words_found(const struct wish *wish, const struct entry *entry, const char *name)
{
	const char *initials = next_piece(name);
	if (words_fit_name(wish->words, name, initials))
		return true;
	for (const char *number = next_piece(initials); *number; number = next_piece(number))
		if (words_fit_number(wish->words, number))
			return true;
	return wish->also_count &&
	       bsearch(&entry->id, wish->also, wish->also_count, sizeof *wish->also, id_compare) != NULL;
}

static bool work_fits(const struct entry *entry, const struct wish *wish)
{
	const struct work *w = entry->data;
	const Lm__CaseFilter *f = wish->filter;
	const char *place = next_piece(w->text), *staff = next_piece(place);
	const ProtobufCEnumValue *state =
	        f->state[0] ? protobuf_c_enum_descriptor_get_value_by_name(&lm__case_state__descriptor, f->state)
	                    : NULL;
	if (!is_view(w, f->view) || (f->service[0] && strcmp(w->text, f->service) != 0))
		return false;
	if (strncmp(place, f->place, strlen(f->place)) != 0 ||
	    (f->state[0] && (!state || (int)w->state != state->value)))
		return false;
	if (f->access && !(w->access & (1u << (unsigned)f->access)))
		return false;
	if (!left_fits(w, f->left, wish->now_ms) || !staff_fits(staff, wish))
		return false;
	return !wish->words || words_found(wish, entry, next_piece(staff));
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

size_t worklist_search(struct index *x, const struct wish *wish, const char *after, struct hit *found, size_t most,
                       uint64_t *matches)
{
	struct hit begin = cursor_read(after);
	size_t count = 0;
	*matches = 0;
	pthread_mutex_lock(&x->lock);
	for (size_t i = 0; i < x->count; i++) {
		if (!work_fits(&x->entry[i], wish))
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

size_t worklist_not_taken(struct index *x, int64_t now_ms, struct id *found, size_t most)
{
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

void worklist_count(struct index *x, int64_t now_ms, Lm__WorkRow **rows, size_t count)
{
	pthread_mutex_lock(&x->lock);
	for (size_t i = 0; i < x->count; i++) {
		const struct work *w = x->entry[i].data;
		const char *staff = next_piece(next_piece(w->text));
		size_t of = 0;
		if (!w->opened)
			continue;
		for (size_t k = 1; k < count && staff[0] && !of; k++)
			of = strcmp(rows[k]->staff, staff) == 0 ? k : 0;
		rows[of]->open++;
		rows[of]->overdue += left_fits(w, LM__CASE_LEFT__CASE_LEFT_OVERDUE, now_ms);
		rows[of]->day += left_fits(w, LM__CASE_LEFT__CASE_LEFT_DAY, now_ms);
		rows[of]->asked += left_fits(w, LM__CASE_LEFT__CASE_LEFT_PAUSED, now_ms);
	}
	pthread_mutex_unlock(&x->lock);
}

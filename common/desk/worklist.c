#include "worklist.h"

#include <stdlib.h>

#include "base/bytes.h"

#define DAY_MS INT64_C(86400000)
#define PAYLOAD_ARENA_BYTES (8u * 1024 * 1024)
#define SERVICES_KNOWN 64

struct work {                           /* an entry's data */
	uint64_t opened, closed;        /* keys of the open and the closed list; 0: not there */
	int64_t due_ms;                 /* 0: nothing runs */
	int64_t take_by_ms;             /* handed over to us: until then somebody accepts it; 0: not, or nobody knows */
	uint32_t service, place, staff; /* labels */
	uint32_t applicant;
	uint32_t access; /* needs, as bits */
	uint8_t state;
	bool is_handed; /* handed over, to us or by us, and not accepted yet; or referred, and not back */
};

static struct worklist *list_of(struct index *x)
{
	return (struct worklist *)x;
}

/* ---- an entry ---- */

static void piece(struct buffer *b, const char *text, bool *is_short)
{
	*is_short |= buffer_append(b, BYTES(text, strlen(text) + 1)) != OK;
}

/* Initials are made once for each applicant: they cost more than all the rest of an entry. */
static uint32_t applicant_take(struct index *x, const char *name, struct bytes key)
{
	struct shared *applicants = &list_of(x)->applicants;
	char initials[PINYIN_INITIALS_BYTES] = "";
	pthread_mutex_lock(&x->lock);
	uint32_t number = shared_find(applicants, key);
	if (number != SHARED_NONE)
		shared_keep(applicants, number);
	pthread_mutex_unlock(&x->lock);
	if (number != SHARED_NONE)
		return number;
	pinyin_initials(x->pinyin, name, initials);
	pthread_mutex_lock(&x->lock);
	number = shared_take(applicants, key, BYTES(initials, strlen(initials) + 1));
	pthread_mutex_unlock(&x->lock);
	return number;
}

/* Name and numbers of the applicant, and how they want to be served, as far as the request can be opened. ERR_MEMORY:
 * not now. */
static int applicant_read(struct index *x, struct store_txn *txn, const Lm__CaseRecord *record,
                          const Lm__Service *service, struct work *w)
{
	Lm__RequestPayload *payload;
	struct arena whole;
	struct buffer key = { 0 };
	bool is_short = false;
	arena_init(&whole, PAYLOAD_ARENA_BYTES);
	int result = request_payload_open(x->node, txn, record, &whole, &payload, NULL);
	bool has = !result && service;
	if (!result)
		w->access |= access_bits(payload->access, payload->n_access);
	const char *name = has ? form_value(service, payload->values, payload->n_values,
	                                    LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_NAME)
	                       : NULL;
	name = name ? name : "";
	piece(&key, name, &is_short);
	static const Lm__FieldMeaning numbers[] = { LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_PHONE,
		                                    LM__FIELD_MEANING__FIELD_MEANING_APPLICANT_NUMBER };
	for (size_t i = 0; has && i < sizeof numbers / sizeof *numbers; i++) {
		const char *number = form_value(service, payload->values, payload->n_values, numbers[i]);
		if (number && number[0])
			piece(&key, number, &is_short);
	}
	piece(&key, "", &is_short);
	bool is_read = !is_short && !error_is_of_machine(result);
	if (is_read)
		w->applicant = applicant_take(x, name, buffer_bytes(&key));
	buffer_release(&key);
	arena_release(&whole);
	return is_read && w->applicant != SHARED_NONE ? OK : ERR_MEMORY;
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

static void work_drop(struct index *x, void *data)
{
	struct worklist *l = list_of(x);
	struct work *w = data;
	if (!w)
		return;
	shared_drop(&l->labels, w->service);
	shared_drop(&l->labels, w->place);
	shared_drop(&l->labels, w->staff);
	shared_drop(&l->applicants, w->applicant);
	free(w);
}

static int labels_take(struct index *x, const Lm__CaseRecord *record, const char *staff, struct work *w)
{
	struct shared *labels = &list_of(x)->labels;
	const struct bytes none = { 0 };
	pthread_mutex_lock(&x->lock);
	w->service = shared_take(labels, BYTES(record->service, strlen(record->service)), none);
	w->place = shared_take(labels, BYTES(record->place, strlen(record->place)), none);
	w->staff = shared_take(labels, BYTES(staff, strlen(staff)), none);
	pthread_mutex_unlock(&x->lock);
	return w->service != SHARED_NONE && w->place != SHARED_NONE && w->staff != SHARED_NONE ? OK : ERR_MEMORY;
}

/* What many cases of one snapshot need. */
struct reading {
	struct arena *arena;
	struct working_days days;
	struct known_service *known; /* services that were read; SERVICES_KNOWN, or NULL */
};

struct known_service {
	const char *id;
	uint32_t revision;
	Lm__Service *service;
};

/* NULL: it is not there, or cannot be read. */
static const Lm__Service *service_read(struct store_txn *txn, const Lm__CaseRecord *record, const struct reading *r)
{
	Lm__Service *service = NULL;
	size_t at = 0;
	for (; r->known && at < SERVICES_KNOWN && r->known[at].id; at++)
		if (r->known[at].revision == record->revision && strcmp(r->known[at].id, record->service) == 0)
			return r->known[at].service;
	if (service_get(txn, record->service, record->revision, r->arena, &service))
		return NULL;
	if (r->known && at < SERVICES_KNOWN)
		r->known[at] = (struct known_service){ service->id, record->revision, service };
	return service;
}

static int work_fill(struct index *x, struct store_txn *txn, struct id request, const Lm__CaseRecord *record,
                     const struct reading *r, struct work *w)
{
	Lm__ClaimRecord *claim = NULL;
	Lm__CaseRow row = LM__CASE_ROW__INIT;
	const Lm__Service *service = service_read(txn, record, r);
	*w = (struct work){ .opened = record->open_key,
		            .closed = record->closed_key,
		            .state = (uint8_t)record->state,
		            .applicant = SHARED_NONE };
	if (claim_get(txn, request, r->arena, &claim))
		claim = NULL;
	if (service)
		term_fill(record, service, &r->days, &row);
	w->due_ms = row.term == LM__CASE_TERM__CASE_TERM_RUNS ? row.due_ms : 0;
	w->is_handed = record->handed == LM__HANDED_OVER__HANDED_OVER_WAITS || is_elsewhere(x, record);
	if (case_is_ours(node_domain(x->node), record))
		w->take_by_ms = take_by_ms(record, &r->days, node_configuration(x->node)->hand_over_days);
	w->access = access_of(txn, record, r->arena);
	int result = labels_take(x, record, claim ? claim->staff : "", w);
	return result ? result : applicant_read(x, txn, record, service, w);
}

static int work_take(struct index *x, struct store_txn *txn, struct id request, const Lm__CaseRecord *record,
                     const struct reading *r)
{
	struct work *w = malloc(sizeof *w);
	if (!w)
		return ERR_MEMORY;
	int result = work_fill(x, txn, request, record, r, w);
	if (!result)
		return index_take(x, request, w) ? OK : ERR_MEMORY;
	pthread_mutex_lock(&x->lock);
	work_drop(x, w);
	pthread_mutex_unlock(&x->lock);
	return result;
}

struct slice {
	struct index *index;
	struct store_txn *txn;
	struct reading reading;
	size_t count;
	int result;
};

static bool slice_visit(void *context, struct id request, const Lm__CaseRecord *record)
{
	struct slice *s = context;
	s->count++;
	if (record && !case_is_hidden(node_domain(s->index->node), record))
		s->result = work_take(s->index, s->txn, request, record, &s->reading);
	return !s->result;
}

static int worklist_slice(struct index *x, struct store_txn *txn, struct index_place *at, size_t most,
                          struct arena *arena, size_t *count, struct error *e)
{
	struct known_service known[SERVICES_KNOWN] = { 0 };
	struct slice s = { .index = x, .txn = txn, .reading = { .arena = arena, .known = known } };
	int result = working_days_load(txn, arena, &s.reading.days);
	if (!result)
		result = case_page(txn, CASE_VIEW_ALL, at->text, most, arena, slice_visit, &s, at->text, e);
	*count = at->text[0] ? s.count : 0;
	return result ? result : s.result;
}

static int worklist_follow(struct index *x, struct store_txn *txn, struct id request, struct arena *arena)
{
	Lm__CaseRecord *record;
	struct reading r = { .arena = arena };
	int result = case_get(txn, request, arena, &record);
	if (result == ERR_NOT_FOUND)
		return index_take(x, request, NULL) ? OK : ERR_MEMORY;
	if (!result && case_is_hidden(node_domain(x->node), record))
		return index_take(x, request, NULL) ? OK : ERR_MEMORY;
	if (!result)
		result = working_days_load(txn, arena, &r.days);
	return result ? result : work_take(x, txn, request, record, &r);
}

static const struct index_kind worklist_kind = { "cases", worklist_slice, worklist_follow, work_drop };

void worklist_init(struct worklist *l)
{
	index_init(&l->index, &worklist_kind);
}

int worklist_start(struct worklist *l, struct node *n, struct error *e)
{
	int result = shared_open(&l->labels, e);
	if (!result)
		result = shared_open(&l->applicants, e);
	return result ? result : index_start(&l->index, n, e);
}

void worklist_close(struct worklist *l)
{
	index_close(&l->index);
	shared_close(&l->labels);
	shared_close(&l->applicants);
}

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

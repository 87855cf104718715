/* What is known of each case to find it by: read from the store, and followed. */
#include "worklist_parts.h"

#include <stdlib.h>

#define PAYLOAD_ARENA_BYTES (8u * 1024 * 1024)
#define SERVICES_KNOWN 64

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

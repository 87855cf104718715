/*
 * Certificates in the tables: a town's asks at the town and at the district, the district's own steps, and what it
 * tells the town. An ask that is not possible is answered, too: the sentence stands in the record's history, and
 * nothing else changes.
 *
 * While a restored district is given back what it wrote, asks wait: what comes back may show that they were answered.
 */
#include <string.h>

#include "inside.h"

#define ROW_ARENA_BYTES ((size_t)1024 * 1024)
#define ACT(name) LM__CERTIFICATE_ACT__CERTIFICATE_ACT_##name

struct place_of_record { /* the town that has the resident's record, as this tier knows it */
	char *town;
	uint32_t epoch, version;
	bool has_died;
};

static struct id person_of(const Lm__Header *h)
{
	return id_at(&h->person_id, 0);
}

static int header_check(struct apply *a)
{
	const Lm__Header *h = a->item->header;
	return id_is_zero(person_of(h)) || h->request_id.len
	               ? error_set(a->e, ERR_INVALID, "an entry about certificates names one person, and no request")
	               : OK;
}

/* ---- rows ---- */

static int event_note(struct apply *a, struct id person, uint32_t version, const char *refusal)
{
	Lm__CertificateEvent row = LM__CERTIFICATE_EVENT__INIT;
	uint8_t key[STORE_KEY_BYTES_MOST], number[4];
	struct writer w = writer_over(number, sizeof number);
	write_u32(&w, version);
	row.position = a->item->position;
	row.refusal = (char *)(uintptr_t)refusal;
	return row_put(a, &domain_table_certificate_about,
	               certificate_key(person, CERTIFICATE_EVENT, BYTES_OF(number), key), &row.base);
}

static struct bytes taken_key(struct id person, struct bytes hash, uint8_t key[STORE_KEY_BYTES_MOST])
{
	return certificate_key(person, CERTIFICATE_TAKEN, hash, key);
}

static bool is_taken(struct apply *a, struct id person)
{
	uint8_t key[STORE_KEY_BYTES_MOST];
	return store_has(a->txn, &domain_table_certificate_about, taken_key(person, BYTES_OF(a->item->hash.byte), key));
}

static int taken_note(struct apply *a, struct id person, struct bytes hash)
{
	uint8_t key[STORE_KEY_BYTES_MOST];
	return store_put(a->txn, &domain_table_certificate_about, taken_key(person, hash, key),
	                 bytes_from_text("taken"));
}

static int record_get(struct apply *a, struct id person, Lm__CertificateRecord *out, bool *is_there)
{
	Lm__CertificateRecord *known;
	int result = certificate_get(a->txn, person, a->arena, &known);
	*is_there = !result;
	if (!result)
		*out = *known;
	else
		lm__certificate_record__init(out);
	return result == ERR_NOT_FOUND ? OK : result;
}

static int record_put(struct apply *a, struct id person, Lm__CertificateRecord *record)
{
	int result = row_put(a, &domain_table_certificate, key_id(&person), &record->base);
	return result ? result : effect_add(a, (struct domain_effect){ .type = DOMAIN_PERSON, .request = person });
}

/* ---- told to a town ---- */

static int copy_effect(struct apply *a, struct id person, const Lm__CertificateRecord *record,
                       Lm__CertificateStep *step, const char *refusal, uint64_t device)
{
	Lm__CertificateCopyPayload copy = LM__CERTIFICATE_COPY_PAYLOAD__INIT;
	struct domain_effect fx = { .type = DOMAIN_CERTIFICATE_COPY,
		                    .request = person,
		                    .device = device,
		                    .version = record->version,
		                    .source = a->item->hash };
	copy.record = (Lm__CertificateRecord *)(uintptr_t)record;
	copy.step = step;
	copy.refusal = (char *)(uintptr_t)refusal;
	int result = device ? CODEC_PACK(&copy, a->arena, &fx.message, a->e) : OK;
	if (result)
		return store_fail(a->txn, result, "no memory for a certificate's copy");
	return device ? effect_add(a, fx) : OK;
}

/* A town that has the record no more learns who has it, and keeps nothing else. */
static int farewell_effect(struct apply *a, struct id person, const Lm__CertificateRecord *record, const char *town)
{
	Lm__CertificateRecord gone = LM__CERTIFICATE_RECORD__INIT;
	gone.town = record->town;
	gone.version = record->version;
	gone.applied_ms = record->applied_ms;
	gone.changed_ms = record->changed_ms;
	return copy_effect(a, person, &gone, NULL, "", device_town_of(a->txn, town, a->arena));
}

/* ---- a step at the district ---- */

static int where_is_the_record(struct apply *a, struct id person, struct place_of_record *out)
{
	Lm__PersonRecord *record;
	int result = person_get(a->txn, person, a->arena, &record);
	if (result)
		return result;
	out->town = record->town;
	out->epoch = record->epoch;
	out->version = record->version;
	out->has_died = record->facts && record->facts->died_on[0];
	return OK;
}

static int step_take(struct apply *a, struct id person, const struct place_of_record *where,
                     const struct certificate_actor *actor, Lm__CertificateStep *step, Lm__CertificateRecord *record)
{
	Lm__CertificateFacts *after = arena_alloc(a->arena, sizeof *after);
	int result = after ? certificate_step(a->txn, person, actor, record->facts, step, a->arena, after, a->e)
	                   : error_set(a->e, ERR_MEMORY, "no memory for a certificate");
	if (result)
		return result;
	record->facts = after;
	record->town = where->town;
	if (step->act == ACT(APPLY))
		record->applied_ms = a->item->header->time_ms;
	return OK;
}

/* What was done, or why it was not, into the history and to the town. */
static int step_note(struct apply *a, struct id person, Lm__CertificateRecord *record, Lm__CertificateStep *step,
                     const char *refusal)
{
	record->version++;
	record->changed_ms = a->item->header->time_ms;
	int result = record_put(a, person, record);
	if (!result)
		result = event_note(a, person, record->version, refusal);
	if (!result)
		result = taken_note(a, person, BYTES_OF(a->item->hash.byte));
	uint64_t device = device_town_of(a->txn, record->town, a->arena);
	return result ? result : copy_effect(a, person, record, step, refusal, device);
}

static bool is_refusal(struct apply *a, int result)
{
	return result && !store_failure(a->txn, NULL) && !error_is_of_machine(result);
}

static int ask_answer(struct apply *a, struct id person, const struct place_of_record *where, const char *town,
                      Lm__CertificateStep *step)
{
	struct certificate_actor actor = {
		.tier = LM__TIER__TIER_TOWN, .place = town, .town = where->town, .has_died = where->has_died
	};
	Lm__CertificateRecord record;
	bool is_there;
	const char *refusal = "";
	int result = record_get(a, person, &record, &is_there);
	actor.time_ms = a->item->header->time_ms;
	if (result)
		return result;
	result = step ? step_take(a, person, where, &actor, step, &record)
	              : error_set(a->e, ERR_ABSENT, "what was asked cannot be opened: ask again");
	if (is_refusal(a, result)) {
		refusal = arena_text(a->arena, a->e->text);
		if (!refusal)
			return store_fail(a->txn, ERR_MEMORY, "no memory for an answer");
		record.town = where->town;
	} else if (result) {
		return result;
	}
	result = step_note(a, person, &record, step, refusal);
	if (!result && strcmp(town, record.town) != 0) /* it asked when it had the record: it waits no more */
		result = farewell_effect(a, person, &record, town);
	return result;
}

static int payload_read(struct apply *a, Lm__CertificatePayload **out)
{
	*out = NULL;
	return a->item->is_absent ? OK : CODEC_UNPACK(lm__certificate_payload, a->item->plain, a->arena, out, a->e);
}

static int origin_place(struct apply *a, const char **place)
{
	Lm__DeviceRecord *device;
	*place = a->d->place;
	if (a->item->header->origin == a->d->device)
		return OK;
	if (memo_device(a, a->item->header->origin, &device))
		return error_set(a->e, ERR_DENIED, "device %016llx is not in the directory",
		                 (unsigned long long)a->item->header->origin);
	*place = device->place;
	return OK;
}

/* The resident's record, or its hand-over to this town, may come later than what the town asks; and where a return held
 * up what was asked, a later hand-over may have come first: it counts as asked when the town had the record. */
static int ask_place(struct apply *a, struct id person, const char *town, struct place_of_record *where)
{
	int result = where_is_the_record(a, person, where);
	if (result == ERR_NOT_FOUND)
		return held_on_other(a, person, 1);
	if (result || strcmp(where->town, town) == 0)
		return result;
	if (a->item->header->epoch > where->epoch)
		return held_on_other(a, person, where->version + 1);
	if (a->item->header->epoch < where->epoch && restore_gave_back(a))
		return OK;
	return error_set(a->e, ERR_DENIED, "town %.20s has this resident's record now", where->town);
}

int apply_certificate_ask(struct apply *a)
{
	struct id person = person_of(a->item->header);
	struct place_of_record where = { 0 };
	Lm__CertificatePayload *p;
	const char *town;
	int result = header_check(a);
	if (!result)
		result = origin_place(a, &town);
	if (!result)
		result = payload_read(a, &p);
	if (result)
		return result;
	if (restore_is_returning(a->txn, a->arena))
		return held_on_return(a);
	if (p && p->declaration)
		return assessor_declare(a, p->declaration, town);
	if (person_is_erased(a->txn, person) || is_taken(a, person))
		return OK;
	if (p && !p->step)
		return error_set(a->e, ERR_INVALID, "a town asks for a step, and for nothing else");
	result = ask_place(a, person, town, &where);
	return result ? result : ask_answer(a, person, &where, town, p ? p->step : NULL);
}

/* ---- the district's own ---- */

static int step_apply(struct apply *a, struct id person, Lm__CertificateStep *step)
{
	struct certificate_actor actor = { .tier = a->d->tier,
		                           .place = a->d->place,
		                           .time_ms = a->item->header->time_ms };
	struct place_of_record where = { 0 };
	Lm__CertificateRecord record;
	bool is_there;
	int result = record_get(a, person, &record, &is_there);
	if (!result && !is_there)
		return error_set(a->e, ERR_NOT_FOUND, "nobody has applied for a certificate for this person");
	if (!result)
		result = where_is_the_record(a, person, &where);
	if (result)
		return result;
	if (a->item->header->version != record.version + 1)
		return error_set(a->e, ERR_CONFLICT, "step %u does not follow version %u of the certificate",
		                 a->item->header->version, record.version);
	actor.town = where.town;
	actor.has_died = where.has_died;
	if (step)
		result = step_take(a, person, &where, &actor, step, &record);
	else
		record.is_absent = true;
	return result ? result : step_note(a, person, &record, step, "");
}

static int sample_apply(struct apply *a, const Lm__QualitySample *s)
{
	Lm__SampleRecord row = LM__SAMPLE_RECORD__INIT;
	uint8_t key[STORE_KEY_BYTES_MOST];
	struct id sample = person_of(a->item->header);
	bool is_good = s->seed.len == SAMPLE_SEED_BYTES && s->frame_hash.len == HASH_BYTES && s->n_person_id > 0 &&
	               s->n_person_id <= SAMPLE_MOST && s->n_person_id <= s->frame && s->by[0];
	for (size_t i = 0; i < s->n_person_id && is_good; i++)
		is_good = s->person_id[i].len == ID_BYTES;
	if (!is_good)
		return error_set(a->e, ERR_INVALID, "a sample names its seed, its frame, and who is in it");
	row.sample = (Lm__QualitySample *)(uintptr_t)s;
	row.time_ms = a->item->header->time_ms;
	return row_put(a, &domain_table_certificate_about,
	               certificate_key((struct id){ { 0 } }, CERTIFICATE_SAMPLE, key_id(&sample), key), &row.base);
}

static int result_apply(struct apply *a, struct id person, const Lm__QualityResult *r)
{
	Lm__QualityRow row = LM__QUALITY_ROW__INIT;
	Lm__SampleRecord *sample;
	uint8_t key[STORE_KEY_BYTES_MOST];
	bool is_in = false;
	int result = r->sample_id.len == ID_BYTES ? sample_get(a->txn, id_at(&r->sample_id, 0), a->arena, &sample)
	                                          : ERR_NOT_FOUND;
	if (result)
		return result == ERR_NOT_FOUND ? error_set(a->e, result, "there is no such sample") : result;
	for (size_t i = 0; i < sample->sample->n_person_id; i++)
		is_in |= bytes_equal(codec_bytes(sample->sample->person_id[i]), key_id(&person));
	if (!is_in)
		return error_set(a->e, ERR_NOT_FOUND, "this certificate is not in the sample");
	if (!r->outcome || !protobuf_c_enum_descriptor_get_value(&lm__quality_outcome__descriptor, (int)r->outcome) ||
	    !r->by[0] || strlen(r->note) > 4 * CERTIFICATE_TEXT_CHARACTERS_MOST)
		return error_set(a->e, ERR_INVALID, "outcome: say what was found, and by whom");
	if (r->outcome != LM__QUALITY_OUTCOME__QUALITY_OUTCOME_GOOD && !r->note[strspn(r->note, " \t\r\n")])
		return error_set(a->e, ERR_INVALID, "note: say what is wrong");
	row.outcome = r->outcome;
	row.by = r->by;
	row.time_ms = a->item->header->time_ms;
	return row_put(a, &domain_table_certificate_about,
	               certificate_key(person, CERTIFICATE_RESULT, codec_bytes(r->sample_id), key), &row.base);
}

int apply_certificate(struct apply *a)
{
	struct id person = person_of(a->item->header);
	Lm__CertificatePayload *p;
	int result = header_check(a);
	if (!result)
		result = payload_read(a, &p);
	if (result || person_is_erased(a->txn, person))
		return result;
	if (p && p->declaration)
		return assessor_declare(a, p->declaration, p->declaration->place);
	if (p && p->sample)
		return sample_apply(a, p->sample);
	if (p && p->result)
		return result_apply(a, person, p->result);
	if (!p && !a->item->header->version)
		return OK; /* a result that was erased */
	if (p && !p->step)
		return error_set(a->e, ERR_INVALID, "an entry about certificates that says nothing");
	return step_apply(a, person, p ? p->step : NULL);
}

/* ---- the resident's record went to another town ---- */

static int transfer(struct apply *a, struct id person, Lm__CertificateRecord *record, const char *from, char *to)
{
	Lm__CertificateStep *step = arena_alloc(a->arena, sizeof *step);
	if (!step)
		return store_fail(a->txn, ERR_MEMORY, "no memory for a certificate");
	lm__certificate_step__init(step);
	step->act = ACT(TRANSFER);
	record->town = to;
	int result = step_note(a, person, record, step, "");
	return result ? result : farewell_effect(a, person, record, from);
}

int certificate_moved(struct apply *a, struct id person, const char *from, char *to)
{
	Lm__CertificateRecord record;
	bool is_there = false;
	int result = record_get(a, person, &record, &is_there);
	if (result || !is_there || strcmp(record.town, to) == 0 || is_taken(a, person) ||
	    restore_is_returning(a->txn, a->arena)) /* then what comes back says where it is */
		return result;
	return transfer(a, person, &record, from, to);
}

struct strays {
	struct apply *a;
	struct arena row;
	struct buffer persons; /* ids */
	int result;
};

static bool stray_visit(void *context, struct id person, const Lm__CertificateRecord *record)
{
	struct strays *s = context;
	Lm__PersonRecord *at;
	s->result = person_get(s->a->txn, person, &s->row, &at);
	if (s->result == ERR_NOT_FOUND)
		s->result = OK;
	else if (!s->result && strcmp(at->town, record->town) != 0)
		s->result = buffer_append(&s->persons, BYTES_OF(person.byte));
	return !s->result;
}

int certificates_follow(struct apply *a)
{
	struct strays s = { .a = a };
	struct id from = { { 0 } };
	arena_init(&s.row, ROW_ARENA_BYTES);
	int result = certificate_each(a->txn, &from, &s.row, stray_visit, &s, a->e);
	if (!result)
		result = s.result;
	for (size_t at = 0; at < s.persons.size && !result; at += ID_BYTES) {
		Lm__CertificateRecord record;
		struct place_of_record where;
		struct id person;
		bool is_there = false;
		memcpy(person.byte, s.persons.data + at, ID_BYTES);
		result = record_get(a, person, &record, &is_there);
		if (!result)
			result = where_is_the_record(a, person, &where);
		if (!result)
			result = transfer(a, person, &record, record.town, (char *)(uintptr_t)where.town);
	}
	buffer_release(&s.persons);
	arena_release(&s.row);
	return result && !store_failure(a->txn, NULL)
	               ? store_fail(a->txn, result, "certificates cannot follow the records that moved")
	               : result;
}

/* ---- at the town ---- */

int apply_certificate_ask_here(struct apply *a)
{
	Lm__CertificateWaiting row = LM__CERTIFICATE_WAITING__INIT;
	Lm__CertificatePayload *p;
	uint8_t key[STORE_KEY_BYTES_MOST];
	struct id person = person_of(a->item->header);
	int result = header_check(a);
	if (!result)
		result = payload_read(a, &p);
	if (result)
		return result;
	if (p && p->declaration)
		return assessor_declare(a, p->declaration, a->d->place);
	if (person_is_erased(a->txn, person) || is_taken(a, person))
		return OK;
	row.position = a->item->position;
	row.step = p ? p->step : NULL;
	row.time_ms = a->item->header->time_ms;
	result = row_put(a, &domain_table_certificate_about,
	                 certificate_key(person, CERTIFICATE_WAITING, BYTES_OF(a->item->hash.byte), key), &row.base);
	return result ? result : effect_add(a, (struct domain_effect){ .type = DOMAIN_PERSON, .request = person });
}

static int copy_read(struct apply *a, Lm__CertificateCopyPayload **out)
{
	int result = CODEC_UNPACK(lm__certificate_copy_payload, a->item->plain, a->arena, out, a->e);
	if (!result && (!(*out)->record || !(*out)->record->town[0]))
		return error_set(a->e, ERR_INVALID, "a copy that carries no certificate");
	return result;
}

/* The newest wins: each copy carries the whole. */
int apply_certificate_copy(struct apply *a)
{
	const Lm__Header *h = a->item->header;
	struct id person = person_of(h);
	Lm__CertificateRecord known;
	Lm__CertificateCopyPayload *copy;
	uint8_t key[STORE_KEY_BYTES_MOST];
	bool is_there;
	int result = header_check(a);
	if (result || person_is_erased(a->txn, person))
		return result;
	if (h->source.len == HASH_BYTES)
		store_delete(a->txn, &domain_table_certificate_about,
		             certificate_key(person, CERTIFICATE_WAITING, codec_bytes(h->source), key));
	if (h->source.len == HASH_BYTES && restore_is_returning(a->txn, a->arena)) /* the ask may come back later */
		result = taken_note(a, person, codec_bytes(h->source));
	if (result)
		return result;
	if (a->item->is_absent)
		return effect_add(a, (struct domain_effect){ .type = DOMAIN_PERSON, .request = person });
	result = copy_read(a, &copy);
	if (!result)
		result = record_get(a, person, &known, &is_there);
	if (result || (is_there && copy->record->version <= known.version))
		return result;
	result = record_put(a, person, copy->record);
	return result ? result : event_note(a, person, copy->record->version, copy->refusal);
}

/* At a restored district what it told a town stands for its own word, which is lost. */
int apply_certificate_returned(struct apply *a)
{
	const Lm__Header *h = a->item->header;
	struct id person = person_of(h);
	Lm__CertificateRecord known;
	Lm__CertificateCopyPayload *copy;
	bool is_there;
	int result = header_check(a);
	if (result || a->item->is_absent || person_is_erased(a->txn, person))
		return result;
	result = copy_read(a, &copy);
	if (!result)
		result = record_get(a, person, &known, &is_there);
	if (result || !copy->record->facts || (is_there && copy->record->version <= known.version))
		return result;
	result = record_put(a, person, copy->record);
	if (!result)
		result = taken_note(a, person, codec_bytes(h->source));
	return result ? result : event_note(a, person, copy->record->version, copy->refusal);
}

/*
 * Certificates over HTTP. What a town's clerk or assessor does is an ask to the district, which answers it; what the
 * district does is its own event. Both are tried first against what is known here, so that a sentence comes at once
 * where it can. A resident's certificate is seen with the record, after a look for a purpose; an assessor opens what
 * was drawn for him, and nothing else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "certificates.h"

#define ACT(name) LM__CERTIFICATE_ACT__CERTIFICATE_ACT_##name
#define DAY_BYTES 11
#define DAY_MS (24ll * 3600 * 1000)

struct certificate_actor desk_actor(struct node *n, const Lm__PersonRecord *record)
{
	const struct domain *d = node_domain(n);
	return (struct certificate_actor){ .tier = d->tier,
		                           .place = d->place,
		                           .town = record ? record->town : d->place,
		                           .has_died = record && record->facts && record->facts->died_on[0],
		                           .is_guess = d->tier == LM__TIER__TIER_TOWN };
}

/* ---- what a step says ---- */

struct filled {
	Lm__CertificateStep step;
	Lm__CertificatePledge pledge;
	char valid_until[CLOCK_TEXT_BYTES];
};

static int rules_get(struct turn *t, Lm__Service **service, struct error *e)
{
	if (service_get(t->txn, CERTIFICATE_SERVICE, 0, t->arena, service) || !(*service)->certificate)
		return error_set(e, ERR_NOT_READY, "the rules for certificates have not been published yet");
	return OK;
}

/* The day before the same day, so many years later. */
static int term_fill_in(struct turn *t, struct filled *f, struct error *e)
{
	Lm__Service *service;
	int result = rules_get(t, &service, e);
	if (result)
		return result;
	int64_t end = clock_months_later(t->now_ms, 12 * service->certificate->valid_years) - DAY_MS;
	clock_format_shanghai(end, f->valid_until);
	f->valid_until[DAY_BYTES - 1] = '\0';
	f->step.valid_until = f->valid_until;
	return OK;
}

static int pledge_fill_in(struct turn *t, struct filled *f, struct error *e)
{
	Lm__Service *service;
	int result = rules_get(t, &service, e);
	if (result)
		return result;
	lm__certificate_pledge__init(&f->pledge);
	f->pledge.revision = service->revision;
	f->pledge.text = service->certificate->pledge->zh;
	f->step.pledge = &f->pledge;
	return OK;
}

static int step_fill(struct turn *t, const struct errand *x, const Lm__PersonRecord *record,
                     const Lm__CertificateFacts *now, struct filled *f, struct error *e)
{
	const Lm__CertificateCommand *in = (Lm__CertificateCommand *)x->input;
	lm__certificate_step__init(&f->step);
	f->step.act = in->act;
	f->step.staff = (char *)(uintptr_t)x->user;
	f->step.reason = in->reason;
	switch (in->act) {
	case ACT(APPLY):
		f->step.id_number = record->facts ? record->facts->id_number : "";
		return OK;
	case ACT(PLEDGE):
		return pledge_fill_in(t, f, e);
	case ACT(ASSESS):
		f->step.finding = in->finding;
		return OK;
	case ACT(ISSUE):
		return term_fill_in(t, f, e);
	case ACT(REISSUE): /* the same term */
		f->step.valid_until = now ? now->valid_until : "";
		return OK;
	case ACT(REFUSE):
		f->step.ground = in->ground;
		f->step.remedy = in->remedy;
		return OK;
	case ACT(CANCEL):
		f->step.cancel = in->cancel;
		return OK;
	default:
		return OK;
	}
}

/* ---- written ---- */

static int payload_append(struct turn *t, struct id subject, Lm__CertificatePayload *payload, Lm__Header h,
                          struct error *e)
{
	bool is_town = node_domain(t->node)->tier == LM__TIER__TIER_TOWN;
	struct bytes packed;
	struct placed placed;
	h.kind = is_town ? LM__KIND__KIND_CERTIFICATE_ASK : LM__KIND__KIND_CERTIFICATE;
	h.person_id = codec_data(BYTES_OF(subject.byte));
	h.place = (char *)(uintptr_t)node_domain(t->node)->place;
	h.owner = LM__TIER__TIER_DISTRICT;
	int result = CODEC_PACK(payload, t->arena, &packed, e);
	struct draft draft = { .stream = is_town ? LM__STREAM__STREAM_UP : LM__STREAM__STREAM_OWN,
		               .header = &h,
		               .payload = packed,
		               .is_sealed = true };
	return result ? result : turn_append(t, &draft, &placed, e);
}

static int record_for_step(struct turn *t, struct id person, Lm__PersonRecord **record, struct error *e)
{
	const struct domain *d = node_domain(t->node);
	int result = person_get(t->txn, person, t->arena, record);
	if (result == ERR_NOT_FOUND)
		return error_set(e, result, "there is no such record here");
	if (result)
		return store_failure(t->txn, e) ? store_failure(t->txn, e) : result;
	if (d->tier == LM__TIER__TIER_TOWN && strcmp((*record)->town, d->place) != 0)
		return error_set(e, ERR_CLOSED, "town %.20s has this record now: changes are made there",
		                 (*record)->town);
	if ((*record)->facts && (*record)->facts->merged_into.len)
		return error_set(e, ERR_CLOSED, "this record was merged into another one: that one goes on");
	return OK;
}

static int certificate_run(struct turn *t, struct command *c, struct error *e)
{
	struct errand *x = c->context;
	const Lm__CertificateCommand *in = (Lm__CertificateCommand *)x->input;
	Lm__CertificatePayload payload = LM__CERTIFICATE_PAYLOAD__INIT;
	Lm__CertificateStepView *view = arena_alloc(&x->arena, sizeof *view);
	Lm__CertificateRecord *known = NULL;
	Lm__CertificateFacts *now, after;
	Lm__PersonRecord *record;
	Lm__Header h = LM__HEADER__INIT;
	struct filled f;
	int result = view ? record_for_step(t, x->person, &record, e) : error_set(e, ERR_MEMORY, "no memory");
	if (result)
		return result;
	struct certificate_actor actor = desk_actor(t->node, record);
	actor.time_ms = t->now_ms;
	result = certificate_get(t->txn, x->person, t->arena, &known);
	known = result ? NULL : known;
	if (!result || result == ERR_NOT_FOUND)
		result = certificate_expected(t->txn, x->person, &actor, t->arena, &now);
	if (result)
		return store_failure(t->txn, e) ? store_failure(t->txn, e) : result;
	if (in->version && in->version != (known ? known->version : 0))
		return error_set(
		        e, ERR_CONFLICT,
		        "somebody was faster: the certificate is at version %u, you saw %u; nothing of yours was "
		        "lost or sent",
		        known ? known->version : 0, in->version);
	result = step_fill(t, x, record, now, &f, e);
	if (!result)
		result = certificate_step(t->txn, x->person, &actor, now, &f.step, t->arena, &after, e);
	if (result)
		return result;
	lm__certificate_step_view__init(view);
	view->is_waiting = actor.is_guess;
	view->version = (known ? known->version : 0) + !actor.is_guess;
	x->output = &view->base;
	payload.step = &f.step;
	certificate_event_header(&x->person, known, actor.town, &h);
	h.version = actor.is_guess ? h.version - 1 : h.version; /* an ask cites what was seen */
	h.epoch = record->epoch;
	return payload_append(t, x->person, &payload, h, e);
}

static bool is_assessors(Lm__CertificateAct act)
{
	return act == ACT(PLEDGE) || act == ACT(DECLINE) || act == ACT(ASSESS);
}

static void step_post(struct node *n, struct http_request *r, bool is_assessor)
{
	struct errand *x = errand_about(r, &lm__certificate_command__descriptor);
	if (!x)
		return;
	if (is_assessors(((Lm__CertificateCommand *)x->input)->act) != is_assessor) {
		error_set(&x->error, ERR_INVALID, "act: this is not done here");
		errand_answer(x, ERR_INVALID, &x->error);
		return;
	}
	errand_command(n, x, certificate_run, errand_done);
}

void certificate_post(void *context, struct http_request *r)
{
	step_post(context, r, false);
}

void assessment_post(void *context, struct http_request *r)
{
	step_post(context, r, true);
}

/* ---- whose certificate an assessor must not assess ---- */

static int declaration_run(struct turn *t, struct command *c, struct error *e)
{
	static Lm__Empty empty = LM__EMPTY__INIT;
	struct errand *x = c->context;
	const Lm__DeclarationCommand *in = (Lm__DeclarationCommand *)x->input;
	const struct domain *d = node_domain(t->node);
	Lm__CertificatePayload payload = LM__CERTIFICATE_PAYLOAD__INIT;
	Lm__AssessorDeclaration declaration = LM__ASSESSOR_DECLARATION__INIT;
	Lm__Header h = LM__HEADER__INIT;
	struct id id;
	int result = assessor_id(d->place, x->user, &id, e);
	declaration.place = (char *)(uintptr_t)d->place;
	declaration.account = declaration.by = x->user;
	declaration.own_number = in->own_number;
	declaration.relations = in->relations;
	declaration.n_relations = in->n_relations;
	declaration.is_over = in->is_over;
	payload.declaration = &declaration;
	x->output = &empty.base;
	return result ? result : payload_append(t, id, &payload, h, e);
}

void declaration_post(void *context, struct http_request *r)
{
	struct errand *x = errand_with_body(r, &lm__declaration_command__descriptor);
	if (x)
		errand_command(context, x, declaration_run, errand_done);
}

/* ---- quality ---- */

struct frame {
	struct id *ids;
	size_t count, capacity;
	bool is_short;
};

static bool frame_visit(void *context, struct id person, const Lm__CertificateRecord *record)
{
	struct frame *f = context;
	if (!record->facts || record->facts->state != LM__CERTIFICATE_STATE__CERTIFICATE_STATE_ISSUED)
		return true;
	if (f->count == f->capacity) {
		size_t capacity = f->capacity ? 2 * f->capacity : 1024;
		struct id *grown = realloc(f->ids, capacity * sizeof *grown);
		f->is_short |= !grown;
		if (!grown)
			return false;
		f->ids = grown;
		f->capacity = capacity;
	}
	f->ids[f->count++] = person;
	return true;
}

static int frame_read(struct turn *t, struct frame *f, struct error *e)
{
	struct arena row;
	struct id from = { { 0 } };
	arena_init(&row, 1024 * 1024);
	int result = certificate_each(t->txn, &from, &row, frame_visit, f, e);
	arena_release(&row);
	return f->is_short ? error_set(e, ERR_MEMORY, "no memory for the frame of a sample") : result;
}

static int sample_write(struct turn *t, struct errand *x, struct frame *f, struct error *e)
{
	const Lm__SampleCommand *in = (Lm__SampleCommand *)x->input;
	Lm__CertificatePayload payload = LM__CERTIFICATE_PAYLOAD__INIT;
	Lm__QualitySample sample = LM__QUALITY_SAMPLE__INIT;
	Lm__Header h = LM__HEADER__INIT;
	struct hash hash;
	ProtobufCBinaryData drawn[SAMPLE_MOST];
	if (in->count < 1 || in->count > SAMPLE_MOST || in->count > f->count)
		return error_set(e, ERR_INVALID, "count: from 1 to %zu",
		                 f->count < SAMPLE_MOST ? f->count : SAMPLE_MOST);
	int result = sample_frame_hash(f->ids, f->count, &hash, e);
	if (!result)
		result = sample_draw(x->seed, f->ids, f->count, in->count, e);
	for (size_t i = 0; i < in->count && !result; i++)
		drawn[i] = codec_data(BYTES_OF(f->ids[i].byte));
	sample.seed = codec_data(BYTES_OF(x->seed));
	sample.frame_hash = codec_data(BYTES_OF(hash.byte));
	sample.frame = (uint32_t)f->count;
	sample.person_id = drawn;
	sample.n_person_id = in->count;
	sample.by = x->user;
	payload.sample = &sample;
	return result ? result : payload_append(t, x->person, &payload, h, e);
}

static int sample_run(struct turn *t, struct command *c, struct error *e)
{
	static Lm__Empty empty = LM__EMPTY__INIT;
	struct errand *x = c->context;
	struct frame f = { NULL, 0, 0, false };
	int result = frame_read(t, &f, e);
	if (!result)
		result = sample_write(t, x, &f, e);
	free(f.ids);
	x->output = &empty.base;
	return result;
}

static void samples_post(void *context, struct http_request *r)
{
	struct errand *x = errand_with_body(r, &lm__sample_command__descriptor);
	uint8_t random[10];
	if (!x)
		return;
	int result = crypto_random(random, sizeof random, &x->error);
	if (!result)
		result = crypto_random(x->seed, sizeof x->seed, &x->error);
	x->person = id_make(clock_wall_ms(), random);
	if (result)
		errand_answer(x, result, &x->error);
	else
		errand_command(context, x, sample_run, errand_done);
}

static int result_run(struct turn *t, struct command *c, struct error *e)
{
	static Lm__Empty empty = LM__EMPTY__INIT;
	struct errand *x = c->context;
	const Lm__SampleResultCommand *in = (Lm__SampleResultCommand *)x->input;
	Lm__CertificatePayload payload = LM__CERTIFICATE_PAYLOAD__INIT;
	Lm__QualityResult result = LM__QUALITY_RESULT__INIT;
	Lm__Header h = LM__HEADER__INIT;
	struct id person;
	if (in->person_id.len != ID_BYTES)
		return error_set(e, ERR_INVALID, "person_id: 32 hexadecimal digits");
	memcpy(person.byte, in->person_id.data, ID_BYTES);
	if (person_is_erased(t->txn, person))
		return error_set(e, ERR_CLOSED, "this record was erased");
	result.sample_id = codec_data(BYTES_OF(x->person.byte));
	result.outcome = in->outcome;
	result.note = in->note;
	result.by = x->user;
	payload.result = &result;
	x->output = &empty.base;
	return payload_append(t, person, &payload, h, e);
}

static void sample_post(void *context, struct http_request *r)
{
	struct errand *x = errand_about(r, &lm__sample_result_command__descriptor);
	if (x)
		errand_command(context, x, result_run, errand_done);
}

const struct http_route sample_routes[] = {
	{ HTTP_GET, "/api/v1/samples", HTTP_SESSION_OF(RIGHT_CASES), samples_get },
	{ HTTP_POST, "/api/v1/samples", HTTP_SESSION_OF(RIGHT_CASES), samples_post },
	{ HTTP_POST, "/api/v1/samples/:id", HTTP_SESSION_OF(RIGHT_CASES), sample_post },
};
const size_t sample_route_count = sizeof sample_routes / sizeof *sample_routes;

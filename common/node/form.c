/*
 * What somebody filled in, before it becomes an entry: at a terminal the resident, at a town's counter the staff; and
 * how pages show it.
 */
#include <string.h>

#include "base/clock.h"
#include "inside.h"

#define FAULTS_MOST 40

Lm__RequestPayload node_request_payload(const Lm__SubmitCommand *in)
{
	Lm__RequestPayload payload = LM__REQUEST_PAYLOAD__INIT;
	payload.values = in->values;
	payload.n_values = in->n_values;
	payload.language = in->language;
	payload.consents = in->consents;
	payload.n_consents = in->n_consents;
	payload.is_for_child = in->is_for_child;
	payload.carer = in->carer;
	payload.access = in->access;
	payload.n_access = in->n_access;
	return payload;
}

static void faults_answer(struct http_request *r, const Lm__SubmitCommand *in, struct form_fault *faults, size_t count)
{
	Lm__SubmitView view = LM__SUBMIT_VIEW__INIT;
	Lm__FieldFault fault[FAULTS_MOST], *list[FAULTS_MOST];
	for (size_t i = 0; i < count && i < FAULTS_MOST; i++) {
		lm__field_fault__init(&fault[i]);
		fault[i].field = faults[i].field;
		fault[i].rule = (char *)(uintptr_t)faults[i].rule;
		fault[i].least = faults[i].least;
		fault[i].most = faults[i].most;
		list[view.n_faults++] = &fault[i];
	}
	view.request_id = in->request_id;
	view.code = in->code;
	view.faults = list;
	node_answer(r, &view.base);
}

bool node_form_is_good(struct node *n, struct http_request *r, const Lm__SubmitCommand *in, struct arena *arena,
                       Lm__Service **service, int *result, struct error *e)
{
	struct store_txn *txn;
	struct form_fault faults[FAULTS_MOST];
	*result = store_begin_read(node_store(n), &txn, e);
	if (*result)
		return false;
	*result = service_get(txn, in->service, in->revision, arena, service);
	store_abort(txn);
	if (*result == ERR_NOT_FOUND || !in->revision)
		*result = error_set(e, ERR_NOT_FOUND, "service '%.40s' has no revision %u here", in->service,
		                    in->revision);
	if (*result)
		return false;
	for (size_t i = 0; i < in->n_values; i++)
		if (in->values[i]->n_parted) /* how a file travels is ours to say */
			*result = error_set(e, ERR_INVALID, "values.parted: a file is sent in files");
	if (*result)
		return false;
	Lm__RequestPayload payload = node_request_payload(in);
	int64_t now_ms = clock_wall_ms();
	size_t count = request_check(*service, &payload, now_ms, faults, FAULTS_MOST);
	/* What is on its way from before it was asked is taken without. */
	if (count < FAULTS_MOST && in->carer && !in->carer->scope && !request_is_for_child(*service, &payload, now_ms))
		faults[count++] = (struct form_fault){ .field = "carer.scope", .rule = "required" };
	if (count)
		faults_answer(r, in, faults, count);
	return !count;
}

/* ---- answers as pages show them ---- */

/* What a stored value is called: a choice by its name, a community by its own. */
static Lm__Words *value_name(const struct node *n, const Lm__Field *field, const char *value, struct arena *arena)
{
	if (field->type == LM__FIELD_TYPE__FIELD_TYPE_PLACE)
		return node_place_words(n, value, arena);
	for (size_t i = 0; i < field->n_choices; i++)
		if (strcmp(field->choices[i]->id, value) == 0)
			return field->choices[i]->name;
	return NULL;
}

Lm__FieldView *node_field_view(const struct node *n, const Lm__Field *field, const Lm__FieldValue *value,
                               struct arena *arena)
{
	Lm__FieldView *v = arena_alloc(arena, sizeof *v);
	if (!v)
		return NULL;
	lm__field_view__init(v);
	v->id = field->id;
	v->label = field->label;
	v->type = field->type;
	if (!value)
		return v;
	v->values = value->values;
	v->n_values = value->n_values;
	v->choice_names = arena_alloc(arena, (value->n_values + 1) * sizeof *v->choice_names);
	v->file_types = arena_alloc(arena, (value->n_files + 1) * sizeof *v->file_types);
	for (size_t i = 0; i < value->n_files && v->file_types; i++) {
		const char *type = file_type_of(codec_bytes(value->files[i]));
		v->file_types[v->n_file_types++] = (char *)(uintptr_t)(type ? type : "");
	}
	for (size_t i = 0; i < value->n_values && v->choice_names; i++) {
		Lm__Words *name = value_name(n, field, value->values[i], arena);
		if (name)
			v->choice_names[v->n_choice_names++] = name;
	}
	return v;
}

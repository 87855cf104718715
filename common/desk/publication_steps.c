/*
 * Steps of what people write for others: a draft is saved, dropped, published; what is in force is taken back.
 */
#include <stdlib.h>

#include "publishing.h"

static int content_given(struct publishing *w, struct turn *t, struct bytes *packed)
{
	const Lm__DraftCommand *in = w->input;
	ProtobufCMessage *content = member_of(&in->base, w->collection->member);
	if (in->goes_back_to) {
		int result = content_in_force(w, t->txn, in->goes_back_to, &content);
		if (result)
			return result;
		if (!content)
			return error_set(&w->error, ERR_NOT_FOUND, "%.32s has no revision %u", w->key,
			                 in->goes_back_to);
	}
	if (!content)
		return error_set(&w->error, ERR_INVALID, "%s: what the draft says is missing", w->collection->member);
	return content_pack(w->collection, content, &w->arena, packed, &w->error);
}

/* After a save: what is wrong with it, and what it would change. */
static int saved_view(struct publishing *w, struct turn *t, struct bytes packed, Lm__DraftStepView *view)
{
	ProtobufCMessage *content = NULL, *newest = NULL;
	int result = codec_unpack(w->collection->type, packed, &w->arena, &content, &w->error);
	if (!result)
		result = content_in_force(w, t->txn, 0, &newest);
	if (!result)
		result = content_faults_fill(w, content, &view->faults, &view->n_faults);
	return result ? result : content_changes_fill(w, newest, content, &view->changes, &view->n_changes);
}

/* By another right than drafting. */
static bool puts_into_force(Lm__DraftAction action)
{
	return action == LM__DRAFT_ACTION__DRAFT_ACTION_PUBLISH || action == LM__DRAFT_ACTION__DRAFT_ACTION_WITHDRAW;
}

static int step_do(struct publishing *w, struct turn *t, Lm__DraftStepView *view)
{
	const Lm__DraftCommand *in = w->input;
	Lm__DraftPayload step = LM__DRAFT_PAYLOAD__INIT;
	struct bytes packed = { 0 };
	if (puts_into_force(in->action)) {
		int result = turn_may_write(t, &w->error);
		bool is_publish = in->action == LM__DRAFT_ACTION__DRAFT_ACTION_PUBLISH;
		return result ? result
		              : (is_publish ? publication_of_draft : publication_withdraw)(
		                        t, w->collection, w->key, in->version, w->user, &view->revision, &w->error);
	}
	bool is_save = in->action == LM__DRAFT_ACTION__DRAFT_ACTION_SAVE;
	int result = is_save ? content_given(w, t, &packed) : OK;
	if (result)
		return result;
	step.action = in->action;
	step.collection = w->collection->id;
	step.key = w->key;
	step.version = in->version + is_save;
	step.based_on = in->based_on;
	step.goes_back_to = in->goes_back_to;
	step.content = codec_data(packed);
	step.by = w->user;
	result = publication_step(t, &step, &view->version, &w->error);
	return !result && is_save ? saved_view(w, t, packed, view) : result;
}

static int step_run(struct turn *t, struct command *c, struct error *e)
{
	struct publishing *w = c->context;
	Lm__DraftStepView *view = arena_alloc(&w->arena, sizeof *view);
	if (!view)
		return error_set(e, ERR_MEMORY, "no memory for a draft");
	lm__draft_step_view__init(view);
	w->output = &view->base;
	int result = step_do(w, t, view);
	int failure = store_failure(t->txn, e);
	if (result && !failure)
		*e = w->error;
	return failure ? failure : result;
}

static void step_done(struct node *n, struct command *c)
{
	(void)n;
	publishing_answer(c->context, c->result, &c->error);
}

static int may_step(const struct http_request *r, Lm__DraftAction action, struct error *e)
{
	bool is_publish = puts_into_force(action);
	if (role_may(http_role(r), is_publish ? RIGHT_PUBLISH : RIGHT_DRAFT))
		return OK;
	return error_set(e, ERR_DENIED, is_publish ? "this account may not publish" : "this account may not draft");
}

void publication_post(void *context, struct http_request *r)
{
	struct publishing *w = publishing_new(context, r);
	if (!w)
		return;
	if (node_body(r, &lm__draft_command__descriptor, &w->arena, &w->input)) {
		arena_release(&w->arena);
		free(w);
		return;
	}
	bool is_save = w->input->action == LM__DRAFT_ACTION__DRAFT_ACTION_SAVE;
	w->command = (struct command){ .run = step_run, .done = step_done, .is_business = is_save, .context = w };
	int result = may_step(r, w->input->action, &w->error);
	if (!result)
		result = node_command(w->node, &w->command);
	if (result)
		publishing_answer(w, result, &w->error);
}

/*
 * What staff do with a case: one command of the writer, checked against the case as it is then. Two who act at once
 * name the version that they saw: one wins, and the other is told.
 */
#include <stdlib.h>
#include <string.h>

#include "deciding.h"
#include "domain/person.h"

#define TEXT_BYTES_MOST 4000
#define DO(action) LM__CASE_ACTION__CASE_ACTION_##action

struct act {
	struct command command;
	struct http_request *request;
	struct arena arena;
	Lm__CaseCommand *in;
	ProtobufCMessage *output;
	struct id id;
	char user[33], role[24];
	struct error error;
};

static void act_answer(struct act *a, int result, const struct error *e)
{
	if (result)
		node_answer_error(a->request, result, e);
	else
		node_answer(a->request, a->output);
	arena_release(&a->arena);
	free(a);
}

static int text_check(const char *name, const char *text, bool is_required, struct error *e)
{
	size_t size = strlen(text);
	if (is_required && !size)
		return error_set(e, ERR_INVALID, "%s: this is needed here", name);
	if (size > TEXT_BYTES_MOST)
		return error_set(e, ERR_TOO_BIG, "%s: at most %d bytes", name, TEXT_BYTES_MOST);
	return OK;
}

/* A refusal says why, on which rule it rests and how to object. Who approves writes none of it anew. */
static int texts_check(const Lm__CaseCommand *in, struct error *e)
{
	bool decides = (in->action == DO(DECIDE) || in->action == DO(PROPOSE)) && !in->approves;
	bool is_refusal = decides && in->outcome == LM__OUTCOME__OUTCOME_REFUSED;
	bool is_partial = decides && in->outcome == LM__OUTCOME__OUTCOME_PARTLY_GRANTED;
	bool needs_text = in->action == DO(ASK) || in->action == DO(OBJECT) || is_refusal || is_partial;
	/* the reason, for other staff */
	bool needs_note = in->action == DO(HAND_OVER) || in->action == DO(REFER) || in->action == DO(RETURN) ||
	                  in->action == DO(REOPEN);
	int result = text_check("text", in->text, needs_text, e);
	if (!result)
		result = text_check("ground", in->ground, is_refusal, e);
	if (!result)
		result = text_check("remedy", in->remedy, is_refusal, e);
	return result ? result : text_check("note", in->note, needs_note, e);
}

static int command_check(const Lm__CaseCommand *in, struct error *e)
{
	if (in->action == DO(ANSWER_TAKEN) || in->action == DO(TOO_LATE) || in->action == DO(RATE))
		return error_set(e, ERR_INVALID, "action: residents' asks are answered by the system, not by hand");
	if (in->approves && in->action != DO(DECIDE))
		return error_set(e, ERR_INVALID, "approves: only with DECIDE");
	if ((in->n_seen || in->n_not_seen) != (in->action == DO(EVIDENCE)))
		return error_set(e, ERR_INVALID, "seen, not_seen: with EVIDENCE, and only with it");
	if (in->n_values && (in->approves || !case_action_has_values(in->action)))
		return error_set(e, ERR_INVALID,
		                 "values: with STEP, DECIDE and PROPOSE, and not with what was proposed");
	int result = texts_check(in, e);
	if (!result && in->action == DO(DUPLICATE) && in->duplicate_of.len != ID_BYTES)
		result = error_set(e, ERR_INVALID, "duplicate_of: the request's id of which this is a duplicate");
	if (!result && in->person_id.len && in->person_id.len != ID_BYTES)
		result = error_set(e, ERR_INVALID, "person_id: the id of a record, or nothing");
	return result;
}

static int duplicate_check(struct turn *t, struct id request, const Lm__CaseCommand *in, struct error *e)
{
	struct id other;
	Lm__CaseRecord *record;
	if (in->action != LM__CASE_ACTION__CASE_ACTION_DUPLICATE)
		return OK;
	memcpy(other.byte, in->duplicate_of.data, ID_BYTES);
	if (id_equal(other, request))
		return error_set(e, ERR_INVALID, "duplicate_of: a case is not a duplicate of itself");
	if (case_shown(t->node, t->txn, other, t->arena, &record, e))
		return error_set(e, ERR_NOT_FOUND, "duplicate_of: there is no such case here");
	return OK;
}

/* One that the directory names, or nobody would have the case. */
static int town_named_check(struct turn *t, const Lm__CaseRecord *record, const Lm__CaseCommand *in, struct error *e)
{
	int result = in->action == DO(REFER) ? case_action_check(record, in->action, in->outcome, e) : OK;
	if (!result)
		result = refer_check(record, in->action, in->town, e);
	if (result || in->action != DO(REFER) || device_town_of(t->txn, in->town, t->arena))
		return result;
	result = store_failure(t->txn, e); /* it could not be looked up */
	return result ? result : error_set(e, ERR_NOT_FOUND, "town: %.20s is not in the directory", in->town);
}

/* A record that is here and goes on. */
static int person_named_check(struct turn *t, const Lm__CaseCommand *in, struct error *e)
{
	Lm__PersonRecord *record;
	struct id person;
	if (in->action != LM__CASE_ACTION__CASE_ACTION_CONFIRM_PERSON || !in->person_id.len)
		return OK;
	memcpy(person.byte, in->person_id.data, ID_BYTES);
	int result = person_get(t->txn, person, t->arena, &record);
	if (result)
		return result == ERR_NOT_FOUND ? error_set(e, result, "person_id: there is no such record here")
		                               : result;
	if (record->facts && record->facts->merged_into.len)
		return error_set(e, ERR_CLOSED, "person_id: this record was merged into another one: take that");
	return OK;
}

int action_allowed(struct turn *t, struct id request, uint32_t version, const Lm__CaseCommand *in,
                   Lm__CaseRecord **record, struct error *e)
{
	int result = turn_may_write(t, e);
	if (!result)
		result = case_shown(t->node, t->txn, request, t->arena, record, e);
	if (result)
		return result;
	if ((*record)->owner != node_domain(t->node)->tier)
		return error_set(e, ERR_CONFLICT, "this case belongs to the %s now",
		                 (*record)->owner == LM__TIER__TIER_TOWN ? "town" : "district");
	if (!case_is_ours(node_domain(t->node), *record))
		return error_set(e, ERR_CONFLICT, "this case belongs to town %.20s now", case_decider(*record));
	if (version != (*record)->version)
		return error_set(
		        e, ERR_CONFLICT,
		        "somebody was faster: the case is at version %u, you saw %u; nothing of yours was lost or sent",
		        (*record)->version, version);
	result = duplicate_check(t, request, in, e);
	if (!result)
		result = town_named_check(t, *record, in, e);
	return result ? result : person_named_check(t, in, e);
}

static int answer_make(struct turn *t, struct act *a, struct error *e)
{
	Lm__CaseRecord *record;
	struct working_days days;
	struct bytes packed;
	int result = case_get(t->txn, a->id, t->arena, &record);
	if (result)
		return result == ERR_NOT_FOUND ? result : store_failure(t->txn, e);
	if (working_days_load(t->txn, t->arena, &days))
		return store_failure(t->txn, e);
	Lm__CaseRow *row = case_row(t->node, t->txn, a->id, record, &days, t->arena);
	/* The turn's memory ends with the turn, the answer comes later: keep a copy. */
	result = row ? CODEC_PACK(row, t->arena, &packed, e) : error_set(e, ERR_MEMORY, "no memory");
	return result ? result : codec_unpack(&lm__case_row__descriptor, packed, &a->arena, &a->output, e);
}

static int act_run(struct turn *t, struct command *c, struct error *e)
{
	struct act *a = c->context;
	const Lm__CaseCommand *in = a->in;
	Lm__CaseRecord *record;
	Lm__CasePayload content = LM__CASE_PAYLOAD__INIT;
	int result = action_allowed(t, a->id, in->version, in, &record, e);
	if (result)
		return result;
	content.staff = a->user;
	content.note = in->note;
	content.text = in->text;
	content.ground = in->ground;
	content.remedy = in->remedy;
	content.duplicate_of = in->duplicate_of;
	content.seen = in->seen;
	content.n_seen = in->n_seen;
	content.not_seen = in->not_seen;
	content.n_not_seen = in->n_not_seen;
	content.values = in->values;
	content.n_values = in->n_values;
	const struct actor actor = { a->user, a->role };
	result = deciding_check(t, a->id, record, in, &actor, &content, e);
	struct case_event event = { .action = in->action, .outcome = in->outcome, .content = &content };
	if (in->action == DO(REFER))
		event.town = in->town;
	if (in->action == DO(CONFIRM_PERSON))
		event.person_id = codec_bytes(in->person_id);
	if (!result)
		result = case_event_write(t, a->id, record, &event, e);
	return result ? result : answer_make(t, a, e);
}

static void act_done(struct node *n, struct command *c)
{
	(void)n;
	act_answer(c->context, c->result, &c->error);
}

void case_action_post(void *context, struct http_request *r)
{
	const char *id = http_parameter(r, "id");
	struct act *a = calloc(1, sizeof *a);
	if (!a) {
		http_answer_error(r, ERR_MEMORY, "no memory for this request");
		return;
	}
	a->request = r;
	arena_init(&a->arena, 32u * 1024 * 1024);
	if (node_body(r, &lm__case_command__descriptor, &a->arena, &a->in)) {
		arena_release(&a->arena);
		free(a);
		return;
	}
	strncpy(a->user, http_user(r), sizeof a->user - 1);
	strncpy(a->role, http_role(r), sizeof a->role - 1);
	int result = OK;
	if (!id || id_from_text(id, &a->id))
		result = error_set(&a->error, ERR_INVALID, "the case's id is not 32 hexadecimal digits");
	if (!result)
		result = command_check(a->in, &a->error);
	a->command = (struct command){ .run = act_run, .done = act_done, .context = a };
	if (!result)
		result = node_command(context, &a->command);
	if (result)
		act_answer(a, result, &a->error);
}

/*
 * The owner's events on a resident's record. The whole new facts go into each: what a step does not change is taken
 * from the row.
 */
#include <string.h>

#include "errand.h"

#define DO(action) LM__PERSON_ACTION__PERSON_ACTION_##action

static int text_needed(const char *name, const char *text, bool is_required, struct error *e)
{
	long length = utf8_length(bytes_from_text(text));
	if (is_required && !text[strspn(text, " \t\r\n")])
		return error_set(e, ERR_INVALID, "%s: say why", name);
	return length < 0 || length > PERSON_REASON_CHARACTERS_MOST
	               ? error_set(e, ERR_INVALID, "%s: at most %d characters", name, PERSON_REASON_CHARACTERS_MOST)
	               : OK;
}

static int reasons_check(const struct person_step *s, struct error *e)
{
	bool is_usual = s->action == DO(CREATE) || s->action == DO(CHANGE) || s->action == DO(VERIFY);
	int result = text_needed("reason", s->reason, !is_usual, e);
	if (!result && s->other_count > PERSON_OTHERS_MOST)
		result = error_set(e, ERR_TOO_MANY, "others: at most %d", PERSON_OTHERS_MOST);
	for (size_t i = 0; i < s->other_count && !result; i++)
		result = s->others[i]->person_id.len == ID_BYTES
		                 ? text_needed("others.reason", s->others[i]->reason, true, e)
		                 : error_set(e, ERR_INVALID, "others.person_id: 32 hexadecimal digits");
	return result;
}

/* The facts as they shall be; `after` has room for those that are only changed in part. */
static int facts_after(const struct person_step *s, const Lm__PersonRecord *record, Lm__PersonFacts *after,
                       struct error *e)
{
	bool is_whole = s->action == DO(CREATE) || s->action == DO(CHANGE);
	if (is_whole && !s->facts)
		return error_set(e, ERR_INVALID, "facts: they are missing");
	if (!is_whole && (!record || !record->facts))
		return error_set(e, ERR_CONFLICT, "what is on file cannot be opened: change the record first");
	*after = is_whole ? *s->facts : *record->facts;
	if (is_whole) { /* how things stand is for other actions */
		after->died_on = record && record->facts ? record->facts->died_on : "";
		after->merged_into = (ProtobufCBinaryData){ 0 };
		after->verified = NULL;
		if (record && record->facts) {
			after->merged_into = record->facts->merged_into;
			after->verified = record->facts->verified;
		}
	}
	switch (s->action) {
	case DO(DEATH):
		after->died_on = (char *)(uintptr_t)s->died_on;
		break;
	case DO(DEATH_MISTAKEN):
		after->died_on = "";
		break;
	case DO(MERGE):
		after->merged_into = codec_data(s->merged_into);
		break;
	case DO(SPLIT):
		after->merged_into = (ProtobufCBinaryData){ 0 };
		break;
	default:
		break;
	}
	return OK;
}

static int seen_check(const Lm__PersonRecord *record, const struct person_step *s, struct error *e)
{
	if (record && s->action != DO(CREATE) && s->version != record->version)
		return error_set(e, ERR_CONFLICT,
		                 "somebody was faster: the record is at version %u, you saw %u; nothing of yours was "
		                 "lost or sent",
		                 record->version, s->version);
	return OK;
}

/* Here, in words; apply would wait for a record that has not come. */
static int merge_check(struct turn *t, const struct person_step *s, struct error *e)
{
	Lm__PersonRecord *into;
	struct id id;
	if (s->action != DO(MERGE))
		return OK;
	if (s->merged_into.size != ID_BYTES)
		return error_set(e, ERR_INVALID, "merged_into: 32 hexadecimal digits");
	memcpy(id.byte, s->merged_into.data, ID_BYTES);
	int result = person_get(t->txn, id, t->arena, &into);
	if (result)
		return result == ERR_NOT_FOUND ? error_set(e, result, "merged_into: there is no such record here")
		                               : result;
	return strcmp(into->town, node_domain(t->node)->place) == 0
	               ? OK
	               : error_set(e, ERR_DENIED, "merged_into: town %.20s has that record", into->town);
}

int person_step_write(struct turn *t, struct id person, const struct person_step *step, uint32_t *version,
                      struct error *e)
{
	const struct domain *d = node_domain(t->node);
	Lm__PersonPayload payload = LM__PERSON_PAYLOAD__INIT;
	Lm__PersonRecord *record = NULL;
	Lm__PersonFacts facts;
	Lm__Verification verified = LM__VERIFICATION__INIT;
	Lm__Header h = LM__HEADER__INIT;
	struct form_fault fault;
	struct bytes packed;
	struct placed placed;
	const char *place = step->action == DO(HAND_OVER) ? step->town : d->place;
	int result = turn_may_write(t, e);
	if (!result)
		result = reasons_check(step, e);
	if (result)
		return result;
	result = person_get(t->txn, person, t->arena, &record);
	if (result && result != ERR_NOT_FOUND)
		return store_failure(t->txn, e) ? store_failure(t->txn, e) : result;
	record = result ? NULL : record;
	if (record && strcmp(record->town, d->place) != 0)
		return error_set(e, ERR_CLOSED, "town %.20s has this record now: changes are made there", record->town);
	if (person_is_erased(t->txn, person))
		return error_set(e, ERR_CLOSED, "this record was erased");
	result = seen_check(record, step, e);
	if (!result && !record && step->action != DO(CREATE))
		result = error_set(e, ERR_NOT_FOUND, "there is no such record here");
	if (!result)
		result = merge_check(t, step, e);
	if (!result)
		result = facts_after(step, record, &facts, e);
	if (!result && step->action == DO(VERIFY)) {
		verified.time_ms = t->now_ms;
		verified.how = step->how;
		verified.by = (char *)(uintptr_t)step->staff;
		facts.verified = &verified;
		if (!step->how || !protobuf_c_enum_descriptor_get_value(&lm__verified_how__descriptor, (int)step->how))
			result = error_set(e, ERR_INVALID, "how: at a visit, by phone, or at the counter");
	}
	if (!result && step->action == DO(DEATH) && person_check(&facts, d->place, &fault, 1) &&
	    strcmp(fault.field, "died_on") == 0)
		result = error_set(e, ERR_INVALID, "died_on: %s", fault.rule);
	if (result)
		return result;
	payload.action = step->action;
	payload.facts = &facts;
	payload.staff = (char *)(uintptr_t)step->staff;
	payload.reason = (char *)(uintptr_t)step->reason;
	payload.others = step->others;
	payload.n_others = step->other_count;
	result = person_action_check(d, record, &payload, place, e);
	if (!result)
		result = CODEC_PACK(&payload, t->arena, &packed, e);
	if (result)
		return result;
	person_event_header(&person, record, place, &h);
	*version = h.version;
	struct draft draft = { .stream = LM__STREAM__STREAM_UP, .header = &h, .payload = packed, .is_sealed = true };
	return turn_append(t, &draft, &placed, e);
}

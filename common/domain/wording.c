/*
 * Texts that answers begin with. The district publishes some for all desks; a desk keeps others of its own (work.c).
 */
#include <stdio.h>
#include <string.h>

#include "service_check.h"

const struct store_table domain_table_wording = { .name = "wording", .number = 50, .is_projection = true };

/* `places`: how many of the places of letters it may name; PLACES_FREE: it may have braces of its own. */
#define PLACES_FREE SIZE_MAX

static void both_check(struct check *c, const char *name, const Lm__Words *words, size_t most, size_t places)
{
	const char *texts[] = { words ? words->zh : "", words ? words->en : "" };
	for (size_t i = 0; i < 2; i++) {
		char path[16];
		snprintf(path, sizeof path, "%s.%s", name, i ? "en" : "zh");
		if (!texts[i][0])
			fault_add(c, i ? "%s: an English text is missing" : "%s: a Chinese text is missing", path);
		if (strlen(texts[i]) > most)
			fault_add(c, "%s: at most %zu bytes", path, most);
		if (places != PLACES_FREE)
			places_check(c, path, texts[i], places);
	}
}

static size_t check(const Lm__Template *w, size_t places, struct service_fault *faults, size_t most)
{
	struct check c = { faults, most, 0 };
	bool is_decision = w->action == LM__CASE_ACTION__CASE_ACTION_DECIDE;
	if (!service_id_is_good(w->id))
		fault_add(&c, "id: lower case letters, digits, - and _, at most 32");
	if (w->service[0] && !service_id_is_good(w->service))
		fault_add(&c, "service: the id of one, or nothing");
	if (!w->action || !protobuf_c_enum_descriptor_get_value(&lm__case_action__descriptor, (int)w->action))
		fault_add(&c, "action: what the text is for");
	if (is_decision != (w->outcome != LM__OUTCOME__OUTCOME_NONE) ||
	    !protobuf_c_enum_descriptor_get_value(&lm__outcome__descriptor, (int)w->outcome))
		fault_add(&c, "outcome: of a decision, and of nothing else");
	both_check(&c, "name", w->name, WORK_NAME_BYTES_MOST, PLACES_FREE);
	both_check(&c, "plain", w->plain, WORK_TEXT_BYTES_MOST, places);
	both_check(&c, "easy", w->easy, WORK_TEXT_BYTES_MOST, places);
	return c.count;
}

size_t own_wording_check(const Lm__Template *wording, struct service_fault *faults, size_t most)
{
	return check(wording, PLACES_FREE, faults, most);
}

/* ---- the collection ---- */

static const char *wording_key_of(const ProtobufCMessage *content)
{
	return ((const Lm__Template *)content)->id;
}

static const Lm__Words *wording_title_of(const ProtobufCMessage *content)
{
	return ((const Lm__Template *)content)->name;
}

static size_t wording_content_check(const ProtobufCMessage *content, struct service_fault *faults, size_t most)
{
	return check((const Lm__Template *)content, LETTER_PLACES_OF_CASE, faults, most);
}

static struct publication_stamp wording_stamp_of(const ProtobufCMessage *content)
{
	const Lm__Template *w = (const Lm__Template *)content;
	return (struct publication_stamp){ w->revision,   w->goes_back_to, w->published_by,
		                           w->drafted_by, w->n_drafted_by, w->published_ms };
}

static void wording_stamp(ProtobufCMessage *content, const struct publication_stamp *stamp)
{
	static const struct publication_stamp none = { .published_by = "" };
	const struct publication_stamp *s = stamp ? stamp : &none;
	Lm__Template *wording = (Lm__Template *)content;
	wording->revision = s->revision;
	wording->goes_back_to = s->goes_back_to;
	wording->published_by = (char *)(uintptr_t)s->published_by;
	wording->published_ms = s->published_ms;
	wording->drafted_by = (char **)(uintptr_t)s->drafted_by;
	wording->n_drafted_by = s->drafted_by_count;
}

const struct collection collection_wording = {
	.id = LM__COLLECTION__COLLECTION_WORDING,
	.name = "wording",
	.member = "wording",
	.draft_member = "wording_draft",
	.owner = LM__TIER__TIER_DISTRICT,
	.news = DOMAIN_CATALOGUE,
	.type = &lm__template__descriptor,
	.kind = LM__KIND__KIND_WORDING,
	.table = &domain_table_wording,
	.key = wording_key_of,
	.title = wording_title_of,
	.check = wording_content_check,
	.shape = wording_content_check,
	.stamp_of = wording_stamp_of,
	.stamp = wording_stamp,
};

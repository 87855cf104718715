/*
 * Notices of a town to its residents. The town publishes them by the rules of every collection, in its own stream for
 * all; each of its terminals keeps the newest word on each notice, and shows those that name its community until their
 * last day. Which day it is, is asked when they are shown: nothing here reads a clock.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "service_check.h"

#define PARAGRAPHS_MOST 8
#define EASY_MOST 6
#define COMMUNITY_DIGITS 12

const struct store_table domain_table_notice = { .name = "notice", .number = 60, .is_projection = true };

static void paragraphs_shape(struct check *c, const char *list, Lm__Words *const *words, size_t count, size_t most)
{
	if (count > most)
		fault_add(c, "%s: at most %zu", list, most);
	for (size_t i = 0; i < count; i++)
		if (!words[i]->zh[0])
			fault_add(c, "%s[%zu].zh: a Chinese text is missing", list, i);
}

static void places_shape(struct check *c, const Lm__TownNotice *n)
{
	if (!n->n_places || n->n_places > NOTICE_PLACES_MOST)
		fault_add(c, "places: 1 to %d communities", NOTICE_PLACES_MOST);
	for (size_t i = 0; i < n->n_places; i++) {
		const char *place = n->places[i];
		if (strlen(place) != COMMUNITY_DIGITS || strspn(place, "0123456789") != COMMUNITY_DIGITS)
			fault_add(c, "places[%zu]: the %d digits of a community", i, COMMUNITY_DIGITS);
		for (size_t k = 0; k < i; k++)
			if (strcmp(n->places[k], place) == 0)
				fault_add(c, "places[%zu]: %.12s is there twice", i, place);
	}
}

static struct check shape_check(const Lm__TownNotice *n, struct service_fault *faults, size_t most)
{
	struct check c = { faults, most, 0 };
	if (!service_id_is_good(n->id))
		fault_add(&c, "id: lower case letters, digits, - and _, at most 32");
	if (!n->about || !protobuf_c_enum_descriptor_get_value(&lm__notice_about__descriptor, (int)n->about))
		fault_add(&c, "about: an activity, a service or a closing");
	if (!n->name || !n->name->zh[0])
		fault_add(&c, "name.zh: a Chinese text is missing");
	if (!n->n_text)
		fault_add(&c, "text: at least one paragraph");
	paragraphs_shape(&c, "text", n->text, n->n_text, PARAGRAPHS_MOST);
	paragraphs_shape(&c, "easy", n->easy, n->n_easy, EASY_MOST);
	places_shape(&c, n);
	if (!clock_date_read(n->until, NULL))
		fault_add(&c, "until: a day like 2026-12-31");
	return c;
}

static size_t notice_shape(const ProtobufCMessage *content, struct service_fault *faults, size_t most)
{
	const Lm__TownNotice *n = (const Lm__TownNotice *)content;
	struct check c = shape_check(n, faults, most);
	if (!n->is_withdrawn && !n->n_drafted_by)
		fault_add(&c, "drafted_by: somebody else than who publishes it wrote it");
	return c.count;
}

static size_t notice_check(const ProtobufCMessage *content, struct service_fault *faults, size_t most)
{
	struct check c = shape_check((const Lm__TownNotice *)content, faults, most);
	notice_texts_check(&c, (const Lm__TownNotice *)content);
	return c.count;
}

/* ---- whom it is for ---- */

static bool notice_reaches(const ProtobufCMessage *content, const char *place)
{
	const Lm__TownNotice *n = (const Lm__TownNotice *)content;
	for (size_t i = 0; i < n->n_places; i++)
		if (place_contains(n->places[i], place))
			return true;
	return false;
}

struct shown { /* notices_shown under way */
	const char *place;
	int64_t day;
	bool (*visit)(void *context, Lm__TownNotice *notice);
	void *context;
};

static bool shown_visit(void *context, ProtobufCMessage *newest)
{
	const struct shown *s = context;
	Lm__TownNotice *n = (Lm__TownNotice *)newest;
	int64_t last;
	if (n->is_withdrawn || !clock_date_read(n->until, &last) || last < s->day || !notice_reaches(newest, s->place))
		return true;
	return s->visit(s->context, n);
}

int notices_shown(struct store_txn *txn, const char *place, int64_t day, struct arena *arena,
                  bool (*visit)(void *context, Lm__TownNotice *notice), void *context)
{
	struct shown s = { place, day, visit, context };
	return content_each(txn, &collection_notice, arena, shown_visit, &s);
}

/* ---- what is kept: of more than NOTICES_KEPT the one goes that ends first ---- */

struct first { /* to end, but for the one that came */
	const char *but, *id;
	int64_t day;
	size_t count;
};

static bool first_visit(void *context, ProtobufCMessage *newest)
{
	struct first *f = context;
	const Lm__TownNotice *n = (const Lm__TownNotice *)newest;
	int64_t day = 0;
	f->count++;
	clock_date_read(n->until, &day);
	if (strcmp(n->id, f->but) != 0 && (!f->id || day < f->day)) {
		f->id = n->id;
		f->day = day;
	}
	return true;
}

static int notice_taken(struct apply *a, const ProtobufCMessage *content)
{
	const Lm__TownNotice *n = (const Lm__TownNotice *)content;
	struct first f = { .but = n->id };
	if (a->d->tier == LM__TIER__TIER_TOWN)
		for (size_t i = 0; i < n->n_places; i++)
			if (!place_contains(a->d->place, n->places[i]))
				return error_set(a->e, ERR_INVALID, "places[%zu]: %.12s is no community of this town",
				                 i, n->places[i]);
	int result = content_each(a->txn, &collection_notice, a->arena, first_visit, &f);
	return result || f.count <= NOTICES_KEPT ? result : content_forget(a, &collection_notice, f.id);
}

/* ---- the collection ---- */

static const char *notice_key_of(const ProtobufCMessage *content)
{
	return ((const Lm__TownNotice *)content)->id;
}

static const Lm__Words *notice_title_of(const ProtobufCMessage *content)
{
	return ((const Lm__TownNotice *)content)->name;
}

static void notice_withdraw(ProtobufCMessage *content)
{
	((Lm__TownNotice *)content)->is_withdrawn = true;
}

static struct publication_stamp notice_stamp_of(const ProtobufCMessage *content)
{
	const Lm__TownNotice *n = (const Lm__TownNotice *)content;
	return (struct publication_stamp){ n->revision,   n->goes_back_to, n->published_by,
		                           n->drafted_by, n->n_drafted_by, n->published_ms };
}

static void notice_stamp(ProtobufCMessage *content, const struct publication_stamp *stamp)
{
	static const struct publication_stamp none = { .published_by = "" };
	const struct publication_stamp *s = stamp ? stamp : &none;
	Lm__TownNotice *notice = (Lm__TownNotice *)content;
	notice->revision = s->revision;
	notice->goes_back_to = s->goes_back_to;
	notice->published_by = (char *)(uintptr_t)s->published_by;
	notice->published_ms = s->published_ms;
	notice->drafted_by = (char **)(uintptr_t)s->drafted_by;
	notice->n_drafted_by = s->drafted_by_count;
}

const struct collection collection_notice = {
	.id = LM__COLLECTION__COLLECTION_NOTICE,
	.name = "notice",
	.member = "notice",
	.draft_member = "notice_draft",
	.owner = LM__TIER__TIER_TOWN,
	.news = DOMAIN_NOTICE,
	.type = &lm__town_notice__descriptor,
	.kind = LM__KIND__KIND_NOTICE,
	.table = &domain_table_notice,
	.key = notice_key_of,
	.title = notice_title_of,
	.check = notice_check,
	.shape = notice_shape,
	.stamp_of = notice_stamp_of,
	.stamp = notice_stamp,
	.taken = notice_taken,
	.reaches = notice_reaches,
	.withdraw = notice_withdraw,
};

/*
 * Which days are worked. Monday to Friday, but for what the State Council's notice of the year says; a year without its
 * notice promises no date.
 *
 * Sources: Civil Code of the PRC (2021-01-01), art. 201 (the day on which a term begins does not count), art. 203 (it
 * ends at 24:00 of its last day). The notices stand in each calendar's `basis`.
 */
#include <string.h>

#include "base/clock.h"
#include "service_check.h"

#define OFF_MOST 16
#define OFF_DAYS_MOST 16 /* of one holiday */
#define MAKE_UP_MOST 16
#define YEAR_LEAST 2000
#define YEAR_MOST 2199

/* ---- what a calendar says, checked ---- */

static bool is_weekend(int64_t day)
{
	int64_t of_week = ((day + 4) % 7 + 7) % 7; /* 0: Sunday */
	return of_week == 0 || of_week == 6;
}

static int year_of(const char *text)
{
	int year = 0;
	if (strlen(text) != 4 || strspn(text, "0123456789") != 4)
		return 0;
	for (size_t i = 0; i < 4; i++)
		year = year * 10 + text[i] - '0';
	return year >= YEAR_LEAST && year <= YEAR_MOST ? year : 0;
}

/* A holiday at New Year may begin in the December before. */
static bool is_of_year(int64_t day, int year)
{
	return clock_year_of_day(day) == year ||
	       (clock_year_of_day(day) == year - 1 && clock_year_of_day(day + OFF_DAYS_MOST) == year);
}

static bool off_has(const Lm__DaysOff *off, int64_t day)
{
	int64_t from, to;
	return clock_date_read(off->from, &from) && clock_date_read(off->to, &to) && day >= from && day <= to;
}

static void off_check(struct check *c, const Lm__Calendar *calendar, int year, size_t i)
{
	const Lm__DaysOff *off = calendar->off[i];
	int64_t from, to;
	if (!off->name || !off->name->zh[0] || !off->name->en[0])
		fault_add(c, "off[%zu].name: a Chinese and an English name are needed", i);
	if (!clock_date_read(off->from, &from) || !is_of_year(from, year)) {
		fault_add(c, "off[%zu].from: a day like %d-02-15", i, year);
		return;
	}
	if (!clock_date_read(off->to, &to) || !is_of_year(to, year) || to < from || to - from >= OFF_DAYS_MOST) {
		fault_add(c, "off[%zu].to: the last day, at most %d days from the first", i, OFF_DAYS_MOST);
		return;
	}
	for (size_t k = 0; k < i; k++)
		if (off_has(calendar->off[k], from) || off_has(calendar->off[k], to))
			fault_add(c, "off[%zu]: meets off[%zu]", i, k);
}

static void make_up_check(struct check *c, const Lm__Calendar *calendar, int year, size_t i)
{
	int64_t day;
	if (!clock_date_read(calendar->make_up[i], &day) || !is_of_year(day, year)) {
		fault_add(c, "make_up[%zu]: a day like %d-02-14", i, year);
		return;
	}
	if (!is_weekend(day))
		fault_add(c, "make_up[%zu]: %s is neither Saturday nor Sunday", i, calendar->make_up[i]);
	for (size_t k = 0; k < calendar->n_off; k++)
		if (off_has(calendar->off[k], day))
			fault_add(c, "make_up[%zu]: %s is off", i, calendar->make_up[i]);
	for (size_t k = 0; k < i; k++)
		if (strcmp(calendar->make_up[k], calendar->make_up[i]) == 0)
			fault_add(c, "make_up[%zu]: %s is there twice", i, calendar->make_up[i]);
}

static size_t calendar_check(const Lm__Calendar *calendar, struct service_fault *faults, size_t most)
{
	struct check c = { faults, most, 0 };
	int year = year_of(calendar->year);
	if (!year) {
		fault_add(&c, "year: four digits, from %d to %d", YEAR_LEAST, YEAR_MOST);
		return c.count;
	}
	if (!calendar->basis)
		fault_add(&c, "basis: the notice that says so is needed");
	else
		basis_check(&c, "basis", calendar->basis);
	if (!calendar->n_off || calendar->n_off > OFF_MOST)
		fault_add(&c, "off: 1 to %d holidays", OFF_MOST);
	if (calendar->n_make_up > MAKE_UP_MOST)
		fault_add(&c, "make_up: at most %d days", MAKE_UP_MOST);
	for (size_t i = 0; i < calendar->n_off && i < OFF_MOST; i++)
		off_check(&c, calendar, year, i);
	for (size_t i = 0; i < calendar->n_make_up && i < MAKE_UP_MOST; i++)
		make_up_check(&c, calendar, year, i);
	return c.count;
}

/* ---- the collection ---- */

static const char *calendar_key_of(const ProtobufCMessage *content)
{
	return ((const Lm__Calendar *)content)->year;
}

static size_t calendar_content_check(const ProtobufCMessage *content, struct service_fault *faults, size_t most)
{
	return calendar_check((const Lm__Calendar *)content, faults, most);
}

static struct publication_stamp calendar_stamp_of(const ProtobufCMessage *content)
{
	const Lm__Calendar *c = (const Lm__Calendar *)content;
	return (struct publication_stamp){ c->revision,   c->goes_back_to, c->published_by,
		                           c->drafted_by, c->n_drafted_by, c->published_ms };
}

static void calendar_stamp(ProtobufCMessage *content, const struct publication_stamp *stamp)
{
	static const struct publication_stamp none = { .published_by = "" };
	const struct publication_stamp *s = stamp ? stamp : &none;
	Lm__Calendar *calendar = (Lm__Calendar *)content;
	calendar->revision = s->revision;
	calendar->goes_back_to = s->goes_back_to;
	calendar->published_by = (char *)(uintptr_t)s->published_by;
	calendar->published_ms = s->published_ms;
	calendar->drafted_by = (char **)(uintptr_t)s->drafted_by;
	calendar->n_drafted_by = s->drafted_by_count;
}

const struct collection collection_calendar = {
	.id = LM__COLLECTION__COLLECTION_CALENDAR,
	.name = "calendar",
	.member = "calendar",
	.draft_member = "calendar_draft",
	.owner = LM__TIER__TIER_DISTRICT,
	.news = DOMAIN_CATALOGUE,
	.type = &lm__calendar__descriptor,
	.kind = LM__KIND__KIND_CALENDAR,
	.table = &domain_table_calendar,
	.key = calendar_key_of,
	.check = calendar_content_check,
	.shape = calendar_content_check,
	.stamp_of = calendar_stamp_of,
	.stamp = calendar_stamp,
};

/* ---- terms ---- */

struct loading {
	struct working_days *days;
	struct arena *arena;
	bool is_short;
};

static bool range_add(struct working_days *d, const char *from, const char *to, bool is_off)
{
	struct day_range *r = &d->ranges[d->range_count];
	bool is_good = clock_date_read(from, &r->from) && clock_date_read(to, &r->to);
	r->is_off = is_off;
	d->range_count += is_good;
	return is_good;
}

static bool year_visit(void *context, ProtobufCMessage *newest)
{
	struct loading *l = context;
	struct working_days *d = l->days;
	const Lm__Calendar *c = (const Lm__Calendar *)newest;
	struct day_range *grown = arena_alloc(l->arena, (d->range_count + c->n_off + c->n_make_up + 1) * sizeof *grown);
	int *years = arena_alloc(l->arena, (d->year_count + 1) * sizeof *years);
	l->is_short |= !grown || !years;
	if (l->is_short)
		return false;
	if (d->year_count) {
		memcpy(grown, d->ranges, d->range_count * sizeof *grown);
		memcpy(years, d->years, d->year_count * sizeof *years);
	}
	d->ranges = grown;
	d->years = years;
	d->years[d->year_count++] = year_of(c->year);
	for (size_t i = 0; i < c->n_off; i++)
		range_add(d, c->off[i]->from, c->off[i]->to, true);
	for (size_t i = 0; i < c->n_make_up; i++)
		range_add(d, c->make_up[i], c->make_up[i], false);
	return true;
}

int working_days_load(struct store_txn *txn, struct arena *arena, struct working_days *out)
{
	struct loading l = { out, arena, false };
	memset(out, 0, sizeof *out);
	int result = content_each(txn, &collection_calendar, arena, year_visit, &l);
	return !result && l.is_short ? store_fail(txn, ERR_MEMORY, "no memory for the calendars") : result;
}

/* What a notice says of a day counts, whichever year's it is: New Year's may speak of the December before. */
static bool day_is_worked(const struct working_days *d, int64_t day)
{
	bool is_off = is_weekend(day);
	for (size_t i = 0; i < d->range_count; i++)
		if (day >= d->ranges[i].from && day <= d->ranges[i].to)
			is_off = d->ranges[i].is_off;
	return !is_off;
}

static bool year_is_known(const struct working_days *d, int year)
{
	for (size_t i = 0; i < d->year_count; i++)
		if (d->years[i] == year)
			return true;
	return false;
}

int term_end(const struct working_days *d, int64_t start_ms, uint32_t days, int64_t *end_ms, int *unknown_year)
{
	int64_t day = clock_shanghai_day(start_ms);
	for (uint32_t left = days; left;) {
		*unknown_year = clock_year_of_day(++day);
		if (!year_is_known(d, *unknown_year))
			return ERR_NOT_FOUND;
		left -= day_is_worked(d, day);
	}
	*end_ms = clock_shanghai_day_end_ms(day);
	return OK;
}

uint32_t term_days(const struct working_days *d, int64_t from_ms, int64_t to_ms)
{
	uint32_t count = 0;
	int64_t last = clock_shanghai_day(to_ms);
	for (int64_t day = clock_shanghai_day(from_ms) + 1; day <= last && count < TERM_DAYS_MOST; day++)
		count += day_is_worked(d, day);
	return count;
}

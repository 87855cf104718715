/* A report as it leaves the house: one table of texts, written as CSV or as PDF. What is small stands in neither. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/csv.h"
#include "paper/paper.h"
#include "reports.h"

#define COLUMNS_MOST (REPORT_MEASURES_MOST + 1)

struct sheet {
	const struct report_taking *taking;
	struct arena *arena;
	struct paper_part parts[PAPER_PARTS_MOST];
	size_t count;
	bool is_short; /* of memory */
};

static const char *words_in(const struct sheet *s, const Lm__Words *w)
{
	return !w ? "" : s->taking->is_english ? w->en : w->zh;
}

static const char *kept(struct sheet *s, const char *text)
{
	s->is_short |= !text;
	return text ? text : "";
}

static struct paper_part *part_add(struct sheet *s, enum paper_kind kind, const char *label, const char *text)
{
	struct paper_part *p = &s->parts[s->count++]; /* REPORT_ROWS_MOST rows twice, and few beside */
	*p = (struct paper_part){ .kind = kind, .label = label, .text = text };
	return p;
}

_Static_assert(2 * (REPORT_ROWS_MOST + 2) + 20 <= PAPER_PARTS_MOST, "a report fits on paper");

static void fact_add(struct sheet *s, const Lm__Words *label, const char *text)
{
	part_add(s, PAPER_FACT, words_in(s, label), kept(s, text));
}

static const char **cells_add(struct sheet *s, size_t measures)
{
	const char **cells = arena_alloc(s->arena, (measures + 1) * sizeof *cells);
	struct paper_part *p = part_add(s, PAPER_ROW, "", "");
	p->cells = cells;
	p->cell_count = cells ? measures + 1 : 0;
	s->is_short |= !cells;
	return cells;
}

static const char *cell_text(struct sheet *s, const struct report_cell *c)
{
	return c->mark == REPORT_IS_SMALL      ? "<5"
	       : c->mark == REPORT_IS_WITHHELD ? "*"
	                                       : kept(s, arena_format(s->arena, "%" PRIu64, c->count));
}

_Static_assert(REPORT_SMALL == 5, "the mark says how many");

/* What was shown before and is now; neither can be worked out from the other. */
static const char *change_text(struct sheet *s, const struct report_cell *before, const struct report_cell *now)
{
	if (before->mark != REPORT_SHOWN || now->mark != REPORT_SHOWN)
		return "*";
	if (before->count == now->count)
		return "0";
	return kept(s, arena_format(s->arena, "%" PRIu64 " → %" PRIu64, before->count, now->count));
}

static report_line *marks_of(struct sheet *s, const Lm__ReportContent *content)
{
	report_line *cells = arena_alloc(s->arena, (content->n_rows + 1) * sizeof *cells);
	s->is_short |= !cells;
	if (cells)
		report_marks(content, cells);
	return cells;
}

static void head_add(struct sheet *s, const Lm__ReportDefinition *d)
{
	const char **cells = cells_add(s, d->n_measures);
	for (size_t k = 0; cells && k <= d->n_measures; k++)
		cells[k] = k ? words_in(s, report_measure_words(s->taking->file, d->measures[k - 1])) : "";
}

static const char *row_name(struct sheet *s, const Lm__ReportContent *c, size_t row)
{
	return words_in(s, row < c->n_rows ? c->rows[row]->name : s->taking->file->total);
}

static void numbers_add(struct sheet *s, const Lm__ReportContent *c, report_line *now)
{
	head_add(s, c->definition);
	for (size_t i = 0; i <= c->n_rows; i++) {
		const char **cells = cells_add(s, c->definition->n_measures);
		for (size_t k = 0; cells && k <= c->definition->n_measures; k++)
			cells[k] = k ? cell_text(s, &now[i][k - 1]) : row_name(s, c, i);
	}
}

static const struct report_cell *cell_before(const Lm__ReportContent *c, report_line *cells, const char *key, size_t k)
{
	static const struct report_cell none = { 0, REPORT_IS_SMALL };
	for (size_t i = 0; key && i < c->n_rows; i++)
		if (strcmp(c->rows[i]->key, key) == 0)
			return &cells[i][k];
	return key ? &none : &cells[c->n_rows][k];
}

static void changes_add(struct sheet *s, const Lm__ReportContent *c, report_line *now)
{
	const Lm__ReportContent *old = s->taking->before->sending->content;
	report_line *before = marks_of(s, old);
	if (!before)
		return;
	part_add(s, PAPER_HEADING, "", words_in(s, s->taking->file->changes));
	head_add(s, c->definition);
	for (size_t i = 0; i <= c->n_rows; i++) {
		const char **cells = cells_add(s, c->definition->n_measures);
		const char *key = i < c->n_rows ? c->rows[i]->key : NULL;
		for (size_t k = 0; cells && k <= c->definition->n_measures; k++)
			cells[k] = k ? change_text(s, cell_before(old, before, key, k - 1), &now[i][k - 1])
			             : row_name(s, c, i);
	}
}

static const char *stamp(struct sheet *s, const char *by, int64_t time_ms)
{
	char time[CLOCK_TEXT_BYTES];
	clock_format_shanghai(time_ms, time);
	return arena_format(s->arena, "%s, %s", by, time);
}

static void sheet_fill(struct sheet *s)
{
	const struct report_taking *t = s->taking;
	const Lm__ReportSending *sending = t->record->sending;
	const Lm__ReportContent *c = sending->content;
	const Lm__ReportDefinition *d = c->definition;
	report_line *now = marks_of(s, c);
	if (!now)
		return;
	part_add(s, PAPER_TITLE, "", words_in(s, d->name));
	fact_add(s, t->file->period, c->period);
	fact_add(s, t->file->version, arena_format(s->arena, "%u", sending->version));
	if (sending->reason[0])
		fact_add(s, t->file->reason, sending->reason);
	fact_add(s, t->file->source, d->is_sample ? words_in(s, t->file->sample) : d->source);
	fact_add(s, t->file->sent, stamp(s, t->record->by, t->record->time_ms));
	fact_add(s, t->file->taken, stamp(s, t->by, t->time_ms));
	numbers_add(s, c, now);
	if (t->before && report_is_alike(t->before->sending->content, c))
		changes_add(s, c, now);
	part_add(s, PAPER_TEXT, "", words_in(s, t->file->withheld));
}

static int csv_make(const struct sheet *s, struct arena *arena, struct bytes *out, struct error *e)
{
	struct buffer text = { 0 };
	int result = buffer_append(&text, bytes_from_text(CSV_BEGIN));
	for (size_t i = 0; i < s->count && !result; i++) {
		const struct paper_part *p = &s->parts[i];
		const char *const fact[] = { p->label, p->text };
		if (p->kind == PAPER_ROW)
			result = csv_line(&text, p->cells, p->cell_count);
		else
			result = p->kind == PAPER_FACT ? csv_line(&text, fact, 2) : csv_line(&text, &p->text, 1);
	}
	void *copy = result ? NULL : arena_copy(arena, text.data, text.size);
	*out = BYTES(copy, copy ? text.size : 0);
	buffer_release(&text);
	return copy ? OK : error_set(e, ERR_MEMORY, "no memory for the file");
}

int report_file_make(const struct report_taking *t, struct arena *arena, struct bytes *out, struct error *e)
{
	struct sheet *s = arena_alloc(arena, sizeof *s);
	if (!s)
		return error_set(e, ERR_MEMORY, "no memory for the file");
	*s = (struct sheet){ .taking = t, .arena = arena };
	sheet_fill(s);
	if (s->is_short)
		return error_set(e, ERR_MEMORY, "no memory for the file");
	if (t->format == LM__REPORT_FORMAT__REPORT_FORMAT_CSV)
		return csv_make(s, arena, out, e);
	struct paper paper = { .title = s->parts[0].text,
		               .language = t->is_english ? "en" : "zh-CN",
		               .foot = words_in(s, t->file->foot),
		               .time_ms = t->time_ms,
		               .parts = s->parts,
		               .part_count = s->count };
	return paper_pdf(&paper, arena, out, e);
}

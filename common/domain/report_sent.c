/* Reports that were sent: they stay as they were; and what of their numbers may leave the house. */
#include <string.h>

#include "inside.h"

#define MEASURE(name) LM__REPORT_MEASURE__REPORT_MEASURE_##name

const struct store_table domain_table_report = { .name = "report", .number = 52, .is_projection = true };

int report_hash(const Lm__ReportContent *content, struct arena *arena, struct hash *out, struct error *e)
{
	struct bytes parts[] = { bytes_from_text("lm report v1"), { 0 } };
	int result = CODEC_PACK(content, arena, &parts[1], e);
	return result ? result : crypto_hash(SUITE_INTERNATIONAL, parts, 2, out, e);
}

/* ---- what is withheld ---- */

static bool is_part(Lm__ReportMeasure m)
{
	return m == MEASURE(GRANTED) || m == MEASURE(PARTLY_GRANTED) || m == MEASURE(REFUSED);
}

/* Whoever knows the total knows the sum of what is not shown. It says nothing about one small number as long as that
 * could be 0 to 4 for all that is known of the others: that one at least is not small, and of these no more than that.
 * Rows are taken in their order, which tells nothing of their numbers. */
static void column_mark(report_line *cells, size_t rows, size_t column)
{
	uint64_t hidden = 0, withheld = 0;
	bool has_small = false;
	for (size_t i = 0; i <= rows; i++) {
		struct report_cell *c = &cells[i][column];
		c->mark = c->count < REPORT_SMALL ? REPORT_IS_SMALL : REPORT_SHOWN;
		if (i < rows && c->mark == REPORT_IS_SMALL) {
			has_small = true;
			hidden += c->count;
		}
	}
	if (!has_small || cells[rows][column].mark == REPORT_IS_SMALL)
		return;
	for (size_t i = 0; i < rows && (!withheld || hidden - withheld * REPORT_SMALL < REPORT_SMALL - 1); i++)
		if (cells[i][column].mark == REPORT_SHOWN) {
			cells[i][column].mark = REPORT_IS_WITHHELD;
			hidden += cells[i][column].count;
			withheld++;
		}
	if (!withheld || hidden - withheld * REPORT_SMALL < REPORT_SMALL - 1)
		cells[rows][column].mark = REPORT_IS_WITHHELD;
}

/* The sum of three is shown where all three are. */
static void sums_mark(const Lm__ReportDefinition *d, report_line *cells, size_t rows, size_t column)
{
	for (size_t i = 0; i <= rows; i++) {
		cells[i][column].mark = cells[i][column].count < REPORT_SMALL ? REPORT_IS_SMALL : REPORT_SHOWN;
		for (size_t k = 0; k < d->n_measures; k++)
			if (is_part(d->measures[k]) && cells[i][k].mark != REPORT_SHOWN &&
			    cells[i][column].mark == REPORT_SHOWN)
				cells[i][column].mark = REPORT_IS_WITHHELD;
	}
}

void report_marks(const Lm__ReportContent *content, report_line *cells)
{
	const Lm__ReportDefinition *d = content->definition;
	size_t rows = content->n_rows, sum = d->n_measures;
	bool has_parts = false;
	memset(cells, 0, (rows + 1) * sizeof *cells);
	for (size_t k = 0; k < d->n_measures; k++) {
		for (size_t i = 0; i < rows; i++) {
			cells[i][k].count = content->rows[i]->counts[k];
			cells[rows][k].count += content->rows[i]->counts[k];
		}
		has_parts |= is_part(d->measures[k]);
		if (d->measures[k] == MEASURE(DECIDED))
			sum = k;
	}
	for (size_t k = 0; k < d->n_measures; k++)
		if (k != sum || !has_parts)
			column_mark(cells, rows, k);
	if (sum < d->n_measures && has_parts)
		sums_mark(d, cells, rows, sum);
}

/* ---- sent ---- */

static struct bytes report_key(const char *id, const char *period, uint32_t version,
                               uint8_t memory[STORE_KEY_BYTES_MOST])
{
	struct writer w = writer_over(memory, STORE_KEY_BYTES_MOST);
	write_bytes(&w, bytes_from_text(id));
	write_u8(&w, 0);
	write_bytes(&w, bytes_from_text(period));
	write_u8(&w, 0);
	write_u32(&w, version);
	return BYTES(memory, w.failed ? 0 : w.size);
}

int report_get(struct store_txn *txn, const char *id, const char *period, uint32_t version, struct arena *arena,
               Lm__ReportRecord **out)
{
	uint8_t memory[STORE_KEY_BYTES_MOST];
	int result = ERR_NOT_FOUND;
	Lm__ReportRecord *found;
	if (version)
		return row_get(txn, &domain_table_report, report_key(id, period, version, memory),
		               &lm__report_record__descriptor, arena, out);
	for (uint32_t next = 1;; next++) { /* corrections are few */
		int got = row_get(txn, &domain_table_report, report_key(id, period, next, memory),
		                  &lm__report_record__descriptor, arena, &found);
		if (got == ERR_NOT_FOUND)
			return result;
		if (got)
			return got;
		*out = found;
		result = OK;
	}
}

static bool content_is_good(const Lm__ReportContent *c)
{
	int64_t start_ms, end_ms;
	bool is_good = c && c->definition && service_id_is_good(c->definition->id) && c->definition->name &&
	               report_period_read(c->definition->period, c->period, &start_ms, &end_ms) &&
	               c->definition->n_measures <= REPORT_MEASURES_MOST && c->n_rows <= REPORT_ROWS_MOST;
	for (size_t i = 0; is_good && i < c->n_rows; i++)
		is_good = c->rows[i]->n_counts == c->definition->n_measures && c->rows[i]->name;
	return is_good;
}

static int sending_apply(struct apply *a, const Lm__ReportPayload *p)
{
	Lm__ReportSending *s = p->sending;
	Lm__ReportRecord *last, row = LM__REPORT_RECORD__INIT;
	uint8_t memory[STORE_KEY_BYTES_MOST];
	struct hash hash;
	if (!content_is_good(s->content) || strlen(s->reason) > REPORT_REASON_BYTES_MOST)
		return error_set(a->e, ERR_INVALID, "this is no report that can be sent");
	int result = report_get(a->txn, s->content->definition->id, s->content->period, 0, a->arena, &last);
	if (result && result != ERR_NOT_FOUND)
		return result;
	if (s->version != (result ? 1 : last->sending->version + 1))
		return error_set(a->e, ERR_CONFLICT, "this report was sent meanwhile: look at it again");
	if (s->version > 1 && !s->reason[0])
		return error_set(a->e, ERR_INVALID, "reason: a correction says why");
	result = report_hash(s->content, a->arena, &hash, a->e);
	if (!result && !bytes_equal(codec_bytes(s->hash), BYTES_OF(hash)))
		result = error_set(a->e, ERR_INVALID, "the report's numbers are not those of its hash");
	if (result)
		return result;
	row.sending = s;
	row.by = p->by;
	row.time_ms = a->item->header->time_ms;
	return row_put(a, &domain_table_report,
	               report_key(s->content->definition->id, s->content->period, s->version, memory), &row.base);
}

int apply_report(struct apply *a)
{
	Lm__ReportPayload *p;
	Lm__ReportRecord *record;
	int result = CODEC_UNPACK(lm__report_payload, a->item->plain, a->arena, &p, a->e);
	if (result)
		return result;
	if (!p->by[0] || strlen(p->by) > LOOK_BY_BYTES_MOST || !p->sending == !p->taking)
		return error_set(a->e, ERR_INVALID, "a report is sent or taken, by somebody");
	if (p->sending)
		return sending_apply(a, p);
	if (!p->taking->version || strlen(p->taking->id) + strlen(p->taking->period) > STORE_KEY_BYTES_MOST - 8)
		return error_set(a->e, ERR_INVALID, "this names no report");
	result = report_get(a->txn, p->taking->id, p->taking->period, p->taking->version, a->arena, &record);
	return result == ERR_NOT_FOUND ? error_set(a->e, ERR_INVALID, "this report was not sent") : result;
}

/*
 * Terms: what a service promised for each of its steps, in working days, and until when a case that was handed over is
 * to be accepted. A term begins when the town or the district
 * took the request up, or when the step before was done, and stands still while the resident is asked.
 */
#include "base/clock.h"
#include "inside.h"

void term_fill(const Lm__CaseRecord *record, const Lm__Service *service, const struct working_days *days,
               Lm__CaseRow *row)
{
	row->steps = (uint32_t)service->n_steps;
	if (case_state_is_closed(record->state) || record->step >= service->n_steps)
		return;
	const Lm__Step *step = service->steps[record->step];
	row->step = record->step + 1;
	row->step_text = step->text;
	if (!step->working_days || record->is_objected)
		return; /* no step of the service says how long an objection takes */
	row->is_due_sample = step->is_sample;
	if (record->state == LM__CASE_STATE__CASE_STATE_ASKED) {
		row->term = LM__CASE_TERM__CASE_TERM_PAUSED;
		return;
	}
	uint32_t paused = 0;
	for (size_t i = 0; i < record->n_pauses; i++)
		paused += term_days(days, record->pauses[i]->from_ms, record->pauses[i]->to_ms);
	int unknown_year;
	int64_t begun_ms = record->step_ms ? record->step_ms : record->received_ms;
	if (!term_end(days, begun_ms, step->working_days + paused, &row->due_ms, &unknown_year)) {
		row->term = LM__CASE_TERM__CASE_TERM_RUNS;
		row->is_overdue = row->due_ms <= clock_wall_ms();
	} else {
		row->term = LM__CASE_TERM__CASE_TERM_UNKNOWN;
		row->unknown_year = (uint32_t)unknown_year;
	}
}

int64_t take_by_ms(const Lm__CaseRecord *record, const struct working_days *days, int64_t count)
{
	int64_t end_ms = 0;
	int unknown_year;
	bool waits = record->handed == LM__HANDED_OVER__HANDED_OVER_WAITS;
	return waits && !term_end(days, record->handed_ms, (uint32_t)count, &end_ms, &unknown_year) ? end_ms : 0;
}

bool case_is_overdue(const Lm__CaseRecord *record, const Lm__Service *service, const struct working_days *days,
                     int64_t now_ms)
{
	Lm__CaseRow row = LM__CASE_ROW__INIT;
	term_fill(record, service, days, &row);
	return row.term == LM__CASE_TERM__CASE_TERM_RUNS && row.due_ms <= now_ms;
}

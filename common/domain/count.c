/*
 * Totals at the district, per town and service. Moved by the difference a case makes, so that they never drift from
 * the cases and a rebuild comes to the same numbers.
 */
#include <string.h>

#include "inside.h"

static void count_case(Lm__CountRecord *c, const Lm__CaseRecord *r, bool is_plus)
{
	uint64_t by = is_plus ? 1 : UINT64_MAX; /* unsigned wrap: adding it takes one off */
	c->received += by;
	if (!case_state_is_closed(r->state))
		c->open += by;
	else if (r->state == LM__CASE_STATE__CASE_STATE_WITHDRAWN)
		c->withdrawn += by;
	else if (r->state == LM__CASE_STATE__CASE_STATE_DUPLICATE)
		c->duplicate += by;
	else if (r->outcome == LM__OUTCOME__OUTCOME_GRANTED)
		c->granted += by;
	else if (r->outcome == LM__OUTCOME__OUTCOME_PARTLY_GRANTED)
		c->partly_granted += by;
	else
		c->refused += by;
	uint64_t *const ratings[] = { &c->very_good, &c->good, &c->fair, &c->bad, &c->very_bad };
	if (r->rating)
		*ratings[r->rating - LM__RATING__RATING_VERY_GOOD] += by;
}

static struct bytes count_key(const Lm__CaseRecord *r, uint8_t memory[STORE_KEY_BYTES_MOST])
{
	struct writer w = writer_over(memory, STORE_KEY_BYTES_MOST);
	write_bytes(&w, bytes_from_text(r->town));
	write_u8(&w, 0);
	write_bytes(&w, bytes_from_text(r->service));
	return BYTES(memory, w.failed ? 0 : w.size);
}

int count_move(struct apply *a, const Lm__CaseRecord *before, const Lm__CaseRecord *after)
{
	if (a->d->tier != LM__TIER__TIER_DISTRICT)
		return OK;
	uint8_t memory[STORE_KEY_BYTES_MOST];
	struct bytes key = count_key(after, memory);
	Lm__CountRecord *known, fresh = LM__COUNT_RECORD__INIT;
	int result = row_get(a->txn, &domain_table_count, key, &lm__count_record__descriptor, a->arena, &known);
	if (result == ERR_NOT_FOUND)
		known = &fresh;
	else if (result)
		return result;
	if (before)
		count_case(known, before, false);
	count_case(known, after, true);
	result = row_put(a, &domain_table_count, key, &known->base);
	return result ? result : effect_add(a, (struct domain_effect){ .type = DOMAIN_TOTALS });
}

int count_each(struct store_txn *txn, struct arena *arena,
               bool (*visit)(void *context, const char *town, const char *service, const Lm__CountRecord *record),
               void *context)
{
	struct store_cursor *c;
	struct bytes key, value;
	int result = store_cursor_open(txn, &domain_table_count, &c);
	if (result)
		return result;
	result = store_cursor_first(c, arena, &key, &value);
	while (!result) {
		Lm__CountRecord *record = NULL;
		const uint8_t *split = memchr(key.data, 0, key.size);
		result = split ? row_unpack(txn, &domain_table_count, &lm__count_record__descriptor, value, arena,
		                            &record)
		               : store_fail(txn, ERR_DAMAGED, "a total has a key without a town");
		if (result)
			break;
		const char *town = arena_text(arena, (const char *)key.data);
		const char *service = arena_format(arena, "%.*s", (int)(key.size - (size_t)(split + 1 - key.data)),
		                                   (const char *)split + 1);
		if (!town || !service)
			result = store_fail(txn, ERR_MEMORY, "no memory for the totals");
		if (result || !visit(context, town, service, record))
			break;
		result = store_cursor_next(c, arena, &key, &value);
	}
	store_cursor_close(c);
	return result == ERR_NOT_FOUND ? OK : result;
}

/* Whether a mark is true: looked up inside, at whom it is about, at the very moment. Whoever is down is believed. */
#include "inside.h" /* of the room node */
#include "sim.h"

bool site_has_case(const struct site *s, const char *request)
{
	struct store_txn *txn;
	struct id id;
	if (!s->node || s->is_dying || hex_decode(request, id.byte, ID_BYTES) ||
	    store_begin_read(s->node->store, &txn, NULL))
		return true;
	bool has = store_has(txn, &domain_table_case, BYTES_OF(id.byte)) || store_failure(txn, NULL);
	store_abort(txn);
	return has;
}

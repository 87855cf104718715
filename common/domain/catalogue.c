/*
 * The catalogue in force: every revision of every service, as it was published.
 */
#include <string.h>

#include "inside.h"

static struct bytes service_key(const char *id, uint32_t revision, uint8_t memory[STORE_KEY_BYTES_MOST])
{
	struct writer w = writer_over(memory, STORE_KEY_BYTES_MOST);
	write_bytes(&w, bytes_from_text(id));
	write_u8(&w, 0);
	write_u32(&w, revision);
	return BYTES(memory, w.failed ? 0 : w.size);
}

static int newest_of(struct store_txn *txn, const char *id, struct arena *arena, struct bytes *value)
{
	uint8_t memory[STORE_KEY_BYTES_MOST];
	struct bytes key, past = service_key(id, UINT32_MAX, memory);
	struct store_cursor *c;
	if (!past.size)
		return ERR_NOT_FOUND;
	int result = store_cursor_open(txn, &domain_table_service, &c);
	if (result)
		return result;
	result = store_cursor_seek(c, past, arena, &key, value);
	if (result == ERR_NOT_FOUND)
		result = store_cursor_last(c, arena, &key, value);
	else if (!result && !bytes_equal(key, past))
		result = store_cursor_prev(c, arena, &key, value);
	size_t length = strlen(id) + 1;
	if (!result && (key.size != length + 4 || memcmp(key.data, id, length) != 0))
		result = ERR_NOT_FOUND;
	store_cursor_close(c);
	return result;
}

int service_get(struct store_txn *txn, const char *id, uint32_t revision, struct arena *arena, Lm__Service **out)
{
	struct bytes value;
	uint8_t memory[STORE_KEY_BYTES_MOST];
	struct bytes key = service_key(id, revision, memory);
	if (!key.size)
		return ERR_NOT_FOUND;
	int result = revision ? store_get(txn, &domain_table_service, key, arena, &value)
	                      : newest_of(txn, id, arena, &value);
	return result ? result : row_unpack(txn, &domain_table_service, &lm__service__descriptor, value, arena, out);
}

int service_each(struct store_txn *txn, struct arena *arena, bool (*visit)(void *context, Lm__Service *newest),
                 void *context)
{
	struct store_cursor *c;
	struct bytes key, value;
	Lm__Service *newest = NULL, *service;
	int result = store_cursor_open(txn, &domain_table_service, &c);
	if (result)
		return result;
	bool wants_more = true;
	result = store_cursor_first(c, arena, &key, &value);
	while (!result && wants_more) {
		result = row_unpack(txn, &domain_table_service, &lm__service__descriptor, value, arena, &service);
		if (result)
			break;
		/* Revisions of a service lie side by side, the newest last. */
		if (newest && strcmp(newest->id, service->id) != 0)
			wants_more = visit(context, newest);
		newest = service;
		result = store_cursor_next(c, arena, &key, &value);
	}
	store_cursor_close(c);
	if (result == ERR_NOT_FOUND) {
		result = OK;
		if (newest && wants_more)
			visit(context, newest);
	}
	return result;
}

int apply_service(struct apply *a)
{
	Lm__Service *service;
	struct service_fault fault;
	uint8_t memory[STORE_KEY_BYTES_MOST];
	if (a->item->is_absent)
		return error_set(a->e, ERR_ABSENT, "the service's entry has no content");
	int result = CODEC_UNPACK(lm__service, a->item->plain, a->arena, &service, a->e);
	if (result)
		return result;
	if (!service->revision)
		return error_set(a->e, ERR_INVALID, "service %.40s: no revision", service->id);
	if (service_check(service, &fault, 1))
		return error_set(a->e, ERR_INVALID, "service %.40s: %s", service->id, fault.text);
	if (name_is_among(service->published_by, service->drafted_by, service->n_drafted_by))
		return error_set(a->e, ERR_DENIED, "service %.40s: %.32s wrote it and cannot publish it, too",
		                 service->id, service->published_by);
	struct bytes key = service_key(service->id, service->revision, memory);
	if (store_has(a->txn, &domain_table_service, key))
		return error_set(a->e, ERR_EXISTS, "revision %u of service %s was published before", service->revision,
		                 service->id);
	result = store_put(a->txn, &domain_table_service, key, a->item->plain);
	struct publication_stamp stamp = { service->revision,   service->goes_back_to, service->published_by,
		                           service->drafted_by, service->n_drafted_by, service->published_ms };
	if (!result && a->d->tier == LM__TIER__TIER_DISTRICT)
		result = publication_note(a, collection_of(LM__COLLECTION__COLLECTION_CATALOGUE), service->id, &stamp);
	if (!result)
		result = release_service(a, service->id, service->revision);
	return result ? result : effect_add(a, (struct domain_effect){ .type = DOMAIN_CATALOGUE });
}

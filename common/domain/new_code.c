/*
 * A receipt that was lost. The town gives the request another code; the one before opens nothing new: the terminal's
 * lock and messages go (LOCK_RELEASE, in the same turn), none follow, and the town says of the code that it was
 * replaced.
 */
#include <string.h>

#include "inside.h"

#define STAFF_BYTES_MOST 64

int new_code_check(const Lm__NewCodePayload *p, struct error *e)
{
	char code[RECEIPT_CODE_DIGITS + 1];
	bool needs_note = p->checked == LM__IDENTITY_CHECK__IDENTITY_CHECK_OTHER_PAPER ||
	                  p->checked == LM__IDENTITY_CHECK__IDENTITY_CHECK_REPRESENTATIVE;
	if (!p->checked || !protobuf_c_enum_descriptor_get_value(&lm__identity_check__descriptor, (int)p->checked))
		return error_set(e, ERR_INVALID, "checked: say how you know who this is");
	if (needs_note && !p->note[0])
		return error_set(e, ERR_INVALID, "note: say which paper you saw");
	if (strlen(p->note) > NEW_CODE_NOTE_BYTES_MOST)
		return error_set(e, ERR_TOO_BIG, "note: at most %d bytes", NEW_CODE_NOTE_BYTES_MOST);
	if (!p->staff[0] || strlen(p->staff) > STAFF_BYTES_MOST)
		return error_set(e, ERR_INVALID, "staff: who gave out the code is missing");
	return receipt_code_parse(p->code, code, e);
}

bool case_code_is_new(const Lm__CaseRecord *record)
{
	return record->n_new_codes != 0;
}

bool case_code_at(const Lm__CaseRecord *record, size_t i, struct hash *out)
{
	ProtobufCBinaryData hash = i == 0                        ? record->code_hash
	                           : i <= record->n_former_codes ? record->former_codes[i - 1]->hash
	                                                         : (ProtobufCBinaryData){ 0 };
	if (hash.len != HASH_BYTES)
		return false;
	memcpy(out->byte, hash.data, HASH_BYTES);
	return true;
}

bool case_has_code(const Lm__CaseRecord *record, const struct hash *wanted, int64_t *until_ms)
{
	struct hash hash;
	for (size_t i = 0; case_code_at(record, i, &hash); i++)
		if (crypto_equal(hash.byte, wanted->byte, HASH_BYTES)) {
			*until_ms = i ? record->former_codes[i - 1]->until_ms : 0;
			return true;
		}
	return false;
}

static int position_note(struct apply *a, Lm__CaseRecord *record)
{
	uint64_t *grown = arena_alloc(a->arena, (record->n_new_codes + 1) * sizeof *grown);
	if (!grown)
		return store_fail(a->txn, ERR_MEMORY, "no memory for a receipt's code");
	if (record->n_new_codes)
		memcpy(grown, record->new_codes, record->n_new_codes * sizeof *grown);
	grown[record->n_new_codes++] = a->item->position;
	record->new_codes = grown;
	return OK;
}

static int former_note(struct apply *a, Lm__CaseRecord *record)
{
	Lm__FormerCode **grown = arena_alloc(a->arena, (record->n_former_codes + 1) * sizeof *grown);
	Lm__FormerCode *former = arena_alloc(a->arena, sizeof *former);
	if (!grown || !former)
		return store_fail(a->txn, ERR_MEMORY, "no memory for a receipt's code");
	lm__former_code__init(former);
	former->hash = record->code_hash;
	former->until_ms = a->item->header->time_ms;
	if (record->n_former_codes)
		memcpy(grown, record->former_codes, record->n_former_codes * sizeof *grown);
	grown[record->n_former_codes++] = former;
	record->former_codes = grown;
	return OK;
}

/* At the town, which alone looks codes up. */
static int code_file(struct apply *a, Lm__CaseRecord *record)
{
	Lm__NewCodePayload *payload;
	Lm__NodeSecretPayload *secret;
	struct hash hash;
	if (a->item->is_absent) { /* erased since: the code says so, those before it say nothing */
		if (a->item->facts)
			record->code_hash = a->item->facts->code_hash;
		return OK;
	}
	int result = CODEC_UNPACK(lm__new_code_payload, a->item->plain, a->arena, &payload, a->e);
	if (!result)
		result = new_code_check(payload, a->e);
	if (!result)
		result = memo_secret(a, &secret);
	if (!result)
		result = case_code_hash(secret->code_hash_key.data, payload->code, &hash, a->e);
	if (!result && record->code_hash.len == HASH_BYTES)
		result = former_note(a, record);
	if (result)
		return result;
	void *copy = arena_copy(a->arena, hash.byte, HASH_BYTES);
	if (!copy)
		return store_fail(a->txn, ERR_MEMORY, "no memory for a receipt's code");
	record->code_hash = codec_data(BYTES(copy, HASH_BYTES));
	return OK;
}

int apply_new_code(struct apply *a)
{
	struct id request = header_request(a->item->header);
	Lm__CaseRecord *record;
	int result = case_get(a->txn, request, a->arena, &record);
	if (result == ERR_NOT_FOUND)
		return held_on_request(a);
	if (!result)
		result = case_town_check(a, record);
	if (!result && record->n_new_codes >= NEW_CODES_MOST)
		return error_set(a->e, ERR_TOO_MANY, "the code of this request was replaced %zu times already",
		                 record->n_new_codes);
	if (!result && a->d->tier == LM__TIER__TIER_TOWN)
		result = code_file(a, record);
	if (!result)
		result = position_note(a, record);
	if (!result)
		result = case_put(a, request, record);
	return result ? result : effect_add(a, (struct domain_effect){ .type = DOMAIN_CASE, .request = request });
}

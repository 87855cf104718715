/*
 * A file in parts: sealed, put together, checked; of the wrong request, file, place or bytes none is believed. Where
 * parts lie is known before their request and after it, and goes when that is erased.
 */
#include "fixture.h"

#define PARTS LM__STREAM__STREAM_PARTS
#define SIZE (3 * PART_BYTES + 17)

static uint8_t content[SIZE];

static Lm__PartedFile *file_make(struct node *n)
{
	Lm__PartedFile *file;
	for (size_t i = 0; i < SIZE; i++)
		content[i] = (uint8_t)(i * 31 >> 3);
	assert_ok(n, parted_make(BYTES_OF(content), &n->arena, &file, &n->e));
	assert_true(parted_is_good(file));
	assert_int_equal(parted_count(file), 4);
	return file;
}

static struct bytes sealed(struct node *n, struct id request, const Lm__PartedFile *file, uint32_t part)
{
	struct bytes packed;
	assert_ok(n, part_seal(request, file, BYTES_OF(content), part, &n->arena, &packed, &n->e));
	return packed;
}

static int part_come(struct node *n, size_t origin, struct id request, struct bytes packed)
{
	Lm__Header h = entry_make(origin, PARTS, KIND(FILE_PART));
	h.request_id = codec_data(BYTES(request.byte, ID_BYTES));
	return node_apply(n, &h, packed);
}

static void open_at(struct node *n, size_t device)
{
	node_open(n, &devices[device]);
	node_directory(n);
}

static void test_only_the_same_part_opens(void **state)
{
	(void)state;
	struct node n;
	struct id request = id_of(7), other = id_of(8);
	static uint8_t out[SIZE];
	open_at(&n, TOWN_A);
	Lm__PartedFile *file = file_make(&n), *second = file_make(&n), longer = *file;
	for (uint32_t part = 4; part-- > 0;)
		assert_ok(&n, part_open(request, file, part, sealed(&n, request, file, part), &n.arena, out, &n.e));
	assert_memory_equal(out, content, SIZE);
	assert_ok(&n, parted_check(file, BYTES_OF(out), &n.e));
	struct bytes first = sealed(&n, request, file, 0);
	assert_refused(&n, ERR_DAMAGED, part_open(request, file, 1, first, &n.arena, out, &n.e));
	assert_refused(&n, ERR_DAMAGED, part_open(request, file, 3, first, &n.arena, out, &n.e));
	assert_refused(&n, ERR_DAMAGED, part_open(other, file, 0, first, &n.arena, out, &n.e));
	assert_refused(&n, ERR_DAMAGED, part_open(request, second, 0, first, &n.arena, out, &n.e));
	longer.size++;
	assert_refused(&n, ERR_DAMAGED, part_open(request, &longer, 0, first, &n.arena, out, &n.e));
	((uint8_t *)(uintptr_t)first.data)[first.size / 2] ^= 1;
	assert_refused(&n, ERR_DAMAGED, part_open(request, file, 0, first, &n.arena, out, &n.e));
	out[SIZE / 2] ^= 1;
	assert_refused(&n, ERR_DAMAGED, parted_check(file, BYTES_OF(out), &n.e));
	node_close(&n);
}

static void test_where_they_lie(void **state)
{
	(void)state;
	struct node n;
	struct id request = id_of(7);
	uint64_t position, again;
	open_at(&n, TOWN_A);
	Lm__PartedFile *file = file_make(&n);
	Lm__FieldValue value = LM__FIELD_VALUE__INIT, *values[] = { &value };
	value.parted = &file;
	value.n_parted = 1;
	assert_int_equal(part_position(n.txn, request, file, 0, &n.arena, &position), ERR_NOT_FOUND);
	for (uint32_t part = 0; part < 3; part++)
		assert_ok(&n, part_come(&n, T1, request, sealed(&n, request, file, part)));
	assert_null(effect_find(&n, DOMAIN_CASE));
	assert_int_equal(parted_come(n.txn, request, file), 3);
	parted_leave_out(n.txn, request, values, 1);
	assert_int_equal(value.n_parted, 0); /* no evidence yet */
	value.n_parted = 1;
	assert_int_equal(part_position(n.txn, request, file, 1, &n.arena, &position), OK);
	assert_ok(&n, part_come(&n, T1, request, sealed(&n, request, file, 1)));
	assert_int_equal(part_position(n.txn, request, file, 1, &n.arena, &again), OK);
	assert_true(position == again); /* the first one stays */
	assert_ok(&n, part_come(&n, T1, request, sealed(&n, request, file, 3)));
	assert_non_null(effect_find(&n, DOMAIN_CASE)); /* pages hear of it */
	parted_leave_out(n.txn, request, values, 1);
	assert_int_equal(value.n_parted, 1);
	node_close(&n);
}

static void test_what_is_no_part(void **state)
{
	(void)state;
	struct node n;
	struct id request = id_of(7), none = { { 0 } };
	open_at(&n, HUB);
	Lm__PartedFile *file = file_make(&n);
	Lm__FilePartPayload *p;
	struct bytes packed = sealed(&n, request, file, 0);
	assert_refused(&n, ERR_INVALID, part_come(&n, T1, none, packed));
	assert_refused(&n, ERR_DENIED, part_come(&n, HUB, request, packed));
	assert_ok(&n, CODEC_UNPACK(lm__file_part_payload, packed, &n.arena, &p, &n.e));
	p->part = REQUEST_FILE_BYTES_MOST / PART_BYTES;
	assert_ok(&n, CODEC_PACK(p, &n.arena, &packed, &n.e));
	assert_refused(&n, ERR_INVALID, part_come(&n, T1, request, packed));
	p->part = 0;
	p->file.len = 3;
	assert_ok(&n, CODEC_PACK(p, &n.arena, &packed, &n.e));
	assert_refused(&n, ERR_INVALID, part_come(&n, T1, request, packed));
	file->size = REQUEST_FILE_BYTES_MOST + 1;
	assert_false(parted_is_good(file));
	node_close(&n);
}

static void test_erased(void **state)
{
	(void)state;
	struct node n;
	struct id request = id_of(7);
	uint8_t act[ID_BYTES] = "an act of two";
	Lm__ErasedRequest one = LM__ERASED_REQUEST__INIT, *requests[] = { &one };
	Lm__ErasePayload p = LM__ERASE_PAYLOAD__INIT;
	Lm__Header h = entry_make(TOWN_A, OWN, KIND(ERASURE));
	open_at(&n, TOWN_A);
	Lm__PartedFile *file = file_make(&n);
	assert_ok(&n, part_come(&n, T1, request, sealed(&n, request, file, 0)));
	one.request_id = codec_data(BYTES_OF(request.byte));
	p.act = codec_data(BYTES_OF(act));
	p.requests = requests;
	p.n_requests = 1;
	p.tier = LM__TIER__TIER_TOWN;
	p.place = "310114106";
	p.reason = p.ground = p.proposed_by = "x";
	p.confirmed_by = "y";
	p.decided_ms = 1;
	assert_ok(&n, node_apply_message(&n, &h, &p.base));
	assert_int_equal(parted_come(n.txn, request, file), 0);
	assert_ok(&n, part_come(&n, T1, request, sealed(&n, request, file, 1))); /* it comes late */
	assert_int_equal(parted_come(n.txn, request, file), 0);
	node_close(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_the_same_part_opens),
		cmocka_unit_test(test_where_they_lie),
		cmocka_unit_test(test_what_is_no_part),
		cmocka_unit_test(test_erased),
	};
	devices_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What moves `safe`: a proof that only the content of the backup could make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/backup.h"
#include "proto/codec.h"

struct proving {
	struct arena arena;
	struct error e;
	uint8_t key[KEY_BYTES];
	struct bytes head_packed;
	struct hash mac;
	Lm__BackupPayload made;
	Lm__BackupProof proof;
};

static void proving_begin(struct proving *p)
{
	Lm__BackupHead head = LM__BACKUP_HEAD__INIT;
	memset(p, 0, sizeof *p);
	arena_init(&p->arena, 0);
	assert_int_equal(OK, crypto_init(&p->e));
	assert_int_equal(OK, crypto_random(p->key, sizeof p->key, &p->e));
	head.position = 4711;
	assert_int_equal(OK, CODEC_PACK(&head, &p->arena, &p->head_packed, &p->e));
	assert_int_equal(OK, crypto_hmac(SUITE_INTERNATIONAL, p->key, p->head_packed, &p->mac, &p->e));
	lm__backup_payload__init(&p->made);
	lm__backup_proof__init(&p->proof);
	p->made.proof_key = codec_data(BYTES_OF(p->key));
	p->proof.head = codec_data(p->head_packed);
	p->proof.mac = codec_data(BYTES_OF(p->mac));
}

static int proving_check(struct proving *p)
{
	Lm__BackupHead *head = NULL;
	int result = backup_proof_check(&p->proof, &p->made, &p->arena, &head, &p->e);
	if (!result)
		assert_int_equal(4711, head->position);
	return result;
}

static void only_the_content_proves_it(void **state)
{
	(void)state;
	struct proving p;
	proving_begin(&p);
	assert_int_equal(OK, proving_check(&p));
	for (size_t i = 0; i < HASH_BYTES; i++) {
		p.mac.byte[i] ^= 1;
		assert_int_equal(ERR_DENIED, proving_check(&p));
		p.mac.byte[i] ^= 1;
	}
	p.proof.mac.len = 0;
	assert_int_equal(ERR_DENIED, proving_check(&p));
	p.proof.mac.len = HASH_BYTES;
	p.proof.head.data[p.proof.head.len - 1] ^= 1; /* another head: further than the backup goes */
	assert_int_equal(ERR_DENIED, proving_check(&p));
	p.proof.head.data[p.proof.head.len - 1] ^= 1;
	p.key[0] ^= 1; /* of another backup */
	assert_int_equal(ERR_DENIED, proving_check(&p));
	p.key[0] ^= 1;
	p.made.proof_key.len = 0;
	assert_int_equal(ERR_DENIED, proving_check(&p));
	arena_release(&p.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(only_the_content_proves_it) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

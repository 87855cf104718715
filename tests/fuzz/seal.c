/*
 * Sealed texts: of a receipt, and of a period's payload; as bytes, and below the seal, as somebody makes them who has
 * the key.
 *
 * Input: what it is, then the bytes.
 */
#include "crypto/crypto.h"
#include "fuzz.h"

enum { MESSAGE, MESSAGE_BELOW, LOCK, PERIOD, WHAT_COUNT };
#define SALT_BYTES 16

static const uint8_t receipt_key[RECEIPT_KEY_BYTES] = { 1 };
static const struct bytes associated = { (const uint8_t *)"status", 6 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	must(!crypto_init(NULL));
	return 0;
}

static void message_open(struct bytes sealed)
{
	size_t size = 0;
	uint8_t *out = malloc(sealed.size ? sealed.size : 1);
	must(out);
	if (!receipt_message_open(receipt_key, associated, sealed, out, &size, NULL))
		must(size < sealed.size && receipt_message_sealed_bytes(size) == sealed.size);
	free(out);
}

/* Whatever is inside was sealed with the right key: only its padding may be wrong. */
static void message_below(struct bytes plain)
{
	static const uint8_t nonce[NONCE_BYTES];
	uint8_t key[KEY_BYTES];
	size_t size = SALT_BYTES + plain.size + TAG_BYTES;
	uint8_t *sealed = calloc(1, size);
	must(sealed);
	must(!crypto_derive(SUITE_INTERNATIONAL, BYTES_OF(receipt_key), BYTES(sealed, SALT_BYTES),
	                    "lm receipt message v1", key, sizeof key, NULL));
	must(!aead_seal(SUITE_INTERNATIONAL, key, nonce, associated, plain, sealed + SALT_BYTES, NULL));
	message_open(BYTES(sealed, size));
	free(sealed);
}

static void lock_open(struct reader *r)
{
	struct receipt_secret secret = { { 0 }, { 0 } };
	uint8_t lock[RECEIPT_LOCK_BYTES] = { 0 }, key[RECEIPT_KEY_BYTES], request[16];
	struct bytes bytes = feed_rest(r);
	if (bytes.size)
		memcpy(lock, bytes.data, bytes.size < sizeof lock ? bytes.size : sizeof lock);
	must(receipt_lock_open(&secret, lock, key, request, NULL));
}

static void period_take(struct reader *r)
{
	struct period_notice notice = { .suite = read_u8(r), .wrap_count = read_u8(r) % (PERIOD_RECIPIENTS_MOST + 1) };
	struct period_opener opener;
	struct envelope envelope = { .suite = read_u8(r), .index = read_u32(r) };
	uint8_t public_key[KEY_BYTES] = { 9 }, secret_key[KEY_BYTES] = { 1 };
	uint64_t recipient = read_u8(r);
	for (size_t i = 0; i < notice.wrap_count; i++) {
		struct bytes wrap = read_bytes(r, sizeof notice.wrap[i].ephemeral);
		notice.wrap[i].recipient = recipient;
		memcpy(notice.wrap[i].opening_key, public_key, KEY_BYTES);
		if (wrap.size == sizeof notice.wrap[i].ephemeral)
			memcpy(notice.wrap[i].ephemeral, wrap.data, wrap.size);
	}
	must(period_opener_init(&opener, &notice, recipient, public_key, secret_key, NULL));
	opener = (struct period_opener){ .suite = notice.suite };
	struct bytes sealed = feed_rest(r);
	uint8_t *out = malloc(sealed.size + 1);
	must(out);
	must(period_open(&opener, &envelope, associated, sealed, out, NULL));
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(BYTES(data, size));
	switch (read_u8(&r) % WHAT_COUNT) {
	case MESSAGE:
		message_open(feed_rest(&r));
		break;
	case MESSAGE_BELOW:
		message_below(feed_rest(&r));
		break;
	case LOCK:
		lock_open(&r);
		break;
	case PERIOD:
		period_take(&r);
		break;
	}
	return 0;
}

/*
 * Cryptography: one table of suites, and what the product builds from their parts.
 *
 * Every record names its suite by id, so that the national suite (SM2, SM3, SM4) can stand beside the
 * international one later. Nothing here packs records: structs of fixed arrays go in and out; `proto` packs them.
 * All functions are thread-safe. Secrets are wiped when they are released.
 */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/errors.h"

#define SUITE_INTERNATIONAL 1 /* Ed25519, X25519 + HKDF-SHA-256, AES-256-GCM, SHA-256 */

#define HASH_BYTES 32
#define KEY_BYTES 32 /* symmetric keys, X25519 and Ed25519 public keys and seeds, CURVE keys */
#define SIGNATURE_BYTES 64
#define NONCE_BYTES 12
#define TAG_BYTES 16

struct hash {
	uint8_t byte[HASH_BYTES];
};

/* Ready to use after this; call once per process before any other function. ERR_CRYPTO if OpenSSL or libsodium lacks a
 * part. */
int crypto_init(struct error *e);

/* ---- parts -------------------------------------------------------------------------------------------------- */

/* A suite: the table of what a suite id means. Functions below take the suite id and look the suite up;
 * ERR_VERSION "suite N is not known to this version" otherwise. */
const char *suite_name(uint8_t suite); /* NULL if unknown */

int crypto_random(void *out, size_t size, struct error *e);
bool crypto_equal(const void *a, const void *b, size_t size); /* constant time */
void crypto_wipe(void *secret, size_t size);

/* Hash of the concatenation of `count` parts. libsodium exports a crypto_hash, too: under that name a program's own
 * would stand in for it inside every library that is loaded, so the linker knows this one by another. */
int crypto_hash(uint8_t suite, const struct bytes *parts, size_t count, struct hash *out,
                struct error *e) __asm__("lm_crypto_hash");
/* SipHash-2-4, for tables in memory whose keys strangers choose; never for anything that lasts. */
uint64_t crypto_short_hash(const uint8_t key[16], struct bytes data);
int crypto_hmac(uint8_t suite, const uint8_t key[KEY_BYTES], struct bytes data, struct hash *out, struct error *e);
/* HKDF extract-and-expand; `info` is a short label; out_size ≤ 64. */
int crypto_derive(uint8_t suite, struct bytes secret, struct bytes salt, const char *info, uint8_t *out,
                  size_t out_size, struct error *e);

int sign_keypair(uint8_t suite, uint8_t public_key[KEY_BYTES], uint8_t secret_key[KEY_BYTES], struct error *e);
int sign_make(uint8_t suite, const uint8_t secret_key[KEY_BYTES], struct bytes message,
              uint8_t signature[SIGNATURE_BYTES], struct error *e);
/* OK or ERR_BAD_SIGNATURE. */
int sign_check(uint8_t suite, const uint8_t public_key[KEY_BYTES], struct bytes message,
               const uint8_t signature[SIGNATURE_BYTES], struct error *e);
/* Of smart cards, whatever the suite: ECDSA over P-256 with SHA-256. A key is an uncompressed point, a signature r and
 * s. */
#define P256_KEY_BYTES 65
int p256_key_check(const uint8_t key[P256_KEY_BYTES], struct error *e); /* ERR_INVALID: no point of the curve */
/* OK or ERR_BAD_SIGNATURE, also for a key that is none. */
int p256_check(const uint8_t key[P256_KEY_BYTES], struct bytes message, const uint8_t signature[SIGNATURE_BYTES],
               struct error *e);
int agree_keypair(uint8_t suite, uint8_t public_key[KEY_BYTES], uint8_t secret_key[KEY_BYTES], struct error *e);

/* Authenticated encryption. `out` holds plain.size + TAG_BYTES; it may be plain.data itself. The contexts are
 * cached per thread: 512 bytes cost about a microsecond. */
int aead_seal(uint8_t suite, const uint8_t key[KEY_BYTES], const uint8_t nonce[NONCE_BYTES], struct bytes associated,
              struct bytes plain, uint8_t *out, struct error *e);
/* `out` holds sealed.size - TAG_BYTES. ERR_DAMAGED if it does not verify or is too short; then `out` is zeroed. */
int aead_open(uint8_t suite, const uint8_t key[KEY_BYTES], const uint8_t nonce[NONCE_BYTES], struct bytes associated,
              struct bytes sealed, uint8_t *out, struct error *e);

/* ---- sealing to several recipients --------------------------------------------------------------------------
 * One public-key operation per recipient and period, none per payload. A period key lives in memory only. It is
 * announced once, wrapped to each recipient (a `period` entry). Each payload has its own random key, wrapped by
 * a key derived from the period key, which is then ratcheted forward: a captured process cannot open what it sealed.
 */
#define PERIOD_ID_BYTES 16
#define PERIOD_RECIPIENTS_MOST 4
#define PERIOD_ENTRIES_MOST 1000
#define PERIOD_AGE_MOST_MS (15 * 60 * 1000)

struct period_wrap {                    /* the period key as one recipient finds it */
	uint64_t recipient;             /* device id */
	uint8_t opening_key[KEY_BYTES]; /* the recipient's X25519 public key that was used */
	uint8_t ephemeral[KEY_BYTES];   /* X25519 public key made for this wrap */
	uint8_t sealed[KEY_BYTES + TAG_BYTES];
};

struct period_notice { /* what a `period` entry carries */
	uint8_t suite;
	uint8_t period_id[PERIOD_ID_BYTES];
	size_t wrap_count;
	struct period_wrap wrap[PERIOD_RECIPIENTS_MOST];
};

struct envelope { /* beside an entry, in the key table, never in the journal */
	uint8_t suite;
	uint8_t period_id[PERIOD_ID_BYTES];
	uint32_t index;                             /* 0 for the first use of the period */
	uint8_t wrapped_key[KEY_BYTES + TAG_BYTES]; /* the payload's key */
};

struct period_recipient {
	uint64_t id;
	uint8_t opening_key[KEY_BYTES];
};

/* The sender's side. Not thread-safe: it belongs to the writer. */
struct period; /* opaque */
int period_begin(uint8_t suite, const struct period_recipient *recipients, size_t count, int64_t now_ms,
                 struct period **out, struct period_notice *notice, struct error *e);
bool period_is_spent(const struct period *p,
                     int64_t now_ms); /* PERIOD_ENTRIES_MOST uses or PERIOD_AGE_MOST_MS old, or the clock went back */
/* Seals `plain` into `sealed` (plain.size + TAG_BYTES) under a fresh key, fills `envelope`, ratchets. `associated` is
 * bound to the payload. */
int period_seal(struct period *p, struct bytes associated, struct bytes plain, uint8_t *sealed,
                struct envelope *envelope, struct error *e);
void period_end(struct period *p); /* wipes; NULL is fine */

/* The recipient's side: the ratchet of one period, cached so that opening in order costs one derivation each, and going
 * back at most PERIOD_MARK_EVERY. */
#define PERIOD_MARK_EVERY 64
#define PERIOD_MARKS ((PERIOD_ENTRIES_MOST + PERIOD_MARK_EVERY - 1) / PERIOD_MARK_EVERY)
struct period_opener {
	uint8_t suite;
	uint8_t period_id[PERIOD_ID_BYTES];
	uint32_t next_index;
	uint8_t next_key[KEY_BYTES];
	uint8_t mark[PERIOD_MARKS][KEY_BYTES]; /* chain[0], chain[PERIOD_MARK_EVERY], …: those below next_index */
};
/* ERR_ABSENT if none of the wraps is for `recipient` with this key pair; ERR_DAMAGED if the wrap does not open. */
int period_opener_init(struct period_opener *o, const struct period_notice *notice, uint64_t recipient,
                       const uint8_t public_key[KEY_BYTES], const uint8_t secret_key[KEY_BYTES], struct error *e);
/* `out` holds sealed.size - TAG_BYTES. ERR_DAMAGED; index ≥ PERIOD_ENTRIES_MOST is ERR_INVALID. Any order is allowed.
 */
int period_open(struct period_opener *o, const struct envelope *envelope, struct bytes associated, struct bytes sealed,
                uint8_t *out, struct error *e);

/* ---- receipts (HOUSE: Receipts) ------------------------------------------------------------------------------ */
#define RECEIPT_KEY_BYTES 32
#define RECEIPT_LOOKUP_BYTES 16
#define RECEIPT_LOCK_BYTES (RECEIPT_KEY_BYTES + 16 /* request id */ + NONCE_BYTES + TAG_BYTES)
#define RECEIPT_ARGON2_MEMORY_BYTES (32u * 1024 * 1024)
#define RECEIPT_ARGON2_PASSES 3
#define DEVICE_SALT_BYTES 16

struct receipt_secret { /* S = Argon2id(code, device salt), split */
	uint8_t lookup[RECEIPT_LOOKUP_BYTES];
	uint8_t lock_key[KEY_BYTES];
};
/* Slow on purpose (about 0.1 s, 32 MiB): call it on the thread pool. `code` is 12 plain digits. */
int receipt_derive(const char *code, const uint8_t device_salt[DEVICE_SALT_BYTES], struct receipt_secret *out,
                   struct error *e);
int receipt_lock_make(const struct receipt_secret *s, const uint8_t receipt_key[RECEIPT_KEY_BYTES],
                      const uint8_t request_id[16], uint8_t lock[RECEIPT_LOCK_BYTES], struct error *e);
int receipt_lock_open(const struct receipt_secret *s, const uint8_t lock[RECEIPT_LOCK_BYTES],
                      uint8_t receipt_key[RECEIPT_KEY_BYTES], uint8_t request_id[16], struct error *e);
/* Messages for a receipt, sealed under HKDF(receipt key), padded to a multiple of RECEIPT_PAD_BYTES so that length
 * tells nothing. */
#define RECEIPT_PAD_BYTES 512
size_t receipt_message_sealed_bytes(size_t plain_bytes);
int receipt_message_seal(const uint8_t receipt_key[RECEIPT_KEY_BYTES], struct bytes associated, struct bytes plain,
                         uint8_t *out, struct error *e);
/* `out` holds sealed.size bytes; *out_size is the length without padding. */
int receipt_message_open(const uint8_t receipt_key[RECEIPT_KEY_BYTES], struct bytes associated, struct bytes sealed,
                         uint8_t *out, size_t *out_size, struct error *e);

/* ---- device keys ------------------------------------------------------------------------------------------------ */
#define KEY_CHANGES_MOST 16 /* then the device is admitted as a new one */

/* What a device keeps secret, in one file of mode 0600 outside LMDB. */
struct device_keys {
	uint8_t suite;
	uint32_t generation; /* how often the keys were changed */
	struct hash first;   /* fingerprint of the first ones: the device's id comes from it, for good */
	uint8_t curve_public[KEY_BYTES], curve_secret[KEY_BYTES];     /* ZeroMQ CURVE (X25519) */
	uint8_t signing_public[KEY_BYTES], signing_secret[KEY_BYTES]; /* Ed25519 */
	uint8_t opening_public[KEY_BYTES], opening_secret[KEY_BYTES]; /* X25519 */
	uint8_t store_key[KEY_BYTES];                                 /* master of the store's seal */
	struct opening_pair {
		uint8_t public_key[KEY_BYTES], secret_key[KEY_BYTES];
	} former_opening[KEY_CHANGES_MOST]; /* of generation 0, 1, …: what was sealed to them is still to be opened */
};
/* Reads the file, or makes keys and writes it if it does not exist. ERR_DAMAGED if it is not of this form or readable
 * by others. */
int device_keys_open(const char *path, struct device_keys *out, bool *was_made, struct error *e);
/* The keys after `now`, from the file `path` or, if there is none, made and written there: it is a whole file of device
 * keys, to be renamed over the other one when the district has taken them up. The store's key stays; `keeps_curve`: so
 * does the CURVE key. ERR_FULL after KEY_CHANGES_MOST changes; ERR_CONFLICT if the file holds something else. */
int device_keys_next(const char *path, const struct device_keys *now, bool keeps_curve, struct device_keys *next,
                     struct error *e);
/* SHA-256 over the three public keys; the first 8 bytes, big-endian, are the device id. */
int device_fingerprint(uint8_t suite, const uint8_t curve[KEY_BYTES], const uint8_t signing[KEY_BYTES],
                       const uint8_t opening[KEY_BYTES], struct hash *out, struct error *e);
uint64_t device_id_of(const struct hash *fingerprint);
#define FINGERPRINT_TEXT_BYTES 80
/* 16 groups of 4 hexadecimal digits, joined by '-': what two people can read to each other. */
void fingerprint_to_text(const struct hash *fingerprint, char text[FINGERPRINT_TEXT_BYTES]);
int fingerprint_from_text(const char *text, struct hash *out, struct error *e); /* hyphens and spaces are free */
/* A 32-byte secret in a file of its own (mode 0600), made at first use: the key table's key, the district's authority.
 */
int secret_file_open(const char *path, uint8_t secret[KEY_BYTES], bool *was_made, struct error *e);
/* ERR_NOT_FOUND without a file; ERR_DAMAGED as device_keys_open. */
int secret_file_read(const char *path, uint8_t secret[KEY_BYTES], struct error *e);
/* Another secret over the very bytes of the one that is there, or into a new file. A power cut may leave it damaged:
 * the secret must stand in a second file until this one is written. */
int secret_file_overwrite(const char *path, const uint8_t secret[KEY_BYTES], struct error *e);

/* ---- files sealed to a recovery key, whose secret half lies offline ------------------------------------------------
 */
struct recovery_key {
	uint8_t public_key[KEY_BYTES], secret_key[KEY_BYTES]; /* X25519 */
};
/* Makes a key pair and the file that holds it (mode 0600). ERR_EXISTS leaves a file that is there as it is. */
int recovery_key_create(const char *path, uint8_t public_key[KEY_BYTES], struct error *e);
/* ERR_NOT_FOUND; ERR_DAMAGED if it is not of this form or others may read it. */
int recovery_key_read(const char *path, struct recovery_key *out, struct error *e);

#define SEALED_HEAD_BYTES_MOST (1024 * 1024)
struct sealed_file; /* opaque; either written or read, from its beginning to its end */
/* Writing: `head` stays readable without the key and is bound to the content. The caller owns `fd`; sealed_finish
 * writes what is left and syncs. A file without its end does not verify. ERR_TOO_BIG, ERR_IO, ERR_FULL. */
int sealed_create(int fd, const uint8_t recovery_public[KEY_BYTES], struct bytes head, struct sealed_file **out,
                  struct error *e);
int sealed_write(struct sealed_file *f, struct bytes content, struct error *e);
int sealed_finish(struct sealed_file *f, struct error *e);
/* Reading, in this order. What stands in clear is to be believed only once sealed_open and the reading went well.
 * ERR_DAMAGED: no such file, altered, or cut off; ERR_VERSION; ERR_DENIED: sealed to another key. */
struct sealed_head {
	uint8_t suite;
	uint8_t recovery[KEY_BYTES], ephemeral[KEY_BYTES], wrapped[KEY_BYTES + TAG_BYTES];
	struct hash bound;
};
int sealed_head_read(int fd, struct sealed_head *out, struct buffer *head, struct error *e);
int sealed_open(int fd, const struct sealed_head *h, const struct recovery_key *key, struct sealed_file **out,
                struct error *e);
/* Exactly `size` bytes; ERR_DAMAGED if there are fewer. */
int sealed_read(struct sealed_file *f, void *out, size_t size, struct error *e);
int sealed_end_check(struct sealed_file *f, struct error *e); /* that everything has been read, to the true end */
void sealed_close(struct sealed_file *f);                     /* wipes; NULL is fine */

/* ---- passwords: Argon2id, in libsodium's text form ----------------------------------------------------------------
 */
#define PASSWORD_HASH_BYTES 128
#define PASSWORD_LEAST_CHARACTERS 10
int password_hash(const char *password, char hash[PASSWORD_HASH_BYTES],
                  struct error *e); /* slow: pool. ERR_INVALID if too short or > 256 bytes */
int password_check(const char *password, const char *hash, struct error *e); /* slow: pool. OK or ERR_LOGIN */
/* Whether a person may choose it: long enough, none of those that are tried first, and not the account's name. No rules
 * of composition (NIST SP 800-63B-4, 3.1.1.2). ERR_INVALID says what to do. */
int password_choice_check(const char *password, const char *name, struct error *e);

/* ---- second factors: codes of an authenticator (RFC 6238: 6 digits, 30 s, HMAC-SHA-1) ------------------------------
 */
#define TOTP_SECRET_BYTES 20
#define TOTP_SECRET_TEXT_BYTES 33 /* base32 without padding */
#define TOTP_DIGITS 6
#define TOTP_STEP_S 30
/* Whose code it is: of the present step, the one before, or the next, and later than `used`, so that none is taken
 * twice. ERR_LOGIN: of none. */
int totp_check(const uint8_t secret[TOTP_SECRET_BYTES], int64_t now_ms, uint64_t used, const char *code, uint64_t *step,
               struct error *e);
int totp_secret_text(const uint8_t secret[TOTP_SECRET_BYTES], char text[TOTP_SECRET_TEXT_BYTES], struct error *e);

#endif

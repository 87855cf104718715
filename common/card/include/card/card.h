/*
 * A district's card (docs/CARDS.md): what the program at the reader is asked and answers, the certificate that the
 * district signed for the card's key, and the proof that this key is here.
 *
 *   question   u8 verb  u8 pin bytes  pin  challenge (PROVE: 32 bytes; LOOK: none)
 *   answer     u8 state  u8 tries  u32 presence  u16 bytes  certificate  u16 bytes  signature
 *
 * All answers are hostile input: nothing is believed of them but what the district signed.
 */
#ifndef CARD_CARD_H
#define CARD_CARD_H

#include "crypto/crypto.h"

#define CARD_CHALLENGE_BYTES 32
#define CARD_KEY_BYTES P256_KEY_BYTES
#define CARD_HOLDER_BYTES 16
#define CARD_PIN_LEAST 4
#define CARD_PIN_MOST 8
#define CARD_NUMBER_MOST UINT64_C(999999999999) /* twelve digits */
#define CARD_NUMBER_TEXT_BYTES 13
#define CARD_CERTIFICATE_BYTES (1 + 8 + CARD_HOLDER_BYTES + 8 + CARD_KEY_BYTES + SIGNATURE_BYTES)
#define CARD_QUESTION_BYTES_MOST (2 + CARD_PIN_MOST + CARD_CHALLENGE_BYTES)
#define CARD_ANSWER_BYTES_MOST (1 + 1 + 4 + 2 + CARD_CERTIFICATE_BYTES + 2 + SIGNATURE_BYTES)
#define CARD_TRIES_UNKNOWN 255

enum card_verb { CARD_LOOK = 1, CARD_PROVE = 2 };

enum card_state {
	CARD_NO_READER = 0,
	CARD_EMPTY = 1,       /* a reader without a card */
	CARD_STRANGE = 2,     /* a card that is not of this profile, or does not answer as it says */
	CARD_PRESENT = 3,     /* LOOK: one that is */
	CARD_PIN_WRONG = 4,   /* PROVE */
	CARD_PIN_BLOCKED = 5, /* either: no tries are left */
	CARD_ANSWERED = 6,    /* PROVE: certificate and signature are in the answer */
	CARD_STATE_MOST = CARD_ANSWERED,
};

struct card_question {
	enum card_verb verb;
	struct bytes pin;       /* PROVE: digits */
	struct bytes challenge; /* PROVE */
};

struct card_answer {
	enum card_state state;
	uint8_t tries;     /* of the PIN that are left; CARD_TRIES_UNKNOWN */
	uint32_t presence; /* another one when a card was taken away or put there */
	struct bytes certificate, signature;
};

/* Appends it packed. ERR_INVALID, ERR_MEMORY. */
int card_question_pack(const struct card_question *q, struct buffer *out, struct error *e);
int card_answer_pack(const struct card_answer *a, struct buffer *out, struct error *e);
/* `out` points into `packed`. ERR_INVALID. */
int card_question_unpack(struct bytes packed, struct card_question *out, struct error *e);
int card_answer_unpack(struct bytes packed, struct card_answer *out, struct error *e);

/* u8 version (1)  u64 number  holder  u64 expires_ms  key  Ed25519 signature of the district's authority over
 * "lm card v1" and what stands before it. */
struct card_certificate {
	uint64_t number;                   /* 1 to CARD_NUMBER_MOST */
	uint8_t holder[CARD_HOLDER_BYTES]; /* id of a resident's record; zero: not said */
	int64_t expires_ms;
	uint8_t key[CARD_KEY_BYTES]; /* P-256, uncompressed */
};
int card_certificate_make(const struct card_certificate *c, const uint8_t secret_key[KEY_BYTES],
                          uint8_t out[CARD_CERTIFICATE_BYTES], struct error *e);
/* ERR_INVALID: it is none; ERR_BAD_SIGNATURE: another district's, or a forged one. */
int card_certificate_check(struct bytes packed, const uint8_t authority[KEY_BYTES], struct card_certificate *out,
                           struct error *e);
/* That the card's key signed "lm card proof v1" and this challenge. ERR_BAD_SIGNATURE, ERR_CRYPTO. */
int card_proof_check(const struct card_certificate *c, const uint8_t challenge[CARD_CHALLENGE_BYTES],
                     struct bytes signature, struct error *e);

void card_number_to_text(uint64_t number, char text[CARD_NUMBER_TEXT_BYTES]); /* twelve digits */
/* Spaces are free. ERR_INVALID. */
int card_number_from_text(const char *text, uint64_t *out, struct error *e);

#endif

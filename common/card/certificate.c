/*
 * What the district signed for a card, what a card proves with it, and how its number is written.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "card/card.h"

#define CERTIFICATE_VERSION 1
#define SIGNED_BYTES (CARD_CERTIFICATE_BYTES - SIGNATURE_BYTES)
#define SIGNED_LABEL "lm card v1"
#define PROOF_LABEL "lm card proof v1"

static void signed_text(const uint8_t *head, uint8_t out[sizeof SIGNED_LABEL - 1 + SIGNED_BYTES])
{
	memcpy(out, SIGNED_LABEL, sizeof SIGNED_LABEL - 1);
	memcpy(out + sizeof SIGNED_LABEL - 1, head, SIGNED_BYTES);
}

static int certificate_look(const struct card_certificate *c, struct error *e)
{
	if (!c->number || c->number > CARD_NUMBER_MOST || c->expires_ms <= 0)
		return error_set(e, ERR_INVALID, "this is no certificate of a card");
	return OK;
}

int card_certificate_make(const struct card_certificate *c, const uint8_t secret_key[KEY_BYTES],
                          uint8_t out[CARD_CERTIFICATE_BYTES], struct error *e)
{
	uint8_t text[sizeof SIGNED_LABEL - 1 + SIGNED_BYTES];
	struct writer w = writer_over(out, CARD_CERTIFICATE_BYTES);
	int result = certificate_look(c, e);
	if (!result)
		result = p256_key_check(c->key, e);
	if (result)
		return result;
	write_u8(&w, CERTIFICATE_VERSION);
	write_u64(&w, c->number);
	write_bytes(&w, BYTES_OF(c->holder));
	write_u64(&w, (uint64_t)c->expires_ms);
	write_bytes(&w, BYTES_OF(c->key));
	signed_text(out, text);
	return sign_make(SUITE_INTERNATIONAL, secret_key, BYTES_OF(text), out + SIGNED_BYTES, e);
}

int card_certificate_check(struct bytes packed, const uint8_t authority[KEY_BYTES], struct card_certificate *out,
                           struct error *e)
{
	uint8_t text[sizeof SIGNED_LABEL - 1 + SIGNED_BYTES];
	struct card_certificate c;
	struct reader r = reader_over(packed);
	if (packed.size != CARD_CERTIFICATE_BYTES || read_u8(&r) != CERTIFICATE_VERSION)
		return error_set(e, ERR_INVALID, "this is no certificate of a card");
	signed_text(packed.data, text);
	int result = sign_check(SUITE_INTERNATIONAL, authority, BYTES_OF(text), packed.data + SIGNED_BYTES, e);
	if (result)
		return result == ERR_BAD_SIGNATURE
		               ? error_set(e, result, "this district did not sign the card's certificate")
		               : result;
	c.number = read_u64(&r);
	memcpy(c.holder, read_bytes(&r, sizeof c.holder).data, sizeof c.holder);
	c.expires_ms = (int64_t)read_u64(&r);
	memcpy(c.key, read_bytes(&r, sizeof c.key).data, sizeof c.key);
	result = certificate_look(&c, e);
	if (!result)
		*out = c;
	return result;
}

int card_proof_check(const struct card_certificate *c, const uint8_t challenge[CARD_CHALLENGE_BYTES],
                     struct bytes signature, struct error *e)
{
	uint8_t text[sizeof PROOF_LABEL - 1 + CARD_CHALLENGE_BYTES];
	if (signature.size != SIGNATURE_BYTES)
		return error_set(e, ERR_BAD_SIGNATURE, "the card proves nothing");
	memcpy(text, PROOF_LABEL, sizeof PROOF_LABEL - 1);
	memcpy(text + sizeof PROOF_LABEL - 1, challenge, CARD_CHALLENGE_BYTES);
	return p256_check(c->key, BYTES_OF(text), signature.data, e);
}

void card_number_to_text(uint64_t number, char text[CARD_NUMBER_TEXT_BYTES])
{
	snprintf(text, CARD_NUMBER_TEXT_BYTES, "%012" PRIu64, number % (CARD_NUMBER_MOST + 1));
}

int card_number_from_text(const char *text, uint64_t *out, struct error *e)
{
	uint64_t number = 0;
	size_t digits = 0;
	for (; *text; text++) {
		if (*text == ' ')
			continue;
		if (*text < '0' || *text > '9' || ++digits > CARD_NUMBER_TEXT_BYTES - 1)
			break;
		number = number * 10 + (uint64_t)(*text - '0');
	}
	if (*text || !number)
		return error_set(e, ERR_INVALID, "card: its number has at most twelve digits, as printed on it");
	*out = number;
	return OK;
}

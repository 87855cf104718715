/*
 * Questions to the program at the reader and its answers, in both directions.
 */
#include "card/card.h"

static bool pin_is_good(struct bytes pin)
{
	if (pin.size < CARD_PIN_LEAST || pin.size > CARD_PIN_MOST)
		return false;
	for (size_t i = 0; i < pin.size; i++)
		if (pin.data[i] < '0' || pin.data[i] > '9')
			return false;
	return true;
}

static int question_check(const struct card_question *q, struct error *e)
{
	if (q->verb == CARD_LOOK && !q->pin.size && !q->challenge.size)
		return OK;
	if (q->verb != CARD_PROVE || q->challenge.size != CARD_CHALLENGE_BYTES)
		return error_set(e, ERR_INVALID, "this is no question to a card");
	if (!pin_is_good(q->pin))
		return error_set(e, ERR_INVALID, "pin: %d to %d digits", CARD_PIN_LEAST, CARD_PIN_MOST);
	return OK;
}

int card_question_pack(const struct card_question *q, struct buffer *out, struct error *e)
{
	int result = question_check(q, e);
	if (result)
		return result;
	uint8_t memory[CARD_QUESTION_BYTES_MOST];
	struct writer w = writer_over(memory, sizeof memory);
	write_u8(&w, (uint8_t)q->verb);
	write_u8(&w, (uint8_t)q->pin.size);
	write_bytes(&w, q->pin);
	write_bytes(&w, q->challenge);
	result = buffer_append(out, BYTES(memory, w.size));
	crypto_wipe(memory, sizeof memory);
	return result ? error_set(e, ERR_MEMORY, "no memory to ask a card") : OK;
}

int card_question_unpack(struct bytes packed, struct card_question *out, struct error *e)
{
	struct reader r = reader_over(packed);
	struct card_question q;
	q.verb = read_u8(&r);
	q.pin = read_bytes(&r, read_u8(&r));
	q.challenge = read_bytes(&r, r.size - r.at);
	int result = r.failed ? error_set(e, ERR_INVALID, "this question to a card is cut off") : question_check(&q, e);
	if (!result)
		*out = q;
	return result;
}

/* What a state brings along, no more and no less. */
static int answer_check(const struct card_answer *a, struct error *e)
{
	bool is_whole = a->certificate.size == CARD_CERTIFICATE_BYTES && a->signature.size == SIGNATURE_BYTES;
	bool is_bare = !a->certificate.size && !a->signature.size;
	if ((unsigned)a->state > CARD_STATE_MOST || (a->state == CARD_ANSWERED ? !is_whole : !is_bare))
		return error_set(e, ERR_INVALID, "the program at the card's reader talks nonsense");
	return OK;
}

int card_answer_pack(const struct card_answer *a, struct buffer *out, struct error *e)
{
	uint8_t memory[CARD_ANSWER_BYTES_MOST];
	struct writer w = writer_over(memory, sizeof memory);
	int result = answer_check(a, e);
	if (result)
		return result;
	write_u8(&w, (uint8_t)a->state);
	write_u8(&w, a->tries);
	write_u32(&w, a->presence);
	write_u16(&w, (uint16_t)a->certificate.size);
	write_bytes(&w, a->certificate);
	write_u16(&w, (uint16_t)a->signature.size);
	write_bytes(&w, a->signature);
	return buffer_append(out, BYTES(memory, w.size)) ? error_set(e, ERR_MEMORY, "no memory for a card's answer")
	                                                 : OK;
}

int card_answer_unpack(struct bytes packed, struct card_answer *out, struct error *e)
{
	struct reader r = reader_over(packed);
	struct card_answer a;
	a.state = read_u8(&r);
	a.tries = read_u8(&r);
	a.presence = read_u32(&r);
	a.certificate = read_bytes(&r, read_u16(&r));
	a.signature = read_bytes(&r, read_u16(&r));
	int result = r.failed || r.at != r.size
	                     ? error_set(e, ERR_INVALID, "the program at the card's reader talks nonsense")
	                     : answer_check(&a, e);
	if (!result)
		*out = a;
	return result;
}

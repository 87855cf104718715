/*
 * The commands of docs/CARDS.md. A card is hostile: every length is looked at, and nothing of what it says repeats for
 * ever.
 */
#include "session.h"

#include <string.h>

#define STATUS_OK 0x9000
#define STATUS_BLOCKED 0x6983
#define STATUS_MORE 0x61   /* first byte: the second says how much waits */
#define STATUS_TRIES 0x63C /* the rest: tries that are left */
#define PIECES_MOST 4      /* of a response, where the card gives it in several */
#define PIN_FILLING 0xFF

struct response {
	uint8_t data[PIECES_MOST * RESPONSE_BYTES_MOST];
	size_t size; /* without the status word */
	unsigned status;
};

/* False: no card that answers as it should. */
static bool piece_take(const struct transport *t, struct bytes command, struct response *out)
{
	uint8_t piece[RESPONSE_BYTES_MOST];
	size_t size = 0;
	if (t->transmit(t->context, command, piece, &size) || size < 2 || size > sizeof piece ||
	    out->size + size - 2 > sizeof out->data)
		return false;
	memcpy(out->data + out->size, piece, size - 2);
	out->size += size - 2;
	out->status = (unsigned)piece[size - 2] << 8 | piece[size - 1];
	crypto_wipe(piece, sizeof piece);
	return true;
}

static bool command_send(const struct transport *t, struct bytes command, struct response *out)
{
	out->size = 0;
	bool is_good = piece_take(t, command, out);
	for (int i = 1; is_good && out->status >> 8 == STATUS_MORE && i < PIECES_MOST; i++) {
		const uint8_t more[] = { 0x00, 0xC0, 0x00, 0x00, (uint8_t)out->status };
		is_good = piece_take(t, BYTES_OF(more), out);
	}
	return is_good;
}

static bool is_done(const struct transport *t, struct bytes command, size_t size, struct response *out)
{
	return command_send(t, command, out) && out->status == STATUS_OK && out->size == size;
}

static bool select_profile(const struct transport *t, struct response *r)
{
	static const uint8_t command[] = { 0x00, 0xA4, 0x04, 0x0C, 8, 0xF0, 'L', 'M', 'C', 'A', 'R', 'D', 1 };
	return is_done(t, BYTES_OF(command), 0, r);
}

/* What VERIFY said: an answer of its own, or nothing new. */
static bool tries_read(const struct response *r, struct card_answer *out)
{
	if (r->status >> 4 != STATUS_TRIES && r->status != STATUS_BLOCKED)
		return false;
	out->tries = r->status == STATUS_BLOCKED ? 0 : r->status & 0xF;
	out->state = out->tries ? CARD_PIN_WRONG : CARD_PIN_BLOCKED;
	return true;
}

static void look(const struct transport *t, struct response *r, struct card_answer *out)
{
	static const uint8_t ask_tries[] = { 0x00, 0x20, 0x00, 0x81 };
	if (!command_send(t, BYTES_OF(ask_tries), r) || !tries_read(r, out))
		return;
	if (out->state == CARD_PIN_WRONG) /* it was not tried */
		out->state = CARD_PRESENT;
}

/* True: the card takes the PIN; else `out` says what it says. */
static bool pin_give(const struct transport *t, struct bytes pin, struct response *r, struct card_answer *out)
{
	uint8_t command[5 + CARD_PIN_MOST] = { 0x00, 0x20, 0x00, 0x81, CARD_PIN_MOST };
	memset(command + 5, PIN_FILLING, CARD_PIN_MOST);
	memcpy(command + 5, pin.data, pin.size);
	bool was_heard = command_send(t, BYTES_OF(command), r);
	crypto_wipe(command, sizeof command);
	if (was_heard && r->status == STATUS_OK)
		return true;
	if (was_heard)
		tries_read(r, out);
	return false;
}

static void prove(const struct transport *t, const struct card_question *q, struct session_memory *memory,
                  struct response *r, struct card_answer *out)
{
	static const uint8_t read[] = { 0x00, 0xB0, 0x81, 0x00, CARD_CERTIFICATE_BYTES };
	uint8_t sign[5 + CARD_CHALLENGE_BYTES + 1] = { 0x00, 0x88, 0x00, 0x00, CARD_CHALLENGE_BYTES };
	if (!is_done(t, BYTES_OF(read), CARD_CERTIFICATE_BYTES, r))
		return;
	memcpy(memory->certificate, r->data, sizeof memory->certificate);
	if (!pin_give(t, q->pin, r, out))
		return;
	memcpy(sign + 5, q->challenge.data, CARD_CHALLENGE_BYTES);
	if (!is_done(t, BYTES_OF(sign), SIGNATURE_BYTES, r))
		return;
	memcpy(memory->signature, r->data, sizeof memory->signature);
	out->certificate = BYTES_OF(memory->certificate);
	out->signature = BYTES_OF(memory->signature);
	out->state = CARD_ANSWERED;
}

void session_run(const struct transport *t, const struct card_question *q, struct session_memory *memory,
                 struct card_answer *out)
{
	struct response r;
	out->state = CARD_STRANGE;
	out->tries = CARD_TRIES_UNKNOWN;
	out->certificate = out->signature = BYTES(NULL, 0);
	if (select_profile(t, &r)) {
		if (q->verb == CARD_LOOK)
			look(t, &r, out);
		else
			prove(t, q, memory, &r, out);
	}
	crypto_wipe(&r, sizeof r);
}

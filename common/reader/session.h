/* What is said with a card, whatever it is reached through. */
#ifndef READER_SESSION_H
#define READER_SESSION_H

#include "card/card.h"

#define COMMAND_BYTES_MOST 64
#define RESPONSE_BYTES_MOST 258 /* of a short command: 256 and the status word */

struct transport {
	/* One command; `response` has room for RESPONSE_BYTES_MOST, *size says how much came. ERR_CLOSED: the card is
	 * gone, or does not answer. */
	int (*transmit)(void *context, struct bytes command, uint8_t *response, size_t *size);
	void *context;
};

/* What `out` points into. */
struct session_memory {
	uint8_t certificate[CARD_CERTIFICATE_BYTES], signature[SIGNATURE_BYTES];
};

/* Fills state, tries, certificate and signature of `out`: whatever the card says is an answer. */
void session_run(const struct transport *t, const struct card_question *q, struct session_memory *memory,
                 struct card_answer *out);

#endif

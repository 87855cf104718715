/*
 * What only a terminal does: residents' requests and receipts. A request is sealed as it is saved; from then on this
 * device can read it no more than anybody else who has its disk.
 */
#ifndef TERMINAL_TERMINAL_H
#define TERMINAL_TERMINAL_H

#include "card/card.h"
#include "node/node.h"

struct tier terminal_tier(void);

/* A receipt made ahead: the slow function has been run. */
struct ready_receipt {
	char code[RECEIPT_CODE_DIGITS + 1];
	uint8_t key[RECEIPT_KEY_BYTES];
	struct receipt_secret secret;
};
/* Draws a code and a key and derives the lock's parts. Slow (Argon2id): pool. */
int ready_receipt_make(const uint8_t device_salt[DEVICE_SALT_BYTES], struct ready_receipt *out, struct error *e);

struct card_proof {        /* that a card lies there whose PIN somebody knows; no number: none */
	struct id request; /* for which it was given */
	uint64_t number;
	uint8_t holder[CARD_HOLDER_BYTES];
	uint32_t presence; /* card_answer's: the card was not taken away since */
	uint64_t since_us; /* monotonic */
	int64_t time_ms;
};

/* A request on its way into the journal. The caller fills the first part, which must live until `done`. */
struct submission {
	struct id request;
	const char *service;
	uint32_t revision;
	Lm__Tier owner;       /* who decides, when the answers have a say in it; else TIER_NONE */
	struct bytes payload; /* packed RequestPayload */
	struct parts *parts;  /* of its files; they lie in the same arena */
	struct ready_receipt receipt;
	struct card_proof card; /* shown for it */
	/* results */
	bool was_saved_before;
	int64_t saved_ms;
	uint64_t ordinal; /* in our up line: compare with node_up_marks */
	struct command command;
};
/* Packs what the payload holds: answers, consents, code, receipt key, lookup id. */
int submission_pack(struct submission *s, const Lm__SubmitCommand *in, struct arena *arena, struct error *e);
/* Hands it to the writer. s->command.done is set by the caller. */
int submission_send(struct node *n, struct submission *s);

#endif

/*
 * A hostile card, and a hostile program at the reader: what a card answers to each command, what the program says of
 * it, and certificates. Nothing is read beyond what came, nothing goes on for ever, and nobody is believed.
 */
#include "card/card.h"
#include "fuzz.h"
#include "session.h" /* of the room reader */

#define COMMANDS_MOST 24 /* of one question: four, each in four pieces, and some to spare */

struct feeding {
	struct reader rest;
	unsigned commands;
};

static int fed_transmit(void *context, struct bytes command, uint8_t *response, size_t *size)
{
	struct feeding *f = context;
	must(command.size && command.size <= COMMAND_BYTES_MOST && ++f->commands <= COMMANDS_MOST);
	size_t wanted = read_u16(&f->rest) % (RESPONSE_BYTES_MOST + 1), left = f->rest.size - f->rest.at;
	if (f->rest.failed)
		return ERR_CLOSED;
	struct bytes piece = read_bytes(&f->rest, wanted < left ? wanted : left);
	if (piece.size)
		memcpy(response, piece.data, piece.size);
	*size = piece.size;
	return OK;
}

static void card_talks(const struct card_question *q, struct bytes content)
{
	struct feeding f = { .rest = reader_over(content) };
	struct session_memory memory;
	struct card_answer out = { .presence = 1 }, again;
	struct buffer packed = { 0 };
	session_run(&(struct transport){ fed_transmit, &f }, q, &memory, &out);
	must(!card_answer_pack(&out, &packed, NULL)); /* whatever the card says is an answer */
	must(!card_answer_unpack(buffer_bytes(&packed), &again, NULL) && again.state == out.state);
	must(q->verb == CARD_LOOK ? out.state != CARD_ANSWERED : out.state != CARD_PRESENT);
	buffer_release(&packed);
}

static void program_talks(struct bytes content)
{
	static const uint8_t authority[KEY_BYTES] = { 1 };
	struct card_question q;
	struct card_answer a;
	struct card_certificate c;
	struct buffer again = { 0 };
	if (!card_answer_unpack(content, &a, NULL)) {
		must(!card_answer_pack(&a, &again, NULL) && bytes_equal(content, buffer_bytes(&again)));
		must(card_certificate_check(a.certificate, authority, &c, NULL) != OK);
	}
	buffer_clear(&again);
	if (!card_question_unpack(content, &q, NULL))
		must(!card_question_pack(&q, &again, NULL) && bytes_equal(content, buffer_bytes(&again)));
	must(card_certificate_check(content, authority, &c, NULL) != OK);
	buffer_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t challenge[CARD_CHALLENGE_BYTES] = { 5 };
	card_talks(&(struct card_question){ .verb = CARD_LOOK }, BYTES(data, size));
	card_talks(&(struct card_question){ CARD_PROVE, bytes_from_text("4711"), BYTES_OF(challenge) },
	           BYTES(data, size));
	program_talks(BYTES(data, size));
	return 0;
}

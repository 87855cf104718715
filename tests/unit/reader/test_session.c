/* What is said with a card: the commands, and what becomes of whatever it answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../../../common/reader/session.h"

struct script { /* answers in the order in which they are asked for, each as hexadecimal; NULL: the card has gone */
	const char *answer[8];
	size_t at;
	uint8_t asked[8][COMMAND_BYTES_MOST];
};

static int script_transmit(void *context, struct bytes command, uint8_t *response, size_t *size)
{
	struct script *s = context;
	const char *answer = s->at < 8 ? s->answer[s->at] : NULL;
	assert_true(command.size <= COMMAND_BYTES_MOST && s->at < 8);
	memcpy(s->asked[s->at++], command.data, command.size);
	if (!answer)
		return ERR_CLOSED;
	*size = strlen(answer) / 2;
	assert_int_equal(OK, hex_decode(answer, response, *size));
	return OK;
}

static enum card_state run(struct script *s, const struct card_question *q, uint8_t *tries)
{
	struct session_memory memory;
	struct card_answer out;
	session_run(&(struct transport){ script_transmit, s }, q, &memory, &out);
	assert_true(out.state == CARD_ANSWERED ? out.signature.size == SIGNATURE_BYTES : !out.certificate.size);
	*tries = out.tries;
	return out.state;
}

static void a_look_tells_the_tries(void **state)
{
	(void)state;
	static const struct {
		struct script script;
		enum card_state state;
		uint8_t tries;
	} cases[] = {
		{ { { "9000", "63c3" }, 0, { { 0 } } }, CARD_PRESENT, 3 },
		{ { { "9000", "63c0" }, 0, { { 0 } } }, CARD_PIN_BLOCKED, 0 },
		{ { { "9000", "6983" }, 0, { { 0 } } }, CARD_PIN_BLOCKED, 0 },
		{ { { "9000", "6a88" }, 0, { { 0 } } }, CARD_STRANGE, CARD_TRIES_UNKNOWN },
		{ { { "9000", "9000" }, 0, { { 0 } } }, CARD_STRANGE, CARD_TRIES_UNKNOWN }, /* open before a PIN */
		{ { { "6a82" }, 0, { { 0 } } }, CARD_STRANGE, CARD_TRIES_UNKNOWN },
		{ { { "90" }, 0, { { 0 } } }, CARD_STRANGE, CARD_TRIES_UNKNOWN },
		{ { { "" }, 0, { { 0 } } }, CARD_STRANGE, CARD_TRIES_UNKNOWN },
		{ { { NULL }, 0, { { 0 } } }, CARD_STRANGE, CARD_TRIES_UNKNOWN },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct script s = cases[i].script;
		uint8_t tries;
		assert_int_equal(cases[i].state, run(&s, &(struct card_question){ .verb = CARD_LOOK }, &tries));
		assert_int_equal(cases[i].tries, tries);
	}
}

static void a_pin_goes_out_once_and_filled_up(void **state)
{
	(void)state;
	static const uint8_t challenge[CARD_CHALLENGE_BYTES] = { 7 };
	static const uint8_t verify[] = { 0, 0x20, 0, 0x81, 8, '4', '7', '1', '1', 0xff, 0xff, 0xff, 0xff };
	char certificate[2 * CARD_CERTIFICATE_BYTES + 5], signature[2 * SIGNATURE_BYTES + 5];
	memset(certificate, 'a', sizeof certificate);
	memset(signature, 'b', sizeof signature);
	memcpy(certificate + 2 * CARD_CERTIFICATE_BYTES, "9000", 5);
	memcpy(signature + 2 * SIGNATURE_BYTES, "9000", 5);
	const struct card_question q = { CARD_PROVE, bytes_from_text("4711"), BYTES_OF(challenge) };
	struct script good = { .answer = { "9000", certificate, "9000", signature } };
	struct script wrong = { .answer = { "9000", certificate, "63c2" } };
	struct script unwilling = { .answer = { "9000", certificate, "9000", "6982" } };
	uint8_t tries;
	assert_int_equal(CARD_ANSWERED, run(&good, &q, &tries));
	assert_int_equal(4, good.at);
	assert_memory_equal(verify, good.asked[2], sizeof verify);
	assert_memory_equal(challenge, good.asked[3] + 5, sizeof challenge);
	assert_int_equal(CARD_PIN_WRONG, run(&wrong, &q, &tries));
	assert_int_equal(2, tries);
	assert_int_equal(3, wrong.at);
	assert_int_equal(CARD_STRANGE, run(&unwilling, &q, &tries));
	assert_int_equal(4, unwilling.at);
}

/* As cards of T=0 do: 61 xx, and GET RESPONSE; not for ever. */
static void an_answer_in_pieces_is_put_together(void **state)
{
	(void)state;
	struct script two = { .answer = { "9000", "6102", "63c1" } };
	struct script endless = { .answer = { "6101", "6101", "6101", "6101", "6101", "6101", "6101", "6101" } };
	uint8_t tries;
	assert_int_equal(CARD_PRESENT, run(&two, &(struct card_question){ .verb = CARD_LOOK }, &tries));
	assert_int_equal(0xC0, two.asked[2][1]);
	assert_int_equal(2, two.asked[2][4]);
	assert_int_equal(CARD_STRANGE, run(&endless, &(struct card_question){ .verb = CARD_LOOK }, &tries));
	assert_int_equal(4, endless.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_look_tells_the_tries),
		cmocka_unit_test(a_pin_goes_out_once_and_filled_up),
		cmocka_unit_test(an_answer_in_pieces_is_put_together),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

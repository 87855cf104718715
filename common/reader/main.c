/*
 * lm-card: asks the card at the reader for a terminal (worker/worker.h and card/card.h say how). Started by it with one
 * socket; ends with it, and with pcscd.
 */
#include "base/bytes.h"
#include "pcsc.h"
#include "worker/worker.h"

static int question_answer(struct bytes packed)
{
	struct card_question q;
	struct card_answer answer;
	struct session_memory memory;
	struct buffer out = { 0 };
	struct error e = { 0 };
	int result = card_question_unpack(packed, &q, &e);
	if (!result)
		result = pcsc_ask(&q, &memory, &answer, &e);
	if (!result)
		result = card_answer_pack(&answer, &out, &e);
	int gone = worker_say(WORKER_DESCRIPTOR, result, result ? bytes_from_text(e.text) : buffer_bytes(&out));
	buffer_release(&out);
	return result == ERR_NOT_READY ? result : gone;
}

int main(void)
{
	struct buffer question = { 0 };
	struct error e = { 0 };
	int result = pcsc_begin(&e);
	if (!result)
		result = worker_lock_in(&e);
	worker_say(WORKER_DESCRIPTOR, result, bytes_from_text(e.text));
	while (!result && !worker_hear(WORKER_DESCRIPTOR, CARD_QUESTION_BYTES_MOST, &question))
		result = question_answer(buffer_bytes(&question));
	buffer_release(&question); /* wiped by the last hearing */
	return 0;
}

/*
 * lm-voice LEXICON: speaks for a terminal (worker/worker.h and speech/voice.h say how). Started by it with one socket;
 * ends with it.
 */
#include "base/files.h"
#include "inside.h"
#include "worker/worker.h"

static int lexicon_read(const char *path, struct lexicon **out, struct error *e)
{
	struct buffer text = { 0 };
	int result = file_read(path, LEXICON_BYTES_MOST, &text, e);
	if (!result)
		result = lexicon_parse(path, buffer_bytes(&text), out, e);
	buffer_release(&text);
	return result;
}

static bool is_cancelled(void)
{
	return worker_is_interrupted(WORKER_DESCRIPTOR);
}

static int question_answer(const struct lexicon *lexicon, struct bytes packed)
{
	struct voice_question q;
	struct buffer plain = { 0 }, wav = { 0 };
	struct error e = { 0 };
	int result = voice_question_unpack(packed, &q, &e);
	if (!result)
		result = speech_normalise(lexicon, q.language, q.text, &plain, &e);
	if (!result)
		result = synth_say(q.language, q.rate, buffer_bytes(&plain), is_cancelled, &wav, &e);
	int gone = worker_say(WORKER_DESCRIPTOR, result, result ? bytes_from_text(e.text) : buffer_bytes(&wav));
	buffer_release(&plain);
	buffer_release(&wav);
	return gone;
}

int main(int argc, char **argv)
{
	struct lexicon *lexicon = NULL;
	struct buffer question = { 0 };
	struct error e = { 0 };
	if (argc != 2)
		return error_exit_code(ERR_USAGE);
	int result = lexicon_read(argv[1], &lexicon, &e);
	if (!result)
		result = synth_begin(&e);
	if (!result)
		result = worker_lock_in(&e);
	worker_say(WORKER_DESCRIPTOR, result, bytes_from_text(e.text));
	while (!result && !worker_hear(WORKER_DESCRIPTOR, VOICE_HEAD_BYTES + VOICE_TEXT_BYTES_MOST, &question))
		result = question_answer(lexicon, buffer_bytes(&question));
	buffer_release(&question);
	lexicon_free(lexicon);
	return 0;
}

/*
 * lm-voice LEXICON: speaks for a terminal (speech/voice.h says how). Started by it with one socket; ends with it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/files.h"
#include "inside.h"

static int answer(int status, struct bytes body)
{
	uint8_t head[5];
	struct writer w = writer_over(head, sizeof head);
	write_u8(&w, (uint8_t)status);
	write_u32(&w, (uint32_t)body.size);
	return voice_write(VOICE_DESCRIPTOR, BYTES_OF(head)) || voice_write(VOICE_DESCRIPTOR, body);
}

static int lexicon_read(const char *path, struct lexicon **out, struct error *e)
{
	struct buffer text = { 0 };
	int result = file_read(path, LEXICON_BYTES_MOST, &text, e);
	if (!result)
		result = lexicon_parse(path, buffer_bytes(&text), out, e);
	buffer_release(&text);
	return result;
}

/* While it speaks, every byte that comes says that nobody wants to hear it; the byte itself is read afterwards. */
static bool is_cancelled(void)
{
	uint8_t byte;
	return recv(VOICE_DESCRIPTOR, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

static int one_speak(const struct lexicon *lexicon)
{
	uint8_t head[6];
	struct buffer text = { 0 }, plain = { 0 }, wav = { 0 };
	struct error e = { 0 };
	if (voice_read(VOICE_DESCRIPTOR, head, sizeof head, 0, NULL))
		return ERR_UNREACHABLE;
	struct reader r = reader_over(BYTES_OF(head));
	enum speech_language language = read_u8(&r) ? SPEECH_ENGLISH : SPEECH_CHINESE;
	unsigned rate = read_u8(&r);
	size_t size = read_u32(&r);
	if (size > VOICE_TEXT_BYTES_MOST || rate < VOICE_RATE_LEAST || rate > VOICE_RATE_MOST ||
	    buffer_reserve(&text, size + 1) || voice_read(VOICE_DESCRIPTOR, text.data, size, 0, NULL))
		return ERR_UNREACHABLE; /* not from a terminal that keeps its word */
	text.size = size;
	int result = speech_normalise(lexicon, language, buffer_bytes(&text), &plain, &e);
	if (!result)
		result = synth_say(language, rate, buffer_bytes(&plain), is_cancelled, &wav, &e);
	int gone = answer(result, result ? bytes_from_text(e.text) : buffer_bytes(&wav));
	buffer_release(&text);
	buffer_release(&plain);
	buffer_release(&wav);
	return gone;
}

int main(int argc, char **argv)
{
	struct lexicon *lexicon = NULL;
	struct error e = { 0 };
	uint8_t kind;
	if (argc != 2)
		return 2;
	int result = lexicon_read(argv[1], &lexicon, &e);
	if (!result)
		result = synth_begin(&e);
	if (!result)
		result = sandbox_enter(&e);
	answer(result, bytes_from_text(e.text));
	while (!result && !voice_read(VOICE_DESCRIPTOR, &kind, 1, 0, NULL)) {
		if (kind == VOICE_SPEAK)
			result = one_speak(lexicon);
		else if (kind != VOICE_CANCEL) /* which came when all had been said */
			result = ERR_INVALID;
	}
	lexicon_free(lexicon);
	return 0;
}

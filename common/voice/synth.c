/*
 * espeak-ng. Its voice `cmn` has no reading for many words (您好), `cmn-latn-pinyin` has; what both read wrong stands
 * in the lexicon.
 */
#include <espeak-ng/speak_lib.h>
#include <string.h>

#include "inside.h"

#define WAV_HEAD_BYTES 44
#define SAMPLE_BYTES 2
#define LEAD_BYTES 3 /* of a Han character in UTF-8 */

static const char *const voice_names[] = { [SPEECH_CHINESE] = "cmn-latn-pinyin", [SPEECH_ENGLISH] = "en" };
static const int words_a_minute[] = { 0, 90, 120, 150, 175, 220, 280, 360 }; /* by rate; 4 is how people speak */

static int sample_rate;
static struct {
	struct buffer *out;
	bool (*is_cancelled)(void);
	int result;
} now; /* espeak's callback has no context of its own for synchronous texts */

static int samples_take(short *samples, int count, espeak_EVENT *events)
{
	(void)events;
	if (now.is_cancelled())
		now.result = ERR_CLOSED;
	else if (samples && count > 0) {
		size_t size = (size_t)count * SAMPLE_BYTES;
		if (size > VOICE_WAV_BYTES_MOST - now.out->size)
			now.result = ERR_TOO_BIG;
		else if (buffer_append(now.out, BYTES(samples, size)))
			now.result = ERR_MEMORY;
	}
	return now.result != OK; /* 1 stops it */
}

int synth_begin(struct error *e)
{
	sample_rate = espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, NULL, espeakINITIALIZE_DONT_EXIT);
	if (sample_rate <= 0)
		return error_set(e, ERR_NOT_READY, "espeak-ng does not start; is espeak-ng-data installed?");
	espeak_SetSynthCallback(samples_take);
	for (size_t i = 0; i < sizeof voice_names / sizeof *voice_names; i++) {
		if (espeak_SetVoiceByName(voice_names[i]) != EE_OK)
			return error_set(e, ERR_NOT_READY, "espeak-ng has no voice %s", voice_names[i]);
	}
	return OK;
}

/* RIFF: 16 bits, one channel. WAV is little-endian, as are the machines that terminals are. */
static void head_write(uint8_t *head, uint32_t data_bytes)
{
	const uint32_t rate = (uint32_t)sample_rate, bytes_a_second = rate * SAMPLE_BYTES, format_bytes = 16,
	               riff_bytes = data_bytes + WAV_HEAD_BYTES - 8;
	const uint16_t pcm = 1, channels = 1, block = SAMPLE_BYTES, bits = 8 * SAMPLE_BYTES;
	memcpy(head, "RIFF", 4);
	memcpy(head + 4, &riff_bytes, 4);
	memcpy(head + 8, "WAVEfmt ", 8);
	memcpy(head + 16, &format_bytes, 4);
	memcpy(head + 20, &pcm, 2);
	memcpy(head + 22, &channels, 2);
	memcpy(head + 24, &rate, 4);
	memcpy(head + 28, &bytes_a_second, 4);
	memcpy(head + 32, &block, 2);
	memcpy(head + 34, &bits, 2);
	memcpy(head + 36, "data", 4);
	memcpy(head + 40, &data_bytes, 4);
}

static void part_say(enum speech_language language, unsigned rate, struct bytes part)
{
	char text[512];
	if (espeak_SetVoiceByName(voice_names[language]) != EE_OK) {
		now.result = ERR_INTERNAL;
		return;
	}
	espeak_SetParameter(espeakRATE, words_a_minute[rate], 0);
	while (part.size && !now.result) {
		size_t size = part.size < sizeof text ? part.size : sizeof text - 1;
		while (size < part.size && size && (part.data[size] & 0xc0) == 0x80)
			size--; /* not within a character */
		memcpy(text, part.data, size);
		text[size] = '\0';
		if (espeak_Synth(text, size + 1, 0, POS_CHARACTER, 0, espeakCHARS_UTF8, NULL, NULL) != EE_OK &&
		    !now.result)
			now.result = ERR_INTERNAL;
		part = BYTES(part.data + size, part.size - size);
	}
}

static bool is_han(const uint8_t *at, size_t left)
{
	return left >= LEAD_BYTES && at[0] >= 0xe3 && at[0] <= 0xe9;
}

/* The Chinese voice reads English words; the English one says "Chinese letter". */
static void parts_say(enum speech_language language, unsigned rate, struct bytes text)
{
	size_t from = 0, at = 0;
	if (language == SPEECH_CHINESE) {
		part_say(language, rate, text);
		return;
	}
	while (at < text.size && !now.result) {
		bool was_han = is_han(text.data + at, text.size - at);
		while (at < text.size && is_han(text.data + at, text.size - at) == was_han)
			at += was_han ? LEAD_BYTES : 1;
		part_say(was_han ? SPEECH_CHINESE : SPEECH_ENGLISH, rate, BYTES(text.data + from, at - from));
		from = at;
	}
}

int synth_say(enum speech_language language, unsigned rate, struct bytes text, bool (*is_cancelled)(void),
              struct buffer *wav, struct error *e)
{
	uint8_t head[WAV_HEAD_BYTES] = { 0 };
	if (buffer_append(wav, BYTES_OF(head)))
		return error_set(e, ERR_MEMORY, "no memory for what is said");
	now.out = wav;
	now.is_cancelled = is_cancelled;
	now.result = OK;
	parts_say(language, rate, text);
	if (now.result == ERR_TOO_BIG)
		return error_set(e, now.result, "the text is too long to be said at once");
	if (now.result)
		return error_set(e, now.result, "the voice stopped: %s", error_name(now.result));
	head_write(wav->data, (uint32_t)(wav->size - WAV_HEAD_BYTES));
	return OK;
}

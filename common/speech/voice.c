/*
 * A question to lm-voice, in both directions.
 */
#include "speech/voice.h"

static int question_check(const struct voice_question *q, struct error *e)
{
	if (q->language != SPEECH_CHINESE && q->language != SPEECH_ENGLISH)
		return error_set(e, ERR_INVALID, "the voice speaks Chinese and English");
	if (q->text.size > VOICE_TEXT_BYTES_MOST || q->rate < VOICE_RATE_LEAST || q->rate > VOICE_RATE_MOST)
		return error_set(e, ERR_INVALID, "a text of at most %d bytes, and a rate from %d to %d",
		                 VOICE_TEXT_BYTES_MOST, VOICE_RATE_LEAST, VOICE_RATE_MOST);
	return OK;
}

int voice_question_pack(const struct voice_question *q, struct buffer *out, struct error *e)
{
	uint8_t head[VOICE_HEAD_BYTES];
	struct writer w = writer_over(head, sizeof head);
	int result = question_check(q, e);
	if (result)
		return result;
	write_u8(&w, (uint8_t)q->language);
	write_u8(&w, (uint8_t)q->rate);
	if (buffer_reserve(out, sizeof head + q->text.size) || buffer_append(out, BYTES_OF(head)) ||
	    buffer_append(out, q->text))
		return error_set(e, ERR_MEMORY, "no memory to read a text aloud");
	return OK;
}

int voice_question_unpack(struct bytes packed, struct voice_question *out, struct error *e)
{
	struct reader r = reader_over(packed);
	struct voice_question q;
	q.language = read_u8(&r);
	q.rate = read_u8(&r);
	q.text = read_bytes(&r, r.size - r.at);
	int result = question_check(&q, e);
	if (!result)
		*out = q;
	return result;
}

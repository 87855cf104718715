/*
 * What lm-voice is asked, as a question of worker/worker.h: u8 language  u8 rate  text. It answers with a WAV file.
 */
#ifndef SPEECH_VOICE_H
#define SPEECH_VOICE_H

#include "speech/normalise.h"

#define VOICE_TEXT_BYTES_MOST 3000
#define VOICE_HEAD_BYTES 2
#define VOICE_WAV_BYTES_MOST (6 * 1024 * 1024) /* some two minutes */
#define VOICE_RATE_LEAST 1
#define VOICE_RATE_MOST 7

struct voice_question {
	enum speech_language language;
	unsigned rate; /* VOICE_RATE_LEAST to VOICE_RATE_MOST */
	struct bytes text;
};

/* Appends it packed. ERR_INVALID: the rate, or the size of the text; ERR_MEMORY. */
int voice_question_pack(const struct voice_question *q, struct buffer *out, struct error *e);
/* `out` points into `packed`. ERR_INVALID. */
int voice_question_unpack(struct bytes packed, struct voice_question *out, struct error *e);

#endif

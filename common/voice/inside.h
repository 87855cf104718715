/* The worker that speaks. One thread, one text at a time: espeak-ng keeps its state in globals. */
#ifndef VOICE_INSIDE_H
#define VOICE_INSIDE_H

#include "speech/voice.h"

/* ERR_NOT_READY: espeak-ng, or a voice of it, is missing. */
int synth_begin(struct error *e);
/* A WAV file of a normalised text; parts in Han within an English text are spoken in Chinese. ERR_CLOSED when
 * `is_cancelled`; ERR_TOO_BIG above VOICE_WAV_BYTES_MOST; ERR_MEMORY, ERR_INTERNAL. */
int synth_say(enum speech_language language, unsigned rate, struct bytes text, bool (*is_cancelled)(void),
              struct buffer *wav, struct error *e);

#endif

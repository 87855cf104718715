/*
 * The worker that speaks, from outside: a process of its own behind a socket, with no other descriptor, one text at a
 * time. Calls wait, so they are for a pool; one thread at a time. It may die whenever it likes: who uses it starts
 * another.
 *
 *   worker    u8 status (an error's, 0: ready)  u32 size  sentence           when it has started
 *   daemon    'S'  u8 language  u8 rate  u32 size  text
 *   worker    u8 status  u32 size  WAV, or a sentence that says what is wrong
 *   daemon    'C'                                                            what is asked for is not wanted any more
 */
#ifndef SPEECH_VOICE_H
#define SPEECH_VOICE_H

#include <stdatomic.h>
#include <sys/types.h>

#include "speech/normalise.h"

#define VOICE_TEXT_BYTES_MOST 3000
#define VOICE_WAV_BYTES_MOST (6 * 1024 * 1024) /* some two minutes */
#define VOICE_RATE_LEAST 1
#define VOICE_RATE_MOST 7
#define VOICE_DESCRIPTOR 3 /* of the worker: its end of the socket */
#define VOICE_SPEAK 'S'
#define VOICE_CANCEL 'C'

struct voice;

/* Starts `program` with `lexicon` (a file) and waits until it is ready. ERR_UNREACHABLE says why it is not; ERR_MEMORY,
 * ERR_IO. */
int voice_start(const char *program, const char *lexicon, struct voice **out, struct error *e);
/* Speaks for who has started a worker already; takes both. ERR_MEMORY. */
int voice_attach(int descriptor, pid_t pid, struct voice **out, struct error *e);
void voice_end(struct voice *v); /* also a worker that hangs; NULL is fine */

/* Appends a WAV file to `out`. As soon as *is_unwanted the worker stops: ERR_CLOSED. ERR_UNREACHABLE: the worker is
 * gone, or says nothing, or nonsense: end it. Others are what the worker says of the text. */
int voice_say(struct voice *v, enum speech_language language, unsigned rate, struct bytes text,
              const atomic_bool *is_unwanted, struct buffer *out, struct error *e);

/* ---- both sides ---- */
/* All of it, or ERR_UNREACHABLE. */
int voice_write(int descriptor, struct bytes data);
/* All of it, or ERR_UNREACHABLE (its end came before), ERR_TIMEOUT. `until_ms` is monotonic; 0: for ever. Looks at
 * `is_unwanted` (may be NULL) and returns ERR_CLOSED when it is set. */
int voice_read(int descriptor, void *to, size_t size, int64_t until_ms, const atomic_bool *is_unwanted);

#endif

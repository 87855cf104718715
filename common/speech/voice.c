/*
 * Starting, asking and ending the worker.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "speech/voice.h"

#define START_PATIENCE_MS 5000
#define SAY_PATIENCE_MS 3000 /* the longest text takes a third of it */
#define CANCEL_PATIENCE_MS 1000

struct voice {
	int descriptor;
	pid_t pid;
};

static int64_t after_ms(int64_t ms)
{
	return (int64_t)(clock_monotonic_us() / 1000) + ms;
}

int voice_attach(int descriptor, pid_t pid, struct voice **out, struct error *e)
{
	struct voice *v = malloc(sizeof *v);
	if (!v)
		return error_set(e, ERR_MEMORY, "no memory for the voice");
	*v = (struct voice){ descriptor, pid };
	*out = v;
	return OK;
}

void voice_end(struct voice *v)
{
	if (!v)
		return;
	close(v->descriptor);
	kill(v->pid, SIGKILL); /* it has nothing to lose */
	while (waitpid(v->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(v);
}

/* With nothing but its end of the socket: no store, no keys, no connection goes along. */
static int spawn(const char *program, const char *lexicon, int descriptor, pid_t *pid)
{
	char *const arguments[] = { (char *)(uintptr_t)program, (char *)(uintptr_t)lexicon, NULL };
	char *const environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	int wrong = posix_spawn_file_actions_init(&actions);
	if (wrong)
		return wrong;
	wrong = posix_spawnattr_init(&attributes);
	if (wrong) {
		posix_spawn_file_actions_destroy(&actions);
		return wrong;
	}
	for (int i = 0; i < 3 && !wrong; i++)
		wrong = posix_spawn_file_actions_addopen(&actions, i, "/dev/null", O_RDWR, 0);
	if (!wrong)
		wrong = posix_spawn_file_actions_adddup2(&actions, descriptor, VOICE_DESCRIPTOR);
	if (!wrong)
		wrong = posix_spawn_file_actions_addclosefrom_np(&actions, VOICE_DESCRIPTOR + 1);
	if (!wrong)
		wrong = posix_spawnattr_setsigmask(&attributes, &none);
	if (!wrong)
		wrong = posix_spawnattr_setsigdefault(&attributes, &all);
	if (!wrong)
		wrong = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (!wrong)
		wrong = posix_spawn(pid, program, &actions, &attributes, arguments, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return wrong;
}

/* The head of an answer, and a sentence if it is none that was hoped for. */
static int head_read(struct voice *v, int64_t until_ms, const atomic_bool *is_unwanted, size_t *size, struct error *e)
{
	uint8_t head[5];
	char text[200] = "";
	int result = voice_read(v->descriptor, head, sizeof head, until_ms, is_unwanted);
	if (result == ERR_CLOSED)
		return result;
	if (result)
		return error_set(e, ERR_UNREACHABLE, "the voice %s",
		                 result == ERR_TIMEOUT ? "does not answer" : "has ended");
	struct reader r = reader_over(BYTES_OF(head));
	int status = (int8_t)read_u8(&r);
	*size = read_u32(&r);
	if (!status)
		return OK;
	if (*size >= sizeof text || voice_read(v->descriptor, text, *size, until_ms, NULL))
		return error_set(e, ERR_UNREACHABLE, "the voice says what makes no sense");
	return error_set(e, status, "%s", text);
}

int voice_start(const char *program, const char *lexicon, struct voice **out, struct error *e)
{
	int pair[2];
	pid_t pid;
	size_t size;
	struct voice *v;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return error_set_errno(e, errno, "cannot make a socket for the voice");
	/* The same number would keep its close-on-exec mark. */
	int theirs = pair[1] == VOICE_DESCRIPTOR ? fcntl(pair[1], F_DUPFD_CLOEXEC, VOICE_DESCRIPTOR + 1) : dup(pair[1]);
	int wrong = theirs < 0 ? errno : spawn(program, lexicon, theirs, &pid);
	close(pair[1]);
	if (theirs >= 0)
		close(theirs);
	int result = wrong ? error_set(e, ERR_UNREACHABLE, "cannot start %s: %s", program, strerror(wrong))
	                   : voice_attach(pair[0], pid, &v, e);
	if (result) {
		close(pair[0]);
		return result; /* a worker that was started ends with its socket */
	}
	result = head_read(v, after_ms(START_PATIENCE_MS), NULL, &size, e);
	if (!result && size)
		result = error_set(e, ERR_UNREACHABLE, "the voice says what makes no sense");
	if (result) {
		voice_end(v);
		return result == ERR_MEMORY ? result : ERR_UNREACHABLE;
	}
	*out = v;
	return OK;
}

/* The worker answers also what it was told to stop: that answer must not be taken for the next one. */
static int cancelled(struct voice *v, struct buffer *scratch, struct error *e)
{
	size_t size;
	uint8_t stop = VOICE_CANCEL;
	int64_t until_ms = after_ms(CANCEL_PATIENCE_MS);
	int result = voice_write(v->descriptor, BYTES_OF(stop));
	if (!result)
		result = head_read(v, until_ms, NULL, &size, e);
	if (!result && (size > VOICE_WAV_BYTES_MOST || buffer_reserve(scratch, size) ||
	                voice_read(v->descriptor, scratch->data + scratch->size, size, until_ms, NULL)))
		result = ERR_UNREACHABLE;
	if (result == ERR_UNREACHABLE)
		return error_set(e, result, "the voice does not stop");
	return error_set(e, ERR_CLOSED, "something else is to be said now");
}

int voice_say(struct voice *v, enum speech_language language, unsigned rate, struct bytes text,
              const atomic_bool *is_unwanted, struct buffer *out, struct error *e)
{
	uint8_t head[7];
	size_t size;
	if (text.size > VOICE_TEXT_BYTES_MOST || rate < VOICE_RATE_LEAST || rate > VOICE_RATE_MOST)
		return error_set(e, ERR_INVALID, "a text of at most %d bytes, and a rate from %d to %d",
		                 VOICE_TEXT_BYTES_MOST, VOICE_RATE_LEAST, VOICE_RATE_MOST);
	struct writer w = writer_over(head, sizeof head);
	write_u8(&w, VOICE_SPEAK);
	write_u8(&w, (uint8_t)language);
	write_u8(&w, (uint8_t)rate);
	write_u32(&w, (uint32_t)text.size);
	if (voice_write(v->descriptor, BYTES_OF(head)) || voice_write(v->descriptor, text))
		return error_set(e, ERR_UNREACHABLE, "the voice has ended");
	int64_t until_ms = after_ms(SAY_PATIENCE_MS);
	int result = head_read(v, until_ms, is_unwanted, &size, e);
	if (result == ERR_CLOSED)
		return cancelled(v, out, e);
	if (result)
		return result;
	if (size > VOICE_WAV_BYTES_MOST)
		return error_set(e, ERR_UNREACHABLE, "the voice says what makes no sense");
	if (buffer_reserve(out, size))
		return error_set(e, ERR_UNREACHABLE, "no memory for what the voice says");
	if (voice_read(v->descriptor, out->data + out->size, size, until_ms, NULL))
		return error_set(e, ERR_UNREACHABLE, "the voice has ended");
	out->size += size;
	return OK;
}

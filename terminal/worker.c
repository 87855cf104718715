#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define START_AGAIN_US 1000000

extern char **environ;

struct worker {
	const char *program;
	int patience_ms;
	atomic_int asking;
	pthread_mutex_t lock; /* of all below */
	pid_t process;        /* 0: none */
	int socket;
	uint64_t failed_us; /* monotonic: when it was last seen to end; 0: never */
};

struct worker *worker_new(const char *program, int patience_ms)
{
	struct worker *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	*w = (struct worker){ .program = program, .patience_ms = patience_ms, .socket = -1 };
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

static void process_end(struct worker *w)
{
	if (!w->process)
		return;
	close(w->socket);
	kill(w->process, SIGKILL);
	while (waitpid(w->process, NULL, 0) < 0 && errno == EINTR)
		;
	w->process = 0;
	w->socket = -1;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	process_end(w);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* With the socket as its standard input and nothing else of ours but what it says to the log. */
static int process_spawn(const char *program, int theirs, pid_t *process)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, pipe;
	sigemptyset(&none);
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	int result = posix_spawn_file_actions_init(&files);
	if (result)
		return result;
	result = posix_spawnattr_init(&attributes);
	if (result) {
		posix_spawn_file_actions_destroy(&files);
		return result;
	}
	result = posix_spawn_file_actions_adddup2(&files, theirs, STDIN_FILENO);
	if (!result)
		result = posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	if (!result)
		result = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	if (!result)
		result = posix_spawnattr_setsigmask(&attributes, &none);
	if (!result)
		result = posix_spawnattr_setsigdefault(&attributes, &pipe);
	if (!result)
		result = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (!result)
		result = posix_spawn(process, program, &files, &attributes,
		                     (char *[]){ (char *)(uintptr_t)program, NULL }, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return result;
}

static int process_start(struct worker *w, struct error *e)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return error_set_errno(e, errno, "no socket for %s", w->program);
	int result = process_spawn(w->program, ends[1], &w->process);
	close(ends[1]);
	if (result) {
		close(ends[0]);
		w->process = 0;
		return error_set(e, ERR_NOT_READY, "%s cannot be started: %s", w->program, strerror(result));
	}
	w->socket = ends[0];
	return OK;
}

/* An answer into `buffer`. ERR_CLOSED: the process has died. */
static int answer_wait(struct worker *w, uint8_t *buffer, size_t *size, struct error *e)
{
	uint64_t until_us = clock_monotonic_us() + (uint64_t)w->patience_ms * 1000, now_us;
	while ((now_us = clock_monotonic_us()) < until_us) {
		struct pollfd ready = { .fd = w->socket, .events = POLLIN };
		int count = poll(&ready, 1, (int)((until_us - now_us) / 1000) + 1);
		if (count < 0 && errno != EINTR)
			return error_set_errno(e, errno, "%s cannot be waited for", w->program);
		if (count <= 0)
			continue;
		ssize_t got = recv(w->socket, buffer, WORKER_ANSWER_BYTES_MOST, MSG_TRUNC);
		if (got <= 0 || got > WORKER_ANSWER_BYTES_MOST)
			return error_set(e, ERR_CLOSED, "%s has ended", w->program);
		*size = (size_t)got;
		return OK;
	}
	return error_set(e, ERR_TIMEOUT, "%s did not answer within %d ms", w->program, w->patience_ms);
}

static int question_try(struct worker *w, struct bytes question, uint8_t *buffer, size_t *size, struct error *e)
{
	int result = w->process ? OK : process_start(w, e);
	if (result)
		return result;
	if (send(w->socket, question.data, question.size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		result = error_set(e, ERR_CLOSED, "%s has ended", w->program);
	if (!result)
		result = answer_wait(w, buffer, size, e);
	if (result)
		process_end(w);
	return result;
}

static int question_put(struct worker *w, struct bytes question, uint8_t *buffer, size_t *size, struct error *e)
{
	if (w->failed_us && clock_monotonic_us() - w->failed_us < START_AGAIN_US)
		return error_set(e, ERR_NOT_READY, "%s is started again in a second", w->program);
	int result = question_try(w, question, buffer, size, e);
	if (result == ERR_CLOSED)
		result = question_try(w, question, buffer, size, e);
	w->failed_us = result ? clock_monotonic_us() : 0;
	if (result)
		log_write(LOG_WARN, "worker", "%s", e->text);
	return result == ERR_CLOSED ? error_set(e, ERR_NOT_READY, "%s ends again and again", w->program) : result;
}

int worker_ask(struct worker *w, struct bytes question, struct arena *arena, struct bytes *answer, struct error *e)
{
	struct error own;
	size_t size = 0;
	uint8_t *buffer = arena_alloc(arena, WORKER_ANSWER_BYTES_MOST);
	if (!buffer)
		return error_set(e, ERR_MEMORY, "no memory for an answer of %s", w->program);
	int result = OK;
	if (atomic_fetch_add(&w->asking, 1) > WORKER_WAITING_MOST) {
		result = error_set(e, ERR_BUSY, "too many questions wait for %s", w->program);
	} else {
		pthread_mutex_lock(&w->lock);
		result = question_put(w, question, buffer, &size, e ? e : &own);
		pthread_mutex_unlock(&w->lock);
	}
	atomic_fetch_sub(&w->asking, 1);
	if (!result)
		*answer = BYTES(buffer, size);
	return result;
}

/*
 * Starting, asking and ending a worker.
 */
#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "frames.h"

#define START_PATIENCE_MS 5000 /* dictionaries are read, on a slow disk */
#define STOP_PATIENCE_MS 1000
#define START_AGAIN_US 1000000

struct worker {
	struct worker_plan plan; /* with texts of its own */
	atomic_int asking;
	pthread_mutex_t lock; /* of all below */
	pid_t process;        /* 0: none */
	int socket;
	uint64_t failed_us; /* monotonic: when one that was just started failed; 0: the last one did not */
};

static int64_t after_ms(int64_t ms)
{
	return (int64_t)(clock_monotonic_us() / 1000) + ms;
}

struct worker *worker_new(const struct worker_plan *plan)
{
	struct worker *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->plan = *plan;
	w->plan.program = strdup(plan->program);
	w->plan.argument = plan->argument ? strdup(plan->argument) : NULL;
	pthread_mutex_init(&w->lock, NULL);
	if (w->plan.program && !w->plan.argument == !plan->argument)
		return w;
	worker_free(w);
	return NULL;
}

static void process_end(struct worker *w)
{
	if (!w->process)
		return;
	close(w->socket);
	kill(w->process, SIGKILL); /* it has nothing to lose */
	while (waitpid(w->process, NULL, 0) < 0 && errno == EINTR)
		;
	w->process = 0;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	process_end(w);
	pthread_mutex_destroy(&w->lock);
	free((char *)(uintptr_t)w->plan.program);
	free((char *)(uintptr_t)w->plan.argument);
	free(w);
}

/* With nothing but its end of the socket: no store, no keys, no connection, no secret of the environment goes along,
 * and what a library prints about somebody's words reaches no log. */
static int process_spawn(const struct worker_plan *plan, int theirs, pid_t *process)
{
	char *const arguments[] = { (char *)(uintptr_t)plan->program, (char *)(uintptr_t)plan->argument, NULL };
	char *const environment[] = { NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	int wrong = posix_spawn_file_actions_init(&files);
	if (wrong)
		return wrong;
	wrong = posix_spawnattr_init(&attributes);
	if (wrong) {
		posix_spawn_file_actions_destroy(&files);
		return wrong;
	}
	wrong = posix_spawn_file_actions_adddup2(&files, theirs, WORKER_DESCRIPTOR);
	for (int i = 0; i < WORKER_DESCRIPTOR && !wrong; i++)
		wrong = posix_spawn_file_actions_addopen(&files, i, "/dev/null", O_RDWR, 0);
	if (!wrong)
		wrong = posix_spawn_file_actions_addclosefrom_np(&files, WORKER_DESCRIPTOR + 1);
	if (!wrong)
		wrong = posix_spawnattr_setsigmask(&attributes, &none);
	if (!wrong)
		wrong = posix_spawnattr_setsigdefault(&attributes, &all);
	if (!wrong)
		wrong = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (!wrong)
		wrong = posix_spawn(process, plan->program, &files, &attributes, arguments, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return wrong;
}

/* What answer_read returned, as a sentence. */
static int answer_missing(const struct worker *w, int result, struct error *e)
{
	const char *program = w->plan.program;
	if (result == ERR_TIMEOUT)
		return error_set(e, result, "%s did not answer in time", program);
	if (result == ERR_MEMORY)
		return error_set(e, result, "no memory for an answer of %s", program);
	return error_set(e, ERR_NOT_READY, "%s has ended", program);
}

/* Until it says that it is ready. */
static int process_greet(struct worker *w, struct error *e)
{
	int status = OK;
	struct buffer why = { 0 };
	int result = answer_read(w->socket, after_ms(START_PATIENCE_MS), NULL, 0, &why, &status);
	if (result)
		answer_missing(w, result, e);
	else if (status)
		result = error_set(e, ERR_NOT_READY, "%s cannot work: %.*s", w->plan.program, (int)why.size,
		                   why.data ? (const char *)why.data : "");
	buffer_release(&why);
	return result;
}

static int process_start(struct worker *w, struct error *e)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return error_set_errno(e, errno, "no socket for %s", w->plan.program);
	int wrong = process_spawn(&w->plan, ends[1], &w->process);
	close(ends[1]);
	if (wrong) {
		close(ends[0]);
		w->process = 0;
		return error_set(e, ERR_NOT_READY, "%s cannot be started: %s", w->plan.program, strerror(wrong));
	}
	w->socket = ends[0];
	int result = process_greet(w, e);
	if (result)
		process_end(w);
	return result;
}

/* It answers also what it was told to stop: that answer must not be taken for the next one. */
static int answer_drop(struct worker *w, struct buffer *scratch, struct error *e)
{
	int status;
	size_t size = scratch->size;
	if (question_write(w->socket, BYTES(NULL, 0)) ||
	    answer_read(w->socket, after_ms(STOP_PATIENCE_MS), NULL, w->plan.answer_bytes_most, scratch, &status))
		process_end(w);
	scratch->size = size;
	return error_set(e, ERR_CLOSED, "the answer is not wanted any more");
}

static int question_try(struct worker *w, struct bytes question, const atomic_bool *is_unwanted, struct buffer *out,
                        struct error *e)
{
	int status = OK;
	size_t size = out->size;
	int result = w->process ? OK : process_start(w, e);
	if (result)
		return result;
	result = question_write(w->socket, question);
	if (!result)
		result = answer_read(w->socket, after_ms(w->plan.patience_ms), is_unwanted, w->plan.answer_bytes_most,
		                     out, &status);
	if (result == ERR_CLOSED)
		return answer_drop(w, out, e);
	if (result) {
		process_end(w);
		return answer_missing(w, result, e);
	}
	if (!status)
		return OK;
	result = error_set(e, status, "%.*s", (int)(out->size - size), (const char *)out->data + size);
	out->size = size;
	return result;
}

static bool has_failed(int result)
{
	return result == ERR_NOT_READY || result == ERR_TIMEOUT;
}

static int question_put(struct worker *w, struct bytes question, const atomic_bool *is_unwanted, struct buffer *out,
                        struct error *e)
{
	if (w->failed_us && clock_monotonic_us() - w->failed_us < START_AGAIN_US)
		return error_set(e, ERR_NOT_READY, "%s is started again in a second", w->plan.program);
	bool was_there = w->process != 0;
	int result = question_try(w, question, is_unwanted, out, e);
	if (has_failed(result) && was_there) { /* it may have died long ago */
		log_write(LOG_WARN, "worker", "%s", e->text);
		result = question_try(w, question, is_unwanted, out, e);
	}
	w->failed_us = has_failed(result) ? clock_monotonic_us() : 0;
	if (w->failed_us)
		log_write(LOG_WARN, "worker", "%s", e->text);
	return result;
}

int worker_ask(struct worker *w, struct bytes question, const atomic_bool *is_unwanted, struct buffer *out,
               struct error *e)
{
	struct error own;
	int result;
	if (!question.size || question.size > WORKER_QUESTION_BYTES_MOST)
		return error_set(e, ERR_TOO_BIG, "a question of 1 to %d bytes", WORKER_QUESTION_BYTES_MOST);
	if (atomic_fetch_add(&w->asking, 1) > WORKER_WAITING_MOST) {
		result = error_set(e, ERR_BUSY, "too many questions wait for %s", w->plan.program);
	} else {
		pthread_mutex_lock(&w->lock);
		result = question_put(w, question, is_unwanted, out, e ? e : &own);
		pthread_mutex_unlock(&w->lock);
	}
	atomic_fetch_sub(&w->asking, 1);
	return result;
}

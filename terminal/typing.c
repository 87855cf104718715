/*
 * Chinese by pinyin, for residents who have no keyboard. The letters go to lm-pinyin and its candidates to the page; no
 * word of either is kept or logged.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "inside.h"
#include "proto/desk.pb-c.h"

#define PATIENCE_MS 4000
#define ANSWER_BYTES_MOST (64 * 1024)
#define LETTERS_A_MINUTE 1200     /* asked for at this terminal: more than hands can type */
#define CANDIDATES_DEFAULT 36     /* as many as lm-pinyin gives at once */
#define ARENA_BYTES (1024 * 1024) /* of a question, its answer, and the view of it */

struct question {
	struct http_request *request;
	struct worker *worker;
	struct arena arena;
	struct bytes packed;
	struct buffer answer;
	Lm__PinyinView *view;
	int result;
	struct error error;
};

int typing_start(struct terminal *t, struct error *e)
{
	const char *program = node_configuration(t->node)->pinyin;
	if (!program)
		return OK;
	t->pinyin = worker_new(&(struct worker_plan){
	        .program = program, .patience_ms = PATIENCE_MS, .answer_bytes_most = ANSWER_BYTES_MOST });
	return t->pinyin ? OK : error_set(e, ERR_MEMORY, "no memory for %s", program);
}

static bool letter_take(struct terminal *t)
{
	uint64_t minute = clock_monotonic_us() / 60000000;
	if (t->typing_minute != minute) {
		t->typing_minute = minute;
		t->typing_count = 0;
	}
	return t->typing_count < LETTERS_A_MINUTE && ++t->typing_count;
}

static void question_free(struct question *q)
{
	buffer_release(&q->answer);
	arena_release(&q->arena);
	free(q);
}

static void question_pool(struct node *n, void *context)
{
	struct question *q = context;
	(void)n;
	q->result = worker_ask(q->worker, q->packed, NULL, &q->answer, &q->error);
	if (!q->result)
		q->result = CODEC_UNPACK(lm__pinyin_view, buffer_bytes(&q->answer), &q->arena, &q->view, &q->error);
}

static void question_done(struct node *n, void *context)
{
	struct question *q = context;
	(void)n;
	if (q->result)
		node_answer_error(q->request, q->result, &q->error);
	else
		node_answer(q->request, &q->view->base);
	question_free(q);
}

static int question_send(struct node *n, struct question *q, struct http_request *r)
{
	Lm__PinyinCommand *in;
	struct error e = { 0 };
	int result = node_body(r, &lm__pinyin_command__descriptor, &q->arena, &in);
	if (result)
		return result; /* has been answered */
	if (!in->most)         /* lm-pinyin takes an empty message for the end */
		in->most = CANDIDATES_DEFAULT;
	result = CODEC_PACK(in, &q->arena, &q->packed, &e);
	if (!result) /* from here on the pool has it */
		result = node_pool(n, question_pool, question_done, q);
	if (result)
		node_answer_error(r, result, &e);
	return result;
}

void pinyin_post(void *context, struct http_request *r)
{
	struct terminal *t = terminal_of(context);
	if (!t->pinyin || !letter_take(t)) {
		http_answer_error(r, t->pinyin ? ERR_TOO_MANY : ERR_NOT_READY,
		                  t->pinyin ? "too much was typed here; wait a minute"
		                            : "no program for pinyin is configured at this terminal");
		return;
	}
	struct question *q = calloc(1, sizeof *q);
	if (!q) {
		http_answer_error(r, ERR_MEMORY, "no memory for pinyin");
		return;
	}
	q->request = r;
	q->worker = t->pinyin;
	arena_init(&q->arena, ARENA_BYTES);
	if (question_send(context, q, r))
		question_free(q);
}

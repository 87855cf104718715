/*
 * What handlers need: the node's parts, JSON in and out, jobs on the pool.
 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "proto/json.h"

bool node_is_stopping(const struct node *n)
{
	return n->is_stopping;
}

void *node_context(struct node *n)
{
	return n->tier.context;
}

const struct domain *node_domain(const struct node *n)
{
	return &n->domain;
}

const struct node_config *node_configuration(const struct node *n)
{
	return &n->config;
}

struct store *node_store(struct node *n)
{
	return n->store;
}

struct journal *node_journal(struct node *n)
{
	return n->journal;
}

struct http *node_http(struct node *n)
{
	return n->http;
}

const char *node_fingerprint(const struct node *n)
{
	return n->fingerprint;
}

bool node_is_full(const struct node *n)
{
	return atomic_load(&n->is_full);
}

unsigned node_storage_percent(const struct node *n)
{
	return atomic_load(&n->percent);
}

bool node_can_seal(const struct node *n)
{
	return atomic_load(&n->can_seal);
}

void node_up_marks(const struct node *n, uint64_t *custody, uint64_t *final)
{
	*custody = atomic_load(&n->up_custody);
	*final = atomic_load(&n->up_final);
}

uint64_t node_waiting_up(const struct node *n)
{
	return atomic_load(&n->waiting_up);
}

void node_upstream(struct node *n, struct upstream_state *out)
{
	pthread_mutex_lock(&n->directory_lock);
	*out = n->upstream_state;
	pthread_mutex_unlock(&n->directory_lock);
	out->is_up = n->upstream && atomic_load(&n->upstream->session);
	out->since_ms = n->upstream ? n->upstream->since_ms : 0;
	out->is_clock_off = out->is_up && clock_is_off(n, atomic_load(&n->upstream->clock_ahead_ms));
	if (out->is_up)
		out->code[0] = out->text[0] = '\0';
}

void node_answer_error(struct http_request *r, int code, const struct error *e)
{
	char text[96];
	bool is_passing = error_is_of_machine(code) || error_group_of(code) == ERROR_GROUP_LATER;
	snprintf(text, sizeof text, "%s%s", is_passing ? "this cannot be done now, please try again: " : "",
	         error_name(code));
	http_answer_error(r, code, e && e->text[0] ? e->text : text);
}

void node_answer(struct http_request *r, const ProtobufCMessage *message)
{
	struct buffer text = { 0 };
	struct error e;
	int result = json_encode(message, &text, &e);
	if (result)
		node_answer_error(r, result, &e);
	else
		http_answer_json(r, 200, buffer_bytes(&text));
	buffer_release(&text);
}

int node_body(struct http_request *r, const ProtobufCMessageDescriptor *type, struct arena *arena, void *out)
{
	struct error e;
	struct bytes body = http_body(r);
	int result = json_decode(type, body.size ? body : bytes_from_text("{}"), arena, (ProtobufCMessage **)out, &e);
	if (result)
		node_answer_error(r, result, &e);
	return result;
}

void node_publish(struct node *n, const char *channel, const char *name, const ProtobufCMessage *message)
{
	struct buffer text = { 0 };
	if (n->http && !json_encode(message, &text, NULL))
		http_publish(n->http, channel, name, buffer_bytes(&text));
	buffer_release(&text);
}

struct pool_job {
	uv_work_t work;
	struct node *node;
	void (*run)(struct node *n, void *context);
	void (*done)(struct node *n, void *context);
	void *context;
};

static void pool_work(uv_work_t *work)
{
	struct pool_job *job = work->data;
	job->run(job->node, job->context);
}

static void pool_done(uv_work_t *work, int status)
{
	struct pool_job *job = work->data;
	(void)status;
	job->node->pool_jobs--;
	job->done(job->node, job->context);
	free(job);
}

int node_pool(struct node *n, void (*run)(struct node *n, void *context), void (*done)(struct node *n, void *context),
              void *context)
{
	struct pool_job *job = calloc(1, sizeof *job);
	if (!job)
		return ERR_MEMORY;
	*job = (struct pool_job){ .node = n, .run = run, .done = done, .context = context };
	job->work.data = job;
	if (uv_queue_work(n->loop, &job->work, pool_work, pool_done)) {
		free(job);
		return ERR_BUSY;
	}
	n->pool_jobs++;
	return OK;
}

/*
 * Screens read aloud: a text comes in, a WAV goes out. One text at a time on the pool, by a worker (lm-voice); what
 * comes in meanwhile is said instead of what was asked for before. Nothing is written to the disk. What is not personal
 * is kept in memory for the next who hears it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/log.h"
#include "inside.h"

#define KEPT_WAV_BYTES_MOST (512 * 1024)
#define CLIP_RATE 4 /* recorded people speak as people do */
#define PROGRAM "lm-voice"
#define PATH_BYTES 4096
#define PATIENCE_MS 3000 /* the longest text takes a third of it */

struct utterance {
	struct http_request *request;
	const char *folder;
	enum speech_language language;
	unsigned rate;
	bool is_personal;
	atomic_bool is_unwanted;
	struct worker *voice;
	struct buffer text, wav;
	int result;
	struct error error;
};

static void utterance_free(struct utterance *u)
{
	crypto_wipe(u->text.data, u->text.size);
	buffer_release(&u->text);
	buffer_release(&u->wav);
	free(u);
}

static void utterance_answer(struct utterance *u)
{
	if (u->result)
		node_answer_error(u->request, u->result, &u->error);
	else
		http_answer_typed(u->request, 200, "audio/wav", buffer_bytes(&u->wav));
	utterance_free(u);
}

/* ---- what is kept ---- */

static struct kept_speech *kept_find(struct terminal *t, const struct utterance *u)
{
	for (size_t i = 0; i < KEPT_SPEECH_MOST; i++) {
		struct kept_speech *k = &t->speech.kept[i];
		if (k->text.size && k->language == u->language && k->rate == u->rate &&
		    bytes_equal(buffer_bytes(&k->text), buffer_bytes(&u->text)))
			return k;
	}
	return NULL;
}

/* The oldest gives way. */
static void kept_add(struct terminal *t, struct utterance *u)
{
	if (u->is_personal || u->result || u->wav.size > KEPT_WAV_BYTES_MOST || !u->text.size || kept_find(t, u))
		return;
	struct kept_speech *k = &t->speech.kept[t->speech.kept_next++ % KEPT_SPEECH_MOST];
	buffer_clear(&k->text);
	buffer_clear(&k->wav);
	if (buffer_append(&k->wav, buffer_bytes(&u->wav)) || buffer_append(&k->text, buffer_bytes(&u->text))) {
		buffer_clear(&k->text); /* nothing there */
		return;
	}
	k->language = u->language;
	k->rate = u->rate;
}

/* ---- on the pool ---- */

/* A clip has the name of the text's hash: docs/CLIPS.md. */
static bool clip_read(struct utterance *u)
{
	char path[PATH_BYTES], name[2 * HASH_BYTES + 1];
	struct hash hash;
	struct bytes text = buffer_bytes(&u->text);
	if (u->is_personal || u->rate != CLIP_RATE || crypto_hash(SUITE_INTERNATIONAL, &text, 1, &hash, NULL))
		return false;
	hex_encode(BYTES(hash.byte, CLIP_NAME_BYTES), name);
	int size = snprintf(path, sizeof path, "%s/clips/%s/%s.wav", u->folder,
	                    u->language == SPEECH_ENGLISH ? "en" : "zh-CN", name);
	return size > 0 && (size_t)size < sizeof path && !file_read(path, VOICE_WAV_BYTES_MOST, &u->wav, NULL);
}

static void speaking_run(struct node *n, void *context)
{
	struct utterance *u = context;
	struct buffer question = { 0 };
	(void)n;
	if (clip_read(u))
		return;
	buffer_clear(&u->wav);
	u->result = voice_question_pack(&(struct voice_question){ u->language, u->rate, buffer_bytes(&u->text) },
	                                &question, &u->error);
	if (!u->result)
		u->result = worker_ask(u->voice, buffer_bytes(&question), &u->is_unwanted, &u->wav, &u->error);
	crypto_wipe(question.data, question.size);
	buffer_release(&question);
}

/* ---- on the loop ---- */

static void speaking_done(struct node *n, void *context);

static void speaking_begin(struct terminal *t, struct utterance *u)
{
	t->speech.now = u;
	if (!node_pool(t->node, speaking_run, speaking_done, u))
		return;
	t->speech.now = NULL;
	u->result = error_set(&u->error, ERR_BUSY, "too much is waiting; try again");
	utterance_answer(u);
}

static void speaking_done(struct node *n, void *context)
{
	struct utterance *u = context, *next;
	struct terminal *t = terminal_of(n);
	if (node_is_stopping(n)) { /* what was kept is gone already */
		utterance_answer(u);
		return;
	}
	bool is_gone = u->result == ERR_NOT_READY || u->result == ERR_TIMEOUT;
	if (is_gone != t->speech.is_gone) {
		t->speech.is_gone = is_gone;
		log_write(is_gone ? LOG_WARN : LOG_INFO, "speech", "%s",
		          is_gone ? u->error.text : "screens are read aloud again");
		state_send(n, NULL);
	}
	t->speech.now = NULL;
	kept_add(t, u);
	utterance_answer(u);
	next = t->speech.next;
	t->speech.next = NULL;
	if (next)
		speaking_begin(t, next);
}

/* What was asked for before is not wanted any more. */
static void speaking_replace(struct terminal *t, struct utterance *u)
{
	struct utterance *old = t->speech.next;
	atomic_store(&t->speech.now->is_unwanted, true);
	t->speech.next = u;
	if (!old)
		return;
	old->result = error_set(&old->error, ERR_CLOSED, "something else is to be said now");
	utterance_answer(old);
}

static int utterance_make(const struct terminal *t, struct http_request *r, const Lm__SpeechCommand *in,
                          struct utterance **out, struct error *e)
{
	bool is_english = strcmp(in->language, "en") == 0;
	const char *folder = node_configuration(t->node)->speech;
	if (!folder)
		return error_set(e, ERR_NOT_FOUND, "this terminal does not speak: `speech` is not configured");
	if (!is_english && strcmp(in->language, "zh-CN") != 0)
		return error_set(e, ERR_INVALID, "language: zh-CN or en");
	if (in->rate < VOICE_RATE_LEAST || in->rate > VOICE_RATE_MOST)
		return error_set(e, ERR_INVALID, "rate: %d to %d", VOICE_RATE_LEAST, VOICE_RATE_MOST);
	if (strlen(in->text) > VOICE_TEXT_BYTES_MOST)
		return error_set(e, ERR_TOO_BIG, "at most %d bytes of text at once", VOICE_TEXT_BYTES_MOST);
	struct utterance *u = calloc(1, sizeof *u);
	if (!u || buffer_append(&u->text, bytes_from_text(in->text))) {
		free(u);
		return error_set(e, ERR_MEMORY, "no memory to read a text aloud");
	}
	u->request = r;
	u->folder = folder;
	u->voice = t->voice;
	u->language = is_english ? SPEECH_ENGLISH : SPEECH_CHINESE;
	u->rate = in->rate;
	u->is_personal = in->is_personal;
	*out = u;
	return OK;
}

void speech_post(void *context, struct http_request *r)
{
	struct terminal *t = terminal_of(context);
	struct arena arena;
	Lm__SpeechCommand *in;
	struct utterance *u;
	struct error e;
	arena_init(&arena, 64 * 1024);
	if (node_body(r, &lm__speech_command__descriptor, &arena, &in)) {
		arena_release(&arena);
		return;
	}
	int result = utterance_make(t, r, in, &u, &e);
	arena_release(&arena);
	if (result) {
		node_answer_error(r, result, &e);
		return;
	}
	const struct kept_speech *kept = u->is_personal ? NULL : kept_find(t, u);
	if (kept) {
		http_answer_typed(r, 200, "audio/wav", buffer_bytes(&kept->wav));
		utterance_free(u);
	} else if (t->speech.now) {
		speaking_replace(t, u);
	} else {
		speaking_begin(t, u);
	}
}

/* lm-voice lies beside the program that runs. */
static int program_path(char path[PATH_BYTES], struct error *e)
{
	ssize_t size = readlink("/proc/self/exe", path, PATH_BYTES - sizeof PROGRAM);
	char *slash = size > 0 ? memrchr(path, '/', (size_t)size) : NULL;
	if (!slash)
		return error_set(e, ERR_CONFIG, "it cannot be seen where " PROGRAM " lies");
	memcpy(slash + 1, PROGRAM, sizeof PROGRAM);
	return OK;
}

int speech_start(struct terminal *t, struct error *e)
{
	char program[PATH_BYTES], lexicon[PATH_BYTES];
	const char *folder = node_configuration(t->node)->speech;
	if (!folder)
		return OK;
	int result = program_path(program, e);
	if (result)
		return result;
	int size = snprintf(lexicon, sizeof lexicon, "%s/lexicon-zh.tsv", folder);
	if (size < 0 || (size_t)size >= sizeof lexicon)
		return error_set(e, ERR_CONFIG, "speech: the path of the lexicon is too long");
	t->voice = worker_new(&(struct worker_plan){ .program = program,
	                                             .argument = lexicon,
	                                             .patience_ms = PATIENCE_MS,
	                                             .answer_bytes_most = VOICE_WAV_BYTES_MOST });
	return t->voice ? OK : error_set(e, ERR_MEMORY, "no memory for " PROGRAM);
}

bool speech_can(const struct terminal *t)
{
	return node_configuration(t->node)->speech && !t->speech.is_gone;
}

void speech_stop(struct terminal *t)
{
	struct utterance *next = t->speech.next;
	if (t->speech.now)
		atomic_store(&t->speech.now->is_unwanted, true);
	for (size_t i = 0; i < KEPT_SPEECH_MOST; i++) {
		buffer_release(&t->speech.kept[i].text);
		buffer_release(&t->speech.kept[i].wav);
	}
	t->speech = (struct speech){ 0 };
	if (!next)
		return;
	next->result = error_set(&next->error, ERR_CLOSED, "the terminal stops");
	utterance_answer(next);
}

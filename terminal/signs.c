/*
 * Clips in sign language: a folder with an index (docs/CLIPS.md), looked at once at the start. What is broken is named
 * in the log and left out; the page is told of the rest, and fetches the one that it shows.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "inside.h"
#include "proto/json.h"

#define INDEX_BYTES_MOST (256 * 1024)
#define FILM_BYTES_MOST (16 * 1024 * 1024)
#define OF_BYTES_MOST 80
#define HEAD_BYTES 12 /* of a film: enough to know its type */
#define PATH_BYTES 4096

static const char *film_type(struct bytes film)
{
	if (film.size >= HEAD_BYTES && memcmp(film.data, "\x1a\x45\xdf\xa3", 4) == 0)
		return "video/webm";
	if (film.size >= HEAD_BYTES && memcmp(film.data + 4, "ftyp", 4) == 0)
		return "video/mp4";
	return NULL;
}

static int film_path(const char *folder, const char *file, char path[PATH_BYTES], struct error *e)
{
	if (!file[0] || file[0] == '.' || strchr(file, '/'))
		return error_set(e, ERR_INVALID, "file: the name of a file in this folder");
	int size = snprintf(path, PATH_BYTES, "%s/%s", folder, file);
	return size > 0 && size < PATH_BYTES ? OK : error_set(e, ERR_TOO_BIG, "the path is too long");
}

/* Whether it can be served, by its size and its first bytes. */
static int film_look(const char *path, struct error *e)
{
	uint8_t head[HEAD_BYTES];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set(e, ERR_NOT_FOUND, "it cannot be opened: %s", strerror(errno));
	bool is_known = fstat(fd, &st) == 0;
	ssize_t got = is_known && S_ISREG(st.st_mode) ? read(fd, head, sizeof head) : -1;
	close(fd);
	if (got < 0)
		return error_set(e, ERR_IO, "it is not a file that can be read");
	if (st.st_size > FILM_BYTES_MOST)
		return error_set(e, ERR_TOO_BIG, "%lld bytes; at most %d", (long long)st.st_size, FILM_BYTES_MOST);
	if (!film_type((struct bytes){ head, (size_t)got }))
		return error_set(e, ERR_INVALID, "neither WebM nor MP4, by its first bytes");
	return OK;
}

static int clip_check(const char *folder, const Lm__SignPack *good, const Lm__SignClip *c, struct error *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	char path[PATH_BYTES];
	size_t length = strlen(c->of);
	if (!length || length > OF_BYTES_MOST || strspn(c->of, letters) != length)
		return error_set(e, ERR_INVALID, "of: the key of a text, or the id of a service");
	for (size_t i = 0; i < good->n_clips; i++)
		if (strcmp(good->clips[i]->of, c->of) == 0)
			return error_set(e, ERR_EXISTS, "of: there is a clip already");
	if (!c->source[0] || !c->licence[0] || !c->language[0])
		return error_set(e, ERR_INVALID, "source, licence and language say whose it is; one is missing");
	if (!clock_date_read(c->date, NULL))
		return error_set(e, ERR_INVALID, "date: when it was made, like 2026-11-22");
	int result = film_path(folder, c->file, path, e);
	return result ? result : film_look(path, e);
}

static int index_read(const char *folder, struct arena *arena, Lm__SignPack **out, struct error *e)
{
	char path[PATH_BYTES];
	struct buffer text = { 0 };
	int result = film_path(folder, "index.json", path, e);
	if (!result)
		result = file_read(path, INDEX_BYTES_MOST, &text, e);
	if (!result)
		result = json_decode(&lm__sign_pack__descriptor, buffer_bytes(&text), arena, (ProtobufCMessage **)out,
		                     e);
	buffer_release(&text);
	return result;
}

void signs_start(struct terminal *t)
{
	const char *folder = node_configuration(t->node)->signs;
	struct error e;
	arena_init(&t->signs.arena, 8 * INDEX_BYTES_MOST);
	if (!folder)
		return;
	Lm__SignPack *pack;
	if (index_read(folder, &t->signs.arena, &pack, &e)) {
		log_write(LOG_WARN, "signs", "no clip is shown: index.json: %s", e.text);
		return;
	}
	size_t count = pack->n_clips;
	pack->n_clips = 0;
	for (size_t i = 0; i < count; i++) {
		Lm__SignClip *clip = pack->clips[i];
		if (clip_check(folder, pack, clip, &e))
			log_write(LOG_WARN, "signs", "clips[%zu], file '%.80s' of '%.80s': %s", i, clip->file, clip->of,
			          e.text);
		else
			pack->clips[pack->n_clips++] = clip;
	}
	t->signs.pack = pack;
	log_write(LOG_INFO, "signs", "%zu of %zu clips can be shown", pack->n_clips, count);
}

void signs_stop(struct terminal *t)
{
	arena_release(&t->signs.arena);
	t->signs = (struct signs){ 0 };
}

void signs_get(void *context, struct http_request *r)
{
	const struct terminal *t = terminal_of(context);
	Lm__SignPack none = LM__SIGN_PACK__INIT;
	node_answer(r, t->signs.pack ? &t->signs.pack->base : &none.base);
}

/* ---- one clip ---- */

struct showing {
	struct http_request *request;
	char path[PATH_BYTES];
	struct buffer film;
	int result;
	struct error error;
};

static void showing_run(struct node *n, void *context)
{
	struct showing *s = context;
	(void)n;
	s->result = file_read(s->path, FILM_BYTES_MOST, &s->film, &s->error);
	if (!s->result && !film_type(buffer_bytes(&s->film))) /* it was another one at the start */
		s->result = error_set(&s->error, ERR_INVALID, "the clip is neither WebM nor MP4 any more");
}

static void showing_done(struct node *n, void *context)
{
	struct showing *s = context;
	(void)n;
	if (s->result)
		node_answer_error(s->request, s->result, &s->error);
	else
		http_answer_typed(s->request, 200, film_type(buffer_bytes(&s->film)), buffer_bytes(&s->film));
	buffer_release(&s->film);
	free(s);
}

void sign_get(void *context, struct http_request *r)
{
	struct terminal *t = terminal_of(context);
	const char *of = http_parameter(r, "of");
	const Lm__SignClip *clip = NULL;
	struct error e;
	for (size_t i = 0; t->signs.pack && i < t->signs.pack->n_clips && !clip; i++)
		if (strcmp(t->signs.pack->clips[i]->of, of) == 0)
			clip = t->signs.pack->clips[i];
	if (!clip) {
		node_answer_error(r, error_set(&e, ERR_NOT_FOUND, "there is no clip of this"), &e);
		return;
	}
	struct showing *s = calloc(1, sizeof *s);
	int result = s ? film_path(node_configuration(t->node)->signs, clip->file, s->path, &e)
	               : error_set(&e, ERR_MEMORY, "no memory for a clip");
	if (!result) {
		s->request = r;
		result = node_pool(t->node, showing_run, showing_done, s);
		if (!result)
			return;
		error_set(&e, result, "too much is waiting; try again");
	}
	free(s);
	node_answer_error(r, result, &e);
}

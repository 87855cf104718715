/*
 * Files of requests, which travel in parts. What a request's file is follows from its id, so that anybody can say at
 * any time what must come: all of it or, seen to be missing, less; never anything else.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define PAPER_BYTES_LEAST (33 * 1024)
#define PAPER_BYTES_MOST (130 * 1024) /* five parts */

static size_t whole;

static struct prng chance_of(const char *request)
{
	uint64_t seed = UINT64_C(14695981039346656037);
	for (const char *p = request; *p; p++)
		seed = (seed ^ (uint8_t)*p) * UINT64_C(1099511628211);
	struct prng chance;
	prng_seed(&chance, seed);
	return chance;
}

/* In base64, to be freed; NULL: this request has none. */
static char *paper_of(const char *request)
{
	static const char head[] = "%PDF-1.7 " CANARY "\n", tail[] = "%%EOF\n";
	static uint8_t content[PAPER_BYTES_MOST];
	struct prng chance = chance_of(request);
	if (prng_below(&chance, 4))
		return NULL;
	size_t size = PAPER_BYTES_LEAST + prng_below(&chance, PAPER_BYTES_MOST - PAPER_BYTES_LEAST);
	for (size_t i = 0; i < size; i++)
		content[i] = (uint8_t)prng_below(&chance, 256);
	memcpy(content, head, sizeof head - 1);
	memcpy(content + size - sizeof tail + 1, tail, sizeof tail - 1);
	char *text = malloc(4 * ((size + 2) / 3) + 1);
	if (!text)
		abort();
	EVP_EncodeBlock((unsigned char *)text, content, (int)size);
	return text;
}

void paper_add(const char *request, json_t *values)
{
	char *text = paper_of(request);
	if (text)
		json_array_append_new(values, json_pack("{s:s,s:[s]}", "field", "paper", "files", text));
	free(text);
}

static const json_t *paper_field(const json_t *view)
{
	size_t i;
	json_t *field;
	json_array_foreach(json_object_get(view, "fields"), i, field)
	{
		if (strcmp(json_string_value(json_object_get(field, "id")), "paper") == 0)
			return field;
	}
	return NULL;
}

void paper_check(struct site *s, const struct promise *p, const json_t *view)
{
	char path[100];
	const json_t *field = paper_field(view);
	char *expected = field ? paper_of(p->request) : NULL;
	json_int_t parts = json_integer_value(json_object_get(field, "parts"));
	json_int_t come = json_integer_value(json_object_get(field, "parts_come"));
	if (!expected) {
		if (parts)
			fail("%s: request %s has a file that nobody handed in", s->name, p->request);
		return;
	}
	if (!parts)
		fail("%s: request %s has lost that it has a file", s->name, p->request);
	bool may_be_lost = p->is_doubtful || p->is_forgotten; /* with the disk that had them */
	if (come < parts && !may_be_lost)
		fail("%s: %lld of %lld parts of the file of %s have come", s->name, (long long)come, (long long)parts,
		     p->request);
	if (come == parts) {
		snprintf(path, sizeof path, "/api/v1/cases/%s/files/paper", p->request);
		json_t *file = ask_now(s, "GET", path, NULL);
		const char *content = json_string_value(json_object_get(file, "content"));
		if (!content || strcmp(content, expected) != 0)
			fail("%s: the file of %s is not the one that was handed in", s->name, p->request);
		json_decref(file);
		whole++;
	}
	free(expected);
}

size_t papers_whole(void)
{
	return whole;
}

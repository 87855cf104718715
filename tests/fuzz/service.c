/*
 * A service as a file, as `lmctl catalogue check`, a draft and apply read it: every check ends, and what one of them
 * calls good the next can hold.
 */
#include "domain/publication.h"
#include "fuzz.h"
#include "proto/diff.h"
#include "proto/json.h"

#define ARENA_BYTES (64u * 1024 * 1024)
#define FAULTS_MOST 8

static void faults_are_sentences(const struct service_fault *faults, size_t count)
{
	for (size_t i = 0; i < count && i < FAULTS_MOST; i++)
		must(memchr(faults[i].text, 0, sizeof faults[i].text) && faults[i].text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct collection *c = collection_of(LM__COLLECTION__COLLECTION_CATALOGUE);
	struct service_fault faults[FAULTS_MOST];
	struct arena arena;
	struct error e;
	Lm__Service *service;
	struct bytes packed;
	arena_init(&arena, ARENA_BYTES);
	if (!JSON_DECODE(lm__service, BYTES(data, size), &arena, &service, &e)) {
		size_t shape = service_check(service, faults, FAULTS_MOST);
		faults_are_sentences(faults, shape);
		size_t readable = service_readable_check(service, faults, FAULTS_MOST);
		faults_are_sentences(faults, readable);
		must(readable >= shape);
		must(service_check(service, NULL, 0) == shape);
		if (!readable) {
			must(!content_pack(c, &service->base, &arena, &packed, &e));
			must(packed.size <= DRAFT_BYTES_MOST);
		}
		publication_check(c, &service->base, NULL, NULL, 0, "second", &arena, &e);
	}
	arena_release(&arena);
	return 0;
}

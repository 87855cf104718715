/*
 * What a page sends to be handed in, against the services that we deliver: answers, consents, files.
 * Input: which service, then a SubmitCommand as JSON.
 */
#include <dirent.h>

#include "base/files.h"
#include "domain/domain.h"
#include "fuzz.h"
#include "node/node.h"
#include "proto/json.h"

#define ARENA_BYTES (64u * 1024 * 1024)
#define SERVICES_MOST 64
#define FAULTS_MOST 16
#define NOW_MS INT64_C(1795302821847)

static struct arena kept;
static Lm__Service *services[SERVICES_MOST];
static size_t service_count;

static int name_is_json(const struct dirent *entry)
{
	return strstr(entry->d_name, ".json") != NULL;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct dirent **entries;
	(void)argc;
	(void)argv;
	arena_init(&kept, 0);
	int count = scandir(FUZZ_CATALOGUE, &entries, name_is_json, alphasort);
	must(count > 0 && count <= SERVICES_MOST);
	for (int i = 0; i < count; i++) {
		char path[4096];
		struct buffer text = { 0 };
		snprintf(path, sizeof path, "%s/%s", FUZZ_CATALOGUE, entries[i]->d_name);
		must(!file_read(path, JSON_TEXT_BYTES_MOST, &text, NULL));
		must(!JSON_DECODE(lm__service, buffer_bytes(&text), &kept, &services[service_count++], NULL));
		buffer_release(&text);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(BYTES(data, size));
	const Lm__Service *service = services[read_u8(&r) % service_count];
	struct form_fault faults[FAULTS_MOST];
	struct arena arena;
	Lm__SubmitCommand *command;
	arena_init(&arena, ARENA_BYTES);
	if (!JSON_DECODE(lm__submit_command, feed_rest(&r), &arena, &command, NULL)) {
		Lm__RequestPayload payload = node_request_payload(command);
		size_t whole = request_check(service, &payload, NOW_MS, faults, FAULTS_MOST);
		for (size_t i = 0; i < whole && i < FAULTS_MOST; i++)
			must(faults[i].rule && memchr(faults[i].field, 0, sizeof faults[i].field));
		must(whole >= form_check(service, payload.values, payload.n_values, NULL, 0));
		Lm__Tier owner = request_owner(service, payload.values, payload.n_values);
		must(owner == LM__TIER__TIER_TOWN || owner == LM__TIER__TIER_DISTRICT);
		for (int meaning = 0; meaning < 16; meaning++)
			form_value(service, payload.values, payload.n_values, (Lm__FieldMeaning)meaning);
	}
	arena_release(&arena);
	return 0;
}

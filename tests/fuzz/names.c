/*
 * What people and pages write as one word: receipt codes, tokens, ids, numbers of citizens and certificates, places,
 * fingerprints, addresses, paths of requests. What is taken comes back the same from its own text.
 */
#include "base/ids.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "fuzz.h"
#include "http/http.h"
#include "journal/journal.h"
#include "net/net.h"
#include "server.h" /* of the room http */

static void codes_take(const char *text)
{
	char code[RECEIPT_CODE_DIGITS + 1], again[RECEIPT_CODE_DIGITS + 1];
	char secret[TOKEN_SECRET_BYTES], second[TOKEN_SECRET_BYTES], shown[TOKEN_TEXT_BYTES];
	struct error e;
	if (!receipt_code_parse(text, code, &e)) {
		must(strlen(code) == RECEIPT_CODE_DIGITS && strspn(code, "0123456789") == RECEIPT_CODE_DIGITS);
		must(!receipt_code_parse(code, again, &e) && strcmp(code, again) == 0);
	}
	if (!token_secret_from_text(text, secret, &e)) {
		must(strlen(secret) == TOKEN_SECRET_CHARACTERS);
		token_secret_to_text(secret, shown);
		must(!token_secret_from_text(shown, second, &e) && strcmp(secret, second) == 0);
	}
}

static void numbers_take(const char *text)
{
	size_t length = strlen(text);
	if (citizen_id_is_valid(text))
		must(length == 18);
	if (certificate_number_is_valid(text)) {
		char citizen[19];
		must(length >= 20 && length <= 23);
		memcpy(citizen, text, 18);
		citizen[18] = '\0';
		must(citizen_id_is_valid(citizen));
	}
}

static void places_take(const char *text)
{
	enum place_level level = place_level_of(text);
	must((level == PLACE_NONE) == !place_contains(text, text));
	if (level != PLACE_NONE) {
		must(strlen(text) < PLACE_TEXT_BYTES);
		must(place_contains("310114", text) == (strncmp(text, "310114", 6) == 0));
	}
}

static void ids_take(const char *text)
{
	char shown[ID_TEXT_BYTES], name_text[WAITING_TEXT_BYTES], fingerprint_text[FINGERPRINT_TEXT_BYTES];
	struct waiting_name name, again;
	struct hash fingerprint, same;
	struct id id, second;
	uint64_t number;
	struct error e;
	if (!id_from_text(text, &id)) {
		id_to_text(id, shown);
		must(!id_from_text(shown, &second) && id_equal(id, second));
	}
	if (!waiting_name_from_text(text, &name, &e)) {
		must(name.size && name.size <= WAITING_NAME_BYTES);
		waiting_name_to_text(&name, name_text);
		must(!waiting_name_from_text(name_text, &again, &e));
		must(again.size == name.size && memcmp(again.byte, name.byte, name.size) == 0);
		waiting_position(&name);
	}
	if (!fingerprint_from_text(text, &fingerprint, &e)) {
		fingerprint_to_text(&fingerprint, fingerprint_text);
		must(!fingerprint_from_text(fingerprint_text, &same, &e));
		must(memcmp(&same, &fingerprint, sizeof same) == 0);
	}
	if (hex_decode_u64(text, &number))
		must(strlen(text) <= 16 && strlen(text) >= 1);
}

static void addresses_take(const char *text)
{
	enum log_level level;
	struct error e;
	net_address_check(text, true, &e);
	net_address_check(text, false, &e);
	http_address_check(text, &e);
	http_public_name_check(text, &e);
	log_level_parse(text, &level);
}

static bool is_within(const char *part, const char *whole, size_t size)
{
	return part >= whole && part <= whole + size;
}

/* As libmicrohttpd hands over the request's first line. */
static void uri_take(const char *text)
{
	struct http_request r = { 0 };
	const char *why = NULL;
	size_t size = strlen(text);
	r.uri = strdup(text);
	must(r.uri);
	if (uri_split(&r, &why)) {
		must(r.segment_count <= SEGMENTS_MOST && r.query_count <= QUERIES_MOST);
		for (size_t i = 0; i < r.segment_count; i++)
			must(is_within(r.segment[i], r.uri, size) && utf8_length(bytes_from_text(r.segment[i])) >= 0);
		for (size_t i = 0; i < r.query_count; i++)
			must(utf8_length(bytes_from_text(r.query[i].value)) >= 0);
	} else {
		must(why);
	}
	free(r.uri);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(BYTES(data, size));
	struct arena arena;
	arena_init(&arena, 0);
	const char *text = feed_text(&r, &arena);
	codes_take(text);
	numbers_take(text);
	places_take(text);
	ids_take(text);
	addresses_take(text);
	uri_take(text);
	arena_release(&arena);
	return 0;
}

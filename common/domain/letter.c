#include "domain/letter.h"

#include <stdio.h>
#include <string.h>

#include "service_check.h"

#define PARTS_MOST 40
#define TEXT_BYTES_MOST 2000
#define SMS_CHARACTERS_MOST 70 /* 3GPP TS 23.038: one message of 140 bytes in UCS-2, or in 7 bits */
#define SMS_ENGLISH_MOST 160
#define PLACE_NAME_MOST 16
#define PLACE_SHOWN_MOST 20 /* bytes, in a sentence */
#define BY_BYTES_MOST 64

const struct store_table domain_table_letter = { .name = "letter", .number = 51, .is_projection = true };

static const char *const place_names[LETTER_PLACES] = { "name", "service", "number",  "received", "day",
	                                                "due",  "office",  "contact", "carer",    "outcome",
	                                                "text", "ground",  "remedy" };

static int place_of(const char *name, size_t size)
{
	for (int i = 0; i < LETTER_PLACES; i++)
		if (strlen(place_names[i]) == size && strncmp(place_names[i], name, size) == 0)
			return i;
	return -1;
}

/* ---- the file, checked ---- */

/* Of what opens like a place: to its end or a little way, and no character cut in two. */
static int shown_bytes(const char *open)
{
	size_t size = strcspn(open, "}");
	size += open[size] == '}';
	for (size = size < PLACE_SHOWN_MOST ? size : PLACE_SHOWN_MOST; size && ((uint8_t)open[size] & 0xC0) == 0x80;)
		size--;
	return (int)size;
}

void places_check(struct check *c, const char *path, const char *text, size_t known)
{
	char list[160] = "";
	for (size_t i = 0, at = 0; i < known; i++)
		at += (size_t)snprintf(list + at, sizeof list - at, "%s{%s}", i ? ", " : "", place_names[i]);
	for (const char *open = strchr(text, '{'); open; open = strchr(open + 1, '{')) {
		const char *close = strchr(open, '}');
		size_t size = close ? (size_t)(close - open - 1) : 0;
		int place = close && size <= PLACE_NAME_MOST ? place_of(open + 1, size) : -1;
		if (place < 0 || (size_t)place >= known)
			fault_add(c, "%s: there is no place '%.*s'; places are %s", path, shown_bytes(open), open,
			          list);
	}
}

static void words_check(struct check *c, const char *path, const Lm__Words *w)
{
	char of_language[96];
	const char *texts[] = { w ? w->zh : "", w ? w->en : "" };
	for (size_t i = 0; i < 2; i++) {
		snprintf(of_language, sizeof of_language, "%s.%s", path, i ? "en" : "zh");
		if (!texts[i][0])
			fault_add(c, "%s: this is needed", of_language);
		if (strlen(texts[i]) > TEXT_BYTES_MOST)
			fault_add(c, "%s: at most %d bytes", of_language, TEXT_BYTES_MOST);
		places_check(c, of_language, texts[i], LETTER_PLACES);
	}
}

static void part_check(struct check *c, const char *path, const Lm__LetterPart *p)
{
	char at[80];
	const Lm__Words *words[] = { p->heading, p->label, p->text, p->seal };
	static const char *const names[] = { "heading", "label", "text", "seal" };
	if (!!p->heading + !!p->text + !!p->seal != 1 || (p->label && !p->text))
		fault_add(c, "%s: one of heading, text and seal is needed; a label goes with a text", path);
	if (p->only_with[0] && place_of(p->only_with, strlen(p->only_with)) < 0)
		fault_add(c, "%s.only_with: there is no place '%.20s'", path, p->only_with);
	for (size_t i = 0; i < 4; i++) {
		snprintf(at, sizeof at, "%s.%s", path, names[i]);
		if (words[i])
			words_check(c, at, words[i]);
	}
}

static void letter_check(struct check *c, size_t i, const Lm__LetterText *letter)
{
	char path[60];
	bool has_seal = false;
	snprintf(path, sizeof path, "letters[%zu].title", i);
	words_check(c, path, letter->title);
	if (letter->n_parts > PARTS_MOST)
		fault_add(c, "letters[%zu].parts: at most %d", i, PARTS_MOST);
	for (size_t k = 0; k < letter->n_parts && k < PARTS_MOST; k++) {
		snprintf(path, sizeof path, "letters[%zu].parts[%zu]", i, k);
		part_check(c, path, letter->parts[k]);
		has_seal |= letter->parts[k]->seal != NULL;
	}
	if (!has_seal)
		fault_add(c, "letters[%zu].parts: a field for the seal is needed", i);
}

/* It goes over networks that anybody may read: one text for everybody, without a place. */
static void sms_check(struct check *c, const Lm__Words *sms)
{
	if (!sms)
		return;
	words_check(c, "sms", sms);
	if (strpbrk(sms->zh, "{}") || strpbrk(sms->en, "{}"))
		fault_add(c, "sms: a text message has no places: it says nothing about anybody");
	if (utf8_length(bytes_from_text(sms->zh)) > SMS_CHARACTERS_MOST ||
	    utf8_length(bytes_from_text(sms->en)) > SMS_ENGLISH_MOST)
		fault_add(c, "sms: at most %d characters in Chinese, %d in English: one text message",
		          SMS_CHARACTERS_MOST, SMS_ENGLISH_MOST);
}

size_t letter_texts_check(const Lm__LettersFile *file, struct service_fault *faults, size_t most)
{
	struct check c = { faults, most, 0 };
	for (size_t i = 0; i < file->n_letters; i++) {
		if (letter_find(file, file->letters[i]->kind) != file->letters[i])
			fault_add(&c, "letters[%zu].kind: this kind is there already", i);
		letter_check(&c, i, file->letters[i]);
	}
	for (int kind = LM__LETTER_KIND__LETTER_KIND_ACCEPTED; kind <= LM__LETTER_KIND__LETTER_KIND_DECIDED; kind++)
		if (!letter_find(file, (Lm__LetterKind)kind))
			fault_add(&c, "letters: the kind %s is missing",
			          protobuf_c_enum_descriptor_get_value(&lm__letter_kind__descriptor, kind)->name);
	words_check(&c, "granted", file->granted);
	words_check(&c, "partly_granted", file->partly_granted);
	words_check(&c, "refused", file->refused);
	sms_check(&c, file->sms);
	if (!file->foot || !strstr(file->foot->zh, "{page}") || !strstr(file->foot->en, "{page}"))
		fault_add(&c, "foot: both languages are needed, with {page}");
	return c.count;
}

const Lm__LetterText *letter_find(const Lm__LettersFile *file, Lm__LetterKind kind)
{
	for (size_t i = 0; i < file->n_letters; i++)
		if (file->letters[i]->kind == kind && kind != LM__LETTER_KIND__LETTER_KIND_NONE)
			return file->letters[i];
	return NULL;
}

/* ---- filled in ---- */

bool letter_has_place(const char *name, const char *const values[LETTER_PLACES])
{
	int place = place_of(name, strlen(name));
	return place >= 0 && values[place] && values[place][0];
}

/* A place at the beginning of the text, and how long it is; -1: none. */
static int place_at(const char *text, size_t *size)
{
	const char *close = *text == '{' ? strchr(text, '}') : NULL;
	*size = close ? (size_t)(close - text) + 1 : 0;
	return close ? place_of(text + 1, *size - 2) : -1;
}

char *letter_fill(const char *text, const char *const values[LETTER_PLACES], struct arena *arena)
{
	size_t room = 1, size;
	for (const char *at = text; *at;) {
		int place = place_at(at, &size);
		room += place < 0 ? 1 : values[place] ? strlen(values[place]) : 0;
		at += place < 0 ? 1 : size;
	}
	char *out = arena_alloc(arena, room), *to = out;
	for (const char *at = text; out && *at;) {
		int place = place_at(at, &size);
		if (place < 0) {
			*to++ = *at++;
			continue;
		}
		at += size;
		if (values[place])
			to = stpcpy(to, values[place]);
	}
	if (out)
		*to = '\0';
	return out;
}

/* ---- who printed which ---- */

static struct bytes letter_key(struct id request, uint64_t position, uint8_t memory[24])
{
	struct writer w = writer_over(memory, 24);
	write_bytes(&w, key_id(&request));
	write_u64(&w, position);
	return BYTES(memory, w.size);
}

int apply_letter(struct apply *a)
{
	struct id request = header_request(a->item->header);
	Lm__LetterPayload *letter;
	Lm__LetterRecord row = LM__LETTER_RECORD__INIT;
	uint8_t key[24];
	int result = CODEC_UNPACK(lm__letter_payload, a->item->plain, a->arena, &letter, a->e);
	if (result)
		return result;
	if (id_is_zero(request) || !letter->by[0] || strlen(letter->by) > BY_BYTES_MOST || !letter->kind ||
	    !protobuf_c_enum_descriptor_get_value(&lm__letter_kind__descriptor, (int)letter->kind))
		return error_set(a->e, ERR_INVALID, "a letter of this kind is not known, or nobody printed it");
	row.letter = letter;
	row.time_ms = a->item->header->time_ms;
	return row_put(a, &domain_table_letter, letter_key(request, a->item->position, key), &row.base);
}

int letters_of(struct store_txn *txn, struct id request, struct arena *arena, size_t most, Lm__LetterRecord ***out,
               size_t *count)
{
	struct store_cursor *c;
	struct bytes key, value;
	uint8_t memory[24];
	Lm__LetterRecord **list = arena_alloc(arena, (most + 1) * sizeof *list);
	*count = 0;
	if (!list)
		return store_fail(txn, ERR_MEMORY, "no memory for the letters of a case");
	int result = store_cursor_open(txn, &domain_table_letter, &c);
	if (result)
		return result;
	result = store_cursor_seek(c, letter_key(request, 0, memory), arena, &key, &value);
	while (!result && key.size == sizeof memory && memcmp(key.data, request.byte, ID_BYTES) == 0) {
		if (*count == most) /* the oldest makes room */
			memmove(list + 1, list, (most - 1) * sizeof *list);
		else
			memmove(list + 1, list, (*count)++ * sizeof *list);
		result = row_unpack(txn, &domain_table_letter, &lm__letter_record__descriptor, value, arena, &list[0]);
		if (!result)
			result = store_cursor_next(c, arena, &key, &value);
	}
	store_cursor_close(c);
	*out = list;
	return result == ERR_NOT_FOUND ? OK : result;
}

/*
 * A text that is to be read aloud, with a lexicon that comes with it: what goes to the voice is bounded and nothing
 * that a voice could take for an order; a receipt's code is told digit by digit, whatever its digits are.
 */
#include "speech/normalise.h"
#include "fuzz.h"

static bool has_control(struct bytes text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < ' ' || text.data[i] == 0x7f)
			return true;
	}
	return false;
}

static void text_say(const struct lexicon *l, enum speech_language language, struct bytes text)
{
	struct buffer first = { 0 }, second = { 0 };
	struct error e;
	must(!buffer_append(&second, BYTES("before", 6)));
	int result = speech_normalise(l, language, text, &first, &e);
	must(result == speech_normalise(l, language, text, &second, &e));
	must(result == (utf8_length(text) < 0 ? ERR_INVALID : OK));
	if (!result) {
		must(first.size <= SPEECH_OUT_BYTES_MOST);
		must(utf8_length(buffer_bytes(&first)) >= 0 && !has_control(buffer_bytes(&first)));
		must(second.size == 6 + first.size && memcmp(second.data, "before", 6) == 0);
		must(!first.size || memcmp(second.data + 6, first.data, first.size) == 0);
	}
	buffer_release(&first);
	buffer_release(&second);
}

/* A word for each digit, and none of those that make a number of them. */
static void code_say(uint64_t digits, bool has_gaps)
{
	static const char *const of_digits[] = { "零", "幺", "二", "三", "四", "五", "六", "七", "八", "九" };
	char text[24];
	struct buffer said = { 0 };
	unsigned part[3];
	for (size_t i = 0; i < 3; i++, digits /= 10000)
		part[i] = (unsigned)(digits % 10000);
	snprintf(text, sizeof text, has_gaps ? "%04u %04u %04u" : "%04u%04u%04u", part[0], part[1], part[2]);
	must(!speech_normalise(NULL, SPEECH_CHINESE, bytes_from_text(text), &said, NULL));
	must(!buffer_append(&said, BYTES("", 1)));
	const char *at = (const char *)said.data;
	for (const char *digit = text; *digit; digit++) {
		const char *word = *digit == ' ' ? "，" : of_digits[*digit - '0'];
		if (!has_gaps && digit > text && (digit - text) % 4 == 0) {
			must(strncmp(at, "，", strlen("，")) == 0);
			at += strlen("，");
		}
		must(strncmp(at, word, strlen(word)) == 0);
		at += strlen(word);
	}
	must(!*at);
	buffer_release(&said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(BYTES(data, size));
	struct lexicon *l = NULL;
	struct error e;
	uint8_t how = read_u8(&r);
	size_t words = read_u16(&r);
	code_say(read_u64(&r), how & 2);
	struct bytes lexicon = read_bytes(&r, words < r.size - r.at ? words : r.size - r.at);
	if (lexicon_parse("lexicon", lexicon, &l, &e))
		must(!l && utf8_length(bytes_from_text(e.text)) > 0);
	text_say(l, how & 1 ? SPEECH_ENGLISH : SPEECH_CHINESE, feed_rest(&r));
	lexicon_free(l);
	return 0;
}

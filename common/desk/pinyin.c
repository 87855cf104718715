/*
 * Pinyin by ICU, whose rules know how surnames are read (单 shàn, 曾 zēng, 仇 qiú: transform Han-Latin/Names of CLDR).
 */
#include "pinyin.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>

#define NAME_UNITS_MOST 512 /* UTF-16, as it grows under way; a name has at most 50 characters */

struct pinyin {
	UTransliterator *names;
};

int pinyin_open(struct pinyin **out, struct error *e)
{
	static const char id[] = "Han-Latin/Names; Latin-ASCII; Lower";
	UChar units[sizeof id];
	UErrorCode status = U_ZERO_ERROR;
	struct pinyin *p = calloc(1, sizeof *p);
	if (!p)
		return error_set(e, ERR_MEMORY, "no memory for pinyin");
	u_charsToUChars(id, units, (int32_t)sizeof id);
	p->names = utrans_openU(units, -1, UTRANS_FORWARD, NULL, 0, NULL, &status);
	if (U_FAILURE(status)) {
		free(p);
		return status == U_MEMORY_ALLOCATION_ERROR
		               ? error_set(e, ERR_MEMORY, "no memory for pinyin")
		               : error_set(e, ERR_INTERNAL, "ICU has no pinyin for names: %s", u_errorName(status));
	}
	*out = p;
	return OK;
}

void pinyin_close(struct pinyin *p)
{
	if (p)
		utrans_close(p->names);
	free(p);
}

void pinyin_initials(struct pinyin *p, const char *name, char out[PINYIN_INITIALS_BYTES])
{
	UChar units[NAME_UNITS_MOST];
	UErrorCode status = U_ZERO_ERROR;
	int32_t size = 0, limit;
	size_t count = 0;
	out[0] = '\0';
	if (!p)
		return;
	u_strFromUTF8(units, NAME_UNITS_MOST / 4, &size, name, -1, &status);
	limit = size;
	if (U_SUCCESS(status))
		utrans_transUChars(p->names, units, &size, NAME_UNITS_MOST, 0, &limit, &status);
	if (U_FAILURE(status))
		return;
	bool is_start = true;
	for (int32_t i = 0; i < limit && count + 1 < PINYIN_INITIALS_BYTES; i++) {
		bool is_letter = units[i] < 128 && isalpha((int)units[i]);
		if (is_letter && is_start)
			out[count++] = (char)units[i];
		is_start = !is_letter;
	}
	out[count] = '\0';
}

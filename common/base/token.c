/* Secrets of tokens: read over the telephone and keyed in on a touch screen, so without letters that look alike. */
#include <string.h>

#include "base/ids.h"

#define BASE 32
#define GROUP 5

static const char alphabet[BASE + 1] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* Crockford's: no I, L, O, U */

static int value_of(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'O')
		c = '0';
	if (c == 'I' || c == 'L')
		c = '1';
	const char *at = c ? strchr(alphabet, c) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

/* The hybrid system of ISO/IEC 7064 with 32 characters instead of ten digits: it finds every wrong character and nearly
 * all swapped neighbours. */
static char check_character(const char *secret)
{
	int state = BASE;
	for (size_t i = 0; i < TOKEN_SECRET_CHARACTERS - 1; i++) {
		int sum = (state + value_of(secret[i])) % BASE;
		state = 2 * (sum ? sum : BASE) % (BASE + 1);
	}
	return alphabet[(BASE + 1 - state) % BASE];
}

void token_secret_make(const uint8_t random[TOKEN_SECRET_CHARACTERS - 1], char secret[TOKEN_SECRET_BYTES])
{
	for (size_t i = 0; i < TOKEN_SECRET_CHARACTERS - 1; i++)
		secret[i] = alphabet[random[i] % BASE];
	secret[TOKEN_SECRET_CHARACTERS - 1] = check_character(secret);
	secret[TOKEN_SECRET_CHARACTERS] = '\0';
}

void token_secret_to_text(const char *secret, char text[TOKEN_TEXT_BYTES])
{
	for (size_t i = 0; i < TOKEN_SECRET_CHARACTERS; i++) {
		if (i && i % GROUP == 0)
			*text++ = '-';
		*text++ = secret[i];
	}
	*text = '\0';
}

int token_secret_from_text(const char *text, char secret[TOKEN_SECRET_BYTES], struct error *e)
{
	char read[TOKEN_SECRET_BYTES] = { 0 };
	size_t count = 0;
	for (const char *at = text; *at; at++) {
		if (*at == '-' || *at == ' ')
			continue;
		int value = value_of(*at);
		if (value < 0)
			return error_set(e, ERR_INVALID,
			                 "a token has digits and letters only, without U; take out the other "
			                 "characters");
		if (count == TOKEN_SECRET_CHARACTERS)
			return error_set(e, ERR_INVALID,
			                 "the token has more than %d characters; see whether one was typed twice",
			                 TOKEN_SECRET_CHARACTERS);
		read[count++] = alphabet[value];
	}
	if (count < TOKEN_SECRET_CHARACTERS)
		return error_set(e, ERR_INVALID, "the token has %zu characters; it needs %d", count,
		                 TOKEN_SECRET_CHARACTERS);
	if (read[TOKEN_SECRET_CHARACTERS - 1] != check_character(read))
		return error_set(e, ERR_INVALID, "the token has a wrong character; compare it, group by group");
	memcpy(secret, read, sizeof read);
	return OK;
}

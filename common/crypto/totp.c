/* Second factors: codes of an authenticator by the time (RFC 6238), with HMAC-SHA-1 as every authenticator has it. */
#include <stdlib.h>
#include <string.h>

#include <liboath/oath.h>

#include "parts.h"

int totp_check(const uint8_t secret[TOTP_SECRET_BYTES], int64_t now_ms, uint64_t used, const char *code, uint64_t *step,
               struct error *e)
{
	uint64_t now = (uint64_t)(now_ms > 0 ? now_ms / 1000 : 0) / TOTP_STEP_S, found = 0;
	char expected[TOTP_DIGITS + 1];
	bool is_whole = strnlen(code, TOTP_DIGITS + 1) == TOTP_DIGITS;
	for (uint64_t at = now ? now - 1 : 0; at <= now + 1; at++) {
		if (oath_totp_generate((const char *)secret, TOTP_SECRET_BYTES, (time_t)(at * TOTP_STEP_S), TOTP_STEP_S,
		                       0, TOTP_DIGITS, expected) != OATH_OK)
			return error_set(e, ERR_CRYPTO, "a code cannot be computed");
		bool is_this = is_whole && crypto_equal(expected, code, TOTP_DIGITS);
		if (is_this && at > used)
			found = at;
	}
	crypto_wipe(expected, sizeof expected);
	if (!found)
		return error_set(e, ERR_LOGIN, "the code is wrong, or was used before");
	*step = found;
	return OK;
}

int totp_secret_text(const uint8_t secret[TOTP_SECRET_BYTES], char text[TOTP_SECRET_TEXT_BYTES], struct error *e)
{
	char *made = NULL;
	size_t size = 0;
	if (oath_base32_encode((const char *)secret, TOTP_SECRET_BYTES, &made, &size) != OATH_OK)
		return error_set(e, ERR_MEMORY, "no memory for a second factor");
	bool fits = size < TOTP_SECRET_TEXT_BYTES;
	if (fits)
		memcpy(text, made, size + 1);
	crypto_wipe(made, size);
	free(made);
	return fits ? OK : error_set(e, ERR_INTERNAL, "a second factor has another length than it should");
}

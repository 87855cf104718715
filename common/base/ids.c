/* Request ids and receipt codes: what the product itself hands out. */
#include "base/ids.h"

#include <string.h>

#include "base/bytes.h"

#define ID_TIME_BITS 48
#define ID_TIME_BYTES 6
#define RECEIPT_RANDOM_DIGITS 11
#define RECEIPT_CODES UINT64_C(100000000000) /* 10^11 */

struct id id_make(int64_t now_ms, const uint8_t random[10])
{
	/* A clock outside the range must not wrap round: the id would sort to the other end. */
	int64_t most_ms = (INT64_C(1) << ID_TIME_BITS) - 1;
	uint64_t time_ms = (uint64_t)(now_ms < 0 ? 0 : now_ms > most_ms ? most_ms : now_ms);
	struct id id;
	for (size_t i = 0; i < ID_TIME_BYTES; i++)
		id.byte[i] = (uint8_t)(time_ms >> (ID_TIME_BITS - 8 - 8 * i));
	memcpy(id.byte + ID_TIME_BYTES, random, ID_BYTES - ID_TIME_BYTES);
	return id;
}

void id_to_text(struct id id, char text[ID_TEXT_BYTES])
{
	hex_encode(BYTES(id.byte, ID_BYTES), text);
}

int id_from_text(const char *text, struct id *out)
{
	return hex_decode(text, out->byte, ID_BYTES);
}

bool id_is_zero(struct id id)
{
	return id_equal(id, (struct id){ { 0 } });
}

bool id_equal(struct id a, struct id b)
{
	return memcmp(a.byte, b.byte, ID_BYTES) == 0;
}

int64_t id_time_ms(struct id id)
{
	int64_t time_ms = 0;
	for (size_t i = 0; i < ID_TIME_BYTES; i++)
		time_ms = time_ms << 8 | id.byte[i];
	return time_ms;
}

/*
 * ISO/IEC 7064, MOD 11,10 (the hybrid system for digits): it finds every single wrong digit and nearly all
 * swapped neighbours. The state starts at 10; the check digit is the one that brings the sum to 1.
 */
static char receipt_check_digit(const char *digits)
{
	int state = 10;
	for (size_t i = 0; i < RECEIPT_RANDOM_DIGITS; i++) {
		int sum = (state + digits[i] - '0') % 10;
		state = 2 * (sum ? sum : 10) % 11;
	}
	return (char)('0' + (11 - state) % 10);
}

/*
 * The remainder of the whole 128-bit number: 2^128 is not a multiple of 10^11, but no code is likelier than
 * another by more than one part in 2^91. Taking each byte modulo 10 would favour six digits by 4 %.
 */
void receipt_code_make(const uint8_t random[16], char code[RECEIPT_CODE_DIGITS + 1])
{
	uint64_t number = 0;
	for (size_t i = 0; i < 16; i++)
		number = (number << 8 | random[i]) % RECEIPT_CODES;
	for (size_t i = RECEIPT_RANDOM_DIGITS; i-- > 0; number /= 10)
		code[i] = (char)('0' + number % 10);
	code[RECEIPT_RANDOM_DIGITS] = receipt_check_digit(code);
	code[RECEIPT_CODE_DIGITS] = '\0';
}

int receipt_code_parse(const char *text, char code[RECEIPT_CODE_DIGITS + 1], struct error *e)
{
	char digits[RECEIPT_CODE_DIGITS + 1] = { 0 };
	size_t count = 0;
	for (const char *at = text; *at; at++) {
		if (*at == ' ' || *at == '-')
			continue;
		if (*at < '0' || *at > '9')
			return error_set(e, ERR_INVALID,
			                 "a receipt code has digits only; take out the other characters");
		if (count == RECEIPT_CODE_DIGITS)
			return error_set(e, ERR_INVALID,
			                 "the receipt code has more than %d digits; see whether one was typed twice",
			                 RECEIPT_CODE_DIGITS);
		digits[count++] = *at;
	}
	if (count < RECEIPT_CODE_DIGITS)
		return error_set(e, ERR_INVALID, "the receipt code has %zu digits; it needs %d", count,
		                 RECEIPT_CODE_DIGITS);
	if (digits[RECEIPT_RANDOM_DIGITS] != receipt_check_digit(digits))
		return error_set(e, ERR_INVALID, "the receipt code has a wrong digit; compare it with the receipt");
	memcpy(code, digits, sizeof digits);
	return OK;
}

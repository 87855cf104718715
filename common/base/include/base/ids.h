/*
 * Identifiers and check digits.
 *
 * A request id is ordered by the time it was made: 48 bits of milliseconds since 1970, then 80 random bits.
 * Ids that sort by arrival keep inserts at the right edge of a B-tree.
 */
#ifndef BASE_IDS_H
#define BASE_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errors.h"

#define ID_BYTES 16
#define ID_TEXT_BYTES 33 /* 32 hexadecimal digits and a NUL */

struct id {
	uint8_t byte[ID_BYTES];
};

struct id id_make(int64_t now_ms, const uint8_t random[10]);
void id_to_text(struct id id, char text[ID_TEXT_BYTES]);
int id_from_text(const char *text, struct id *out); /* ERR_INVALID */
bool id_is_zero(struct id id);
bool id_equal(struct id a, struct id b);
int64_t id_time_ms(struct id id);

/* Receipt codes: 11 random digits and the check digit of ISO/IEC 7064, MOD 11,10. Shown in groups of four. */
#define RECEIPT_CODE_DIGITS 12
void receipt_code_make(const uint8_t random[16], char code[RECEIPT_CODE_DIGITS + 1]);
/* Accepts spaces and hyphens between digits; writes the 12 plain digits. ERR_INVALID says what is wrong. */
int receipt_code_parse(const char *text, char code[RECEIPT_CODE_DIGITS + 1], struct error *e);

/* Secrets of tokens: 19 random characters of base 32 (95 bits) and a check character. Shown in groups of five. */
#define TOKEN_SECRET_CHARACTERS 20
#define TOKEN_SECRET_BYTES (TOKEN_SECRET_CHARACTERS + 1)
#define TOKEN_TEXT_BYTES (TOKEN_SECRET_BYTES + 3)
void token_secret_make(const uint8_t random[TOKEN_SECRET_CHARACTERS - 1], char secret[TOKEN_SECRET_BYTES]);
void token_secret_to_text(const char *secret, char text[TOKEN_TEXT_BYTES]);
/* Accepts hyphens, spaces, lower case, and O, I, L for 0 and 1; writes the plain characters. ERR_INVALID says what is
 * wrong. */
int token_secret_from_text(const char *text, char secret[TOKEN_SECRET_BYTES], struct error *e);

/* Citizen id number, GB 11643-1999: 18 characters, a real calendar date, ISO 7064 MOD 11-2 check character. The region
 * is not checked. */
bool citizen_id_is_valid(const char *text);
/* Disabled person's certificate number: a citizen id, then category 1–7 and grade 1–4, optionally B and 1–2 digits
 * (reissues). */
bool certificate_number_is_valid(const char *text);

/*
 * Places by GB/T 2260 and the national statistics code list: district 6 digits, town 9, community 12,
 * a device of a community adds "-T" and 1 to 3 digits (310114106001-T1).
 */
enum place_level { PLACE_NONE, PLACE_DISTRICT, PLACE_TOWN, PLACE_COMMUNITY, PLACE_DEVICE };
#define PLACE_TEXT_BYTES 20
enum place_level place_level_of(const char *place);        /* PLACE_NONE if it is not of this form */
bool place_contains(const char *outer, const char *inner); /* a place contains itself and all below it */

#endif

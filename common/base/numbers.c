/* Numbers that the state hands out: citizen ids, certificates of disability, places. Their form, not their truth. */
#include "base/ids.h"

#include <string.h>

#include "base/clock.h"

#define CITIZEN_ID_CHARACTERS 18
#define CERTIFICATE_CHARACTERS 20
#define COMMUNITY_DIGITS 12

/* strnlen, because the text may be anything that someone sent. */
static size_t text_length(const char *text, size_t most)
{
	return text ? strnlen(text, most + 1) : 0;
}

static size_t digits_count(const char *text)
{
	size_t count = 0;
	while (text[count] >= '0' && text[count] <= '9')
		count++;
	return count;
}

static int number_of(const char *digits, size_t count)
{
	int number = 0;
	for (size_t i = 0; i < count; i++)
		number = number * 10 + digits[i] - '0';
	return number;
}

/* Checks the first 18 characters; the caller knows that they are there. */
static bool citizen_id_begins(const char *text)
{
	if (digits_count(text) < CITIZEN_ID_CHARACTERS - 1)
		return false;
	int year = number_of(text + 6, 4);
	if (year < 1800 || year > 2199 || !clock_date_is_real(year, number_of(text + 10, 2), number_of(text + 12, 2)))
		return false;
	/* ISO/IEC 7064, MOD 11-2: the polynomial at 2, check character included, leaves 1; X stands for ten. */
	int sum = 0;
	for (size_t i = 0; i < CITIZEN_ID_CHARACTERS - 1; i++)
		sum = (sum + text[i] - '0') * 2 % 11;
	int check = (12 - sum) % 11;
	return text[CITIZEN_ID_CHARACTERS - 1] == (check == 10 ? 'X' : '0' + check);
}

bool citizen_id_is_valid(const char *text)
{
	return text_length(text, CITIZEN_ID_CHARACTERS) == CITIZEN_ID_CHARACTERS && citizen_id_begins(text);
}

bool certificate_number_is_valid(const char *text)
{
	size_t length = text_length(text, CERTIFICATE_CHARACTERS + 3);
	if (length < CERTIFICATE_CHARACTERS || length > CERTIFICATE_CHARACTERS + 3 || !citizen_id_begins(text))
		return false;
	char category = text[CITIZEN_ID_CHARACTERS], grade = text[CITIZEN_ID_CHARACTERS + 1];
	if (category < '1' || category > '7' || grade < '1' || grade > '4')
		return false;
	if (length == CERTIFICATE_CHARACTERS)
		return true;
	size_t reissue_digits = length - CERTIFICATE_CHARACTERS - 1;
	return text[CERTIFICATE_CHARACTERS] == 'B' && reissue_digits >= 1 &&
	       digits_count(text + CERTIFICATE_CHARACTERS + 1) == reissue_digits;
}

enum place_level place_level_of(const char *place)
{
	size_t length = text_length(place, PLACE_TEXT_BYTES - 1);
	if (length == 0 || length > PLACE_TEXT_BYTES - 1)
		return PLACE_NONE;
	size_t digits = digits_count(place);
	if (digits == length)
		return length == 6                  ? PLACE_DISTRICT
		       : length == 9                ? PLACE_TOWN
		       : length == COMMUNITY_DIGITS ? PLACE_COMMUNITY
		                                    : PLACE_NONE;
	if (digits != COMMUNITY_DIGITS || strncmp(place + digits, "-T", 2) != 0)
		return PLACE_NONE;
	size_t number_digits = length - COMMUNITY_DIGITS - 2;
	return number_digits >= 1 && number_digits <= 3 && digits_count(place + COMMUNITY_DIGITS + 2) == number_digits
	               ? PLACE_DEVICE
	               : PLACE_NONE;
}

bool place_contains(const char *outer, const char *inner)
{
	enum place_level outer_level = place_level_of(outer);
	if (outer_level == PLACE_NONE || place_level_of(inner) == PLACE_NONE)
		return false;
	/* A device holds nothing but itself: -T1 is a prefix of -T10 and yet another machine. */
	if (outer_level == PLACE_DEVICE)
		return strcmp(outer, inner) == 0;
	return strncmp(outer, inner, strlen(outer)) == 0;
}

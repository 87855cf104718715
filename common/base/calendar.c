/* Moments as text. */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

/* China has kept UTC+8 without daylight saving since 1991-09-15. */
#define SHANGHAI_OFFSET_MS (INT64_C(8) * 3600 * 1000)
/* 1000-01-01 and 9999-12-31: outside of them the texts would change their length and no longer sort. */
#define LEAST_MS (-INT64_C(30610224000) * 1000)
#define MOST_MS (INT64_C(253402300800) * 1000 - 1)

/* The calendar of a moment, and the milliseconds past its second. Rounds down, before 1970 as well. */
static int calendar_of(int64_t wall_ms, struct tm *calendar)
{
	wall_ms = wall_ms < LEAST_MS ? LEAST_MS : wall_ms > MOST_MS ? MOST_MS : wall_ms;
	int64_t seconds = wall_ms / 1000, rest_ms = wall_ms % 1000;
	if (rest_ms < 0) {
		seconds--;
		rest_ms += 1000;
	}
	time_t moment = (time_t)seconds;
	gmtime_r(&moment, calendar);
	return (int)rest_ms;
}

void clock_format_utc(int64_t wall_ms, char text[CLOCK_TEXT_BYTES])
{
	struct tm calendar;
	int rest_ms = calendar_of(wall_ms, &calendar);
	char second[CLOCK_TEXT_BYTES - 8];
	size_t length = strftime(second, sizeof second, "%Y-%m-%dT%H:%M:%S", &calendar);
	second[length] = '\0';
	snprintf(text, CLOCK_TEXT_BYTES, "%s.%03dZ", second, rest_ms);
}

void clock_format_shanghai(int64_t wall_ms, char text[CLOCK_TEXT_BYTES])
{
	struct tm calendar;
	calendar_of(wall_ms > MOST_MS - SHANGHAI_OFFSET_MS ? MOST_MS : wall_ms + SHANGHAI_OFFSET_MS, &calendar);
	text[strftime(text, CLOCK_TEXT_BYTES, "%Y-%m-%d %H:%M", &calendar)] = '\0';
}

int64_t clock_months_later(int64_t wall_ms, unsigned months)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct tm calendar;
	int rest_ms = calendar_of(wall_ms + SHANGHAI_OFFSET_MS, &calendar);
	int64_t month = (int64_t)calendar.tm_mon + months;
	int64_t year = calendar.tm_year + 1900 + month / 12;
	if (year > 9999)
		return MOST_MS;
	calendar.tm_year = (int)(year - 1900);
	calendar.tm_mon = (int)(month % 12);
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	int most = days[calendar.tm_mon] + (calendar.tm_mon == 1 && is_leap);
	if (calendar.tm_mday > most)
		calendar.tm_mday = most;
	return (int64_t)timegm(&calendar) * 1000 + rest_ms - SHANGHAI_OFFSET_MS;
}

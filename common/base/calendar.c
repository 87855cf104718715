/* Moments as text. */
#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)
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

static void shanghai_calendar_of(int64_t wall_ms, struct tm *calendar)
{
	calendar_of(wall_ms > MOST_MS - SHANGHAI_OFFSET_MS ? MOST_MS : wall_ms + SHANGHAI_OFFSET_MS, calendar);
}

static int days_of_month(int64_t year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month] + (month == 1 && is_leap);
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
	shanghai_calendar_of(wall_ms, &calendar);
	text[strftime(text, CLOCK_TEXT_BYTES, "%Y-%m-%d %H:%M", &calendar)] = '\0';
}

int clock_shanghai_date(int64_t wall_ms)
{
	struct tm calendar;
	shanghai_calendar_of(wall_ms, &calendar);
	return (calendar.tm_year + 1900) * 10000 + (calendar.tm_mon + 1) * 100 + calendar.tm_mday;
}

int64_t clock_shanghai_day(int64_t wall_ms)
{
	wall_ms = wall_ms < LEAST_MS ? LEAST_MS : wall_ms > MOST_MS ? MOST_MS : wall_ms;
	int64_t shifted = wall_ms + SHANGHAI_OFFSET_MS;
	return shifted / DAY_MS - (shifted % DAY_MS < 0);
}

int64_t clock_shanghai_day_end_ms(int64_t day)
{
	return (day + 1) * DAY_MS - SHANGHAI_OFFSET_MS;
}

bool clock_date_is_real(int year, int month, int day)
{
	return month >= 1 && month <= 12 && day >= 1 && day <= days_of_month(year, month - 1);
}

bool clock_date_read(const char *v, int64_t *day)
{
	if (strlen(v) != 10 || v[4] != '-' || v[7] != '-')
		return false;
	for (size_t i = 0; i < 10; i++)
		if (i != 4 && i != 7 && !isdigit((unsigned char)v[i]))
			return false;
	int year = (v[0] - '0') * 1000 + (v[1] - '0') * 100 + (v[2] - '0') * 10 + v[3] - '0';
	int month = (v[5] - '0') * 10 + v[6] - '0', of_month = (v[8] - '0') * 10 + v[9] - '0';
	if (year < 1900 || year > 2200 || !clock_date_is_real(year, month, of_month))
		return false;
	struct tm calendar = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = of_month };
	int64_t ms = (int64_t)timegm(&calendar) * 1000;
	if (day)
		*day = ms / DAY_MS - (ms % DAY_MS < 0);
	return true;
}

int clock_year_of_day(int64_t day)
{
	struct tm calendar;
	calendar_of(day * DAY_MS, &calendar);
	return calendar.tm_year + 1900;
}

int64_t clock_months_later(int64_t wall_ms, unsigned months)
{
	struct tm calendar;
	int rest_ms = calendar_of(wall_ms + SHANGHAI_OFFSET_MS, &calendar);
	int64_t month = (int64_t)calendar.tm_mon + months;
	int64_t year = calendar.tm_year + 1900 + month / 12;
	if (year > 9999)
		return MOST_MS;
	calendar.tm_year = (int)(year - 1900);
	calendar.tm_mon = (int)(month % 12);
	int most = days_of_month(year, calendar.tm_mon);
	if (calendar.tm_mday > most)
		calendar.tm_mday = most;
	return (int64_t)timegm(&calendar) * 1000 + rest_ms - SHANGHAI_OFFSET_MS;
}

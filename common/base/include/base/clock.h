/* Time. Wall clocks are shown and recorded, they never decide correctness. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

int64_t clock_wall_ms(void); /* since 1970-01-01T00:00:00Z */
uint64_t clock_monotonic_us(void);
#define CLOCK_TEXT_BYTES 32
void clock_format_utc(int64_t wall_ms, char text[CLOCK_TEXT_BYTES]);      /* 2026-11-21T08:00:00.000Z */
void clock_format_shanghai(int64_t wall_ms, char text[CLOCK_TEXT_BYTES]); /* 2026-11-21 16:00 */
/* The same hour of the same day so many months later, in Shanghai; of a month that is too short, its last day. */
int64_t clock_months_later(int64_t wall_ms, unsigned months);
/* A day is its number since 1970-01-01, a Thursday. */
int64_t clock_shanghai_day(int64_t wall_ms);
int64_t clock_shanghai_day_end_ms(int64_t day); /* its 24:00 */
/* 2026-11-21: true if there is such a day, from 1900 to 2200; *day may be NULL. */
bool clock_date_read(const char *text, int64_t *day);
bool clock_date_is_real(int year, int month, int day); /* months and days from 1 */
int clock_year_of_day(int64_t day);
int clock_shanghai_date(int64_t wall_ms); /* 20261121; China has kept UTC+8 without daylight saving since 1991-09-15 */

#endif

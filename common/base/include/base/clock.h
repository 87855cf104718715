/* Time. Wall clocks are shown and recorded, they never decide correctness. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void); /* since 1970-01-01T00:00:00Z */
uint64_t clock_monotonic_us(void);
#define CLOCK_TEXT_BYTES 32
void clock_format_utc(int64_t wall_ms, char text[CLOCK_TEXT_BYTES]);      /* 2026-11-21T08:00:00.000Z */
void clock_format_shanghai(int64_t wall_ms, char text[CLOCK_TEXT_BYTES]); /* 2026-11-21 16:00 */
/* The same hour of the same day so many months later, in Shanghai; of a month that is too short, its last day. */
int64_t clock_months_later(int64_t wall_ms, unsigned months);

#endif

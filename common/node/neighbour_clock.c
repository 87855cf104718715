/*
 * Wall clocks of neighbours, compared by their beats. A difference is told to people and decides nothing: sessions,
 * resends and patience run on the monotonic clock, order is that of the tape, and whose entry comes first that of its
 * chain. A frame's way counts as difference: the limit is minutes rather than milliseconds.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "inside.h"

bool clock_is_off(const struct node *n, int64_t ahead_ms)
{
	int64_t most_ms = n->config.clock_warn_s * 1000;
	return ahead_ms > most_ms || ahead_ms < -most_ms;
}

const char *clock_text(struct arena *arena, int64_t ahead_ms)
{
	return arena_format(arena, "its clock is %" PRId64 " s %s", (ahead_ms < 0 ? -ahead_ms : ahead_ms) / 1000,
	                    ahead_ms < 0 ? "behind" : "ahead");
}

void neighbour_clock_heard(struct node *n, struct peer *p, int64_t time_ms)
{
	int64_t now_ms = clock_wall_ms(), ahead_ms;
	if (!time_ms || __builtin_sub_overflow(time_ms, now_ms, &ahead_ms) || ahead_ms == INT64_MIN)
		return;
	atomic_store(&p->clock_ahead_ms, ahead_ms);
	bool is_off = clock_is_off(n, ahead_ms);
	if (is_off == p->is_clock_off)
		return;
	p->is_clock_off = is_off;
	n->must_tell_links = true;
	if (is_off)
		log_write(LOG_WARN, "clock", "the clock of %s is %" PRId64 " s %s ours: one of the two must be set",
		          p->place, (ahead_ms < 0 ? -ahead_ms : ahead_ms) / 1000, ahead_ms < 0 ? "behind" : "ahead of");
	else
		log_write(LOG_INFO, "clock", "the clock of %s agrees with ours again", p->place);
}

void neighbour_clock_forget(struct peer *p)
{
	atomic_store(&p->clock_ahead_ms, 0);
	p->is_clock_off = false;
}

/*
 * A machine whose wall clock is wrong: preloaded into a daemon, it moves CLOCK_REALTIME by LM_SHIFT_S seconds. Other
 * clocks stay as they are.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int (*real)(clockid_t, struct timespec *) =
	        (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	const char *shift = getenv("LM_SHIFT_S");
	int result = real(clock, now);
	if (!result && clock == CLOCK_REALTIME && shift)
		now->tv_sec += atol(shift);
	return result;
}

/*
 * The machine under a daemon, as a test wants it: LD_PRELOAD this, and name files in the environment. What they hold
 * may change while the daemon runs; a file that is not there changes nothing.
 *
 *   LM_TEST_CLOCK     seconds to add to the wall clock
 *   LM_TEST_UPTIME    seconds to add to the clock that counts since the machine was started
 *   LM_TEST_PRINTER   the status byte that LPGETSTATUS of a printer gives
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/lp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <fcntl.h>

/* False if the variable or the file is missing. By system calls: what is replaced here must not be needed. */
static int number_of(const char *variable, long *out)
{
	char text[32];
	const char *path = getenv(variable);
	int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return 0;
	ssize_t size = read(fd, text, sizeof text - 1);
	close(fd);
	if (size <= 0)
		return 0;
	text[size] = '\0';
	*out = strtol(text, NULL, 0);
	return 1;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
	long ahead_s;
	int result = (int)syscall(SYS_clock_gettime, id, out);
	if (!result && id == CLOCK_REALTIME && number_of("LM_TEST_CLOCK", &ahead_s))
		out->tv_sec += ahead_s;
	if (!result && (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE) && number_of("LM_TEST_UPTIME", &ahead_s))
		out->tv_sec += ahead_s;
	return result;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list rest;
	va_start(rest, request);
	void *argument = va_arg(rest, void *);
	va_end(rest);
	long status;
	if (request != LPGETSTATUS || !getenv("LM_TEST_PRINTER"))
		return (int)syscall(SYS_ioctl, fd, request, argument);
	if (!number_of("LM_TEST_PRINTER", &status)) {
		errno = ENOTTY;
		return -1;
	}
	*(int *)argument = (int)status;
	return 0;
}

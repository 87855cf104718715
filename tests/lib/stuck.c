/*
 * A disk that hangs: preloaded into a daemon, it lets no write to a file and no sync return while the file that
 * LM_STUCK names exists. What goes to standard error passes, as does what goes to sockets.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static void wait_while_stuck(void)
{
	const char *path = getenv("LM_STUCK");
	while (path && access(path, F_OK) == 0)
		usleep(20000);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	ssize_t (*real)(int, const void *, size_t, off_t) =
	        (ssize_t(*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
	wait_while_stuck();
	return real(fd, data, size, at);
}

int fdatasync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	wait_while_stuck();
	return real(fd);
}

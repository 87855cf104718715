/* See faults.h. Every call that can fail asks `call_fails` first; the errors are those that the call can really give.
 */
#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SHORT (-1) /* half of what was asked for is done */
#define RANGES_MOST 16

static struct faults own;
struct faults *faults = &own;

enum left_out { NEVER, ENDS_THE_PROCESS, ENDS_IT_FOR_SOME };

static struct range {
	uintptr_t from, to;
	enum left_out why;
} range[RANGES_MOST];
static size_t range_count;
static uintptr_t program_from, program_to;

static int object_look(struct dl_phdr_info *object, size_t size, void *context)
{
	static const struct {
		const char *name;
		enum left_out why;
	} left_out[] = { { "libzmq", ENDS_THE_PROCESS }, { "libstdc++", ENDS_THE_PROCESS },
		         { "libicu", ENDS_THE_PROCESS }, { "libuv", ENDS_IT_FOR_SOME },
		         { "ld-linux", NEVER },          { "libasan", NEVER },
		         { "libtsan", NEVER },           { "libubsan", NEVER } };
	uintptr_t from = UINTPTR_MAX, to = 0;
	(void)size;
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		uintptr_t at = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
		if (object->dlpi_phdr[i].p_type != PT_LOAD)
			continue;
		from = at < from ? at : from;
		to = at + object->dlpi_phdr[i].p_memsz > to ? at + object->dlpi_phdr[i].p_memsz : to;
	}
	if (!*(bool *)context) { /* the first is the program */
		*(bool *)context = true;
		program_from = from;
		program_to = to;
	}
	for (size_t i = 0; i < sizeof left_out / sizeof *left_out && range_count < RANGES_MOST; i++)
		if (strstr(object->dlpi_name, left_out[i].name))
			range[range_count++] = (struct range){ from, to, left_out[i].why };
	return 0;
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("LM_FAULTS");
	bool has_program = false;
	void *frame[2];
	dl_iterate_phdr(object_look, &has_program);
	backtrace(frame, 2); /* its first call loads a library */
	if (!path)
		return;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *shared = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof own, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED) {
		fprintf(stderr, "faults: %s: %s\n", path, strerror(errno));
		_exit(99);
	}
	close(fd);
	faults = shared;
}

static bool is_counted(const struct call *c, uintptr_t caller, uint32_t classes)
{
	bool ends_uv = strcmp(c->name, "epoll_ctl") == 0 || strcmp(c->name, "pthread_create") == 0 ||
	               strcmp(c->name, "pipe2") == 0;
	for (size_t i = 0; i < range_count; i++)
		if (caller >= range[i].from && caller < range[i].to)
			return range[i].why != NEVER &&
			       ((range[i].why == ENDS_IT_FOR_SOME && !ends_uv) || (classes & FAULT_ENDING));
	return true;
}

static void note(const char *name, int error)
{
	void *frame[FAULT_FRAMES_MOST];
	int depth = backtrace(frame, FAULT_FRAMES_MOST);
	const char *why = error == SHORT ? "short" : strerrorname_np(error);
	snprintf(faults->call, sizeof faults->call, "%.14s %s", name, why ? why : "full"); /* MDB_MAP_FULL */
	for (int i = 0; i < FAULT_FRAMES_MOST; i++) {
		uintptr_t at = i < depth ? (uintptr_t)frame[i] : 0;
		faults->frame[i] = at >= program_from && at < program_to ? at - program_from : 0;
	}
}

static _Thread_local bool is_inside; /* of this library, or of a sanitizer's */

int call_fails(const struct call *c, const void *caller)
{
	uint32_t classes = faults->classes;
	if (!(classes & c->class) || is_inside || !is_counted(c, (uintptr_t)caller, classes))
		return 0;
	uint64_t number = ++faults->seen, first = faults->fail_at;
	if (!first || number < first || number - first >= faults->count)
		return 0;
	size_t known = 0;
	while (known < FAULT_ERRORS_MOST && c->error[known])
		known++;
	int error = c->error[faults->variant % known];
	is_inside = true;
	if (!faults->failed++)
		note(c->name, error);
	is_inside = false;
	errno = error == SHORT ? 0 : error;
	return error;
}

#define CALL(name, class, ...)                                              \
	static const struct call called = { name, class, { __VA_ARGS__ } }; \
	int error = call_fails(&called, __builtin_return_address(0))

#define REAL(type, name, ...)             \
	static type (*real)(__VA_ARGS__); \
	if (!real)                        \
	real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

/* ---- memory: below is the sanitizer's if there is one, else the C library's ---- */

extern void *__interceptor_malloc(size_t) __attribute__((weak));
extern void *__interceptor_calloc(size_t, size_t) __attribute__((weak));
extern void *__interceptor_realloc(void *, size_t) __attribute__((weak));
extern void *__interceptor_memalign(size_t, size_t) __attribute__((weak));
extern void __interceptor_free(void *) __attribute__((weak));
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);
const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

/* What the loader keeps is no leak. The sanitizer knows it by who called malloc, and here that is this file. */
const char *__lsan_default_suppressions(void)
{
	return "leak:ld-linux";
}

const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}

static void *counted(void *block)
{
	faults->blocks += block != NULL;
	return block;
}

void *malloc(size_t size)
{
	CALL("malloc", FAULT_MEMORY, ENOMEM);
	if (error)
		return NULL;
	return counted(__interceptor_malloc ? __interceptor_malloc(size) : __libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
	CALL("calloc", FAULT_MEMORY, ENOMEM);
	if (error)
		return NULL;
	return counted(__interceptor_calloc ? __interceptor_calloc(count, size) : __libc_calloc(count, size));
}

void *realloc(void *before, size_t size)
{
	CALL("realloc", FAULT_MEMORY, ENOMEM);
	if (error)
		return NULL;
	void *after = __interceptor_realloc ? __interceptor_realloc(before, size) : __libc_realloc(before, size);
	faults->blocks += (after && !before) - (!after && before && !size);
	return after;
}

static void *aligned(size_t alignment, size_t size)
{
	return counted(__interceptor_memalign ? __interceptor_memalign(alignment, size)
	                                      : __libc_memalign(alignment, size));
}

void *memalign(size_t alignment, size_t size)
{
	CALL("memalign", FAULT_MEMORY, ENOMEM);
	return error ? NULL : aligned(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	CALL("aligned_alloc", FAULT_MEMORY, ENOMEM);
	return error ? NULL : aligned(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	CALL("posix_memalign", FAULT_MEMORY, ENOMEM);
	void *block = error ? NULL : aligned(alignment, size);
	if (block)
		*out = block;
	return block ? 0 : ENOMEM;
}

void free(void *block)
{
	faults->blocks -= block != NULL;
	if (__interceptor_free)
		__interceptor_free(block);
	else
		__libc_free(block);
}

/* A sanitizer's own take their memory past malloc. */

static char *copy_of(const char *text, size_t length)
{
	char *copy = malloc(length + 1);
	if (!copy)
		return NULL;
	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *strdup(const char *text)
{
	return copy_of(text, strlen(text));
}

char *strndup(const char *text, size_t most)
{
	return copy_of(text, strnlen(text, most));
}

char *realpath(const char *path, char *resolved)
{
	REAL(char *, "realpath", const char *, char *);
	char *out = resolved ? resolved : malloc(PATH_MAX);
	if (!out || real(path, out))
		return out;
	if (!resolved)
		free(out);
	return NULL;
}

/* ---- files ---- */

#define READING EMFILE, EIO
#define WRITING EMFILE, EIO, ENOSPC

/* Only who makes a file can be told that the disk is full. */
#define OPEN_CALL(name, flags)                                                 \
	static const struct call to_read = { name, FAULT_FILE, { READING } };  \
	static const struct call to_write = { name, FAULT_FILE, { WRITING } }; \
	int error = call_fails((flags)&O_CREAT ? &to_write : &to_read, __builtin_return_address(0))

static mode_t mode_of(int flags, va_list arguments)
{
	return flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(arguments, unsigned) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = mode_of(flags, arguments);
	va_end(arguments);
	REAL(int, "open", const char *, int, ...);
	OPEN_CALL("open", flags);
	return error ? -1 : real(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = mode_of(flags, arguments);
	va_end(arguments);
	REAL(int, "open64", const char *, int, ...);
	OPEN_CALL("open", flags);
	return error ? -1 : real(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = mode_of(flags, arguments);
	va_end(arguments);
	REAL(int, "openat", int, const char *, int, ...);
	OPEN_CALL("openat", flags);
	return error ? -1 : real(folder, path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
	REAL(int, "__open_2", const char *, int);
	CALL("open", FAULT_FILE, READING);
	return error ? -1 : real(path, flags);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags)
{
	REAL(int, "__open64_2", const char *, int);
	CALL("open", FAULT_FILE, READING);
	return error ? -1 : real(path, flags);
}

FILE *fopen(const char *path, const char *mode)
{
	REAL(FILE *, "fopen", const char *, const char *);
	CALL("fopen", FAULT_FILE, READING);
	return error ? NULL : real(path, mode);
}

int mkostemp(char *path, int flags)
{
	REAL(int, "mkostemp", char *, int);
	CALL("mkostemp", FAULT_FILE, WRITING);
	return error ? -1 : real(path, flags);
}

char *mkdtemp(char *path)
{
	REAL(char *, "mkdtemp", char *);
	CALL("mkdtemp", FAULT_FILE, EIO, ENOSPC);
	return error ? NULL : real(path);
}

/* What goes to a pipe or a socket is no file's business, and standard error is where a program says what is wrong. */
static bool is_file(int fd)
{
	REAL(int, "fstat", int, struct stat *);
	int before = errno;
	struct stat status;
	bool is = fd > STDERR_FILENO && real(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
	errno = before;
	return is;
}

#define FILE_CALL(name, ...)                                                     \
	static const struct call called = { name, FAULT_FILE, { __VA_ARGS__ } }; \
	int error = faults->classes & FAULT_FILE && is_file(fd) ? call_fails(&called, __builtin_return_address(0)) : 0

#define WRITE_ERRORS ENOSPC, EIO, SHORT, EINTR
#define READ_ERRORS EIO, EINTR, SHORT
#define SHORTENED(size) (error == SHORT ? ((size) + 1) / 2 : (size))

ssize_t read(int fd, void *data, size_t size)
{
	REAL(ssize_t, "read", int, void *, size_t);
	FILE_CALL("read", READ_ERRORS);
	return error > 0 ? -1 : real(fd, data, SHORTENED(size));
}

ssize_t __read_chk(int fd, void *data, size_t size, size_t room);
ssize_t __read_chk(int fd, void *data, size_t size, size_t room)
{
	REAL(ssize_t, "__read_chk", int, void *, size_t, size_t);
	FILE_CALL("read", READ_ERRORS);
	return error > 0 ? -1 : real(fd, data, SHORTENED(size), room);
}

ssize_t pread(int fd, void *data, size_t size, off_t at)
{
	REAL(ssize_t, "pread", int, void *, size_t, off_t);
	FILE_CALL("pread", EIO, EINTR);
	return error ? -1 : real(fd, data, size, at);
}
ssize_t pread64(int fd, void *data, size_t size, off_t at) __attribute__((alias("pread")));

ssize_t write(int fd, const void *data, size_t size)
{
	REAL(ssize_t, "write", int, const void *, size_t);
	FILE_CALL("write", WRITE_ERRORS);
	return error > 0 ? -1 : real(fd, data, SHORTENED(size));
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
	FILE_CALL("pwrite", WRITE_ERRORS);
	return error > 0 ? -1 : real(fd, data, SHORTENED(size), at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) __attribute__((alias("pwrite")));

ssize_t writev(int fd, const struct iovec *part, int count)
{
	REAL(ssize_t, "writev", int, const struct iovec *, int);
	FILE_CALL("writev", WRITE_ERRORS);
	return error > 0 ? -1 : real(fd, part, SHORTENED(count));
}

ssize_t pwritev(int fd, const struct iovec *part, int count, off_t at)
{
	REAL(ssize_t, "pwritev", int, const struct iovec *, int, off_t);
	FILE_CALL("pwritev", WRITE_ERRORS);
	return error > 0 ? -1 : real(fd, part, SHORTENED(count), at);
}
ssize_t pwritev64(int fd, const struct iovec *part, int count, off_t at) __attribute__((alias("pwritev")));

#define SYNC_CALL(function)                        \
	int function(int fd)                       \
	{                                          \
		REAL(int, #function, int);         \
		FILE_CALL(#function, EIO, ENOSPC); \
		return error ? -1 : real(fd);      \
	}
SYNC_CALL(fsync)
SYNC_CALL(fdatasync)

int close(int fd)
{
	REAL(int, "close", int);
	FILE_CALL("close", EIO, ENOSPC);
	int result = real(fd); /* it is closed whatever is said of it */
	errno = error ? error : errno;
	return error ? -1 : result;
}

int ftruncate(int fd, off_t size)
{
	REAL(int, "ftruncate", int, off_t);
	FILE_CALL("ftruncate", EIO, ENOSPC);
	return error ? -1 : real(fd, size);
}
int ftruncate64(int fd, off_t size) __attribute__((alias("ftruncate")));

int posix_fallocate(int fd, off_t at, off_t size)
{
	REAL(int, "posix_fallocate", int, off_t, off_t);
	FILE_CALL("posix_fallocate", ENOSPC, EIO, EINTR);
	return error ? error : real(fd, at, size);
}
int posix_fallocate64(int fd, off_t at, off_t size) __attribute__((alias("posix_fallocate")));

int fchmod(int fd, mode_t mode)
{
	REAL(int, "fchmod", int, mode_t);
	FILE_CALL("fchmod", EIO);
	return error ? -1 : real(fd, mode);
}

int flock(int fd, int operation)
{
	REAL(int, "flock", int, int);
	FILE_CALL("flock", ENOLCK);
	return error ? -1 : real(fd, operation);
}

int fstat(int fd, struct stat *out)
{
	REAL(int, "fstat", int, struct stat *);
	FILE_CALL("fstat", EIO, ENOMEM);
	return error ? -1 : real(fd, out);
}

#define PATH_CALL(type, function, parameters, arguments, ...) \
	type function parameters                              \
	{                                                     \
		REAL(type, #function, ARGUMENTS parameters);  \
		CALL(#function, FAULT_FILE, __VA_ARGS__);     \
		return error ? -1 : real arguments;           \
	}
#define ARGUMENTS(...) __VA_ARGS__
PATH_CALL(int, rename, (const char *from, const char *to), (from, to), EIO, ENOSPC)
PATH_CALL(int, link, (const char *from, const char *to), (from, to), EIO, ENOSPC)
PATH_CALL(int, unlink, (const char *path), (path), EIO)
PATH_CALL(int, remove, (const char *path), (path), EIO)
PATH_CALL(int, mkdir, (const char *path, mode_t mode), (path, mode), EIO, ENOSPC)
PATH_CALL(int, stat, (const char *restrict path, struct stat *restrict out), (path, out), EIO, ENOMEM)

/* ---- sockets, and what waits for them: no EAGAIN and no short ones, which promise an event that would not come ----
 */

#define SOCKET_CALL(function, parameters, arguments, ...)   \
	int function parameters                             \
	{                                                   \
		REAL(int, #function, ARGUMENTS parameters); \
		CALL(#function, FAULT_SOCKET, __VA_ARGS__); \
		return error ? -1 : real arguments;         \
	}
SOCKET_CALL(socket, (int family, int type, int protocol), (family, type, protocol), EMFILE, ENOBUFS)
SOCKET_CALL(bind, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size), EADDRINUSE, EADDRNOTAVAIL)
SOCKET_CALL(listen, (int fd, int backlog), (fd, backlog), EADDRINUSE)
SOCKET_CALL(accept, (int fd, struct sockaddr *restrict from, socklen_t *restrict size), (fd, from, size), EMFILE,
            ECONNABORTED)
SOCKET_CALL(accept4, (int fd, struct sockaddr *restrict from, socklen_t *restrict size, int flags),
            (fd, from, size, flags), EMFILE, ECONNABORTED)
SOCKET_CALL(connect, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size), ECONNREFUSED, ENETUNREACH)
SOCKET_CALL(setsockopt, (int fd, int level, int name, const void *value, socklen_t size),
            (fd, level, name, value, size), ENOBUFS)
SOCKET_CALL(epoll_create1, (int flags), (flags), EMFILE, ENOMEM)
SOCKET_CALL(epoll_wait, (int epoll, struct epoll_event *event, int most, int timeout), (epoll, event, most, timeout),
            EINTR)
SOCKET_CALL(eventfd, (unsigned value, int flags), (value, flags), EMFILE)
SOCKET_CALL(pipe2, (int fd[2], int flags), (fd, flags), EMFILE)

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	REAL(int, "epoll_ctl", int, int, int, struct epoll_event *);
	if (operation != EPOLL_CTL_ADD) /* the others need no memory */
		return real(epoll, operation, fd, event);
	CALL("epoll_ctl", FAULT_SOCKET, ENOMEM, ENOSPC);
	return error ? -1 : real(epoll, operation, fd, event);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	REAL(ssize_t, "send", int, const void *, size_t, int);
	CALL("send", FAULT_SOCKET, ECONNRESET, ENOBUFS);
	return error ? -1 : real(fd, data, size, flags);
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
	REAL(ssize_t, "recv", int, void *, size_t, int);
	CALL("recv", FAULT_SOCKET, ECONNRESET);
	return error ? -1 : real(fd, data, size, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	REAL(ssize_t, "sendmsg", int, const struct msghdr *, int);
	CALL("sendmsg", FAULT_SOCKET, ECONNRESET, ENOBUFS);
	return error ? -1 : real(fd, message, flags);
}

/* ---- threads, random numbers, maps ---- */

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes, void *(*run)(void *),
                   void *restrict argument)
{
	REAL(int, "pthread_create", pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	CALL("pthread_create", FAULT_THREAD, EAGAIN);
	return error ? error : real(thread, attributes, run, argument);
}

/* A sanitizer asks for this as a thread begins, and ends the process where the C library has no memory to answer. */
int pthread_getattr_np(pthread_t thread, pthread_attr_t *out)
{
	is_inside = true;
	REAL(int, "pthread_getattr_np", pthread_t, pthread_attr_t *);
	int error = real(thread, out);
	is_inside = false;
	return error;
}

ssize_t getrandom(void *data, size_t size, unsigned flags)
{
	REAL(ssize_t, "getrandom", void *, size_t, unsigned);
	CALL("getrandom", FAULT_THREAD, EINTR);
	return error ? -1 : real(data, size, flags);
}

void *mmap(void *at, size_t size, int access, int flags, int fd, off_t from)
{
	REAL(void *, "mmap", void *, size_t, int, int, int, off_t);
	CALL("mmap", FAULT_THREAD, ENOMEM);
	return error ? MAP_FAILED : real(at, size, access, flags, fd, from);
}
void *mmap64(void *at, size_t size, int access, int flags, int fd, off_t from) __attribute__((alias("mmap")));

int msync(void *at, size_t size, int flags)
{
	REAL(int, "msync", void *, size_t, int);
	CALL("msync", FAULT_FILE, EIO);
	return error ? -1 : real(at, size, flags);
}

/*
 * What the fuzz targets share. A target is one file: LLVMFuzzerTestOneInput takes any bytes, hands them to the product
 * where bytes from outside come in, and asks what must hold afterwards. Built with clang it is driven by libFuzzer
 * (tests/fuzz/run), built as everything else it is driven by replay.c, which feeds it the kept inputs.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytes.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* libFuzzer's, and what a target puts in its place; neither is there when replay.c drives. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

#define must(condition)                                                                                \
	do {                                                                                           \
		if (!(condition)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                       \
		}                                                                                      \
	} while (0)

_Noreturn static inline void never(const char *what)
{
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

/* What is left of the input. */
static inline struct bytes feed_rest(struct reader *r)
{
	return read_bytes(r, r->size - r->at);
}

/* The same with a NUL behind it, cut at the first that it has. */
static inline char *feed_text(struct reader *r, struct arena *arena)
{
	struct bytes rest = feed_rest(r);
	char *text = arena_alloc(arena, rest.size + 1);
	must(text);
	if (rest.size)
		memcpy(text, rest.data, rest.size);
	return text;
}

/* The folder of a store that this process has open: what is in it lives on until the process ends. */
static inline void store_forget(const char *folder)
{
	static const char *const names[] = { "data.mdb", "lock.mdb", "lock", "image" };
	char path[256];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

/* A path under which these bytes are a file of mode 0600, until the next call. */
static inline const char *file_of(struct bytes content)
{
	static int fd = -1;
	static char path[40];
	if (fd < 0) {
		fd = memfd_create("input", MFD_CLOEXEC);
		must(fd >= 0 && fchmod(fd, 0600) == 0);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	must(ftruncate(fd, 0) == 0);
	must(pwrite(fd, content.data ? content.data : (const void *)"", content.size, 0) == (ssize_t)content.size);
	return path;
}

#endif

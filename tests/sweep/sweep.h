/*
 * Sweeps within one process: an operation is done over and over, and its first, second, third … call of the machine
 * fails, until it passes without one.
 *
 * Each time: it ends; it leaks neither memory nor a file; it says OK only if what it promises is there, and else blames
 * the machine, in a sentence.
 */
#ifndef TESTS_SWEEP_H
#define TESTS_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/errors.h"

struct scene {
	const char *folder; /* empty before each time */
	void *own;          /* the operation's */
};

struct operation {
	const char *name;
	void (*prepare)(struct scene *s);                       /* nothing fails in it; may be NULL */
	int (*run)(struct scene *s, struct error *e);           /* the calls of this one fail */
	const char *(*look)(const struct scene *s, int result); /* afterwards: NULL, or what is wrong; may be NULL */
	void (*clean)(struct scene *s);                         /* may be NULL */
};

struct operations {
	const struct operation *list;
	size_t count;
};

extern const struct operations base_operations, crypto_operations, proto_operations, store_operations,
        journal_operations, link_operations;

/* Ends the process with a sentence: the sweep itself is wrong, or the machine is. */
void broken(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void path_in(const struct scene *s, const char *name, char path[256]);

#endif

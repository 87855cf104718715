/*
 * Calls of the machine that fail when they are told to: memory, files, sockets, threads.
 *
 * Linked into a program (tests/sweep), or preloaded into a daemon, where the file that LM_FAULTS names is mapped over
 * `faults` so that a test outside can set and read it (tests/sweep/daemons.py knows its layout). Calls at which libzmq,
 * ICU and libuv end the process themselves are left out unless FAULT_ENDING is set. The loader's and the sanitizers'
 * own are never counted.
 */
#ifndef TESTS_LIB_FAULTS_H
#define TESTS_LIB_FAULTS_H

#include <stdatomic.h>
#include <stdint.h>

#define FAULT_FRAMES_MOST 24

enum fault_class {
	FAULT_MEMORY = 1,  /* malloc and its kin */
	FAULT_FILE = 2,    /* of regular files and folders; standard error is left alone */
	FAULT_SOCKET = 4,  /* sockets and what waits for them */
	FAULT_THREAD = 8,  /* threads, random numbers, memory maps */
	FAULT_ENDING = 16, /* with those at which libzmq, ICU and libuv end the process */
	FAULT_TABLE = 32,  /* of LMDB (tests/sweep/tables.c) */
};

struct faults {
	_Atomic uint32_t classes; /* which calls count; 0: none */
	_Atomic uint32_t variant; /* which of the errors that a call can give */
	_Atomic uint64_t seen;    /* calls that counted */
	_Atomic uint64_t fail_at; /* the number of the first that fails, from 1; 0: none */
	_Atomic uint64_t count;   /* how many fail from there on */
	_Atomic uint64_t failed;
	_Atomic int64_t blocks;            /* of memory in use */
	char call[24];                     /* that failed first, with its error */
	uint64_t frame[FAULT_FRAMES_MOST]; /* how it was come to: addresses within the main program; 0: elsewhere */
};

extern struct faults *faults;

#define FAULT_ERRORS_MOST 4

struct call {
	const char *name;
	uint32_t class;
	int error[FAULT_ERRORS_MOST]; /* that it can give */
};

/* 0, or the error that this call is to give, by its return value or errno. */
int call_fails(const struct call *c, const void *caller);

#endif

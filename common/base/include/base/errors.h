/*
 * The one list of errors.
 *
 * A function that can fail returns an int: OK (0) or one of the negative codes below, and takes a
 * `struct error *` as its last parameter, which may be NULL. On failure it writes a sentence for the
 * person who reads it: what is wrong, with what, and what to do. Outputs are untouched on failure.
 * Libraries return errors; only programs print them.
 */
#ifndef BASE_ERRORS_H
#define BASE_ERRORS_H

#include <stdbool.h>

/* What the caller should do about an error; it also picks the HTTP status and lmctl's exit code. */
enum error_group {
	ERROR_GROUP_INPUT,    /* mend the input and try again (400, exit 2) */
	ERROR_GROUP_DENIED,   /* this caller may not (403, exit 3) */
	ERROR_GROUP_MISSING,  /* no such thing (404, exit 4) */
	ERROR_GROUP_CONFLICT, /* the thing has changed since it was read (409, exit 5) */
	ERROR_GROUP_LATER,    /* nothing wrong with the request; try again later (503, exit 6) */
	ERROR_GROUP_FULL,     /* storage must be freed first (507, exit 7) */
	ERROR_GROUP_DAMAGED,  /* stored bytes are wrong: stop and verify (500, exit 8) */
	ERROR_GROUP_INTERNAL, /* the machine or the program is at fault (500, exit 9) */
};

/* X(code, value, short name, group) */
#define ERROR_MAP(X)                                                                                          \
	X(ERR_INVALID, -1, "invalid", ERROR_GROUP_INPUT)                                                      \
	X(ERR_TOO_BIG, -2, "too-big", ERROR_GROUP_INPUT)                                                      \
	X(ERR_CONFIG, -3, "config", ERROR_GROUP_INPUT)                                                        \
	X(ERR_USAGE, -4, "usage", ERROR_GROUP_INPUT)                                                          \
	X(ERR_DENIED, -10, "denied", ERROR_GROUP_DENIED)                                                      \
	X(ERR_REVOKED, -11, "revoked", ERROR_GROUP_DENIED)                                                    \
	X(ERR_UNKNOWN_KEY, -12, "unknown-key", ERROR_GROUP_DENIED)                                            \
	X(ERR_LOGIN, -13, "login", ERROR_GROUP_DENIED)                                                        \
	X(ERR_BAD_SIGNATURE, -14, "bad-signature", ERROR_GROUP_DENIED)                                        \
	X(ERR_LOCKED, -15, "locked", ERROR_GROUP_DENIED) /* the session waits for its user's password */      \
	X(ERR_PROOF, -16, "proof", ERROR_GROUP_DENIED)   /* a code of the second factor is needed now */      \
	X(ERR_NOT_FOUND, -20, "not-found", ERROR_GROUP_MISSING)                                               \
	X(ERR_ABSENT, -21, "absent", ERROR_GROUP_MISSING) /* a payload that was erased or cannot be opened */ \
	X(ERR_CONFLICT, -30, "conflict", ERROR_GROUP_CONFLICT)                                                \
	X(ERR_EXISTS, -31, "exists", ERROR_GROUP_CONFLICT)                                                    \
	X(ERR_CLOSED, -32, "closed", ERROR_GROUP_CONFLICT)                                                    \
	X(ERR_GAP, -33, "gap", ERROR_GROUP_CONFLICT)                                                          \
	X(ERR_DUPLICATE, -34, "duplicate", ERROR_GROUP_CONFLICT)                                              \
	X(ERR_CLONE, -35, "clone", ERROR_GROUP_CONFLICT)                                                      \
	X(ERR_FROZEN, -36, "frozen", ERROR_GROUP_CONFLICT)                                                    \
	X(ERR_BUSY, -40, "busy", ERROR_GROUP_LATER)                                                           \
	X(ERR_AGAIN, -41, "again", ERROR_GROUP_LATER)                                                         \
	X(ERR_TIMEOUT, -42, "timeout", ERROR_GROUP_LATER)                                                     \
	X(ERR_UNREACHABLE, -43, "unreachable", ERROR_GROUP_LATER)                                             \
	X(ERR_NOT_READY, -44, "not-ready", ERROR_GROUP_LATER)                                                 \
	X(ERR_TOO_MANY, -45, "too-many", ERROR_GROUP_LATER)                                                   \
	X(ERR_HELD, -46, "held", ERROR_GROUP_LATER)                                                           \
	X(ERR_FULL, -50, "full", ERROR_GROUP_FULL)                                                            \
	X(ERR_DAMAGED, -60, "damaged", ERROR_GROUP_DAMAGED)                                                   \
	X(ERR_VERSION, -61, "version", ERROR_GROUP_DAMAGED)                                                   \
	X(ERR_MEMORY, -70, "memory", ERROR_GROUP_INTERNAL)                                                    \
	X(ERR_IO, -71, "io", ERROR_GROUP_INTERNAL)                                                            \
	X(ERR_CRYPTO, -72, "crypto", ERROR_GROUP_INTERNAL)                                                    \
	X(ERR_INTERNAL, -73, "internal", ERROR_GROUP_INTERNAL)

enum error_code {
	OK = 0,
#define ERROR_ENUM(code, value, name, group) code = (value),
	ERROR_MAP(ERROR_ENUM)
#undef ERROR_ENUM
};

#define ERROR_TEXT_BYTES 320

struct error {
	int code;
	char text[ERROR_TEXT_BYTES]; /* UTF-8, NUL-terminated, cut at a character if too long */
};

/* Fills `e` (if not NULL) and returns `code`, so that a failure is one line: return error_set(e, …). */
int error_set(struct error *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the text already in `e` (if not NULL); returns e->code, or `code` when e is NULL. */
int error_wrap(struct error *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Like error_set with the text of `errno_value` appended; the code is ERR_IO, ERR_MEMORY for ENOMEM, ERR_FULL for
 * ENOSPC and EDQUOT. */
int error_set_errno(struct error *e, int errno_value, const char *format, ...) __attribute__((format(printf, 3, 4)));

const char *error_name(int code);          /* "not-found"; "ok" for 0; "unknown" for a code not in the list */
enum error_group error_group_of(int code); /* ERROR_GROUP_INTERNAL for a code not in the list */
/* It failed for want of memory or by another fault of the machine: nothing is said about what was asked or is stored.
 */
bool error_is_of_machine(int code);
int error_http_status(int code); /* 200 for OK */
int error_exit_code(int code);   /* 0 for OK */

#endif

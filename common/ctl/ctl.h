/*
 * Inside lmctl: a command line that has been read, the daemon's socket, and printing.
 *
 * main.c owns the call: its arena holds everything that a command makes, and is released at the end. A command prints
 * its result on standard output and returns an error for main.c to print and to turn into the exit code.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/errors.h"
#include "proto/codec.h"
#include "proto/entry.pb-c.h"

#define CTL_WORDS_MOST 256
#define CTL_OPTION_MAP(X)                                                                                         \
	X(OPTION_DATA, "data", "DIR", "the daemon's data folder (else the environment variable LM_DATA)")         \
	X(OPTION_JSON, "json", NULL, "print the message as it came")                                              \
	X(OPTION_FROM, "from", "POS", "first position to show")                                                   \
	X(OPTION_COUNT, "count", "N", "how many")                                                                 \
	X(OPTION_AFTER, "after", "ITEM", "go on behind this one: the list before names it")                       \
	X(OPTION_DONE, "done", NULL, "what was retried and dropped, by whom and why; the newest first")           \
	X(OPTION_REPLACE, "replace", NULL, "put the rebuilt projections in place of the stored ones")             \
	X(OPTION_FINGERPRINT, "fingerprint", "F", "the fingerprint that the device itself shows")                 \
	X(OPTION_KEY, "key", "F", "the fingerprint that the device itself shows")                                 \
	X(OPTION_VALID, "valid", "SECONDS", "how long the token is valid, at most 900 (else 900)")                \
	X(OPTION_ROLE, "role", "ROLE", "terminal or town; for an account its role")                               \
	X(OPTION_PLACE, "place", "P", "where it stands: 310114106 for a town, 310114106001-T1 for a terminal")    \
	X(OPTION_REASON, "reason", "TEXT", "why; kept in the journal")                                            \
	X(OPTION_BY, "by", "NAME", "who does this (else the name of your login)")                                 \
	X(OPTION_SECOND, "second", "NAME", "who else has looked at it and publishes it")                          \
	X(OPTION_SERVICE, "service", "ID", "the service asked for (else the first of the catalogue)")             \
	X(OPTION_VALUES, "values", "FILE.json",                                                                   \
	  "the answers: {\"values\": [{\"field\": \"name\", \"values\": [\"...\"]}]}")                            \
	X(OPTION_WAIT, "wait", "SECONDS",                                                                         \
	  "wait until every request has its last mark; print each mark as it is reached")                         \
	X(OPTION_UNTIL, "until", "MARK", "the last mark to wait for: town or district (else district)")           \
	X(OPTION_PASSWORD_FILE, "password-file", "FILE",                                                          \
	  "read the password from the first line of FILE, - for standard input")                                  \
	X(OPTION_RECOVERY_KEY, "recovery-key", "FILE", "file of the recovery key, made by lmctl recovery key")    \
	X(OPTION_SCRATCH, "scratch", "DIR", "where there is room to unpack it (else the folder that it lies in)") \
	X(OPTION_KEY_TABLE, "key-table", NULL, "only replace the newest copy of the key table")                   \
	X(OPTION_TO, "to", "DIR", "folder to write to, when no daemon runs")                                      \
	X(OPTION_SEALED_TO, "sealed-to", "KEY", "public recovery key, when no daemon runs")                       \
	X(OPTION_DOUBLES, "doubles", NULL, "take also those who seem to be on file")                              \
	X(OPTION_HELP, "help", NULL, "say what the command does")

enum ctl_option {
#define CTL_OPTION_ENUM(id, name, value, help) id,
	CTL_OPTION_MAP(CTL_OPTION_ENUM)
#undef CTL_OPTION_ENUM
	        OPTION_NUMBER
};
#define OPTION_BIT(id) (UINT32_C(1) << (id))

struct client;

struct call { /* one run of lmctl */
	const struct ctl_command *command;
	char *option[OPTION_NUMBER]; /* of argv; NULL: not given; a switch is "" */
	char *word[CTL_WORDS_MOST];  /* what follows the command's name */
	size_t word_count;
	struct arena arena;
	struct client *client; /* made at first use */
};

struct ctl_command {
	const char *name;           /* "journal tail" */
	const char *arguments;      /* as shown: "FILE..." */
	const char *summary;        /* one line */
	const char *more;           /* NULL: nothing more to say */
	uint32_t options, required; /* OPTION_BITs; help is always taken */
	size_t words_least, words_most;
	int (*run)(struct call *c, struct error *e);
};
extern const struct ctl_command ctl_commands[];
extern const size_t ctl_command_count;

/* ---- options.c: what was given ---- */
static inline bool call_has(const struct call *c, enum ctl_option id)
{
	return c->option[id] != NULL;
}
/* ERR_USAGE without --data and LM_DATA. */
int call_data(const struct call *c, const char **data, struct error *e);
/* A number of an option, `otherwise` if it is not given. ERR_USAGE names the option and its range. */
int call_number(const struct call *c, enum ctl_option id, uint64_t least, uint64_t most, uint64_t otherwise,
                uint64_t *out, struct error *e);
/* --by, or the name of the login. */
char *call_by(struct call *c);

/* ---- client.c: HTTP over DATA/ctl.sock ---- */
/* Asks and decodes the answer into the call's arena. With --json the answer is printed as it came. Errors are the
 * daemon's own, or ERR_UNREACHABLE (nobody listens), ERR_AGAIN (the connection broke: whether it was done is not
 * known), ERR_TIMEOUT. */
int client_get(struct call *c, const char *path, const ProtobufCMessageDescriptor *type, void *out, struct error *e);
int client_post(struct call *c, const char *path, const ProtobufCMessage *body, const ProtobufCMessageDescriptor *type,
                void *out, struct error *e);
/* The same without printing, for answers that serve a further step. */
int client_fetch(struct call *c, const char *path, const ProtobufCMessageDescriptor *type, void *out, struct error *e);
int client_send(struct call *c, const char *path, const ProtobufCMessage *body, const ProtobufCMessageDescriptor *type,
                void *out, struct error *e);
/* Bytes of a body as JSON: daemons take HTTP_BODY_BYTES_MOST. */
int client_body_bytes(const ProtobufCMessage *body, size_t *out, struct error *e);
void client_close(struct client *client); /* NULL is fine */

/* ---- directory.c ---- */
/* --role and --place: a terminal or a town, and a place of its form. */
int seat_read(const struct call *c, Lm__Tier *role, struct error *e);

/* ---- print.c ---- */
/* Prints text that others wrote: control characters cannot move the cursor of the reader's screen. */
void print_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_raw(struct bytes json); /* as a line */
int print_json(const ProtobufCMessage *message, struct error *e);
/* Name of an enum's value without its prefix, in lower case: "applied". */
const char *print_enum(struct arena *arena, const ProtobufCEnumDescriptor *type, int value);
const char *print_hex(struct arena *arena, ProtobufCBinaryData data, size_t bytes_most); /* "-" if empty */
const char *print_time(struct arena *arena, int64_t wall_ms);                            /* "-" for 0 */
const char *print_age(struct arena *arena, int64_t age_ms);                              /* "3 h 12 min" */

/* "lmctl: TEXT" on standard error. */
void print_error(const struct error *e);

/* A table: cells are laid out when it is printed, by their width on a screen. */
#define PRINT_COLUMNS_MOST 12
struct print_table {
	struct arena *arena;
	size_t columns;
	struct print_row *first, *last;
	bool is_cut; /* there was no memory for a row */
};
struct print_table print_table_of(struct arena *arena, size_t columns, const char *const *titles);
void print_table_row(struct print_table *t, const char *const *cells); /* t->columns of them; copied */
void print_table_show(const struct print_table *t);                    /* says "  none" without rows */

/* ---- the commands ---- */
int status_run(struct call *c, struct error *e);
int journal_tail_run(struct call *c, struct error *e);
int verify_run(struct call *c, struct error *e);
int rebuild_run(struct call *c, struct error *e);
int keys_run(struct call *c, struct error *e);
int trace_run(struct call *c, struct error *e);
int admit_run(struct call *c, struct error *e);
int revoke_run(struct call *c, struct error *e);
int rotate_run(struct call *c, struct error *e);
int release_run(struct call *c, struct error *e);
int devices_run(struct call *c, struct error *e);
int token_run(struct call *c, struct error *e);
int withdraw_run(struct call *c, struct error *e);
int tokens_run(struct call *c, struct error *e);
int card_issue_run(struct call *c, struct error *e);
int card_revoke_run(struct call *c, struct error *e);
int join_run(struct call *c, struct error *e);
int account_list_run(struct call *c, struct error *e);
int account_open_run(struct call *c, struct error *e);
int account_close_run(struct call *c, struct error *e);
int account_role_run(struct call *c, struct error *e);
int account_unlock_run(struct call *c, struct error *e);
int account_reset_run(struct call *c, struct error *e);
int user_add_run(struct call *c, struct error *e);
int user_close_run(struct call *c, struct error *e);
int catalogue_check_run(struct call *c, struct error *e);
int catalogue_publish_run(struct call *c, struct error *e);
int catalogue_list_run(struct call *c, struct error *e);
int calendar_check_run(struct call *c, struct error *e);
int calendar_publish_run(struct call *c, struct error *e);
int wording_check_run(struct call *c, struct error *e);
int wording_publish_run(struct call *c, struct error *e);
int calendar_list_run(struct call *c, struct error *e);
int quarantine_list_run(struct call *c, struct error *e);
int quarantine_retry_run(struct call *c, struct error *e);
int quarantine_drop_run(struct call *c, struct error *e);
int recovery_key_run(struct call *c, struct error *e);
int backup_run(struct call *c, struct error *e);
int backup_verify_run(struct call *c, struct error *e);
int backup_confirm_run(struct call *c, struct error *e);
int backup_list_run(struct call *c, struct error *e);
int restore_run(struct call *c, struct error *e);
int return_begin_run(struct call *c, struct error *e);
int return_run(struct call *c, struct error *e);
int return_leave_out_run(struct call *c, struct error *e);
int persons_import_run(struct call *c, struct error *e);
int submit_run(struct call *c, struct error *e);
int lookup_run(struct call *c, struct error *e);

#endif

/*
 * Configuration: lines of `key = value`; `#` at the start of a line or after a blank starts a comment; values run
 * to the end of the line (trimmed).
 * A key that is not in the table, given twice, missing though required, or out of range is refused with
 * file, line, the key, and the nearest known key.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/errors.h"

enum config_type { CONFIG_TEXT, CONFIG_INTEGER, CONFIG_SIZE /* 16M, 1G */, CONFIG_BOOLEAN /* yes no */ };

struct config_key {
	const char *name;
	enum config_type type;
	bool is_required;
	const char *default_text; /* parsed like a value; NULL: none (text NULL, number 0) */
	int64_t least, most;      /* CONFIG_INTEGER and CONFIG_SIZE; both 0: any */
	size_t offset;            /* of the field: char * (owned by the config), int64_t or bool */
	const char *help;         /* one line, for --help and the sample file: what it is, and its unit */
	const char *example;      /* for the sample file; NULL: the default is shown, commented out */
};

/* Parses `path` into `object` by `keys`. Text fields are allocated; config_release frees them. ERR_CONFIG, ERR_IO,
 * ERR_MEMORY. */
int config_read(const char *path, const struct config_key *keys, size_t key_count, void *object, struct error *e);
/* The same over text in memory; `name` stands for the file in messages. */
int config_parse(const char *name, const char *text, const struct config_key *keys, size_t key_count, void *object,
                 struct error *e);

/* Goes on behind a fault and tells of each. */
struct config_faults {
	void (*tell)(void *context, const char *text);
	void *context;
	long *line; /* room for one a key: the line where it stands, 0: nowhere */
};
/* As config_read, but `object` receives what is right also when something is not: release it in both cases. ERR_CONFIG
 * if there was a fault, all of which have been told. */
int config_read_all(const char *path, const struct config_key *keys, size_t key_count, void *object,
                    const struct config_faults *faults);
/* A key as people read it: name, help, range and default; `is_sample`: as lines of a configuration file. */
void config_describe(FILE *out, const struct config_key *key, bool is_sample);
void config_release(const struct config_key *keys, size_t key_count, void *object);

#endif

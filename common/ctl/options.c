/* From argv to a call. Everything is refused that a command would not look at: a slip must not pass for consent. */
#include "options.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/errors.h"

struct option_entry {
	const char *name;
	bool has_value;
};

static const struct option_entry entries[OPTION_NUMBER] = {
#define OPTION_ENTRY(id, name, value, help) [id] = { name, (value) != NULL },
	CTL_OPTION_MAP(OPTION_ENTRY)
#undef OPTION_ENTRY
};

static char given[] = ""; /* what a switch is set to */

static int option_find(const char *name, size_t length)
{
	for (int i = 0; i < OPTION_NUMBER; i++)
		if (strlen(entries[i].name) == length && strncmp(entries[i].name, name, length) == 0)
			return i;
	return -1;
}

/* Reads the option at argv[*at]; moves *at over its value. */
static int option_read(struct call *c, int argc, char **argv, int *at, struct error *e)
{
	char *name = argv[*at] + 2, *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	int id = option_find(name, length);
	if (id < 0)
		return error_set(e, ERR_USAGE, "there is no option --%.*s: see lmctl help", (int)length, name);
	if (call_has(c, (enum ctl_option)id))
		return error_set(e, ERR_USAGE, "--%s is given twice", entries[id].name);
	if (!entries[id].has_value) {
		if (equals)
			return error_set(e, ERR_USAGE, "--%s takes no value", entries[id].name);
		c->option[id] = given;
		return OK;
	}
	if (!equals && *at + 1 >= argc)
		return error_set(e, ERR_USAGE, "--%s needs a value", entries[id].name);
	c->option[id] = equals ? equals + 1 : argv[++*at];
	if (!c->option[id][0])
		return error_set(e, ERR_USAGE, "--%s needs a value", entries[id].name);
	return OK;
}

static int arguments_read(struct call *c, int argc, char **argv, struct error *e)
{
	bool has_ended = false;
	for (int at = 0; at < argc; at++) {
		if (!has_ended && strcmp(argv[at], "--") == 0) {
			has_ended = true;
		} else if (!has_ended && strncmp(argv[at], "--", 2) == 0) {
			int result = option_read(c, argc, argv, &at, e);
			if (result)
				return result;
		} else if (!has_ended && strcmp(argv[at], "-h") == 0) {
			c->option[OPTION_HELP] = given;
		} else if (!has_ended && argv[at][0] == '-' && argv[at][1]) {
			return error_set(e, ERR_USAGE, "there is no option %s: see lmctl help", argv[at]);
		} else if (c->word_count == CTL_WORDS_MOST) {
			return error_set(e, ERR_USAGE, "more than %d words: give fewer files at a time",
			                 CTL_WORDS_MOST);
		} else {
			c->word[c->word_count++] = argv[at];
		}
	}
	return OK;
}

/* How many words of the line the command's name takes; 0 if it is another command. */
static size_t name_match(const struct call *c, const char *name)
{
	const char *space = strchr(name, ' ');
	size_t first = space ? (size_t)(space - name) : strlen(name);
	if (!c->word_count || strlen(c->word[0]) != first || strncmp(c->word[0], name, first) != 0)
		return 0;
	if (!space)
		return 1;
	return c->word_count > 1 && strcmp(c->word[1], space + 1) == 0 ? 2 : 0;
}

static int group_refuse(const struct call *c, struct error *e)
{
	char known[160];
	struct writer w = writer_over(known, sizeof known - 1);
	size_t length = strlen(c->word[0]);
	for (size_t i = 0; i < ctl_command_count; i++) {
		const char *name = ctl_commands[i].name;
		if (strncmp(name, c->word[0], length) != 0 || name[length] != ' ')
			continue;
		write_bytes(&w, bytes_from_text(w.size ? ", " : ""));
		write_bytes(&w, bytes_from_text(name));
	}
	known[w.size] = '\0';
	if (w.size)
		return error_set(e, ERR_USAGE, "say which: %s", known);
	return error_set(e, ERR_USAGE, "there is no command %s: lmctl help lists them", c->word[0]);
}

static int command_find(struct call *c, struct error *e)
{
	static char help[] = "help";
	if (!c->word_count && call_has(c, OPTION_HELP)) { /* "lmctl --help" is "lmctl help" */
		c->word[c->word_count++] = help;
		c->option[OPTION_HELP] = NULL;
	}
	if (!c->word_count)
		return error_set(e, ERR_USAGE, "say what to do: lmctl help lists the commands");
	size_t taken = 0;
	for (size_t i = 0; i < ctl_command_count && !taken; i++) {
		taken = name_match(c, ctl_commands[i].name);
		if (taken)
			c->command = &ctl_commands[i];
	}
	if (!taken)
		return group_refuse(c, e);
	c->word_count -= taken;
	memmove(c->word, c->word + taken, c->word_count * sizeof c->word[0]);
	return OK;
}

static int command_check(const struct call *c, struct error *e)
{
	const struct ctl_command *k = c->command;
	for (int i = 0; i < OPTION_NUMBER; i++) {
		bool is_taken = i == OPTION_HELP || (k->options & OPTION_BIT(i));
		if (!is_taken && call_has(c, (enum ctl_option)i))
			return error_set(e, ERR_USAGE, "%s takes no --%s: see lmctl help %s", k->name, entries[i].name,
			                 k->name);
	}
	if (call_has(c, OPTION_HELP))
		return OK;
	if (c->word_count < k->words_least)
		return error_set(e, ERR_USAGE, "%s needs %s: see lmctl help %s", k->name, k->arguments, k->name);
	if (c->word_count > k->words_most)
		return error_set(e, ERR_USAGE, "%s: '%.60s' is one word too many: see lmctl help %s", k->name,
		                 c->word[k->words_most], k->name);
	for (int i = 0; i < OPTION_NUMBER; i++)
		if ((k->required & OPTION_BIT(i)) && !call_has(c, (enum ctl_option)i))
			return error_set(e, ERR_USAGE, "%s needs --%s: see lmctl help %s", k->name, entries[i].name,
			                 k->name);
	return OK;
}

int call_read(struct call *c, int argc, char **argv, struct error *e)
{
	int result = arguments_read(c, argc, argv, e);
	if (!result)
		result = command_find(c, e);
	return result ? result : command_check(c, e);
}

int call_data(const struct call *c, const char **data, struct error *e)
{
	const char *folder = call_has(c, OPTION_DATA) ? c->option[OPTION_DATA] : getenv("LM_DATA");
	if (!folder || !folder[0])
		return error_set(
		        e, ERR_USAGE,
		        "say which daemon: give its data folder with --data DIR or in the environment variable "
		        "LM_DATA");
	*data = folder;
	return OK;
}

int call_number(const struct call *c, enum ctl_option id, uint64_t least, uint64_t most, uint64_t otherwise,
                uint64_t *out, struct error *e)
{
	const char *text = c->option[id];
	uint64_t value = 0;
	if (!text) {
		*out = otherwise;
		return OK;
	}
	bool is_good = true;
	for (const char *p = text; *p && is_good; p++)
		is_good = *p >= '0' && *p <= '9' && !__builtin_mul_overflow(value, 10, &value) &&
		          !__builtin_add_overflow(value, (uint64_t)(*p - '0'), &value);
	if (!is_good || value < least || value > most)
		return error_set(e, ERR_USAGE, "--%s: '%.40s' is not a number from %llu to %llu", entries[id].name,
		                 text, (unsigned long long)least, (unsigned long long)most);
	*out = value;
	return OK;
}

char *call_by(struct call *c)
{
	static char nobody[] = "operator";
	if (call_has(c, OPTION_BY))
		return c->option[OPTION_BY];
	const struct passwd *login = getpwuid(getuid());
	char *name = login ? arena_text(&c->arena, login->pw_name) : NULL;
	return name ? name : nobody;
}

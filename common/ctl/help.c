/* lmctl help: made from the table of commands, so that it cannot say anything else than what is read. */
#include <stdio.h>
#include <string.h>

#include "options.h"

struct option_help {
	const char *name, *value, *text;
};

static const struct option_help helps[OPTION_NUMBER] = {
#define OPTION_HELP_ENTRY(id, name, value, help) [id] = { name, value, help },
	CTL_OPTION_MAP(OPTION_HELP_ENTRY)
#undef OPTION_HELP_ENTRY
};

static void option_show(const struct option_help *h, bool is_required)
{
	char left[48];
	snprintf(left, sizeof left, "--%s%s%s", h->name, h->value ? " " : "", h->value ? h->value : "");
	printf("  %-24s %s%s\n", left, h->text, is_required ? " (required)" : "");
}

void help_show(const struct ctl_command *k)
{
	printf("lmctl %s%s%s%s\n\n%s\n", k->name, k->arguments[0] ? " " : "", k->arguments,
	       k->options ? " [options]" : "", k->summary);
	if (k->more)
		printf("%s\n", k->more);
	if (k->options)
		printf("\n");
	for (int i = 0; i < OPTION_NUMBER; i++)
		if (k->options & OPTION_BIT(i))
			option_show(&helps[i], k->required & OPTION_BIT(i));
}

static void overview_show(void)
{
	printf("usage: lmctl COMMAND [options]\n\n");
	for (size_t i = 0; i < ctl_command_count; i++) {
		char left[48];
		snprintf(left, sizeof left, "%s %s", ctl_commands[i].name, ctl_commands[i].arguments);
		printf("  %-24s %s\n", left, ctl_commands[i].summary);
	}
	printf("\nA daemon is found by its data folder: --data DIR, or the environment variable LM_DATA.\n"
	       "Exit codes: 0 done, 2 mend the input, 3 refused, 4 no such thing, 5 it has changed, 6 try later,\n"
	       "7 storage is full, 8 stored data is damaged, 9 the machine or the program is at fault.\n");
}

int help_run(struct call *c, struct error *e)
{
	char name[64];
	if (!c->word_count) {
		overview_show();
		return OK;
	}
	bool is_two = c->word_count > 1;
	int length = snprintf(name, sizeof name, "%s%s%s", c->word[0], is_two ? " " : "", is_two ? c->word[1] : "");
	size_t shown = 0;
	for (size_t i = 0; length > 0 && i < ctl_command_count; i++) {
		const char *known = ctl_commands[i].name;
		if (strncmp(known, name, (size_t)length) != 0 || (known[length] && known[length] != ' '))
			continue;
		printf("%s", shown++ ? "\n" : "");
		help_show(&ctl_commands[i]);
	}
	return shown ? OK : error_set(e, ERR_USAGE, "there is no command %s: lmctl help lists them", name);
}

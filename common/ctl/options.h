/* Inside lmctl: from argv to a call, and the texts of help. Only main.c needs this. */
#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H

#include "ctl.h"

/* Options may stand anywhere, as --name VALUE or --name=VALUE; after -- come only words. ERR_USAGE says what is wrong.
 */
int call_read(struct call *c, int argc, char **argv, struct error *e);

/* ---- help.c ---- */
int help_run(struct call *c, struct error *e);
void help_show(const struct ctl_command *command);

#endif

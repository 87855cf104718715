/* What the files of this room share. */
#ifndef PAPER_INSIDE_H
#define PAPER_INSIDE_H

#include "base/bytes.h"

/* Appends to the PDF an update of its catalog: its language, and that readers show its title. cairo 1.16 has no call
 * for it. ERR_INTERNAL: not a PDF as cairo writes it. */
int catalog_amend(struct buffer *pdf, const char *language, struct error *e);

#endif

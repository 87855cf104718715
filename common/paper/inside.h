/* What the files of this room share. */
#ifndef PAPER_INSIDE_H
#define PAPER_INSIDE_H

#include <pango/pangocairo.h>

#include "base/arena.h"
#include "base/bytes.h"

#define FONT "Noto Sans CJK SC"

/* What can be seen of a text that is UTF-8. NULL: no memory. */
char *text_seen(struct arena *arena, const char *text);
/* Measures that do not depend on a screen: no hinting, one unit is one point of a letter, one dot of a slip. */
PangoContext *context_new(PangoFontMap *map, const char *language);
/* ERR_NOT_READY: the font is missing. */
int font_check(PangoContext *context, struct error *e);

/* Appends to the PDF an update of its catalog: its language, and that readers show its title. cairo 1.16 has no call
 * for it. ERR_INTERNAL: not a PDF as cairo writes it. */
int catalog_amend(struct buffer *pdf, const char *language, struct error *e);

#endif

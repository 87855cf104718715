/* What the three files about links share. Writer thread only. */
#ifndef NODE_LINKS_H
#define NODE_LINKS_H

#include "inside.h"

/* links.c */
uint64_t link_now_ms(void); /* monotonic */
void link_event_line(struct node *n, struct peer *p, enum link_event_type type, uint32_t line, uint64_t ordinal);
struct line_key line_key_of(const Lm__StreamKey *k);
void link_send_line(struct node *n, struct peer *p, const struct line *l);
void upstream_said(struct node *n, const char *code, const char *text); /* why it takes nothing; "": it does */

/* greet.c */
void hello_came(struct node *n, struct peer *p, const Lm__Frame *frame);

/* marks.c */
void stored_note(struct node *n, const struct peer *p, uint32_t line,
                 uint64_t ordinal); /* it has a line of ours so far */
void ack_line_came(struct node *n, struct peer *p, const Lm__AckLine *ack);
void marks_came(struct node *n, const Lm__Marks *marks, enum journal_mark mark);
void signed_marks_came(struct node *n, const Lm__SignedMarks *body);
void beat_came(struct node *n, struct peer *p, const Lm__Beat *beat);

#endif

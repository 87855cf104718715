/* What the files of this room share. */
#ifndef SUBCENTER_INSIDE_H
#define SUBCENTER_INSIDE_H

#include "node/node.h"

/* intake.c: routes of the counter */
void intake_draft_post(void *context, struct http_request *r);
void intake_post(void *context, struct http_request *r);

#endif

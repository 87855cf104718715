/*
 * Changing a node's keys while it lives (domain/rotation.c says how the tiers agree).
 *
 *   lmctl rotate ─▶ DATA/device.keys.next, and an entry that asks ─▶ the directory names the next keys
 *   ─▶ device.keys.next becomes device.keys, and the daemon starts anew: an incarnation is signed by one set of keys
 *   ─▶ its first entry says so
 *
 * Whatever dies in between, the next start finds the file and the directory, and goes on from there.
 */
#ifndef NODE_ROTATION_H
#define NODE_ROTATION_H

#include "inside.h"

/* Loop thread. Notes whether keys wait to be taken up, when the node starts. */
int rotation_open(struct node *n, struct error *e);
/* Loop thread, each second: takes them up when the directory names them; the daemon then ends to start anew. */
void rotation_tick(struct node *n);
/* In the first turn of a start: tells the district that it uses the keys that it was given, or asks again. */
int rotation_tell(struct turn *t, struct error *e);
/* POST /ctl/v1/keys */
void control_rotate(void *context, struct http_request *r);

/* birth.c */
/* Appends the authority's word for the hub's record. */
int authority_append(struct turn *t, const Lm__DeviceRecord *record, struct error *e);
int birth_run(struct turn *t, struct command *c, struct error *e);

#endif

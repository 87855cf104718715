/*
 * One request that the writer or the pool answers: its input, its output, and the arena that both lie in.
 *
 * act_command and act_pool take the act; it is answered and freed when they are done.
 */
#ifndef NODE_ACT_H
#define NODE_ACT_H

#include "inside.h"

struct act {
	struct command command;
	struct arena arena;
	struct http_request *request;
	ProtobufCMessage *input, *output;
	uint64_t from;
	size_t count;
	char *after; /* of a list: where the page before ended */
	bool is_done;
	char password_hash[PASSWORD_HASH_BYTES];
	int result;
	struct error error;
};

struct act *act_new(struct http_request *r); /* NULL: it has been answered */
struct act *act_with_body(struct http_request *r, const ProtobufCMessageDescriptor *type); /* the same */
/* Who did it: at a page the one who is logged in, whatever the body says. */
void act_by(struct act *a, char **by);
void act_answer(struct act *a, int result, const struct error *e); /* answers and frees */
void act_command(struct node *n, struct act *a, int (*run)(struct turn *t, struct command *c, struct error *e));
void act_pool(struct node *n, struct act *a, void (*run)(struct node *n, void *context));

/* devices.c */
int only_at_hub(struct node *n, struct error *e);
/* Appends an entry of the hub's for all. */
int all_append(struct turn *t, Lm__Kind kind, const ProtobufCMessage *message, struct error *e);
int packed_append(struct turn *t, Lm__Kind kind, struct bytes packed, struct error *e);
Lm__DeviceView *device_view(const struct node *n, struct arena *arena,
                            const Lm__DeviceRecord *record); /* NULL: no memory */
/* By its id or its place. ERR_NOT_FOUND with a sentence. */
int device_named(struct turn *t, const char *name, struct arena *arena, Lm__DeviceRecord **out, struct error *e);
/* Whether a device may be admitted at its place now. */
int admit_check(struct turn *t, const Lm__DeviceRecord *record, struct error *e);

extern const struct http_route device_routes[];
extern const size_t device_route_count;

#endif

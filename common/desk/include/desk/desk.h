/*
 * Casework over HTTP for the tiers that own cases: town and district serve the same queue and case pages.
 * Also the one way in which an owner's event is written: the event itself, and the message that the resident reads.
 */
#ifndef DESK_DESK_H
#define DESK_DESK_H

#include "node/node.h"

/* Routes for login, session, queue, case, actions, links and events: put them into the tier's table. */
extern const struct http_route desk_routes[];
extern const size_t desk_route_count;

/* Quality samples, of the district alone. */
extern const struct http_route sample_routes[];
extern const size_t sample_route_count;

/* Reports to the city, of the district alone. */
extern const struct http_route report_routes[];
extern const size_t report_route_count;

/* tier.context, tier.on_start, tier.on_free: what can be found of residents' records is kept in memory. */
void *desk_new(void); /* NULL: desk_start says that memory is short */
int desk_start(struct node *n, struct error *e);
void desk_free(void *context);
/* tier.answer_ask: an answer or withdrawal of a resident, answered at once by the owner, exactly once. */
int desk_answer_ask(struct turn *t, const struct domain_effect *ask, struct error *e);
/* tier.tell_again at a town: the resident's message about an event that it wrote before its disk was lost; of a code
 * that was replaced the terminal's lock is released. */
int desk_tell_again(struct turn *t, const struct domain_item *event, struct error *e);
/* tier.find_receipt at a town: a receipt that was made at another terminal. */
int desk_find_receipt(struct node *n, const char *code, uint64_t asker, struct arena *arena, Lm__Answer *answer,
                      struct error *e);
/* A route of towns: a lost receipt's code is replaced. POST NewCodeCommand → NewCodeView */
void desk_new_code(void *context, struct http_request *r);
/* tier.on_news, tier.on_links: to the pages' event streams. */
void desk_news(struct node *n, const struct domain_effect *news, size_t count);
void desk_links(struct node *n);
/* To the pages of accounts with this right: RIGHT_CASES or RIGHT_STATE. Who sees cases sees the node's state, too. */
void desk_publish(struct node *n, enum right right, const char *name, const ProtobufCMessage *message);
/* tier.on_tick at a town: tells terminals to drop the locks of cases that closed 90 days ago. */
uint64_t desk_tick(struct node *n, uint64_t now_us);
/* Part of it, and of the district's: what was handed over to this tier and nobody accepts in hand_over_days goes back;
 * text messages; and news of publications. */
uint64_t desk_cases_tick(struct node *n, uint64_t now_us);

/* tier.hear_ring, tier.on_ring at a town, and its routes: kiosks that ask for a person (rings.c). Nothing of it is
 * stored: a ring lives as long as the kiosk says it again. */
bool desk_hear_ring(struct node *n, uint64_t device, uint64_t ring, bool is_over, Lm__Answer *answer);
void desk_ring_news(struct node *n);
void desk_rings_get(void *context, struct http_request *r);
void desk_rings_waiting(void *context, struct http_request *r); /* of a locked session, too */
void desk_ring_take(void *context, struct http_request *r);

#define DESK_LOCK_DAYS 90

#endif

/*
 * Joining: how a device gets into the directory with a token.
 *
 *   device ──JoinRequest──▶ town's join endpoint ──JoinAsk──▶ hub: token + key + place + time, one turn
 *          ◀──JoinReply────                      ◀─JoinAnswer─
 *
 *   join_device.c     the device: waits for a token, asks until it is answered, keeps the certificate   loop
 *   join_endpoint.c   town and hub: the door, who may ask how often, passing on                          loop
 *   join_hub.c        hub: checks and admits                                                             writer
 */
#ifndef NODE_JOIN_H
#define NODE_JOIN_H

#include "inside.h"
#include "proto/join.pb-c.h"

#define JOIN_FRAME_BYTES_MOST 4096
#define JOIN_WAITING_MOST 64                    /* asked and not answered */
#define JOIN_ANSWER_US 5000000                  /* so long the district may take */
#define JOIN_A_SECOND 20                        /* requests looked at, of everybody together */
#define JOIN_SAME_KEY_US 200000                 /* one of the same key in so long */
#define JOIN_KEYS 64                            /* keys that are remembered for it */
#define JOIN_ASKS_A_MINUTE (60 * JOIN_A_SECOND) /* hub: of one town */

/* join_device.c */
/* Whether this device has joined: reads DATA/joined and DATA/join.token. ERR_DAMAGED, ERR_CONFIG: it joined for another
 * place or district than the configuration says. */
int join_device_open(struct node *n, struct error *e);
void join_device_tick(struct node *n);
uint64_t join_device_due_us(const struct node *n); /* UINT64_MAX: never */
void join_device_close(struct node *n);

/* join_endpoint.c */
int join_endpoint_open(struct node *n, struct error *e); /* nothing without join_address */
void join_endpoint_tick(struct node *n);
uint64_t join_endpoint_due_us(const struct node *n); /* UINT64_MAX: never */
void join_endpoint_close(struct node *n);
const char *join_endpoint_address(const struct node *n); /* as bound; "" without one */
void join_answer_came(struct node *n, uint64_t number, const Lm__JoinReply *reply);
void join_reply_to(struct node *n, const struct net_route *route, const Lm__JoinReply *reply);

/* join_hub.c */
/* Any thread. A town asked; it is answered over its link. */
void join_ask_came(struct node *n, struct peer *p, const Lm__Frame *frame);
/* Loop thread: a device knocked at the hub's own endpoint. The request has been checked. */
void join_at_hub(struct node *n, const struct net_route *route, const Lm__JoinRequest *request);

#endif

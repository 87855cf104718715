/*
 * One connection of a client: a DEALER and the socket that monitors it.
 *
 * A client that was refused, or shall forget what is queued, drops its line and makes a new one. A dropped line
 * closes by itself and calls nothing any more.
 */
#ifndef NET_LINE_H
#define NET_LINE_H

#include "context.h"

struct net_line {
	struct net_client *client; /* NULL once dropped */
	struct net_socket data, monitor;
	unsigned sockets; /* not closed yet */
};

int net_line_open(struct net_client *c, struct net *n, const struct net_client_options *options, struct net_line **out,
                  struct error *e);
void net_line_drop(struct net_line *l);

/* What the client makes of it. */
void net_client_hear(struct net_client *c, int event);
void net_client_take(struct net_client *c, zmq_msg_t *parts, size_t count);
void net_client_writable(struct net_client *c);
bool net_client_is_connected(const struct net_client *c);

#endif

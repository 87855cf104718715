/*
 * What the files of this room share: the process-wide ZeroMQ context and who still needs it.
 *
 * Every socket and every client holds the context; the last one to let go ends it. So net_close may be called
 * while handles are still closing.
 */
#ifndef NET_CONTEXT_H
#define NET_CONTEXT_H

#include "net/net.h"
#include "socket.h"

struct net {
	void *zmq; /* the context */
	uv_loop_t *loop;
	struct net_server *servers; /* the open ones, for ZAP */
	struct net_socket zap;
	void *knock; /* asks the ZAP handler whether it is there; NULL before the first time */
	unsigned holders;
	uint64_t monitors_made; /* a monitor's address must be new each time */
};

void net_hold(struct net *n);
void net_release(struct net *n);

/* Binds inproc://zeromq.zap.01. Must come before any server socket: without a handler CURVE admits every key. */
int net_zap_open(struct net *n, struct error *e);

/* Asks the server of that ZAP domain; false also when there is none. A refusal is counted there. */
bool net_server_admits(struct net *n, struct bytes domain, const uint8_t key[NET_KEY_BYTES]);

#endif

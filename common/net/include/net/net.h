/*
 * ZeroMQ on libuv: one ROUTER for those below, one DEALER to the tier above, both CURVE, both on the loop thread.
 *
 * Identity is the CURVE key that ZAP authenticated, never the routing id. Frames are single-part messages;
 * what is in them is not this room's business.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/bytes.h"
#include "base/errors.h"

#define NET_KEY_BYTES 32
#define NET_FRAME_BYTES_MOST (1024 * 1024) /* ZMQ_MAXMSGSIZE: a larger frame ends the connection */
#define NET_ROUTE_BYTES 8                  /* a routing id made by libzmq is 5 bytes */

struct net;        /* the ZeroMQ context and the ZAP handler of a process */
struct net_server; /* a bound ROUTER */
struct net_client; /* a DEALER to one address */
struct net_door;   /* a TCP port in front of a server that strangers may reach */

struct net_route {
	uint8_t size;
	uint8_t byte[NET_ROUTE_BYTES];
};

int net_open(uv_loop_t *loop, struct net **out, struct error *e);
void net_close(struct net *n); /* after its servers and clients; closes handles asynchronously, run the loop until they
                                  are gone */

/* Asks the ZAP handler as ZeroMQ would and is true if it answered the question of the call before: without it no
 * handshake succeeds. Call it every second or so, on the loop thread. */
bool net_zap_answers(struct net *n);

/* tcp://HOST:PORT; to bind, HOST is an address, an interface or *, and PORT may be *. ERR_INVALID says what is wrong;
 * whether the name can be found or the address is free is not asked. */
int net_address_check(const char *address, bool is_to_bind, struct error *e);

struct net_server_options {
	const char *address; /* tcp://127.0.0.1:5601 */
	/* A door for links stands before it at `address`, and the server at this Unix socket behind it. NULL: none. */
	const char *door_socket;
	bool is_behind_door;    /* a door of another's: the address is ipc:///path */
	const char *zap_domain; /* enforced; "link" */
	const uint8_t *public_key, *secret_key;
	uint32_t frame_bytes_most; /* 0: NET_FRAME_BYTES_MOST */
	void *context;
	/* Called on the loop thread for each handshake. OK admits; any error refuses (ZAP 400) and is counted. */
	int (*admit)(void *context, const uint8_t key[NET_KEY_BYTES]);
	/* `key` is the authenticated key of the connection that sent the frame. The frame is valid during the call. */
	void (*on_frame)(void *context, const struct net_route *route, const uint8_t key[NET_KEY_BYTES],
	                 struct bytes frame);
	/* A queue that had refused a frame may take more now. Optional. */
	void (*on_writable)(void *context);
	/* A message was dropped: more or less than one frame, too large, or from a socket that chose a long route.
	 * Optional. */
	void (*on_dropped)(void *context, const uint8_t key[NET_KEY_BYTES], const char *why);
};
/* ERR_EXISTS "address … is in use by another process", ERR_INVALID for an address it cannot bind. */
int net_server_open(struct net *n, const struct net_server_options *options, struct net_server **out, struct error *e);
/* As bound: "tcp://127.0.0.1:49152" for tcp://127.0.0.1:* */
const char *net_server_address(const struct net_server *s);
/*
 * OK, ERR_AGAIN (queue full: keep the frame; on_writable follows, and may come early), ERR_UNREACHABLE (that route is
 * gone), ERR_TOO_BIG (more than NET_FRAME_BYTES_MOST). The bytes are copied.
 */
int net_server_send(struct net_server *s, const struct net_route *route, struct bytes frame);
void net_server_close(struct net_server *s);
uint64_t net_server_refused(const struct net_server *s); /* handshakes refused since the start */
uint64_t net_server_dropped(
        const struct net_server *s); /* messages of another form than one frame, or of a chosen, long route */
uint64_t net_server_ended(const struct net_server *s); /* connections that its door ended; 0 without one */

enum net_client_state {
	NET_CONNECTING,
	NET_CONNECTED,
	NET_REFUSED /* the other side refuses this key */,
	NET_WRONG_KEY /* the other side breaks handshakes off: the configured server key is wrong */
};

struct net_client_options {
	const char *address;
	const uint8_t *server_key; /* the CURVE key that the configuration names */
	const uint8_t *public_key, *secret_key;
	void *context;
	void (*on_state)(void *context, enum net_client_state state); /* from the socket's monitor, loop thread */
	void (*on_frame)(void *context, struct bytes frame);
	void (*on_writable)(void *context);
	uint32_t retry_ms; /* after a refusal: disconnect, wait, connect anew; 0: 1000 */
};
int net_client_open(struct net *n, const struct net_client_options *options, struct net_client **out, struct error *e);
int net_client_send(struct net_client *c,
                    struct bytes frame); /* OK, ERR_AGAIN, ERR_UNREACHABLE (not connected), ERR_TOO_BIG */
void net_client_reconnect(
        struct net_client *c); /* drops the connection and what is queued on it, connects anew after retry_ms */
void net_client_close(struct net_client *c);

/*
 * A door: what a server that a network reaches has in front of it. libzmq bounds neither how many strangers connect,
 * nor how long they stay, nor the parts of a message that has not ended; a door bounds all of it. It passes bytes
 * between its TCP port and the server's Unix socket, and ends a stranger's connection that has had its bytes or its
 * time. When all places are taken, the one that has been there longest makes room: of those from the same address, if
 * there are any.
 *
 * At a door for links whoever the server admits is a stranger no longer: it takes no place, and nothing of it is
 * counted.
 */
#define NET_DOOR_PLACES 128
#define NET_DOOR_BYTES (16 * 1024) /* of a stranger, each way, in all */
#define NET_DOOR_MS 10000
#define NET_DOOR_KNOWN_MOST 2048 /* connections of who is admitted */

struct net_door_options {
	const char *address;     /* tcp://0.0.0.0:5602: an address in figures, or * */
	const char *socket_path; /* of the server behind it, without ipc:// */
	uint32_t stay_ms;        /* how long a stranger's connection may last; 0: NET_DOOR_MS */
	bool is_for_links;
};
/* ERR_EXISTS "address … is in use by another process", ERR_INVALID, ERR_MEMORY. */
int net_door_open(uv_loop_t *loop, const struct net_door_options *options, struct net_door **out, struct error *e);
const char *net_door_address(const struct net_door *d); /* as bound */
uint64_t net_door_ended(const struct net_door *d);      /* connections that a limit ended */
void net_door_close(struct net_door *d);                /* NULL is fine; handles close asynchronously */

/* A new CURVE key pair, raw 32 bytes each. */
int net_keypair(uint8_t public_key[NET_KEY_BYTES], uint8_t secret_key[NET_KEY_BYTES], struct error *e);

#endif

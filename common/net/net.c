/* The ZeroMQ context of a process: who holds it, when it ends; and new keys. */
#include "net/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "context.h"

#define Z85_KEY_BYTES 41 /* 40 characters and a NUL */

void net_hold(struct net *n)
{
	n->holders++;
}

void net_release(struct net *n)
{
	if (--n->holders > 0)
		return;
	/* All sockets are closed and linger for nothing, so this waits only for the I/O thread to notice. */
	while (n->zmq && zmq_ctx_term(n->zmq) != 0 && errno == EINTR)
		continue;
	free(n);
}

int net_open(uv_loop_t *loop, struct net **out, struct error *e)
{
	struct net *n = calloc(1, sizeof(*n));

	if (!n)
		return error_set(e, ERR_MEMORY, "no memory for the network");
	n->loop = loop;
	n->zmq = zmq_ctx_new();
	n->holders = 1;
	if (!n->zmq) {
		net_release(n);
		return error_set(e, ERR_MEMORY, "no ZeroMQ context: %s", zmq_strerror(errno));
	}
	zmq_ctx_set(n->zmq, ZMQ_IO_THREADS, 1);
	int rc = net_zap_open(n, e);
	if (rc != OK) {
		net_close(n);
		return rc;
	}
	*out = n;
	return OK;
}

void net_close(struct net *n)
{
	if (!n)
		return;
	if (n->knock)
		zmq_close(n->knock);
	n->knock = NULL;
	net_socket_close(&n->zap);
	net_release(n);
}

int net_keypair(uint8_t public_key[NET_KEY_BYTES], uint8_t secret_key[NET_KEY_BYTES], struct error *e)
{
	char public_text[Z85_KEY_BYTES], secret_text[Z85_KEY_BYTES];

	if (zmq_curve_keypair(public_text, secret_text) != 0)
		return error_set(e, ERR_CRYPTO, "no CURVE key pair: %s", zmq_strerror(errno));
	zmq_z85_decode(public_key, public_text);
	zmq_z85_decode(secret_key, secret_text);
	explicit_bzero(secret_text, sizeof(secret_text));
	return OK;
}

/*
 * Telling systemd how we are: the datagrams of sd_notify(3) to the socket that NOTIFY_SOCKET names. Loop thread.
 * Without that variable nothing is sent. What cannot be sent is dropped: systemd then thinks of us as it must.
 */
#ifndef NODE_NOTIFY_H
#define NODE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define NOTIFY_STATUS_BYTES 256

struct notify {
	bool is_wanted, is_ready;
	int fd;
	struct sockaddr_un address;
	socklen_t address_size;
	uint64_t watchdog_us; /* 0: none. Longer than this without notify_alive and systemd ends us */
	char status[NOTIFY_STATUS_BYTES];
};

void notify_open(struct notify *s); /* reads the environment */
/* READY=1 the first time that `is_ready`; STATUS when `text` is another than before. */
void notify_state(struct notify *s, bool is_ready, const char *text);
void notify_alive(struct notify *s);    /* WATCHDOG=1 */
void notify_stopping(struct notify *s); /* STOPPING=1 */
void notify_close(struct notify *s);

#endif

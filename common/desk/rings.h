/* Kiosks at which somebody asks for a person. */
#ifndef DESK_RINGS_H
#define DESK_RINGS_H

#include <pthread.h>

#include "desk/desk.h"

#define RINGS_MOST 512

struct ring {
	uint64_t device, ring; /* 0: free */
	char place[PLACE_TEXT_BYTES], taken_by[33];
	int64_t since_ms;
	uint64_t heard_us;
};

struct rings { /* locked */
	pthread_mutex_t lock;
	struct ring ring[RINGS_MOST];
};

struct rings *rings_of(struct node *n); /* memory.c */
void rings_init(struct rings *r);
void rings_release(struct rings *r);
/* Loop thread: forgets what is not said any more. Returns when the next may go, monotonic in µs. */
uint64_t rings_tick(struct node *n, uint64_t now_us);

#endif

/*
 * Load on a peer: producers, each with requests under way, and how long each took until tier 1 learned that tier 3
 * has it. What differs from peer to peer is below: how a request is handed to tier 1, and how the news comes back.
 *
 * Orders come on stdin, one a line; each is answered by one line of JSON on stdout, as bench_terminal does it:
 *   load T W MS     T producers, each with W requests under way, for so many milliseconds
 *   count T W N     the same until N requests are done
 *   probe           one request, given up soon: the way may not be open yet; a new process tries again
 *   quit
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_BYTES 512
#define LANES_MOST 256

/* What a peer carries: the id, then bytes that do not compress. */
struct request {
	uint64_t id;
	uint8_t rest[REQUEST_BYTES - sizeof(uint64_t)];
};

struct peer {
	size_t lanes_most; /* connections at most, each serving as many producers as it must; 0: one a producer */
	size_t batch_most; /* requests handed over at a time */
	int argument_count;
	/* Once, before the first order: connections of its own, threads that hear of what is done. */
	bool (*open)(char **arguments);
	/* A producer's connection; NULL on failure. The window is what it may have under way. */
	void *(*lane_open)(size_t number, size_t window);
	/* Hands over requests, on the lane's own thread. Each is reported by load_done, from any thread. */
	bool (*lane_send)(void *lane, const struct request *requests, size_t count);
	void (*lane_close)(void *lane);
};

int load_main(const struct peer *peer, int argc, char **argv);

/* Tier 1 has learned that tier 3 has this request. A second report of the same is ignored: peers may deliver twice. */
void load_done(uint64_t id);
void load_done_all(const void *ids, size_t size); /* packed ids, as they came back in a message */

/* Says why the order cannot be carried out. The first reason stays; returns false. */
bool load_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool load_has_failed(void);

#endif

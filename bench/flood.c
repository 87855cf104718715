/*
 * Strangers at a port: so many TCP connections at once, each opened anew as soon as it is ended, from addresses of
 * loopback of their own.
 *
 *   bench_flood PORT SOCKETS WHAT       WHAT: idle (says nothing), greets (ZMTP's greeting, then nothing), knocks (a
 *                                       greeting and a CURVE HELLO that is no good)
 *
 * Runs until its standard input ends; then one line of JSON: connections opened, the most that stood at once.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_A_TURN 512
#define OPENED_A_TURN 64 /* so that ends are noticed in between */
#define GREETING_BYTES 64
#define HELLO_BYTES 202 /* flags, length, and the command of 200 bytes */

static struct sockaddr_in to;
static uint8_t words[GREETING_BYTES + HELLO_BYTES];
static size_t word_bytes;
static int epoll;
static uint64_t opened, standing, standing_most, failed;

static void words_make(const char *what)
{
	static const uint8_t signature[] = { 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0 };

	memcpy(words, signature, sizeof(signature));
	memcpy(words + 12, "CURVE", 5);
	words[GREETING_BYTES] = 4; /* a command */
	words[GREETING_BYTES + 1] = 200;
	memcpy(words + GREETING_BYTES + 2, "\5HELLO\1", 7);
	word_bytes = strcmp(what, "knocks") == 0 ? sizeof(words) : strcmp(what, "greets") == 0 ? GREETING_BYTES : 0;
}

/* From 40 addresses, so that their ports suffice. */
static void open_one(void)
{
	struct sockaddr_in from = { .sin_family = AF_INET,
		                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(opened % 40)) };
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
	    (connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS)) {
		failed++;
		if (fd >= 0)
			close(fd);
		return;
	}
	event.data.fd = fd;
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	opened++;
	if (++standing > standing_most)
		standing_most = standing;
}

static void event_take(const struct epoll_event *event)
{
	static const struct linger at_once = { 1, 0 };
	char rest[4096];
	int fd = event->data.fd;
	ssize_t got = 1;

	while (got > 0)
		got = recv(fd, rest, sizeof(rest), 0);
	if (got == 0 || (got < 0 && errno != EAGAIN) || event->events & (EPOLLERR | EPOLLHUP)) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		close(fd);
		standing--;
	} else if (event->events & EPOLLOUT && word_bytes) {
		send(fd, words, word_bytes, MSG_NOSIGNAL);
	}
}

static void flood(uint64_t sockets)
{
	struct epoll_event events[EVENTS_A_TURN], input = { .events = EPOLLIN, .data.fd = STDIN_FILENO };
	char byte;

	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input);
	for (;;) {
		for (int i = 0; i < OPENED_A_TURN && standing < sockets; i++)
			open_one();
		int count = epoll_wait(epoll, events, EVENTS_A_TURN, 1);
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd != STDIN_FILENO)
				event_take(&events[i]);
			else if (read(STDIN_FILENO, &byte, 1) == 0)
				return;
		}
	}
}

int main(int argc, char **argv)
{
	struct rlimit files;

	if (argc != 4)
		return 2;
	uint64_t sockets = strtoull(argv[2], NULL, 10);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur < sockets + 64) {
		fprintf(stderr, "bench_flood: this process may open %llu files, too few for %llu sockets\n",
		        (unsigned long long)files.rlim_cur, (unsigned long long)sockets);
		return 1;
	}
	to = (struct sockaddr_in){ .sin_family = AF_INET,
		                   .sin_port = htons((uint16_t)atoi(argv[1])),
		                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	words_make(argv[3]);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	flood(sockets);
	printf("{\"opened\": %llu, \"standing_most\": %llu, \"failed\": %llu}\n", (unsigned long long)opened,
	       (unsigned long long)standing_most, (unsigned long long)failed);
	return 0;
}

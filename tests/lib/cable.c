/*
 * A cable between two network namespaces, with the faults that cables, radios and providers have.
 *
 *   cable FD NAME FD NAME SEED
 *
 * FD is an open network namespace, NAME the device that appears in it (tun: whole IP packets). The devices are there
 * while this runs. A line on stdin sets the faults of one direction (">": from the first to the second, "<") and is
 * answered with what it carried so far:
 *
 *   > cut loss=200 twice=100 delay=300 jitter=50 most=1400
 *   carried 1234 lost 56
 *
 * cut: nothing passes. loss, twice: packets in a thousand that vanish or come twice. delay: milliseconds; jitter: up
 * to so many more, so that packets overtake each other. most: what is larger vanishes, and nobody is told. A line
 * without faults mends that direction. At the end of stdin it ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PACKET_BYTES_MOST 65535
#define QUEUE_PACKETS_MOST 20000 /* on their way in one direction; a router drops what is beyond */
#define BURST_PACKETS 64

struct packet {
	struct packet *before, *next; /* by due_us */
	uint64_t due_us;
	size_t size;
	uint8_t data[];
};

struct faults {
	bool is_cut;
	uint64_t loss, twice; /* in a thousand */
	uint64_t delay_us, jitter_us, most;
};

struct direction {
	int to;
	struct faults faults;
	struct packet *first, *last;
	size_t count;
	uint64_t carried, lost;
};

static uint64_t random_state;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* splitmix64 */
static uint64_t random_below(uint64_t end)
{
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return end ? (z ^ (z >> 31)) % end : 0;
}

static int device_open(const char *namespace, const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	if (setns(atoi(namespace), CLONE_NEWNET))
		fail("setns");
	int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (device < 0)
		fail("/dev/net/tun");
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	if (ioctl(device, TUNSETIFF, &request))
		fail("TUNSETIFF");
	return device;
}

static void packet_put(struct direction *d, const uint8_t *data, size_t size)
{
	const struct faults *f = &d->faults;
	struct packet *p = d->count < QUEUE_PACKETS_MOST ? malloc(sizeof *p + size) : NULL;
	if (!p) {
		d->lost++;
		return;
	}
	p->due_us = now_us() + f->delay_us + random_below(f->jitter_us + 1);
	p->size = size;
	memcpy(p->data, data, size);
	struct packet *before = d->last;
	while (before && before->due_us > p->due_us)
		before = before->before;
	p->before = before;
	p->next = before ? before->next : d->first;
	*(p->before ? &p->before->next : &d->first) = p;
	*(p->next ? &p->next->before : &d->last) = p;
	d->count++;
}

static void packets_take(int from, struct direction *d)
{
	static uint8_t data[PACKET_BYTES_MOST];
	for (int i = 0; i < BURST_PACKETS; i++) {
		ssize_t size = read(from, data, sizeof data);
		if (size <= 0)
			return; /* none, or the device is down */
		const struct faults *f = &d->faults;
		if (f->is_cut || (f->most && (size_t)size > f->most) || random_below(1000) < f->loss) {
			d->lost++;
			continue;
		}
		packet_put(d, data, (size_t)size);
		if (random_below(1000) < f->twice)
			packet_put(d, data, (size_t)size);
	}
}

/* A cable that was cut carries nothing any more, also not what was on its way. */
static void packets_deliver(struct direction *d, uint64_t now)
{
	while (d->first && (d->first->due_us <= now || d->faults.is_cut)) {
		struct packet *p = d->first;
		d->first = p->next;
		*(d->first ? &d->first->before : &d->last) = NULL;
		d->count--;
		bool is_carried = !d->faults.is_cut && write(d->to, p->data, p->size) == (ssize_t)p->size;
		d->carried += is_carried;
		d->lost += !is_carried;
		free(p);
	}
}

static bool fault_read(const char *word, struct faults *f)
{
	unsigned long long value = 0;
	if (strcmp(word, "cut") == 0)
		f->is_cut = true;
	else if (sscanf(word, "loss=%llu", &value) == 1)
		f->loss = value;
	else if (sscanf(word, "twice=%llu", &value) == 1)
		f->twice = value;
	else if (sscanf(word, "delay=%llu", &value) == 1)
		f->delay_us = value * 1000;
	else if (sscanf(word, "jitter=%llu", &value) == 1)
		f->jitter_us = value * 1000;
	else if (sscanf(word, "most=%llu", &value) == 1)
		f->most = value;
	else
		return false;
	return true;
}

static bool line_obey(char *line, struct direction *way)
{
	const char *word = strtok(line, " \n");
	if (!word || (strcmp(word, ">") != 0 && strcmp(word, "<") != 0))
		return false;
	struct direction *d = &way[*word == '<'];
	struct faults faults = { 0 };
	while ((word = strtok(NULL, " \n")))
		if (!fault_read(word, &faults))
			return false;
	d->faults = faults;
	printf("carried %llu lost %llu\n", (unsigned long long)d->carried, (unsigned long long)d->lost);
	fflush(stdout);
	return true;
}

/* Until the next packet is due. */
static int wait_ms(const struct direction *way, uint64_t now)
{
	int wait = 1000;
	for (int i = 0; i < 2; i++) {
		if (!way[i].first)
			continue;
		uint64_t left = way[i].first->due_us > now ? (way[i].first->due_us - now + 999) / 1000 : 0;
		wait = left < (uint64_t)wait ? (int)left : wait;
	}
	return wait;
}

int main(int count, char **word)
{
	if (count != 6) {
		fprintf(stderr, "usage: cable FD NAME FD NAME SEED\n");
		return 2;
	}
	random_state = strtoull(word[5], NULL, 10);
	int a = device_open(word[1], word[2]), b = device_open(word[3], word[4]);
	struct direction way[2] = { { .to = b }, { .to = a } };
	char line[200];
	printf("ready\n");
	fflush(stdout);
	setvbuf(stdin, NULL, _IONBF, 0);
	for (;;) {
		struct pollfd at[] = { { STDIN_FILENO, POLLIN, 0 }, { a, POLLIN, 0 }, { b, POLLIN, 0 } };
		if (poll(at, 3, wait_ms(way, now_us())) < 0 && errno != EINTR)
			fail("poll");
		if (at[0].revents) {
			if (!fgets(line, sizeof line, stdin))
				return 0;
			if (!line_obey(line, way)) {
				fprintf(stderr, "not understood: %s\n", line);
				return 2;
			}
		}
		packets_take(a, &way[0]);
		packets_take(b, &way[1]);
		packets_deliver(&way[0], now_us());
		packets_deliver(&way[1], now_us());
	}
}

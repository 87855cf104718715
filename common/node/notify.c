#include "notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void notify_send(const struct notify *s, const char *text)
{
	if (!s->is_wanted)
		return;
	ssize_t sent = sendto(s->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
	                      (const struct sockaddr *)&s->address, s->address_size);
	(void)sent;
}

static uint64_t number_from(const char *text)
{
	char *end;
	unsigned long long v = text && *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
	return v && !*end ? v : 0;
}

static void watchdog_read(struct notify *s)
{
	const char *pid = getenv("WATCHDOG_PID");
	if (!pid || number_from(pid) == (uint64_t)getpid())
		s->watchdog_us = number_from(getenv("WATCHDOG_USEC"));
}

void notify_open(struct notify *s)
{
	const char *path = getenv("NOTIFY_SOCKET");
	memset(s, 0, sizeof *s);
	s->fd = -1;
	s->address.sun_family = AF_UNIX;
	if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof s->address.sun_path)
		return;
	memcpy(s->address.sun_path, path, strlen(path));
	s->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + (path[0] == '/'));
	if (path[0] == '@')
		s->address.sun_path[0] = '\0'; /* a name without a file */
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	s->is_wanted = s->fd >= 0;
	if (s->is_wanted)
		watchdog_read(s);
}

void notify_state(struct notify *s, bool is_ready, const char *text)
{
	char message[NOTIFY_STATUS_BYTES + 32], line[NOTIFY_STATUS_BYTES];
	snprintf(line, sizeof line, "%s", text);
	line[strcspn(line, "\n")] = '\0';
	bool is_news = is_ready && !s->is_ready;
	if (!is_news && strcmp(line, s->status) == 0)
		return;
	snprintf(message, sizeof message, "%sSTATUS=%s\n", is_news ? "READY=1\n" : "", line);
	memcpy(s->status, line, sizeof line);
	s->is_ready |= is_ready;
	notify_send(s, message);
}

void notify_alive(struct notify *s)
{
	notify_send(s, "WATCHDOG=1\n");
}

void notify_stopping(struct notify *s)
{
	notify_send(s, "STOPPING=1\nSTATUS=stopping\n");
}

void notify_close(struct notify *s)
{
	if (s->is_wanted)
		close(s->fd);
	s->is_wanted = false;
}

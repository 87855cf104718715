/*
 * The sockets we listen on: loopback TCP and a Unix socket. They are made here and not by libmicrohttpd, so that an
 * address beyond loopback can never be bound and a failure can be told in a sentence.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "server.h"

#define BACKLOG 256

/* How a browser names this address in Host. */
static void address_name(const union address *a, uint16_t *port, char host[HOST_BYTES_MOST])
{
	char text[INET6_ADDRSTRLEN] = "";

	if (a->any.sa_family == AF_INET6) {
		*port = ntohs(a->v6.sin6_port);
		inet_ntop(AF_INET6, &a->v6.sin6_addr, text, sizeof(text));
		snprintf(host, HOST_BYTES_MOST, "[%s]:%u", text, *port);
	} else {
		*port = ntohs(a->v4.sin_port);
		inet_ntop(AF_INET, &a->v4.sin_addr, text, sizeof(text));
		snprintf(host, HOST_BYTES_MOST, "%s:%u", text, *port);
	}
}

static int tcp_bind(int fd, const char *text, union address *address, socklen_t size, struct error *e)
{
	int yes = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0)
		return error_set_errno(e, errno, "address %s", text);
	if (address->any.sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) != 0)
		return error_set_errno(e, errno, "address %s", text);
	if (bind(fd, &address->any, size) != 0 || listen(fd, BACKLOG) != 0) {
		if (errno == EADDRINUSE)
			return error_set(e, ERR_EXISTS, "address %s is in use by another program", text);
		return error_set_errno(e, errno, "address %s cannot be opened", text);
	}
	if (getsockname(fd, &address->any, &size) != 0)
		return error_set_errno(e, errno, "address %s", text);
	return OK;
}

int listen_tcp(const char *text, int *out, uint16_t *port, char host[HOST_BYTES_MOST], struct error *e)
{
	union address address;
	socklen_t size = 0;
	int code = address_parse(text, &address, &size, e);

	if (code != OK)
		return code;
	int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set_errno(e, errno, "address %s: no socket", text);
	code = tcp_bind(fd, text, &address, size, e);
	if (code != OK) {
		close(fd);
		return code;
	}
	address_name(&address, port, host);
	*out = fd;
	return OK;
}

/* A socket that a killed process left behind is removed; one that somebody answers on, or another kind of file, is not.
 */
static int leftover_remove(const union address *address, struct error *e)
{
	const char *path = address->local.sun_path;
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? OK : error_set_errno(e, errno, "socket %s", path);
	if (!S_ISSOCK(st.st_mode))
		return error_set(e, ERR_EXISTS, "socket %s: a file that is not a socket lies there; move it away",
		                 path);
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (probe < 0)
		return error_set_errno(e, errno, "socket %s", path);
	bool is_dead = connect(probe, &address->any, sizeof(address->local)) != 0 && errno == ECONNREFUSED;
	close(probe);
	if (!is_dead)
		return error_set(e, ERR_EXISTS, "socket %s is in use by another program", path);
	if (unlink(path) != 0)
		return error_set_errno(e, errno, "socket %s: the old one cannot be removed", path);
	return OK;
}

int listen_local(const char *path, int *out, struct stat *made, struct error *e)
{
	union address address = { .local = { .sun_family = AF_UNIX } };

	if (path[0] == '\0' || strlen(path) >= sizeof(address.local.sun_path))
		return error_set(e, ERR_INVALID, "socket %s: the path may have 1 to %zu bytes", path,
		                 sizeof(address.local.sun_path) - 1);
	memcpy(address.local.sun_path, path, strlen(path));
	int code = leftover_remove(&address, e);
	if (code != OK)
		return code;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set_errno(e, errno, "socket %s: no socket", path);
	/* Nobody can connect between bind and listen, so the mode is set in time without touching the umask. */
	if (bind(fd, &address.any, sizeof(address.local)) != 0) {
		code = error_set_errno(e, errno, "socket %s cannot be made", path);
	} else if (chmod(path, 0600) != 0 || lstat(path, made) != 0 || listen(fd, BACKLOG) != 0) {
		code = error_set_errno(e, errno, "socket %s cannot be opened", path);
		unlink(path);
	}
	if (code != OK) {
		close(fd);
		return code;
	}
	*out = fd;
	return OK;
}

/* Whether a text is an address that we serve, or a name that browsers send: their form only. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "server.h"

static int address_refused(const char *text, struct error *e)
{
	return error_set(
	        e, ERR_INVALID,
	        "address %s: only loopback is served here; write 127.0.0.1:PORT or [::1]:PORT and put nginx in "
	        "front for a network",
	        text);
}

static bool port_parse(const char *text, uint16_t *port)
{
	unsigned value = 0;

	for (const char *c = text; *c != '\0'; c++) {
		if (*c < '0' || *c > '9' || c - text >= 5)
			return false;
		value = value * 10 + (unsigned)(*c - '0');
	}
	if (*text == '\0' || value > UINT16_MAX)
		return false;
	*port = (uint16_t)value;
	return true;
}

int address_parse(const char *text, union address *out, socklen_t *size, struct error *e)
{
	const char *colon = strrchr(text, ':');
	char host[HOST_BYTES_MOST];
	size_t length = colon == NULL ? 0 : (size_t)(colon - text);
	uint16_t port;

	memset(out, 0, sizeof(*out));
	if (length == 0 || length >= sizeof(host) || !port_parse(colon + 1, &port))
		return address_refused(text, e);
	memcpy(host, text, length);
	host[length] = '\0';
	if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1) {
		if (ntohl(out->v4.sin_addr.s_addr) >> 24 != 127)
			return address_refused(text, e);
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(port);
		*size = sizeof(out->v4);
		return OK;
	}
	if (host[0] != '[' || host[length - 1] != ']')
		return address_refused(text, e);
	host[length - 1] = '\0';
	if (inet_pton(AF_INET6, host + 1, &out->v6.sin6_addr) != 1 || !IN6_IS_ADDR_LOOPBACK(&out->v6.sin6_addr))
		return address_refused(text, e);
	out->v6.sin6_family = AF_INET6;
	out->v6.sin6_port = htons(port);
	*size = sizeof(out->v6);
	return OK;
}

int http_address_check(const char *text, struct error *e)
{
	union address address;
	socklen_t size = 0;

	return address_parse(text, &address, &size, e);
}

/* As browsers write it: lower case, a port only if it is not 443. */
int http_public_name_check(const char *name, struct error *e)
{
	const char *colon = strrchr(name, ':');
	size_t length = colon == NULL ? strlen(name) : (size_t)(colon - name);
	uint16_t port;

	if (length > 0 && length < PUBLIC_NAME_BYTES - 6 &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == length &&
	    (colon == NULL || (port_parse(colon + 1, &port) && port != 0 && port != 443)))
		return OK;
	return error_set(
	        e, ERR_INVALID,
	        "public_name %.100s: write the name as browsers send it, without https://, in lower case, with a "
	        "port only if it is not 443: desk.example.org or desk.example.org:8443",
	        name);
}

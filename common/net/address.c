/* Whether a text is an address of ZeroMQ's over TCP: its form only. ZeroMQ itself would take port 99999 as 34463, and
 * "56o1" as 56. */
#include <stdlib.h>
#include <string.h>

#include "net/net.h"

static bool port_is_right(const char *text, bool is_to_bind)
{
	size_t digits = strspn(text, "0123456789");

	if (is_to_bind && strcmp(text, "*") == 0)
		return true;
	unsigned long port = digits > 0 && digits <= 5 && text[digits] == '\0' ? strtoul(text, NULL, 10) : 0;
	return port > 0 && port <= UINT16_MAX;
}

int net_address_check(const char *address, bool is_to_bind, struct error *e)
{
	static const char scheme[] = "tcp://";
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	bool is_tcp = strncmp(address, scheme, sizeof(scheme) - 1) == 0;
	const char *host = is_tcp ? address + sizeof(scheme) - 1 : address;
	const char *colon = strrchr(host, ':');
	size_t length = colon ? (size_t)(colon - host) : 0;
	bool is_ipv6 = length > 2 && host[0] == '[' && host[length - 1] == ']' &&
	               strspn(host + 1, "0123456789abcdefABCDEF:.") == length - 2;
	bool is_any = is_to_bind && length == 1 && host[0] == '*';

	if (is_tcp && length > 0 && length < 256 && (is_ipv6 || is_any || strspn(host, name) == length) &&
	    port_is_right(colon + 1, is_to_bind))
		return OK;
	return error_set(e, ERR_INVALID, "'%.100s' is not of the form tcp://HOST:PORT, such as %s", address,
	                 is_to_bind ? "tcp://0.0.0.0:5601" : "tcp://192.0.2.7:5601");
}

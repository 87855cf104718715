/*
 * The request line's address: cut first, decoded after, each segment by itself, so that an escaped slash never makes a
 * new segment. (libmicrohttpd decodes the whole path; what it decoded is not used.)
 */
#include <string.h>

#include "server.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* In place; false: bad escape, control character, not UTF-8. */
static bool uri_decode(char *text, bool is_query)
{
	char *out = text;

	for (const char *in = text; *in != '\0'; in++) {
		unsigned char c = (unsigned char)*in;
		if (c == '%') {
			int high = hex_value(in[1]);
			int low = high < 0 ? -1 : hex_value(in[2]);
			if (low < 0)
				return false;
			c = (unsigned char)(high * 16 + low);
			in += 2;
		} else if (c == '+' && is_query) {
			c = ' ';
		}
		if (c < 0x20 || c == 0x7f)
			return false;
		*out++ = (char)c;
	}
	*out = '\0';
	return utf8_length(bytes_from_text(text)) >= 0;
}

static bool path_split(struct http_request *r, char *path)
{
	char *rest = path + 1;

	while (rest != NULL) {
		if (r->segment_count == SEGMENTS_MOST)
			return false;
		char *segment = strsep(&rest, "/");
		if (!uri_decode(segment, false))
			return false;
		r->segment[r->segment_count++] = segment;
	}
	return true;
}

static bool query_split(struct http_request *r, char *query)
{
	while (query != NULL) {
		char *value = strsep(&query, "&");
		char *name = strsep(&value, "=");
		if (*name == '\0')
			continue;
		if (r->query_count == QUERIES_MOST || !uri_decode(name, true))
			return false;
		if (value != NULL && !uri_decode(value, true))
			return false;
		r->query[r->query_count++] = (struct field){ name, value == NULL ? "" : value };
	}
	return true;
}

bool uri_split(struct http_request *r, const char **text)
{
	char *query = r->uri;
	char *path = strsep(&query, "?");

	if (path[0] != '/') {
		*text = "The address of a request must begin with a slash.";
		return false;
	}
	if (!path_split(r, path)) {
		*text = "The path has too many parts, a bad escape, a control character or is not UTF-8.";
		return false;
	}
	r->is_api = strcmp(r->segment[0], "api") == 0;
	if (!query_split(r, query)) {
		*text = "The query has too many fields, a bad escape, a control character or is not UTF-8.";
		return false;
	}
	return true;
}

/*
 * The pages: files below one folder, by path. A path is refused by its segments first and again by where it really
 * leads, so that neither ".." nor a link leaves the folder. "/" is index.html; nothing else stands for another file.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server.h"

#define ETAG_BYTES 72
static const char page_cache[] =
        "no-cache"; /* kept, but asked for again each time: after an update no old page is shown */

static const char *content_type_of(const char *path)
{
	static const struct {
		const char *ending, *type;
	} known[] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".svg", "image/svg+xml" },
		{ ".woff2", "font/woff2" },
		{ ".json", "application/json" },
		{ ".png", "image/png" },
		{ ".ico", "image/x-icon" },
		{ ".txt", "text/plain; charset=utf-8" },
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(dot, known[i].ending) == 0)
			return known[i].type;
	}
	return "application/octet-stream";
}

/* The path below the folder; false for what can name no page: empty, hidden and ".." segments, an escaped slash. */
static bool path_join(const struct http_request *r, char path[PATH_MAX])
{
	int length = snprintf(path, PATH_MAX, "%s", r->http->static_folder);

	if (r->segment_count == 1 && r->segment[0][0] == '\0')
		return length >= 0 &&
		       snprintf(path + length, (size_t)(PATH_MAX - length), "/index.html") < PATH_MAX - length;
	for (size_t i = 0; i < r->segment_count; i++) {
		const char *segment = r->segment[i];
		if (segment[0] == '\0' || segment[0] == '.' || strpbrk(segment, "/\\") != NULL)
			return false;
		int more = snprintf(path + length, (size_t)(PATH_MAX - length), "/%s", segment);
		if (more < 0 || more >= PATH_MAX - length)
			return false;
		length += more;
	}
	return true;
}

/* An open regular file below the folder, or -1. */
static int file_open(const struct http_request *r, struct stat *st)
{
	const char *folder = r->http->static_folder;
	char path[PATH_MAX], real[PATH_MAX];
	size_t length = strlen(folder);

	if (!path_join(r, path) || realpath(path, real) == NULL)
		return -1;
	if (strncmp(real, folder, length) != 0 || real[length] != '/')
		return -1;
	int fd = open(real, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -1;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	close(fd);
	return -1;
}

/* The change time and inode too: builds may set every modification time to the same moment. */
static void etag_of(const struct stat *st, char etag[ETAG_BYTES])
{
	snprintf(etag, ETAG_BYTES, "\"%llx-%llx-%lx-%llx\"", (unsigned long long)st->st_ino,
	         (unsigned long long)st->st_ctim.tv_sec, (unsigned long)st->st_ctim.tv_nsec,
	         (unsigned long long)st->st_size);
}

static bool is_unchanged(const struct http_request *r, const char *etag)
{
	const char *known = http_header(r, "If-None-Match");

	return known != NULL && (strcmp(known, "*") == 0 || strstr(known, etag) != NULL);
}

static void file_answer(struct http_request *r, int fd, const struct stat *st)
{
	char etag[ETAG_BYTES];
	struct MHD_Response *response;
	unsigned status = 200;
	const char *name = r->segment[r->segment_count - 1];

	etag_of(st, etag);
	if (is_unchanged(r, etag)) {
		close(fd);
		status = 304;
		response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	} else {
		response = MHD_create_response_from_fd64((uint64_t)st->st_size, fd);
		if (response == NULL)
			close(fd);
	}
	if (response != NULL &&
	    (!answer_headers_add(r->http, response, content_type_of(name[0] == '\0' ? "index.html" : name),
	                         page_cache) ||
	     MHD_add_response_header(response, "ETag", etag) != MHD_YES)) {
		MHD_destroy_response(response);
		response = NULL;
	}
	answer_put(r, status, response);
}

bool file_serve(struct http_request *r)
{
	struct stat st;

	if (r->http->static_folder == NULL || r->is_api)
		return false;
	int fd = file_open(r, &st);
	if (fd < 0)
		return false;
	if (r->method == REQUEST_GET || r->method == REQUEST_HEAD) {
		file_answer(r, fd, &st);
		return true;
	}
	close(fd);
	r->allow = "GET, HEAD";
	answer_refuse(r, 405, ERR_INVALID, "This path takes GET and HEAD only.");
	return true;
}

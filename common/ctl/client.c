/* HTTP over the daemon's Unix socket. What comes back is either the message that was asked for or an error of the one
 * list. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "crypto/crypto.h"
#include "proto/api.pb-c.h"
#include "proto/json.h"

#include "ctl.h"

#define ANSWER_BYTES_MOST JSON_TEXT_BYTES_MOST
#define CONNECT_PATIENCE_MS 5000L
#define ANSWER_PATIENCE_MS (30L * 60 * 1000) /* verify reads everything that there is */

struct client {
	CURL *curl;
	struct curl_slist *headers;
	struct sockaddr_un socket; /* for its length only */
	struct buffer answer;
	bool is_too_big;
	char why[CURL_ERROR_SIZE];
};

static size_t answer_take(char *data, size_t one, size_t size, void *context)
{
	struct client *k = context;
	(void)one; /* always 1 */
	k->is_too_big = size > ANSWER_BYTES_MOST - k->answer.size;
	return !k->is_too_big && buffer_append(&k->answer, BYTES(data, size)) == OK ? size : 0;
}

void client_close(struct client *k)
{
	if (!k)
		return;
	curl_slist_free_all(k->headers);
	if (k->curl)
		curl_easy_cleanup(k->curl);
	buffer_release(&k->answer);
	free(k);
	curl_global_cleanup();
}

static int client_configure(struct client *k)
{
	CURL *curl = k->curl;
	CURLcode code = curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, k->socket.sun_path);
	code |= curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* whatever the environment says */
	code |= curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	code |= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	code |= curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_PATIENCE_MS);
	code |= curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ANSWER_PATIENCE_MS);
	code |= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_take);
	code |= curl_easy_setopt(curl, CURLOPT_WRITEDATA, k);
	code |= curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, k->why);
	k->headers = curl_slist_append(NULL, "Content-Type: application/json");
	code |= curl_easy_setopt(curl, CURLOPT_HTTPHEADER, k->headers);
	return code == CURLE_OK && k->headers ? OK : ERR_INTERNAL;
}

static int client_open(struct call *c, struct error *e)
{
	const char *data = NULL;
	if (c->client)
		return OK;
	int result = call_data(c, &data, e);
	if (result)
		return result;
	if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
		return error_set(e, ERR_INTERNAL, "libcurl cannot be used on this machine");
	struct client *k = calloc(1, sizeof *k);
	if (!k) {
		curl_global_cleanup();
		return error_set(e, ERR_MEMORY, "no memory to talk to the daemon");
	}
	c->client = k;
	int length = snprintf(k->socket.sun_path, sizeof k->socket.sun_path, "%s/ctl.sock", data);
	if (length < 0 || (size_t)length >= sizeof k->socket.sun_path)
		return error_set(
		        e, ERR_TOO_BIG,
		        "%s/ctl.sock is longer than the %zu characters that a socket's path may have: go to the "
		        "folder and give a relative path",
		        data, sizeof k->socket.sun_path - 1);
	k->curl = curl_easy_init();
	if (!k->curl || client_configure(k))
		return error_set(e, ERR_MEMORY, "no memory to talk to the daemon");
	return OK;
}

static int curl_failure(const struct client *k, CURLcode code, struct error *e)
{
	const char *path = k->socket.sun_path, *why = k->why[0] ? k->why : curl_easy_strerror(code);
	if (code == CURLE_COULDNT_CONNECT)
		return error_set(
		        e, ERR_UNREACHABLE,
		        "no daemon answers at %s: start it, or give its data folder with --data (or run lmctl as "
		        "the daemon's user)",
		        path);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return error_set(e, ERR_TIMEOUT, "the daemon at %s has not answered: look at its log", path);
	if (code == CURLE_WRITE_ERROR && k->is_too_big)
		return error_set(e, ERR_TOO_BIG, "the daemon's answer is larger than %d bytes: ask for fewer at a time",
		                 ANSWER_BYTES_MOST);
	if (code == CURLE_WRITE_ERROR || code == CURLE_OUT_OF_MEMORY)
		return error_set(e, ERR_MEMORY, "no memory for the daemon's answer");
	return error_set(
	        e, ERR_AGAIN,
	        "the daemon at %s broke off (%s): whether it was done is not known; look at its log and ask again",
	        path, why);
}

static int code_of_name(const char *name)
{
	static const struct {
		const char *name;
		int code;
	} known[] = {
#define CODE_NAME(code, value, name, group) { name, code },
		ERROR_MAP(CODE_NAME)
#undef CODE_NAME
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].code;
	return ERR_INTERNAL;
}

/* The error that the daemon answered; its words go on to the person unchanged. */
static int daemon_refusal(struct client *k, long status, struct arena *arena, struct error *e)
{
	Lm__ErrorView *view = NULL;
	if (JSON_DECODE(lm__error_view, buffer_bytes(&k->answer), arena, &view, NULL) || !view->error ||
	    !view->error->text[0])
		return error_set(e, ERR_INTERNAL,
		                 "the daemon at %s answered %ld without a reason: is it of this version?",
		                 k->socket.sun_path, status);
	return error_set(e, code_of_name(view->error->code), "%s", view->error->text);
}

/* One request; the answer's text stays in the client until the next. `json` NULL: GET. */
static int exchange(struct call *c, const char *path, const struct buffer *json, struct error *e)
{
	int result = client_open(c, e);
	if (result)
		return result;
	struct client *k = c->client;
	char url[512];
	int length = snprintf(url, sizeof url, "http://localhost%s", path);
	if (length < 0 || (size_t)length >= sizeof url)
		return error_set(e, ERR_TOO_BIG, "the path of the request is too long");
	buffer_clear(&k->answer);
	k->why[0] = '\0';
	CURLcode code = curl_easy_setopt(k->curl, CURLOPT_URL, url);
	code |= curl_easy_setopt(k->curl, json ? CURLOPT_POST : CURLOPT_HTTPGET, 1L);
	if (json) {
		code |= curl_easy_setopt(k->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)json->size);
		code |= curl_easy_setopt(k->curl, CURLOPT_POSTFIELDS, json->data);
	}
	if (code != CURLE_OK)
		return error_set(e, ERR_MEMORY, "no memory to talk to the daemon");
	code = curl_easy_perform(k->curl);
	if (code != CURLE_OK)
		return curl_failure(k, code, e);
	long status = 0;
	curl_easy_getinfo(k->curl, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200 && status < 300 ? OK : daemon_refusal(k, status, &c->arena, e);
}

static int answer_read(struct call *c, const ProtobufCMessageDescriptor *type, void *out, struct error *e)
{
	int result = json_decode(type, buffer_bytes(&c->client->answer), &c->arena, out, e);
	return result ? error_wrap(e, result, "the daemon's answer is not what this version of lmctl reads") : OK;
}

int client_fetch(struct call *c, const char *path, const ProtobufCMessageDescriptor *type, void *out, struct error *e)
{
	int result = exchange(c, path, NULL, e);
	return result ? result : answer_read(c, type, out, e);
}

int client_send(struct call *c, const char *path, const ProtobufCMessage *body, const ProtobufCMessageDescriptor *type,
                void *out, struct error *e)
{
	struct buffer json = { 0 };
	int result = json_encode(body, &json, e);
	if (!result)
		result = exchange(c, path, &json, e);
	crypto_wipe(json.data, json.size); /* it may hold a password */
	buffer_release(&json);
	return result ? result : answer_read(c, type, out, e);
}

static int answer_print(const struct call *c, int result)
{
	if (!result && call_has(c, OPTION_JSON))
		print_raw(buffer_bytes(&c->client->answer));
	return result;
}

int client_get(struct call *c, const char *path, const ProtobufCMessageDescriptor *type, void *out, struct error *e)
{
	return answer_print(c, client_fetch(c, path, type, out, e));
}

int client_post(struct call *c, const char *path, const ProtobufCMessage *body, const ProtobufCMessageDescriptor *type,
                void *out, struct error *e)
{
	return answer_print(c, client_send(c, path, body, type, out, e));
}

int client_body_bytes(const ProtobufCMessage *body, size_t *out, struct error *e)
{
	struct buffer json = { 0 };
	int result = json_encode(body, &json, e);
	if (!result)
		*out = json.size;
	buffer_release(&json);
	return result;
}

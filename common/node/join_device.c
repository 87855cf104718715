/*
 * A device on its way into the district. Nothing is connected before it has joined.
 *
 *   waits for a token ──typed in──▶ asks ──certificate──▶ joined: connects as usual
 *          ▲                        │  └ no answer, or "later": asks again, less and less often
 *          └───────refused──────────┘
 *
 * Where to ask and whom to trust stands in the configuration, which nobody rewrites; what is learned lies beside it in
 * DATA: join.token (until it is answered) and joined (the certificate). Clocks play no part.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "join.h"

#define ATTEMPT_US 8000000
#define PAUSE_LEAST_US 1000000
#define PAUSE_MOST_US 15000000
#define CERTIFICATE_BYTES_MOST 8192

static void data_path(const struct node *n, const char *name, char out[4096])
{
	snprintf(out, 4096, "%s/%s", n->config.data, name);
}

static void say(struct node *n, enum log_level level, const char *step, const char *text)
{
	struct upstream_state *u = &n->upstream_state;
	pthread_mutex_lock(&n->directory_lock);
	bool is_news = strcmp(u->text, text) != 0;
	snprintf(u->code, sizeof u->code, "joining");
	snprintf(u->join_step, sizeof u->join_step, "%s", step);
	snprintf(u->text, sizeof u->text, "%s", text);
	pthread_mutex_unlock(&n->directory_lock);
	if (!is_news)
		return;
	log_write(level, "joining", "%s", text);
	if (n->has_writer && n->tier.on_links)
		n->tier.on_links(n);
}

static void token_forget(struct node *n)
{
	char path[4096];
	data_path(n, "join.token", path);
	unlink(path);
	crypto_wipe(n->joining.secret, sizeof n->joining.secret);
}

/* ---- the certificate ---- */

static int certificate_accept(struct node *n, const Lm__JoinCertificate *c, struct arena *arena, struct error *e)
{
	Lm__DeviceRecord *record;
	int result = join_certificate_check(c, &n->authority_hash, arena, &record, e);
	if (result)
		return result;
	if (record->device != n->domain.device || record->status != LM__DEVICE_STATUS__DEVICE_STATUS_ADMITTED ||
	    record->role != n->domain.tier)
		return error_set(e, ERR_DENIED, "the certificate is of another device");
	if (strcmp(record->place, n->domain.place) != 0)
		return error_set(e, ERR_CONFIG, "this device joined as %.20s, and its configuration says %.20s",
		                 record->place, n->domain.place);
	return OK;
}

static int joined_read(struct node *n, struct error *e)
{
	char path[4096];
	struct buffer packed = { 0 };
	struct arena arena;
	Lm__JoinCertificate *c;
	data_path(n, "joined", path);
	int result = file_read(path, CERTIFICATE_BYTES_MOST, &packed, e);
	if (result)
		return result;
	arena_init(&arena, 256 * 1024);
	result = CODEC_UNPACK(lm__join_certificate, buffer_bytes(&packed), &arena, &c, e);
	if (!result)
		result = certificate_accept(n, c, &arena, e);
	arena_release(&arena);
	buffer_release(&packed);
	return result ? error_wrap(e, result, "%s", path) : OK;
}

static int joined_write(struct node *n, const Lm__JoinCertificate *c, struct arena *arena, struct error *e)
{
	char path[4096];
	struct bytes packed;
	data_path(n, "joined", path);
	int result = CODEC_PACK(c, arena, &packed, e);
	return result ? result : file_replace(path, 0600, packed, e);
}

/* ---- an attempt ---- */

static void attempt_end(struct node *n)
{
	if (n->joining.client)
		net_client_close(n->joining.client);
	n->joining.client = NULL;
	uint64_t pause = n->joining.pause_us * 2;
	n->joining.pause_us = pause < PAUSE_LEAST_US ? PAUSE_LEAST_US : pause > PAUSE_MOST_US ? PAUSE_MOST_US : pause;
	n->joining.next_us = clock_monotonic_us() + n->joining.pause_us;
	node_tick_by(n, n->joining.next_us);
}

static void request_send(struct node *n)
{
	struct arena arena;
	struct error e = { 0 };
	struct bytes packed;
	uint8_t signature[SIGNATURE_BYTES];
	Lm__JoinRequest r = LM__JOIN_REQUEST__INIT;
	r.version = JOIN_VERSION;
	r.suite = n->keys.suite;
	r.curve_key = codec_data(BYTES_OF(n->keys.curve_public));
	r.signing_key = codec_data(BYTES_OF(n->keys.signing_public));
	r.opening_key = codec_data(BYTES_OF(n->keys.opening_public));
	r.role = n->domain.tier;
	r.place = n->domain.place;
	r.secret = n->joining.secret;
	arena_init(&arena, 64 * 1024);
	int result = join_request_sign(&r, n->keys.signing_secret, signature, &e);
	if (!result)
		result = CODEC_PACK(&r, &arena, &packed, &e);
	if (!result)
		result = net_client_send(n->joining.client, packed);
	if (result)
		log_write(LOG_WARN, "joining", "the request to join could not be sent: %s",
		          e.text[0] ? e.text : error_name(result));
	arena_release(&arena);
}

static void on_state(void *context, enum net_client_state state)
{
	struct node *n = context;
	char text[ERROR_TEXT_BYTES];
	if (state == NET_CONNECTED) {
		request_send(n);
	} else if (state == NET_WRONG_KEY) {
		snprintf(text, sizeof text,
		         "%.120s does not hold the key that upstream_key names: check the configuration",
		         n->config.upstream_join);
		say(n, LOG_WARN, "unanswered", text);
	}
}

static void admitted(struct node *n, const Lm__JoinCertificate *c, struct arena *arena)
{
	struct error e = { 0 };
	int result = certificate_accept(n, c, arena, &e);
	if (!result)
		result = joined_write(n, c, arena, &e);
	if (result) {
		if (error_group_of(result) != ERROR_GROUP_INTERNAL && error_group_of(result) != ERROR_GROUP_FULL)
			token_forget(n);
		say(n, LOG_ERROR, "refused", e.text);
		return;
	}
	token_forget(n);
	n->joining.is_waiting = false;
	pthread_mutex_lock(&n->directory_lock);
	n->upstream_state.code[0] = n->upstream_state.text[0] = '\0';
	pthread_mutex_unlock(&n->directory_lock);
	log_write(LOG_INFO, "joined", "the district admitted this device as %s", n->domain.place);
	if (peers_connect(n, &e))
		log_write(LOG_ERROR, "link", "%s", e.text);
	if (n->tier.on_links)
		n->tier.on_links(n);
}

static void refused(struct node *n, const Lm__JoinReply *reply)
{
	char text[ERROR_TEXT_BYTES];
	bool is_final = strcmp(reply->code, error_name(ERR_NOT_READY)) != 0 &&
	                strcmp(reply->code, error_name(ERR_UNREACHABLE)) != 0 &&
	                strcmp(reply->code, error_name(ERR_TOO_MANY)) != 0 &&
	                strcmp(reply->code, error_name(ERR_BUSY)) != 0;
	if (is_final)
		token_forget(n);
	snprintf(text, sizeof text, "%.240s%s", reply->text, is_final ? "" : "; this device goes on trying");
	say(n, LOG_WARN, is_final ? "refused" : "unanswered", text);
}

static void on_frame(void *context, struct bytes frame)
{
	struct node *n = context;
	struct arena arena;
	Lm__JoinReply *reply;
	if (!n->joining.is_waiting || !n->joining.client)
		return;
	arena_init(&arena, 256 * 1024);
	int result = CODEC_UNPACK(lm__join_reply, frame, &arena, &reply, NULL);
	attempt_end(n);
	if (result)
		say(n, LOG_WARN, "unanswered",
		    "the answer to the request to join could not be read; this device goes on trying");
	else if (!reply->code[0] && reply->certificate)
		admitted(n, reply->certificate, &arena);
	else
		refused(n, reply);
	arena_release(&arena);
}

static void attempt_begin(struct node *n)
{
	struct error e = { 0 };
	struct net_client_options options = { .address = n->config.upstream_join,
		                              .server_key = n->upstream_key,
		                              .public_key = n->keys.curve_public,
		                              .secret_key = n->keys.curve_secret,
		                              .context = n,
		                              .on_state = on_state,
		                              .on_frame = on_frame };
	n->joining.until_us = clock_monotonic_us() + ATTEMPT_US;
	node_tick_by(n, n->joining.until_us);
	if (net_client_open(n->net, &options, &n->joining.client, &e)) {
		n->joining.client = NULL;
		say(n, LOG_ERROR, "unanswered", e.text);
		attempt_end(n);
	}
}

void join_device_tick(struct node *n)
{
	uint64_t now = clock_monotonic_us();
	if (!n->joining.is_waiting || !n->joining.secret[0] || n->is_stopping)
		return;
	if (n->joining.client && now >= n->joining.until_us) {
		attempt_end(n);
		say(n, LOG_WARN, "unanswered", "there is no answer to the request to join; this device goes on trying");
	} else if (!n->joining.client && now >= n->joining.next_us) {
		attempt_begin(n);
	}
}

uint64_t join_device_due_us(const struct node *n)
{
	if (!n->joining.is_waiting || !n->joining.secret[0] || n->is_stopping)
		return UINT64_MAX;
	return n->joining.client ? n->joining.until_us : n->joining.next_us;
}

/* ---- for handlers ---- */

bool node_is_joining(const struct node *n)
{
	return n->joining.is_waiting;
}

int node_join(struct node *n, const char *text, struct error *e)
{
	char secret[TOKEN_SECRET_BYTES], path[4096];
	if (!n->joining.is_waiting)
		return error_set(e, ERR_EXISTS, "this device belongs to the district already: it needs no token");
	int result = token_secret_from_text(text, secret, e);
	data_path(n, "join.token", path);
	if (!result)
		result = file_replace(path, 0600, bytes_from_text(secret), e);
	if (result)
		return result;
	memcpy(n->joining.secret, secret, sizeof secret);
	n->joining.pause_us = 0;
	if (n->joining.client)
		attempt_end(n);
	n->joining.pause_us = n->joining.next_us = 0;
	say(n, LOG_INFO, "asking", "this device has a token and asks the district to admit it");
	join_device_tick(n);
	return OK;
}

/* ---- life ---- */

static int token_read(struct node *n, struct error *e)
{
	char path[4096];
	struct buffer text = { 0 };
	data_path(n, "join.token", path);
	int result = file_read(path, 256, &text, e);
	if (result == ERR_NOT_FOUND)
		return OK;
	if (!result) { /* an installer may have put it there with an editor */
		char *secret = (char *)text.data;
		secret[strcspn(secret, "\r\n")] = '\0';
		result = token_secret_from_text(secret, n->joining.secret, e);
	}
	buffer_release(&text);
	if (result)
		log_write(LOG_WARN, "joining", "%s: %s", path, e->text);
	return OK;
}

int join_device_open(struct node *n, struct error *e)
{
	struct directory_row row;
	if (!n->config.upstream_join)
		return OK;
	int result = joined_read(n, e);
	if (result != ERR_NOT_FOUND || directory_device(n, n->domain.device, &row))
		return result == ERR_NOT_FOUND ? OK : result;
	n->joining.is_waiting = true;
	log_write(LOG_INFO, "joining", "this device's fingerprint is %s", n->fingerprint);
	say(n, LOG_INFO, "token", "this device waits for a token of the district");
	return token_read(n, e);
}

void join_device_close(struct node *n)
{
	if (n->joining.client)
		net_client_close(n->joining.client);
	n->joining.client = NULL;
	crypto_wipe(n->joining.secret, sizeof n->joining.secret);
}

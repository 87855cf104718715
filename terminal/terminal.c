/*
 * The terminal's tier: its state for the page, its news, its routes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "domain/publication.h"
#include "inside.h"
#include "node/control.h"

#define READ_AGAIN_US 1000000

struct terminal *terminal_of(struct node *n)
{
	return node_context(n);
}

/* ---- state ---- */

static int state_view(struct node *n, struct upstream_state *up, struct arena *arena, Lm__TerminalState *s)
{
	const struct terminal *t = terminal_of(n);
	lm__terminal_state__init(s);
	node_upstream(n, up);
	s->place = (char *)(uintptr_t)node_domain(n)->place;
	s->place_name = node_place_words(n, s->place, arena);
	s->is_connected = up->is_up;
	s->connected_since_ms = up->since_ms;
	s->link_text = up->text;
	s->join_step = up->join_step;
	s->storage_percent = node_storage_percent(n);
	s->services = t->services;
	s->waiting = node_waiting_up(n);
	s->fingerprint = (char *)(uintptr_t)node_fingerprint(n);
	s->is_demo = node_configuration(n)->is_demo;
	s->is_practice = node_configuration(n)->is_practice;
	s->has_printer = node_configuration(n)->printer != NULL;
	s->receipts_ready = (uint32_t)t->ready_count;
	s->has_cards = t->card != NULL;
	s->can_speak = speech_can(t);
	s->town_notices = t->town_notices;
	return condition_show(n, up, arena, s);
}

void state_send(struct node *n, struct http_request *r)
{
	struct arena arena;
	struct upstream_state up;
	Lm__TerminalState s;
	arena_init(&arena, 64 * 1024);
	int result = state_view(n, &up, &arena, &s);
	if (r && result)
		node_answer_error(r, result, NULL);
	else if (r)
		node_answer(r, &s.base);
	else if (!result)
		node_publish(n, KIOSK_CHANNEL, "state", &s.base);
	arena_release(&arena);
}

static void state_get(void *context, struct http_request *r)
{
	state_send(context, r);
}

static void points_get(void *context, struct http_request *r)
{
	struct node *n = context;
	struct arena arena;
	arena_init(&arena, 64 * 1024);
	Lm__PointsView *view = node_points(n, node_domain(n)->place, &arena);
	if (view)
		node_answer(r, &view->base);
	else
		node_answer_error(r, ERR_MEMORY, NULL);
	arena_release(&arena);
}

/* The kiosk has no login: the session is the page's token, so that no other page can speak for it. */
static void begin_post(void *context, struct http_request *r)
{
	struct node *n = context;
	struct arena arena;
	struct error e;
	char csrf[HTTP_CSRF_TEXT_BYTES];
	int result = http_session_begin(r, "resident", "resident", csrf, &e);
	if (result) {
		node_answer_error(r, result, &e);
		return;
	}
	arena_init(&arena, 64 * 1024);
	Lm__SessionView view = LM__SESSION_VIEW__INIT;
	view.user = view.role = (char *)(uintptr_t) "resident";
	view.csrf = csrf;
	view.tier = LM__TIER__TIER_TERMINAL;
	view.place = (char *)(uintptr_t)node_domain(n)->place;
	view.place_name = node_place_words(n, view.place, &arena);
	view.is_demo = node_configuration(n)->is_demo;
	node_answer(r, &view.base);
	arena_release(&arena);
}

/* The token is typed in where the fingerprint is shown: whoever stands there may try, but not often. */
static void join_post(void *context, struct http_request *r)
{
	if (try_take(terminal_of(context)))
		control_join(context, r);
	else
		http_answer_error(r, ERR_TOO_MANY, "too many tokens were tried here; wait a minute");
}

static void events_get(void *context, struct http_request *r)
{
	(void)context;
	http_answer_events(r, KIOSK_CHANNEL);
}

/* ---- what is read from the tables once, and again when it changed ---- */

struct reading {
	uint32_t services;
	int64_t signed_ms;
};

static bool service_visit(void *context, ProtobufCMessage *newest)
{
	struct reading *r = context;
	const Lm__Service *service = (Lm__Service *)newest;
	r->services++;
	if (service->published_ms > r->signed_ms)
		r->signed_ms = service->published_ms;
	return true;
}

static bool device_visit(void *context, const Lm__DeviceRecord *record)
{
	struct reading *r = context;
	if (record->since_ms > r->signed_ms)
		r->signed_ms = record->since_ms;
	return true;
}

/* Without memory, or from a row that cannot be read: again at the next tick. */
static void tables_read(struct terminal *t)
{
	struct store_txn *txn;
	struct arena arena;
	struct error e;
	Lm__NodeSecretPayload *secret;
	struct reading r = { 0 };
	t->must_read = true;
	if (store_begin_read(node_store(t->node), &txn, &e)) {
		log_write(LOG_ERROR, "tables", "%s", e.text);
		return;
	}
	arena_init(&arena, 16 * 1024 * 1024);
	int services = content_each(txn, &collection_catalogue, &arena, service_visit, &r);
	if (!services)
		t->services = r.services;
	int devices = device_each(txn, &arena, device_visit, &r);
	if (!devices)
		t->signed_ms = r.signed_ms;
	int notices = notices_count(t, txn, &arena);
	int result = secret_get(txn, &arena, &secret);
	if (!result) {
		memcpy(t->salt, secret->device_salt.data, DEVICE_SALT_BYTES);
		t->has_salt = true;
	}
	t->must_read = services || devices || notices || (result && result != ERR_NOT_FOUND);
	store_abort(txn);
	arena_release(&arena);
}

static void news_request(struct terminal *t, const struct domain_effect *news)
{
	for (size_t i = 0; i < RECENT_MOST; i++) {
		if (!id_equal(t->recent[i].request, news->request) || id_is_zero(news->request))
			continue;
		Lm__RequestEvent event = LM__REQUEST_EVENT__INIT;
		Lm__Marks3 marks;
		event.request_id = codec_data(BYTES(news->request.byte, ID_BYTES));
		marks_of(t->node, t->recent[i].ordinal, &marks);
		event.marks = &marks;
		event.has_news = true;
		node_publish(t->node, KIOSK_CHANNEL, "request", &event.base);
	}
}

static void on_news(struct node *n, const struct domain_effect *news, size_t count)
{
	struct terminal *t = terminal_of(n);
	bool must_read = false;
	for (size_t i = 0; i < count; i++) {
		must_read |= news[i].type == DOMAIN_CATALOGUE || news[i].type == DOMAIN_SECRET ||
		             news[i].type == DOMAIN_DIRECTORY || news[i].type == DOMAIN_NOTICE;
		if (news[i].type == DOMAIN_REQUEST)
			news_request(t, &news[i]);
	}
	if (!must_read)
		return;
	tables_read(t);
	state_send(n, NULL);
}

static void on_marks(struct node *n, const struct line *up)
{
	(void)up;
	marks_moved(terminal_of(n));
}

static void on_links(struct node *n)
{
	state_send(n, NULL);
}

static uint64_t on_tick(struct node *n, uint64_t now_us)
{
	struct terminal *t = terminal_of(n);
	bool has_changed = t->must_read || !notices_are_of_today(t);
	if (has_changed)
		tables_read(t);
	receipts_tick(t);
	if (condition_tick(t, now_us) || has_changed)
		state_send(n, NULL);
	uint64_t condition_us = condition_due_us(t), receipts_us = receipts_due_us(t, now_us);
	uint64_t due_us = condition_us < receipts_us ? condition_us : receipts_us;
	return t->must_read && now_us + READ_AGAIN_US < due_us ? now_us + READ_AGAIN_US : due_us;
}

static int on_start(struct node *n, struct error *e)
{
	struct terminal *t = terminal_of(n);
	if (!t)
		return error_set(e, ERR_MEMORY, "no memory for the terminal's state");
	t->node = n;
	tables_read(t);
	signs_start(t);
	scans_wipe(t);
	int result = speech_start(t, e);
	if (!result)
		result = typing_start(t, e);
	return result ? result : card_start(t, e);
}

static void on_stop(struct node *n)
{
	struct terminal *t = terminal_of(n);
	if (!t)
		return;
	speech_stop(t);
	signs_stop(t);
	struct worker *voice = t->voice, *pinyin = t->pinyin, *card = t->card; /* the pool may still ask them */
	crypto_wipe(t, sizeof *t);
	t->node = n;
	t->voice = voice;
	t->pinyin = pinyin;
	t->card = card;
}

static void on_free(void *context)
{
	struct terminal *t = context;
	if (t) {
		worker_free(t->voice);
		worker_free(t->pinyin);
		worker_free(t->card);
	}
	free(t);
}

static const struct http_route routes[] = {
	{ HTTP_POST, "/api/v1/begin", HTTP_OPEN, begin_post },
	{ HTTP_GET, "/api/v1/state", HTTP_OPEN, state_get },
	{ HTTP_GET, "/api/v1/points", HTTP_OPEN, points_get },
	{ HTTP_POST, "/api/v1/drafts", HTTP_SESSION, draft_post },
	{ HTTP_POST_FILES, "/api/v1/requests", HTTP_SESSION, request_post },
	{ HTTP_GET, "/api/v1/requests/:id/marks", HTTP_SESSION, marks_get },
	{ HTTP_POST, "/api/v1/receipts/lookup", HTTP_SESSION, lookup_post },
	{ HTTP_POST, "/api/v1/receipts/answer", HTTP_SESSION, answer_post },
	{ HTTP_POST, "/api/v1/receipts/withdraw", HTTP_SESSION, withdraw_post },
	{ HTTP_POST, "/api/v1/receipts/object", HTTP_SESSION, object_post },
	{ HTTP_POST, "/api/v1/receipts/rate", HTTP_SESSION, rate_post },
	{ HTTP_POST, "/api/v1/receipts/print", HTTP_SESSION, print_post },
	{ HTTP_POST, "/api/v1/join", HTTP_SESSION, join_post },
	{ HTTP_POST, "/api/v1/card", HTTP_SESSION, card_post },
	{ HTTP_POST, "/api/v1/ring", HTTP_SESSION, ring_post },
	{ HTTP_POST, "/api/v1/pinyin", HTTP_SESSION, pinyin_post },
	{ HTTP_POST, "/api/v1/speech", HTTP_SESSION, speech_post },
	{ HTTP_GET, "/api/v1/notices", HTTP_SESSION, notices_get },
	{ HTTP_GET, "/api/v1/signs", HTTP_SESSION, signs_get },
	{ HTTP_GET, "/api/v1/signs/:of", HTTP_SESSION, sign_get },
	{ HTTP_GET, "/api/v1/scan", HTTP_SESSION, scan_get },
	{ HTTP_POST, "/api/v1/scan/wipe", HTTP_SESSION, scan_wipe_post },
	{ HTTP_GET, "/api/v1/events", HTTP_SESSION, events_get },
};

struct tier terminal_tier(void)
{
	return (struct tier){ .tier = LM__TIER__TIER_TERMINAL,
		              .program = "lm-terminal",
		              .routes = routes,
		              .route_count = sizeof routes / sizeof *routes,
		              .session_cookie = "lm_kiosk",
		              .on_start = on_start,
		              .on_stop = on_stop,
		              .on_news = on_news,
		              .on_marks = on_marks,
		              .on_links = on_links,
		              .on_tick = on_tick,
		              .on_free = on_free,
		              .context = calloc(
		                      1, sizeof(struct terminal)) }; /* on_start looks whether there was memory */
}

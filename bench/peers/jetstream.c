/*
 * NATS JetStream: published to a stream of tier 1; tier 2 mirrors it, tier 3 mirrors that, over leaf node links.
 *
 * Tier 1 learns by a message. A consumer at tier 3, which the server feeds from its stream, publishes the ids of all
 * that have come meanwhile; the leaf node links carry that to tier 1.
 *
 *   bench_jetstream URL_1 URL_2 URL_3     the servers' JetStream domains are t1, t2, t3
 */
#include <nats/nats.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define IDS_MOST 1024
#define WAIT_MS 1000
#define SUBJECT_UP "up"
#define SUBJECT_ACKS "acks"
#define PENDING_MOST 1000000

struct nats_lane {
	natsConnection *connection;
	jsCtx *stream;
};

static char *url[3];
static natsConnection *listener_connection, *relay_connection;
static natsSubscription *acks, *stored;

static bool is_well(natsStatus status, const char *what)
{
	return status == NATS_OK || load_fail("NATS: %s: %s", what, natsStatus_GetText(status));
}

static natsConnection *connect_to(const char *where, bool is_asap)
{
	natsOptions *options = NULL;
	natsConnection *c = NULL;
	natsStatus status = natsOptions_Create(&options);
	if (status == NATS_OK)
		status = natsOptions_SetURL(options, where);
	if (status == NATS_OK)
		status = natsOptions_SetSendAsap(options, is_asap);
	if (status == NATS_OK)
		status = natsConnection_Connect(&c, options);
	natsOptions_Destroy(options);
	return is_well(status, where) ? c : NULL;
}

/* ---- streams ---- */

static natsStatus stream_add(jsCtx *js, int tier)
{
	static const char *const names[] = { "UP1", "UP2", "UP3" };
	static const char *const apis[] = { "", "$JS.t1.API", "$JS.t2.API" };
	const char *subjects[] = { SUBJECT_UP };
	jsStreamConfig config;
	jsStreamSource mirror;
	jsExternalStream external;
	jsStreamConfig_Init(&config);
	jsStreamSource_Init(&mirror);
	jsExternalStream_Init(&external);
	config.Name = names[tier];
	config.Storage = js_FileStorage;
	if (tier) {
		external.APIPrefix = apis[tier];
		external.DeliverPrefix = ""; /* the library reads it even when it is absent */
		mirror.Name = names[tier - 1];
		mirror.External = &external;
		config.Mirror = &mirror;
	} else {
		config.Subjects = subjects;
		config.SubjectsLen = 1;
	}
	return js_AddStream(NULL, js, &config, NULL, NULL);
}

static bool streams_add(void)
{
	for (int tier = 0; tier < 3; tier++) {
		natsConnection *c = connect_to(url[tier], true);
		jsCtx *js = NULL;
		if (!c)
			return false;
		natsStatus status = natsConnection_JetStream(&js, c, NULL);
		if (status == NATS_OK)
			status = stream_add(js, tier);
		jsCtx_Destroy(js);
		natsConnection_Destroy(c);
		if (!is_well(status, "stream"))
			return false;
	}
	return true;
}

/* ---- the news ---- */

static void *relay_run(void *context)
{
	uint64_t ids[IDS_MOST];
	(void)context;
	while (!load_has_failed()) {
		size_t count = 0;
		natsMsg *m;
		int waiting = 1;
		while (count < IDS_MOST && waiting && natsSubscription_NextMsg(&m, stored, WAIT_MS) == NATS_OK) {
			if (natsMsg_GetDataLength(m) == REQUEST_BYTES)
				memcpy(&ids[count++], natsMsg_GetData(m), sizeof *ids);
			natsMsg_Destroy(m);
			natsSubscription_GetPending(stored, &waiting, NULL);
		}
		if (count)
			is_well(natsConnection_Publish(relay_connection, SUBJECT_ACKS, ids, (int)(count * sizeof *ids)),
			        "acks");
	}
	return NULL;
}

static void *listener_run(void *context)
{
	natsMsg *m;
	(void)context;
	while (!load_has_failed()) {
		if (natsSubscription_NextMsg(&m, acks, WAIT_MS) != NATS_OK)
			continue;
		load_done_all(natsMsg_GetData(m), (size_t)natsMsg_GetDataLength(m));
		natsMsg_Destroy(m);
	}
	return NULL;
}

static bool relay_open(void)
{
	jsCtx *js = NULL; /* lives as long as the process */
	jsSubOptions options;
	jsSubOptions_Init(&options);
	options.Stream = "UP3";
	options.Config.AckPolicy = js_AckNone;
	relay_connection = connect_to(url[2], true);
	if (!relay_connection || !is_well(natsConnection_JetStream(&js, relay_connection, NULL), "JetStream"))
		return false;
	return is_well(js_SubscribeSync(&stored, js, SUBJECT_UP, NULL, &options, NULL), "consumer") &&
	       is_well(natsSubscription_SetPendingLimits(stored, PENDING_MOST, -1), "consumer");
}

static bool jetstream_open(char **arguments)
{
	pthread_t thread[2];
	memcpy(url, arguments, sizeof url);
	if (!streams_add() || !relay_open())
		return false;
	listener_connection = connect_to(url[0], true);
	if (!listener_connection ||
	    !is_well(natsConnection_SubscribeSync(&acks, listener_connection, SUBJECT_ACKS), "acks") ||
	    !is_well(natsConnection_Flush(listener_connection), "acks"))
		return false;
	return pthread_create(&thread[0], NULL, relay_run, NULL) == 0 &&
	       pthread_create(&thread[1], NULL, listener_run, NULL) == 0;
}

/* ---- producers ---- */

static void on_refused(jsCtx *js, jsPubAckErr *fault, void *context)
{
	(void)js;
	(void)context;
	load_fail("NATS: not stored at tier 1: %s", fault->ErrText ? fault->ErrText : natsStatus_GetText(fault->Err));
}

static void *jetstream_lane_open(size_t number, size_t window)
{
	struct nats_lane *l = calloc(1, sizeof *l);
	jsOptions options;
	(void)number;
	jsOptions_Init(&options);
	options.PublishAsync.ErrHandler = on_refused;
	if (!l)
		return NULL;
	l->connection = connect_to(url[0], window == 1); /* one at a time: nothing to gather */
	if (l->connection && is_well(natsConnection_JetStream(&l->stream, l->connection, &options), "JetStream"))
		return l;
	natsConnection_Destroy(l->connection);
	free(l);
	return NULL;
}

static bool jetstream_lane_send(void *lane, const struct request *requests, size_t count)
{
	struct nats_lane *l = lane;
	for (size_t i = 0; i < count; i++)
		if (!is_well(js_PublishAsync(l->stream, SUBJECT_UP, &requests[i], REQUEST_BYTES, NULL), "publishing"))
			return false;
	return true;
}

static void jetstream_lane_close(void *lane)
{
	struct nats_lane *l = lane;
	jsPubOptions wait;
	jsPubOptions_Init(&wait);
	wait.MaxWait = WAIT_MS;
	js_PublishAsyncComplete(l->stream, &wait);
	jsCtx_Destroy(l->stream);
	natsConnection_Destroy(l->connection);
	free(l);
}

int main(int argc, char **argv)
{
	static const struct peer jetstream = { .batch_most = 64,
		                               .argument_count = 3,
		                               .open = jetstream_open,
		                               .lane_open = jetstream_lane_open,
		                               .lane_send = jetstream_lane_send,
		                               .lane_close = jetstream_lane_close };
	return load_main(&jetstream, argc, argv);
}

/*
 * PostgreSQL: rows inserted at tier 1 reach tier 2, and from there tier 3, by logical replication.
 *
 * Tier 1 learns by two positions. Its own slot says up to where tier 2 has flushed; then tier 2 is asked for the end of
 * its log at that moment, and for up to where tier 3 has flushed of it. Once tier 3 has passed the first, everything up
 * to tier 1's position is on disk at all three. Asking on one standing connection is less work than rows that travel
 * back.
 *
 *   bench_postgres CONNINFO_1 CONNINFO_2
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "load.h"

#define ROWS_MOST 64 /* in a commit */
#define LANES 8      /* connections, as a pool in front of PostgreSQL would have */
#define PENDING_MOST 8192
#define MARKS_MOST 1024
#define POLL_NS 200000

struct pending { /* commits whose way is not over, in the order of the lane's commits */
	uint64_t lsn, id;
};

struct postgres_lane {
	PGconn *connection;
	bool is_prepared[ROWS_MOST + 1];
	pthread_mutex_t lock;
	struct pending pending[PENDING_MOST];
	size_t from, to;
};

static struct postgres_lane pool[LANES];
static char *address;
static PGconn *watch[2]; /* tier 1, tier 2 */

static PGconn *connect_to(const char *conninfo)
{
	PGconn *c = PQconnectdb(conninfo);
	if (PQstatus(c) == CONNECTION_OK)
		return c;
	load_fail("PostgreSQL: %s", PQerrorMessage(c));
	PQfinish(c);
	return NULL;
}

static uint64_t lsn_parse(const char *text)
{
	uint64_t high = 0, low = 0;
	return sscanf(text, "%" SCNx64 "/%" SCNx64, &high, &low) == 2 ? high << 32 | low : 0;
}

/* ---- how far everything is ---- */

static bool positions_ask(PGconn *c, uint64_t *end, uint64_t *flushed)
{
	PGresult *r = PQexecPrepared(c, "positions", 0, NULL, NULL, NULL, 0);
	bool is_good = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1;
	if (is_good) {
		*end = lsn_parse(PQgetvalue(r, 0, 0));
		*flushed = lsn_parse(PQgetvalue(r, 0, 1));
	} else {
		load_fail("PostgreSQL: no positions: %s", PQresultErrorMessage(r));
	}
	PQclear(r);
	return is_good;
}

static void lane_tell(struct postgres_lane *l, uint64_t final)
{
	pthread_mutex_lock(&l->lock);
	while (l->from != l->to && l->pending[l->from % PENDING_MOST].lsn <= final)
		load_done(l->pending[l->from++ % PENDING_MOST].id);
	pthread_mutex_unlock(&l->lock);
}

static void *watch_run(void *context)
{
	struct {
		uint64_t below, here; /* when tier 3 has flushed `here`, it has tier 1's `below` */
	} mark[MARKS_MOST];
	size_t from = 0, to = 0;
	uint64_t final = 0;
	(void)context;
	while (!load_has_failed()) {
		struct timespec pause = { 0, POLL_NS };
		uint64_t end, below, here, flushed;
		if (!positions_ask(watch[0], &end, &below) || !positions_ask(watch[1], &here, &flushed))
			break;
		if (to - from < MARKS_MOST) {
			mark[to % MARKS_MOST].below = below;
			mark[to++ % MARKS_MOST].here = here;
		}
		while (from != to && mark[from % MARKS_MOST].here <= flushed)
			final = mark[from++ % MARKS_MOST].below;
		for (size_t i = 0; i < LANES; i++)
			lane_tell(&pool[i], final);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static bool postgres_open(char **arguments)
{
	static const char positions[] = "SELECT pg_current_wal_insert_lsn(), confirmed_flush_lsn FROM "
	                                "pg_replication_slots WHERE slot_name = 'up'";
	pthread_t thread;
	address = arguments[0];
	for (size_t i = 0; i < LANES; i++)
		pthread_mutex_init(&pool[i].lock, NULL);
	for (size_t i = 0; i < 2; i++) {
		watch[i] = connect_to(arguments[i]);
		if (!watch[i])
			return false;
		PGresult *r = PQprepare(watch[i], "positions", positions, 0, NULL);
		bool is_good = PQresultStatus(r) == PGRES_COMMAND_OK;
		PQclear(r);
		if (!is_good)
			return load_fail("PostgreSQL: %s", PQerrorMessage(watch[i]));
	}
	return pthread_create(&thread, NULL, watch_run, NULL) == 0 && pthread_detach(thread) == 0;
}

/* ---- producers ---- */

static void *postgres_lane_open(size_t number, size_t window)
{
	struct postgres_lane *l = &pool[number];
	(void)window; /* at most PENDING_MOST: load.c allows 4096 */
	memset(l->is_prepared, 0, sizeof l->is_prepared);
	l->connection = connect_to(address);
	return l->connection ? l : NULL;
}

static const char *insert_name(struct postgres_lane *l, size_t count, char name[16])
{
	static const char head[] = "INSERT INTO request (body) VALUES ";
	char text[sizeof head + ROWS_MOST * 8] = "";
	snprintf(name, 16, "insert%zu", count);
	if (l->is_prepared[count])
		return name;
	size_t size = (size_t)snprintf(text, sizeof text, "%s", head);
	for (size_t i = 1; i <= count; i++)
		size += (size_t)snprintf(text + size, sizeof text - size, "%s($%zu)", i > 1 ? "," : "", i);
	PGresult *r = PQprepare(l->connection, name, text, (int)count, NULL);
	l->is_prepared[count] = PQresultStatus(r) == PGRES_COMMAND_OK;
	PQclear(r);
	return l->is_prepared[count] ? name : NULL;
}

/* The insert and the question for the position go out together; each is a transaction of its own. */
static bool rows_insert(struct postgres_lane *l, const char *name, const struct request *requests, size_t count,
                        uint64_t *lsn)
{
	const char *values[ROWS_MOST];
	int lengths[ROWS_MOST], formats[ROWS_MOST];
	PGconn *c = l->connection;
	for (size_t i = 0; i < count; i++) {
		values[i] = (const char *)&requests[i];
		lengths[i] = REQUEST_BYTES;
		formats[i] = 1;
	}
	bool is_good = PQenterPipelineMode(c) == 1 &&
	               PQsendQueryPrepared(c, name, (int)count, values, lengths, formats, 0) == 1 &&
	               PQpipelineSync(c) == 1 &&
	               PQsendQueryParams(c, "SELECT pg_current_wal_insert_lsn()", 0, NULL, NULL, NULL, NULL, 0) == 1 &&
	               PQpipelineSync(c) == 1;
	size_t inserted = 0, syncs = 0;
	while (is_good && syncs < 2) {
		PGresult *r = PQgetResult(c); /* NULL between the parts of a pipeline */
		ExecStatusType status = r ? PQresultStatus(r) : PGRES_EMPTY_QUERY;
		if (status == PGRES_COMMAND_OK)
			inserted = strtoull(PQcmdTuples(r), NULL, 10);
		if (status == PGRES_TUPLES_OK)
			*lsn = lsn_parse(PQgetvalue(r, 0, 0));
		syncs += status == PGRES_PIPELINE_SYNC;
		is_good =
		        status != PGRES_FATAL_ERROR && status != PGRES_PIPELINE_ABORTED && PQstatus(c) == CONNECTION_OK;
		PQclear(r);
	}
	return PQexitPipelineMode(c) == 1 && is_good && inserted == count;
}

static bool postgres_lane_send(void *lane, const struct request *requests, size_t count)
{
	struct postgres_lane *l = lane;
	char text[16];
	uint64_t lsn = 0;
	const char *name = insert_name(l, count, text);
	if (!name || !rows_insert(l, name, requests, count, &lsn) || !lsn)
		return load_fail("PostgreSQL: %s", PQerrorMessage(l->connection));
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < count; i++)
		l->pending[l->to++ % PENDING_MOST] = (struct pending){ .lsn = lsn, .id = requests[i].id };
	pthread_mutex_unlock(&l->lock);
	return true;
}

static void postgres_lane_close(void *lane)
{
	struct postgres_lane *l = lane;
	PQfinish(l->connection);
	l->connection = NULL;
}

int main(int argc, char **argv)
{
	static const struct peer postgres = { .lanes_most = LANES,
		                              .batch_most = ROWS_MOST,
		                              .argument_count = 2,
		                              .open = postgres_open,
		                              .lane_open = postgres_lane_open,
		                              .lane_send = postgres_lane_send,
		                              .lane_close = postgres_lane_close };
	return load_main(&postgres, argc, argv);
}

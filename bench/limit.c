/*
 * The limit: the puts, deletes and commits that the three tiers made (record.h), made again on three bare LMDB
 * environments of the same size, with the same keys in the same order, values of the same size, the same groups.
 * No seal, no signature, no link, nothing read.
 */
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "parts.h"
#include "record.h"

#define TIERS_MOST 3
#define TABLES_MOST 64
#define VALUE_BYTES_MOST (1u << 20)
#define SERIAL_MOST 100000

struct tier {
	uint8_t *record; /* the whole recording */
	size_t size, at;
	MDB_env *env;
	MDB_dbi table[TABLES_MOST];
	bool has_table[TABLES_MOST];
	uint8_t *value;
	uint64_t commits, puts, bytes, deletes;
	double seconds;
	int rc;
};

static bool recording_read(const char *path, struct tier *t)
{
	struct stat file;
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &file) || !(t->record = malloc((size_t)file.st_size + 1)))
		return false;
	t->size = (size_t)file.st_size;
	bool is_read = read(fd, t->record, t->size) == (ssize_t)t->size;
	close(fd);
	return is_read;
}

/* False at the end; a record that was cut off ends it too. */
static bool record_next(struct tier *t, struct record *r, MDB_val *key)
{
	if (t->size - t->at < sizeof *r)
		return false;
	memcpy(r, t->record + t->at, sizeof *r);
	if (t->size - t->at - sizeof *r < r->key_size)
		return false;
	*key = (MDB_val){ r->key_size, t->record + t->at + sizeof *r };
	t->at += sizeof *r + r->key_size;
	return true;
}

/* Tables are opened before the clock starts. */
static int tables_open(struct tier *t)
{
	struct record r;
	MDB_val key;
	MDB_txn *txn;
	int rc = mdb_txn_begin(t->env, NULL, 0, &txn);
	while (!rc && record_next(t, &r, &key)) {
		char name[8];
		if (r.op == RECORD_COMMIT || r.table >= TABLES_MOST || t->has_table[r.table])
			continue;
		snprintf(name, sizeof name, "t%d", r.table);
		rc = mdb_dbi_open(txn, name, MDB_CREATE, &t->table[r.table]);
		t->has_table[r.table] = true;
	}
	t->at = 0;
	return rc ? rc : mdb_txn_commit(txn);
}

static int zeros_write(const char *path, size_t size)
{
	static const uint8_t zeros[1u << 18];
	int fd = open(path, O_RDWR);
	int rc = fd < 0 ? -1 : posix_fallocate(fd, 0, (off_t)size);
	for (size_t at = 8192; !rc && at < size; at += sizeof zeros)
		rc = pwrite(fd, zeros, at + sizeof zeros < size ? sizeof zeros : size - at, (off_t)at) < 0;
	if (!rc)
		rc = fsync(fd);
	close(fd);
	return rc;
}

/* As the product makes it: an empty environment, then all of its disk space, written once. */
static int environment_make(struct tier *t, const char *path, size_t map_bytes, int must_allocate)
{
	int rc = mdb_env_create(&t->env);
	if (!rc)
		rc = mdb_env_set_mapsize(t->env, map_bytes);
	if (!rc)
		rc = mdb_env_set_maxdbs(t->env, TABLES_MOST);
	if (!rc)
		rc = mdb_env_open(t->env, path, MDB_NOSUBDIR | MDB_NOLOCK, 0600);
	if (rc || !must_allocate)
		return rc;
	mdb_env_close(t->env);
	t->env = NULL;
	rc = zeros_write(path, map_bytes);
	return rc ? rc : environment_make(t, path, map_bytes, 0);
}

static int tier_open(struct tier *t, const char *recording, const char *folder, int number, size_t map_bytes)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/limit-%d.mdb", folder, number);
	unlink(path);
	t->value = calloc(1, VALUE_BYTES_MOST);
	if (!t->value || !recording_read(recording, t)) {
		fprintf(stderr, "bench_parts: %s cannot be read\n", recording);
		return -1;
	}
	memset(t->value, 0xA5, VALUE_BYTES_MOST);
	int rc = environment_make(t, path, map_bytes, 1);
	return rc ? rc : tables_open(t);
}

static int record_do(struct tier *t, MDB_txn *txn, const struct record *r, MDB_val *key)
{
	MDB_val value = { r->value_size, NULL };
	if (r->op == RECORD_DELETE) {
		t->deletes++;
		int rc = mdb_del(txn, t->table[r->table], key, NULL);
		return rc == MDB_NOTFOUND ? 0 : rc;
	}
	if (r->value_size > VALUE_BYTES_MOST)
		return MDB_BAD_VALSIZE;
	t->puts++;
	t->bytes += r->key_size + r->value_size;
	int rc = mdb_put(txn, t->table[r->table], key, &value, (r->op == RECORD_APPEND ? MDB_APPEND : 0) | MDB_RESERVE);
	if (!rc)
		memcpy(value.mv_data, t->value, r->value_size);
	return rc;
}

/* One commit of the recording; false when it is over, or on a fault (t->rc). */
static bool commit_again(struct tier *t)
{
	struct record r;
	MDB_val key;
	MDB_txn *txn;
	t->rc = mdb_txn_begin(t->env, NULL, 0, &txn);
	while (!t->rc) {
		if (!record_next(t, &r, &key)) {
			mdb_txn_abort(txn);
			return false;
		}
		if (r.op == RECORD_COMMIT) {
			t->rc = mdb_txn_commit(txn);
			t->commits++;
			break;
		}
		t->rc = record_do(t, txn, &r, &key);
	}
	return !t->rc;
}

static void *tier_run(void *context)
{
	struct tier *t = context;
	uint64_t from = clock_monotonic_us();
	while (commit_again(t))
		continue;
	t->seconds = (double)(clock_monotonic_us() - from) / 1e6;
	return NULL;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void serial_run(struct tier *tier, int count, double *p50_ms)
{
	uint32_t *sample = calloc(SERIAL_MOST, sizeof *sample);
	size_t samples = 0;
	bool goes_on = sample;
	while (goes_on && samples < SERIAL_MOST) {
		uint64_t from = clock_monotonic_us();
		for (int i = 0; i < count; i++)
			goes_on = goes_on && commit_again(&tier[i]);
		if (goes_on)
			sample[samples++] = (uint32_t)(clock_monotonic_us() - from);
	}
	if (samples) {
		qsort(sample, samples, sizeof *sample, compare);
		*p50_ms = sample[samples / 2] / 1000.0;
	}
	free(sample);
}

static int limit_print(const struct tier *tier, int count, double p50_ms)
{
	double longest = 0;
	printf("{\"tiers\":[");
	for (int i = 0; i < count; i++) {
		const struct tier *t = &tier[i];
		printf("%s{\"commits\":%llu,\"puts\":%llu,\"deletes\":%llu,\"bytes\":%llu,\"seconds\":%.6f}",
		       i ? "," : "", (unsigned long long)t->commits, (unsigned long long)t->puts,
		       (unsigned long long)t->deletes, (unsigned long long)t->bytes, t->seconds);
		longest = t->seconds > longest ? t->seconds : longest;
		if (t->rc) {
			fprintf(stderr, "bench_parts: tier %d: %s\n", i + 1, mdb_strerror(t->rc));
			return 1;
		}
	}
	printf("],\"seconds\":%.6f,\"serial_p50_ms\":%.4f}\n", longest, p50_ms);
	return 0;
}

int limit_run(const char *folder, unsigned long long map_bytes, char **recordings, int count, int is_serial)
{
	static struct tier tier[TIERS_MOST];
	pthread_t thread[TIERS_MOST];
	double p50_ms = 0;
	if (count > TIERS_MOST)
		return 64;
	for (int i = 0; i < count; i++) {
		int rc = tier_open(&tier[i], recordings[i], folder, i + 1, (size_t)map_bytes);
		if (rc) {
			fprintf(stderr, "bench_parts: tier %d: %s\n", i + 1, mdb_strerror(rc));
			return 1;
		}
	}
	if (is_serial)
		serial_run(tier, count, &p50_ms);
	for (int i = 0; i < count && !is_serial; i++)
		if (pthread_create(&thread[i], NULL, tier_run, &tier[i]))
			return 1;
	for (int i = 0; i < count && !is_serial; i++)
		pthread_join(thread[i], NULL);
	return limit_print(tier, count, p50_ms);
}

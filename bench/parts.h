/* What a path cannot be faster than, each part measured by itself. Each prints one line of JSON and returns an exit
 * code. */
#ifndef BENCH_PARTS_H
#define BENCH_PARTS_H

/* limit.c: recorded write sets committed to bare LMDB: all at once, or one commit of each in turn. */
int limit_run(const char *folder, unsigned long long map_bytes, char **recordings, int count, int is_serial);
/* ping.c: a frame up over two CURVE links and a short one back. */
int ping_run(int rounds, int up_bytes, int down_bytes);

#endif

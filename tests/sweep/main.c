/*
 * sweep [--every N] [--only TEXT] [--tell]: the operations of all rooms, each with memory, files, threads and
 * then tables that fail.
 *
 * Every operation has a process of its own for each kind of fault. It goes on behind a call that ended it; what the
 * process has come to lies in memory that both share.
 */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/faults.h"
#include "sweep.h"

#define VARIANTS_MOST 4
#define SECONDS_MOST 60 /* for one time: who takes longer hangs */
#define FAULTS_TOLD_MOST 20

static struct progress { /* shared with the process that sweeps */
	struct faults faults;
	uint64_t at, tried, wrong;
	uint32_t variant;
	bool is_over;
} * progress;

static uint64_t every = 1;
static bool is_told;
static char folder[64];

static const struct {
	const char *name;
	uint32_t class, variants;
} kind[] = { { "memory", FAULT_MEMORY, 1 },
	     { "files", FAULT_FILE, VARIANTS_MOST },
	     { "threads", FAULT_THREAD, 2 },
	     { "tables", FAULT_TABLE, 2 } };

void broken(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fputs("sweep: ", stderr);
	vfprintf(stderr, format, arguments);
	fputs("\n", stderr);
	va_end(arguments);
	_exit(3);
}

void path_in(const struct scene *s, const char *name, char path[256])
{
	snprintf(path, 256, "%s/%s", s->folder, name);
}

static int entry_remove(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	return walk->level ? remove(path) : 0;
}

static void folder_empty(void)
{
	nftw(folder, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static size_t files_open(void)
{
	size_t count = 0;
	DIR *list = opendir("/proc/self/fd");
	if (!list)
		broken("cannot count open files: %s", strerror(errno));
	while (readdir(list))
		count++;
	closedir(list);
	return count;
}

/* ---- one time ---- */

/* The machine was at fault: an error that accuses what was asked, or what is stored, is a lie. */
static bool is_honest(int code)
{
	enum error_group group = error_group_of(code);
	return group == ERROR_GROUP_INTERNAL || group == ERROR_GROUP_FULL || group == ERROR_GROUP_LATER;
}

static const char *error_fault(int code, const struct error *e)
{
	if (!code)
		return NULL;
	if (!e->text[0])
		return "it fails without a word";
	if (e->code != code)
		return "the error is another than what is returned";
	if (strstr(e->text, "(null)"))
		return "its sentence has a hole";
	return is_honest(code) ? NULL : "the machine was at fault, and it says that something else was";
}

static void point_tell(const struct operation *o, size_t k, const char *what)
{
	const struct faults *f = &progress->faults;
	printf("%s: %s, call %llu (%s): %s\n\taddr2line -fpe %s", o->name, kind[k].name,
	       (unsigned long long)progress->at, f->call, what, program_invocation_name);
	for (size_t i = 0; i < FAULT_FRAMES_MOST; i++)
		if (f->frame[i])
			printf(" 0x%llx", (unsigned long long)f->frame[i]);
	printf("\n");
}

/* True: a call failed. */
static bool once(const struct operation *o, uint32_t class, int64_t *blocks, const char **what, int *code,
                 struct error *e)
{
	struct scene s = { .folder = folder };
	folder_empty();
	int64_t before = faults->blocks;
	size_t open_before = files_open();
	*e = (struct error){ 0 };
	if (o->prepare)
		o->prepare(&s);
	faults->seen = faults->failed = 0;
	faults->call[0] = '\0';
	alarm(SECONDS_MOST);
	faults->classes = class;
	*code = o->run(&s, e);
	faults->classes = 0;
	alarm(0);
	*what = faults->failed ? error_fault(*code, e) : NULL;
	if (!faults->failed && *code)
		*what = "it fails although nothing failed";
	if (!*what && o->look)
		*what = o->look(&s, *code);
	if (o->clean)
		o->clean(&s);
	ERR_clear_error();
	*blocks = faults->blocks - before;
	if (!*what && files_open() != open_before)
		*what = "a file stays open";
	return faults->failed > 0;
}

static void sweep_run(const struct operation *o, size_t k)
{
	int64_t blocks, expected;
	const char *what;
	struct error e;
	int code;
	uint64_t told = 0;
	faults->fail_at = 0;
	faults->count = 1;
	for (int warm = 0; warm < 3; warm++) /* what libraries keep for ever they take now */
		if (once(o, kind[k].class, &expected, &what, &code, &e) || what)
			broken("%s does not work: %s: %s", o->name, what, e.text);
	for (; progress->variant < kind[k].variants; progress->variant++, progress->at = 1) {
		faults->variant = progress->variant;
		for (;; progress->at += every) {
			faults->fail_at = progress->at;
			bool has_failed = once(o, kind[k].class, &blocks, &what, &code, &e);
			if (!has_failed && !what)
				break;
			progress->tried++;
			if (!what && blocks > expected) { /* unless a library keeps it from now on */
				once(o, kind[k].class, &blocks, &what, &code, &e);
				if (!what && blocks > expected)
					what = "memory is lost";
			}
			if (is_told)
				printf("%s: %s, call %llu (%s): %s %s\n", o->name, kind[k].name,
				       (unsigned long long)progress->at, faults->call, error_name(code), e.text);
			if (!what)
				continue;
			progress->wrong++;
			if (told++ < FAULTS_TOLD_MOST) {
				point_tell(o, k, what);
				if (code)
					printf("\tit said %s: %s\n", error_name(code), e.text);
			}
		}
	}
}

/* ---- a process for each ---- */

static void child_run(const struct operation *o, size_t k)
{
	sweep_run(o, k);
	progress->is_over = true;
	exit(0);
}

/* True: every point of it was as it should be. */
static bool operation_sweep(const struct operation *o, size_t k, uint64_t *tried)
{
	int status;
	memset(progress, 0, sizeof *progress);
	progress->at = 1;
	while (!progress->is_over) {
		fflush(stdout);
		pid_t child = fork();
		if (child == 0)
			child_run(o, k);
		if (child < 0 || waitpid(child, &status, 0) < 0)
			broken("cannot start a process: %s", strerror(errno));
		if (progress->is_over)
			break;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
			return false;
		progress->wrong++;
		progress->tried++;
		point_tell(o, k, WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "the process ended");
		progress->at += every;
		if (progress->wrong > FAULTS_TOLD_MOST)
			return false;
	}
	printf("%-24s %-8s %6llu points%s\n", o->name, kind[k].name, (unsigned long long)progress->tried,
	       progress->wrong ? ", WRONG" : "");
	*tried += progress->tried;
	return progress->wrong == 0;
}

int main(int argc, char **argv)
{
	static const struct operations *const rooms[] = { &base_operations,  &crypto_operations,  &proto_operations,
		                                          &store_operations, &journal_operations, &link_operations };
	static const struct option options[] = { { "every", required_argument, NULL, 'e' },
		                                 { "only", required_argument, NULL, 'o' },
		                                 { "tell", no_argument, NULL, 't' },
		                                 { NULL, 0, NULL, 0 } };
	const char *only = "";
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option == 'e')
			every = strtoull(optarg, NULL, 10);
		else if (option == 'o')
			only = optarg;
		else if (option == 't')
			is_told = true;
		else
			return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0); /* what a process said is not lost with it */
	progress = mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	snprintf(folder, sizeof folder, "%s/lm-sweep-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!every || progress == MAP_FAILED || !mkdtemp(folder))
		broken("no memory or no folder: %s", strerror(errno));
	faults = &progress->faults;
	uint64_t tried = 0, passed = 0, failed = 0;
	for (size_t room = 0; room < sizeof rooms / sizeof *rooms; room++)
		for (size_t i = 0; i < rooms[room]->count; i++)
			for (size_t k = 0; k < sizeof kind / sizeof *kind; k++)
				if (strstr(rooms[room]->list[i].name, only)) {
					bool is_right = operation_sweep(&rooms[room]->list[i], k, &tried);
					passed += is_right;
					failed += !is_right;
				}
	folder_empty();
	rmdir(folder);
	printf("%llu points\n%llu passed, %llu failed\n", (unsigned long long)tried, (unsigned long long)passed,
	       (unsigned long long)failed);
	return failed != 0;
}

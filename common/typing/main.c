/*
 * lm-pinyin [FOLDER OF DICTIONARIES]: a process of its own for pinyin, started by lm-terminal with one socket
 * (worker/worker.h). A packed PinyinCommand in, a packed PinyinView out; it ends with the terminal.
 *
 * Once the dictionaries are open it gives up the right to open anything more, files and sockets alike: what residents
 * type cannot leave it but by the one socket. It writes nothing down and leaves no core.
 */
#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "proto/codec.h"
#include "typing/typing.h"
#include "worker/worker.h"

#define QUESTION_BYTES_MOST 1024
#define ARENA_BYTES_MOST (1024 * 1024)

static int doors_close(struct error *e)
{
	static const struct rlimit none = { 0, 0 };
	if (setrlimit(RLIMIT_NOFILE, &none) || setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return error_set_errno(e, errno, "rights cannot be given up");
	return OK;
}

static int question_answer(struct typing *t, struct bytes question, struct arena *arena)
{
	struct error e = { 0 };
	struct bytes packed;
	Lm__PinyinCommand *in;
	Lm__PinyinView view = LM__PINYIN_VIEW__INIT;
	int result = CODEC_UNPACK(lm__pinyin_command, question, arena, &in, &e);
	if (!result)
		result = typing_find(t, in, arena, &view, &e);
	if (!result)
		result = CODEC_PACK(&view, arena, &packed, &e);
	return worker_say(WORKER_DESCRIPTOR, result, result ? bytes_from_text(e.text) : packed);
}

static void serve(struct typing *t)
{
	struct buffer question = { 0 };
	struct arena arena;
	arena_init(&arena, ARENA_BYTES_MOST);
	while (!worker_hear(WORKER_DESCRIPTOR, QUESTION_BYTES_MOST, &question) &&
	       !question_answer(t, buffer_bytes(&question), &arena))
		arena_reset(&arena);
	buffer_release(&question);
	arena_release(&arena);
}

int main(int argc, char **argv)
{
	struct typing *t = NULL;
	struct error e = { 0 };
	if (argc > 2)
		return error_exit_code(ERR_USAGE);
	int result = typing_open(argc == 2 ? argv[1] : LM_PINYIN_DATA, &t, &e);
	if (!result)
		result = doors_close(&e);
	worker_say(WORKER_DESCRIPTOR, result, bytes_from_text(e.text));
	if (!result)
		serve(t);
	typing_close(t);
	return 0;
}

/*
 * lm-pinyin: a process of its own for pinyin, started by lm-terminal with a socket as its standard input. One packed
 * PinyinCommand a message in, one packed PinyinAnswer out; it ends when the other side does.
 *
 * Once the dictionaries are open it gives up the right to open anything more, files and sockets alike: what residents
 * type cannot leave it but by the one socket. It writes nothing down and leaves no core.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/codec.h"
#include "typing/typing.h"

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

static int question_answer(struct typing *t, struct bytes question, struct arena *arena, struct bytes *packed)
{
	struct error e = { 0 };
	Lm__PinyinCommand *in;
	Lm__PinyinView view = LM__PINYIN_VIEW__INIT;
	Lm__PinyinAnswer answer = LM__PINYIN_ANSWER__INIT;
	int result = CODEC_UNPACK(lm__pinyin_command, question, arena, &in, &e);
	if (!result)
		result = typing_find(t, in, arena, &view, &e);
	if (result)
		answer.why_not = e.text;
	else
		answer.view = &view;
	return CODEC_PACK(&answer, arena, packed, &e);
}

static void serve(struct typing *t)
{
	uint8_t question[QUESTION_BYTES_MOST];
	struct arena arena;
	struct bytes packed;
	arena_init(&arena, ARENA_BYTES_MOST);
	for (;;) {
		ssize_t size = recv(STDIN_FILENO, question, sizeof question, 0);
		if (size < 0 && errno == EINTR)
			continue;
		if (size <= 0 || question_answer(t, BYTES(question, (size_t)size), &arena, &packed) ||
		    send(STDIN_FILENO, packed.data, packed.size, MSG_NOSIGNAL) < 0)
			break;
		explicit_bzero(question, sizeof question);
		arena_reset(&arena);
	}
	arena_release(&arena);
}

int main(int argc, char **argv)
{
	struct typing *t;
	struct error e;
	int result = argc <= 2 ? typing_open(argc == 2 ? argv[1] : LM_PINYIN_DATA, &t, &e)
	                       : error_set(&e, ERR_USAGE, "usage: lm-pinyin [FOLDER OF DICTIONARIES]");
	if (!result)
		result = doors_close(&e);
	if (result) {
		fprintf(stderr, "lm-pinyin: %s\n", e.text);
		return error_exit_code(result);
	}
	serve(t);
	typing_close(t);
	return 0;
}

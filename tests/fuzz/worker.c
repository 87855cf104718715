/*
 * Both ends of a worker's socket: what a process that the better was got of says to the terminal, and what it is asked;
 * then the questions of lm-voice and lm-pinyin, and the answers of the second. Every byte is there and the other side
 * has gone: nobody may wait.
 */
#include <sys/socket.h>

#include "frames.h" /* of the room worker */
#include "fuzz.h"
#include "proto/codec.h"
#include "proto/desk.pb-c.h"
#include "speech/voice.h"

#define MOST 512
#define LATER_MS (INT64_C(1) << 50)

/* One end of a socket, out of which these bytes come, and then the end. */
static int end_with(struct bytes content)
{
	int ends[2];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	must(send(ends[1], content.data ? content.data : (const void *)"", content.size, MSG_NOSIGNAL) ==
	     (ssize_t)content.size);
	close(ends[1]);
	return ends[0];
}

static void questions_take(struct bytes packed)
{
	struct voice_question q;
	struct buffer again = { 0 };
	struct arena arena;
	Lm__PinyinCommand *command;
	Lm__PinyinView *view;
	struct error e;
	arena_init(&arena, 0);
	if (!voice_question_unpack(packed, &q, &e)) {
		must(q.text.size <= VOICE_TEXT_BYTES_MOST && q.rate >= VOICE_RATE_LEAST && q.rate <= VOICE_RATE_MOST);
		must(!voice_question_pack(&q, &again, &e) && bytes_equal(packed, buffer_bytes(&again)));
	}
	if (CODEC_UNPACK(lm__pinyin_command, packed, &arena, &command, &e))
		must(utf8_length(bytes_from_text(e.text)) > 0);
	if (CODEC_UNPACK(lm__pinyin_view, packed, &arena, &view, &e))
		must(utf8_length(bytes_from_text(e.text)) > 0);
	buffer_release(&again);
	arena_release(&arena);
}

static void answers_take(struct bytes content)
{
	int result, status = OK, descriptor = end_with(content);
	struct buffer out = { 0 };
	size_t whole = 0;
	do {
		size_t before = out.size;
		result = answer_read(descriptor, LATER_MS, NULL, MOST, &out, &status);
		must(result == OK || result == ERR_NOT_READY);
		must(result ? out.size == before : out.size - before <= (status ? ERROR_TEXT_BYTES : MOST));
		must(result || status <= OK);
		whole += result ? 0 : 5 + out.size - before;
	} while (!result);
	must(whole <= content.size);
	buffer_release(&out);
	close(descriptor);
}

static void questions_hear(struct bytes content)
{
	int descriptor = end_with(content);
	struct buffer question = { 0 };
	while (!worker_hear(descriptor, MOST, &question)) {
		must(question.size && question.size <= MOST);
		questions_take(buffer_bytes(&question));
	}
	must(worker_is_interrupted(descriptor)); /* nobody is there any more, or what follows was not read */
	buffer_release(&question);
	close(descriptor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes content = BYTES(data, size < 64 * 1024 ? size : 64 * 1024);
	answers_take(content);
	questions_hear(content);
	questions_take(content);
	return 0;
}

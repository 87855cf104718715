/* What a server says through its door, in pieces of any size: whether it has admitted its visitor is heard the same. */
#include "fuzz.h"
#include "speech.h" /* of the room net */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct speech whole, pieces;
	speech_begin(&whole);
	speech_begin(&pieces);
	size_t step = size ? 1 + data[0] % 7 : 1;
	speech_hear(&whole, data, size);
	for (size_t at = 0; at < size; at += step)
		speech_hear(&pieces, data + at, size - at < step ? size - at : step);
	must(whole.is_ready == pieces.is_ready);
	must(whole.filled < sizeof whole.head);
	must(!whole.is_ready || size >= 64 + 2 + 6);
	must(!whole.is_ready || memmem(data, size, "\5READY", 6));
	return 0;
}

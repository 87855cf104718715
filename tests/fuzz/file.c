/* A file that a resident or a clerk adds: what it is by its bytes. What is called a picture carries none of what
 * betrays. */
#include "domain/domain.h"
#include "fuzz.h"

static bool has(const uint8_t *data, size_t size, const char *mark)
{
	return memmem(data, size, mark, strlen(mark)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *type = file_type_of(BYTES(data, size));
	if (!type)
		return 0;
	if (strcmp(type, "image/png") == 0)
		must(has(data, size, "IHDR") && memcmp(data + size - 8, "IEND", 4) == 0);
	else if (strcmp(type, "image/jpeg") == 0)
		must(size >= 6 && data[size - 1] == 0xd9);
	else if (strcmp(type, "image/webp") == 0)
		must(size >= 20 && has(data, size, "VP8"));
	else
		must(strcmp(type, "application/pdf") == 0 && has(data, size, "%%EOF"));
	return 0;
}

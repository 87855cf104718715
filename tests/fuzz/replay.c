/* Feeds a target the files that are named, and every file of the folders that are named, in the order of their names.
 */
#include <dirent.h>

#include "base/files.h"
#include "fuzz.h"

#define INPUT_BYTES_MOST (4u * 1024 * 1024)

static FILE *out; /* the target may silence its standard output */
static size_t passed, failed;

__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void input_replay(const char *path)
{
	struct buffer input = { 0 };
	struct error e;
	if (file_read(path, INPUT_BYTES_MOST, &input, &e)) {
		fprintf(out, "%s\n", e.text);
		failed++;
		return;
	}
	/* Memory of exactly its size, so that a sanitizer sees whoever reads on. */
	uint8_t *exact = malloc(input.size ? input.size : 1);
	must(exact);
	if (input.size)
		memcpy(exact, input.data, input.size);
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(exact, input.size);
	passed++;
	free(exact);
	buffer_release(&input);
}

static int name_is_ours(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void folder_replay(const char *folder)
{
	struct dirent **entries;
	char path[4096];
	int count = scandir(folder, &entries, name_is_ours, alphasort);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		input_replay(path);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

int main(int argc, char **argv)
{
	out = fdopen(dup(STDOUT_FILENO), "w");
	must(out);
	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		struct stat status;
		if (stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode))
			folder_replay(argv[i]);
		else
			input_replay(argv[i]);
	}
	fprintf(out, "%zu passed, %zu failed\n", passed, failed);
	fclose(out);
	return failed || !passed;
}

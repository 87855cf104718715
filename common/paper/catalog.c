/* An incremental update (ISO 32000-1, 7.5.6): the catalog once more, a cross-reference of one entry, a trailer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define UPDATE_BYTES 2048
#define TAIL_BYTES 1024 /* cairo's trailer lies within */

struct found {
	size_t size, root, info, xref; /* of the trailer */
	const char *catalog;           /* the entries of the catalog's dictionary, after "<<" */
	int catalog_bytes;
};

static const char *find(const char *from, const char *end, const char *word)
{
	return from ? memmem(from, (size_t)(end - from), word, strlen(word)) : NULL;
}

static bool number_after(const char *from, const char *end, const char *word, size_t *out)
{
	const char *at = find(from, end, word);
	char *stop;
	if (!at)
		return false;
	*out = strtoul(at + strlen(word), &stop, 10);
	return stop != at + strlen(word);
}

/* `text` ends with a NUL. */
static bool trailer_read(const char *text, size_t size, struct found *f)
{
	const char *end = text + size, *tail = size > TAIL_BYTES ? end - TAIL_BYTES : text;
	const char *trailer = find(tail, end, "trailer");
	char name[40];
	if (!trailer || !number_after(trailer, end, "/Size ", &f->size) ||
	    !number_after(trailer, end, "/Root ", &f->root) || !number_after(trailer, end, "/Info ", &f->info) ||
	    !number_after(trailer, end, "startxref\n", &f->xref))
		return false;
	snprintf(name, sizeof name, "\n%zu 0 obj\n<<", f->root);
	const char *object = find(text, end, name);
	f->catalog = object ? object + strlen(name) : NULL;
	const char *stop = find(f->catalog, end, "endobj");
	const char *close = stop ? memrchr(f->catalog, '>', (size_t)(stop - f->catalog)) : NULL;
	if (!close || close - f->catalog < 2 || close - f->catalog > UPDATE_BYTES / 2)
		return false;
	f->catalog_bytes = (int)(close - 1 - f->catalog);
	return true;
}

int catalog_amend(struct buffer *pdf, const char *language, struct error *e)
{
	struct found f;
	char update[UPDATE_BYTES];
	if (buffer_append(pdf, BYTES("", 1)))
		return error_set(e, ERR_MEMORY, "no memory for the paper");
	pdf->size--;
	if (!trailer_read((const char *)pdf->data, pdf->size, &f))
		return error_set(e, ERR_INTERNAL, "the paper is no PDF that can be amended");
	int object = snprintf(update, sizeof update,
	                      "%zu 0 obj\n<< /Lang (%.20s) /ViewerPreferences << /DisplayDocTitle true >> /MarkInfo << "
	                      "/Marked true >>%.*s>>\nendobj\n",
	                      f.root, language, f.catalog_bytes, f.catalog);
	size_t at = (size_t)object;
	if (object > 0 && at < sizeof update)
		at += (size_t)snprintf(
		        update + at, sizeof update - at,
		        "xref\n%zu 1\n%010zu 00000 n \ntrailer\n<< /Size %zu /Root %zu 0 R /Info %zu 0 R "
		        "/Prev %zu >>\nstartxref\n%zu\n%%%%EOF\n",
		        f.root, pdf->size, f.size, f.root, f.info, f.xref, pdf->size + (size_t)object);
	if (object <= 0 || at >= sizeof update)
		return error_set(e, ERR_INTERNAL, "the paper is no PDF that can be amended");
	return buffer_append(pdf, BYTES(update, at)) ? error_set(e, ERR_MEMORY, "no memory for the paper") : OK;
}

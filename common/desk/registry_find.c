/*
 * Searches in the index of residents' records. Every record is looked at: see bench/RESULTS.md, console.
 */
#include <stdlib.h>

#include "registry_parts.h"

#define TAIL 4

bool words_read(const char *text, struct words *w)
{
	size_t size = 0, digits = 0, letters = 0;
	for (const char *p = text; *p && size < WORDS_BYTES_MOST; p++) {
		char c = *p >= 'A' && *p <= 'Z' && *p != 'X' ? (char)(*p - 'A' + 'a') : *p;
		if (c == ' ' || c == '\t' || c == '-')
			continue;
		digits += (c >= '0' && c <= '9') || c == 'X';
		letters += (c >= 'a' && c <= 'z') || c == 'X';
		w->text[size++] = c;
	}
	w->text[size] = '\0';
	w->is_number = size && digits == size;
	w->is_latin = size && letters == size;
	for (size_t i = 0; i < size && w->is_latin; i++)
		w->text[i] = w->text[i] == 'X' ? 'x' : w->text[i];
	return size > 0;
}

bool words_fit_number(const struct words *w, const char *number)
{
	if (!w->is_number)
		return false;
	size_t size = strlen(number), wanted = strlen(w->text);
	return wanted == TAIL ? size >= TAIL && strcmp(number + size - TAIL, w->text) == 0
	                      : strcmp(number, w->text) == 0;
}

bool words_fit_name(const struct words *w, const char *name, const char *initials)
{
	return strstr(name, w->text) || (w->is_latin && strstr(initials, w->text));
}

static bool entry_fits(const char *text, const struct words *w)
{
	const char *initials = next_piece(text), *number = next_piece(initials);
	if (words_fit_name(w, text, initials) || words_fit_number(w, number))
		return true;
	for (number = next_piece(next_piece(number)); *number; number = next_piece(number))
		if (words_fit_number(w, number))
			return true;
	return false;
}

size_t registry_search(struct index *r, const char *text, struct id *found, size_t most, bool *is_more)
{
	struct words w;
	size_t count = 0;
	*is_more = false;
	if (!words_read(text, &w))
		return 0;
	pthread_mutex_lock(&r->lock);
	for (size_t i = r->count; i > 0 && !*is_more; i--) { /* the newest first, as far as nobody was erased */
		if (!entry_fits(r->entry[i - 1].data, &w))
			continue;
		*is_more = count == most;
		if (!*is_more)
			found[count++] = r->entry[i - 1].id;
	}
	pthread_mutex_unlock(&r->lock);
	return count;
}

static bool has_number(const char *numbers, const char *wanted)
{
	for (; *numbers; numbers = next_piece(numbers))
		if (strcmp(numbers, wanted) == 0)
			return true;
	return false;
}

/* `mine`: the same of the facts that are asked about. */
static struct agreement agreement_of(const struct entry *e, const char *mine)
{
	const char *number = next_piece(next_piece(e->data)), *birth = next_piece(number);
	const char *my_number = next_piece(next_piece(mine)), *my_birth = next_piece(my_number);
	bool has_name = strcmp(e->data, mine) == 0;
	struct agreement a = { .person = e->id,
		               .has_id_number = number[0] && strcmp(number, my_number) == 0,
		               .has_name_and_birth = has_name && birth[0] && strcmp(birth, my_birth) == 0 };
	for (const char *p = next_piece(my_birth); *p && has_name; p = next_piece(p))
		a.has_name_and_phone |= has_number(next_piece(birth), p);
	return a;
}

size_t registry_agreeing(struct index *r, const Lm__PersonFacts *facts, struct id except, struct agreement *found,
                         size_t most)
{
	char *mine = entry_text(NULL, facts); /* initials are not compared */
	size_t count = 0;
	if (!mine)
		return 0;
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->count && count < most; i++) {
		struct agreement a = agreement_of(&r->entry[i], mine);
		if ((a.has_id_number || a.has_name_and_birth || a.has_name_and_phone) && !id_equal(a.person, except))
			found[count++] = a;
	}
	pthread_mutex_unlock(&r->lock);
	free(mine);
	return count;
}

static int number_compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(next_piece(next_piece(x->data)), next_piece(next_piece(y->data)));
	return order ? order : memcmp(x->id.byte, y->id.byte, ID_BYTES);
}

static bool same_number(const struct entry *a, const struct entry *b)
{
	return strcmp(next_piece(next_piece(a->data)), next_piece(next_piece(b->data))) == 0;
}

int registry_doubles(struct index *r, struct id *found, size_t *group, size_t most, size_t *count, bool *is_more)
{
	size_t groups = 0, total = 0;
	*count = 0;
	*is_more = false;
	pthread_mutex_lock(&r->lock);
	struct entry *list = calloc(r->count + 1, sizeof *list);
	for (size_t i = 0; list && i < r->count; i++)
		if (*next_piece(next_piece(r->entry[i].data)))
			list[total++] = r->entry[i];
	if (list && total)
		qsort(list, total, sizeof *list, number_compare);
	for (size_t i = 0, end; list && i < total && !*is_more; i = end) {
		for (end = i + 1; end < total && same_number(&list[i], &list[end]);)
			end++;
		*is_more = end - i > 1 && *count + (end - i) > most;
		for (size_t k = i; end - i > 1 && !*is_more && k < end; k++) {
			found[*count] = list[k].id;
			group[(*count)++] = groups;
		}
		groups += end - i > 1;
	}
	pthread_mutex_unlock(&r->lock);
	free(list);
	return list ? OK : ERR_MEMORY;
}

/* Characters of names that are in no word of the dictionaries, or in none that people know. */
#ifndef TYPING_PARTS_H
#define TYPING_PARTS_H

const char *parts_of(const char *character); /* "方方土"; NULL: not in the list */

#endif

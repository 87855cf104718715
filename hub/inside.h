/* What the files of the hub share. */
#ifndef HUB_INSIDE_H
#define HUB_INSIDE_H

#include "http/http.h"

/* publication.c: drafts, publication and arrival, for the page of the catalogue */
extern const struct http_route publication_routes[];
extern const size_t publication_route_count;

#endif

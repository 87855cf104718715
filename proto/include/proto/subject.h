/* What an entry is about: whose key envelopes go when that is erased, and whose versions follow each other. */
#ifndef PROTO_SUBJECT_H
#define PROTO_SUBJECT_H

#include "proto/codec.h"
#include "proto/entry.pb-c.h"

/* The request if the header names one, else the resident's record; empty if it names neither. An event that says whose
 * case it is names both, and stays with its case. */
static inline struct bytes header_subject(const Lm__Header *h)
{
	return codec_bytes(h->request_id.len ? h->request_id : h->person_id);
}

#endif

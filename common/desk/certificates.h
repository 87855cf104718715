/* Certificates, assessments, samples and what is to be verified: what the files about them share. */
#ifndef DESK_CERTIFICATES_H
#define DESK_CERTIFICATES_H

#include "domain/certificate.h"
#include "errand.h"

/* A step of somebody at this node; `record` NULL: of nobody in particular. */
struct certificate_actor desk_actor(struct node *n, const Lm__PersonRecord *record);

#endif

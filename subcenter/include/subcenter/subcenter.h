/* What only a town does: receipts of its terminals looked up elsewhere, locks released. Everything else is common. */
#ifndef SUBCENTER_SUBCENTER_H
#define SUBCENTER_SUBCENTER_H

#include "node/node.h"

struct tier subcenter_tier(void);

#endif

/* What only the district does: totals over all towns. Everything else is common. */
#ifndef HUB_HUB_H
#define HUB_HUB_H

#include "node/node.h"

struct tier hub_tier(void);

#endif

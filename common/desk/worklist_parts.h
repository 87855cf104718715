/* The index of cases in memory: what its files share. */
#ifndef DESK_WORKLIST_PARTS_H
#define DESK_WORKLIST_PARTS_H

#include "worklist.h"

struct work {                           /* an entry's data */
	uint64_t opened, closed;        /* keys of the open and the closed list; 0: not there */
	int64_t due_ms;                 /* 0: nothing runs */
	int64_t take_by_ms;             /* handed over to us: until then somebody accepts it; 0: not, or nobody knows */
	uint32_t service, place, staff; /* labels */
	uint32_t applicant;
	uint32_t access; /* needs, as bits */
	uint8_t state;
	bool is_handed; /* handed over, to us or by us, and not accepted yet; or referred, and not back */
};

#endif

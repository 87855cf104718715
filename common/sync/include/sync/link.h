/*
 * The engine of a link: one pure step.
 *
 * A link joins two neighbours. Each side sends some lines (a line is one stream of one origin, numbered locally)
 * and takes others. The engine decides what to send, when to ask again, when a neighbour is lost; it never does it.
 * There is no I/O, clock or random source in here: time and random numbers come in with the event, and what to
 * do leaves in the update. The engine knows ordinals (local positions in a line), never bytes.
 *
 *            LINK_TRANSPORT_UP (client)          HELLO answered
 *   IDLE ──────────────────────────────► GREETED ───────────────► OPEN
 *    ▲  ◄───── silence, REFUSE, DOWN ───────┘                       │
 *    └──────────────── silence, REFUSE, TRANSPORT_DOWN ◄────────────┘
 *   (a server goes from IDLE to OPEN when it answers a HELLO; a new HELLO begins a new session)
 *
 * Order of effects (docs/SYNC.md): what an update sends, it sends about committed state only. `LINK_LINE_MOVED` and
 * `LINK_STORED` are given to the engine after the commit, so an ack cannot leave before its entries are durable.
 *
 * Ownership: the link owns its lanes; an update owns its list of actions until it is cleared or released.
 */
#ifndef SYNC_LINK_H
#define SYNC_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/errors.h"

#define LINK_VERSION_LEAST 1
#define LINK_VERSION_MOST 1
#define LINK_BATCH_ENTRIES_MOST 256
#define LINK_BATCH_BYTES_MOST (256u * 1024)
#define LINK_CREDIT_ENTRIES 2048 /* under way per line */
#define LINK_CREDIT_BYTES (2u * 1024 * 1024)
#define LINK_BEAT_MS 2000    /* of a neighbour that does not say how often it beats */
#define LINK_SILENCE_MS 9000 /* without any frame: the neighbour is lost; longer if it beats less often */
#define LINK_HELLO_RETRY_MS 3000
#define LINK_RESEND_MS 6000  /* sent, session alive, no ack progress: send again */
#define LINK_RESTART_MS 1000 /* further EXPECTED acks of one gap, from frames that were already under way */
#define LINK_FROZEN_MS                                                                                            \
	60000             /* a line that the neighbour refused is offered again: it may have been let go on there \
	                   */
#define LINK_STUCK_MS 100 /* nothing could be sent though it may be: when to try again */

enum link_side { LINK_CLIENT, LINK_SERVER };
enum link_state { LINK_IDLE, LINK_GREETED, LINK_OPEN };

struct link_out { /* a line that this side sends */
	uint32_t line;
	uint64_t head;  /* newest ordinal that may be sent */
	uint64_t acked; /* stored by the neighbour */
	uint64_t sent;  /* handed to the transport */
	uint32_t bytes_under_way;
	uint32_t credit_entries, credit_bytes;
	uint64_t progress_ms;  /* when acked last moved, or the first entry under way was sent */
	uint64_t frozen_ms;    /* when the neighbour last said that it takes no more */
	uint64_t restarted_ms; /* when an EXPECTED ack last sent us back */
	bool is_started;       /* the neighbour's position is known */
	bool is_frozen;        /* the neighbour takes no more */
	bool is_last;          /* sent entry by entry, when no other line has anything to send */
};

struct link_in { /* a line that this side takes */
	uint32_t line;
	uint64_t stored; /* committed here */
	uint64_t acked;  /* told to the neighbour */
	bool is_frozen;
	bool must_tell;   /* an ack is due though nothing moved: a duplicate came, or a gap */
	bool is_expected; /* tell it as a gap */
};

struct link {
	enum link_side side;
	enum link_state state;
	uint64_t session;
	uint64_t heard_ms, said_ms, since_ms;
	uint64_t greeted_ms;
	uint64_t stuck_ms;              /* when the transport last took nothing; 0: it does */
	uint32_t beat_ms, peer_beat_ms; /* how often either side says that it lives */
	uint64_t peer_waiting;          /* from its beats */
	uint64_t resends;   /* times that something sent was sent again: no ack, or the neighbour missed it */
	bool is_inbox_full; /* then credits of zero are granted */
	bool is_send_asked; /* a LINK_DO_SEND waits for its LINK_SENT, or for the next tick */
	struct link_out *out;
	size_t out_count, out_capacity, out_turn; /* out_turn: whose turn it is, so that lines share a link fairly */
	struct link_in *in;
	size_t in_count, in_capacity;
};

enum link_event_type {
	LINK_TRANSPORT_UP, /* client: the connection is authenticated */
	LINK_TRANSPORT_DOWN,
	LINK_HELLO, /* a HELLO came; `version_least/most`, `beat_ms` (0: not said); a server also gets `fresh_session`;
	             * an open client takes over a session that it does not know (the server answered a repeated
	             * greeting) */
	LINK_PEER_AT,    /* from HELLO or an EXPECTED ack: the neighbour stands at `ordinal` of `line` */
	LINK_ACKED,      /* the neighbour stored up to `ordinal` of `line`; credits */
	LINK_PEER_FROZE, /* the neighbour froze `line` */
	LINK_REFUSED,    /* a REFUSE came */
	LINK_HEARD, /* any other frame of this session; a beat sets `flag` and `ordinal`, what the neighbour has waiting
	             */
	LINK_SEND_LINE,  /* this side sends `line`, whose head is `ordinal`; `flag`: behind all others */
	LINK_LEAVE_LINE, /* this side does not send `line` any more */
	LINK_TAKE_LINE,  /* this side takes `line`, committed up to `ordinal` */
	LINK_LINE_MOVED, /* a line this side sends was committed up to `ordinal` */
	LINK_STORED,     /* a line this side takes was committed up to `ordinal`; it is not frozen then */
	LINK_DUPLICATE,  /* entries of `line` came again: ack again */
	LINK_GAP,        /* entries of `line` came that do not follow: tell what is expected */
	LINK_FROZEN,     /* `line` was frozen here; the neighbour is told once, and a new session forgets */
	LINK_SENT, /* answer to LINK_DO_SEND: sent up to `ordinal`, `bytes`; equal to what was there if nothing could be
	            */
	LINK_OFFER, /* what the neighbour refused may be let go on there: all lines are offered again */
	LINK_INBOX, /* the inbox became full (`flag`) or has room again */
	LINK_TICK,  /* `flag`: frames of the neighbour have come and wait to be looked at, so it is not silent */
};

struct link_event {
	enum link_event_type type;
	uint64_t now_ms;        /* monotonic */
	uint64_t session;       /* LINK_HELLO at a client: the server's */
	uint64_t fresh_session; /* LINK_HELLO at a server: a random number */
	uint32_t version_least, version_most, beat_ms;
	uint32_t line;
	uint64_t ordinal;
	uint32_t bytes, credit_entries, credit_bytes;
	bool flag;
};

enum link_action_type {
	LINK_DO_HELLO, /* send HELLO with our positions in all lines we take; session of the link */
	LINK_DO_SEND,  /* load entries of `line` from `ordinal` on, at most `entries` and `bytes`, ending at a signed
	                  head; send; report LINK_SENT */
	LINK_DO_ACK,   /* send an ack for `line` up to `ordinal`; `is_expected`, `is_frozen`, credits */
	LINK_DO_BEAT,
	LINK_DO_REFUSE,      /* versions do not meet */
	LINK_DO_RECONNECT,   /* client: drop the transport and start anew */
	LINK_DO_TELL_OPEN,   /* the link came up: tell the node (state for pages, marks to send again) */
	LINK_DO_TELL_CLOSED, /* the link went down */
};

struct link_action {
	enum link_action_type type;
	uint32_t line;
	uint64_t ordinal;
	uint32_t entries, bytes; /* also the credits of an ack */
	bool is_expected, is_frozen;
};

struct link_update {
	struct link_action *action;
	size_t count, capacity;
};

void link_init(struct link *l, enum link_side side, uint32_t beat_ms);
void link_release(struct link *l);
void link_update_clear(struct link_update *u);
void link_update_release(struct link_update *u);

/* One step. Appends to `u`. ERR_MEMORY: nothing was done, as if the event had not come. What a neighbour said comes
 * again; what the node says of its own lines it must say again. */
int link_step(struct link *l, const struct link_event *event, struct link_update *u);

/* When the next LINK_TICK is due, if no other event comes before it; UINT64_MAX: never. */
uint64_t link_due_ms(const struct link *l);

uint64_t link_waiting(const struct link *l); /* entries not yet acked, over all lines that this side sends */
const struct link_out *link_out_find(const struct link *l, uint32_t line);

#endif

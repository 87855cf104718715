/*
 * Views that lmctl and the pages share: status and links. Built on the writer, which owns what they show.
 */
#ifndef NODE_CONTROL_H
#define NODE_CONTROL_H

#include "node/node.h"

/* GET handlers for tables of routes: NodeStatus, LinksView. */
void control_status(void *context, struct http_request *r);
void control_links(void *context, struct http_request *r);
/* What is held up: QuarantineView for ?view=open|done&after=…&limit=…, and QuarantineCommand → QuarantineItem. Over the
 * Unix socket the command says by whom; for a page it is the user of its session. */
void control_quarantine(void *context, struct http_request *r);
void control_quarantine_act(void *context, struct http_request *r);
/* The directory and its tokens, for tables of routes: DevicesView; RevokeCommand → DeviceView; TokenCommand →
 * TokenView; TokensView; WithdrawTokenCommand → TokenRow. What changes something is refused but at the hub.
 * Who may is for the table of routes to say. */
void control_devices(void *context, struct http_request *r);
void control_places(void *context, struct http_request *r); /* PlacesView */
void control_revoke(void *context, struct http_request *r);
/* ReleaseCommand → DeviceView: which of a device's two histories goes on. */
void control_release(void *context, struct http_request *r);
void control_token(void *context, struct http_request *r);
void control_tokens(void *context, struct http_request *r);
void control_withdraw_token(void *context, struct http_request *r);
/* JoinCommand → Empty: a token is typed in at a device that waits for one. */
void control_card_issue(void *context, struct http_request *r);
void control_card_revoke(void *context, struct http_request *r);
void control_join(void *context, struct http_request *r);
/* BackupCommand → BackupView; BackupProof → Empty; BackupsView. */
void control_backup(void *context, struct http_request *r);
void control_backup_confirm(void *context, struct http_request *r);
void control_backups(void *context, struct http_request *r);
/* What a restored node waits for: ReturnView; LeaveOutCommand → ReturnView. */
void control_return(void *context, struct http_request *r);
void control_leave_out(void *context, struct http_request *r);
/* The links as they are now, for an event stream; `done` on the loop thread, which owns `view` during the call. */
int links_view_get(struct node *n, void (*done)(struct node *n, const Lm__LinksView *view));

#endif

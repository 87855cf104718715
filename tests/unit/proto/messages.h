/*
 * Every message of our .proto files. A test reads those files and names what is missing here.
 */
#ifndef TEST_MESSAGES_H
#define TEST_MESSAGES_H

#include "proto/api.pb-c.h"
#include "proto/catalogue.pb-c.h"
#include "proto/entry.pb-c.h"
#include "proto/payload.pb-c.h"
#include "proto/place.pb-c.h"
#include "proto/row.pb-c.h"
#include "proto/wire.pb-c.h"

static const ProtobufCMessageDescriptor *const messages[] = {
	/* api.proto */
	&lm__empty__descriptor,
	&lm__error_text__descriptor,
	&lm__error_view__descriptor,
	&lm__login_command__descriptor,
	&lm__session_view__descriptor,
	&lm__marks3__descriptor,
	&lm__terminal_state__descriptor,
	&lm__catalogue_view__descriptor,
	&lm__draft_view__descriptor,
	&lm__submit_command__descriptor,
	&lm__field_fault__descriptor,
	&lm__submit_view__descriptor,
	&lm__lookup_command__descriptor,
	&lm__status_view__descriptor,
	&lm__receipt_view__descriptor,
	&lm__receipts_view__descriptor,
	&lm__ask_command__descriptor,
	&lm__case_row__descriptor,
	&lm__cases_view__descriptor,
	&lm__field_view__descriptor,
	&lm__event_view__descriptor,
	&lm__ask_view__descriptor,
	&lm__case_view__descriptor,
	&lm__case_command__descriptor,
	&lm__link_view__descriptor,
	&lm__links_view__descriptor,
	&lm__total_row__descriptor,
	&lm__totals_view__descriptor,
	&lm__line_view__descriptor,
	&lm__node_status__descriptor,
	&lm__tape_view__descriptor,
	&lm__tapes_view__descriptor,
	&lm__admit_command__descriptor,
	&lm__revoke_command__descriptor,
	&lm__device_view__descriptor,
	&lm__devices_view__descriptor,
	&lm__publish_command__descriptor,
	&lm__publish_view__descriptor,
	&lm__user_command__descriptor,
	&lm__table_digest__descriptor,
	&lm__verify_view__descriptor,
	&lm__rebuild_view__descriptor,
	&lm__quarantine_item__descriptor,
	&lm__quarantine_view__descriptor,
	&lm__quarantine_command__descriptor,
	&lm__health_check__descriptor,
	&lm__health_view__descriptor,
	/* catalogue.proto */
	&lm__words__descriptor,
	&lm__basis__descriptor,
	&lm__field_choice__descriptor,
	&lm__field__descriptor,
	&lm__step__descriptor,
	&lm__privacy__descriptor,
	&lm__sharing__descriptor,
	&lm__owner_rule__descriptor,
	&lm__service__descriptor,
	/* entry.proto */
	&lm__parent__descriptor,
	&lm__header__descriptor,
	&lm__envelope__descriptor,
	&lm__period_wrap__descriptor,
	&lm__period_notice__descriptor,
	&lm__signed_heads__descriptor,
	&lm__tape_item__descriptor,
	&lm__line_state__descriptor,
	&lm__segment__descriptor,
	&lm__run__descriptor,
	&lm__checkpoint_head__descriptor,
	&lm__checkpoint__descriptor,
	/* payload.proto */
	&lm__field_value__descriptor,
	&lm__consent__descriptor,
	&lm__guardian__descriptor,
	&lm__request_payload__descriptor,
	&lm__answer_payload__descriptor,
	&lm__withdraw_payload__descriptor,
	&lm__case_payload__descriptor,
	&lm__status_message__descriptor,
	&lm__case_copy_payload__descriptor,
	&lm__lock_release_payload__descriptor,
	&lm__receipt_lock_payload__descriptor,
	&lm__account_payload__descriptor,
	&lm__node_secret_payload__descriptor,
	&lm__device_record__descriptor,
	&lm__authority_payload__descriptor,
	&lm__device_file__descriptor,
	&lm__quarantine_act_payload__descriptor,
	/* row.proto */
	&lm__pending_ask__descriptor,
	&lm__case_record__descriptor,
	&lm__request_record__descriptor,
	&lm__count_record__descriptor,
	&lm__quarantine_record__descriptor,
	/* wire.proto */
	&lm__stream_key__descriptor,
	&lm__entry__descriptor,
	&lm__position__descriptor,
	&lm__hello__descriptor,
	&lm__batch__descriptor,
	&lm__ack_line__descriptor,
	&lm__ack__descriptor,
	&lm__mark__descriptor,
	&lm__marks__descriptor,
	&lm__signed_marks__descriptor,
	&lm__ask__descriptor,
	&lm__answer__descriptor,
	&lm__refuse__descriptor,
	&lm__link_report__descriptor,
	&lm__beat__descriptor,
	&lm__frame__descriptor,
	/* api.proto */
	&lm__request_event__descriptor,
	/* place.proto */
	&lm__community_place__descriptor,
	&lm__town_place__descriptor,
	&lm__district_place__descriptor,
	&lm__places_file__descriptor,
};
#define MESSAGE_COUNT (sizeof messages / sizeof *messages)

#endif

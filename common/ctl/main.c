/* lmctl: what an operator does at a command line, over a daemon's Unix socket or on a closed directory. */
#include <stdio.h>

#include "crypto/crypto.h"

#include "ctl.h"
#include "options.h"

#define ARENA_BYTES_MOST (512u * 1024 * 1024) /* lists of a whole district fit many times over */

#define DATA OPTION_BIT(OPTION_DATA)
#define JSON OPTION_BIT(OPTION_JSON)
#define BY OPTION_BIT(OPTION_BY)

const struct ctl_command ctl_commands[] = {
	{ "help", "[COMMAND]", "list the commands, or explain one", NULL, 0, 0, 0, 2, help_run },
	{ "status", "", "how a daemon is: storage, links, what waits, what stands where", NULL, DATA | JSON, 0, 0, 0,
	  status_run },
	{ "journal tail", "", "the newest items of the tape, or those from a position on",
	  "Shows the last 20 items without --from. Marks: s = a signed head names the entry.",
	  DATA | JSON | OPTION_BIT(OPTION_FROM) | OPTION_BIT(OPTION_COUNT), 0, 0, 0, journal_tail_run },
	{ "verify", "", "read every row, every chain and every signature",
	  "Asks the daemon if one runs, else opens the folder itself. Fails if anything is not as it was written.",
	  DATA | JSON, 0, 0, 0, verify_run },
	{ "rebuild", "", "replay the tape and compare with the stored state",
	  "The daemon must be stopped. Prints both hashes and fails when they differ.",
	  DATA | JSON | OPTION_BIT(OPTION_REPLACE), 0, 0, 0, rebuild_run },
	{ "recovery key", "FILE", "make the key that opens backups; on another machine than any daemon's",
	  "Prints the public half, which goes into the daemons' configurations as recovery_key. Keep two copies of the "
	  "file, offline.",
	  0, 0, 1, 1, recovery_key_run },
	{ "backup verify", "BACKUP KEYTABLE", "open a backup to its end and check all of it",
	  "Needs the recovery key and no daemon. Writes BACKUP.verified, which is for lmctl backup confirm.",
	  JSON | OPTION_BIT(OPTION_RECOVERY_KEY) | OPTION_BIT(OPTION_SCRATCH), OPTION_BIT(OPTION_RECOVERY_KEY), 2, 2,
	  backup_verify_run },
	{ "backup confirm", "FILE...", "tell a daemon that its backup was verified: what is in it is safe from now on",
	  "FILE is a .verified file. One that was confirmed before, or is older than one that was, is passed over.",
	  DATA, 0, 1, CTL_WORDS_MOST, backup_confirm_run },
	{ "backup list", "", "which backup is verified, and which wait for it", NULL, DATA | JSON, 0, 0, 0,
	  backup_list_run },
	{ "backup make", "", "write a backup into the daemon's backup_folder, sealed to its recovery_key",
	  "The daemon goes on meanwhile. Without a daemon say --to and --sealed-to.",
	  DATA | JSON | OPTION_BIT(OPTION_KEY_TABLE) | OPTION_BIT(OPTION_TO) | OPTION_BIT(OPTION_SEALED_TO), 0, 0, 0,
	  backup_run },
	{ "restore", "BACKUP KEYTABLE", "make a daemon's data folder from a backup; --data names the new folder",
	  "Verifies everything first. The daemon that is started there waits until its neighbours have given back "
	  "what\n"
	  "the backup lacks.",
	  DATA | JSON | OPTION_BIT(OPTION_RECOVERY_KEY), OPTION_BIT(OPTION_RECOVERY_KEY), 2, 2, restore_run },
	{ "return begin", "",
	  "hub, town: the folder is an older image of this disk; before the daemon is started there",
	  "The daemon waits until its neighbours have given back what the image lacks, as after a restore. One that "
	  "ran\n"
	  "since (it logs put-back): stop it and put the same image there once more.",
	  DATA, 0, 0, 0, return_begin_run },
	{ "return without", "DEVICE-OR-PLACE", "a restored node does not wait for this neighbour",
	  "What only that neighbour holds is lost here; when it comes back it logs a rollback.",
	  DATA | JSON | BY | OPTION_BIT(OPTION_REASON), OPTION_BIT(OPTION_REASON), 1, 1, return_leave_out_run },
	{ "return list", "", "whom a restored node still waits for", NULL, DATA | JSON, 0, 0, 0, return_run },
	{ "keys", "[DIR]", "make or read a device's keys; write DIR/device.json for the district",
	  "Prints the fingerprint. A daemon does the same when it starts for the first time.", DATA | JSON, 0, 0, 1,
	  keys_run },
	{ "admit", "FILE", "hub: admit the device whose device.json this is",
	  "Compare the fingerprint with what the device's own screen shows, not with what came with the file.",
	  DATA | JSON | BY | OPTION_BIT(OPTION_FINGERPRINT) | OPTION_BIT(OPTION_ROLE) | OPTION_BIT(OPTION_PLACE),
	  OPTION_BIT(OPTION_FINGERPRINT) | OPTION_BIT(OPTION_ROLE) | OPTION_BIT(OPTION_PLACE), 1, 1, admit_run },
	{ "revoke", "DEVICE-OR-PLACE", "hub: refuse a device from now on",
	  "A revoked key stays revoked: a machine that comes back makes new keys.",
	  DATA | JSON | BY | OPTION_BIT(OPTION_REASON), OPTION_BIT(OPTION_REASON), 1, 1, revoke_run },
	{ "rotate", "", "change the keys of a device while it works",
	  "The daemon makes new keys and asks the district, signed with those it has. When the directory names them "
	  "it\n"
	  "starts anew with them; what was sealed to the old ones is still opened. lmctl status says how it goes.",
	  DATA | JSON, 0, 0, 0, rotate_run },
	{ "release", "DEVICE-OR-PLACE HISTORY", "hub: of a device with two histories, this one goes on",
	  "Two machines have its keys. lmctl status names both histories at the hub and at the device's town; each\n"
	  "machine's own status and page say which is its own. The other machine is closed for ever; what it had "
	  "taken\n"
	  "comes into quarantine, item by item.",
	  DATA | JSON | BY | OPTION_BIT(OPTION_REASON), OPTION_BIT(OPTION_REASON), 2, 2, release_run },
	{ "devices", "", "the directory: every device, admitted and revoked", NULL, DATA | JSON, 0, 0, 0, devices_run },
	{ "quarantine list", "", "items that are not applied: in quarantine, held, set aside",
	  "Shows where they come from and why they are held up, and nothing personal.",
	  DATA | JSON | OPTION_BIT(OPTION_COUNT) | OPTION_BIT(OPTION_AFTER) | OPTION_BIT(OPTION_DONE), 0, 0, 0,
	  quarantine_list_run },
	{ "quarantine retry", "ITEM", "apply an item now; if it fails again it stays, with the new reason",
	  "For items in quarantine or held.", DATA | JSON | BY | OPTION_BIT(OPTION_REASON), 0, 1, 1,
	  quarantine_retry_run },
	{ "quarantine drop", "ITEM", "an item is never to be applied",
	  "It stays on the tape as dropped, with the reason. What cites it stays held until it is dropped, too.",
	  DATA | JSON | BY | OPTION_BIT(OPTION_REASON), OPTION_BIT(OPTION_REASON), 1, 1, quarantine_drop_run },
	{ "withdraw", "TOKEN", "hub: a token that was issued is not valid any more",
	  "TOKEN is its name in the list of lmctl tokens, not its secret.", DATA | JSON | BY, 0, 1, 1, withdraw_run },
	{ "token", "", "hub: issue a token with which one device may join, once",
	  "Prints the token; it is told only here. It is for the device with this fingerprint, at this place, and "
	  "valid\n"
	  "for a quarter of an hour. It is typed in at the device: on its page, or with lmctl join.",
	  DATA | JSON | BY | OPTION_BIT(OPTION_KEY) | OPTION_BIT(OPTION_ROLE) | OPTION_BIT(OPTION_PLACE) |
	          OPTION_BIT(OPTION_VALID),
	  OPTION_BIT(OPTION_KEY) | OPTION_BIT(OPTION_ROLE) | OPTION_BIT(OPTION_PLACE), 0, 0, token_run },
	{ "tokens", "", "hub: the tokens that were issued, and what became of them", NULL, DATA | JSON, 0, 0, 0,
	  tokens_run },
	{ "join", "TOKEN", "device: give it the token that the district issued for it",
	  "Hyphens and lower case do not matter. lmctl status says how it goes.", DATA, 0, 1, 1, join_run },
	{ "card issue", "KEY [PERSON]", "hub: sign for the key of a new card; prints its number and its certificate",
	  "KEY is the card's public key (P-256, 130 hexadecimal digits), PERSON the id of the resident's record that "
	  "it "
	  "is\n"
	  "for. docs/CARDS.md says what is written into the card.",
	  DATA | JSON | BY, 0, 1, 2, card_issue_run },
	{ "card revoke", "NUMBER", "hub: terminals refuse this card from now on",
	  "For one that was lost, or whose person died. Say nothing about the person: every terminal hears the reason.",
	  DATA | JSON | BY | OPTION_BIT(OPTION_REASON), OPTION_BIT(OPTION_REASON), 1, 1, card_revoke_run },
	{ "catalogue check", "FILE...", "check services before they are published",
	  "Needs no daemon. Prints each fault as FILE: path: text.", 0, 0, 1, CTL_WORDS_MOST, catalogue_check_run },
	{ "catalogue publish", "FILE...", "hub: publish services; what has not changed is left as it is",
	  "Checks all files first and publishes nothing if one has a fault. Who wrote them (--by) and who publishes\n"
	  "them (--second) are two people.",
	  DATA | JSON | BY | OPTION_BIT(OPTION_SECOND), OPTION_BIT(OPTION_SECOND), 1, CTL_WORDS_MOST,
	  catalogue_publish_run },
	{ "catalogue list", "", "the services that this daemon knows", NULL, DATA | JSON, 0, 0, 0, catalogue_list_run },
	{ "calendar check", "FILE...", "check years of working days before they are published",
	  "Needs no daemon. Prints each fault as FILE: path: text.", 0, 0, 1, CTL_WORDS_MOST, calendar_check_run },
	{ "calendar publish", "FILE...", "hub: publish years of working days; what has not changed is left as it is",
	  "One file a year, from the State Council's notice. A year that has none promises no dates.",
	  DATA | JSON | BY | OPTION_BIT(OPTION_SECOND), OPTION_BIT(OPTION_SECOND), 1, CTL_WORDS_MOST,
	  calendar_publish_run },
	{ "calendar list", "", "the years whose working days this daemon knows", NULL, DATA | JSON, 0, 0, 0,
	  calendar_list_run },
	{ "wording check", "FILE...", "check texts that answers begin with before they are published",
	  "Needs no daemon. Prints each fault as FILE: path: text.", 0, 0, 1, CTL_WORDS_MOST, wording_check_run },
	{ "wording publish", "FILE...", "hub: publish such texts; what has not changed is left as it is",
	  "Desks offer them to who answers a request, beside their own; is_withdrawn takes one away.",
	  DATA | JSON | BY | OPTION_BIT(OPTION_SECOND), OPTION_BIT(OPTION_SECOND), 1, CTL_WORDS_MOST,
	  wording_publish_run },
	{ "persons import", "FILE", "town: bring in residents' records, one ImportedPerson a line as JSON",
	  "Checks the whole file first. The same file again changes nothing. What has a fault, or may be on file "
	  "already,\n"
	  "is left out and told by its line.",
	  DATA | BY | OPTION_BIT(OPTION_REASON) | OPTION_BIT(OPTION_DOUBLES), OPTION_BIT(OPTION_REASON), 1, 1,
	  persons_import_run },
	{ "submit", "", "terminal: hand in requests, to try out the whole way",
	  "Without --values the answers are made up, and obviously so: region 990114, phones that begin with 000.\n"
	  "Prints request id, receipt code and when it was saved. Fails if one is not saved or --wait ran out.",
	  DATA | JSON | OPTION_BIT(OPTION_SERVICE) | OPTION_BIT(OPTION_VALUES) | OPTION_BIT(OPTION_COUNT) |
	          OPTION_BIT(OPTION_WAIT) | OPTION_BIT(OPTION_UNTIL),
	  0, 0, 0, submit_run },
	{ "lookup", "CODE", "terminal: what a receipt code shows", NULL, DATA | JSON, 0, 1, 1, lookup_run },
	{ "account list", "", "accounts: roles, who is locked, which resets are proposed", NULL, DATA | JSON, 0, 0, 0,
	  account_list_run },
	{ "account open", "NAME", "open an account; prints a password for its first login, which sets another",
	  "Roles: clerk, supervisor, assessor, administrator at a town; operator, editor, publisher, auditor,\n"
	  "administrator at the hub.",
	  DATA | JSON | BY | OPTION_BIT(OPTION_ROLE), OPTION_BIT(OPTION_ROLE), 1, 1, account_open_run },
	{ "account close", "NAME", "close an account; its sessions end", NULL, DATA | JSON | BY, 0, 1, 1,
	  account_close_run },
	{ "account role", "NAME", "give an account another role; its sessions end", NULL,
	  DATA | JSON | BY | OPTION_BIT(OPTION_ROLE), OPTION_BIT(OPTION_ROLE), 1, 1, account_role_run },
	{ "account unlock", "NAME", "an account that waits after wrong tries need not wait", NULL, DATA | JSON | BY, 0,
	  1, 1, account_unlock_run },
	{ "account reset", "NAME", "a new password for one login, and no second factor any more",
	  "For who forgot the one or lost the other. Two people who may, --by and --second, type their own passwords;\n"
	  "with --password-file - they come as two lines on standard input.",
	  DATA | JSON | BY | OPTION_BIT(OPTION_SECOND) | OPTION_BIT(OPTION_PASSWORD_FILE),
	  BY | OPTION_BIT(OPTION_SECOND), 1, 1, account_reset_run },
	{ "user add", "NAME", "open an account with a password that stays, or give it one: for scripts and trials",
	  "Asks for the password at the terminal, twice, unless --password-file is given. Roles: clerk,\n"
	  "supervisor, assessor, administrator at a town; operator, editor (drafts), publisher, auditor, administrator "
	  "at\n"
	  "the hub.",
	  DATA | JSON | BY | OPTION_BIT(OPTION_ROLE) | OPTION_BIT(OPTION_PASSWORD_FILE), OPTION_BIT(OPTION_ROLE), 1, 1,
	  user_add_run },
	{ "user close", "NAME", "close an account; its sessions end", NULL, DATA | JSON | BY, 0, 1, 1, user_close_run },
	{ "trace", "REQUEST", "the name under which every tier's log tells of a request",
	  "Needs no daemon: `grep` for it in the logs of terminal, town and district.", 0, 0, 1, 1, trace_run },
};
const size_t ctl_command_count = sizeof ctl_commands / sizeof *ctl_commands;

static int run(struct call *c, int argc, char **argv, struct error *e)
{
	int result = call_read(c, argc, argv, e);
	if (result)
		return result;
	if (call_has(c, OPTION_HELP)) {
		help_show(c->command);
		return OK;
	}
	result = crypto_init(e);
	return result ? result : c->command->run(c, e);
}

int main(int argc, char **argv)
{
	struct call c = { 0 };
	struct error e = { 0 };
	arena_init(&c.arena, ARENA_BYTES_MOST);
	int result = run(&c, argc - 1, argv + 1, &e);
	if ((fflush(stdout) || ferror(stdout)) && !result)
		result = error_set(&e, ERR_IO, "cannot write the output: is the disk full?");
	if (result)
		print_error(&e);
	client_close(c.client);
	arena_release(&c.arena);
	return error_exit_code(result);
}

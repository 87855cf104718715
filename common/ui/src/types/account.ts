// Logins, accounts, and who did what.

export interface PasswordCommand {
	old: string;
	password: string;
}

export interface EnrolView {
	secret: string;
	modules: string; // a line a row, 1 is dark
}

export interface SessionRow {
	session: string;
	begun_ms: string;
	used_ms: string;
	is_locked: boolean;
	is_this: boolean;
}

export interface SessionsView {
	sessions: SessionRow[];
}

export type AccountAct =
	| 'ACCOUNT_ACT_OPEN'
	| 'ACCOUNT_ACT_CLOSE'
	| 'ACCOUNT_ACT_ROLE'
	| 'ACCOUNT_ACT_PROPOSE_RESET'
	| 'ACCOUNT_ACT_DROP_RESET'
	| 'ACCOUNT_ACT_RESET'
	| 'ACCOUNT_ACT_UNLOCK';

export interface AccountRow {
	name: string;
	role: string;
	is_closed: boolean;
	must_change: boolean;
	has_second: boolean;
	reset_by: string;
	locked_until_ms: string;
	is_mine: boolean;
}

export interface AccountsView {
	accounts: AccountRow[];
	roles: string[];
	is_second_optional: boolean;
}

export interface AccountStepView {
	account: AccountRow;
	password: string;
}

export interface AuditRow {
	position: string;
	time_ms: string;
	what: string;
	by: string;
	second: string;
	about: string;
	reason: string;
}

export interface AuditView {
	rows: AuditRow[];
	next: string;
}

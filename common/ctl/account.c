/* lmctl user: accounts of staff. A password comes from a file, a pipe or the keyboard, never from the command line. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/files.h"
#include "crypto/crypto.h"
#include "domain/domain.h"
#include "proto/api.pb-c.h"

#include "account.h"

static volatile sig_atomic_t was_interrupted;

/* One byte, 0 at the end. `let_in` are the signals let in while it waits; NULL leaves them as they are. */
static int byte_read(int fd, const sigset_t *let_in, char *one, ssize_t *got, const char *name, struct error *e)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	do {
		*got = ppoll(&wait, 1, NULL, let_in) < 0 ? -1 : read(fd, one, 1);
		if (was_interrupted)
			return error_set(e, ERR_INVALID, "broken off: nothing was changed");
	} while (*got < 0 && errno == EINTR);
	return *got < 0 ? error_set_errno(e, errno, "cannot read the password from %s", name) : OK;
}

/* The first line of a descriptor. */
static int line_read(int fd, const sigset_t *let_in, const char *name, struct password *out, struct error *e)
{
	size_t size = 0;
	for (;;) {
		char one = 0;
		ssize_t got = 0;
		int result = byte_read(fd, let_in, &one, &got, name, e);
		if (result)
			return result;
		if (got == 0 || one == '\n')
			break;
		if (size == PASSWORD_BYTES_MOST)
			return error_set(e, ERR_INVALID, "the password from %s is longer than %d bytes", name,
			                 PASSWORD_BYTES_MOST);
		out->text[size++] = one;
	}
	if (size && out->text[size - 1] == '\r')
		size--;
	out->text[size] = '\0';
	if (strlen(out->text) != size)
		return error_set(e, ERR_INVALID, "the password from %s holds a NUL byte", name);
	return size ? OK : error_set(e, ERR_INVALID, "the password from %s is empty", name);
}

static int prompt_read(const char *prompt, const sigset_t *let_in, struct password *out, struct error *e)
{
	struct termios before, silent;
	if (tcgetattr(STDIN_FILENO, &before))
		return error_set(e, ERR_USAGE,
		                 "there is no keyboard to ask for the password: give --password-file FILE, or - for "
		                 "standard input");
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	/* Before the prompt: what is typed at once must neither be shown nor be lost in the flush. */
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent))
		return error_set_errno(e, errno, "cannot hide what is typed");
	fprintf(stderr, "%s: ", prompt);
	int result = line_read(STDIN_FILENO, let_in, "the keyboard", out, e);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fprintf(stderr, "\n");
	return result;
}

static void interrupt_note(int number)
{
	(void)number;
	was_interrupted = 1;
}

/* Ctrl-C ends the reading, not the process: the terminal must get its echo back. It is let in only while a byte is
 * waited for, so that none is missed between two. */
static int prompt_times(const char *prompt, bool is_twice, struct password *out, struct error *e)
{
	struct password again = { 0 };
	struct sigaction noted = { .sa_handler = interrupt_note }, before;
	sigset_t blocked, let_in;
	sigemptyset(&noted.sa_mask);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, &let_in);
	sigaction(SIGINT, &noted, &before);
	int result = prompt_read(prompt, &let_in, out, e);
	if (!result && is_twice)
		result = prompt_read("once more", &let_in, &again, e);
	sigaction(SIGINT, &before, NULL);
	sigprocmask(SIG_SETMASK, &let_in, NULL);
	if (!result && is_twice && strcmp(out->text, again.text) != 0)
		result = error_set(e, ERR_INVALID, "the two passwords differ: try again");
	crypto_wipe(&again, sizeof again);
	return result;
}

int password_ask(struct call *c, const char *prompt, struct password *out, struct error *e)
{
	const char *file = c->option[OPTION_PASSWORD_FILE];
	if (!file)
		return prompt_times(prompt, false, out, e);
	if (strcmp(file, "-") == 0)
		return line_read(STDIN_FILENO, NULL, "standard input", out, e);
	return error_set(e, ERR_USAGE, "--password-file: - alone, with one password a line; else each types his own");
}

static int password_read(const struct call *c, struct password *out, struct error *e)
{
	const char *file = c->option[OPTION_PASSWORD_FILE];
	if (!file)
		return prompt_times("password", true, out, e);
	if (strcmp(file, "-") == 0)
		return line_read(STDIN_FILENO, NULL, "standard input", out, e);
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(e, errno, "cannot open %s", file);
	int result = line_read(fd, NULL, file, out, e);
	close(fd);
	return result;
}

static int user_send(struct call *c, char *role, char *password, struct error *e)
{
	Lm__UserCommand command = LM__USER_COMMAND__INIT;
	Lm__Empty *empty = NULL;
	command.name = c->word[0];
	command.role = role;
	command.password = password;
	command.by = call_by(c);
	return client_post(c, "/ctl/v1/users", &command.base, &lm__empty__descriptor, &empty, e);
}

int role_check(const char *role, struct error *e)
{
	const char *roles[ROLES_MOST];
	char known[ROLE_WORDS_BYTES];
	size_t count = role_list(LM__TIER__TIER_NONE, roles);
	for (size_t i = 0; i < count; i++)
		if (strcmp(role, roles[i]) == 0)
			return OK;
	role_words(LM__TIER__TIER_NONE, known, sizeof known);
	return error_set(e, ERR_USAGE, "--role: '%.40s' is none of %s", role, known);
}

int user_add_run(struct call *c, struct error *e)
{
	struct password password = { 0 };
	char *role = c->option[OPTION_ROLE];
	int result = role_check(role, e);
	if (!result)
		result = password_read(c, &password, e);
	if (!result && utf8_length(bytes_from_text(password.text)) < PASSWORD_LEAST_CHARACTERS)
		result = error_set(e, ERR_INVALID, "a password has at least %d characters; a few words are good",
		                   PASSWORD_LEAST_CHARACTERS);
	if (!result)
		result = user_send(c, role, password.text, e);
	crypto_wipe(&password, sizeof password);
	if (!result && !call_has(c, OPTION_JSON))
		print_text("%s is %s now\n", c->word[0], role);
	return result;
}

int user_close_run(struct call *c, struct error *e)
{
	static char nothing[] = "";
	int result = user_send(c, nothing, nothing, e);
	if (!result && !call_has(c, OPTION_JSON))
		print_text("%s is closed\n", c->word[0]);
	return result;
}

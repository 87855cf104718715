#!/usr/bin/env python3
"""What lmctl does without a daemon: help, checks of files, refusals, and what it says when nobody answers, or nonsense."""
import copy
import fcntl
import hashlib
import json
import os
import pathlib
import pty
import re
import select
import socket
import stat
import subprocess
import sys
import tempfile
import termios
import threading
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/lib"))
import report  # noqa: E402

LMCTL = pathlib.Path(os.environ.get("LM_BUILD", TOP / "build")) / "lmctl"
CATALOGUE = sorted((TOP / "deploy/catalogue").glob("*.json"))
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "LM_DATA"}


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="lmctl-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_it(self, *words, stdin="", **more):
        return subprocess.run([LMCTL, *map(str, words)], input=stdin, capture_output=True, text=True, timeout=60,
                              env={**ENVIRONMENT, **more})

    def good(self, *words, **more):
        done = self.run_it(*words, **more)
        self.assertEqual((0, ""), (done.returncode, done.stderr), done.stdout)
        return done.stdout

    def bad(self, code, *words, **more):
        """Fails with this exit code and one error; what it says."""
        done = self.run_it(*words, **more)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        self.assertTrue(done.stderr.startswith("lmctl: "), done.stderr)
        self.assertNotIn("Sanitizer", done.stderr)
        self.said = done.stdout
        return done.stderr

    def write(self, name, content):
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), encoding="utf-8")
        return path


def commands():
    text = subprocess.run([LMCTL, "help"], capture_output=True, text=True, timeout=60, check=True).stdout
    for line in re.findall(r"^  (\S.*)$", text, re.MULTILINE):
        yield re.match(r"[a-z]+(?: [a-z]+)?(?= +[A-Z\[]|  )", line).group()


def receipt_code(digits):
    """With the check digit of ISO/IEC 7064, MOD 11,10."""
    rest = 10
    for digit in digits:
        rest = (rest + int(digit)) % 10 or 10
        rest = rest * 2 % 11
    return digits + str((11 - rest) % 10)


class Help(Case):
    def test_every_command_of_the_manual_is_there_and_explains_itself(self):
        names = list(commands())
        self.assertEqual({"help", "status", "journal tail", "verify", "rebuild", "keys", "admit", "revoke", "release", "rotate", "devices",
                          "token", "withdraw", "tokens", "join", "card issue", "card revoke",
                          "quarantine list", "quarantine retry", "quarantine drop", "catalogue check",
                          "catalogue publish", "catalogue list", "calendar check", "calendar publish", "calendar list", "wording check", "wording publish", "persons import", "submit", "lookup",
                          "account list", "account open", "account close", "account role", "account unlock", "account reset", "user add",
                          "user close", "trace", "recovery key", "backup make", "backup verify", "backup confirm",
                          "backup list", "restore", "return list", "return without", "return begin"}, set(names))
        for name in names:
            with self.subTest(command=name):
                text = self.good("help", *name.split())
                self.assertTrue(text.startswith(f"lmctl {name}"), text)
                self.assertEqual(text, self.good(*name.split(), "--help"))

    def test_help_of_a_group_explains_all_of_it(self):
        text = self.good("help", "catalogue")
        for name in ("check", "publish", "list"):
            self.assertIn(f"lmctl catalogue {name}", text)

    def test_help_without_a_command_lists_them(self):
        self.assertEqual(self.good("help"), self.good("--help"))


class Usage(Case):
    def test_what_is_wrong_is_said_and_the_code_is_2(self):
        for words, said in (
                ((), "lmctl help"),
                (("statsu",), "no command statsu"),
                (("help", "statsu"), "no command statsu"),
                (("journal",), "journal tail"),
                (("catalogue", "chekc"), "catalogue check, catalogue publish, catalogue list"),
                (("status",), "LM_DATA"),
                (("status", "--data"), "--data needs a value"),
                (("status", "--data="), "--data needs a value"),
                (("status", "--dta", "x"), "no option --dta"),
                (("status", "-d", "x"), "no option -d"),
                (("status", "--json=1"), "takes no value"),
                (("status", "--data", "x", "--data", "y"), "twice"),
                (("status", "--replace"), "takes no --replace"),
                (("status", "--data", "x", "extra"), "one word too many"),
                (("journal", "tail", "--data", "x", "--count", "0"), "--count"),
                (("journal", "tail", "--data", "x", "--count", "-1"), "--count"),
                (("journal", "tail", "--data", "x", "--from", "18446744073709551616"), "--from"),
                (("journal", "tail", "--data", "x", "--from", "1 "), "--from"),
                (("lookup", "--data", "x"), "needs CODE"),
                (("lookup", "123", "--data", "x"), ""),
                (("lookup", "123456789012x", "--data", "x"), ""),
                (("revoke", "310114106001-T1", "--data", "x"), "needs --reason"),
                (("revoke", "kiosk", "--reason", "lost", "--data", "x"), "16 hexadecimal digits"),
                (("submit", "--until", "hub", "--data", "x"), "neither town nor district"),
                (("user", "add", "chen", "--data", "x"), "needs --role"),
                (("user", "add", "chen", "--role", "king", "--data", "x"), "none of clerk, supervisor, assessor, operator, editor, publisher, auditor and administrator"),
                (("trace", "12"), "32 hexadecimal digits"),
                (("catalogue", "check"), "needs FILE..."),
                (("catalogue", "check", *["x"] * 300), "more than"),
                (("catalogue", "check", "--", "--json"), "1 fault in the catalogue"),
        ):
            with self.subTest(words=words[:6]):
                self.assertIn(said, self.bad(2, *words))

    def test_a_path_that_no_socket_can_have_is_explained(self):
        self.assertIn("relative path", self.bad(2, "status", "--data", self.folder / ("x" * 100)))


class Unreachable(Case):
    def test_the_socket_is_named(self):
        for words in (("status",), ("journal", "tail"), ("devices",), ("catalogue", "list"), ("submit",),
                      ("lookup", receipt_code("12345678901")), ("user", "close", "chen"),
                      ("revoke", "310114106001-T1", "--reason", "lost")):
            with self.subTest(words=words):
                said = self.bad(6, *words, "--data", self.folder)
                self.assertIn(f"no daemon answers at {self.folder}/ctl.sock", said)
                self.assertEqual(said, self.bad(6, *words, LM_DATA=str(self.folder)))

    def test_a_socket_that_nobody_listens_to(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(self.folder / "ctl.sock"))
        self.assertIn("no daemon answers", self.bad(6, "status", "--data", self.folder))

    def test_verify_and_rebuild_of_a_folder_that_holds_nothing(self):
        for command in ("verify", "rebuild"):
            with self.subTest(command=command):
                done = self.run_it(command, "--data", self.folder / "none")
                self.assertNotEqual(0, done.returncode)
                self.assertIn("none", done.stderr)
                self.assertFalse((self.folder / "none").exists(), "looking at a folder must not make it")


class Nonsense(Case):
    """Something listens at the socket, but what it says is not what a daemon says."""

    def answer(self, raw):
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(self.folder / "ctl.sock"))
        server.listen()
        server.settimeout(30)

        def serve():
            try:
                with server.accept()[0] as peer:
                    peer.settimeout(10)
                    while b"\r\n\r\n" not in peer.recv(65536):
                        pass
                    peer.sendall(raw)
            except OSError:
                pass  # it hung up on us, as it should when we say too much

        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup((self.folder / "ctl.sock").unlink)
        self.addCleanup(thread.join)
        self.addCleanup(server.close)

    def answer_json(self, status, body):
        body = body.encode()
        self.answer(b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))

    def ask(self, code):
        said = self.bad(code, "status", "--data", self.folder)
        self.doCleanups()
        self.setUp()
        return said

    def test_answers_that_are_none(self):
        for raw, code, said in (
                (b"", 6, "broke off"),
                (b"SSH-2.0-OpenSSH\r\n", 6, "broke off"),
                (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", 6, "broke off"),
                (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", 2, "not what this version"),
                (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"line\":[]}", 2, "not what this version"),
                (b"HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nhello", 9, "answered 500 without a reason"),
                (b"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 9, "answered 302"),
                (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (12 << 20), 2, "larger than")):
            with self.subTest(raw=raw[:40]):
                self.answer(raw)
                self.assertIn(said, self.ask(code))

    def test_the_daemons_error_gives_the_exit_code(self):
        for name, code in (("invalid", 2), ("denied", 3), ("not-found", 4), ("conflict", 5), ("busy", 6), ("full", 7),
                           ("damaged", 8), ("io", 9), ("from-the-future", 9)):
            with self.subTest(name=name):
                self.answer_json(400, json.dumps({"error": {"code": name, "text": "It is so."}}))
                self.assertEqual("lmctl: It is so.\n", self.ask(code))

    def test_what_others_wrote_cannot_move_the_cursor(self):
        self.answer_json(400, json.dumps({"error": {"code": "invalid", "text": "a\x1b[2Jb\u009b1mc\x7f"}}))
        self.assertEqual("lmctl: a?[2Jb??1mc?\n", self.ask(2))
        self.answer_json(200, json.dumps({"program": "lm-hub\x1b[31m", "links": {"links": [{"place": "\x1b]0;x\x07"}]}}))
        shown = self.good("status", "--data", self.folder)
        self.assertNotRegex(shown, r"[\x00-\x09\x0b-\x1f\x7f]")
        self.assertIn("lm-hub?[31m", shown)


class CatalogueCheck(Case):
    def test_what_we_deliver_is_good(self):
        self.assertEqual(f"{len(CATALOGUE)} services: good\n", self.good("catalogue", "check", *CATALOGUE))

    def test_each_fault_is_found_where_it_is(self):
        good = json.loads((TOP / "deploy/catalogue/legal-advice.json").read_text(encoding="utf-8"))

        def broken(change):
            service = copy.deepcopy(good)
            change(service)
            return service

        for name, content, where in (
                ("not-json", "{", ""),
                ("a-list", "[]", ""),
                ("unknown-name", broken(lambda s: s.update(colour="red")), "colour"),
                ("twice", '{"id": "a", "id": "b"}', "Service: line 1"),
                ("number-for-text", broken(lambda s: s["fields"][0]["label"].update(zh=1)), "fields[0].label.zh: "),
                ("no-such-type", broken(lambda s: s["fields"][2].update(type="FIELD_TYPE_SMELL")), "fields[2].type: "),
                ("bad-id", broken(lambda s: s.update(id="Legal Advice")), "id: "),
                ("no-english", broken(lambda s: s["name"].update(en="")), "name.en: "),
                ("no-owner", broken(lambda s: s.pop("owner")), "owner: "),
                ("terminal-decides", broken(lambda s: s.update(owner="TIER_TERMINAL")), "owner: "),
                ("field-twice", broken(lambda s: s["fields"][1].update(id="name")), "fields[1].id: "),
                ("one-choice", broken(lambda s: s["fields"][7].update(choices=s["fields"][7]["choices"][:1])), "fields[7].choices: "),
                ("long-question", broken(lambda s: s["fields"][3]["label"].update(zh="想" * 21)), "fields[3].label.zh: "),
                ("telephone", broken(lambda s: s["fields"][1]["hint"].update(zh="请打 021-12345678。")), "fields[1].hint.zh: "),
                ("no-conditions", broken(lambda s: s.pop("conditions")), "conditions: "),
                ("no-applicant", broken(lambda s: s["fields"][0].pop("meaning")), "fields: "),
                ("no-steps", broken(lambda s: s.update(steps=[])), "steps: "),
                ("no-basis", broken(lambda s: s.update(basis=[])), "basis: "),
                ("no-source", broken(lambda s: s["basis"][0].update(source="")), "basis[0].source: ")):
            with self.subTest(fault=name):
                path = self.write(f"{name}.json", content)
                self.assertEqual("lmctl: 1 fault in the catalogue: mend it and check again\n",
                                 self.bad(2, "catalogue", "check", CATALOGUE[0], path))
                self.assertTrue(self.said.startswith(f"{path}: {where}"), self.said)
                self.assertEqual(1, self.said.count("\n"), self.said)

    def test_all_faults_of_all_files_are_named(self):
        empty, missing = self.write("empty.json", "{}"), self.folder / "missing.json"
        self.bad(2, "catalogue", "check", empty, missing)
        self.assertGreater(len([line for line in self.said.splitlines() if line.startswith(f"{empty}: ")]), 8)
        self.assertIn(f"{missing} does not exist", self.said)

    def test_the_same_service_in_two_files(self):
        path = self.write("again.json", CATALOGUE[0].read_text(encoding="utf-8"))
        self.bad(2, "catalogue", "check", CATALOGUE[0], path)
        self.assertIn(f"{path}: '", self.said)

    def test_nothing_is_published_while_one_has_a_fault(self):
        path = self.write("empty.json", "{}")
        self.assertIn("in the catalogue", self.bad(2, "catalogue", "publish", CATALOGUE[0], path, "--second", "chen", "--data", self.folder))


class DeviceCase(Case):
    def make(self, name="device"):
        folder = self.folder / name
        fingerprint = self.good("keys", folder).splitlines()[0]
        return folder, fingerprint, json.loads((folder / "device.json").read_text(encoding="utf-8"))


class Keys(DeviceCase):
    def test_keys_are_made_once_and_shown_again(self):
        folder, fingerprint, file = self.make()
        secret = (folder / "device.keys").read_bytes()
        (folder / "device.json").unlink()
        self.assertEqual((folder, fingerprint, file), self.make())
        self.assertEqual(secret, (folder / "device.keys").read_bytes())
        self.assertEqual(file, json.loads(self.good("keys", "--data", folder, "--json")))

    def test_the_file_holds_the_public_keys_and_nothing_else(self):
        folder, fingerprint, file = self.make()
        self.assertEqual({"suite", "curve_key", "signing_key", "opening_key", "fingerprint", "role", "place"}, set(file))
        self.assertEqual(("", "TIER_NONE", 1, fingerprint), (file["place"], file["role"], file["suite"], file["fingerprint"]))
        digits = hashlib.sha256(bytes.fromhex(file["curve_key"] + file["signing_key"] + file["opening_key"])).hexdigest()
        self.assertEqual(digits, fingerprint.replace("-", ""))
        self.assertEqual(0o600, stat.S_IMODE((folder / "device.keys").stat().st_mode))
        text = (folder / "device.json").read_text(encoding="utf-8")
        for name, value in re.findall(r"^(\w+) = (\w{64})$", (folder / "device.keys").read_text(encoding="utf-8"), re.MULTILINE):
            self.assertEqual(name.endswith("_public"), value in text, name)

    def test_damaged_keys_are_not_made_anew(self):
        folder, _, _ = self.make()
        path = folder / "device.keys"
        damaged = path.read_text(encoding="utf-8").replace("a", "b", 1)
        path.write_text(damaged, encoding="utf-8")
        self.bad(8, "keys", folder)
        self.assertEqual(damaged, path.read_text(encoding="utf-8"))


class Admit(DeviceCase):
    def admit(self, file, fingerprint, role="terminal", place="310114106001-T1"):
        return ("admit", file, "--fingerprint", fingerprint, "--role", role, "--place", place, "--data", self.folder)

    def test_only_the_fingerprint_of_these_keys_goes_on_to_the_hub(self):
        folder, fingerprint, _ = self.make()
        other = self.make("other")[1]
        path = folder / "device.json"
        self.assertIn("no daemon answers", self.bad(6, *self.admit(path, fingerprint)))
        self.assertIn("no daemon answers", self.bad(6, *self.admit(path, fingerprint.replace("-", " ").upper())))
        said = self.bad(2, *self.admit(path, other))
        for word in (fingerprint, other, "do not admit"):
            self.assertIn(word, said)
        self.assertIn("--fingerprint", self.bad(2, *self.admit(path, fingerprint[:-1])))

    def test_a_file_whose_keys_were_exchanged(self):
        folder, fingerprint, file = self.make()
        file["opening_key"] = self.make("other")[2]["opening_key"]
        path = self.write("changed.json", file)
        self.assertIn("not that of its keys", self.bad(2, *self.admit(path, fingerprint)))
        digits = hashlib.sha256(bytes.fromhex(file["curve_key"] + file["signing_key"] + file["opening_key"])).hexdigest()
        file["fingerprint"] = "-".join(digits[i:i + 4] for i in range(0, 64, 4))
        path = self.write("changed.json", file)
        self.assertIn("do not admit", self.bad(2, *self.admit(path, fingerprint)))

    def test_files_that_are_none(self):
        _, fingerprint, file = self.make()
        for name, content, said in (
                ("empty", "", ""),
                ("short-key", {**file, "curve_key": file["curve_key"][:-2]}, "curve_key"),
                ("other-suite", {**file, "suite": 9}, "suite 9"),
                ("huge-suite", {**file, "suite": 257}, "suite 257"),
                ("more", {**file, "store_key": "00"}, "store_key"),
                ("large", json.dumps(file) + " " * 5000, "larger than")):
            with self.subTest(name=name):
                path = self.write(f"{name}.json", content)
                self.assertIn(said, self.bad(8 if "suite" in name else 2, *self.admit(path, fingerprint)))

    def test_a_place_that_is_not_of_the_role(self):
        folder, fingerprint, _ = self.make()
        for role, place in (("town", "310114106001-T1"), ("terminal", "310114106"), ("terminal", "Anting"), ("hub", "310114")):
            with self.subTest(role=role, place=place):
                self.bad(2, *self.admit(folder / "device.json", fingerprint, role, place))


class Passwords(Case):
    ADD = ("user", "add", "chen", "--role", "clerk", "--data")

    def test_from_a_pipe_or_a_file(self):
        good = self.write("password", "twelve letters\n")
        self.assertIn("no daemon", self.bad(6, *self.ADD, self.folder, "--password-file", good))
        self.assertIn("no daemon", self.bad(6, *self.ADD, self.folder, "--password-file", "-", stdin="twelve letters\n"))
        for text, said in (("", "empty"), ("\nx", "empty"), ("short\n", "10 characters"), ("x" * 300, "longer than"), ("a\0b\n", "NUL")):
            with self.subTest(text=text[:10]):
                self.assertIn(said, self.bad(2, *self.ADD, self.folder, "--password-file", "-", stdin=text))

    def test_without_a_keyboard_it_says_how(self):
        self.assertIn("--password-file", self.bad(2, *self.ADD, self.folder))

    def typed(self, *keys):
        """What it says when this is typed at its prompts, and whether the terminal echoes afterwards."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        process = subprocess.Popen([LMCTL, *self.ADD, self.folder], stdin=slave, stdout=slave, stderr=subprocess.PIPE, text=True,
                                   env=ENVIRONMENT, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY))
        limit = threading.Timer(120, process.kill)
        limit.start()
        self.addCleanup(limit.cancel)
        said = ""
        for text in keys:
            while not said.endswith(": ") and (one := process.stderr.read(1)):
                said += one
            os.write(master, text.encode())
            said += "|"
        said += process.communicate()[1]
        shown = os.read(master, 4096).decode() if select.select([master], [], [], 0)[0] else ""
        self.assertNotIn("letters", shown)
        self.assertTrue(termios.tcgetattr(slave)[3] & termios.ECHO, "the terminal stays silent")
        return process.returncode, said

    def test_typed_twice(self):
        self.assertIn("no daemon", self.typed("twelve letters\n", "twelve letters\n")[1])
        code, said = self.typed("twelve letters\n", "twelve lettres\n")
        self.assertEqual(2, code)
        self.assertIn("the two passwords differ", said)

    def test_broken_off(self):
        for keys in (("\x03",), ("twelve letters\n", "twelve\x03")):
            with self.subTest(keys=keys):
                code, said = self.typed(*keys)
                self.assertEqual(2, code)
                self.assertIn("nothing was changed", said)


if __name__ == "__main__":
    report.main()

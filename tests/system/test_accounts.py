#!/usr/bin/env python3
"""Accounts from their opening to their end: first login, second factor, wrong tries, resets by two people, sessions, and what
the audit tells of all that. Codes come from an authenticator of our own (RFC 6238), not from the daemon's."""
import base64
import datetime
import hashlib
import hmac
import pathlib
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
OWN = "four words of my own"
STEP_S = 30
MINUTE_S, HALF_A_DAY_S = 60, 12 * 60 * 60
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))


def code_of(secret, step):
    key = base64.b32decode(secret.replace(" ", ""))
    digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 10**6:06}"


def step_now():
    return int(time.time()) // STEP_S


class Person(lm.Desk):
    """Somebody with a browser, and with an authenticator once he has enrolled it."""

    def __init__(self, node, name):
        super().__init__(node.http_address)
        self.node, self.name = node, name
        self.secret, self.password, self.used = None, None, 0

    def begin(self, password):
        """The first step of a login; what the daemon wants next."""
        view = self.open_session("/api/v1/login", {"name": self.name, "password": password})
        return view["step"]

    def choose(self, password):
        view = self.post("/api/v1/login/password", {"password": password})
        self.csrf, self.password = view["csrf"], password
        return view["step"]

    def enrol(self):
        self.secret = self.post("/api/v1/login/second")["secret"]
        return self.prove()

    def prove(self):
        """A code that was not used yet; waits for the next one if need be."""
        while True:
            while self.used >= step_now() + 1:
                time.sleep(1)
            self.used = max(self.used + 1, step_now() - 1)
            try:
                return self.give(code_of(self.secret, self.used))
            except lm.Refused:
                if self.used >= step_now() - 1:
                    raise  # not because its time was over when it arrived

    def give(self, code):
        view = self.post("/api/v1/login/code", {"code": code})
        self.csrf = view["csrf"]
        return view

    def log_in(self):
        step = self.begin(self.password)
        return self.prove() if step == "code" else step


class Accounts(lm.Case):
    def town(self, second_factor="required"):
        """Hub and town, as they are before anybody has an account."""
        district = self.lay_out(sites=0)
        town = district.towns[TOWN]
        town.settings["second_factor"] = second_factor
        district.make_keys()
        district.hub.start().wait_ready()
        district.set_upstreams()
        district.admit_missing()
        town.start().wait_ready().wait_connected()
        return district, town

    def drawn(self, district, town, name, role):
        """Opened at the machine: the password that lmctl prints."""
        said = district.lmctl("account", "open", name, "--role", role, "--by", "installer", node=town)
        return said.rsplit(": ", 1)[1].strip()

    def ready(self, district, town, name, role):
        """Somebody who has gone through his first login."""
        person = Person(town, name)
        self.assertEqual("password", person.begin(self.drawn(district, town, name, role)))
        step = person.choose(f"{OWN}, says {name[0]}")
        if step == "second":
            person.enrol()
        return person

    def test_the_first_login(self):
        district, town = self.town()
        drawn = self.drawn(district, town, "chen", "clerk")
        chen = Person(town, "chen")
        self.assertEqual("password", chen.begin(drawn.lower().replace("-", " ")))
        for path in ("/api/v1/me", "/api/v1/cases", "/api/v1/events", "/api/v1/sessions"):  # half a login is none
            self.refused("denied", chen.get, path)
        self.refused("denied", chen.post, "/api/v1/login/second")  # not before a password of one's own
        self.refused("denied", chen.give, "123456")
        for bad in ("short", "1234567890", "QWERTYUIOP", "aaaaaaaaaaaaaa", drawn):
            self.refused("invalid", chen.choose, bad)
        self.assertEqual("second", chen.choose(OWN))
        self.refused("login", Person(town, "chen").begin, drawn)  # it was for one login
        self.refused("denied", chen.get, "/api/v1/cases")
        view = chen.post("/api/v1/login/second")
        chen.secret = view["secret"]
        rows = view["modules"].split("\n")
        self.assertTrue(all(len(row) == len(rows) and set(row) <= {"0", "1"} for row in rows))
        self.refused("login", chen.give, "000000" if code_of(chen.secret, step_now()) != "000000" else "000001")
        view = chen.prove()
        self.assertEqual(["", "clerk", True], [view["step"], view["role"], view["has_second"]])
        chen.cases()
        # From now on a code is asked for, and taken once.
        again = Person(town, "chen")
        again.secret, again.password = chen.secret, OWN
        self.assertEqual("code", again.begin(OWN))
        self.refused("denied", again.get, "/api/v1/cases")
        self.refused("denied", again.post, "/api/v1/login/second")  # who has half a login does not replace a factor
        self.refused("login", again.give, code_of(chen.secret, chen.used))
        again.used = chen.used
        again.prove()
        again.cases()
        town.restart()  # what was used is in the journal, not only in memory
        third = Person(town, "chen")
        third.begin(OWN)
        self.refused("login", third.give, code_of(chen.secret, again.used))
        store = (town.folder / "store/data.mdb").read_bytes()
        for secret in (chen.secret, drawn, OWN):
            for text in (secret, secret.replace(" ", ""), secret.replace("-", "")):
                self.assertNotIn(text.encode(), store)
                self.assertNotIn(text, town.log.read_text())
        self.assertNotIn(base64.b32decode(chen.secret.replace(" ", "")), store)

    def test_wrong_tries_make_wait(self):
        district, town = self.town("optional")
        boss = self.ready(district, town, "boss", "administrator")
        chen = self.ready(district, town, "chen", "clerk")
        said = {}
        for node, name in ((town, "chen"), (district.hub, "nobody")):  # each node by itself takes ten wrong ones a minute
            other = Person(node, name)
            texts = [self.refused("login", other.begin, "a wrong password") for _ in range(5)]
            texts.append(self.refused("too-many", other.begin, chen.password))
            said[name] = texts
        self.assertEqual(said["chen"], said["nobody"])  # it cannot be told which of them there is
        self.assertIn("wait 1 minute", said["chen"][5])
        long = Person(district.hub, "somebody")
        self.refused("login", long.begin, "x" * 300)
        chen.cases()  # who is in stays in
        rows = {row["name"]: row for row in boss.get("/api/v1/accounts")["accounts"]}
        self.assertGreater(int(rows["chen"]["locked_until_ms"]), time.time() * 1000)
        self.assertEqual("0", rows["boss"]["locked_until_ms"])
        self.refused("denied", chen.post, "/api/v1/accounts", {"name": "chen", "act": "ACCOUNT_ACT_UNLOCK"})
        boss.post("/api/v1/accounts", {"name": "chen", "act": "ACCOUNT_ACT_UNLOCK"})
        self.assertEqual("", Person(town, "chen").begin(chen.password))
        acts = [row["what"] for row in self.audit(district, town) if row["about"] == "chen"]
        self.assertEqual(["account-unlock", "account-lock"], acts[:2])

    def audit(self, district, town):
        """All of it, as somebody who may read it does."""
        if not hasattr(self, "reader"):
            self.reader = self.ready(district, town, "reader", "supervisor")
        rows, before = [], ""
        while before != "0":
            page = self.reader.get("/api/v1/audit?limit=3" + (f"&before={before}" if before else ""))
            rows += page["rows"]
            before = page["next"]
        return rows

    def test_two_people_reset_an_account(self):
        district, town = self.town()
        boss = self.ready(district, town, "boss", "administrator")
        lead = self.ready(district, town, "lead", "supervisor")
        chen = self.ready(district, town, "chen", "clerk")
        act = lambda who, act, name="chen", **more: who.post("/api/v1/accounts", {"name": name, "act": f"ACCOUNT_ACT_{act}"} | more)
        self.refused("denied", act, chen, "PROPOSE_RESET", "lead")
        self.refused("conflict", act, boss, "RESET")
        self.refused("denied", act, boss, "PROPOSE_RESET", "boss")
        act(lead, "PROPOSE_RESET")
        self.refused("denied", act, lead, "RESET")  # it takes a second one
        chen.cases()
        drawn = act(boss, "RESET")["password"]
        self.refused("login", chen.cases)  # the sessions ended with it
        self.refused("login", chen.begin, chen.password)
        self.assertEqual("password", chen.begin(drawn))
        self.assertEqual("second", chen.choose("another four words"))
        chen.used = 0
        chen.enrol()
        # Roles and ends.
        self.refused("denied", act, lead, "OPEN", "wang", role="clerk")
        self.refused("denied", act, boss, "ROLE", "boss", role="clerk")
        self.refused("denied", act, boss, "CLOSE", "boss")
        self.refused("invalid", act, boss, "OPEN", "wang", role="editor")
        act(boss, "ROLE", "lead", role="clerk")
        self.refused("login", lead.cases)
        act(boss, "CLOSE")
        self.refused("login", chen.cases)
        self.refused("login", chen.begin, chen.password)
        with self.assertRaisesRegex(lm.Failed, "last administrator"):
            district.lmctl("account", "close", "boss", "--by", "installer", node=town)
        # At the machine, without the pages: both type their passwords.
        district.lmctl("account", "role", "lead", "--role", "supervisor", "--by", "installer", node=town)
        wang = self.ready(district, town, "wang", "clerk")
        reset = ("account", "reset", "wang", "--by", "boss", "--second", "lead", "--password-file", "-")
        for typed, why in ((f"{boss.password}\nwrong\n", "password of lead is wrong"),
                           (f"{boss.password}\n", "empty")):
            with self.assertRaisesRegex(lm.Failed, why):
                district.lmctl(*reset, node=town, stdin=typed)
        with self.assertRaisesRegex(lm.Failed, "it takes two"):
            district.lmctl("account", "reset", "wang", "--by", "boss", "--second", "boss", "--password-file", "-", node=town,
                           stdin=f"{boss.password}\n{boss.password}\n")
        wang.cases()
        said = district.lmctl(*reset, node=town, stdin=f"{boss.password}\n{lead.password}\n")
        self.refused("login", wang.cases)
        self.assertEqual("password", wang.begin(said.rsplit(": ", 1)[1].strip()))
        table = district.lmctl("account", "list", node=town)
        self.assertRegex(table, r"chen +clerk +closed")
        self.assertRegex(table, r"wang +clerk +password drawn")
        told = [(row["what"], row["about"].split(" ")[0], row["by"], row["second"]) for row in self.audit(district, town)]
        for row in (("account-reset", "chen", "boss", "lead"), ("account-reset-propose", "chen", "lead", ""),
                    ("account-close", "chen", "boss", ""), ("account-role", "lead", "boss", ""),
                    ("account-open", "wang", "installer", ""), ("account-reset", "wang", "lead", "boss"),
                    ("account-second", "boss", "boss", ""), ("account-password", "wang", "wang", "")):
            self.assertIn(row, told)
        district.hub.stop()
        town.stop()
        self.assertIn('"is_equal":true', district.lmctl("rebuild", "--json", node=town).replace(" ", ""))

    def test_sessions(self):
        district, town = self.town("optional")
        chen = self.ready(district, town, "chen", "clerk")
        second = Person(town, "chen")
        self.assertEqual("", second.begin(chen.password))
        sessions = chen.get("/api/v1/sessions")["sessions"]
        self.assertEqual([True, False], sorted((row["is_this"] for row in sessions), reverse=True))
        other = next(row["session"] for row in sessions if not row["is_this"])
        wang = self.ready(district, town, "wang", "clerk")
        self.refused("not-found", wang.post, "/api/v1/sessions/end", {"session": other})  # of somebody else
        second.cases()
        chen.post("/api/v1/sessions/end", {"session": other})
        self.refused("login", second.cases)
        chen.cases()
        # Locked: nothing is answered until its own user's password comes.
        chen.post("/api/v1/lock")
        for path in ("/api/v1/cases", "/api/v1/me", "/api/v1/sessions"):
            self.refused("locked", chen.get, path)
        self.refused("login", chen.post, "/api/v1/unlock", {"password": wang.password})
        self.refused("locked", chen.cases)
        self.assertEqual("chen", chen.post("/api/v1/unlock", {"password": chen.password})["user"])
        chen.cases()
        self.refused("closed", Person(town, "x").post, "/api/v1/unlock", {"password": chen.password})
        # A locked one can be left, too, and is none any more.
        second.begin(chen.password)
        second.post("/api/v1/lock")
        second.post("/api/v1/logout")
        self.refused("closed", second.post, "/api/v1/unlock", {"password": chen.password})
        self.assertEqual(1, len(chen.get("/api/v1/sessions")["sessions"]))
        # A password of one's own, and what it ends.
        second.begin(chen.password)
        self.refused("login", chen.post, "/api/v1/login/password", {"old": "not the old one", "password": "new words for me"})
        self.refused("invalid", chen.post, "/api/v1/login/password", {"old": chen.password, "password": chen.password})
        view = chen.post("/api/v1/login/password", {"old": chen.password, "password": "new words for me"})
        chen.csrf = view["csrf"]
        chen.cases()
        self.refused("login", second.cases)
        # Who enrols, though it is optional, is asked from then on, in every session.
        self.assertEqual("", second.begin("new words for me"))
        chen.enrol()
        self.refused("login", second.cases)
        self.assertEqual("code", second.begin("new words for me"))
        district.hub.stop()

    def test_what_is_long_ago_counts_no_more(self):
        """A code, after five minutes; a session, after half a day however busy it is. The hub's clock is moved on."""
        district = self.lay_out(towns=())
        hub, uptime = district.hub, pathlib.Path(district.folder) / "uptime"
        hub.settings["second_factor"] = "required"
        hub.environment = {"LD_PRELOAD": str(lm.BUILD / "tests/lib/libmachine.so"), "LM_TEST_UPTIME": str(uptime),
                           "ASAN_OPTIONS": "verify_asan_link_order=0"}
        district.make_keys()
        hub.start().wait_ready()
        chen = self.ready(district, hub, "chen", "operator")
        last_month = datetime.datetime.now(SHANGHAI).replace(day=1) - datetime.timedelta(days=1)
        path = f"/api/v1/reports/month-towns/{last_month:%Y-%m}"
        take = lambda: chen.post(f"{path}/file", {"format": "REPORT_FORMAT_CSV", "language": "zh-CN"})["type"]  # noqa: E731
        chen.post(path, {"hash": chen.get(path)["hash"], "reason": ""})
        self.assertEqual("text/csv", take())
        uptime.write_text(str(6 * MINUTE_S))
        self.assertIn("not older than 5 minutes", self.refused("proof", take))
        self.assertTrue(chen.get(path)["sent"], "to look at it no code is needed")
        chen.prove()
        self.assertEqual("text/csv", take())
        uptime.write_text(str(HALF_A_DAY_S - 10 * MINUTE_S))
        self.refused("locked", chen.get, "/api/v1/me")  # nobody did anything for so long
        chen.post("/api/v1/unlock", {"password": chen.password})
        chen.get("/api/v1/me")
        uptime.write_text(str(HALF_A_DAY_S + MINUTE_S))
        self.refused("login", chen.get, "/api/v1/me")
        self.refused("closed", chen.post, "/api/v1/unlock", {"password": chen.password})
        self.assertEqual("", chen.log_in()["step"])


if __name__ == "__main__":
    report.main()

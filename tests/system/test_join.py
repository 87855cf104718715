#!/usr/bin/env python3
"""A device comes into the district with a token, and nothing else comes in."""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
FIRST, SECOND = (f"{TOWN}{site:03}-T1" for site in (1, 2))
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def with_check(characters):
    """The hybrid system of ISO 7064, over 32 characters (common/base/token.c)."""
    state = 32
    for character in characters:
        state = 2 * ((state + ALPHABET.index(character)) % 32 or 32) % 33
    return characters + ALPHABET[(33 - state) % 32]


TOOLS = lm.BUILD / "tests/lib"
NOBODYS = with_check("0" * 19)  # a token that nobody issued


def log_of(node):
    return node.log.read_text(errors="replace")


class Join(lm.Case):
    def lay_out_joining(self, sites=2):
        """The first terminal is admitted beforehand, the others join."""
        district = self.lay_out(sites=sites)
        district.hub.open_join()
        district.towns[TOWN].open_join()
        for place, terminal in district.terminals.items():
            terminal.joins = place != FIRST
        return district

    def shift_clock(self, device, years):
        """Its wall clock is wrong, from the next start on."""
        device.environment = lm.shifted(years * 365 * 86400)

    def begin(self, sites=2):
        """All run; the joining ones wait for tokens."""
        district = self.lay_out_joining(sites)
        district.prepare()
        district.start_towns()
        district.start_nodes(district.terminals.values())
        district.terminals[FIRST].wait_connected()
        district.towns[TOWN].wait_connected()
        return district, *(terminal for terminal in district.terminals.values() if terminal.joins)

    def give(self, device, secret):
        return device.control.post("/ctl/v1/join", {"secret": secret})

    def wait_says(self, device, pattern):
        def says():
            return re.search(pattern, device.status()["links"]["upstream"]["text"])

        lm.wait_until(says, what=f"{device} says: {pattern}")

    def passes(self, terminal):
        kiosk = terminal.kiosk()
        view = kiosk.submit()
        lm.wait_until(lambda: kiosk.marks(view["request_id"])["district"], what=f"a request of {terminal} is at the district")


class Honest(Join):
    def test_a_terminal_joins(self):
        district, device = self.begin()
        device.stop()
        self.shift_clock(device, 10)
        device.start().wait_ready()
        ahead_ms = int(device.status()["started_ms"]) - int(district.hub.status()["started_ms"])
        self.assertGreater(ahead_ms, 9 * 365 * 86400 * 1000)
        fingerprint = device.device()["fingerprint"]
        kiosk = lm.Kiosk(device.http_address).begin()
        state = kiosk.state()
        self.assertEqual(["joining", fingerprint, False], [state["why_code"], state["fingerprint"], state["can_take_requests"]])
        self.assertEqual("this device waits for a token of the district", state["link_text"])
        for fact in (state["link_text"], fingerprint):
            self.assertIn(fact, district.lmctl("status", node=device))
            self.assertIn(fact, log_of(device))
        self.refused("not-ready", kiosk.post, "/api/v1/drafts")
        self.refused("invalid", self.give, device, "ABCDE")

        account = {"name": "editor9", "password": "trial-editor-9", "role": "editor", "by": "demo"}
        district.hub.control.post("/ctl/v1/users", account)  # an account for other work
        editor = lm.Desk(district.hub.http_address).login("editor9", "trial-editor-9")
        self.refused("denied", editor.get, "/api/v1/devices")
        self.refused("denied", editor.post, "/api/v1/tokens", {"fingerprint": fingerprint, "role": "TIER_TERMINAL",
                                                               "place": SECOND})
        self.assertEqual([], district.hub.control.get("/ctl/v1/tokens")["tokens"])

        said = district.lmctl("token", "--key", fingerprint.replace("-", " ").upper(), "--role", "terminal", "--place", SECOND,
                              "--by", "operator1", node=district.hub)
        secret = re.search("token +([0-9A-Z]{5}(-[0-9A-Z]{5}){3})\n", said)[1]
        for fact in (district.towns[TOWN].join_address, district.towns[TOWN].device()["curve_key"],
                     district.hub.status()["authority"], fingerprint):
            self.assertIn(fact, said)
        self.assertRegex(district.lmctl("tokens", node=district.hub), f"{SECOND} .*issued .*operator1")
        district.lmctl("join", secret.lower().replace("-", " "), node=device)
        device.wait_connected()
        self.passes(device)
        self.assertRegex(district.lmctl("tokens", node=district.hub), f"{SECOND} .*used")
        self.assertRegex(district.lmctl("devices", node=district.hub), f"{SECOND} .*admitted .*operator1")
        self.refused("exists", self.give, device, secret)
        for node in (district.hub, device):  # the secret is nowhere
            self.assertNotIn(secret.replace("-", "").encode(), (node.folder / "store/data.mdb").read_bytes())
            self.assertNotIn(secret, log_of(node))
        self.assertFalse((device.folder / "join.token").exists())
        device.restart().wait_connected()
        self.passes(device)
        district.hub.stop()
        self.assertTrue(json.loads(district.lmctl("rebuild", "--json", node=district.hub))["is_equal"])
        district.hub.start().wait_ready()

    def provision(self, district, folder, *words):
        town = district.towns[TOWN]
        return subprocess.run([lm.TOP / "deploy/provision", folder, "--role", "terminal", "--hub", district.hub.folder,
                               "--town-address", town.link_address, "--join-address", town.join_address, *words],
                              capture_output=True, text=True, timeout=60, env=os.environ | {"LM_BUILD": str(lm.BUILD)})

    def test_a_terminal_from_a_folder(self):
        """What deploy/provision makes, and nothing else: it joins, takes a request, and shows its answer."""
        district = self.lay_out_joining(sites=1)
        district.prepare()
        district.start_towns()
        folder = district.folder / "card"
        device = district.add_terminal(SECOND)
        device.joins = True
        self.assertIn(f"{TOWN}001-T1 a device is admitted", self.provision(district, folder, "--place", FIRST).stderr)
        done = self.provision(district, folder, "--place", SECOND, "--set", f"data={device.folder}", "--set", "map_size=16M",
                              "--set", f"http_address={device.http_address}", "--set", "pages=", "--set", "places=")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual({"terminal.conf", "lm-terminal.service", "60-last-mile.conf", "install.sh", "README.md"},
                         {path.name for path in folder.iterdir()})
        for path in (folder / "README.md", folder / "install.sh"):
            self.assertIn(str(device.folder), path.read_text())
        self.assertIn("is not empty", self.provision(district, folder, "--place", SECOND).stderr)
        self.shift_clock(device, -10)
        device.configuration = (folder / "terminal.conf").read_text
        device.start().wait_ready()
        self.assertTrue(device.is_joining())
        district.join(device)
        kiosk = device.kiosk()
        view = kiosk.submit()
        desk = district.towns[TOWN].desk()
        lm.wait_until(lambda: desk.has_case(view["request_id"]))
        desk.accept(view["request_id"])
        desk.grant(view["request_id"])
        lm.wait_until(lambda: any(status["outcome"] == "OUTCOME_GRANTED"
                                  for status in kiosk.statuses(view["code"], view["request_id"])))

    def test_a_town_and_its_terminal_join(self):
        """Through the hub's own endpoint; until the town has joined, its terminal is told to wait."""
        district = self.lay_out(sites=1)
        town, terminal = district.towns[TOWN], district.terminals[FIRST]
        for node in (district.hub, town):
            node.open_join()
        town.joins = terminal.joins = True
        district.prepare()
        district.start_nodes([town, terminal])
        self.refused("not-found", district.issue, terminal)  # a terminal of a town that is not there
        district.issue(town)
        (terminal.folder / "join.token").write_text(f"{NOBODYS}\n")  # an installer's editor
        terminal.restart()
        self.wait_says(terminal, "the town has no connection to the district at the moment; this device goes on trying")
        district.join(town)
        town.wait_connected()
        self.wait_says(terminal, "the district has issued no such token")
        district.join(terminal)
        terminal.wait_connected()
        self.passes(terminal)

    def test_the_hub_is_away(self):
        district, device = self.begin()
        token = district.issue(device)
        district.hub.stop()
        lm.wait_until(lambda: not district.towns[TOWN].is_connected())
        self.give(device, token["secret"])
        self.wait_says(device, "the town has no connection to the district at the moment; this device goes on trying")
        device.restart()  # the token was typed in once
        self.wait_says(device, "no connection to the district")
        district.hub.start().wait_ready()
        device.wait_connected()
        self.passes(device)


class Refusals(Join):
    def test_tokens_that_do_not_fit(self):
        district, device, other = self.begin(sites=3)
        hub = district.hub
        with self.subTest("nobody issued it"):
            self.give(device, NOBODYS)
            self.wait_says(device, "the district has issued no such token: compare it, group by group")
        with self.subTest("for another key"):
            token = district.issue(other)
            self.give(device, token["secret"])
            self.wait_says(device, "this token is for another device")
            who = f"the device with fingerprint {device.device()['fingerprint']}, for {SECOND}, by way of {TOWN}: "
            lm.wait_until(lambda: f"{who}this token is for another device" in log_of(hub))
        with self.subTest("for another place"):
            token = district.issue(device, place=f"{TOWN}004-T1")
            self.give(device, token["secret"])
            self.wait_says(device, f"this token is for place {TOWN}004-T1, and this device is set up for {SECOND}")
        with self.subTest("late"):
            token = district.issue(device, valid_s=1)
            lm.wait_until(lambda: not any(row["is_open"] for row in hub.control.get("/ctl/v1/tokens")["tokens"]
                                          if row["expires_ms"] == token["expires_ms"]))
            self.give(device, token["secret"])
            self.wait_says(device, "this token was valid until 20[0-9-]+ [0-9:]+: ask for a new one")
        with self.subTest("withdrawn"):
            token = district.issue(device)
            name = next(row["token"] for row in hub.control.get("/ctl/v1/tokens")["tokens"]
                        if row["expires_ms"] == token["expires_ms"])
            district.lmctl("withdraw", name, "--by", "operator2", node=hub)
            self.give(device, token["secret"])
            self.wait_says(device, "this token was withdrawn by operator2: ask for a new one")
            with self.assertRaisesRegex(lm.Failed, "withdrawn before"):
                district.lmctl("withdraw", name, node=hub)
        with self.subTest("what is not issued"):
            self.refused("invalid", district.issue, device, valid_s=901)
            self.refused("invalid", district.issue, device, place=TOWN)
            self.refused("exists", district.issue, device, place=FIRST)  # somebody stands there
            self.refused("invalid", district.issue, device, fingerprint="12")
            self.refused("denied", district.terminals[FIRST].control.post, "/ctl/v1/tokens",
                         {"fingerprint": device.device()["fingerprint"], "role": "TIER_TERMINAL", "place": SECOND})
        district.join(device)
        device.wait_connected()
        self.passes(device)
        self.passes(district.terminals[FIRST])

    def test_used_twice_and_raced(self):
        """One place, two devices with a token each, at the same moment: one gets it, and gets the same certificate again."""
        district, one, other = self.begin(sites=3)
        other.stop()
        other.place, other.settings["place"] = SECOND, SECOND
        other.start().wait_ready()
        tokens = [district.issue(node, place=SECOND) for node in (one, other)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(self.give, (one, other), (token["secret"] for token in tokens)))
        lm.wait_until(lambda: one.is_connected() or other.is_connected())
        winner, loser = (one, other) if one.is_connected() else (other, one)
        self.wait_says(loser, f"at {SECOND} device [0-9a-f]{{16}} is admitted: revoke it first")
        self.passes(winner)
        admitted = [device for device in district.hub.control.get("/ctl/v1/devices")["devices"]
                    if device["record"]["place"] == SECOND]
        self.assertEqual([winner.device()["curve_key"]], [device["record"]["curve_key"] for device in admitted])

        certificate = (winner.folder / "joined").read_bytes()
        winner.stop()  # a device whose disk lost everything but its keys and the token
        for path in ("joined", "store/data.mdb", "store/lock.mdb"):
            (winner.folder / path).unlink()
        secret = tokens[0 if winner is one else 1]["secret"]
        (winner.folder / "join.token").write_text(secret)
        winner.start().wait_ready()
        lm.wait_until((winner.folder / "joined").exists)
        self.assertEqual(certificate, (winner.folder / "joined").read_bytes())
        self.give(loser, secret)  # the token of the winner, in the hands of another key
        self.wait_says(loser, "this token is for another device")
        district.lmctl("revoke", SECOND, "--reason", "示例：设备失窃", "--by", "operator1", node=district.hub)
        winner.stop()
        (winner.folder / "joined").unlink()
        (winner.folder / "store/data.mdb").unlink()
        (winner.folder / "join.token").write_text(secret)
        winner.start().wait_ready()
        self.wait_says(winner, "this device was revoked on 20[0-9-]+ by operator1: 示例：设备失窃")


class Flood(Join):
    def strangers(self, town, count):
        """Connections at the join endpoint that say nothing, or something else than a greeting."""
        host, port = town.join_address.removeprefix("tcp://").rsplit(":", 1)
        for number in range(count):
            one = socket.socket()
            one.settimeout(10)
            one.connect((host, int(port)))
            if number % 2:
                with contextlib.suppress(OSError):
                    one.send(b"GET / HTTP/1.1\r\n" * 100)
            if number % 16 == 0:
                self.kept.append(one)  # stays as long as it may
            else:
                one.close()

    def memory_mib(self, node):
        text = pathlib.Path(f"/proc/{node.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) / 1024

    def files(self, node):
        return len(os.listdir(f"/proc/{node.process.pid}/fd"))

    def test_strangers_at_the_door(self):
        """10,000 connections of strangers and a crowd with keys: the town's links do not notice, nor does its memory."""
        district, device = self.begin()
        town, first = district.towns[TOWN], district.terminals[FIRST]
        self.kept = []
        self.addCleanup(lambda: [one.close() for one in self.kept])
        self.passes(first)
        before_mib, before_files = self.memory_mib(town), self.files(town)
        knockers = [TOOLS / "knockers", town.join_address, town.device()["curve_key"], "300"]
        crowd = subprocess.Popen(knockers, stdout=subprocess.DEVNULL)
        self.addCleanup(crowd.kill)
        most_files = 0
        for _ in range(4):
            self.strangers(town, 2500)
            most_files = max(most_files, self.files(town))
            self.passes(first)
        crowd.wait(timeout=300)  # among so many strangers it may be that none of them was heard
        self.assertLess(most_files, before_files + 300)  # 64 places, three files each, and what is being closed
        if not lm.HAS_SANITIZERS:  # they keep what was freed
            self.assertLess(self.memory_mib(town), before_mib + 32)
        district.join(device)
        device.wait_connected()
        self.passes(device)
        alone = subprocess.run(knockers, stdout=subprocess.PIPE, text=True, timeout=300)
        if not lm.HAS_SANITIZERS:  # with them handshakes take so long that there are never too many
            self.assertIn("too-many", alone.stdout)
        self.assertLess(len(log_of(town)), 1 << 20)


if __name__ == "__main__":
    report.main()

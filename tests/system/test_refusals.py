#!/usr/bin/env python3
"""What is refused, is refused with a reason that a person understands, and nothing is lost by it."""
import concurrent.futures
import json
import pathlib
import re
import select
import socket
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import audit  # noqa: E402
import lm  # noqa: E402
import report  # noqa: E402

HUB, TOWN = "310114", "310114106"
FIRST, SECOND, THIRD = (f"{TOWN}{site:03}-T1" for site in (1, 2, 3))
TOOLS = lm.BUILD / "tests/lib"
START_S = 60


def log_of(node):
    return node.log.read_text(errors="replace")


class Refusal(lm.Case):
    def wait_log(self, node, text):
        lm.wait_until(lambda: text in log_of(node), what=f"the log of {node} says: {text}")

    def refused_start(self, node):
        """Starts a daemon that must not start; what it says, and its exit code."""
        (node.folder / "daemon.conf").write_text(node.configuration())
        done = subprocess.run([node.program, "--config", node.folder / "daemon.conf"], capture_output=True, text=True,
                              timeout=START_S, stdin=subprocess.DEVNULL)
        self.assertNotEqual(0, done.returncode, done.stderr)
        return done.stderr

    def passes(self, terminal):
        """A request goes all the way."""
        kiosk = terminal.kiosk()
        view = kiosk.submit()
        lm.wait_until(lambda: kiosk.marks(view["request_id"])["district"], what=f"a request of {terminal} is at the district")
        return view

    def requests_at(self, node):
        return [entry.request for entry in audit.Tape(node).entries if entry.kind == "KIND_REQUEST"]


class Keys(Refusal):
    def test_an_unknown_key(self):
        district = self.district()
        town, stranger = district.towns[TOWN], district.add_terminal(SECOND)
        district.make_keys()
        district.set_upstreams()
        stranger.start().wait_ready()
        kiosk = lm.Kiosk(stranger.http_address).begin()
        lm.wait_until(lambda: kiosk.state()["why_code"] == "unknown-key")
        state = kiosk.state()
        self.assertFalse(state["can_take_requests"])
        self.assertEqual(f"{town.link_address} does not know this device's key. Ask the district to admit it; its fingerprint "
                         f"is {stranger.device()['fingerprint']}", state["why_text"])
        self.assertEqual(state["why_text"], self.refused("not-ready", kiosk.post, "/api/v1/drafts"))
        self.assertIn("does not know this device's key", district.lmctl("status", node=stranger))
        self.wait_log(town, f"a device with CURVE key {stranger.device()['curve_key'][:16]}… is not admitted here")
        self.passes(district.terminals[FIRST])

        district.admit(stranger)
        self.passes(stranger)  # without a new start

    def test_a_revoked_key(self):
        district = self.district(sites=2)
        town, terminal, other = district.towns[TOWN], district.terminals[FIRST], district.terminals[SECOND]
        before = self.passes(terminal)
        said = district.lmctl("revoke", FIRST, "--reason", "示例：设备失窃", "--by", "operator1", node=district.hub)
        self.assertIn(FIRST, said)
        kiosk = lm.Kiosk(terminal.http_address).begin()
        lm.wait_until(lambda: kiosk.state()["why_code"] == "revoked")
        pattern = re.compile(f"{TOWN} refuses this key: revoked on 20[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}} by operator1: 示例：设备失窃")
        state = kiosk.state()
        self.assertRegex(state["why_text"], pattern)
        self.assertFalse(state["can_take_requests"])
        self.assertRegex(self.refused("revoked", kiosk.post, "/api/v1/drafts"), pattern)
        self.assertRegex(district.lmctl("status", node=terminal), pattern)
        self.assertRegex(log_of(town), pattern)
        self.assertRegex(district.lmctl("status", node=town), f"{FIRST} .*revoked")

        self.passes(other)
        self.assertIn(before["request_id"], self.requests_at(district.hub))  # what came before goes on
        terminal.restart()
        kiosk.begin()
        lm.wait_until(lambda: kiosk.state()["why_code"] == "revoked")

    def test_the_wrong_key_of_a_server(self):
        district = self.district()
        town, terminal = district.towns[TOWN], district.terminals[FIRST]
        terminal.kiosk()
        good = dict(terminal.settings)
        terminal.stop()
        for change, code, sentence in (
                ({"upstream_key": district.hub.device()["curve_key"]}, "wrong-key",
                 f"{town.link_address} does not hold the key that upstream_key names: check the configuration"),
                ({"authority": "00" * 32}, "denied",
                 f"{TOWN} belongs to another district than {FIRST}: their configurations name different authorities")):
            with self.subTest(code):
                terminal.settings = good | change
                terminal.start().wait_ready()
                kiosk = terminal.kiosk()
                lm.wait_until(lambda: kiosk.state()["link_text"] == sentence, what=sentence)
                self.assertIn(sentence, district.lmctl("status", node=terminal))
                view = kiosk.submit()  # it works alone
                self.assertFalse(kiosk.marks(view["request_id"])["town"])
                terminal.stop()
                terminal.settings = good
                terminal.start().wait_ready()
                kiosk.begin()
                lm.wait_until(lambda: kiosk.marks(view["request_id"])["district"])
                terminal.stop()


class Hostile:
    """tests/lib/hostile.c at work: a peer with real keys."""

    def __init__(self, case, device, town, what):
        status = town.status()
        self.process = subprocess.Popen([TOOLS / "hostile", device.folder, device.place, town.link_address, status["curve_key"],
                                         status["authority"], what], stdout=subprocess.PIPE, bufsize=0)
        case.addCleanup(self.end)

    def hear(self):
        """The next thing that came back."""
        ready, _, _ = select.select([self.process.stdout], [], [], START_S)
        return self.process.stdout.readline().decode().strip() if ready else "(nothing)"

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Frames(Refusal):
    def provoke(self, town, evil, what, answers, logged):
        """Until the log names it: a peer that misbehaves often is not named each time."""
        def is_named():
            hostile = Hostile(self, evil, town, what)
            for answer in answers:
                heard = hostile.hear()
                self.assertRegex(heard, f"^{answer}$")
            sentence = logged or (heard.split(" ", 2 if heard.startswith("refused") else 1)[-1]
                                  if heard.startswith(("refused", "frozen")) else "")
            if not answers:
                self.wait_log(town, sentence)
            hostile.end()
            return sentence in log_of(town)

        lm.wait_until(is_named, what=f"{town} names what came: {what}")

    def test_a_hostile_peer(self):
        district = self.district(sites=3)
        town, first, evil, third = district.towns[TOWN], *district.terminals.values()
        evil.stop()
        first_id = first.status()["device"]
        evil_id = next(device["device"] for device in town.control.get("/ctl/v1/devices")["devices"]
                       if device["record"]["place"] == SECOND)

        for what, answers, logged in (
                ("greet", ["greeted"], f"link with {SECOND} is up"),
                ("route=short", ["greeted"], None),  # who it is says its key
                (f"route={FIRST}", [], f"{TOWN} drops a message of {SECOND}: its socket chose a routing id of its own"),
                (f"as={first_id}", [f"refused denied {TOWN}: this key belongs to device {evil_id}, not {first_id}"], None),
                ("cut", ["greeted", f"refused invalid {TOWN} refuses a frame of {SECOND}: .*: .*(past the end|cut off)"], None),
                ("groups", ["greeted", f"refused invalid {TOWN} refuses a frame of {SECOND}: .*found the start of "
                                       "a group"], None),
                ("nested", ["greeted", f"refused invalid {TOWN} refuses a frame of {SECOND}: a frame with nothing in it that "
                                       "this version knows"], None),
                (f"stream={first_id}", ["greeted", f"frozen {TOWN} refuses a frame of {SECOND}: stream 1 of device {first_id} "
                                                   f"does not come over the link of {SECOND}"], None),
                (f"bytes={1 << 20}", ["greeted", f"refused too-big {TOWN} refuses a frame of {SECOND}: .*"], None),
                (f"bytes={(1 << 20) + 1}", ["greeted", "ended"], None),  # libzmq ends the connection, and says to nobody why
                (f"bytes={4 << 20}", ["greeted", "ended"], None)):
            with self.subTest(what):
                self.provoke(town, evil, what, answers, logged)
                self.passes(first)
        self.passes(third)
        evil.start().wait_ready()  # the honest device on the same keys
        self.passes(evil)
        for node in district.nodes:
            self.assertEqual("0", node.status()["quarantined"])


class Usurper(Hostile):
    """tests/lib/usurper.c at work: in a town's place, with its keys."""

    def __init__(self, case, town, authority, what):
        self.process = subprocess.Popen([TOOLS / "usurper", town.folder, town.place, town.link_address, authority, what],
                                        stdout=subprocess.PIPE, bufsize=0)
        case.addCleanup(self.end)


class Relays(Refusal):
    def test_a_town_that_gives_out_an_old_or_forged_catalogue(self):
        """Only what the district signed, and only in its order: a terminal keeps what it has, and says why it takes no more."""
        district = self.district()
        town, terminal = district.towns[TOWN], district.terminals[FIRST]
        before, authority = self.passes(terminal), district.hub.status()["authority"]
        kiosk = terminal.kiosk()
        services, position = kiosk.services(), terminal.status()["tape_position"]
        town.stop()
        for what, answer in (("old", "stored"),
                             ("altered", f"frozen {FIRST} refuses a frame of {TOWN}: .*payload.*"),
                             ("forged", f"frozen {FIRST} refuses a frame of {TOWN}: .*signature.*"),
                             ("own", "stored")):  # a town has notices of its own for all, and nothing else
            with self.subTest(what):
                usurper = Usurper(self, town, authority, what)
                self.assertEqual("greeted", usurper.hear())
                heard = usurper.hear()
                while heard == "greeted":  # a session that was begun anew
                    heard = usurper.hear()
                self.assertRegex(heard, f"^{answer}$")
                usurper.end()
                self.assertEqual(services, kiosk.services())
                if what == "own":
                    lm.wait_until(lambda: terminal.status()["quarantined"] == "1", what="it is put aside")
                    self.assertRegex(terminal.log_tail(), r"quarantined.*device \w+ may not write entries of kind \d+ here")
                else:
                    self.assertEqual(position, terminal.status()["tape_position"])
        town.start().wait_ready()
        view = self.passes(terminal)
        self.assertEqual({before["request_id"], view["request_id"]}, set(self.requests_at(district.hub)))

    def test_a_town_that_passes_on_what_is_not_its_own(self):
        """A rogue town has the keys of its link, and with them its own terminals' streams and no others."""
        other_town = "310114103"
        district = self.district(towns=(TOWN, other_town))
        hub, rogue = district.hub, district.towns[other_town]
        self.passes(district.terminals[FIRST])
        first_id = district.terminals[FIRST].status()["device"]
        rogue.stop()
        hostile = Hostile(self, rogue, hub, f"stream={first_id}")
        self.assertEqual("greeted", hostile.hear())
        self.assertRegex(hostile.hear(), f"^frozen {HUB} refuses a frame of {other_town}: stream 1 of device {first_id} does not "
                                         f"come over the link of {other_town}$")
        hostile.end()
        self.passes(district.terminals[FIRST])
        rogue.start().wait_ready()


class Forms(Refusal):
    def test_answers_out_of_their_limits(self):
        district = self.district()
        terminal = district.terminals[FIRST]
        kiosk = terminal.kiosk()
        command = kiosk.draft(kiosk.service("health-check"))
        good = {value["field"]: value["values"] for value in command["values"]}
        bad = {**good, "name": [], "phone": ["12"], "number": ["1"], "community": ["nowhere"], "day": ["2030-02-30"],
               "time": ["midnight"], "medicine": ["perhaps"], "note": ["长" * 301], "invented": ["x"]}
        position = terminal.status()["tape_position"]
        view = kiosk.hand_in({**command, "values": [{"field": field, "values": values} for field, values in bad.items()]})
        self.assertFalse(view["is_saved"])
        faults = {fault["field"]: fault["rule"] for fault in view["faults"]}
        self.assertEqual({"name": "required", "phone": "not-a-phone", "number": "not-a-certificate", "community": "not-a-place",
                          "day": "not-a-date", "time": "not-a-choice", "medicine": "not-a-choice", "note": "too-long",
                          "invented": "unknown-field"}, faults)
        self.assertEqual([("0", "300")], [(fault["least"], fault["most"]) for fault in view["faults"] if fault["field"] == "note"])
        self.assertEqual(position, terminal.status()["tape_position"])
        self.refused("not-found", kiosk.marks, command["request_id"])

        self.refused("not-found", kiosk.hand_in, {**command, "service": "no-such-service"})
        self.refused("not-found", kiosk.hand_in, {**command, "revision": 77})
        self.refused("invalid", kiosk.hand_in, {**command, "request_id": "00" * 16})
        self.refused("invalid", kiosk.hand_in, {**command, "code": "123"})
        self.assertEqual(position, terminal.status()["tape_position"])
        self.assertTrue(kiosk.hand_in(command)["is_saved"])  # what was typed was not lost
        self.assertNotEqual(position, terminal.status()["tape_position"])

    def test_the_same_request_again(self):
        district = self.district()
        town, terminal = district.towns[TOWN], district.terminals[FIRST]
        kiosk = terminal.kiosk()
        command = kiosk.draft()
        self.assertFalse(kiosk.hand_in(command)["was_saved_before"])
        again = kiosk.hand_in(command)
        self.assertTrue(again["was_saved_before"] and again["is_saved"])
        self.assertEqual(command["code"], again["code"])

        together = kiosk.draft()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            views = list(pool.map(lambda _: kiosk.hand_in(together), range(8)))
        self.assertTrue(all(view["is_saved"] for view in views))
        self.assertEqual(1, sum(not view["was_saved_before"] for view in views))
        terminal.restart()
        kiosk = terminal.kiosk()
        self.assertTrue(kiosk.hand_in(together)["was_saved_before"])

        lm.wait_until(lambda: kiosk.marks(together["request_id"])["district"])
        expected = sorted([command["request_id"], together["request_id"]])
        self.assertEqual(expected, sorted(row["request_id"] for row in town.desk().cases("all")))
        self.assertEqual(expected, sorted(self.requests_at(district.hub)))
        for view in (command, together):  # one receipt each
            self.assertEqual([view["request_id"]], [r["request_id"] for r in kiosk.lookup(view["code"])["receipts"]])


class Guesses(Refusal):
    def code(self, number):
        """Eleven digits and the check digit of ISO 7064, MOD 11,10."""
        p, digits = 10, f"{number:011}"
        for digit in digits:
            p = (((int(digit) + p) % 10 or 10) * 2) % 11
        return f"{digits}{(11 - p) % 10}"

    def test_receipt_codes_cannot_be_tried_out(self):
        """Twelve wrong ones a minute at a terminal, also when it is alone, and twenty questions a minute at the town of one that is
        hostile."""
        district = self.district(sites=2)
        town, terminal, evil = district.towns[TOWN], district.terminals[FIRST], district.terminals[SECOND]
        view, kiosk, tried = self.passes(terminal), terminal.kiosk(), 0
        self.assertEqual(view["code"], self.code(int(view["code"][:-1])))
        self.assertTrue(kiosk.lookup(view["code"])["receipts"])
        town.stop()  # whose own limit would end it, too
        began, refused = time.monotonic(), "unreachable"
        while refused == "unreachable" and tried < 100:
            with self.assertRaises(lm.Refused) as refusal:
                kiosk.lookup(self.code(tried))
            refused, tried = refusal.exception.code, tried + 1
        self.assertEqual("too-many", refused, refusal.exception.text)
        self.assertLessEqual(tried - 1, 12 * (2 + int((time.monotonic() - began) / 60)))

        town.start().wait_ready()
        evil.stop()
        hostile = Hostile(self, evil, town, f"asks={view['code']}")
        self.assertEqual("greeted", hostile.hear())
        answers = [hostile.hear() for _ in range(45)]
        self.assertGreaterEqual(answers.count("answered too-many"), 5, answers)
        self.assertGreaterEqual(45 - answers.count("answered too-many"), 20, answers)


class Storage(Refusal):
    def rows(self, node, table):
        done = subprocess.run([TOOLS / "rows", node.folder / "store"], capture_output=True, text=True, check=True)
        return [line.split()[1] for line in done.stdout.splitlines() if line.split()[0] == table]

    def fill(self, terminal, service, count):
        """So many requests at a terminal that is stopped; what the program that makes them says."""
        form = terminal.folder / "form.json"
        form.write_text(json.dumps({"service": service["id"], "revision": service["revision"],
                                    "values": lm.answers(service), "consents": lm.consents(service), "language": "zh-CN"}))
        return subprocess.run([lm.BUILD / "bench_terminal", terminal.folder / "daemon.conf", form],
                              input=f"fill {count}\nquit\n", capture_output=True, text=True, timeout=120).stdout

    def metrics(self, node):
        with urllib.request.urlopen(f"http://{node.http_address}/metrics", timeout=30) as answer:
            return answer.read().decode()

    def test_a_full_map(self):
        district = self.lay_out(sites=2)
        town, terminal = district.towns[TOWN], district.terminals[FIRST]
        terminal.settings["map_size"] = "4M"  # the smallest
        district.start()
        service = terminal.kiosk().service()
        early = self.passes(terminal)
        town.stop()
        terminal.stop()
        self.assertRegex(self.fill(terminal, service, 100000), "the storage of this device is [0-9]+ % full, and the rest is kept for what is under way; nothing new is taken until the district "
                                        "has what is waiting")
        stored = set(self.rows(terminal, "request"))
        self.assertGreater(len(stored), 200)

        terminal.start().wait_ready()
        kiosk = lm.Kiosk(terminal.http_address).begin()
        state = lm.wait_until(lambda: kiosk.state()["why_code"] and kiosk.state())
        sentence = "this terminal's storage is full; it takes requests again when the district has what is waiting"
        self.assertEqual([False, "full", sentence], [state["can_take_requests"], state["why_code"], state["why_text"]])
        self.assertEqual(sentence, self.refused("full", kiosk.post, "/api/v1/drafts"))
        self.assertIn("full, new requests are refused", district.lmctl("status", node=terminal))
        receipt = lm.wait_until(lambda: kiosk.lookup(early["code"]))["receipts"][0]  # reading goes on
        self.assertEqual(early["request_id"], receipt["request_id"])

        town.start().wait_ready()
        started = terminal.status()["started_ms"]
        lm.wait_until(lambda: kiosk.state()["can_take_requests"], 120, "the terminal takes requests again")
        view = kiosk.submit()
        lm.wait_until(lambda: kiosk.marks(view["request_id"])["district"])
        status = terminal.status()
        self.assertEqual(started, status["started_ms"])
        lm.wait_until(lambda: terminal.status()["unsent"] == "0")
        self.assertRegex(log_of(terminal), "[0-9]+ entries that the district has were removed after a checkpoint")
        at_district = self.requests_at(district.hub)
        self.assertEqual(len(at_district), len(set(at_district)))
        self.assertEqual(stored | {view["request_id"]}, set(at_district))
        self.assertTrue(kiosk.lookup(early["code"])["receipts"])

        desk = town.desk()  # the answer finds its way to a request that was trimmed
        desk.accept(early["request_id"])
        lm.wait_until(lambda: kiosk.statuses(early["code"], early["request_id"]))
        terminal.stop()
        self.assertIn("good: every row", district.lmctl("verify", node=terminal))
        rebuilt = json.loads(district.lmctl("rebuild", "--json", node=terminal))
        self.assertTrue(rebuilt["is_equal"], rebuilt)
        self.assertGreater(int(rebuilt["from_position"]), 0)
        terminal.start().wait_ready()
        self.passes(terminal)

    def test_a_share_that_is_spent(self):
        """One terminal hands in more than its share of the town's store: nothing more of it is taken, and nobody else notices."""
        district = self.lay_out(sites=2)
        town, flood, other = district.towns[TOWN], district.terminals[FIRST], district.terminals[SECOND]
        town.settings["origin_share"] = 5
        district.start()
        kiosk = flood.kiosk()
        early, service = self.passes(flood), kiosk.service()
        flood.stop()
        self.assertNotIn("error", self.fill(flood, service, 1500))
        stored = set(self.rows(flood, "request"))
        self.assertGreater(len(stored), 1500)

        flood.start().wait_ready()
        sentence = f"{TOWN} has no room for more of {FIRST}: its entries fill the 5 % of the store that one device may"
        self.wait_log(town, sentence)
        kiosk = lm.Kiosk(flood.http_address).begin()
        state = lm.wait_until(lambda: kiosk.state()["why_code"] and kiosk.state())
        self.assertEqual([False, "full", f"the town takes nothing more of this terminal: {sentence}"],
                         [state["can_take_requests"], state["why_code"], state["why_text"]])
        self.assertEqual(state["why_text"], self.refused("full", kiosk.post, "/api/v1/drafts"))
        self.assertTrue(kiosk.lookup(early["code"])["receipts"])  # reading goes on
        self.assertIn(sentence, district.lmctl("status", node=town))
        spent = 'lm_link_share_spent{tier="terminal",place="%s"} %d\n'
        lm.wait_until(lambda: spent % (FIRST, 1) in self.metrics(town) and spent % (SECOND, 0) in self.metrics(town))
        before = town.status()
        self.assertLess(int(before["map_percent"]), 40)
        for _ in range(5):
            self.passes(other)
        at_district = self.requests_at(district.hub)
        self.assertLess(len(at_district), 1000)

        town.settings["origin_share"] = 60
        town.restart()
        lm.wait_until(lambda: flood.status()["unsent"] == "0" and town.status()["unsent"] == "0", 120, "what was refused is taken")
        lm.wait_until(lambda: kiosk.state()["can_take_requests"], what="the terminal takes requests again")
        at_district = self.requests_at(district.hub)
        self.assertEqual(len(at_district), len(set(at_district)))
        self.assertLessEqual(stored, set(at_district))
        for node in district.nodes:
            self.assertEqual("0", node.status()["quarantined"])


class Starts(Refusal):
    """A daemon that cannot start says why in one sentence, and touches nothing."""

    def setUp(self):
        self.d = self.district()
        self.town, self.terminal = self.d.towns[TOWN], self.d.terminals[FIRST]
        self.view = self.passes(self.terminal)

    def still_there(self):
        """The town starts as before and has what it had."""
        self.town.start().wait_ready()
        self.assertTrue(self.town.desk().has_case(self.view["request_id"]))
        self.assertIn("good: every row", self.d.lmctl("verify", node=self.town))
        self.passes(self.terminal)

    def test_refused_starts(self):
        town, good = self.town, dict(self.town.settings)
        with self.subTest("already open"):
            town.settings = good | {"link_address": f"tcp://127.0.0.1:{lm.free_port()}",
                                    "http_address": f"127.0.0.1:{lm.free_port()}"}
            said = self.refused_start(town)
            self.assertRegex(said, rf"lm-subcenter: .*{town.folder}/store.*\b{town.process.pid}\b")
            with self.assertRaisesRegex(lm.Failed, rf"stop the daemon first.*\b{town.process.pid}\b"):
                self.d.lmctl("rebuild", node=town)
            self.passes(self.terminal)
        town.settings = good
        town.stop()

        with self.subTest("an unknown key in the configuration"):
            town.settings = good | {"upstraem": "tcp://127.0.0.1:5601"}
            line = town.configuration().splitlines().index("upstraem = tcp://127.0.0.1:5601") + 1
            sentence = f"{town.folder}/daemon.conf line {line}: there is no key 'upstraem'; the nearest is 'upstream'"
            self.assertIn(sentence, self.refused_start(town))
            checked = subprocess.run([town.program, "--config", town.folder / "daemon.conf", "--check"], text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertNotEqual(0, checked.returncode)
            self.assertIn(sentence, checked.stdout)
        town.settings = good

        for what, port in zip(("http", "link"), town.ports):
            with self.subTest(f"the {what} port is in use"), socket.create_server(("127.0.0.1", port)):
                self.assertRegex(self.refused_start(town), rf"lm-subcenter: address \S*127.0.0.1:{port} is in use by another pro")
        self.still_there()
        town.stop()

        with self.subTest("a folder of a newer version"):
            data = town.folder / "store/data.mdb"
            image = data.read_bytes()
            subprocess.run([TOOLS / "newer", town.folder], check=True)
            newer = data.read_bytes()
            sentence = "has format 2 and this program reads up to 1: use a newer program"
            self.assertIn(f"{town.folder}/store {sentence}", self.refused_start(town))
            with self.assertRaisesRegex(lm.Failed, sentence):
                self.d.lmctl("verify", node=town)
            self.assertEqual(newer, data.read_bytes())
            data.write_bytes(image)
        self.still_there()


if __name__ == "__main__":
    report.main()

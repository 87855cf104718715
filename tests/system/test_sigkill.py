#!/usr/bin/env python3
"""Saved means saved, exactly once: every daemon of a district is killed again and again while people work at all of it.

A hub, two towns and eight terminals. Residents at every terminal hand in requests, look them up, answer and withdraw;
clerks in the towns and at the district accept, ask, decide and hand over; whoever gets no answer asks again with the
same request id and code. All the while daemons get SIGKILL, often just as they were asked for something, sometimes
several at once or while they start, and are started again at once. Then everything runs in peace until nothing waits,
and tests/lib/audit.py judges the tapes.

    LM_KILLS=300     how many kills (30 where LM_SANITIZED is set, or the build has sanitizers)
    LM_SEED=…        the random choices of a run; the moments depend on the machine besides
    LM_KILL_S=90     over how many seconds the kills are spread, at least
"""
import collections
import contextlib
import http.client
import json
import os
import pathlib
import queue
import random
import re
import signal
import sys
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import audit  # noqa: E402
import lm  # noqa: E402
import report  # noqa: E402

CACHE = lm.BUILD / "CMakeCache.txt"
HAS_SANITIZERS = CACHE.exists() and re.search("^LM_SANITIZE:.*=.", CACHE.read_text(), re.M)
IS_SANITIZED = bool(os.environ.get("LM_SANITIZED") or HAS_SANITIZERS)
KILLS = int(os.environ.get("LM_KILLS") or (30 if IS_SANITIZED else 300))
SEED = os.environ.get("LM_SEED") or str(random.SystemRandom().randrange(10 ** 9))
SPREAD_S = float(os.environ.get("LM_KILL_S") or KILLS * (1.5 if IS_SANITIZED else 0.3))
PATIENCE_S = float(os.environ.get("LM_PATIENCE_S") or (300 if IS_SANITIZED else 90))  # for what must happen at some time
TOWNS = ("310114106", "310114103")
SITES = 4
REQUESTS_MOST = max(8, KILLS // 7)  # a resident
COUNTS = ("received", "open", "granted", "partly_granted", "refused", "withdrawn", "duplicate")
LATER = ("busy", "again", "not-ready", "unreachable", "too-many")
SESSION_OVER = "this session is over; greet again"  # said when a disk was so slow that a neighbour seemed lost
TROUBLE_IN_LOG = ("quarantined", "frame-refused", "engine", "link-refused", "refused")  # besides what is an error anyway


class Storm:
    """What all who take part share: the district, what was promised to whom, and what went wrong."""

    def __init__(self, district):
        self.district = district
        self.is_over = threading.Event()
        self.aims = queue.Queue(maxsize=1)  # a daemon that is being asked for something just now
        self.lock = threading.Lock()
        self.saved = {}  # request id: (terminal, code, service); a terminal said that it is saved
        self.tried = {}  # request id: terminal; handed in, and perhaps never answered
        self.owners = {}  # request id: who decides it at first
        self.hidden = {}  # request id: the tier that it is about, which does not see it
        self.acts = {}  # (request id, version): action; a desk said that it is done
        self.asks = {}  # (request id, version): terminal; an answer or a withdrawal is saved
        self.counts = collections.Counter()
        self.troubles = []

    def aim(self, node):
        with contextlib.suppress(queue.Full):
            self.aims.put_nowait(node)

    def count(self, what, by=1):
        with self.lock:
            self.counts[what] += by


def owner_of(service, values):
    """Who decides a request at first, by the service and what was answered, and who does not see it."""
    answered = {(value["field"], text) for value in values for text in value.get("values", [])}
    for rule in service["owner_rules"]:
        if (rule["field"], rule["choice"]) in answered:
            return rule["owner"], rule["hidden_from"]
    return service["owner"], "TIER_NONE"


class Person(threading.Thread):
    """Somebody at a page. Insists until there is an answer, however often the daemon dies meanwhile."""

    def __init__(self, storm, node, nth=0):
        super().__init__(daemon=True)
        self.storm, self.node = storm, node
        self.random = random.Random(f"{SEED} {node.name} {nth}")
        self.client = None

    def run(self):
        try:
            while not self.storm.is_over.is_set():
                self.step()
                self.storm.is_over.wait(self.random.uniform(*self.pause))
        except Exception:  # whatever it is, the test is to fail with it
            self.storm.troubles.append(f"{type(self).__name__} at {self.node}: {traceback.format_exc()}")

    def insist(self, call, is_write=False):
        """What the daemon answered in the end, and whether an earlier answer may have been lost on the way."""
        was_lost = False
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                if self.client is None:
                    self.client = self.open_page()
                if is_write:
                    self.storm.aim(self.node)
                return call(self.client), was_lost
            except TimeoutError:
                raise
            except lm.Refused as refused:
                if refused.code == "login":
                    self.client = None
                elif refused.code not in LATER:
                    raise
                trouble = refused
            except (OSError, http.client.HTTPException) as lost:
                was_lost, trouble = True, lost
                self.storm.count("answers lost")
            if time.monotonic() > end:
                raise lm.Failed(f"{self.node}: no answer for {PATIENCE_S} s ({trouble})")
            time.sleep(self.random.uniform(0, 0.1))


class Resident(Person):
    pause = (0.05, 0.9)

    def __init__(self, *args):
        super().__init__(*args)
        self.open = []  # (request id, code) of what is saved and not closed
        self.handed_in = 0

    def open_page(self):
        return lm.Kiosk(self.node.http_address, timeout=PATIENCE_S).begin()

    def step(self):
        if self.handed_in < REQUESTS_MOST and (not self.open or self.random.random() < 0.4):
            self.submit()
        elif self.open:
            self.look_up(*self.random.choice(self.open))

    def submit(self):
        self.handed_in += 1
        nth = self.random.randrange(10 ** 6)
        service, _ = self.insist(lambda client: self.random.choice(client.services()))
        command, _ = self.insist(lambda client: client.draft(service, nth))
        request, storm = command["request_id"], self.storm
        storm.tried[request] = self.node
        storm.owners[request], storm.hidden[request] = owner_of(service, command["values"])
        if self.random.random() < 0.1:  # pressed twice
            threading.Thread(target=self.press, args=(command,), daemon=True).start()
        if self.random.random() < 0.05:  # gone before there is an answer
            self.press(command)
            return
        view, was_lost = self.insist(lambda client: client.hand_in(command), is_write=True)
        if not view["is_saved"] or view["request_id"] != request or view["code"] != command["code"]:
            raise AssertionError(f"{command} was answered with {view}")
        storm.saved[request] = (self.node, command["code"], service["id"])
        storm.count("saved after an answer was lost", was_lost)
        storm.count("found to be saved before", was_lost and view["was_saved_before"])
        self.open.append((request, command["code"]))
        if self.random.random() < 0.1:
            view, _ = self.insist(lambda client: client.hand_in(command))
            if not view["was_saved_before"]:
                raise AssertionError(f"{request} was saved a second time: {view}")

    def press(self, command):
        with contextlib.suppress(OSError, http.client.HTTPException, lm.Refused):
            lm.Kiosk(self.node.http_address, timeout=PATIENCE_S).begin().hand_in(command)

    def look_up(self, request, code):
        view, _ = self.insist(lambda client: client.lookup(code))
        mine = [receipt for receipt in view["receipts"] if receipt["request_id"] == request]
        if len(mine) != 1:
            raise AssertionError(f"{self.node}: {request} was saved, and its code shows {view}")
        version = mine[0]["statuses"][-1]["version"] if mine[0]["statuses"] else 0
        if any(status["is_closing"] for status in mine[0]["statuses"]):
            self.open.remove((request, code))
        ask = {"code": code, "request_id": request, "version": version}
        if mine[0]["can_answer"] and self.random.random() < 0.8:
            self.ask("answer", ask | {"text": f"示例回答 {self.random.randrange(10 ** 9)}"})
        elif mine[0]["can_withdraw"] and self.random.random() < 0.12:
            self.ask("withdraw", ask | {"text": ""})

    def ask(self, what, command):
        """A conflict says that there is news: the ask may have been saved by a try whose answer was lost, or not."""
        try:
            self.insist(lambda client: client.post(f"/api/v1/receipts/{what}", command), is_write=True)
        except lm.Refused as refused:
            if refused.code != "duplicate":
                if refused.code != "conflict":
                    raise
                return
        self.storm.asks[command["request_id"], command["version"]] = self.node


class Clerk(Person):
    pause = (0.05, 0.6)
    texts = {"text": "示例：请补充。", "note": "示例备注", "ground": "示例依据", "remedy": "示例救济途径"}

    def open_page(self):
        page = lm.Desk(self.node.http_address, timeout=PATIENCE_S)
        name = self.node.district.account_name(self.node)
        return page.login(name, self.node.district.passwords[name])

    def step(self):
        page, _ = self.insist(lambda client: client.get("/api/v1/cases?view=open&limit=40"))
        if page["cases"]:
            row = self.random.choice(page["cases"])
            self.act(row, page["cases"])

    def choose(self, row, others):
        if self.random.random() < 0.06:
            return {"action": "HAND_OVER"}
        if self.random.random() < 0.04 and len(others) > 1:
            other = self.random.choice([case for case in others if case is not row])
            return {"action": "DUPLICATE", "duplicate_of": other["request_id"]}
        if row["state"] == "CASE_STATE_RECEIVED":
            return {"action": "ACCEPT"}
        if row["state"] == "CASE_STATE_ACCEPTED" and self.random.random() < 0.6:
            return {"action": "ASK"}
        if row["state"] == "CASE_STATE_ASKED" and self.random.random() < 0.95:
            return None  # the resident's turn
        outcome = self.random.choice(("GRANTED", "PARTLY_GRANTED", "REFUSED"))
        return {"action": "DECIDE", "outcome": f"OUTCOME_{outcome}"}

    def act(self, row, others):
        command = self.choose(row, others)
        if not command:
            return
        request, version, action = row["request_id"], row["version"], command["action"]
        command |= self.texts | {"action": f"CASE_ACTION_{action}", "version": version}
        try:
            path = f"/api/v1/cases/{request}/actions"
            after, was_lost = self.insist(lambda client: client.post(path, command), is_write=True)
        except lm.Refused as refused:
            if refused.code == "denied" and action == "HAND_OVER" and self.storm.hidden[request] != "TIER_NONE":
                return  # whom it is about does not get it
            if refused.code not in ("conflict", "closed"):  # a resident was faster, or our own lost try
                raise
            self.storm.count("acts that came too late")
            return
        if after["version"] != version + 1:
            raise AssertionError(f"{self.node}: {action} on version {version} was answered with {after}")
        self.storm.acts[request, version + 1] = action
        self.storm.count("done after an answer was lost", was_lost)


class Killer:
    """Chooses whom and when. Runs on the main thread, so that no daemon outlives the test."""

    def __init__(self, storm):
        self.storm, self.random = storm, random.Random(f"{SEED} killer")
        self.nodes = storm.district.nodes
        self.kills = collections.Counter()

    def run(self):
        start, done, published = time.monotonic(), 0, 0
        while done < KILLS:
            self.wait_moment(start + SPREAD_S * done / KILLS)
            victims = self.choose()
            self.stop_if_trouble()
            for node in victims:
                node.send(signal.SIGKILL)
            for node in victims:
                node.kill()
                self.kills[node.tier] += 1
            done += len(victims)
            self.start_again(victims)
            if done // 60 > published:
                published = done // 60
                self.publish(published)

    def wait_moment(self, due):
        """Not before it is due; most often as somebody's request is on its way."""
        while (left := due - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
        self.aimed_at = None
        if self.random.random() < 0.7:
            with contextlib.suppress(queue.Empty):
                self.storm.aims.get_nowait()  # of long ago
            with contextlib.suppress(queue.Empty):
                self.aimed_at = self.storm.aims.get(timeout=0.5)
        time.sleep(self.random.choice((0, 0.004, 0.01, 0.02, 0.06)) * self.random.random())

    def choose(self):
        district, node = self.storm.district, self.aimed_at
        if node is None or self.random.random() < 0.3:
            node = self.random.choice(self.nodes if self.random.random() < 0.6 else self.nodes[:3])
        elif node.tier == lm.TERMINAL and self.random.random() < 0.5:
            node = self.random.choice([district.towns[node.place[:9]], district.hub])  # where it is on its way to
        others = [other for other in self.nodes if other is not node]
        return [node] + self.random.sample(others, self.random.choice((0, 0, 0, 0, 0, 0, 1, 1, 2, 4)))

    def stop_if_trouble(self):
        ended = [node.why_ended() for node in self.nodes if node.has_ended()]
        if ended or self.storm.troubles:
            raise lm.Failed("\n\n".join(ended + self.storm.troubles))

    def start_again(self, victims):
        """Whoever was told that something is stored there, must find it there as soon as it is back."""
        claims = self.claims_on(victims) if self.random.random() < 0.5 else []
        for node in victims:
            node.start()
        for node in victims if claims else []:
            lines = node.wait_ready(PATIENCE_S).status()["lines"]
            held = {(line["origin"], line["stream"], line["receiver"]): int(line["ordinal"]) for line in lines}
            for victim, line, ordinal, who in claims:
                if victim is node:
                    self.storm.count("claims checked")
                    if held.get(line, 0) < ordinal:
                        raise AssertionError(f"{node} had acked {ordinal} entries of {'/'.join(line)} to {who} and was "
                                             f"killed; now it has {held.get(line, 0)}")

    def claims_on(self, victims):
        claims = []
        for node in self.nodes:
            if node in victims:
                continue
            try:
                status = lm.Client(node.folder / "ctl.sock", timeout=PATIENCE_S).get("/ctl/v1/status")
            except (OSError, http.client.HTTPException, lm.Refused):
                continue  # it is just starting
            for line in status["lines"]:
                claims += self.claims_of(node, status["device"], line)
        return [claim for claim in claims if claim[0] in victims and claim[2]]

    def claims_of(self, node, device, line):
        """What a node believes that others hold of a line: (who, line, ordinal, node)."""
        district = self.storm.district
        key = line["origin"], line["stream"], line["receiver"]
        custody, final = int(line["custody"]), int(line["final"])
        if line["stream"] == "STREAM_UP":
            yield district.hub, key, final, node
            if node.tier == lm.TERMINAL:
                yield district.towns[node.place[:9]], key, custody, node
            elif node.tier == lm.TOWN:
                yield district.hub, key, custody, node
        elif line["stream"] == "STREAM_DOWN" and line["origin"] == device:
            for other in self.nodes:
                if other.device_id == line["receiver"]:
                    yield other, key, custody, node

    def publish(self, nth):
        """A new revision of a service, so that the district's own stream moves, too."""
        service = dict(self.storm.service)
        service["name"] = {"zh": f"{service['name']['zh']}（{nth}）", "en": f"{service['name']['en']} ({nth})"}
        command, control = {"services": [service], "by": "test", "second": "other"}, self.storm.district.hub.control
        lm.wait_until(lambda: control.post("/ctl/v1/catalogue", command), PATIENCE_S, "a revision is published")
        self.storm.revisions = nth + 1


class Sigkill(lm.Case):
    def test_saved_means_saved_exactly_once(self):
        print(f"seed {SEED}: {KILLS} kills over {SPREAD_S:.0f} s", flush=True)
        start = time.monotonic()

        def say(text):
            print(f"[{time.monotonic() - start:6.1f} s] {text}", flush=True)

        storm = self.start_storm()
        people = [Resident(storm, node) for node in storm.district.terminals.values()]
        people += [Clerk(storm, node, nth) for node in storm.district.nodes[:3] for nth in range(2)]
        for person in people:
            person.start()
        killer = Killer(storm)
        try:
            killer.run()
        except Exception:
            storm.is_over.set()
            raise
        say(f"killed {dict(killer.kills)}")
        self.end_storm(storm, people)
        say(f"saved {len(storm.saved)} of {len(storm.tried)} requests, {len(storm.acts)} acts, {len(storm.asks)} asks; "
            f"{dict(storm.counts)}")
        self.wait_drained(storm.district)
        say("nothing waits any more")
        cases = self.check_tapes(storm)
        say("the tapes are right")
        self.check_elsewhere(storm, cases)
        self.stop_and_verify(storm.district)
        say("verified and rebuilt")
        self.check_receipts(storm, cases)
        say("every receipt shows its case")

    # ---- before and after ----

    def start_storm(self):
        district = self.lay_out(towns=TOWNS, sites=SITES)
        for node in district.terminals.values():
            node.settings["receipts_ahead"] = 1  # each costs time that a start should not take
        district.start()
        for node in district.nodes:
            node.device_id = node.status()["device"]
        for node in district.terminals.values():
            kiosk = node.kiosk(PATIENCE_S)
            lm.wait_until(lambda: len(kiosk.services()) == len(lm.CATALOGUE), PATIENCE_S, f"{node} has the catalogue")
        storm = Storm(district)
        services = kiosk.services()
        storm.service, storm.revisions = services[0], 1
        return storm

    def end_storm(self, storm, people):
        storm.is_over.set()
        end = time.monotonic() + PATIENCE_S
        for person in people:
            person.join(max(0, end - time.monotonic()))
            self.assertFalse(person.is_alive(), f"{type(person).__name__} at {person.node} still waits for an answer")
        self.assertEqual([], storm.troubles, "\n".join(storm.troubles))

    def waiting(self, district):
        """What still has to happen, as sentences; empty when every queue is."""
        statuses = {node: node.status() for node in district.nodes}
        lines = {node: {(line["origin"], line["stream"], line["receiver"]): line for line in status["lines"]}
                 for node, status in statuses.items()}
        found = []
        for node, status in statuses.items():
            found += [f"{node}: {what} {status[what]}" for what in ("quarantined", "held", "unsent") if status[what] != "0"]
            for key, line in lines[node].items():
                found += self.line_waiting(district, lines, node, key, line)
        return found

    def line_waiting(self, district, lines, node, key, line):
        name = f"{node}: line {'/'.join(key)}"
        if line["is_frozen"] or line["rollbacks"] != "0":
            yield f"{name}: frozen or rolled back: {line}"
        is_own = key[0] == node.device_id
        if key[1] == "STREAM_UP" and is_own and not line["custody"] == line["final"] == line["ordinal"]:
            yield f"{name}: {line['ordinal']} entries, custody {line['custody']}, final {line['final']}"
        if key[1] == "STREAM_DOWN" and is_own and line["custody"] != line["ordinal"]:
            yield f"{name}: {line['ordinal']} entries, custody {line['custody']}"
        receivers = {"STREAM_UP": self.above(district, node), "STREAM_ALL": district.nodes if is_own else [],
                     "STREAM_DOWN": [other for other in district.nodes if other.device_id == key[2]]}.get(key[1], [])
        for other in receivers:
            ordinal = lines[other].get(key, {"ordinal": "0"})["ordinal"]
            if ordinal != line["ordinal"]:
                yield f"{name}: {line['ordinal']} entries, at {other} {ordinal}"

    @staticmethod
    def above(district, node):
        if node.tier == lm.TERMINAL:
            return [district.towns[node.place[:9]], district.hub]
        return [district.hub] if node.tier == lm.TOWN else []

    def wait_drained(self, district):
        found = ["not looked yet"]

        def is_drained():
            found[:] = self.waiting(district)
            return not found

        try:
            lm.wait_until(is_drained, PATIENCE_S, "every queue is empty", pause=0.2)
        except lm.Failed:
            self.fail(f"after {PATIENCE_S} s in peace there still waits:\n" + "\n".join(found))

    # ---- the checks ----

    def check_tapes(self, storm):
        district = storm.district
        tapes = {node: audit.Tape(node) for node in district.nodes}
        audit.same_lines(tapes)
        at_hub = audit.Cases(tapes[district.hub], storm.owners)
        at_towns = {town: audit.Cases(tapes[town], storm.owners) for town in district.towns.values()}
        self.check_requests(storm, tapes, at_hub, at_towns)
        self.check_promises(storm, tapes, at_hub)
        self.check_messages(tapes, at_hub, at_towns)
        self.check_pages(storm, at_hub, at_towns)
        for node, tape in tapes.items():
            revisions = [e.revision for e in tape.of_kind("KIND_SERVICE") if e.service == storm.service["id"]]
            self.assertIn(len(revisions), (0, storm.revisions), f"{node}: revisions {revisions}")
        return at_hub

    def check_requests(self, storm, tapes, at_hub, at_towns):
        """What was saved is one case at its town and one at the district, in the same state, and nothing else is."""
        known = {}
        for town, cases in at_towns.items():
            for request, case in cases.items():
                self.assertIn(request, at_hub, f"{town} has a case that the district lacks")
                self.assertEqual(at_hub[request].row(), case.row(), f"{request} at the district and at {town}")
                self.assertEqual(town.place, case.town)
                known[request] = case
        self.assertEqual(set(known), set(at_hub), "cases of the district and of the towns")
        missing = set(storm.saved) - set(known)
        self.assertFalse(missing, f"{len(missing)} of {len(storm.saved)} requests that were said to be saved are lost")
        self.assertFalse(set(known) - set(storm.tried), "cases that nobody handed in")
        for request, case in known.items():
            terminal = storm.tried[request]
            self.assertEqual(tapes[terminal].device, case.entry.line[0], f"{request} was handed in at {terminal}")
        for node in storm.district.terminals.values():
            if not any(tapes[node].trimmed.values()):
                made, locks = (len(tapes[node].of_kind(kind)) for kind in ("KIND_REQUEST", "KIND_RECEIPT_LOCK"))
                self.assertEqual(made, locks, f"requests and locks at {node}")

    def check_promises(self, storm, tapes, cases):
        """What a desk said is done stands in the case; every ask is on a tape once and has one answer."""
        for (request, version), action in storm.acts.items():
            events = cases[request].events
            self.assertGreaterEqual(len(events), version, f"{action} on {request} was done, and is lost")
            self.assertEqual(action, events[version - 1].action, f"{request}: {events}")
        asked = collections.Counter()
        for entry in tapes[storm.district.hub].of_kind(*audit.ASKS):
            asked[entry.request, entry.version] += 1
        for key, node in storm.asks.items():
            self.assertEqual(1, asked[key], f"what was asked at {node} about {key} is there {asked[key]} times")
        for case in cases.values():
            for ask, events in case.asks.items():
                self.assertEqual(1, len(events), f"ask {ask} of {case.request} has {len(events)} answers")

    def check_messages(self, tapes, at_hub, at_towns):
        """Every decision of the district has one copy at the town, every event of a case one message to its terminal. (That
        the terminal has it, audit.same_lines has seen.)"""
        by_hash = {entry.hash: entry for tape in tapes.values() for entry in tape.entries}
        for town, cases in at_towns.items():
            for case in cases.values():
                for here, there in zip(case.events, at_hub[case.request].events):
                    if here.kind == "KIND_CASE_COPY":
                        self.assertEqual(here.source, there.hash, f"{here} cites another than {there}")
                    else:
                        self.assertEqual(here.hash, there.hash)
            wanted = collections.Counter((e.request, e.version) for case in cases.values() for e in case.events)
            shown = collections.Counter()
            for entry in tapes[town].of_kind("KIND_STATUS"):
                shown[entry.request, entry.version] += 1
                source = by_hash.get(entry.source)
                self.assertTrue(source and (source.request, source.version) == (entry.request, entry.version),
                                f"{town}: {entry} cites {source}")
                terminal = cases[entry.request].entry.line[0]
                self.assertEqual(terminal, entry.line[2], f"{town}: {entry} goes to another terminal")
            self.assertEqual(wanted, shown, f"events at {town}, and messages to its terminals")

    def check_pages(self, storm, at_hub, at_towns):
        district = storm.district
        for node, cases in [(district.hub, at_hub), *at_towns.items()]:
            rows = {row["request_id"]: row for row in node.desk().cases("all")}
            tier = "TIER_DISTRICT" if node is district.hub else "TIER_TOWN"
            seen = {request: case for request, case in cases.items() if storm.hidden[request] != tier}
            self.assertEqual(set(seen), set(rows), f"cases on the page of {node}, and on its tape")
            for request, case in seen.items():
                row = case.row()
                shown = {key: rows[request][key] for key in row}
                self.assertEqual(row, shown, f"{request} on the tape of {node}, and on its page")
                self.assertFalse(rows[request]["is_absent"], f"{node} cannot open {request}")
        totals = {}
        for row in district.hub.desk().get("/api/v1/totals")["totals"]:
            totals[row["town"], row["service"]] = {key: int(row[key]) for key in COUNTS if int(row[key])}
        self.assertEqual(audit.totals(at_hub), totals, "totals")

    def show(self, kiosk, request, code):
        view = kiosk.lookup(code)
        found = [receipt for receipt in view["receipts"] if receipt["request_id"] == request]
        if len(found) != 1:
            raise AssertionError(f"the code of {request} shows {view}")
        return found[0]

    def check_statuses(self, case, receipt):
        shown = [(s["version"], s["action"].removeprefix("CASE_ACTION_"), s["outcome"]) for s in receipt["statuses"]]
        wanted = [(e.version, e.action, e.outcome) for e in case.events]
        if shown != wanted:
            raise AssertionError(f"the receipt of {case.request} shows {shown}; the case says {wanted}")

    def check_elsewhere(self, storm, cases):
        """A receipt of one terminal, looked up at another of the same town."""
        for town in storm.district.towns.values():
            here, there = [node for node in storm.district.terminals.values() if node.place.startswith(town.place)][:2]
            mine = [(request, code) for request, (node, code, _) in storm.saved.items() if node is here][-3:]
            kiosk = there.kiosk(PATIENCE_S)
            for request, code in mine:
                # A town that is busy may answer too late; the resident is then asked to try again.
                receipt = lm.wait_until(lambda: self.show(kiosk, request, code), PATIENCE_S, f"{there} shows {code}", 1)
                self.assertTrue(receipt["is_from_town"])
                self.check_statuses(cases[request], receipt)

    def stop_and_verify(self, district):
        district.stop()
        for node in district.nodes:
            said = [json.loads(line) for line in node.log.read_text(errors="replace").splitlines() if line.startswith("{")]
            bad = [line for line in said if line["level"] == "error" or line["event"] in TROUBLE_IN_LOG]
            bad = [line for line in bad if SESSION_OVER not in line["text"]]
            self.assertEqual([], bad[:20], f"in the log of {node}")
            district.lmctl("verify", node=node)
            district.lmctl("rebuild", node=node)

    def check_receipts(self, storm, cases):
        """Each terminal alone, without its town: it knows what became of every request it said it saved."""
        terminals = storm.district.terminals.values()
        storm.district.start_nodes(terminals)
        troubles = []

        def look(node):
            kiosk = node.kiosk(PATIENCE_S)
            for request, (where, code, _) in storm.saved.items():
                if where is node:
                    receipt = self.show(kiosk, request, code)
                    if not receipt["marks"]["town"] or not receipt["marks"]["district"] or receipt["is_from_town"]:
                        raise AssertionError(f"{node} alone: {receipt}")
                    self.check_statuses(cases[request], receipt)

        def look_safely(node):
            try:
                look(node)
            except Exception:  # told by the main thread
                troubles.append(f"{node}: {traceback.format_exc()}")

        threads = [threading.Thread(target=look_safely, args=(node,), daemon=True) for node in terminals]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
            self.assertFalse(thread.is_alive(), "looking up receipts takes for ever")
        self.assertEqual([], troubles, "\n".join(troubles))


if __name__ == "__main__":
    report.main()

"""People who work at every page of a district at once, whatever happens to it meanwhile.

    storm = people.Storm(district, seed="7", patience_s=90, requests_most=40)
    for person in storm.people:
        person.start()
    ...                     # kills, cuts
    storm.end()             # all have their answers and go home; raises lm.Failed about what went wrong

Residents at every terminal hand in requests, look them up, answer and withdraw; clerks in the towns and at the district
accept, ask, decide and hand over. Whoever gets no answer asks again with the same request id and code. What they were
promised lies in the storm; settled.py judges it.
"""
import collections
import contextlib
import http.client
import queue
import random
import threading
import time
import traceback

import lm
import samples  # noqa: E402

LATER = ("busy", "again", "not-ready", "unreachable", "too-many")


class Storm:
    """What all who take part share: the district, what was promised to whom, and what went wrong."""

    def __init__(self, district, seed, patience_s, requests_most):
        """`patience_s`: for what must happen at some time. `requests_most`: that a resident hands in."""
        self.district, self.seed, self.patience_s, self.requests_most = district, seed, patience_s, requests_most
        self.is_over = threading.Event()
        self.aims = queue.Queue(maxsize=1)  # a daemon that is being asked for something just now
        self.lock = threading.Lock()
        self.saved = {}  # request id: (terminal, code, service); a terminal said that it is saved
        self.tried = {}  # request id: terminal; handed in, and perhaps never answered
        self.owners = {}  # request id: who decides it at first
        self.hidden = {}  # request id: the tier that it is about, which does not see it
        self.by_two = {}  # request id: its decision needs a second person
        self.acts = {}  # (request id, version): action; a desk said that it is done
        self.asks = {}  # (request id, version): terminal; an answer or a withdrawal is saved
        self.counts = collections.Counter()
        self.troubles = []
        self.service, self.revisions = None, 1  # one of the services, and how many revisions of it were published
        self.people = [Resident(self, node) for node in district.terminals.values()]
        self.people += [Clerk(self, node, nth) for node in [district.hub, *district.towns.values()] for nth in range(2)]

    def start(self):
        """When every terminal has the whole catalogue."""
        for node in self.district.nodes:
            node.device_id = node.status()["device"]
        for node in self.district.terminals.values():
            kiosk = node.kiosk(self.patience_s)
            lm.wait_until(lambda: len(kiosk.services()) == len(lm.CATALOGUE), self.patience_s, f"{node} has the catalogue")
        self.service = kiosk.services()[0]
        for person in self.people:
            person.start()
        return self

    def end(self):
        self.is_over.set()
        end = time.monotonic() + self.patience_s
        for person in self.people:
            person.join(max(0, end - time.monotonic()))
            if person.is_alive():
                raise lm.Failed(f"{type(person).__name__} at {person.node} still waits for an answer")
        self.stop_if_trouble()

    def stop_if_trouble(self):
        ended = [node.why_ended() for node in self.district.nodes if node.has_ended()]
        if ended or self.troubles:
            raise lm.Failed("\n\n".join(ended + self.troubles))

    def told(self):
        return (f"saved {len(self.saved)} of {len(self.tried)} requests, {len(self.acts)} acts, {len(self.asks)} asks; "
                f"{dict(self.counts)}")

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
        self.random = random.Random(f"{storm.seed} {node.name} {nth}")
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
        end = time.monotonic() + self.storm.patience_s
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
                raise lm.Failed(f"{self.node}: no answer for {self.storm.patience_s} s ({trouble})")
            time.sleep(self.random.uniform(0, 0.1))


class Resident(Person):
    pause = (0.05, 0.9)

    def __init__(self, *args):
        super().__init__(*args)
        self.open = []  # (request id, code) of what is saved and not closed
        self.handed_in = 0

    def open_page(self):
        return lm.Kiosk(self.node.http_address, timeout=self.storm.patience_s).begin()

    def step(self):
        if self.handed_in < self.storm.requests_most and (not self.open or self.random.random() < 0.4):
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
        storm.by_two[request] = bool(service["needs_second"])
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
            lm.Kiosk(self.node.http_address, timeout=self.storm.patience_s).begin().hand_in(command)

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
        page = lm.Desk(self.node.http_address, timeout=self.storm.patience_s)
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
            if action == "DECIDE":
                case, _ = self.insist(lambda client: client.case(request))
                command["values"] = samples.step_answers(case)
            after, was_lost = self.insist(lambda client: client.post(path, command), is_write=True)
        except lm.Refused as refused:
            if refused.code == "denied" and action == "HAND_OVER" and self.storm.hidden[request] != "TIER_NONE":
                return  # whom it is about does not get it
            if refused.code == "denied" and action == "DECIDE" and self.storm.by_two.get(request):
                return  # nobody here approves
            if refused.code not in ("conflict", "closed"):  # a resident was faster, or our own lost try
                raise
            self.storm.count("acts that came too late")
            return
        if after["version"] != version + 1:
            raise AssertionError(f"{self.node}: {action} on version {version} was answered with {after}")
        self.storm.acts[request, version + 1] = action
        self.storm.count("done after an answer was lost", was_lost)

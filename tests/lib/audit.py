"""What the tapes of a district say, judged by rules of its own: it reads headers, and shares nothing with the daemons' apply.

    tapes = {node: audit.Tape(node) for node in district.nodes}    # all daemons run, all queues are empty
    audit.same_lines(tapes)                                        # what one node wrote, the others hold alike
    cases = audit.Cases(tapes[town], owners)                       # the states that follow from the headers

What is wrong is raised as Wrong, with the place where it stands.
"""
import base64
import collections
import time

PAGE = 500
WORKED = ("ACCEPTED", "ASKED", "OBJECTED")
OPEN, CLOSED = ("RECEIVED", *WORKED), ("DECIDED", "WITHDRAWN", "DUPLICATE")
ASKS = ("KIND_ANSWER", "KIND_WITHDRAW", "KIND_OBJECT", "KIND_RATE")
# action: from which states, to which; None: it stays
MOVES = {"ACCEPT": (("RECEIVED",), "ACCEPTED"), "ASK": (("ACCEPTED", "OBJECTED"), "ASKED"),
         "DECIDE": ((*WORKED, "PROPOSED"), "DECIDED"), "WITHDRAWN": ((*OPEN, "PROPOSED"), "WITHDRAWN"), "DUPLICATE": (OPEN, "DUPLICATE"),
         "HAND_OVER": (OPEN, "RECEIVED"), "ANSWER_TAKEN": ((*OPEN, "PROPOSED"), None), "TOO_LATE": (CLOSED, None), "RATE": ((*OPEN, "PROPOSED", *CLOSED), None),
         "CONFIRM_PERSON": ((*OPEN, "PROPOSED", *CLOSED), None), "STEP": (("ACCEPTED",), None), "EVIDENCE": (OPEN, None),
         "PROPOSE": (WORKED, "PROPOSED"), "RETURN": (("PROPOSED",), "ACCEPTED"), "OBJECT": (("DECIDED",), "OBJECTED"),
         "REOPEN": (CLOSED, "ACCEPTED")}
OTHER = {"TIER_TOWN": "TIER_DISTRICT", "TIER_DISTRICT": "TIER_TOWN"}


class Wrong(AssertionError):
    """The tapes say something that must not be."""


def must(condition, text):
    if not condition:
        raise Wrong(text)


def _hex(text):
    """A hash, however the JSON writes it: 64 hexadecimal digits, or base64."""
    return text if len(text) in (0, 64) else base64.b64decode(text).hex()


class Entry:
    """One entry as it lies on a tape; `applied_at` is the position at which it was applied, 0 if it was not."""

    def __init__(self, item):
        h = item["header"]
        self.position, self.ordinal, self.hash = int(item["position"]), int(item["ordinal"]), _hex(item["hash"])
        self.disposition, self.reason = item["disposition"].removeprefix("DISPOSITION_"), item["reason"]
        self.line = (h["origin"], h["stream"].removeprefix("STREAM_"), h["receiver"])
        self.incarnation, self.seq, self.kind = h["incarnation"], int(h["seq"]), h["kind"]
        self.previous, self.parent = _hex(h["previous_hash"]), h.get("parent")
        self.request, self.service, self.place, self.revision = h["request_id"], h["service"], h["place"], h["revision"]
        self.action, self.outcome = h["action"].removeprefix("CASE_ACTION_"), h["outcome"]
        self.owner, self.epoch, self.version = h["owner"], h["epoch"], h["version"]
        self.asks, self.source, self.is_closing = [_hex(ask) for ask in h["asks"]], _hex(h["source"]), h["is_closing"]
        self.applied_at = self.position if self.disposition == "APPLIED" else 0

    def __repr__(self):
        return (f"{self.kind} {self.action} {self.request} v{self.version} of {'/'.join(self.line)} "
                f"{self.incarnation}:{self.seq}, position {self.position}, {self.disposition} {self.reason}")


class Tape:
    """The whole tape of a running node; nothing on it may wait or have been refused."""

    def __init__(self, node):
        status = node.status()
        self.node, self.device = node, status["device"]
        self.trimmed = {}  # by line: entries up to this ordinal are gone
        for line in status["lines"]:
            key = line["origin"], line["stream"].removeprefix("STREAM_"), line["receiver"] or "0" * 16
            self.trimmed[key] = int(line["trimmed"])
        self.entries, self.lines = [], collections.defaultdict(list)
        self._read(self._items(node))
        for line in self.lines.values():
            self._check_line(line)
        self.applied = sorted((e for e in self.entries if e.applied_at), key=lambda e: e.applied_at)

    @staticmethod
    def _items(node):
        at = 1
        while page := node.control.get(f"/ctl/v1/journal?from={at}&count={PAGE}"):
            yield from page["items"]
            if len(page["items"]) < PAGE:
                return
            at = int(page["next"])

    def _read(self, items):
        by_position = {}
        last = 0
        for item in items:
            position = int(item["position"])
            must(position > last, f"{self.node}: the tape comes to {position} after {last}")
            last = position
            if item.get("header"):
                entry = by_position[position] = Entry(item)
                self.entries.append(entry)
                self.lines[entry.line].append(entry)
            elif item["disposition"] == "DISPOSITION_RETRIED":
                entry = by_position.get(int(item["retry_of"]))
                must(entry, f"{self.node}: position {position} is said to apply {item['retry_of']}, which is not there")
                must(not entry.applied_at, f"{self.node}: applied twice, the second time at {position}: {entry}")
                entry.applied_at = position
        for entry in self.entries:
            must(entry.applied_at, f"{self.node}: never applied: {entry}")

    def _check_line(self, line):
        seen = set()
        for before, entry in zip([None] + line, line):
            where = f"{self.node}: {entry}"
            must((entry.incarnation, entry.seq) not in seen, f"a second time on the tape: {where}")
            seen.add((entry.incarnation, entry.seq))
            if before is None:
                trimmed = self.trimmed[entry.line]
                must(entry.ordinal == trimmed + 1, f"a line is trimmed up to {trimmed} and begins in its middle: {where}")
                must(trimmed or (entry.seq == 1 and not entry.parent), f"not the beginning of a line: {where}")
                continue
            must(entry.ordinal == before.ordinal + 1, f"after ordinal {before.ordinal} comes {entry.ordinal}: {where}")
            must(entry.previous == before.hash, f"does not cite the entry before it: {where}")
            if entry.incarnation == before.incarnation:
                must(entry.seq == before.seq + 1, f"after seq {before.seq}: {where}")
                continue
            must(entry.seq == 1 and entry.parent, f"an incarnation that cites no parent: {where}")
            cited = entry.parent["incarnation"], int(entry.parent["seq"]), _hex(entry.parent["hash"])
            must(cited == (before.incarnation, before.seq, before.hash), f"cites {cited}: {where}")

    def of_kind(self, *kinds):
        return [entry for entry in self.applied if entry.kind in kinds]


def alike(nodes, patience_s=60):
    """The tapes of running nodes, as soon as all hold the same: what goes down is in nobody's count of unsent entries."""
    end = time.monotonic() + patience_s
    while True:
        tapes = {}
        try:
            for node in nodes:
                tapes[node] = Tape(node)
            same_lines(tapes)
            return tapes
        except Wrong:
            if time.monotonic() > end:
                raise
        time.sleep(0.2)


def same_lines(tapes):
    """A line that came over links holds what its origin wrote, entry for entry, and all of it."""
    writers = {tape.device: tape for tape in tapes.values()}
    for tape in tapes.values():
        for line, entries in tape.lines.items():
            here = {e.ordinal: e.hash for e in entries}
            there = {e.ordinal: e.hash for e in writers[line[0]].lines.get(line, [])}
            kept = set(range(max(tape.trimmed[line], writers[line[0]].trimmed.get(line, 0)) + 1, max(here | there) + 1))
            wrong = sorted(ordinal for ordinal in kept if here.get(ordinal) != there.get(ordinal) or ordinal not in here)
            must(not wrong, f"{tape.node} and {writers[line[0]].node}, which wrote {'/'.join(line)}, differ at {wrong[:9]}")


class Case:
    def __init__(self, entry, owner):
        self.entry, self.request, self.service, self.town = entry, entry.request, entry.service, entry.place[:9]
        self.state, self.outcome, self.owner, self.epoch, self.version = "RECEIVED", "OUTCOME_NONE", owner, 1, 0
        self.is_objected = False
        self.events, self.asks = [], {}  # asks by hash: the owner's events that cite them

    def row(self):
        """What a page shows of it."""
        return {"state": f"CASE_STATE_{self.state}", "outcome": self.outcome, "owner": self.owner, "epoch": self.epoch,
                "version": self.version, "pending_asks": sum(not cited for cited in self.asks.values())}

    def move(self, event, writer):
        """The owner's event; `writer` is the tier that decided it."""
        froms, to = MOVES.get(event.action, ((), None))
        must(event.version == self.version + 1, f"does not follow version {self.version}: {event}")
        must(writer == self.owner, f"written by {writer}, but the case is {self.owner}'s: {event}")
        must(self.state in froms, f"from state {self.state}: {event}")
        must((event.action in ("DECIDE", "PROPOSE")) == (event.outcome != "OUTCOME_NONE"), f"outcome {event.outcome}: {event}")
        was_closed = self.state in CLOSED
        if to:
            self.state = to
        elif event.action == "ANSWER_TAKEN" and self.state == "ASKED":
            self.state = "ACCEPTED"
        self.is_objected = (self.is_objected or event.action == "OBJECT") and self.state not in CLOSED
        if self.state == "ACCEPTED" and self.is_objected:
            self.state = "OBJECTED"
        if event.action == "DECIDE":
            self.outcome = event.outcome
        if event.action == "HAND_OVER":
            self.owner, self.epoch = OTHER[self.owner], self.epoch + 1
        self.version = event.version
        self.events.append(event)
        must((event.owner, event.epoch) == (self.owner, self.epoch), f"should be {self.owner}, epoch {self.epoch}: {event}")
        must(event.is_closing == (not was_closed and self.state in CLOSED), f"is_closing is wrong: {event}")
        for ask in event.asks:
            must(not self.asks.get(ask), f"answers ask {ask} a second time, after {self.asks.get(ask)}: {event}")
            self.asks[ask] = [event]


class Cases(dict):
    """Cases by request id, as they follow from the headers on the tape of a town or the district."""

    def __init__(self, tape, owners):
        """`owners`: who decides each request at first, by its id."""
        super().__init__()
        self.tape = tape
        asks = set()
        for entry in tape.applied:
            if entry.kind == "KIND_REQUEST":
                must(entry.request not in self, f"{tape.node}: two entries for one request: {entry}")
                self[entry.request] = Case(entry, owners[entry.request])
            elif entry.kind in ASKS:
                asks.add(entry.hash)
                self._of(entry).asks.setdefault(entry.hash, [])
            elif entry.kind == "KIND_CASE_COPY" and entry.line[0] != tape.device:
                self._of(entry).move(entry, "TIER_DISTRICT")
            elif entry.kind == "KIND_CASE_COPY" and self._of(entry).version < entry.version:
                self._of(entry).move(entry, "TIER_DISTRICT")  # given back after a restore: its KIND_CASE is lost
            elif entry.kind == "KIND_CASE":
                self._of(entry).move(entry, "TIER_TOWN" if entry.line[1] == "UP" else "TIER_DISTRICT")
        for case in self.values():
            for ask in case.asks:
                must(ask in asks, f"{tape.node}: an event of {case.request} answers {ask}, which nobody asked")

    def _of(self, entry):
        must(entry.request in self, f"{self.tape.node}: applied without its case: {entry}")
        return self[entry.request]


def totals(cases):
    """Per town and service what the district counts, from the states of its cases."""
    counts = collections.defaultdict(collections.Counter)
    for case in cases.values():
        count = counts[case.town, case.service]
        count["received"] += 1
        if case.state in OPEN or case.state == "PROPOSED":
            count["open"] += 1
        elif case.state == "DECIDED":
            count[case.outcome.removeprefix("OUTCOME_").lower()] += 1
        else:
            count[case.state.lower()] += 1
    return {key: dict(count) for key, count in counts.items()}

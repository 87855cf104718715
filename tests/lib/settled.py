"""What must be true of a district when people have worked at all of it (people.py) and nothing waits any more."""
import collections
import json
import threading
import traceback

import audit
import lm

COUNTS = ("received", "open", "granted", "partly_granted", "refused", "withdrawn", "duplicate")
# Said when a neighbour seemed lost (a slow disk, a cut), or was killed in the middle of three handshakes in a row, which looks like
# another key (net/client.c). What came of it must have passed: everything has arrived by then.
SAID_IN_PASSING = ("this session is over; greet again", "does not hold the key that upstream_key names")
TROUBLE_IN_LOG = ("quarantined", "frame-refused", "engine", "link-refused", "refused")  # besides what is an error anyway


class Case(lm.Case):
    patience_s = 180  # for what must happen at some time
    drained_s = None  # for queues to empty, when everybody has gone home; None: patience_s

    def check(self, storm, say, trouble_in_log=TROUBLE_IN_LOG):
        """Everything, of a district that runs in peace; it is stopped for it, and its terminals are started again."""
        self.wait_drained(storm.district)
        say("nothing waits any more")
        cases = self.check_tapes(storm)
        say("the tapes are right")
        self.check_elsewhere(storm, cases)
        self.stop_and_verify(storm.district, trouble_in_log)
        say("verified and rebuilt")
        self.check_receipts(storm, cases)
        say("every receipt shows its case")

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

        within = self.drained_s or self.patience_s
        try:
            lm.wait_until(is_drained, within, "every queue is empty", pause=0.2)
        except lm.Failed:
            self.fail(f"after {within} s in peace there still waits:\n" + "\n".join(found))

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
            kiosk = there.kiosk(self.patience_s)
            for request, code in mine:
                # A town that is busy may answer too late; the resident is then asked to try again.
                receipt = lm.wait_until(lambda: self.show(kiosk, request, code), self.patience_s, f"{there} shows {code}", 1)
                self.assertTrue(receipt["is_from_town"])
                self.check_statuses(cases[request], receipt)

    def stop_and_verify(self, district, trouble_in_log):
        district.stop()
        for node in district.nodes:
            said = [json.loads(line) for line in node.log.read_text(errors="replace").splitlines() if line.startswith("{")]
            bad = [line for line in said if line["level"] == "error" or line["event"] in trouble_in_log]
            bad = [line for line in bad if not any(words in line["text"] for words in SAID_IN_PASSING)]
            self.assertEqual([], bad[:20], f"in the log of {node}")
            district.lmctl("verify", node=node)
            district.lmctl("rebuild", node=node)

    def check_receipts(self, storm, cases):
        """Each terminal alone, without its town: it knows what became of every request it said it saved."""
        terminals = storm.district.terminals.values()
        storm.district.start_nodes(terminals)
        troubles = []

        def look(node):
            kiosk = node.kiosk(self.patience_s)
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
            thread.join(self.patience_s)
            self.assertFalse(thread.is_alive(), "looking up receipts takes for ever")
        self.assertEqual([], troubles, "\n".join(troubles))

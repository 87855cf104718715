#!/usr/bin/env python3
"""A file that is larger than its request: it travels in parts behind everything else, is seen as incomplete until it is whole,
goes on where it stood after a kill and a cut, and is then, byte for byte, what was handed in."""
import base64
import json
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
SITE = f"{TOWN}001-T1"
FILE_BYTES = 900_000
PART_BYTES = 32 * 1024
PARTS = -(-FILE_BYTES // PART_BYTES)
KIND_FILE_PART = "KIND_FILE_PART"


def a_paper(size, seed):
    """A PDF as far as anybody looks without drawing it."""
    return b"%PDF-1.7\n" + random.Random(seed).randbytes(size - 15) + b"%%EOF\n"


class SlowWire(lm.Wire):
    """About as many bytes a second go up as it says; `passed` counts them."""

    def __init__(self, case, target, bytes_a_second):
        self.bytes_a_second, self.passed = bytes_a_second, 0
        super().__init__(case, target)

    def _pass(self, one, other):
        try:
            while data := one.recv(8192):
                self._is_whole.wait()
                if other.getpeername() == self._target:
                    self.passed += len(data)
                    time.sleep(len(data) / self.bytes_a_second)
                other.sendall(data)
        except OSError:
            pass
        self._end(one)
        self._end(other)


class Parted(lm.Case):
    def setUp(self):
        self.d, self.desks = self.lay_out(), {}
        self.d.map_sizes = {tier: "48M" for tier in self.d.map_sizes}
        self.hub, self.town, self.site = self.d.hub, self.d.towns[TOWN], self.d.terminals[SITE]
        self.wire = SlowWire(self, self.town.link_address, 150_000)
        self.site.settings["upstream"] = self.wire.address
        self.d.start()
        self.kiosk = self.site.kiosk()
        self.service = self.kiosk.service("barrier-report")

    def hand_in(self, content, kiosk=None):
        kiosk = kiosk or self.kiosk
        command = kiosk.draft(self.service)
        for value in command["values"]:
            if value["field"] == "picture":
                value["files"] = [base64.b64encode(content).decode()]
        return kiosk.hand_in(command)["request_id"]

    def desk(self, node):
        self.desks[node] = self.desks.get(node) or node.desk()
        return self.desks[node]

    def parts(self, node, request):
        """How many are there, and how many there are; None: the case is not there yet."""
        desk = self.desk(node)
        if not desk.has_case(request):
            return None
        field = next(f for f in desk.case(request)["fields"] if f["id"] == "picture")
        return field["parts_come"], field["parts"]

    def content(self, node, request):
        file = self.desk(node).get(f"/api/v1/cases/{request}/files/picture")
        return file["type"], base64.b64decode(file["content"])

    def written(self, node):
        """How many parts stand on a tape."""
        entries = [json.loads(line) for line in self.d.lmctl("journal", "tail", "-n", "2000", "--json", node=node).splitlines()]
        return sum(entry.get("kind") == KIND_FILE_PART for entry in entries)

    def test_on_a_slow_link(self):
        """In sight while it is on its way, behind a small request that came later, through a kill and a cut."""
        paper = a_paper(FILE_BYTES, 1)
        request = self.hand_in(paper)
        lm.wait_until(lambda: (self.parts(self.town, request) or (0, 0))[0] > 2, what="the first parts have come")
        come, parts = self.parts(self.town, request)
        self.assertEqual(PARTS, parts)
        self.assertLess(come, parts)
        said = self.refused("not-ready", self.desk(self.town).get, f"/api/v1/cases/{request}/files/picture")
        self.assertIn(f"of {PARTS} parts of this file have come", said)

        small = self.kiosk.submit()["request_id"]
        lm.wait_until(lambda: self.desk(self.town).has_case(small), what="the small request is at the town")
        self.assertLess(self.parts(self.town, request)[0], PARTS, "the small one waited for the whole file")

        self.site.kill()
        before = self.parts(self.town, request)[0]
        self.site.start()
        self.site.wait_ready()
        lm.wait_until(lambda: self.parts(self.town, request)[0] > before, what="it goes on where it stood")
        self.wire.cut()
        time.sleep(0.5)
        self.wire.mend()
        self.whole(request, paper)
        self.assertLess(self.wire.passed, FILE_BYTES * 1.35, "what was acknowledged was sent again")
        self.good()

    def whole(self, request, paper):
        for node in (self.town, self.hub):
            lm.wait_until(lambda: self.parts(node, request) == (PARTS, PARTS), 120, what=f"all parts are at {node}")
            self.assertEqual(("application/pdf", paper), self.content(node, request))

    def good(self):
        self.assertEqual(["0", "0"], [node.status()["quarantined"] for node in (self.hub, self.town)])
        for node in (self.site, self.town, self.hub):
            node.stop()
            self.assertIn("good: every row", self.d.lmctl("verify", node=node))
            self.assertTrue(json.loads(self.d.lmctl("rebuild", "--json", node=node))["is_equal"])
            node.start()
        for node in (self.site, self.town, self.hub):
            node.wait_ready()


if __name__ == "__main__":
    report.main()

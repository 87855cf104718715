#!/usr/bin/env python3
"""A request stays with the revision of its service under which it was written, whatever is published in between."""
import copy
import json
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
FIRST, SECOND = f"{TOWN}001-T1", f"{TOWN}002-T1"
CHANGED, OTHER = "home-visit", "legal-advice"
QUESTION = {"id": "visitor", "type": "FIELD_TYPE_CHOICE", "label": {"zh": "想请谁来？", "en": "Who should come?"}, "is_required": True,
            "choices": [{"id": "woman", "name": {"zh": "女的工作人员", "en": "A woman"}},
                        {"id": "unknown", "name": {"zh": "都可以", "en": "I don't mind"}}]}


class Revisions(lm.Case):
    def begin(self):
        self.d = self.lay_out(sites=2)
        self.wire = lm.Wire(self, self.d.towns[TOWN].link_address)
        self.d.terminals[FIRST].settings["upstream"] = self.wire.address
        self.d.start()
        self.hub, self.town = self.d.hub, self.d.towns[TOWN]
        self.first, self.second = self.d.terminals[FIRST], self.d.terminals[SECOND]

    def revise(self, **changes):
        """Publishes the changed service once more."""
        service = next(s for s in self.hub.desk().get("/api/v1/catalogue")["services"] if s["id"] == CHANGED)
        service = copy.deepcopy(service) | changes
        view = self.hub.control.post("/ctl/v1/catalogue", {"services": [service], "by": "editor1", "second": "publisher1"})
        return view["published"][0]["revision"]

    def revision_at(self, kiosk):
        return kiosk.service(CHANGED)["revision"]

    def has(self, desk, view):
        lm.wait_until(lambda: desk.has_case(view["request_id"]), what="the case opens")
        return desk.case(view["request_id"])["row"]

    def held_up(self):
        return json.loads(self.d.lmctl("quarantine", "list", "--json", node=self.town))["items"]

    def test_three_revisions_behind(self):
        self.begin()
        behind, current = self.first.kiosk(), self.second.kiosk()
        self.wire.cut()
        old = behind.service(CHANGED)
        self.assertEqual(2, self.revise(name={"zh": "上门听您说", "en": "We come and listen"}))
        self.assertEqual(3, self.revise(fields=[*old["fields"], QUESTION]))
        self.assertEqual(4, self.revise(owner="TIER_DISTRICT"))
        lm.wait_until(lambda: self.revision_at(current) == 4, what="the other terminal has all three")
        self.assertEqual(1, self.revision_at(behind))

        # Written where nothing of it is known, and one that is still being written when the new revisions come.
        taken, begun = behind.submit(old, nth=1), behind.draft(old, nth=2)
        self.assertEqual({"saved": True, "town": False, "district": False}, behind.marks(taken["request_id"]))
        new = current.submit(current.service(CHANGED), nth=3)
        self.wire.mend()
        lm.wait_until(lambda: self.revision_at(behind) == 4, what="the new revisions reach the terminal")
        late = behind.hand_in(begun)

        desk, office = self.town.desk(), self.hub.desk()
        for view in (taken, late):  # the town decides, as revision 1 says; nobody misses an answer that nobody was asked for
            row = self.has(desk, view)
            self.assertEqual([1, "TIER_TOWN", old["name"]], [row["revision"], row["owner"], row["service_name"]])
            self.assertNotIn("visitor", [field["id"] for field in desk.case(view["request_id"])["fields"]])
            desk.accept(view["request_id"])
            desk.grant(view["request_id"])
            lm.wait_until(lambda: behind.marks(view["request_id"])["district"], what="the district has it")
        row = self.has(office, new)
        self.assertEqual([4, "TIER_DISTRICT"], [row["revision"], row["owner"]])
        self.assertIn("visitor", [field["id"] for field in office.case(new["request_id"])["fields"]])
        self.assertIn("belongs to the district", self.refused("conflict", desk.accept, new["request_id"]))
        office.accept(new["request_id"])
        self.assertEqual([], self.held_up())

        # Under revision 4 the question must be answered: the page asks again, nothing is saved.
        newest = behind.draft(behind.service(CHANGED), nth=4)
        newest["values"] = [value for value in newest["values"] if value["field"] != "visitor"]
        view = behind.hand_in(newest)
        self.assertEqual([False, ["visitor"]], [view["is_saved"], [fault["field"] for fault in view["faults"]]])

    def test_an_unknown_revision_is_held(self):
        """The town comes back from a copy that was made before the revision, and the district cannot be reached."""
        self.begin()
        kiosk = self.second.kiosk()
        self.town.stop()
        copied = self.town.folder.with_name("copy")
        shutil.copytree(self.town.folder / "store", copied)
        self.town.start().wait_ready()
        self.assertEqual(2, self.revise(name={"zh": "上门听您说", "en": "We come and listen"}))
        lm.wait_until(lambda: self.revision_at(kiosk) == 2, what="the revision reaches the terminal")
        self.hub.stop()
        self.town.stop()
        shutil.rmtree(self.town.folder / "store")
        shutil.move(copied, self.town.folder / "store")
        self.town.start().wait_ready()
        lm.wait_until(self.second.is_connected, what="the terminal finds its town")

        unknown = kiosk.submit(kiosk.service(CHANGED), nth=1)
        lm.wait_until(lambda: self.town.status()["held"] == "1", what="the town holds what it cannot place")
        held = self.held_up()
        self.assertEqual([["DISPOSITION_HELD", "KIND_REQUEST", SECOND, unknown["request_id"], f"waits for revision 2 of service {CHANGED}"]],
                         [[item[k] for k in ("disposition", "kind", "origin_place", "request_id", "reason")] for item in held])
        desk = self.town.desk()
        self.assertFalse(desk.has_case(unknown["request_id"]))
        others = [kiosk.submit(kiosk.service(OTHER), nth=2), self.first.kiosk().submit(self.first.kiosk().service(OTHER), nth=3)]
        for view in others:  # delayed by nothing
            self.has(desk, view)
        desk.accept(others[0]["request_id"])
        desk.grant(others[0]["request_id"])
        lm.wait_until(lambda: kiosk.statuses(others[0]["code"], others[0]["request_id"])[1:], what="the answer is there")
        self.town.restart()  # it is still held after a new start
        lm.wait_until(self.second.is_connected)
        self.assertEqual("1", self.town.status()["held"])

        self.hub.start().wait_ready()
        row = self.has(self.town.desk(), unknown)
        self.assertEqual([2, "TIER_TOWN", "上门听您说"], [row["revision"], row["owner"], row["service_name"]["zh"]])
        self.assertEqual(["0", []], [self.town.status()["held"], self.held_up()])
        for view in (unknown, others[0]):
            lm.wait_until(lambda: kiosk.marks(view["request_id"])["district"], what="the district has it")
        self.assertEqual(2, self.has(self.hub.desk(), unknown)["revision"])


if __name__ == "__main__":
    report.main()

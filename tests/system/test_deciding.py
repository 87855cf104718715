#!/usr/bin/env python3
"""Deciding: evidence that is listed and missing, two persons, objections, cases opened again, and what is overdue."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
TERMINAL = f"{TOWN}001-T1"
SERVICE = "motor-wheelchair"  # evidence, two persons, objections; and nobody has to come
DAY_S = 86400
PROOFS = {1: "certificate", 2: "identity"}


def granted(**more):
    return {"outcome": "OUTCOME_GRANTED", "text": "示例：同意。"} | more


class Deciding(lm.Case):
    def begin(self, ahead_s=0):
        self.d = self.lay_out()
        for node in self.d.nodes if ahead_s else []:
            node.environment = lm.shifted(ahead_s)
        self.d.start()
        self.town, self.kiosk = self.d.towns[TOWN], self.d.terminals[TERMINAL].kiosk()
        self.town.control.post("/ctl/v1/users", {"name": "lead", "password": "trial-supervisor", "role": "supervisor", "by": "test"})
        self.first, self.second = self.town.desk("clerk1"), self.town.desk("clerk2")
        self.lead = lm.Desk(self.town.http_address).login("lead", "trial-supervisor")

    def take(self, nth=0, files=True):
        """A request at the town, accepted."""
        draft = self.kiosk.draft(self.kiosk.service(SERVICE), nth)
        if not files:
            draft["values"] = [value for value in draft["values"] if "files" not in value]
        view = self.kiosk.hand_in(draft)
        lm.wait_until(lambda: self.first.has_case(view["request_id"]), what="the case opens")
        self.first.accept(view["request_id"])
        return view["request_id"], view["code"]

    def told(self, request, code, action):
        """The newest message, as soon as it is of this action."""
        def newest():
            statuses = self.kiosk.statuses(code, request)
            return statuses and statuses[-1]["action"] == f"CASE_ACTION_{action}" and statuses[-1]
        return lm.wait_until(newest, what=f"the receipt tells of {action}")

    def row(self, request, desk=None):
        return (desk or self.first).case(request)["row"]

    def proofs(self, request):
        return {proof["evidence"]: proof for proof in self.first.case(request)["proofs"]}

    def decided_by_two(self, request, **decision):
        self.first.act(request, "CASE_ACTION_PROPOSE", **decision)
        return self.lead.act(request, "CASE_ACTION_DECIDE", outcome=decision["outcome"], approves=True)

    def test_evidence(self):
        self.begin()
        request, code = self.take(files=False)
        self.assertEqual([("PROOF_SOURCE_NONE", "")] * 2, [(p["source"], p["by"]) for p in self.proofs(request).values()])
        said = self.refused("denied", self.first.act, request, "CASE_ACTION_PROPOSE", **granted())
        self.assertIn("残疾人证的照片; 身份证的照片", said)
        for wrong in ({"seen": [3]}, {"seen": [0]}, {"seen": []}, {"not_seen": [9]}):
            self.refused("invalid", self.first.act, request, "CASE_ACTION_EVIDENCE", **wrong)
        self.refused("invalid", self.first.act, request, "CASE_ACTION_ASK", text="示例", seen=[1])
        stale = self.row(request)["version"]
        self.second.act(request, "CASE_ACTION_EVIDENCE", seen=[2])
        self.refused("conflict", self.first.act, request, "CASE_ACTION_EVIDENCE", seen=[1], version=stale)
        seen = self.proofs(request)
        self.assertEqual(("PROOF_SOURCE_PAPER", "clerk2"), (seen[2]["source"], seen[2]["by"]))
        self.assertGreater(int(seen[2]["time_ms"]), int(self.row(request)["received_ms"]) - 1)
        said = self.refused("denied", self.first.act, request, "CASE_ACTION_PROPOSE", **granted())
        self.assertNotIn("身份证", said)

        # What the resident's record says counts, too; what was seen by mistake does not.
        person = self.first.create_person({"name": "示例人甲", "birth": "1970-01-01", "community": f"{TOWN}001",
                                           "certificate": self.answer(request, "number")})["person_id"]
        self.first.act(request, "CASE_ACTION_CONFIRM_PERSON", person_id=person)
        self.assertEqual("PROOF_SOURCE_RECORD", self.proofs(request)[1]["source"])
        self.first.act(request, "CASE_ACTION_EVIDENCE", not_seen=[2])
        self.assertEqual("PROOF_SOURCE_NONE", self.proofs(request)[2]["source"])
        self.refused("denied", self.first.act, request, "CASE_ACTION_PROPOSE", **granted())
        self.first.act(request, "CASE_ACTION_EVIDENCE", seen=[2])
        self.decided_by_two(request, **granted())
        self.assertEqual(["ACCEPT", "DECIDE"], self.actions(request, code, "DECIDE"))  # nothing else is the resident's affair

        # A refusal needs no evidence; and a request that came with its files has it all.
        other, code = self.take(nth=1, files=False)
        self.decided_by_two(other, outcome="OUTCOME_REFUSED", text="示例", ground="示例", remedy="示例")
        whole, _ = self.take(nth=2)
        self.assertEqual([("PROOF_SOURCE_REQUEST", field) for field in PROOFS.values()],
                         [(p["source"], p["field"]) for p in self.proofs(whole).values()])

    def answer(self, request, field):
        return next(f["values"][0] for f in self.first.case(request)["fields"] if f["id"] == field)

    def actions(self, request, code, last):
        self.told(request, code, last)
        return [s["action"].removeprefix("CASE_ACTION_") for s in self.kiosk.statuses(code, request)]

    def test_two_persons_without_a_visit(self):
        """A service that nobody has to come for: handed in, decided by two, told, at no counter."""
        self.begin()
        service = self.kiosk.service(SERVICE)
        self.assertFalse(any(step["in_person"] for step in service["steps"]))
        request, code = self.take()
        self.refused("denied", self.first.act, request, "CASE_ACTION_DECIDE", **granted())
        self.first.act(request, "CASE_ACTION_PROPOSE", **granted())
        self.assertEqual(("CASE_STATE_PROPOSED", "OUTCOME_NONE", "OUTCOME_GRANTED"),
                         tuple(self.row(request)[name] for name in ("state", "outcome", "proposed")))
        self.assertIn("you proposed this", self.first.case(request)["why_not_decide"])
        approve = {"outcome": "OUTCOME_GRANTED", "approves": True}
        self.refused("denied", self.first.act, request, "CASE_ACTION_DECIDE", **approve)
        self.refused("denied", self.second.act, request, "CASE_ACTION_DECIDE", **approve)
        self.refused("denied", self.second.act, request, "CASE_ACTION_RETURN", note="示例")
        self.refused("conflict", self.lead.act, request, "CASE_ACTION_DECIDE", outcome="OUTCOME_REFUSED", approves=True)
        self.refused("conflict", self.lead.act, request, "CASE_ACTION_DECIDE", **granted(text="别的话"))  # not in other words
        self.refused("invalid", self.lead.act, request, "CASE_ACTION_RETURN")
        self.assertEqual([request], [row["request_id"] for row in self.lead.cases("supervisor")])
        self.refused("denied", self.first.cases, "supervisor")
        self.lead.act(request, "CASE_ACTION_RETURN", note="示例：请再看一遍")
        self.assertEqual("CASE_STATE_ACCEPTED", self.row(request)["state"])
        self.first.act(request, "CASE_ACTION_PROPOSE", **granted(text="示例：第二次。"))
        stale = self.row(request)["version"]
        self.assertEqual(["ACCEPT"], self.actions(request, code, "ACCEPT"))  # nothing of it until it is approved
        self.lead.act(request, "CASE_ACTION_DECIDE", note="示例", **approve)
        self.refused("conflict", self.lead.act, request, "CASE_ACTION_RETURN", note="示例", version=stale)
        told = self.told(request, code, "DECIDE")
        self.assertEqual(("OUTCOME_GRANTED", "示例：第二次。", "0"), (told["outcome"], told["text"], told["object_until_ms"]))
        event = self.first.case(request)["events"][-1]
        self.assertEqual(("lead", "clerk1"), (event["staff"], event["proposed_by"]))
        office = self.d.hub.desk()
        lm.wait_until(lambda: self.row(request, office)["state"] == "CASE_STATE_DECIDED", what="the district knows")
        self.assertEqual("0", self.d.hub.status()["quarantined"])

        # A resident who withdraws meanwhile is first.
        other, code = self.take(nth=1)
        self.first.act(other, "CASE_ACTION_PROPOSE", **granted())
        version = self.told(other, code, "ACCEPT")["version"]
        self.kiosk.post("/api/v1/receipts/withdraw", {"code": code, "request_id": other, "version": version, "text": ""})
        lm.wait_until(lambda: self.row(other)["state"] == "CASE_STATE_WITHDRAWN", what="it is withdrawn")
        self.refused("closed", self.lead.act, other, "CASE_ACTION_DECIDE", **approve)

    def refuse(self, request):
        return self.decided_by_two(request, outcome="OUTCOME_REFUSED", text="示例：不符合。", ground="示例", remedy="示例")

    def object(self, request, code, version, text="示例：我不同意。"):
        return self.kiosk.post("/api/v1/receipts/object", {"code": code, "request_id": request, "version": version, "text": text})

    def test_objections_and_cases_opened_again(self):
        self.begin()
        request, code = self.take()
        self.refused("conflict", self.object, request, code, self.told(request, code, "ACCEPT")["version"])
        self.refuse(request)
        told = self.told(request, code, "DECIDE")
        self.assertGreater(int(told["object_until_ms"]), int(told["time_ms"]) + 59 * DAY_S * 1000)
        self.refused("invalid", self.object, request, code, told["version"], text="")
        self.object(request, code, told["version"])
        lm.wait_until(lambda: self.row(request)["state"] == "CASE_STATE_OBJECTED", what="the case is open again")
        self.assertEqual([("KIND_OBJECT", "示例：我不同意。")], [(a["kind"], a["text"]) for a in self.first.case(request)["asks"]])
        self.told(request, code, "OBJECT")
        self.assertIn(request, [row["request_id"] for row in self.lead.cases("supervisor")])
        for who in (self.first, self.lead):  # one proposed it, the other approved
            self.assertIn("took part", who.case(request)["why_not_decide"])
            self.refused("denied", who.act, request, "CASE_ACTION_PROPOSE", **granted())
        self.second.act(request, "CASE_ACTION_PROPOSE", **granted())
        self.lead.act(request, "CASE_ACTION_DECIDE", outcome="OUTCOME_GRANTED", approves=True)
        told = self.told(request, code, "DECIDE")
        self.assertEqual(("OBJECTED_CHANGED", "0"), (told["objected"], told["object_until_ms"]))
        self.refused("conflict", self.object, request, code, told["version"])

        # At the counter on the resident's behalf; upheld; and looked up at a terminal that has no lock of it.
        request, code = self.take(nth=1)
        self.refuse(request)
        self.refused("invalid", self.second.act, request, "CASE_ACTION_OBJECT")
        self.second.act(request, "CASE_ACTION_OBJECT", text="示例：居民在柜台说不同意。")
        self.second.act(request, "CASE_ACTION_PROPOSE", outcome="OUTCOME_REFUSED", text="示例", ground="示例", remedy="示例")
        self.lead.act(request, "CASE_ACTION_DECIDE", outcome="OUTCOME_REFUSED", approves=True)
        self.assertEqual("OBJECTED_UPHELD", self.told(request, code, "DECIDE")["objected"])
        self.refused("conflict", self.second.act, request, "CASE_ACTION_OBJECT", text="示例")

        # A supervisor opens a closed case again, with a reason.
        self.refused("denied", self.first.act, request, "CASE_ACTION_REOPEN", note="示例")
        self.refused("invalid", self.lead.act, request, "CASE_ACTION_REOPEN")
        self.lead.act(request, "CASE_ACTION_REOPEN", note="示例：漏看了一份材料", text="示例：我们再看一遍。")
        self.assertEqual("示例：我们再看一遍。", self.told(request, code, "REOPEN")["text"])
        self.assertEqual("CASE_STATE_ACCEPTED", self.row(request)["state"])
        self.assertIn(request, [row["request_id"] for row in self.first.cases("open")])
        self.assertNotIn(request, [row["request_id"] for row in self.first.cases("closed")])
        office = self.d.hub.desk()
        lm.wait_until(lambda: self.row(request, office)["state"] == "CASE_STATE_ACCEPTED", what="the district knows")
        self.assertEqual(["0", "0"], [node.status()["quarantined"] for node in (self.d.hub, self.town)])

    def test_what_is_overdue(self):
        """The town's clock goes on for twenty days, in which nobody does anything."""
        ahead_s = lm.until_monday_s()
        self.begin(ahead_s)
        late, asked = self.take()[0], self.take(nth=1)[0]
        self.first.act(asked, "CASE_ACTION_ASK", text="示例？")
        row = self.row(late)
        self.assertEqual(("CASE_TERM_RUNS", True, False), (row["term"], row["is_due_sample"], row["is_overdue"]))
        self.assertEqual([], self.first.cases("overdue"))
        self.assertEqual([], self.lead.cases("supervisor"))
        self.town.environment = lm.shifted(ahead_s + 20 * DAY_S)
        self.town.restart()
        desk = self.town.desk()
        self.assertEqual([late], [row["request_id"] for row in desk.cases("overdue")])
        self.assertTrue(self.row(late, desk)["is_overdue"])
        self.assertEqual("CASE_TERM_PAUSED", self.row(asked, desk)["term"])  # it waits for the resident
        lead = lm.Desk(self.town.http_address).login("lead", "trial-supervisor")
        self.assertEqual([late], [row["request_id"] for row in lead.cases("supervisor")])
        desk.act(late, "CASE_ACTION_STEP")
        self.assertEqual([], desk.cases("overdue"))


if __name__ == "__main__":
    report.main()

#!/usr/bin/env python3
"""Somebody acts for another: both names on what the resident reads, what the record says of it each time that staff look, an
authority that is taken back, and a resident who did not want it."""
import base64
import datetime
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402
import samples  # noqa: E402

TOWN = "310114106"
TERMINAL = f"{TOWN}001-T1"
CARER = {"name": "示例代办人", "relation": "女儿", "phone": "000 1234 5678", "scope": "CARER_SCOPE_ONCE"}
NAME = "示例人000000"  # of samples.answers
TODAY = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).date()


def day(ahead):
    return str(TODAY + datetime.timedelta(days=ahead))


def representative(**more):
    return {"name": CARER["name"], "relation": "女儿", "phone": "000-12345678", "scope": "SCOPE_REQUESTS", "from": day(-30), **more}


class Carer(lm.Case):
    def setUp(self):
        super().setUp()
        self.d = self.district()
        self.kiosk, self.town = self.d.terminals[TERMINAL].kiosk(), self.d.towns[TOWN]
        self.desk, self.office = self.town.desk(), self.d.hub.desk()

    def consents(self, service):
        return [{**consent, "is_by_carer": True} for consent in samples.consents(service)]

    def take(self, service="device-repair", carer=None):
        found = self.kiosk.service(service)
        view = self.kiosk.hand_in({**self.kiosk.draft(found), "carer": carer or CARER, "consents": self.consents(found)})
        lm.wait_until(lambda: self.desk.has_case(view["request_id"]), what="the case opens")
        return view["request_id"], view["code"]

    def authority(self, request, desk=None):
        """Row, list and case say the same."""
        desk = desk or self.desk
        told = desk.case(request)["row"]["authority"]
        listed = {row["request_id"]: row["authority"] for row in desk.cases("all")}[request]
        self.assertEqual(told, listed)
        return told[len("AUTHORITY_"):]

    def record(self, person, **more):
        """What is on file is changed."""
        self.desk.change_person(person, facts={**self.desk.look(person)["facts"], **more})

    def withdraw(self, request, code, **more):
        statuses = self.kiosk.statuses(code, request)
        version = statuses[-1]["version"] if statuses else 0
        self.kiosk.post("/api/v1/receipts/withdraw", {"code": code, "request_id": request, "version": version, "text": "", **more})
        lm.wait_until(lambda: self.desk.case(request)["row"]["state"] == "CASE_STATE_WITHDRAWN", what="it is withdrawn")

    def test_acting_for_another(self):
        with self.subTest("what is wrong is named, and nothing is saved"):
            self.wrong_ones()
        request, code = self.take()
        with self.subTest("staff see who acted, and what is missing"):
            view = self.desk.case(request)
            self.assertEqual(CARER, view["carer"])
            self.assertEqual("NOT_CONFIRMED", self.authority(request))
            self.assertNotIn(CARER["name"], str(self.desk.cases("all")))
        with self.subTest("the resident reads both names"):
            self.desk.accept(request)
            told = lm.wait_until(lambda: self.kiosk.statuses(code, request), what="the answer")[-1]
            self.assertEqual((NAME, CARER["name"]), (told["name"], told["carer"]))
            letter = self.letter(request)
            for name in (NAME, CARER["name"]):
                self.assertIn(name, letter)
        with self.subTest("what the record says counts, on the day"):
            person = self.by_record(request)
        with self.subTest("what the resident did not want is withdrawn, and casts doubt on all else of this carer"):
            self.unwanted(person, request)
        with self.subTest("whoever asks in their own name has no carer"):
            view = self.kiosk.submit(self.kiosk.service("device-repair"))
            lm.wait_until(lambda: self.desk.has_case(view["request_id"]), what="the case opens")
            self.assertNotIn("carer", self.desk.case(view["request_id"]))
            self.assertEqual("NONE", self.authority(view["request_id"]))
        with self.subTest("the counter asks the same"):
            service = self.kiosk.service("device-repair")
            draft = self.desk.post("/api/v1/intake/drafts")
            view = self.desk.post("/api/v1/intake", {**draft, "service": service["id"], "revision": service["revision"], "language": "zh-CN",
                                                     "values": samples.answers(service), "consents": self.consents(service), "carer": CARER})
            self.assertTrue(view["is_saved"], view)
            self.assertEqual("NOT_CONFIRMED", self.authority(view["request_id"]))
        lm.wait_until(lambda: all(node.status()["unsent"] == "0" for node in self.d.nodes), what="everything has arrived")
        self.assertEqual(["0", "0"], [node.status()["quarantined"] for node in (self.d.hub, self.town)])
        for node in self.d.nodes:
            node.stop()
        for node in self.d.nodes:
            self.d.lmctl("rebuild", node=node)

    def wrong_ones(self):
        def faults(service, carer):
            found = self.kiosk.service(service)
            view = self.kiosk.hand_in({**self.kiosk.draft(found), "consents": self.consents(found), "carer": carer})
            self.assertFalse(view["is_saved"])
            return {(fault["field"], fault["rule"]) for fault in view["faults"]}
        self.assertEqual({("carer.scope", "required")}, faults("device-repair", {**CARER, "scope": "CARER_SCOPE_NONE"}))
        self.assertEqual({("carer.name", "required"), ("carer.phone", "not-a-phone")}, faults("device-repair", {**CARER, "name": "", "phone": "12"}))
        self.assertEqual({("carer", "only-self")}, faults("my-data", CARER))

    def letter(self, request):
        file = self.desk.post(f"/api/v1/cases/{request}/letters", {"kind": "LETTER_KIND_ACCEPTED", "language": "zh-CN"})
        pdf = base64.b64decode(file["content"])
        return subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()

    def by_record(self, request):
        facts = {"name": NAME, "birth": "1970-01-01", "community": f"{TOWN}001", "representatives": []}
        person = self.desk.create_person(facts)["person_id"]
        self.desk.act(request, "CASE_ACTION_CONFIRM_PERSON", person_id=person)
        self.assertEqual("NOT_ON_FILE", self.authority(request))
        for more, says in (({"name": "示例别人"}, "NOT_ON_FILE"),
                           ({"phone": "00099999999"}, "OTHER_PHONE"),
                           ({"from": day(1)}, "NOT_NOW"),
                           ({"until": day(-1)}, "NOT_NOW"),
                           ({"scope": "SCOPE_MONEY"}, "NOT_THIS"),
                           ({"modules": ["MODULE_LIFE"]}, "NOT_THIS"),
                           ({"modules": ["MODULE_LIFE", "MODULE_DEVICES"]}, "COVERS"),
                           ({"phone": ""}, "COVERS"),
                           ({}, "COVERS")):
            self.record(person, representatives=[representative(**more)])
            self.assertEqual(says, self.authority(request), more)
        lm.wait_until(lambda: self.authority(request, self.office) == "COVERS", what="the district knows the record")
        # Taken back at the town: the open case says so at once, and one that was closed while it counted does not.
        other, _ = self.take()
        self.desk.act(other, "CASE_ACTION_CONFIRM_PERSON", person_id=person)
        self.desk.act(other, "CASE_ACTION_WITHDRAWN")
        self.record(person, representatives=[])
        self.assertEqual("NOT_ON_FILE", self.authority(request))
        self.record(person, representatives=[representative()])
        self.assertEqual(("COVERS", "COVERS"), (self.authority(request), self.authority(other)))
        return person

    def unwanted(self, person, request):
        plain, code = self.take()
        self.withdraw(plain, code)
        self.assertEqual("NOT_CONFIRMED", self.authority(plain))
        other, code = self.take()
        self.desk.act(other, "CASE_ACTION_CONFIRM_PERSON", person_id=person)
        self.withdraw(other, code, is_unwanted=True)
        self.assertEqual([True], [ask["is_unwanted"] for ask in self.desk.case(other)["asks"]])
        self.assertEqual(("UNWANTED", "UNWANTED"), (self.authority(other), self.authority(request)))
        stranger, _ = self.take(carer={**CARER, "name": "示例邻居"})
        self.desk.act(stranger, "CASE_ACTION_CONFIRM_PERSON", person_id=person)
        self.assertEqual("NOT_ON_FILE", self.authority(stranger))  # it was not theirs


if __name__ == "__main__":
    report.main()

#!/usr/bin/env python3
"""Certificates of disability: a town applies while the district is away and it issues on its return; two assessors, one of whom
is a relative; nobody assigns himself, nobody checks himself; lost, renewed, moved, cancelled, erased; samples; what is to be verified."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

HERE, THERE = "310114106", "310114102"
RULES = [path for path in lm.CATALOGUE if path.stem == "certificate-application"]
NAME = "单示例甲"
WORDS = "示例：右侧肢体活动受限"


def id_number(head):
    """With its check character (GB 11643). Region 990114 is nobody's."""
    return head + "10X98765432"[sum(int(digit) * 2 ** (17 - i) for i, digit in enumerate(head)) % 11]


APPLICANT, OTHER, THIRD = (id_number(f"9901141958030100{n}") for n in (1, 2, 3))


def facts(number=APPLICANT, town=HERE, **more):
    return {"name": NAME, "sex": "SEX_MALE" if int(number[16]) % 2 else "SEX_FEMALE", "birth": "1958-03-01", "id_number": number,
            "community": f"{town}001", "contacts": [{"phone": "00012345678"}], **more}


class Certificates(lm.Case):
    def staff(self, node, name, role):
        password = f"the password of {name}"
        node.control.post("/ctl/v1/users", {"name": name, "password": password, "role": role, "by": "test"})
        return lm.Desk(node.http_address).login(name, password)

    def create(self, desk, **more):
        step = desk.create_person(facts(**more))
        self.assertTrue(step["is_saved"], step)
        return step["person_id"]

    def act(self, desk, person, act, **more):
        return desk.post(f"/api/v1/persons/{person}/certificate", {"act": f"CERTIFICATE_ACT_{act}", **more})

    def assess(self, desk, person, act, **more):
        return desk.post(f"/api/v1/assessments/{person}", {"act": f"CERTIFICATE_ACT_{act}", **more})

    def seen(self, desk, person):
        return desk.look(person)["certificate"]

    def state(self, desk, person):
        return self.seen(desk, person).get("facts", {}).get("state", "").removeprefix("CERTIFICATE_STATE_")

    def until(self, desk, person, state):
        def come():
            try:
                return self.state(desk, person) == state
            except lm.Refused:
                return False
        lm.wait_until(come, what=f"the certificate is {state}")

    def finding(self, **more):
        return {"finding": {"category": 4, "grade": 2, "findings": WORDS, "recheck_on": "2020-01-01", **more}}

    def test_a_life(self):
        district = self.lay_out(towns=(HERE, THERE))
        district.start()
        hub, town, other = district.hub, district.towns[HERE], district.towns[THERE]
        clerk, operator, second = town.desk(), hub.desk(), self.staff(hub, "second", "operator")
        doctor, relative = self.staff(town, "doctor", "assessor"), self.staff(town, "relative", "assessor")
        person = self.create(clerk)

        with self.subTest("assessors say whom they are close to; a wrong number is refused"):
            self.refused("invalid", doctor.post, "/api/v1/assessments/declaration", {"own_number": "1"})
            self.assertFalse(doctor.get("/api/v1/assessments")["is_declared"])
            relative.post("/api/v1/assessments/declaration", {"own_number": THIRD, "relations": [APPLICANT]})
            doctor.post("/api/v1/assessments/declaration", {"own_number": OTHER})
            view = doctor.get("/api/v1/assessments")
            self.assertTrue(view["is_declared"])
            self.assertIn("我承诺", view["pledge"]["zh"])
            self.assertTrue(view["basis"][0]["is_sample"])

        with self.subTest("the district is away: the town applies and sees that it waits"):
            lm.wait_until(lambda: all(node.status()["unsent"] == "0" for node in district.nodes), what="all has arrived")
            hub.stop()
            self.assertTrue(self.act(clerk, person, "APPLY", reason="示例：本人申请")["is_waiting"])
            view = self.seen(clerk, person)
            self.assertNotIn("facts", view)
            self.assertEqual(["CERTIFICATE_ACT_APPLY"], [one["step"]["act"] for one in view["waiting"]])
            self.assertEqual("CERTIFICATE_STATE_APPLIED", view["expected"])
            self.assertEqual(["CERTIFICATE_ACT_CANCEL"], view["may"])
            self.assertIn("waits for an assessor", self.refused("conflict", self.act, clerk, person, "LOSS", reason="示例"))
            self.refused("denied", self.act, clerk, person, "ISSUE")
            hub.start().wait_ready()
            clerk, operator, second = town.desk(), hub.desk(), lm.Desk(hub.http_address).login("second", "the password of second")
            self.until(operator, person, "APPLIED")
            self.until(clerk, person, "APPLIED")
            self.assertEqual([], self.seen(clerk, person)["waiting"])

        with self.subTest("who is drawn: never the relative; nobody takes another's"):
            self.assertEqual([person], [row["person"]["person_id"] for row in operator.get("/api/v1/certificates")["rows"]])
            self.act(operator, person, "DRAW")
            drawn = self.seen(operator, person)["facts"]["draw"]
            self.assertEqual(("doctor", 1, HERE), (drawn["account"], drawn["candidates"], drawn["place"]))
            lm.wait_until(lambda: doctor.get("/api/v1/assessments")["rows"], what="the assessor sees it")
            self.assertEqual([], relative.get("/api/v1/assessments")["rows"])
            self.refused("not-found", relative.post, f"/api/v1/assessments/{person}/look", {})
            self.refused("denied", self.assess, relative, person, "PLEDGE")
            self.refused("denied", doctor.look, person)
            self.refused("invalid", self.act, clerk, person, "PLEDGE")
            self.assertEqual([], [look for look in clerk.get(f"/api/v1/persons/{person}/looks")["looks"] if look["by"] == "relative"])

        with self.subTest("pledge and finding, while the district is away again"):
            hub.stop()
            self.assertEqual(NAME, doctor.post(f"/api/v1/assessments/{person}/look", {})["person"]["name"])
            self.assertIn("doctor", [look["by"] for look in clerk.get(f"/api/v1/persons/{person}/looks")["looks"]])
            self.refused("conflict", self.assess, doctor, person, "ASSESS", **self.finding())
            self.assess(doctor, person, "PLEDGE")
            self.refused("invalid", self.assess, doctor, person, "ASSESS", **self.finding(grade=5))
            self.assess(doctor, person, "ASSESS", **self.finding())
            self.assertEqual("CERTIFICATE_STATE_ASSESSED", doctor.get("/api/v1/assessments")["rows"][0]["state"])
            hub.start().wait_ready()
            operator, second = hub.desk(), lm.Desk(hub.http_address).login("second", "the password of second")
            self.until(operator, person, "ASSESSED")
            pledge = self.seen(operator, person)["facts"]["pledge"]
            self.assertIn("我承诺", pledge["text"])
            self.assertEqual(1, pledge["revision"])

        with self.subTest("checked by a second person, issued"):
            self.refused("denied", self.act, clerk, person, "CHECK")
            version = self.seen(operator, person)["version"]
            self.act(second, person, "CHECK", version=version)
            self.assertIn("somebody was faster", self.refused("conflict", self.act, operator, person, "CHECK", version=version))
            self.refused("invalid", self.act, operator, person, "REFUSE", ground="示例")
            self.act(operator, person, "ISSUE")
            self.until(clerk, person, "ISSUED")
            self.assertEqual(APPLICANT + "42", self.seen(clerk, person)["facts"]["number"])
            self.assertTrue(self.seen(clerk, person)["is_recheck_due"])

        with self.subTest("lost, issued again, renewed"):
            self.act(clerk, person, "LOSS", reason="示例：遗失")
            self.until(operator, person, "LOST")
            self.act(operator, person, "REISSUE")
            self.until(clerk, person, "ISSUED")
            self.assertEqual(APPLICANT + "42B01", self.seen(clerk, person)["facts"]["number"])
            self.act(clerk, person, "RENEWAL")
            self.until(operator, person, "RENEWING")
            self.act(operator, person, "ISSUE")
            self.until(clerk, person, "ISSUED")

        with self.subTest("a sample: drawn once, results by somebody"):
            self.refused("invalid", operator.post, "/api/v1/samples", {"count": 2})
            operator.post("/api/v1/samples", {"count": 1})
            (sample,) = operator.get("/api/v1/samples")["samples"]
            self.assertEqual((1, [person]), (sample["sample"]["frame"], [row["person_id"] for row in sample["rows"]]))
            self.refused("invalid", operator.post, f"/api/v1/samples/{sample['sample_id']}",
                         {"person_id": person, "outcome": "QUALITY_OUTCOME_PAPERS"})
            operator.post(f"/api/v1/samples/{sample['sample_id']}",
                          {"person_id": person, "outcome": "QUALITY_OUTCOME_PAPERS", "note": "示例：缺少近照"})
            self.assertEqual("QUALITY_OUTCOME_PAPERS", operator.get("/api/v1/samples")["samples"][0]["rows"][0]["outcome"])

        with self.subTest("with the resident's record to another town"):
            clerk.change_person(person, "PERSON_ACTION_HAND_OVER", town=THERE, reason="示例：搬家")
            new = other.desk()
            self.until(new, person, "ISSUED")
            self.assertEqual("CERTIFICATE_ACT_TRANSFER", self.seen(operator, person)["events"][0]["step"]["act"])
            lm.wait_until(lambda: "facts" not in self.seen(clerk, person), what="the former town keeps nothing of it")
            self.refused("closed", self.act, clerk, person, "LOSS", reason="示例")
            self.act(new, person, "CANCEL", cancel="CANCEL_GROUND_OWN_WISH", reason="示例：本人要求")
            self.until(operator, person, "CANCELLED")
            self.until(new, person, "CANCELLED")

        for node in district.nodes:
            node.stop()
        with self.subTest("nothing of it is in clear on a disk"):
            for node in district.nodes:
                for path in node.folder.rglob("*"):
                    content = path.read_bytes() if path.is_file() else b""
                    for word in (WORDS, APPLICANT, THIRD, "缺少近照"):
                        self.assertNotIn(word.encode(), content, path)
        for node in district.nodes:
            for command in ("verify", "rebuild"):
                district.lmctl(command, node=node)

    def test_declined_refused_and_verified(self):
        district = self.lay_out(towns=(HERE,))
        district.start()
        hub, town = district.hub, district.towns[HERE]
        clerk, operator = town.desk(), hub.desk()
        doctor, inspector = self.staff(town, "doctor", "assessor"), self.staff(hub, "inspector", "assessor")
        person = self.create(clerk)
        with self.subTest("nobody has declared: nobody can be drawn"):
            self.act(clerk, person, "APPLY", reason="示例")
            self.until(operator, person, "APPLIED")
            self.assertIn("nobody can be drawn", self.refused("not-found", self.act, operator, person, "DRAW"))
        with self.subTest("who declines is followed by the other"):
            doctor.post("/api/v1/assessments/declaration", {"own_number": OTHER})
            inspector.post("/api/v1/assessments/declaration", {"own_number": THIRD})
            lm.wait_until(lambda: town.status()["unsent"] == "0")
            self.act(operator, person, "DRAW")
            both = {"doctor": doctor, "inspector": inspector}
            first = self.seen(operator, person)["facts"]["draw"]["account"]
            one, = set(both) - {first}
            lm.wait_until(lambda: both[first].get("/api/v1/assessments")["rows"])
            self.refused("invalid", self.assess, both[first], person, "DECLINE")
            self.assess(both[first], person, "DECLINE", reason="示例：认识申请人")
            lm.wait_until(lambda: both[one].get("/api/v1/assessments")["rows"], what="the other one has it")
            self.assertEqual([], both[first].get("/api/v1/assessments")["rows"])
        with self.subTest("refused, with ground and remedy, and applied for again"):
            self.assess(both[one], person, "PLEDGE")
            self.assess(both[one], person, "ASSESS", **self.finding())
            self.until(operator, person, "ASSESSED")
            self.act(operator, person, "CHECK")
            self.act(operator, person, "REFUSE", ground="示例：不符合标准", remedy="示例：可以申请复核")
            self.until(clerk, person, "REFUSED")
            self.assertEqual("示例：可以申请复核", self.seen(clerk, person)["facts"]["remedy"])
            self.act(clerk, person, "APPLY", reason="示例：再次申请")
            self.until(operator, person, "APPLIED")
        with self.subTest("what is to be verified, and how far it is"):
            view = clerk.get(f"/api/v1/verification?place={HERE}001")
            self.assertEqual((365, 1, 0), (view["days"], view["towns"][0]["total"], view["towns"][0]["verified"]))
            self.assertEqual([person], [row["person_id"] for row in view["left"]])
            self.refused("invalid", clerk.change_person, person, "PERSON_ACTION_VERIFY")
            clerk.change_person(person, "PERSON_ACTION_VERIFY", how="VERIFIED_HOW_PHONE")
            self.assertEqual("VERIFIED_HOW_PHONE", clerk.look(person)["facts"]["verified"]["how"])
            view = clerk.get(f"/api/v1/verification?place={HERE}001")
            self.assertEqual((1, []), (view["communities"][0]["verified"], view["left"]))
            lm.wait_until(lambda: operator.get("/api/v1/verification")["towns"][0]["verified"] == 1)
            clerk.change_person(person, facts=facts(address="示例路二号"))
            self.assertEqual("VERIFIED_HOW_PHONE", clerk.look(person)["facts"]["verified"]["how"])
        with self.subTest("erased with the record"):
            clerk.change_person(person, "PERSON_ACTION_DEATH", died_on="2026-11-20", reason="示例")
            self.act(clerk, person, "CANCEL", cancel="CANCEL_GROUND_DEATH", reason="示例")
            self.until(clerk, person, "CANCELLED")
            act = clerk.post("/api/v1/erasures", {"action": "ERASE_ACTION_PROPOSE", "persons": [person], "reason": "示例",
                                                  "ground": "示例"})["act"]
            self.staff(town, "another", "supervisor").post(f"/api/v1/erasures/{act}", {"action": "ERASE_ACTION_CONFIRM"})
            self.refused("not-found", clerk.look, person)

            def is_gone():
                try:
                    return not operator.look(person)
                except lm.Refused as refused:
                    return refused.code == "not-found"
            lm.wait_until(is_gone, what="the district has erased it, too")
            self.refused("not-found", self.act, operator, person, "DRAW")
        for node in district.nodes:
            node.stop()
        for node in district.nodes:
            for command in ("verify", "rebuild"):
                district.lmctl(command, node=node)


if __name__ == "__main__":
    report.main()

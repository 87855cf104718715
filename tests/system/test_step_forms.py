#!/usr/bin/env python3
"""What staff fill in at a step: refused or taken by the rules of a form, kept in the case, and told to the resident."""
import base64
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402
import samples  # noqa: E402

TOWN = "310114106"
STEP, DECIDE = "CASE_ACTION_STEP", "CASE_ACTION_DECIDE"


def values(**given):
    return [{"field": name.replace("_", "-"), "values": [text]} for name, text in given.items()]


def shown(fields):
    return {field["id"]: (field["choice_names"] or field["values"])[0] for field in fields if field["values"]}


class StepForms(lm.Case):
    def test_a_barrier_and_an_appointment(self):
        """Reported at a kiosk, repaired, asked about, closed, opened again; advice with an appointment and a referral."""
        self.d = self.district()
        self.kiosk, self.desk = self.d.terminals[f"{TOWN}001-T1"].kiosk(), self.d.towns[TOWN].desk()
        self.town = self.d.towns[TOWN]
        self.barrier()
        self.advice()
        self.assertEqual(["0", "0"], [node.status()["quarantined"] for node in (self.d.hub, self.town)])

    def take(self, service):
        view = self.kiosk.submit(self.kiosk.service(service))
        lm.wait_until(lambda: self.desk.has_case(view["request_id"]), what="the case opens")
        self.desk.accept(view["request_id"])
        return view["request_id"], view["code"]

    def act(self, request, code, action, **more):
        """Does it; the message that the resident then has."""
        version = self.desk.act(request, action, **more)["version"]

        def newest():
            statuses = self.kiosk.statuses(code, request)
            return statuses and statuses[-1]["version"] == version and statuses[-1]
        return lm.wait_until(newest, what=f"the receipt tells of {action}")

    def wrong(self, request, rule, given, action=STEP, **more):
        self.assertIn(rule, self.refused("invalid", self.desk.act, request, action, values=given, **more))

    def barrier(self):
        request, code = self.take("barrier-report")
        self.wrong(request, "does not ask this", values(repairer="示例单位"))  # that is the next step
        self.desk.act(request, STEP)
        self.wrong(request, "values.repairer: required", values(repair_day="2026-12-10"))
        self.wrong(request, "values.repair-day: not-a-date", values(repairer="示例单位", repair_day="2026-02-30"))
        self.wrong(request, "values.repairer: too-long", values(repairer="长" * 41, repair_day="2026-12-10"))
        self.wrong(request, "does not ask this", values(repairer="示例单位", repair_day="2026-12-10") * 2)
        self.wrong(request, "values: with STEP", values(repairer="示例单位"), "CASE_ACTION_ASK", text="示例？")
        told = self.act(request, code, STEP, values=values(repairer="示例单位", repair_day="2026-12-10", order="示例-7"))
        self.assertEqual({"repairer": "示例单位", "repair-day": "2026-12-10"}, shown(told["fields"]))  # the order is staff's
        self.assertEqual("由哪个单位修？", told["fields"][0]["label"]["zh"])

        # What was done, with a picture; the district sees the same, and opens the picture itself.
        done = values(repaired="示例：坡道改缓了。", repaired_day="2026-12-09")
        picture = {"field": "repair-picture", "files": [samples.PICTURE]}
        self.wrong(request, "values.repair-picture: not-a-file", done + [{"field": "repair-picture", "files": ["AAAA"]}])
        told = self.act(request, code, STEP, values=done + [picture])
        self.assertEqual({"repaired": "示例：坡道改缓了。", "repaired-day": "2026-12-09"}, shown(told["fields"]))
        version = told["version"]
        office = self.d.hub.desk()
        lm.wait_until(lambda: office.case(request)["row"]["version"] == version, what="the district knows")
        for desk in (self.desk, office):
            event = desk.case(request)["events"][-1]
            self.assertEqual([["image/png"]], [field["file_types"] for field in event["fields"] if field["file_types"]])
            file = desk.get(f"/api/v1/cases/{request}/events/{version}/files/repair-picture")
            self.assertEqual(("image/png", base64.b64decode(samples.PICTURE)), (file["type"], base64.b64decode(file["content"])))
        for nothing in (f"events/{version - 1}/files/repair-picture", f"events/{version}/files/repaired", "files/repair-picture",
                        f"events/{2 ** 64}/files/repair-picture"):
            self.refused("not-found", self.desk.get, f"/api/v1/cases/{request}/{nothing}")
        self.refused("invalid", self.desk.get, f"/api/v1/cases/{request}/events/x/files/repair-picture")

        # "Is it mended?" is asked, answered, and the case closed; who finds it is not comes back.
        asked = self.act(request, code, "CASE_ACTION_ASK", text="示例：修好了吗？")
        self.kiosk.post("/api/v1/receipts/answer", {"code": code, "request_id": request, "version": asked["version"], "text": "示例：修好了。"})
        lm.wait_until(lambda: self.desk.case(request)["row"]["state"] == "CASE_STATE_ACCEPTED", what="the answer is there")
        self.desk.act(request, DECIDE, outcome="OUTCOME_GRANTED")
        self.town.control.post("/ctl/v1/users", {"name": "lead", "password": "trial-supervisor", "role": "supervisor", "by": "test"})
        lm.Desk(self.town.http_address).login("lead", "trial-supervisor").act(request, "CASE_ACTION_REOPEN", note="示例：又坏了")
        self.assertEqual("CASE_STATE_ACCEPTED", self.desk.case(request)["row"]["state"])

    def advice(self):
        request, code = self.take("legal-advice")
        self.wrong(request, "values.appointment-day: required", [], DECIDE, outcome="OUTCOME_GRANTED")
        told = self.act(request, code, STEP, values=values(appointment_day="2026-12-01", appointment_time="上午 9:30", appointment_place="示例服务点"))
        self.assertEqual(["2026-12-01", "上午 9:30", "示例服务点"], list(shown(told["fields"]).values()))
        self.wrong(request, "values.outcome: not-a-choice", values(outcome="won"))
        told = shown(self.act(request, code, STEP, values=values(outcome="referred", referral="示例热线"))["fields"])
        self.assertEqual(("转到热线或服务点", "示例热线"), (told["outcome"]["zh"], told["referral"]))
        self.desk.act(request, DECIDE, outcome="OUTCOME_GRANTED")  # the last step asks nothing

        # A refusal may leave out what is required, and what is given is right; with a new code the town tells the same.
        other, _ = self.take("legal-advice")
        refuse = {"outcome": "OUTCOME_REFUSED", "text": "示例", "ground": "示例", "remedy": "示例"}
        self.wrong(other, "values.appointment-day: not-a-date", values(appointment_day="明天"), DECIDE, **refuse)
        self.desk.act(other, DECIDE, **refuse)
        new = self.desk.post(f"/api/v1/cases/{request}/code", {"checked": "IDENTITY_CHECK_ID_CARD"})["code"]
        statuses = lm.wait_until(lambda: self.kiosk.statuses(new, request), what="the town shows the new receipt")
        steps = [status for status in statuses if status["action"] == STEP]
        self.assertEqual(["示例服务点", "示例热线"], [list(shown(status["fields"]).values())[-1] for status in steps])


if __name__ == "__main__":
    report.main()

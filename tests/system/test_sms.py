#!/usr/bin/env python3
"""Text messages through a folder: what a provider's program is given, what it answers, and what becomes of a contact when it
fails, is silent, was begun twice, is not wanted, or when the daemon dies in between."""
import datetime
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
TERMINAL = f"{TOWN}001-T1"
NEED = "示例：告诉他带病历来。"  # what staff wrote down for themselves
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
NOON = datetime.datetime(2026, 6, 15, 12, tzinfo=SHANGHAI)


class Provider:
    """The provider's program: takes what lies in out/, and answers it in done/."""

    def __init__(self, spool):
        self.spool, self.messages = spool, []

    def waiting(self):
        return sorted(self.spool.glob("out/*.json"))

    def take(self):
        path = self.waiting()[0]
        os.rename(path, self.spool / "taken" / path.name)
        self.messages.append(json.loads((self.spool / "taken" / path.name).read_text()))
        return self.messages[-1]

    def answer(self, message, result, reason=""):
        self.write(message["id"], json.dumps({"id": message["id"], "result": result, "reason": reason}))

    def write(self, name, text):
        draft = self.spool / "done" / f"{name}.tmp"
        draft.write_text(text)
        os.rename(draft, self.spool / "done" / f"{name}.json")

    def files(self):
        return [path.name for folder in ("out", "taken", "done") for path in (self.spool / folder).glob("*.json")]


class Sms(lm.Case):
    def begin(self):
        self.d = self.lay_out(sites=1)
        self.town = self.d.towns[TOWN]
        self.spool = self.town.folder.parent / "sms"
        self.town.settings["sms_spool"] = self.spool
        self.clock = self.town.folder.parent / "clock"
        self.town.environment = {"LD_PRELOAD": str(lm.BUILD / "tests/lib/libmachine.so"), "LM_TEST_CLOCK": str(self.clock),
                                 "ASAN_OPTIONS": "verify_asan_link_order=0"}
        self.noon = NOON
        self.is_at(self.noon)
        self.d.start()
        self.desk, self.kiosk, self.provider = self.town.desk(), self.d.terminals[TERMINAL].kiosk(), Provider(self.spool)

    def is_at(self, moment):
        self.clock.write_text(str(int(moment.timestamp() - datetime.datetime.now().timestamp())))

    def request(self):
        request = self.kiosk.submit(nth=0)["request_id"]
        lm.wait_until(lambda: self.desk.has_case(request), what="the case opens")
        return request

    def add(self, request, **more):
        contact = {"way": "CONTACT_WAY_SMS", "text": NEED, "day": str(self.noon.date())} | more
        self.desk.post(f"/api/v1/cases/{request}/contacts", {"act": "CONTACT_ACT_ADD", "contact": contact})

    def contact(self, request):
        return self.desk.get(f"/api/v1/cases/{request}/contacts")["contacts"][-1]

    def tries(self, request):
        return [(one["outcome"].removeprefix("CONTACT_OUTCOME_"), one["note"], one["by"])
                for one in self.contact(request)["contact"].get("tries", [])]

    def given(self):
        lm.wait_until(self.provider.waiting, what="a message lies in out/")
        return self.provider.take()

    def became(self, request, *outcomes):
        lm.wait_until(lambda: [one for one, _, _ in self.tries(request)] == list(outcomes), what=f"{outcomes}")

    def cleared(self):
        lm.wait_until(lambda: not self.provider.files(), what="no number lies in the folder any more")

    def test_messages(self):
        self.begin()
        for part in (self.sent, self.failing, self.silent, self.unwanted):
            with self.subTest(part.__name__):
                part()
                self.noon += datetime.timedelta(days=7)
                self.is_at(self.noon)
        self.audited()

    def sent(self):
        first = self.request()
        self.add(first)
        self.add(first, way="CONTACT_WAY_CALL")  # a person calls
        message = self.given()
        phone = self.contact(first)["phone"]
        self.assertTrue(phone)
        texts = json.loads((lm.TOP / "deploy/letters.json").read_text())["sms"]
        self.assertEqual((phone, texts["zh"], "zh-CN"), (message["to"], message["text"], message["language"]))
        self.assertEqual({"id", "to", "text", "language"}, set(message))
        self.assertEqual([], self.provider.waiting(), "once, and no call")
        sms = lambda: self.desk.get(f"/api/v1/cases/{first}/contacts")["contacts"][0]  # noqa: E731
        outcomes = lambda: [one["outcome"] for one in sms()["contact"]["tries"]]  # noqa: E731
        self.assertEqual(["CONTACT_OUTCOME_GIVEN"], outcomes())
        path, which = f"/api/v1/cases/{first}/contacts", {"contact": sms()["contact"]["contact"]}
        self.refused("invalid", self.desk.post, path, {"act": "CONTACT_ACT_TRY", "contact": which, "outcome": "CONTACT_OUTCOME_SENT"})
        self.provider.answer(message, "sent")
        lm.wait_until(lambda: sms()["is_done"], what="it is done")
        self.assertEqual(["CONTACT_OUTCOME_GIVEN", "CONTACT_OUTCOME_SENT"], outcomes())
        self.cleared()

        english = self.kiosk.draft() | {"language": "en"}
        self.kiosk.hand_in(english)
        lm.wait_until(lambda: self.desk.has_case(english["request_id"]), what="the case opens")
        self.add(english["request_id"])
        english = self.given()
        self.assertEqual(texts["en"], english["text"])
        self.provider.answer(english, "sent")
        self.cleared()
        self.phone = phone

    def failing(self):
        request = self.request()
        self.add(request)
        for nth in range(1, 4):
            message = self.given()
            self.assertTrue(message["id"].endswith(f"-{2 * nth - 1}"), message)
            if nth == 2:
                self.provider.write(message["id"], "{ sent")
            else:
                self.provider.answer(message, "failed", "示例：" + "停机" * 200)
            self.became(request, *["GIVEN", "NOT_REACHED"] * nth)
            self.cleared()
            self.is_at(self.noon + nth * datetime.timedelta(minutes=16))
        notes = [note for outcome, note, _ in self.tries(request) if outcome == "NOT_REACHED"]
        self.assertTrue(notes[0].startswith("示例：停机停机") and len(notes[0].encode()) <= 200, notes[0])
        self.assertIn("cannot be read", notes[1])
        self.assertFalse(self.contact(request)["is_done"], "it is for staff now")
        self.assertEqual(6, len(self.settled(request)))

    def settled(self, request):
        """The tries, when the daemon has looked again for sure: another contact went through it."""
        other = self.request()
        self.add(other)
        self.provider.answer(self.given(), "sent")
        self.became(other, "GIVEN", "SENT")
        return self.tries(request)

    def silent(self):
        request = self.request()
        self.add(request)
        lm.wait_until(self.provider.waiting, what="a message lies in out/")
        # Killed between the journal and the file: it is written once, and what was taken is not written again.
        self.town.kill()
        self.provider.waiting()[0].unlink()
        self.town.start().wait_ready()
        self.desk = self.town.desk()
        message = self.given()
        self.town.kill()
        self.town.start().wait_ready()
        self.desk = self.town.desk()
        self.assertEqual(1, len(self.settled(request)))
        self.is_at(self.noon + datetime.timedelta(hours=25))
        self.became(request, "GIVEN", "NOT_REACHED")
        self.assertIn("no answer", self.tries(request)[1][1])
        self.provider.answer(message, "sent")  # too late: nobody waits for it
        lm.wait_until(lambda: not (self.spool / "done" / f"{message['id']}.json").exists(), what="it is cleared away")

        # Nobody is woken, and whose day has not come waits.
        night = self.noon + datetime.timedelta(days=2, hours=10)
        self.is_at(night)
        late, later, at_once = self.request(), self.request(), self.request()
        self.add(late, day=str(night.date()))
        self.add(later, day=str((night + datetime.timedelta(days=1)).date()), **{"from": "21:00", "until": "23:00"})
        self.add(at_once, day=str(night.date()), **{"from": "21:00", "until": "23:00"})
        self.given()
        self.became(at_once, "GIVEN")
        self.assertEqual([[], []], [self.tries(one) for one in (late, later)])
        self.is_at(night + datetime.timedelta(hours=11))
        self.given()
        self.became(late, "GIVEN")
        self.assertEqual([], self.tries(later), "its hours are in the evening")

    def unwanted(self):
        no, nobody = self.request(), self.kiosk.draft()
        service = self.kiosk.service(nobody["service"])
        phones = [field["id"] for field in service["fields"] if field.get("meaning") == "FIELD_MEANING_APPLICANT_PHONE"]
        nobody["values"] = [value for value in nobody["values"] if value["field"] not in phones]
        self.kiosk.hand_in(nobody)
        lm.wait_until(lambda: self.desk.has_case(nobody["request_id"]), what="the case opens")
        person = self.desk.create_person({"name": "示例人甲", "birth": "1970-01-01", "community": f"{TOWN}001",
                                          "consents": [{"topic": "TOPIC_CALLS", "is_given": False, "day": "2026-05-01"}]})["person_id"]
        self.desk.accept(no)
        self.desk.act(no, "CASE_ACTION_CONFIRM_PERSON", person_id=person)
        for request in (no, nobody["request_id"]):
            self.add(request)
        self.became(no, "NOT_ALLOWED")
        self.became(nobody["request_id"], "WRONG_ADDRESS")
        self.assertEqual(1, len(self.settled(no)), "it is for staff")

    def audited(self):
        # Who reads the audit finds each; what staff wrote for themselves is in no log.
        self.town.control.post("/ctl/v1/users", {"name": "lead", "password": "trial-lead", "role": "supervisor", "by": "test"})
        lead = lm.Desk(self.town.http_address).login("lead", "trial-lead")
        told = [row["what"] for row in lead.get("/api/v1/audit")["rows"] if row["what"].startswith("sms")]
        self.assertEqual(["sms-sent", "sms-given"] * 2, told[-4:], "the first four, the newest first")
        self.assertIn("sms-failed", told)
        self.town.stop()
        log = self.town.log.read_text()
        self.assertNotIn(NEED, log)
        self.assertNotIn(self.phone, log)
        for act in ("rebuild", "verify"):
            self.d.lmctl(act, node=self.town)

    def test_a_spool_without_a_text_is_named(self):
        texts = json.loads((lm.TOP / "deploy/letters.json").read_text())
        for sms, why in ((None, "has no text `sms`"), ({"zh": "{name}好", "en": "Dear {name}"}, "has no places"),
                         ({"zh": "长" * 71, "en": "long"}, "one text message")):
            with self.subTest(why):
                texts["sms"] = sms
                content = {name: value for name, value in texts.items() if value}
                self.assertIn(why, self.why_hub_ends("letters", content, sms_spool="/dev/null/sms"))


if __name__ == "__main__":
    report.main()

#!/usr/bin/env python3
"""Letters to residents: what the case says stands in the PDF, once and whole, whatever was typed in; who printed which is an
event of the town, and what the district's texts say wrongly is said before anything runs."""
import base64
import json
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
TERMINAL = f"{TOWN}001-T1"
SERVICE = "home-adaptation"  # which a town decides
QUESTION = "示例：请把房产证和户口本的复印件带来。"
GROUND = "示例：《示例办法》第三条"
REMEDY = "示例：六十日内可以向区里提出。"


def text_of(pdf, *options):
    return subprocess.run(["pdftotext", *options, "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()


def facts_of(pdf):
    done = subprocess.run(["pdfinfo", "-"], input=pdf, capture_output=True, check=True)
    assert not done.stderr, done.stderr
    return {line.split(":", 1)[0]: line.split(":", 1)[1].strip() for line in done.stdout.decode().splitlines()}


def joined(text):
    """As it was typed: lines of a PDF end where they must."""
    return "".join(text.split())


def body_of(pdf):
    """The same over the pages' ends, without what stands at the foot of each."""
    return re.sub(r"[0-9a-f]{32}·第\d+页，共\d+页|[0-9a-f]{32}·page\d+of\d+", "", joined(text_of(pdf)))


class Letters(lm.Case):
    def told(self, kiosk, name):
        service = next(s for s in kiosk.services() if s["id"] == SERVICE)
        command = kiosk.draft(service, nth=1)
        field = next(f["id"] for f in service["fields"] if f.get("meaning") == "FIELD_MEANING_APPLICANT_NAME")
        command["values"] = [v for v in command["values"] if v["field"] != field] + [{"field": field, "values": [name]}]
        kiosk.hand_in(command)
        return command["request_id"]

    def letter(self, desk, request, kind, language=""):
        view = desk.post(f"/api/v1/cases/{request}/letters", {"kind": f"LETTER_KIND_{kind}", "language": language})
        self.assertEqual("application/pdf", view["type"])
        return base64.b64decode(view["content"])

    def check_once(self, pdf, *words):
        text = body_of(pdf)
        for word in words:
            self.assertEqual(1, text.count(joined(word)), (word, text))

    def test_what_the_case_says_stands_in_the_letter(self):
        district = self.district()
        town, kiosk = district.towns[TOWN], district.terminals[TERMINAL].kiosk()
        desk = town.desk()
        request = self.told(kiosk, "演示甲乙丙")
        lm.wait_until(lambda: desk.has_case(request), what="the case opens")
        why = self.refused("conflict", self.letter, desk, request, "ACCEPTED")
        self.assertIn("nobody has accepted", why)
        self.assertEqual([], desk.case(request)["letters"])
        desk.accept(request)
        first = self.letter(desk, request, "ACCEPTED")
        self.check_once(first, "演示甲乙丙", "受理告知书", "此处盖章")
        self.assertIn("第1页，共1页", joined(text_of(first)))
        self.assertEqual(first, self.letter(desk, request, "ACCEPTED"), "the same letter is the same bytes")
        facts = facts_of(first)
        self.assertEqual(("受理告知书", "1", "yes"), (facts["Title"], facts["Pages"], facts["Tagged"]))
        self.assertIn("A4", facts["Page size"])
        self.assertIn(b"/Lang (zh-CN)", first)
        desk.act(request, "CASE_ACTION_ASK", text=QUESTION, note="只给同事看的话")
        missing = self.letter(desk, request, "MISSING")
        self.check_once(missing, QUESTION, "补正告知书")
        self.assertNotIn("只给同事看的话", joined(text_of(missing)))
        english = self.letter(desk, request, "MISSING", "en")
        self.check_once(english, "Place for the seal", QUESTION)
        self.assertIn(b"/Lang (en)", english)
        reason = "".join(f"示例理由第{n}条：门槛太高，进出不便。\n" for n in range(60))
        desk.act(request, "CASE_ACTION_DECIDE", outcome="OUTCOME_REFUSED", text=reason, ground=GROUND, remedy=REMEDY)
        decided = self.letter(desk, request, "DECIDED")
        self.check_once(decided, GROUND, REMEDY, "结果不同意", *(f"示例理由第{n}条：" for n in range(60)))
        self.assertGreaterEqual(int(facts_of(decided)["Pages"]), 2)
        self.check_printed(district, desk, request)

    def check_printed(self, district, desk, request):
        letters = desk.case(request)["letters"]
        self.assertEqual([("LETTER_KIND_DECIDED", "zh-CN"), ("LETTER_KIND_MISSING", "en"), ("LETTER_KIND_MISSING", "zh-CN"),
                          ("LETTER_KIND_ACCEPTED", "zh-CN"), ("LETTER_KIND_ACCEPTED", "zh-CN")],
                         [(one["letter"]["kind"], one["letter"]["language"]) for one in letters])
        self.assertEqual({"clerk1"}, {one["letter"]["by"] for one in letters})
        hub = district.hub.desk()
        lm.wait_until(lambda: hub.has_case(request), what="the district has the case")
        self.assertEqual([], hub.case(request)["letters"], "an event of the town's own")
        town = district.towns[TOWN]
        town.stop()
        district.lmctl("rebuild", node=town)
        district.lmctl("verify", node=town)

    def test_hostile_words_are_only_words(self):
        district = self.district()
        kiosk, desk = district.terminals[TERMINAL].kiosk(), district.towns[TOWN].desk()
        request = self.told(kiosk, "{ground}<b>甲</b>")
        lm.wait_until(lambda: desk.has_case(request), what="the case opens")
        desk.accept(request)
        self.check_once(self.letter(desk, request, "ACCEPTED"), "{ground}<b>甲</b>")
        # Turned round, invisible, and one word without an end.
        words = "\u202e倒\u2066着\u200b写\x1b[31m" + "W" * 3900
        desk.act(request, "CASE_ACTION_ASK", text=words)
        pdf = self.letter(desk, request, "MISSING")
        self.check_once(pdf, "倒着写[31m" + "W" * 3900)
        boxes = text_of(pdf, "-bbox")
        ends = [float(part.split('"')[1]) for part in boxes.split("xMax=")[1:]]
        self.assertLess(max(ends), 595, "nothing runs over the edge")

    def test_texts_that_are_wrong_are_named(self):
        texts = json.loads((lm.TOP / "deploy/letters.json").read_text())
        texts["letters"][1]["parts"][3]["text"]["en"] = "on {nmae}"
        self.assertIn("letters[1].parts[3].text.en: there is no place '{nmae}'", self.why_hub_ends("letters", texts))


if __name__ == "__main__":
    report.main()

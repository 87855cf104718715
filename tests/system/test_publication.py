#!/usr/bin/env python3
"""Is what a person writes for others drafted, checked, looked at by a second person, published, and seen to arrive?"""
import copy
import json
import pathlib
import re
import sys
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/lib"))
import lm  # noqa: E402
import report  # noqa: E402

FIRST, SECOND = "310114106001-T1", "310114106002-T1"
LIST = "/api/v1/publications/catalogue"
GIVEN = ("revision", "published_by", "published_ms", "drafted_by", "goes_back_to")


def field_types():
    text = (TOP / "proto/catalogue.proto").read_text(encoding="utf-8")
    return set(re.findall(r"(FIELD_TYPE_\w+) = [1-9]", text))


def both(zh, en):
    return {"zh": zh, "en": en}


def field(name, zh, en, **more):
    return {"id": name, "type": f"FIELD_TYPE_{name.upper()}", "label": both(zh, en), **more}


CHOICES = [{"id": "one", "name": both("甲种", "The first")}, {"id": "two", "name": both("乙种", "The second")},
           {"id": "unknown", "name": both("不清楚", "I don't know")}]

# A service that nobody has thought of while the program was written: every type of field, each once.
LAMPS = {
    "id": "sample-lamps", "module": "MODULE_LIFE", "owner": "TIER_TOWN",
    "name": both("示例灯具申请", "Sample lamps"), "easy": both("家里太暗，可以申请灯具。", "If your home is dark, ask for lamps."),
    "conditions": [both("示例：家里太暗的人。", "Sample: people whose home is dark.")],
    "fields": [
        field("person", "您叫什么名字？", "What is your name?", is_required=True, meaning="FIELD_MEANING_APPLICANT_NAME"),
        field("phone", "怎么打电话找到您？", "How can we call you?", meaning="FIELD_MEANING_APPLICANT_PHONE"),
        field("certificate", "您的残疾人证号是什么？", "What is your certificate number?", meaning="FIELD_MEANING_APPLICANT_NUMBER"),
        field("id_number", "您的身份证号是什么？", "What is your ID number?"),
        field("choice", "您要哪种灯？", "Which kind of lamp?", is_required=True, choices=CHOICES),
        field("several", "哪些房间要灯？", "Which rooms need one?", least="0", most="2", choices=CHOICES),
        field("yes_no", "家里通电了吗？", "Is there electricity?", is_required=True),
        field("number", "要几盏灯？", "How many lamps?", least="1", most="9"),
        field("money", "您自己能付多少钱？", "How much can you pay?", least="0", most="100000"),
        field("date", "哪天可以上门？", "On which day may we come?"),
        field("place", "您住在哪个社区？", "In which community do you live?"),
        field("address", "您住在哪里？", "Where do you live?"),
        field("text", "门铃上写的是什么？", "What is on the bell?", least="0", most="20"),
        field("long_text", "还有什么要说的？", "Anything else?", least="0", most="200"),
        field("file", "有房间的照片吗？", "Is there a picture of the room?", least="0", most="100000"),
    ],
    "privacy": {"who_asks": both("街镇的残疾人服务分中心。", "The service centre of the town."),
                "purpose": both("用来办这件事。", "To handle this request."),
                "who_sees": both("办这件事的工作人员。", "Staff who handle it."), "keep_months": 12, "keep_from": "KEEP_FROM_CLOSED",
                "health_why": both("只用来办这件事。", "It is used for this only.")},
    "steps": [{"text": both("街镇看您的申请。", "The town reads it."), "working_days": 3}],
    "evidence": [both("残疾人证", "The certificate")],
    "basis": [{"text": both("示例依据。", "A sample basis."), "is_sample": True}],
    "facts": [{"text": both("示例：3天内办，资料保存12个月。", "Sample: within 3 days; kept for 12 months."), "is_sample": True}],
}


class Writer(lm.Desk):
    """Somebody who drafts or publishes at the hub."""

    def __init__(self, district, name):
        super().__init__(district.hub.http_address)
        self.login(name, district.passwords[name])

    def view(self, key):
        return self.get(f"{LIST}/{key}")

    def step(self, key, action, version, **more):
        return self.post(f"{LIST}/{key}", {"action": f"DRAFT_ACTION_{action}", "version": version, **more})

    def save(self, key, service, version=0, based_on=1):
        return self.step(key, "SAVE", version, based_on=based_on, service=service)

    def publish(self, key, version):
        return self.step(key, "PUBLISH", version)


def bare(service):
    return {name: copy.deepcopy(value) for name, value in service.items() if name not in GIVEN}


class Publication(lm.Case):
    def begin(self, **layout):
        self.d = self.district(**({"sites": 2} | layout))
        self.editor, self.publisher = Writer(self.d, "editor1"), Writer(self.d, "publisher1")

    def arrival(self, key="legal-advice"):
        return self.editor.view(key)["row"]["newest"]["arrival"]

    def has_arrived(self, count, key="legal-advice"):
        lm.wait_until(lambda: self.arrival(key)["arrived"] == count, what=f"{key} has arrived at {count}")

    def easy(self, words, key="legal-advice"):
        service = bare(self.editor.view(key)["service"])
        service["easy"] = {"zh": words, "en": "Sample: the easy sentence has changed."}
        return service

    def shown(self, terminal, key="legal-advice"):
        return self.d.terminals[terminal].kiosk().service(key)

    def test_a_draft_needs_a_second_person(self):
        self.begin()
        operator = Writer(self.d, "operator1")
        key, service = "legal-advice", self.easy("示例：我们帮您问律师。")
        self.refused("denied", self.publisher.save, key, service)
        self.refused("denied", self.editor.cases)
        for path in (f"cases/{'0' * 32}", f"cases/{'0' * 32}/files/file", "quarantine", "totals"):
            self.refused("denied", self.editor.get, f"/api/v1/{path}")
        self.refused("denied", self.editor.publish, key, 1)
        self.refused("conflict", operator.publish, key, 1)

        broken = copy.deepcopy(service)
        broken["fields"][0]["label"]["zh"] = ""
        saved = self.editor.save(key, broken)
        self.assertEqual(1, saved["version"])
        self.assertEqual(["fields[0].label.zh"], [fault["path"] for fault in saved["faults"]])
        self.assertIn("a Chinese text is missing", self.refused("invalid", self.publisher.publish, key, 1))

        self.assertIn("editor1", self.refused("conflict", operator.save, key, service))  # it saw no draft
        saved = operator.save(key, service, 1)
        self.assertEqual((2, []), (saved["version"], saved["faults"]))
        self.assertEqual({"easy.zh", "easy.en"}, {change["path"] for change in saved["changes"]})
        self.assertEqual("示例：我们帮您问律师。", next(c["after"] for c in saved["changes"] if c["path"] == "easy.zh"))
        self.assertEqual(2, operator.save(key, service, 2)["version"], "the same again is no new version")
        draft = self.publisher.view(key)["row"]["draft"]
        self.assertEqual((["editor1", "operator1"], 0, False), (draft["authors"], draft["faults"], draft["is_stale"]))

        self.assertIn("somebody else", self.refused("denied", operator.publish, key, 2))
        self.refused("conflict", self.publisher.publish, key, 1)
        self.assertEqual(2, self.publisher.publish(key, 2)["revision"])
        view = self.editor.view(key)
        self.assertNotIn("draft", view["row"])
        newest = view["revisions"][0]
        self.assertEqual((2, ["editor1", "operator1"], "publisher1"),
                         (newest["revision"], newest["drafted_by"], newest["published_by"]))
        lm.wait_until(lambda: self.shown(FIRST)["revision"] == 2, what="the terminal shows revision 2")
        self.assertEqual("示例：我们帮您问律师。", self.shown(FIRST)["easy"]["zh"])
        self.has_arrived(2)

        # Going back needs a second person again.
        saved = self.editor.step(key, "SAVE", 0, based_on=2, goes_back_to=1)
        self.assertEqual({"easy.zh", "easy.en"}, {change["path"] for change in saved["changes"]})
        self.refused("denied", self.editor.publish, key, 1)
        self.assertEqual(3, self.publisher.publish(key, 1)["revision"])
        self.assertEqual(1, self.editor.view(key)["revisions"][0]["goes_back_to"])
        old = self.editor.get(f"{LIST}/{key}/1")
        self.assertEqual([], old["changes"], "revision 3 says what revision 1 said")
        self.assertEqual(2, len(self.editor.get(f"{LIST}/{key}/2")["changes"]))
        lm.wait_until(lambda: self.shown(SECOND)["revision"] == 3, what="the terminal shows revision 3")
        self.refused("not-found", self.editor.step, key, "SAVE", 0, based_on=3, goes_back_to=9)
        self.refused("not-found", self.editor.get, f"{LIST}/{key}/9")
        self.refused("not-found", self.editor.get, f"{LIST}/nothing")
        self.refused("not-found", self.editor.get, "/api/v1/publications/nothing")

        # What is stored is what a replay makes.
        self.editor.save(key, service, 0, 3)
        self.d.hub.stop()
        self.assertIn("equal", self.d.lmctl("rebuild", node=self.d.hub))
        self.d.hub.start().wait_ready()

    def test_a_text_of_answers_is_published_and_says_what_the_case_says(self):
        self.begin(sites=1)
        address, key = "/api/v1/publications/wording", "ask-paper"
        path, other = TOP / "deploy/wordings/ask-paper.json", TOP / "deploy/wordings/granted.json"
        text = json.loads(path.read_text()) | {"service": "legal-advice"}
        text["plain"]["zh"] = "{name}：「{service}」{received}收到，{day}问您，编号 {number}，{contact}。{due}"
        step = {"action": "DRAFT_ACTION_SAVE", "version": 0, "based_on": 0}
        broken = copy.deepcopy(text)
        broken["easy"]["en"] = "See {outcome}."
        saved = self.editor.post(f"{address}/{key}", step | {"wording": broken})
        self.assertEqual(["easy.en"], [fault["path"] for fault in saved["faults"]])
        self.assertEqual([], self.editor.post(f"{address}/{key}", step | {"version": 1, "wording": text})["faults"])
        publish = {"action": "DRAFT_ACTION_PUBLISH", "version": 2}
        self.refused("denied", self.editor.post, f"{address}/{key}", publish)
        self.assertEqual(1, self.publisher.post(f"{address}/{key}", publish)["revision"])
        said = self.d.lmctl("wording", "publish", path, other, "--by", "wang", "--second", "chen", node=self.d.hub)
        self.assertIn("ask-paper revision 2", said)
        self.assertIn("granted revision 1", said)
        self.publisher.get(address)
        view = self.editor.post(f"{address}/{key}", {"action": "DRAFT_ACTION_SAVE", "version": 0, "based_on": 2, "goes_back_to": 1})
        self.publisher.post(f"{address}/{key}", {"action": "DRAFT_ACTION_PUBLISH", "version": view["version"]})

        kiosk, desk = self.d.terminals[FIRST].kiosk(), self.d.towns[FIRST[:9]].desk()
        request, other_case = (kiosk.submit(kiosk.service(name))["request_id"] for name in ("legal-advice", "home-adaptation"))
        lm.wait_until(lambda: desk.has_case(request) and desk.has_case(other_case), what="the cases open")
        texts = lambda case: desk.get(f"/api/v1/cases/{case}/wordings")  # noqa: E731
        lm.wait_until(lambda: [w["revision"] for w in texts(request)["published"]] == [3, 1], what="the texts are at the town")
        own = {name: text[name] for name in ("name", "easy", "action")} | {"id": "mine", "plain": both("请等。", "Please wait for {office}.")}
        desk.post("/api/v1/work", {"act": "DESK_ACT_KEEP_TEMPLATE", "wording": own})
        found = texts(request)
        case = desk.case(request)
        name = next(told["values"][0] for field, told in zip(case["service"]["fields"], case["fields"], strict=True)
                    if field.get("meaning") == "FIELD_MEANING_APPLICANT_NAME")
        plain = found["published"][0]["plain"]["zh"]
        for word in (f"{name}：", case["service"]["name"]["zh"], f"编号 {request}"):
            self.assertIn(word, plain)
        self.assertNotIn("{", plain)
        self.assertTrue(plain.endswith("日") or plain.endswith("____"), plain)
        self.assertNotIn("{", found["own"][0]["plain"]["en"])
        self.assertEqual(["granted"], [w["id"] for w in texts(other_case)["published"]], "the other is of another service")

        # Taken away again, it is offered no more; what is stored is what a replay makes.
        self.editor.post(f"{address}/granted", {"action": "DRAFT_ACTION_SAVE", "version": 0, "based_on": 1,
                                               "wording": json.loads(other.read_text()) | {"is_withdrawn": True}})
        self.publisher.post(f"{address}/granted", {"action": "DRAFT_ACTION_PUBLISH", "version": 1})
        lm.wait_until(lambda: texts(other_case)["published"] == [], what="the text is gone")
        self.d.hub.stop()
        self.assertIn("equal", self.d.lmctl("rebuild", node=self.d.hub))
        self.d.hub.start().wait_ready()

    def test_what_was_published_meanwhile_must_be_looked_at(self):
        self.begin(towns=())  # the hub alone
        key = "legal-advice"
        self.editor.save(key, self.easy("示例：第一种说法。"))
        path = pathlib.Path(self.d.folder) / "service.json"
        path.write_text(json.dumps(self.easy("示例：第二种说法。")))
        with self.assertRaisesRegex(lm.Failed, "second"):
            self.d.lmctl("catalogue", "publish", path, "--by", "wang", node=self.d.hub)
        with self.assertRaisesRegex(lm.Failed, "somebody else"):
            self.d.lmctl("catalogue", "publish", path, "--by", "wang", "--second", "wang", node=self.d.hub)
        said = self.d.lmctl("catalogue", "publish", path, "--by", "wang", "--second", "chen", node=self.d.hub)
        self.assertIn("legal-advice revision 2", said)
        self.assertIn("1 unchanged", self.d.lmctl("catalogue", "publish", path, "--by", "wang", "--second", "chen", node=self.d.hub))

        draft = self.editor.view(key)["row"]["draft"]
        self.assertTrue(draft["is_stale"])
        text = self.refused("conflict", self.publisher.publish, key, 1)
        self.assertIn("chen published revision 2", text)
        mine = self.editor.view(key)["draft"]
        self.assertEqual(2, self.editor.save(key, mine, 1, 2)["version"])
        self.assertEqual(3, self.publisher.publish(key, 2)["revision"])
        self.editor.save(key, self.easy("示例：第一种说法。"), 0, 3)
        self.assertIn("unchanged", self.refused("exists", self.publisher.publish, key, 1))
        self.editor.step(key, "DROP", 1)
        self.assertNotIn("draft", self.editor.view(key)["row"])
        self.refused("conflict", self.editor.step, key, "DROP", 1)

    def test_a_service_that_is_data_alone_works_all_the_way(self):
        """The promise of the catalogue: one file, no code."""
        self.begin()
        self.assertEqual(field_types(), {one["type"] for one in LAMPS["fields"]}, "every type of field is in the file")
        path = pathlib.Path(self.d.folder) / "lamps.json"
        path.write_text(json.dumps(LAMPS))
        self.assertIn("good", self.d.lmctl("catalogue", "check", path))
        self.d.lmctl("catalogue", "publish", path, "--by", "wang", "--second", "chen", node=self.d.hub)
        kiosk = self.d.terminals[FIRST].kiosk()
        key = LAMPS["id"]
        lm.wait_until(lambda: any(service["id"] == key for service in kiosk.services()), what="the terminal shows the service")
        self.has_arrived(2, key)
        command = kiosk.draft(kiosk.service(key))
        view = kiosk.hand_in(command)
        self.assertEqual([], view["faults"])
        request = view["request_id"]
        lm.wait_until(lambda: kiosk.marks(request)["district"], what="the request is at the district")

        desk = self.d.towns["310114106"].desk()
        lm.wait_until(lambda: desk.has_case(request), what="the town has the case")
        shown = {one["id"]: one for one in desk.case(request)["fields"]}
        for given in command["values"]:
            name = given["field"]
            self.assertEqual(LAMPS["fields"][[f["id"] for f in LAMPS["fields"]].index(name)]["label"], shown[name]["label"])
            if "values" in given:
                self.assertEqual(given["values"], shown[name]["values"], name)
        chosen = next(given["values"][0] for given in command["values"] if given["field"] == "choice")
        self.assertEqual([choice["name"] for choice in CHOICES if choice["id"] == chosen], shown["choice"]["choice_names"])
        desk.accept(request)
        desk.grant(request)

        def outcome():
            return [status["outcome"] for status in kiosk.statuses(command["code"], request)][-1:]

        lm.wait_until(lambda: outcome() == ["OUTCOME_GRANTED"], what="the receipt shows that it was granted")
        receipt = kiosk.lookup(command["code"])["receipts"][0]
        self.assertEqual(LAMPS["name"], receipt["service_name"])
        lm.wait_until(lambda: [row["granted"] for row in Writer(self.d, "operator1").get("/api/v1/totals")["totals"]
                               if row["service"] == key] == ["1"], what="the district counts it")

    def test_arrival_is_counted_and_a_site_that_is_cut_off_is_named(self):
        self.d = self.lay_out(sites=2)
        self.d.prepare()
        self.d.start_towns()
        town = self.d.towns["310114106"]
        wire = lm.Wire(self, town.link_address)
        self.d.terminals[SECOND].settings["upstream"] = wire.address
        self.d.start_nodes(self.d.terminals.values())
        for terminal in self.d.terminals.values():
            terminal.wait_connected()
        self.editor, self.publisher = Writer(self.d, "editor1"), Writer(self.d, "publisher1")
        self.has_arrived(2)
        wire.cut()
        key = "legal-advice"
        self.editor.save(key, self.easy("示例：线路断了也不要紧。"))
        self.publisher.publish(key, 1)
        self.has_arrived(1)
        arrival = self.arrival()
        self.assertEqual({"arrived": 1, "heard": 2, "sites": 2}, arrival)

        def missing():
            return [site for site in self.editor.view(key)["missing"] if not site["is_up"] and int(site["since_ms"]) > 0]

        lm.wait_until(lambda: [site["place"] for site in missing()] == [SECOND], what="the site that is cut off is named")
        self.assertIn("1 of 2", self.d.lmctl("catalogue", "list", node=self.d.hub))

        # After a start the hub does not know, and says so, until the town has spoken.
        town.send(lm.signal.SIGSTOP)
        try:
            self.d.hub.restart()
            self.editor = Writer(self.d, "editor1")
            self.assertEqual({"arrived": 0, "heard": 0, "sites": 2}, self.arrival())
            self.assertIn("not heard yet", self.d.lmctl("catalogue", "list", node=self.d.hub))
            self.assertEqual([False, False], [site["is_heard"] for site in self.editor.view(key)["missing"]])
        finally:
            town.send(lm.signal.SIGCONT)
        self.has_arrived(1)
        wire.mend()
        self.has_arrived(2)
        self.assertEqual([], self.editor.view(key)["missing"])


if __name__ == "__main__":
    report.main()

#!/usr/bin/env python3
"""What a person told is erased: with every key file and every raw byte of all three tiers nothing of it opens any more, its
neighbour does; states and counts stand, chains verify, replays agree; and a SIGKILL at any moment leaves it to be finished."""
import os
import pathlib
import random
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
TERMINAL = f"{TOWN}001-T1"
SEARCHER = lm.BUILD / "tests/lib/searcher"
OF_TOWN, OF_DISTRICT = "home-adaptation", None  # None: the first that the district decides
WHY = {"reason": "示例：本人提出删除", "ground": "示例：个人信息保护法第四十七条"}
PASSWORD = "a long password for two"
KILLS = int(os.environ.get("LM_KILLS") or 2)


class Told:
    """One request with words of its own, to be looked for."""

    def __init__(self, number):
        self.story = f"示例经过第{number}号：门槛太高，进出不便。"
        self.question = f"示例提问第{number}号：门有多宽？"
        self.answer = f"示例回答第{number}号：七十五厘米。"
        self.note = f"示例备注第{number}号。"
        self.decision = f"示例决定第{number}号：同意。"
        self.contact = f"示例通知第{number}号：请来取。"
        self.tried = f"示例通话第{number}号：没有人接。"
        self.request = self.code = None

    def by_resident(self):
        return [self.story, self.answer, self.code]

    def everything(self):
        return [*self.by_resident(), self.question, self.note, self.decision]


class Erase(lm.Case):
    # ---- a request from the form to its decision ----

    def tell(self, kiosk, number, service):
        told = Told(number)
        command = kiosk.draft(service, nth=number)
        fields = [field["id"] for field in service["fields"] if field["type"] in ("FIELD_TYPE_LONG_TEXT", "FIELD_TYPE_TEXT")]
        command["values"] = [value for value in command["values"] if value["field"] != fields[-1]]
        command["values"].append({"field": fields[-1], "values": [told.story]})
        self.assertTrue(kiosk.hand_in(command)["is_saved"], command)
        told.request, told.code = command["request_id"], command["code"]
        return told

    def decide(self, desk, kiosk, told):
        lm.wait_until(lambda: desk.has_case(told.request), what="the case opens")
        desk.accept(told.request)
        desk.act(told.request, "CASE_ACTION_ASK", text=told.question, note=told.note)
        asked = lm.wait_until(lambda: [s for s in kiosk.statuses(told.code, told.request) if s["text"] == told.question])[0]
        kiosk.post("/api/v1/receipts/answer",
                   {"code": told.code, "request_id": told.request, "version": asked["version"], "text": told.answer})
        lm.wait_until(lambda: desk.case(told.request)["row"]["state"] == "CASE_STATE_ACCEPTED")
        desk.grant(told.request, text=told.decision)
        lm.wait_until(lambda: told.decision in [s["text"] for s in kiosk.statuses(told.code, told.request)])

    def plan(self, desk, told):
        """The resident is to be called, and was not reached."""
        path = f"/api/v1/cases/{told.request}/contacts"
        contact = {"way": "CONTACT_WAY_CALL", "text": told.contact, "day": "2026-11-30"}
        added = desk.post(path, {"act": "CONTACT_ACT_ADD", "contact": contact})["contacts"][0]
        desk.post(path, {"act": "CONTACT_ACT_TRY", "contact": {"contact": added["contact"]["contact"]},
                         "outcome": "CONTACT_OUTCOME_NOT_REACHED", "note": told.tried})

    def quiet(self, district):
        """Everything is at the district."""
        lm.wait_until(lambda: all(node.status()["unsent"] == "0" for node in district.nodes), what="everything has arrived")

    # ---- two persons ----

    def second(self, node):
        role = {lm.TOWN: "clerk", lm.HUB: "operator"}[node.tier]
        node.control.post("/ctl/v1/users", {"name": "second", "password": PASSWORD, "role": role, "by": "test"})
        return lm.Desk(node.http_address).login("second", PASSWORD)

    def propose(self, desk, *requests):
        return desk.post("/api/v1/erasures", {"action": "ERASE_ACTION_PROPOSE", "requests": list(requests), **WHY})["act"]

    def confirm(self, desk, act):
        return desk.post(f"/api/v1/erasures/{act}", {"action": "ERASE_ACTION_CONFIRM"})

    def erase(self, first, second, *requests):
        view = self.confirm(second, self.propose(first, *requests))
        self.assertTrue(view["is_done"])

    # ---- what is left ----

    def keys_of(self, node):
        return {path.name: path.read_bytes() for path in node.folder.glob("keytable.key*")}

    def wait_rekeyed(self, node, before, told):
        """The erasing is carried out there, and the key table has another key."""
        def is_over():
            now = self.keys_of(node)
            return set(now) == {"keytable.key"} and now != before
        lm.wait_until(is_over, what=f"{node} has another key for its key table")
        if node.tier != lm.TERMINAL:
            self.assertTrue(node.desk().case(told.request)["row"]["is_absent"])

    def search(self, district, *code):
        """What opens with every key and every byte of the folders, daemons stopped: raw bytes, and lines that tell."""
        words = ["--code", code[0]] if code else []
        done = subprocess.run([SEARCHER, *words, *(node.folder for node in district.nodes)], capture_output=True, timeout=300)
        self.assertEqual(0, done.returncode, done.stderr.decode()[-2000:])
        return done.stdout, done.stderr.decode().splitlines()

    def opens(self, loot, words):
        return [word for word in words if word.encode() in loot]

    def check_closed(self, district):
        for node in district.nodes:
            with self.subTest("chains, hashes and a replay", node=str(node)):
                district.lmctl("verify", node=node)
                district.lmctl("rebuild", node=node)  # refuses when the replay comes to another state

    def stop(self, district):
        for node in reversed(district.nodes):
            node.stop()

    def start(self, district):
        for node in district.nodes:
            node.start()
        for node in district.nodes:
            node.wait_ready()

    # ---- the tests ----

    def test_of_a_town(self):
        district = self.district()
        hub, town, terminal = district.hub, district.towns[TOWN], district.terminals[TERMINAL]
        kiosk, clerk, second = terminal.kiosk(), town.desk(), self.second(town)
        service = kiosk.service(OF_TOWN)
        gone, stays = self.tell(kiosk, 1, service), self.tell(kiosk, 2, service)
        self.decide(clerk, kiosk, stays)
        lm.wait_until(lambda: clerk.has_case(gone.request))
        self.assertIn("open", self.refused("conflict", self.propose, clerk, gone.request))
        self.decide(clerk, kiosk, gone)
        for told in (gone, stays):
            self.plan(clerk, told)
        self.quiet(district)
        totals = hub.desk().get("/api/v1/totals")["totals"]

        self.stop(district)
        loot, said = self.search(district, gone.code)
        planned = [gone.contact, gone.tried, stays.contact, stays.tried]
        self.assertEqual(gone.everything() + stays.everything() + planned,
                         self.opens(loot, gone.everything() + stays.everything() + planned))  # the search finds what is there
        self.assertIn(f"unlocked {gone.request}", said)
        self.start(district)

        with self.subTest("two persons"):
            kiosk, clerk, second = terminal.kiosk(), town.desk(), lm.Desk(town.http_address).login("second", PASSWORD)
            self.refused("not-found", self.propose, clerk, "0" * 31 + "1")
            self.refused("denied", self.propose, hub.desk(), gone.request)  # the town has the case
            self.refused("invalid", clerk.post, "/api/v1/erasures", {"action": "ERASE_ACTION_PROPOSE", "requests": [gone.request]})
            act = self.propose(clerk, gone.request)
            self.refused("exists", self.propose, second, gone.request)
            self.refused("denied", self.confirm, clerk, act)
            self.assertFalse(clerk.case(gone.request)["row"]["is_absent"])
            second.post(f"/api/v1/erasures/{act}", {"action": "ERASE_ACTION_DROP"})
            self.refused("not-found", self.confirm, second, act)
            before = {node: self.keys_of(node) for node in district.nodes}
            self.erase(clerk, second, gone.request)
            told = [(row["what"], row["by"], row["second"], row["reason"]) for row in town.control.get("/api/v1/audit")["rows"]]
            for act in (("erase-propose", "clerk1", "", WHY["reason"]), ("erase-confirm", "second", "", ""),
                        ("erased", "second", "clerk1", WHY["reason"])):
                self.assertIn(act, told)

        for node in district.nodes:
            self.wait_rekeyed(node, before[node], gone)
        with self.subTest("what staff see"):
            for node in (town, hub):
                view = node.desk().case(gone.request)
                self.assertTrue(view["row"]["is_absent"])
                self.assertEqual(("CASE_STATE_DECIDED", "OUTCOME_GRANTED"), (view["row"]["state"], view["row"]["outcome"]))
                self.assertEqual([], view["fields"])
                self.assertTrue(all(event["is_absent"] for event in view["events"]))
                erasure = view["erasure"]
                self.assertEqual((True, "clerk1", "second"), (erasure["is_done"], erasure["proposed_by"], erasure["confirmed_by"]))
                self.assertEqual(WHY, {key: erasure[key] for key in WHY})
                self.assertFalse(node.desk().case(stays.request)["row"]["is_absent"])
            self.assertEqual([], clerk.get(f"/api/v1/cases/{gone.request}/contacts")["contacts"])
            self.assertEqual([stays.contact], [view["contact"]["text"] for view in clerk.get("/api/v1/contacts")["contacts"]])
            self.refused("closed", self.plan, clerk, gone)
            self.assertEqual(totals, hub.desk().get("/api/v1/totals")["totals"])
            self.refused("exists", self.propose, clerk, gone.request)
        with self.subTest("what the resident sees"):
            receipt, = lm.wait_until(lambda: kiosk.lookup(gone.code)["receipts"])
            self.assertTrue(int(receipt["erased_ms"]) > 0)
            self.assertEqual(([], False, False), (receipt["statuses"], receipt["can_answer"], receipt["can_withdraw"]))
            self.assertIn(stays.decision, [s["text"] for s in kiosk.statuses(stays.code, stays.request)])

        self.quiet(district)
        self.stop(district)
        with self.subTest("every key and every byte"):
            loot, said = self.search(district, gone.code)
            self.assertEqual([], self.opens(loot, [*gone.everything(), gone.contact, gone.tried]))
            self.assertEqual([*stays.everything(), stays.contact, stays.tried],
                             self.opens(loot, [*stays.everything(), stays.contact, stays.tried]))
            self.assertEqual([], [line for line in said if gone.request in line])  # no envelope, no lock, no status
            self.assertIn(f"unlocked {stays.request}", self.search(district, stays.code)[1])
        self.check_closed(district)
        self.start(district)
        lm.wait_until(lambda: terminal.kiosk().lookup(gone.code)["receipts"][0]["erased_ms"] != "0")

    def test_of_the_district_while_a_terminal_is_off(self):
        """Its own words, too; and the terminal hears of it when it is back."""
        district = self.district()
        hub, town, terminal = district.hub, district.towns[TOWN], district.terminals[TERMINAL]
        kiosk, operator, second = terminal.kiosk(), hub.desk(), self.second(hub)
        service = kiosk.service(OF_DISTRICT, owner="TIER_DISTRICT")
        gone, stays = self.tell(kiosk, 1, service), self.tell(kiosk, 2, service)
        for told in (gone, stays):
            self.decide(operator, kiosk, told)
        self.quiet(district)
        before = {node: self.keys_of(node) for node in district.nodes}
        terminal.stop()
        self.refused("denied", self.propose, town.desk(), gone.request)
        self.erase(operator, second, gone.request)
        for node in (hub, town):
            self.wait_rekeyed(node, before[node], gone)
        self.assertEqual("operator1", town.desk().case(gone.request)["erasure"]["proposed_by"])
        self.assertEqual(before[terminal], self.keys_of(terminal))
        terminal.start().wait_ready()
        self.wait_rekeyed(terminal, before[terminal], gone)
        self.quiet(district)
        self.stop(district)
        loot, said = self.search(district, gone.code)
        self.assertEqual([], self.opens(loot, gone.everything()))
        self.assertEqual([], [line for line in said if gone.request in line])
        self.assertEqual(stays.everything(), self.opens(loot, stays.everything()))
        self.check_closed(district)

    def test_what_is_still_on_its_way(self):
        """The district is off: what the town erased is still in its queue, and arrives without what would open it."""
        district = self.district()
        hub, town, terminal = district.hub, district.towns[TOWN], district.terminals[TERMINAL]
        kiosk, clerk, second = terminal.kiosk(), town.desk(), self.second(town)
        hub.stop()
        service = kiosk.service(OF_TOWN)
        gone, stays = self.tell(kiosk, 1, service), self.tell(kiosk, 2, service)
        for told in (gone, stays):
            self.decide(clerk, kiosk, told)
        before = {node: self.keys_of(node) for node in (town, terminal)}
        self.erase(clerk, second, gone.request)
        for node in (town, terminal):
            self.wait_rekeyed(node, before[node], gone)
        hub.start().wait_ready()
        lm.wait_until(lambda: hub.desk().case(gone.request).get("erasure", {}).get("is_done"), what="the district has heard")
        lm.wait_until(lambda: hub.desk().case(stays.request)["row"]["state"] == "CASE_STATE_DECIDED")
        self.assertTrue(hub.desk().case(gone.request)["row"]["is_absent"])
        self.assertFalse(hub.desk().case(stays.request)["row"]["is_absent"])
        self.quiet(district)
        lm.wait_until(lambda: kiosk.marks(gone.request)["district"])
        self.stop(district)
        loot, _ = self.search(district, gone.code)
        self.assertEqual([], self.opens(loot, gone.everything()))
        self.assertEqual(stays.everything(), self.opens(loot, stays.everything()))
        self.check_closed(district)

    def test_killed_in_the_middle(self):
        district = self.district()
        town, terminal = district.towns[TOWN], district.terminals[TERMINAL]
        kiosk, clerk, second = terminal.kiosk(), town.desk(), self.second(town)
        service = kiosk.service(OF_TOWN)
        told = [self.tell(kiosk, number, service) for number in range(KILLS + 1)]
        for one in told:
            lm.wait_until(lambda one=one: clerk.has_case(one.request))
            clerk.accept(one.request)
            clerk.grant(one.request, text=one.decision)
        self.quiet(district)
        for one in told[1:]:
            clerk, second = town.desk(), lm.Desk(town.http_address).login("second", PASSWORD)
            before = {node: self.keys_of(node) for node in district.nodes}
            act = self.propose(clerk, one.request)
            self.confirm(second, act)
            time.sleep(random.uniform(0, 0.05))
            victims = [node for node in district.nodes if random.random() < 0.6] or [town]
            for node in victims:
                node.kill()
            for node in victims:
                node.start()
            for node in district.nodes:
                node.wait_ready()
                self.wait_rekeyed(node, before[node], one)
        self.quiet(district)
        self.stop(district)
        loot, said = self.search(district)
        for one in told[1:]:
            self.assertEqual([], self.opens(loot, [one.story, one.decision, one.code]))
            self.assertEqual([], [line for line in said if one.request in line])
        self.assertEqual([told[0].story, told[0].decision], self.opens(loot, [told[0].story, told[0].decision]))
        self.check_closed(district)


if __name__ == "__main__":
    report.main()

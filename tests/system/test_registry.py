#!/usr/bin/env python3
"""Residents' records: kept by the town, known to the district, never at a terminal; found by name, pinyin and numbers; each
look journalled before anything is sent; moved to another town while the district is away; linked with cases, merged and erased."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402
import residents  # noqa: E402

HERE, THERE = "310114106", "310114102"
TERMINAL = f"{HERE}001-T1"
PASSWORD = "a long password for two"
CANARY = "单示例甲"  # a surname with a reading of its own: shàn


def id_number(head):
    """With its check character (GB 11643). Region 990114 is nobody's."""
    total = sum(int(digit) * 2 ** (17 - i) for i, digit in enumerate(head))
    return head + "10X98765432"[total % 11]


def facts(name=CANARY, town=HERE, number="99011419580301001", **more):
    return {"name": name, "sex": "SEX_MALE", "birth": "1958-03-01", "id_number": id_number(number), "community": f"{town}001",
            "address": "示例路一号", "contacts": [{"phone": "00012345678"}], "access": ["ACCESS_NEED_LARGE_TEXT"], **more}


class Registry(lm.Case):
    def found(self, desk, query):
        return [row["person_id"] for row in desk.find_persons(query)["persons"]]

    def create(self, desk, one):
        step = desk.create_person(one)
        self.assertTrue(step["is_saved"], step)
        return step["person_id"]

    def at_hub(self, operator, person, version):
        def has_come():
            try:
                return operator.look(person)["version"] >= version
            except lm.Refused as refused:
                self.assertEqual("not-found", refused.code)
                return False
        lm.wait_until(has_come, what="the district has the record")
        return operator.look(person)

    def closed_checks(self, district):
        for node in district.nodes:
            for command in ("verify", "rebuild"):
                district.lmctl(command, node=node)  # rebuild refuses when the replay comes to another state

    def test_kept_by_the_town(self):
        district = self.district(towns=(HERE, THERE))
        hub, town, other = district.hub, district.towns[HERE], district.towns[THERE]
        terminal = district.terminals[TERMINAL]
        clerk, operator = town.desk(), hub.desk()

        with self.subTest("what is wrong is named, and nothing is saved"):
            step = clerk.create_person(facts(id_number="990114195803010010", sex="SEX_FEMALE", birth="1958-03-02",
                                             community=f"{THERE}001", contacts=[{"phone": "12"}]))
            self.assertFalse(step["is_saved"])
            faults = {(fault["field"], fault["rule"]) for fault in step["faults"]}
            self.assertLessEqual({("community", "not-a-place"), ("contacts[0].phone", "not-a-phone")}, faults)
            self.assertIn("id_number", {field for field, _ in faults})
            step = clerk.create_person(facts(sex="SEX_FEMALE", birth="1958-03-02"))
            self.assertEqual({("sex", "not-as-id-number"), ("birth", "not-as-id-number")},
                             {(fault["field"], fault["rule"]) for fault in step["faults"]})
            self.assertEqual("0", clerk.find_persons("示例")["total"])

        person = self.create(clerk, facts())
        with self.subTest("found, by whatever people know"):
            for query in ("示例甲", "sslj", id_number("99011419580301001")[-4:], "5678", "00012345678"):
                lm.wait_until(lambda query=query: self.found(clerk, query) == [person], what=query)
            self.assertEqual([], self.found(clerk, "dslj"))  # 单 as a surname is not read dān
            self.assertEqual([], self.found(clerk, "李"))

        with self.subTest("a look is written down before the record is sent"):
            self.refused("invalid", clerk.look, person, "LOOK_PURPOSE_NONE")
            view = clerk.look(person, "LOOK_PURPOSE_CALL")
            self.assertEqual(CANARY, view["facts"]["name"])
            looks = clerk.get(f"/api/v1/persons/{person}/looks")["looks"]
            self.assertEqual([("LOOK_PURPOSE_CALL", town.desk().get("/api/v1/me")["user"])],
                             [(look["purpose"], look["by"]) for look in looks])
            self.refused("not-found", clerk.look, "0" * 31 + "1")

        with self.subTest("somebody who seems to be the same"):
            twin = facts(name=CANARY, id_number="")
            step = clerk.create_person(twin)
            self.assertFalse(step["is_saved"])
            (candidate,) = step["candidates"]
            self.assertTrue(candidate["has_name_and_birth"] and candidate["has_name_and_phone"])
            self.assertFalse(candidate["has_id_number"])
            self.refused("invalid", clerk.create_person, twin, others=[{"person_id": person, "reason": ""}])
            step = clerk.create_person(twin, others=[{"person_id": person, "reason": "示例：同名，父子"}])
            self.assertTrue(step["is_saved"], step)
            twin_id = step["person_id"]

        with self.subTest("changed; somebody was faster; the history says what"):
            version = clerk.look(person)["version"]
            clerk.change_person(person, facts=facts(address="示例路二号", ), version=version,
                                others=[{"person_id": twin_id, "reason": "示例：另一人"}])
            self.assertIn("somebody was faster", self.refused(
                "conflict", clerk.change_person, person, facts=facts(), version=version,
                others=[{"person_id": twin_id, "reason": "示例：另一人"}]))
            changes = clerk.look(person)["events"][0]["changes"]
            self.assertEqual([("address", "示例路一号", "示例路二号")], [(c["path"], c["before"], c["after"]) for c in changes])

        with self.subTest("the district reads, and writes nothing"):
            view = self.at_hub(operator, person, 2)
            self.assertEqual("示例路二号", view["facts"]["address"])
            self.assertFalse(view["is_ours"])
            self.refused("denied", operator.change_person, person, facts=facts(), version=2)
            self.refused("denied", operator.create_person, facts())
            lm.wait_until(lambda: person in self.found(operator, "示例"))
            self.refused("not-found", other.desk().look, person)

        with self.subTest("the same number in two towns"):
            stranger = self.create(other.desk(), facts(name="示例乙", town=THERE))
            self.at_hub(operator, stranger, 1)
            doubles = lm.wait_until(lambda: operator.get("/api/v1/persons/doubles")["doubles"])
            self.assertEqual([{person, stranger}], [{row["person_id"] for row in double["rows"]} for double in doubles])

        with self.subTest("merged, and parted again"):
            clerk.change_person(twin_id, "PERSON_ACTION_MERGE", merged_into=person, reason="示例：同一人")
            self.assertIn("merged into", self.refused("closed", clerk.change_person, twin_id, facts=facts(),
                                                      others=[{"person_id": person, "reason": "示例"}]))
            self.assertEqual([twin_id], [row["person_id"] for row in clerk.look(person)["merged"]])
            self.refused("invalid", clerk.change_person, twin_id, "PERSON_ACTION_SPLIT", reason=" ")
            clerk.change_person(twin_id, "PERSON_ACTION_SPLIT", reason="示例：不是同一人")
            self.assertEqual([], clerk.look(person)["merged"])

        with self.subTest("found again after a start"):
            town.restart()
            clerk = town.desk()
            lm.wait_until(lambda: person in self.found(clerk, "示例甲"))

        lm.wait_until(lambda: all(node.status()["unsent"] == "0" for node in district.nodes), what="everything has arrived")
        for node in district.nodes:
            node.stop()
        with self.subTest("nothing of it is at a terminal, or in clear on any disk or in any log"):
            words = [CANARY, "示例路二号", "00012345678", id_number("99011419580301001"), "同名，父子"]
            for node in district.nodes:
                for path in node.folder.rglob("*"):
                    if not path.is_file():
                        continue
                    content = path.read_bytes()
                    for word in words:
                        self.assertNotIn(word.encode(), content, path)
                    if node.tier == lm.TERMINAL:  # ids are in clear in keys of rows: they would be found
                        self.assertNotIn(bytes.fromhex(person), content, path)
                    elif path.name == "data.mdb" and node is not other:
                        self.assertIn(bytes.fromhex(person), content, path)
        self.closed_checks(district)

    def test_moves(self):
        district = self.district(towns=(HERE, THERE))
        hub, town, other = district.hub, district.towns[HERE], district.towns[THERE]
        clerk = town.desk()
        person = self.create(clerk, facts())
        self.at_hub(hub.desk(), person, 1)
        hub.stop()
        self.refused("not-found", clerk.change_person, person, "PERSON_ACTION_HAND_OVER", town="310114199", reason="示例：搬家")
        clerk.change_person(person, "PERSON_ACTION_HAND_OVER", town=THERE, reason="示例：搬家")
        view = clerk.look(person)
        self.assertTrue(view["is_on_its_way"] and view["row"]["is_away"])
        self.assertNotIn("facts", view)
        self.assertIn(THERE, self.refused("closed", clerk.change_person, person, facts=facts()))
        self.refused("not-found", other.desk().look, person)
        lm.wait_until(lambda: not self.found(clerk, "示例甲"))
        hub.start().wait_ready()
        new = other.desk()
        lm.wait_until(lambda: self.found(new, "示例甲") == [person], what="the record has come to the other town")
        view = new.look(person)
        self.assertTrue(view["is_ours"])
        self.assertEqual((2, CANARY), (view["epoch"], view["facts"]["name"]))
        lm.wait_until(lambda: not clerk.look(person)["is_on_its_way"])
        new.change_person(person, facts=facts(town=THERE))
        self.assertEqual(f"{THERE}001", self.at_hub(hub.desk(), person, 3)["facts"]["community"])
        new.change_person(person, "PERSON_ACTION_HAND_OVER", town=HERE, reason="示例：搬回来")
        lm.wait_until(lambda: clerk.look(person)["is_ours"], what="it has come back")
        self.assertEqual(3, clerk.look(person)["epoch"])
        lm.wait_until(lambda: self.found(clerk, "示例甲") == [person])
        for node in district.nodes:
            node.stop()
        self.closed_checks(district)

    def test_with_its_cases(self):
        district = self.district(towns=(HERE, THERE))
        hub, town, other = district.hub, district.towns[HERE], district.towns[THERE]
        clerk, kiosk = town.desk(), district.terminals[TERMINAL].kiosk()
        person = self.create(clerk, facts())
        submitted = kiosk.submit(kiosk.service("home-adaptation"))
        request = submitted["request_id"]
        lm.wait_until(lambda: clerk.has_case(request))
        self.refused("not-found", clerk.act, request, "CASE_ACTION_CONFIRM_PERSON", person_id="1" * 32)
        clerk.act(request, "CASE_ACTION_CONFIRM_PERSON", person_id=person)
        self.assertEqual(CANARY, clerk.case(request)["person"]["name"])
        self.assertEqual([request], [row["request_id"] for row in clerk.look(person)["cases"]])
        lm.wait_until(lambda: hub.desk().has_case(request) and hub.desk().case(request).get("person"))
        clerk.change_person(person, "PERSON_ACTION_DEATH", died_on="2026-11-20", reason="示例：家属告知")
        self.assertTrue(clerk.case(request)["row"]["person_died"])
        self.assertIn("2026-11-20", self.refused("closed", clerk.change_person, person, facts=facts()))
        clerk.change_person(person, "PERSON_ACTION_DEATH_MISTAKEN", reason="示例：弄错了")
        self.assertFalse(clerk.case(request)["row"]["person_died"])
        self.assertEqual([], kiosk.statuses(submitted["code"], request))  # the resident is told nothing of it

        why = {"reason": "示例：本人提出删除", "ground": "示例：个人信息保护法第四十七条"}
        propose = {"action": "ERASE_ACTION_PROPOSE", "persons": [person], **why}
        self.assertIn("open", self.refused("conflict", clerk.post, "/api/v1/erasures", propose))
        clerk.act(request, "CASE_ACTION_WITHDRAWN")
        clerk.change_person(person, "PERSON_ACTION_HAND_OVER", town=THERE, reason="示例：搬家")
        new = other.desk()
        lm.wait_until(lambda: self.found(new, "示例甲") == [person])
        self.refused("denied", clerk.post, "/api/v1/erasures", propose)
        other.control.post("/ctl/v1/users", {"name": "second", "password": PASSWORD, "role": "clerk", "by": "test"})
        second = lm.Desk(other.http_address).login("second", PASSWORD)
        act = new.post("/api/v1/erasures", propose)
        self.assertEqual([person], act["persons"])
        self.assertIn("second person", self.refused("denied", new.post, f"/api/v1/erasures/{act['act']}",
                                                    {"action": "ERASE_ACTION_CONFIRM"}))
        second.post(f"/api/v1/erasures/{act['act']}", {"action": "ERASE_ACTION_CONFIRM"})
        for desk in (new, hub.desk(), clerk):  # where it is, where it is known, where it was
            lm.wait_until(lambda desk=desk: self.is_gone(desk, person), what="the record is erased")
            lm.wait_until(lambda desk=desk: not self.found(desk, "示例甲"), what="nothing finds it")
        self.assertNotIn("person", clerk.case(request))
        for node in district.nodes:
            lm.wait_until(lambda node=node: node.status()["unsent"] == "0")
            node.stop()
        self.closed_checks(district)

    def test_brought_in_from_a_file(self):
        district = self.district()
        town, clerk = district.towns[HERE], district.towns[HERE].desk()
        made = residents.residents({HERE: [f"{HERE}{number:03}" for number in (1, 2)]}, count=250)[HERE]
        path = pathlib.Path(district.folder) / "residents.jsonl"

        def bring(persons, *options):
            path.write_text(residents.lines(persons))
            return district.lmctl("persons", "import", path, "--reason", "示例：旧册", "--by", "test", *options, node=town)

        with self.subTest("a file that is wrong by itself: nothing is taken"):
            twice = [made[0], {**made[1], "facts": {**made[1]["facts"], "id_number": made[0]["facts"]["id_number"]}}]
            with self.assertRaises(lm.Failed):
                bring(twice)
            with self.assertRaises(lm.Failed):
                bring([made[0], {**made[1], "ref": made[0]["ref"]}])
            self.assertEqual("0", clerk.find_persons("示")["total"])
        with self.subTest("what has a fault is left out, by its line"):
            path.write_text(residents.lines([made[0], {**made[1], "facts": {**made[1]["facts"], "community": f"{THERE}001"}}]))
            done = subprocess.run([lm.BUILD / "lmctl", "persons", "import", path, "--reason", "示例：旧册", "--data", town.folder],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(2, done.returncode, done.stderr)
            self.assertIn("line 2: community: not-a-place", done.stdout)
            self.assertIn("1 taken", done.stdout)
        with self.subTest("the rest; again, nothing changes; changed since, it stays"):
            self.assertIn("249 taken, 1 known before", bring(made, "--doubles"))
            before = town.status()["tape_position"]
            self.assertIn("0 taken, 250 known before", bring(made))
            self.assertEqual(before, town.status()["tape_position"])
            lm.wait_until(lambda: clerk.find_persons("示")["total"] == "250", what="all can be found")
        with self.subTest("somebody who is on file already"):
            with self.assertRaises(lm.Failed):
                bring([{**made[0], "ref": "another name of it"}])
            self.assertEqual("250", clerk.find_persons("示")["total"])
        self.refused("not-found", town.desk().post, "/ctl/v1/persons", {})  # not for pages

    def is_gone(self, desk, person):
        try:
            desk.look(person)
        except lm.Refused as refused:
            return refused.code == "not-found"
        return False


if __name__ == "__main__":
    report.main()

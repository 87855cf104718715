#!/usr/bin/env python3
"""A backup of a running hub, its disk lost, and the hub made from the backup: what towns, terminals and residents were
shown is there, once, and nobody sees a rollback.

    LM_LONG=1       also what is refused, what `safe` rests on, what was erased, a town's disk, and a town that is left
                    out (tests/run restore), a minute and a half
"""
import json
import os
import pathlib
import shutil
import stat
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import audit  # noqa: E402
import lm  # noqa: E402
import report  # noqa: E402

TOWN, OTHER = "310114106", "310114103"
FIRST, SECOND = f"{TOWN}001-T1", f"{OTHER}001-T1"
in_full = unittest.skipUnless(os.environ.get("LM_LONG"), "LM_LONG is not set")


class Restore(lm.Case):
    def setUp(self):
        self.d = self.lay_out(towns=(TOWN, OTHER))
        self.hub, self.town = self.d.hub, self.d.towns[TOWN]
        self.key = self.d.folder / "recovery.key"
        self.kept = self.d.folder / "backups"
        public = self.d.lmctl("recovery", "key", self.key).split("=")[1].strip()
        for node in (self.hub, self.town):
            node.settings.update(recovery_key=public, backup_folder=self.kept)
        self.d.start()
        self.kiosks = {place: terminal.kiosk() for place, terminal in self.d.terminals.items()}
        self.promised = {}  # request id: (terminal, code, who decides)

    def submit(self, place, owner=lm.TOWN, nth=0):
        kiosk = self.kiosks[place]
        view = kiosk.submit(kiosk.service("health-check" if owner == lm.HUB else None), nth=nth)
        self.promised[view["request_id"]] = (place, view["code"], owner)
        return view["request_id"]

    def shown(self):
        """What every receipt shows, oldest first."""
        return {request: [(s["version"], s["action"], s["outcome"], s["text"])
                          for s in self.kiosks[place].statuses(code, request)]
                for request, (place, code, _) in self.promised.items()}

    def waits_for(self, place, code, request, actions):
        lm.wait_until(lambda: [s["action"] for s in self.kiosks[place].statuses(code, request)][-1:] == [actions],
                      what=f"the resident sees {actions}")

    def at_district(self):
        lm.wait_until(lambda: all(self.kiosks[place].marks(request)["district"]
                                  for request, (place, _, _) in self.promised.items()), what="the district has everything")

    def backup(self, node):
        """The two files."""
        view = json.loads(self.d.lmctl("backup", "make", "--json", node=node))
        paths = [pathlib.Path(file["path"]) for file in view["files"]]
        for path in paths:
            self.assertEqual(0o600, stat.S_IMODE(path.stat().st_mode))
        return paths

    def verify(self, files):
        return self.d.lmctl("backup", "verify", *files, "--recovery-key", self.key)

    def lose(self, node):
        """The disk is gone; configuration and log are kept elsewhere."""
        node.kill()
        for name in os.listdir(node.folder):
            path = node.folder / name
            if name not in ("log", "daemon.conf", "accounts.json"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def restore(self, node, files):
        fresh = node.folder.with_suffix(".fresh")
        said = self.d.lmctl("restore", *files, "--recovery-key", self.key, "--data", fresh)
        for name in os.listdir(fresh):
            (fresh / name).rename(node.folder / name)
        fresh.rmdir()
        return said

    def returning(self):
        return json.loads(self.d.lmctl("return", "list", "--json", node=self.hub))

    def log_says(self, node, event, since=0):
        return f'"event":"{event}"' in node.log.read_text()[since:].replace('": "', '":"')

    def sizes(self):
        return {node: node.log.stat().st_size for node in self.d.nodes}

    def refusal(self, *words):
        with self.assertRaises(lm.Failed) as caught:
            self.d.lmctl(*words)
        return str(caught.exception)

    def settled(self):
        lm.wait_until(lambda: all(node.status()["unsent"] == "0" for node in self.d.nodes[1:]) and
                      all(node.status()["held"] == "0" for node in self.d.nodes), what="nothing waits")
        for node in self.d.nodes:
            self.assertEqual("0", node.status()["quarantined"])

    def judge(self):
        """The tapes agree, and the district's cases are what the towns' are."""
        self.settled()
        tapes = audit.alike(self.d.nodes)
        owners = {request: owner for request, (_, _, owner) in self.promised.items()}
        here = audit.Cases(tapes[self.hub], owners)
        self.assertEqual(set(self.promised), set(here))
        for town in self.d.towns.values():
            for request, case in audit.Cases(tapes[town], owners).items():
                self.assertEqual(case.row(), here[request].row())
        desk = self.hub.desk()
        for request, case in here.items():
            row = desk.case(request)["row"]
            self.assertEqual(case.row(), {name: row[name] for name in case.row()})

    # ---- the way of a lost hub ----

    def test_a_hub_is_restored(self):
        d, hub = self.d, self.hub
        office = hub.desk()
        asked = self.submit(FIRST, lm.HUB)
        decided = self.submit(SECOND, lm.HUB, nth=1)
        self.at_district()
        office.accept(asked)
        is_over = threading.Event()

        def load():
            nth = 10
            while not is_over.is_set():
                self.submit(FIRST, nth=nth)
                nth += 1
                time.sleep(0.02)

        worker = threading.Thread(target=load)
        worker.start()
        try:
            files = self.backup(hub)
        finally:
            is_over.set()
            worker.join()
        self.assertIn("good:", self.verify(files))

        # After the backup: all that can happen at a hub, shown to people, and then its disk goes.
        office.act(asked, "CASE_ACTION_ASK", text="示例：哪一天方便？")
        place, code, _ = self.promised[asked]
        self.waits_for(place, code, asked, "CASE_ACTION_ASK")
        question = self.kiosks[place].statuses(code, asked)[-1]
        self.kiosks[place].post("/api/v1/receipts/answer", {"code": code, "request_id": asked, "text": "示例：星期三。",
                                                           "version": question["version"]})
        self.waits_for(place, code, asked, "CASE_ACTION_ANSWER_TAKEN")
        office.accept(decided)
        office.grant(decided, text="示例：恢复之后也要看得到。")
        late = [self.submit(SECOND, lm.HUB, nth=2), self.submit(FIRST, nth=3)]
        self.at_district()
        office.accept(late[0])
        office.act(late[0], "CASE_ACTION_HAND_OVER", text="示例：转街道。", note="示例")
        service = json.loads((lm.TOP / "deploy/catalogue/health-check.json").read_text())
        service["name"]["en"] = "Health check again"
        changed = d.folder / "health-check.json"
        changed.write_text(json.dumps(service))
        d.lmctl("catalogue", "publish", changed, "--by", "editor1", "--second", "publisher1", node=hub)
        place, code, _ = self.promised[decided]
        self.waits_for(place, code, decided, "CASE_ACTION_DECIDE")
        self.waits_for(SECOND, self.promised[late[0]][1], late[0], "CASE_ACTION_HAND_OVER")
        lm.wait_until(lambda: any(s["id"] == "health-check" and s["revision"] == 2
                                  for s in self.kiosks[FIRST].services()), what="the new revision arrives")
        self.settled()
        before, sizes = self.shown(), self.sizes()
        other = d.towns[OTHER]

        other.kill()
        began = time.monotonic()
        self.lose(hub)
        said = self.restore(hub, files)
        self.assertIn("0 that were destroyed", said)
        hub.start().wait_ready()
        # One town is there and one is not: the hub waits, and takes no business.
        rows = lambda: {row["place"]: row for row in self.returning()["rows"]}  # noqa: E731
        lm.wait_until(lambda: rows()[TOWN]["has_answered"], what="the first town has given back what it had")
        self.assertFalse(rows()[OTHER]["has_answered"])
        late_office = hub.desk()
        self.assertIn("restored", self.refused("not-ready", late_office.act, asked, "CASE_ACTION_DECIDE",
                                               outcome="OUTCOME_GRANTED", text="x"))
        meanwhile = self.submit(FIRST, nth=4)
        other.start().wait_ready()
        lm.wait_until(lambda: not self.returning()["is_returning"], what="every town has answered")
        took_s = time.monotonic() - began
        self.at_district()
        self.assertFalse((hub.folder / "restored").exists())

        # What was shown is shown, once; and work goes on from there.
        for request, statuses in before.items():
            self.assertEqual(statuses, self.shown()[request])
        self.judge()
        office = hub.desk()
        self.assertEqual("CASE_STATE_ACCEPTED", office.case(asked)["row"]["state"])
        self.assertEqual("示例：恢复之后也要看得到。", office.case(decided)["events"][-1]["text"])
        office.grant(asked)
        self.waits_for(*[self.promised[asked][i] for i in (0, 1)], asked, "CASE_ACTION_DECIDE")
        desk = other.desk()
        desk.accept(late[0])
        desk.grant(late[0])
        lm.wait_until(lambda: hub.desk().case(late[0])["row"]["state"] == "CASE_STATE_DECIDED")
        self.assertTrue(hub.desk().has_case(meanwhile))
        self.judge()
        for node in d.nodes:
            self.assertFalse(self.log_says(node, "rollback", sizes[node]), f"{node} saw a rollback")
            self.assertFalse(self.log_says(node, "clone", sizes[node]), f"{node} saw a clone")
            if node is not hub:
                self.assertTrue(all(line["rollbacks"] == "0" for line in node.status()["lines"]))
        for node in d.nodes:
            self.assertIn("good: every row", d.lmctl("verify", node=node))
        hub.stop()
        self.assertIn("equal", d.lmctl("rebuild", node=hub))
        hub.start().wait_ready()
        print(f"a hub's disk lost with {len(self.promised)} requests: {took_s:.1f} s until new business", flush=True)

    @in_full
    def test_a_town_that_is_left_out_sees_a_rollback(self):
        d, hub, other = self.d, self.hub, self.d.towns[OTHER]
        before, request = self.submit(SECOND, lm.HUB), self.submit(SECOND, lm.HUB, nth=1)
        self.at_district()
        hub.desk().accept(before)
        files = self.backup(hub)
        hub.desk().accept(request)
        self.waits_for(SECOND, self.promised[request][1], request, "CASE_ACTION_ACCEPT")
        other.kill()
        self.lose(hub)
        self.restore(hub, files)
        hub.start().wait_ready()
        self.assertIn("nobody called", self.refusal("return", "without", "310114999", "--reason", "示例", "--data",
                                                    hub.folder))
        d.lmctl("return", "without", OTHER, "--reason", "示例：进水", "--by", "operator1", node=hub)
        lm.wait_until(lambda: not self.returning()["is_returning"], what="the others have answered")
        hub.restart()
        self.assertFalse(self.returning()["is_returning"])
        hub.desk().accept(request)  # a second time: nobody could tell it
        other.start().wait_ready()
        lm.wait_until(lambda: self.log_says(other, "rollback"), what="the town notices")

    # ---- erasing ----

    @in_full
    def test_an_old_backup_does_not_open_what_was_erased_since(self):
        hub, town = self.hub, self.town
        kiosk, requests = self.kiosks[FIRST], []
        for nth in range(2):
            view = kiosk.submit(kiosk.service("home-adaptation"), nth=nth)
            self.promised[view["request_id"]] = (FIRST, view["code"], lm.TOWN)
            requests.append(view["request_id"])
        erased, neighbour = requests
        self.at_district()
        desk = town.desk()
        desk.accept(erased)
        desk.grant(erased)
        self.settled()
        store, table = self.backup(hub)
        before = table.read_bytes()
        town.control.post("/ctl/v1/users", {"name": "second", "password": "a long password for two", "role": "clerk", "by": "test"})
        act = desk.post("/api/v1/erasures", {"action": "ERASE_ACTION_PROPOSE", "requests": [erased], "reason": "示例：本人提出删除",
                                             "ground": "示例：个人信息保护法第四十七条"})["act"]
        second = lm.Desk(town.http_address).login("second", "a long password for two")
        second.post(f"/api/v1/erasures/{act}", {"action": "ERASE_ACTION_CONFIRM"})
        lm.wait_until(lambda: table.read_bytes() != before, what="the copy of the hub's key table is replaced")
        self.settled()
        old = self.d.folder / "old.keytable"
        old.write_bytes(before)
        for kept, is_gone in ((table, True), (old, False)):  # so that the test could fail
            self.lose(hub)
            said = self.restore(hub, (store, kept))
            self.assertEqual(is_gone, ", and 0 that were destroyed" not in said, said)
        self.lose(hub)
        self.restore(hub, (store, table))
        hub.start().wait_ready()
        lm.wait_until(lambda: not self.returning()["is_returning"], what="every town has answered")
        self.settled()
        self.assertTrue(hub.desk().case(erased)["row"]["is_absent"])
        self.assertFalse(hub.desk().case(neighbour)["row"]["is_absent"])

    # ---- safe ----

    def safe(self, node):
        return {(line["origin"], line["stream"]): int(line["safe"]) for line in node.status()["lines"]}

    @in_full
    def test_only_a_verified_backup_makes_safe(self):
        d, hub, terminal = self.d, self.hub, self.d.terminals[FIRST]
        for nth in range(3):
            self.submit(FIRST, nth=nth)
        self.at_district()
        me = terminal.status()["device"], "STREAM_UP"
        files = self.backup(hub)
        self.assertEqual(0, self.safe(hub)[me])
        proof = pathlib.Path(f"{files[0]}.verified")
        self.verify(files)
        held = {(line["origin"], line["stream"]): int(line["ordinal"]) for line in hub.status()["lines"]}[me]
        wrong = d.folder / "wrong.verified"
        wrong.write_bytes(proof.read_bytes()[:-40] + bytes(40))
        self.assertNotIn("safe", self.refusal("backup", "confirm", wrong, "--data", hub.folder))
        self.assertEqual(0, self.safe(hub)[me])
        self.submit(FIRST, nth=9)
        self.at_district()
        self.assertIn("is safe", d.lmctl("backup", "confirm", proof, node=hub))
        self.assertEqual(held, self.safe(hub)[me])
        lm.wait_until(lambda: self.safe(terminal)[me] == held, what="the terminal hears what is safe")
        self.assertIn("passed over", d.lmctl("backup", "confirm", proof, node=hub))
        listed = json.loads(d.lmctl("backup", "list", "--json", node=hub))
        self.assertNotEqual("0", listed["verified_ms"])
        self.assertEqual([], listed["waiting"])
        hub.restart()
        self.assertEqual(held, self.safe(hub)[me])

    # ---- what is refused ----

    @in_full
    def test_what_is_no_backup_is_refused(self):
        d, hub = self.d, self.hub
        self.submit(FIRST)
        self.at_district()
        store, table = self.backup(hub)
        content = store.read_bytes()
        bad = d.folder / "bad.backup"

        def says(sentence, *files, key=self.key):
            target = d.folder / "never"
            text = self.refusal("restore", *files, "--recovery-key", key, "--data", target)
            self.assertIn(sentence, text)
            self.assertFalse(target.exists())
            self.assertFalse(target.with_suffix(".restoring").exists())

        for name, changed, sentence in (
                ("cut", content[:len(content) // 2], "altered or cut off"),
                ("flipped", content[:-5000] + bytes([content[-5000] ^ 1]) + content[-4999:], "altered or cut off"),
                ("front", content[:60] + bytes([content[60] ^ 1]) + content[61:], "altered"),
                ("longer", content + b"x", "altered or cut off"),
                ("other", b"nothing of the kind" * 100, "no backup")):
            with self.subTest(name):
                bad.write_bytes(changed)
                says(sentence, bad, table)
        other_key = d.folder / "other.key"
        d.lmctl("recovery", "key", other_key)
        says("is sealed to recovery key", store, table, key=other_key)
        says("the .backup first", table, store)
        town_store, town_table = self.backup(self.town)
        says("two machines", store, town_table)
        says("does not exist", d.folder / "none", table)
        time.sleep(1.1)  # names have seconds
        newer, _ = self.backup(hub)
        kept = d.folder / "kept.keytable"
        kept.write_bytes(table.read_bytes())
        old_front = table.read_bytes()[:200]
        d.lmctl("backup", "make", "--key-table", node=hub)
        self.assertNotEqual(old_front, table.read_bytes()[:200])
        time.sleep(1.1)
        newest, _ = self.backup(hub)
        says("older than", newest, kept)
        self.assertIn("is there and not empty", self.refusal("restore", newest, table, "--recovery-key", self.key, "--data",
                                                             self.town.folder))
        hub.stop()
        closed = d.folder / "closed"
        public = d.hub.settings["recovery_key"]
        self.assertIn("say --to", self.refusal("backup", "make", "--data", hub.folder))
        d.lmctl("backup", "make", "--to", closed, "--sealed-to", public, node=hub)
        files = sorted(closed.iterdir(), reverse=True)
        self.assertEqual(2, len(files))
        self.verify(sorted(files, key=lambda path: path.suffix))
        hub.start().wait_ready()
        self.assertEqual([], [path for path in self.kept.iterdir() if path.suffix == ".new"])

    # ---- a town ----

    @in_full
    def test_a_town_is_restored(self):
        d, hub, town = self.d, self.hub, self.town
        desk = town.desk()
        old = self.submit(FIRST)
        self.at_district()
        files = self.backup(town)
        desk.accept(old)
        desk.grant(old, text="示例：街道决定。")
        self.waits_for(FIRST, self.promised[old][1], old, "CASE_ACTION_DECIDE")
        late, above = self.submit(FIRST, nth=1), self.submit(FIRST, lm.HUB, nth=2)
        self.at_district()
        desk.accept(late)
        hub.desk().accept(above)
        self.waits_for(FIRST, self.promised[late][1], late, "CASE_ACTION_ACCEPT")
        self.waits_for(FIRST, self.promised[above][1], above, "CASE_ACTION_ACCEPT")
        self.settled()
        before, sizes = self.shown(), self.sizes()
        self.lose(town)
        self.restore(town, files)
        town.start().wait_ready()
        lm.wait_until(lambda: not json.loads(d.lmctl("return", "list", "--json", node=town))["is_returning"],
                      what="the district and the terminals have answered")
        for request, statuses in before.items():
            self.assertEqual(statuses, self.shown()[request])
        self.judge()
        town.desk().grant(late)
        self.waits_for(FIRST, self.promised[late][1], late, "CASE_ACTION_DECIDE")
        self.judge()
        for node in d.nodes:
            self.assertFalse(self.log_says(node, "rollback", sizes[node]), f"{node} saw a rollback")


if __name__ == "__main__":
    report.main()

#!/usr/bin/env python3
"""What somebody has who takes a terminal's disk away, key files and all: no request, and nothing of a resident."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
TERMINAL = f"{TOWN}001-T1"
THIEF = lm.BUILD / "tests/lib/thief"
SERVICE = "home-adaptation"  # decided by the town, with a name, a phone number, a certificate and a long text

# Typed in, said back, and looked for. Nobody of this name or number exists.
NAME = "欧阳示例甲"
PHONE = "00098765432"
NUMBER = lm.answers({"fields": [{"id": "n", "type": "FIELD_TYPE_CERTIFICATE", "least": "0", "most": "0", "choices": []}]},
                    nth=753)[0]["values"][0]
ADDRESS = "示例路九百九十九弄甲乙丙丁号"
STORY = "门槛太高，轮椅过不去。\n" + "示例内容：这一段话不该在任何地方读到。" * 5
QUESTION = "示例提问：门有多宽？请量一量。"
ANSWER = "示例回答：七十五厘米零三毫米。"
NOTE = "示例备注：只给同事看的话。"
DECISION = "示例决定：同意安装坡道。"
TYPED = (NAME, PHONE, NUMBER, ADDRESS, STORY[:30], STORY[-30:], ANSWER)
OF_STAFF = (QUESTION, NOTE, DECISION)


def forms_of(canary):
    """As bytes might hold it: as it is, turned into JSON, as two bytes a character, in hexadecimal."""
    plain = canary.encode()
    escaped = canary.encode("ascii", "backslashreplace")
    return {plain, escaped, canary.encode("utf-16-le"), canary.encode("utf-16-be"), plain.hex().encode()}


class Stolen(lm.Case):
    @classmethod
    def answers(cls, service):
        values = {value["field"]: value["values"] for value in lm.answers(service)}
        by_type = {"FIELD_TYPE_PERSON": NAME, "FIELD_TYPE_PHONE": PHONE, "FIELD_TYPE_CERTIFICATE": NUMBER,
                   "FIELD_TYPE_ADDRESS": ADDRESS, "FIELD_TYPE_LONG_TEXT": STORY}
        fields = {by_type[field["type"]]: field["id"] for field in service["fields"] if field["type"] in by_type}
        assert set(fields) == set(by_type.values()), f"{service['id']} does not ask for all of it"
        values.update({field: [canary] for canary, field in fields.items()})
        return [{"field": field, "values": value} for field, value in values.items()]

    def work(self, district):
        """One request from the form to its decision, with a question and an answer on the way; its code and id."""
        town, terminal = district.towns[TOWN], district.terminals[TERMINAL]
        kiosk, desk = terminal.kiosk(), town.desk()
        service = kiosk.service(SERVICE)
        command = kiosk.draft(service)
        command["values"] = self.answers(service)
        self.assertTrue(kiosk.hand_in(command)["is_saved"])
        request, code = command["request_id"], command["code"]
        lm.wait_until(lambda: desk.has_case(request))
        desk.accept(request)
        desk.act(request, "CASE_ACTION_ASK", text=QUESTION, note=NOTE)
        asked = lm.wait_until(lambda: [s for s in kiosk.statuses(code, request) if s["text"] == QUESTION])[0]
        kiosk.post("/api/v1/receipts/answer", {"code": code, "request_id": request, "version": asked["version"], "text": ANSWER})
        lm.wait_until(lambda: desk.case(request)["row"]["state"] == "CASE_STATE_ACCEPTED")
        desk.grant(request, text=DECISION)
        lm.wait_until(lambda: DECISION in [s["text"] for s in kiosk.statuses(code, request)])
        lm.wait_until(lambda: kiosk.marks(request)["district"] and town.status()["unsent"] == "0")
        view = district.hub.desk().case(request)  # who may read it can
        self.assertIn(STORY, [value for field in view["fields"] for value in field["values"]])
        return request, code

    def copy(self, node):
        """The disk at one moment, while the daemon runs; its log is in the folder, too."""
        copied = node.folder.with_name(node.folder.name + "-copy")
        node.process.send_signal(signal.SIGSTOP)
        try:
            os.waitpid(node.process.pid, os.WUNTRACED)
            shutil.copytree(node.folder, copied, ignore=shutil.ignore_patterns("*.sock"))
        finally:
            node.process.send_signal(signal.SIGCONT)
        self.assertTrue((copied / "device.keys").exists() and (copied / "keytable.key").exists())
        return copied

    def of_process(self, node):
        """What the kernel shows of a process beside its memory. Others than root are not even shown the environment."""
        shown = {}
        for name in ("cmdline", "environ", "comm", "stat"):
            try:
                shown[f"/proc/{node.name}/{name}"] = pathlib.Path(f"/proc/{node.process.pid}/{name}").read_bytes()
            except PermissionError:
                self.assertNotEqual(0, os.geteuid())
        return shown

    def nothing_of(self, canaries, places):
        """`places`: what it is called, and its bytes."""
        for canary in canaries:
            for form in forms_of(canary):
                for place, content in places.items():
                    self.assertNotIn(form, content, f"{place} holds {canary!r}")

    def files(self, folder):
        return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def thief(self, folder, *code):
        """What could be opened, as bytes; and the lines that tell about it."""
        done = subprocess.run([THIEF, folder, *code], capture_output=True, timeout=120)
        said = done.stderr.decode()
        self.assertEqual(0, done.returncode, said)
        return done.stdout, said.splitlines()

    def test_a_stolen_disk(self):
        district = self.district(log_level="debug")
        hub, town, terminal = district.hub, district.towns[TOWN], district.terminals[TERMINAL]
        request, code = self.work(district)
        kept = {node: self.copy(node) for node in district.nodes}
        everything = TYPED + OF_STAFF + (code,)

        with self.subTest("raw bytes of files, logs and processes, at every tier"):
            for node, folder in kept.items():
                files = self.files(folder)
                self.assertIn(str(folder / "log"), files)
                store = files[str(folder / "store/data.mdb")]
                if node is not hub:
                    self.assertIn(bytes.fromhex(request), store)  # keys are in clear: this search finds what is there
                self.nothing_of(everything, files | self.of_process(node))

        with self.subTest("the product's own code with all the keys, at the terminal"):
            loot, said = self.thief(kept[terminal])
            self.assertIn(SERVICE.encode(), loot)  # headers are no secret; so the rows were opened
            self.nothing_of(everything, {"what the thief opened": loot})
            kinds = [line.split()[:2] for line in said]
            self.assertEqual(["sealed"], [how for how, kind in kinds if kind == "KIND_REQUEST"])
            self.assertEqual(["sealed"], [how for how, kind in kinds if kind == "KIND_ANSWER"])

        with self.subTest("the same code at the town and the district, for whom it was sealed"):
            for node in (town, hub):
                loot, said = self.thief(kept[node])
                self.assertIn("opened KIND_REQUEST", "\n".join(said))
                for canary in TYPED + (code,):
                    self.assertIn(canary.encode(), loot, node)
            self.assertIn(NOTE.encode(), self.thief(kept[town])[0])

        with self.subTest("with the receipt's code, and with another"):
            _, said = self.thief(kept[terminal], code)
            self.assertIn(f"lock {request}", said)
            self.assertLessEqual({QUESTION, DECISION}, {line.split(" ", 2)[2] for line in said if line.startswith("status ")})
            other = terminal.kiosk().draft()["code"]  # of the right form
            _, said = self.thief(kept[terminal], other)
            self.assertFalse([line for line in said if line.startswith(("lock ", "status "))])

    def test_a_disk_after_a_power_cut(self):
        """The town has taken nothing: all there is of the request lies here, and the daemon had no time to tidy up."""
        district = self.district(log_level="debug")
        terminal = district.terminals[TERMINAL]
        kiosk = terminal.kiosk()  # has what it needs to take requests; it came from the town
        district.towns[TOWN].stop()
        service = kiosk.service(SERVICE)
        command = kiosk.draft(service)
        command["values"] = self.answers(service)
        kiosk.hand_in(command)
        terminal.kill()
        self.nothing_of(TYPED + (command["code"],), self.files(terminal.folder))
        loot, said = self.thief(terminal.folder)
        self.nothing_of(TYPED + (command["code"],), {"what the thief opened": loot})
        self.assertIn("sealed KIND_REQUEST", "\n".join(said))
        terminal.start().wait_ready()
        self.assertTrue(terminal.kiosk().lookup(command["code"])["receipts"])  # the resident's code still opens it
        district.towns[TOWN].start().wait_ready()
        kiosk = terminal.kiosk()
        lm.wait_until(lambda: kiosk.marks(command["request_id"])["district"])


if __name__ == "__main__":
    report.main()

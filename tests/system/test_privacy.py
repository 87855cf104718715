#!/usr/bin/env python3
"""What people tell stays where it belongs: no answer without the consents that a service asks, no word of it in a log, a
metric, an address, a file at rest or a core file, and no complaint on the pages of those whom it is about."""
import base64
import itertools
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402
import samples  # noqa: E402

TOWN = "310114106"
TERMINAL = f"{TOWN}001-T1"
ALWAYS_PERSONAL = {"PERSON", "CERTIFICATE", "ID_NUMBER", "PHONE", "ADDRESS", "FILE"}
# What the canaries have in common, and nothing of ours: then one search finds each of them.
MARK, PHONES, NUMBERS = "金丝雀", "00070707", "99070719700101"


class Canaries:
    """Values that are unique, of the right form, and looked for afterwards."""

    def __init__(self):
        self.nth = itertools.count(1)
        self.sung = {}  # canary: where it was told

    def text(self, where, least=0, most=40):
        words = f"{MARK}{next(self.nth):05}"
        self.sung[words] = where
        return words + "。" * max(0, least - len(words)) if len(words) <= most else None

    def digits(self, where, text):
        self.sung[text] = where
        return text

    def phone(self, where):
        return self.digits(where, f"{PHONES}{next(self.nth):04}")

    def citizen(self, where):
        """Of a person born in 1970, with a serial of their own."""
        head = f"{NUMBERS}{next(self.nth):03}"
        rest = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(head))
        return self.digits(where, head + "10X98765432"[rest % 11])

    def picture(self, where):
        """A PNG whose samples are the canary."""
        def chunk(kind, data):
            return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
        pixels = self.text(where).encode().ljust(64, b".")
        header = (63).to_bytes(4, "big") + (1).to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
        stored = zlib.compress(b"\0" + pixels[:63], 0)  # not packed: the bytes stand in the file as they are
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", stored) + chunk(b"IEND", b"")

    def answer(self, field, where):
        """A FieldValue, or None if this type cannot hold a canary."""
        kind = field["type"].removeprefix("FIELD_TYPE_")
        most = int(field["most"]) or 40
        if kind == "FILE":
            return {"field": field["id"], "files": [base64.b64encode(self.picture(where)).decode()]}
        make = {"PERSON": lambda: self.text(where, most=most), "ADDRESS": lambda: self.text(where, most=most),
                "TEXT": lambda: self.text(where, int(field["least"]), most),
                "LONG_TEXT": lambda: self.text(where, int(field["least"]), most),
                "PHONE": lambda: self.phone(where), "ID_NUMBER": lambda: self.citizen(where),
                "CERTIFICATE": lambda: self.citizen(where) + "44"}.get(kind)
        return make and {"field": field["id"], "values": [make()]}


def forms_of(canary):
    """As bytes might hold it: plain, escaped in JSON or an address, two bytes a character, in hexadecimal."""
    plain = canary.encode()
    return {plain, canary.encode("ascii", "backslashreplace"), urllib.parse.quote(canary).encode(),
            canary.encode("utf-16-le"), plain.hex().encode()}


def is_personal(field):
    kind = field["type"].removeprefix("FIELD_TYPE_")
    return kind in ALWAYS_PERSONAL or field["is_personal"] or field["is_health"]


class Privacy(lm.Case):
    def hand_in(self, kiosk, service, canaries=None, answers=None, **more):
        """One request, its personal answers canaries; its id and code."""
        command = kiosk.draft(service)
        for at, field in enumerate(service["fields"]):
            given = canaries and is_personal(field) and canaries.answer(field, f"{service['id']}.{field['id']}")
            command["values"][at] = given or command["values"][at]
            if field["id"] in (answers or {}):
                command["values"][at] = {"field": field["id"], "values": [answers[field["id"]]]}
        view = kiosk.hand_in({**command, **more})
        self.assertTrue(view["is_saved"], (service["id"], view["faults"]))
        return view["request_id"], view["code"]

    def handle(self, nth, request, code, kiosk, town, hub, canaries):
        """One of the ways in which a case goes, with staff who write down what they heard."""
        def said(what):
            return canaries.text(f"{what} of {request}")
        owner, other = town, hub
        lm.wait_until(lambda: town.has_case(request) and hub.has_case(request), what=request)
        if town.case(request)["row"]["owner"] == "TIER_DISTRICT":
            owner, other = hub, town
        lm.wait_until(lambda: owner.case(request)["row"]["is_ours"])
        if nth % 4 == 0:
            owner.act(request, "CASE_ACTION_HAND_OVER", note=said("note"))
            lm.wait_until(lambda: other.case(request)["row"]["is_ours"])
            owner = other
        owner.accept(request)
        if nth % 4 == 1:
            question = said("question")
            owner.act(request, "CASE_ACTION_ASK", text=question, note=said("note"))
            asked = lm.wait_until(lambda: [s for s in kiosk.statuses(code, request) if s["text"] == question])[0]
            kiosk.post("/api/v1/receipts/answer", {"code": code, "request_id": request, "version": asked["version"], "text": said("answer")})
            lm.wait_until(lambda: owner.case(request)["row"]["state"] == "CASE_STATE_ACCEPTED")
        if nth % 4 == 2:
            owner.act(request, "CASE_ACTION_DECIDE", outcome="OUTCOME_REFUSED", text=said("reason"), ground=said("ground"), remedy=said("remedy"), note=said("note"))
        elif nth % 4 == 3 and owner is town:
            version = lm.wait_until(lambda: kiosk.statuses(code, request))[-1]["version"]
            kiosk.post("/api/v1/receipts/withdraw", {"code": code, "request_id": request, "version": version, "text": said("why")})
            lm.wait_until(lambda: owner.case(request)["row"]["state"] == "CASE_STATE_WITHDRAWN")
        else:
            owner.grant(request, text=said("decision"))

    def test_a_canary_in_every_personal_field(self):
        district = self.district(log_level="debug")
        hub, town, terminal = district.hub, district.towns[TOWN], district.terminals[TERMINAL]
        kiosk, clerk, officer = terminal.kiosk(), town.desk(), hub.desk()
        canaries, made = Canaries(), []
        services = [kiosk.service(path.stem) for path in lm.CATALOGUE]
        for service in services:
            more = {}
            if service["may_concern_children"]:
                child = [{**consent, "is_by_carer": True} for consent in samples.consents(service)]
                guardian = {"name": canaries.text("guardian"), "relation": canaries.text("relation"), "phone": canaries.phone("guardian")}
                more = {"is_for_child": True, "carer": guardian, "consents": child}
            about = {"about": "machine"} if service["owner_rules"] else {}  # about neither tier: both show it
            made.append(self.hand_in(kiosk, service, canaries, about, **more))
        fields = sum(is_personal(field) for service in services for field in service["fields"])
        self.assertGreater(len(canaries.sung), fields * 0.7, "most personal fields can hold a canary")
        for tier in ("TIER_TOWN", "TIER_DISTRICT"):
            ways = [receipt for service, receipt in zip(services, made) if service["owner"] == tier][:4]
            for nth, (request, code) in enumerate(ways):
                self.handle(nth, request, code, kiosk, clerk, officer, canaries)
        lm.wait_until(lambda: all(clerk.has_case(request) and officer.has_case(request) for request, _ in made))
        self.look_at_everything(made, services, clerk, officer, canaries)
        with self.subTest("an address with a code in it is refused, and not written down"):
            self.refused("not-found", kiosk.get, f"/api/v1/receipts/{made[0][1]}?name={urllib.parse.quote(MARK)}")
        secrets = [MARK, PHONES, NUMBERS] + [code for _, code in made]
        self.assertEqual([], [canary for canary in canaries.sung if not canary.startswith((MARK, PHONES, NUMBERS))])
        self.nothing_at_rest(district, secrets)
        self.no_core(district, secrets)

    def look_at_everything(self, made, services, clerk, officer, canaries):
        """Who may read it can; then the search below looks for what is there."""
        seen = ""
        for request, _ in made:
            view = clerk.case(request)
            self.assertTrue(view["consents"], request)
            seen += json.dumps([view, officer.case(request)], ensure_ascii=False)
            for field in view["fields"]:
                for _ in field["file_types"]:
                    file = clerk.get(f"/api/v1/cases/{request}/files/{field['id']}")
                    self.assertEqual("image/png", file["type"])
                    seen += base64.b64decode(file["content"]).decode("utf-8", "replace")
        self.assertEqual([], [canary for canary, where in canaries.sung.items() if canary not in seen])
        rows = json.dumps([desk.cases("all") for desk in (clerk, officer)], ensure_ascii=False)
        self.assertEqual([], [canary for canary in canaries.sung if canary in rows], "the queue shows a name masked")

    def nothing_at_rest(self, district, secrets):
        places = {}
        for node in district.nodes:
            for path in node.folder.rglob("*"):
                if path.is_file():
                    places[str(path)] = path.read_bytes()
            for name in ("cmdline", "environ", "comm", "status"):
                places[f"/proc of {node}: {name}"] = pathlib.Path(f"/proc/{node.process.pid}/{name}").read_bytes()
            address = node.status()["http_address"]
            places[f"metrics of {node}"] = urllib.request.urlopen(f"http://{address}/metrics", timeout=20).read()
            self.assertGreater(len(places[str(node.log)]), 500)
            self.assertIn(b"lm_", places[f"metrics of {node}"])
        for place, content in places.items():
            self.assertEqual([], [secret for secret in secrets if any(form in content for form in forms_of(secret))], place)

    def no_core(self, district, secrets):
        """A daemon that dies of SIGABRT while it holds all this leaves no core, wherever cores are allowed."""
        def dies(process):
            process.send_signal(signal.SIGABRT)
            _, status = os.waitpid(process.pid, 0)
            self.assertEqual(signal.SIGABRT, os.WTERMSIG(status))
            return os.WCOREDUMP(status)
        folder = district.folder
        soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_CORE, (soft, hard))
        other = subprocess.Popen(["sleep", "60"], cwd=folder)
        can_dump = hard != 0 and dies(other)
        other.returncode = -signal.SIGABRT
        for path in pathlib.Path(folder).glob("core*"):
            path.unlink()
        for node in district.nodes:
            limits = pathlib.Path(f"/proc/{node.process.pid}/limits").read_text()
            self.assertRegex(limits, r"Max core file size +0 +0 ")
            # of a process that must not be dumped, /proc belongs to root, whoever runs it
            self.assertEqual(0, os.stat(f"/proc/{node.process.pid}/environ").st_uid)
            node.process.send_signal(signal.SIGABRT)
            _, status = os.waitpid(node.process.pid, 0)
            node.process.returncode = -signal.SIGABRT
            self.assertEqual(signal.SIGABRT, os.WTERMSIG(status))
            self.assertFalse(os.WCOREDUMP(status), "a core was written" if can_dump else "")
            node.start().wait_ready()
        self.assertEqual([], [str(path) for path in pathlib.Path(folder).rglob("core*") if path.is_file()])
        self.nothing_at_rest(district, secrets[:4])  # what the last breath wrote, and what the next start said

    def test_without_a_consent_nothing_is_saved(self):
        district = self.district()
        kiosk = district.terminals[TERMINAL].kiosk()
        service = kiosk.service("health-check")  # health, and a sharing that it cannot do without

        def faults(**more):
            view = kiosk.hand_in({**kiosk.draft(service), **more})
            self.assertEqual(bool(view["faults"]), not view["is_saved"])
            return {(fault["field"], fault["rule"]) for fault in view["faults"]}

        given = samples.consents(service)
        self.assertEqual({"CONSENT_KIND_PRIVACY", "CONSENT_KIND_HEALTH", "CONSENT_KIND_SHARING"}, {consent["kind"] for consent in given})
        paths = ["consents.privacy", "consents.health", "consents.sharing.clinic"]
        self.assertEqual({(path, "consent-missing") for path in paths}, faults(consents=[]))
        for consent, path in zip(given, paths):
            refusal = {**consent, "is_given": False}
            self.assertEqual({(path, "consent-missing")}, faults(consents=[c if c is not consent else refusal for c in given]))
        self.assertEqual({("consents", "unknown-field")}, faults(consents=given + given[:1]))
        self.assertIn(("carer.name", "required"), faults(is_for_child=True))
        self.assertEqual(set(), faults())
        values = [value for value in samples.answers(service) if value["field"] not in ("number", "support", "medicine", "note")]
        self.assertEqual(set(), faults(values=values, consents=[given[0], {**given[1], "is_given": False}, given[2]]))
        self.assertEqual(2, len(lm.wait_until(lambda: len(rows := district.hub.desk().cases()) == 2 and rows)))

    def test_a_complaint_is_not_seen_by_whom_it_is_about(self):
        district = self.district()
        kiosk, town, hub = district.terminals[TERMINAL].kiosk(), district.towns[TOWN].desk(), district.hub.desk()
        service = kiosk.service("complaint")
        for about, owner, subject in (("town", hub, town), ("district", town, hub), ("machine", hub, None)):
            with self.subTest(about=about):
                request, code = self.hand_in(kiosk, service, answers={"about": about})
                lm.wait_until(lambda: owner.has_case(request))
                self.assertIn(request, [row["request_id"] for row in owner.cases()])
                lm.wait_until(lambda: kiosk.marks(request)["district"])
                if subject:
                    self.assertFalse(subject.has_case(request))
                    for view in ("open", "closed", "all"):
                        self.assertNotIn(request, [row["request_id"] for row in subject.cases(view)])
                    self.refused("not-found", subject.get, f"/api/v1/cases/{request}/files/what")
                    self.refused("not-found", subject.act, request, "CASE_ACTION_ACCEPT", version=0)
                    self.refused("denied", owner.act, request, "CASE_ACTION_HAND_OVER", note="示例")
                owner.accept(request)
                owner.grant(request, text="示例：查清了。")
                lm.wait_until(lambda: "示例：查清了。" in [s["text"] for s in kiosk.statuses(code, request)])
                if subject:
                    self.assertNotIn(request, [row["request_id"] for row in subject.cases("closed")])

    def take(self, clerk, service, **more):
        """A request typed at the town's counter; what was sent, and the answer."""
        draft = clerk.post("/api/v1/intake/drafts")
        command = {**draft, "service": service["id"], "revision": service["revision"], "values": samples.answers(service),
                   "consents": samples.consents(service), "language": "zh-CN", **more}
        return command, clerk.post("/api/v1/intake", command)

    def test_a_request_typed_at_the_counter(self):
        """With the papers that a kiosk cannot take; the town is its origin, and any of its terminals reads the answer."""
        district = self.district(sites=2)
        town, hub = district.towns[TOWN], district.hub
        clerk, officer = town.desk(), hub.desk()
        kiosk = district.terminals[f"{TOWN}002-T1"].kiosk()
        canaries = Canaries()
        for name, owner, channel in (("deaf-plan-subsidy", clerk, {}), ("health-check", officer, {"channel": "REQUEST_CHANNEL_PHONE"})):
            service = kiosk.service(name)
            self.refused("invalid", self.take, clerk, service, channel="REQUEST_CHANNEL_KIOSK")
            values = samples.answers(service)
            picture = os.urandom(150_000)
            header = canaries.picture("bill")[:33]
            content = header + len(picture).to_bytes(4, "big") + b"IDAT" + picture + bytes(4) + bytes(4) + b"IEND" + bytes(4)
            for value in values:
                if "files" in value:
                    value["files"] = [base64.b64encode(content).decode()]
            command, view = self.take(clerk, service, values=values, **channel)
            self.assertTrue(view["is_saved"] and not view["was_saved_before"], view["faults"])
            again = clerk.post("/api/v1/intake", command)
            self.assertTrue(again["is_saved"] and again["was_saved_before"])
            request, code = view["request_id"], view["code"]
            lm.wait_until(lambda: officer.has_case(request) and clerk.has_case(request))
            for desk in (clerk, officer):
                case = desk.case(request)
                self.assertEqual((district.account_name(town), TOWN), (case["taken_by"], case["row"]["place"]))
                self.assertEqual(channel.get("channel", "REQUEST_CHANNEL_COUNTER"), case["channel"])
            if name == "deaf-plan-subsidy":
                for desk in (clerk, officer):  # 150,000 bytes came through, to the last one
                    file = lm.wait_until(lambda desk=desk: desk.get(f"/api/v1/cases/{request}/files/bill"), what="all its parts have come")
                    self.assertEqual(("image/png", content), (file["type"], base64.b64decode(file["content"])))
                self.refused("not-found", clerk.get, f"/api/v1/cases/{request}/files/name")
            lm.wait_until(lambda: owner.case(request)["row"]["is_ours"])
            owner.accept(request)
            owner.act(request, "CASE_ACTION_ASK", text="示例：哪天来？", note="")
            asked = lm.wait_until(lambda: [s for s in kiosk.statuses(code, request) if s["text"] == "示例：哪天来？"])[0]
            kiosk.post("/api/v1/receipts/answer", {"code": code, "request_id": request, "version": asked["version"], "text": "周三"})
            lm.wait_until(lambda: owner.case(request)["row"]["state"] == "CASE_STATE_ACCEPTED")
            owner.grant(request, text="示例：同意。")
            lm.wait_until(lambda: "示例：同意。" in [s["text"] for s in kiosk.statuses(code, request)])
        self.assertEqual(["0"], [node.status()["quarantined"] for node in (town,)])
        self.assertEqual("0", hub.status()["quarantined"])
        service = kiosk.service("deaf-plan-subsidy")
        self.assertTrue(self.take(clerk, service, consents=[])[1]["faults"])
        big = [{"field": "bill", "files": [base64.b64encode(bytes((4 << 20) + 1)).decode()]}]
        self.assertIn(("bill", "file-too-big"), {(f["field"], f["rule"]) for f in self.take(clerk, service, values=big)[1]["faults"]})
        page = [{"field": "bill", "files": [base64.b64encode(b"<html><script>alert(1)</script>").decode()]}]
        self.assertIn(("bill", "not-a-file"), {(f["field"], f["rule"]) for f in self.take(clerk, service, values=page)[1]["faults"]})
        self.refused("login", lm.Client(clerk.address).post, "/api/v1/intake", {})
        self.refused("not-found", officer.post, "/api/v1/intake", {})


if __name__ == "__main__":
    report.main()

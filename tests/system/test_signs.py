#!/usr/bin/env python3
"""A terminal shows clips in sign language: what is whole in the folder is told and served, what is broken is named and left
out, and a folder that is not there stops nobody."""
import http.client
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

SITE, BARE = "310114106001-T1", "310114106002-T1"
WEBM = b"\x1a\x45\xdf\xa3" + bytes(range(60))  # begins as such a file does; nobody plays it here
MP4 = b"\0\0\0\x18ftypisom" + bytes(range(60))
TOO_BIG = 16 * 1024 * 1024 + 1


def clip(of, file, **other):
    return {"of": of, "file": file, "source": "一个测试", "date": "2026-11-22", "licence": "CC0", "language": "中国手语"} | other


def get(kiosk, path):
    """(status, type, body)"""
    connection = http.client.HTTPConnection(kiosk.address, timeout=30)
    try:
        connection.request("GET", f"/api/v1/signs{path}", headers={"Cookie": kiosk.cookie})
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type"), response.read()
    finally:
        connection.close()


class Signs(lm.Case):
    def pack(self):
        folder = tempfile.TemporaryDirectory(prefix="signs-")
        self.addCleanup(folder.cleanup)
        pack = pathlib.Path(folder.name)
        for name, content in (("start.webm", WEBM), ("aid.mp4", MP4), ("page.webm", b"<!doctype html><script>"), ("short.webm", WEBM[:5]),
                              ("big.webm", WEBM)):
            (pack / name).write_bytes(content)
        with (pack / "big.webm").open("r+b") as file:
            file.truncate(TOO_BIG)
        (pack / "folder.webm").mkdir()
        (pack / "index.json").write_text(json.dumps({"clips": [
            clip("kiosk.start.title", "start.webm"), clip("legal-aid", "aid.mp4"),
            clip("kiosk.start.title", "aid.mp4"), clip("no-type", "page.webm"), clip("short", "short.webm"), clip("big", "big.webm"),
            clip("missing", "nothing.webm"), clip("folder", "folder.webm"), clip("outside", "../start.webm"), clip("a/b", "start.webm"),
            clip("no-licence", "start.webm", licence=""), clip("no-day", "start.webm", date="2026-13-01")]}))
        return pack

    def test_clips_are_looked_at_and_served(self):
        district = self.lay_out(sites=2)
        node, bare = district.terminals[SITE], district.terminals[BARE]
        pack = self.pack()
        node.settings["signs"] = pack
        bare.settings["signs"] = pack / "nowhere"
        district.start()
        kiosk, other = node.kiosk(), bare.kiosk()
        status, _, body = get(kiosk, "")
        self.assertEqual((200, ["kiosk.start.title", "legal-aid"]), (status, [one["of"] for one in json.loads(body)["clips"]]))
        self.assertEqual((200, "video/webm", WEBM), get(kiosk, "/kiosk.start.title"))
        self.assertEqual((200, "video/mp4", MP4), get(kiosk, "/legal-aid"))
        for of in ("no-type", "outside", "..%2Fstart.webm", "index.json"):
            self.assertEqual(404, get(kiosk, f"/{of}")[0], of)
        log = node.log.read_text()
        for of in ("no-type", "short", "big", "missing", "folder", "outside", "a/b", "no-licence", "no-day"):
            self.assertIn(f"of '{of}'", log)
        self.assertIn("there is a clip already", log)
        (pack / "start.webm").write_bytes(b"<!doctype html><script>alert(1)</script>")
        status, kind, _ = get(kiosk, "/kiosk.start.title")
        self.assertTrue(status >= 400 and kind.startswith("application/json"), (status, kind))
        self.assertEqual([], json.loads(get(other, "")[2])["clips"])
        self.assertIn("no clip is shown", bare.log.read_text())
        other.submit()

    def test_what_has_no_clip_is_listed(self):
        said = subprocess.run([lm.TOP / "deploy/clips-check", self.pack()], capture_output=True, text=True, timeout=60)
        lines = said.stdout.splitlines()
        self.assertEqual(1, said.returncode, said.stderr)
        self.assertIn("none: kiosk.check.title", lines)
        self.assertIn("none: legal-advice", lines)
        self.assertNotIn("none: legal-aid", lines)
        self.assertNotIn("none: kiosk.start.title", lines)
        self.assertIn("unknown: no-type", lines)


if __name__ == "__main__":
    report.main()

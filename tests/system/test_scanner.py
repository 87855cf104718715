#!/usr/bin/env python3
"""A scanner's folder: a file is offered once, whole, and while a request is under way; links, folders, halves and what others
left are not, and nothing stays."""
import base64
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

PAPER = b"%PDF-1.7\nwhat a scanner made\n%%EOF\n"
TOWN = "310114106"


class Scanner(lm.Case):
    def offered(self):
        try:
            return base64.b64decode(self.kiosk.get("/api/v1/scan")["content"])
        except lm.Refused as refused:
            return refused.code

    def after_a_while(self, *passing):
        """What is said when it is neither of these any more."""
        return lm.wait_until(lambda: (said := self.offered()) not in passing and said, 15, what="the scanner's file is judged")

    def put(self, name, content):
        (self.folder / name).write_bytes(content)

    def test_a_folder(self):
        d = self.lay_out()
        site = d.terminals[f"{TOWN}001-T1"]
        self.folder = d.folder / "scans"
        self.folder.mkdir(parents=True)
        site.settings["scanner_folder"] = self.folder
        self.put("of-yesterday.pdf", PAPER)
        d.start()
        self.assertEqual([], os.listdir(self.folder), "what lay there at the start")
        self.kiosk = site.kiosk()
        self.assertEqual("not-found", self.offered())

        self.put("of-the-one-before.pdf", PAPER)
        command = self.kiosk.draft(self.kiosk.service("barrier-report"))
        self.assertEqual([], os.listdir(self.folder), "what lay there before the request")

        secret = d.folder / "secret.pdf"
        secret.write_bytes(PAPER)
        os.symlink(secret, self.folder / "link.pdf")
        os.link(secret, self.folder / "hard.pdf")
        os.mkfifo(self.folder / "pipe.pdf")
        (self.folder / "folder.pdf").mkdir()
        for _ in range(3):
            self.assertEqual("not-found", self.offered(), "a link, a pipe or a folder was taken")
            time.sleep(0.5)

        with open(self.folder / "scan.pdf", "wb") as file:  # slowly
            for piece in (PAPER[:10], PAPER[10:20]):
                file.write(piece)
                file.flush()
                self.assertEqual("not-ready", self.offered())
                time.sleep(0.7)
            file.write(PAPER[20:])
        self.assertEqual(PAPER, self.after_a_while("not-ready"))
        self.assertFalse((self.folder / "scan.pdf").exists())
        self.assertEqual("not-found", self.offered(), "it was offered twice")

        for content, code in ((b"<html><script>", "invalid"), (PAPER[:20], "invalid"), (b"\xff\xd8\xff\xe0 cut off", "invalid"),
                              (b"%PDF-" + bytes(4 * 1024 * 1024) + b"%%EOF", "too-big"), (b"", "invalid")):
            self.put("bad", content)
            self.assertEqual(code, self.after_a_while("not-ready"))
            self.assertFalse((self.folder / "bad").exists(), "what is refused stays")

        self.put("left-behind.pdf", PAPER)
        self.kiosk.hand_in(command)
        self.assertEqual(["folder.pdf"], os.listdir(self.folder), "what lies there when the request is saved")
        self.put("left-behind.pdf", PAPER)
        self.kiosk.post("/api/v1/scan/wipe")
        self.assertEqual(["folder.pdf"], os.listdir(self.folder))
        self.assertEqual(PAPER, secret.read_bytes())


if __name__ == "__main__":
    report.main()

#!/usr/bin/env python3
"""Chinese by pinyin at a terminal: what is found, that nobody sees what somebody else typed, and what its process can do
and cannot; it dies, stands still, and is not there, and the terminal goes on."""
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TERMINAL = "310114106001-T1"
LETTERS_A_MINUTE = 1200  # terminal/typing.c


def process_of(terminal):
    """lm-pinyin's, as the terminal's child."""
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text(errors="replace").partition("(")[2].rpartition(")")
        except OSError:
            continue
        if name == "lm-pinyin" and int(rest.split()[1]) == terminal.process.pid:
            return int(path.parent.name)
    return None


class Typing(lm.Case):
    def setUp(self):
        self.terminal = self.lay_out().start().terminals[TERMINAL]
        self.kiosk = self.terminal.kiosk()

    def find(self, letters, **command):
        return self.kiosk.post("/api/v1/pinyin", {"letters": letters, **command})

    def texts(self, letters, **command):
        return [one["text"] for one in self.find(letters, **command)["candidates"]]

    def test_a_terminal(self):
        """One district for all of it: it takes longer to start than to try."""
        self.what_is_found()
        self.its_process_can_do_nothing_else()
        self.the_next_resident_sees_nothing_learned()
        self.killed_amid_typing()
        self.one_that_stands_still_is_started_again()
        self.nothing_of_it_is_in_the_log()
        self.not_faster_than_hands()
        self.without_it()

    def what_is_found(self):
        self.assertEqual("身份证", self.texts("shenfenzheng")[0])
        found = {one["text"]: one for one in self.find("wangkun")["candidates"]}
        self.assertEqual((7, 4), (found["王堃"]["letters"], found["王"]["letters"]))
        self.assertEqual("方方土", next(one for one in self.find("kun")["candidates"] if one["text"] == "堃")["told"])
        self.assertEqual(self.texts("shi")[4:6], self.texts("shi", **{"from": 4, "most": 2}))
        self.assertEqual([], self.texts(""))
        self.refused("invalid", self.find, "王")
        self.refused("invalid", self.find, "WANG")
        self.refused("invalid", self.find, "a" * 61)

    def its_process_can_do_nothing_else(self):
        process = pathlib.Path(f"/proc/{process_of(self.terminal)}")
        limits = process.joinpath("limits").read_text()
        self.assertRegex(limits, r"Max open files +0 +0 ")
        self.assertRegex(limits, r"Max core file size +0 +0 ")
        self.assertRegex(process.joinpath("status").read_text(), r"NoNewPrivs:\s+1")
        kinds = [os.readlink(path) for path in process.joinpath("fd").iterdir()]
        self.assertEqual(1, len([kind for kind in kinds if kind.startswith("socket:")]), kinds)
        store = str(self.terminal.folder / "data")
        self.assertEqual([], [kind for kind in kinds if kind.startswith(store)])

    def the_next_resident_sees_nothing_learned(self):
        before = self.find("wangkun")
        for _ in range(30):  # one who types the same name again and again, by its parts and whole
            for letters in ("wang", "kun", "wangkun", "wangk"):
                self.find(letters)
        self.kiosk.begin()
        self.assertEqual(before, self.find("wangkun"))
        os.kill(process_of(self.terminal), signal.SIGKILL)  # nor is it on a disk, for one that is started later
        self.assertEqual(before, self.find("wangkun"))
        words = [path for path in self.terminal.folder.rglob("*") if "user" in path.name or "bigram" in path.name]
        self.assertEqual([], words)

    def killed_amid_typing(self):
        first = process_of(self.terminal)
        self.texts("wangk")
        os.kill(first, signal.SIGKILL)
        self.assertIn("王堃", self.texts("wangkun"))
        self.assertNotEqual(first, process_of(self.terminal))

    def one_that_stands_still_is_started_again(self):
        first = process_of(self.terminal)
        os.kill(first, signal.SIGSTOP)
        self.assertIn("王", self.texts("wang"))
        self.assertNotIn(process_of(self.terminal), (None, first))

    def nothing_of_it_is_in_the_log(self):
        log = self.terminal.log.read_text()
        self.assertIn('"event":"worker"', log)
        for word in ("wangk", "shenfen", "身份证"):
            self.assertNotIn(word, log)

    def not_faster_than_hands(self):
        with self.assertRaises(lm.Refused) as caught:
            for _ in range(2 * LETTERS_A_MINUTE + 1):
                self.find("a", most=1)
        self.assertEqual("too-many", caught.exception.code)

    def without_it(self):
        self.terminal.settings["pinyin"] = "/nonexistent/lm-pinyin"
        self.terminal.restart()
        self.kiosk = self.terminal.kiosk()
        self.assertIn("cannot be started", self.refused("not-ready", self.find, "wang"))
        self.assertTrue(self.kiosk.submit()["request_id"])
        self.terminal.settings["pinyin"] = None
        self.terminal.restart()
        self.kiosk = self.terminal.kiosk()
        self.assertIn("configured", self.refused("not-ready", self.find, "wang"))


if __name__ == "__main__":
    report.main()

#!/usr/bin/env python3
"""Receipts on paper: what the terminal writes to its printer is read as a printer reads it, dot by dot, and the code from
it by zbarimg; paper and printer that are missing, a printer that is slow or stops, a second press."""
import os
import pathlib
import pty
import select
import subprocess
import sys
import tempfile
import threading
import time
import tty

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TERMINAL = "310114106001-T1"
READY, NO_PAPER = "0x18", "0x38"  # IEEE 1284, as Linux gives them
DOTS_PER_POINT = 203.2 / 72


class Printer:
    """A printer at a pseudo-terminal: takes what comes, in a thread, and holds still when told to."""

    def __init__(self, folder):
        self.far, near = pty.openpty()
        tty.setraw(near)
        self.near = near  # held open: the daemon may come and go
        self.path = os.ttyname(near)
        self.status = folder / "printer-status"
        self.taken = bytearray()
        self.takes = threading.Event()
        self.takes.set()
        self.pause_s = 0
        self.is_over = False
        self.thread = threading.Thread(target=self._take, daemon=True)
        self.thread.start()
        self.says(READY)

    def _take(self):
        while not self.is_over:
            if not self.takes.wait(0.1) or not select.select([self.far], [], [], 0.1)[0]:
                continue
            self.taken += os.read(self.far, 4096)
            time.sleep(self.pause_s)

    def says(self, status):
        if status is None:
            self.status.unlink(missing_ok=True)
        else:
            self.status.write_text(status)

    def end(self):
        self.is_over = True
        self.thread.join()
        os.close(self.far)
        os.close(self.near)

    def slips(self):
        """Takes away what was printed: the rows of each slip, as bytes. Fails at a byte that is no command we know."""
        data, slips, rows, at = bytes(self.taken), [], [], 0
        self.taken.clear()
        while at < len(data):
            if data.startswith(b"\x1b@", at):
                at, rows = at + 2, []
            elif data.startswith(b"\x1dv0\0", at):
                wide = data[at + 4] + 256 * data[at + 5]
                high = data[at + 6] + 256 * data[at + 7]
                at += 8
                rows += [data[at + y * wide:at + (y + 1) * wide] for y in range(high)]
                at += wide * high
            elif data.startswith(b"\x1dVB\0", at):
                at += 4
                slips.append(rows)
            else:
                raise AssertionError(f"no command at byte {at}: {data[at:at + 8].hex()}")
        return slips


def read_code(rows):
    """What stands in the QR code."""
    with tempfile.NamedTemporaryFile(suffix=".pbm") as file:
        file.write(b"P4\n%d %d\n" % (8 * len(rows[0]), len(rows)) + b"".join(rows))
        file.flush()
        done = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", file.name],
                              capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def lines_of(rows):
    """Heights of the lines of what is printed, in points."""
    heights, high = [], 0
    for row in rows + [b""]:
        if any(row):
            high += 1
        elif high:
            heights.append(high / DOTS_PER_POINT)
            high = 0
    return heights


class Slip(lm.Case):
    def setUp(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="lm-printer-"))
        self.addCleanup(lambda: [path.unlink() for path in folder.iterdir()] and folder.rmdir())
        self.printer = Printer(folder)
        self.addCleanup(self.printer.end)
        district = self.lay_out()
        self.terminal = district.terminals[TERMINAL]
        self.terminal.settings["printer"] = self.printer.path
        self.terminal.environment |= {"LD_PRELOAD": str(lm.BUILD / "tests/lib/libmachine.so"),
                                      "LM_TEST_PRINTER": str(self.printer.status)}
        district.start()
        self.kiosk = self.terminal.kiosk()
        self.made = self.kiosk.submit()

    def ask(self, made=None, **more):
        made = made or self.made
        return self.kiosk.post("/api/v1/receipts/print", {"request_id": made["request_id"], "code": made["code"], **more})

    def prints(self, made=None, **more):
        """One slip, whole: its rows."""
        self.assertEqual("PRINT_STATE_PRINTED", self.ask(made, **more)["state"])
        lm.wait_until(lambda: self.printer.taken.endswith(b"\x1dVB\0"), what="the slip is cut")
        slips = self.printer.slips()
        self.assertEqual(1, len(slips))
        return slips[0]

    def test_a_terminal(self):
        """One district for all of it: it takes longer to start than to try."""
        self.assertTrue(self.kiosk.state()["has_printer"])
        self.what_is_printed()
        self.only_who_has_the_code()
        self.both_names()
        self.a_slow_printer_and_a_second_press()
        self.no_paper_and_no_printer()
        self.it_stops_amid_a_slip()
        self.nothing_of_it_is_in_the_log()
        self.without_a_printer()

    def what_is_printed(self):
        rows = self.prints()
        self.assertEqual({72}, {len(row) for row in rows})
        self.assertEqual(self.made["code"], read_code(rows))
        letters = [high for high in lines_of(rows) if high > 2]  # two lines across are thinner
        self.assertGreater(len(letters), 12, letters)
        self.assertGreater(min(letters), 14 * 0.6, letters)  # of a letter of 14 pt the ink is about so high, or more
        self.assertEqual("PRINT_STATE_PRINTED", self.ask()["state"], "a second press, and the first slip is out")
        time.sleep(0.5)
        self.assertEqual([], self.printer.slips())

    def only_who_has_the_code(self):
        other = self.kiosk.submit()
        self.refused("not-found", self.ask, {"request_id": self.made["request_id"], "code": other["code"]})
        self.refused("not-found", self.ask, {"request_id": "0" * 31 + "1", "code": other["code"]})
        self.refused("invalid", self.ask, {"request_id": "0" * 32, "code": other["code"]})
        self.refused("invalid", self.ask, {"request_id": other["request_id"], "code": "123456789012"})
        self.assertEqual([], self.printer.slips())
        self.short = self.prints(other)

    def both_names(self):
        made = self.kiosk.submit()
        self.refused("invalid", self.ask, made, name="王小示例")
        self.refused("invalid", self.ask, made, name="王" * 61, by_name="张示例")
        rows = self.prints(made, name="王小示例", by_name="张示例\x1b@\u202e")
        self.assertGreater(len(rows), len(self.short) + 4 * 14 * DOTS_PER_POINT, "four lines more")

    def a_slow_printer_and_a_second_press(self):
        made = self.kiosk.submit()
        states = []
        self.printer.pause_s = 0.1
        first = threading.Thread(target=lambda: states.append(self.ask(made)["state"]))
        first.start()
        lm.wait_until(lambda: self.printer.taken, what="it prints")
        other = self.terminal.kiosk()  # the page goes on meanwhile
        began = time.monotonic()
        self.assertTrue(other.submit()["request_id"])
        self.assertTrue(first.is_alive(), f"a request took {time.monotonic() - began:.1f} s, and the printer less")
        command = {"request_id": made["request_id"], "code": made["code"]}
        self.assertEqual("PRINT_STATE_BUSY", other.post("/api/v1/receipts/print", command)["state"])
        first.join()
        self.printer.pause_s = 0
        self.assertEqual(["PRINT_STATE_PRINTED"], states)
        lm.wait_until(lambda: self.printer.taken.endswith(b"\x1dVB\0"), what="the slip is cut")
        self.assertEqual(1, len(self.printer.slips()))

    def no_paper_and_no_printer(self):
        made = self.kiosk.submit()
        self.printer.says(NO_PAPER)
        self.assertEqual("PRINT_STATE_NO_PAPER", self.ask(made)["state"])
        self.printer.says(None)
        self.assertEqual("PRINT_STATE_NO_ANSWER", self.ask(made)["state"])
        self.assertEqual([], self.printer.slips())
        self.printer.says(READY)
        self.assertEqual(made["code"], read_code(self.prints(made)), "what did not come out is not taken as printed")

    def it_stops_amid_a_slip(self):
        made = self.kiosk.submit()
        self.printer.takes.clear()
        self.assertEqual("PRINT_STATE_NO_ANSWER", self.ask(made)["state"])
        self.printer.takes.set()

    def nothing_of_it_is_in_the_log(self):
        log = self.terminal.log.read_text()
        for word in (self.made["code"], "王小示例", "张示例"):
            self.assertNotIn(word, log)

    def without_a_printer(self):
        self.terminal.settings["printer"] = None
        self.terminal.restart()
        self.kiosk = self.terminal.kiosk()
        self.assertFalse(self.kiosk.state()["has_printer"])
        self.refused("not-ready", self.ask)


if __name__ == "__main__":
    report.main()

"""For tests of whole daemons: districts that clean up after themselves.

    class Way(lm.Case):
        def test_a_request_reaches_the_town(self):
            district = self.district(sites=1)
            terminal = district.terminals["310114106001-T1"]
            kiosk = terminal.kiosk()
            view = kiosk.submit()
            lm.wait_until(lambda: kiosk.marks(view["request_id"])["town"])

Everything that a test does to a daemon is a method of Node, District, Kiosk or Desk (deploy/lib); what is only for
tests is here.
"""
import atexit
import contextlib
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "deploy/lib"))
from client import Client, Desk, Kiosk, Refused  # noqa: E402, F401
from district import (HUB, TERMINAL, TOWN, District, Failed, Node, free_port, hold_port, port_is_free,
                      wait_until)  # noqa: E402, F401
from samples import answers, consents  # noqa: E402, F401

# Noon in Shanghai on a day with working days before and behind it, of a year whose calendar is delivered: what counts working
# days must not depend on the day on which it is run.
A_MONDAY_S = datetime.datetime(2026, 6, 15, 4, tzinfo=datetime.timezone.utc).timestamp()
CATALOGUE = sorted((TOP / "deploy/catalogue").glob("*.json"))  # one service a file
BUILD = pathlib.Path(os.environ.get("LM_BUILD") or TOP / "build").resolve()
MARKS_OF_A_FAULT = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:", "Assertion ")

CACHE = BUILD / "CMakeCache.txt"
HAS_SANITIZERS = bool(CACHE.exists() and re.search("^LM_SANITIZE:.*=.", CACHE.read_text(), re.M))
# tests/lib/*.so are preloaded, and stand before the sanitizer's own library.
os.environ["ASAN_OPTIONS"] = f"verify_asan_link_order=0:{os.environ.get('ASAN_OPTIONS', '')}"
os.environ.setdefault("TSAN_OPTIONS", f"suppressions={TOP / 'tests/lib/thread-sanitizer.txt'} history_size=7")
_live = []  # what is not cleaned up yet: (district, folder)


def shifted(ahead_s):
    """The environment of a daemon whose wall clock is ahead by so many seconds, from its next start on."""
    return {"LD_PRELOAD": str(BUILD / "tests/lib/libshifted.so"), "LM_SHIFT_S": str(int(ahead_s))}


def until_monday_s():
    """By how much a clock must be ahead, or behind, to show A_MONDAY_S now."""
    return A_MONDAY_S - time.time()


def _clean(district, folder):
    """Kills what still runs of this district, and nothing else; removes its folder."""
    if (district, folder) in _live:
        _live.remove((district, folder))
        district.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _clean_all():
    for district, folder in list(_live):
        _clean(district, folder)


def _interrupt(number, frame):
    del number, frame
    raise KeyboardInterrupt  # which ends a run of unittest, as SystemExit does not


atexit.register(_clean_all)
signal.signal(signal.SIGTERM, _interrupt)  # tests/run, when it takes too long


class Case(unittest.TestCase):
    """A test that starts districts. At its end every daemon must stop cleanly, have ended only when it was asked to, and
    have no finding of a sanitizer in its log."""

    maxDiff = None

    def why_hub_ends(self, setting, content, **settings):
        """The hub's log, after a start with this content in the file that the setting names."""
        district = self.lay_out()
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(content, file)
            file.flush()
            district.hub.settings |= {setting: file.name} | settings
            district.folder.mkdir(exist_ok=True)
            district.make_keys()
            district.hub.start()
            wait_until(district.hub.has_ended, what="the hub says why it does not start")
        said = district.hub.log.read_text()
        _clean(district, str(district.folder))  # it ended, as it should
        return said

    def lay_out(self, towns=("310114106",), sites=1, pages=None, **settings):
        """A district in a folder of its own, not started: in each town `sites` terminals, 310114106001-T1 and so on."""
        folder = tempfile.mkdtemp(prefix="lm-")
        district = District(folder, build=BUILD, pages=pages)
        district.map_sizes = {tier: "16M" for tier in district.map_sizes}
        _live.append((district, folder))
        self.addCleanup(_clean, district, folder)
        self.addCleanup(self.end, district)
        for town in towns:
            district.add_town(town)
            for site in range(1, sites + 1):
                district.add_terminal(f"{town}{site:03}-T1")
        for node in district.nodes:
            node.settings.update(settings)
        return district

    def district(self, *args, **kwargs):
        """As lay_out, and started: every daemon answers, every link is up, the catalogue is published."""
        return self.lay_out(*args, **kwargs).start()

    def end(self, district):
        """Stops a district and looks at how it went. Runs by itself after the test, and does nothing the second time."""
        if (district, str(district.folder)) not in _live:
            return
        troubles = [node.why_ended() for node in district.nodes if node.has_ended()]
        try:
            district.stop()
        except Failed as failed:
            troubles.append(str(failed))
        for node in district.nodes:
            text = node.log.read_text(errors="replace") if node.log.exists() else ""
            if any(mark in text for mark in MARKS_OF_A_FAULT):
                troubles.append(f"{node}:\n{text[-6000:]}")
        if troubles:
            self.fail("\n\n".join(troubles))

    def refused(self, code, call, *args, **kwargs):
        """The daemon refuses a call, by the name of the error; the sentence it says."""
        with self.assertRaises(Refused) as caught:
            call(*args, **kwargs)
        self.assertEqual(code, caught.exception.code, caught.exception.text)
        return caught.exception.text


class Wire:
    """A link that can be cut: a daemon connects to `address`, and what it says goes on to `target`.

        wire = lm.Wire(self, town.link_address)
        terminal.settings["upstream"] = wire.address      # before it is started
        wire.cut()                                        # both sides see nothing but silence, as with a pulled cable
        wire.mend()

    `inside`: what it connects from, when `target` is in another network.
    """

    def __init__(self, case, target, port=None, inside=contextlib.nullcontext):
        host, to = target.removeprefix("tcp://").rsplit(":", 1)
        self._target = (host, int(to))
        self._door = socket.create_server(("127.0.0.1", port or free_port()))
        self._inside = inside
        self.address = "tcp://127.0.0.1:%d" % self._door.getsockname()[1]
        self._is_whole = threading.Event()
        self._is_whole.set()
        self._sockets = [self._door]
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()
        case.addCleanup(self.close)

    def cut(self):
        self._is_whole.clear()

    def sever(self):
        """The same, but that both sides hear of it at once."""
        self._end_connections()
        self.cut()

    def mend(self):
        """Connections from before the cut are gone, as they are when a cut lasted."""
        self._end_connections()
        self._is_whole.set()

    def close(self):
        self._end_connections()
        self._end(self._door)

    def _end(self, one):
        try:
            one.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for it
        except OSError:
            pass
        one.close()

    def _end_connections(self):
        with self._lock:
            ending, self._sockets = self._sockets[1:], self._sockets[:1]
        for one in ending:
            self._end(one)

    def _accept(self):
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return  # closed
            try:
                with self._inside():
                    far = socket.create_connection(self._target, timeout=10)
            except OSError:
                near.close()  # nobody answers over there
                continue
            far.settimeout(None)
            with self._lock:
                self._sockets += [near, far]
            threading.Thread(target=self._pass, args=(near, far), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near), daemon=True).start()

    def _pass(self, one, other):
        try:
            while data := one.recv(65536):
                self._is_whole.wait()
                other.sendall(data)
        except OSError:
            pass
        self._end(one)
        self._end(other)

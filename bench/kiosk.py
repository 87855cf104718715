"""The kiosk's page: what it weighs, and how long it lets its person wait on a slow machine. A whole request in Chromium, whose
processor is slowed down fourfold, at a real terminal with its town and district."""
import gzip
import json
import pathlib
import shutil
import statistics
import subprocess
import tempfile

import path
from district import TOP, District, Failed
from path_table import verdict

TARGETS = ["lm-hub", "lm-subcenter", "lm-terminal", "lmctl"]
TOWN = "310114106"
SLOWER = 4
WEIGHT_KB, PRESS_MS, SCREEN_MS = 150, 100, 500
PATIENCE_S = 300


def weight_kb(page):
    """Compressed, without fonts, of which the page brings none."""
    return sum(len(gzip.compress(file.read_bytes())) for file in page.iterdir() if file.suffix in (".html", ".js", ".css")) / 1000


def run(build, folder, options, tell):
    pages = build / "ui"
    subprocess.run([TOP / "common/ui/build", "--out", pages], check=True, stdout=subprocess.DEVNULL)
    results = []
    for _ in range(options.rounds):
        where = tempfile.mkdtemp(prefix="lm-bench-", dir=folder)
        district = District(where, build=build, pages=pages)
        try:
            district.add_town(TOWN)
            terminal = district.add_terminal(f"{TOWN}001-T1")
            district.start()
            done = subprocess.run(["node", TOP / "bench/kiosk.mjs", f"http://{terminal.http_address}", str(SLOWER)], capture_output=True,
                                  text=True, timeout=PATIENCE_S)
            if done.returncode:
                raise path.Failed(done.stderr[-2000:])
            took = json.loads(done.stdout)
            tell(f"{len(took['press'])} presses, {len(took['screen'])} screens")
            results.append({"weight_kb": weight_kb(pages / "terminal"), **took})
            district.stop()
        except (Failed, subprocess.TimeoutExpired) as failed:
            raise path.Failed(str(failed)) from failed
        finally:
            district.kill()
            shutil.rmtree(where, ignore_errors=True)
    return results


def table(results, options):
    del options
    press = sorted(ms for one in results for ms in one["press"])
    screen = sorted(ms for one in results for ms in one["screen"])
    weight = results[-1]["weight_kb"]
    return ["| goal | measured | |", "|---|---|---|",
            f"| the page compressed, without fonts: at most {WEIGHT_KB} kB | {weight:.0f} kB | {verdict(weight <= WEIGHT_KB)} |",
            f"| from a press to the frame that shows it: at most {PRESS_MS} ms | median {statistics.median(press):.0f}, most {press[-1]:.0f} ms "
            f"({len(press)} presses) | {verdict(press[-1] <= PRESS_MS)} |",
            f"| from a press to the next screen: at most {SCREEN_MS} ms | median {statistics.median(screen):.0f}, most {screen[-1]:.0f} ms "
            f"({len(screen)} screens) | {verdict(screen[-1] <= SCREEN_MS)} |", "",
            f"Chromium without a graphics processor, its processor slowed down {SLOWER} times; one request from the first page to the receipt. The daemons are as fast as "
            "they are. Frames come every 16 ms, and the browser tells presses in steps of 8, and none that took less than 16."]

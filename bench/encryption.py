"""What encryption costs: the product as it is, then without one protection at a time, then without all three.

The programs without are linked for this from the product's own rooms, with one protection replaced (off.c).
"""
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from path import TIERS, Failed, Path, median

TARGETS = ["lm-hub", "lm-subcenter", "lm-terminal", "lmctl", "bench_terminal", "off-curve", "off-seals", "off-signatures", "off-all"]
KINDS = (("", "as it is"), ("curve", "without CURVE"), ("seals", "without seals"), ("signatures", "without signatures"),
         ("all", "without all three"))
SHAPES = (("8 128", "8×128"), ("1 1", "1×1"))


@contextlib.contextmanager
def _leave():
    os.environ["LM_BENCH_OFF"] = "yes"
    try:
        yield
    finally:
        del os.environ["LM_BENCH_OFF"]


def _check_left_out(path, name):
    """Every tier did leave it out: each said so at its end."""
    for node in (path.terminal, path.town, path.district.hub):
        counts = re.findall(rf"^{name} left out (\d+) times$", node.log.read_text(errors="replace"), re.M)
        if not counts or not int(counts[-1]):
            raise Failed(f"{node} did not leave out: {name}")


def measure(folder, build, name, seconds):
    path = Path(folder, build / f"off-{name}" if name else build, preload=False)
    try:
        with _leave() if name else contextlib.nullcontext():
            path.start()
        path.order("load 8 128 500")
        out = {shape: path.load(f"load {shape} {int(seconds * 1000)}") for shape, _ in SHAPES}
        path.check()
        path.stop()
        if name:
            _check_left_out(path, name)
        return out
    finally:
        path.kill()


def run(build, folder, options, say):
    for name, _ in KINDS[1:]:  # they must not start by mistake
        done = subprocess.run([build / f"off-{name}/lm-hub", "--help"], capture_output=True)
        if done.returncode == 0:
            sys.exit(f"off-{name}/lm-hub starts without being asked for as a bench build")
    results = []
    for number in range(options.rounds):
        results.append({})
        for at in range(len(KINDS)):
            name, title = KINDS[(number + at) % len(KINDS)]
            say(f"round {number + 1}/{options.rounds}: {title}")
            place = pathlib.Path(tempfile.mkdtemp(prefix="p", dir=folder))
            os.sync()
            try:
                results[-1][name] = measure(place, build, name, options.seconds)
            finally:
                shutil.rmtree(place, ignore_errors=True)
    return results


def cpu_us(load):
    return sum(load[f"{tier}_us"] for tier in TIERS)


def costs_table(results):
    yield "| | 8×128 req/s | to as it is | CPU µs a request: terminal, town, hub | saved, of all three tiers | 1×1 p50 ms | saved |"
    yield "|---|---|---|---|---|---|---|"
    for name, title in KINDS:
        m = lambda *keys: median(results, name, *keys)  # noqa: E731
        faster = median(results, lambda r: r[name]["8 128"]["per_s"] / r[""]["8 128"]["per_s"])
        saved = median(results, lambda r: 1 - cpu_us(r[name]["8 128"]) / cpu_us(r[""]["8 128"]))
        sooner = median(results, lambda r: r[""]["1 1"]["p50_ms"] - r[name]["1 1"]["p50_ms"])
        tiers = ", ".join(f"{m('8 128', f'{tier}_us'):.0f}" for tier in TIERS)
        gains = (f"{faster:.2f} ×", f"{saved:.0%}", f"{sooner:.2f}") if name else ("", "", "")
        yield (f"| {title} | {m('8 128', 'per_s'):,.0f} | {gains[0]} | {tiers} | {gains[1]} | {m('1 1', 'p50_ms'):.2f} "
               f"| {gains[2]} |")


TEXT = """\
Without CURVE: links are plain TCP, and who connects is admitted by name. Without seals: payloads, the wraps of their keys and
every stored value are copied instead of sealed and opened, and the keys of payloads are not derived one from the next; sizes
stay the same. Without signatures: nothing is signed and nothing verified; the hash chain stays. These programs exist for
this command only: linked from the product's rooms with functions put in the place of the real ones, built by no other target,
and they do not start unless asked for as what they are. Each tier counted what it left out, and the run fails if that is
nothing."""


def table(results, options):
    yield from costs_table(results)
    yield ""
    yield TEXT

#!/usr/bin/env python3
"""What of the product was run in a build with counters (cmake -DLM_COVERAGE=ON), by gcov.

    tests/coverage/report.py BUILD [--all]

Rooms that keep what was promised (sync, journal, store) are measured by branches, and the goal is every one; the others by
lines, and the goal is 90 % of a room. Branches that cannot be taken stand in tests/coverage/excluded.txt, each with its
reason. --all prints the lines that were not reached of every file, not only of those three rooms. The last line is
"N passed, N failed": a passed one reached its goal.
"""
import argparse
import collections
import concurrent.futures
import json
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
BRANCHES = ("common/sync", "common/journal", "common/store")
LINES_GOAL = 90
EXCLUDED = pathlib.Path(__file__).with_name("excluded.txt")


def room_of(name):
    return "/".join(pathlib.PurePath(name).parts[:2]) if name.startswith("common/") else name.split("/")[0]


def excluded():
    """{file: [text of a line]}; a line of excluded.txt is `file | text | reason`."""
    texts = collections.defaultdict(list)
    for line in EXCLUDED.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, text, reason = (part.strip() for part in line.split(" | "))
            assert reason, line
            texts[name].append(text)
    return texts


class File:
    def __init__(self, name):
        self.name = name
        self.source = (TOP / name).read_text(encoding="utf-8").splitlines()
        self.lines = {}  # number: how often
        self.branches = collections.defaultdict(list)  # line: how often each was taken

    def add(self, found):
        for line in found["lines"]:
            number = line["line_number"]
            self.lines[number] = max(self.lines.get(number, 0), line["count"])
            if line["branches"] and not self.branches[number]:
                self.branches[number] = [branch["count"] for branch in line["branches"]]

    def leave_out(self, texts):
        used = set()
        for number in list(self.branches):
            hit = next((text for text in texts if text in self.source[number - 1]), None)
            if hit and not all(self.branches[number]):
                used.add(hit)
                self.branches[number] = [1]
        return used

    def branch_figures(self):
        taken = [count for counts in self.branches.values() for count in counts]
        return sum(bool(count) for count in taken), len(taken)

    def line_figures(self):
        return sum(bool(count) for count in self.lines.values()), len(self.lines)

    def branches_missing(self):
        return [f"{number}" + (f"×{counts.count(0)}" if counts.count(0) > 1 else "")
                for number, counts in sorted(self.branches.items()) if not all(counts)]

    def lines_missing(self):
        return [str(number) for number, count in sorted(self.lines.items()) if not count]


def gcov(counters):
    done = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", counters.name],
                          cwd=counters.parent, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def read(build):
    files = {}
    counters = [path for path in build.rglob("*.gcno") if "/tests/" not in str(path) and "/bench/" not in str(path)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for found in (one for all_of_one in pool.map(gcov, counters) for one in all_of_one):
            for file in found["files"]:
                path = (pathlib.Path(found["current_working_directory"]) / file["file"]).resolve()
                if path.is_relative_to(TOP) and path.suffix == ".c" and "generated" not in path.parts:
                    name = str(path.relative_to(TOP))
                    files.setdefault(name, File(name)).add(file)
    return files


def percent(have, all_of_them):
    return 100 * have / all_of_them if all_of_them else 100


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    files = read(options.build.resolve())
    texts = excluded()
    passed = failed = 0
    rooms = collections.defaultdict(lambda: [0, 0])
    print(f"{'file':34} {'lines':>14} {'branches':>16}")
    for name, file in sorted(files.items()):
        room = room_of(name)
        left_out = file.leave_out(texts.get(name, []))
        for text in set(texts.get(name, [])) - left_out:
            print(f"{name}: excluded.txt names a line that was reached, or is not there: {text}")
            failed += 1
        lines, branches = file.line_figures(), file.branch_figures()
        rooms[room][0] += lines[0]
        rooms[room][1] += lines[1]
        note = f", {len(left_out)} excluded" if left_out else ""
        print(f"{name:34} {lines[0]:5} of {lines[1]:5} {branches[0]:6} of {branches[1]:6} {percent(*branches):5.1f} %{note}")
        if room in BRANCHES:
            passed += branches[0] == branches[1]
            failed += branches[0] != branches[1]
            if branches[0] != branches[1]:
                print(f"    branches not taken, by line: {' '.join(file.branches_missing())}")
        elif options.all and file.lines_missing():
            print(f"    lines not reached: {' '.join(file.lines_missing())}")
    print()
    for room, (have, all_of_them) in sorted(rooms.items()):
        is_there = percent(have, all_of_them) >= LINES_GOAL
        print(f"{room:34} {have:5} of {all_of_them:5} lines {percent(have, all_of_them):5.1f} %")
        if room not in BRANCHES:
            passed += is_there
            failed += not is_there
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""One flipped bit on the disk is noticed, named and never served; what it did not touch is served as before.

LM_FLIPS says how many (default 20 a node), LM_SEED which.
"""
import collections
import os
import pathlib
import random
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
TERMINAL = f"{TOWN}001-T1"
FLIPS = int(os.environ.get("LM_FLIPS", "20"))
SEED = int(os.environ.get("LM_SEED") or random.randrange(1 << 32))
NONCE, TAG = 12, 16  # of a value: nonce ‖ ciphertext ‖ tag
META = "store"       # the store's own table: openings and format

Row = collections.namedtuple("Row", "table key key_at value_at size")


def rows_of(node):
    done = subprocess.run([lm.BUILD / "tests/lib/rows", node.folder / "store"], capture_output=True, text=True, check=True)
    return [Row(table, key, *map(int, numbers)) for table, key, *numbers in map(str.split, done.stdout.splitlines())]


class Disk:
    """The data file of a closed node; on leaving it is as it was, whatever was written meanwhile."""

    def __init__(self, node):
        self.path = node.folder / "store/data.mdb"

    def __enter__(self):
        self.image = self.path.read_bytes()
        return self

    def __exit__(self, *failure):
        with open(self.path, "r+b") as file:
            file.write(self.image)

    def flip(self, at, bit):
        with open(self.path, "r+b") as file:
            file.seek(at)
            file.write(bytes([self.image[at] ^ 1 << bit]))

    def mend(self, at):
        with open(self.path, "r+b") as file:
            file.seek(at)
            file.write(self.image[at:at + 1])


class BitFlip(lm.Case):
    def setUp(self):
        """Four requests on their way, all at the district, accepted, and told so to the terminal."""
        self.d = self.district()
        self.town, self.terminal = self.d.towns[TOWN], self.d.terminals[TERMINAL]
        kiosk, desk = self.terminal.kiosk(), self.town.desk()
        self.views = [kiosk.submit(nth=nth) for nth in range(4)]
        for view in self.views:
            lm.wait_until(lambda: desk.has_case(view["request_id"]))
            desk.accept(view["request_id"])
        for view in self.views:
            lm.wait_until(lambda: kiosk.statuses(view["code"], view["request_id"]))
        lm.wait_until(lambda: all(node.status()["unsent"] == "0" for node in self.d.nodes))
        lm.wait_until(lambda: kiosk.marks(self.views[-1]["request_id"])["district"])
        self.position = {node: self.positions(node) for node in self.d.nodes}
        self.d.stop()

    @staticmethod
    def positions(node):
        """Of each request's entry on the tape."""
        items = node.control.get("/ctl/v1/journal?from=1&count=500")["items"]
        return {item["header"]["request_id"]: int(item["position"]) for item in items
                if item.get("header") and item["header"]["kind"] == "KIND_REQUEST"}

    def verdict(self, node):
        """What lmctl verify says of a closed folder."""
        try:
            return self.d.lmctl("verify", node=node)
        except lm.Failed as failed:
            return str(failed)

    # ---- verify ----

    def test_verify_names_every_flip(self):
        print(f"seed {SEED}")
        draw = random.Random(SEED)
        verdicts = collections.Counter()
        for node in self.d.nodes:
            rows = rows_of(node)
            by_table = collections.defaultdict(list)
            for row in rows:
                by_table[row.table].append(row)
            self.assertLessEqual({"tape", "line", "run", "segment", "device", "service", META}, set(by_table))
            tables = sorted(by_table)
            draw.shuffle(tables)
            with Disk(node) as disk:
                self.assertIn("good: every row", self.verdict(node))
                for nth in range(FLIPS):
                    row = draw.choice(by_table[tables[nth % len(tables)]])
                    is_key = nth % 5 == 4 and row.table != META
                    at = row.key_at + draw.randrange(len(row.key) // 2) if is_key else row.value_at + draw.randrange(row.size)
                    bit = draw.randrange(8)
                    disk.flip(at, bit)
                    said = self.verdict(node)
                    disk.mend(at)
                    verdicts[self.named(row, is_key, at, bit, said, f"{node}, {row}, byte {at}, bit {bit}")] += 1
                self.assertIn("good: every row", self.verdict(node))
        for what, count in sorted(verdicts.items()):
            print(f"{count:4} {what}")
        self.assertEqual(3 * FLIPS, sum(verdicts.values()))

    def named(self, row, is_key, at, bit, said, where):
        """Checks that the sentence is about this row, and gives the kind of verdict."""
        self.assertNotIn("good: every row", said, where)
        if row.table == META:
            self.assertRegex(said, "the meta table in .* is damaged at opening [0-9]+|a row of the meta table in .* does not verify|"
                                   "is not sealed under this .*key", where)
            return "in the store's own table: named"
        if not is_key:
            self.assertRegex(said, rf"table {row.table}, key {row.key}: the stored value ", where)
            part = at - row.value_at
            return ("in a value's nonce" if part < NONCE else "in a value's tag" if part >= row.size - TAG else "in a value"
                    ) + ": named with table and key"
        key = bytearray.fromhex(row.key)
        key[at - row.key_at] ^= 1 << bit
        self.assertRegex(said, rf"table {row.table}(, key {key.hex()})?: ", where)
        return "in a key: named with its table"

    def test_rebuild_mends_a_case(self):
        """What the tape gives is made anew, though the row that it replaces cannot be read."""
        row = next(row for row in rows_of(self.town) if row.table == "case")
        at = row.value_at + row.size // 2
        with Disk(self.town) as disk:
            disk.flip(at, 3)
            for words, says in ((("rebuild",), "table case"), (("rebuild", "--replace"), "it has been replaced by what the tape gives")):
                with self.assertRaisesRegex(lm.Failed, says):
                    self.d.lmctl(*words, node=self.town)
            self.assertIn("good: every row", self.verdict(self.town))
            self.assertIn("equal", self.d.lmctl("rebuild", node=self.town))

    # ---- a daemon on a damaged disk ----

    def flipped(self, node, table, starts_with):
        """Flips a bit in the middle of one value, starts the daemon on it; yields what it must name. To be used as `with`."""
        return _Damaged(self, node, next(row for row in rows_of(node) if row.table == table and row.key.startswith(starts_with)))

    def test_the_others_are_served(self):
        victim, *others = self.views
        request = victim["request_id"]
        for node in (self.town, self.d.hub):
            position = f"{self.position[node][request]:016x}"
            for table, starts_with in (("case", request), ("tape", position), ("envelope", request)):
                with self.subTest(node=node, table=table), self.flipped(node, table, starts_with) as sentence:
                    desk = node.desk()
                    self.assertIn(sentence, self.refused("damaged", desk.case, request))
                    for view in others:
                        case = desk.case(view["request_id"])
                        self.assertFalse(case["row"]["is_absent"])
                        self.assertGreater(len(case["fields"]), 0)
                    rows = {row["request_id"]: row for row in desk.cases("all")}
                    self.assertEqual({view["request_id"] for view in self.views}, set(rows))
                    self.assertEqual([request], [row["request_id"] for row in rows.values() if row["is_absent"]])
                    self.assertEqual("", rows[request]["masked_name"])
                    self.assertIn(sentence, node.log.read_text())

    def test_a_place_in_a_list_that_is_damaged(self):
        with self.flipped(self.town, "open", "") as sentence:
            desk = self.town.desk()
            self.assertEqual(len(self.views) - 1, len(desk.cases("open")))
            self.assertEqual(len(self.views), len(desk.cases("all")))
            self.assertIn(sentence, self.town.log.read_text())

    def test_a_terminal_on_a_damaged_disk(self):
        victim, *others = self.views
        for table, starts_with in (("request", victim["request_id"]), ("status", victim["request_id"]), ("receipt", "")):
            with self.subTest(table), self.flipped(self.terminal, table, starts_with) as sentence:
                kiosk = self.terminal.kiosk()
                said = self.refused("damaged", kiosk.lookup, victim["code"])
                self.assertIn(sentence, said)
                for view in others:
                    self.assertEqual(1, len(kiosk.statuses(view["code"], view["request_id"])))
                self.assertTrue(kiosk.submit()["is_saved"])

    def test_what_a_daemon_cannot_do_without(self):
        """Then it does not start, and says why."""
        for node, table in ((self.town, "line"), (self.terminal, "line"), (self.d.hub, "device")):
            with self.subTest(node=node, table=table), Disk(node) as disk:
                row = next(row for row in rows_of(node) if row.table == table)
                disk.flip(row.value_at + row.size // 2, 0)
                done = subprocess.run([node.program, "--config", node.folder / "daemon.conf"], capture_output=True, text=True,
                                      timeout=60, stdin=subprocess.DEVNULL)
                self.assertNotEqual(0, done.returncode)
                self.assertIn(f"table {table}, key {row.key}: ", done.stderr)


class _Damaged:
    def __init__(self, case, node, row):
        self.case, self.node, self.row, self.disk = case, node, row, Disk(node)

    def __enter__(self):
        self.disk.__enter__()
        self.disk.flip(self.row.value_at + self.row.size // 2, 3)
        self.node.start().wait_ready()
        sentence = f"table {self.row.table}, key {self.row.key}: the stored value does not verify"
        self.case.assertRegex(self.case.verdict(self.node), re.escape(sentence))
        return sentence

    def __exit__(self, *failure):
        self.node.stop()
        self.disk.__exit__()


if __name__ == "__main__":
    report.main()

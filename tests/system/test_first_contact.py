#!/usr/bin/env python3
"""A device that meets its district for the first time, when the directory is longer than one message."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

SITES = 300  # more than the 256 entries of a message
RESEND_S = 6  # LINK_RESEND_MS: after it a lost message comes by itself


class FirstContact(lm.Case):
    def test_a_long_directory_arrives_without_waiting_for_a_resend(self):
        """The second message is checked before the first, which vouches for the hub, is stored: it is asked for again at
        once."""
        district = self.lay_out(sites=SITES)
        district.prepare()
        town = district.towns["310114106"]
        town.start().wait_ready().wait_connected()
        began = time.monotonic()
        lm.wait_until(lambda: district.knows_terminals(town), what="the town knows all terminals")
        self.assertLess(time.monotonic() - began, RESEND_S - 1)


if __name__ == "__main__":
    report.main()

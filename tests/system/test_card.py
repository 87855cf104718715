#!/usr/bin/env python3
"""A card of the district at a terminal's reader: it proves itself with its PIN for one request, while it lies there; a lost
one is refused, and so is whatever else is put into a reader."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import card as cards  # noqa: E402
import lm  # noqa: E402
import report  # noqa: E402

SITE = "310114106001-T1"
PERSON = "00112233445566778899aabbccddeeff"
PIN = "47110815"


class AtTheReader(lm.Case):
    def setUp(self):
        self.reader = cards.Reader()
        self.addCleanup(self.reader.stop)
        self.d = self.lay_out()
        self.node = self.d.terminals[SITE]
        self.node.settings["card_adapter"] = self.d.build / "lm-card"
        self.d.start()
        self.kiosk = self.node.kiosk()

    def issue(self, card, *person):
        """Has the district sign for the card's key; the card's number."""
        said = json.loads(self.d.lmctl("card", "issue", card.public_key(), *person, "--by", "chen", "--json", node=self.d.hub))
        card.certificate = bytes.fromhex(said["certificate"])
        return said["number"]

    def show(self, draft, pin=""):
        said = self.kiosk.post("/api/v1/card", {"request_id": draft["request_id"], "pin": pin})
        return said["state"].removeprefix("CARD_STATE_")

    def put(self, card, draft, what="PRESENT"):
        self.reader.put(card)
        lm.wait_until(lambda: self.show(draft) == what, what=f"the reader says {what}")

    def take(self, draft):
        self.reader.take()
        lm.wait_until(lambda: self.show(draft) == "EMPTY", what="the card is taken away")

    def identity(self, request_id):
        town = next(iter(self.d.towns.values()))
        desk = town.desk()
        lm.wait_until(lambda: desk.has_case(request_id), what="the case at the town")
        return desk.case(request_id).get("identity")

    def test_a_card(self):
        draft = self.kiosk.draft()
        self.assertTrue(self.kiosk.state()["has_cards"])
        self.assertEqual("NONE", self.show(draft))  # no pcscd: the page goes on without
        self.reader.start()
        lm.wait_until(lambda: self.show(draft) == "EMPTY", what="an empty reader")
        card = cards.Card(PIN)
        number = self.issue(card, PERSON)
        self.assertEqual("000000000001", number)
        self.put(card, draft)

        # A wrong PIN costs a try, the right one gives them back.
        said = self.kiosk.post("/api/v1/card", {"request_id": draft["request_id"], "pin": "0000"})
        self.assertEqual(("CARD_STATE_PIN_WRONG", 2), (said["state"], said["tries"]))
        said = self.kiosk.post("/api/v1/card", {"request_id": draft["request_id"], "pin": PIN})
        self.assertEqual(("CARD_STATE_PROVED", number), (said["state"], said["number"]))
        self.assertEqual(3, card.tries)
        self.assertEqual("PROVED", self.show(draft))
        self.assertEqual("PRESENT", self.show(self.kiosk.draft()))  # for that request alone
        self.assertEqual("PRESENT", self.show(draft))               # and asking for another one ended it

        # Proved again and handed in: the town sees it. The next request knows nothing of it.
        self.assertEqual("PROVED", self.show(draft, PIN))
        self.kiosk.hand_in(draft)
        shown = self.identity(draft["request_id"])
        self.assertEqual(("IDENTITY_SOURCE_CARD", number, PERSON), (shown["source"], shown["card"], shown["person_id"]))
        other = self.kiosk.submit()
        self.assertIsNone(self.identity(other["request_id"]))

        # Taken away, or over: it counts no more, also when it is put back.
        draft = self.kiosk.draft()
        self.assertEqual("PROVED", self.show(draft, PIN))
        self.reader.take()  # nobody asks meanwhile
        self.put(card, draft)
        self.kiosk.hand_in(draft)
        self.assertIsNone(self.identity(draft["request_id"]))
        draft = self.kiosk.draft()
        self.assertEqual("PROVED", self.show(draft, PIN))
        self.kiosk.post("/api/v1/card", {"is_over": True})
        self.kiosk.hand_in(draft)
        self.assertIsNone(self.identity(draft["request_id"]))
        self.take(draft)
        self.strange_ones(draft)
        self.ends(card, number)
        log = self.node.log.read_text()
        self.assertNotIn(PIN, log)
        self.assertNotIn(number, log)

    def strange_ones(self, draft):
        """One card that changes where it lies: the reader cannot know."""
        card = cards.Card(PIN)
        self.issue(card)
        good, key = card.certificate, card.secret
        self.put(card, draft)
        for name, certificate in (("another number", good[:1] + (7).to_bytes(8, "big") + good[9:]), ("cut off", good[:-1]),
                                  ("no version of ours", b"\x02" + good[1:]), ("zeros", bytes(len(good)))):
            card.certificate = certificate
            self.assertEqual("STRANGE", self.show(draft, PIN), name)
        card.certificate, card.secret = good, cards.Card().secret  # a copy, without the key
        self.assertEqual("STRANGE", self.show(draft, PIN))
        card.secret, kept = key, []
        card.spoil = lambda command, answer: (kept.append(answer) or kept[0]) if command[1] == 0x88 else answer
        self.assertEqual("PROVED", self.show(draft, PIN))
        self.assertEqual("STRANGE", self.show(draft, PIN))  # the same signature for another challenge
        for name, spoil in (("another applet", lambda c, a: b"\x6a\x82"), ("rubbish", lambda c, a: b"\xff" * 3),
                            ("half a status", lambda c, a: b"\x90"), ("for ever", lambda c, a: b"\x00" * 200 + b"\x61\xff"),
                            ("too much", lambda c, a: b"\x90\x00" * 200)):
            card.spoil = spoil
            self.assertEqual(("STRANGE", "STRANGE"), (self.show(draft), self.show(draft, PIN)), name)
        card.spoil = lambda command, answer: answer
        self.assertEqual("PROVED", self.show(draft, PIN))
        self.take(draft)

    def ends(self, card, number):
        """Tries that are used up, and a card that was lost."""
        draft = self.kiosk.draft()
        blocked = cards.Card(PIN)
        self.issue(blocked)
        self.put(blocked, draft)
        self.assertEqual(["PIN_WRONG", "PIN_WRONG", "PIN_BLOCKED", "PIN_BLOCKED"],
                         [self.show(draft, pin) for pin in ("1111", "2222", "3333", PIN)])
        self.assertEqual("PIN_BLOCKED", self.show(draft))
        asked = len(blocked.asked)
        self.refused("invalid", self.show, draft, "12")
        self.refused("invalid", self.show, draft, "47a1")
        self.assertEqual(asked, len(blocked.asked))
        self.take(draft)
        self.put(card, draft)
        self.assertEqual("PROVED", self.show(draft, PIN))
        with self.assertRaisesRegex(lm.Failed, "no card 77 was issued"):
            self.d.lmctl("card", "revoke", "77", "--reason", "挂失", node=self.d.hub)
        self.d.lmctl("card", "revoke", number, "--reason", "挂失", "--by", "chen", node=self.d.hub)
        lm.wait_until(lambda: self.show(draft, PIN) == "REVOKED", what="the revocation at the terminal")
        with self.assertRaisesRegex(lm.Failed, "revoked before"):
            self.d.lmctl("card", "revoke", number, "--reason", "挂失", node=self.d.hub)
        self.kiosk.hand_in(draft)
        self.assertIsNone(self.identity(draft["request_id"]))
        for node in self.d.nodes:
            self.assertIn("good: every row", self.d.lmctl("verify", node=node))


if __name__ == "__main__":
    cards.enter_namespaces()
    report.main()

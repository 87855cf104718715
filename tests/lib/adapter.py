#!/usr/bin/env python3
"""A program at a reader, as docs/CARDS.md lets others write one: frames over descriptor 3, and a card in software. It is
started through a link to this file; the folder of the link says what lies on the reader: card.json, as Desk writes it."""
import json
import os
import pathlib
import socket
import struct
import sys

from cryptography.hazmat.primitives import serialization

import card as cards

LOOK, PROVE = 1, 2
EMPTY, PRESENT, PIN_WRONG, PIN_BLOCKED, ANSWERED = 1, 3, 4, 5, 6


class Desk:
    """The reader, from the side of whoever puts cards on it."""

    def __init__(self, folder, card):
        self.folder, self.card, self.presence = folder, card, 0
        self.program = folder / "card-adapter"
        self.program.symlink_to(pathlib.Path(__file__).resolve())
        self.put(False)

    def put(self, is_there):
        self.presence += 1
        secret = self.card.secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                serialization.NoEncryption()).decode()
        fresh = self.folder / "card.new"
        fresh.write_text(json.dumps({"secret": secret, "certificate": self.card.certificate.hex(), "pin": self.card.pin.hex(),
                                     "is_there": is_there, "presence": self.presence}))
        fresh.rename(self.folder / "card.json")


def answer(question, now, card):
    card.secret = serialization.load_pem_private_key(now["secret"].encode(), None)
    card.pin = bytes.fromhex(now["pin"])
    state, proof = PRESENT, b""
    if not now["is_there"]:
        state = EMPTY
    elif question[0] == PROVE:
        pin, challenge = question[2:2 + question[1]], question[2 + question[1]:]
        state = ANSWERED if card.verify(pin.ljust(8, b"\xff")) == b"\x90\x00" else PIN_WRONG
        proof = card.sign(challenge)[:-2] if state == ANSWERED else b""
    if now["is_there"] and not card.tries:
        state = PIN_BLOCKED
    certificate = bytes.fromhex(now["certificate"]) if proof else b""
    return (struct.pack(">BBIH", state, card.tries, now["presence"], len(certificate)) + certificate +
            struct.pack(">H", len(proof)) + proof)


def main():
    folder = pathlib.Path(sys.argv[0]).parent
    link = socket.socket(fileno=os.dup(3))
    stream = link.makefile("rwb")
    card = cards.Card()

    def say(content):
        stream.write(struct.pack(">BI", 0, len(content)) + content)
        stream.flush()

    say(b"")
    while head := stream.read(4):
        size = struct.unpack(">I", head)[0]
        if size:
            say(answer(stream.read(size), json.loads((folder / "card.json").read_text()), card))


if __name__ == "__main__":
    main()

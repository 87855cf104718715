"""A card of docs/CARDS.md in software, put into the reader of vsmartcard-vpcd, and the namespaces in which that reader is:
it listens on all addresses, and pcscd has one place for its socket."""
import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

VPCD = ("127.0.0.1", 0x8C7B)
ATR = bytes.fromhex("3b80800101")  # T=1, and nothing else
AID = b"\xf0LMCARD\x01"
PROOF = b"lm card proof v1"
GIVE_ATR = 4  # of one byte; the others, of one byte, too, are power and reset
SOCKETS = "/run/pcscd"
PCSCD_LOOKS_S = 0.8  # twice as long as it waits; vpcd never gets over a command to a card that has gone since


def enter_namespaces():
    """Starts this program once more, where nobody else's pcscd or network is."""
    if os.environ.get("LM_CARD_INSIDE"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        os.makedirs(SOCKETS, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", SOCKETS], check=True)
        return
    os.makedirs(SOCKETS, exist_ok=True)
    os.environ["LM_CARD_INSIDE"] = "yes"
    os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, *sys.argv])


class Card:
    """What a card answers. `spoil` changes an answer on its way: (command, answer) -> answer."""

    def __init__(self, pin="4711", tries=3):
        self.secret = ec.generate_private_key(ec.SECP256R1())
        self.certificate = b""
        self.pin = pin.encode().ljust(8, b"\xff")
        self.most = self.tries = tries
        self.spoil = lambda command, answer: answer
        self.asked = []
        self.reset()

    def public_key(self):
        return self.secret.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()

    def reset(self):
        self.is_selected = self.is_open = False

    def verify(self, data):
        if not data:
            return b"\x90\x00" if self.is_open else self.tries_left()
        if not self.tries:
            return self.tries_left()
        self.is_open = data == self.pin
        self.tries = self.most if self.is_open else self.tries - 1
        return b"\x90\x00" if self.is_open else self.tries_left()

    def tries_left(self):
        return bytes([0x63, 0xC0 | self.tries]) if self.tries else b"\x69\x83"

    def sign(self, challenge):
        if not self.is_open:
            return b"\x69\x82"
        self.is_open = False  # each signature asks for the PIN anew
        r, s = utils.decode_dss_signature(self.secret.sign(PROOF + challenge, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big") + b"\x90\x00"

    def answer(self, command):
        self.asked.append(command)
        head, data = command[:4], command[5:5 + command[4]] if len(command) > 5 else b""
        if head == bytes.fromhex("00a4040c"):
            self.is_selected = data == AID
            return b"\x90\x00" if self.is_selected else b"\x6a\x82"
        if not self.is_selected:
            return b"\x69\x85"
        if head == bytes.fromhex("00b08100"):
            return self.certificate[:command[4]] + b"\x90\x00"
        if head == bytes.fromhex("00200081"):
            return self.verify(data)
        if head == bytes.fromhex("00880000"):
            return self.sign(data)
        return b"\x6d\x00"


class Reader:
    """pcscd with its virtual reader."""

    def __init__(self):
        self.process = self.socket = self.thread = None
        self.is_put = False

    def start(self):
        self.process = subprocess.Popen(["pcscd", "--foreground"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while not os.path.exists(f"{SOCKETS}/pcscd.comm"):
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("pcscd does not start")
            time.sleep(0.05)

    def put(self, card):
        self.take()
        self.is_put = True
        self.thread = threading.Thread(target=self._lie, args=(card,), daemon=True)
        self.thread.start()

    def take(self):
        self.is_put = False
        if self.thread:
            if self.socket:
                with contextlib.suppress(OSError):
                    self.socket.shutdown(socket.SHUT_RDWR)
            self.thread.join()
            self.thread = None
            time.sleep(PCSCD_LOOKS_S)

    def _lie(self, card):
        """The reader may drop who comes too soon after another card: then it is put there again."""
        while self.is_put:
            with contextlib.suppress(OSError, EOFError), socket.create_connection(VPCD, timeout=0.5) as self.socket:
                self._serve(self.socket, card)
            self.socket = None
            time.sleep(0.05)

    @staticmethod
    def _read(connection, size):
        data = b""
        while len(data) < size:
            more = connection.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def _serve(self, connection, card):
        while self.is_put:
            try:
                size = struct.unpack(">H", self._read(connection, 2))[0]
            except TimeoutError:
                continue
            command = self._read(connection, size)
            if command == bytes([GIVE_ATR]):
                answer = ATR
            elif len(command) == 1:
                card.reset()
                continue
            else:
                answer = card.spoil(command, card.answer(command))
            connection.sendall(struct.pack(">H", len(answer)) + answer)

    def stop(self):
        self.take()
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

#!/usr/bin/env python3
"""A terminal reads aloud: what comes out is speech and lasts as long as its text, the worker may die at any moment and is
locked in, nothing that people typed is kept, and a recorded clip goes before the voice."""
import array
import hashlib
import http.client
import io
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import threading
import time
import wave

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

SITE, MUTE = "310114106001-T1", "310114106002-T1"
SENTENCE = "您好，请选择您要办理的服务。"
LONG = "请把您遇到的困难告诉我们。" * 60
SILENCE = 500  # of 32,767


def say(kiosk, text, language="zh-CN", rate=4, is_personal=False):
    """The WAV, or (code of the error, sentence)."""
    body = json.dumps({"text": text, "language": language, "rate": rate, "is_personal": is_personal})
    connection = http.client.HTTPConnection(kiosk.address, timeout=30)
    try:
        connection.request("POST", "/api/v1/speech", body=body.encode(), headers={
            "Cookie": kiosk.cookie, "X-Lm-Csrf": kiosk.csrf, "Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    if response.status != 200:
        error = json.loads(content)["error"]
        return error["code"], error["text"]
    assert response.getheader("Content-Type") == "audio/wav" and response.getheader("Cache-Control") == "no-store"
    return content


def sound(wav):
    """Seconds, and the share of moments (50 ms) that are not silent."""
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        samples = array.array("h", file.readframes(file.getnframes()))
        step = file.getframerate() // 20
    moments = [max(map(abs, samples[at:at + step])) for at in range(0, len(samples), step)]
    return len(samples) / (20 * step), sum(peak > SILENCE for peak in moments) / max(1, len(moments))


def worker_of(node):
    for task in pathlib.Path(f"/proc/{node.process.pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            if pathlib.Path(f"/proc/{child}/comm").read_text().strip() == "lm-voice":
                return int(child)
    return None


class Speech(lm.Case):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="speech-")
        self.addCleanup(folder.cleanup)
        self.speech = pathlib.Path(folder.name)
        shutil.copy(lm.TOP / "deploy/speech/lexicon-zh.tsv", self.speech)

    def heard(self, answer, least_s, most_s):
        self.assertIsInstance(answer, bytes, answer)
        length_s, share = sound(answer)
        self.assertTrue(least_s <= length_s <= most_s, length_s)
        self.assertGreater(share, 0.5)
        return length_s

    def test_a_terminal_reads_aloud(self):
        district = self.lay_out(sites=2)
        self.node, mute = district.terminals[SITE], district.terminals[MUTE]
        self.node.settings["speech"] = self.speech
        mute.settings["speech"] = None
        district.start()
        kiosk = self.node.kiosk()
        self.check_what_is_heard(kiosk)
        self.check_its_death_costs_nothing(kiosk)
        self.check_the_newest_text_is_said(kiosk)
        self.check_a_clip_goes_before_the_voice(kiosk)
        other = mute.kiosk()
        self.assertFalse(other.state()["can_speak"])
        self.assertEqual("not-found", say(other, SENTENCE)[0])
        other.submit()

    def check_what_is_heard(self, kiosk):
        self.assertTrue(kiosk.state()["can_speak"])
        self.assertIsNone(worker_of(self.node), "nobody has asked yet")
        usual_s = self.heard(say(kiosk, SENTENCE), 1.5, 6)
        self.assertGreater(self.heard(say(kiosk, SENTENCE, rate=1), 1.5, 20), usual_s * 1.3)
        self.assertLess(self.heard(say(kiosk, SENTENCE, rate=7), 0.5, 6), usual_s * 0.8)
        self.assertGreater(self.heard(say(kiosk, SENTENCE * 3), 4, 20), usual_s * 2)
        self.heard(say(kiosk, "Hello, please choose a service.", "en"), 1, 5)
        self.heard(say(kiosk, "The town 江桥镇 answers.", "en"), 1.2, 6)
        self.assertGreater(self.heard(say(kiosk, "1234 5678 9012"), 2, 9), self.heard(say(kiosk, "1万"), 0.2, 2) * 2)
        for wrong in ({"language": "fr"}, {"rate": 0}, {"rate": 8}):
            self.assertEqual("invalid", say(kiosk, SENTENCE, **wrong)[0])
        self.assertEqual("too-big", say(kiosk, "好" * 1001)[0])
        self.check_locked_in(worker_of(self.node))
        took = []
        for _ in range(5):
            begin = time.monotonic()
            say(kiosk, f"第{len(took)}项，共十二项，按钮。")
            took.append(time.monotonic() - begin)
        self.assertLess(sorted(took)[2], 0.4, "of the half second in which speech begins")
        personal = f"我住在示例路{os.getpid()}号"
        self.heard(say(kiosk, personal, is_personal=True), 1, 8)
        for path in self.node.folder.rglob("*"):
            if path.is_file():
                self.assertNotIn(personal.encode(), path.read_bytes(), path)
        self.assertNotIn(personal, self.node.log.read_text())

    def check_locked_in(self, worker):
        status = pathlib.Path(f"/proc/{worker}/status").read_text()
        limits = pathlib.Path(f"/proc/{worker}/limits").read_text()
        self.assertRegex(limits, r"Max open files +16 +16 ")
        self.assertRegex(limits, r"Max core file size +0 +0 ")
        self.assertRegex(limits, r"Max file size +0 +0 ")
        if not lm.HAS_SANITIZERS:
            self.assertRegex(limits, r"Max address space +536870912 +536870912 ")
            self.assertIn("Seccomp:\t2", status)
        names = {os.readlink(path) for path in pathlib.Path(f"/proc/{worker}/fd").iterdir()}
        self.assertFalse([name for name in names if "data.mdb" in name or "keys" in name], names)
        ours = {os.readlink(path) for path in pathlib.Path(f"/proc/{self.node.process.pid}/fd").iterdir()}
        shared = names & ours - {"/dev/null"}
        self.assertEqual(set(), {name for name in shared if not name.startswith("anon_inode")}, "what it has of the daemon")

    def check_its_death_costs_nothing(self, kiosk):
        self.heard(say(kiosk, SENTENCE), 1.5, 6)
        first = worker_of(self.node)
        os.kill(first, signal.SIGKILL)
        self.heard(say(kiosk, SENTENCE + "再来。"), 1.5, 8)
        self.assertNotIn(worker_of(self.node), (None, first))
        answers = []
        for nth in range(6):  # amid work, which takes some tens of milliseconds
            asks = threading.Thread(target=lambda: answers.append(say(kiosk, f"{nth}。{LONG}", rate=1)))
            worker = worker_of(self.node)
            asks.start()
            time.sleep(0.01 * nth)
            os.kill(worker, signal.SIGKILL)
            asks.join()
            self.heard(say(kiosk, f"第{nth}次以后。"), 0.5, 5)
        hangs = worker_of(self.node)
        os.kill(hangs, signal.SIGSTOP)
        self.heard(say(kiosk, f"{SENTENCE}一"), 1.5, 8)
        self.assertNotEqual(hangs, worker_of(self.node))
        self.assertTrue(kiosk.state()["can_speak"])

    def check_the_newest_text_is_said(self, kiosk):
        say(kiosk, "开始。")
        answers = {}
        asks = [threading.Thread(target=lambda nth=nth: answers.update({nth: say(kiosk, f"{nth}。{LONG[:500]}")}))
                for nth in range(4)]
        for one in asks:
            one.start()
            time.sleep(0.03)
        for one in asks:
            one.join()
        self.assertIsInstance(answers[3], bytes)
        self.assertTrue(any(answer[0] == "closed" for answer in answers.values() if isinstance(answer, tuple)), {
            nth: answer if isinstance(answer, tuple) else len(answer) for nth, answer in answers.items()})
        self.heard(say(kiosk, "结束。"), 0.3, 3)

    def check_a_clip_goes_before_the_voice(self, kiosk):
        text = "请取回您的证件。"
        folder = self.speech / "clips/zh-CN"
        folder.mkdir(parents=True)
        (folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.wav").write_bytes(b"RIFF of a person")  # docs/CLIPS.md
        self.assertEqual(b"RIFF of a person", say(kiosk, text))
        self.heard(say(kiosk, text, rate=5), 1, 6)
        self.heard(say(kiosk, text, is_personal=True), 1, 6)


if __name__ == "__main__":
    report.main()

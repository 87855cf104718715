#!/usr/bin/env python3
"""Does any room reach where it may not?

Six floors, no arrow upwards. The table below says whom each room may use; the #include lines of every source and header,
and what CMake links, must agree with it. To let a room use another, change the table and CMakeLists.txt together.
"""
import graphlib
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/lib"))
import report  # noqa: E402


class Room:
    def __init__(self, folder, uses="", libraries=""):
        self.folder = folder
        self.uses = set(uses.split())
        self.libraries = set(libraries.split())


TIER = "base crypto sync net paper proto store http journal domain node desk"
ROOMS = {
    "base": Room("common/base"),
    "crypto": Room("common/crypto", "base", "openssl sodium oath"),
    "sync": Room("common/sync", "base"),
    "net": Room("common/net", "base", "uv zmq"),
    "speech": Room("common/speech", "base"),
    "worker": Room("common/worker", "base"),
    "card": Room("common/card", "base crypto"),
    "reader": Room("common/reader", "base card worker", "pcsclite"),
    "voice": Room("common/voice", "base speech worker", "espeak"),
    "paper": Room("common/paper", "base", "pangocairo qrencode"),
    "proto": Room("proto", "base", "protobufc jansson"),
    "store": Room("common/store", "base crypto", "lmdb"),
    "http": Room("common/http", "base crypto", "uv microhttpd jansson"),
    "journal": Room("common/journal", "base crypto store proto"),
    "domain": Room("common/domain", "base crypto store proto"),
    "node": Room("common/node", "base card crypto sync net proto store http journal domain", "uv"),
    "desk": Room("common/desk", "base crypto sync net paper proto store http journal domain node", "uv icu qrencode"),
    "typing": Room("common/typing", "base proto worker", "pinyin"),
    "hub": Room("hub", TIER, "uv"),
    "subcenter": Room("subcenter", TIER, "uv"),
    "terminal": Room("terminal", TIER + " card speech worker", "uv"),
    "ctl": Room("common/ctl", "domain journal store proto crypto base node", "curl"),
}

# Libraries whose headers are not the C library's, by how an #include names them.
LIBRARIES = {
    "uv": r"uv(\.h|/.*)",
    "zmq": r"zmq(_utils)?\.h",
    "lmdb": r"lmdb\.h",
    "openssl": r"openssl/.*",
    "sodium": r"sodium(\.h|/.*)",
    "oath": r"liboath/.*",
    "qrencode": r"qrencode\.h",
    "microhttpd": r"microhttpd\.h",
    "jansson": r"jansson\.h",
    "protobufc": r"protobuf-c/.*",
    "curl": r"curl/.*",
    "espeak": r"espeak-ng/.*",
    "icu": r"unicode/.*",
    "pcsclite": r"(PCSC/)?(winscard|wintypes|pcsclite)\.h",
    "pinyin": r"pinyin\.h|glib\.h",
    "pangocairo": r"pango/.*|cairo-pdf\.h",
}
# CMake hands a tier uv through node and desk, whose headers name it.
LINKED_THROUGH_OTHERS = {"hub": {"uv"}, "subcenter": {"uv"}, "terminal": {"uv"}}

# The C library and the kernel. A header that is not here is a new dependency, to be added with thought.
SYSTEM = re.compile(
    r"""(assert|complex|ctype|errno|fenv|float|inttypes|iso646|limits|locale|math|setjmp|signal|stdalign|stdarg|stdatomic|
    stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|tgmath|threads|time|uchar|wchar|wctype|
    byteswap|dirent|dlfcn|endian|fcntl|fnmatch|ftw|getopt|glob|grp|iconv|ifaddrs|langinfo|libgen|malloc|netdb|poll|pthread|
    pwd|regex|sched|semaphore|spawn|syslog|termios|unistd|utime|
    (arpa|linux|net|netinet|sys)/[a-z0-9_]+|[a-z0-9]*intrin)\.h""",
    re.VERBOSE)

STRING_OR_COMMENT = re.compile(r'("(?:\\.|[^"\\\n])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
INCLUDE = re.compile(r"^[ \t]*#[ \t]*(?:include|include_next|import)\b[ \t]*(.*)$", re.MULTILINE)


def includes_of(path):
    """(line number, header name, or the raw text where it is not a plain name) of each #include outside comments."""
    text = path.read_text(encoding="utf-8").replace("\\\n", "")
    text = STRING_OR_COMMENT.sub(lambda match: match.group(1) or "\n" * match.group().count("\n") or " ", text)
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        name = re.fullmatch(r'["<]([^">]+)[">]', match.group(1).strip())
        yield line, name.group(1) if name else None, match.group(1).strip()


def objection(name, header, folders):
    """Why this room may not include this header, or None. Its private headers lie in `folders`."""
    room = ROOMS[name]
    if header is None:
        return "an #include must name its header"
    if ".." in header.split("/") or header.startswith("/"):
        return "a path may not leave the include folders"
    for library, pattern in LIBRARIES.items():
        if re.fullmatch(pattern, header) and not any((folder / header).is_file() for folder in folders):
            return None if library in room.libraries else f"room {name} may not use {library}"
    owner, slash, _ = header.partition("/")
    if slash and owner in ROOMS:
        return None if owner == name or owner in room.uses else f"room {name} may not use room {owner}"
    if SYSTEM.fullmatch(header):
        return None
    if any((folder / header).is_file() for folder in folders) or (name == "proto" and header.endswith(".pb-c.h")):
        return None
    return "neither a header of this room nor one of a known room or library"


def sources_of(folder):
    return sorted(path for path in folder.rglob("*.[ch]") if "node_modules" not in path.parts)


def findings(top):
    for name, room in ROOMS.items():
        for path in sources_of(top / room.folder):
            for line, header, raw in includes_of(path):
                why = objection(name, header, (path.parent, top / room.folder))
                if why:
                    yield f"{path.relative_to(top)}:{line}: {raw}: {why}"


def words(text):
    return set(re.sub(r"PkgConfig::", "", text).split())


def cmake_rooms(top):
    """Room -> (rooms it is linked with, libraries it is linked with), as the build says."""
    lists = (top / "CMakeLists.txt").read_text(encoding="utf-8")
    helpers = (top / "cmake/rooms.cmake").read_text(encoding="utf-8")
    built = {}
    for match in re.finditer(r"^lm_(?:room|proto|worker)\((\w+)\s+([\w/]+)([^)]*)\)", lists, re.MULTILINE):
        uses = re.search(r"USES\s+(.*?)(?=LIBS|$)", match.group(3), re.DOTALL)
        libraries = re.search(r"LIBS\s+(.*)", match.group(3), re.DOTALL)
        built[match.group(1)] = (match.group(2), words(uses.group(1)) if uses else set(),
                                 words(libraries.group(1)) if libraries else set())
    for kind, target, link in (("daemon", "folder", "PUBLIC"), ("tool", "program", "PRIVATE")):
        body = re.search(rf"function\(lm_{kind} .*?endfunction", helpers, re.DOTALL).group()
        linked = words(re.search(rf"target_link_libraries\(\$\{{{target}\}} {link} ([^)]*)\)", body).group(1))
        for match in re.finditer(rf"^lm_{kind}\(\S+\s+([\w/]+)\)", lists, re.MULTILINE):
            folder = match.group(1)
            built[folder.split("/")[-1]] = (folder, linked & set(ROOMS), linked - set(ROOMS))
    for match in re.finditer(r"^target_link_libraries\((\w+) PUBLIC ([^)]*)\)", lists, re.MULTILINE):
        built[match.group(1)][1].update(words(match.group(2)))  # what one tier uses alone
    return built


def disagreements(top):
    built = cmake_rooms(top)
    for name in sorted(set(built) | set(ROOMS)):
        if name not in ROOMS:
            yield f"CMakeLists.txt builds room {name}, which the table of {pathlib.Path(__file__).name} does not know"
            continue
        if name not in built:
            yield f"CMakeLists.txt does not build room {name}"
            continue
        room, (folder, uses, libraries) = ROOMS[name], built[name]
        libraries = {"openssl" if library == "libcrypto" else library for library in libraries}
        if folder != room.folder:
            yield f"room {name}: CMakeLists.txt says folder {folder}, the table {room.folder}"
        if uses != room.uses:
            yield f"room {name}: CMakeLists.txt and the table differ in uses: {' '.join(sorted(uses ^ room.uses))}"
        expected = room.libraries - LINKED_THROUGH_OTHERS.get(name, set())
        if libraries != expected:
            yield f"room {name}: CMakeLists.txt and the table differ in libraries: {' '.join(sorted(libraries ^ expected))}"


class TheHouse(unittest.TestCase):
    def test_no_room_includes_what_it_may_not(self):
        self.assertEqual([], list(findings(TOP)))

    def test_the_build_agrees_with_the_table(self):
        self.assertEqual([], list(disagreements(TOP)))

    def test_every_source_lies_in_a_room(self):
        folders = [TOP / room.folder for room in ROOMS.values()]
        homeless = [str(path.relative_to(TOP)) for part in ("common", "proto", "hub", "subcenter", "terminal")
                    for path in sources_of(TOP / part) if not any(folder in path.parents for folder in folders)]
        self.assertEqual([], homeless)

    def test_no_rooms_use_each_other_in_a_circle(self):
        graphlib.TopologicalSorter({name: room.uses for name, room in ROOMS.items()}).prepare()


class TheCheckItself(unittest.TestCase):
    """A copy of the rooms in which something forbidden is planted must be reported, and only that."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rooms-")
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        for room in ROOMS.values():
            if (TOP / room.folder).exists():
                shutil.copytree(TOP / room.folder, self.top / room.folder, dirs_exist_ok=True,
                                ignore=shutil.ignore_patterns("node_modules"))
        (self.top / "cmake").mkdir()
        for name in ("CMakeLists.txt", "cmake/rooms.cmake"):
            shutil.copy(TOP / name, self.top / name)
        self.before = set(findings(self.top))

    def planted(self, file, line):
        path = self.top / file
        path.parent.mkdir(parents=True, exist_ok=True)
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(old + line + "\n", encoding="utf-8")
        new = set(findings(self.top)) - self.before
        path.write_text(old, encoding="utf-8")
        return new

    def test_forbidden_includes_are_reported(self):
        for file, line, why in (
                ("common/base/include/base/errors.h", "#include <uv.h>", "may not use uv"),
                ("common/base/ids.c", '#include "store/store.h"', "may not use room store"),
                ("common/sync/x.c", "#include <uv.h>", "may not use uv"),
                ("common/sync/x.c", '#include "crypto/crypto.h"', "may not use room crypto"),
                ("common/sync/x.c", '#include "proto/entry.pb-c.h"', "may not use room proto"),
                ("common/store/x.c", "  #  include <zmq.h> // quick fix", "may not use zmq"),
                ("common/domain/x.c", '#include <protobuf-c/protobuf-c.h>', "may not use protobufc"),
                ("common/domain/x.c", "/* why */ #include <jansson.h>", "may not use jansson"),
                ("common/journal/x.c", '#include "lmdb.h"', "may not use lmdb"),
                ("common/node/x.c", '#include "desk/desk.h"', "may not use room desk"),
                ("hub/x.c", '#include "terminal/terminal.h"', "may not use room terminal"),
                ("terminal/x.c", "#include <curl/curl.h>", "may not use curl"),
                ("subcenter/x.c", '#include "../hub/hub.h"', "may not leave"),
                ("common/net/x.c", "#include NET_HEADER", "must name its header"),
                ("common/http/x.c", "#include <sqlite3.h>", "neither a header of this room"),
                ("common/base/x.c", "#inc\\\nlude <uv.h>", "may not use uv"),
                ("common/base/x.c", 'char *all = "/*";\n#include <uv.h>\n/* */', "may not use uv"),
                ("common/base/x.c", "#include \\\n<uv.h>", "may not use uv")):
            with self.subTest(file=file, line=line):
                new = self.planted(file, line)
                self.assertEqual(1, len(new), new)
                self.assertIn(why, new.pop())

    def test_allowed_includes_are_not(self):
        for file, line in (
                ("common/net/x.c", "#include <uv.h>\n#include <zmq.h>\n#include <sys/socket.h>"),
                ("common/domain/x.c", '#include "proto/catalogue.pb-c.h"\n#include "store/store.h"'),
                ("common/ctl/x.c", "#include <curl/curl.h>"),
                ("common/sync/x.c", "/* not\n#include <uv.h>\n*/\n// #include <zmq.h>"),
                ("hub/x.c", '#include "desk/desk.h"')):
            with self.subTest(file=file, line=line):
                self.assertEqual(set(), self.planted(file, line))

    def test_a_build_that_disagrees_is_reported(self):
        path = self.top / "CMakeLists.txt"
        text = path.read_text(encoding="utf-8")
        for old, new, word in (
                ("lm_room(sync common/sync USES base)", "lm_room(sync common/sync USES base store)", "store"),
                ("lm_room(sync common/sync USES base)", "lm_room(sync common/sync USES base LIBS PkgConfig::uv)", "uv"),
                ("lm_room(sync common/sync USES base)", "", "sync"),
                ("lm_room(sync common/sync USES base)", "lm_room(sync common/sync USES base)\nlm_room(attic common/attic)",
                 "attic")):
            with self.subTest(new=new):
                self.assertIn(old, text)
                path.write_text(text.replace(old, new), encoding="utf-8")
                self.assertEqual(1, len([line for line in disagreements(self.top) if word in line]))


if __name__ == "__main__":
    report.main()

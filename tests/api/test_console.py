"""The console's vendored files are the ones that VENDORED.md names, and no page asks another host for anything."""

import base64
import hashlib
import re
from pathlib import Path

import api.console

HERE = Path(api.console.__file__).parent


def test_vendored_files_are_unchanged() -> None:
    named = re.findall(r"`(vendor/[^`]+)` \| `([A-Za-z0-9+/=]{64})`", (HERE / "VENDORED.md").read_text("utf-8"))
    found = {path.relative_to(HERE).as_posix() for path in (HERE / "vendor").rglob("*") if path.is_file()}
    assert {name for name, _ in named} == {name for name in found if not name.endswith("LICENSE")}
    for name, digest in named:
        assert base64.b64encode(hashlib.sha384((HERE / name).read_bytes()).digest()).decode() == digest
        assert (HERE / name).with_name("LICENSE").is_file()


def test_own_pages_name_no_other_host_and_have_no_inline_code() -> None:
    pages = [path for path in (HERE / "graphiql").rglob("*") if path.is_file()]
    assert {path.name for path in pages} == {"index.html", "page.css", "page.js"}
    for path in pages:
        text = path.read_text("utf-8")
        assert not re.search(r"https?:|//[a-z0-9.-]+\.[a-z]{2,}", text)
        assert "localStorage" not in text
    html = (HERE / "graphiql" / "index.html").read_text("utf-8")
    assert not re.search(r"<script>|<style|\son[a-z]+=|\sstyle=", html)

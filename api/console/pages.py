"""Serves the console: fixed files, read once, with strict headers. It reads no data."""

import gzip
import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

HOME = "/graphiql"

_FOLDER = Path(__file__).parent
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
# SECURITY: scripts and styles come from this host and from files only, so that text which slips into a page can never
# run; nothing may be sent elsewhere, and no other page may frame this one.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self' data:; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_IMMUTABLE = "public, max-age=31536000, immutable"  # for paths that carry a version
_REVALIDATE = "no-cache"  # stored by the browser, and revalidated by its tag each time


class _File:
    """One file in memory; compressed when first requested so."""

    def __init__(self, path: Path, caching: str) -> None:
        self.content = path.read_bytes()
        self.media_type = _TYPES[path.suffix]
        self.etag = f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'
        self.caching = caching
        self._compressed: bytes | None = None

    def compressed(self) -> bytes:
        if self._compressed is None:
            self._compressed = gzip.compress(self.content, 6, mtime=0)
        return self._compressed

    async def __call__(self, request: Request) -> Response:
        headers = {**_HEADERS, "cache-control": self.caching, "etag": self.etag, "vary": "Accept-Encoding"}
        client_tag = request.headers.get("if-none-match", "")
        if client_tag in (self.etag, "W/" + self.etag):
            return Response(status_code=304, headers=headers)
        content = self.content
        if len(content) > 1_000 and "gzip" in request.headers.get("accept-encoding", ""):
            content = self.compressed()
            headers["content-encoding"] = "gzip"
        return Response(content, headers={**headers, "content-type": self.media_type})


def routes() -> list[Route]:
    """The pages and, one route each, every file they load: there is no path to traverse."""
    page = _File(_FOLDER / "graphiql" / "index.html", _REVALIDATE)
    listed = [Route(path, page.__call__, methods=["GET"]) for path in ("/", HOME, HOME + "/")]
    for folder, caching in (("graphiql", _REVALIDATE), ("vendor", _IMMUTABLE)):
        for path in sorted((_FOLDER / folder).rglob("*")):
            if path.suffix in {".js", ".css"}:
                address = "/console/" + path.relative_to(_FOLDER).as_posix()
                listed.append(Route(address, _File(path, caching).__call__, methods=["GET"]))
    return listed

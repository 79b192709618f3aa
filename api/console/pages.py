"""Serves the console: fixed files, read once, with strict headers. It knows no data and asks nobody anything."""

import gzip
import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

HOME = "/graphiql"

_HERE = Path(__file__).parent
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
_FOREVER = "public, max-age=31536000, immutable"  # for paths that carry a version
_ASK_AGAIN = "no-cache"  # kept, but asked for with its tag each time


class _File:
    """One file in memory; packed when first asked for so."""

    def __init__(self, path: Path, caching: str) -> None:
        self.content = path.read_bytes()
        self.kind = _TYPES[path.suffix]
        self.tag = f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'
        self.caching = caching
        self._packed: bytes | None = None

    def packed(self) -> bytes:
        if self._packed is None:
            self._packed = gzip.compress(self.content, 6, mtime=0)
        return self._packed

    async def __call__(self, request: Request) -> Response:
        headers = {**_HEADERS, "cache-control": self.caching, "etag": self.tag, "vary": "Accept-Encoding"}
        known = request.headers.get("if-none-match", "")
        if known in (self.tag, "W/" + self.tag):
            return Response(status_code=304, headers=headers)
        content = self.content
        if len(content) > 1_000 and "gzip" in request.headers.get("accept-encoding", ""):
            content = self.packed()
            headers["content-encoding"] = "gzip"
        return Response(content, headers={**headers, "content-type": self.kind})


def routes() -> list[Route]:
    """The pages and, one route each, every file they load: there is no path to traverse."""
    page = _File(_HERE / "graphiql" / "index.html", _ASK_AGAIN)
    found = [Route("/", page.__call__, methods=["GET"]), Route(HOME, page.__call__, methods=["GET"])]
    for folder, caching in (("graphiql", _ASK_AGAIN), ("vendor", _FOREVER)):
        for path in sorted((_HERE / folder).rglob("*")):
            if path.suffix in {".js", ".css"}:
                address = "/console/" + path.relative_to(_HERE).as_posix()
                found.append(Route(address, _File(path, caching).__call__, methods=["GET"]))
    return found

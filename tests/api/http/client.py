"""A client of the small endpoint, without a network."""

import re
from typing import Any

import httpx2
import orjson

from api.http.endpoint import Endpoint
from tests.api.http.small import TOKEN, Gate, small_schema

STRICT = "application/graphql-response+json"
SCHEMA = small_schema()


class Caller:
    """Posts to one endpoint without a network."""

    def __init__(self, **options: Any) -> None:
        self.gate = Gate(SCHEMA)
        self.endpoint = Endpoint(SCHEMA, self.gate, **options)
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.endpoint), base_url="http://api")

    async def post(self, body: Any, accept: str = STRICT, token: str | None = TOKEN, **headers: str) -> httpx2.Response:
        sent = {"content-type": "application/json", "accept": accept}
        if token is not None:
            sent["authorization"] = "Bearer " + token
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self.client.post("/graphql", content=content, headers=sent)

    async def ask(self, query: str, accept: str = STRICT, **more: Any) -> httpx2.Response:
        return await self.post({"query": query, **more}, accept)

    async def get(self, accept: str = STRICT, **parameters: str) -> httpx2.Response:
        headers = {"authorization": "Bearer " + TOKEN, "accept": accept}
        return await self.client.get("/graphql", params=parameters, headers=headers)


def code_of(response: httpx2.Response) -> str:
    body = response.json()
    assert "data" not in body
    for error in body["errors"]:
        assert set(error) <= {"message", "locations", "path", "extensions"}
        assert error["extensions"]["requestId"] == response.headers["x-request-id"]
        assert re.search("[\u4e00-\u9fff]", error["message"])
    return str(body["errors"][0]["extensions"]["code"])

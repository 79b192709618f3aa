"""A small real schema, a gate in front of it, and a served application: what the tests of `api` talk to."""

from typing import Any

import orjson
from graphql import GraphQLError, GraphQLSchema, build_schema, execute

from schema.planning.operation import Answer, Operation
from schema.refusal import Code, Refusal

TOKEN = "slt_test_0123456789"

SDL = """
enum Kind { LAND HOUSE DEBT }
input Filter { tags: [String!] kind: Kind and: [Filter!] or: [Filter!] not: Filter }
interface Named { id: ID! title: String }
type Item implements Named {
  id: ID! title: String note: String kind: Kind next: Item others(first: Int): [Item!]!
}
type Query {
  hello(name: String): String!
  echo(%s, text: String, kind: Kind): String
  node(id: ID!): Item
  search(filter: Filter, kind: Kind): [Item!]!
  broken: String
  refused(code: String!): String
  crash: String
}
type Receipt { item: Item }
type Mutation { rename(id: ID!, title: String!): Receipt close(id: ID!): Receipt }
type Subscription { changed: Item }
""" % ", ".join(f"a{n}: Int" for n in range(20))


def small_schema() -> GraphQLSchema:
    return build_schema(SDL)


def _item(number: int) -> dict[str, Any]:
    return {"id": str(number), "title": f"纠纷 {number}", "note": None, "kind": "LAND", "others": lambda info, **_: []}


def _broken(info: Any) -> str:
    raise GraphQLError("读不出来")


ROOT: dict[str, Any] = {
    "hello": lambda info, name="世界": f"你好，{name}",
    "echo": lambda info, **arguments: arguments.get("text"),
    "node": lambda info, id: {**_item(1), "next": _item(2)},
    "search": lambda info, **_: [_item(1), _item(2)],
    "broken": _broken,
    "rename": lambda info, id, title: {"item": {**_item(1), "title": title}},
}


class Gate:
    """Admits one token, answers with graphql-core's own executor, and counts what it was asked."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self.admitted = 0
        self.answered = 0

    async def admit(self, token: str) -> object:
        return await self.authenticate(token)

    async def authenticate(self, token: str) -> object:
        self.admitted += 1
        if token != TOKEN:
            raise Refusal(Code.UNAUTHENTICATED, "令牌无效或已过期，请重新登录。")
        return token

    async def answer(self, operation: Operation, token: str) -> Answer:
        await self.authenticate(token)
        self.answered += 1
        selections = operation.definition.selection_set.selections
        names = {getattr(getattr(node, "name", None), "value", "") for node in selections}
        if "crash" in names:
            raise RuntimeError("canary-7f3a: a secret from deep inside")
        if "refused" in names:
            raise Refusal(Code(operation.variables["code"]), "拒绝。", ("refused",))
        result = execute(
            self.schema,
            operation.document.ast,
            root_value=ROOT,
            variable_values=operation.variables,
            operation_name=operation.name,
        )
        errors = tuple(dict(error.formatted) for error in result.errors or ())  # type: ignore[union-attr]
        request_error = result.data is None and all("path" not in error for error in errors)  # type: ignore[union-attr]
        data = None if errors and request_error else orjson.dumps(result.data)  # type: ignore[union-attr]
        return Answer(data, errors, {"cost": {"rows": 1}} if "search" in names else {})

"""Reads a list page by page, forwards or backwards."""

from tests.laws.client import GraphQLClient


def paged(order: str, place: str = "disputes") -> str:
    order = f", orderBy: {order}" if order else ""
    return f"""query ($first: Int, $after: String, $last: Int, $before: String) {{
      {place}(first: $first, after: $after, last: $last, before: $before{order}) {{
        totalCount pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} edges {{ cursor node {{ id }} }}
      }} }}"""


async def all_ids(
    gql: GraphQLClient, person: str, query: str, size: int, backward: bool, place: str = "disputes"
) -> list[str]:
    """All ids in the order of the list, page by page; checks the page info and the count of each page."""
    every: list[str] = []
    at: str | None = None
    while True:
        asked = {"last": size, "before": at} if backward else {"first": size, "after": at}
        page = (await gql.data(person, query, **asked))[place]
        edges, info = page["edges"], page["pageInfo"]
        ids = [edge["node"]["id"] for edge in edges]
        every = [*ids, *every] if backward else [*every, *ids]
        more, behind = ("hasPreviousPage", "hasNextPage") if backward else ("hasNextPage", "hasPreviousPage")
        assert info[behind] is (at is not None)
        assert (info["startCursor"], info["endCursor"]) == (edges[0]["cursor"], edges[-1]["cursor"])
        if not info[more]:
            assert len(every) == page["totalCount"]
            return every
        assert len(edges) == size
        at = info["startCursor" if backward else "endCursor"]

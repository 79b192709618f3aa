"""Every how-to of db/README.md works as printed: its edits are made and its commands typed in a copy of the checkout.

Slow: a copy of the checkout migrates a database of its own and runs its tests for each how-to.
"""

import pytest

from tests.docs.documents import Block, blocks, tables
from tests.docs.scratch import scratch_copy

DOCUMENT = "db/README.md"
PRINTED = {"schema/schema.graphql", "tests/golden/sheet.md"}
COUNTS = {row[0].strip("`"): (int(row[1]), int(row[2])) for row in tables(DOCUMENT)["howtos"].rows}


def steps(name: str) -> list[Block]:
    return [block for block in blocks(DOCUMENT) if block.mark.get("howto") == name]


def test_every_howto_is_counted() -> None:
    assert {block.mark["howto"] for block in blocks(DOCUMENT) if "howto" in block.mark} == set(COUNTS)
    assert all(steps(name) for name in COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_a_howto_works_and_changes_so_many_files(name: str) -> None:
    with scratch_copy() as scratch:
        for block in steps(name):
            if block.language == "diff":
                scratch.edit(block.text)
            else:
                ended = scratch.run(block.text, seconds=600)
                assert ended.returncode == 0, f"{block.name}\n{ended.stdout[-6000:]}\n{ended.stderr[-3000:]}"
        changed = scratch.changed()
        assert (len(changed), len(PRINTED & set(changed))) == COUNTS[name], changed

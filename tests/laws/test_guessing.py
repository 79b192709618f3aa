"""Law: nobody finds a hidden value by trying: not in a stolen dump, where nothing is a plain hash of it, nor by asking whether it is equal."""

import base64
import hashlib
import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import orjson
import pytest
from sqlalchemy import BindParameter, Select, Table, UniqueConstraint
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression

from db.canonical.check_digits import id_check
from db.commands import COMMANDS
from db.commands.party_input import PartyInput
from db.crypto import Cipher
from db.tables import metadata, party
from db.write.case_rules import CASE_RULES, GUESSED
from db.write.disclosure import DAILY_QUOTA, MATCH
from tests.databases import KEY
from tests.office import ID_NUMBERS, Office, now

PHONE = "13911112222"


def numbered(seventeen: str) -> str:
    """A valid ID number: the first seventeen digits with their check."""
    return seventeen + id_check(seventeen)


# -- a dump


def forms_of(secret: str, inputs: list[Any]) -> Iterator[bytes]:
    """What somebody who knows all but the secret would hash: the value and the JSON of inputs that hold it."""
    for text in (
        secret,
        json.dumps(secret),
        *(json.dumps({name: secret}) for name in ("idNumber", "id_number", "phone")),
    ):
        yield text.encode()
    for name, one in inputs:
        yield canonical(one)
        yield f"{name}\n".encode() + canonical(one)


def canonical(one: Any) -> bytes:
    return orjson.dumps(one, default=str, option=orjson.OPT_SORT_KEYS)


def traces(data: bytes) -> Iterator[str]:
    """How a hash of it stands in a dump."""
    for algorithm in ("sha256", "md5", "sha1", "sha512", "blake2b"):
        digest = hashlib.new(algorithm, data).digest()
        yield digest.hex()
        yield base64.b64encode(digest).decode().rstrip("=")


async def test_nothing_in_a_dump_is_a_plain_hash_of_a_number(office: Office) -> None:
    """Every table, after commands with a key that carry numbers: the value, and all hashes of it alone or in the input that brought it."""
    number = numbered("37152519880315001")
    case = await office.mediating()
    at = now()
    neighbour = {"side": "THIRD", "kind": "OWNER", "name": "邻居", "phone": PHONE, "id_number": number}
    added = await office.must(
        "mediator", "partyAdd", id=case.key, party=neighbour, happened_at=at, idempotency_key="with a number"
    )
    changed = {"id": case.respondent, "phone": PHONE, "happened_at": at}
    await office.must("mediator", "partyUpdate", **changed, idempotency_key="with a phone")
    add, update = COMMANDS["party.add"].input_type, COMMANDS["party.update"].input_type
    whole = add(id=case.key, happened_at=at, party=PartyInput(**neighbour))
    inputs: list[Any] = [("party.add", whole), ("party.update", update(**changed))]
    dump = ""
    for table in metadata.sorted_tables:
        phone_apart = "(to_jsonb(x) - 'phone')::text" if table.name == "party" else "to_jsonb(x)::text"
        rows = await office.rows(f"SELECT {phone_apart} AS row FROM {table.name} x")
        dump += "\n".join(row["row"] for row in rows)
    assert added["id"].partition(":")[2] in dump
    for secret in (number, PHONE, *ID_NUMBERS):
        assert secret not in dump
        for form in forms_of(secret, inputs):
            for trace in traces(form):
                assert trace not in dump, (secret, form)
    # The check knows the very bytes: with the key, and not without, they give what is kept.
    kept = await office.value("SELECT digest FROM request WHERE key = 'with a number'")
    assert kept == Cipher(KEY).request_digest(b"party.add\n" + canonical(whole))


async def test_a_key_from_before_the_digests_were_keyed_is_refused(office: Office) -> None:
    """The migration left nothing of its digest: nothing is done twice, nothing is answered."""
    case = await office.mediating()
    given = {"id": case.applicant, "phone": PHONE, "happened_at": now(), "idempotency_key": "before"}
    await office.must("mediator", "partyUpdate", **given)
    await office.execute("UPDATE request SET digest = '' WHERE key = 'before'")
    before = await office.dispute(case)
    assert (await office.do("mediator", "partyUpdate", **given)).codes == ["CONFLICT"]
    assert (await office.dispute(case))["version"] == before["version"]


# -- asking whether it is equal


@pytest.mark.parametrize("phone", ["13800000000", PHONE])
async def test_an_event_names_what_was_written_whether_it_was_new_or_not(office: Office, phone: str) -> None:
    """Else the list of changed fields would say whether the telephone number is the one that was guessed."""
    case = await office.mediating()
    await office.must("mediator", "partyUpdate", id=case.applicant, phone=phone, address="乙小区")
    (event,) = await office.events(case, "party.update")
    assert set(event["fields"].split()) == {"phone", "address"}


async def test_a_hit_is_recorded_and_counts_like_a_reveal(office: Office) -> None:
    case = await office.mediating()
    guess = {"side": "THIRD", "kind": "OWNER", "name": "邻居", "id_number": ID_NUMBERS[0]}
    # Whatever else is wrong comes first: a guess that would store nothing tells nothing.
    for number in (ID_NUMBERS[0], numbered("37152519880315001")):
        done = await office.do(
            "mediator", "partyAdd", id=case.key, party={**guess, "phone": "bad", "id_number": number}
        )
        assert done.user_errors == [("party.phone", "BAD_PHONE")]
        done = await office.do("mediator", "partyUpdate", id=case.respondent, phone="bad", id_number=number)
        assert "BAD_PHONE" in done.codes
        assert "DUPLICATE" not in done.codes
    assert not await office.events(case, MATCH)
    done = await office.do("mediator", "partyAdd", id=case.key, party=guess, idempotency_key="hit")
    assert done.user_errors == [("party.idNumber", "DUPLICATE")]
    (event,) = await office.events(case, MATCH)
    assert (event["resource"], event["resource_id"], event["fields"]) == ("Dispute", case.key, "id_number name phone")
    assert event["actor_id"] == await office.person("mediator")
    assert not await office.value("SELECT count(*) FROM request WHERE key = 'hit'")
    # Who has been told enough today compares nothing: equal or not, the answer is the same.
    await office.execute(
        "INSERT INTO event (dispute_id, actor_id, at, action, resource, resource_id)"
        " SELECT dispute_id, actor_id, now(), $2, resource, resource_id FROM event, generate_series(1, $3::int) WHERE id = $1",
        event["id"],
        MATCH,
        DAILY_QUOTA,
    )
    for number in (ID_NUMBERS[0], numbered("37152519880315001")):
        done = await office.do("mediator", "partyAdd", id=case.key, party={**guess, "id_number": number})
        assert done.user_errors == [("", "QUOTA")]
    done = await office.do("mediator", "partyReveal", id=case.applicant, fields=["ID_NUMBER"], reason="制作调解协议书")
    assert done.user_errors == [("", "QUOTA")]


# Unique rules over what not everybody reads: why breaking one tells nothing that the caller may not know.
UNIQUE = {
    ("dispute", "external_ref"): "a number that the caller's own organization gave: they read it on what they reported",
}
# Statements of commands that compare such a column with a value of the caller: each is rationed, or the caller reads the column.
COMPARED = {
    ("appointment", "role"): "of a person whom the caller appoints, or forms a team of",
    ("event", "action"): "a word of the code",
    ("policy_version", "version"): "a word of the code: the live version",
}
GUARDED = frozenset({"party.id_number_hash", "token.hash", "token.prefix", "request.digest", "request.key"})


def guarded(table: Table, name: str) -> bool:
    """A column that holds what somebody may see of the row but not read."""
    column = table.c[name]
    return f"{table.name}.{name}" in GUARDED or column.info.get("field_class", "public") not in ("public", "status")


def test_every_unique_rule_over_a_guarded_column_says_why_it_tells_nothing() -> None:
    found = set()
    for table in metadata.sorted_tables:
        rules = [constraint.columns for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]
        rules += [index.columns for index in table.indexes if index.unique]
        found |= {
            (table.name, column.name)
            for rule in rules
            for column in rule
            if "field_class" in column.info and guarded(table, column.name)
        }
    assert found - {(table, name) for table, name in found if table == "policy_version"} == set(UNIQUE)


def test_every_comparison_with_a_guarded_column_is_known() -> None:
    """The statements of the commands, which stand at the head of their modules: a column, `=`, a value that the caller sends."""
    found = set()
    for one in {command.run.__module__ for command in COMMANDS.values()}:
        for value in vars(import_module(one)).values():
            if not isinstance(value, Select):
                continue
            for clause in visitors.iterate(value):
                if not isinstance(clause, BinaryExpression) or clause.operator is not operators.eq:
                    continue
                column = clause.left
                table = getattr(column, "table", None)
                if isinstance(table, Table) and isinstance(clause.right, BindParameter) and guarded(table, column.name):
                    found.add((table.name, column.name))
    assert found <= set(COMPARED), found - set(COMPARED)
    assert ("appointment", "role") in found


def test_a_rule_of_a_case_that_compares_parties_by_what_is_hidden_says_so() -> None:
    """The party that was written with those that were there: such a rule is rationed, and its hits are recorded."""
    for rule in CASE_RULES:
        compared = {
            f"party.{clause.left.name}"
            for clause in visitors.iterate(rule.broken())
            if isinstance(clause, BinaryExpression) and _of_party(clause.left) and _of_party(clause.right)
        }
        assert rule.tells is not GUESSED.isdisjoint(compared), rule.code


def _of_party(column: Any) -> bool:
    return getattr(getattr(column, "table", None), "element", None) is party

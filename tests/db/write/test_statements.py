"""What a command costs the database: statements are counted, compiled once, and each is of the caller's own rights."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Select, literal_column, select

from api.lifespan import WRITER
from db.county.people import SEED_GRID
from db.crypto import Cipher
from db.postgres.address import Address
from db.postgres.pool import Pool
from db.postgres.session import Session
from db.query import statement as statements
from db.write import transaction
from db.write.command import Outcome, Refused
from db.write.transaction import Actor, UnitOfWork
from schema.planning import budget
from tests.db.commands.agreeing import AGREED, in_force
from tests.office import DAY, HOUR, Case, Office, key_of, name_of, now
from tests.recorder import Recording


@contextmanager
def compiling(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The statements that are compiled meanwhile, by the work or for a payload."""
    compiled: list[Any] = []

    def noted(real: Callable[..., Any]) -> Callable[..., Any]:
        def note(statement: Any, *more: Any) -> Any:
            compiled.append(statement)
            return real(statement, *more)

        return note

    with monkeypatch.context() as patch:
        for module in ("db.write.transaction", "db.write.batch"):
            patch.setattr(f"{module}.compile_statement", noted(statements.compile_statement))
        patch.setattr(budget, "select_plan", noted(budget.select_plan))
        yield compiled


async def _record(office: Office, case: Case, key: str, **given: Any) -> Any:
    return await office.must(
        "mediator", "disputeRecord", id=case.key, place="社区调解室", result="TO_CONTINUE", record="双方陈述。",
        notes=[{"visibility": "SHARED", "text": "先修门灯。"}, {"visibility": "TEAM", "text": "再议。"}], idempotency_key=key, **given,
    )  # fmt: skip


async def _complete(office: Office, visit: Any, key: str) -> Any:
    return await office.must(
        "mediator", "followUpComplete", id=visit, method="PHONE", result="NORMAL", satisfaction=5, idempotency_key=key
    )


async def test_round_trips(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of registering, recording a session and completing a visit, the second time: the frame, one look behind the lock, what the command
    itself must know, and one statement for all that is written. Nothing is compiled any more."""
    case = await office.mediating()
    agreed, _, owed = await in_force(office)
    await office.must("mediator", "obligationPerform", id=owed[0], happened_at=AGREED + 2 * HOUR, evidence="收据 7")
    visit = await office.value("SELECT id FROM follow_up WHERE dispute_id = $1", agreed.key)
    made = await office.must("mediator", "followUpSchedule", dispute_id=agreed.key, due_on=now().date() + DAY)
    other = key_of(made["id"])
    await office.register(idempotency_key="trips-1")
    await _record(office, case, "trips-2")
    await _complete(office, visit, "trips-3")
    await office.gql.services.gate.close()
    with office.gql.recorder.recording() as recording, compiling(monkeypatch) as compiled:
        await office.register(idempotency_key="trips-4")
        # The frame, the place with its team and whether the caller is a mediator; then all rows, whether the caller may, and the rules.
        written = await _written(recording)
        assert _kinds(written) == ["BEGIN", "WITH", "SELECT", "WITH", "SELECT", "SELECT", "COMMIT"]
        for table in ("dispute", "party", "assignment", "event"):
            assert f"INSERT INTO {table} " in written[3]
        await recording.clear()
        await _record(office, case, "trips-5")
        # The lock comes with the key; behind it the guards and the day of consent; the rows, which decide nothing about the dispute.
        written = await _written(recording)
        assert _kinds(written) == ["BEGIN", "WITH", "SELECT", "WITH", "COMMIT"]
        assert "FOR UPDATE" in written[1]
        assert "INSERT INTO request" in written[1]
        await recording.clear()
        await _complete(office, other, "trips-6")
        assert _kinds(await _written(recording)) == ["BEGIN", "WITH", "SELECT", "WITH", "COMMIT"]
        assert compiled == []


async def _whole_life(office: Office, key: str) -> None:
    case, _, owed = await in_force(office)
    await office.must("mediator", "obligationPerform", id=owed[0], happened_at=AGREED + 2 * HOUR, evidence="收据 7")
    visit = await office.value("SELECT id FROM follow_up WHERE dispute_id = $1", case.key)
    await _complete(office, visit, key)
    await office.must("mediator", "disputeClose", id=case.key)
    await office.must("justice_office", "disputeArchive", id=case.key)


async def test_a_whole_life_compiles_nothing_the_second_time(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """From registration to the archive: each statement is made outside the function that asks it, or kept by its name."""
    await _whole_life(office, "life-1")
    with compiling(monkeypatch) as compiled:
        await _whole_life(office, "life-2")
        assert [str(statement) for statement in compiled] == []


async def _written(recording: Recording) -> list[str]:
    """What was sent as the writer, in single spaces."""
    return [" ".join(text.split()) for text in await recording.texts(role=WRITER)]


def _kinds(texts: list[str]) -> list[str]:
    return [text.partition(" ")[0] for text in texts]


async def test_a_long_list_is_written_in_several_statements(office: Office) -> None:
    """All of it or nothing."""
    names = [f"业主{number:03d}" for number in range(120)]
    parties: list[dict[str, Any]] = [{"side": "THIRD", "kind": "OWNER", "name": name} for name in names]
    parties[:2] = [{**parties[0], "side": "APPLICANT"}, {**parties[1], "side": "RESPONDENT"}]
    await office.register()
    with office.gql.recorder.recording() as recording:
        case = await office.register(parties=parties)
        assert sum("INSERT INTO party" in text for text in await _written(recording)) == 2
    assert await office.value("SELECT count(*) FROM party WHERE dispute_id = $1", case.key) == 120
    # What is refused in the last statement has stored nothing of those before it.
    before = await office.value("SELECT count(*) FROM party")
    elsewhere = await office.value("SELECT id FROM compound WHERE grid_code <> $1 ORDER BY id LIMIT 1", SEED_GRID)
    done = await office.do(
        "grid_worker", "disputeRegister", title="外区", compound_id=elsewhere, sub_category="P01", source="GRID", summary="甲",
        parties=parties,
    )  # fmt: skip
    assert done.user_errors == [("compoundId", "FORBIDDEN")]
    assert await office.value("SELECT count(*) FROM party") == before


async def test_nobody_is_answered_by_a_statement_made_for_others(office: Office) -> None:
    """Under one name each shape of access has a statement of its own, whoever comes first; the same shape has the same."""
    people = ("mediator", "grid_worker", "police", "bureau_admin", "mediator", "police")
    accesses = {}
    for who in people:
        token = await office.gql.token(name_of(who))
        accesses[who] = (await office.gql.services.gate.authenticate(token)).viewer.access
    made: list[str] = []
    epoch = await office.value("SELECT epoch FROM access_epoch")
    for who in people:
        work = UnitOfWork(
            office.gql.connection, Actor(accesses[who], await office.person(who), epoch), Cipher(bytes(32)), now()
        )

        def make(who: str = who) -> Select[Any]:
            made.append(who)
            return select(literal_column(f"'{who}'").label("who"))

        assert (await work.fetch_for_caller("test.whose", make, {}))[0]["who"] == who
    assert made == ["mediator", "grid_worker", "police", "bureau_admin"]


async def test_the_statement_of_one_role_never_serves_another(office: Office) -> None:
    """The same command on the same dispute, by turns: each caller is refused or served by their own rights, whoever came before."""
    case = await office.mediating()
    for turn in range(2):
        await _record(office, case, f"turn-{turn}")
        for who, code in (("squad_member", "NOT_FOUND"), ("grid_worker", "FORBIDDEN"), ("police", "FORBIDDEN")):
            done = await office.do(who, "disputeRecord", id=case.key, place="所里", result="TO_CONTINUE", record="无。")
            assert done.user_errors == [("id", code)], who
    assert await office.value("SELECT count(*) FROM session WHERE dispute_id = $1", case.key) == 2


async def test_whether_he_still_may_is_asked_where_the_change_decides_it(
    office: Office, changing_county: Address
) -> None:
    """What says nothing of whose the dispute is leaves the answer from behind the lock standing: a session, or a version that goes up.
    A column of the dispute, whoever mediates, or a statement that writes by itself may change it."""
    case = await office.mediating()
    token = await office.gql.token(name_of("mediator"))
    caller = await office.gql.services.gate.authenticate(token)
    actor = Actor(caller.viewer.access, caller.viewer.person_id, caller.epoch)
    pool = Pool(Session(changing_county, WRITER, 30_000, on_connect=office.gql.recorder.attach), 1)
    t, moment = transaction.t, now()
    assignment = await office.value("SELECT id FROM assignment WHERE dispute_id = $1", case.key)

    async def session(work: UnitOfWork) -> Outcome:
        key = await work.insert(
            t.session, dispute_id=case.key, held_at=moment, place="所里", is_joint=False, result="TO_CONTINUE", record="无。"
        )  # fmt: skip
        await work.update_dispute(case.key)
        return Outcome("Session", key, moment)

    async def title(work: UnitOfWork) -> Outcome:
        await work.update_dispute(case.key, title="改了")
        return Outcome("Dispute", case.key, moment)

    async def replaced(work: UnitOfWork) -> Outcome:
        await work.update(t.assignment, assignment, ended_at=moment)
        return Outcome("Assignment", assignment, moment)

    async def by_itself(work: UnitOfWork) -> Outcome:
        await work.fetch(t.assignment.update().where(t.assignment.c.id == assignment).values(ended_at=moment))
        return Outcome("Dispute", case.key, moment)

    async def carry_out(write: Any) -> None:
        async with pool.transaction() as connection:
            work = UnitOfWork(connection, actor, Cipher(bytes(32)), moment)
            work.ensure_still_allowed("Dispute", case.key, "record")
            await work.finish("dispute.record", case.key, await write(work), ("Dispute", case.key))
            raise InterruptedError  # nothing of it is to last

    for write, asked, error in (
        (session, False, InterruptedError),
        (title, True, InterruptedError),
        (replaced, True, Refused),
        (by_itself, True, Refused),
    ):
        with office.gql.recorder.recording() as recording:
            with pytest.raises(error):
                await carry_out(write)
            written = await _written(recording)
        assert any(text.startswith("SELECT dispute_1.id ") for text in written) == asked, write.__name__
    await pool.close()


async def test_an_event_is_about_what_the_command_wrote(office: Office, changing_county: Address) -> None:
    """Filed under the row that was locked, it would show to those who do not see the row that was made."""
    case = await office.mediating()
    caller = await office.gql.services.gate.authenticate(await office.gql.token(name_of("mediator")))
    actor = Actor(caller.viewer.access, caller.viewer.person_id, caller.epoch)
    pool = Pool(Session(changing_county, WRITER, 30_000), 1)
    t, moment = transaction.t, now()
    values = {"dispute_id": case.key, "kind": "WATER", "requested_at": moment}

    async def finish(make: Any) -> None:
        async with pool.transaction() as connection:
            work = UnitOfWork(connection, actor, Cipher(bytes(32)), moment)
            about = await make(work)
            await work.update_dispute(case.key)
            await work.finish("dispute.measure", case.key, Outcome(*about, moment), ("Dispute", case.key))
            raise InterruptedError  # nothing of it is to last

    async def made(work: UnitOfWork) -> tuple[str, Any]:
        return "Measure", await work.insert(t.measure, **values)

    async def locked(work: UnitOfWork) -> tuple[str, Any]:
        await work.insert(t.measure, **values)
        return "Dispute", case.key

    async def changed(work: UnitOfWork) -> tuple[str, Any]:
        await work.update(t.party, case.applicant, is_minor=False)
        return "Dispute", case.key

    async def consequence(work: UnitOfWork) -> tuple[str, Any]:
        await work.insert_consequence(t.measure, **values)
        return "Dispute", case.key

    for make, error in (
        (made, InterruptedError),
        (locked, LookupError),
        (changed, LookupError),
        (consequence, InterruptedError),
    ):
        with pytest.raises(error):
            await finish(make)
    await pool.close()


async def test_whoever_does_not_see_a_row_does_not_wait_for_it(office: Office) -> None:
    """While somebody holds the row, those to whom it is absent are told so at once: not even the waiting tells them of it."""
    case = await office.mediating()
    connection = office.gql.connection
    async with connection.transaction():
        await connection.execute("SELECT FROM dispute WHERE id = $1 FOR UPDATE", case.key)
        # The squad may record, but not there; the police may not record at all.
        for who, key, code in (
            ("squad_member", "held", "NOT_FOUND"),
            ("squad_member", None, "NOT_FOUND"),
            ("police", None, "FORBIDDEN"),
        ):
            done = await office.do(
                who,
                "disputeRecord",
                id=case.key,
                place="所里",
                result="TO_CONTINUE",
                record="无。",
                idempotency_key=key,
            )
            assert done.user_errors == [("id", code)]


async def test_a_read_sees_what_was_written_before_it(office: Office) -> None:
    """What is held back goes to the database before a statement that names its table, and before none that does not."""
    connection = office.gql.connection
    token = await office.gql.token(name_of("mediator"))
    caller = await office.gql.services.gate.authenticate(token)
    case = await office.mediating()
    of_case = select(transaction.t.party.c.id).where(transaction.t.party.c.dispute_id == case.key)
    elsewhere = select(transaction.t.team.c.id).limit(literal_column("1"))
    outer = connection.transaction()
    await outer.start()
    try:
        work = UnitOfWork(
            connection, Actor(caller.viewer.access, caller.viewer.person_id, caller.epoch), Cipher(bytes(32)), now()
        )
        before = {one["id"] for one in await work.fetch(of_case)}
        key = await work.insert(
            transaction.t.party, dispute_id=case.key, side="THIRD", kind="OWNER", name="某人", is_natural_person=True
        )
        await work.fetch(elsewhere)
        assert await connection.fetchval("SELECT count(*) FROM party WHERE id = $1", key) == 0
        assert {one["id"] for one in await work.fetch(of_case)} == before | {key}
        # A row is changed once in a statement: the second change waits for the first.
        await work.update(transaction.t.party, key, name="另一人")
        await work.update(transaction.t.party, key, phone="13800000001")
        assert await connection.fetchval("SELECT name FROM party WHERE id = $1", key) == "另一人"
        await work.fetch(of_case)
        assert await connection.fetchval("SELECT phone FROM party WHERE id = $1", key) == "13800000001"
    finally:
        await outer.rollback()

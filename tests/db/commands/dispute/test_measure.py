"""Emergency measures: how long they took, completed once, in an order of times."""

from tests.office import HOUR, Office


async def test_a_measure_tells_how_long_it_took(office: Office) -> None:
    case = await office.register(sub_category="P02", utility_cut="WATER")
    shown = await office.must(
        "mediator",
        "disputeMeasure",
        shown="state measures { kind hoursToRestore agreedBy }",
        id=case.key,
        kind="WATER",
        happened_at=case.started + HOUR,
        done_at=case.started + 4 * HOUR,
        agreed_by="项目经理",
    )
    assert shown == {
        "state": "REGISTERED",
        "measures": [{"kind": "WATER", "hoursToRestore": 3.0, "agreedBy": "项目经理"}],
    }


async def test_an_open_measure_is_completed_once(office: Office) -> None:
    case = await office.accepted()
    await office.must("grid_worker", "disputeMeasure", id=case.key, kind="POWER", happened_at=case.started + HOUR)
    key = await office.value("SELECT id FROM measure WHERE dispute_id = $1", case.key)
    done = await office.do(
        "grid_worker", "disputeMeasure", id=case.key, measure_id=key, kind="POWER", happened_at=case.started
    )
    assert sorted(done.user_errors) == [("happenedAt", "TOO_EARLY"), ("kind", "NOT_BOTH")]
    again = {"id": case.key, "measure_id": key, "happened_at": case.started + 25 * HOUR}
    await office.must("grid_worker", "disputeMeasure", **again, evidence="现场照片")
    row = await office.row("SELECT * FROM measure WHERE id = $1", key)
    assert (row["hours_to_restore"], row["evidence"]) == (24, "现场照片")
    assert (await office.do("grid_worker", "disputeMeasure", **again)).user_errors == [("measureId", "ALREADY")]


async def test_a_measure_needs_a_kind_and_an_order_of_times(office: Office) -> None:
    case = await office.accepted()
    done = await office.do(
        "mediator",
        "disputeMeasure",
        id=case.key,
        happened_at=case.started + HOUR,
        done_at=case.started,
        evidence=" ",
    )
    assert sorted(done.user_errors) == [("doneAt", "TOO_EARLY"), ("evidence", "REQUIRED"), ("kind", "REQUIRED")]

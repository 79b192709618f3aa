"""Inspections with zero finds, visits where the agreement is not visible, and factors of which the grave ones alert."""

from uuid import UUID

from db.county.people import SEED_GRID
from tests.office import DAY, HOUR, Office, name_of, now


async def test_an_inspection_that_finds_nothing_counts(office: Office) -> None:
    shown = "inspectedOn foundCount note area { code } person { name } access { can }"
    made = await office.must("grid_worker", "inspectionRecord", grid_code=SEED_GRID, found_count=0, shown=shown)
    assert (made["foundCount"], made["note"], made["area"]["code"]) == (0, None, SEED_GRID)
    assert made["person"]["name"] == name_of("grid_worker")
    assert made["access"]["can"] == []
    query = "query($g: String!) { inspections(filter: {areaCode: $g}, orderBy: [{field: FOUND_COUNT}]) { totalCount } }"
    for who, area, found in (
        ("grid_worker", SEED_GRID, 1), ("justice_office", SEED_GRID[:9], 1), ("analyst", SEED_GRID[:6], 1),
        ("bureau_admin", SEED_GRID[:12], 1), ("mediator", SEED_GRID, 0),
    ):  # fmt: skip
        response = await office.gql.ask(name_of(who), query, g=area)
        if found:
            assert response.data["inspections"]["totalCount"] >= 1
        else:
            assert response.data is None or response.data["inspections"]["totalCount"] == 0


async def test_an_inspection_is_of_the_worker_s_own_grid(office: Office) -> None:
    before = await office.value("SELECT count(*) FROM inspection")
    for given, wrong in (
        ({"found_count": 101}, [("foundCount", "TOO_MUCH")]),
        ({"found_count": 0, "happened_at": now() - 31 * DAY}, [("happenedAt", "TOO_LATE")]),
    ):
        done = await office.do("grid_worker", "inspectionRecord", grid_code=SEED_GRID, **given)
        assert done.user_errors == wrong
    other = f"{SEED_GRID[:12]}002"
    assert (await office.do("grid_worker", "inspectionRecord", grid_code=other, found_count=0)).user_errors == [
        ("gridCode", "FORBIDDEN")
    ]
    bad = await office.do(
        "grid_worker", "inspectionRecord", grid_code=SEED_GRID, found_count=-1, note=" ", happened_at=now() + DAY
    )
    assert sorted(bad.codes) == ["IN_FUTURE", "NEGATIVE", "REQUIRED"]
    assert not (await office.do("mediator", "inspectionRecord", grid_code=SEED_GRID, found_count=0)).ok
    assert await office.value("SELECT count(*) FROM inspection") == before


async def test_a_grid_is_inspected_once_a_day(office: Office) -> None:
    given = {"grid_code": SEED_GRID, "found_count": 2, "happened_at": now() - 3 * DAY}
    await office.must("grid_worker", "inspectionRecord", **given)
    again = await office.do("grid_worker", "inspectionRecord", **{**given, "found_count": 0})
    assert again.user_errors == [("happenedAt", "DUPLICATE")]
    await office.must("grid_worker", "inspectionRecord", **{**given, "happened_at": now() - 4 * DAY})


async def test_a_visit_is_recorded_by_those_who_go_there(office: Office) -> None:
    case = await office.accepted()
    for who in ("grid_worker", "law_leader", "mediator"):
        made = await office.must(
            who,
            "visitRecord",
            dispute_id=case.key,
            kind="HOME_VISIT",
            note=f"{who}走访",
            shown="kind note visitor { name }",
        )
        assert made == {"kind": "HOME_VISIT", "note": f"{who}走访", "visitor": {"name": name_of(who)}}
    for who in ("legal_adviser", "police", "court", "analyst", "bureau_admin"):
        assert not (await office.do(who, "visitRecord", dispute_id=case.key, kind="PUBLICITY", note="不该有")).ok
    # Each of them reads their own note; the mediator reads all.
    query = "query($d: ID!) { dispute(id: $d) { visits { note } } }"
    response = await office.gql.ask(name_of("grid_worker"), query, d=f"Dispute:{case.key}")
    assert sorted(one["note"] or "" for one in response.data["dispute"]["visits"]) == ["", "", "grid_worker走访"]
    response = await office.gql.ask(name_of("mediator"), query, d=f"Dispute:{case.key}")
    assert all(one["note"] for one in response.data["dispute"]["visits"])


async def test_a_grave_factor_alerts_though_its_author_sees_no_agreement(office: Office) -> None:
    case = await office.accepted()
    factor = {"kind": "UNEMPLOYMENT", "severity": "HIGH", "suggestion": "分期履行"}
    values = {"dispute_id": case.key, "kind": "HOME_VISIT", "note": "已失业", "happened_at": now() - HOUR}
    key = UUID((await office.must("grid_worker", "visitRecord", **values, factor=factor))["id"].partition(":")[2])
    await office.must("grid_worker", "visitRecord", **values, factor={**factor, "severity": "MEDIUM"})
    alerts = await office.rows("SELECT * FROM alert WHERE dispute_id = $1", case.key)
    assert [(one["rule"], one["state"]) for one in alerts] == [("PERFORMANCE_FACTOR", "OPEN")]
    assert alerts[0]["message"] == "可能影响履行"
    (event, _) = await office.events(case, "visit.record")
    assert event["resource_id"] == key
    query = "query($d: ID!) { dispute(id: $d) { factors { kind severity suggestion author { name } } } }"
    for who in ("grid_worker", "mediator", "justice_office"):
        response = await office.gql.ask(name_of(who), query, d=f"Dispute:{case.key}")
        assert response.data["dispute"]["factors"][0]["kind"] == "UNEMPLOYMENT"
    response = await office.gql.ask(name_of("analyst"), query, d=f"Dispute:{case.key}")
    factors = response.data["dispute"]["factors"]
    assert {(one["kind"], one["severity"]) for one in factors} == {(None, "HIGH"), (None, "MEDIUM")}


async def test_a_visit_is_not_before_its_dispute_nor_after_its_archive(office: Office) -> None:
    case = await office.register()
    values = {"dispute_id": case.key, "kind": "INSPECTION", "note": "情况"}
    early = await office.do("mediator", "visitRecord", **values, happened_at=case.started - HOUR)
    assert early.user_errors == [("happenedAt", "TOO_EARLY")]
    bad = await office.do(
        "mediator",
        "visitRecord",
        **{**values, "note": ""},
        factor={"kind": "SALE", "severity": "LOW", "suggestion": " "},
    )
    assert bad.user_errors == [("note", "REQUIRED"), ("factor.suggestion", "REQUIRED")]
    await office.must("mediator", "disputeDecline", id=case.key, reason="ELSEWHERE", advice="向法院起诉")
    assert (await office.do("mediator", "visitRecord", **values)).user_errors == [("disputeId", "WRONG_STATE")]

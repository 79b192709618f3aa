"""Pictures are well-formed and show what they were given."""

from typing import Any
from xml.etree import ElementTree as ET

from tests.bench.chart import bar_chart, draw, line_chart

_SVG = "{http://www.w3.org/2000/svg}"


def _measure(name: str, cpu: float) -> dict[str, Any]:
    return {"contestant": name, "server_cpu": cpu, "database_cpu": 0.0}


def _case(rows: int) -> dict[str, Any]:
    return {
        "workload": "Q1", "role": "court", "page": 50, "rows": rows, "workers": 1, "contestants": ["sanlian", "bare"],
        "rounds": [[_measure("sanlian", rows / 1e5), _measure("bare", 0.5)]],
    }  # fmt: skip


def test_a_line_goes_through_its_points() -> None:
    root = ET.fromstring(line_chart("Q1 <court>", "ms", "rows", {"a & b": [(10, 1.0), (100, 2.0), (1000, 4.0)]}))
    path = root.find(f"{_SVG}polyline")
    assert path is not None
    xs, ys = zip(*(map(float, point.split(",")) for point in path.attrib["points"].split()), strict=True)
    assert xs[1] - xs[0] == xs[2] - xs[1]
    assert ys[0] > ys[1] > ys[2]
    assert {"a & b 4.00", "Q1 <court>"} <= {text.text for text in root.iter(f"{_SVG}text")}


def test_bars_are_as_long_as_their_values() -> None:
    root = ET.fromstring(bar_chart("title", "ms", {"Q1": {"a": 1.0, "b": 2.0}}))
    first, second = (float(one.attrib["width"]) for one in root.iter(f"{_SVG}rect"))
    assert second == 2 * first


def test_growth_is_drawn_where_there_is_growth() -> None:
    drawn = draw({"cases": [_case(10_000), _case(100_000)]})
    assert set(drawn) == {"rows-Q1-court.svg", "rows-sanlian.svg", "cpu.svg"}
    assert set(draw({"cases": [_case(10_000)]})) == {"cpu.svg"}
    assert draw({"cases": []}) == {}

"""Charts of growth as SVG, drawn by hand as text: one line a contestant or role, the number of rows along a logarithmic axis."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from statistics import median
from typing import Any

from tests.bench.contestants import PRODUCT
from tests.bench.summary import short

Points = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 176, 44, 48
# Distinguishable with few colours too, and on a dark page.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")
_STYLE = "font-family:sans-serif;font-size:12px"
_INK = "#808080"


def _ticks(most: float) -> list[float]:
    step = 10 ** math.floor(math.log10(most)) if most > 0 else 1.0
    for part in (0.2, 0.5, 1, 2):
        if most / (step * part) <= 6:
            step *= part
            break
    return [step * number for number in range(math.ceil(most / step) + 1)]


def line_chart(title: str, unit: str, along: str, series: Mapping[str, Points]) -> str:
    """A chart of some series over a logarithmic axis."""
    xs = sorted({x for points in series.values() for x, _ in points})
    ticks = _ticks(max(y for points in series.values() for _, y in points) or 1.0)
    low, high = math.log10(xs[0]), math.log10(xs[-1])

    def across(x: float) -> float:
        part = (math.log10(x) - low) / (high - low) if high > low else 0.5
        return _LEFT + part * (_WIDTH - _LEFT - _RIGHT)

    def up(y: float) -> float:
        return _HEIGHT - _BOTTOM - y / ticks[-1] * (_HEIGHT - _TOP - _BOTTOM)

    elements = [_open(title, unit)]
    for tick in ticks:
        elements.append(_rule(_LEFT, up(tick), _WIDTH - _RIGHT, up(tick)))
        elements.append(_text(_LEFT - 8, up(tick) + 4, short(tick) if tick else "0", "end"))
    elements += [_text(across(x), _HEIGHT - _BOTTOM + 18, f"{x:,.0f}", "middle") for x in xs]
    elements.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, along, "middle"))
    label_heights: list[float] = []
    for number, (name, points) in enumerate(sorted(series.items(), key=lambda one: one[1][-1][1])):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in points)
        elements.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        elements += [f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" fill="{colour}"/>' for x, y in points]
        # Names stand beside the ends of their lines, one above the other.
        place = up(points[-1][1]) + 4
        if label_heights and place > label_heights[-1] - 14:
            place = label_heights[-1] - 14
        label_heights.append(place)
        elements.append(_text(_WIDTH - _RIGHT + 8, place, f"{name} {short(points[-1][1])}", "start", colour))
    return "\n".join([*elements, "</svg>", ""])


def bar_chart(title: str, unit: str, groups: Mapping[str, Mapping[str, float]]) -> str:
    """A chart of horizontal bars: in each group one a name, each group on a scale of its own."""
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    row, gap = 16, 26
    height = _TOP + sum(len(group) * row + gap for group in groups.values()) + 8
    elements = [_open(title, unit, height)]
    y = float(_TOP)
    for label, group in groups.items():
        elements.append(_text(12, y + 12, label, "start"))
        y += 18
        widest = max(group.values()) or 1.0
        for name, value in group.items():
            width = value / widest * (_WIDTH - 240)
            colour = _COLOURS[names.index(name) % len(_COLOURS)]
            elements.append(_text(104, y + 11, name, "end"))
            elements.append(
                f'<rect x="110" y="{y:.0f}" width="{max(width, 1):.1f}" height="{row - 4}" fill="{colour}"/>'
            )
            elements.append(_text(116 + width, y + 11, short(value), "start"))
            y += row
        y += gap - 18
    return "\n".join([*elements, "</svg>", ""])


def _open(title: str, unit: str, height: float = _HEIGHT) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" role="img" style="{_STYLE}">\n'
        f"<title>{escape(title)}</title>\n"
        f'<text x="12" y="18" fill="{_INK}" style="font-size:14px">{escape(title)}</text>\n'
        f'<text x="12" y="34" fill="{_INK}">{escape(unit)}</text>'
    )


def _text(x: float, y: float, text: str, anchor: str, colour: str = _INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">{escape(text)}</text>'


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.0f}" y1="{y1:.1f}" x2="{x2:.0f}" y2="{y2:.1f}" stroke="{_INK}" stroke-opacity="0.3"/>'


def _cpu(case: dict[str, Any], name: str) -> float:
    index = case["contestants"].index(name)
    return float(median(one[index]["server_cpu"] + one[index]["database_cpu"] for one in case["rounds"]))


_UNIT = "CPU milliseconds a request, server and PostgreSQL together; less is better"


def draw(results: dict[str, Any]) -> dict[str, str]:
    """The charts that the results have enough for: file name and text."""
    cases = [case for case in results["cases"] if case["workers"] == 1 and case["rounds"]]
    if not cases:
        return {}
    charts = {}
    first = PRODUCT.name if PRODUCT.name in cases[0]["contestants"] else cases[0]["contestants"][0]
    # How one contestant grows, each role a line; and how all grow on a question of one role.
    for along, description in (("rows", "disputes in the county"), ("page", "rows on the page")):
        roles: dict[str, list[tuple[float, float]]] = {}
        by_question: dict[str, dict[str, list[tuple[float, float]]]] = {}
        for case in cases:
            if case[along] is None:
                continue
            key = f"{case['workload']} {case['role']}"
            for name in case["contestants"]:
                by_question.setdefault(key, {}).setdefault(name, []).append((case[along], _cpu(case, name)))
            roles.setdefault(key, []).append((case[along], _cpu(case, first)))
        for key, series in by_question.items():
            if all(len({x for x, _ in points}) == len(points) > 1 for points in series.values()):
                charts[f"{along}-{key.replace(' ', '-')}.svg"] = line_chart(key, _UNIT, description, _sorted(series))
        growing = {key: points for key, points in roles.items() if len({x for x, _ in points}) == len(points) > 1}
        if growing:
            charts[f"{along}-{first}.svg"] = line_chart(f"{first}: growth", _UNIT, description, _sorted(growing))
    groups = {
        f"{case['workload']} {case['role']}": {name: _cpu(case, name) for name in case["contestants"]}
        for case in cases
        if case["rows"] == cases[0]["rows"] and case["page"] in (None, cases[0]["page"])
    }
    charts["cpu.svg"] = bar_chart(f"{cases[0]['rows']:,} disputes", _UNIT, groups)
    return charts


def _sorted(series: dict[str, list[tuple[float, float]]]) -> dict[str, Points]:
    return {name: sorted(points) for name, points in series.items()}

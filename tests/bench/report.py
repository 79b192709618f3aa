"""The results as a Markdown table: one block a case, one line a contestant, medians and ratios with their spread."""

import statistics
from typing import Any

from tests.bench.summary import ratio, short, spread
from tests.bench.workload import WORKLOADS

_HEAD = "| | req/s | p50 ms | p99 ms | CPU ms a request | server | PostgreSQL | req/s against {0} | CPU against {0} | p99 at {1} |"


def table(results: dict[str, Any]) -> str:
    """The whole report."""
    machine = results["machine"]
    options = results["options"]
    lines = [
        "# Benchmark",
        "",
        (
            f"{machine['day']}, {machine['processors']} processors ({machine['architecture']}), PostgreSQL {machine['postgresql']}, Python"
            f" {machine['python']}. Medians of {options['rounds']} interleaved rounds of {options['seconds']:g} s; in brackets least and most."
            " wrk with 16 connections; the last column with 64 connections that share one schedule of the same offered rate for all."
            " CPU is user and system time of all processes of the server, and of all of PostgreSQL, divided by the requests."
        ),
        "",
    ]
    for case in results["cases"]:
        lines += _case_table(case)
    for case in results["rules"]:
        lines += _policy_sizes(case)
    lines += _random_queries(results["shapes"])
    lines += _start_and_memory(results["cases"])
    return "\n".join(lines) + "\n"


def _case_table(case: dict[str, Any]) -> list[str]:
    names = case["contestants"]
    base = names[0]
    paced: dict[str, list[float]] = {one["contestant"]: [] for measured in case["paced"] for one in measured}
    for measured in case["paced"]:
        for one in measured:
            paced[one["contestant"]].append(one["p99"])
    offered = f"{case['paced'][0][0]['offered']:.0f}/s" if case["paced"] else "-"
    title = f"{case['workload']}, {WORKLOADS[case['workload']].description}, as {case['role']}"
    details = [f"{case['rows']:,} disputes"]
    if case["page"]:
        details.append(f"page of {case['page']}")
    if case["workers"] != 1:
        details.append(f"{case['workers']} workers")
    lines = [f"## {title} ({', '.join(details)})", "", _HEAD.format(base, offered), "|---|" + "---:|" * 9]

    def column(index: int, name: str) -> list[float]:
        return [_value(measured[index], name) for measured in case["rounds"]]

    for index, name in enumerate(names):
        rates, cpu = column(index, "rate"), column(index, "cpu")
        refused = sum(column(index, "refused")) / max(1.0, sum(column(index, "requests")))
        failed = f", {refused:.0%} refused" if refused else ""
        late = short(spread(paced[name]).median) if paced.get(name) else "-"
        lines.append(
            f"| {name} | {spread(rates)}{failed} | {short(spread(column(index, 'p50')).median)} | {spread(column(index, 'p99'))} | {spread(cpu)}"
            f" | {short(spread(column(index, 'server_cpu')).median)} | {short(spread(column(index, 'database_cpu')).median)}"
            f" | {ratio(rates, column(0, 'rate'))} | {ratio(cpu, column(0, 'cpu'))} | {late} |"
        )
    return [*lines, ""]


def _policy_sizes(case: dict[str, Any]) -> list[str]:
    lines = [
        f"## {case['workload']} as {case['role']} under policies of other sizes ({case['rows']:,} disputes)",
        "",
        "| rules | req/s | p99 ms | CPU ms a request | CPU against {} | seconds from publishing to the first answer |".format(
            "shipped"
        ),
        "|---|---:|---:|---:|---:|---:|",
    ]
    base = [_value(measured["shipped"], "cpu") for measured in case["rounds"]]
    for name in case["rounds"][0]:
        column = [measured[name] for measured in case["rounds"]]
        cpu = [_value(one, "cpu") for one in column]
        lines.append(
            f"| {name} | {spread([one['rate'] for one in column])} | {spread([one['p99'] for one in column])} | {spread(cpu)}"
            f" | {ratio(cpu, base)} | {spread([one['first_answer'] for one in column])} |"
        )
    return [*lines, ""]


def _random_queries(cases: list[dict[str, Any]]) -> list[str]:
    """A line a role: how the ratios of its shapes are spread; then the shapes where the product is least ahead."""
    if not cases:
        return []
    lines = [
        "## Questions of random shape, beside PostGraphile",
        "",
        "Ratios of the medians of each shape: the lowest, the lower quarter, the median and the highest of all shapes.",
        "",
        "| as | disputes | shapes | req/s against PostGraphile | CPU against PostGraphile |",
        "|---|---:|---:|---|---|",
    ]
    ratios = []
    for case in cases:
        rate, cpu = (
            [statistics.median(_value(turn[index], name) for turn in case["rounds"]) for index in (0, 1)]
            for name in ("rate", "cpu")
        )
        ratios.append((rate[0] / rate[1], cpu[0] / cpu[1], case))
    for role, rows in dict.fromkeys((case["role"], case["rows"]) for case in cases):
        own = [one for one in ratios if (one[2]["role"], one[2]["rows"]) == (role, rows)]
        lines.append(
            f"| {role} | {rows:,} | {len(own)} | {_spread([x[0] for x in own])} | {_spread([x[1] for x in own])} |"
        )
    lines += ["", "Least ahead:", ""]
    for rate, cpu, case in sorted(ratios, key=lambda one: one[0])[:10]:
        lines.append(
            f"- {case['role']}, {rate:.1f} times the requests, {cpu:.2f} of the CPU: `{case['shape']['sanlian']}`"
        )
    return [*lines, ""]


def _spread(values: list[float]) -> str:
    ordered = sorted(values)
    return " / ".join(
        f"{one:.2f}" for one in (ordered[0], ordered[len(ordered) // 4], statistics.median(ordered), ordered[-1])
    )


def _value(measure: dict[str, Any], name: str) -> float:
    return float(measure["server_cpu"] + measure["database_cpu"] if name == "cpu" else measure[name])


def _start_and_memory(cases: list[dict[str, Any]]) -> list[str]:
    lines = [
        "## Start and memory",
        "",
        "| | seconds to the first answer | idle RSS MB | PSS MB | after load RSS MB |",
        "|---|---:|---:|---:|---:|",
    ]
    seen = set()
    for case in reversed(cases):
        for name in case["contestants"]:
            if name in seen or name not in case["memory_idle"]:
                continue
            seen.add(name)
            idle, loaded = case["memory_idle"][name], case["memory_loaded"][name]
            lines.append(
                f"| {name} | {short(case['seconds_to_answer'][name])} | {idle[0]:.0f} | {idle[1]:.0f} | {loaded[0]:.0f} |"
            )
    return lines

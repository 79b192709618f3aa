"""`python -m tests.bench`: loads the county, starts the contestants, checks that they answer alike, measures them, writes it down.

Everything stays on this machine's loopback, is bounded in number and time, and ends with the command, also with Ctrl-C.
"""

import argparse
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench import chart, county, pgbench, report
from tests.bench.access import ROLES
from tests.bench.bench import Bench, Options
from tests.bench.contestant import NotServed
from tests.bench.contestants import BESIDE, CONTESTANTS, DEFAULT
from tests.bench.policy_sizes import OPEN
from tests.bench.rounds import Unequal
from tests.bench.special_callers import SPECIAL
from tests.bench.workload import WORKLOADS
from tests.bench.wrk import LoadFailed
from tests.node import NodeMissing
from tests.paths import ROOT

HOME = ROOT / ".sanlian-bench"
MOST_ROWS = 10_000_000


def _choices(choices: Any) -> Any:
    def read(text: str) -> tuple[str, ...]:
        chosen = tuple(part for part in text.split(",") if part)
        for part in chosen:
            if part not in choices:
                raise argparse.ArgumentTypeError(f"{part!r} is none of {', '.join(choices)}")
        return chosen

    return read


def _checkout(text: str) -> Path:
    checkout = Path(text).resolve()
    if not (checkout / "api" / "__main__.py").is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is no checkout of the product")
    return checkout


def _number_list(least: int, most: int) -> Any:
    def read(text: str) -> tuple[int, ...]:
        try:
            numbers = tuple(int(part.replace("_", "")) for part in text.split(","))
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers") from None
        if not all(least <= number <= most for number in numbers):
            raise argparse.ArgumentTypeError(f"from {least} to {most}")
        return numbers

    return read


def _policy_sizes(text: str) -> tuple[str, ...]:
    counts = ",".join(part for part in text.split(",") if part != OPEN)
    numbers = _number_list(20, 10_000)(counts) if counts else ()
    return (*(str(number) for number in numbers), *([OPEN] if OPEN in text.split(",") else []))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="The product beside what a county would use instead."
    )
    add = parser.add_argument
    reads = tuple(name for name, one in WORKLOADS.items() if not one.writes)
    workloads = f"of {','.join(WORKLOADS)}; the reads unless told"
    add("--workloads", type=_choices(WORKLOADS), default=reads, help=f"{workloads}; '' for none")
    add(
        "--roles",
        type=_choices((*ROLES, *SPECIAL)),
        default=(),
        help=f"of {','.join(ROLES)}; those of each workload unless told; also {', '.join(SPECIAL)}",
    )
    add(
        "--contestants",
        type=_choices((*CONTESTANTS, pgbench.NAME)),
        default=(*DEFAULT, pgbench.NAME),
        help=f"of {','.join((*CONTESTANTS, pgbench.NAME))}; the first is the base of ratios",
    )
    add(
        "--rows",
        type=_number_list(1000, MOST_ROWS),
        default=(200_000,),
        help="synthetic disputes, e.g. 10000,100000,1000000",
    )
    add("--pages", type=_number_list(1, 200), default=(50,), help="page sizes of Q1, e.g. 10,50,200")
    add("--workers", type=_number_list(1, 2), default=(1,), help="processes of the product, e.g. 1,2")
    add(
        "--rules",
        type=_policy_sizes,
        default=(),
        help="also measure the product's page under policies with so many rules, and `open`, e.g. 20,1000,10000,open",
    )
    shapes = "also measure so many questions of random shape for each role, beside PostGraphile"
    add("--shapes", type=int, choices=range(101), metavar="0-100", default=0, help=shapes)
    add("--seed", type=int, default=1, help="of the random shapes; another seed draws others")
    add("--rounds", type=int, choices=range(1, 51), metavar="1-50", default=5)
    add("--seconds", type=float, default=4.0, help="of each contestant in each round (1 to 60)")
    add("--no-paced", dest="paced", action="store_false", help="leave out the rounds at an equal offered rate")
    add("--quick", action="store_true", help="a smoke run: 1,000 rows, one round of two seconds")
    add(
        "--beside",
        type=_checkout,
        help="another checkout, e.g. of an earlier commit: measured as the contestant `beside`",
    )
    add("--home", type=Path, default=HOME, help="the database of the benchmark, kept for the next run")
    add("--output", type=Path, help="where the results go; a folder in the home unless told")
    return parser


def _options(arguments: list[str]) -> Options:
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.beside is not None and BESIDE.name not in chosen.contestants:
        chosen.contestants = (*chosen.contestants, BESIDE.name)
    if chosen.beside is None and BESIDE.name in chosen.contestants:
        parser.error("beside: name its checkout with --beside")
    if not 1 <= chosen.seconds <= 60:
        parser.error("--seconds: from 1 to 60")
    if chosen.quick:
        chosen.rows, chosen.rounds, chosen.seconds, chosen.paced = (1000,), 1, 2.0, False
    values = vars(chosen)
    values.pop("quick")
    values["output"] = chosen.output or chosen.home / "results"
    return Options(**values)


def main(arguments: list[str]) -> int:
    """Run it; 0 if everything was measured."""
    options = _options(arguments)

    def leave(number: int, frame: object) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    options.output.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="sanlian-bench-") as folder, Bench(options, Path(folder), say) as bench:
            results = bench.run()
    except (Unequal, NotServed, LoadFailed, NodeMissing) as error:
        say(f"nothing is measured: {error}")
        return 1
    except KeyboardInterrupt:
        say("stopped")
        return 130
    county.save(options.output / "results.json", results)
    text = report.table(results)
    (options.output / "results.md").write_text(text, encoding="utf-8")
    for name, svg in chart.draw(results).items():
        (options.output / name).write_text(svg, encoding="utf-8")
    print(text)
    say(f"written to {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

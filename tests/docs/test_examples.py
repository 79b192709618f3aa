"""Every query and every command of the documentation does what is printed: a demo runs in a copy of the checkout, and all is typed there."""

import datetime as dt
import json
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml
from graphql import parse, validate

from db.calendar import COUNTY_TIME
from tests.docs.documents import CHINESE, DOCUMENTS, ENGLISH, Block, blocks, contract, pattern_of, same, tables
from tests.docs.scratch import Scratch, scratch_copy
from tests.paths import ROOT
from tests.server import start_demo

DEMO = "http://127.0.0.1:8000"
LANGUAGES = {"sh", "graphql", "json", "text", "diff", "python", "mermaid", "csv", "yaml"}


@dataclass
class Demo:
    """A demo in a copy of the checkout. `answered`: the data of earlier answers, for the variables of later queries."""

    scratch: Scratch
    port: int
    tokens: dict[str, str]
    answered: dict[str, Any] = field(default_factory=dict)

    def ask(self, role: str, query: str, variables: dict[str, Any] | None = None) -> Any:
        """The answer to a role, whatever its status."""
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.tokens[role]}"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/graphql", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as refused:
            return json.load(refused)

    def run(self, script: str) -> "subprocess.CompletedProcess[str]":
        """A script as it is printed, with the port of this demo."""
        return self.scratch.run(script.replace(DEMO, f"http://127.0.0.1:{self.port}"))

    def variables(self, printed: dict[str, Any]) -> dict[str, Any]:
        """Variables, where `@name.name` stands for a value of an earlier answer."""
        return {name: self._substitute(value) for name, value in printed.items()}

    def _substitute(self, value: Any) -> Any:
        if not isinstance(value, str) or not value.startswith("@"):
            return value
        answer: Any = self.answered
        for part in value[1:].split("."):
            answer = answer[part]
        return answer


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """`python -m api demo` as it is printed, on a free port, until the last example."""
    with scratch_copy() as scratch:
        home = scratch.root / ".sanlian"
        server = start_demo(home, scratch.root.parent / "demo.log", scratch.root)
        try:
            server.wait(seconds=120)
            yield Demo(scratch, server.port, json.loads((home / "tokens.json").read_text()))
            server.interrupt()
        finally:
            server.stop()


def _all(*languages: str) -> list[Any]:
    return [
        pytest.param(document, number, id=block.name)
        for document in DOCUMENTS
        for number, block in enumerate(blocks(document))
        if block.language in languages
    ]


def _after(document: str, number: int, language: str) -> Block | None:
    """The block right after another, if it is in that language."""
    for following in blocks(document)[number + 1 : number + 2]:
        if following.follows and following.language == language:
            return following
    return None


def test_every_block_is_in_a_language_that_is_tested() -> None:
    for document in DOCUMENTS:
        for block in blocks(document):
            assert block.language in LANGUAGES, block.name
            assert set(block.mark) <= {"as", "variables", "yesterday", "exit", "skip", "howto", "policy"}, block.name


@pytest.mark.parametrize(("document", "number"), _all("graphql"))
def test_a_query_answers_as_printed(document: str, number: int, demo: Demo) -> None:
    block = blocks(document)[number]
    assert validate(contract(), parse(block.text)) == []
    # What is printed as recorded on a day of the demo is recorded as of yesterday.
    day = (dt.datetime.now(COUNTY_TIME) - dt.timedelta(days=1)).date().isoformat()
    text = block.text.replace(block.mark["yesterday"], day) if "yesterday" in block.mark else block.text
    answer = demo.ask(block.mark["as"], text, demo.variables(block.mark.get("variables", {})))
    demo.answered.update(answer.get("data") or {})
    expected = _after(document, number, "json")
    if expected is None:
        assert "errors" not in answer, answer
        return
    wanted = json.loads(expected.text)
    if "extensions" not in wanted:
        answer.pop("extensions", None)
    assert same(wanted, answer), json.dumps(answer, ensure_ascii=False)


@pytest.mark.parametrize(("document", "number"), _all("sh"))
def test_a_command_does_what_is_printed(document: str, number: int, demo: Demo) -> None:
    block = blocks(document)[number]
    if "howto" in block.mark or not _is_run(block):
        return  # the how-tos have a test of their own
    ended = demo.run(block.text)
    assert ended.returncode == block.mark.get("exit", 0), (ended.stdout, ended.stderr)
    assert "Traceback" not in ended.stderr
    expected = _after(document, number, "text")
    if expected is not None:
        printed = re.sub(r"[ \t]+$", "", ended.stdout + ended.stderr, flags=re.MULTILINE).strip()
        assert pattern_of(expected.text).fullmatch(printed), printed


def _is_run(block: Block) -> bool:
    """All but those that need Docker or a package index; what these install and start, the fixture and the suite itself run."""
    return "skip" not in block.mark and not block.text.startswith("pip install")


def test_blocks_that_are_not_run_name_what_is_there() -> None:
    """They name services, variables and files that exist."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    for document in DOCUMENTS:
        for block in (one for one in blocks(document) if one.language == "sh" and not _is_run(one)):
            for service in re.findall(r"docker compose exec (\S+)", block.text):
                assert service in compose["services"], block.name
            for name in re.findall(r"export (\w+)=", block.text):
                assert f"${{{name}" in (ROOT / "docker-compose.yml").read_text(encoding="utf-8"), block.name
            for name in re.findall(r"-r (\S+)", block.text):
                assert "--hash=" in (ROOT / name).read_text(encoding="utf-8"), block.name


@pytest.mark.parametrize("document", [ENGLISH, CHINESE])
def test_the_first_block_is_the_two_commands(document: str) -> None:
    """They install and start a demo; install and test. Whoever automates them finds them there."""
    assert blocks(document)[0].text == (
        "pip install --require-hashes -r requirements.lock && python -m api demo\n"
        "pip install --require-hashes -r requirements-dev.lock && python -m pytest\n"
    )


# -- the tour

ROLES = ("mediator", "grid_worker", "housing", "bureau_admin")
# In clear, none, no such row; the words for the owner and the company.
WORDS = {ENGLISH: ("in clear", "none", "no such row"), CHINESE: ("明文", "无", "没有这一行")}
WHOM = {"owner": "owner ", "业主": "owner ", "company": "company ", "企业": "company "}


@pytest.mark.parametrize("document", [ENGLISH, CHINESE])
def test_the_tour_shows_what_its_table_says(document: str, demo: Demo) -> None:
    (script,) = [block for block in blocks(document) if "tour.json" in block.text]
    table = tables(document)["tour"]
    for column, role in enumerate(ROLES, 1):
        assert f"`{role}`" in table.header[column]
        ended = demo.run(re.sub(r"role=\w+", f"role={role}", script.text))
        shown = _tour(json.loads(ended.stdout)["data"]["dispute"], *WORDS[document])
        printed = {_key(row[0]): row[column] for row in table.rows[1:]}
        assert printed.keys() == shown.keys()
        for key, cell in printed.items():
            assert pattern_of(cell).fullmatch(shown[key]), (role, key, shown[key])


def test_the_police_cannot_tell_the_case_of_the_tour_from_none(demo: Demo) -> None:
    query = "query($n: String!) { dispute(caseNumber: $n) { id } }"
    hidden, missing = (demo.ask("police", query, {"n": f"(2023)崇文人调字第{n}号"}) for n in ("047", "999"))
    for answer in (hidden, missing):
        assert answer["errors"][0]["extensions"].pop("requestId")
    assert hidden["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert (hidden, hidden["data"]) == (missing, {"dispute": None})


def _key(label: str) -> str:
    """Whose field a row is about, and the name of the field; the same in both languages."""
    whom = next((key for word, key in WHOM.items() if label.startswith(word)), "")
    return whom + " ".join(re.findall(r"`([^`]+)`", label))


def _tour(dispute: Any, clear: str, none: str, no_row: str) -> dict[str, str]:
    """The cells of the tour's table for one caller."""
    parties = {"company" if "公司" in one["name"] else "owner": one for one in dispute["parties"]}
    owner, agreements = parties.get("owner"), dispute["agreements"]

    def shown(value: str | None) -> str:
        return "null" if value is None else clear

    def of_owner(name: str) -> str:
        return no_row if owner is None else str(owner[name] or "null")

    cells = {
        "amountClaimed": dispute["amountClaimed"] or "null",
        "summary": shown(dispute["summary"]),
        "company name": shown(parties["company"]["name"]),
        "notes": " ".join(one["visibility"] for one in dispute["notes"]) or none,
        "agreements content": shown(agreements[0]["content"]) if agreements else no_row,
        "access.hidden": " ".join(dispute["access"]["hidden"]),
        "access.can": " ".join(dispute["access"]["can"]) or none,
        "owner access.masked": no_row if owner is None else " ".join(owner["access"]["masked"]),
    }
    return cells | {f"owner {name}": of_owner(name) for name in ("name", "phone", "address", "idNumber")}

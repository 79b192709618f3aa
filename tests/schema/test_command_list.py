"""The list of commands: each stands in it as it is declared, and its example is an input that the contract takes."""

import pytest
from graphql import GraphQLInputType
from graphql.utilities import validate_input_value

from db.commands import COMMANDS
from db.resources.transitions import transition_of
from schema import sdl
from schema.command_list import example_of, print_commands
from schema.mutation import COMMAND_OF

PRINTED = print_commands()
PARAGRAPHS = dict(zip(COMMAND_OF, PRINTED.split("\n\n"), strict=True))


def test_every_command_is_listed() -> None:
    assert list(COMMAND_OF.values()) == list(COMMANDS.values())
    assert [text.partition("：")[0] for text in PARAGRAPHS.values()] == list(COMMAND_OF)


@pytest.mark.parametrize("name", COMMAND_OF)
def test_a_command_is_listed_as_declared(name: str) -> None:
    command, lines = COMMAND_OF[name], PARAGRAPHS[name].splitlines()
    transition = transition_of(command.resource, command.action)
    assert lines[0] == f"{name}：{command.label}"
    states = [len(line.split("、")) for line in lines if line.startswith("  纠纷状态：")]
    assert states == ([] if transition.states is None else [len(transition.states)])
    assert [line.split()[0].removeprefix("不符时：") for line in lines if "不符时：" in line] == [
        one.code for one in transition.guards
    ]


@pytest.mark.parametrize("name", COMMAND_OF)
def test_an_example_is_an_input_of_the_contract(name: str) -> None:
    mutation = sdl.graphql_schema().mutation_type
    assert mutation is not None
    kind: GraphQLInputType = mutation.fields[name].args["input"].type
    errors: list[str] = []
    validate_input_value(example_of(COMMAND_OF[name]), kind, lambda error, _: errors.append(error.message))
    assert errors == []

"""Documents made to cost more than they look: each a name, a text, and whether the limits themselves must refuse it.

The others are small enough for the limits and must be cheap (or invalid) for validation. Fields: `small.py`.
"""

from typing import NamedTuple


class Hostile(NamedTuple):
    name: str
    text: str
    limited: bool


def _spread(names: list[str]) -> str:
    return " ".join(f"...{name}" for name in names)


def doubling(depth: int) -> str:
    """Fragment doubling: every fragment spreads the next one twice."""
    definitions = ["{ ...f0 }"]
    definitions += [f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(depth)]
    return " ".join([*definitions, f"fragment f{depth} on Query {{ hello }}"])


def siblings(count: int) -> str:
    """Many fragments next to one another, all selecting the same field."""
    names = [f"f{n}" for n in range(count)]
    return "{ " + _spread(names) + " } " + " ".join(f"fragment {name} on Query {{ hello }}" for name in names)


def crossing(count: int, width: int) -> str:
    """Sibling fragments whose fields overlap at two levels."""
    names = [f"f{n}" for n in range(count)]
    inner = " ".join(["id", "title", "note"][:width])
    body = "{ node(id: 1) { " + inner + " next { " + inner + " } } }"
    return "{ " + _spread(names) + " } " + " ".join(f"fragment {name} on Query {body}" for name in names)


def repeated(count: int) -> str:
    """One field over and over: every pair is compared by OverlappingFieldsCanBeMerged."""
    return "{ " + "hello " * count + "}"


def nested_repeats(width: int, depth: int) -> str:
    """The same object field repeated on each level: width to the power of depth once merged."""
    inner = "id"
    for _ in range(depth):
        inner = " ".join(["next { " + inner + " }"] * width)
    return "{ node(id: 1) { " + inner + " } }"


def argued(count: int, arguments: int = 20) -> str:
    """Repeated fields with arguments that have to be compared one by one."""
    args = ", ".join(f"a{n}: {n}" for n in range(arguments))
    return "{ " + " ".join([f"echo({args})"] * count) + " }"


def aliases(count: int) -> str:
    return "{ " + " ".join(f"a{n}: hello" for n in range(count)) + " }"


def directives(count: int) -> str:
    return "{ hello " + "@include(if: true) " * count + "}"


def unknown_directives(count: int) -> str:
    return "{ hello " + " ".join(f"@d{n}" for n in range(count)) + " }"


def deep(depth: int) -> str:
    return "{ node(id: 1) " + "{ next " * depth + "{ id }" + " }" * depth + " }"


def deep_inline(depth: int) -> str:
    return "{ " + "... { " * depth + "hello" + " }" * depth + " }"


def deep_list(depth: int) -> str:
    return "{ search(filter: {tags: " + "[" * depth + '"x"' + "]" * depth + "}) { id } }"


def deep_object(depth: int) -> str:
    return "{ search(filter: " + "{not: " * depth + "{}" + "}" * depth + ") { id } }"


def long_list(count: int) -> str:
    return "{ search(filter: {tags: [" + " ".join(["1"] * count) + "]}) { id } }"


def wide_object(count: int) -> str:
    return "{ search(filter: {" + " ".join(f"x{n}: 1" for n in range(count)) + "}) { id } }"


def variables(count: int) -> str:
    return "query (" + " ".join(f"$v{n}: Int" for n in range(count)) + ") { hello }"


def variable_uses(count: int, used: int) -> str:
    """Every variable in every fragment: usages are collected per operation, over all fragments."""
    heads = " ".join(f"$v{n}: Int" for n in range(count))
    uses = " ".join(f"a{n % 5}: $v{n}" for n in range(used))
    return f"query ({heads}) {{ echo({uses}) }}"


def operations(count: int) -> str:
    return " ".join(f"query Q{n} {{ hello }}" for n in range(count))


def operations_sharing(count: int, fragments: int) -> str:
    """Each operation spreads the head of a chain of fragments: rules walk the chain once per operation."""
    definitions = [f"query Q{n} {{ ...f0 }}" for n in range(count)]
    definitions += [f"fragment f{n} on Query {{ hello ...f{n + 1} }}" for n in range(fragments)]
    return " ".join([*definitions, f"fragment f{fragments} on Query {{ hello }}"])


def many_fragments(count: int) -> str:
    return "{ hello } " + " ".join(f"fragment f{n} on Query {{ hello }}" for n in range(count))


def cycle(length: int) -> str:
    ring = " ".join(f"fragment f{n} on Query {{ hello ...f{(n + 1) % length} }}" for n in range(length))
    return "{ ...f0 } " + ring


def typenames(count: int) -> str:
    return "{ " + "__typename " * count + "}"


def arguments(count: int) -> str:
    return "{ echo(" + " ".join(f"a{n}: {n}" for n in range(count)) + ") }"


def same_argument(count: int) -> str:
    return "{ echo(" + "a0: 1 " * count + ") }"


def introspection(depth: int) -> str:
    inner = "name"
    for _ in range(depth):
        inner = "fields { type { " + inner + " } }"
    return "{ __schema { types { " + inner + " } } }"


def of_type(depth: int) -> str:
    return "{ __schema { types { fields { type " + "{ ofType " * depth + "{ name }" + " }" * depth + " } } } }"


def introspections(count: int) -> str:
    return "{ " + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(count)) + " }"


def unknown_fields(count: int) -> str:
    return "{ " + " ".join(f"helloo{n}" for n in range(count)) + " }"


def list_type(depth: int) -> str:
    return "query ($v: " + "[" * depth + "Int" + "]" * depth + ") { echo(a0: $v) }"


DOCUMENTS = [
    Hostile("doubling 26", doubling(26), True),
    Hostile("doubling 39", doubling(38), True),
    Hostile("siblings 1000", siblings(1000), True),
    Hostile("siblings 39", siblings(39), False),
    Hostile("crossing 28x3", crossing(28, 3), False),
    Hostile("crossing 39x3", crossing(39, 3), True),
    Hostile("repeated 1900", repeated(1900), True),
    Hostile("repeated 89", repeated(89), False),
    Hostile("nested repeats 3^5", nested_repeats(3, 5), True),
    Hostile("nested repeats 2^5", nested_repeats(2, 5), False),
    Hostile("nested repeats 2^6", nested_repeats(2, 6), True),
    Hostile("argued 30", argued(30), False),
    Hostile("argued 60", argued(60), True),
    Hostile("argued 88x6", argued(88, 6), False),
    Hostile("argued 90x6", argued(90, 6), True),
    Hostile("aliases 600", aliases(600), True),
    Hostile("aliases 30", aliases(30), True),
    Hostile("directives 390", directives(390), True),
    Hostile("directives 40", directives(40), False),
    Hostile("unknown directives 900", unknown_directives(900), True),
    Hostile("unknown directives 40", unknown_directives(40), False),
    Hostile("deep 190", deep(190), True),
    Hostile("deep inline 190", deep_inline(190), True),
    Hostile("deep inline 39", deep_inline(39), False),
    Hostile("deep list 190", deep_list(190), True),
    Hostile("deep list 14", deep_list(14), False),
    Hostile("deep object 190", deep_object(190), True),
    Hostile("deep object 14", deep_object(14), False),
    Hostile("long list 1900", long_list(1900), True),
    Hostile("long list 500", long_list(500), False),
    Hostile("wide object 600", wide_object(600), True),
    Hostile("wide object 100", wide_object(100), False),
    Hostile("variables 450", variables(450), True),
    Hostile("variables 50", variables(50), False),
    Hostile("variable uses 50x400", variable_uses(50, 400), False),
    Hostile("operations 300", operations(300), True),
    Hostile("operations 10", operations(10), False),
    Hostile("operations sharing 10x20", operations_sharing(10, 20), False),
    Hostile("many fragments 280", many_fragments(280), True),
    Hostile("many fragments 40", many_fragments(40), False),
    Hostile("cycle 2", cycle(2), True),
    Hostile("cycle 39", cycle(39), True),
    Hostile("typenames 1900", typenames(1900), True),
    Hostile("arguments 600", arguments(600), False),
    Hostile("same argument 600", same_argument(600), False),
    Hostile("giant string", '{ echo(text: "' + "x" * 60_000 + '") }', True),
    Hostile("giant block string", '{ echo(text: """' + "\n x" * 20_000 + '""") }', True),
    Hostile("giant enum", "{ echo(kind: " + "X" * 60_000 + ") }", True),
    Hostile("giant integer", "{ echo(a0: " + "9" * 60_000 + ") }", True),
    Hostile("giant float", "{ echo(a0: 1." + "9" * 60_000 + ") }", True),
    Hostile("giant field name", "{ " + "h" * 60_000 + " }", True),
    Hostile("giant type name", "query ($v: " + "T" * 60_000 + ") { hello }", True),
    Hostile("giant alias", "{ " + "a" * 64 + ": hello }", True),
    Hostile("tokens", "{ " * 30_000, True),
    Hostile("commas", "{ hello " + "," * 60_000 + " }", False),
    Hostile("comments", "#\n" * 30_000 + "{ hello }", True),
    Hostile("introspection lists 6", introspection(6), False),
    Hostile("introspection types 20", of_type(20), True),
    Hostile("introspections 10", introspections(10), True),
    Hostile("unknown fields 10", unknown_fields(10), False),
    Hostile("unknown fields 900", unknown_fields(900), True),
    Hostile("list type 190", list_type(190), True),
    Hostile("empty selection", "{ node(id: 1) { } }", True),
    Hostile("definitions", "type A { a: Int } " * 200, True),
]

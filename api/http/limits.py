"""How large a request may be. The numbers of a process come from the settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a request may be. The numbers keep parsing plus validation below 100 ms of CPU for any document."""

    max_body_bytes: int = 1_048_576  # a policy with its tests
    max_bodies_bytes: int = 67_108_864  # of all bodies that a process holds at once
    max_address_bytes: int = 65_536
    max_document_length: int = 65_536  # what is long stands in variables, which cost no parsing
    max_tokens: int = 2_000
    max_depth: int = 12
    max_introspection_depth: int = 16  # the standard introspection query is 15 deep
    max_introspections: int = 2  # occurrences of __schema and __type: each may list every type
    max_nesting: int = 40  # selection sets and inline fragments inside one another, in the text itself
    max_aliases: int = 30
    max_root_fields: int = 10
    max_mutations: int = 4
    max_directives: int = 40
    max_operations: int = 10
    max_fragments: int = 40
    max_spreads: int = 80
    max_selections: int = 1_000  # after every fragment is put in place of its spreads
    max_merges: int = 4_000  # pairs of fields that meet under one response key
    max_variables: int = 50
    max_key_length: int = 63  # PostgreSQL cuts a longer column label off silently
    max_name_length: int = 128
    max_string_length: int = 10_000
    max_number_length: int = 40
    max_list_length: int = 500
    max_object_length: int = 100
    max_value_depth: int = 16
    max_value_nodes: int = 5_000
    max_errors: int = 10


DEFAULT = Limits()

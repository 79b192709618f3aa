"""The sentence that refuses an action in a state."""

from db.tables.dispute import STATES
from db.write.state_words import CLAUSES, wrong_state


def test_every_state_has_its_clause() -> None:
    assert set(CLAUSES) == set(STATES)


def test_the_sentence_names_state_and_action_in_words() -> None:
    assert wrong_state("REFUSED", "Dispute", "record") == "纠纷已因当事人拒绝调解而终止，不能记录调解。"

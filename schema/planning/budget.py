"""The price of what an operation selects, held to a limit before anything is compiled (`db.query.price`)."""

from __future__ import annotations

from db.query import plan as p
from db.query.price import Prices
from db.query.select import select_plan
from db.query.statement import Statement
from policies.grant import Access
from schema.refusal import TooCostly


class Budget:
    """What the statements of one operation may cost one caller, together."""

    def __init__(self, access: Access, limit: int) -> None:
        self._access, self._limit = access, limit
        self._prices = Prices(access)
        self._spent = 0

    def statement(self, plan: p.Plan) -> Statement:
        """The statement of a plan. Raises Refusal TOO_COSTLY where the plans so far cost more than the limit."""
        self._spent += self._prices.of(plan)
        if self._spent > self._limit:
            message = (
                f"所选内容过多：按您的权限折合 {self._spent} 点，上限 {self._limit} 点。"
                "请少取时间线、可办事项、时限等内容，少用别名，分几次取。"
            )
            raise TooCostly(message, self._spent, self._limit)
        return select_plan(plan, self._access)

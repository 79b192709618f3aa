"""Random changes to the register, as its owner: whatever the constraints and guards let pass. What they refuse has not happened."""

import random
from typing import Any

import asyncpg

from db.calendar import COUNTY_ZONE, TODAY_SQL

# {dispute}: its id; {days}, {number}: numbers. Each is one statement; some change nothing for some disputes.
CHANGES = (
    "UPDATE dispute SET state = 'MEDIATING', concluded_at = NULL, closed_at = NULL WHERE id = {dispute} AND accepted_at IS NOT NULL",
    """UPDATE dispute SET state = (ARRAY['PERFORMED', 'FAILED', 'WITHDRAWN', 'AGREED', 'PERFORMED', 'UNPERFORMED'])[1 + {number} % 6],
        concluded_at = least(accepted_at + make_interval(days => {days}), now()), closed_at = NULL WHERE id = {dispute}""",
    """UPDATE dispute SET state = 'CLOSED', concluded_at = coalesce(concluded_at, accepted_at + interval '1 day'),
        closed_at = coalesce(concluded_at, accepted_at + interval '1 day') + interval '1 hour'
        WHERE id = {dispute} AND accepted_at IS NOT NULL AND result IN ('PERFORMED', 'UNPERFORMED')""",
    "UPDATE dispute SET state = 'ARCHIVED' WHERE id = {dispute} AND closed_at IS NOT NULL AND result <> 'AGREED' AND {number} % 3 = 0",
    "UPDATE dispute SET state = 'WITHDRAWN', concluded_at = registered_at + make_interval(hours => {days}) WHERE id = {dispute}",
    """UPDATE dispute SET compound_id = c.id, grid_code = c.grid_code
        FROM (SELECT * FROM compound ORDER BY md5(id::text || '{number}') LIMIT 1) AS c WHERE dispute.id = {dispute}""",
    "UPDATE dispute SET squad_id = (SELECT id FROM organization ORDER BY md5(id::text || '{number}') LIMIT 1) WHERE id = {dispute}",
    "UPDATE dispute SET centre_id = NULL WHERE id = {dispute}",
    "UPDATE dispute SET source_organization_id = (SELECT id FROM organization ORDER BY md5(id::text || '{number}') LIMIT 1) WHERE id = {dispute}",
    "UPDATE dispute SET tier = 'TEAM', sub_category = 'P02', source = 'GRID' WHERE id = {dispute}",
    "UPDATE dispute SET due_on = (registered_at AT TIME ZONE '{zone}')::date + {days} WHERE id = {dispute}",
    "UPDATE dispute SET registered_at = registered_at - make_interval(days => {days}) WHERE id = {dispute}",
    "UPDATE dispute SET title = title || '。', version = version + 1 WHERE id = {dispute}",
    """UPDATE dispute SET previous_id = (SELECT id FROM dispute WHERE id <> {dispute} ORDER BY md5(id::text || '{number}') LIMIT 1)
        WHERE id = {dispute}""",
    """INSERT INTO dispute (title, category, sub_category, source, state, tier, risk_level, people_count, summary, registered_at, grid_code,
        compound_id, source_organization_id)
        SELECT title, category, sub_category, source, 'REGISTERED', 'TEAM', risk_level, 2, summary, now() - make_interval(days => {days}),
            grid_code, compound_id, source_organization_id FROM dispute WHERE id = {dispute}""",
    "DELETE FROM dispute WHERE id = (SELECT id FROM dispute WHERE case_number IS NULL ORDER BY md5(id::text || '{number}') LIMIT 1)",
    """INSERT INTO agreement (dispute_id, form, scope, state, content, agreed_on, effective_on)
        SELECT id, 'ORAL', (ARRAY['FULL', 'FULL', 'PARTIAL'])[1 + {number} % 3], 'EFFECTIVE', '约定', day, day
        FROM dispute, LATERAL (SELECT registered_at::date + {days} AS day) AS one WHERE id = {dispute}""",
    """UPDATE agreement SET state = (ARRAY['RESCINDED', 'EFFECTIVE', 'VARIED'])[1 + {number} % 3] WHERE form = 'ORAL' AND dispute_id = {dispute}""",
    "UPDATE agreement SET effective_on = agreed_on + {days} WHERE dispute_id = {dispute}",
    # Around today, where being due begins.
    """INSERT INTO obligation (dispute_id, agreement_id, party_id, kind, content, due_on, state)
        SELECT a.dispute_id, a.id, p.id, 'OTHER', '履行', {today} + {number} % 5 - 2,
            (ARRAY['PENDING', 'EXCUSED'])[1 + {days} % 2]
        FROM agreement AS a JOIN party AS p ON p.dispute_id = a.dispute_id WHERE a.dispute_id = {dispute} ORDER BY a.id, p.id LIMIT 1""",
    "UPDATE obligation SET due_on = {today} + {number} % 5 - 2 WHERE dispute_id = {dispute}",
    "UPDATE obligation SET state = 'EXCUSED', performed_on = NULL WHERE dispute_id = {dispute}",
    "UPDATE obligation SET state = 'ENFORCED', performed_on = {today} - {number} % 4 WHERE dispute_id = {dispute}",
    "DELETE FROM obligation WHERE dispute_id = {dispute}",
    """INSERT INTO follow_up (dispute_id, due_on, done_at, method, result, satisfaction)
        SELECT {dispute}, current_date, current_date - {number} % 3, 'PHONE',
            (ARRAY['NORMAL', 'UNREACHABLE', 'NOT_PERFORMED', 'REBOUNDED'])[1 + {number} % 4], nullif({number} % 6, 0) WHERE {days} > 0""",
    "INSERT INTO follow_up (dispute_id, due_on) SELECT {dispute}, current_date + {days} WHERE {number} > 0",
    "UPDATE follow_up SET done_at = current_date, method = 'VISIT', result = 'NORMAL', satisfaction = 1 + {number} % 5 WHERE dispute_id = {dispute}",
    "DELETE FROM follow_up WHERE dispute_id = {dispute} AND {number} % 2 = 0",
    """INSERT INTO confirmation (dispute_id, agreement_id, court_id, applied_on, result, decided_on)
        SELECT a.dispute_id, a.id, (SELECT min(id::text)::uuid FROM organization), current_date, 'CONFIRMED', current_date
        FROM agreement AS a WHERE a.dispute_id = {dispute} LIMIT 1""",
    "UPDATE confirmation SET result = 'REJECTED', decided_on = applied_on WHERE dispute_id = {dispute}",
    """INSERT INTO referral (dispute_id, dispute_registered_at, organization_id, kind, state, sent_at, reason)
        SELECT d.id, d.registered_at, o.id, (ARRAY['TRANSFER', 'COURT_REFERRAL', 'INVITATION'])[1 + {number} % 3], 'SENT', now(), '移送'
        FROM dispute AS d, (SELECT id FROM organization ORDER BY md5(id::text || '{number}') LIMIT 1) AS o WHERE d.id = {dispute}""",
    "UPDATE referral SET kind = 'TRANSFER' WHERE dispute_id = {dispute}",
    "DELETE FROM referral WHERE dispute_id = {dispute} AND {number} % 2 = 0",
)  # fmt: skip


async def change(connection: Any, dice: random.Random, statements: int = 1) -> bool:
    """One transaction of random statements on one dispute; whether it went through. Now and then it is taken back at its end."""
    disputes = [row["id"] for row in await connection.fetch("SELECT id FROM dispute ORDER BY id")]
    dispute = dice.choice(disputes)
    transaction = connection.transaction()
    await transaction.start()
    try:
        for _ in range(statements):
            days, number = dice.randint(0, 40), dice.randint(0, 999)
            await connection.execute(
                dice.choice(CHANGES).format(
                    dispute=f"'{dispute}'::uuid", days=days, number=number, today=TODAY_SQL, zone=COUNTY_ZONE
                )
            )
        if dice.random() < 0.1:
            await transaction.rollback()
            return False
        await transaction.commit()
    except asyncpg.IntegrityConstraintViolationError:
        if connection.is_in_transaction():
            await transaction.rollback()
        return False
    return True

"""The daily run: opens the alerts that the rules in `alert_rule` call for by now, and raises the level of those that have grown worse.

All in SQL, one statement a rule. Safe to run again and twice at once: for one subject of a rule there is one open alert, and what was
closed with a note comes back only with a new deadline, a higher level or a new window.
"""

from __future__ import annotations

import datetime as dt

from db.calendar import COUNTY_ZONE
from db.postgres.connection import Connection
from db.tables.agreement import IN_FORCE_STATES
from db.tables.column import sql_list
from db.tables.dispute import UNDER_MEDIATION_STATES, UNDER_PERFORMANCE_STATES
from db.tables.obligation import OWED_STATES
from db.tables.risk import FROM_ORANGE_LEVELS

# A rule's statement: `due` lists what calls for an alert, with what it is about. $1: now. A rule that is disabled yields nothing.
_OPEN = """
WITH rule AS (SELECT rule, label, level, parameters FROM alert_rule WHERE rule = '{rule}' AND enabled),
day AS (SELECT ($1::timestamptz AT TIME ZONE '{zone}')::date AS today),
due (dispute_id, compound_id, company_id, subject, level, detail, due_on) AS ({due}),
opened AS (
    INSERT INTO alert (dispute_id, compound_id, company_id, subject, rule, level, message, opened_at, due_on)
    SELECT due.dispute_id, due.compound_id, due.company_id, due.subject, rule.rule, due.level, rule.label || '：' || due.detail, $1, due.due_on
    FROM due, rule
    ON CONFLICT DO NOTHING
    RETURNING id, dispute_id
),
recorded AS (
    INSERT INTO event (dispute_id, at, happened_at, action, resource, resource_id, to_state)
    SELECT dispute_id, $1, $1, 'alert.open', 'Alert', id, 'OPEN' FROM opened
)
SELECT count(*) FROM opened
"""

_RAISE = """
WITH rule AS (SELECT rule, label, level, parameters FROM alert_rule WHERE rule = '{rule}' AND enabled),
day AS (SELECT ($1::timestamptz AT TIME ZONE '{zone}')::date AS today),
worse (id, level, detail) AS ({worse}),
raised AS (
    UPDATE alert SET level = worse.level, message = rule.label || '：' || worse.detail
    FROM worse, rule WHERE alert.id = worse.id
    RETURNING alert.id, alert.dispute_id
)
INSERT INTO event (dispute_id, at, happened_at, action, resource, resource_id, fields)
SELECT dispute_id, $1, $1, 'alert.raise', 'Alert', id, 'level' FROM raised
"""

# 若干规定 Art. 33. A new deadline (an extension) that passes too is a new alert.
_MONTH = f"""
SELECT d.id, NULL::uuid, NULL::uuid, d.id::text, rule.level, '应于 ' || d.due_on || ' 前终结调解', d.due_on
FROM dispute d, rule, day
WHERE d.state IN ({sql_list(UNDER_MEDIATION_STATES)}) AND d.due_on < day.today AND NOT EXISTS (
    SELECT FROM alert a WHERE a.dispute_id = d.id AND a.rule = rule.rule AND a.subject = d.id::text
        AND (a.state <> 'CLOSED' OR a.due_on = d.due_on))
"""  # noqa: S608  made of constants

_OVERDUE = f"""
SELECT o.dispute_id, NULL::uuid, NULL::uuid, o.id::text, grade.level, '履行期限至 ' || o.due_on, o.due_on
FROM rule, day, obligation o JOIN dispute d ON d.id = o.dispute_id
CROSS JOIN LATERAL (SELECT CASE WHEN o.due_on < day.today - (rule.parameters ->> 'orange_days')::integer THEN 'ORANGE' ELSE rule.level END
    AS level) AS grade
WHERE o.state IN ({sql_list(OWED_STATES)}) AND d.state IN ({sql_list(UNDER_PERFORMANCE_STATES)})
    AND o.due_on < day.today - (rule.parameters ->> 'days')::integer AND NOT EXISTS (
    SELECT FROM alert a WHERE a.dispute_id = o.dispute_id AND a.rule = rule.rule AND a.subject = o.id::text
        AND (a.state <> 'CLOSED' OR grade.level <> 'ORANGE' OR a.level IN ({sql_list(FROM_ORANGE_LEVELS)})))
"""  # noqa: S608  made of constants

_OVERDUE_LONG = f"""
SELECT a.id, 'ORANGE', '履行期限至 ' || o.due_on
FROM rule, day, alert a JOIN obligation o ON o.id::text = a.subject AND o.dispute_id = a.dispute_id
WHERE a.rule = rule.rule AND a.state <> 'CLOSED' AND a.level NOT IN ({sql_list(FROM_ORANGE_LEVELS)})
    AND o.state IN ({sql_list(OWED_STATES)}) AND o.due_on < day.today - (rule.parameters ->> 'orange_days')::integer
"""  # noqa: S608  made of constants

# 人民调解法 Art. 33. What is performed needs no confirmation; what was applied for once is with the court.
_CONFIRMATION = f"""
SELECT g.dispute_id, NULL::uuid, NULL::uuid, g.id::text, rule.level, '可于 ' || g.confirm_by_on || ' 前共同申请', g.confirm_by_on
FROM rule, day, agreement g JOIN dispute d ON d.id = g.dispute_id
WHERE g.state IN ({sql_list(IN_FORCE_STATES)}) AND d.state IN ({sql_list(UNDER_PERFORMANCE_STATES)})
    AND g.confirm_by_on BETWEEN day.today AND day.today + (rule.parameters ->> 'days')::integer
    AND NOT EXISTS (SELECT FROM confirmation c WHERE c.agreement_id = g.id)
    AND NOT EXISTS (
        SELECT FROM alert a WHERE a.dispute_id = g.dispute_id AND a.rule = rule.rule AND a.subject = g.id::text)
"""  # noqa: S608  made of constants

# Many disputes of one place in the window that ends now; the alert hangs on the latest of them.
_CLUSTER = """
SELECT cluster.latest, {compound}, {company}, cluster.subject::text, rule.level,
    (rule.parameters ->> 'days') || ' 日内 ' || cluster.many || ' 件', NULL::date
FROM rule CROSS JOIN LATERAL (
    SELECT {key} AS subject, count(*) AS many, (array_agg(d.id ORDER BY d.registered_at DESC, d.id))[1] AS latest
    FROM dispute d JOIN compound c ON c.id = d.compound_id
    WHERE d.registered_at <= $1 AND d.registered_at > $1 - make_interval(days => (rule.parameters ->> 'days')::integer)
        AND d.state <> 'DECLINED' AND {key} IS NOT NULL
    GROUP BY {key}
) AS cluster
WHERE cluster.many >= (rule.parameters ->> 'count')::integer AND NOT EXISTS (
    SELECT FROM alert a WHERE a.rule = rule.rule AND a.{column} = cluster.subject
        AND (a.state <> 'CLOSED' OR a.opened_at > $1 - make_interval(days => (rule.parameters ->> 'days')::integer)))
"""

# SECURITY: a person is identified by the hash of the ID number, or by name and phone; the alert names the first row of that person and
# says how many cases, never who.
_REPEAT = """
SELECT DISTINCT ON (once.subject) once.latest, NULL::uuid, NULL::uuid, once.subject::text, rule.level,
    (rule.parameters ->> 'days') || ' 日内 ' || once.many || ' 件', NULL::date
FROM rule CROSS JOIN LATERAL (
    WITH recent AS (
        SELECT p.id_number_hash, p.name, p.phone, d.id, d.registered_at
        FROM dispute d JOIN party p ON p.dispute_id = d.id
        WHERE d.registered_at <= $1 AND d.registered_at > $1 - make_interval(days => (rule.parameters ->> 'days')::integer)
            AND d.state <> 'DECLINED' AND p.is_natural_person
    )
    SELECT (SELECT q.id FROM party q JOIN dispute e ON e.id = q.dispute_id WHERE q.id_number_hash = r.id_number_hash
            ORDER BY e.registered_at, q.id LIMIT 1) AS subject,
        count(DISTINCT r.id) AS many, (array_agg(r.id ORDER BY r.registered_at DESC, r.id))[1] AS latest
    FROM recent r WHERE r.id_number_hash IS NOT NULL GROUP BY r.id_number_hash
    UNION ALL
    SELECT (SELECT q.id FROM party q JOIN dispute e ON e.id = q.dispute_id WHERE q.name = r.name AND q.phone = r.phone
            ORDER BY e.registered_at, q.id LIMIT 1),
        count(DISTINCT r.id), (array_agg(r.id ORDER BY r.registered_at DESC, r.id))[1]
    FROM recent r WHERE r.phone IS NOT NULL GROUP BY r.name, r.phone
) AS once
WHERE once.many >= (rule.parameters ->> 'count')::integer AND NOT EXISTS (
    SELECT FROM alert a WHERE a.rule = rule.rule AND a.subject = once.subject::text
        AND (a.state <> 'CLOSED' OR a.opened_at > $1 - make_interval(days => (rule.parameters ->> 'days')::integer)))
ORDER BY once.subject, once.many DESC
"""

# A supply that is still cut after the hours of the rule is red.
_STILL_CUT = """
SELECT a.id, 'RED', '超过 ' || (rule.parameters ->> 'hours') || ' 小时仍未恢复'
FROM rule, alert a JOIN dispute d ON d.id = a.dispute_id
WHERE a.rule = rule.rule AND a.state <> 'CLOSED' AND a.level <> 'RED' AND d.closed_at IS NULL
    AND d.registered_at < $1 - make_interval(hours => (rule.parameters ->> 'hours')::integer)
    AND NOT EXISTS (SELECT FROM measure m WHERE m.dispute_id = d.id AND m.kind = d.utility_cut AND m.done_at IS NOT NULL)
"""

_COMPOUND = _CLUSTER.format(key="d.compound_id", compound="cluster.subject", company="NULL::uuid", column="compound_id")
_COMPANY = _CLUSTER.format(key="c.company_id", compound="NULL::uuid", company="cluster.subject", column="company_id")

_RAISING = {"UTILITY_CUTOFF": _STILL_CUT, "OBLIGATION_OVERDUE": _OVERDUE_LONG}
_OPENING = {
    "MONTH_OVERDUE": _MONTH,
    "OBLIGATION_OVERDUE": _OVERDUE,
    "CONFIRMATION_WINDOW": _CONFIRMATION,
    "COMPOUND_CLUSTER": _COMPOUND,
    "COMPANY_CLUSTER": _COMPANY,
    "REPEAT_PARTY": _REPEAT,
}


async def open_due_alerts(connection: Connection, now: dt.datetime) -> int:
    """Open the alerts that are due at `now` and raise those that have grown worse, in one transaction. Returns how many were opened."""
    opened = 0
    async with connection.transaction():
        for rule, worse in _RAISING.items():
            await connection.execute(_RAISE.format(rule=rule, worse=worse, zone=COUNTY_ZONE), now)
        for rule, due in _OPENING.items():
            opened += await connection.fetchval(_OPEN.format(rule=rule, due=due, zone=COUNTY_ZONE), now)
    return opened

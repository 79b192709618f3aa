-- analyst
-- $1 v1_period_from
-- $2 claim_0_area_code
SELECT (
    SELECT access_epoch.epoch
    FROM access_epoch
  ) AS epoch,
  convert_to(CAST((
    SELECT row_to_json("-")
    FROM (
        SELECT anon_1.v0 AS "statistics"
      ) "-"
  ) AS TEXT), 'UTF8') AS data,
  '{}'::text[] AS missing
FROM (
    SELECT (
        SELECT (
            SELECT row_to_json("-")
            FROM (
                SELECT anon_3.resolved AS "resolved",
                  anon_3.follow_up_rate AS "followUpRate",
                  (
                    SELECT coalesce(json_agg((
                        SELECT row_to_json("-")
                        FROM (
                            SELECT anon_4.f0 AS "key",
                              anon_4.f1 AS "label",
                              anon_4.f2 AS "resolved"
                          ) "-"
                      ) ORDER BY anon_4.group_key), '[]'::json) AS coalesce_1
                    FROM (
                        SELECT anon_5.group_key AS group_key,
                          anon_5.group_key AS f0,
                          max((
                            SELECT area_1.name
                            FROM area AS area_1
                            WHERE area_1.code = anon_5.group_key
                          )) AS f1,
                          count(*) FILTER (WHERE anon_5.resolved) AS f2
                        FROM (
                            SELECT dispute_1.town_code AS group_key,
                              dispute_1.registered_at IS NOT NULL
                              AND dispute_1.registered_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE)) AS in_registered,
                              dispute_1.accepted_at IS NOT NULL
                              AND dispute_1.accepted_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE)) AS in_accepted,
                              dispute_1.concluded_at IS NOT NULL
                              AND dispute_1.concluded_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE))
                              AND dispute_1.accepted_at IS NOT NULL AS in_concluded,
                              dispute_1.state IN ('PERFORMED', 'CLOSED', 'ARCHIVED')
                              AND dispute_1.concluded_at IS NOT NULL
                              AND dispute_1.concluded_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE))
                              AND dispute_1.accepted_at IS NOT NULL AS resolved,
                              anon_6."full" > 0 AS agreed,
                              anon_6."full" <= 0
                              AND anon_6.partial > 0 AS partly_agreed,
                              dispute_1.state = 'FAILED' AS failed,
                              dispute_1.state = 'WITHDRAWN'
                              AND dispute_1.accepted_at IS NOT NULL AS withdrawn,
                              anon_6.effective_on - CAST(timezone('Asia/Shanghai', dispute_1.accepted_at) AS DATE) AS days,
                              anon_6.effective_on - CAST(timezone('Asia/Shanghai', dispute_1.accepted_at) AS DATE) IS NOT NULL AS has_days,
                              anon_6.due AS due_agreements,
                              anon_6.performed AS performed_agreements,
                              anon_7.done > 0 AS followed,
                              anon_7.ratings AS ratings,
                              anon_7.good AS good_ratings,
                              anon_7.total AS rating_total,
                              dispute_1.state IN ('CLOSED', 'ARCHIVED')
                              AND dispute_1.concluded_at IS NOT NULL
                              AND dispute_1.concluded_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE))
                              AND dispute_1.accepted_at IS NOT NULL AS closed,
                              EXISTS (
                                SELECT 1
                                FROM dispute AS dispute_2
                                WHERE dispute_2.previous_id = dispute_1.id
                                  AND dispute_2.county_code = $2::VARCHAR
                                  AND dispute_2.registered_at <= dispute_1.closed_at + interval '180 days'
                              ) AS rebounded,
                              EXISTS (
                                SELECT 1
                                FROM confirmation AS confirmation_1
                                WHERE confirmation_1.dispute_id = dispute_1.id
                                  AND confirmation_1.result = 'CONFIRMED'
                                  AND dispute_1.county_code = $2::VARCHAR
                              ) AS confirmed,
                              CAST(timezone('Asia/Shanghai', dispute_1.concluded_at) AS DATE) <= dispute_1.due_on AS on_time,
                              dispute_1.state IN ('PERFORMED', 'CLOSED', 'ARCHIVED')
                              AND dispute_1.concluded_at IS NOT NULL
                              AND dispute_1.concluded_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE))
                              AND dispute_1.accepted_at IS NOT NULL
                              AND NOT (EXISTS (
                                SELECT 1
                                FROM referral AS referral_1
                                WHERE referral_1.dispute_id = dispute_1.id
                                  AND referral_1.kind IN ('COURT_REFERRAL', 'TRANSFER')
                                  AND dispute_1.county_code = $2::VARCHAR
                              )) AS local
                            FROM dispute AS dispute_1
                            JOIN LATERAL (
                                SELECT min(agreement_1.effective_on) FILTER (WHERE agreement_1.scope = 'FULL') AS effective_on,
                                  count(*) FILTER (WHERE agreement_1.scope = 'FULL') AS "full",
                                  count(*) FILTER (WHERE agreement_1.scope != 'FULL') AS partial,
                                  count(*) FILTER (WHERE anon_8.last < (now() AT TIME ZONE 'Asia/Shanghai')::date) AS due,
                                  count(*) FILTER (WHERE anon_8.last < (now() AT TIME ZONE 'Asia/Shanghai')::date AND anon_8.performed) AS performed
                                FROM agreement AS agreement_1
                                JOIN LATERAL (
                                    SELECT max(obligation_1.due_on) AS last,
                                      bool_and(obligation_1.state IN ('PERFORMED', 'ENFORCED', 'EXCUSED')) AS performed
                                    FROM obligation AS obligation_1
                                    WHERE obligation_1.agreement_id = agreement_1.id
                                      AND dispute_1.county_code = $2::VARCHAR
                                  ) AS anon_8 ON true
                                WHERE agreement_1.dispute_id = dispute_1.id
                                  AND agreement_1.state IN ('EFFECTIVE', 'VARIED')
                                  AND dispute_1.county_code = $2::VARCHAR
                              ) AS anon_6 ON true
                            JOIN LATERAL (
                                SELECT count(*) AS done,
                                  count(follow_up_1.satisfaction) AS ratings,
                                  count(*) FILTER (WHERE follow_up_1.satisfaction >= 3) AS good,
                                  coalesce(sum(follow_up_1.satisfaction), 0) AS total
                                FROM follow_up AS follow_up_1
                                WHERE follow_up_1.dispute_id = dispute_1.id
                                  AND follow_up_1.done_at IS NOT NULL
                                  AND dispute_1.county_code = $2::VARCHAR
                              ) AS anon_7 ON true
                            WHERE dispute_1.id IN (
                                SELECT dispute_3.id AS id
                                FROM dispute AS dispute_3
                                WHERE dispute_3.county_code = $2::VARCHAR
                                  AND (dispute_3.registered_at IS NOT NULL AND dispute_3.registered_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE)) OR dispute_3.accepted_at IS NOT NULL AND dispute_3.accepted_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE)) OR dispute_3.concluded_at IS NOT NULL AND dispute_3.concluded_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE)))
                              )
                            LIMIT ALL
                            OFFSET 0
                          ) AS anon_5
                        WHERE anon_5.group_key IS NOT NULL
                        GROUP BY anon_5.group_key
                      ) AS anon_4
                  ) AS "groups"
              ) "-"
          ) AS anon_2
        FROM (
            SELECT count(*) FILTER (WHERE anon_9.resolved) AS resolved,
              round(CAST(count(*) FILTER (WHERE anon_9.resolved AND anon_9.followed) AS NUMERIC) / CAST(nullif(count(*) FILTER (WHERE anon_9.resolved), 0) AS NUMERIC), 4) AS follow_up_rate
            FROM (
                SELECT dispute_4.town_code AS group_key,
                  dispute_4.registered_at IS NOT NULL
                  AND dispute_4.registered_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE)) AS in_registered,
                  dispute_4.accepted_at IS NOT NULL
                  AND dispute_4.accepted_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE)) AS in_accepted,
                  dispute_4.concluded_at IS NOT NULL
                  AND dispute_4.concluded_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE))
                  AND dispute_4.accepted_at IS NOT NULL AS in_concluded,
                  dispute_4.state IN ('PERFORMED', 'CLOSED', 'ARCHIVED')
                  AND dispute_4.concluded_at IS NOT NULL
                  AND dispute_4.concluded_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE))
                  AND dispute_4.accepted_at IS NOT NULL AS resolved,
                  anon_10."full" > 0 AS agreed,
                  anon_10."full" <= 0
                  AND anon_10.partial > 0 AS partly_agreed,
                  dispute_4.state = 'FAILED' AS failed,
                  dispute_4.state = 'WITHDRAWN'
                  AND dispute_4.accepted_at IS NOT NULL AS withdrawn,
                  anon_10.effective_on - CAST(timezone('Asia/Shanghai', dispute_4.accepted_at) AS DATE) AS days,
                  anon_10.effective_on - CAST(timezone('Asia/Shanghai', dispute_4.accepted_at) AS DATE) IS NOT NULL AS has_days,
                  anon_10.due AS due_agreements,
                  anon_10.performed AS performed_agreements,
                  anon_11.done > 0 AS followed,
                  anon_11.ratings AS ratings,
                  anon_11.good AS good_ratings,
                  anon_11.total AS rating_total,
                  dispute_4.state IN ('CLOSED', 'ARCHIVED')
                  AND dispute_4.concluded_at IS NOT NULL
                  AND dispute_4.concluded_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE))
                  AND dispute_4.accepted_at IS NOT NULL AS closed,
                  EXISTS (
                    SELECT 1
                    FROM dispute AS dispute_5
                    WHERE dispute_5.previous_id = dispute_4.id
                      AND dispute_5.county_code = $2::VARCHAR
                      AND dispute_5.registered_at <= dispute_4.closed_at + interval '180 days'
                  ) AS rebounded,
                  EXISTS (
                    SELECT 1
                    FROM confirmation AS confirmation_2
                    WHERE confirmation_2.dispute_id = dispute_4.id
                      AND confirmation_2.result = 'CONFIRMED'
                      AND dispute_4.county_code = $2::VARCHAR
                  ) AS confirmed,
                  CAST(timezone('Asia/Shanghai', dispute_4.concluded_at) AS DATE) <= dispute_4.due_on AS on_time,
                  dispute_4.state IN ('PERFORMED', 'CLOSED', 'ARCHIVED')
                  AND dispute_4.concluded_at IS NOT NULL
                  AND dispute_4.concluded_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE))
                  AND dispute_4.accepted_at IS NOT NULL
                  AND NOT (EXISTS (
                    SELECT 1
                    FROM referral AS referral_2
                    WHERE referral_2.dispute_id = dispute_4.id
                      AND referral_2.kind IN ('COURT_REFERRAL', 'TRANSFER')
                      AND dispute_4.county_code = $2::VARCHAR
                  )) AS local
                FROM dispute AS dispute_4
                JOIN LATERAL (
                    SELECT min(agreement_2.effective_on) FILTER (WHERE agreement_2.scope = 'FULL') AS effective_on,
                      count(*) FILTER (WHERE agreement_2.scope = 'FULL') AS "full",
                      count(*) FILTER (WHERE agreement_2.scope != 'FULL') AS partial,
                      count(*) FILTER (WHERE anon_12.last < (now() AT TIME ZONE 'Asia/Shanghai')::date) AS due,
                      count(*) FILTER (WHERE anon_12.last < (now() AT TIME ZONE 'Asia/Shanghai')::date AND anon_12.performed) AS performed
                    FROM agreement AS agreement_2
                    JOIN LATERAL (
                        SELECT max(obligation_2.due_on) AS last,
                          bool_and(obligation_2.state IN ('PERFORMED', 'ENFORCED', 'EXCUSED')) AS performed
                        FROM obligation AS obligation_2
                        WHERE obligation_2.agreement_id = agreement_2.id
                          AND dispute_4.county_code = $2::VARCHAR
                      ) AS anon_12 ON true
                    WHERE agreement_2.dispute_id = dispute_4.id
                      AND agreement_2.state IN ('EFFECTIVE', 'VARIED')
                      AND dispute_4.county_code = $2::VARCHAR
                  ) AS anon_10 ON true
                JOIN LATERAL (
                    SELECT count(*) AS done,
                      count(follow_up_2.satisfaction) AS ratings,
                      count(*) FILTER (WHERE follow_up_2.satisfaction >= 3) AS good,
                      coalesce(sum(follow_up_2.satisfaction), 0) AS total
                    FROM follow_up AS follow_up_2
                    WHERE follow_up_2.dispute_id = dispute_4.id
                      AND follow_up_2.done_at IS NOT NULL
                      AND dispute_4.county_code = $2::VARCHAR
                  ) AS anon_11 ON true
                WHERE dispute_4.id IN (
                    SELECT dispute_6.id AS id
                    FROM dispute AS dispute_6
                    WHERE dispute_6.county_code = $2::VARCHAR
                      AND (dispute_6.registered_at IS NOT NULL AND dispute_6.registered_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE)) OR dispute_6.accepted_at IS NOT NULL AND dispute_6.accepted_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE)) OR dispute_6.concluded_at IS NOT NULL AND dispute_6.concluded_at >= timezone('Asia/Shanghai', CAST($1::DATE AS TIMESTAMP WITHOUT TIME ZONE)))
                  )
                LIMIT ALL
                OFFSET 0
              ) AS anon_9
          ) AS anon_3
      ) AS v0
    LIMIT ALL
    OFFSET 0
  ) AS anon_1

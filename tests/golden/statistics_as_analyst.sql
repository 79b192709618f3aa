-- analyst
-- $1 claim_0_area_code
-- $2 v1_period_years_start
-- $3 v1_period_months_start
-- $4 v1_period_month_head_end
-- $5 v1_period_start
-- $6 v1_period_head_end
WITH cte_1 AS (
    SELECT anon_1.key AS key,
      CAST(coalesce(sum(anon_1.accepted), 0) AS BIGINT) AS accepted,
      CAST(coalesce(sum(anon_1.finished), 0) AS BIGINT) AS finished,
      CAST(coalesce(sum(anon_1.followed), 0) AS BIGINT) AS followed,
      CAST(coalesce(sum(anon_1.registered), 0) AS BIGINT) AS registered,
      CAST(coalesce(sum(anon_1.resolved), 0) AS BIGINT) AS resolved
    FROM (
        SELECT nullif(tally_sum_1.group_value, '') AS key,
          sum(tally_sum_1.accepted) AS accepted,
          sum(tally_sum_1.finished) AS finished,
          sum(tally_sum_1.followed) AS followed,
          sum(tally_sum_1.registered) AS registered,
          sum(tally_sum_1.resolved) AS resolved
        FROM tally_sum AS tally_sum_1
        WHERE tally_sum_1.scope_kind = 'county_code'
          AND tally_sum_1.group_kind = 'TOWN'
          AND tally_sum_1.grain = 'YEAR'
          AND tally_sum_1.scope = CAST($1::VARCHAR AS TEXT)
          AND tally_sum_1.starts_on >= $2::DATE
        GROUP BY nullif(tally_sum_1.group_value, '')
        UNION ALL
        SELECT nullif(tally_sum_2.group_value, '') AS key,
          sum(tally_sum_2.accepted) AS accepted,
          sum(tally_sum_2.finished) AS finished,
          sum(tally_sum_2.followed) AS followed,
          sum(tally_sum_2.registered) AS registered,
          sum(tally_sum_2.resolved) AS resolved
        FROM tally_sum AS tally_sum_2
        WHERE tally_sum_2.scope_kind = 'county_code'
          AND tally_sum_2.group_kind = 'TOWN'
          AND tally_sum_2.grain = 'MONTH'
          AND tally_sum_2.scope = CAST($1::VARCHAR AS TEXT)
          AND tally_sum_2.starts_on >= $3::DATE
          AND tally_sum_2.starts_on < $4::DATE
        GROUP BY nullif(tally_sum_2.group_value, '')
        UNION ALL
        SELECT tally_change_1.town_code AS key,
          sum(tally_change_1.weight) FILTER (WHERE tally_change_1.accepted_on >= $3::DATE) AS accepted,
          sum(tally_change_1.weight) FILTER (WHERE tally_change_1.concluded_on >= $3::DATE) AS finished,
          sum(tally_change_1.weight * tally_change_1.followed) FILTER (WHERE tally_change_1.concluded_on >= $3::DATE) AS followed,
          sum(tally_change_1.weight) FILTER (WHERE tally_change_1.registered_on >= $3::DATE) AS registered,
          sum(tally_change_1.weight * tally_change_1.resolved) FILTER (WHERE tally_change_1.concluded_on >= $3::DATE) AS resolved
        FROM tally_change AS tally_change_1
        WHERE tally_change_1.county_code = $1::VARCHAR
        GROUP BY tally_change_1.town_code
        UNION ALL
        SELECT tally_1.town_code AS key,
          sum(1) FILTER (WHERE tally_1.accepted_on >= $5::DATE AND tally_1.accepted_on < $6::DATE) AS accepted,
          sum(1) FILTER (WHERE tally_1.concluded_on >= $5::DATE AND tally_1.concluded_on < $6::DATE) AS finished,
          sum(tally_1.followed) FILTER (WHERE tally_1.concluded_on >= $5::DATE AND tally_1.concluded_on < $6::DATE) AS followed,
          sum(1) FILTER (WHERE tally_1.registered_on >= $5::DATE AND tally_1.registered_on < $6::DATE) AS registered,
          sum(tally_1.resolved) FILTER (WHERE tally_1.concluded_on >= $5::DATE AND tally_1.concluded_on < $6::DATE) AS resolved
        FROM tally AS tally_1
        WHERE tally_1.county_code = $1::VARCHAR
          AND (tally_1.accepted_on >= $5::DATE AND tally_1.accepted_on < $6::DATE OR tally_1.concluded_on >= $5::DATE AND tally_1.concluded_on < $6::DATE OR tally_1.registered_on >= $5::DATE AND tally_1.registered_on < $6::DATE)
        GROUP BY tally_1.town_code
      ) AS anon_1
    GROUP BY anon_1.key
  )
SELECT whole_1.epoch,
  CASE WHEN (octet_length(whole_1.data) <= coalesce(nullif(current_setting('sanlian.max_answer_bytes', true), '')::int, 8388608)) THEN whole_1.data END AS data,
  whole_1.missing,
  CASE WHEN (octet_length(whole_1.data) > coalesce(nullif(current_setting('sanlian.max_answer_bytes', true), '')::int, 8388608)) THEN ARRAY[octet_length(whole_1.data),
  coalesce(nullif(current_setting('sanlian.max_answer_bytes', true), '')::int, 8388608)] END AS excess
FROM (
    SELECT (
        SELECT access_epoch.epoch
        FROM access_epoch
      ) AS epoch,
      convert_to(CAST((
        SELECT row_to_json("-")
        FROM (
            SELECT answer_1.v0 AS "statistics"
          ) "-"
      ) AS TEXT), 'UTF8') AS data,
      '{}'::text[] AS missing
    FROM (
        SELECT (
            SELECT (
                SELECT row_to_json("-")
                FROM (
                    SELECT totals_1.resolved AS "resolved",
                      totals_1.follow_up_rate AS "followUpRate",
                      (
                        SELECT coalesce(json_agg((
                            SELECT row_to_json("-")
                            FROM (
                                SELECT cte_1.key AS "key",
                                  (
                                    SELECT area_1.name
                                    FROM area AS area_1
                                    WHERE area_1.code = cte_1.key
                                  ) AS "label",
                                  cte_1.resolved AS "resolved"
                              ) "-"
                          ) ORDER BY cte_1.key), '[]'::json)
                        FROM cte_1
                        WHERE cte_1.key IS NOT NULL
                          AND cte_1.registered + cte_1.accepted + cte_1.finished > 0
                      ) AS "groups"
                  ) "-"
              )
            FROM (
                SELECT CAST(coalesce(sum(cte_1.resolved), 0) AS BIGINT) AS "resolved",
                  round(CAST(CAST(coalesce(sum(cte_1.followed), 0) AS BIGINT) AS NUMERIC) / CAST(nullif(CAST(coalesce(sum(cte_1.resolved), 0) AS BIGINT), 0) AS NUMERIC), 4) AS "follow_up_rate"
                FROM cte_1
                HAVING true
              ) AS totals_1
          ) AS "v0"
        OFFSET 0
      ) AS answer_1
    OFFSET 0
  ) AS whole_1

-- bureau_admin
-- $1 claim_0_area_code
-- $2 v2_size
-- $3 v2_size_mark
-- $4 v1_state
-- $5 v2_size_after_0
-- $6 v2_size_after_1
WITH cte_1 AS (
    SELECT anon_1.key AS key,
      CAST(coalesce(sum(anon_1.registered), 0) AS BIGINT) AS registered
    FROM (
        SELECT nullif(tally_sum_1.group_value, '') AS key,
          sum(tally_sum_1.registered) AS registered
        FROM tally_sum AS tally_sum_1
        WHERE tally_sum_1.scope_kind = 'county_code'
          AND tally_sum_1.group_kind = 'STATE'
          AND tally_sum_1.grain = 'YEAR'
          AND tally_sum_1.scope = CAST($1::VARCHAR AS TEXT)
        GROUP BY nullif(tally_sum_1.group_value, '')
        UNION ALL
        SELECT tally_change_1.state AS key,
          sum(tally_change_1.weight) FILTER (WHERE tally_change_1.registered_on IS NOT NULL) AS registered
        FROM tally_change AS tally_change_1
        WHERE tally_change_1.county_code = $1::VARCHAR
        GROUP BY tally_change_1.state
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
            SELECT answer_1.v0 AS "disputes"
          ) "-"
      ) AS TEXT), 'UTF8') AS data,
      '{}'::text[] AS missing
    FROM (
        SELECT (
            SELECT (
                SELECT row_to_json("-")
                FROM (
                    SELECT max(counted_1.total) AS "totalCount",
                      (
                        SELECT row_to_json("-")
                        FROM (
                            SELECT count(page_1.rn) > $2::INTEGER AS "hasNextPage",
                              CASE WHEN (least(count(page_1.rn), $2::INTEGER) > 0) THEN translate(encode(convert_to(CAST(json_build_array($3::VARCHAR, (array_agg(page_1.k0 ORDER BY page_1.rn ASC) FILTER (WHERE page_1.rn <= $2::INTEGER))[least(count(page_1.rn), $2::INTEGER)], (array_agg(page_1.k1 ORDER BY page_1.rn ASC) FILTER (WHERE page_1.rn <= $2::INTEGER))[least(count(page_1.rn), $2::INTEGER)]) AS TEXT), 'UTF8'), 'base64'), E'\n', '') END AS "endCursor"
                          ) "-"
                      ) AS "pageInfo",
                      coalesce(json_agg(page_1.j2 ORDER BY page_1.rn ASC) FILTER (WHERE page_1.rn <= $2::INTEGER), '[]'::json) AS "nodes"
                  ) "-"
              )
            FROM (
                SELECT (
                    SELECT CAST(coalesce(sum(cte_1.registered), 0) AS BIGINT) AS coalesce_1
                    FROM cte_1
                    WHERE cte_1.key = any($4::TEXT[])
                  ) AS total,
                  false AS capped
              ) AS counted_1
            LEFT OUTER JOIN (
                SELECT row_number() OVER (ORDER BY dispute_3.registered_at DESC, dispute_3.id DESC) AS rn,
                  dispute_3.registered_at AS k0,
                  dispute_3.id AS k1,
                  CASE WHEN (row_number() OVER (ORDER BY dispute_3.registered_at DESC, dispute_3.id DESC) <= $2::INTEGER) THEN row_to_json("-_1") END AS j2
                FROM (
                    SELECT dispute_1.id,
                      dispute_1.case_number,
                      dispute_1.title,
                      dispute_1.category,
                      dispute_1.sub_category,
                      dispute_1.source,
                      dispute_1.state,
                      dispute_1.tier,
                      dispute_1.risk_level,
                      dispute_1.result,
                      dispute_1.amount_claimed,
                      dispute_1.people_count,
                      dispute_1.summary,
                      dispute_1.public_summary,
                      dispute_1.occurred_on,
                      dispute_1.registered_at,
                      dispute_1.notified_at,
                      dispute_1.accepted_at,
                      dispute_1.due_on,
                      dispute_1.concluded_at,
                      dispute_1.closed_at,
                      dispute_1.utility_cut,
                      dispute_1.decline_reason,
                      dispute_1.advice,
                      dispute_1.outcome,
                      dispute_1.external_ref,
                      dispute_1.version,
                      dispute_1.late_days,
                      dispute_1.one_hand,
                      dispute_1.hand_id,
                      dispute_1.committee_id,
                      dispute_1.case_year,
                      dispute_1.case_sequence,
                      dispute_1.grid_code,
                      dispute_1.community_code,
                      dispute_1.town_code,
                      dispute_1.county_code,
                      dispute_1.compound_id,
                      dispute_1.team_id,
                      dispute_1.squad_id,
                      dispute_1.centre_id,
                      dispute_1.source_organization_id,
                      dispute_1.previous_id,
                      dispute_1.public_grams,
                      dispute_1.narrative_grams
                    FROM (
                        SELECT anon_2.id AS id
                        FROM (
                            SELECT anon_3.id AS id,
                              anon_3.registered_at AS registered_at
                            FROM (
                                SELECT DISTINCT unnest($4::TEXT[]) AS value
                              ) AS anon_4
                            JOIN LATERAL (
                                SELECT anon_5.id AS id,
                                  anon_5.registered_at AS registered_at
                                FROM (
                                    SELECT dispute_2.id AS id,
                                      dispute_2.registered_at AS registered_at
                                    FROM dispute AS dispute_2
                                    WHERE dispute_2.county_code = $1::VARCHAR
                                      AND dispute_2.state = anon_4.value
                                      AND (dispute_2.registered_at, dispute_2.id) < ($5::TIMESTAMP WITH TIME ZONE, $6::UUID)
                                    ORDER BY dispute_2.registered_at DESC,
                                      dispute_2.id DESC
                                    LIMIT 201
                                  ) AS anon_5
                                ORDER BY anon_5.registered_at DESC,
                                  anon_5.id DESC
                                LIMIT $2::INTEGER + 1
                              ) AS anon_3 ON true
                          ) AS anon_2
                        ORDER BY anon_2.registered_at DESC,
                          anon_2.id DESC
                        LIMIT $2::INTEGER + 1
                      ) AS anon_6
                    JOIN dispute AS dispute_1 ON dispute_1.id = anon_6.id
                    ORDER BY dispute_1.registered_at DESC,
                      dispute_1.id DESC
                    LIMIT $2::INTEGER + 1
                  ) AS dispute_3
                JOIN LATERAL (
                    SELECT 'Dispute:' || CAST(dispute_3.id AS TEXT) AS "id",
                      dispute_3.title AS "title",
                      dispute_3.summary AS "summary",
                      CAST(dispute_3.amount_claimed AS TEXT) AS "amountClaimed",
                      (
                        SELECT row_to_json("-")
                        FROM (
                            SELECT (
                                SELECT person_1.name
                                FROM person AS person_1
                                WHERE person_1.id = mediator_1.person_id
                              ) AS "name"
                            FROM mediator AS mediator_1
                            WHERE mediator_1.person_id = (
                                SELECT assignment_1.person_id
                                FROM assignment AS assignment_1
                                WHERE assignment_1.dispute_id = dispute_3.id
                                  AND assignment_1.is_lead
                                  AND assignment_1.ended_at IS NULL
                              )
                          ) AS "-"
                      ) AS "leadMediator",
                      (
                        SELECT coalesce(json_agg(row_to_json("-")), '[]'::json)
                        FROM (
                            SELECT CASE WHEN party_1.is_natural_person THEN mask_name(party_1.name) ELSE party_1.name END AS "name",
                              mask_phone(party_1.phone) AS "phone",
                              party_1.id_number AS "idNumber",
                              (
                                SELECT row_to_json("-")
                                FROM (
                                    SELECT '["isMinor"]'::json AS "hidden",
                                      '["name","phone","address","idNumber","agentName"]'::json AS "masked"
                                  ) "-"
                              ) AS "access"
                            FROM party AS party_1
                            WHERE party_1.dispute_id = dispute_3.id
                            ORDER BY party_1.side,
                              party_1.id
                          ) AS "-"
                      ) AS "parties"
                  ) AS "-_1" ON true
              ) AS page_1 ON true
            HAVING true
          ) AS "v0"
        OFFSET 0
      ) AS answer_1
    OFFSET 0
  ) AS whole_1

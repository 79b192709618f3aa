-- bureau_admin
-- $1 v2_size
-- $2 claim_0_area_code
-- $3 v1_state
-- $4 v2_size_after_0
-- $5 v2_size_after_1
WITH anon_5 AS (
    SELECT anon_6.key AS key,
      CAST(coalesce(sum(anon_6.registered), 0) AS BIGINT) AS registered
    FROM (
        SELECT nullif(tally_sum_1.group_value, '') AS key,
          sum(tally_sum_1.registered) AS registered
        FROM tally_sum AS tally_sum_1
        WHERE tally_sum_1.scope_kind = 'county_code'
          AND tally_sum_1.group_kind = 'STATE'
          AND tally_sum_1.grain = 'YEAR'
          AND tally_sum_1.scope = CAST($2::VARCHAR AS TEXT)
        GROUP BY nullif(tally_sum_1.group_value, '')
        UNION ALL
        SELECT tally_change_1.state AS key,
          sum(tally_change_1.weight) FILTER (WHERE tally_change_1.registered_on IS NOT NULL) AS registered
        FROM tally_change AS tally_change_1
        WHERE tally_change_1.county_code = $2::VARCHAR
        GROUP BY tally_change_1.state
      ) AS anon_6
    GROUP BY anon_6.key
  )
SELECT (
    SELECT access_epoch.epoch
    FROM access_epoch
  ) AS epoch,
  convert_to(CAST((
    SELECT row_to_json("-")
    FROM (
        SELECT anon_1.v0 AS "disputes"
      ) "-"
  ) AS TEXT), 'UTF8') AS data,
  '{}'::text[] AS missing
FROM (
    SELECT (
        SELECT (
            SELECT row_to_json("-")
            FROM (
                SELECT max(anon_3.total) AS "totalCount",
                  (
                    SELECT row_to_json("-")
                    FROM (
                        SELECT count(anon_4.rn) > $1::INTEGER AS "hasNextPage",
                          CASE WHEN (least(count(anon_4.rn), $1::INTEGER) > 0) THEN translate(encode(convert_to(CAST(json_build_array((array_agg(anon_4.k0 ORDER BY anon_4.rn ASC) FILTER (WHERE anon_4.rn <= $1::INTEGER))[least(count(anon_4.rn), $1::INTEGER)], (array_agg(anon_4.k1 ORDER BY anon_4.rn ASC) FILTER (WHERE anon_4.rn <= $1::INTEGER))[least(count(anon_4.rn), $1::INTEGER)]) AS TEXT), 'UTF8'), 'base64'), E'\n', '') END AS "endCursor"
                      ) "-"
                  ) AS "pageInfo",
                  coalesce(json_agg(anon_4.j2 ORDER BY anon_4.rn ASC) FILTER (WHERE anon_4.rn <= $1::INTEGER), '[]'::json) AS "nodes"
              ) "-"
          ) AS anon_2
        FROM (
            SELECT (
                SELECT CAST(coalesce(sum(anon_5.registered), 0) AS BIGINT) AS coalesce_1
                FROM anon_5
                WHERE anon_5.key = any($3::TEXT[])
              ) AS total,
              false AS capped
          ) AS anon_3
        LEFT OUTER JOIN (
            SELECT row_number() OVER (ORDER BY anon_7.registered_at DESC, anon_7.id DESC) AS rn,
              anon_7.registered_at AS k0,
              anon_7.id AS k1,
              CASE WHEN (row_number() OVER (ORDER BY anon_7.registered_at DESC, anon_7.id DESC) <= $1::INTEGER) THEN row_to_json("-2") END AS j2
            FROM (
                SELECT dispute_1.id AS id,
                  dispute_1.case_number AS case_number,
                  dispute_1.title AS title,
                  dispute_1.category AS category,
                  dispute_1.sub_category AS sub_category,
                  dispute_1.source AS source,
                  dispute_1.state AS state,
                  dispute_1.tier AS tier,
                  dispute_1.risk_level AS risk_level,
                  dispute_1.result AS result,
                  dispute_1.amount_claimed AS amount_claimed,
                  dispute_1.people_count AS people_count,
                  dispute_1.summary AS summary,
                  dispute_1.public_summary AS public_summary,
                  dispute_1.occurred_on AS occurred_on,
                  dispute_1.registered_at AS registered_at,
                  dispute_1.notified_at AS notified_at,
                  dispute_1.accepted_at AS accepted_at,
                  dispute_1.due_on AS due_on,
                  dispute_1.concluded_at AS concluded_at,
                  dispute_1.closed_at AS closed_at,
                  dispute_1.utility_cut AS utility_cut,
                  dispute_1.decline_reason AS decline_reason,
                  dispute_1.advice AS advice,
                  dispute_1.outcome AS outcome,
                  dispute_1.external_ref AS external_ref,
                  dispute_1.version AS version,
                  dispute_1.committee_id AS committee_id,
                  dispute_1.case_year AS case_year,
                  dispute_1.case_sequence AS case_sequence,
                  dispute_1.grid_code AS grid_code,
                  dispute_1.community_code AS community_code,
                  dispute_1.town_code AS town_code,
                  dispute_1.county_code AS county_code,
                  dispute_1.compound_id AS compound_id,
                  dispute_1.team_id AS team_id,
                  dispute_1.squad_id AS squad_id,
                  dispute_1.centre_id AS centre_id,
                  dispute_1.source_organization_id AS source_organization_id,
                  dispute_1.previous_id AS previous_id,
                  dispute_1.public_grams AS public_grams,
                  dispute_1.narrative_grams AS narrative_grams
                FROM (
                    SELECT anon_9.id AS id
                    FROM (
                        SELECT anon_10.id AS id,
                          anon_10.registered_at AS registered_at
                        FROM (
                            SELECT DISTINCT unnest($3::TEXT[]) AS value
                          ) AS anon_11
                        JOIN LATERAL (
                            SELECT anon_12.id AS id,
                              anon_12.registered_at AS registered_at
                            FROM (
                                SELECT dispute_2.id AS id,
                                  dispute_2.registered_at AS registered_at
                                FROM dispute AS dispute_2
                                WHERE dispute_2.county_code = $2::VARCHAR
                                  AND dispute_2.state = anon_11.value
                                  AND (dispute_2.registered_at, dispute_2.id) < ($4::TIMESTAMP WITH TIME ZONE, $5::UUID)
                                ORDER BY dispute_2.registered_at DESC,
                                  dispute_2.id DESC
                                LIMIT 201
                              ) AS anon_12
                            ORDER BY anon_12.registered_at DESC,
                              anon_12.id DESC
                            LIMIT $1::INTEGER + 1
                          ) AS anon_10 ON true
                      ) AS anon_9
                    ORDER BY anon_9.registered_at DESC,
                      anon_9.id DESC
                    LIMIT $1::INTEGER + 1
                  ) AS anon_8
                JOIN dispute AS dispute_1 ON dispute_1.id = anon_8.id
                ORDER BY dispute_1.registered_at DESC,
                  dispute_1.id DESC
                LIMIT $1::INTEGER + 1
              ) AS anon_7
            JOIN LATERAL (
                SELECT 'Dispute:' || CAST(anon_7.id AS TEXT) AS id,
                  anon_7.title AS title,
                  anon_7.summary AS summary,
                  CAST(anon_7.amount_claimed AS TEXT) AS "amountClaimed",
                  (
                    SELECT row_to_json("-") AS row_to_json_1
                    FROM (
                        SELECT (
                            SELECT person_1.name
                            FROM person AS person_1
                            WHERE person_1.id = mediator_1.person_id
                          ) AS name
                        FROM mediator AS mediator_1
                        WHERE mediator_1.person_id = (
                            SELECT assignment_1.person_id
                            FROM assignment AS assignment_1
                            WHERE assignment_1.dispute_id = anon_7.id
                              AND assignment_1.is_lead
                              AND assignment_1.ended_at IS NULL
                          )
                      ) AS "-"
                  ) AS "leadMediator",
                  (
                    SELECT coalesce(json_agg(row_to_json("-")), '[]'::json) AS coalesce_2
                    FROM (
                        SELECT CASE WHEN party_1.is_natural_person THEN mask_name(party_1.name) ELSE party_1.name END AS name,
                          mask_phone(party_1.phone) AS phone,
                          party_1.id_number AS "idNumber",
                          (
                            SELECT row_to_json("-")
                            FROM (
                                SELECT '["isMinor"]'::json AS "hidden",
                                  '["name","phone","address","idNumber","agentName"]'::json AS "masked"
                              ) "-"
                          ) AS access
                        FROM party AS party_1
                        WHERE party_1.dispute_id = anon_7.id
                        ORDER BY party_1.side,
                          party_1.id
                      ) AS "-"
                  ) AS parties
              ) AS "-2" ON true
          ) AS anon_4 ON true
        HAVING true
      ) AS v0
    LIMIT ALL
    OFFSET 0
  ) AS anon_1

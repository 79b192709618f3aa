-- grid_worker + grid_worker + law_leader
-- $1 v1_size
-- $2 claim_0_area_code
-- $3 claim_1_area_code
-- $4 claim_2_team_ids
WITH anon_7 AS (
    SELECT anon_8.id AS id,
      anon_8.registered_at AS registered_at
    FROM (
        SELECT dispute_1.id AS id,
          dispute_1.registered_at AS registered_at
        FROM dispute AS dispute_1
        WHERE dispute_1.grid_code = $2::VARCHAR
        ORDER BY dispute_1.registered_at DESC,
          dispute_1.id DESC
        LIMIT 10001
      ) AS anon_8
    ORDER BY anon_8.registered_at DESC,
      anon_8.id DESC
  ),
  anon_10 AS (
    SELECT anon_11.id AS id,
      anon_11.registered_at AS registered_at
    FROM (
        SELECT dispute_2.id AS id,
          dispute_2.registered_at AS registered_at
        FROM dispute AS dispute_2
        WHERE dispute_2.grid_code = $3::VARCHAR
        ORDER BY dispute_2.registered_at DESC,
          dispute_2.id DESC
        LIMIT 10001
      ) AS anon_11
    ORDER BY anon_11.registered_at DESC,
      anon_11.id DESC
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
            SELECT least(count(*), 10000) AS total,
              count(*) > 10000 AS capped
            FROM (
                SELECT anon_6.id AS id
                FROM (
                    SELECT anon_7.id AS id
                    FROM anon_7
                    LIMIT 10001
                  ) AS anon_6
                UNION
                SELECT anon_9.id AS id
                FROM (
                    SELECT anon_10.id AS id
                    FROM anon_10
                    LIMIT 10001
                  ) AS anon_9
                UNION
                SELECT anon_12.id AS id
                FROM (
                    SELECT DISTINCT unnest($4::UUID[]) AS value
                  ) AS anon_13
                JOIN LATERAL (
                    SELECT dispute_3.id AS id
                    FROM dispute AS dispute_3
                    WHERE dispute_3.team_id = anon_13.value
                    LIMIT 10001
                  ) AS anon_12 ON true
              ) AS anon_5
          ) AS anon_3
        LEFT OUTER JOIN (
            SELECT row_number() OVER (ORDER BY anon_14.registered_at DESC, anon_14.id DESC) AS rn,
              anon_14.registered_at AS k0,
              anon_14.id AS k1,
              CASE WHEN (row_number() OVER (ORDER BY anon_14.registered_at DESC, anon_14.id DESC) <= $1::INTEGER) THEN row_to_json("-2") END AS j2
            FROM (
                SELECT dispute_4.id AS id,
                  dispute_4.case_number AS case_number,
                  dispute_4.title AS title,
                  dispute_4.category AS category,
                  dispute_4.sub_category AS sub_category,
                  dispute_4.source AS source,
                  dispute_4.state AS state,
                  dispute_4.tier AS tier,
                  dispute_4.risk_level AS risk_level,
                  dispute_4.result AS result,
                  dispute_4.amount_claimed AS amount_claimed,
                  dispute_4.people_count AS people_count,
                  dispute_4.summary AS summary,
                  dispute_4.public_summary AS public_summary,
                  dispute_4.occurred_on AS occurred_on,
                  dispute_4.registered_at AS registered_at,
                  dispute_4.notified_at AS notified_at,
                  dispute_4.accepted_at AS accepted_at,
                  dispute_4.due_on AS due_on,
                  dispute_4.concluded_at AS concluded_at,
                  dispute_4.closed_at AS closed_at,
                  dispute_4.utility_cut AS utility_cut,
                  dispute_4.decline_reason AS decline_reason,
                  dispute_4.advice AS advice,
                  dispute_4.outcome AS outcome,
                  dispute_4.external_ref AS external_ref,
                  dispute_4.version AS version,
                  dispute_4.committee_id AS committee_id,
                  dispute_4.case_year AS case_year,
                  dispute_4.case_sequence AS case_sequence,
                  dispute_4.grid_code AS grid_code,
                  dispute_4.community_code AS community_code,
                  dispute_4.town_code AS town_code,
                  dispute_4.county_code AS county_code,
                  dispute_4.compound_id AS compound_id,
                  dispute_4.team_id AS team_id,
                  dispute_4.squad_id AS squad_id,
                  dispute_4.centre_id AS centre_id,
                  dispute_4.source_organization_id AS source_organization_id,
                  dispute_4.previous_id AS previous_id,
                  dispute_4.public_grams AS public_grams,
                  dispute_4.narrative_grams AS narrative_grams
                FROM (
                    SELECT anon_16.id AS id
                    FROM (
                        SELECT anon_17.id AS id,
                          anon_17.registered_at AS registered_at
                        FROM (
                            SELECT anon_18.id AS id,
                              anon_18.registered_at AS registered_at
                            FROM (
                                SELECT anon_7.id AS id,
                                  anon_7.registered_at AS registered_at
                                FROM anon_7
                                ORDER BY anon_7.registered_at DESC,
                                  anon_7.id DESC
                                LIMIT 201
                              ) AS anon_18
                            ORDER BY anon_18.registered_at DESC,
                              anon_18.id DESC
                            LIMIT $1::INTEGER + 1
                          ) AS anon_17
                        UNION
                        SELECT anon_19.id AS id,
                          anon_19.registered_at AS registered_at
                        FROM (
                            SELECT anon_20.id AS id,
                              anon_20.registered_at AS registered_at
                            FROM (
                                SELECT anon_10.id AS id,
                                  anon_10.registered_at AS registered_at
                                FROM anon_10
                                ORDER BY anon_10.registered_at DESC,
                                  anon_10.id DESC
                                LIMIT 201
                              ) AS anon_20
                            ORDER BY anon_20.registered_at DESC,
                              anon_20.id DESC
                            LIMIT $1::INTEGER + 1
                          ) AS anon_19
                        UNION
                        SELECT anon_21.id AS id,
                          anon_21.registered_at AS registered_at
                        FROM (
                            SELECT DISTINCT unnest($4::UUID[]) AS value
                          ) AS anon_22
                        JOIN LATERAL (
                            SELECT anon_23.id AS id,
                              anon_23.registered_at AS registered_at
                            FROM (
                                SELECT dispute_3.id AS id,
                                  dispute_3.registered_at AS registered_at
                                FROM dispute AS dispute_3
                                WHERE dispute_3.team_id = anon_22.value
                                ORDER BY dispute_3.registered_at DESC,
                                  dispute_3.id DESC
                                LIMIT 201
                              ) AS anon_23
                            ORDER BY anon_23.registered_at DESC,
                              anon_23.id DESC
                            LIMIT $1::INTEGER + 1
                          ) AS anon_21 ON true
                      ) AS anon_16
                    ORDER BY anon_16.registered_at DESC,
                      anon_16.id DESC
                    LIMIT $1::INTEGER + 1
                  ) AS anon_15
                JOIN dispute AS dispute_4 ON dispute_4.id = anon_15.id
                ORDER BY dispute_4.registered_at DESC,
                  dispute_4.id DESC
                LIMIT $1::INTEGER + 1
              ) AS anon_14
            JOIN LATERAL (
                SELECT 'Dispute:' || CAST(anon_14.id AS TEXT) AS id,
                  anon_14.title AS title,
                  CASE WHEN (anon_14.grid_code = $2::VARCHAR AND anon_14.tier = 'TEAM' OR anon_14.grid_code = $3::VARCHAR AND anon_14.tier = 'TEAM' OR anon_14.team_id = any($4::UUID[]) AND anon_14.tier = 'TEAM') THEN anon_14.summary ELSE NULL END AS summary,
                  NULL AS "amountClaimed",
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
                            WHERE assignment_1.dispute_id = anon_14.id
                              AND assignment_1.is_lead
                              AND assignment_1.ended_at IS NULL
                          )
                      ) AS "-"
                  ) AS "leadMediator",
                  (
                    SELECT coalesce(json_agg(row_to_json("-")), '[]'::json) AS coalesce_1
                    FROM (
                        SELECT CASE WHEN (anon_14.grid_code = $2::VARCHAR AND anon_14.tier = 'TEAM' AND (anon_14.closed_at > now() - interval '30 days' OR anon_14.closed_at IS NULL AND anon_14.id IS NOT NULL) OR anon_14.grid_code = $3::VARCHAR AND anon_14.tier = 'TEAM' AND (anon_14.closed_at > now() - interval '30 days' OR anon_14.closed_at IS NULL AND anon_14.id IS NOT NULL) OR anon_14.team_id = any($4::UUID[]) AND anon_14.tier = 'TEAM') THEN party_1.name ELSE CASE WHEN party_1.is_natural_person THEN mask_name(party_1.name) ELSE party_1.name END END AS name,
                          CASE WHEN (anon_14.grid_code = $2::VARCHAR AND anon_14.tier = 'TEAM' AND (anon_14.closed_at > now() - interval '30 days' OR anon_14.closed_at IS NULL AND anon_14.id IS NOT NULL) OR anon_14.grid_code = $3::VARCHAR AND anon_14.tier = 'TEAM' AND (anon_14.closed_at > now() - interval '30 days' OR anon_14.closed_at IS NULL AND anon_14.id IS NOT NULL) OR anon_14.team_id = any($4::UUID[]) AND anon_14.tier = 'TEAM') THEN mask_phone(party_1.phone) ELSE NULL END AS phone,
                          NULL AS "idNumber",
                          (
                            SELECT row_to_json("-")
                            FROM (
                                SELECT to_json('{idNumber,agentPowers,isMinor}'::text[] || CASE WHEN (false IS NOT true AND (anon_14.grid_code = $2::VARCHAR AND anon_14.tier = 'TEAM' AND (anon_14.closed_at > now() - interval '30 days' OR anon_14.closed_at IS NULL AND anon_14.id IS NOT NULL) OR anon_14.grid_code = $3::VARCHAR AND anon_14.tier = 'TEAM' AND (anon_14.closed_at > now() - interval '30 days' OR anon_14.closed_at IS NULL AND anon_14.id IS NOT NULL) OR anon_14.team_id = any($4::UUID[]) AND anon_14.tier = 'TEAM') IS NOT true) THEN '{phone}'::text[] ELSE '{}'::text[] END || CASE WHEN ((anon_14.grid_code = $2::VARCHAR AND anon_14.tier = 'TEAM' AND (anon_14.closed_at > now() - interval '30 days' OR anon_14.closed_at IS NULL AND anon_14.id IS NOT NULL) OR anon_14.grid_code = $3::VARCHAR AND anon_14.tier = 'TEAM' AND (anon_14.closed_at > now() - interval '30 days' OR anon_14.closed_at IS NULL AND anon_14.id IS NOT NULL) OR anon_14.team_id = any($4::UUID[]) AND anon_14.tier = 'TEAM') IS NOT true AND false IS NOT true) THEN '{consent,consentOn}'::text[] ELSE '{}'::text[] END) AS "hidden",
                                  to_json('{}'::text[] || CASE WHEN ((anon_14.grid_code = $2::VARCHAR AND anon_14.tier = 'TEAM' AND (anon_14.closed_at > now() - interval '30 days' OR anon_14.closed_at IS NULL AND anon_14.id IS NOT NULL) OR anon_14.grid_code = $3::VARCHAR AND anon_14.tier = 'TEAM' AND (anon_14.closed_at > now() - interval '30 days' OR anon_14.closed_at IS NULL AND anon_14.id IS NOT NULL) OR anon_14.team_id = any($4::UUID[]) AND anon_14.tier = 'TEAM') IS NOT true AND (anon_14.grid_code = $2::VARCHAR AND anon_14.tier = 'TEAM' OR anon_14.grid_code = $3::VARCHAR AND anon_14.tier = 'TEAM' OR anon_14.team_id = any($4::UUID[]) AND anon_14.tier = 'TEAM') IS true) THEN '{name,agentName}'::text[] ELSE '{}'::text[] END || CASE WHEN (false IS NOT true AND (anon_14.grid_code = $2::VARCHAR AND anon_14.tier = 'TEAM' AND (anon_14.closed_at > now() - interval '30 days' OR anon_14.closed_at IS NULL AND anon_14.id IS NOT NULL) OR anon_14.grid_code = $3::VARCHAR AND anon_14.tier = 'TEAM' AND (anon_14.closed_at > now() - interval '30 days' OR anon_14.closed_at IS NULL AND anon_14.id IS NOT NULL) OR anon_14.team_id = any($4::UUID[]) AND anon_14.tier = 'TEAM') IS true) THEN '{phone}'::text[] ELSE '{}'::text[] END || CASE WHEN ((anon_14.grid_code = $2::VARCHAR AND anon_14.tier = 'TEAM' AND (anon_14.closed_at > now() - interval '30 days' OR anon_14.closed_at IS NULL AND anon_14.id IS NOT NULL) OR anon_14.grid_code = $3::VARCHAR AND anon_14.tier = 'TEAM' AND (anon_14.closed_at > now() - interval '30 days' OR anon_14.closed_at IS NULL AND anon_14.id IS NOT NULL)) IS NOT true AND (anon_14.grid_code = $2::VARCHAR AND anon_14.tier = 'TEAM' OR anon_14.grid_code = $3::VARCHAR AND anon_14.tier = 'TEAM' OR anon_14.team_id = any($4::UUID[]) AND anon_14.tier = 'TEAM') IS true) THEN '{address}'::text[] ELSE '{}'::text[] END) AS "masked"
                              ) "-"
                          ) AS access
                        FROM party AS party_1
                        WHERE party_1.dispute_id = anon_14.id
                          AND (anon_14.grid_code = $2::VARCHAR AND anon_14.tier = 'TEAM' OR anon_14.grid_code = $3::VARCHAR AND anon_14.tier = 'TEAM' OR anon_14.team_id = any($4::UUID[]) AND anon_14.tier = 'TEAM')
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

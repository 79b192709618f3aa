-- grid_worker + grid_worker + law_leader
-- $1 claim_0_area_code
-- $2 claim_1_area_code
-- $3 v1_size
-- $4 v1_size_mark
-- $5 claim_2_team_ids
WITH cte_1 AS (
    SELECT anon_1.id AS id,
      anon_1.registered_at AS registered_at
    FROM (
        SELECT dispute_1.id AS id,
          dispute_1.registered_at AS registered_at
        FROM dispute AS dispute_1
        WHERE dispute_1.grid_code = $1::VARCHAR
        ORDER BY dispute_1.registered_at DESC,
          dispute_1.id DESC
        LIMIT 10001
      ) AS anon_1
    ORDER BY anon_1.registered_at DESC,
      anon_1.id DESC
  ),
  cte_2 AS (
    SELECT anon_2.id AS id,
      anon_2.registered_at AS registered_at
    FROM (
        SELECT dispute_2.id AS id,
          dispute_2.registered_at AS registered_at
        FROM dispute AS dispute_2
        WHERE dispute_2.grid_code = $2::VARCHAR
        ORDER BY dispute_2.registered_at DESC,
          dispute_2.id DESC
        LIMIT 10001
      ) AS anon_2
    ORDER BY anon_2.registered_at DESC,
      anon_2.id DESC
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
                            SELECT count(page_1.rn) > $3::INTEGER AS "hasNextPage",
                              CASE WHEN (least(count(page_1.rn), $3::INTEGER) > 0) THEN translate(encode(convert_to(CAST(json_build_array($4::VARCHAR, (array_agg(page_1.k0 ORDER BY page_1.rn ASC) FILTER (WHERE page_1.rn <= $3::INTEGER))[least(count(page_1.rn), $3::INTEGER)], (array_agg(page_1.k1 ORDER BY page_1.rn ASC) FILTER (WHERE page_1.rn <= $3::INTEGER))[least(count(page_1.rn), $3::INTEGER)]) AS TEXT), 'UTF8'), 'base64'), E'\n', '') END AS "endCursor"
                          ) "-"
                      ) AS "pageInfo",
                      coalesce(json_agg(page_1.j2 ORDER BY page_1.rn ASC) FILTER (WHERE page_1.rn <= $3::INTEGER), '[]'::json) AS "nodes"
                  ) "-"
              )
            FROM (
                SELECT least(count(*), 10000) AS total,
                  count(*) > 10000 AS capped
                FROM (
                    SELECT anon_12.id AS id
                    FROM (
                        SELECT cte_1.id AS id
                        FROM cte_1
                        LIMIT 10001
                      ) AS anon_12
                    UNION
                    SELECT anon_13.id AS id
                    FROM (
                        SELECT cte_2.id AS id
                        FROM cte_2
                        LIMIT 10001
                      ) AS anon_13
                    UNION
                    SELECT anon_14.id AS id
                    FROM (
                        SELECT DISTINCT unnest($5::UUID[]) AS value
                      ) AS anon_15
                    JOIN LATERAL (
                        SELECT dispute_5.id AS id
                        FROM dispute AS dispute_5
                        WHERE dispute_5.team_id = anon_15.value
                        LIMIT 10001
                      ) AS anon_14 ON true
                  ) AS anon_16
              ) AS counted_1
            LEFT OUTER JOIN (
                SELECT row_number() OVER (ORDER BY dispute_6.registered_at DESC, dispute_6.id DESC) AS rn,
                  dispute_6.registered_at AS k0,
                  dispute_6.id AS k1,
                  CASE WHEN (row_number() OVER (ORDER BY dispute_6.registered_at DESC, dispute_6.id DESC) <= $3::INTEGER) THEN row_to_json("-_1") END AS j2
                FROM (
                    SELECT dispute_3.id,
                      dispute_3.case_number,
                      dispute_3.title,
                      dispute_3.category,
                      dispute_3.sub_category,
                      dispute_3.source,
                      dispute_3.state,
                      dispute_3.tier,
                      dispute_3.risk_level,
                      dispute_3.result,
                      dispute_3.amount_claimed,
                      dispute_3.people_count,
                      dispute_3.summary,
                      dispute_3.public_summary,
                      dispute_3.occurred_on,
                      dispute_3.registered_at,
                      dispute_3.notified_at,
                      dispute_3.accepted_at,
                      dispute_3.due_on,
                      dispute_3.concluded_at,
                      dispute_3.closed_at,
                      dispute_3.utility_cut,
                      dispute_3.decline_reason,
                      dispute_3.advice,
                      dispute_3.outcome,
                      dispute_3.external_ref,
                      dispute_3.version,
                      dispute_3.late_days,
                      dispute_3.one_hand,
                      dispute_3.hand_id,
                      dispute_3.committee_id,
                      dispute_3.case_year,
                      dispute_3.case_sequence,
                      dispute_3.grid_code,
                      dispute_3.community_code,
                      dispute_3.town_code,
                      dispute_3.county_code,
                      dispute_3.compound_id,
                      dispute_3.team_id,
                      dispute_3.squad_id,
                      dispute_3.centre_id,
                      dispute_3.source_organization_id,
                      dispute_3.previous_id,
                      dispute_3.public_grams,
                      dispute_3.narrative_grams
                    FROM (
                        SELECT anon_3.id AS id
                        FROM (
                            SELECT anon_4.id AS id,
                              anon_4.registered_at AS registered_at
                            FROM (
                                SELECT anon_5.id AS id,
                                  anon_5.registered_at AS registered_at
                                FROM (
                                    SELECT cte_1.id AS id,
                                      cte_1.registered_at AS registered_at
                                    FROM cte_1
                                    ORDER BY cte_1.registered_at DESC,
                                      cte_1.id DESC
                                    LIMIT 201
                                  ) AS anon_5
                                ORDER BY anon_5.registered_at DESC,
                                  anon_5.id DESC
                                LIMIT $3::INTEGER + 1
                              ) AS anon_4
                            UNION
                            SELECT anon_6.id AS id,
                              anon_6.registered_at AS registered_at
                            FROM (
                                SELECT anon_7.id AS id,
                                  anon_7.registered_at AS registered_at
                                FROM (
                                    SELECT cte_2.id AS id,
                                      cte_2.registered_at AS registered_at
                                    FROM cte_2
                                    ORDER BY cte_2.registered_at DESC,
                                      cte_2.id DESC
                                    LIMIT 201
                                  ) AS anon_7
                                ORDER BY anon_7.registered_at DESC,
                                  anon_7.id DESC
                                LIMIT $3::INTEGER + 1
                              ) AS anon_6
                            UNION
                            SELECT anon_8.id AS id,
                              anon_8.registered_at AS registered_at
                            FROM (
                                SELECT DISTINCT unnest($5::UUID[]) AS value
                              ) AS anon_9
                            JOIN LATERAL (
                                SELECT anon_10.id AS id,
                                  anon_10.registered_at AS registered_at
                                FROM (
                                    SELECT dispute_4.id AS id,
                                      dispute_4.registered_at AS registered_at
                                    FROM dispute AS dispute_4
                                    WHERE dispute_4.team_id = anon_9.value
                                    ORDER BY dispute_4.registered_at DESC,
                                      dispute_4.id DESC
                                    LIMIT 201
                                  ) AS anon_10
                                ORDER BY anon_10.registered_at DESC,
                                  anon_10.id DESC
                                LIMIT $3::INTEGER + 1
                              ) AS anon_8 ON true
                          ) AS anon_3
                        ORDER BY anon_3.registered_at DESC,
                          anon_3.id DESC
                        LIMIT $3::INTEGER + 1
                      ) AS anon_11
                    JOIN dispute AS dispute_3 ON dispute_3.id = anon_11.id
                    ORDER BY dispute_3.registered_at DESC,
                      dispute_3.id DESC
                    LIMIT $3::INTEGER + 1
                  ) AS dispute_6
                JOIN LATERAL (
                    SELECT 'Dispute:' || CAST(dispute_6.id AS TEXT) AS "id",
                      dispute_6.title AS "title",
                      CASE WHEN (dispute_6.grid_code = $1::VARCHAR AND dispute_6.tier = 'TEAM' OR dispute_6.grid_code = $2::VARCHAR AND dispute_6.tier = 'TEAM' OR dispute_6.team_id = any($5::UUID[]) AND dispute_6.tier = 'TEAM') THEN dispute_6.summary ELSE NULL END AS "summary",
                      NULL AS "amountClaimed",
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
                                WHERE assignment_1.dispute_id = dispute_6.id
                                  AND assignment_1.is_lead
                                  AND assignment_1.ended_at IS NULL
                              )
                          ) AS "-"
                      ) AS "leadMediator",
                      (
                        SELECT coalesce(json_agg(row_to_json("-")), '[]'::json)
                        FROM (
                            SELECT CASE WHEN (dispute_6.grid_code = $1::VARCHAR AND dispute_6.tier = 'TEAM' AND (dispute_6.closed_at > now() - interval '30 days' OR dispute_6.closed_at IS NULL AND dispute_6.id IS NOT NULL) OR dispute_6.grid_code = $2::VARCHAR AND dispute_6.tier = 'TEAM' AND (dispute_6.closed_at > now() - interval '30 days' OR dispute_6.closed_at IS NULL AND dispute_6.id IS NOT NULL) OR dispute_6.team_id = any($5::UUID[]) AND dispute_6.tier = 'TEAM') THEN party_1.name ELSE CASE WHEN party_1.is_natural_person THEN mask_name(party_1.name) ELSE party_1.name END END AS "name",
                              CASE WHEN (dispute_6.grid_code = $1::VARCHAR AND dispute_6.tier = 'TEAM' AND (dispute_6.closed_at > now() - interval '30 days' OR dispute_6.closed_at IS NULL AND dispute_6.id IS NOT NULL) OR dispute_6.grid_code = $2::VARCHAR AND dispute_6.tier = 'TEAM' AND (dispute_6.closed_at > now() - interval '30 days' OR dispute_6.closed_at IS NULL AND dispute_6.id IS NOT NULL) OR dispute_6.team_id = any($5::UUID[]) AND dispute_6.tier = 'TEAM') THEN mask_phone(party_1.phone) ELSE NULL END AS "phone",
                              NULL AS "idNumber",
                              (
                                SELECT row_to_json("-")
                                FROM (
                                    SELECT to_json('{idNumber,agentPowers,isMinor}'::text[] || CASE WHEN (false IS NOT true AND (dispute_6.grid_code = $1::VARCHAR AND dispute_6.tier = 'TEAM' AND (dispute_6.closed_at > now() - interval '30 days' OR dispute_6.closed_at IS NULL AND dispute_6.id IS NOT NULL) OR dispute_6.grid_code = $2::VARCHAR AND dispute_6.tier = 'TEAM' AND (dispute_6.closed_at > now() - interval '30 days' OR dispute_6.closed_at IS NULL AND dispute_6.id IS NOT NULL) OR dispute_6.team_id = any($5::UUID[]) AND dispute_6.tier = 'TEAM') IS NOT true) THEN '{phone}'::text[] ELSE '{}'::text[] END || CASE WHEN ((dispute_6.grid_code = $1::VARCHAR AND dispute_6.tier = 'TEAM' AND (dispute_6.closed_at > now() - interval '30 days' OR dispute_6.closed_at IS NULL AND dispute_6.id IS NOT NULL) OR dispute_6.grid_code = $2::VARCHAR AND dispute_6.tier = 'TEAM' AND (dispute_6.closed_at > now() - interval '30 days' OR dispute_6.closed_at IS NULL AND dispute_6.id IS NOT NULL) OR dispute_6.team_id = any($5::UUID[]) AND dispute_6.tier = 'TEAM') IS NOT true AND false IS NOT true) THEN '{consent,consentOn}'::text[] ELSE '{}'::text[] END) AS "hidden",
                                      to_json('{}'::text[] || CASE WHEN ((dispute_6.grid_code = $1::VARCHAR AND dispute_6.tier = 'TEAM' AND (dispute_6.closed_at > now() - interval '30 days' OR dispute_6.closed_at IS NULL AND dispute_6.id IS NOT NULL) OR dispute_6.grid_code = $2::VARCHAR AND dispute_6.tier = 'TEAM' AND (dispute_6.closed_at > now() - interval '30 days' OR dispute_6.closed_at IS NULL AND dispute_6.id IS NOT NULL) OR dispute_6.team_id = any($5::UUID[]) AND dispute_6.tier = 'TEAM') IS NOT true AND (dispute_6.grid_code = $1::VARCHAR AND dispute_6.tier = 'TEAM' OR dispute_6.grid_code = $2::VARCHAR AND dispute_6.tier = 'TEAM' OR dispute_6.team_id = any($5::UUID[]) AND dispute_6.tier = 'TEAM') IS true) THEN '{name,agentName}'::text[] ELSE '{}'::text[] END || CASE WHEN (false IS NOT true AND (dispute_6.grid_code = $1::VARCHAR AND dispute_6.tier = 'TEAM' AND (dispute_6.closed_at > now() - interval '30 days' OR dispute_6.closed_at IS NULL AND dispute_6.id IS NOT NULL) OR dispute_6.grid_code = $2::VARCHAR AND dispute_6.tier = 'TEAM' AND (dispute_6.closed_at > now() - interval '30 days' OR dispute_6.closed_at IS NULL AND dispute_6.id IS NOT NULL) OR dispute_6.team_id = any($5::UUID[]) AND dispute_6.tier = 'TEAM') IS true) THEN '{phone}'::text[] ELSE '{}'::text[] END || CASE WHEN ((dispute_6.grid_code = $1::VARCHAR AND dispute_6.tier = 'TEAM' AND (dispute_6.closed_at > now() - interval '30 days' OR dispute_6.closed_at IS NULL AND dispute_6.id IS NOT NULL) OR dispute_6.grid_code = $2::VARCHAR AND dispute_6.tier = 'TEAM' AND (dispute_6.closed_at > now() - interval '30 days' OR dispute_6.closed_at IS NULL AND dispute_6.id IS NOT NULL)) IS NOT true AND (dispute_6.grid_code = $1::VARCHAR AND dispute_6.tier = 'TEAM' OR dispute_6.grid_code = $2::VARCHAR AND dispute_6.tier = 'TEAM' OR dispute_6.team_id = any($5::UUID[]) AND dispute_6.tier = 'TEAM') IS true) THEN '{address}'::text[] ELSE '{}'::text[] END) AS "masked"
                                  ) "-"
                              ) AS "access"
                            FROM party AS party_1
                            WHERE party_1.dispute_id = dispute_6.id
                              AND (dispute_6.grid_code = $1::VARCHAR AND dispute_6.tier = 'TEAM' OR dispute_6.grid_code = $2::VARCHAR AND dispute_6.tier = 'TEAM' OR dispute_6.team_id = any($5::UUID[]) AND dispute_6.tier = 'TEAM')
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

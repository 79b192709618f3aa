-- mediator
-- $1 claim_0_person_id
-- $2 v1_size
-- $3 v1_size_mark
WITH cte_1 AS (
    SELECT anon_1.id AS id,
      anon_1.registered_at AS registered_at
    FROM (
        SELECT DISTINCT ON (assignment_1.dispute_registered_at, assignment_1.dispute_id) assignment_1.dispute_id AS id,
          assignment_1.dispute_registered_at AS registered_at
        FROM assignment AS assignment_1
        WHERE assignment_1.person_id = $1::UUID
          AND assignment_1.ended_at IS NULL
        ORDER BY assignment_1.dispute_registered_at DESC,
          assignment_1.dispute_id DESC
        LIMIT 10001
      ) AS anon_1
    ORDER BY anon_1.registered_at DESC,
      anon_1.id DESC
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
                SELECT least(count(*), 10000) AS total,
                  count(*) > 10000 AS capped
                FROM (
                    SELECT anon_6.id AS id
                    FROM (
                        SELECT cte_1.id AS id
                        FROM cte_1
                        LIMIT 10001
                      ) AS anon_6
                  ) AS anon_7
              ) AS counted_1
            LEFT OUTER JOIN (
                SELECT row_number() OVER (ORDER BY dispute_2.registered_at DESC, dispute_2.id DESC) AS rn,
                  dispute_2.registered_at AS k0,
                  dispute_2.id AS k1,
                  CASE WHEN (row_number() OVER (ORDER BY dispute_2.registered_at DESC, dispute_2.id DESC) <= $2::INTEGER) THEN row_to_json("-_1") END AS j2
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
                                SELECT anon_4.id AS id,
                                  anon_4.registered_at AS registered_at
                                FROM (
                                    SELECT cte_1.id AS id,
                                      cte_1.registered_at AS registered_at
                                    FROM cte_1
                                    ORDER BY cte_1.registered_at DESC,
                                      cte_1.id DESC
                                    LIMIT 201
                                  ) AS anon_4
                                ORDER BY anon_4.registered_at DESC,
                                  anon_4.id DESC
                                LIMIT $2::INTEGER + 1
                              ) AS anon_3
                          ) AS anon_2
                        ORDER BY anon_2.registered_at DESC,
                          anon_2.id DESC
                        LIMIT $2::INTEGER + 1
                      ) AS anon_5
                    JOIN dispute AS dispute_1 ON dispute_1.id = anon_5.id
                    ORDER BY dispute_1.registered_at DESC,
                      dispute_1.id DESC
                    LIMIT $2::INTEGER + 1
                  ) AS dispute_2
                JOIN LATERAL (
                    SELECT 'Dispute:' || CAST(dispute_2.id AS TEXT) AS "id",
                      dispute_2.title AS "title",
                      dispute_2.summary AS "summary",
                      CAST(dispute_2.amount_claimed AS TEXT) AS "amountClaimed",
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
                                SELECT assignment_2.person_id
                                FROM assignment AS assignment_2
                                WHERE assignment_2.dispute_id = dispute_2.id
                                  AND assignment_2.is_lead
                                  AND assignment_2.ended_at IS NULL
                              )
                          ) AS "-"
                      ) AS "leadMediator",
                      (
                        SELECT coalesce(json_agg(row_to_json("-")), '[]'::json)
                        FROM (
                            SELECT party_1.name AS "name",
                              party_1.phone AS "phone",
                              party_1.id_number AS "idNumber",
                              (
                                SELECT row_to_json("-")
                                FROM (
                                    SELECT '[]'::json AS "hidden",
                                      '["idNumber"]'::json AS "masked"
                                  ) "-"
                              ) AS "access"
                            FROM party AS party_1
                            WHERE party_1.dispute_id = dispute_2.id
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

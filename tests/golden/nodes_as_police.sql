-- police
-- $1 claim_0_organization_id
-- $2 v1_ids_types
-- $3 v1_ids_ids
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
            SELECT answer_1.v0 AS "nodes"
          ) "-"
      ) AS TEXT), 'UTF8') AS data,
      '{}'::text[] AS missing
    FROM (
        SELECT (
            SELECT coalesce(json_agg(CASE WHEN (asked_1.kind = 'Party') THEN (
                SELECT row_to_json("-")
                FROM (
                    SELECT 'Party:' || CAST(party_1.id AS TEXT) AS "id",
                      party_1.name AS "name",
                      mask_phone(party_1.phone) AS "phone",
                      (
                        SELECT row_to_json("-")
                        FROM (
                            SELECT dispute_2.title AS "title"
                            FROM dispute AS dispute_2
                            WHERE dispute_2.id = party_1.dispute_id
                              AND ((EXISTS (
                                SELECT 1
                                FROM referral AS referral_2
                                WHERE referral_2.dispute_id = dispute_2.id
                                  AND referral_2.organization_id = $1::UUID
                                  AND referral_2.state != 'WITHDRAWN'
                              )) OR dispute_2.source_organization_id = $1::UUID)
                          ) AS "-"
                      ) AS "dispute"
                    FROM party AS party_1
                    LEFT OUTER JOIN dispute AS dispute_1 ON dispute_1.id = party_1.dispute_id
                    WHERE party_1.id = asked_1.value
                      AND (EXISTS (
                        SELECT 1
                        FROM referral AS referral_1
                        WHERE referral_1.dispute_id = party_1.dispute_id
                          AND referral_1.organization_id = $1::UUID
                          AND referral_1.state != 'WITHDRAWN'
                      ))
                  ) AS "-"
              ) WHEN (asked_1.kind = 'Note') THEN (
                SELECT row_to_json("-")
                FROM (
                    SELECT 'Note:' || CAST(note_1.id AS TEXT) AS "id",
                      note_1.text AS "text"
                    FROM note AS note_1
                    LEFT OUTER JOIN dispute AS dispute_3 ON dispute_3.id = note_1.dispute_id
                    WHERE note_1.id = asked_1.value
                      AND (EXISTS (
                        SELECT 1
                        FROM referral AS referral_3
                        WHERE referral_3.dispute_id = note_1.dispute_id
                          AND referral_3.organization_id = $1::UUID
                          AND referral_3.state != 'WITHDRAWN'
                      ))
                      AND (EXISTS (
                        SELECT 1
                        FROM attendance AS attendance_1
                        WHERE attendance_1.session_id = note_1.session_id
                          AND attendance_1.organization_id = $1::UUID
                      ))
                      AND note_1.visibility = 'SHARED'
                  ) AS "-"
              ) END ORDER BY asked_1.place), '[]'::json)
            FROM unnest($2::TEXT[], $3::UUID[]) WITH ORDINALITY AS asked_1(kind, value, place)
          ) AS "v0"
        OFFSET 0
      ) AS answer_1
    OFFSET 0
  ) AS whole_1

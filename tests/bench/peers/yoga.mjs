// GraphQL Yoga, written by hand: pg, prepared statements, one DataLoader for each relation and request.
import { createServer } from "node:http";
import DataLoader from "dataloader";
import { createSchema, createYoga } from "graphql-yoga";
import pg from "pg";

const [port, address, access] = [Number(process.argv[2]), JSON.parse(process.argv[3]), JSON.parse(process.argv[4])];
const text = (value) => value;
pg.types.setTypeParser(pg.types.builtins.DATE, text);
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (value) => `${value.replace(" ", "T")}:00`);
pg.types.setTypeParser(pg.types.builtins.INT8, Number);
const pool = new pg.Pool({
  host: address.host, port: address.port, database: address.database, user: address.user, max: 6,
  options: "-c timezone=UTC",
});

const names = new Map();
function ask(sql, values) {
  let name = names.get(sql);
  if (name === undefined) names.set(sql, (name = `q${names.size}`));
  return pool.query({ name, text: sql, values }).then((answer) => answer.rows);
}

const DISPUTE = `d.id, d.case_number, d.title, d.category, d.sub_category, d.source, d.state, d.tier, d.risk_level, d.amount_claimed,
  d.people_count, d.summary, d.public_summary, d.occurred_on, d.registered_at, d.accepted_at, d.due_on, d.concluded_at, d.closed_at,
  d.outcome, d.version, d.compound_id,
  coalesce(d.due_on < (now() AT TIME ZONE 'Asia/Shanghai')::date AND d.state IN ('ACCEPTED', 'MEDIATING'), false) AS overdue`;
const TODAY = "(now() AT TIME ZONE 'Asia/Shanghai')::date";
const FIRST = ["infinity", "ffffffff-ffff-ffff-ffff-ffffffffffff"];

// Lists of a key's rows. `$1` are the keys; a claim, where the rule needs one, is `$2`.
function many(sql, claim, key = "dispute_id") {
  return new DataLoader(async (keys) => {
    const rows = await ask(sql, sql.includes("$2") ? [keys, claim] : [keys]);
    const found = new Map(keys.map((one) => [one, []]));
    for (const row of rows) found.get(row[key]).push(row);
    return keys.map((one) => found.get(one));
  });
}
function one(sql, key = "id") {
  return new DataLoader(async (keys) => {
    const found = new Map((await ask(sql, [keys])).map((row) => [row[key], row]));
    return keys.map((wanted) => found.get(wanted) ?? null);
  });
}

const nothing = { load: async () => [] };

function loaders(role, claim) {
  const rule = access[role];
  const granted = new Set(rule.parts);
  const second = (sql) => sql.replaceAll("$1", "$2");
  const withDispute = /\bd\./.test(rule.party + rule.name + rule.phone) ? "JOIN dispute d ON d.id = p.dispute_id" : "";
  const part = (name, sql) => (granted.has(name) ? many(sql, claim) : nothing);
  return {
    parties: many(
      `SELECT p.dispute_id, p.id, p.side, p.kind, ${rule.name} AS name, ${rule.phone} AS phone, ${rule.address} AS address, p.consent,
         p.consent_on, p.company_id
       FROM party p ${withDispute} WHERE p.dispute_id = ANY ($1::uuid[]) AND ${second(rule.party)} ORDER BY p.side, p.id`, claim),
    lead: one(
      `SELECT a.dispute_id, w.name FROM assignment a JOIN person w ON w.id = a.person_id
       WHERE a.dispute_id = ANY ($1::uuid[]) AND a.is_lead AND a.ended_at IS NULL`, "dispute_id"),
    assignments: part("assignment",
      `SELECT dispute_id, is_lead, mode, assigned_at, person_id FROM assignment WHERE dispute_id = ANY ($1::uuid[])
       ORDER BY assigned_at, id`),
    sessions: part("session",
      "SELECT dispute_id, held_at, place, is_joint, result, record FROM session WHERE dispute_id = ANY ($1::uuid[]) ORDER BY held_at, id"),
    agreements: part("agreement",
      `SELECT dispute_id, id, form, scope, state, content, agreed_on, effective_on FROM agreement WHERE dispute_id = ANY ($1::uuid[])
       ORDER BY agreed_on, id`),
    followUps: part("follow_up",
      `SELECT dispute_id, due_on, done_at, method, result, satisfaction, remark FROM follow_up WHERE dispute_id = ANY ($1::uuid[])
       ORDER BY due_on, id`),
    referrals: part("referral",
      `SELECT dispute_id, kind, state, sent_at, reason, organization_id FROM referral WHERE dispute_id = ANY ($1::uuid[])
       ORDER BY sent_at, id`),
    obligations: many(
      `SELECT agreement_id, kind, content, amount, due_on, state, performed_on FROM obligation WHERE agreement_id = ANY ($1::uuid[])
       ORDER BY due_on, id`, claim, "agreement_id"),
    compound: one("SELECT id, name, address FROM compound WHERE id = ANY ($1::uuid[])"),
    company: one("SELECT id, name FROM company WHERE id = ANY ($1::uuid[])"),
    organization: one("SELECT id, name FROM organization WHERE id = ANY ($1::uuid[])"),
    person: one("SELECT id, name FROM person WHERE id = ANY ($1::uuid[])"),
    dispute: one(`SELECT ${DISPUTE} FROM dispute d WHERE d.id = ANY ($1::uuid[])`),
  };
}

async function page(first, after, { rule, claim }) {
  const from = after ? JSON.parse(Buffer.from(after, "base64").toString()) : FIRST;
  const rows = await ask(
    `WITH keys AS MATERIALIZED (${rule.keys}) SELECT ${DISPUTE} FROM keys JOIN dispute d ON d.id = keys.id
     ORDER BY d.registered_at DESC, d.id DESC`, [claim, from[0], from[1], first + 1]);
  return connection(rows, first);
}

function connection(rows, first, count) {
  const nodes = rows.slice(0, first);
  const last = nodes.at(-1);
  return {
    nodes,
    totalCount: count,
    pageInfo: {
      hasNextPage: rows.length > first,
      endCursor: () => last && Buffer.from(JSON.stringify([last.registered_at, last.id])).toString("base64"),
    },
  };
}

async function filtered(first, filter, { rule, claim }) {
  const conditions = [rule.visible];
  const values = [claim];
  for (const [name, column] of [["state", "state"], ["subCategory", "sub_category"]]) {
    if (filter[name]) conditions.push(`d.${column} = ANY ($${values.push(filter[name])}::text[])`);
  }
  const where = conditions.join(" AND ");
  const rows = await ask(
    `SELECT ${DISPUTE} FROM dispute d WHERE ${where} ORDER BY d.registered_at DESC, d.id DESC LIMIT $${values.length + 1}::int`,
    [...values, first + 1]);
  const count = () => ask(`SELECT count(*) AS n FROM dispute d WHERE ${where}`, values).then((answer) => answer[0].n);
  return connection(rows, first, count);
}

async function statistics(column, { rule, claim }) {
  const label = column === "town_code" ? "(SELECT name FROM area WHERE code = town_code)" : column;
  const groups = await ask(
    `SELECT ${column} AS key, ${label} AS label, registered, accepted, concluded, resolved FROM (
       SELECT ${column}, count(*) AS registered, count(accepted_at) AS accepted,
         count(*) FILTER (WHERE concluded_at IS NOT NULL AND accepted_at IS NOT NULL) AS concluded,
         count(*) FILTER (WHERE concluded_at IS NOT NULL AND accepted_at IS NOT NULL AND state IN ('PERFORMED', 'CLOSED', 'ARCHIVED'))
           AS resolved
       FROM dispute d WHERE ${rule.visible} GROUP BY ${column}) AS counted ORDER BY ${column}`, [claim]);
  if (!rule.exact) {
    for (const group of groups) {
      for (const name of ["registered", "accepted", "concluded", "resolved"]) {
        if (group[name] >= 1 && group[name] <= 4) group[name] = null;
      }
    }
  }
  return { groups };
}

const camel = {
  Dispute: `case_number sub_category risk_level amount_claimed people_count public_summary occurred_on registered_at accepted_at due_on
    concluded_at closed_at`,
  Party: "consent_on", Assignment: "is_lead assigned_at", Session: "held_at is_joint", Agreement: "agreed_on effective_on",
  Obligation: "due_on performed_on", FollowUp: "due_on done_at", Referral: "sent_at",
};
const resolvers = {};
for (const [type, columns] of Object.entries(camel)) {
  resolvers[type] = {};
  for (const column of columns.split(/\s+/)) {
    resolvers[type][column.replace(/_(.)/g, (_, letter) => letter.toUpperCase())] = (row) => row[column];
  }
}
const load = (loader, key) => (row, _, context) => context.loaders[loader].load(row[key]);
Object.assign(resolvers.Dispute, {
  id: (row) => `Dispute:${row.id}`,
  compound: load("compound", "compound_id"),
  leadMediator: load("lead", "id"),
  ...Object.fromEntries(["parties", "assignments", "sessions", "agreements", "followUps", "referrals"].map((name) => [name, load(name, "id")])),
});
Object.assign(resolvers.Party, {
  id: (row) => `Party:${row.id}`,
  company: (row, _, context) => row.company_id && context.loaders.company.load(row.company_id),
});
resolvers.Assignment.mediator = load("person", "person_id");
resolvers.Agreement.obligations = load("obligations", "id");
resolvers.Referral.organization = load("organization", "organization_id");
Object.assign(resolvers.FollowUp, { id: (row) => `FollowUp:${row.id}`, dispute: load("dispute", "dispute_id") });
resolvers.Query = {
  disputes: (_, { first, after, filter }, context) =>
    filter ? filtered(first, filter, context) : page(first, after, context),
  dispute: async (_, { id }, { rule, claim }) =>
    (await ask(`SELECT ${DISPUTE} FROM dispute d WHERE ${rule.visible} AND d.id = $2::uuid`, [claim, id.slice("Dispute:".length)]))[0],
  statistics: (_, { groupBy }, context) => statistics(groupBy === "TOWN" ? "town_code" : "state", context),
  followUps: async (_, { first }, { rule, claim }) => ({
    nodes: await ask(
      `SELECT f.id, f.due_on, f.dispute_id, true AS overdue FROM follow_up f JOIN dispute d ON d.id = f.dispute_id
       WHERE ${rule.visible} AND f.done_at IS NULL AND f.due_on < ${TODAY} ORDER BY f.due_on, f.id LIMIT $2::int`, [claim, first]),
  }),
};

const typeDefs = /* GraphQL */ `
  enum DisputeState {
    REGISTERED ACCEPTED DECLINED MEDIATING AGREED PERFORMING PERFORMED CLOSED ARCHIVED FAILED WITHDRAWN REFUSED
  }
  enum DisputeSubCategory { P01 P02 P03 P04 P05 P06 P07 P08 P09 P10 P11 P12 P13 P14 P15 P16 P17 P18 P19 P99 }
  enum StatisticsGroupBy { TOWN STATE }
  input DisputeFilter { state: [DisputeState!] subCategory: [DisputeSubCategory!] }
  input FollowUpFilter { done: Boolean overdue: Boolean }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type DisputeConnection { totalCount: Int! pageInfo: PageInfo! nodes: [Dispute!]! }
  type FollowUpConnection { nodes: [FollowUp!]! }
  type Named { name: String }
  type Compound { name: String address: String }
  type Dispute {
    id: ID! caseNumber: String title: String category: String subCategory: String source: String state: String tier: String
    riskLevel: String amountClaimed: String peopleCount: Int summary: String publicSummary: String occurredOn: String
    registeredAt: String acceptedAt: String dueOn: String overdue: Boolean concludedAt: String closedAt: String outcome: String version: Int
    compound: Compound leadMediator: Named parties: [Party!]! assignments: [Assignment!]! sessions: [Session!]!
    agreements: [Agreement!]! followUps: [FollowUp!]! referrals: [Referral!]!
  }
  type Party {
    id: ID! side: String kind: String name: String phone: String address: String consent: String consentOn: String company: Named
  }
  type Assignment { isLead: Boolean mode: String assignedAt: String mediator: Named }
  type Session { heldAt: String place: String isJoint: Boolean result: String record: String }
  type Agreement {
    form: String scope: String state: String content: String agreedOn: String effectiveOn: String obligations: [Obligation!]!
  }
  type Obligation { kind: String content: String amount: String dueOn: String state: String performedOn: String }
  type FollowUp {
    id: ID! dueOn: String doneAt: String overdue: Boolean method: String result: String satisfaction: Int remark: String dispute: Dispute
  }
  type Referral { kind: String state: String sentAt: String reason: String organization: Named }
  type Statistics { groups: [Group!]! }
  type Group { key: String label: String registered: Int accepted: Int concluded: Int resolved: Int }
  type Query {
    disputes(first: Int!, after: String, filter: DisputeFilter): DisputeConnection!
    dispute(id: ID!): Dispute
    followUps(first: Int!, filter: FollowUpFilter): FollowUpConnection!
    statistics(groupBy: StatisticsGroupBy!): Statistics!
  }
`;

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  graphiql: false,
  logging: false,
  landingPage: false,
  maskedErrors: false,
  context({ request }) {
    const [role, claim] = request.headers.get("x-caller").split(" ");
    return { rule: access[role], claim, loaders: loaders(role, claim) };
  },
});
createServer(yoga).listen(port, "127.0.0.1");
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));

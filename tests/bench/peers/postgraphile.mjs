// PostGraphile with row-level security: the caller's header becomes a database role and its claim (see guarding.py).
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

const [port, address] = [Number(process.argv[2]), JSON.parse(process.argv[3])];
const preset = {
  extends: [PostGraphileAmberPreset],
  // Every column may be ordered by, not only the indexed ones.
  disablePlugins: ["PgIndexBehaviorsPlugin"],
  pgServices: [
    makePgService({
      poolConfig: { host: address.host, port: address.port, database: address.database, user: address.user, max: 6 },
      schemas: ["public"],
    }),
  ],
  grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false },
  grafast: {
    explain: false,
    context(context) {
      const [role, claim] = context.node.req.headers["x-caller"].split(" ");
      return { pgSettings: { role: `bench_${role}`, "bench.role": role, "bench.claim": claim } };
    },
  },
};

if (process.argv[4] === "print") {
  const { printSchema } = await import("graphql");
  const text = printSchema(await postgraphile(preset).getSchema());
  await new Promise((done) => process.stdout.write(text, done));
  process.exit(0);
}
const server = createServer();
const instance = postgraphile(preset);
await instance.createServ(grafserv).addTo(server);
await instance.getSchema();
server.listen(port, "127.0.0.1");
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));

/** The smallest configuration that is taken, as a file would have it, for tests: everything in `data`, and an EHR that nobody answers for. */
import { join } from "node:path";

/** A roster that knows nobody. */
export const emptyRoster = { version: 1, devices: [], beds: [], associations: [], patients: [], consents: [] };

export const smallConfig = (data: string, change: object = {}): object => ({
  ward: "Test ward",
  production: false,
  data,
  log: { kind: "sqlite" },
  registry: { kind: "local" },
  intake: { kind: "listener", host: "127.0.0.1", port: 0 },
  series: { kind: "sqlite", keepHours: 1 },
  destinations: [{ name: "ehr", baseUrl: "http://127.0.0.1:1", finalAtEnd: true }],
  roster: join(data, "roster.json"),
  rules: [join(import.meta.dirname, "../topologies/rules/adult-example.json")],
  demoApproval: true,
  allowPlainRules: false,
  board: { host: "127.0.0.1", port: 0 },
  speed: 1,
  lingerMs: 0,
  ...change,
});

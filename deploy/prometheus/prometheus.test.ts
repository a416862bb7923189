/** The third eye's files against what they are about: the code's metric names, and the runbook. What they do: test/third-eye.integration.test.ts. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type Mode, modes } from "../../schemas/degradation-table.ts";
import { offCodes } from "../../streams/roles/roster/off.ts";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
interface Rules {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
}

const project = join(import.meta.dirname, "..", "..");
const read = (...path: string[]): string => readFileSync(join(project, ...path), "utf8");
const rules = (parse(read("deploy", "prometheus", "afferent.rules.yml")) as Rules).groups.flatMap(
  (group) => group.rules,
);

/** Names of metrics as the code spells them, with the ones that a histogram gives beside. */
const namesInCode = (): ReadonlySet<string> => {
  const sources = readdirSync(join(project, "streams"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => read("streams", file));
  const names = sources.flatMap((source) =>
    [...source.matchAll(/"(afferent_[a-z_]+)"/g)].map(([, name]) => name as string),
  );
  return new Set(names.flatMap((name) => [name, `${name}_bucket`]));
};

describe("Prometheus's rules", () => {
  it("look at nothing that the code does not measure", () => {
    const looked = new Set(rules.flatMap(({ expr }) => expr.match(/afferent_[a-z_]+/g) ?? []));
    expect(looked.size).toBeGreaterThan(10);
    expect([...looked].filter((name) => !namesInCode().has(name))).toEqual([]);
  });

  it("lead each to its own place in the runbook", () => {
    const runbook = read("docs", "runbooks", "alert-circuit.md");
    const anchors = new Set([...runbook.matchAll(/<a id="([a-z]+)"><\/a>/g)].map(([, anchor]) => anchor));
    for (const { alert, annotations } of rules) {
      const [file, anchor] = (annotations["runbook"] ?? "").split("#");
      expect([alert, file]).toEqual([alert, "docs/runbooks/alert-circuit.md"]);
      expect([alert, anchors.has(anchor)]).toEqual([alert, true]);
    }
  });

  it("tell of everything that can be off about the roster, and know of nothing else", () => {
    const told = rules.flatMap(({ expr }) => [...expr.matchAll(/\bwhat="([a-z-]+)"/g)].map(([, what]) => what));
    expect(told.toSorted()).toEqual(offCodes.toSorted());
  });

  it("are named by the table of degradation, each where a part is away, and the table names no other", () => {
    const named = new Set(modes.flatMap(({ alerts }: Mode) => alerts));
    const known = rules.map(({ alert }) => alert);
    expect([...named].filter((alert) => !known.includes(alert))).toEqual([]);
    // slow, piled up or unclear, while every part is there
    const ofNoPart = [
      "OutboxOld",
      "AlarmsSlow",
      "PagesPileUp",
      "CircuitNotFed",
      "RoundTripSlow",
      "WatchNotifierFailing",
      "RawLogLag",
      "AdapterSilent",
      "LinkInConflict",
      "LocationAmbiguous",
    ];
    expect(known.filter((alert) => !named.has(alert)).toSorted()).toEqual(ofNoPart.toSorted());
  });

  it("say how urgent each is, in the words that Alertmanager routes by", () => {
    for (const { alert, labels } of rules)
      expect([alert, labels["severity"]]).toEqual([alert, expect.stringMatching(/^(page|ticket)$/)]);
  });
});

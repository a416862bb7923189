import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { ward } from "../sim/ward/ward.ts";
import { readWardDirectory } from "./alert/ward-directory.ts";
import { writeDemoAlerts } from "./demo-alerts.ts";
import { writeRoster } from "./sim.ts";

const rules = join(import.meta.dirname, "../../topologies/rules/adult-example.json");

describe("the demo's ward directory", () => {
  it.each([1, 24])("of %i beds is one that the circuit takes, and its second version too", async (beds) => {
    const base = await mkdtemp(join(tmpdir(), "afferent-demo-alerts-"));
    // as `make demo` names it: from where it is started
    const [folder, roster] = [relative(process.cwd(), join(base, "ward")), join(base, "roster.json")];
    await writeRoster(roster, ward({ beds, seed: 1, startMs: 1_800_000_000_000 }));
    const beats = { notifier: "watch", to: "http://127.0.0.1:1/beats" };
    for (let version = 0; version < 2; version++) {
      await writeDemoAlerts({ folder, roster, rules, tellBy: ["console"], beats });
      const read = await readWardDirectory(folder, {
        notifiers: new Set(["console", "watch"]),
        allowPlainRules: false,
      });
      if (!read.ok) throw new Error(read.problem.detail);
      const [first] = read.value.policy.units;
      expect(first?.assignments.length).toBeGreaterThan(0);
      expect(read.value.roster.patients).toEqual([]);
    }
    await rm(base, { recursive: true });
  });
});

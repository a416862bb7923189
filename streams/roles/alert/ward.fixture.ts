/** A small ward directory for tests: one bed with a monitor, its example rules, and a policy with two steps and a last resort. */
import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const iso = new Date(Date.UTC(2026, 0, 1)).toISOString();
const exampleRules = join(import.meta.dirname, "../../../topologies/rules/adult-example.json");

export const roster = {
  version: 1,
  devices: [
    { device: "mon-01", model: "sim-monitor", serial: null, unit: "icu" },
    { device: "heart", model: "afferent-heartbeat", serial: null, unit: "platform" },
  ],
  beds: [{ bed: "icu-3", unit: "icu" }],
  associations: [
    {
      id: "a-1",
      revision: 1,
      device: "mon-01",
      subject: "s-1",
      patientKey: "p-1",
      bed: "icu-3",
      unit: "icu",
      ageBand: "adult",
      from: iso,
      to: null,
      confirmedBy: "nurse-1",
      confirmedAt: iso,
      assertedBy: "nurse-1",
    },
  ],
};

export const policy = {
  recipients: [
    { id: "nurse-1", role: "nurse", inside: true, addresses: [{ notifier: "hook", to: "nurse-1" }] },
    { id: "charge", role: "chargeNurse", inside: true, addresses: [{ notifier: "hook", to: "charge" }] },
    { id: "doctor", role: "physician", inside: true, addresses: [{ notifier: "hook", to: "doctor" }] },
    { id: "engineer", role: "clinicalEngineering", inside: true, addresses: [{ notifier: "hook", to: "engineer" }] },
    { id: "beats", role: "test", inside: true, test: true, addresses: [{ notifier: "hook", to: "beats" }] },
  ],
  chains: [
    {
      name: "bedside",
      steps: [
        { to: ["@bed"], acceptWithinMs: 60_000 },
        { to: ["charge"], acceptWithinMs: 60_000 },
      ],
    },
    { name: "engineers", steps: [{ to: ["engineer"], acceptWithinMs: 60_000 }] },
  ],
  units: [
    {
      unit: "*",
      utcOffsetMinutes: 60,
      schedules: [{ priorities: ["high", "medium", "low"], fromMinute: 0, toMinute: 0, chain: "bedside" }],
      lastResort: { to: ["doctor"], repeatMs: 30_000 },
      remindAcceptedMs: 600_000,
      assignments: [{ bed: "icu-3", to: ["nurse-1"] }],
    },
    {
      unit: "platform",
      utcOffsetMinutes: 60,
      schedules: [{ priorities: ["high", "medium", "low"], fromMinute: 0, toMinute: 0, chain: "engineers" }],
      lastResort: { to: ["engineer"], repeatMs: 30_000 },
      remindAcceptedMs: 600_000,
    },
  ],
};

/** The same policy, everybody told at an address of their own. */
export const policyAt = (addressOf: (id: string) => string): object => ({
  ...policy,
  recipients: policy.recipients.map((one) => ({ ...one, addresses: [{ notifier: "hook", to: addressOf(one.id) }] })),
});

export interface WardFolder {
  /** What the circuit is told: a symlink. */
  readonly path: string;
  /** Writes a whole new folder and swaps the link: with these files changed, where given. */
  swap(files?: Readonly<Record<string, unknown>>): Promise<void>;
  remove(): Promise<void>;
}

export const wardFolder = async (files: Readonly<Record<string, unknown>> = {}): Promise<WardFolder> => {
  const base = await mkdtemp(join(tmpdir(), "afferent-ward-"));
  const path = join(base, "current");
  let version = 0;
  const swap = async (changed: Readonly<Record<string, unknown>> = {}): Promise<void> => {
    const folder = join(base, `version-${++version}`);
    await mkdir(folder);
    await cp(exampleRules, join(folder, "rules.json"));
    const all: Readonly<Record<string, unknown>> = { "roster.json": roster, "policy.json": policy, ...changed };
    for (const [name, content] of Object.entries(all))
      if (content === null) await rm(join(folder, name), { force: true });
      else await writeFile(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
    await symlink(folder, `${path}.next`);
    await rename(`${path}.next`, path);
  };
  await swap(files);
  return { path, swap, remove: () => rm(base, { recursive: true }) };
};

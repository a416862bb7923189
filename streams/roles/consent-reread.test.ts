/** In what time every patient is asked for again, by many patients, and by a source that refuses now and then. */
import { expect, it } from "vitest";
import { aPatient } from "../../schemas/fhir/clinical.fixture.ts";
import { OperatingError } from "../core/failure.ts";
import { Rereading } from "./consent-reread.ts";
import type { RoundPorts } from "./consent-round.ts";

const everyMs = 600_000;
const evidence = (n: number) =>
  new Map(
    Array.from({ length: n }, (_, i) => {
      const patient = aPatient({ patientKey: `pk-${i}`, fhirId: `p-${i}` });
      return [patient.patientKey, { patient, consents: [], overrides: [] }] as const;
    }),
  );

/** Looks for so long at a source, and says when it asked for whom, and how many at once at most. */
const looking = async (patients: number, lookMs: number, forMs: number, refuses: (at: number) => boolean) => {
  const people = evidence(patients);
  const asked = new Map<string, number[]>();
  let at = 0;
  let most = 0;
  const reader: RoundPorts["reader"] = {
    changed: async () => ({ found: [], newest: null }),
    ofPatients: async (ids) => {
      if (refuses(at)) throw new OperatingError("fhir-unavailable", "away", { retry: true });
      for (const id of ids) asked.getOrInsertComputed(id, () => []).push(at);
      return [];
    },
    byId: async () => [],
    isGone: async () => false,
  };
  const ports: RoundPorts = {
    reader,
    table: { everybody: async () => people },
    append: async () => undefined,
    onDropped: () => undefined,
    clock: () => at,
  };
  const rereading = new Rereading(everyMs);
  for (; at <= forMs; at += lookMs) {
    const before = [...asked.values()].flat().length;
    await rereading.look(null, ports, { source: "ehr", baseUrl: "", readAt: at }).catch(() => undefined);
    most = Math.max(most, [...asked.values()].flat().length - before);
  }
  const gaps = [...asked.values()].flatMap((times) => [...times, at].map((time, i) => time - (times[i - 1] ?? 0)));
  return { asked, most, longestMs: Math.max(...gaps) };
};

it.each([
  { patients: 3, lookMs: 1_000, most: 3 },
  { patients: 2_000, lookMs: 10_000, most: 200 },
  { patients: 2_000, lookMs: 60_000, most: 400 },
])(
  "asks for each of $patients again within ten minutes, looking each $lookMs ms, and for few at once",
  async (ward) => {
    const { asked, most, longestMs } = await looking(ward.patients, ward.lookMs, 4 * everyMs, () => false);
    expect(asked.size).toBe(ward.patients);
    expect(longestMs).toBeLessThanOrEqual(everyMs + ward.lookMs);
    expect(most).toBe(ward.most);
  },
);

it("asks at the next look for whom it was refused", async () => {
  const away = (at: number) => at >= everyMs && at < everyMs + 30_000;
  const { asked, longestMs } = await looking(100, 10_000, 3 * everyMs, away);
  expect(asked.size).toBe(100);
  expect(longestMs).toBe(everyMs + 30_000);
});

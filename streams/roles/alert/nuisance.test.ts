/** What is counted of alarms, so that a ward sees which of its rules cry wolf. */
import { expect, it } from "vitest";
import type { Alarm } from "../../../schemas/records/alert.ts";
import { Nuisance } from "./nuisance.ts";
import { openOutboxDatabase } from "./outbox.ts";

const began = 1_800_000_000_000;
const alarm = {
  kind: "alarm",
  identity: "alarm-1",
  revision: 0,
  phase: "start",
  unit: "icu",
  bed: "3",
  source: "device",
  rule: null,
  event: "asystole",
  priority: "high",
  receivedTime: began,
  onset: began,
  end: null,
  present: true,
  test: false,
} as unknown as Alarm;

it("an alarm that made way for its next instance lasted until then, and not until whenever somebody looks", () => {
  const db = openOutboxDatabase(":memory:");
  const nuisance = new Nuisance(db);
  nuisance.put(alarm, began);
  nuisance.put({ ...alarm, revision: 1, phase: "end", present: false }, began + 40_000);
  const counts = () => nuisance.counts(began - 1, began + 3_600_000);
  expect(counts()).toMatchObject([{ alarms: 1, durationMs: 40_000, selfEnded: 0 }]);
  nuisance.put({ ...alarm, identity: "alarm-2" }, began + 40_000);
  expect(counts()).toMatchObject([{ alarms: 2, durationMs: 40_000 + 3_600_000 }]);
  db.close();
});

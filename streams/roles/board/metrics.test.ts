/** How devices stand, as the board tells it to Prometheus: by their model, which is their adapter. */
import { Registry } from "prom-client";
import { expect, it } from "vitest";
import { association, deviceState, noon } from "./entries-fixture.ts";
import { boardMetrics } from "./metrics.ts";
import { BoardModel } from "./model.ts";

it("devices are counted by how they stand and by their model, and one that became well is silent no more", async () => {
  const usual = { serial: null, unit: "ICU", bed: null, firmware: null, calibrationDue: null };
  const device = (name: string, model: string) =>
    ({
      kind: "device",
      device: name,
      model,
      version: 1,
      clockUncertaintyMs: 2_000,
      silentAfterMs: 10_000,
      ...usual,
    }) as const;
  const devices = [device("mon-07", "simmon-1"), device("mon-08", "simmon-1"), device("pump-1", "simpump-1")];
  const associations = devices.map(({ device: name }) => association({ id: `a-${name}`, device: name }));
  const roster = { devices, associations, beds: [] };
  const model = new BoardModel({ wardName: "ICU", wantedSpeed: 1, startMs: noon, stages: [], roster });
  const say = (device: string, state: "streaming" | "silent"): void =>
    model.fold(deviceState({ device, state }), noon + 1_000);
  say("mon-07", "streaming");
  say("mon-08", "silent");
  say("pump-1", "silent");
  model.fold({ kind: "tick" }, noon + 2_000);
  const registry = new Registry();
  boardMetrics(registry, model, () => noon + 2_000);
  const text = await registry.metrics();
  for (const [state, of, count] of [
    ["streaming", "simmon-1", 1],
    ["silent", "simmon-1", 1],
    ["silent", "simpump-1", 1],
    ["streaming", "simpump-1", 0],
  ] as const)
    expect(text).toContain(`afferent_board_devices{state="${state}",model="${of}"} ${count}`);
  say("mon-08", "streaming");
  expect(await registry.metrics()).toContain('afferent_board_devices{state="silent",model="simmon-1"} 0');
});

/** The alarms that recorded patients raise in the alert circuit's own stages, live, as rows that can be compared with those of alarms-by-hand.ts. */
import { readFileSync } from "node:fs";
import type { Alarm } from "../../schemas/records/alert.ts";
import { adapter as numerics } from "../../schemas/devices/recorded-numerics.ts";
import { adapter as waveforms } from "../../schemas/devices/recorded-waveforms.ts";
import type { RawBody } from "../../schemas/topics.ts";
import { logTime, receivedTime } from "../../streams/core/time.ts";
import { chain } from "../../streams/sim/chain.ts";
import { drive } from "../../streams/sim/drive.ts";
import { type Recording, recordingsIn } from "../../streams/sim/recordings/catalogue.ts";
import { recordingWard } from "../../streams/sim/recordings/ward.ts";
import { alarmsOf, link, t0 } from "../../streams/sim/said.ts";
import { alarms } from "../../topologies/alarms.ts";
import { normalise } from "../../topologies/normalise.ts";
import { approveForDemo, parseRules } from "../../topologies/rules.ts";
import { thresholds } from "../../topologies/thresholds.ts";
import type { AlarmRow } from "./alarms-by-hand.ts";

const shipped = new URL("../../topologies/rules/adult-example.json", import.meta.url);
const adapters = new Map([numerics, waveforms].map((adapter) => [adapter.model, adapter]));
const transportMs = 50;

/** Rows of one recording, played to its end and on until its device is called silent. The example rules are approved, as a hospital would. */
export const alarmsByCircuit = (folder: string, recording: Recording): AlarmRow[] => {
  const { record, model, silentAfterMs } = recording;
  const [first, second, third] = [drive(normalise(adapters)), drive(thresholds), drive(alarms)];
  const parsed = parseRules(readFileSync(shipped, "utf8"));
  if (!parsed.ok) throw new Error(parsed.problem.detail);
  const rules = approveForDemo(parsed.value, t0);
  second.send("", t0 - 2, { kind: "rules", version: 1, effectiveFrom: logTime(t0 - 2), rules });
  const stages = chain<RawBody>([first, second, third], ["vitals", "episodes"]);
  const device = { device: record, model, silentAfterMs, serial: null, unit: "ICU", clockUncertaintyMs: 2_000 };
  stages.send(record, t0 - 1, { kind: "device", ...device, version: 1 });
  stages.send(record, t0 - 1, link({ device: record, subject: `of ${record}`, from: t0 - 1_000 }));

  const everyMs = Math.max(1_000, (recording.numerics?.periodMs ?? 0) / 2);
  let tickAt = t0 + 500;
  const tickUntil = (ms: number): void => {
    for (; tickAt < ms; tickAt += everyMs) stages.tick(tickAt);
  };
  let lastAt = t0;
  for (const { atMs, stream, mqttTopic, payload } of recordingWard({
    folder,
    which: [record],
    startMs: t0,
  }).messages()) {
    // the circuit's intake has none of them
    if (stream === "waveforms") continue;
    lastAt = atMs + transportMs;
    tickUntil(lastAt);
    stages.send(record, lastAt, {
      kind: "reading",
      device: record,
      stream,
      mqttTopic,
      payload,
      receivedTime: receivedTime(lastAt),
      session: "recorded",
      dup: false,
      retained: false,
      truncated: null,
    });
  }
  tickUntil(lastAt + Math.min(silentAfterMs, 600_000) + 2 * everyMs);
  return rowsOf(record, alarmsOf(third));
};

export const recordingsWithAlarms = (folder: string): Recording[] => recordingsIn(folder, ["bidmc", "mimic", "cinc"]);

const second = (ms: number): number => Math.floor((ms - t0) / 1_000);

/** One row for a condition, however often it was raised again. */
const rowsOf = (record: string, told: readonly Alarm[]): AlarmRow[] => {
  const conditions = Map.groupBy(told, (alarm) => `${alarm.source} ${whatOf(alarm)} ${alarm.onset}`);
  return [...conditions.values()].flatMap((course) => {
    const starts = course.filter(({ phase }) => phase === "start");
    const [begun] = starts;
    if (begun === undefined) return [];
    const end = course.find((alarm) => alarm.end !== null)?.end ?? null;
    return [
      {
        record,
        source: begun.source,
        what: whatOf(begun),
        priority: begun.priority,
        onset: second(begun.onset),
        raised: starts.map((start) => second(start.receivedTime)),
        end: end === null ? null : second(end),
      },
    ];
  });
};

const whatOf = ({ source, event, rule, channel, metric }: Alarm): string => {
  if (source === "rule") return rule ?? event;
  return source === "device" ? event : [event, channel, metric].filter((part) => part !== null).join(" ");
};

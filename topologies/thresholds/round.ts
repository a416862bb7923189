/** What the passing of time says of a subject's series: which of them nothing usable has come from for too long. */
import { eventTime, type LogTime, receivedTime } from "../../streams/core/time.ts";
import type { SensorState } from "../../schemas/records/alert.ts";
import { type Judging, lookNoLaterThan, seriesOf } from "./cells.ts";
import type { Series } from "./rewind.ts";
import { isHeardElsewhere, isLasting, lookAt, type Sensor, silenced } from "./sensor.ts";

type Source = Pick<SensorState, "subject" | "device" | "channel" | "metric">;

/** `received`: of the sample that showed it; where none came, the time of the round. */
export const sensorState = (
  of: Source,
  sensor: Pick<Sensor, "since" | "evidence"> & { readonly state: SensorState["state"] },
  received: number,
): SensorState => ({
  kind: "sensorState",
  subject: of.subject,
  device: of.device,
  channel: of.channel,
  metric: of.metric,
  state: sensor.state,
  since: eventTime(sensor.since),
  evidence: sensor.evidence,
  receivedTime: receivedTime(received),
});

/** Tells of each series that has become unusable or silent by `now`, and asks for the next round. */
export const lookRound = (state: Judging, now: LogTime, subject: string, tell: (said: SensorState) => void): void => {
  const all = seriesOf(state);
  const heardAt = new Map<string, number>();
  for (const { device, series } of all) heardAt.set(device, Math.max(heardAt.get(device) ?? 0, series.heardAt ?? 0));
  for (const { cell, series, ...source } of all) {
    const sensor = lost(series, heardAt.get(source.device) ?? 0, now);
    const next: Series = sensor === undefined ? series : { ...series, sensor: { ...sensor, told: true } };
    if (sensor !== undefined) {
      state.set(cell, next);
      tell(sensorState({ subject, ...source }, sensor, now));
    }
    const at = lookAt(next);
    if (at !== null && at > now) lookNoLaterThan(state, at);
  }
};

/** What is to be said of a series now; undefined: nothing. Where the whole device is silent, its own standing says so. */
const lost = (series: Series, deviceHeardAt: number, now: number): Sensor | undefined => {
  const { heardAt, limitMs = null, sensor, judgedAt } = series;
  if (heardAt === undefined || sensor?.state === "silent") return undefined;
  if (limitMs !== null && now - heardAt >= limitMs && isHeardElsewhere(series, deviceHeardAt))
    return silenced(series, eventTime(judgedAt));
  return sensor !== undefined && sensor.told !== true && isLasting(sensor, limitMs, now) ? sensor : undefined;
};

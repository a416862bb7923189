/** What the passing of time says of a device: whom it left, and how it stands. Each is told downstream once, when it changes. */
import type { Out } from "../../streams/core/stage.ts";
import { eventTime, type LogTime, logTime } from "../../streams/core/time.ts";
import type { telemetryQuarantine, vitals } from "../../schemas/topics.ts";
import {
  associationsOf,
  clockOf,
  type DeviceCells,
  deviceOf,
  type Holder,
  holderAt,
  holderOf,
  standingOf,
  type Told,
} from "./device.ts";
import { inForceAt, nextBoundary } from "./holder.ts";
import { clockStanding, detailOf, judged, nextChange, type Standing } from "./standing.ts";

type VitalsOut = Out<{ vitals: typeof vitals; quarantine: typeof telemetryQuarantine }>;

/** A count in the detail that grows is told again after this long. */
const detailEveryMs = 60_000;

/** Brings a device up to `now` (log time of its own entry, or stream time) and asks for the next due step. */
export const passTime = (state: DeviceCells, now: LogTime, device: string, out: VitalsOut): void => {
  const settings = deviceOf(state);
  const known = standingOf(state);
  if (settings === undefined || known === undefined) return;
  const holder = changeHands(state, now, device, known.heardAt !== null, out);
  const standing = judged(known, now, settings.silentAfterMs);
  if (standing !== known) state.set("standing", standing);
  if (standing.state !== null) tell(state, now, device, holder, standing, out);
  const next = [nextChange(standing, settings.silentAfterMs), nextBoundary(associationsOf(state), now)];
  const times = next.filter((at) => at !== null);
  const soonest = times.length === 0 ? null : logTime(Math.min(...times));
  // An appointment that comes too soon only looks again; moving it with every reading would cost more.
  if (soonest === null || state.dueAt === null || soonest < state.dueAt) state.dueAt = soonest;
};

/** A device that left a subject, or that was nobody's and is somebody's now, ends what was open under the old key. */
const changeHands = (state: DeviceCells, now: LogTime, device: string, heard: boolean, out: VitalsOut): Holder => {
  const associations = associationsOf(state);
  const before = holderOf(state);
  const holder = holderAt(associations, now, device);
  if (before?.association === holder.association && before.revision === holder.revision) return before;
  // Nothing was ever open under the name of a device that was linked before it was first heard.
  if (before === undefined && holder.association === null && !heard) return holder;
  state.set("holder", holder);
  if (before !== undefined && before.key !== holder.key) {
    const left = associations.find(({ id }) => id === before.association);
    // A link that never held has no end: what was measured until now came under its subject.
    const ended = left?.voided === true ? null : (left?.to ?? null);
    const at = ended !== null && ended <= now ? ended : (inForceAt(associations, now)?.from ?? now);
    out.emit("vitals", before.key, { kind: "subjectEnded", subject: before.key, device, at: eventTime(at) });
  }
  return holder;
};

const tell = (
  state: DeviceCells,
  now: LogTime,
  device: string,
  holder: Holder,
  standing: Standing,
  out: VitalsOut,
): void => {
  const association = associationsOf(state).find(({ id }) => id === holder.association);
  const clock = clockOf(state);
  const { clock: soundness, clockOffsetMs } = clockStanding(clock);
  const what = JSON.stringify([standing.state, standing.since, soundness, clockOffsetMs, holder]);
  const detail = detailOf(standing, clock, now);
  const told = state.get("told") as Told | undefined;
  const unchanged = told !== undefined && told.what === what;
  if (unchanged && (told.detail === detail || now - told.at < detailEveryMs)) return;
  state.set("told", { what, detail, at: now });
  out.emit("vitals", holder.key, {
    kind: "deviceState",
    device,
    subject: association?.subject ?? null,
    bed: association?.bed ?? null,
    unit: association?.unit ?? deviceOf(state)?.unit ?? null,
    state: standing.state ?? "silent",
    clock: soundness,
    clockOffsetMs,
    since: logTime(standing.since),
    detail,
  });
};

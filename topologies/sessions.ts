/**
 * Cuts dialysis treatments into sessions: one begins with the first measurement of a running treatment and ends when the machine has
 * measured nothing on the patient for `gapMs`, or has left him. A session is told once, when it is over; Kt/V is found later, where the
 * blood's urea is known (topologies/reports): a machine's own numbers never make one (clinical.md 23).
 */
import { type Out, stage, type State } from "../streams/core/stage.ts";
import { type LogTime, logTime } from "../streams/core/time.ts";
import type { Association } from "../schemas/records/roster.ts";
import type { SubjectEnded, WindowAggregate } from "../schemas/records/telemetry.ts";
import { events, telemetryQuarantine, windows } from "../schemas/topics.ts";
import { isNewer } from "./link.ts";
import {
  type Minute,
  minuteCell,
  minuteOf,
  minutePrefix,
  type Open,
  openCell,
  sessionMetrics,
  sessionOf,
  type Treatment,
} from "./sessions/treatment.ts";

const writes = { events, quarantine: telemetryQuarantine };
const paneMs = 10_000;
const minuteMs = 60_000;
/** Half an hour without a measurement of a running treatment: a pause for an alarm or a line that is flushed is shorter. */
const gapMs = 1_800_000;
/** After the machine left the subject, its last minutes still close, and late ones may come for five. */
const lastMinuteMs = 420_000;
/** Longer than any treatment: cells do not grow without end (nocturnal haemodialysis lasts eight hours, CRRT days). */
const longestMs = 86_400_000;

type Cell = Association | Open | Minute;
type Sessions = State<Cell>;
type SessionsOut = Out<typeof writes>;

const treatmentsOf = (state: Sessions): readonly Treatment[] => {
  const cell = state.get(openCell);
  return cell?.kind === "open" ? cell.treatments : [];
};

const treatmentOf = (state: Sessions, device: string): Treatment | undefined =>
  treatmentsOf(state).find((one) => one.device === device);

/** `next` null: it is over. */
const replace = (state: Sessions, device: string, next: Treatment | null): void => {
  const others = treatmentsOf(state).filter((one) => one.device !== device);
  const treatments = next === null ? others : [...others, next];
  if (treatments.length === 0) state.delete(openCell);
  else state.set(openCell, { kind: "open", treatments });
};

const linksOf = (state: Sessions): readonly Association[] =>
  [...state.cells()].flatMap(([, cell]) => (cell.kind === "association" ? [cell] : []));

const endsAt = ({ heardAt, leftAt }: Treatment): number =>
  leftAt === null ? heardAt + gapMs : Math.min(leftAt + lastMinuteMs, heardAt + gapMs);

const appoint = (state: Sessions): void => {
  const soonest = treatmentsOf(state).map(endsAt);
  state.dueAt = soonest.length === 0 ? null : logTime(Math.min(...soonest));
};

const remember = (state: Sessions, next: Association): void => {
  const cell = `link/${next.id}`;
  const known = state.get(cell);
  if (known?.kind !== "association" || isNewer(next, known)) state.set(cell, next);
};

/** Times come from the 10 s windows, which hold one sample of the machine each; the numbers from the minutes. */
const measured = (state: Sessions, subject: string, w: WindowAggregate, now: LogTime, out: SessionsOut): void => {
  const known = treatmentOf(state, w.device);
  if (known !== undefined && w.lastAt - known.end > gapMs) {
    tell(state, subject, known, out);
    measured(state, subject, w, now, out);
    return;
  }
  if (w.lengthMs === minuteMs) {
    if (known !== undefined) state.set(minuteCell(w), minuteOf(w));
    return;
  }
  const start = Math.min(known?.start ?? w.lastAt, w.lastAt);
  const end = Math.max(known?.end ?? w.lastAt, w.lastAt);
  const leftAt = known?.leftAt ?? null;
  const next: Treatment = { device: w.device, start, end, heardAt: now, leftAt };
  replace(state, w.device, next);
  if (end - start > longestMs) tell(state, subject, next, out);
};

const covers = (link: Association, { start, end }: Treatment): boolean =>
  link.from <= start && (link.to === null || end < link.to);

/** The session, under its patient's key; without a link that covers it there is nobody to tell it of. */
const tell = (state: Sessions, subject: string, treatment: Treatment, out: SessionsOut): void => {
  const prefix = minutePrefix(treatment.device);
  const cells = [...state.cells()].filter(([name]) => name.startsWith(prefix));
  const minutes = cells.flatMap(([, cell]) => (cell.kind === "minute" ? [cell] : []));
  for (const [name] of cells) state.delete(name);
  replace(state, treatment.device, null);
  const its = linksOf(state).filter((link) => link.device === treatment.device && link.subject === subject);
  const link = its.filter((one) => !one.voided && covers(one, treatment)).sort((a, b) => b.from - a.from)[0];
  const patientKey = (link ?? its[0])?.patientKey;
  if (patientKey === undefined || minutes.length === 0) {
    const of = `the treatment at ${treatment.device} from ${treatment.start} to ${treatment.end}`;
    out.quarantine({ reason: "session-of-nobody", detail: `${of}: ${minutes.length} minutes, no link of the subject` });
  } else out.emit("events", patientKey, sessionOf(treatment, minutes, subject, patientKey, link ?? null));
  for (const [name, cell] of [...state.cells()])
    if (cell.kind === "association" && cell.to !== null && cell.to + longestMs < treatment.end) state.delete(name);
};

const leave = (state: Sessions, ended: SubjectEnded, now: LogTime): void => {
  const known = treatmentOf(state, ended.device);
  if (known !== undefined) replace(state, ended.device, { ...known, leftAt: now });
};

/** Refuses `session-of-nobody`: a treatment of a subject whose links are not known, or of which no minute was closed. */
export const dialysisSessions = stage("dialysis-sessions", {
  version: 1,
  reads: windows,
  writes,
  quarantine: "quarantine",
  step(state: Sessions, { key, body, logTime: now }, out: SessionsOut) {
    if (body.kind === "association") {
      if (body.subject === key) remember(state, body);
      return;
    }
    if (body.kind === "subjectEnded") leave(state, body, now);
    else if (body.kind === "windowAggregate") {
      const cut = body.shape === "tumbling" && (body.lengthMs === paneMs || body.lengthMs === minuteMs);
      if (!cut || !sessionMetrics.has(body.metric)) return;
      measured(state, key, body, now, out);
    } else return;
    appoint(state);
  },
  due(state: Sessions, now, key, out: SessionsOut) {
    for (const treatment of treatmentsOf(state)) if (endsAt(treatment) <= now) tell(state, key, treatment, out);
    appoint(state);
  },
});

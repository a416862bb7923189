/** What a person should do something about, worst first: what is off, since when, and what to do. One network loss is one item (clinical.md 5). */
import type {
  AttentionView,
  BedView,
  CircuitView,
  DeviceView,
  EpisodeView,
  VitalView,
} from "../../../schemas/board.ts";
import { rank } from "./episodes.ts";
import { isUsable } from "./samples.ts";

const most = 50;
/** Three beds that fall silent within this are one loss, not three. */
const togetherWithinMs = 10_000;
const together = 3;

export interface Fault {
  /** What can't be read, e.g. "telemetry.vitals/2". */
  readonly what: string;
  readonly code: string;
  readonly since: number;
}

/** Refusals that are the platform's own doing, of one stage and reason. */
export interface Defect {
  readonly stage: string;
  readonly reason: string;
  readonly count: number;
  /** Where the newest one's input stands, and what was wrong with it. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly since: number;
}

/** Reasons that accuse our own code: no device is to blame. */
export const technicalReasons: ReadonlySet<string> = new Set(["stage-defect", "poison-output"]);

/** A circuit that does not answer may page nobody: nothing else on the page is as grave. */
const circuitItem = (since: number, why: string): Item => ({
  identity: "circuit silent",
  priority: "high",
  beds: [],
  what: `the alert circuit does not answer (${why})`,
  action: "nobody may be paged: watch every monitored bed, and call clinical engineering",
  since,
  wall: true,
});

interface Placed {
  readonly bed: string;
  readonly device: DeviceView;
  /** Whether its most frequent value is still fresh. */
  readonly usable: boolean;
}

type Item = AttentionView;

/** "telemetry.vitals/2 can't be read": the board's own sight, on the server's clock. */
const faultItem = (fault: Fault): Item => ({
  identity: `fault ${fault.what}`,
  priority: "high",
  beds: [],
  what: `${fault.what} can't be read (${fault.code})`,
  action: "check the log's server; values below may be old",
  since: fault.since,
  wall: true,
});

const stallItem = (since: number): Item => ({
  identity: "stalled",
  priority: "high",
  beds: [],
  what: "nothing has come from the log",
  action: "check ingest and the log; no value below is current",
  since,
  wall: true,
});

const defectItem = ({ stage, reason, count, topic, partition, offset, since }: Defect): Item => ({
  identity: `${reason} ${stage}`,
  priority: "medium",
  beds: [],
  what:
    reason === "poison-output"
      ? `${stage} made ${count} ${count === 1 ? "output" : "outputs"} that can't be written`
      : `${stage} failed on ${count} ${count === 1 ? "entry" : "entries"}`,
  action: `not a device's fault: have an engineer look with afferent step ${stage} ${partition} ${offset} (${topic})`,
  since,
  wall: false,
});

const silentItem = ({ bed, device }: Placed): Item => ({
  identity: `silent ${device.device}`,
  priority: "high",
  beds: [bed],
  what: "silent",
  action: `check power and network of ${device.device}`,
  since: device.since,
  wall: false,
});

const lossItem = (group: readonly Placed[]): Item => ({
  identity: `loss ${group[0]?.device.device}`,
  priority: "high",
  beds: [...new Set(group.map(({ bed }) => bed))],
  what: "silent together",
  action: `check the ward's network first, then ${group.map(({ device }) => device.device).join(", ")}`,
  since: Math.min(...group.map(({ device }) => device.since)),
  wall: false,
});

/** Groups what fell silent at about the same time; fewer than three beds stay single. */
const silences = (silent: readonly Placed[]): Item[] => {
  const groups: Placed[][] = [];
  for (const one of [...silent].sort((a, b) => a.device.since - b.device.since)) {
    const group = groups.at(-1);
    const first = group?.[0];
    if (group !== undefined && first !== undefined && one.device.since - first.device.since <= togetherWithinMs)
      group.push(one);
    else groups.push([one]);
  }
  return groups.flatMap((group) =>
    new Set(group.map(({ bed }) => bed)).size >= together ? [lossItem(group)] : group.map(silentItem),
  );
};

const offset = (ms: number): string => {
  const seconds = Math.round(Math.abs(ms) / 1000);
  const text =
    seconds < 120
      ? `${seconds} s`
      : seconds < 7200
        ? `${Math.round(seconds / 60)} min`
        : `${Math.round(seconds / 3600)} h`;
  return `${text} ${ms > 0 ? "behind" : "ahead"}`;
};

const deviceItem = ({ bed, device, usable }: Placed): Item | null => {
  const about = { beds: [bed], since: device.since, wall: false };
  switch (device.state) {
    case "quarantining":
      return {
        ...about,
        identity: `quarantining ${device.device}`,
        // Without one usable value the patient is unmonitored, however much the device says (clinical.md 4).
        priority: usable ? "medium" : "high",
        what: usable ? "messages refused" : "all messages refused",
        action: `check ${device.device}'s mapping and firmware${device.detail === null ? "" : ` (${device.detail})`}`,
      };
    case "clockOff":
      return {
        ...about,
        identity: `clock ${device.device}`,
        priority: "low",
        what: device.clockOffsetMs === null ? "clock off" : `clock ${offset(device.clockOffsetMs)}`,
        action: `set the clock of ${device.device}`,
      };
    case "unassociated":
      return {
        ...about,
        identity: `unassociated ${device.device}`,
        priority: "low",
        what: "device without a patient",
        action: `confirm whose ${device.device} is, or switch it off`,
      };
    case "standby":
      return {
        ...about,
        identity: `standby ${device.device}`,
        priority: "low",
        what: "not monitored: on standby",
        action: `end the standby at ${device.device}, or its link where the patient has left`,
      };
    case "silent":
      return null;
    case "streaming":
      if (device.confirmed !== false) return null;
      return {
        ...about,
        identity: `unconfirmed ${device.device}`,
        priority: "low",
        what: "association not confirmed",
        action: `confirm whose ${device.device} is: nothing is promoted until then`,
      };
  }
};

const unplacedItem = (device: DeviceView): Item => ({
  identity: `unplaced ${device.device}`,
  priority: device.state === "quarantining" ? "medium" : "low",
  beds: [],
  what: `${device.device} belongs to no bed`,
  action: "associate it or switch it off",
  since: device.since,
  wall: false,
});

const urgency = (priority: EpisodeView["priority"]): string =>
  priority === "high" ? "check the patient now" : "check the patient";

const matter = (episode: EpisodeView): string =>
  episode.when === "indeterminateZero" ? `${episode.display} 0` : episode.title;

/** One item a bed, named after its worst; only approved rules ask for a person, the others are shown in the lists. */
const episodesItem = ({ bed, openEpisodes }: BedView): Item[] => {
  const [worst, ...others] = openEpisodes.filter(({ approved }) => approved);
  if (worst === undefined) return [];
  const doubt = worst.when === "indeterminateZero" ? "no signal or no pulse: " : "";
  return [
    {
      identity: `episode ${worst.identity}`,
      priority: worst.priority,
      beds: [bed],
      what: `${matter(worst)}${others.length > 0 ? ` and ${others.length} more` : ""}`,
      action: `${doubt}${urgency(worst.priority)}`,
      since: worst.start,
      wall: false,
    },
  ];
};

export interface Concerns {
  readonly logTime: number;
  readonly beds: readonly BedView[];
  readonly unplaced: readonly DeviceView[];
  readonly faults: readonly Fault[];
  readonly defects: readonly Defect[];
  readonly stalledSince: number | null;
  readonly circuit: Pick<CircuitView, "silent"> | null;
}

/** A cuff's reading of ten minutes ago does not make up for a lost ECG: the most frequent value counts. */
const isMonitoring = (device: string, vitals: readonly VitalView[], logTime: number): boolean => {
  const own = vitals.filter((vital) => vital.device === device);
  const fastest = Math.min(...own.map(({ staleAfterMs }) => staleAfterMs));
  return own.some((v) => isUsable(v) && v.staleAfterMs === fastest && logTime - v.at <= fastest);
};

/** At most 50, but every high one; high before medium before low, what can't be seen before what is seen, then the longest first. */
export const attention = ({
  logTime,
  beds,
  unplaced,
  faults,
  defects,
  stalledSince,
  circuit,
}: Concerns): AttentionView[] => {
  const placed: Placed[] = beds.flatMap(({ bed, devices, vitals }) =>
    devices.map((device) => ({ bed, device, usable: isMonitoring(device.device, vitals, logTime) })),
  );
  const silent = circuit?.silent ?? null;
  const platform = [
    ...(silent === null ? [] : [circuitItem(silent.since, silent.why)]),
    ...(stalledSince === null ? [] : [stallItem(stalledSince)]),
    ...faults.map(faultItem),
  ];
  const rest = [
    ...silences(placed.filter(({ device }) => device.state === "silent")),
    ...placed.flatMap((one) => deviceItem(one) ?? []),
    ...beds.flatMap(episodesItem),
    ...unplaced.map(unplacedItem),
    ...defects.map(defectItem),
  ].sort((a, b) => rank[b.priority] - rank[a.priority] || a.since - b.since);
  const high = rest.filter(({ priority }) => priority === "high").length;
  return [...platform, ...rest].slice(0, Math.max(most, platform.length + high));
};

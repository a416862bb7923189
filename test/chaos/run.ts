/** One run: load, seeded faults, drain, and the ledger against everything that the platform holds. */
import { join } from "node:path";
import type { Stack } from "../../deploy/stack.ts";
import { ward } from "../../streams/sim/ward/ward.ts";
import { drained, ticked, until } from "../platform/watch.ts";
import { cutOvers, renamedGroups } from "./changed-stage.ts";
import { compare, type Comparison } from "./compare.ts";
import { drawFaults } from "./faults.ts";
import { Ledger, readLedger } from "./ledger.ts";
import { type ChaosPlatform, type Intake, startChaosPlatform } from "./platform.ts";
import { send } from "./sender.ts";
import { type Struck, strikeAll } from "./strike.ts";
import { isExact, tallyLines } from "./tally.ts";

export interface ChaosOptions {
  readonly stack: Stack;
  readonly intake: Intake;
  readonly minutes: number;
  readonly faults: number;
  readonly seed: number;
  readonly tell: (line: string) => void;
}

export interface ChaosReport extends Comparison {
  readonly intake: Intake;
  readonly messages: number;
  readonly struck: readonly Struck[];
  /** From the last fault until everything that was sent had gone through every stage and sink. */
  readonly drainedMs: number;
  /** What it waited for in vain; null where everything went through. */
  readonly stuck: string | null;
  /** The last lines of each role, for whoever looks for a cause. */
  readonly said: ReadonlyMap<string, readonly string[]>;
  /** Sent and never acknowledged. */
  readonly unacknowledged: number;
  /** Acknowledged messages that the broker lost when it was killed, which its PUBACK allows (broker as intake only). */
  readonly lostByBroker: readonly string[];
  /** Acknowledgements lost by the proxies after they took effect. */
  readonly acksLost: Readonly<Record<string, number>>;
}

/** 68 beds have 102 devices: monitors with waveforms, pumps, dialysis machines and glucose sensors. */
const beds = 68;
/** What must be: drained so long after the last fault at most. */
export const drainMs_max = 120_000;
/** mosquitto writes its sessions down every 5 s (deploy/servers/mosquitto), and takes a moment to do so. */
const brokerLosesMs_max = 6_000;

const linesKept = 12;

export const runChaos = async (options: ChaosOptions): Promise<ChaosReport> => {
  const { minutes, faults: count, seed, intake, tell } = options;
  const simulated = ward({ beds, seed, startMs: Date.now() + 60_000 });
  const platform = await startChaosPlatform({ ...options, roster: simulated.roster });
  try {
    const lastsMs = minutes * 60_000;
    const faults = drawFaults(seed, count, lastsMs, platform.targets);
    tell(`${intake} as intake, seed ${seed}: ${simulated.devices.length} devices for ${minutes} min, ${count} faults`);
    const [began, beganWallMs] = [performance.now(), Date.now()];
    const timed = (line: string): void =>
      tell(`${((performance.now() - began) / 1_000).toFixed(1).padStart(7)} s  ${line}`);
    const playing = ward({ beds, seed, startMs: Date.now() + 500 });
    const ledger = new Ledger(join(platform.folder, "ledger.jsonl"));
    const [sent, struck] = await Promise.all([
      send(playing, platform.mqttUrl, ledger, lastsMs / 1_000),
      strikeAll(faults, { ...platform, tell: timed }),
    ]);
    ledger.close();
    for (const proxy of Object.values(platform.proxies)) proxy.heal();
    // without a fault it is the end of the load
    const lastFaultMs = Math.max(...(struck.length === 0 ? [lastsMs] : struck.map(({ struckMs }) => struckMs)));
    const changed = struck.some(({ fault }) => fault.what === "changed stage") ? platform.changed : null;
    const stuck = await drain(platform, sent.open, changed === null ? new Map() : renamedGroups(changed)).then(
      () => null,
      (error: unknown) => String(error),
    );
    const drainedMs = Math.round(performance.now() - began - lastFaultMs);
    timed(
      `${stuck === null ? "drained" : `not drained (${stuck})`} ${(drainedMs / 1_000).toFixed(1)} s after the last fault`,
    );
    await sent.close();
    for (const role of platform.roles) await role.stop();
    const monitors = playing.roster.devices.filter(({ model }) => model === "sim-monitor").map(({ device }) => device);
    const rubbish = playing.truth
      .filter(({ recognise }) => recognise.refusals !== undefined)
      .map(({ device }) => device);
    const sentLines = readLedger(ledger.file);
    const compared = await compare({
      ...platform,
      ledger: sentLines,
      acknowledged: sent.acknowledged,
      changed: changed === null ? null : { ...changed, at: await cutOvers(changed, platform.log) },
      questdbUrl: platform.stack.server("questdb").url,
      ehr: platform.stack.server("hapi").url,
      monitors: new Set(monitors.filter((device) => !rubbish.includes(device))),
    });
    return {
      ...compared,
      intake,
      messages: sent.messages,
      struck,
      drainedMs,
      stuck,
      said: new Map(platform.roles.map((role) => [role.name, role.said().trimEnd().split("\n").slice(-linesKept)])),
      unacknowledged: sent.open(),
      lostByBroker: intake === "listener" ? [] : lostByBroker(compared.missing, sent.acknowledged, struck, beganWallMs),
      acksLost: Object.fromEntries(
        Object.entries(platform.proxies).flatMap(([name, { lost }]) =>
          [...lost].map(([to, times]) => [`${name} ${to}`, times]),
        ),
      ),
    };
  } finally {
    await platform.stop();
  }
};

/** Everything acknowledged and through every stage and sink; then the front door is closed, so that there is an end to compare at. */
const drain = async (
  { log, series, frontDoor }: ChaosPlatform,
  open: () => number,
  renamed: ReadonlyMap<string, string>,
): Promise<void> => {
  await until("every PUBACK", () => open() === 0);
  await ticked(log);
  await drained(log, undefined, renamed);
  await frontDoor.stop();
  await drained(log, undefined, renamed);
  await series.settled();
};

/** Of the missing messages, those that mosquitto had acknowledged so shortly before it was killed that its disk had not heard of them. */
const lostByBroker = (
  missing: readonly string[],
  acknowledged: ReadonlyMap<string, number>,
  struck: readonly Struck[],
  beganMs: number,
): string[] => {
  const kills = struck.filter(({ fault }) => fault.what === "kill" && fault.target === "mosquitto");
  return missing.filter((id) => {
    const at = acknowledged.get(id);
    return at !== undefined && kills.some(({ struckMs }) => isJustBefore(at, beganMs + struckMs));
  });
};

/** A PUBACK that was on its way when the broker died arrives a moment later. */
const isJustBefore = (atMs: number, killMs: number): boolean =>
  atMs > killMs - brokerLosesMs_max && atMs < killMs + 1_000;

/** What is wrong with a run; empty where nothing is missing, nothing had twice, nothing invented and all of it drained in time. */
export const problemsOf = (report: ChaosReport): string[] => {
  const allowed = new Set(report.lostByBroker);
  const tallies = report.tallies.map((t) => ({ ...t, missing: t.missing.filter((id) => !allowed.has(id)) }));
  return [
    ...tallies.filter((t) => !isExact(t)).flatMap(tallyLines),
    ...(report.unacknowledged > 0 ? [`${report.unacknowledged} messages were never acknowledged`] : []),
    ...(report.stuck === null ? [] : [report.stuck]),
    ...(report.drainedMs > drainMs_max ? [`drained only ${report.drainedMs / 1_000} s after the last fault`] : []),
  ];
};

/** What a failing run shows beside its problems. */
export const saidLines = ({ said }: ChaosReport): string[] =>
  [...said].flatMap(([name, lines]) => [`${name} said last:`, ...lines.map((line) => `  ${line.slice(0, 400)}`)]);

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0);

export const reportLines = (report: ChaosReport): string[] => {
  const { tallies, lostByBroker: lost } = report;
  const total = (of: "missing" | "twice" | "invented"): number => sum(tallies.map((t) => t[of].length));
  return [
    `  ${report.messages} messages sent, ${report.resent} had again for want of a PUBACK; ${sum(report.repeats.values())} repeats dropped by readers; acks lost: ${JSON.stringify(report.acksLost)}`,
    `  decisions: ${JSON.stringify(Object.fromEntries(report.decisions))}`,
    ...tallies.flatMap(tallyLines),
    ...(lost.length > 0
      ? [`  of the missing, acknowledged by mosquitto just before it was killed: ${lost.length}`]
      : []),
    `  missing ${total("missing") - lost.length}, duplicate effects ${total("twice")}, invented ${total("invented")}, drained ${(report.drainedMs / 1_000).toFixed(1)} s after the last fault`,
  ];
};

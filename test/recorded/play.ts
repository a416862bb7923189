/** Plays the recorded ward through a platform, twice with the same device times, and keeps what each left behind. */
import { Buffer } from "node:buffer";
import type { Observation } from "@medplum/fhirtypes";
import type { Decision, Intent } from "../../schemas/records/clinical.ts";
import type { Episode, Measurement } from "../../schemas/records/telemetry.ts";
import { decisions, episodes, outbox, raw, telemetryQuarantine, vitals } from "../../schemas/topics.ts";
import type { Stack } from "../../deploy/stack.ts";
import { runSql } from "../../streams/io/series/questdb-http.ts";
import { publishWard } from "../../streams/sim/publish.ts";
import type { Ward } from "../../streams/sim/ward/messages.ts";
import { observationsIn, versionsIn } from "../platform/ehr.ts";
import { entriesOf } from "../platform/watch.ts";
import { plainRules, type RunningPlatform, shippedRules, startPlatform } from "../platform.ts";
import { dischargeMs, speed, startMs } from "./ward.ts";

export const wardRules = new URL("../profiles/ward.json", import.meta.url).pathname;

/** What is left of a play; counts of topics and tables are comparable from one play to the next. */
export interface Left {
  /** Messages in the raw log. */
  readonly received: number;
  readonly stored: { readonly vitals: number; readonly episodes: number; readonly windows: number };
  readonly measurements: readonly Measurement[];
  readonly episodes: readonly Episode[];
  readonly decisions: readonly Decision[];
  readonly intents: readonly Intent[];
  readonly quarantined: number;
  readonly observations: readonly Observation[];
  readonly versions: ReadonlyMap<string, string>;
}

export interface Played {
  readonly once: Left;
  readonly twice: Left;
  /** `device metric second` to the values in the store: more than one is a duplicate. */
  readonly values: ReadonlyMap<string, readonly number[]>;
  /** Messages of one play that the broker or listener acknowledged. */
  readonly acknowledged: number;
  readonly seconds: Readonly<Record<string, number>>;
}

const bodiesOf = <B extends { readonly kind: string }, K extends B["kind"]>(
  entries: readonly { readonly body: B }[],
  kind: K,
): Extract<B, { readonly kind: K }>[] =>
  entries.flatMap(({ body }) => (body.kind === kind ? [body as Extract<B, { readonly kind: K }>] : []));

const leftBehind = async ({ log, wire, series, ehr }: RunningPlatform): Promise<Left> => {
  const all = <T extends Parameters<typeof entriesOf>[2]>(topic: T) => entriesOf(log, wire, topic);
  return {
    received: bodiesOf(await all(raw), "reading").length,
    stored: {
      vitals: await series.count("vitals"),
      episodes: await series.count("episodes"),
      windows: await series.count("windows"),
    },
    measurements: bodiesOf(await all(vitals), "measurement"),
    episodes: bodiesOf(await all(episodes), "episode"),
    decisions: bodiesOf(await all(decisions), "decision"),
    intents: bodiesOf(await all(outbox), "intent"),
    quarantined: (await all(telemetryQuarantine)).length,
    observations: await observationsIn(ehr),
    versions: await versionsIn(ehr),
  };
};

interface StoredValue {
  readonly device: string;
  readonly metric: string;
  readonly ms: number;
  readonly value: number;
}

/** By device time, asked of the server itself and past the port; the embedded store has it in event time, which no clock corrects here. */
const rowsOf = async ({ config, series }: RunningPlatform): Promise<StoredValue[]> => {
  if (config.series.kind === "questdb") {
    const sql = "SELECT device, metric, ts::long / 1000 AS ms, value FROM vitals";
    return (await runSql({ url: config.series.url }, sql)) as unknown as StoredValue[];
  }
  const rows = await series.vitals({ from: 0, to: dischargeMs + 86_400_000, limit: 1_000_000 });
  return rows.map(({ device, metric, eventTime, value }) => ({ device, metric, ms: eventTime, value }));
};

/** `device metric second` to the values in the store: more than one is a duplicate. */
export const storedValues = async (platform: RunningPlatform): Promise<ReadonlyMap<string, readonly number[]>> => {
  const values = new Map<string, number[]>();
  for (const { device, metric, ms, value } of await rowsOf(platform))
    values.getOrInsertComputed(`${device} ${metric} ${(ms - startMs) / 1_000}`, () => []).push(value);
  return values;
};

export const play = async (ward: Ward, stack?: Stack): Promise<Played> => {
  const began = performance.now();
  const seconds: Record<string, number> = {};
  const lap = (what: string): void => {
    seconds[what] = Math.round((performance.now() - began) / 100) / 10;
  };
  const protocolVersion = stack === undefined ? 4 : 5;
  const platform = await startPlatform({
    ...(stack !== undefined && { stack }),
    roster: ward.roster,
    rules: [shippedRules, wardRules, plainRules],
    allowPlainRules: true,
    speed,
    startMs,
    protocolVersion,
  });
  try {
    lap("ready");
    await platform.begin();
    const to = { url: platform.mqttUrl, protocolVersion } as const;
    const { acknowledged } = await publishWard(ward, { ...to, speed });
    lap("played");
    await platform.settle(dischargeMs + 5_000);
    const once = await leftBehind(platform);
    lap("settled");
    await publishWard(ward, { ...to, speed: Number.POSITIVE_INFINITY });
    await platform.settle();
    const twice = await leftBehind(platform);
    const values = await storedValues(platform);
    lap("again");
    return { once, twice, values, acknowledged, seconds };
  } finally {
    await platform.stop();
  }
};

/** The intents as they were handed to the destination, byte for byte. */
export const written = (intents: readonly Intent[]): string[] =>
  intents.map(({ revision, resource }) => `${revision} ${Buffer.from(resource).toString()}`).sort();

/**
 * Plays the hundred monitors of test/alert/thousand in the ward whose destinations misbehave, heals the destinations in the middle of it, and
 * asks the circuit all the while whether anything is the matter with it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type IllWard, type Standing, standIllWard } from "./ill-ward.ts";
import { type Script, Thousand } from "./thousand.ts";

const lookEveryMs = 500;
const leadMs = 2_000;
/** Whoever is told last is told by then. */
const restMs = 5_000;

export interface IllCourse extends Omit<Script, "startMs"> {
  /** Seconds of the play after which the destinations do as they should. */
  readonly healAfter: number;
}

export interface IllRan extends IllWard {
  readonly play: Thousand;
  readonly startMs: number;
  /** Wall clock, ms. */
  readonly healedMs: number;
  readonly atHealing: Standing;
  /** What was the matter with the circuit, and how often it was asked. */
  readonly circuit: { readonly complaints: readonly string[]; readonly looks: number };
}

export const playBesideIll = async (course: IllCourse): Promise<IllRan> => {
  const ward = await standIllWard();
  try {
    return { ...ward, ...(await play(course, ward)) };
  } catch (error) {
    await ward.close();
    throw error;
  }
};

const play = async (course: IllCourse, ward: IllWard): Promise<Omit<IllRan, keyof IllWard>> => {
  const startMs = Date.now() + leadMs;
  const thousand = new Thousand({ ...course, startMs });
  const over = new AbortController();
  const all = await Promise.all([
    watchCircuit(ward, over.signal),
    healAt(startMs + course.healAfter * 1_000, ward),
    publish(thousand, startMs, course.lasts, ward)
      .then(() => sleep(restMs))
      .finally(() => over.abort()),
  ]);
  const [circuit, healed] = all;
  return { ...healed, circuit, play: thousand, startMs };
};

const healAt = async (
  healMs: number,
  { peers, standing }: IllWard,
): Promise<Pick<IllRan, "atHealing" | "healedMs">> => {
  await sleep(healMs - Date.now());
  const atHealing = await standing();
  for (const peer of peers) peer.heal();
  return { atHealing, healedMs: Date.now() };
};

const watchCircuit = async ({ complaints }: IllWard, over: AbortSignal): Promise<IllRan["circuit"]> => {
  const said: string[] = [];
  let looks = 0;
  for (; !over.aborted; looks++) {
    said.push(...(await complaints()));
    await sleep(lookEveryMs);
  }
  return { complaints: said, looks };
};

/** Spread over each second, as a hundred monitors are. */
const publish = async (thousand: Thousand, startMs: number, lasts: number, { client }: IllWard): Promise<void> => {
  for (let n = 0; n < lasts; n++)
    for (const [i, sending] of thousand.at(n).entries()) {
      const waitMs = startMs + n * 1_000 + i * 9 - Date.now();
      if (waitMs > 1) await sleep(waitMs);
      for (const one of sending.raises) one.publishedAt = Date.now();
      client.publish(sending.mqttTopic, Buffer.from(sending.payload), { qos: 1 }, () => undefined);
    }
};

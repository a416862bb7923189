/**
 * `make sim SEEDS=n`: the standard scenario under so many seeds, the ward's own stages under a hundredth of them, then the table of planted faults and the first seed that finds each.
 * One seed alone: SEED=number. Exits 1 when the honest protocol fails or a planted fault is not found.
 */
import { Command, InvalidArgumentError } from "commander";
import { circuitWard } from "./circuit-ward.ts";
import { faults } from "./faults.ts";
import { realWard } from "./real-ward.ts";
import { run, type Verdict } from "./scenario.ts";
import { deployingWard } from "./small-ward.ts";
import type { World } from "./world.ts";

const whole = (text: string): number => {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError("a whole number from 1 on");
  return number;
};
const { seeds, seed, most } = new Command("sim")
  .option("--seeds <n>", "so many seeds, from 1 on", whole, 20_000)
  .option("--seed <n>", "this seed alone", whole)
  .option("--most <n>", "a planted fault is to be found within so many seeds", whole, 5_000)
  .parse()
  .opts<{ seeds: number; seed?: number; most: number }>();

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const told = (number: number, { wrong, trace, steps, entries }: Verdict): string =>
  `seed ${number}: ${wrong ?? "ok"} (${steps} steps, ${entries} entries, trace ${trace})`;

const honest = async (): Promise<boolean> => {
  const before = process.cpuUsage();
  const bad: number[] = [];
  for (let number = 1; number <= seeds; number++) {
    const verdict = await run(number);
    if (verdict.wrong !== null) {
      bad.push(number);
      say(told(number, verdict));
    }
  }
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  say(`${seeds} seeds: ${bad.length} bad; ${(seeds / cpuSeconds).toFixed(0)} seeds per CPU-second (goal 300)`);
  return bad.length === 0;
};

/** A hundredth of the seeds for the ward itself, which is that much larger, and for the alert circuit. */
const real = async (name: string, world: () => Promise<World>): Promise<boolean> => {
  const many = Math.max(1, Math.round(seeds / 100));
  let bad = 0;
  for (let number = 1; number <= many; number++) {
    const verdict = await run(number, {}, await world());
    if (verdict.wrong === null) continue;
    bad++;
    say(`${name}, ${told(number, verdict)}`);
  }
  say(`${many} seeds of ${name}: ${bad} bad`);
  return bad === 0;
};

/** A twentieth for a rolling deploy: two versions, and the cut-over between them. */
const deploying = async (): Promise<boolean> => {
  const many = Math.max(1, Math.round(seeds / 20));
  let bad = 0;
  for (let number = 1; number <= many; number++) {
    const verdict = await run(number, {}, deployingWard(number));
    if (verdict.wrong === null) continue;
    bad++;
    say(`a rolling deploy, ${told(number, verdict)}`);
  }
  say(`${many} seeds of a rolling deploy: ${bad} bad`);
  return bad === 0;
};

const planted = async (): Promise<boolean> => {
  let found = 0;
  for (const [name, fault] of Object.entries(faults)) {
    let number = 0;
    let verdict: Verdict | undefined;
    do verdict = await run(++number, fault);
    while (verdict.wrong === null && number < most);
    if (verdict.wrong !== null) found++;
    say(
      `${name.padEnd(58)} ${verdict.wrong === null ? `NOT FOUND in ${number}` : `seed ${number}: ${verdict.wrong.slice(0, 90)}`}`,
    );
  }
  say(`${found} of ${Object.keys(faults).length} planted faults found`);
  return found === Object.keys(faults).length;
};

if (seed !== undefined) {
  const verdict = await run(seed);
  say(told(seed, verdict));
  process.exitCode = verdict.wrong === null ? 0 : 1;
} else
  process.exitCode =
    (await honest()) &&
    (await deploying()) &&
    (await real("the ward's own stages", realWard)) &&
    (await real("the alert circuit's stages", circuitWard)) &&
    (await planted())
      ? 0
      : 1;

/**
 * Three minutes of chaos with the listener as intake: a hundred devices at 1 Hz and their waveforms, every process of ours and every server
 * killed, hung and robbed of answers. What the sender wrote to its ledger is in the raw log, and everything that follows from it is there
 * once. `make chaos` runs longer, with other seeds, and with a broker as intake too.
 */
import { expect, it } from "vitest";
import { sharedStack } from "../stack.ts";
import { problemsOf, reportLines, runChaos, saidLines } from "./run.ts";

const [minutes, seed] = [3, 1];
/** One of every kind for every target. */
const faults = 27;
const story = { timeout: 540_000 };

const tell = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

it(
  "loses nothing, does nothing twice and invents nothing while processes die, hang and lose answers",
  story,
  async () => {
    const report = await runChaos({ stack: sharedStack(), intake: "listener", minutes, faults, seed, tell });
    for (const line of reportLines(report)) tell(line);
    const problems = problemsOf(report);
    if (problems.length > 0) for (const line of saidLines(report)) tell(line);
    expect(problems).toEqual([]);
    expect(report.struck).toHaveLength(faults);
    // the faults were real: messages came again, readers dropped repeats, answers were lost
    expect(report.resent).toBeGreaterThan(0);
    expect([...report.repeats.values()].some((times) => times > 0)).toBe(true);
    expect(Object.keys(report.acksLost)).toContain("kafka EndTxn");
    expect(report.struck.map(({ fault }) => fault.what)).toContain("changed stage");
    expect(report.messages).toBeGreaterThan(minutes * 60 * 100);
    expect(report.decisions.get("promoted")).toBeGreaterThan(100);
  },
);

/** Conformance of what outlives the process that wrote it: SIGKILL between any two of its instructions. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import type { Subject } from "./conformance.ts";
import { eventually, readAll, text, values, withLogs } from "./conformance-fixtures.ts";

/** A process of its own that runs `story`; in it `log` is what `opens`, an expression with its imports before it, gives. */
export const otherProcess = (imports: string, opens: string, story: string): ChildProcess =>
  spawn(process.execPath, ["--input-type=module-typescript", "-e", `${imports}\nconst log = ${opens};\n${story}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });

export const linesOf = (child: ChildProcess): string[] => {
  const lines: string[] = [];
  let rest = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
  });
  return lines;
};

export const killed = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
};

const rounds = 2;
const acknowledgedFirst = 30;

/** Appends and commits one number after the other, and says each once both were acknowledged. */
const writing = (topic: string, store: string): string => `
  await log.ensure([{ name: ${JSON.stringify(topic)}, partitions: 1 }]);
  const owner = await log.claim(${JSON.stringify(store)}, 0, 1);
  const before = Number(Buffer.from((await owner.load()).get("next") ?? Buffer.from("0")).toString());
  await owner.confirm();
  const appender = await log.appender("dying");
  for (let i = before; ; i++) {
    await appender.append([{ topic: ${JSON.stringify(topic)}, partition: 0, key: "k", value: Buffer.from(String(i)) }]);
    await owner.commit(new Map([["next", Buffer.from(String(i + 1))]]));
    console.log(i);
  }`;

export const killedConformance = (subject: () => Subject): void => {
  describe("a process that is killed", () => {
    it("leaves all that it was told is stored, records and states, to who opens the log next", (context) =>
      withLogs(subject, async (open, { name, elsewhere, patienceMs }) => {
        if (elsewhere === undefined) return context.skip("it lives in one process");
        const [topic, store] = [name(), name()];
        for (let round = 0; round < rounds; round++) {
          const child = elsewhere(writing(topic, store));
          const acknowledged = linesOf(child);
          await eventually(() => expect(acknowledged.length).toBeGreaterThan(acknowledgedFirst), patienceMs * 2);
          await killed(child);
          const log = await open();
          const kept = [...new Set(values(await readAll(log, topic, 0)))];
          expect(kept).toEqual(kept.map((_, i) => String(i)));
          const next = Number(text((await log.snapshot(store, 0)).get("next") ?? new Uint8Array()));
          expect(next).toBeGreaterThan(Number(acknowledged.at(-1)));
          expect(kept.length).toBeGreaterThanOrEqual(next);
        }
      }));
  });
};

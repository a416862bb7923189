/** The circuit is SIGKILLed again and again while the listener sends: what a sender was answered for is in the circuit's log, in order. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { raw } from "../../../schemas/topics.ts";
import { eventually, readAll } from "../../log/conformance-fixtures.ts";
import { killed, linesOf, otherProcess } from "../../log/conformance-killed.ts";
import { sqliteLog } from "../../log/sqlite.ts";
import { localRegistry } from "../registry/local.ts";
import { openWire } from "../registry/wire.ts";
import { Tap } from "./tap.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A circuit's intake as a process of its own; its first line is its port. */
const intakeProcess = (folder: string, port: number) => {
  const here = (name: string): string => JSON.stringify(join(import.meta.dirname, name));
  const child = otherProcess(
    `import { startTapEndpoint } from ${here("endpoint.ts")}; import { RawIntake } from ${here("../../log/raw-intake.ts")};
     import { sqliteLog } from ${here("../../log/sqlite.ts")}; import { openWire } from ${here("../registry/wire.ts")};
     import { localRegistry } from ${here("../registry/local.ts")}; import { raw } from ${here("../../../schemas/topics.ts")};`,
    `sqliteLog({ file: ${JSON.stringify(join(folder, "circuit.sqlite"))} })`,
    `await log.ensure([raw]);
     const wire = await openWire(localRegistry(${JSON.stringify(join(folder, "schemas.sqlite"))}), [raw]);
     const appender = await log.appender("circuit");
     const scale = { originMs: 0, speed: 1 };
     const intake = new RawIntake({ topic: raw, appender, wire, scale, now: Date.now, onError: console.error });
     const accept = (message) => intake.accept(message);
     const { port } = await startTapEndpoint({ host: "127.0.0.1", port: ${port}, accept, onError: console.error });
     console.log(port);`,
  );
  closing.push(() => killed(child));
  return { child, lines: linesOf(child) };
};

describe("a circuit that is killed while the tap sends", () => {
  it("has all that a sender was answered for; no message is lost, and repeats are of one batch a kill", {
    timeout: 60_000,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "afferent-tap-"));
    closing.push(() => rm(folder, { recursive: true, force: true }));
    let circuit = intakeProcess(folder, 0);
    await eventually(() => expect(circuit.lines).toHaveLength(1), 10_000);
    const port = Number(circuit.lines[0]);
    const tap = new Tap({ url: `http://127.0.0.1:${port}`, run: "listener", onError: () => undefined });
    closing.push(() => tap.close());

    const kills = 3;
    const answered: number[] = [];
    const sent: Promise<unknown>[] = [];
    let sending = true;
    const send = (async () => {
      for (let n = 0; sending; n++) {
        const payload = Buffer.from(String(n));
        const message = { mqttTopic: "afferent/mon-1/numerics", payload, session: "s", dup: false, qos: 1 as const };
        const given = tap.accept({ ...message, retained: false, receivedMs: n });
        sent.push(given.then(() => answered.push(n)));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    for (let kill = 0; kill < kills; kill++) {
      const before = answered.length;
      await eventually(() => expect(answered.length).toBeGreaterThan(before + 100), 10_000);
      await killed(circuit.child);
      circuit = intakeProcess(folder, port);
    }
    const before = answered.length;
    await eventually(() => expect(answered.length).toBeGreaterThan(before + 100), 10_000);
    sending = false;
    await send;
    await Promise.all(sent);
    await killed(circuit.child);

    const log = sqliteLog({ file: join(folder, "circuit.sqlite") });
    const wire = await openWire(localRegistry(join(folder, "schemas.sqlite")), [raw]);
    closing.push(() => log.close());
    const stored: number[] = [];
    for (let partition = 0; partition < raw.partitions; partition++)
      for (const { value } of await readAll(log, raw.name, partition)) {
        const decoded = wire.decode(raw, value);
        if (decoded.ok && decoded.value.body.kind === "reading") stored.push(decoded.value.body.receivedTime);
      }
    const all = sent.map((_, n) => n);
    expect([...new Set(stored)]).toEqual(all);
    expect(answered).toEqual(all);
    const timesBack = stored.filter((n, i) => n <= (stored[i - 1] ?? -1)).length;
    expect(timesBack).toBeLessThanOrEqual(kills);
  });
});

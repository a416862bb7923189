/** The demo's alert circuit: a process of its own, as everywhere, that writes its pages to a file and is started again when it ends. */
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkAlertConfig } from "../alert-config.ts";
import { OperatingError } from "../core/failure.ts";
import type { TimeScale } from "../core/time.ts";
import { writeDemoAlerts } from "./demo-alerts.ts";

export interface DemoCircuitOptions {
  /** Where the command line looks for `alert.json`. */
  readonly base: string;
  /** Of this ward. */
  readonly folder: string;
  readonly roster: string;
  readonly rules: string;
  readonly tapPort: number;
  /** Of its own interface, which the board asks. */
  readonly apiPort: number;
  readonly scale: TimeScale;
}

export interface DemoCircuit {
  /** One line per notification. */
  readonly pages: string;
  close(): Promise<void>;
}

const loopback = "127.0.0.1";
const readyMs_max = 30_000;
const againMs = 1_000;
const main = join(import.meta.dirname, "../main.ts");

/** A port of this machine that nothing listens on now: the one that is wanted, where it is free. */
export const freePort = (wanted = 0): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) => (wanted === 0 ? reject(error) : resolve(freePort())));
    server.listen(wanted, loopback, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });

/** Resolves when the circuit says that it runs. Codes: `circuit-not-ready`, with what it said. */
export const startDemoCircuit = async (options: DemoCircuitOptions): Promise<DemoCircuit> => {
  const { base, folder, roster, rules, tapPort, apiPort, scale } = options;
  const ward = join(folder, "ward");
  const pages = join(folder, "pages.log");
  await writeDemoAlerts({ folder: ward, roster, rules, tellBy: ["pages"] });
  const config = checkAlertConfig(
    {
      production: false,
      data: join(folder, "circuit"),
      ward,
      intake: { kind: "tap", host: loopback, port: tapPort },
      api: { host: loopback, port: apiPort },
      notifiers: { pages: { kind: "console", to: pages } },
      demoApproval: true,
      ...(scale.speed !== 1 && { scale }),
    },
    "of the demo",
  );
  const file = join(base, "alert.json");
  await writeFile(file, `${JSON.stringify(config, null, 1)}\n`);
  const kept = keepRunning(file);
  await kept.ready;
  return { pages, close: kept.close };
};

const keepRunning = (file: string): { readonly ready: Promise<void>; close(): Promise<void> } => {
  const ready = Promise.withResolvers<void>();
  const stop = new AbortController();
  let said = "";
  const runOnce = (): Promise<void> =>
    new Promise((ended) => {
      const child = spawn(process.execPath, [main, "alert", "--config", file], { stdio: ["ignore", "pipe", "pipe"] });
      const end = (): void => void child.kill("SIGTERM");
      const outlive = (): void => void child.kill("SIGKILL");
      stop.signal.addEventListener("abort", end);
      process.once("exit", outlive);
      child.stderr.on("data", (part) => {
        said = (said + String(part)).slice(-4_000);
      });
      child.stdout.on("data", (part) => {
        if (String(part).includes("afferent alert: ")) ready.resolve();
      });
      child.once("exit", () => {
        stop.signal.removeEventListener("abort", end);
        process.off("exit", outlive);
        ended();
      });
    });
  const running = (async () => {
    while (!stop.signal.aborted) {
      await runOnce();
      await sleep(againMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  const giveUp = setTimeout(() => {
    stop.abort();
    ready.reject(
      new OperatingError("circuit-not-ready", `the alert circuit did not get ready; it said:\n${said}`, {
        retry: false,
      }),
    );
  }, readyMs_max);
  return {
    ready: ready.promise.finally(() => clearTimeout(giveUp)),
    close: async () => {
      stop.abort();
      await running;
    },
  };
};

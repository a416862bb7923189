/**
 * What the platform costs, in messages or entries per CPU-second of its own process, beside others that do the same work in the same run: a bare
 * pipe from MQTT to Kafka, and Kafka Streams for the windows. Figures are medians of paired runs with their spread; ratios are what
 * counts, for other work on the machine slows both. Promotions are measured against an EHR that answers at once, and against HAPI FHIR.
 * BENCH_RUNS, BENCH_MESSAGES, BENCH_BEDS, BENCH_SECONDS and BENCH_PROMOTIONS change the size.
 */
import { availableParallelism, loadavg, totalmem } from "node:os";
import { withStack } from "./bench-stack.ts";
import { say, sayGoal, spread, whole } from "./figures.ts";
import { barePipe, ingest } from "./intake.ts";
import { benchPromotion } from "./promotion.ts";
import { type RawToWindows, rawToWindows } from "./raw-to-windows.ts";
import { benchWindowing } from "./windowing.ts";

const sizeOf = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const runs = sizeOf("BENCH_RUNS", 3);
const load = { messages: sizeOf("BENCH_MESSAGES", 100_000), devices: 1000 };
const ward = { beds: sizeOf("BENCH_BEDS", 250), seconds: sizeOf("BENCH_SECONDS", 720) };

// of the children, only what went wrong; and kafkajs 2.2.4 gives Node 26 a negative timeout at each connection, which is harmless
process.env["LOG_LEVEL"] ??= "warn";
process.env["NODE_NO_WARNINGS"] = "1";
process.removeAllListeners("warning");

const sayLoad = (): void =>
  say(
    `load average ${loadavg()
      .map((n) => n.toFixed(1))
      .join(" ")}`,
  );

const benchIntake = async (): Promise<void> => {
  const bare: number[] = [];
  const ours: number[] = [];
  const windows: RawToWindows[] = [];
  for (let run = 0; run < runs; run++) {
    // servers of its own: the load's devices are in no roster, and their messages in the raw log would be work for the stages
    windows.push(await withStack(rawToWindows));
    await withStack(async (stack) => {
      bare.push(await barePipe(stack, load));
      ours.push(await ingest(stack, load));
      say(
        `run ${run + 1} of ${runs}, messages/CPU-s: bare pipe ${whole(bare[run] ?? 0)}, MQTT to raw log ${whole(ours[run] ?? 0)}, ` +
          `raw log to windows ${whole(windows[run]?.messages ?? 0)} (${whole(windows[run]?.measurements ?? 0)} measurements)`,
      );
    });
  }
  const toBare = (values: readonly number[]) => values.map((value, run) => value / (bare[run] ?? Number.NaN));
  const messages = windows.map((one) => one.messages);
  say(`bare pipe, messages/CPU-s: ${spread(bare, whole)}`);
  say(`MQTT to raw log, messages/CPU-s: ${spread(ours, whole)}`);
  sayGoal("MQTT to raw log against the bare pipe", toBare(ours), 0.7);
  say(`raw log to windows, messages/CPU-s: ${spread(messages, whole)}`);
  say(
    `raw log to windows, measurements/CPU-s: ${spread(
      windows.map((one) => one.measurements),
      whole,
    )}`,
  );
  say(`raw log to windows against the bare pipe: ${spread(toBare(messages), (ratio) => ratio.toFixed(2))}`);
};

/** BENCH_PARTS=promotion measures that alone. */
const parts = (process.env["BENCH_PARTS"] ?? "intake,windows,promotion").split(",");

say(`${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GB; Node ${process.version}`);
sayLoad();
if (parts.includes("intake")) await benchIntake();
sayLoad();
if (parts.includes("windows")) await withStack((stack) => benchWindowing(stack, { runs, ...ward }));
if (parts.includes("promotion")) await benchPromotion({ runs, promotions: sizeOf("BENCH_PROMOTIONS", 10_000) });
sayLoad();

/** An alert circuit as the board hears it, drawn to go with demo-ward.ts: open pages in every state, and what cries wolf. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const hourMs = 3_600_000;

const page = (
  identity: string,
  bed: number | null,
  text: string,
  priority: "high" | "medium" | "low",
  since: number,
  more: object = {},
): object => ({
  identity,
  unit: "ICU-2",
  bed: bed === null ? null : `bed-${String(bed).padStart(2, "0")}`,
  bedSince: bed === null ? null : since - 9 * hourMs,
  bedConfirmed: bed !== null,
  device: bed === null ? "mon-07" : `mon-${String(bed).padStart(2, "0")}`,
  text,
  priority,
  onset: since,
  state: "escalating",
  latched: false,
  lastResort: false,
  nextAt: since + 60_000,
  acceptedBy: null,
  responsibilities: [{ recipient: "nurse-icu-2-1", state: "pending", since: since + 12_000 }],
  raisedAt: since + 10_000,
  test: false,
  ...more,
});

const told = (recipient: string, state: string, since: number): object => ({ recipient, state, since });

const pages = (now: number, start: number): object[] => [
  page("p-1", 5, "SpO₂ 82 %, below its limit of 85", "high", start - 25_000, {
    nextAt: start + 32_000,
    responsibilities: [told("nurse-icu-2-2", "noAnswer", start - 25_000), told("charge-icu-2", "pending", now - 7_000)],
  }),
  page("p-2", null, "monitoring lost: bed bed-07", "high", start - 42_000, {
    lastResort: true,
    nextAt: now + 41_000,
    responsibilities: [
      told("nurse-icu-2-2", "rejected", start - 30_000),
      told("charge-icu-2", "undeliverable", start - 29_000),
      told("physician", "pending", now - 19_000),
    ],
  }),
  page("p-3", 11, "Heart rate 131 /min, above its limit of 120", "medium", start - 190_000, {
    state: "accepted",
    acceptedBy: "nurse-icu-2-3",
    nextAt: start + 700_000,
    bedSince: start - 20 * 60_000,
    bedConfirmed: false,
  }),
  page("p-4", 17, "sensor off: SpO₂", "medium", start - 70_000),
  page("p-5", 3, "ventricular tachycardia", "high", start - 300_000, {
    latched: true,
    state: "accepted",
    acceptedBy: "nurse-icu-2-1",
    nextAt: null,
  }),
];

const nuisance = (
  bed: number,
  source: string,
  what: string,
  alarms: number,
  selfEnded: number,
  seconds: number,
): object => ({
  unit: "ICU-2",
  bed: `bed-${String(bed).padStart(2, "0")}`,
  source,
  what,
  alarms,
  selfEnded,
  durationMs: seconds * 1_000,
  delayMs: alarms * 15_200,
});

/** At a free port; `url` for the board's `alertApi`. */
export const startDrawnCircuit = async (start: number): Promise<{ readonly url: string; close(): void }> => {
  const server = createServer((_, response) => {
    const now = Date.now();
    response.end(
      JSON.stringify({
        now,
        audit: [],
        banner: {
          text: "E-mail is down: who is told by e-mail alone is told by telephone.",
          priority: "low",
        },
        openPages: pages(now, start),
        nuisance: [
          nuisance(16, "rule", "spo2-low", 41, 37, 622),
          nuisance(2, "device", "low", 18, 15, 130),
          nuisance(11, "rule", "hr-high", 9, 0, 4_210),
          nuisance(17, "technical", "sensorOff", 6, 1, 900),
          nuisance(5, "rule", "spo2-desaturation", 2, 0, 170),
        ],
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
};

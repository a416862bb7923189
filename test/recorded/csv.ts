/** The BIDMC files read in the plainest way, on purpose not with the reader that plays them: what the store must hold. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const metrics = ["heartRate", "pulseRate", "respiratoryRate", "spo2"] as const;

/** `bidmc-01 spo2 111` (device, metric, second) to its value; missing ones are left out. */
export const valuesInFiles = (folder: string): ReadonlyMap<string, number> => {
  const values = new Map<string, number>();
  const files = readdirSync(join(folder, "bidmc_numerics")).filter((file) => file.endsWith("_Numerics.csv"));
  for (const file of files) {
    const device = file.replace("_Numerics.csv", "").replace("_", "-");
    const [header = "", ...lines] = readFileSync(join(folder, "bidmc_numerics", file), "utf8")
      .trim()
      .split("\n");
    if (header.trim() !== "Time [s], HR, PULSE, RESP, SpO2") throw new Error(`${file}: other columns: ${header}`);
    for (const line of lines) {
      const [second, ...cells] = line.split(",").map(Number);
      for (const [i, metric] of metrics.entries()) {
        const value = cells[i] ?? Number.NaN;
        if (!Number.isNaN(value)) values.set(`${device} ${metric} ${Math.abs(second ?? Number.NaN)}`, value);
      }
    }
  }
  return values;
};

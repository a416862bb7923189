/** The listener's spool for vitals, alarms and status while the raw log is away: how it is watched and what is said of it. */
import { join } from "node:path";
import { Gauge } from "prom-client";
import type { Platform } from "../compose.ts";
import { OperatingError } from "../core/failure.ts";
import type { Appender } from "../log/log.ts";
import { Spool } from "../log/spool.ts";
import { SpoolFile } from "../log/spool-file.ts";

const recordsName = "afferent_spool_records";
const bytesName = "afferent_spool_bytes";

/** `ready`: until then nothing goes to the raw log. Codes: `spool-unavailable`. */
export const openSpool = (
  appender: Appender,
  { config, metrics, say }: Platform,
  ready: Promise<unknown> | undefined,
): Spool => {
  const file = new SpoolFile(join(config.data, "spool.sqlite"));
  const left = file.records;
  if (left > 0) say.warn({ records: left }, "an earlier run left a spool; it goes to the raw log first");
  const registers = [metrics];
  new Gauge({
    name: recordsName,
    help: "Messages acknowledged, durable in the listener's spool, not yet in the raw log",
    registers,
    collect() {
      this.set(file.records);
    },
  });
  new Gauge({
    name: bytesName,
    help: "Bytes of the messages in the listener's spool",
    registers,
    collect() {
      this.set(file.bytes);
    },
  });
  return new Spool({
    appender,
    file,
    ...(ready !== undefined && { ready }),
    onAway: (error) => say.error({ error: String(error) }, "the raw log is away; vitals go to the spool"),
    onError: (error) => {
      const refused = error instanceof OperatingError && !error.retry;
      say[refused ? "error" : "debug"](
        { error: String(error), records: file.records },
        refused ? "the raw log REFUSES what is spooled; it is kept and asked again" : "the raw log is still away",
      );
    },
    onBack: () => say.warn("the raw log has all that was spooled"),
  });
};

export const closeSpool = async (spool: Spool, { metrics }: Platform): Promise<void> => {
  await spool.close();
  for (const name of [recordsName, bytesName]) metrics.removeSingleMetric(name);
};

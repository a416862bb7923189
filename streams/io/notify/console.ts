/** The notifier of last resort: one line for each notification, to this process's own output or to the end of a file. */
import { open } from "node:fs/promises";
import { OperatingError } from "../../core/failure.ts";
import type { Notifier } from "./notifier.ts";
import { lineOf, oneLine, outsideText } from "./wording.ts";

export interface ConsoleOptions {
  readonly name: string;
  /** `stderr`, `stdout`, or a file's path; lines are added to a file and on its disk when a notification is confirmed. */
  readonly to: string;
}

/** Codes of `send`: `console-unwritable` (may be tried again), those of opening: the same. */
export const openConsole = async ({ name, to }: ConsoleOptions): Promise<Notifier> => {
  const output = to === "stderr" || to === "stdout" ? streamOutput(process[to]) : await fileOutput(to);
  let earlier: Promise<unknown> = Promise.resolve();
  return {
    name,
    send: (notification, recipient, signal) => {
      const said = notification.inside ? lineOf(notification) : outsideText(notification);
      const line = `to ${oneLine(recipient)}: ${said} [${oneLine(notification.identity)}]\n`;
      // one after the other, so that lines stay whole
      const written = earlier.then(() => (signal.aborted ? undefined : output.write(line)));
      earlier = written.catch(() => undefined);
      return heeding(
        signal,
        written.catch((cause: unknown) => Promise.reject(unwritable(to, cause))),
      );
    },
    close: async () => {
      await earlier;
      await output.close();
    },
  };
};

interface Output {
  write(line: string): Promise<void>;
  close(): Promise<void>;
}

const streamOutput = (stream: NodeJS.WriteStream): Output => ({
  write: (line) => new Promise((done, fail) => stream.write(line, (error) => (error ? fail(error) : done()))),
  close: async () => undefined,
});

const fileOutput = async (file: string): Promise<Output> => {
  const handle = await open(file, "a", 0o600).catch((cause: unknown) => Promise.reject(unwritable(file, cause)));
  return {
    write: async (line) => {
      await handle.appendFile(line);
      await handle.datasync();
    },
    close: () => handle.close(),
  };
};

const unwritable = (to: string, cause: unknown): OperatingError =>
  new OperatingError("console-unwritable", `console: ${to} can't be written: ${String(cause)}`, { retry: true, cause });

const heeding = (signal: AbortSignal, work: Promise<void>): Promise<void> => {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void =>
    aborted.reject(new OperatingError("console-unwritable", "console: not written in its time", { retry: true }));
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  return Promise.race([work, aborted.promise]).finally(() => signal.removeEventListener("abort", onAbort));
};

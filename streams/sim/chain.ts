/** Driven stages one after the other, for tests: what one writes to a topic, the next one reads. Ticks pass through each in turn. */
import type { Body } from "../core/topic.ts";

/** As much of a driver (drive.ts) as a chain needs. */
interface Link {
  send(key: string, logTimeMs: number, body: Body): void;
  tick(logTimeMs: number): void;
  outputs(to: string): readonly { readonly key: string; readonly logTime: number; readonly body: Body }[];
}

export interface Chain<B extends Body> {
  send(key: string, logTimeMs: number, body: B): void;
  tick(logTimeMs: number): void;
}

/** `writes`: by which name (of its `writes`) each stage but the last writes what the next reads. `B`: what the first reads. Broadcasts are not passed on: send them to each. */
export const chain = <B extends Body>(drivers: readonly unknown[], writes: readonly string[]): Chain<B> => {
  const links = drivers as readonly Link[];
  const passed = links.map(() => 0);
  const passOn = (i: number): void => {
    const [from, to, name] = [links[i], links[i + 1], writes[i]];
    if (from === undefined || to === undefined || name === undefined) return;
    const outputs = from.outputs(name);
    for (const { key, logTime, body } of outputs.slice(passed[i])) to.send(key, logTime, body);
    passed[i] = outputs.length;
    passOn(i + 1);
  };
  return {
    send(key, logTimeMs, body) {
      links[0]?.send(key, logTimeMs, body);
      passOn(0);
    },
    tick(logTimeMs) {
      links.forEach((link, i) => {
        link.tick(logTimeMs);
        passOn(i);
      });
    },
  };
};

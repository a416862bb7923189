/** What the parts that are down come to for clinicians: modes entered and left are said, and displays show the banner of those in force. */
import type { Logger } from "pino";
import type { Hop } from "../../../schemas/records/alert.ts";
import { bannerOf, changesBetween, type HopName, type ModeInForce, modesOf } from "../../../schemas/degradation.ts";
import { type BannerDisplays, type BannerOptions, openBannerDisplays } from "../../io/notify/banner.ts";

export interface DegradationOptions {
  /** Every notifier there is, by name: those that people are told by until {@link Degradation.toldBy} says which. */
  readonly notifiers: readonly string[];
  /** Where displays look for the banner; undefined: there are none. */
  readonly displays: BannerOptions | undefined;
  readonly say: Logger;
  /** How many modes are in force. */
  readonly onModes: (count: number) => void;
}

export interface Degradation {
  /** The parts that are down now, as of `at` (ms). */
  look(down: readonly Hop[], at: number): void;
  /** The notifiers by which the policy in force has people told; none says nothing. */
  toldBy(notifiers: readonly string[]): void;
  modes(): readonly ModeInForce[];
  close(): Promise<void>;
}

export const openDegradation = ({ notifiers, displays, say, onModes }: DegradationOptions): Degradation => {
  const shown: BannerDisplays | undefined = displays === undefined ? undefined : openBannerDisplays(displays);
  let inForce: readonly ModeInForce[] = [];
  let ways = notifiers;
  let last: { readonly down: readonly Hop[]; readonly at: number } = { down: [], at: Date.now() };
  shown?.show(null, last.at);
  const look = (down: readonly Hop[], at: number): void => {
    last = { down, at };
    const after = modesOf({ down: down.map(({ hop }) => hop as HopName), notifiers: ways });
    for (const { mode, which, entered } of changesBetween(inForce, after))
      say[entered ? "error" : "info"](
        { mode: mode.id, which, banner: mode.banner },
        entered ? "mode ENTERED" : "mode left",
      );
    inForce = after;
    onModes(after.length);
    shown?.show(bannerOf(after), at);
  };
  return {
    look,
    toldBy: (names) => {
      if (names.length === 0 || names.join() === ways.join()) return;
      ways = names;
      look(last.down, last.at);
    },
    modes: () => inForce,
    close: async () => shown?.close(),
  };
};

/** Which modes of partial degradation are in force, what people read then, and which were entered or left: pure functions over one table. */
import { type Mode, modes } from "./degradation-table.ts";
import type { Priority } from "./priority.ts";

export type ModeId = (typeof modes)[number]["id"];

/** A part that can be down, as `hop` records name it (records/alert.ts). That all notifiers are down is concluded, not said. */
export type HopName =
  | Exclude<ModeId, "notifier" | "address" | "notifiers" | "network">
  | `notifier/${string}`
  | `address/${string}`
  | `network/${string}`;

export interface Health {
  readonly down: readonly HopName[];
  /** Every notifier there is, by name. */
  readonly notifiers: readonly string[];
}

export interface ModeInForce {
  readonly mode: Mode;
  /** Which notifiers or units are concerned; empty where there is but one of the part. */
  readonly which: readonly string[];
}

const graveness: readonly Priority[] = ["high", "medium", "low"];

/** The modes in force, the gravest first. With every notifier down the greater mode stands alone. */
export const modesOf = ({ down, notifiers }: Health): readonly ModeInForce[] => {
  const away = new Set<string>(down);
  const noneLeft = notifiers.length > 0 && notifiers.every((name) => away.has(`notifier/${name}`));
  const inForce = modes.flatMap((mode): ModeInForce[] => {
    if (mode.id === "notifiers") return noneLeft ? [{ mode, which: [] }] : [];
    if (mode.id === "notifier" && noneLeft) return [];
    if (away.has(mode.id)) return [{ mode, which: [] }];
    const prefix = `${mode.id}/`;
    const which = [...away].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
    return which.length === 0 ? [] : [{ mode, which: which.toSorted() }];
  });
  return inForce.toSorted((a, b) => graveness.indexOf(a.mode.priority) - graveness.indexOf(b.mode.priority));
};

/**
 * How grave it is that a part is down, by the table; a part that nobody has weighed there is as grave as can be. The same for its alarm, its
 * mode and the banner.
 */
export const gravenessOf = (hop: string): Priority =>
  modes.find(({ id }) => id === hop || hop.startsWith(`${id}/`))?.priority ?? "high";

export interface Banner {
  readonly text: string;
  /** Of the gravest mode that has something to say. */
  readonly priority: Priority;
}

/** What displays and board show; null while no mode in force changes anything for clinicians. */
export const bannerOf = (inForce: readonly ModeInForce[]): Banner | null => {
  const texts = inForce.flatMap(({ mode, which }) => mode.banner?.replace("{which}", which.join(", ")) ?? []);
  const gravest = inForce.find(({ mode }) => mode.banner !== null);
  return gravest === undefined ? null : { text: [...new Set(texts)].join(" "), priority: gravest.mode.priority };
};

export interface ModeChange {
  readonly mode: Mode;
  /** The one notifier or unit; null where there is but one of the part. */
  readonly which: string | null;
  readonly entered: boolean;
}

/** What was left and what was entered between two healths: events of their own, what was left first. */
export const changesBetween = (
  before: readonly ModeInForce[],
  after: readonly ModeInForce[],
): readonly ModeChange[] => [
  ...without(before, after).map((one) => ({ ...one, entered: false })),
  ...without(after, before).map((one) => ({ ...one, entered: true })),
];

interface One {
  readonly mode: Mode;
  readonly which: string | null;
}

const without = (inForce: readonly ModeInForce[], others: readonly ModeInForce[]): readonly One[] => {
  const known = singly(others);
  return singly(inForce).filter(({ mode, which }) => !known.some((one) => one.mode === mode && one.which === which));
};

const singly = (inForce: readonly ModeInForce[]): readonly One[] =>
  inForce.flatMap(({ mode, which }): One[] =>
    which.length === 0 ? [{ mode, which: null }] : which.map((one) => ({ mode, which: one })),
  );

/** The theme's colours for canvases, which can't read CSS variables by themselves. */
import type { Hue } from "./vital-signs.ts";

export interface Colours {
  readonly grid: string;
  readonly text: string;
  readonly faint: string;
  readonly hue: (hue: Hue) => string;
  readonly priority: (priority: "low" | "medium" | "high") => string;
}

export const readColours = (): Colours => {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  return {
    grid: of("--grid"),
    text: of("--text-2"),
    faint: of("--text-3"),
    hue: (hue) => of(`--hue-${hue}`),
    priority: (priority) => of(`--priority-${priority}`),
  };
};

/** Calls back when the computer changes between its dark and light theme. Gives what ends it. */
export const onTheme = (changed: () => void): (() => void) => {
  const query = matchMedia("(prefers-color-scheme: light)");
  query.addEventListener("change", changed);
  return () => query.removeEventListener("change", changed);
};

export const faded = (colour: string, share: number): string =>
  `color-mix(in srgb, ${colour} ${Math.round(share * 100)}%, transparent)`;

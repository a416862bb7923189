/** The simulator's own random numbers: the same seed gives the same ward on every machine. Not for secrets. */

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Normal with mean 0 and deviation 1. */
  gauss(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** So many lower-case hexadecimal digits. */
  hex(digits: number): string;
}

const mix = (seed: number, name: string): number => {
  let h = seed | 0;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return h;
};

/** mulberry32 (Tommy Ettinger), a stream of its own for each name, so that one device's draws never shift another's. */
export const random = (seed: number, name: string): Random => {
  let state = mix(Math.imul(seed, 0x9e3779b1) + 0x811c9dc5, name);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    gauss: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    between: (low, high) => low + (high - low) * next(),
    hex: (digits) => Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join(""),
  };
};

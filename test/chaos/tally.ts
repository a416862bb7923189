/** What was expected against what was found, by identity: missing, had twice, and invented. */

export interface Tally {
  readonly what: string;
  readonly expected: number;
  readonly missing: readonly string[];
  /** Found more than once. */
  readonly twice: readonly string[];
  /** Found and expected nowhere, or found with another content. */
  readonly invented: readonly string[];
  /** Where what is missing was last seen, by identity. */
  readonly lastSeen?: ReadonlyMap<string, string>;
}

/** Both sides as identity to content; found as pairs, for the same may be found twice. Contents are compared as text. */
export const tally = (
  what: string,
  expected: ReadonlyMap<string, string>,
  found: Iterable<readonly [string, string]>,
): Tally => {
  const had = new Map<string, number>();
  const invented: string[] = [];
  for (const [id, content] of found) {
    had.set(id, (had.get(id) ?? 0) + 1);
    const wanted = expected.get(id);
    if (wanted === undefined) invented.push(id);
    else if (wanted !== content) invented.push(`${id}: ${content} instead of ${wanted}`);
  }
  return {
    what,
    expected: expected.size,
    missing: [...expected.keys()].filter((id) => !had.has(id)),
    twice: [...had].filter(([, times]) => times > 1).map(([id]) => id),
    invented,
  };
};

export const isExact = ({ missing, twice, invented }: Tally): boolean =>
  missing.length + twice.length + invented.length === 0;

const shown = 5;

const some = (name: string, ids: readonly string[]): string[] =>
  ids.length === 0
    ? []
    : [
        `    ${name}:`,
        ...ids.slice(0, shown).map((id) => `      ${id.slice(0, 400)}`),
        ...(ids.length > shown ? ["      …"] : []),
      ];

/** One line, and some of what is wrong below it. */
export const tallyLines = ({ what, expected, missing, twice, invented, lastSeen }: Tally): string[] => [
  `  ${what.padEnd(44)} ${String(expected).padStart(8)} expected   missing ${missing.length}   twice ${twice.length}   invented ${invented.length}`,
  ...some(
    "missing",
    missing.map((id) => (lastSeen?.has(id) ? `${id}, last seen: ${lastSeen.get(id)}` : id)),
  ),
  ...some("twice", twice),
  ...some("invented", invented),
];

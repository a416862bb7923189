/** What a policy must obey beyond its shape: no gap, no loop, nobody that is not there, and a last resort that is a person. */
import type { Policy } from "../../schemas/records/alert.ts";
import type { Priority } from "../../schemas/priority.ts";

export interface PolicyProblem {
  readonly place: string;
  readonly detail: string;
}

type Content = Pick<Policy, "recipients" | "chains" | "units">;
type Unit = Content["units"][number];

/** Whoever is assigned to the bed; a word in place of a recipient. */
export const atTheBed = "@bed";
const priorities: readonly Priority[] = ["high", "medium", "low"];
const minutesOfDay = 1_440;
/** No accept in 60 s redirects a high one. */
const highWithinMs_max = 60_000;

export const policyProblems = (policy: Content, notifiers: ReadonlySet<string>): readonly PolicyProblem[] => [
  ...twice(
    "recipients",
    policy.recipients.map(({ id }) => id),
  ),
  ...twice(
    "chains",
    policy.chains.map((chain) => chain.name),
  ),
  ...twice(
    "units",
    policy.units.map(({ unit }) => unit),
  ),
  ...addressProblems(policy, notifiers),
  ...chainProblems(policy),
  ...policy.units.flatMap((unit, i) => unitProblems(unit, `units[${i}] (${unit.unit})`, policy)),
  ...(policy.units.some(({ unit }) => unit === "*")
    ? []
    : [{ place: "units", detail: "there is no unit *: an alarm of a unit that is not named here would page nobody" }]),
];

const twice = (list: string, ids: readonly string[]): PolicyProblem[] =>
  ids.flatMap((id, i) => (ids.indexOf(id) < i ? [{ place: `${list}[${i}]`, detail: `${id} is there before` }] : []));

const addressProblems = ({ recipients }: Content, notifiers: ReadonlySet<string>): PolicyProblem[] =>
  recipients.flatMap(({ id, addresses }, i) =>
    addresses
      .filter(({ notifier }) => !notifiers.has(notifier))
      .map(({ notifier }) => ({
        place: `recipients[${i}] (${id})`,
        detail: `no notifier is called ${notifier}; there are: ${[...notifiers].join(", ")}`,
      })),
  );

/** Those that are named must be there, and be persons: nobody's page may end at a test receiver. */
const unknownOf = (place: string, to: readonly string[], { recipients }: Content, bed: boolean): PolicyProblem[] =>
  to.flatMap((id) => {
    if (id === atTheBed) return bed ? [] : [{ place, detail: `${atTheBed} cannot stand here` }];
    const recipient = recipients.find((one) => one.id === id);
    if (recipient === undefined) return [{ place, detail: `no recipient is called ${id}` }];
    return recipient.test ? [{ place, detail: `${id} receives tests only` }] : [];
  });

const chainProblems = (policy: Content): PolicyProblem[] =>
  policy.chains.flatMap(({ name, steps, continuesWith }, i) => {
    const place = `chains[${i}] (${name})`;
    const known = continuesWith === null || policy.chains.some((chain) => chain.name === continuesWith);
    return [
      ...(steps.length === 0 && continuesWith === null ? [{ place, detail: "has no step" }] : []),
      ...steps.flatMap(({ to }, j) => unknownOf(`${place}.steps[${j}]`, to, policy, true)),
      ...(known ? [] : [{ place, detail: `continues with ${continuesWith}, which is no chain` }]),
      ...(loops(name, policy) ? [{ place, detail: "comes back to itself: its last resort would never be told" }] : []),
    ];
  });

/** Follows `continuesWith` from a chain until it ends or is there again. */
const chainFrom = (
  name: string,
  { chains }: Content,
): { readonly names: readonly string[]; readonly loop: boolean } => {
  const names: string[] = [];
  for (let next: string | null = name; next !== null; ) {
    if (names.includes(next)) return { names, loop: true };
    names.push(next);
    next = chains.find((chain) => chain.name === next)?.continuesWith ?? null;
  }
  return { names, loop: false };
};

const loops = (name: string, policy: Content): boolean => chainFrom(name, policy).loop;

const unitProblems = (unit: Unit, place: string, policy: Content): PolicyProblem[] => [
  ...unknownOf(`${place}.lastResort`, unit.lastResort.to, policy, false),
  ...unit.assignments.flatMap(({ to }, j) => unknownOf(`${place}.assignments[${j}]`, to, policy, false)),
  ...unit.schedules.flatMap(({ chain }, j) =>
    policy.chains.some(({ name }) => name === chain)
      ? []
      : [{ place: `${place}.schedules[${j}]`, detail: `no chain is called ${chain}` }],
  ),
  ...priorities.flatMap((priority) => gapProblems(unit, place, priority)),
  ...slowProblems(unit, place, policy),
];

/** Every minute of the day has a chain, for every priority. */
const gapProblems = ({ schedules }: Unit, place: string, priority: Priority): PolicyProblem[] => {
  const covered = new Uint8Array(minutesOfDay);
  for (const { fromMinute, toMinute, priorities: of } of schedules)
    if (of.includes(priority)) cover(covered, fromMinute % minutesOfDay, toMinute % minutesOfDay);
  const gap = covered.indexOf(0);
  if (gap < 0) return [];
  const end = covered.indexOf(1, gap);
  const until = end < 0 ? minutesOfDay : end;
  return [
    { place: `${place}.schedules`, detail: `nobody is told of a ${priority} alarm from minute ${gap} to ${until}` },
  ];
};

/** Equal minutes are all day; `to` below `from` runs over midnight. */
const cover = (covered: Uint8Array, from: number, to: number): void => {
  if (to > from) covered.fill(1, from, to);
  else covered.fill(1, from).fill(1, 0, to === from ? minutesOfDay : to);
};

const slowProblems = ({ schedules }: Unit, place: string, policy: Content): PolicyProblem[] =>
  schedules
    .filter(({ priorities: of }) => of.includes("high"))
    .flatMap(({ chain }, j) =>
      chainFrom(chain, policy)
        .names.flatMap((name) => policy.chains.find((one) => one.name === name)?.steps ?? [])
        .filter(({ acceptWithinMs }) => acceptWithinMs > highWithinMs_max)
        .map(({ acceptWithinMs }) => ({
          place: `${place}.schedules[${j}]`,
          detail: `chain ${chain} waits ${acceptWithinMs} ms for an accept: a high alarm goes on after 60 s at most`,
        })),
    );

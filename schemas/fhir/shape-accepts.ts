/**
 * Compiles a zod shape into one question, "is it so?", that copies nothing and words nothing: what zod says of a good resource at twice
 * the cost. Of plain data, as JSON has it, it only ever says yes where zod does; a no says nothing, and zod is asked for the words.
 */
import type { z } from "zod";

type Accepts = (value: unknown) => boolean;
type Shape = z.core.$ZodType;
type Check = z.core.$ZodCheck<never>;

/** A shape may be a check itself (a date in its format, an integer). */
const checksOf = (shape: Shape): readonly Check[] => [
  ...(shape._zod.traits.has("$ZodCheck") ? [shape as unknown as Check] : []),
  ...(shape._zod.def.checks ?? []),
];

/** One for all: a check asks no other. */
const asked: z.core.ParsePayload<never> = { value: undefined as never, issues: [] };

/** What two kinds of check tell of themselves: a refinement its function, a regular expression itself. */
interface Told {
  readonly fn?: (value: unknown) => unknown;
  readonly format?: string;
  readonly pattern?: RegExp;
}

/** One of zod's own checks; one that would change the value (`trim`) accepts only what it leaves as it is. */
const passing = ({ _zod: { check, def } }: Check): Accepts => {
  const { fn, pattern, format } = def as Told;
  if (def.check === "custom" && fn !== undefined) return (value) => fn(value) === true;
  if (format === "regex" && pattern?.flags === "") return (value) => pattern.test(String(value));
  return (value) => {
    asked.value = value as never;
    const later = check(asked);
    const isGood = later === undefined && asked.issues.length === 0 && asked.value === value;
    asked.issues.length = 0;
    return isGood;
  };
};

const nothing: Accepts = () => false;

/** Null where one of them can't be compiled. */
const all = (shapes: readonly (Shape | undefined)[]): readonly Accepts[] | null => {
  const accepts = shapes.map((shape) => (shape === undefined ? null : typeAccepts(shape)));
  return accepts.includes(null) ? null : accepts.filter((one) => one !== null);
};

const objectOf = ({ shape, catchall }: z.core.$ZodObjectDef): Accepts | null => {
  const accepts = all(Object.values(shape));
  const isStrict = catchall?._zod.def.type === "never" && Object.getOwnPropertySymbols(shape).length === 0;
  if (!isStrict || accepts === null) return null;
  const isNeeded = Object.values(shape).map(({ _zod }) => _zod.def.type !== "optional");
  const needed = isNeeded.filter(Boolean).length;
  const fields = new Map(
    Object.keys(shape).map((name, i) => [name, { accept: accepts[i] ?? nothing, isNeeded: isNeeded[i] === true }]),
  );
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
    let found = 0;
    for (const name in value) {
      const field = fields.get(name);
      if (field?.accept((value as Record<string, unknown>)[name]) !== true) return false;
      if (field.isNeeded) found++;
    }
    return found === needed;
  };
};

const arrayOf = ({ element }: z.core.$ZodArrayDef): Accepts | null => {
  const accept = typeAccepts(element);
  if (accept === null) return null;
  return (value) => {
    if (!Array.isArray(value)) return false;
    for (const item of value) if (!accept(item)) return false;
    return true;
  };
};

const tupleOf = ({ items, rest }: z.core.$ZodTupleDef): Accepts | null => {
  const accepts = all(items);
  if (rest !== null || accepts === null) return null;
  return (value) =>
    Array.isArray(value) && value.length === accepts.length && accepts.every((accept, i) => accept(value[i]));
};

const unionOf = ({ options, inclusive }: z.core.$ZodUnionDef): Accepts | null => {
  const accepts = all(options);
  if (inclusive === false || accepts === null) return null;
  return (value) => accepts.some((accept) => accept(value));
};

const optionalOf = ({ innerType }: z.core.$ZodOptionalDef): Accepts | null => {
  const accept = typeAccepts(innerType);
  return accept === null ? null : (value) => value === undefined || accept(value);
};

/** Without its checks; null: a kind of shape that is not known here. */
const bareAccepts = (shape: Shape): Accepts | null => {
  const { _zod } = shape as z.core.$ZodTypes;
  switch (_zod.def.type) {
    case "string":
      return _zod.def.coerce === true ? null : (value) => typeof value === "string";
    case "number":
      return _zod.def.coerce === true ? null : Number.isFinite;
    case "literal":
    case "enum": {
      const values: ReadonlySet<unknown> | undefined = _zod.values;
      return values === undefined ? null : (value) => values.has(value);
    }
    case "never":
      return nothing;
    case "optional":
      return optionalOf(_zod.def);
    case "object":
      return objectOf(_zod.def);
    case "array":
      return arrayOf(_zod.def);
    case "tuple":
      return tupleOf(_zod.def);
    case "union":
      return unionOf(_zod.def);
    default:
      return null;
  }
};

const typeAccepts = (shape: Shape): Accepts | null => {
  const [bare, checks] = [bareAccepts(shape), checksOf(shape)];
  if (bare === null || checks.length === 0) return bare;
  const passes = checks.map(passing);
  return (value) => {
    if (!bare(value)) return false;
    for (const pass of passes) if (!pass(value)) return false;
    return true;
  };
};

/** Null where the shape holds anything else than strings, numbers, literals, enums, strict objects, arrays, tuples and unions. */
export const acceptsOf = (shape: z.ZodType): Accepts | null => typeAccepts(shape);

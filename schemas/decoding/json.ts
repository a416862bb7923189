/** Reads a device's JSON by place: what is missing, of the wrong type or not a number is refused with a reason and where it stood. */
import { ok, refuse, type Result } from "../../streams/core/failure.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });
/** Tokens that some encoders write although JSON has none. */
const noNumber = /[:[,]\s*(-?(?:NaN|Infinity))\b/;

/** Text of a payload; refuses with `malformed-text` what is not UTF-8. */
export const parseText = (payload: Uint8Array): Result<string> => {
  try {
    return ok(utf8.decode(payload));
  } catch {
    return refuse("malformed-text", `payload: ${payload.length} bytes are not UTF-8`);
  }
};

/** An object with its place. Refuses with `malformed-json`, or `not-a-number` where a bare NaN or Infinity is to blame. */
export const parseJsonObject = (payload: Uint8Array): Result<Fields> => {
  const text = parseText(payload);
  if (!text.ok) return refuse("malformed-json", text.problem.detail);
  let value: unknown;
  try {
    value = JSON.parse(text.value);
  } catch (error) {
    const token = noNumber.exec(text.value);
    return token === null
      ? refuse("malformed-json", `payload: ${String(error)}`)
      : refuse("not-a-number", `payload: ${token[1]} at character ${token.index + 1}`);
  }
  return isObject(value) ? ok(new Fields(value, "")) : refuse("wrong-type", `payload: ${kindOf(value)}, not an object`);
};

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "an array" : typeof value === "object" ? "an object" : typeof value;

/** A number that is one; texts such as "NaN" are refused as `not-a-number`, others as `wrong-type`. */
export const readNumber = (value: unknown, place: string): Result<number> => {
  if (typeof value === "number")
    return Number.isFinite(value) ? ok(value) : refuse("not-a-number", `${place}: ${value}`);
  if (typeof value === "string" && /^[+-]?(nan|inf|infinity)$/i.test(value))
    return refuse("not-a-number", `${place}: ${value}`);
  return refuse("wrong-type", `${place}: ${kindOf(value)}, not a number`);
};

/** The fields of one object. Each reader refuses with `missing-field` or `wrong-type` and the field's place. */
export class Fields {
  readonly #object: Json;
  readonly #place: string;

  constructor(object: Json, place: string) {
    this.#object = object;
    this.#place = place;
  }

  place(name: string): string {
    return this.#place === "" ? name : `${this.#place}.${name}`;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name);
  }

  /** Undefined where there is none. */
  raw(name: string): unknown {
    return this.has(name) ? this.#object[name] : undefined;
  }

  names(): readonly string[] {
    return Object.keys(this.#object);
  }

  string(name: string): Result<string> {
    return this.#as(name, (value) => (typeof value === "string" ? ok(value) : this.#wrong(name, value, "a string")));
  }

  number(name: string): Result<number> {
    return this.#as(name, (value) => readNumber(value, this.place(name)));
  }

  /** A whole number that a double holds exactly. */
  integer(name: string): Result<number> {
    const number = this.number(name);
    if (!number.ok || Number.isSafeInteger(number.value)) return number;
    return refuse("wrong-type", `${this.place(name)}: ${number.value} is not a whole number`);
  }

  object(name: string): Result<Fields> {
    return this.#as(name, (value) =>
      isObject(value) ? ok(new Fields(value, this.place(name))) : this.#wrong(name, value, "an object"),
    );
  }

  array(name: string): Result<readonly unknown[]> {
    return this.#as(name, (value) => (Array.isArray(value) ? ok(value) : this.#wrong(name, value, "an array")));
  }

  /** An element of an array as an object; `place` names it, e.g. "numerics[2]". */
  static of(value: unknown, place: string): Result<Fields> {
    return isObject(value)
      ? ok(new Fields(value, place))
      : refuse("wrong-type", `${place}: ${kindOf(value)}, not an object`);
  }

  #as<T>(name: string, read: (value: unknown) => Result<T>): Result<T> {
    return this.has(name) ? read(this.#object[name]) : refuse("missing-field", `${this.place(name)}: missing`);
  }

  #wrong(name: string, value: unknown, wanted: string): Result<never> {
    return refuse("wrong-type", `${this.place(name)}: ${kindOf(value)}, not ${wanted}`);
  }
}

/**
 * The three kinds of failure (law 6): bad input is a {@link Problem} (a value that goes to quarantine),
 * an operating error is an {@link OperatingError}, a broken invariant is an {@link InvariantError} and ends the process.
 */

/** Why an input was refused: a code for counting, and a sentence that names what was wrong and where. */
export interface Problem {
  readonly reason: string;
  readonly detail: string;
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });
export const refuse = (reason: string, detail: string): Result<never> => ({ ok: false, problem: { reason, detail } });

/** Something outside failed. `retry` says whether the same call may succeed later. */
export class OperatingError extends Error {
  readonly code: string;
  readonly retry: boolean;

  constructor(code: string, message: string, options: { retry: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "OperatingError";
    this.code = code;
    this.retry = options.retry;
  }
}

/** The program contradicts itself; nothing it would do from here on can be trusted. */
export class InvariantError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "InvariantError";
  }
}

/** The kinds of destination. A new one is one file in io, and its import and its name here. */
import { z } from "zod";
import { fhirDestination } from "./io/fhir.ts";
import { oruDestination } from "./io/hl7v2-oru.ts";
import type { Adapter } from "./io/outbox/attempt.ts";
import type { DestinationContext, DestinationKind } from "./io/outbox/kind.ts";
import { restDestination } from "./io/rest.ts";

const kinds = [
  // each by what its file gives
  fhirDestination,
  oruDestination,
  restDestination,
] as const;

type ShapesOf<T extends readonly { readonly shape: unknown }[]> = { readonly [K in keyof T]: T[K]["shape"] };
const shapes = kinds.map(({ shape }) => shape) as unknown as ShapesOf<typeof kinds>;

const nameOf = ({
  shape,
}: {
  readonly shape: { readonly shape: { readonly kind: { readonly value: string } } };
}): string => shape.shape.kind.value;
const names = kinds.map(nameOf).join(", ");

/** A destination's configuration, by its kind; the form without one, of the time when there was but one kind, is `fhir`. */
export const destinationShape = z.preprocess(
  (value) => (typeof value === "object" && value !== null && !("kind" in value) ? { ...value, kind: "fhir" } : value),
  z.discriminatedUnion("kind", shapes, {
    error: ({ code }) => (code === "invalid_union" ? `no such kind of destination; there are: ${names}` : undefined),
  }),
);
export type DestinationConfig = z.infer<typeof destinationShape>;

/** Codes: `config-invalid`, `file-unreadable`. */
export const openAdapter = (config: DestinationConfig, context: DestinationContext): Promise<Adapter> => {
  const kind = kinds.find((one) => nameOf(one) === config.kind) as
    | DestinationKind<z.ZodType<DestinationConfig>>
    | undefined;
  if (kind === undefined)
    throw new RangeError(`no destination is of kind ${config.kind}: the configuration was not checked`);
  return kind.open(config, context);
};

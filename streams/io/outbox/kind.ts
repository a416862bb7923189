/** What a kind of destination is to the composition root: the shape of its configuration, and how it is opened. One file in io each. */
import { z } from "zod";
import { authorizationShape } from "../authorization/authorization.ts";
import { hopConfig } from "../consent/config.ts";
import type { Adapter } from "./attempt.ts";

/** What every destination is told, whatever its kind. */
export const ofEveryDestination = {
  ...hopConfig,
  /** As consents name it. */
  name: z.string().min(1),
  /** This destination's policy: an ended episode's Observation becomes final; else it stays preliminary. */
  finalAtEnd: z.boolean(),
  /** What becomes there of a merged patient's earlier events; they are left where they are unless told otherwise. */
  mergedPatients: z.enum(["leave", "move"]).optional(),
  /** Patients that are written for at the same time; 4 unless told otherwise. */
  patientsAtOnce: z.int().min(1).max(64).optional(),
  /** Where AuditEvents of what was disclosed there go; they are kept in the outbox and the deliveries in any case. */
  audit: z.strictObject({ baseUrl: z.url(), auth: authorizationShape.optional() }).optional(),
};

export interface DestinationContext {
  /** Aborted when the role closes: what is on its way is given up at once, and comes again with the next start. */
  readonly signal: AbortSignal;
}

export interface DestinationKind<S extends z.ZodType> {
  /** Strict, with the literal `kind`, and `...ofEveryDestination`. */
  readonly shape: S;
  /** Rejects with OperatingError (`config-invalid`, `file-unreadable`) where it can't be what it is configured to be. */
  open(config: z.infer<S>, context: DestinationContext): Promise<Adapter>;
}

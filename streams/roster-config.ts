/** The roster service's part of the configuration: who may tell it what, and how the hospital's names are to be read. */
import { z } from "zod";
import { authorizationShape } from "./io/authorization/authorization.ts";

const port = z.int().min(0).max(65535);
const loopback = z.enum(["127.0.0.1", "::1", "localhost"]);
/** Nothing heard for longer is told as a fault, for discharges are missed then; null: it is not expected to speak by itself. */
const silentAfterMs = z.int().min(1_000).nullable();

export const rosterServiceShape = z.strictObject({
  /** Who assigns patients' identifiers. Each message must have one of the first; the others are kept for the destinations that know them. */
  authorities: z
    .array(
      z.strictObject({
        /** CX.4 of PID-3: its namespace, or its universal id. */
        namespace: z.string().min(1),
        /** The same as a FHIR identifier system. */
        system: z.string().min(1),
        /** Table 0203. */
        type: z.string().min(1).default("MR"),
        /** The destinations that know patients by it. */
        destinations: z.array(z.string().min(1)).min(1),
      }),
    )
    .min(1),
  /** Bed by location (PV1-3's point of care, room and bed joined by `^`), where they don't name the bed and its unit (placeOf). */
  locations: z.record(z.string(), z.string()).default({}),
  mllp: z
    .strictObject({
      host: z.string().min(1),
      port,
      /** Files in PEM; with `ca` only senders with a certificate of it may connect. */
      tls: z
        .strictObject({ cert: z.string().min(1), key: z.string().min(1), ca: z.string().min(1).optional() })
        .optional(),
      /** IANA zone of times that come without an offset. */
      zone: z.string().min(1).default("UTC"),
      /** MSH-11 of what counts (table 0103). */
      processingId: z.enum(["P", "T", "D"]).default("P"),
      /** An hour unless told otherwise. */
      silentAfterMs: silentAfterMs.default(3_600_000),
    })
    .optional(),
  /** On this machine only: who has the token changes whose a measurement is. */
  api: z.strictObject({ host: loopback, port, token: z.string().min(16) }),
  fhir: z
    .strictObject({
      baseUrl: z.url(),
      auth: authorizationShape.optional(),
      everyMs: z.int().min(100),
      /** The destination that this server is: its Patients' ids are what that destination knows them by. */
      destination: z.string().min(1),
      /** The identifier system by which its Devices are called as here; without it they are not read. */
      deviceSystem: z.string().min(1).optional(),
      /** Not read to its end for so long; five minutes unless told otherwise. */
      silentAfterMs: silentAfterMs.default(300_000),
    })
    .optional(),
});

export type RosterServiceConfig = z.infer<typeof rosterServiceShape>;

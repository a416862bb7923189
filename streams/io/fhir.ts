/** The outbox's way to a FHIR R4 server: each intent under its own id, with what belongs beside it in one transaction. */
import { z } from "zod";
import { authorizationShape, openAuthorization } from "./authorization/authorization.ts";
import { type FhirClient, fhirClient } from "./fhir/client.ts";
import { attemptFhir } from "./fhir/write.ts";
import type { Adapter } from "./outbox/attempt.ts";
import { type DestinationKind, ofEveryDestination } from "./outbox/kind.ts";

const shape = z.strictObject({
  ...ofEveryDestination,
  kind: z.literal("fhir"),
  /** E.g. "https://ehr.example/fhir". */
  baseUrl: z.url(),
  auth: authorizationShape.optional(),
  /** A whole answer must be there after this long; 30 s unless told otherwise: a server may load its profiles at the first write. */
  timeoutMs: z.int().positive().optional(),
});

export const fhirDestination: DestinationKind<typeof shape> = {
  shape,
  async open({ baseUrl, auth, timeoutMs = 30_000 }, { signal }) {
    const authorization = auth === undefined ? undefined : await openAuthorization(auth);
    return fhirAdapter(
      fhirClient({ baseUrl: baseUrl.replace(/\/+$/, ""), timeoutMs, now: Date.now, authorization, signal }),
    );
  },
};

export const fhirAdapter = (client: FhirClient): Adapter => ({
  readsBack: true,
  attempt: (intent, trying) => attemptFhir(intent, trying, client),
  probe: () => client.healthy(),
  close: async () => undefined,
});

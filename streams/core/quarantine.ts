/** Refused input as a record: whole, with its reason and where it stood. */
import type { Problem } from "./failure.ts";
import type { InputRecord } from "./step-records.ts";
import type { Body } from "./topic.ts";

/** A quarantine topic's body (schemas/records.ts, `quarantined`). */
export interface QuarantineBody extends Body {
  readonly reason: string;
  readonly detail: string;
  readonly device: string | null;
  readonly key: string;
  readonly value: Uint8Array;
}

const detailLength = 500;
export const cut = (text: string, length = detailLength): string =>
  text.length > length ? `${text.slice(0, length)}…` : text;

/** `stage`: who refused it, a stage or a sink. Filed under the device that the input names, else under the key that was stepped. The detail is taken as it is. */
export const quarantineOf = (
  stage: { readonly name: string; readonly reads: { readonly name: string } },
  partition: number,
  record: InputRecord,
  steppedKey: string,
  { reason, detail }: Problem,
): { readonly key: string; readonly body: QuarantineBody } => {
  const of = record.decoded.ok ? (record.decoded.value.body as { device?: unknown }) : {};
  const device = typeof of.device === "string" ? of.device : null;
  const body = {
    kind: "quarantined",
    reason,
    detail,
    device,
    stage: stage.name,
    topic: stage.reads.name,
    partition,
    offset: record.offset,
    key: steppedKey,
    value: record.value,
  };
  return { key: device || steppedKey || "?", body };
};

/**
 * Offers each minute's value of a patient's devices to the clinical plane, under the patient key of the link in force: only of metrics
 * that precedence or a score names (minimum necessary), and only under a link that a person confirmed. The links themselves go along, to
 * everybody whose they ever were, so that what was derived under one that turns out wrong can be undone.
 */
import { type Out, stage, type State } from "../streams/core/stage.ts";
import type { WindowValue } from "../schemas/records/clinical.ts";
import type { Association } from "../schemas/records/roster.ts";
import type { WindowAggregate } from "../schemas/records/telemetry.ts";
import { events, telemetryQuarantine, windows } from "../schemas/topics.ts";
import { correctableMs } from "./correctable.ts";
import { covers, isNewer, isVouchedAt } from "./link.ts";
import { classOf, type PrecedencePolicy, type Quantity, quantityOf } from "./precedence/policy.ts";

const writes = { events, quarantine: telemetryQuarantine };
const minuteMs = 60_000;

/** In its newest revision. */
interface KnownLink extends Association {
  /** The keys of all patients who were told of it here; none: nobody was. */
  readonly toldTo?: readonly string[];
}

type Links = State<KnownLink>;

/** Clear, never voided, vouched for by a named person at the time of the value, and not interrupted since. */
const isSure = (link: Association, at: number): boolean =>
  !link.voided && link.conflict === null && isVouchedAt(link, at);

/** Whom a link's newest revision is told: whose it is, if it is this subject's, and whoever else was told before. None: it is not new. */
const remember = (links: Links, next: Association, subject: string, now: number): readonly string[] => {
  const known = links.get(next.id);
  if (known !== undefined && !isNewer(next, known)) return [];
  for (const [cell, { to }] of [...links.cells()]) if (to !== null && to + correctableMs < now) links.delete(cell);
  const own = next.subject === subject ? [next.patientKey] : [];
  const former = known?.toldTo ?? (known?.subject === subject ? [known.patientKey] : []);
  const toldTo = [...new Set([...own, ...former])];
  links.set(next.id, { ...next, toldTo });
  return toldTo;
};

/** The subject's own link of this device at a time; of two the later. Null where it is another subject's by then, or unsure. */
const linkAt = (links: Links, subject: string, device: string, at: number): Association | null => {
  const inForce = [...links.cells()]
    .map(([, link]) => link)
    .filter((link) => link.device === device && covers(link, at))
    .sort((a, b) => b.from - a.from || (a.id < b.id ? -1 : 1))[0];
  return inForce !== undefined && inForce.subject === subject && isSure(inForce, at) ? inForce : null;
};

const minuteValue = (w: WindowAggregate, link: Association, quantity: Quantity): WindowValue => ({
  kind: "windowValue",
  patientKey: link.patientKey,
  association: link.id,
  associationRevision: link.revision,
  device: w.device,
  channel: w.channel,
  metric: w.metric,
  ucum: w.ucum,
  start: w.start,
  revision: w.revision,
  mean: w.mean,
  last: w.last,
  lastAt: w.lastAt,
  validity: 2 * w.questionable >= w.count ? "questionable" : "valid",
  source: classOf(quantity, w).name,
});

const offer = (
  links: Links,
  w: WindowAggregate,
  precedence: PrecedencePolicy | null,
  out: Out<typeof writes>,
): void => {
  const quantity = precedence === null ? undefined : quantityOf(precedence, w.metric);
  if (quantity === undefined || w.shape !== "tumbling" || w.lengthMs !== minuteMs) return;
  // the mean is of the whole minute: it must be his, by one person's word, from its beginning to its last sample
  const link = linkAt(links, w.subject, w.device, w.lastAt);
  if (link !== null && linkAt(links, w.subject, w.device, w.start)?.id === link.id)
    out.emit("events", link.patientKey, minuteValue(w, link, quantity));
};

/** The policy is part of the topology, as destinations are; scores take their values from its quantities. Without one no value crosses. */
export const patientValues = (precedence: PrecedencePolicy | null) =>
  stage("patient-values", {
    version: 1,
    reads: windows,
    writes,
    quarantine: "quarantine",
    step(links: Links, { key, body, logTime: now }, out: Out<typeof writes>) {
      if (body.kind === "association") {
        for (const patientKey of remember(links, body, key, now)) out.emit("events", patientKey, body);
      } else if (body.kind === "windowAggregate") offer(links, body, precedence, out);
    },
  });

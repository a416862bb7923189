/** A ward of two beds with fixed monitors and a pump that goes anywhere, told by ADT messages and by people, for the roster's tests. */
import { ok } from "../../streams/core/failure.ts";
import { parseInstant } from "../../schemas/decoding/instant.ts";
import { utcInstant } from "../../schemas/fhir/instant.ts";
import { readAdt } from "../../schemas/hl7v2/adt.ts";
import { adtBytes, type AdtOf } from "../../schemas/hl7v2/adt.fixture.ts";
import type { Association } from "../../schemas/records/roster.ts";
import { type ActRequest, judgeAct } from "./acts.ts";
import { adtEvent } from "./adt.ts";
import type { RosterBase } from "./base.ts";
import { changesOf, type RosterBody, type RosterChange } from "./changes.ts";
import { derive, type RosterView } from "./derive.ts";
import type { RosterEvent } from "./events.ts";

export const authorities = [{ namespace: "KH-NORD", system: "urn:oid:1.2.276.1", type: "MR", destinations: ["ehr"] }];
export const naming = { authorities, secret: "of the test" };

export const icu: RosterBase = {
  devices: [
    { device: "mon-a", unit: "icu-1", bed: "A" },
    { device: "mon-b", unit: "icu-1", bed: "B" },
    { device: "pump-1", unit: "icu-1", bed: null },
  ],
  beds: new Map([
    ["A", "icu-1"],
    ["B", "icu-1"],
    ["C", "icu-1"],
  ]),
  links: [],
  filePatients: new Map(),
  locations: {},
  authorities,
};

export const atA = "ICU-1^01^A";
export const atB = "ICU-1^02^B";
export const atC = "ICU-1^03^C";
export const onWard = "W3^12^2";

/** HH:MM of the day that the messages are of. */
const instant = (iso: string): number => {
  const read = parseInstant(iso, "test");
  if (!read.ok) throw new Error(read.problem.detail);
  return read.value;
};
export const clock = (time: string): number => instant(`2026-11-21T${time}:00Z`);
export const timeOf = (ms: number | null): string | null => (ms === null ? null : utcInstant(ms).slice(11, 16));

export const eventOf = (of: AdtOf): RosterEvent => {
  const read = readAdt(adtBytes(of), { localTime: (local) => ok(instant(`${local}Z`)), processingId: "P" });
  if (!read.ok) throw new Error(read.refusal.detail);
  const event = adtEvent(read.value, clock("23:00"), naming);
  if (!event.ok) throw new Error(event.problem.detail);
  return event.value;
};

/** A roster that is told one thing after the other, as the service tells it. */
export class Ward {
  readonly events: RosterEvent[] = [];
  readonly told = new Map<string, RosterBody>();
  readonly records: RosterChange[] = [];
  view: RosterView;
  #base: RosterBase;
  #acts = 0;

  constructor(base: RosterBase = icu) {
    this.#base = base;
    this.view = derive([], base);
  }

  hears(...messages: readonly AdtOf[]): this {
    for (const message of messages) this.take(eventOf(message), `ADT^${message.event} ${message.controlId}`);
    return this;
  }

  take(event: RosterEvent, cause = event.id): this {
    this.events.push(event);
    this.view = derive(this.events, this.#base);
    const changes = changesOf(this.view, this.told, cause);
    for (const { id, body } of changes) this.told.set(id, body);
    this.records.push(...changes);
    return this;
  }

  /** Its refusal's reason, or "done". */
  says(
    time: string,
    request: Omit<ActRequest, "by" | "because" | "atMs"> & { readonly by?: string; readonly at?: string },
  ): string {
    const { at, by = "nurse-4", ...rest } = request;
    const nowMs = clock(time);
    const context = { view: this.view, base: this.#base, nowMs, id: `act/${++this.#acts}` };
    const asked = { ...rest, by, because: "seen at the bed", ...(at !== undefined && { atMs: clock(at) }) };
    const judged = judgeAct(asked, context);
    if (!judged.ok) return judged.problem.reason;
    this.take(judged.value);
    return "done";
  }

  /** The link of a device that is open, or else the last one. */
  link(device: string) {
    const own = this.view.links.filter((link) => link.device === device);
    const link = own.find(({ toMs }) => toMs === null) ?? own.at(-1);
    if (link === undefined) throw new Error(`${device} has no link`);
    return link;
  }

  confirms(time: string, device: string, by = "nurse-4"): string {
    return this.says(time, { act: "confirm", link: this.link(device).id, by });
  }

  /** Every link that holds or held, one line each. */
  lines(): string[] {
    return linesOf(this.view);
  }

  /** What became of the link in the log: its revisions. */
  revisions(id: string): Association[] {
    return this.records.flatMap(({ body }) => (body.kind === "association" && body.id === id ? [body] : []));
  }
}

export const linesOf = (view: RosterView): string[] =>
  view.links.map(
    ({ device, bed, patientKey, fromMs, toMs, confirmedBy, conflicts }) =>
      `${device} ${bed} ${nameOf(patientKey, view)} ${timeOf(fromMs)}-${timeOf(toMs) ?? ""} ${confirmedBy ?? "asserted"}${conflicts.map(({ code }) => ` !${code}`).join("")}`,
  );

const nameOf = (patientKey: string, view: RosterView): string => {
  const body = view.wanted.find(({ id }) => id === `patient/${patientKey}`)?.body;
  return body?.kind === "patient" ? (body.givenName ?? patientKey) : patientKey;
};

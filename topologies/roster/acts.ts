/**
 * What a named person asks for, judged by what holds at that moment, and made an event that stands for itself: later changes of the past don't
 * alter what he said.
 */
import { ok, refuse, type Result } from "../../streams/core/failure.ts";
import type { RosterBase } from "./base.ts";
import type { RosterView } from "./derive.ts";
import type { ActEvent, InterruptionEvent } from "./events.ts";

export interface ActRequest {
  readonly act: "place" | "bind" | "confirm" | "unbind" | "wrong" | "interruption";
  /** Who asks, and why. */
  readonly by: string;
  readonly because: string;
  /** For place, bind and interruption; else the link names it. */
  readonly device?: string | undefined;
  /** A patient's key. */
  readonly patient?: string | undefined;
  /** For place: null takes the device away. */
  readonly bed?: string | null | undefined;
  /** Of a link, as `list` shows it. */
  readonly link?: string | undefined;
  /** Since when, or when; now unless told. */
  readonly atMs?: number | undefined;
  readonly what?: "powerCycle" | "deviceGap" | undefined;
}

export interface ActContext {
  readonly view: RosterView;
  readonly base: RosterBase;
  readonly nowMs: number;
  /** Unique. */
  readonly id: string;
}

/** A clock that is a little off is forgiven. */
const aheadMs_max = 60_000;

/**
 * Reasons: `unnamed`, `in-future`, `device-unknown`, `bed-unknown`, `patient-unknown`, `link-unknown`, `file-owned`, `confirmed-already`, `ended-already`,
 * `begins-before`.
 */
export const judgeAct = (request: ActRequest, context: ActContext): Result<ActEvent | InterruptionEvent> => {
  const { by, because, atMs = context.nowMs } = request;
  if (by.trim() === "" || because.trim() === "") return refuse("unnamed", "who asks for it, and why, must be said");
  if (atMs > context.nowMs + aheadMs_max) return refuse("in-future", "that is yet to come");
  switch (request.act) {
    case "place":
      return place(request, context);
    case "bind":
      return bind(request, context);
    case "interruption":
      return interruption(request, context);
    default:
      return aboutLink(request, context);
  }
};

const common = ({ by, because, atMs }: ActRequest, { id, nowMs }: ActContext) => ({
  kind: "act" as const,
  id,
  occurredMs: atMs ?? nowMs,
  recordedMs: nowMs,
  by: by.trim(),
  because: because.trim(),
});

const isKnown = (device: string, { base, view }: ActContext): boolean =>
  base.devices.some((one) => one.device === device) || view.wanted.some(({ id }) => id === `device/${device}`);

/** While the roster file links the device at that time, it is the file's to say. */
const fileLinks = (device: string, atMs: number, { base }: ActContext): boolean =>
  base.links.some((link) => link.device === device && (link.toMs === null || link.toMs > atMs));

const fileOwned = (): Result<never> =>
  refuse("file-owned", "the roster file links this device: end or change its association there");

const place = (request: ActRequest, context: ActContext): Result<ActEvent> => {
  const { device = "", bed } = request;
  if (!isKnown(device, context)) return refuse("device-unknown", "no such device is in the roster");
  if (bed === undefined || (bed !== null && !context.base.beds.has(bed)))
    return refuse("bed-unknown", "no such bed is in the roster");
  return ok({ ...common(request, context), act: "place", device, bed });
};

const interruption = (request: ActRequest, context: ActContext): Result<InterruptionEvent> => {
  const { device = "", what = "powerCycle" } = request;
  if (!isKnown(device, context)) return refuse("device-unknown", "no such device is in the roster");
  const { id, occurredMs, recordedMs } = common(request, context);
  return ok({ kind: "interruption", id, occurredMs, recordedMs, device, what });
};

/** What a named person dates back he vouches for since then; a link that began later, since it began (clinical.md 10). */
const datedBack = ({ atMs }: ActRequest, { nowMs }: ActContext, fromMs: number): { readonly vouchedFromMs?: number } =>
  atMs === undefined || atMs >= nowMs ? {} : { vouchedFromMs: Math.max(atMs, fromMs) };

const bind = (request: ActRequest, context: ActContext): Result<ActEvent> => {
  const { device = "", patient = "" } = request;
  const { view, base, id } = context;
  const basics = common(request, context);
  if (!isKnown(device, context)) return refuse("device-unknown", "no such device is in the roster");
  if (fileLinks(device, basics.occurredMs, context)) return fileOwned();
  const stays = view.stays.filter(({ patientKey }) => patientKey === patient);
  const isPatient = stays.length > 0 || view.wanted.some((one) => one.id === `patient/${patient}`);
  if ((!isPatient && ![...base.filePatients.values()].includes(patient)) || view.merged.has(patient))
    return refuse("patient-unknown", "no patient has this key, or he was merged into another");
  const bed = request.bed ?? stays.findLast(({ toMs, bed: known }) => toMs === null && known !== null)?.bed ?? null;
  if (bed === null || !base.beds.has(bed))
    return refuse("bed-unknown", "say at which bed: ADT has him at none of ours");
  return ok({
    ...basics,
    act: "bind",
    device,
    patient,
    bed,
    link: `bind/${id}`,
    assertedBy: basics.by,
    overrules: [],
    ...datedBack(request, context, basics.occurredMs),
  });
};

const aboutLink = (request: ActRequest, context: ActContext): Result<ActEvent> => {
  const { view, base, nowMs } = context;
  const basics = common(request, context);
  if (base.links.some(({ id }) => id === request.link)) return fileOwned();
  const link = view.links.find(({ id }) => id === request.link);
  if (link === undefined) return refuse("link-unknown", "no such link holds, or it was voided");
  const { device, patient } = link;
  switch (request.act) {
    case "confirm": {
      if (link.confirmedBy !== null && link.conflicts.length === 0)
        return refuse("confirmed-already", `${link.confirmedBy} confirmed it, and nothing speaks against it`);
      if (link.toMs !== null && link.toMs <= nowMs) return refuse("ended-already", "the link has ended");
      return ok({
        ...basics,
        // the link goes on from where it began; his word counts from his confirmation, unless he dates it back (clinical.md 9)
        occurredMs: link.fromMs,
        act: "confirm",
        device,
        patient,
        bed: link.bed,
        link: link.id,
        assertedBy: link.assertedBy,
        overrules: [...new Set(link.conflicts.map(({ code }) => code))],
        ...datedBack(request, context, link.fromMs),
      });
    }
    case "unbind":
      if (link.confirmedBy === null)
        return refuse("link-unknown", "it was never confirmed: place the device elsewhere");
      if (link.toMs !== null && link.toMs <= basics.occurredMs) return refuse("ended-already", "the link has ended");
      if (basics.occurredMs <= link.fromMs) return refuse("begins-before", "it began later: call it wrong instead");
      return ok({ ...basics, act: "unbind", device, link: link.id });
    default:
      return ok({
        ...basics,
        occurredMs: nowMs,
        act: "wrong",
        device,
        patient,
        link: link.id,
        fromMs: link.fromMs,
        toMs: Math.min(link.toMs ?? nowMs, nowMs),
      });
  }
};

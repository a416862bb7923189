/** Dialysis sessions cut from windows, and the Kt/V that is found for them. */
import { describe, expect, it } from "vitest";
import { anAssociation } from "../schemas/fhir/clinical.fixture.ts";
import type { Association } from "../schemas/records/roster.ts";
import type { DialysisSession } from "../schemas/scores.ts";
import type { MetricName } from "../schemas/terminology.ts";
import { eventTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { measured } from "../streams/sim/measured.ts";
import { dialysisSessions } from "./sessions.ts";
import { daugirdas2, singlePoolKtv } from "./sessions/ktv.ts";
import { windows } from "./windows.ts";

const t0 = 1_795_269_600_000;
const s = 1_000;
const min = 60 * s;
const hour = 60 * min;
const device = "dial-01";

interface Treatment {
  readonly from: number;
  readonly to: number;
  /** mL removed at a time. */
  readonly removed?: (at: number) => number;
}

/** A machine as it sends: everything each ten seconds while it treats; windows by the real stage; sessions by the real stage behind it. */
const ward = (
  treatments: readonly Treatment[],
  until: number,
  link: Partial<Association> | null = {},
  leavesAt?: number,
) => {
  const cut = drive(windows);
  const sessions = drive(dialysisSessions);
  let seen = 0;
  const pass = (at: number): void => {
    const all = cut.outputs("windows");
    for (const { key, body } of all.slice(seen)) sessions.send(key, at, body);
    seen = all.length;
  };
  if (link !== null) cut.send("subject-7", t0 - hour, anAssociation({ device, ...link }));
  for (let at = t0; at < until; at += 10 * s) {
    const treatment = treatments.find(({ from, to }) => from <= at && at < to);
    const say = (metric: MetricName, value: number): void =>
      cut.send(
        "subject-7",
        at,
        measured(metric, at, value, { subject: "subject-7", device, channel: "extracorporeal", periodMs: 10 * s }),
      );
    if (treatment !== undefined) {
      say("dialysisBloodFlow", 300);
      say("dialysisVenousPressure", at < treatment.from + hour ? 140 : 180);
      say("ultrafiltrationVolume", treatment.removed?.(at) ?? (at - treatment.from) / 7_200);
    }
    if (leavesAt === at)
      cut.send("subject-7", at, { kind: "subjectEnded", subject: "subject-7", device, at: eventTime(at) });
    cut.tick(at + 10 * s);
    pass(at + 10 * s);
    sessions.tick(at + 10 * s);
  }
  const events = sessions.outputs("events");
  return { sessions, told: events.map(({ body }) => body as DialysisSession), toldAt: events[0]?.logTime ?? 0 };
};

describe("a treatment", () => {
  it("is told once, half an hour after its last measurement, with what was removed and how the pressures stood", () => {
    const [start, lasts] = [t0 + 10 * min, 2 * hour];
    const { told, toldAt, sessions } = ward([{ from: start, to: start + lasts }], start + lasts + hour);
    expect(told).toHaveLength(1);
    const end = start + lasts - 10 * s;
    // its last minute closes two seconds after it is over
    expect(toldAt - end).toBeGreaterThan(30 * min);
    expect(toldAt - end).toBeLessThan(32 * min);
    expect(told[0]).toMatchObject({
      kind: "dialysisSession",
      patientKey: "pk-7",
      association: "link-7",
      start,
      end,
      ultrafiltrationVolume: { value: (lasts - 10 * s) / 7_200, ucum: "mL" },
      ktv: null,
    });
    expect(told[0]?.statistics).toEqual([
      { metric: "dialysisBloodFlow", ucum: "mL/min", min: 300, mean: 300, max: 300, count: 720 },
      { metric: "dialysisVenousPressure", ucum: "mm[Hg]", min: 140, mean: 160, max: 180, count: 720 },
    ]);
    // what is left in state is the link alone
    expect([...sessions.stored().keys()].filter((key) => key.includes("minute") || key.includes("open"))).toEqual([]);
  });

  it("a pause of a quarter of an hour is within it; one of three quarters makes two", () => {
    const paused = (pause: number) =>
      ward(
        [
          { from: t0, to: t0 + hour },
          { from: t0 + hour + pause, to: t0 + 2 * hour },
        ],
        t0 + 4 * hour,
      ).told.length;
    expect(paused(15 * min)).toBe(1);
    expect(paused(45 * min)).toBe(2);
  });

  it("ends when the machine leaves the patient, though half an hour has not passed", () => {
    const end = t0 + hour;
    expect(ward([{ from: t0, to: end }], end + 10 * min, {}, end).told).toHaveLength(1);
    expect(ward([{ from: t0, to: end }], end + 10 * min).told).toEqual([]);
  });

  it("a count of what was removed that begins again from nothing goes on", () => {
    const restarted = [{ from: t0, to: t0 + hour, removed: (at: number) => (at < t0 + 30 * min ? 500 : 200) }];
    expect(ward(restarted, t0 + 2 * hour).told[0]?.ultrafiltrationVolume?.value).toBe(700);
  });

  it("names no link where none covers all of it, and is refused where nobody is known", () => {
    const short = [{ from: t0, to: t0 + hour }];
    expect(ward(short, t0 + 2 * hour, { to: t0 + 30 * min }).told[0]).toMatchObject({
      association: null,
      patientKey: "pk-7",
    });
    const nobody = ward(short, t0 + 2 * hour, null);
    expect(nobody.told).toEqual([]);
    expect(nobody.sessions.refusals()).toMatchObject([{ reason: "session-of-nobody" }]);
  });
});

describe("Kt/V", () => {
  /** By hand: R 0.3, t 4 h, UF 3 l, W 72 kg: -ln(0.268) + (4 - 1.05) x 3 / 72 = 1.31677 + 0.12292. */
  it("by Daugirdas' second formula", () => {
    expect(daugirdas2({ ureaBefore: 25, ureaAfter: 7.5, hours: 4, ultrafiltrationLitres: 3, weightAfterKg: 72 })).toBe(
      1.44,
    );
  });

  it.each([
    ["urea that did not fall", { ureaAfter: 25 }],
    ["no weight", { weightAfterKg: 0 }],
    ["urea below what was made meanwhile", { ureaAfter: 0.5 }],
    ["no time", { hours: 0 }],
  ])("has no value for %s", (_, change) => {
    const sound = { ureaBefore: 25, ureaAfter: 7.5, hours: 4, ultrafiltrationLitres: 3, weightAfterKg: 70 };
    expect(daugirdas2({ ...sound, ...change })).toBeNull();
    expect(daugirdas2(sound)).not.toBeNull();
  });

  it("of a session is spKt/V only with the blood's urea before and after and the weight; its inputs are named", () => {
    const [session] = ward([{ from: t0, to: t0 + hour }], t0 + 2 * hour).told;
    if (session === undefined) throw new Error("no session");
    const stated = (name: string, value: number, ucum: string) => ({
      name,
      value,
      ucum,
      at: eventTime(t0),
      source: "laboratory",
    });
    const laboratory = {
      ureaBefore: stated("ureaBefore", 25, "mmol/L"),
      ureaAfter: stated("ureaAfter", 7.5, "mmol/L"),
      weightAfter: stated("weightAfter", 70, "kg"),
    };
    const found = singlePoolKtv(session, laboratory);
    expect(found).toMatchObject({ method: "daugirdas2", sourceOfV: null });
    expect(found?.inputs.map(({ name }) => name)).toEqual([
      "ureaBefore",
      "ureaAfter",
      "weightAfter",
      "ultrafiltrationVolume",
      "treatmentHours",
    ]);
    for (const name of ["ureaBefore", "ureaAfter", "weightAfter"] as const)
      expect(singlePoolKtv(session, { ...laboratory, [name]: null })).toBeNull();
    expect(singlePoolKtv(session, { ...laboratory, ureaAfter: stated("ureaAfter", 45, "mg/dL") })).toBeNull();
  });
});

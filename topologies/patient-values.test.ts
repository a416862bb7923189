/** What windows say of a patient: the value of each source, under the link that it was measured by. */
import { describe, expect, it } from "vitest";
import { anAssociation } from "../schemas/fhir/clinical.fixture.ts";
import type { Association } from "../schemas/records/roster.ts";
import type { WindowAggregate } from "../schemas/records/telemetry.ts";
import { eventTime } from "../streams/core/time.ts";
import { drive } from "../streams/sim/drive.ts";
import { measured } from "../streams/sim/measured.ts";
import { patientValues } from "./patient-values.ts";
import { shippedPrecedence } from "./shipped.fixture.ts";
import { windows } from "./windows.ts";

const t0 = 1_795_269_600_000;
const s = 1_000;
const min = 60 * s;

/** Windows as the real stage closes them, of measurements that come as they are taken. */
const closed = (
  fromMs: number,
  toMs: number,
  more: Parameters<typeof measured>[3],
  value = 118,
  metric: "artSystolic" | "ultrafiltrationRate" = "artSystolic",
) => {
  const driver = drive(windows);
  for (let at = fromMs; at < toMs; at += s) {
    const m = measured(metric, at, value, { subject: "subject-7", device: "mon-07", channel: "art", ...more });
    driver.send("subject-7", at, m);
    driver.tick(at + s);
  }
  driver.tick(toMs + min);
  return driver
    .outputs("windows")
    .map(({ body }) => body)
    .filter((b): b is WindowAggregate => b.kind === "windowAggregate");
};

const offered = (link: Partial<Association>, all: readonly WindowAggregate[], further: readonly Association[] = []) => {
  const driver = drive(patientValues(shippedPrecedence));
  driver.send("subject-7", t0 - min, anAssociation(link));
  for (const next of further) driver.send("subject-7", t0 - min, next);
  for (const w of all) driver.send("subject-7", w.start + w.lengthMs + 2 * s, w);
  return driver.outputs("events");
};
const values = (...of: Parameters<typeof offered>) => offered(...of).filter(({ body }) => body.kind === "windowValue");
const aMinute = closed(t0, t0 + min, {});

describe("a confirmed patient's arterial line", () => {
  it("gives one value a minute, under the patient's key, with its class of source and nothing else of the windows", () => {
    const all = values({}, aMinute);
    expect(all).toHaveLength(1);
    expect(all[0]).toMatchObject({
      key: "pk-7",
      body: {
        metric: "artSystolic",
        mean: 118,
        last: 118,
        lastAt: t0 + 59 * s,
        validity: "valid",
        source: "arterialLine",
        association: "link-7",
      },
    });
  });

  it("counts where a person vouches for the time, though he confirmed later, and before an interruption", () => {
    expect(values({ confirmedAt: t0 + 2 * min, vouchedFrom: t0 - min }, aMinute)).toHaveLength(1);
    const after = { what: "deviceGap", from: null, at: eventTime(t0 + min) } as const;
    expect(values({ interrupted: after }, aMinute)).toHaveLength(1);
  });

  it("is questionable where at least half of its samples were", () => {
    expect(values({}, closed(t0, t0 + min, { validity: "questionable" }))[0]?.body).toMatchObject({
      validity: "questionable",
    });
  });

  it("the link goes along, once a revision", () => {
    const all = offered({}, aMinute, [anAssociation(), anAssociation({ revision: 2, to: t0 + 60 * min })]);
    expect(all.filter(({ body }) => body.kind === "association")).toHaveLength(2);
  });
});

describe("nothing crosses", () => {
  it.each<[string, Partial<Association>]>([
    ["while nobody confirmed the link", { confirmedBy: null, confirmedAt: null }],
    ["of before the confirmation", { confirmedAt: t0 + 2 * min }],
    [
      "after a power cycle that nobody confirmed since",
      { interrupted: { what: "powerCycle", from: null, at: eventTime(t0 + 10 * s) } },
    ],
    ["of a minute that began before the confirmation", { confirmedAt: t0 + 50 * s }],
    ["of a minute in which the link began", { from: t0 + 10 * s, confirmedAt: t0 + 10 * s }],
    ["of a link in conflict", { conflict: "two patients in the bed" }],
    ["of a link that never held", { voided: true }],
    ["after the link's end", { to: t0 }],
    ["before its start", { from: t0 + 2 * min }],
  ])("%s; with the link as it should be, one value does", (_, link) => {
    expect(values(link, aMinute)).toEqual([]);
    expect(values({}, aMinute)).toHaveLength(1);
  });

  it("of a device that was somebody else's by then", () => {
    const other = anAssociation({ id: "link-8", subject: "subject-8", patientKey: "pk-8", from: t0 - min });
    expect(values({}, aMinute, [other])).toEqual([]);
  });

  it("of a metric that neither precedence nor a score names, or of other windows than minutes", () => {
    expect(values({}, closed(t0, t0 + min, {}, 300, "ultrafiltrationRate"))).toEqual([]);
    expect(
      values(
        {},
        aMinute.filter(({ lengthMs, shape }) => lengthMs !== min || shape !== "tumbling"),
      ),
    ).toEqual([]);
  });
});

describe("a link that turns out to be another patient's", () => {
  const told = (links: readonly Association[], key = "subject-7") => {
    const driver = drive(patientValues(shippedPrecedence));
    for (const [i, link] of links.entries()) driver.send(key, t0 + i * min, link);
    return driver
      .outputs("events")
      .map(({ key: of, body }) => [of, body.kind === "association" && [body.revision, body.patientKey]]);
  };

  it("is told to him, and to everybody who was told of it before", () => {
    const links = [
      anAssociation(),
      anAssociation({ revision: 2, patientKey: "pk-8" }),
      anAssociation({ revision: 3, patientKey: "pk-8", voided: true }),
    ];
    expect(told(links)).toEqual([
      ["pk-7", [1, "pk-7"]],
      ["pk-8", [2, "pk-8"]],
      ["pk-7", [2, "pk-8"]],
      ["pk-8", [3, "pk-8"]],
      ["pk-7", [3, "pk-8"]],
    ]);
  });

  it("is told to the former patient where another subject has it by now, and days after it ended", () => {
    const over = anAssociation({ to: t0 + min });
    const others = anAssociation({ revision: 2, patientKey: "pk-8", subject: "subject-8", to: t0 + min });
    const driver = drive(patientValues(shippedPrecedence));
    driver.send("subject-7", t0, over);
    const next = anAssociation({ id: "link-9", device: "mon-09" });
    driver.send("subject-7", t0 + 48 * 60 * min, next);
    driver.send("subject-7", t0 + 48 * 60 * min + s, others);
    expect(driver.outputs("events").map(({ key }) => key)).toEqual(["pk-7", "pk-7", "pk-7"]);
    expect(driver.outputs("events").at(-1)?.body).toMatchObject({ revision: 2, patientKey: "pk-8" });
    // and nobody is told here of a link that was never this subject's
    expect(told([anAssociation({ subject: "subject-8", patientKey: "pk-8" })])).toEqual([]);
  });
});

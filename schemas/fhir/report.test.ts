import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { observationProblems } from "./observation-shape.ts";
import { dialysisReportOf } from "./report-dialysis.ts";
import { news2ReportOf } from "./report-news2.ts";
import { reportProblems } from "./report-shape.ts";
import type { WrittenReport } from "./report.ts";
import { aNews2, aSession, daugirdasKtv, onlineKtv, reporting, sevenParts } from "./report.fixture.ts";

const golden = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), "utf8"));
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const dialysis = (change: Parameters<typeof aSession>[0] = {}) => dialysisReportOf(reporting(aSession(change)));
const news2 = (change: Parameters<typeof aNews2>[0] = {}) => news2ReportOf(reporting(aNews2(change)));

const writtenOf = (result: ReturnType<typeof dialysis>): WrittenReport => {
  if (!result.ok) throw new Error(result.problem.detail);
  return result.value;
};
const codesOf = ({ beside }: WrittenReport): string[] => beside.map(({ code }) => code.coding?.[0]?.code ?? "");

describe("the report of a dialysis session", () => {
  it("is written as its golden file says, findings first", () => {
    const { resource, beside } = writtenOf(dialysis());
    expect(asJson([...beside, resource])).toEqual(golden("dialysis-session"));
  });

  it("never calls a machine's online clearance spKt/V (clinical.md 23)", () => {
    const { resource, beside } = writtenOf(dialysis({ ktv: onlineKtv }));
    expect(JSON.stringify([resource, ...beside])).not.toMatch(/70961-8|70965-9|70960-0/);
    expect(resource.conclusion).toContain("by the machine's online clearance");
    expect(resource.conclusion).toContain("source of V: Watson, entered at the machine");
  });

  it("codes a formula over blood urea as what it is, with what it was computed from", () => {
    const { beside } = writtenOf(dialysis({ ktv: daugirdasKtv }));
    expect(beside[0]?.code.coding).toEqual([{ system: "http://loinc.org", code: "70965-9" }]);
    expect(beside[0]?.valueQuantity).toMatchObject({ value: 1.438, code: "1" });
    expect(beside[0]?.component?.map((c) => c.code.coding?.[0]?.code)).toEqual([
      "source-of-v",
      "ureaBefore",
      "ureaAfter",
      "weightAfter",
    ]);
    expect(codesOf(writtenOf(dialysis({ ktv: { ...onlineKtv, method: "ureaKinetics" } })))[0]).toBe("70961-8");
  });

  it.each([
    ["ktv-volume-unnamed", { ktv: { ...onlineKtv, sourceOfV: null } }, { ktv: onlineKtv }],
    ["ktv-volume-unnamed", { ktv: { ...onlineKtv, sourceOfV: "  " } }, { ktv: onlineKtv }],
    ["ktv-urea-missing", { ktv: { ...daugirdasKtv, inputs: daugirdasKtv.inputs.slice(1) } }, { ktv: daugirdasKtv }],
    ["session-empty", { ktv: null, ultrafiltrationVolume: null, statistics: [] }, { ktv: null }],
    ["contradiction", { end: aSession().start }, {}],
  ] as const)("is refused as %s, beside its permitted twin", (reason, refused, permitted) => {
    expect(dialysis(refused)).toMatchObject({ ok: false, problem: { reason } });
    expect(dialysis(permitted).ok).toBe(true);
  });

  it("says so where no Kt/V is known, and tells the rest", () => {
    const { resource, beside } = writtenOf(dialysis({ ktv: null }));
    expect(resource.conclusion).toContain("Kt/V not known");
    expect(codesOf({ resource, beside })).toEqual(["ultrafiltrationVolume", "dialysisBloodFlow"]);
  });
});

describe("the report of a deterioration", () => {
  it("is written as its golden file says, the score with its parts and their sources", () => {
    const { resource, beside } = writtenOf(news2());
    expect(asJson([...beside, resource])).toEqual(golden("news2"));
  });

  it("names the scale by which SpO2 was scored", () => {
    const codes = (scale: "scale1" | "scale2") =>
      JSON.stringify(writtenOf(news2({ spo2Scale: scale })).beside[0]?.component);
    expect(codes("scale1")).toContain("1104311000000102");
    expect(codes("scale2")).toContain("1104321000000108");
    expect(codes("scale2")).not.toContain("1104311000000102");
  });

  it.each(sevenParts.map(({ part }) => part))("is never NEWS2 without %s", (part) => {
    const parts = sevenParts.filter((one) => one.part !== part);
    const partial = news2({ parts, total: null, atLeast: 5, missing: [part] });
    expect(partial).toMatchObject({ problem: { reason: "news2-partial" } });
    expect(partial).toMatchObject({ problem: { detail: `partial, at least 5, missing ${part}` } });
  });

  it.each([
    ["news2-partial", { missing: ["temperature"] }],
    ["news2-partial", { total: null }],
    ["news2-partial", { spo2Scale: null }],
    ["news2-partial", { objections: ["age unknown"] }],
    ["contradiction", { total: 8 }],
    ["news2-partial", { parts: [...sevenParts.slice(0, 6), sevenParts[0]] as typeof sevenParts }],
  ] as const)("is refused as %s, where its twin is whole", (reason, change) => {
    expect(news2(change)).toMatchObject({ ok: false, problem: { reason } });
    expect(news2().ok).toBe(true);
  });
});

describe("the compiled shapes of reports", () => {
  const all = [
    writtenOf(dialysis()),
    writtenOf(dialysis({ ktv: daugirdasKtv })),
    writtenOf(dialysis({ ktv: null })),
    writtenOf(news2()),
  ];

  it("take every report and every finding", () => {
    expect(all.flatMap(({ beside }) => beside.flatMap(observationProblems))).toEqual([]);
    expect(all.flatMap(({ resource }) => reportProblems(resource))).toEqual([]);
  });

  const report = writtenOf(dialysis()).resource;
  it.each([
    ["no result", { result: [] }, "result"],
    ["a result that is a picture", { result: [{ reference: "Media/1" }] }, "result"],
    ["no conclusion", { conclusion: undefined }, "conclusion"],
    ["a code without a coding", { code: { text: "dialysis" } }, "code"],
    ["two times", { effectiveDateTime: "2026-11-21T14:00:00.000Z" }, "needs a time or a period"],
    ["an unknown element", { bed: "icu-1-07" }, "bed"],
    ["a local time", { issued: "2026-11-21T14:00:00" }, "issued"],
  ])("refuse a report with %s", (_, change, place) => {
    expect(reportProblems({ ...report, ...change }).join("\n")).toContain(place);
  });
});

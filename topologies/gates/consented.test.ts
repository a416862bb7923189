/** The gate of consent: a matrix of refusals, each beside its permitted twin, whose rows stand by subject in `consent-matrix/`. */
import { describe, expect, it } from "vitest";
import { narrative } from "../../schemas/fhir/consent.fixture.ts";
import { anOverride, ask, ehr, optIn, optOut } from "./consent-matrix/asking.fixture.ts";
import { baseAndRoot } from "./consent-matrix/base.fixture.ts";
import { statusAndScope } from "./consent-matrix/status.fixture.ts";
import { whoseItIs } from "./consent-matrix/patient.fixture.ts";
import { whenItHolds } from "./consent-matrix/time.fixture.ts";
import { whichOfSeveral } from "./consent-matrix/newest.fixture.ts";
import { toWhom } from "./consent-matrix/receiver.fixture.ts";
import { forWhat } from "./consent-matrix/purpose.fixture.ts";
import { ofWhat } from "./consent-matrix/content.fixture.ts";
import { ruleInRule } from "./consent-matrix/nested.fixture.ts";
import { unreadable } from "./consent-matrix/unreadable.fixture.ts";
import { contradicted } from "./consent-matrix/contradiction.fixture.ts";
import { lawAndOverride } from "./consent-matrix/law.fixture.ts";

const matrix = [
  ["base and root", baseAndRoot],
  ["status and scope", statusAndScope],
  ["whose it is", whoseItIs],
  ["when", whenItHolds],
  ["which of several", whichOfSeveral],
  ["to whom", toWhom],
  ["for which action and purpose", forWhat],
  ["of which content", ofWhat],
  ["rules within rules", ruleInRule],
  ["what can't be read", unreadable],
  ["what contradicts itself", contradicted],
  ["by which law, and who overrides", lawAndOverride],
] as const;

describe.each(matrix)("consent: %s", (_, rows) => {
  it.each(rows)("%s: %s, beside its permitted twin", (_story, reason, refused, permitted) => {
    expect(ask(refused)).toMatchObject({ gate: "consented", passed: false, reason });
    expect(ask(permitted)).toMatchObject({ gate: "consented", passed: true, reason: "passed" });
  });
});

it("is a matrix of more than eighty refusals", () => {
  const rows = matrix.flatMap(([, some]) => some);
  expect(rows.length).toBeGreaterThanOrEqual(80);
  expect(new Set(rows.map(([story]) => story)).size).toBe(rows.length);
});

describe("an override", () => {
  it("says by whom and until when, and leaves the consent as it was", () => {
    const answer = ask({ fhir: [optOut()], overrides: [anOverride()] });
    expect(answer.detail).toContain("by override of Dr. A. Brandt until 2026-11-21T15:00:00.000Z");
    expect(answer.detail).toContain("denies");
    expect(ask({ fhir: [optOut()] }).passed).toBe(false);
  });
});

describe("an answer", () => {
  it("names the law of the hop and nothing of the patient", () => {
    const detail = ask({
      fhir: [
        optIn({ patient: { reference: "Patient/p-0007", display: "Doe, Jane" }, text: narrative("Jane Doe refuses.") }),
      ],
      hop: { ...ehr, jurisdiction: "DE-BY" },
    }).detail;
    expect(detail).toContain("DE-BY");
    expect(detail).not.toMatch(/jane|doe|p-0007/i);
  });
});

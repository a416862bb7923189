import { describe, expect, it } from "vitest";
import { narrativeOf } from "./consent-narrative.ts";

describe("a narrative", () => {
  it.each([
    ["Authorize Normal access for Treatment", true, false],
    ["The patient consents to disclosure.", true, false],
    ["Permission is <b>withheld</b>.", false, true],
    ["Withhold Authorization for Treatment", false, true],
    ["would like to withdraw/withhold consent", false, true],
    ["an overall Deny, with an exception &quot;Permit&quot; of emergency treatment", true, true],
    ["She does not agree to the use of her data", false, true],
    ["Nobody is allowed access, and access is refused", true, true],
    ["Permits use; may revoke this at any time", true, false],
    ["You have the right to withdraw. The patient agrees.", true, false],
    ["Der Patient willigt ein und kann jederzeit widerrufen", true, false],
    ["Der Patient widerruft die Einwilligung", false, true],
    ["Die Patientin ist nicht einverstanden", false, true],
    ["<b>id</b>: consent-1, status: active, policyRule: opt-in", false, false],
    ["status: active, policyRule: opt-out", false, true],
    ["", false, false],
  ])("%j: permits %s, denies %s", (words, permits, denies) => {
    expect(narrativeOf(`<div>${words}</div>`)).toEqual({ permits, denies });
  });

  it("that is not there says nothing", () => {
    expect(narrativeOf(undefined)).toEqual({ permits: false, denies: false });
  });
});

import { describe, expect, it } from "vitest";
import { anObservationIntent, aRetraction } from "../../../schemas/hl7v2/pcd01.fixture.ts";
import { type Mapping, mappingInputOf, readMapping } from "./mapping.ts";

const mappingOf = (text: string): Mapping => {
  const read = readMapping(text);
  if (!read.ok) throw new Error(read.problem.detail);
  return read.value;
};
const input = mappingInputOf(anObservationIntent());
const reasonOf = async (text: string): Promise<string> => {
  const mapped = await mappingOf(text).request(input);
  return mapped.ok ? "taken" : `${mapped.problem.reason}: ${mapped.problem.detail}`;
};

describe("a mapping", () => {
  it("makes a request of an intent: its resource, its patient, its action, its identity and revision", async () => {
    const mapping = mappingOf(`{
      "method": action = "retract" ? "DELETE" : "PUT",
      "path": "/patients/" & patient.value & "/readings/" & resourceId,
      "headers": { "X-Revision": $string(revision) },
      "body": action = "retract" ? null : {
        "code": resource.code.coding[system = "http://loinc.org"].code,
        "value": resource.valueQuantity.value,
        "at": resource.effectiveDateTime,
        "episode": identity
      }
    }`);
    const { resourceId, identity } = anObservationIntent();
    expect(await mapping.request(input)).toEqual({
      ok: true,
      value: {
        method: "PUT",
        path: `/patients/MRN0007/readings/${resourceId}`,
        headers: { "X-Revision": "0" },
        body: { code: "8867-4", value: 128, at: "2026-11-21T14:05:10.000Z", episode: identity },
      },
    });
    const back = await mapping.request(mappingInputOf(aRetraction(anObservationIntent())));
    expect(back).toMatchObject({ value: { method: "DELETE", headers: { "X-Revision": "1" } } });
  });

  it("may give nothing, for what it does not know", async () => {
    expect(await mappingOf('action = "retract" ? null : undefined').request(input)).toEqual({ ok: true, value: null });
  });

  it("is refused where it can't be read, with the place", () => {
    expect(readMapping('{ "method": ')).toMatchObject({
      problem: { reason: "mapping-invalid", detail: expect.stringMatching(/^at \d+: /) },
    });
  });

  it.each([
    ["never ends", "($f := function($n) { $f($n + 1) }; $f(1))", /^mapping-failed: /],
    ["digs without end", "($f := function($n) { 1 + $f($n + 1) }; $f(1))", /^mapping-failed: /],
    ["grows without bound", "[1..100000].{'a': $}", /^mapping-failed: /],
    ["fails", "$error('no such code')", /^mapping-failed: no such code/],
    ["asks for another method", '{ "method": "TRACE", "path": "/" }', /^mapping-shape: method/],
    ["leads elsewhere", '{ "method": "POST", "path": "http://elsewhere/" }', /^mapping-shape: path/],
    [
      "ends a header",
      '{ "method": "POST", "path": "/", "headers": { "a": "b\\r\\nc: d" } }',
      /^mapping-shape: headers/,
    ],
    ["gives no request", '"done"', /^mapping-shape/],
  ])("that %s is stopped with its reason, and the next one goes on", async (_, text, reason) => {
    expect(await reasonOf(text)).toMatch(reason);
    expect(await reasonOf('{ "method": "POST", "path": "/" }')).toBe("taken");
  });
});

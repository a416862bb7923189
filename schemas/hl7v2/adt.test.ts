/** ADT messages: what is read of them, and by which name each bad one is refused. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ok, refuse } from "../../streams/core/failure.ts";
import { type AdtOptions, readAdt } from "./adt.ts";
import { answerTo } from "./adt-answer.ts";
import { adtBytes, type AdtOf, adtText, ines, otto } from "./adt.fixture.ts";
import { readAcknowledgement } from "./acknowledgement.ts";

const options: AdtOptions = {
  localTime: (local) =>
    local.startsWith("2026-10-25T02") ? refuse("time-ambiguous", "twice") : ok(Date.parse(`${local}+01:00`)),
  processingId: "P",
};
const reading = (bytes: Uint8Array) => readAdt(bytes, options);
const outcome = (bytes: Uint8Array): string => {
  const read = reading(bytes);
  return read.ok ? "read" : `${read.refusal.code} ${read.refusal.reason}`;
};
const admission: AdtOf = {
  event: "A01",
  patient: ines,
  location: "ICU-1^01^A",
  occurred: "0930",
  recorded: "0947",
  controlId: "M1",
};
const text = (change: (message: string) => string): Uint8Array => new TextEncoder().encode(change(adtText(admission)));

describe("an admission", () => {
  it("says who, where, which visit, and when it occurred rather than when it was sent", () => {
    const read = reading(adtBytes(admission));
    expect(read).toMatchObject({
      ok: true,
      value: {
        event: "A01",
        sender: "ORBIS|KH-NORD",
        controlId: "M1",
        occurredMs: Date.UTC(2026, 10, 21, 9, 30),
        recordedMs: Date.UTC(2026, 10, 21, 9, 47),
        occurredGiven: true,
        persons: [
          {
            identifiers: [
              { value: "4711001", namespace: "KH-NORD", type: "MR" },
              { value: "A 123", namespace: "AOK", type: "SS" },
            ],
            familyName: "Quellmann",
            givenName: "Ines",
            birthDate: "1958-04-12",
            visit: { number: "V-9001", class: "I", location: "ICU-1^01^A" },
            prior: null,
          },
        ],
      },
    });
  });

  it("without EVN-6 occurred when it was recorded, and says that it does not know", () => {
    const read = reading(adtBytes({ ...admission, occurred: "", recorded: "0947" }));
    expect(read).toMatchObject({
      ok: true,
      value: { occurredMs: Date.UTC(2026, 10, 21, 9, 47), occurredGiven: false },
    });
  });

  it("at a local time is placed by the hospital's zone; one that summer time repeats is refused", () => {
    const at = (occurred: string) => reading(adtBytes({ ...admission, occurred, recorded: "1200" }));
    expect(at("202611210930")).toMatchObject({ ok: true, value: { occurredMs: Date.UTC(2026, 10, 21, 8, 30) } });
    expect(at("202610250230")).toMatchObject({ ok: false, refusal: { code: "AE", reason: "time-ambiguous" } });
    expect(at("202610250230+0200")).toMatchObject({ ok: true });
  });

  it("is read in each character set that is named, and in no other", () => {
    const latin = (charset: string) =>
      Buffer.from(adtText({ ...admission, patient: { ...ines, family: "Müller" }, charset }), "latin1");
    const read = reading(latin("8859/1"));
    expect(read.ok && read.value.persons[0]?.familyName).toBe("Müller");
    expect(outcome(latin("UNICODE UTF-8"))).toBe("AE encoding-wrong");
    expect(outcome(latin(""))).toBe("AE encoding-wrong");
    expect(outcome(latin("ASCII"))).toBe("AE encoding-wrong");
    expect(outcome(latin("8859/2"))).toBe("AR charset-unknown");
    expect(outcome(adtBytes({ ...admission, charset: "" }))).toBe("read");
    const utf8 = reading(adtBytes({ ...admission, patient: { ...ines, family: "Łuczak" } }));
    expect(utf8.ok && utf8.value.persons[0]?.familyName).toBe("Łuczak");
  });
});

describe("a message that can't be used", () => {
  it.each<[string, Uint8Array, string]>([
    [
      "with fields, components and segments that nobody knows",
      text((m) => m.replace("PV1|1|I|", "PV1|1|I^x&y^z|").concat("ZZZ|1|^^^\r")),
      "read",
    ],
    ["with line feeds between its segments", text((m) => m.replaceAll("\r", "\r\n")), "read"],
    ["that is none", new TextEncoder().encode("GET / HTTP/1.1\r\n"), "AR not-hl7"],
    ["that is empty", new Uint8Array(), "AR not-hl7"],
    ["with separators of its own", text((m) => m.replace("^~\\&", "#~\\&")), "AR separators-unusual"],
    ["of results", text((m) => m.replace("ADT^A01", "ORU^R01")), "AR message-type-unknown"],
    ["of an event that is not known", text((m) => m.replace("ADT^A01", "ADT^A60")), "AR event-unknown"],
    ["of version 3", text((m) => m.replace("|2.5|", "|3.0|")), "AR version-unknown"],
    ["for training", text((m) => m.replace("|P|2.5", "|T|2.5")), "AR processing-id"],
    ["without a control id", text((m) => m.replace("|M1|", "||")), "AE no-control-id"],
    ["cut off in its header", text((m) => m.slice(0, 40)), "AR message-type-unknown"],
    ["cut off after its header", text((m) => m.slice(0, m.indexOf("\r") + 1)), "AE segment-missing"],
    ["cut off after EVN", text((m) => m.slice(0, m.indexOf("PID"))), "AE segment-missing"],
    ["cut off within PID", text((m) => m.slice(0, m.indexOf("PID") + 7)), "AE no-identifier"],
    ["cut off before PV1", text((m) => m.slice(0, m.indexOf("PV1"))), "AE no-location"],
    ["whose EVN says another event", text((m) => m.replace("EVN|A01", "EVN|A03")), "AE event-contradicts"],
    ["without any time of the event", text((m) => m.replaceAll(/EVN.*\r/g, "EVN|A01\r")), "AE no-event-time"],
    ["that occurred on some day", text((m) => m.replaceAll(/EVN.*\r/g, "EVN|A01||||X|20261121\r")), "AE bad-time"],
    [
      "that occurred on 31 February",
      text((m) => m.replaceAll(/EVN.*\r/g, "EVN|A01||||X|202602310800\r")),
      "AE bad-time",
    ],
    ["of a swap of one", adtBytes({ ...admission, event: "A17" }), "AE swap-not-two"],
    [
      "of a swap of two",
      adtBytes({ ...admission, event: "A17", other: { patient: otto, location: "ICU-1^02^A" } }),
      "read",
    ],
    ["of a merge of nobody", adtBytes({ ...admission, event: "A40" }), "AE segment-missing"],
    ["of a merge without a number", adtBytes({ ...admission, event: "A40", prior: {} }), "AE no-identifier"],
    ["of a merge", adtBytes({ ...admission, event: "A40", prior: otto }), "read"],
    [
      "of a visit moved from nowhere",
      adtBytes({ ...admission, event: "A45", prior: { number: "4711002" } }),
      "AE no-visit",
    ],
    ["of a visit that was moved", adtBytes({ ...admission, event: "A45", prior: otto }), "read"],
  ])("%s", (_what, bytes, expected) => {
    expect(outcome(bytes)).toBe(expected);
  });

  it("is never an error of ours, wherever it is cut or spoilt, and no refusal repeats what it says", () => {
    const whole = adtBytes(admission);
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(whole.length - 1), fc.nat(255), (cut, at, byte) => {
        const bytes = whole.slice(0, cut);
        if (at < cut) bytes[at] = byte;
        const read = reading(bytes);
        const said = read.ok ? "" : `${read.refusal.reason} ${read.refusal.detail}`;
        expect(said).not.toMatch(/4711001|Quellmann|Ines|V-9001|Lindenweg/);
      }),
    );
  });
});

describe("an answer", () => {
  it("goes back to the sender, with the control id and what was wrong", () => {
    const problem = { reason: "no-location", detail: "PV1-3 is empty" };
    const text = answerTo(adtBytes(admission), { code: "AE", problem, atMs: Date.UTC(2026, 10, 21) });
    expect(text.split("\r")[0]).toMatch(
      /^MSH\|\^~\\&\|AFFERENT\|\|ORBIS\|KH-NORD\|20261121000000\.000\+0000\|\|ACK\^A01\^ACK\|/,
    );
    expect(readAcknowledgement(text)).toEqual({
      ok: true,
      value: { code: "AE", controlId: "M1", text: "no-location; PV1-3 is empty" },
    });
  });

  it("is there for what could not be read at all", () => {
    const text = answerTo(new Uint8Array([1, 2, 3]), {
      code: "AR",
      problem: { reason: "not-hl7", detail: "no" },
      atMs: 0,
    });
    expect(readAcknowledgement(text)).toMatchObject({ ok: true, value: { code: "AR", controlId: "" } });
  });
});

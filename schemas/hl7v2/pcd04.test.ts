/** Notifications as PCD-04 messages, field by field, and the acknowledgements to them. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAcknowledgement } from "./acknowledgement.ts";
import { components, dateTime, escaped, unescaped } from "./encoding.ts";
import { aNotification, everyShape, parties } from "./pcd04.fixture.ts";
import { pcd04 } from "./pcd04.ts";

const recordings = join(process.env["RECORDINGS"] ?? "../shared/data", "hl7v2_pcd");
const recorded = existsSync(recordings);
if (!recorded) console.error("skipped: no recordings of HL7 v2, RECORDINGS names their folder");

const segmentsOf = (text: string): string[][] =>
  text
    .split(/[\r\n]+/)
    .filter((line) => line !== "")
    .map((line) => line.split("|"));
const named = (text: string, name: string): string[][] => segmentsOf(text).filter(([first]) => first === name);
const facetsOf = (text: string): string[][] =>
  named(text, "OBX").filter(([, , , code = ""]) => /^6848[0-5]\^/.test(code));

describe("HL7 v2's encoding", () => {
  it("holds whatever text in one component, readable again", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const readable = text.replace(/\p{Cc}+/gu, " ");
        expect(escaped(text)).not.toMatch(/[|^&~\p{Cc}]/u);
        expect(unescaped(escaped(text))).toBe(readable);
      }),
    );
  });

  it("leaves out trailing empty components only", () => {
    expect(components("a", "", "c", "")).toBe("a^^c");
  });

  it("writes times with their zone, as of any day", () => {
    expect(dateTime(Date.UTC(2028, 1, 29, 23, 59, 59, 7))).toBe("20280229235959.007+0000");
  });
});

describe("a PCD-04 message", () => {
  it("is the same when it is sent again, and another for another notification or receiver", () => {
    const again = pcd04(aNotification(), parties);
    expect(again).toEqual(pcd04(aNotification(), parties));
    expect(pcd04(aNotification({ identity: "notification-2" }), parties).controlId).not.toBe(again.controlId);
    expect(pcd04(aNotification(), { ...parties, receiver: "OTHER" }).controlId).not.toBe(again.controlId);
  });

  it("keeps the messages of one page together, each with an order number of its own", () => {
    const orders = ["n-1", "n-2"].map((identity) => named(pcd04(aNotification({ identity }), parties).text, "OBR")[0]);
    expect(orders[0]?.[3]).not.toBe(orders[1]?.[3]);
    expect(orders[0]?.[29]).toBe(orders[1]?.[29]);
    expect(orders[0]?.[29]).toBe("^page-1&AFFERENT&0011223344556677&EUI-64");
  });

  it.each(everyShape)("has no patient and one segment for each thing: %s", (_what, notification) => {
    const { text } = pcd04(notification, parties);
    expect(named(text, "PID")).toEqual([["PID"]]);
    expect(
      segmentsOf(text)
        .map(([name]) => name)
        .filter((name) => name !== "NTE" && name !== "OBX"),
    ).toEqual(["MSH", "PID", "PV1", "OBR"]);
    expect(text.endsWith("\r")).toBe(true);
  });

  it("codes its event as MDC where that is verified, and as its own where it is not", () => {
    const eventOf = (event: string): string | undefined =>
      named(pcd04(aNotification({ event }), parties).text, "OBX")[0]?.[3];
    expect(eventOf("high")).toBe("196648^MDC_EVT_HI^MDC");
    expect(eventOf("asystole")).toBe("asystole^asystole^99AFFERENT");
  });

  it.each([
    [50, 120, "50-120"],
    [50, null, ">50"],
    [null, 120, "<120"],
    [null, null, ""],
  ])("has limits %s to %s as %j", (lowLimit, highLimit, range) => {
    const obx = named(pcd04(aNotification({ lowLimit, highLimit }), parties).text, "OBX");
    expect([obx[0]?.[7], obx[7]?.[7]]).toEqual([range, range]);
  });
});

describe.skipIf(!recorded)("beside Draeger's watchdog", () => {
  const theirs = recorded ? readFileSync(join(recordings, "draeger_PCD04_watchdog.hl7"), "utf8") : "";
  const ours = pcd04(aNotification(), parties).text;

  it("has its kind of message, encoding characters, version, profile and acknowledgement", () => {
    const [mine = [], other = []] = [named(ours, "MSH")[0], named(theirs, "MSH")[0]];
    for (const field of [1, 8, 11, 14, 15, 20]) expect([field, mine[field]]).toEqual([field, other[field]]);
  });

  it("has the same segments before its facets, and the same event in OBR-4", () => {
    const before = (text: string) =>
      segmentsOf(text)
        .map(([name]) => name)
        .filter((name) => !["OBX", "NTE"].includes(name ?? ""));
    expect(before(ours)).toEqual(before(theirs));
    expect(named(ours, "OBR")[0]?.[4]).toBe(named(theirs, "OBR")[0]?.[4]);
    expect(named(ours, "OBR")[0]?.[29]).toMatch(/^\^[^&]+(&[^&]*){0,3}$/);
    expect(named(theirs, "OBR")[0]?.[29]).toMatch(/^\^[^&]+(&[^&]*){0,3}$/);
  });

  it("has the same facets in the same order, by the same names", () => {
    const names = (text: string) => facetsOf(text).map(([, , , code]) => code);
    expect(names(theirs)).toHaveLength(6);
    expect(names(ours)).toEqual(names(theirs));
  });

  it("has its facets below one node of the containment, numbered as Draeger's are", () => {
    const nodes = (text: string) => facetsOf(text).map(([, , , , id = ""]) => id.split(".").slice(0, -1).join("."));
    const numbers = (text: string) => facetsOf(text).map(([, , , , id = ""]) => id.split(".").at(-1));
    for (const text of [ours, theirs]) expect(new Set(nodes(text)).size).toBe(1);
    expect(numbers(ours)).toEqual(numbers(theirs));
  });

  it("understands the acknowledgement that Draeger shows", () => {
    const answer = readFileSync(join(recordings, "draeger_ACK_watchdog.hl7"), "utf8");
    const controlId = named(theirs, "MSH")[0]?.[9];
    expect(readAcknowledgement(answer)).toEqual({ ok: true, value: { code: "CA", controlId, text: "" } });
  });
});

describe("an acknowledgement", () => {
  it.each([
    ["", "not-hl7"],
    ["<ack/>", "not-hl7"],
    ["MSH|^~\\&|\r", "no-msa"],
    ["MSH|^~\\&|\rMSA|OK|1\r", "acknowledgement-unknown"],
  ])("%j is none: %s", (message, reason) => {
    const read = readAcknowledgement(message);
    expect(read.ok ? "read" : read.problem.reason).toBe(reason);
  });

  it("says why, from MSA and ERR", () => {
    const read = readAcknowledgement("MSH|^~\\&|\rMSA|AR|7|no such bed\rERR|||207|E||||icu\\T\\3\r");
    expect(read).toEqual({ ok: true, value: { code: "AR", controlId: "7", text: "no such bed; icu&3" } });
  });
});

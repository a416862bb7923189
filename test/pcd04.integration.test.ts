/** PCD-04 as a parser reads it that we did not write: HAPI HL7 v2, strictly, from a message's text and over MLLP with its own acknowledgement. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Hl7v2Reading, type Hl7v2Server, readHl7v2, serveHl7v2 } from "../deploy/hl7v2-reader.ts";
import { freePorts } from "../deploy/ports.ts";
import type { Notification } from "../schemas/records/alert.ts";
import { aNotification, everyShape, parties } from "../schemas/hl7v2/pcd04.fixture.ts";
import { inactivationCodes, pcd04 } from "../schemas/hl7v2/pcd04.ts";
import type { Notifier } from "../streams/io/notify/notifier.ts";
import { openMllp } from "../streams/io/notify/mllp.ts";

const obx = (facet: number, field: string): string =>
  `/PATIENT_RESULT/ORDER_OBSERVATION/OBSERVATION(${facet - 1})/OBX-${field}`;
const obr = (field: string): string => `/PATIENT_RESULT/ORDER_OBSERVATION/OBR-${field}`;

/** What HAPI is asked for, and what it has to find. Written from the codes of PCD-04, not from what pcd04.ts says of them. */
const priorities = { high: "PH", medium: "PM", low: "PL" } as const;
const types = { physiological: "SP", technical: "ST", advisory: "SA" } as const;
const expectations = (n: Notification): readonly (readonly [string, string | null])[] => [
  ["/MSH-9-1", "ORU"],
  ["/MSH-9-2", "R40"],
  ["/MSH-9-3", "ORU_R40"],
  ["/MSH-12-1", "2.6"],
  ["/MSH-21-1", "IHE_PCD_ACM_001"],
  ["/MSH-21-3", "1.3.6.1.4.1.19376.1.6.1.4.1"],
  ["/PATIENT_RESULT/PATIENT/PID-3-1", null],
  ["/PATIENT_RESULT/PATIENT/PID-5-1", null],
  ["/PATIENT_RESULT/PATIENT/VISIT/PV1-3-1", n.unit],
  ["/PATIENT_RESULT/PATIENT/VISIT/PV1-3-3", n.bed],
  [obr("4-1"), "196616"],
  [obr("7-1"), "20270115080000.000+0000"],
  [obr("8-1"), n.end === null ? null : "20270115080130.000+0000"],
  [obr("29-2-1"), n.page],
  [obx(1, "5-1"), n.text.replace(/\p{Cc}+/gu, " ")],
  [obx(1, "18-1"), n.device],
  [obx(2, "3-1"), "68480"],
  [obx(3, "3-1"), "68481"],
  [obx(3, "5-1"), n.phase],
  [obx(4, "3-1"), "68482"],
  [obx(4, "5-1"), n.signal],
  [obx(5, "3-1"), "68483"],
  [obx(5, "5-1"), inactivationCodes[n.inactivation]],
  [obx(6, "3-1"), "68484"],
  [obx(6, "5-1"), n.what === "test" ? "PN" : priorities[n.priority]],
  [obx(7, "3-1"), "68485"],
  [obx(7, "5-1"), types[n.alertType]],
];

const limits = (code: string, name: string, flag: string, metric: string, value: string, unit: string, range: string) =>
  [
    [obx(1, "3-1"), code],
    [obx(1, "3-2"), name],
    [obx(1, "7"), range],
    [obx(1, "8(0)"), flag],
    [obx(1, "8(1)"), "PH"],
    [obx(1, "8(2)"), "SP"],
    [obx(2, "5-1"), metric],
    [obx(8, "3-1"), metric],
    [obx(8, "5-1"), value],
    [obx(8, "6-1"), unit],
    [obx(8, "6-3"), "UCUM"],
    [obx(8, "7"), range],
  ] as const;

const whole = pcd04(aNotification(), parties).text;
const broken: readonly (readonly [string, string])[] = [
  ["a value that is no number", whole.replace("|180|", "|fast|")],
  ["a value of no known type", whole.replace("OBX|8|NM|", "OBX|8|QQ|")],
  ["a time that is none", whole.replaceAll("20270115080000.000+0000", "yesterday")],
  ["a segment where there is none", whole.replace("OBR|1|", "PV1||I\rOBR|1|")],
  ["no header", whole.replace(/^MSH.*?\r/, "")],
];

const tasks = [
  ...everyShape.map(([, one]) => ({
    message: pcd04(one, parties).text,
    paths: expectations(one).map(([path]) => path),
  })),
  { message: whole, paths: limits("", "", "", "", "", "", "").map(([path]) => path) },
  ...broken.map(([, message]) => ({ message, paths: [] })),
];

let readings: readonly Hl7v2Reading[];
beforeAll(async () => {
  readings = await readHl7v2(tasks);
});

describe("HAPI's HL7 v2 parser", () => {
  it.each(everyShape.map(([what, one], n) => [what, one, n] as const))("reads %s", (_what, one, n) => {
    expect(readings[n]).toEqual({ values: expectations(one).map(([, value]) => value) });
  });

  it("reads a physiological high with its value, its unit and its limits", () => {
    expect(readings[everyShape.length]).toEqual({
      values: limits("196648", "MDC_EVT_HI", "H", "147842", "180", "/min", "50-120").map(([, value]) => value),
    });
  });

  it.each(broken.map(([what], n) => [what, everyShape.length + 1 + n] as const))("refuses %s", (_what, n) => {
    expect(readings[n]).toEqual({ error: expect.stringMatching(/./) });
  });
});

describe("HAPI's MLLP server", () => {
  let server: Hl7v2Server;
  let notifier: Notifier;
  beforeAll(async () => {
    const { mosquitto: port } = await freePorts();
    server = await serveHl7v2(port);
    notifier = openMllp({ name: "mllp", host: "127.0.0.1", port, answerWithinMs: 5_000, sender: parties.sender });
  });
  afterAll(async () => {
    await notifier?.close();
    await server?.close();
  });

  it("acknowledges every shape, over one connection, and has read each", async () => {
    for (const [, one] of everyShape) await notifier.send(one, "ALARM_MANAGER", AbortSignal.timeout(10_000));
    expect(server.heard).toHaveLength(everyShape.length);
    expect(server.heard.filter((one) => "error" in one)).toEqual([]);
  });
});

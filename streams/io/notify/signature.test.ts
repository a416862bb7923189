import { describe, expect, it } from "vitest";
import { sign, verifySignature } from "./signature.ts";

const secret = "a secret of the ward's own";
const body = Buffer.from('{"event":"heartbeat"}');
const at = Date.UTC(2026, 10, 21, 12);

describe("a signed message", () => {
  it("is believed by whoever shares the secret", () => {
    expect(verifySignature(secret, body, sign(secret, body, at), at + 800)).toEqual({ ok: true, value: at });
  });

  const signed = sign(secret, body, at);
  it.each([
    { what: "nobody signed", header: undefined, reason: "unsigned" },
    { what: "is signed in another way", header: "sha256=00", reason: "signature-malformed" },
    { what: "another secret signed", header: sign("another secret", body, at), reason: "signature-wrong" },
    { what: "was changed", header: sign(secret, "{}", at), reason: "signature-wrong" },
    { what: "had its moment changed", header: signed.replace(`t=${at}`, `t=${at + 1}`), reason: "signature-wrong" },
    { what: "is old", header: signed, now: at + 60_001, reason: "signature-old" },
    { what: "comes from the future", header: signed, now: at - 60_001, reason: "signature-old" },
  ])("is refused when it $what", ({ header, now = at, reason }) => {
    const verified = verifySignature(secret, body, header, now);
    expect(verified.ok ? "believed" : verified.problem.reason).toBe(reason);
  });
});

import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadChartPolicies } from "./chart-policies.ts";

const shipped = (name: string): string => join(import.meta.dirname, "../topologies", name, "adult-example.json");
const [precedence, scores] = [shipped("precedence"), shipped("scores")];
const approvedAt = 1_795_269_600_000;
let broken = "";

beforeAll(async () => {
  broken = join(await mkdtemp(join(tmpdir(), "policies-")), "broken.json");
  await writeFile(broken, "{}");
});

describe("the policies of charts and scores", () => {
  it("are none where none is configured", async () => {
    expect(await loadChartPolicies({ demoApproval: false }, approvedAt)).toEqual({ precedence: null, scores: null });
  });

  it("come unapproved; a demo ward approves the reports for itself, marked as such", async () => {
    const theirs = await loadChartPolicies({ precedence, scores, demoApproval: false }, approvedAt);
    expect([theirs.scores?.news2.approval, theirs.scores?.dialysis.approval]).toEqual([null, null]);
    const demo = await loadChartPolicies({ precedence, scores, demoApproval: true }, approvedAt);
    const approval = { by: "Demo ward", at: approvedAt, demo: true };
    expect([demo.scores?.news2.approval, demo.scores?.dialysis.approval]).toEqual([approval, approval]);
  });

  it.each([
    ["scores without precedence", () => ({ scores }), "config-invalid"],
    ["a precedence policy that is none", () => ({ precedence: broken }), "precedence-invalid"],
    ["scores that are none", () => ({ precedence, scores: broken }), "scores-invalid"],
    ["a file that is not there", () => ({ precedence: `${broken}.gone` }), "file-unreadable"],
  ])("%s end the start with a code", async (_, files, code) => {
    await expect(loadChartPolicies({ ...files(), demoApproval: false }, approvedAt)).rejects.toMatchObject({
      code,
      retry: false,
    });
  });
});

/**
 * The third eye, by its own tools and as real servers: promtool tests the rules, and fails for each rule that is taken away; amtool checks the
 * routes; and a real Prometheus with a real Alertmanager tells somebody that the circuit does not answer.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { programPath, provideSystemPrograms } from "../deploy/system-packages.ts";

const shipped = join(import.meta.dirname, "..", "deploy", "prometheus");
const folders: string[] = [];
const copied = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "third-eye-"));
  folders.push(folder);
  cpSync(shipped, folder, { recursive: true });
  return folder;
};
const run = (
  program: string,
  args: readonly string[],
  cwd: string,
): { readonly code: number | null; readonly said: string } => {
  const { status, stdout, stderr } = spawnSync(programPath(program) ?? program, args, { cwd, encoding: "utf8" });
  return { code: status, said: `${stdout}${stderr}` };
};

beforeAll(() => provideSystemPrograms(["promtool", "amtool"], (line) => console.error(line)));
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

interface Rules {
  groups: { rules: { alert: string }[] }[];
}
const rulesOf = (folder: string): Rules => parse(readFileSync(join(folder, "afferent.rules.yml"), "utf8")) as Rules;
interface RuleTests {
  tests: { alert_rule_test?: { alertname: string }[] }[];
}
/** Leaves of the rules' own tests those that ask about an alert: where one of them fails, they all do. */
const keepTestsOf = (folder: string, alert: string): void => {
  const file = join(folder, "afferent.rules.test.yml");
  const all = parse(readFileSync(file, "utf8")) as RuleTests;
  const about = all.tests.filter((one) => one.alert_rule_test?.some(({ alertname }) => alertname === alert));
  expect(about).not.toEqual([]);
  writeFileSync(file, stringify({ ...all, tests: about }));
};
const testRules = (folder: string) => run("promtool", ["test", "rules", "afferent.rules.test.yml"], folder);

describe("the rules", () => {
  it("pass promtool's check, and their own tests", () => {
    const folder = copied();
    for (const kind of ["targets", "alertmanagers"]) {
      mkdirSync(join(folder, kind));
      writeFileSync(join(folder, kind, "afferent.json"), '[{"targets": ["127.0.0.1:1"]}]');
    }
    expect(run("promtool", ["check", "config", "prometheus.yml"], folder)).toMatchObject({ code: 0 });
    expect(testRules(folder)).toMatchObject({ code: 0, said: expect.stringContaining("SUCCESS") });
  });

  const alerts = rulesOf(shipped).groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  it.each(alerts)("are tested: without %s, or with it always firing, the tests fail", (alert) => {
    const folder = copied();
    keepTestsOf(folder, alert);
    expect(testRules(folder)).toMatchObject({ code: 0 });
    const without = rulesOf(folder);
    for (const group of without.groups) group.rules = group.rules.filter((rule) => rule.alert !== alert);
    writeFileSync(join(folder, "afferent.rules.yml"), stringify(without));
    expect(testRules(folder).code).not.toBe(0);
    const always = rulesOf(shipped);
    for (const group of always.groups)
      group.rules = group.rules.map((rule) =>
        rule.alert === alert ? { ...rule, expr: "vector(1)", for: "0s" } : rule,
      );
    writeFileSync(join(folder, "afferent.rules.yml"), stringify(always));
    expect(testRules(folder).code).not.toBe(0);
  });
});

describe("the routes", () => {
  it("pass amtool's check", () => {
    expect(run("amtool", ["check-config", "alertmanager.yml"], shipped)).toMatchObject({ code: 0 });
  });

  it.each([
    { severity: "page", receiver: "on-call" },
    { severity: "ticket", receiver: "clinical-engineering" },
  ])("bring a $severity to $receiver", ({ severity, receiver }) => {
    const args = [
      "config",
      "routes",
      "test",
      "--config.file=alertmanager.yml",
      `severity=${severity}`,
      "alertname=Any",
    ];
    expect(execFileSync(programPath("amtool") ?? "amtool", args, { cwd: shipped, encoding: "utf8" }).trim()).toBe(
      receiver,
    );
  });
});

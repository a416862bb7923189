/** Each gate of the build is shown to bite: a planted violation that it must report, beside a twin that it must let pass. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const bin = (name: string): string => join(root, "node_modules", ".bin", name);
const run = promisify(execFile);
const planted: string[] = [];

const check = async (command: string, args: readonly string[]): Promise<{ code: number; output: string }> => {
  try {
    const { stdout, stderr } = await run(bin(command), [...args], { cwd: root });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
};

/** Puts a file into a folder whose rules apply to it; removed afterwards. */
const plant = async (folder: string, text: string): Promise<string> => {
  const place = await mkdtemp(join(root, folder, "planted-"));
  planted.push(place);
  const file = join(place, "planted.ts");
  await writeFile(file, text);
  return file;
};

afterAll(() => Promise.all(planted.map((place) => rm(place, { recursive: true }))));

const lint = (file: string) => check("biome", ["lint", file]);

const violations: readonly [name: string, folder: string, text: string, twin: string, rule: string][] = [
  [
    "a clock in a transform",
    "topologies",
    "export const now = () => Date.now();\n",
    "export const now = (logTime: number) => logTime;\n",
    "noRestrictedGlobals",
  ],
  [
    "a timer in the core",
    "streams/core",
    "export const later = (f: () => void) => setTimeout(f, 1);\n",
    "export const later = (f: () => void) => f();\n",
    "noRestrictedGlobals",
  ],
  [
    "a file system in a schema",
    "schemas",
    'import { readFileSync } from "node:fs";\nexport const text = readFileSync("x");\n',
    'import { digest } from "../../streams/core/hash.ts";\nexport const text = digest(new Uint8Array());\n',
    "noRestrictedImports",
  ],
  [
    "a topology that knows the log",
    "topologies",
    'import type { Log } from "../../streams/log/log.ts";\nexport type L = Log;\n',
    'import type { Position } from "../../streams/core/position.ts";\nexport type L = Position;\n',
    "noRestrictedImports",
  ],
  [
    "an adapter that knows a role",
    "streams/io",
    'import type { Running } from "../../roles/running.ts";\nexport type R = Running;\n',
    'import type { Position } from "../../core/position.ts";\nexport type R = Position;\n',
    "noRestrictedImports",
  ],
  [
    "the core knowing its surroundings",
    "streams/core",
    'import type { Log } from "../../log/log.ts";\nexport type L = Log;\n',
    "export type L = number;\n",
    "noRestrictedImports",
  ],
  [
    "a promise that nobody waits for",
    "streams/io",
    "const work = async (): Promise<void> => {};\nexport const start = (): void => {\n  work();\n};\n",
    "const work = async (): Promise<void> => {};\nexport const start = async (): Promise<void> => {\n  await work();\n};\n",
    "noFloatingPromises",
  ],
];

describe("biome", { timeout: 120_000 }, () => {
  it.each(violations)("refuses %s", async (_name, folder, text, twin, rule) => {
    const broken = await lint(await plant(folder, text));
    expect(broken.output).toContain(rule);
    expect(broken.code).not.toBe(0);
    expect((await lint(await plant(folder, twin))).code, "its twin passes").toBe(0);
  });
});

describe("biome, over several files", () => {
  it("refuses files that import each other", async () => {
    const file = await plant("streams/io", 'import { b } from "./other.ts";\nexport const a = (): number => b();\n');
    const other = join(dirname(file), "other.ts");
    await writeFile(other, 'import { a } from "./planted.ts";\nexport const b = (): number => a();\n');
    expect((await lint(dirname(file))).output).toContain("noImportCycles");
    await writeFile(other, "export const b = (): number => 1;\n");
    expect((await lint(dirname(file))).code, "its twin passes").toBe(0);
  });
});

describe("knip", () => {
  it("names a file that nothing uses", async () => {
    const file = await plant("streams/io", "export const unused = 1;\n");
    const { code, output } = await check("knip", ["--no-gitignore"]);
    expect(output).toContain(relative(root, file));
    expect(code).not.toBe(0);
  }, 60_000);
});

describe("tsc", () => {
  const compile = async (text: string) => {
    const file = await plant("test", text);
    const config = join(dirname(file), "tsconfig.json");
    await writeFile(config, JSON.stringify({ extends: join(root, "tsconfig.json"), include: [file], exclude: [] }));
    return check("tsc", ["-p", config]);
  };

  it("refuses a measurement without a unit", async () => {
    const measured = (unit: string) =>
      `import type { DecodedMeasurement } from "../../schemas/devices/adapter.ts";
export const m: DecodedMeasurement = { channel: "ecg", metric: "heartRate", value: 1, ${unit} validity: "valid", evidence: null, periodMs: null };\n`;
    expect((await compile(measured(""))).output).toContain("ucum");
    expect((await compile(measured('ucum: "/min",'))).code).toBe(0);
  });

  it("refuses device time where event time is wanted", async () => {
    const times = (from: string) =>
      `import { ${from}, type EventTime } from "../../streams/core/time.ts";\nexport const t: EventTime = ${from}(1);\n`;
    expect((await compile(times("deviceTime"))).output).toContain("not assignable");
    expect((await compile(times("eventTime"))).code).toBe(0);
  });
});

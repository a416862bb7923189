/**
 * Each recipe of docs/recipes, followed to the letter in a copy of the project: its commands pass and print what it says, the
 * mistakes that it plants are found, and nothing is touched but what the design promises.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type Changes, type Copy, copyOfProject } from "./recipes/copy.ts";
import { follow } from "./recipes/follow.ts";
import { parseRecipe, type Step } from "./recipes/recipe.ts";

const recipe = (name: string): Promise<string> =>
  readFile(join(import.meta.dirname, `../docs/recipes/${name}.md`), "utf8");

/** Room for a machine that does ten other things; alone, a recipe takes some seconds. */
const patience = { timeout: 300_000 };

const copies: Copy[] = [];
const newCopy = async (): Promise<Copy> => {
  const copy = await copyOfProject();
  copies.push(copy);
  return copy;
};
afterEach(() => Promise.all(copies.splice(0).map((copy) => copy.remove())));

const followed = async (name: string): Promise<{ readonly mistakesFound: number; readonly changes: Changes }> => {
  const copy = await newCopy();
  const { mistakesFound } = await follow(parseRecipe(await recipe(name)), copy);
  return { mistakesFound, changes: await copy.changes() };
};

describe("followed to the letter", () => {
  it("a device model is one file with its samples", patience, async () => {
    const { mistakesFound, changes } = await followed("device-model");
    expect(mistakesFound).toBeGreaterThan(0);
    expect(changes).toEqual({
      added: ["schemas/devices/acme-oximeter.samples.json", "schemas/devices/acme-oximeter.ts"],
      inserted: {},
      broken: [],
    });
  });

  it("a rule is one line of data, and its test", patience, async () => {
    const { mistakesFound, changes } = await followed("rule");
    expect(mistakesFound).toBeGreaterThan(0);
    expect(changes).toEqual({
      added: ["topologies/rules/temperature-very-high.test.ts"],
      inserted: { "topologies/rules/adult-example.json": [expect.stringContaining("temperature-very-high")] },
      broken: [],
    });
  });

  it("a stage, its test and its run are three files", patience, async () => {
    const { mistakesFound, changes } = await followed("stage");
    expect(mistakesFound).toBe(1);
    expect(changes).toEqual({
      added: ["topologies/rate-pressure.test.ts", "topologies/rate-pressure.try.ts", "topologies/rate-pressure.ts"],
      inserted: {},
      broken: [],
    });
  });

  it("a destination is one file in io, its test, and its name among the kinds with its import", patience, async () => {
    const { mistakesFound, changes } = await followed("destination");
    expect(mistakesFound).toBeGreaterThan(0);
    expect(changes).toEqual({
      added: ["streams/io/webhook.test.ts", "streams/io/webhook.ts"],
      inserted: {
        "streams/destination-kinds.ts": [
          'import { webhookDestination } from "./io/webhook.ts";',
          "webhookDestination,",
        ],
      },
      broken: [],
    });
  });
});

describe("a recipe that does not hold is found out", () => {
  const readme: Step = { kind: "file", path: "README.md", after: "# Afferent", text: "More.\n" };
  it.each<[string, readonly Step[], string]>([
    ["a line to insert behind that is not there", [{ ...readme, after: "# Efferent" }], "has 0 lines # Efferent"],
    ["a new file that exists", [{ ...readme, after: null }], "README.md: a new file is there already"],
    ["a command that fails", [{ kind: "run", script: "echo no; false; echo on", passes: true }], "should pass"],
    ["a mistake that passes", [{ kind: "run", script: "true", passes: false }], "should fail"],
    [
      "other output",
      [
        { kind: "run", script: "echo 3 passed in 5 ms", passes: true },
        { kind: "prints", lines: ["3 … in … ms", "4 passed"] },
      ],
      "should print:\n4 passed",
    ],
  ])("%s", async (_, steps, problem) => {
    await expect(follow(steps, await newCopy())).rejects.toThrow(problem);
  });

  it("a block that nobody understands", () => {
    expect(() => parseRecipe("text\n```sh runs\ntrue\n```\n")).toThrow('line 2: a block can\'t be "runs"');
    expect(() => parseRecipe("```sh run\ntrue\n")).toThrow("line 1: the block has no end");
  });

  it("whatever it touches besides", async () => {
    const copy = await newCopy();
    await follow([readme, { kind: "run", script: "rm LICENSE; touch streams/more.ts", passes: true }], copy);
    const changes = { added: ["streams/more.ts"], inserted: { "README.md": ["More."] }, broken: ["LICENSE"] };
    expect(await copy.changes()).toEqual(changes);
  });
});

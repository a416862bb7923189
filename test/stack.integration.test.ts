import { describe, expect, it } from "vitest";
import { healthLine } from "../deploy/stack.ts";
import { sharedStack } from "./stack.ts";

describe("the full stack", () => {
  it("has every server answer over its own protocol", async () => {
    const { servers } = sharedStack();
    for (const server of servers) expect(await healthLine(server)).toMatch(`${server.name}`);
  });
});

/** Two suites: `unit` needs nothing but Node; `integration` runs file after file against the real servers (test/stack.ts). */
import { defineConfig } from "vitest/config";

const notOurs = ["**/node_modules/**", "**/dist/**", ".stack/**", ".afferent/**", "test-results/**"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: [...notOurs, "**/*.integration.test.ts"],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "integration",
          include: ["**/*.integration.test.ts"],
          exclude: notOurs,
          globalSetup: ["test/stack-setup.ts"],
          // One stack, two cores: files that stop servers or count rows must not meet.
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

/** The real servers for integration tests: started once for a run by test/stack-setup.ts, on free ports, in a folder of their own. */
import { inject } from "vitest";
import type { StackConfig } from "../deploy/config.ts";
import { runningStack, type Stack } from "../deploy/stack.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly stackConfig: StackConfig;
  }
}

/** The run's stack. A test may stop, kill and start its servers, and leaves them running. */
export const sharedStack = (): Stack => runningStack(inject("stackConfig"));

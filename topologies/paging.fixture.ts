/** The paging stage in its tests' ward, and alarms that meet on one page. */
import type { Policy } from "../schemas/records/alert.ts";
import { drive } from "../streams/sim/drive.ts";
import { pagedWard, type PagedWard, policy } from "../streams/sim/paged.ts";
import { paging } from "./paging.ts";

/** `null`: no policy is in force. */
export const ward = (inForce: Policy | null = policy()): PagedWard => pagedWard(drive(paging), inForce);
export const low = { event: "low", direction: "low", rule: "hr-low", group: "subject-4/heartRate/low" } as const;
export const asystole = {
  identity: "asystole",
  source: "device",
  event: "asystole",
  direction: "none",
  group: "subject-4/heartRate/low",
} as const;

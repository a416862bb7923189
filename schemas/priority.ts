/** IEC 60601-1-8: high means immediate, medium prompt, low awareness. */
import { oneOf, type TypeOf } from "./avro.ts";

export const priority = oneOf("Priority", "low", "medium", "high");
export type Priority = TypeOf<typeof priority>;

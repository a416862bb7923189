/**
 * How a batch of received messages travels from the listener to the alert circuit: for each a length (uint32, big endian) and as many
 * bytes of JSON that say everything but the payload, then the payload's length and the payload, byte for byte. What a newer
 * writer adds to the JSON an older reader leaves alone.
 */
import { z } from "zod";
import { OperatingError } from "../../core/failure.ts";
import type { Received } from "../../core/received.ts";

export const contentType = "application/vnd.afferent.tap";
export const tapPath = "/tap/1";
/** Names the sender's run and counts its batches: a batch that comes again is known by them. */
export const runHeader = "afferent-tap-run";
export const batchHeader = "afferent-tap-batch";

/** So often the sender is heard of though it has nothing to hand over: a batch of no bytes, under the number 0. */
export const signOfLifeEveryMs = 1_000;

/** The longest body that is read; a batch of 512 KiB and one message of 1 MiB are well below it. */
export const bodyBytesMax = 4 * 1024 * 1024;

const head = z.object({
  mqttTopic: z.string(),
  session: z.string(),
  dup: z.boolean(),
  qos: z.union([z.literal(0), z.literal(1), z.literal(2)]),
  retained: z.boolean(),
  receivedMs: z.int().nonnegative(),
  truncated: z.object({ size: z.int().nonnegative(), sha256: z.string() }).optional(),
});

/** A message as the tap carries it: when it was taken is settled by who took it. */
export type Tapped = Received & { readonly receivedMs: number };

/** The frame of one message. */
export const frameOf = ({ payload, ...rest }: Tapped): Buffer => {
  const json = Buffer.from(JSON.stringify(rest));
  const frame = Buffer.allocUnsafe(8 + json.length + payload.length);
  frame.writeUInt32BE(json.length, 0);
  json.copy(frame, 4);
  frame.writeUInt32BE(payload.length, 4 + json.length);
  frame.set(payload, 8 + json.length);
  return frame;
};

/** The messages of a body of frames. Throws OperatingError `tap-frame-invalid`, not retryable, which names the place. */
export const messagesOf = (body: Buffer): readonly Tapped[] => {
  const messages: Tapped[] = [];
  let at = 0;
  const part = (): Buffer => {
    const begins = at + 4;
    const ends = begins <= body.length ? begins + body.readUInt32BE(at) : Number.POSITIVE_INFINITY;
    if (ends > body.length) throw invalid(`byte ${at}: a part reaches beyond the body's ${body.length} bytes`);
    at = ends;
    return body.subarray(begins, ends);
  };
  while (at < body.length) {
    const began = at;
    const said = headOf(part(), began);
    messages.push({ ...said, payload: part() } as Tapped);
  }
  return messages;
};

const headOf = (bytes: Buffer, at: number): z.infer<typeof head> => {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch (cause) {
    throw invalid(`byte ${at}: a head is not JSON`, cause);
  }
  const parsed = head.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "(root)"}: ${message}`);
  throw invalid(`byte ${at}: ${problems.join("; ")}`);
};

const invalid = (what: string, cause?: unknown): OperatingError =>
  new OperatingError("tap-frame-invalid", `tap frame: ${what}`, { retry: false, cause });

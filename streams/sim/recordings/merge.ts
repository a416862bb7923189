/** Merges what several devices send, each in its order of time, into one order of time. Takes from each only what it needs. */
import type { WardMessage } from "../ward/messages.ts";

interface Head {
  readonly source: Iterator<WardMessage, void>;
  message: WardMessage;
}

const earliest = (heads: readonly Head[]): Head | undefined => {
  let first = heads[0];
  for (const head of heads) if (first === undefined || head.message.atMs < first.message.atMs) first = head;
  return first;
};

/** Of messages due at the same time, the one of the earlier source comes first. */
export function* merge(sources: readonly Iterator<WardMessage, void>[]): Generator<WardMessage, void> {
  let heads: Head[] = sources.flatMap((source) => {
    const { value } = source.next();
    return value === undefined ? [] : [{ source, message: value }];
  });
  for (let head = earliest(heads); head !== undefined; head = earliest(heads)) {
    const ended = head;
    yield head.message;
    const { value } = head.source.next();
    if (value === undefined) heads = heads.filter((other) => other !== ended);
    else head.message = value;
  }
}

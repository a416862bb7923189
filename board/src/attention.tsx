/** What is off, since when and what to do, worst first. New matters are read out; their ages are not. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { AttentionView, BoardView } from "../../schemas/board.ts";
import { addressOf } from "./chosen-bed.ts";
import { PriorityMark, Tick } from "./icons.tsx";
import { age, bedNames, sentence } from "./words.ts";

const subject = (item: AttentionView): string => sentence(`${bedNames(item.beds)} ${item.what}`.trim());

const Item = ({ item, now }: { item: AttentionView; now: number }) => {
  const [bed] = item.beds;
  const inside = (
    <>
      <PriorityMark priority={item.priority} />
      <span class="matter">
        <span class="matter-what">
          <span class="matter-name">{subject(item)}</span> <span class="matter-age">{age(now - item.since)}</span>
        </span>
        <span class="matter-do">{sentence(item.action)}</span>
      </span>
    </>
  );
  return (
    <li
      class={`item item-${item.priority}`}
      title={`${subject(item)} ${age(now - item.since)}: ${item.action}`}
      data-testid="attention"
    >
      {bed === undefined ? (
        <div class="item-inside">{inside}</div>
      ) : (
        <a class="item-inside" href={addressOf(bed)}>
          {inside}
        </a>
      )}
    </li>
  );
};

/** Reads out what is new, at most three at a time, without the ages that change each second. */
const Announcer = ({ items }: { items: readonly AttentionView[] }) => {
  const known = useRef<ReadonlySet<string> | null>(null);
  const [text, setText] = useState("");
  const identities = items.map(({ identity }) => identity).join("\n");
  useEffect(() => {
    const fresh = items.filter(({ identity }) => known.current !== null && !known.current.has(identity));
    known.current = new Set(items.map(({ identity }) => identity));
    if (fresh.length > 0)
      setText(
        fresh
          .slice(0, 3)
          .map((item) => `${subject(item)}: ${item.action}`)
          .join(". "),
      );
  }, [identities]);
  return (
    <p class="unseen" aria-live="polite">
      {text}
    </p>
  );
};

export const Attention = ({ board, wardNow }: { board: BoardView; wardNow: number }) => {
  const [open, setOpen] = useState(false);
  const items = board.attention;
  return (
    <section class={`attention ${open ? "attention-open" : ""}`} aria-label="Needs attention">
      <div class="attention-head">
        <h2>Needs attention</h2>
        <span class="attention-count">{items.length}</span>
        <button
          type="button"
          class="quiet"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
          disabled={items.length === 0}
        >
          {open ? "Show one row" : "Show all"}
        </button>
      </div>
      {items.length === 0 ? (
        <p class="all-well">
          <Tick /> Every device streams and nothing crosses a limit.
        </p>
      ) : (
        <ul class="items">
          {items.map((item) => (
            <Item key={item.identity} item={item} now={item.wall ? board.now : wardNow} />
          ))}
        </ul>
      )}
      <Announcer items={items} />
    </section>
  );
};

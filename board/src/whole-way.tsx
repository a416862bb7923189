/** An event's whole way, asked for when somebody wants it: from the bytes that the device sent to each destination's answer. */
import { useState } from "preact/hooks";

type Way =
  | { readonly kind: "unasked" }
  | { readonly kind: "asked" }
  | { readonly kind: "told"; readonly lines: readonly string[] }
  | { readonly kind: "untold"; readonly why: string };

const untold: Readonly<Record<string, string>> = {
  "event-unknown": "The log does not hold this event any more.",
  busy: "Somebody else is asking; ask again in a moment.",
};

const ask = async (identity: string): Promise<Way> => {
  try {
    const answer = await fetch(`/api/why?id=${encodeURIComponent(identity)}`);
    const said = (await answer.json()) as { readonly lines?: readonly string[]; readonly error?: string };
    if (answer.ok && said.lines !== undefined) return { kind: "told", lines: said.lines };
    return { kind: "untold", why: untold[said.error ?? ""] ?? `The log can't be asked now (${answer.status}).` };
  } catch {
    return { kind: "untold", why: "The page's server does not answer." };
  }
};

export const WholeWay = ({ identity }: { identity: string }) => {
  const [way, setWay] = useState<Way>({ kind: "unasked" });
  const onAsk = (): void => {
    setWay({ kind: "asked" });
    void ask(identity).then(setWay);
  };
  return (
    <div class="whole-way" aria-live="polite">
      {way.kind === "told" ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <pre tabIndex={0} data-testid="whole-way">
          {way.lines.join("\n")}
        </pre>
      ) : (
        <button type="button" class="ask" onClick={onAsk} disabled={way.kind === "asked"}>
          {way.kind === "asked" ? "Following it through the log ..." : "Show its whole way"}
        </button>
      )}
      {way.kind === "untold" && <p role="alert">{way.why}</p>}
    </div>
  );
};

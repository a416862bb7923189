/** Shapes that carry state and priority, so that colour never has to do it alone. */
import type { BedState } from "../../schemas/board.ts";

const stateShapes: Record<BedState, preact.JSX.Element> = {
  streaming: <circle cx="8" cy="8" r="4" fill="currentColor" />,
  silent: <path d="M3 3l10 10M13 3L3 13" stroke="currentColor" stroke-width="3" stroke-linecap="round" />,
  standby: <path d="M5.5 3v10M10.5 3v10" stroke="currentColor" stroke-width="3" stroke-linecap="round" />,
  quarantining: <path d="M8 1l7 7-7 7-7-7z" fill="currentColor" />,
  clockOff: (
    <g fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round">
      <circle cx="8" cy="8" r="6" />
      <path d="M8 4.5V8l2.5 1.8" />
    </g>
  ),
  unassociated: (
    <circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="3 2.4" />
  ),
};

export const StateIcon = ({ state }: { state: BedState }) => (
  <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
    {stateShapes[state]}
  </svg>
);

export const Tick = () => (
  <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
    <path
      d="M3 8.5l3.2 3.2L13 5"
      fill="none"
      stroke="currentColor"
      stroke-width="2.2"
      stroke-linecap="round"
      stroke-linejoin="round"
    />
  </svg>
);

export const Cross = () => (
  <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
    <path d="M4 4l8 8M12 4l-8 8" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" />
  </svg>
);

export const Mark = () => (
  <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
    <path
      d="M2 17h7l2.7-9 5 17 3.2-11 1.8 3H24"
      fill="none"
      stroke="currentColor"
      stroke-width="2.4"
      stroke-linecap="round"
      stroke-linejoin="round"
    />
    <circle cx="27" cy="17" r="3" fill="currentColor" />
  </svg>
);

type Priority = "low" | "medium" | "high";
const marks: Record<Priority, string> = { high: "!!!", medium: "!!", low: "!" };

/** IEC 60601-1-8: high red !!!, medium yellow !!, low cyan !. */
export const PriorityMark = ({ priority }: { priority: Priority }) => (
  <span class={`priority priority-${priority}`}>
    <span aria-hidden="true">{marks[priority]}</span>
    <span class="unseen">{priority} priority</span>
  </span>
);

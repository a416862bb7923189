/** Devices that send and belong to no bed: each is a patient unseen, or a device to be switched off. */
import type { DeviceView } from "../../schemas/board.ts";
import { StateIcon } from "./icons.tsx";
import { stateName } from "./words.ts";

export const Unplaced = ({ devices }: { devices: readonly DeviceView[] }) => {
  if (devices.length === 0) return null;
  return (
    <section class="unplaced" aria-label="Devices without a bed">
      <h2>Without a bed</h2>
      <ul>
        {devices.map(({ device, state }) => (
          <li key={device} class={`state state-${state}`} data-testid={`device-${device}`} data-state={state}>
            <StateIcon state={state} />
            {device} <span class="unseen">{stateName[state]}</span>
          </li>
        ))}
      </ul>
    </section>
  );
};

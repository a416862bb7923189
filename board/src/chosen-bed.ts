/** Which bed is chosen: it stands in the address (`#bed-07`), so that it can be linked, kept and gone back from. */
import { useEffect, useState } from "preact/hooks";
import type { BoardView } from "../../schemas/board.ts";

const inAddress = (): string => {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
};

export const addressOf = (bed: string): string => `#${encodeURIComponent(bed)}`;

/** "" until one is chosen. */
export const useChosenBed = (): string => {
  const [bed, setBed] = useState(inAddress);
  useEffect(() => {
    const follow = (): void => setBed(inAddress());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return bed;
};

/** Somebody who opens the board without an address sees the bed that needs it most. */
export const chooseWorst = (board: BoardView): void => {
  if (inAddress() !== "") return;
  const bed = board.attention.find(({ beds }) => beds.length > 0)?.beds[0] ?? board.beds[0]?.bed;
  if (bed !== undefined) location.replace(addressOf(bed));
};

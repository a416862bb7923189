/** Where in a partition something begins to hold that never ceases again, as stamps never go back: by halving. */

/** The first offset of [start, end) for which it holds; `end` where it holds for none. */
export const firstFrom = (start: number, end: number, holds: (offset: number) => boolean): number => {
  let [low, high] = [start, end];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
};

/**
 * Who of a Kafka group has which partitions. Sticky, and in two steps where a partition moves: its present owner is first left without
 * it, lets go and joins again, and only then does the new one get it. So no partition is worked on twice while all are well.
 */

export interface GroupMember {
  readonly id: string;
  /** What it still works on. */
  readonly owned: readonly number[];
}

/** Partitions by member id. Those on the move are in nobody's list. */
export const assign = (members: readonly GroupMember[], partitions: number): ReadonlyMap<string, readonly number[]> => {
  const inOrder = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
  const owner = new Map<number, string>();
  for (const { id, owned } of inOrder)
    for (const p of owned) if (p >= 0 && p < partitions && !owner.has(p)) owner.set(p, id);
  const kept = keepFairShare(inOrder, owner, partitions);
  for (let p = 0; p < partitions; p++) {
    if (owner.has(p)) continue;
    const [poorest] = [...kept].sort(([, a], [, b]) => a.length - b.length);
    poorest?.[1].push(p);
  }
  return kept;
};

/** As much of what each owns as it may have: the larger shares go to those who already have more. */
const keepFairShare = (
  members: readonly GroupMember[],
  owner: ReadonlyMap<number, string>,
  partitions: number,
): Map<string, number[]> => {
  const ownedBy = (id: string): number[] => [...owner].filter(([, by]) => by === id).map(([p]) => p);
  const least = Math.floor(partitions / members.length);
  let larger = partitions % members.length;
  const kept = new Map(members.map(({ id }) => [id, [] as number[]]));
  for (const { id, owned } of members
    .map(({ id }) => ({ id, owned: ownedBy(id) }))
    .sort((a, b) => b.owned.length - a.owned.length)) {
    const share = owned.length > least && larger > 0 ? least + 1 : least;
    if (share > least) larger--;
    kept.get(id)?.push(...owned.sort((a, b) => a - b).slice(0, share));
  }
  return kept;
};

/** How the members of a group divide a topic's partitions. */

/** Partition p goes to member p mod n, members in their order; nothing to one that is not among them. */
export const shareOf = <M>(members: readonly M[], member: M, partitions: number): ReadonlySet<number> => {
  const own = members.indexOf(member);
  const share = new Set<number>();
  if (own >= 0) for (let p = own; p < partitions; p += members.length) share.add(p);
  return share;
};

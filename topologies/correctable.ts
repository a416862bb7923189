/**
 * How long after it was last heard of an episode can still be found to be another patient's: so long `candidates` remembers what it offered,
 * and the gates, a day longer, what they had written. What is corrected later than that is a person's work in the destination itself.
 */
export const correctableMs = 7 * 86_400_000;
export const writtenKeptMs = correctableMs + 86_400_000;

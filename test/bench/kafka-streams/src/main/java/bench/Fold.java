package bench;

import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;

/**
 * What a window's samples come to, as topologies/fold.ts has it, with what its store must know beside: the revision of the next emission,
 * that of the next rolling emission (minutes only), and whether it waits to be emitted (panes only). 65 bytes in a store.
 */
record Fold(
    int count, double min, double max, long sumMillionths, long coveredMs, double last, long lastAt, int questionable, int revision, int rollingRevision, boolean pending) {
  static final int MILLIONTHS = 1_000_000;
  private static final int BYTES = 4 + 6 * 8 + 3 * 4 + 1;

  static Fold of(double value, long at, long coversMs, boolean questionable) {
    return new Fold(1, value, value, Math.round(value * MILLIONTHS), coversMs, value, at, questionable ? 1 : 0, 0, 0, true);
  }

  /** A minute in which the series had no sample: only its rolling window has revisions. */
  static Fold empty() {
    return new Fold(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, false);
  }

  /** Either may be null or empty. Revisions are this one's. */
  static Fold merge(Fold a, Fold b) {
    if (a == null || a.count == 0) return b;
    if (b == null || b.count == 0) return a;
    Fold later = b.lastAt > a.lastAt || (b.lastAt == a.lastAt && b.last > a.last) ? b : a;
    return new Fold(
        a.count + b.count,
        Math.min(a.min, b.min),
        Math.max(a.max, b.max),
        a.sumMillionths + b.sumMillionths,
        a.coveredMs + b.coveredMs,
        later.last,
        later.lastAt,
        a.questionable + b.questionable,
        a.revision,
        a.rollingRevision,
        a.pending);
  }

  Fold with(int revision, int rollingRevision, boolean pending) {
    return new Fold(count, min, max, sumMillionths, coveredMs, last, lastAt, questionable, revision, rollingRevision, pending);
  }

  double mean() {
    return sumMillionths / ((double) count * MILLIONTHS);
  }

  double coverage(long lengthMs) {
    return Math.min(1, (double) coveredMs / lengthMs);
  }

  static Serde<Fold> serde() {
    return Serdes.serdeFrom((Serializer<Fold>) (topic, fold) -> fold == null ? null : fold.bytes(), (Deserializer<Fold>) (topic, bytes) -> bytes == null ? null : read(bytes));
  }

  private byte[] bytes() {
    return ByteBuffer.allocate(BYTES)
        .putInt(count)
        .putDouble(min)
        .putDouble(max)
        .putLong(sumMillionths)
        .putLong(coveredMs)
        .putDouble(last)
        .putLong(lastAt)
        .putInt(questionable)
        .putInt(revision)
        .putInt(rollingRevision)
        .put((byte) (pending ? 1 : 0))
        .array();
  }

  private static Fold read(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    return new Fold(in.getInt(), in.getDouble(), in.getDouble(), in.getLong(), in.getLong(), in.getDouble(), in.getLong(), in.getInt(), in.getInt(), in.getInt(), in.get() == 1);
  }
}

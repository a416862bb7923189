package bench;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;

/** One metric of one channel of a subject's device. `endedAt` is {@link #GOES_ON} until the device leaves the subject. */
record Series(String subject, String device, String channel, String metric, String ucum, long latestMinute, long endedAt) {
  static final long GOES_ON = Long.MAX_VALUE;
  private static final String SEPARATOR = "\0";

  Series with(long latestMinute, long endedAt) {
    return new Series(subject, device, channel, metric, ucum, latestMinute, endedAt);
  }

  static Serde<Series> serde() {
    return Serdes.serdeFrom(
        (Serializer<Series>) (topic, series) -> series == null ? null : series.bytes(),
        (Deserializer<Series>) (topic, bytes) -> bytes == null ? null : read(bytes));
  }

  private byte[] bytes() {
    String text = String.join(SEPARATOR, subject, device, channel, metric, ucum, Long.toString(latestMinute), Long.toString(endedAt));
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static Series read(byte[] bytes) {
    String[] part = new String(bytes, StandardCharsets.UTF_8).split(SEPARATOR, -1);
    return new Series(part[0], part[1], part[2], part[3], part[4], Long.parseLong(part[5]), Long.parseLong(part[6]));
  }
}

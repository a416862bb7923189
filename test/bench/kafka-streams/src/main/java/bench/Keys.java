package bench;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.avro.util.Utf8;
import org.apache.kafka.common.utils.Bytes;

/** Store keys: a series is subject, metric, device and channel as they came, parted by a zero; a pane is its start (8 bytes) and its series. */
final class Keys {
  private Keys() {}

  static Bytes series(Utf8 subject, Utf8 metric, Utf8 device, Utf8 channel) {
    int length = subject.getByteLength() + metric.getByteLength() + device.getByteLength() + channel.getByteLength() + 3;
    ByteBuffer key = ByteBuffer.allocate(length);
    put(key, subject).put((byte) 0);
    put(key, metric).put((byte) 0);
    put(key, device).put((byte) 0);
    put(key, channel);
    return Bytes.wrap(key.array());
  }

  static Bytes at(long start, Bytes series) {
    return Bytes.wrap(ByteBuffer.allocate(8 + series.get().length).putLong(start).put(series.get()).array());
  }

  static long startOf(Bytes key) {
    return ByteBuffer.wrap(key.get()).getLong();
  }

  static Bytes seriesOf(Bytes key) {
    return Bytes.wrap(Arrays.copyOfRange(key.get(), 8, key.get().length));
  }

  private static ByteBuffer put(ByteBuffer into, Utf8 text) {
    return into.put(text.getBytes(), 0, text.getByteLength());
  }
}

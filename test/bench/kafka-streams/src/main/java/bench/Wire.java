package bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;

/** The registry's wire format, as the platform writes it: a zero, the schema's id in four bytes, Avro. For one thread. */
final class Wire {
  private static final int HEADER = 5;

  private Wire() {}

  /** Takes every record to be of this schema: the bench wrote them so. */
  static Deserializer<GenericRecord> reader(Schema schema, Runnable onEach) {
    var reader = new GenericDatumReader<GenericRecord>(schema);
    return new Deserializer<>() {
      private BinaryDecoder decoder;

      @Override
      public GenericRecord deserialize(String topic, byte[] bytes) {
        onEach.run();
        decoder = DecoderFactory.get().binaryDecoder(bytes, HEADER, bytes.length - HEADER, decoder);
        try {
          return reader.read(null, decoder);
        } catch (IOException cause) {
          throw new UncheckedIOException(cause);
        }
      }
    };
  }

  static Serializer<GenericRecord> writer(Schema schema, int id) {
    var writer = new GenericDatumWriter<GenericRecord>(schema);
    var out = new ByteArrayOutputStream(512);
    byte[] header = ByteBuffer.allocate(HEADER).put((byte) 0).putInt(id).array();
    return new Serializer<>() {
      private BinaryEncoder encoder;

      @Override
      public byte[] serialize(String topic, GenericRecord value) {
        out.reset();
        out.write(header, 0, HEADER);
        encoder = EncoderFactory.get().directBinaryEncoder(out, encoder);
        try {
          writer.write(value, encoder);
        } catch (IOException cause) {
          throw new UncheckedIOException(cause);
        }
        return out.toByteArray();
      }
    };
  }
}

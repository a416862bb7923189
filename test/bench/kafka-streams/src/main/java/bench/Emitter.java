package bench;

import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;

/** Makes entries of telemetry.windows. They carry no position and no identity: exactly-once Streams needs neither. */
final class Emitter {
  private final Schema entry;
  private final Schema aggregate;
  private final GenericData.EnumSymbol kind;
  private final GenericData.EnumSymbol tumbling;
  private final GenericData.EnumSymbol rolling;

  Emitter(Schema entry) {
    this.entry = entry;
    this.aggregate = entry.getField("body").schema().getTypes().stream().filter(t -> t.getName().equals("WindowAggregate")).findFirst().orElseThrow();
    this.kind = new GenericData.EnumSymbol(aggregate.getField("kind").schema(), "windowAggregate");
    Schema shape = aggregate.getField("shape").schema();
    this.tumbling = new GenericData.EnumSymbol(shape, "tumbling");
    this.rolling = new GenericData.EnumSymbol(shape, "rolling");
  }

  GenericRecord entry(Series series, boolean rolls, long start, long lengthMs, Fold fold, int revision, long now) {
    GenericRecord body = new GenericData.Record(aggregate);
    body.put("kind", kind);
    body.put("identity", "");
    body.put("revision", revision);
    body.put("subject", series.subject());
    body.put("device", series.device());
    body.put("channel", series.channel());
    body.put("metric", series.metric());
    body.put("ucum", series.ucum());
    body.put("shape", rolls ? rolling : tumbling);
    body.put("lengthMs", lengthMs);
    body.put("start", start);
    body.put("count", fold.count());
    body.put("min", fold.min());
    body.put("mean", fold.mean());
    body.put("max", fold.max());
    body.put("last", fold.last());
    body.put("lastAt", fold.lastAt());
    body.put("coverage", fold.coverage(lengthMs));
    body.put("questionable", fold.questionable());
    GenericRecord record = new GenericData.Record(entry);
    record.put("logTime", now);
    record.put("body", body);
    return record;
  }
}

package bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.util.Utf8;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * What topologies/windows.ts computes, on one partition of telemetry.vitals: 10 s panes; minutes of six panes; a rolling quarter-hour each
 * minute; revisions for what is late; all closed by the least of the ticks from upstream. Stores are ordered by a pane's start, so that
 * forgetting is a range. A processor of its own rather than the DSL, which would repartition by series and keep 10 s and 60 s apart.
 */
final class Windows implements Processor<Utf8, GenericRecord, String, GenericRecord> {
  static final String PANES = "panes";
  static final String MINUTES = "minutes";
  static final String SERIES = "series";
  static final String TICKS = "ticks";

  private static final long PANE = 10_000;
  private static final long MINUTE = 60_000;
  private static final long ROLLING = 900_000;
  private static final long SETTLE = 2_000;
  private static final long LATENESS = 300_000;
  private static final long PANE_KEPT = PANE + LATENESS + MINUTE;
  private static final long MINUTE_KEPT = MINUTE + ROLLING + LATENESS + MINUTE;
  private static final double LARGEST = 1_000_000;
  private static final String CLOSED_TO = "closedTo";

  private final int upstreams;
  private final Emitter emitter;
  private final Measured measured;
  /** Panes that wait to be emitted, by start: what the stores' `pending` says, kept beside it. */
  private final TreeMap<Long, Set<Bytes>> pending = new TreeMap<>();
  private final Map<String, Long> ticks = new HashMap<>();
  private ProcessorContext<String, GenericRecord> context;
  private KeyValueStore<Bytes, Fold> panes;
  private KeyValueStore<Bytes, Fold> minutes;
  private KeyValueStore<Bytes, Series> series;
  private KeyValueStore<String, Long> times;
  private long now = Long.MIN_VALUE;
  private long closedTo = Long.MIN_VALUE;
  /** Of the record in hand: outputs keep it, for the broker drops what seems old. */
  private long stampMs;

  Windows(int upstreams, Emitter emitter, Measured measured) {
    this.upstreams = upstreams;
    this.emitter = emitter;
    this.measured = measured;
  }

  @Override
  public void init(ProcessorContext<String, GenericRecord> context) {
    this.context = context;
    panes = context.getStateStore(PANES);
    minutes = context.getStateStore(MINUTES);
    series = context.getStateStore(SERIES);
    times = context.getStateStore(TICKS);
    try (KeyValueIterator<Bytes, Fold> all = panes.all()) {
      all.forEachRemaining(pane -> {
        if (pane.value.pending()) pend(Keys.startOf(pane.key), Keys.seriesOf(pane.key));
      });
    }
    try (KeyValueIterator<String, Long> all = times.all()) {
      all.forEachRemaining(time -> {
        if (time.key.equals(CLOSED_TO)) closedTo = time.value;
        else ticks.put(time.key, time.value);
      });
    }
  }

  @Override
  public void process(Record<Utf8, GenericRecord> record) {
    stampMs = record.timestamp();
    GenericRecord entry = record.value();
    GenericRecord body = (GenericRecord) entry.get("body");
    long at = (Long) entry.get("logTime");
    switch (body.getSchema().getName()) {
      case "Measurement" -> add(record.key(), at, body);
      case "Tick" -> tick((GenericRecord) entry.get("position"), at);
      case "SubjectEnded" -> end(body);
      default -> {}
    }
    context.recordMetadata().ifPresent(where -> measured.processed(where.partition(), where.offset()));
  }

  private void add(Utf8 subject, long at, GenericRecord m) {
    Double sent = (Double) m.get("value");
    String validity = m.get("validity").toString();
    if (sent == null || !(validity.equals("valid") || validity.equals("questionable"))) return;
    double value = sent == 0 ? 0 : sent;
    long eventTime = (Long) m.get("eventTime");
    long start = floor(eventTime, PANE);
    if (at > start + PANE + LATENESS || start > at + MINUTE || Math.abs(value) > LARGEST) {
      measured.refused++;
      return;
    }
    Bytes name = Keys.series(subject, (Utf8) m.get("metric"), (Utf8) m.get("device"), (Utf8) m.get("channel"));
    Bytes key = Keys.at(start, name);
    Fold pane = panes.get(key);
    Long period = (Long) m.get("periodMs");
    Fold sample = Fold.of(value, eventTime, period == null ? PANE : period, validity.equals("questionable"));
    Fold merged = Fold.merge(pane, sample);
    panes.put(key, merged.pending() ? merged : merged.with(merged.revision(), 0, true));
    if (pane == null || !pane.pending()) plan(subject, m, name, start, eventTime, at);
  }

  private void plan(Utf8 subject, GenericRecord m, Bytes name, long start, long eventTime, long at) {
    if (closedTo == Long.MIN_VALUE) closeTo(floor(at - SETTLE, MINUTE));
    pend(start, name);
    long minute = floor(start, MINUTE);
    Series known = series.get(name);
    if (known == null)
      series.put(name, new Series(subject.toString(), text(m, "device"), text(m, "channel"), text(m, "metric"), text(m, "ucum"), minute, Series.GOES_ON));
    else {
      long endedAt = eventTime > known.endedAt() ? Series.GOES_ON : known.endedAt();
      if (minute > known.latestMinute() || endedAt != known.endedAt())
        series.put(name, known.with(Math.max(minute, known.latestMinute()), endedAt));
    }
  }

  private void end(GenericRecord ended) {
    Utf8 device = (Utf8) ended.get("device");
    for (KeyValue<Bytes, Series> one : allSeries())
      if (one.value.subject().equals(text(ended, "subject")) && one.value.device().contentEquals(device))
        series.put(one.key, one.value.with(one.value.latestMinute(), (Long) ended.get("at")));
  }

  private void tick(GenericRecord position, long at) {
    String upstream = position.get("writer") + ":" + position.get("topic") + "/" + position.get("partition");
    ticks.put(upstream, at);
    times.put(upstream, at);
    if (ticks.size() < upstreams) return;
    long least = ticks.values().stream().mapToLong(Long::longValue).min().orElseThrow();
    if (least <= now) return;
    now = least;
    closeDue();
  }

  private void closeDue() {
    Map<Bytes, TreeSet<Long>> changed = closePanes();
    revise(changed);
    long over = floor(now - SETTLE, MINUTE);
    if (closedTo == Long.MIN_VALUE || over <= closedTo) return;
    List<KeyValue<Bytes, Series>> all = allSeries();
    for (long minute = closedTo; minute < over; minute += MINUTE)
      for (KeyValue<Bytes, Series> one : all) {
        closeMinute(one.key, one.value, minute);
        roll(one.key, one.value, minute);
      }
    closeTo(over);
    forget(all);
  }

  /** Emits the panes that are over and pending; gives the minutes that changed after they were closed. */
  private Map<Bytes, TreeSet<Long>> closePanes() {
    Map<Bytes, TreeSet<Long>> changed = new LinkedHashMap<>();
    while (!pending.isEmpty() && pending.firstKey() + PANE + SETTLE <= now) {
      Map.Entry<Long, Set<Bytes>> first = pending.pollFirstEntry();
      long start = first.getKey();
      long minute = floor(start, MINUTE);
      for (Bytes name : first.getValue()) {
        Bytes key = Keys.at(start, name);
        Fold pane = panes.get(key);
        emit(series.get(name), false, start, PANE, pane, pane.revision());
        panes.put(key, pane.with(pane.revision() + 1, 0, false));
        if (minute < closedTo) changed.computeIfAbsent(name, none -> new TreeSet<>()).add(minute);
      }
    }
    return changed;
  }

  /** New revisions of closed minutes and of every closed rolling window that holds them. */
  private void revise(Map<Bytes, TreeSet<Long>> changed) {
    changed.forEach((name, minutesChanged) -> {
      Series one = series.get(name);
      TreeSet<Long> rolling = new TreeSet<>();
      for (long minute : minutesChanged) {
        closeMinute(name, one, minute);
        for (long m = minute; m < Math.min(minute + ROLLING, closedTo); m += MINUTE) rolling.add(m);
      }
      for (long minute : rolling) roll(name, one, minute);
    });
  }

  private void closeMinute(Bytes name, Series one, long minute) {
    Fold fold = null;
    for (long start = minute; start < minute + MINUTE; start += PANE) fold = Fold.merge(fold, panes.get(Keys.at(start, name)));
    if (fold == null) return;
    Bytes key = Keys.at(minute, name);
    Fold known = minutes.get(key);
    int revision = known == null ? 0 : known.revision();
    emit(one, false, minute, MINUTE, fold, revision);
    minutes.put(key, fold.with(revision + 1, known == null ? 0 : known.rollingRevision(), false));
  }

  /** The rolling window that ends with this minute. */
  private void roll(Bytes name, Series one, long minute) {
    if (minute > one.endedAt()) return;
    long start = minute + MINUTE - ROLLING;
    Fold fold = null;
    for (long m = start; m <= minute; m += MINUTE) fold = Fold.merge(fold, minutes.get(Keys.at(m, name)));
    if (fold == null || fold.count() == 0) return;
    Bytes key = Keys.at(minute, name);
    Fold known = minutes.get(key);
    if (known == null) known = Fold.empty();
    emit(one, true, start, ROLLING, fold, known.rollingRevision());
    minutes.put(key, known.with(known.revision(), known.rollingRevision() + 1, false));
  }

  private void emit(Series one, boolean rolls, long start, long lengthMs, Fold fold, int revision) {
    measured.emitted++;
    context.forward(new Record<>(one.subject(), emitter.entry(one, rolls, start, lengthMs, fold, revision, now), stampMs));
  }

  private void forget(List<KeyValue<Bytes, Series>> all) {
    deleteBefore(panes, floor(now - PANE_KEPT, PANE) + PANE);
    deleteBefore(minutes, floor(now - MINUTE_KEPT, MINUTE) + MINUTE);
    for (KeyValue<Bytes, Series> one : all)
      if (one.value.latestMinute() + ROLLING + MINUTE_KEPT <= now) series.delete(one.key);
  }

  private static void deleteBefore(KeyValueStore<Bytes, Fold> store, long start) {
    List<Bytes> old = new ArrayList<>();
    try (KeyValueIterator<Bytes, Fold> range = store.range(Keys.at(0, Bytes.wrap(new byte[0])), Keys.at(start, Bytes.wrap(new byte[0])))) {
      range.forEachRemaining(one -> old.add(one.key));
    }
    old.forEach(store::delete);
  }

  private List<KeyValue<Bytes, Series>> allSeries() {
    List<KeyValue<Bytes, Series>> all = new ArrayList<>();
    try (KeyValueIterator<Bytes, Series> each = series.all()) {
      each.forEachRemaining(all::add);
    }
    return all;
  }

  private void closeTo(long minute) {
    closedTo = minute;
    times.put(CLOSED_TO, minute);
  }

  private void pend(long start, Bytes name) {
    pending.computeIfAbsent(start, none -> new HashSet<>()).add(name);
  }

  private static String text(GenericRecord record, String field) {
    return record.get(field).toString();
  }

  private static long floor(long ms, long length) {
    return Math.floorDiv(ms, length) * length;
  }
}

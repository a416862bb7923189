package bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.util.Utf8;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Reads a topic of vitals to its end, writes its windows to another, and prints what that cost as a line of JSON. Settings are Kafka
 * Streams' own defaults but for one thread and what a single broker demands. Arguments: broker, input, output, application id, state
 * folder, `memory` or `rocksdb`, `at_least_once` or `exactly_once_v2`, upstream partitions, vitals schema file, windows schema file, windows schema id.
 */
public final class Main {
  private static final int WAIT_S = 300;

  public static void main(String[] args) throws Exception {
    String broker = args[0];
    String input = args[1];
    Schema vitals = new Schema.Parser().parse(Files.readString(Path.of(args[8])));
    Schema windows = new Schema.Parser().parse(Files.readString(Path.of(args[9])));
    Map<Integer, Long> ends = endsOf(broker, input);
    long entries = ends.values().stream().mapToLong(Long::longValue).sum();
    ends.values().removeIf(end -> end == 0);
    Measured measured = new Measured(ends);

    Topology topology = new Topology();
    Deserializer<Utf8> keys = (topic, bytes) -> bytes == null ? new Utf8() : new Utf8(bytes);
    topology.addSource("vitals", keys, Wire.reader(vitals, measured::decoding), input);
    topology.addProcessor("windows", () -> new Windows(Integer.parseInt(args[7]), new Emitter(windows), measured), "vitals");
    for (String store : new String[] {Windows.PANES, Windows.MINUTES})
      topology.addStateStore(store(store, args[5], Serdes.Bytes(), Fold.serde()), "windows");
    topology.addStateStore(store(Windows.SERIES, args[5], Serdes.Bytes(), Series.serde()), "windows");
    topology.addStateStore(store(Windows.TICKS, args[5], Serdes.String(), Serdes.Long()), "windows");
    topology.addSink("out", args[2], new StringSerializer(), Wire.writer(windows, Integer.parseInt(args[10])), "windows");

    KafkaStreams streams = new KafkaStreams(topology, settings(broker, args[3], args[4], args[6]));
    streams.setUncaughtExceptionHandler(error -> {
      error.printStackTrace();
      Runtime.getRuntime().halt(1);
      return null;
    });
    streams.start();
    if (!measured.caughtUp.await(WAIT_S, TimeUnit.SECONDS)) throw new IllegalStateException("not caught up within " + WAIT_S + " s");
    // flushes the stores and commits: what it costs to have the last window durable too
    streams.close();
    System.out.println(measured.spent(entries));
  }

  private static <K, V> StoreBuilder<?> store(String name, String kind, org.apache.kafka.common.serialization.Serde<K> key, org.apache.kafka.common.serialization.Serde<V> value) {
    KeyValueBytesStoreSupplier supplier = kind.equals("rocksdb") ? Stores.persistentKeyValueStore(name) : Stores.inMemoryKeyValueStore(name);
    // a cache in front of both: only the last of several changes between two commits goes to the store and its changelog
    return Stores.keyValueStoreBuilder(supplier, key, value).withCachingEnabled().withLoggingEnabled(Map.of());
  }

  private static Properties settings(String broker, String application, String folder, String guarantee) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, broker);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, folder);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, guarantee);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    return settings;
  }

  private static Map<Integer, Long> endsOf(String broker, String topic) throws Exception {
    Properties to = new Properties();
    to.put("bootstrap.servers", broker);
    try (Admin admin = Admin.create(to)) {
      var description = admin.describeTopics(java.util.List.of(topic)).allTopicNames().get().get(topic);
      Map<TopicPartition, OffsetSpec> wanted =
          description.partitions().stream().collect(Collectors.toMap(p -> new TopicPartition(topic, p.partition()), p -> OffsetSpec.latest()));
      Map<Integer, Long> ends = new HashMap<>();
      admin.listOffsets(wanted).all().get().forEach((where, end) -> ends.put(where.partition(), end.offset()));
      return ends;
    }
  }
}

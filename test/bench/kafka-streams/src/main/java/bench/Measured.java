package bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

/** CPU time of this process from the first record that is decoded until {@link #spent}, that of the second half of the records, and when the last one was processed. */
final class Measured {
  private static final OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static final double NANOSECONDS = 1e9;

  final CountDownLatch caughtUp = new CountDownLatch(1);
  /** Counted by the one stream thread, read after it has ended. */
  long emitted;
  long refused;
  private final Map<Integer, Long> left;
  private final long half;
  private long decoded;
  private long halfCpu;
  private long beganCpu;
  private long beganAt;

  /** `ends`: the end of each partition that has records. */
  Measured(Map<Integer, Long> ends) {
    left = new ConcurrentHashMap<>(ends);
    half = ends.values().stream().mapToLong(Long::longValue).sum() / 2;
  }

  void decoding() {
    if (decoded == 0) {
      beganCpu = system.getProcessCpuTime();
      beganAt = System.nanoTime();
    }
    if (decoded++ == half) halfCpu = system.getProcessCpuTime();
  }

  void processed(int partition, long offset) {
    Long end = left.get(partition);
    if (end == null || offset + 1 < end) return;
    left.remove(partition);
    if (left.isEmpty()) caughtUp.countDown();
  }

  String spent(long entries) {
    long endCpu = system.getProcessCpuTime();
    double cpuS = (endCpu - beganCpu) / NANOSECONDS;
    double secondHalfCpuS = (endCpu - halfCpu) / NANOSECONDS;
    double wallS = (System.nanoTime() - beganAt) / NANOSECONDS;
    return "{\"entries\":%d,\"cpuS\":%.3f,\"secondHalfCpuS\":%.3f,\"wallS\":%.3f,\"startCpuS\":%.3f,\"windows\":%d,\"refused\":%d}"
        .formatted(entries, cpuS, secondHalfCpuS, wallS, beganCpu / NANOSECONDS, emitted, refused);
  }
}

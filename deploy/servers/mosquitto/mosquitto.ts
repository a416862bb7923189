/** mosquitto, the broker that the devices publish to, set so that it keeps what it acknowledged while ingest is away. */
import { mkdir, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { host, type StackConfig } from "../../config.ts";
import type { Place, ServerSpec } from "../../server.ts";
import { programPath } from "../../system-packages.ts";
import { aclFile, passwordFile, writeAccess } from "./platform-access.ts";

export const mosquittoSettings = ({
  ports,
  folder,
}: Place): string => `# Written by deploy/servers/mosquitto/mosquitto.ts at each start.

# MQTT 3.1.1 and 5 on the same port; nobody but this machine.
listener ${ports.mosquitto} ${host}
# Until the security issue brings TLS and a credential per device, identity is the topic segment.
allow_anonymous true
# The platform's own topics want a user: heartbeats, what people are told, and what they answer.
password_file ${folder}/${passwordFile}
acl_file ${folder}/${aclFile}

# Sessions, retained and queued messages outlive the broker's process (off by default: a restart would lose all of them).
persistence true
persistence_location ${folder}/
persistence_file mosquitto.db
# Written every 5 s (1800 s by default). A PUBACK does not wait for that: a kill costs what came since, which is why an edge
# gateway keeps each message until the platform's raw log has it (law 1).
autosave_interval 5
# A subscriber that stays away keeps its session for this long.
persistent_client_expiration 7d

# With the defaults (20 and 1000) mosquitto drops acknowledged QoS 1 messages once ingest falls behind by that many. 0 for the
# queue would stall the publishers instead.
max_inflight_messages 1000
max_queued_messages 200000
# A subscriber at QoS 0 gets no queue: ingest subscribes at QoS 1.
queue_qos0_messages false

# Small messages are sent at once.
set_tcp_nodelay true
# Counters for the board and the alerts: messages dropped above all.
sys_interval 5

log_dest stdout
log_timestamp_format %Y-%m-%dT%H:%M:%S
log_type error
log_type warning
log_type notice
# Started by root it would change to a user who may not write to the folder above.
user ${userInfo().username}
`;

/** Whether it takes a connection, a subscription, and delivers a retained message of its own. */
const healthy = async (ports: StackConfig["ports"], limitMs: number): Promise<boolean> => {
  let client: MqttClient | undefined;
  try {
    client = await connectAsync(url(ports), { connectTimeout: limitMs, reconnectPeriod: 0, clientId: "" });
    const version = firstMessage(client, limitMs);
    await client.subscribeAsync("$SYS/broker/version");
    return (await version).startsWith("mosquitto");
  } catch {
    return false; // not healthy is the answer, whatever the reason
  } finally {
    await client?.endAsync(true);
  }
};

const firstMessage = (client: MqttClient, limitMs: number): Promise<string> =>
  new Promise((done) => {
    const timer = setTimeout(() => done(""), limitMs);
    client.once("message", (_topic, payload) => {
      clearTimeout(timer);
      done(payload.toString());
    });
  });

const url = (ports: StackConfig["ports"]): string => `mqtt://${host}:${ports.mosquitto}`;

export const mosquitto: ServerSpec = {
  name: "mosquitto",
  systemPackage: "mosquitto",
  ports: (ports) => [ports.mosquitto],
  url,
  prepare: async (place) => {
    await mkdir(place.folder, { recursive: true });
    await writeAccess(place.folder);
    await writeFile(join(place.folder, "mosquitto.conf"), mosquittoSettings(place));
  },
  command: ({ folder }) => ({
    file: programPath("mosquitto") ?? "mosquitto",
    args: ["-c", join(folder, "mosquitto.conf")],
  }),
  healthy,
  startMs_max: 10_000,
  stopMs_max: 10_000,
};

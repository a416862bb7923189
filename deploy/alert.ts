/** The alert circuit and its watch on the full stack: their configurations, secrets and ward directory, and how the two are started. */
import { dirname, join } from "node:path";
import { checkAlertConfig } from "../streams/alert-config.ts";
import { heartbeatDevice, writeDemoAlerts } from "../streams/roles/demo-alerts.ts";
import { checkWatchConfig } from "../streams/watch-config.ts";
import { host } from "./config.ts";
import { keptIn, makeSecret, writeSecret } from "./kept.ts";
import { freePorts } from "./ports.ts";
import { platformPassword } from "./servers/mosquitto/platform-access.ts";
import type { Stack } from "./stack.ts";

export interface AlertDeployment {
  /** Configuration files, where the command line looks for them. */
  readonly alert: string;
  readonly watch: string;
  /** `host:port` at which each serves its numbers. */
  readonly alertAt: string;
  readonly watchAt: string;
}

/** What must stay from one start to the next. */
interface Kept {
  readonly alertPort: number;
  readonly watchPort: number;
  readonly beatSecret: string;
  readonly acknowledgeToken: string;
}

const beats = "beats";

/** `roster`: the simulated ward's file, which the telemetry plane reads too. */
export const writeAlertConfigs = async (stack: Stack, roster: string, rules: string): Promise<AlertDeployment> => {
  const { data } = stack.config;
  const folder = join(data, "alert");
  const kept = await keptIn(join(folder, "kept.json"), newlyKept);
  const watchAt = `${host}:${kept.watchPort}`;
  const alertAt = `${host}:${kept.alertPort}`;
  const broker = {
    url: stack.server("mosquitto").url,
    username: "platform",
    password: await platformPassword(join(data, "mosquitto")),
  };
  const ward = join(folder, "ward");
  await writeDemoAlerts({
    folder: ward,
    roster,
    rules,
    tellBy: ["pages", "displays"],
    beats: { notifier: beats, to: `http://${watchAt}/beat` },
  });
  const alert = checkAlertConfig(
    {
      production: false,
      data: join(folder, "circuit"),
      ward,
      intake: { kind: "subscriber", ...broker, protocolVersion: 5, clientId: "afferent-alert" },
      api: { host, port: kept.alertPort },
      notifiers: {
        pages: { kind: "console", to: join(folder, "pages.log") },
        displays: { kind: "mqtt", ...broker },
        [beats]: { kind: "webhook", secret: kept.beatSecret },
      },
      displays: broker,
      kafka: { brokers: [stack.server("kafka").url], registryUrl: stack.server("apicurio").url },
      watch: { url: `http://${watchAt}/alive`, secret: kept.beatSecret },
      demoApproval: true,
    },
    "of the full stack",
  );
  const watch = checkWatchConfig(
    {
      device: heartbeatDevice,
      broker,
      http: { host, port: kept.watchPort },
      secret: kept.beatSecret,
      acknowledgeToken: kept.acknowledgeToken,
      notifiers: { siren: { kind: "console", to: join(folder, "watch.log") } },
      recipients: [{ id: "clinical-engineering", addresses: [{ notifier: "siren", to: "clinical-engineering" }] }],
    },
    "of the full stack",
  );
  const base = dirname(data);
  return {
    alert: writeSecret(join(base, "alert.json"), alert),
    watch: writeSecret(join(base, "watch.json"), watch),
    alertAt,
    watchAt,
  };
};

const newlyKept = async (): Promise<Kept> => {
  const [alertPort = 0, watchPort = 0] = Object.values(await freePorts());
  return { alertPort, watchPort, beatSecret: makeSecret(), acknowledgeToken: makeSecret() };
};

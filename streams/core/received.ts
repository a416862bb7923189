/** What an intake hands to the raw log. */

/** A message as a broker or device handed it over. */
export interface Received {
  readonly mqttTopic: string;
  readonly payload: Uint8Array;
  /** Names the MQTT session it came through. */
  readonly session: string;
  readonly dup: boolean;
  /** At 0 nobody waits for an acknowledgement, and nobody would send it again. */
  readonly qos: 0 | 1 | 2;
  /** Kept by the broker and delivered for our subscribing, not for its having been published now: old news, of unknown age. */
  readonly retained: boolean;
  /** Wall clock in ms at which the platform first took it; absent: it is being taken now. */
  readonly receivedMs?: number;
  /** Set when the payload was above what is kept: then `payload` is its beginning, and this says the whole's size in bytes and SHA-256. */
  readonly truncated?: { readonly size: number; readonly sha256: string };
}

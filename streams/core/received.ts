/** What an intake hands to the raw log. */

/** A message as a broker or device handed it over. */
export interface Received {
  readonly mqttTopic: string;
  readonly payload: Uint8Array;
  /** Names the MQTT session it came through. */
  readonly session: string;
  readonly dup: boolean;
}

/**
 * The platform's own MQTT topics, `afferent-platform/<device>/<stream>`, and the one name that may publish there: listener and broker keep
 * everybody else out. That, and nothing in a payload, makes an alarm a test (clinical.md 17).
 */
export const platformRoot = "afferent-platform";
export const platformUser = "platform";
/** `afferent-answers/<who>`: what people answer. Who may write there accepts pages in somebody's name. */
export const answerRoot = "afferent-answers";
/** `afferent-display/<address>` and `afferent-display/banner`: what people are told, and what every display shows. */
export const displayRoot = "afferent-display";

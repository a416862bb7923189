/**
 * What still holds when a part is away, as one table: for whoever tells people (degradation.ts), and for docs/degradation.md, which is generated
 * from it. Each sentence is about what stands in the code, not about what is wished.
 */
import type { Priority } from "./priority.ts";

export interface Mode {
  /** As `hop` records and health name the part; some come with which: notifier/pager, address/pager/nurse-3, network/ICU 2. */
  readonly id: string;
  /** What is down. */
  readonly down: string;
  /** Whether the circuit finds out and enters the mode by itself; else it is noticed as said, and no banner is shown but by a person. */
  readonly entered: "byTheCircuit" | "afterwards" | "byAPerson";
  /** How it is noticed, and how long that takes. */
  readonly noticed: string;
  readonly holds: readonly string[];
  readonly lost: readonly string[];
  /** What clinicians read on displays and board; "{which}" is what is concerned. Null: nothing changes for them. */
  readonly banner: string | null;
  readonly priority: Priority;
  /** Roles of the policy. */
  readonly calls: readonly string[];
  readonly todo: readonly string[];
  /** Rules of the third eye that tell of it (deploy/prometheus); none where nothing outside looks at that part. */
  readonly alerts: readonly string[];
}

const bedside =
  "the devices' own alarms at the bedside: the platform commands no device and replaces none of their alarms";
const circuitStands = "every alarm is raised, paged and escalated: the circuit needs nothing of this";
const charted = "what is due in the record is written later, once, in order: nothing of it is lost";

export const modes = [
  {
    id: "broker",
    entered: "byTheCircuit",
    down: "the MQTT broker, where it is the front door",
    noticed:
      "the circuit's connection, at once; monitoring lost per device within its limit (10 s at 1 Hz); the watch's heartbeat within 15 s",
    holds: [
      bedside,
      "open pages are escalated and repeated; answers by webhook and command line are taken",
      "what the circuit or the raw log had acknowledged is kept; a device or gateway that keeps what was not acknowledged sends it again, and what is late then pages nothing as current",
    ],
    lost: [
      "no new alarm of any device reaches anybody but at the bedside",
      "displays and handhelds that are told by MQTT through the same broker hear nothing; the recipient's other addresses are used",
      "what the broker had acknowledged and not yet written (mosquitto: up to 5 s) where it was killed",
    ],
    banner: "NO ALARMS FROM MONITORS REACH THIS SYSTEM. Go by the bedside alarms; watch every monitored bed.",
    priority: "high",
    calls: ["chargeNurse", "clinicalEngineering"],
    todo: [
      "Staff every monitored bed's central or bedside view until the banner is gone.",
      "Start the broker on its data folder; its sessions and queues come back with it.",
      "See that every bed leaves `monitoring lost`; reset a device that does not come back by itself.",
    ],
    alerts: ["HopDown", "HeartbeatMissed", "ManyDevicesSilent"],
  },
  {
    id: "listener",
    entered: "byTheCircuit",
    down: "the listener, where it is the front door",
    noticed:
      "its sign of life, which the tap gives each second, stops for more than 3 s; monitoring lost per device within its limit (10 s at 1 Hz); the watch's heartbeat within 15 s",
    holds: [
      bedside,
      "open pages are escalated and repeated; answers by webhook and command line are taken",
      "whatever was acknowledged is durable for the circuit and for the raw log (or its spool); what was not, the device sends again",
    ],
    lost: [
      "no new alarm of any device reaches anybody but at the bedside",
      "a device that keeps nothing loses what it measured meanwhile",
    ],
    banner: "NO ALARMS FROM MONITORS REACH THIS SYSTEM. Go by the bedside alarms; watch every monitored bed.",
    priority: "high",
    calls: ["chargeNurse", "clinicalEngineering"],
    todo: [
      "Staff every monitored bed's central or bedside view until the banner is gone.",
      "Start the listener; devices connect again by themselves.",
      "See that every bed leaves `monitoring lost`.",
    ],
    alerts: ["HopDown", "HeartbeatMissed", "RoleAway"],
  },
  {
    id: "circuit",
    entered: "afterwards",
    down: "the alert circuit",
    noticed: "its sign of life stops and the heartbeat does not come back: the watch sounds within 15 to 20 s",
    holds: [
      bedside,
      "where a broker is the front door, the board shows values, episodes and silent beds, and the record is written: the telemetry plane has a session of its own",
      "at its start it works through what waited: what is still true pages at once with its real onset, what is over becomes one delayed item each",
      "open pages, who accepted what, and the escalation's deadlines are in its log and go on from there",
      "the board, where it runs, says within four seconds that the circuit does not answer, and since when",
    ],
    lost: [
      "where the listener is the front door, devices get no acknowledgement: each connection goes on for 256 messages or 256 KiB, then waits, and the board and the record stand still too",
      "nobody is paged, nothing is escalated, no answer is taken",
      "the banner on the displays: who would publish it is what is down; the watch tells its own recipients",
    ],
    banner: "ALARM PAGING IS DOWN. Go by the bedside alarms and the board; watch every monitored bed.",
    priority: "high",
    calls: ["chargeNurse", "clinicalEngineering"],
    todo: [
      "The person whom the watch calls tells every charge nurse by telephone.",
      "Start the circuit on its own folder; it needs nothing else of the platform.",
      "Acknowledge at the watch; read the delayed items when the circuit is back.",
    ],
    alerts: ["CircuitAway", "SignOfLifeMissing", "HeartbeatMissed", "CircuitAuditFailing"],
  },
  {
    id: "notifier",
    entered: "byTheCircuit",
    down: "one way of telling people ({which})",
    noticed:
      "at the third notification in a row that one of its addresses does not confirm within its time limit (5 s), while no other person's address of it has",
    holds: [
      circuitStands,
      "the other notifiers are not delayed by it: each has its own queue and time limit",
      "what it could not deliver is redirected at once to the next of the chain",
    ],
    lost: ["whoever has no other address is told nothing: his part goes to the next step"],
    banner: "{which} is down: pages go by the other ways and may reach you later. Answer on what you have.",
    priority: "medium",
    calls: ["clinicalEngineering"],
    todo: [
      "See the notifier's last error in the circuit's output.",
      "Give those who have no other address one, in the policy, or assign others.",
    ],
    alerts: ["HopDown", "NotifierFailing"],
  },
  {
    id: "address",
    entered: "byTheCircuit",
    down: "one address of a notifier that reaches others ({which})",
    noticed:
      "at the third notification in a row that it does not confirm within its time limit (5 s), once another person's address of that notifier has",
    holds: [
      circuitStands,
      "everybody else is told by that notifier as always, and its own failure would still be noticed",
      "what could not be delivered there is redirected to the next of the chain",
    ],
    lost: ["whoever has no other address is told nothing: his part goes to the next step"],
    banner: "Somebody's pager or handheld does not answer: the next of the chain is told in their place.",
    priority: "medium",
    calls: ["clinicalEngineering"],
    todo: [
      "See whose it is in the page's text: a device without power or network, a wrong address, somebody who has left.",
      "Mend it, or take the address out of the policy: that ends the alarm too.",
    ],
    alerts: ["HopDown"],
  },
  {
    id: "notifiers",
    entered: "byTheCircuit",
    down: "every way of telling people",
    noticed:
      "the circuit's audit fails and it gives no sign of life: the watch sounds, by its own notifier, within 20 s",
    holds: [
      bedside,
      "the board shows values and open episodes",
      "pages stay open and are told again until somebody accepts; notifications wait in the circuit's outbox, the highest priority first",
    ],
    lost: ["nobody is paged"],
    banner: "ALARM PAGING IS DOWN. Go by the bedside alarms and the board; watch every monitored bed.",
    priority: "high",
    calls: ["chargeNurse", "clinicalEngineering"],
    todo: [
      "The person whom the watch calls tells every charge nurse by telephone.",
      "Look for what they share: the network, a name server, a certificate's end.",
    ],
    alerts: ["AllNotifiersFailing", "CircuitAuditFailing"],
  },
  {
    id: "configuration",
    entered: "byTheCircuit",
    down: "a new rules, beds or policy directory was refused",
    noticed: "at the swap, with every problem and its place",
    holds: ["every alarm is judged, paged and escalated by the last good version"],
    lost: ["what the new version would have changed: a bed, an assignment, a limit"],
    banner: "Changes to rules, beds or on-call lists were refused; the former ones stay in force.",
    priority: "medium",
    calls: ["clinicalEngineering"],
    todo: [
      "Read the refusal in the circuit's output: each problem has its place.",
      "Mend the directory and swap it by rename again.",
    ],
    alerts: ["ConfigurationRefused"],
  },
  {
    id: "policy",
    entered: "byTheCircuit",
    down: "no escalation policy was ever in force",
    noticed: "at the first alarm of a unit",
    holds: [bedside, "every alarm is raised and told to the console, again and again until somebody accepts"],
    lost: ["nobody but the console is told: no nurse, no physician, no last resort"],
    banner: "ALARM PAGING IS NOT SET UP. Go by the bedside alarms; watch every monitored bed.",
    priority: "high",
    calls: ["chargeNurse", "clinicalEngineering"],
    todo: [
      "Put a policy into the ward directory (`afferent check` reads it first).",
      "See the page of this alarm end.",
    ],
    alerts: ["HopDown"],
  },
  {
    id: "kafka",
    entered: "byTheCircuit",
    down: "Kafka: the telemetry plane's log",
    noticed: "the circuit's own reader (where it is given one) and the intake's append fail, at once",
    holds: [
      circuitStands,
      "behind the listener: what Kafka does not take is spooled to disk and acknowledged then (4 GiB), and goes to Kafka first when it is back",
      "behind a broker: the session there keeps what was not acknowledged; it is read in order once Kafka is back",
      charted,
    ],
    lost: [
      "the board stands still",
      "nothing is written to the record meanwhile",
      "episodes are not compared with the circuit's own",
      "QoS 0 messages to the telemetry plane once its spool and intake are full (20,000 messages or 64 MiB per topic): counted, not kept",
      "the outage's readings come late for windows and rules of the telemetry plane",
    ],
    banner: "The board and the record are behind. Alarms are paged as always.",
    priority: "low",
    calls: ["clinicalEngineering"],
    todo: ["Start Kafka on its data.", "Follow `afferent lag` until every stage is at its log's end."],
    alerts: ["IntakeFilling", "IntakeFull", "SpoolGrowing", "RosterRecordsWaiting"],
  },
  {
    id: "registry",
    entered: "byAPerson",
    down: "the schema registry",
    noticed: "the server's health line; at the start of a role, which then ends",
    holds: [
      circuitStands,
      "running roles go on: each fetched its schemas when it started",
      "the circuit has a registry of its own in its folder",
    ],
    lost: [
      "no role of the telemetry plane can be started or restarted, but for a listener that has run before",
      "records of a schema that is newer than the reader wait until it can be fetched",
    ],
    banner: null,
    priority: "low",
    calls: ["clinicalEngineering"],
    todo: [
      "Start it on its data, before any role is restarted.",
      "Its ids must be the old ones: never start it empty.",
    ],
    alerts: [],
  },
  {
    id: "questdb",
    entered: "byAPerson",
    down: "QuestDB: the series store",
    noticed: "the store role's writes fail, at once",
    holds: [
      circuitStands,
      "the board's live values, episodes and bed states",
      charted,
      "what is to be stored waits in Kafka and is written when it is back, once",
    ],
    lost: [
      "the board's curves of the past hours after a reload of the page",
      "trends for whoever asks the store",
      "what waits in Kafka for longer than it is kept there (a week unless configured)",
    ],
    banner: null,
    priority: "low",
    calls: ["clinicalEngineering"],
    todo: ["Start it on its data; look for suspended tables.", "Follow `afferent lag` for the store-* sinks."],
    alerts: ["StageLag"],
  },
  {
    id: "ehr",
    entered: "byAPerson",
    down: "a destination of the record: the EHR's FHIR interface, an HL7 v2 or REST receiver",
    noticed:
      "the first write that is not answered; each is asked whether it lives every 15 s, written to or not: the third eye, once it was not heard for 1 min",
    holds: [
      circuitStands,
      "the board shows everything, and says that the record is behind",
      "events wait in the clinical outbox, kept for ever, and are written once, in order; consent is asked again at that moment",
      "every other destination: none waits for another",
    ],
    lost: ["the record does not show what happened since"],
    banner: "The record is behind: device events are not in it yet. Alarms are paged as always.",
    priority: "low",
    calls: ["clinicalEngineering"],
    todo: ["Tell whoever reads the record.", "When it is back, see the deliveries come to the outbox's end."],
    alerts: ["DestinationDown"],
  },
  {
    id: "roster",
    entered: "byAPerson",
    down: "the roster service",
    noticed: "senders of ADT get no acknowledgement; `afferent roster list` has no answer; the third eye within 1 min",
    holds: [
      circuitStands,
      "what was acknowledged is in its file and goes to the log when it is back; what was not, senders keep and send again",
      "links as they were last told, and the roster file's own",
    ],
    lost: [
      "who is discharged, transferred or put into another bed meanwhile: a confirmed link of one who has left goes on, and what the device then measures is charted as his",
      "nobody can confirm, bind or unbind",
    ],
    banner:
      "ADMISSIONS AND TRANSFERS ARE NOT HEARD: what monitors measure may be charted for who was in the bed before. Alarms are paged as always.",
    priority: "medium",
    calls: ["chargeNurse", "clinicalEngineering"],
    todo: [
      "Write down each discharge, transfer and device that is moved, with its time.",
      "Start the service on its file (`roster.sqlite`): senders come back by themselves, what they tell late takes effect as of when it occurred, and what was charted wrongly is taken back.",
      "Tell what was written down (`afferent roster unbind`, `bind`, `--at`); read `afferent roster list` until nothing is in conflict.",
    ],
    alerts: ["RosterAway"],
  },
  {
    id: "adt",
    entered: "byAPerson",
    down: "the ADT feed: nothing has come for longer than it may be silent",
    noticed:
      "`afferent roster list` and its `/health` say since when; the third eye, 1 min after `rosterService.mllp.silentAfterMs` (an hour unless told otherwise)",
    holds: [
      circuitStands,
      "people's own words: bind, confirm, unbind",
      "where a FHIR server is read too, visits of which ADT has said nothing",
    ],
    lost: [
      "who is discharged or transferred meanwhile: his confirmed link goes on, and what the device then measures is charted as his",
      "who is admitted: nothing of him is charted, for no link asserts him",
    ],
    banner:
      "ADMISSIONS AND TRANSFERS ARE NOT HEARD: what monitors measure may be charted for who was in the bed before. Alarms are paged as always.",
    priority: "medium",
    calls: ["chargeNurse", "clinicalEngineering"],
    todo: [
      "At each discharge and transfer: `afferent roster unbind`; for who comes, `bind`.",
      "Is the sender connected (`afferent_roster_mllp_connections`)? Its queue and its log, the network, the certificate; refusals are counted by their reason.",
      "When it is back: what is told late takes effect as of when it occurred, and what was charted wrongly is taken back. Look at `afferent roster list`.",
    ],
    alerts: ["AdtSilent", "MllpFaults", "AdtRefused"],
  },
  {
    id: "rosterFhir",
    entered: "byAPerson",
    down: "the FHIR server that patients, encounters and devices are read from",
    noticed:
      "`afferent roster list` and its `/health` say since when; the third eye, 1 min after `rosterService.fhir.silentAfterMs` (five minutes unless told otherwise)",
    holds: [
      circuitStands,
      "people's own words, and ADT where that is heard",
      "the place up to which it was read: it goes on from there",
    ],
    lost: [
      "movements that this server alone tells of: a confirmed link of one who has left goes on",
      "new patients' ids there: what is to be written there of them is refused meanwhile",
    ],
    banner: null,
    priority: "low",
    calls: ["clinicalEngineering"],
    todo: [
      "`afferent_roster_fhir_rounds_total` names the code: `fhir-unavailable` (is it there? network?), `credentials-refused` or `fhir-refused` (our key, client or scope there), `fhir-garbage` (a gateway that answers in its place).",
      "Where no ADT feed tells of movements: as for `adt`.",
    ],
    alerts: ["RosterFhirSilent"],
  },
  {
    id: "consents",
    entered: "byAPerson",
    down: "the FHIR server that consents are read from",
    noticed:
      "its look each second fails; the third eye, once it was not heard for `consentSource.freshForMs` (five minutes unless told otherwise)",
    holds: [
      circuitStands,
      "the board shows everything",
      "denials and overrides; what it permitted, until it was silent for that long",
      "what consent holds back waits for `consents.pendingHours` (a day) and is judged anew when it is heard",
    ],
    lost: ["nothing that it permitted is written any more: the record does not show what happened since"],
    banner: "The record is behind: device events are not in it yet. Alarms are paged as always.",
    priority: "low",
    calls: ["clinicalEngineering"],
    todo: [
      "`afferent_consent_source_rounds_total` and `promote`'s output name the code; as for `rosterFhir`.",
      "Tell whoever reads the record. After a day what waited is left out for good: think of `afferent override` only where a law permits it.",
    ],
    alerts: ["ConsentSourceStale"],
  },
  {
    id: "board",
    entered: "byAPerson",
    down: "the board",
    noticed: "its page says that it lost its connection; the third eye within 1 min",
    holds: [circuitStands, "displays and handhelds that are told by MQTT", charted],
    lost: [
      "nobody sees the ward at one glance: silent beds are known by their pages only",
      "decisions of the gates can't be read but in the log",
    ],
    banner: null,
    priority: "low",
    calls: ["clinicalEngineering"],
    todo: [
      "Start the board; it reads what it needs from the log.",
      "Meanwhile: `afferent alarms` for open pages, `afferent tap` for records.",
    ],
    alerts: ["RoleAway"],
  },
  {
    id: "watch",
    entered: "byTheCircuit",
    down: "the watch",
    noticed: "the circuit can't post its sign of life; Prometheus has no answer of it for 1 min",
    holds: [
      circuitStands,
      "Prometheus and Alertmanager notice a circuit that ends, within 2 min, if they run elsewhere than what failed",
    ],
    lost: ["the dead man's switch: if the platform ended now, nobody would be told within 30 s"],
    banner: null,
    priority: "medium",
    calls: ["clinicalEngineering"],
    todo: [
      "Start the watch, on another machine than the circuit: it is armed from its first moment.",
      "Until it runs, somebody looks at the circuit's health every quarter of an hour.",
    ],
    alerts: ["WatchAway"],
  },
  {
    id: "network",
    entered: "byAPerson",
    down: "the device network of a unit ({which})",
    noticed: "monitoring lost per device within its limit (10 s at 1 Hz); one page names every bed",
    holds: [
      bedside,
      "every other unit",
      "an alarm that stood when the network went is not ended by the gap, and is escalated on",
    ],
    lost: [
      "no new alarm of this unit reaches anybody but at the bedside",
      "what its devices measured meanwhile, unless they keep it",
    ],
    banner: "{which}: NO ALARMS FROM THE MONITORS OF THIS UNIT. Go by the bedside alarms; watch every monitored bed.",
    priority: "high",
    calls: ["chargeNurse", "clinicalEngineering"],
    todo: [
      "Staff the unit's beds.",
      "Restore the network; alarms that are still there page again with a new instance.",
    ],
    alerts: ["DevicesSilent", "ManyDevicesSilent"],
  },
  {
    id: "clock",
    entered: "byAPerson",
    down: "the clock of the platform's machine (it stepped, or is off by more than a minute)",
    noticed:
      "the watch, whose clock is another, refuses the circuit's signatures: it sounds within 20 s. A step of less is not noticed",
    holds: [
      "alarms are raised and paged: they wait for no clock of a device",
      "a log's time never goes backwards: after a step back it stands still until the clock has caught up",
      "a device's own wrong clock is corrected from its first reading on and changes nothing here",
    ],
    lost: [
      "deadlines of escalation and silence limits: after a step back they come late, by as much as the clock was set back; after a step forward they come at once",
      "the times on pages and in the record are wrong by the step",
    ],
    banner: "TIMES SHOWN MAY BE WRONG and escalation may be late. Go by the bedside alarms.",
    priority: "high",
    calls: ["clinicalEngineering"],
    todo: [
      "Set the clock right by slewing, never by a second step.",
      "Restart the circuit after a step back: its log's time stands still until then.",
      "Note the interval: times in the record are wrong there.",
    ],
    alerts: ["WatchRefuses"],
  },
  {
    id: "disk",
    entered: "byAPerson",
    down: "the disk is full where a log is kept",
    noticed:
      "of the circuit: beats do not come back and the audit fails, the watch sounds within 20 s; of the raw log: the append fails, at once",
    holds: [
      bedside,
      "nothing is acknowledged that is not stored: broker or devices keep it",
      "where only the telemetry plane's disk is full, the circuit, on a disk of its own, goes on as always",
    ],
    lost: [
      "where the circuit's own disk is full, nobody is paged: an alarm that is not durable is not acted upon",
      "the board and the record stand still where the telemetry plane's is",
    ],
    banner: "ALARM PAGING MAY BE DOWN. Go by the bedside alarms; watch every monitored bed.",
    priority: "high",
    calls: ["chargeNurse", "clinicalEngineering"],
    todo: [
      "Make room: never by deleting a log, its journal or a checkpoint.",
      "The circuit goes on by itself once it can write; see the watch end its alarm.",
    ],
    alerts: ["HeartbeatMissed", "CircuitAuditFailing", "IntakeFull"],
  },
] as const satisfies readonly Mode[];

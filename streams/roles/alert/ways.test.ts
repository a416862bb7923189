/** A dead address is a finding of its own and hides nothing: a notifier is gone only while nobody else's address of it is confirmed. */
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { Ways } from "./ways.ts";

const recipient = (id: string, to: string, more: { readonly test?: boolean; readonly notifier?: string } = {}) => {
  const { test = false, notifier = "pager" } = more;
  return { id, role: "nurse", inside: true, test, addresses: [{ notifier, to }] };
};
const everybody = [
  recipient("ana", "1"),
  recipient("ben", "2"),
  recipient("cem", "3"),
  recipient("beats", "9", { test: true }),
];

const open = (db = new DatabaseSync(":memory:")) => {
  const said: string[] = [];
  let recipients = everybody;
  const ways = new Ways({
    db,
    policy: () => ({ recipients }),
    onStanding: (hop, up) => said.push(`${hop} ${up ? "up" : "down"}`),
  });
  const tried = (to: string, confirmed: boolean, down = !confirmed): void =>
    ways.tried({ notifier: "pager", to }, { confirmed, down, detail: "" });
  const fails = (to: string): void => {
    for (const down of [false, false, true]) tried(to, false, down);
  };
  const news = (): string[] => said.splice(0);
  const leaves = (id: string): void => {
    recipients = recipients.filter((one) => one.id !== id);
    ways.forgetOld();
  };
  return { ways, tried, fails, news, leaves, db };
};

describe("a notifier", () => {
  it("with one dead address is not gone where another's was confirmed meanwhile: the address is told, by whose it is", () => {
    const { ways, tried, fails, news } = open();
    tried("1", false, false);
    tried("2", true);
    tried("1", false, false);
    tried("1", false, true);
    expect([ways.gone(), news()]).toEqual([[], ["notifier/pager up", "address/pager/ana down"]]);
    fails("1");
    expect(news()).toEqual([]);
    tried("1", true);
    expect(news()).toEqual(["address/pager/ana up", "notifier/pager up"]);
  });

  it("that fails later is told though one of its addresses was dead before", () => {
    const { ways, tried, fails, news } = open();
    fails("1");
    tried("2", true);
    expect(news()).toEqual(["notifier/pager down", "notifier/pager up", "address/pager/ana down"]);
    fails("2");
    expect([ways.gone(), news()]).toEqual([["pager"], ["notifier/pager down"]]);
    tried("3", true);
    expect(ways.gone()).toEqual([]);
    expect(news()).toEqual(["notifier/pager up"]);
    // whether ben was away with the notifier or is dead himself, his next failure says
    tried("2", false, true);
    expect(news()).toEqual(["address/pager/ben down"]);
  });

  it("is called gone while nobody's address of it is confirmed, and a test's receiver is nobody", () => {
    const { ways, tried, fails, news } = open();
    fails("1");
    tried("9", true);
    expect([ways.gone(), news()]).toEqual([["pager"], ["notifier/pager down"]]);
    tried("1", true);
    expect([ways.gone(), news()]).toEqual([[], ["notifier/pager up"]]);
  });

  it("that was away with all its addresses has each asked again before it is called dead, but for a last one", () => {
    const { tried, fails, news } = open();
    for (const to of ["1", "2", "3"]) fails(to);
    tried("3", true);
    expect(news()).toEqual(["notifier/pager down", "notifier/pager up"]);
    tried("2", true);
    expect(news()).toEqual(["notifier/pager up", "address/pager/ana down"]);
  });
});

describe("a dead address that leaves the policy", () => {
  it("is dead no more, and tells nothing when what waited for it fails again", () => {
    const { ways, tried, fails, news, leaves } = open();
    tried("2", true);
    fails("1");
    tried("2", true);
    news();
    leaves("ana");
    expect(news()).toEqual(["address/pager/ana up"]);
    fails("1");
    expect([ways.gone(), news()]).toEqual([[], []]);
  });

  it("while the circuit is down too", () => {
    const before = open();
    before.fails("1");
    before.tried("2", true);
    const after = open(before.db);
    after.leaves("cem");
    expect(after.news()).toEqual(["address/pager/ana down"]);
    after.leaves("ana");
    expect(after.news()).toEqual(["address/pager/ana up"]);
  });
});

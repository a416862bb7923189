/** The demo as its user meets it: started from the command line, its page opened in a real browser, ended with Ctrl-C. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Roster } from "../streams/io/roster-file.ts";

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "afferent-page-"));
const limitMs = 60_000;

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });

let demo: ChildProcess;
let ended: Promise<number | null>;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  const [port, mqttPort] = [await freePort(), await freePort()];
  const args = [
    "demo",
    "--beds",
    "24",
    "--speed",
    "10",
    "--port",
    `${port}`,
    "--mqtt-port",
    `${mqttPort}`,
    "--data",
    folder,
  ];
  demo = spawn(process.execPath, [join(root, "streams/main.ts"), ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  ended = new Promise((resolve) => demo.once("exit", resolve));
  const said = await new Promise<string>((resolve, reject) => {
    let output = "";
    demo.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("Ctrl-C")) resolve(output);
    });
    void ended.then((code) => reject(new Error(`the demo ended with ${code}`)));
  });
  const url = /http:\/\/\S+/.exec(said)?.[0] ?? "";
  browser = await chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(url);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  demo?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

const rosterOfDemo = (): Roster => {
  const state = readdirSync(folder).find((name) => name.startsWith("demo-")) ?? "";
  return JSON.parse(readFileSync(join(folder, state, "roster.json"), "utf8")) as Roster;
};

describe("the page", () => {
  it("shows a chosen bed's live values, and they move", async () => {
    await page.locator('[data-testid="connection"][data-state="live"]').waitFor({ timeout: limitMs });
    await page.locator('[data-testid="bed-B03"]').click();
    const heartRate = page.locator('[data-testid="bed-B03"] [data-testid="vital-heartRate"]');
    await expect.poll(() => heartRate.textContent(), { timeout: limitMs }).toMatch(/\d{2,3}/);
    const before = await page.locator('[data-testid="bed-B03"]').textContent();
    await expect
      .poll(() => page.locator('[data-testid="bed-B03"]').textContent(), { timeout: limitMs })
      .not.toBe(before);
  });

  it("shows an episode and what became of it", async () => {
    await page.locator('[data-testid="episode"]').first().waitFor({ timeout: limitMs });
    await page.locator('[data-testid="decision"]').first().waitFor({ timeout: limitMs });
    mkdirSync(join(root, "test-results"), { recursive: true });
    await page.screenshot({ path: join(root, "test-results", "board.png") });
  });

  it("shows an alarm of the alert circuit with its bed, how old that knowledge is, and who was told", async () => {
    const alarm = page.locator('[data-testid="alarm"]').first();
    await alarm.waitFor({ timeout: limitMs });
    await expect
      .poll(() => alarm.textContent(), { timeout: limitMs })
      .toMatch(/there for .*(nurse|charge|physician)-?/);
    await page.locator('[data-testid="nuisance"]').first().waitFor({ timeout: limitMs });
    expect(await page.locator('[data-testid="banner"][data-silent="true"]').count()).toBe(0);
  });

  it("shows no patient's identifier", async () => {
    const shown = await page.content();
    const { patients, devices } = rosterOfDemo();
    const secrets = [
      ...patients.flatMap(({ identifierValue, fhirId, patientKey }) => [identifierValue, fhirId, patientKey]),
      ...devices.flatMap(({ serial }) => serial ?? []),
    ];
    expect(secrets.length).toBeGreaterThan(24);
    for (const secret of secrets) expect(shown).not.toContain(secret);
  });

  it("says loudly that it is not live when the platform stops, and Ctrl-C stops all of it cleanly", async () => {
    demo.kill("SIGINT");
    expect(await ended).toBe(0);
    await page
      .locator('[data-testid="connection"]')
      .getByText(/not live/i)
      .waitFor({ timeout: limitMs });
  });
});

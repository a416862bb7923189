/** Opens the page in Chromium and keeps screenshots: `npx node test/board/look.ts URL FOLDER [WIDTHxHEIGHT ...] [light]`. */
import { chromium } from "playwright-core";

const [url = "", folder = "", ...rest] = process.argv.slice(2);
const light = rest.includes("light");
const sizes = rest.filter((size) => /^\d+x\d+$/.test(size));
const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: flags });
try {
  for (const size of sizes) {
    const [width = 1440, height = 900] = size.split("x").map(Number);
    const page = await browser.newPage({ viewport: { width, height }, colorScheme: light ? "light" : "dark" });
    page.on("console", (message) => console.error(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => console.error(`page error: ${error.message}`));
    await page.goto(url);
    await page.locator('[data-testid="connection"][data-state="live"]').waitFor({ timeout: 10_000 });
    await page.waitForTimeout(9_000);
    await page.screenshot({ path: `${folder}/${process.env["NAME"] ?? "board"}-${size}${light ? "-light" : ""}.png` });
    await page.screenshot({
      path: `${folder}/${process.env["NAME"] ?? "board"}-${size}${light ? "-light" : ""}-whole.png`,
      fullPage: true,
    });
    await page.close();
  }
} finally {
  await browser.close();
}

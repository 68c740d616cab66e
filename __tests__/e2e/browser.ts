import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** Debian's chromium; `npm test` installs it. */
const PROGRAM = '/usr/bin/chromium';

/** Opens a page in headless Chromium on this machine, waits until all of `texts` are shown, and returns all that is shown. */
export async function shownInBrowser(url: string, ...texts: string[]): Promise<string> {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: \`npm test\` installs it`);
  const browser = await chromium.launch({
    executablePath: PROGRAM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-sync',
      '--no-first-run',
    ],
  });
  try {
    const page = await browser.newPage();
    await page.goto(url, { timeout: 30_000 });
    for (const text of texts) {
      await page.getByText(text, { exact: true }).first().waitFor({ timeout: 30_000 });
    }
    return `${await page.title()}\n${await page.locator('body').textContent()}`;
  } finally {
    await browser.close();
  }
}

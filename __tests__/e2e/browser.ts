import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

/** Debian's chromium; `npm test` installs it. */
const PROGRAM = '/usr/bin/chromium';

/**
 * Opens a page in headless Chromium on this machine, waits until all of `texts` are shown, and returns all that is shown.
 *
 * @param home where it finds what it trusts: see `trusting`
 * @param address where every name leads; the DNS of the lab's machines is not that of this one
 */
export async function shownInBrowser(
  url: string,
  texts: readonly string[],
  home?: string,
  httpCredentials?: { readonly username: string; readonly password: string },
  address?: string,
): Promise<string> {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: \`npm test\` installs it`);
  const browser = await chromium.launch({
    executablePath: PROGRAM,
    env: { ...process.env, ...(home === undefined ? {} : { HOME: home }) },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-sync',
      '--no-first-run',
      ...(address === undefined ? [] : [`--host-resolver-rules=MAP * ${address}`]),
    ],
  });
  try {
    const page = await browser.newPage(httpCredentials === undefined ? {} : { httpCredentials });
    const failed: string[] = [];
    page.on('requestfailed', (request) => failed.push(`${request.url()} ${request.failure()?.errorText}`));
    const shows = async () => {
      await page.goto(url, { timeout: 30_000 });
      for (const text of texts) {
        await page.getByText(text, { exact: true }).first().waitFor({ timeout: 30_000 });
      }
    };
    // Chromium gives up what it loads when an interface of this machine comes or goes, as those of other labs do: the
    // page itself, or what it asks for later, which it does not ask for again.
    for (let attempt = 1; ; attempt += 1) {
      try {
        await shows();
        break;
      } catch (error) {
        const shown = await page.locator('body').textContent();
        const why = `${error}\nrequests that failed: ${failed.splice(0).join(', ')}\nshown: ${shown}`;
        if (attempt === 3 || !why.includes('ERR_NETWORK_CHANGED')) throw new Error(why, { cause: error });
      }
    }
    return `${await page.title()}\n${await page.locator('body').textContent()}`;
  } finally {
    await browser.close();
  }
}

/**
 * Lets a user with this home trust a certificate authority, as a person does in Chromium on Linux.
 *
 * https://chromium.googlesource.com/chromium/src/+/main/docs/linux/cert_management.md
 */
export function trusting(home: string, ca: string): string {
  const database = join(home, '.pki/nssdb');
  mkdirSync(database, { recursive: true });
  writeFileSync(join(home, 'ca.crt'), ca);
  const certutil = (...args: string[]) => execFileSync('certutil', ['-d', `sql:${database}`, ...args]);
  certutil('-N', '--empty-password');
  certutil('-A', '-t', 'C,,', '-n', 'registry', '-i', join(home, 'ca.crt'));
  return home;
}

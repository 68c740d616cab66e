import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shownInBrowser, trusting } from './browser';
import { atWork, CLIENTS, expectWork, type Work, WRITER, workOf } from './clients';
import { environment, lab, output, type Seen, succeeding } from './lab';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics } from './machines';

/** How the registry speaks TLS in a story: the address that people know it by, and the inputs. */
export interface KindOfTls {
  /** For the name of the test. */
  readonly kind: string;
  readonly address: (place: Place) => string;
  readonly given: (place: Place) => Promise<Record<string, string>> | Record<string, string>;
}

/** Where the instance is. */
export interface Place {
  readonly ip: string;
  readonly host: string;
}

/** Machines as new, with all clients on the runner. */
export async function bareWithClients(): Promise<void> {
  await lab('reset');
  await lab('situation', 'clients');
}

/** The story of a registry that is set up with logins from bare by one run, and of every client of it. */
export function everyClient({ address, given }: KindOfTls): void {
  let place: Place;
  let before: RunnerSnapshot;
  let inputs: Record<string, string>;
  let seen: Seen;
  let works: Map<string, Work>;

  beforeAll(async () => {
    await lab('reset', 'registry-1');
    const { LAB_INSTANCE_IP, LAB_INSTANCE_HOST, LAB_HOST_ADDRESS } = await environment();
    place = { ip: String(LAB_INSTANCE_IP), host: String(LAB_INSTANCE_HOST) };
    before = await snapshotRunner();
    inputs = {
      ...(await basics()),
      // This host as well, for the browser.
      'source-ranges': `runner,${LAB_HOST_ADDRESS}`,
      ...WRITER,
      ...(await given(place)),
    };
    seen = await succeeding(inputs, ['--later', atWork(CLIENTS)]);
    works = workOf(String(seen.later?.output));
  });

  test('a bare instance, one run; nothing of it is left', async () => {
    expect(seen.outputs).toMatchObject({ scheme: 'https', registry: `${address(place)}:5000` });
    expect(seen.outputs['ca-certificate'] === '').toBe(inputs.tls === 'acme');
    await expectNothingLeft(before);
  });

  test.each(CLIENTS.map(({ name }) => name))('%s pushes and pulls', (name) => expectWork(works, name));

  test('the page in a browser that trusts the authority, with a login, has the images', async () => {
    const ca =
      seen.outputs['ca-certificate'] ||
      (await output('runner', 'cat /usr/local/share/ca-certificates/gcelab-acme.crt'));
    const home = mkdtempSync(join(tmpdir(), 'home-'));
    try {
      const page = String(seen.outputs['ui-url']);
      const shown = await shownInBrowser(page, ['by/docker'], trusting(home, ca), WRITER, place.ip);
      expect(shown).toContain('by/crane');
      await expect(shownInBrowser(page, [], undefined, WRITER, place.ip)).rejects.toThrow(
        /ERR_CERT_AUTHORITY_INVALID/,
      );
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  test('a second run changes nothing', async () => {
    const again = await succeeding(inputs);
    expect(again.outputs.changed).toBe('false');
    expect(again.ssh).toEqual({ connections: 1, commands: 1 });
    await expectNothingLeft(before);
  });
}

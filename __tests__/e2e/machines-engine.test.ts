import { action, lab, output, type Seen, shell, succeeding } from './lab';
import { inLanes } from './lanes';
import { basics, fingerprint } from './machines';

// Instances as people have them: other package sources, a Docker of another origin or in another place, a Compose that
// is none, environments of logins, proxies. Either all is well afterwards, and a second run finds nothing to do, or the
// error names what stands in the way before anything is changed. Each case has a machine of its own, several at a time.

jest.setTimeout(600_000);

type Case = (machine: string) => Promise<void>;

/** A project of Compose as root has it on the machine, in a shell without anybody's variables. */
const projects = (machine: string) =>
  output(machine, 'env -i PATH="$PATH" HOME=/root docker compose ls --quiet');

async function run(machine: string, inputs: Record<string, string> = {}): Promise<Seen> {
  return action({ ...(await basics()), instance: machine, mode: 'bootstrap', ...inputs });
}

async function set(machine: string, inputs: Record<string, string> = {}): Promise<Seen> {
  const all = { ...(await basics()), instance: machine, mode: 'bootstrap', ...inputs };
  const seen = await succeeding(all);
  expect(await projects(machine)).toContain('gce-registry');
  expect(await output(machine, 'curl -fsS http://127.0.0.1:5000/v2/')).toBe('{}');
  return seen;
}

async function converged(machine: string, inputs: Record<string, string> = {}): Promise<Seen> {
  const before = await fingerprint(machine);
  const seen = await set(machine, inputs);
  expect(seen.maskedLog).toContain('instance: nothing to change');
  expect(await fingerprint(machine)).toBe(before);
  return seen;
}

/** The run ends with an error of this title, and the machine is as it was. */
async function refused(machine: string, title: RegExp): Promise<void> {
  const before = await fingerprint(machine);
  const { exitCode, annotations } = await run(machine);
  expect(annotations.map(({ message }) => message).join('\n')).toMatch(title);
  expect(exitCode).toBe(1);
  expect(await fingerprint(machine)).toBe(before);
}

const dockerSources = (machine: string) =>
  output(
    machine,
    "grep -lsE '^[^#]*linux/debian' /etc/apt/sources.list /etc/apt/sources.list.d/* || true; ls /etc/apt/keyrings",
  );

async function expectAptWorks(machine: string): Promise<void> {
  const { status, stdout, stderr } = await shell(machine, 'apt-get update 2>&1');
  expect(stdout + stderr).not.toMatch(/Conflicting values|configured multiple times|^[EW]:/m);
  expect(status).toBe(0);
}

const situation = (name: string, machine: string, ...args: string[]) =>
  lab('situation', name, machine, ...args);

const CASES: Readonly<Record<string, Case>> = {
  'a source in deb822 form under another name is used, and no variable of the login does any harm': async (
    machine,
  ) => {
    await situation('apt-source-deb822-other-name', machine);
    await situation('environment-of-login', machine);
    const sources = await dockerSources(machine);
    const seen = await set(machine);
    expect(seen.maskedLog).toContain('Nothing answers at the proxy 127.0.0.1:9');
    expect(await dockerSources(machine)).toBe(sources);
    expect(await output(machine, 'apt-cache policy docker-ce')).toContain('download.docker.com');
    await expectAptWorks(machine);
    await converged(machine);
    // Docker's own root in another spelling strands nothing.
    await situation('data-root-slash', machine);
    await converged(machine);
  },

  'a source in sources.list, which apt has not fetched, with options and a key of its own, is used': async (
    machine,
  ) => {
    await output(
      machine,
      `curl -fsSL https://download.docker.com/linux/debian/gpg -o /etc/apt/trusted.gpg.d/theirs.asc
       echo "deb [ arch=$(dpkg --print-architecture) signed-by=/etc/apt/trusted.gpg.d/theirs.asc ] https://download.docker.com/linux/debian/ trixie stable" >>/etc/apt/sources.list`,
    );
    const sources = await dockerSources(machine);
    await set(machine);
    expect(await dockerSources(machine)).toBe(sources);
    await expectAptWorks(machine);
    await converged(machine);
  },

  'a source whose key is another one gives way to ours, and what else stands in its file stays': async (
    machine,
  ) => {
    await output(
      machine,
      `cp /etc/apt/trusted.gpg.d/debian-archive-trixie-stable.asc /usr/share/keyrings/docker.asc
       cat >/etc/apt/sources.list.d/theirs.list <<'END'
deb [signed-by=/usr/share/keyrings/docker.asc] https://download.docker.com/linux/debian trixie stable
# Theirs.
END
       cat >/etc/apt/sources.list.d/more.sources <<'END'
# Not in use.
Enabled: no
Types: deb
URIs: https://download.docker.com/linux/debian
Suites: bookworm trixie
Components: stable test
Signed-By: /no/such/key
END`,
    );
    await set(machine);
    await expectAptWorks(machine);
    expect(await output(machine, 'ls /etc/apt/sources.list.d')).toBe('docker.sources\nmore.sources');
    await converged(machine);
  },

  'a Compose that is none, no group docker, and a broken package that nobody needs': async (machine) => {
    await situation('compose-not-compose', machine);
    await situation('no-docker-group', machine);
    await situation('foreign-broken-package', machine);
    const seen = await set(machine);
    expect(seen.maskedLog).toMatch(/dpkg has not finished acme-agent/);
    expect(seen.maskedLog).toMatch(/there is no group docker/);
    expect(seen.maskedLog).not.toMatch(/licence server/);
    expect(await output(machine, 'cat /usr/local/lib/docker/cli-plugins/docker-compose')).toBe('Not Found');
    expect(await output(machine, 'docker compose version --short')).toMatch(/^v?2/);
    expect((await shell(machine, 'getent group docker')).status).not.toBe(0);
    await converged(machine);
    // In the first place of all there is nothing that ours could stand before.
    await output(
      machine,
      'rm /etc/gce-registry/compose-release; echo no >/root/.docker/cli-plugins/docker-compose',
    );
    await refused(machine, /^Compose is not usable: .*\/root\/\.docker/m);
  },

  'a Compose of long ago, Docker’s data elsewhere, and live-restore': async (machine) => {
    await situation('data-root-elsewhere', machine);
    await situation('compose-too-old', machine);
    await situation('live-restore', machine);
    const pid = () => output(machine, 'pidof dockerd');
    const before = await pid();
    await set(machine);
    expect(await pid()).toBe(before);
    expect(
      await output(machine, 'docker volume inspect -f {{.Mountpoint}} gce-registry_registry-data'),
    ).toMatch(/^(\/mnt\/disk|\/+srv\/docker-disk)\/+docker\/+volumes\//);
    await converged(machine);
  },

  'a broken package where packages are needed is named; Docker that is masked, or comes from snap, is refused':
    async (machine) => {
      await situation('foreign-broken-package', machine);
      const { exitCode, annotations } = await run(machine);
      expect(exitCode).toBe(1);
      expect(annotations.map(({ message }) => message).join('\n')).toMatch(
        /^Package cannot be configured: .*acme-agent: licence server not found.*acme-agent/m,
      );
      expect((await shell(machine, 'command -v dockerd')).status).not.toBe(0);
      await output(machine, 'dpkg --purge --force-all acme-agent >/dev/null 2>&1');
      await situation('docker-masked', machine);
      await refused(machine, /^Docker is masked: .*docker\.service and docker\.socket.*systemctl unmask/m);
      await output(machine, 'systemctl unmask docker.service docker.socket; systemctl start docker.service');
      await situation('docker-snap', machine);
      await refused(machine, /^Docker comes from snap: .*snap remove docker/m);
    },

  'a containerd in which others run containers stays, with docker-source: distro; one that is left over gives way':
    async (machine) => {
      await situation('containerd-in-use', machine);
      const theirs = () => output(machine, 'ctr -n theirs task ls -q; pidof containerd');
      const before = await theirs();
      const { exitCode, annotations } = await run(machine);
      expect(exitCode).toBe(1);
      expect(annotations.map(({ message }) => message).join('\n')).toMatch(
        /^Packages are in the way: .*apt would remove .*containerd.*docker-source: distro/m,
      );
      expect(await theirs()).toBe(before);
      const distro = { 'docker-source': 'distro' };
      await set(machine, distro);
      expect(await theirs()).toBe(before);
      await converged(machine, distro);
      // Without Docker and without containers it is nobody's any more.
      await output(
        machine,
        `docker compose -p gce-registry down 2>/dev/null; ctr -n theirs task rm --force app
         DEBIAN_FRONTEND=noninteractive apt-get remove -y -qq docker.io docker-cli docker-compose >/dev/null`,
      );
      await set(machine);
      expect(await output(machine, 'dpkg-query -W containerd.io')).toContain('containerd.io');
    },

  'Podman’s docker gives way to Docker, and a proxy that only apt knows is enough for packages and key':
    async (machine) => {
      await situation('podman-docker', machine);
      await situation('proxy-only-apt', machine);
      await set(machine);
      await converged(machine);
    },
};

let results: Record<string, Promise<void>>;

beforeAll(async () => {
  const names = Object.keys(CASES);
  await lab('up', '--instances', String(names.length));
  const works = Object.entries(CASES).map(([, work], index) => async () => {
    const machine = `registry-${index + 1}`;
    await lab('reset', machine);
    await work(machine);
  });
  const ends = inLanes(works);
  for (const end of ends) end.catch(() => undefined);
  results = Object.fromEntries(names.map((name, index) => [name, ends[index] as Promise<void>]));
});

test.each(Object.keys(CASES))('%s', (name) => results[name]);

import { action, environment, lab, output, type Seen, shell, succeeding, waitFor } from './lab';
import { inLanes } from './lanes';
import { basics, restartDocker, served } from './machines';

// Machines as people have them, as far as containers, ports, data, networks and their own firewall are concerned. Each
// instance is set up once, has its cases in their order, and is beside the others.

jest.setTimeout(400_000);

type Inputs = Readonly<Record<string, string>>;

let inputs: Inputs;

const PORTS = 'curl -s -o /dev/null -m 4 -w "%{http_code}"';

/** The status that the registry answers the runner with, which is outside; `000` where nothing comes. */
async function statusFromOutside(instance: string, port = 5000): Promise<string> {
  const ip = await output(instance, "ip -4 -o addr show dev eth0 scope global | sed 's|.* inet ||; s|/.*||'");
  return (await shell('runner', `${PORTS} http://${ip}:${port}/v2/`)).stdout;
}

async function expectConverged(wanted: Inputs): Promise<void> {
  expect((await succeeding(wanted)).outputs.changed).toBe('false');
}

/** A run that ends with one error, before it has changed anything; its text. */
async function refused(wanted: Inputs): Promise<string> {
  const containers = () =>
    output(wanted.instance ?? '', 'docker ps -aq --no-trunc | sort; ls /etc/gce-registry || true');
  const before = await containers();
  const seen = await action(wanted);
  expect(seen.exitCode).toBe(1);
  expect(await containers()).toBe(before);
  return seen.annotations.map(({ message }) => message).join('\n');
}

const registryId = (instance: string) =>
  output(
    instance,
    "docker inspect -f '{{.Id}} {{.State.StartedAt}} {{.RestartCount}}' gce-registry-registry-1",
  );

/** A registry that stands still for 7 s while a run is at work: longer than what an answer is waited for at first. */
async function slowRegistry(wanted: Inputs): Promise<void> {
  const instance = wanted.instance ?? '';
  const before = await registryId(instance);
  await output(
    instance,
    `pid=$(docker inspect -f '{{.State.Pid}}' gce-registry-registry-1); kill -STOP "$pid"
     systemd-run --quiet --on-active=7 --timer-property=AccuracySec=100ms kill -CONT "$pid"`,
  );
  await expectConverged(wanted);
  expect(await registryId(instance)).toBe(before);
}

const FIREWALLS: Readonly<
  Record<
    string,
    { readonly closes: string; readonly says: RegExp; readonly opens: string; readonly ends: string }
  >
> = {
  'nftables with a forward chain that drops': {
    closes: `nft -f - <<'E'
table inet filter {
  chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; }
}
E`,
    says: /table inet filter of nftables .*policy drop of chain forward/,
    opens: 'nft insert rule inet filter forward ct status dnat accept',
    ends: 'nft delete table inet filter',
  },
  'DOCKER-USER that drops what comes from outside': {
    closes:
      'iptables -F DOCKER-USER; iptables -A DOCKER-USER -i eth0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; iptables -A DOCKER-USER -i eth0 -j DROP',
    says: /iptables drops .*-A DOCKER-USER -i eth0 -j DROP/,
    opens: 'iptables -I DOCKER-USER -p tcp -m conntrack --ctorigdstport 5000 --ctdir ORIGINAL -j ACCEPT',
    ends: 'iptables -F DOCKER-USER; iptables -A DOCKER-USER -j RETURN',
  },
  'firewalld that is strict about forwarded ports': {
    closes: `DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends firewalld >/dev/null 2>&1
      sed -i 's/^StrictForwardPorts=.*/StrictForwardPorts=yes/' /etc/firewalld/firewalld.conf; systemctl restart firewalld`,
    says: /table inet firewalld of nftables .*StrictForwardPorts=no/,
    opens: `sed -i 's/^StrictForwardPorts=.*/StrictForwardPorts=no/' /etc/firewalld/firewalld.conf; firewall-cmd --quiet --reload`,
    ends: 'systemctl disable --quiet --now firewalld',
  },
};

/** As the rules say, so it is: closed where the run refuses, and open after its remedy. */
async function hostFirewall(wanted: Inputs, name: string): Promise<void> {
  const firewall = FIREWALLS[name];
  const instance = wanted.instance ?? '';
  if (firewall === undefined) throw new Error(`no firewall ${name}`);
  await output(instance, firewall.closes);
  expect(await statusFromOutside(instance)).toBe('000');
  const message = await refused(wanted);
  expect(message).toMatch(/^The firewall of the instance is in the way: .*port 5000 \(registry-port\)/);
  expect(message).toMatch(firewall.says);
  // The commands of the message are tried as they stand there.
  for (const [, command] of firewall.opens.startsWith('sed') ? [] : message.matchAll(/`sudo ([^`]*)`/g)) {
    await output(instance, String(command));
  }
  if (firewall.opens.startsWith('sed')) await output(instance, firewall.opens);
  await expectConverged(wanted);
  expect(await statusFromOutside(instance)).toBe('200');
  await output(instance, firewall.ends);
}

/** ufw lets Docker's rules be asked first: nothing is in the way. */
async function ufw(wanted: Inputs): Promise<void> {
  const instance = wanted.instance ?? '';
  await output(
    instance,
    `DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ufw >/dev/null 2>&1
     ufw allow 22/tcp >/dev/null; ufw --force enable >/dev/null`,
  );
  expect(await statusFromOutside(instance)).toBe('200');
  await expectConverged(wanted);
  await output(instance, 'ufw --force disable >/dev/null');
}

async function stackOfItsOwn(): Promise<void> {
  const wanted = { ...inputs, instance: 'registry-1' };
  await succeeding(wanted);
  await slowRegistry(wanted);
  for (const name of Object.keys(FIREWALLS)) await hostFirewall(wanted, name);
  await ufw(wanted);
}

/** A disk that is mounted at /mnt/data. The device files are the machine's own: a boot makes /dev anew. */
const MOUNT = `
  for n in $(seq 0 40); do [ -e /dev/loop$n ] || mknod /dev/loop$n b 7 $n; done
  [ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
  mkdir -p /mnt/data; mount -o loop /disk.img /mnt/data`;

async function disksAndPorts(): Promise<Seen> {
  const instance = 'registry-2';
  const wanted = { ...inputs, instance };
  await output(
    instance,
    `apt-get update -qq
     DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io docker-cli docker-compose e2fsprogs >/dev/null 2>&1
     truncate -s 200M /disk.img; mkfs.ext4 -q /disk.img; ${MOUNT}
     cat >/etc/docker/daemon.json <<'E'
{"ip": "127.0.0.1", "default-network-opts": {"bridge": {"com.docker.network.bridge.host_binding_ipv4": "127.0.0.1"}}}
E`,
  );
  await restartDocker(instance);
  await output(
    instance,
    'mkdir /srv/theirs; printf "name: theirs\\nservices: {app: {image: registry:3, ports: [\\"4999-5001:4999-5001\\"]}}" >/srv/theirs/compose.yaml; docker compose --project-directory /srv/theirs up -d --quiet-pull 2>/dev/null',
  );
  expect(await refused({ ...wanted, 'data-path': '/mnt/data/registry' })).toMatch(
    /^Port in use: .*theirs-app-1 \(registry:3, of the Compose project theirs\).* from 4999 to 5001/,
  );
  await output(instance, 'docker compose --project-directory /srv/theirs down 2>/dev/null');

  // Published for others, whatever is the default of this Docker.
  const seen = await succeeding({ ...wanted, mode: 'deploy', 'data-path': '/mnt/data/registry' });
  expect(await statusFromOutside(instance)).toBe('200');
  expect(await output(instance, 'ls /mnt/data/registry/docker/registry/v2/repositories')).toBe('test');
  await output(instance, 'ln -s /mnt/data /srv/link');
  await expectConverged({ ...wanted, 'data-path': '/srv/link/registry' });

  // Nobody mounts the disk at boot.
  await shell(instance, 'systemctl reboot');
  await waitFor(instance, '! mountpoint -q /mnt/data && docker ps -a -q | grep -q .');
  const message = await refused(wanted);
  expect(message).toMatch(
    /^The data of the registry is missing: .*\/mnt\/data\/registry \(file system: ext4 \/dev\/loop\d+ .*, mounted at \/mnt\/data\)/,
  );
  expect(await output(instance, 'ls -A /mnt/data; docker ps -q --filter name=registry-registry')).toBe('');
  await output(instance, MOUNT);
  await succeeding(wanted);
  expect(await served(instance, ['test:latest'])).toEqual({ 'test:latest': seen.outputs.digest });
  await expectConverged(wanted);
  await output(instance, 'docker stop $(docker ps -q) >/dev/null; umount /mnt/data');
  return seen;
}

/** The runner is seen at an address in the network that Docker would take; and nothing but Docker's rules lets in. */
async function networks(): Promise<void> {
  const instance = 'registry-3';
  const ip = await output(instance, "ip -4 -o addr show dev eth0 scope global | sed 's|.* inet ||; s|/.*||'");
  await output(
    'runner',
    `ip addr add 172.18.5.10/32 dev eth0; ip route replace ${ip}/32 dev eth0 src 172.18.5.10`,
  );
  await output(
    instance,
    `ip route replace 172.18.5.10/32 dev eth0; mkdir -p /etc/docker; echo '{"userland-proxy": false}' >/etc/docker/daemon.json`,
  );
  const wanted = { ...inputs, instance, 'source-ranges': '172.18.5.10' };
  await succeeding(wanted);
  expect(
    await output(
      instance,
      "docker network inspect -f '{{range .IPAM.Config}}{{.Subnet}}{{end}}' gce-registry_default",
    ),
  ).toBe('192.168.240.0/24');
  expect(await statusFromOutside(instance)).toBe('200');
  await expectConverged(wanted);
  // Stays, where the runner is elsewhere the next time.
  await output(
    'runner',
    `ip route del ${ip}/32 dev eth0 src 172.18.5.10; ip addr del 172.18.5.10/32 dev eth0`,
  );
  await expectConverged(wanted);
  await portsAndImages(instance);
}

async function portsAndImages(instance: string): Promise<void> {
  // The ports of registry and UI change places, and so does the container of somebody who comes back at the next boot.
  await output(
    instance,
    'docker create -q --restart always -p 5005:5000 --name theirs registry:3 >/dev/null',
  );
  const swapped = { ...inputs, instance, ui: 'joxit' };
  await succeeding(swapped);
  const seen = await succeeding({ ...swapped, 'registry-port': '18080', 'ui-port': '5000' });
  expect(await statusFromOutside(instance, 18080)).toBe('200');
  expect(seen.maskedLog).not.toContain('theirs');
  const noted = await succeeding({ ...swapped, 'registry-port': '5005', 'ui-port': '5000' });
  expect(noted.maskedLog).toMatch(
    /^instance: the stopped container theirs \(registry:3\) also publishes port 5005 \(registry-port\)/m,
  );

  const health = await succeeding({
    ...swapped,
    'registry-port': '5005',
    'ui-port': '5000',
    mode: 'health-check',
  });
  expect(health.summary).toMatch(/Image of registry \| healthy \| registry&#58;3 is unchanged for \d+ days/);
}

let cases: Record<'own' | 'disks' | 'networks', Promise<unknown>>;

beforeAll(async () => {
  await lab('up', '--instances', '3');
  await lab('reset');
  const { LAB_HOST_ADDRESS } = await environment();
  inputs = {
    ...(await basics()),
    mode: 'bootstrap',
    ui: 'none',
    'source-ranges': String(LAB_HOST_ADDRESS).replace(/\.\d+$/, '.0/24'),
  };
  const [own, disks, networksDone] = inLanes<unknown>([stackOfItsOwn, disksAndPorts, networks], 3);
  cases = {
    own: own ?? Promise.reject(new Error('none')),
    disks: disks ?? Promise.reject(new Error('none')),
    networks: networksDone ?? Promise.reject(new Error('none')),
  };
  for (const each of Object.values(cases)) each.catch(() => undefined);
});
afterAll(async () => {
  for (const instance of ['registry-2', 'registry-3']) await lab('down', instance);
});

test('a registry that is slow, firewalls of the instance', () => cases.own);

test('ports in a range of another project, Docker that publishes on loopback, a disk that is not mounted', () =>
  cases.disks);

test('a runner in the network that Docker would take, Docker without its proxy, ports that change places, the age of images', () =>
  cases.networks);

// The front against the registry published bare, on the same instance: `docker push` and `docker pull` of 500 MB, with
// plain HTTP and with TLS, each with an image of its own. And what memory front, registry and UI take at rest together.
import { bare, type Ground, ownLogin } from './ground.ts';
import { action, on, timedOnRunner } from './lab.ts';
import { sideBySide } from './measure.ts';
import { freshImage, removeImages } from './push.ts';
import { comparison, type Limits, limit, type Row } from './table.ts';

const ROUNDS = 5;
const BARE_PORT = 6000;
const RELAY_PORT = 6001;
const MEMORY_MB = 150;

export async function front(ground: Ground): Promise<Row[]> {
  await bare(ground);
  const inputs = { ...(await ownLogin(ground)), mode: 'bootstrap' };
  // Leaves a rule that admits the runner to the ports of the bare one, and of the relay before it.
  const ports = { 'registry-port': String(BARE_PORT), 'ui-port': String(RELAY_PORT) };
  await action({ ...inputs, 'firewall-rule': `${ground.instance}-bare`, ...ports });
  await action(inputs);
  await on(ground.instance, `docker run --detach --name bare --publish ${BARE_PORT}:5000 registry:3`);
  await startRelay(ground.instance);
  const restore = await acceptBare(ground.ip);
  try {
    const relay = await measured(ground.ip, RELAY_PORT, 'through a relay that only copies (socat)', {});
    const plain = await measured(ground.ip, 5000, 'with plain HTTP', { mostRatio: 1.1 });
    const { outputs } = await action({ ...inputs, tls: 'private-ca' });
    await trust(ground.ip, String(outputs['ca-certificate']));
    const tls = await measured(ground.ip, 5000, 'with TLS', { mostRatio: 1.15 });
    return [...relay, ...plain, ...tls, await memory(ground.instance)];
  } finally {
    await removeImages();
    await restore();
  }
}

/** The least that anything between client and registry costs, which is not the kernel: it copies bytes, and knows no HTTP. */
async function startRelay(instance: string): Promise<void> {
  await on(
    instance,
    `DEBIAN_FRONTEND=noninteractive apt-get install -y -qq socat >/dev/null
     to=$(docker inspect --format '{{.NetworkSettings.Networks.bridge.IPAddress}}' bare)
     systemd-run --quiet --unit relay socat -b 65536 TCP-LISTEN:${RELAY_PORT},fork,reuseaddr,nodelay TCP:$to:5000,nodelay`,
  );
}

async function measured(ip: string, port: number, how: string, limits: Limits): Promise<Row[]> {
  const pulls: Record<'front' | 'bare', number[]> = { front: [], bare: [] };
  const side = (name: 'front' | 'bare', port: number) => async (round: number) => {
    const reference = `${ip}:${port}/bench/${name}-${round}`;
    await freshImage([reference]);
    const pushed = await timedOnRunner(`docker push --quiet ${reference}`);
    await on('runner', `docker image rm --force ${reference} >/dev/null; sync`);
    pulls[name].push(await timedOnRunner(`docker pull --quiet ${reference}`));
    return pushed;
  };
  const pushes = await sideBySide(ROUNDS, { bare: side('bare', BARE_PORT), front: side('front', port) });
  const beside = (samples: readonly number[]) => ({ name: 'the registry published bare', samples });
  return [
    comparison(`docker push of 500 MB, ${how}`, pushes.front, beside(pushes.bare), limits),
    comparison(`docker pull of 500 MB, ${how}`, pulls.front, beside(pulls.bare), limits),
  ];
}

/** Lets the runner's daemon speak HTTP to both; what it returns puts its configuration back. */
async function acceptBare(ip: string): Promise<() => Promise<void>> {
  const file = '/etc/docker/daemon.json';
  const write = (registries: readonly string[]) =>
    on(
      'runner',
      `echo '${JSON.stringify({ 'insecure-registries': registries })}' >${file}; systemctl reload docker
       for try in {1..100}; do
         [ "$(docker info --format '{{json .RegistryConfig.IndexConfigs}}' | grep -o '"${ip}:[0-9]*":' | wc -l)" = ${registries.length} ] && exit
         sleep 0.1
       done; exit 1`,
    );
  await write([`${ip}:5000`, `${ip}:${BARE_PORT}`, `${ip}:${RELAY_PORT}`]);
  return async () => {
    await write([]);
    await on('runner', `rm -rf ${file} /etc/docker/certs.d`);
  };
}

/** From now on the runner's daemon speaks TLS to the front, and looks at its certificate. */
async function trust(ip: string, ca: string): Promise<void> {
  await on(
    'runner',
    `mkdir -p /etc/docker/certs.d/${ip}:5000; base64 -d <<<'${Buffer.from(ca).toString('base64')}' >/etc/docker/certs.d/${ip}:5000/ca.crt
     echo '{"insecure-registries": ["${ip}:${BARE_PORT}"]}' >/etc/docker/daemon.json; systemctl reload docker
     for try in {1..100}; do
       docker info --format '{{json .RegistryConfig.IndexConfigs}}' | grep -q '"${ip}:5000":' || exit 0
       sleep 0.1
     done; exit 1`,
  );
}

/** Of the containers' own processes, without what the kernel caches of files. */
async function memory(instance: string): Promise<Row> {
  const bytes = await on(
    instance,
    `for name in front registry ui; do docker top "gce-registry-$name-1" -o pid | tail -n +2; done |
       while read -r pid; do awk '$1 == "RssAnon:" { print $2 * 1024 }' "/proc/$pid/status"; done |
       awk '{ sum += $1 } END { print sum }'`,
  );
  return limit(
    'memory of front, registry and UI, at rest after that',
    Number(bytes) / 1e6,
    MEMORY_MB,
    (value) => `${value.toFixed(0)} MB`,
  );
}

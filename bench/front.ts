// The front against the registry published bare, on the same instance: `docker push` and `docker pull` of 500 MB, with
// plain HTTP and with TLS, each with an image of its own. And what memory front, registry and UI take at rest together.
import { bare, type Ground, ownLogin } from './ground.ts';
import { action, on, timedOnRunner } from './lab.ts';
import { sideBySide } from './measure.ts';
import { freshImage, removeImages } from './push.ts';
import { comparison, limit, type Row } from './table.ts';

const ROUNDS = 5;
const BARE_PORT = 6000;
const MEMORY_MB = 150;

export async function front(ground: Ground): Promise<Row[]> {
  await bare(ground);
  const inputs = { ...(await ownLogin(ground)), mode: 'bootstrap' };
  // Leaves a rule that admits the runner to the port of the bare one.
  await action({ ...inputs, 'firewall-rule': `${ground.instance}-bare`, 'registry-port': String(BARE_PORT) });
  await action(inputs);
  await on(ground.instance, `docker run --detach --name bare --publish ${BARE_PORT}:5000 registry:3`);
  const restore = await acceptBare(ground.ip);
  try {
    const plain = await measured(ground.ip, 'with plain HTTP', 1.1);
    const { outputs } = await action({ ...inputs, tls: 'private-ca' });
    await trust(ground.ip, String(outputs['ca-certificate']));
    return [...plain, ...(await measured(ground.ip, 'with TLS', 1.15)), await memory(ground.instance)];
  } finally {
    await removeImages();
    await restore();
  }
}

async function measured(ip: string, how: string, mostRatio: number): Promise<Row[]> {
  const pulls: Record<'front' | 'bare', number[]> = { front: [], bare: [] };
  const side = (name: 'front' | 'bare', port: number) => async (round: number) => {
    const reference = `${ip}:${port}/bench/${name}-${round}`;
    await freshImage([reference]);
    const pushed = await timedOnRunner(`docker push --quiet ${reference}`);
    await on('runner', `docker image rm --force ${reference} >/dev/null; sync`);
    pulls[name].push(await timedOnRunner(`docker pull --quiet ${reference}`));
    return pushed;
  };
  const pushes = await sideBySide(ROUNDS, { bare: side('bare', BARE_PORT), front: side('front', 5000) });
  const beside = (samples: readonly number[]) => ({ name: 'the registry published bare', samples });
  return [
    comparison(`docker push of 500 MB, ${how}`, pushes.front, beside(pushes.bare), { mostRatio }),
    comparison(`docker pull of 500 MB, ${how}`, pulls.front, beside(pulls.bare), { mostRatio }),
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
  await write([`${ip}:5000`, `${ip}:${BARE_PORT}`]);
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

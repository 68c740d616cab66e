// Push: mode push against `docker push` of the same kind of image from the same runner to the same registry. The whole
// main step counts, from the start of Node to its end. The runner's daemon accepts the registry beforehand, since
// `docker push` needs that too. Each measurement has an image of its own: five layers of 100 MB of fresh random bytes.
// With `verify` the action reads the pushed image back; the like of that by hand is a `docker pull` on a runner that
// does not have the image.
import { bare, type Ground, ownLogin } from './ground.ts';
import { action, on, timedOnRunner } from './lab.ts';
import { sideBySide } from './measure.ts';
import { comparison, type Row } from './table.ts';

const PLAIN_ROUNDS = 7;
const VERIFIED_ROUNDS = 3;
const UNCHANGED_ROUNDS = 7;
const IMAGE = 'bench/image';

export async function push(ground: Ground): Promise<Row[]> {
  await bare(ground);
  const { bootstrap, inputs } = await pushInputs(ground);
  await action(bootstrap);
  const restore = await acceptRegistry(ground.ip);
  try {
    return [...(await coldPush(ground, inputs)), ...(await unchangedPush(ground, inputs))];
  } finally {
    await removeImages();
    await restore();
  }
}

async function pushInputs(ground: Ground) {
  const bootstrap = { ...(await ownLogin(ground)), mode: 'bootstrap' };
  const inputs = {
    ...ground.basics,
    ...{ mode: 'push', 'registry-host': ground.ip, 'source-ranges': ground.subnet, image: IMAGE },
  };
  return { bootstrap, inputs };
}

async function coldPush({ ip }: Ground, inputs: Readonly<Record<string, string>>): Promise<Row[]> {
  const withImage = (kind: string, work: (tag: string) => Promise<number>) => async (round: number) => {
    const tag = `bench/${kind}-${round}`;
    await freshImage([IMAGE, `${ip}:5000/${tag}`]);
    return work(tag);
  };
  const plain = await sideBySide(PLAIN_ROUNDS, {
    'docker push': withImage('plain', (tag) => timedOnRunner(`docker push ${ip}:5000/${tag}`)),
    action: withImage('action', (tags) => main({ ...inputs, tags, verify: 'false' })),
  });
  const verified = await sideBySide(VERIFIED_ROUNDS, {
    'docker push, docker pull': withImage('pulled', async (tag) => {
      const there = await timedOnRunner(`docker push ${ip}:5000/${tag}`);
      await on('runner', `docker image rm --force ${IMAGE} ${ip}:5000/${tag} >/dev/null; sync`);
      return there + (await timedOnRunner(`docker pull ${ip}:5000/${tag}`));
    }),
    action: withImage('verified', (tags) => main({ ...inputs, tags })),
  });
  const push = { name: 'docker push', samples: plain['docker push'] };
  const pull = { name: 'docker push, docker pull', samples: verified['docker push, docker pull'] };
  return [
    comparison('push of 500 MB, verify: false', plain.action, push, { mostRatio: 1.02 }),
    comparison('push of 500 MB, verified (default)', verified.action, pull, { mostRatio: 1.05 }),
  ];
}

/** The image of the last measurement is in the registry already. */
async function unchangedPush({ ip }: Ground, inputs: Readonly<Record<string, string>>): Promise<Row[]> {
  const [tags, reference] = ['bench/unchanged', `${ip}:5000/bench/unchanged`];
  await freshImage([IMAGE, reference]);
  await on('runner', `docker push --quiet ${reference}`);
  const samples = await sideBySide(UNCHANGED_ROUNDS, {
    plain: () => timedOnRunner(`docker push ${reference}`),
    'push alone': () => main({ ...inputs, tags, 'configure-runner': 'false' }),
    'mode push': () => main({ ...inputs, tags }),
  });
  const plain = { name: 'docker push', samples: samples.plain };
  return [
    comparison('the same 500 MB again, verified', samples['push alone'], plain, { most: 0.5 }),
    comparison('… with a look at the runner’s daemon (default)', samples['mode push'], plain, { most: 0.5 }),
  ];
}

async function main(inputs: Readonly<Record<string, string>>): Promise<number> {
  return (await action(inputs)).seconds;
}

/** Five random layers of 100 MB on the runner, under these names and no other; nothing is left to be written out. */
export async function freshImage(names: readonly string[]): Promise<void> {
  await removeImages();
  await on(
    'runner',
    `cd "$(mktemp -d)"
     for layer in 1 2 3 4 5; do
       head -c 100000000 /dev/zero |
         openssl enc -aes-128-ctr -nosalt -pass "pass:$(cat /proc/sys/kernel/random/uuid)" 2>/dev/null >$layer
     done
     printf 'FROM scratch\\nCOPY 1 /\\nCOPY 2 /\\nCOPY 3 /\\nCOPY 4 /\\nCOPY 5 /\\nCMD ["/x"]\\n' >Dockerfile
     DOCKER_BUILDKIT=0 docker build --quiet ${names.map((name) => `--tag ${name}`).join(' ')} . >/dev/null 2>&1
     rm -rf "$PWD"
     sync`,
  );
}

/** Removes them, wherever they were to go. */
export async function removeImages(): Promise<void> {
  await on(
    'runner',
    `docker images --filter reference='bench/*' --filter reference='*/bench/*' --format '{{.Repository}}:{{.Tag}}' |
       xargs --no-run-if-empty docker image rm --force >/dev/null`,
  );
}

/** Lets the runner's daemon speak HTTP to the registry; what it returns puts its configuration back. */
async function acceptRegistry(ip: string): Promise<() => Promise<void>> {
  const file = '/etc/docker/daemon.json';
  const accepts = `docker info --format '{{json .RegistryConfig.IndexConfigs}}' | grep -qF '"${ip}:5000"'`;
  const wait = (condition: string) =>
    `for try in {1..100}; do if ${condition}; then break; fi; sleep 0.1; done; ${condition}`;
  const before = await on('runner', `[ ! -f ${file} ] || base64 -w 0 ${file}`);
  await on(
    'runner',
    `echo '{"insecure-registries": ["${ip}:5000"]}' >${file}; systemctl reload docker; ${wait(accepts)}`,
  );
  return async () => {
    await on(
      'runner',
      `echo '{"insecure-registries": []}' >${file}; systemctl reload docker; ${wait(`! ${accepts}`)}`,
    );
    await on(
      'runner',
      before === '' ? `rm ${file}` : `base64 -d <<<'${before}' >${file}; systemctl reload docker`,
    );
  };
}

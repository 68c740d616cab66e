// `route: ssh` against `ssh -L` of OpenSSH, from the same runner to the same registry: `docker push` and `docker pull` of
// 500 MB, each with an image of its own. The action's tunnel is used as people use it, by a later step of its job.
import { bare, FOLDER, type Ground, ownLogin, SSH, USER } from './ground.ts';
import { action, on, timedOnRunner } from './lab.ts';
import { sideBySide } from './measure.ts';
import { freshImage, removeImages } from './push.ts';
import { comparison, type Row } from './table.ts';

const ROUNDS = 5;
const PORT = 7000;
/** Noise of two cores that all machines share; the two are the same within it. */
const MOST_RATIO = 1.1;

export async function route(ground: Ground): Promise<Row[]> {
  await bare(ground);
  const { 'source-ranges': _ranges, 'firewall-rule': _rule, ...own } = await ownLogin(ground);
  const inputs = { ...own, route: 'ssh' };
  await action({ ...inputs, mode: 'bootstrap' });
  await on(
    'runner',
    `systemd-run --quiet --collect --unit bench-tunnel --uid runner ${SSH} -N -L 127.0.0.1:${PORT}:127.0.0.1:5000 ${USER}@${ground.ip}
     for try in {1..100}; do curl -fs -o /dev/null http://127.0.0.1:${PORT}/v2/ && break; sleep 0.1; done`,
  );
  try {
    return await measured(inputs);
  } finally {
    await removeImages();
    await on('runner', `systemctl stop bench-tunnel; rm -f ${FOLDER}/pushed`);
  }
}

async function measured(inputs: Readonly<Record<string, string>>): Promise<Row[]> {
  const pulls: Record<'openssh' | 'action', number[]> = { openssh: [], action: [] };
  const pushes = await sideBySide(ROUNDS, {
    async openssh(round) {
      const reference = `127.0.0.1:${PORT}/bench/openssh-${round}`;
      await freshImage([reference]);
      const pushed = await timedOnRunner(`docker push --quiet ${reference}`);
      await on('runner', `docker image rm --force ${reference} >/dev/null; sync`);
      pulls.openssh.push(await timedOnRunner(`docker pull --quiet ${reference}`));
      return pushed;
    },
    async action(round) {
      const name = `bench/action-${round}`;
      await freshImage([name]);
      const reference = `"$OUTPUT_endpoint/${name}"`;
      const { later } = await action({ ...inputs, mode: 'push', image: 'hello-world', tags: 'bench' }, [
        '--later',
        `docker tag ${name} ${reference}; TIMEFORMAT=%R
         time docker push --quiet ${reference} >/dev/null
         docker image rm --force ${name} ${reference} >/dev/null; sync
         time docker pull --quiet ${reference} >/dev/null`,
      ]);
      const [pushed = Number.NaN, pulled = Number.NaN] = (later?.output ?? '').split('\n').map(Number);
      pulls.action.push(pulled);
      return pushed;
    },
  });
  const most = { mostRatio: MOST_RATIO };
  const through = (samples: readonly number[]) => ({ name: 'through `ssh -L`', samples });
  return [
    comparison('docker push of 500 MB, route: ssh', pushes.action, through(pushes.openssh), most),
    comparison('docker pull of 500 MB, route: ssh', pulls.action, through(pulls.openssh), most),
  ];
}

// Cold run: a bare instance in a new project becomes a registry with its UI. Beside it, bench/plain/cold.sh does the
// same to the instance over one ssh, without firewall, host-key check against Google, or any look at what is there.
import { bare, FOLDER, type Ground, ownLogin, SSH, USER } from './ground.ts';
import { action, CHECKOUT, timedOnRunner } from './lab.ts';
import { sideBySide } from './measure.ts';
import { comparison, type Row } from './table.ts';

const ROUNDS = 3;

export async function cold(ground: Ground): Promise<Row[]> {
  const samples = await sideBySide(ROUNDS, {
    action: async () => {
      await bare(ground);
      return (await action({ ...(await ownLogin(ground)), mode: 'bootstrap' })).seconds;
    },
    script: async () => {
      await bare(ground);
      await ownLogin(ground);
      return timedOnRunner(
        `cd ${FOLDER} && ${SSH} ${USER}@${ground.ip} sudo bash -s <${CHECKOUT}/bench/plain/cold.sh`,
      );
    },
  });
  const other = { name: 'plain script over ssh', samples: samples.script };
  return [comparison('cold run, bare VM → registry and UI', samples.action, other, { mostRatio: 1.15 })];
}

// Waiting for Google: with operations of 5 s and a guest agent that takes a key after 5 s more, how much of the waiting
// of a warm run overlaps. Beside each run is what it would take if every wait came after the other.
import { bare, type Ground, ownLogin } from './ground.ts';
import { action, lab } from './lab.ts';
import { comparison, type Row } from './table.ts';

/** Usual on Google Cloud, in seconds. */
const OPERATION = 5;
const KEY = 5;

export async function waits(ground: Ground): Promise<Row[]> {
  await bare(ground);
  const image = { image: 'hello-world', tags: 'test' };
  const standing = { ...(await ownLogin(ground)), ...image };
  const ownKey = { ...standing, 'source-ranges': 'runner' };
  const byDefault = { ...ground.basics, ...image };
  const first = await seconds(byDefault);
  for (const inputs of [standing, ownKey, byDefault]) await seconds(inputs);
  await lab(['fault', 'operation-slow', String(OPERATION)]);
  await lab(['fault', 'key-lag', String(KEY)]);
  try {
    const opening = await seconds(ownKey);
    const both = await seconds(byDefault);
    await bare(ground);
    const cold = await seconds(byDefault);
    return [
      row('warm, own key: opening', opening, OPERATION),
      row('warm, default: key, guest agent, opening', both, 2 * OPERATION + KEY),
      // The network tag and, at the end of a run in which nobody else waits, all of its own set-up.
      row('bare VM, default: key, guest agent, tag, opening, set-up', cold, 3 * OPERATION + KEY + first),
    ];
  } finally {
    await lab(['fault', 'clear']);
  }
}

async function seconds(inputs: Readonly<Record<string, string>>): Promise<number> {
  return (await action(inputs)).seconds;
}

function row(what: string, ours: number, added: number): Row {
  return comparison(`${what}, of ${OPERATION} s each`, [ours], {
    name: 'the waits one after another',
    samples: [added],
  });
}

// A timeline of the main step of one warm run with default inputs, from what others saw of it: the Compute API and the
// token endpoint, sshd and the guest agent, the registry, and the runner's Docker daemon.
import { bare, type Ground } from './ground.ts';
import { action, control, on } from './lab.ts';

/** Something that was seen, and when: milliseconds since 1970. */
interface Event {
  readonly at: number;
  readonly who: string;
  readonly what: string;
}

/** Prints one line an event, with the milliseconds since the start of the step and since the event before. */
export async function trace(ground: Ground): Promise<never[]> {
  await bare(ground);
  const inputs = { ...ground.basics, image: 'hello-world', tags: 'test' };
  await on('runner', 'docker image inspect hello-world >/dev/null 2>&1 || docker pull --quiet hello-world');
  for (let warmUp = 0; warmUp < 3; warmUp += 1) await action(inputs);
  await on('runner', 'rm -rf /home/runner/work/job-*');
  const last = (await control<Call[]>(ground.socket, 'GET', '/log?after=0&service=all')).at(-1)?.n ?? 0;
  await action(inputs, ['--keep']);
  const [began, ended] = await span();
  const events = (await Promise.all([calls(ground, last), journal(ground), registry(ground), docker(began)]))
    .flat()
    .filter(({ at }) => at >= began && at <= ended);
  events.push(
    { at: began, who: 'runner', what: 'Node starts' },
    { at: ended, who: 'runner', what: 'Node has ended' },
  );
  let before = began;
  for (const { at, who, what } of events.sort((a, b) => a.at - b.at)) {
    console.log(`${pad(at - began)} ms ${pad(at - before)}  ${who.padEnd(12)} ${what}`);
    before = at;
  }
  return [];
}

interface Call {
  readonly n: number;
  readonly time: string;
  readonly service: string;
  readonly method: string;
  readonly path: string;
}

async function calls({ socket }: Ground, after: number): Promise<Event[]> {
  const answered = await control<Call[]>(socket, 'GET', `/log?after=${after}&service=all`);
  return answered.map(({ time, service, method, path }) => ({
    at: Date.parse(time),
    who: service,
    what: `${method} ${path.replace(/\?.*/, '').replace(/^\/compute\/v1\/projects\/[^/]+/, '')} answered`,
  }));
}

/** When the step began and ended, by the files that the lab writes then. */
async function span(): Promise<[number, number]> {
  const text = await on(
    'runner',
    'stat --format=%.Y /home/runner/work/job-*/main/pid /home/runner/work/job-*/main/usage',
  );
  const [began = 0, ended = 0] = text.split('\n').map((seconds) => Number(seconds) * 1000);
  return [began, ended];
}

async function journal({ instance }: Ground): Promise<Event[]> {
  const text = await on(
    instance,
    'journalctl --lines=200 --output=json --output-fields=MESSAGE,SYSLOG_IDENTIFIER | grep -E "sshd|google_guest_agent"',
  );
  return text.split('\n').map((line) => {
    const entry = JSON.parse(line) as Record<string, string>;
    const what = String(entry.MESSAGE).slice(0, 90);
    return {
      at: Number(entry.__REALTIME_TIMESTAMP) / 1000,
      who: String(entry.SYSLOG_IDENTIFIER).slice(0, 12),
      what,
    };
  });
}

async function registry({ instance }: Ground): Promise<Event[]> {
  const text = await on(
    instance,
    'docker logs --timestamps --tail 100 gce-registry-registry-1 2>&1 | grep -F \'"GET /v2/\\|"HEAD /v2/\\|"PUT \' || docker logs --timestamps --tail 40 gce-registry-registry-1 2>&1',
  );
  return text.split('\n').flatMap((line) => {
    const [time = ''] = line.split(' ');
    const request = /"((?:GET|HEAD|PUT|POST|PATCH) \S+)/.exec(line)?.[1];
    return request === undefined ? [] : [{ at: Date.parse(time), who: 'registry', what: request }];
  });
}

async function docker(began: number): Promise<Event[]> {
  const since = (began / 1000).toFixed(3);
  const text = await on(
    'runner',
    `docker events --since ${since} --until 0s --format '{{.TimeNano}} {{.Type}} {{.Action}} {{.Actor.ID}}'`,
  );
  return text.split('\n').flatMap((line) => {
    const [nanoseconds, ...what] = line.split(' ');
    return line === ''
      ? []
      : [{ at: Number(nanoseconds) / 1e6, who: 'dockerd', what: what.join(' ').slice(0, 80) }];
  });
}

function pad(ms: number): string {
  return ms.toFixed(0).padStart(5);
}

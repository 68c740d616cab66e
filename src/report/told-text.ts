import type { FrontReplacement } from '../instance/remote/front-replacement';
import { forAuthority, forPlainHttp } from './first-pull';
import { type Movement, type Told, toldOf } from './told';

/** A part of the summary that can be forwarded as it is. */
export interface ToldPart {
  /** Markdown; empty: there is nothing to tell. */
  readonly lines: readonly string[];
  /** It says how a machine accepts the registry. */
  readonly saysHowToPull: boolean;
}

/**
 * What others have to be told after a run, or would have to be.
 *
 * @param movement null: it is reached as before, or there was none before
 */
export function toldPart(movement: Movement | null, onlyPlanned: boolean): ToldPart {
  if (movement === null) return { lines: [], saysHowToPull: false };
  const told = toldOf(movement);
  const { front } = movement;
  const isWorth = told.length > 0 || front?.kind === 'in-place';
  const saysHowToPull = told.some(({ kind }) => kind === 'trust' || kind === 'plain');
  if (!isWorth) return { lines: [], saysHowToPull };
  const title = onlyPlanned ? 'What others would have to be told' : 'What others have to be told';
  const hasIPv6 = movement.addresses.some((address) => address.includes(':'));
  const meanwhile = onlyPlanned ? [] : [whatHappened(front, hasIPv6)];
  return { lines: [`#### ${title}`, ...told.map(textOf), ...meanwhile], saysHowToPull };
}

function textOf(told: Told): string {
  switch (told.kind) {
    case 'ssh-alone':
      return 'Nothing but SSH leads to the registry now: it opens no port, and other machines do not pull from it any more.';
    case 'moved':
      return (
        `**The registry has another address**: \`${told.from}\` is now \`${told.to}\`. The images are the same, under the ` +
        `same names and digests: put \`${told.to}/\` in place of \`${told.from}/\` wherever an image is named, and log in to ` +
        `the new address where there are logins. ${OLD_REFERENCE[told.old]}`
      );
    case 'other-names':
      return (
        `The certificate is not for ${list(told.references)}: whoever called the registry that calls it \`${told.to}\` ` +
        'now, under which its images are the same.'
      );
    case 'page-moved':
      return `The page is at ${told.to} now, and was at ${told.from}. ${OLD_PAGE[told.old]}`;
    case 'page-gone':
      return `There is no page at ${told.from} any more.`;
    case 'tls':
      return tlsText(told);
    case 'plain':
      return plainText(told);
    case 'trust':
      return trustText(told);
    case 'trust-ends':
      return (
        `What machines were told to trust for \`${told.from}\` is of no use any more and can go: ` +
        `\`sudo rm -r '/etc/docker/certs.d/${told.from}'\`.`
      );
    case 'logins':
      return (
        `**It takes a login now**: \`docker login ${told.to}\`, with a name and a password from the registry's owner. ` +
        (told.anonymousPull ? 'Pulling an image goes without.' : 'Without one nothing can be pulled.')
      );
    case 'logins-gone':
      return 'It takes no login any more: whoever reaches it may pull, push and delete.';
    case 'access-taken':
      return accessText(told);
    case 'pull-closed':
      return `Pulling takes a login now as well: \`docker login ${told.to}\`.`;
  }
}

const OLD_REFERENCE = {
  closed: 'Nothing answers at the old one.',
  refused: 'The old one leads there as well, and the certificate is not for it.',
  answers: 'The old one still answers.',
};

const OLD_PAGE = {
  closed: 'Nothing answers at the old address.',
  refused: 'The old address does not work any more.',
  answers: 'The old address still answers.',
  'led on': 'A browser that asks for the old address is led on.',
};

/** https://docs.docker.com/reference/cli/dockerd/#insecure-registries */
function tlsText({ references, isPublic }: Extract<Told, { kind: 'tls' }>): string {
  const rest = isPublic
    ? 'They have to trust nothing anew: the certificate is by an authority that they trust anyway.'
    : 'Then they have to trust it, as below.';
  return (
    `**The registry speaks TLS now.** On each machine that pulls, remove ${list(references, 'or')} from \`insecure-registries\` in ` +
    '`/etc/docker/daemon.json`, then `sudo systemctl reload docker`: as long as it is there, Docker looks at no certificate, ' +
    'and does not say so. Where Podman, containerd or BuildKit were told of plain HTTP, docs/clients.md has the places. ' +
    rest
  );
}

function plainText({ to, instead, endsTls }: Extract<Told, { kind: 'plain' }>): string {
  const what = endsTls
    ? '**The registry speaks plain HTTP now**, and Docker refuses that unless it is told to accept it.'
    : `Docker is to accept plain HTTP from \`${to}\`, in place of \`${instead}\`.`;
  return [`${what} On each machine that pulls:`, '', ...forPlainHttp(to)].join('\n');
}

function trustText({ to, authority, isAnother }: Extract<Told, { kind: 'trust' }>): string {
  const what = isAnother
    ? '**Another certificate authority signs for the registry now**, and each machine that pulls has to trust it in place of ' +
      'the one before. Where an address that changed was the reason, a reserved one, or a name in `registry-host`, keeps it ' +
      'from happening again.'
    : `Each machine that pulls has to trust the certificate authority of \`${to}\`.`;
  if (authority === '') return `${what} Its certificate is in the summary of the run that makes it.`;
  return [what, '', ...forAuthority(to, authority)].join('\n');
}

function accessText({ removed, reduced }: Extract<Told, { kind: 'access-taken' }>): string {
  const one = (count: number) => `${count} ${count === 1 ? 'login' : 'logins'}`;
  return [
    ...(removed === 0 ? [] : [`${one(removed)} of before ${removed === 1 ? 'is' : 'are'} refused.`]),
    ...(reduced === 0 ? [] : [`${one(reduced)} of before may only pull.`]),
  ].join(' ');
}

/** Of the change itself, by what the instance said of it. Connections by IPv6 are not handed over. */
function whatHappened(front: FrontReplacement | null, hasIPv6: boolean): string {
  if (front === null) return 'While this was changed, the front went on: its container was not replaced.';
  if (front.kind === 'handed-over') {
    return (
      'While this was changed, a second front took new connections, so that no request was refused' +
      (hasIPv6
        ? ' that came by IPv4 (who came by IPv6 had no answer for a time that was not measured)'
        : '') +
      (front.drained
        ? ', and transfers that were going on came to their end.'
        : '; transfers that were not done within 10 min were cut off.')
    );
  }
  const away = front.awayMs === null ? 'for a time that was not measured' : `for ${seconds(front.awayMs)} s`;
  return `While this was changed, the front was replaced without a hand-over: the registry did not answer ${away}.`;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}

function list(references: readonly string[], and = 'and'): string {
  const quoted = references.map((each) => `\`${each}\``);
  return [quoted.slice(0, -1).join(', '), quoted.at(-1)].filter((part) => part !== '').join(` ${and} `);
}

import { ActionError, type Problem } from '../../values/errors';
import { excerpt } from '../../values/show';

/** As the front's log has it: `HTTP 429 urn:ietf:params:acme:error:rateLimited - …`. */
const PROBLEM = /urn:ietf:params:acme:error:(\w+)/;

/** Where the challenge could not be fetched, or what was fetched is not its answer. */
const UNVERIFIED = ['connection', 'dns', 'unauthorized', 'incorrectResponse', 'tls'];

/** Of the authority itself, or of what keeps the front from it. */
const AWAY = ['serverInternal', 'badNonce'];

/**
 * The error for a front that got no certificate, by what the certificate authority says:
 * https://www.rfc-editor.org/rfc/rfc8555#section-6.7
 *
 * @param lines the end of the step's output; the last one that tells something counts
 */
export function certificateRefused(
  lines: readonly string[],
  { doing, happened }: Omit<Problem, 'next'>,
): ActionError {
  const line = lines.findLast((each) => each.startsWith(SAID));
  if (line === undefined) {
    return new ActionError('No certificate yet', {
      doing,
      happened,
      next: 'The front goes on trying; `sudo docker logs gce-registry-front-1` on the instance says how far it is. Run again later',
    });
  }
  const said = { doing, happened: excerpt(line.slice(SAID.length)) };
  const [, type] = PROBLEM.exec(line) ?? [];
  if (type === 'rateLimited') return limited(line, said);
  if (type === undefined || AWAY.includes(type)) {
    return new ActionError('Certificate authority not reachable', {
      ...said,
      next: 'Check that the instance reaches `acme-directory` over HTTPS, and the status page of the authority (https://letsencrypt.status.io); then run again. The front goes on trying meanwhile',
    });
  }
  if (UNVERIFIED.includes(type)) {
    return new ActionError('Certificate authority cannot verify the address', {
      ...said,
      next: 'Check that the DNS of the name has the external address of the instance and no other (also no AAAA of another machine), and that nothing between the internet and port 80 of the instance drops or answers what comes: rules with a higher priority, a firewall of the instance itself. Each failed try counts towards a limit of the authority',
    });
  }
  return new ActionError('Certificate authority refuses', {
    ...said,
    next: 'See what it says: the name, `acme-email` or a CAA record can be the reason; another name in `registry-host`, another `acme-directory`, or `tls: private-ca` are ways around it',
  });
}

/** What `step_obtain_certificate` of scripts/certificates.sh puts before what the front's log says. */
const SAID = 'The front got no certificate: ';

/** Let's Encrypt's words name the time: https://letsencrypt.org/docs/rate-limits/ */
function limited(line: string, said: Omit<Problem, 'next'>): ActionError {
  const [, time] = /retry after ([0-9][0-9:TZ +-]+(?:UTC)?)/.exec(line) ?? [];
  const when = time === undefined ? 'Wait until the limit ends' : `Wait until ${time.trim()}`;
  return new ActionError('Certificate authority limits requests', {
    ...said,
    next: `${when}, and run again; limits are for a name, an address or an account (https://letsencrypt.org/docs/rate-limits/). Meanwhile \`tls: private-ca\` works, or another name`,
  });
}

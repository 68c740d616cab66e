import type { Compute } from '../google/compute';
import type { GoogleContext } from '../google/context';
import type { InstanceName } from '../google/google-compute';
import type { CredentialsSettings } from '../settings/types';
import { RESOURCE_NAME } from '../values/names';
import { type Check, isWord, orNull, text } from './well-formed';

/**
 * With which credentials the main step worked: which kind, and in which file they were. The secrets themselves are not
 * kept: the post step takes them from where they were.
 */
export interface CredentialsHint {
  readonly kind: CredentialsSettings['kind'];
  /** The file of the Application Default Credentials; null where the inputs held the credentials. */
  readonly file: string | null;
  readonly universeDomain: string;
}

/** The instance that something of Google's was taken for, and how to get there. */
export interface GooglePlace extends InstanceName {
  readonly credentials: CredentialsHint;
}

export function credentialsHint(
  { kind }: CredentialsSettings,
  { credentialsFile, universeDomain }: GoogleContext,
): CredentialsHint {
  return { kind, file: kind === 'adc' ? credentialsFile : null, universeDomain };
}

/** One set of credentials, with the context in which they are read. */
export interface Candidate {
  readonly credentials: CredentialsSettings;
  readonly context: GoogleContext;
}

/**
 * The credentials that the post step can try, the likeliest first. GitHub evaluates the inputs again for it, and then
 * they may be empty or those of another action (actions/runner issues 2800, 3514: composite actions), and a later step of the job may have set other Application Default
 * Credentials: so first come those that the main step used, from the input or the file that they were in, and then
 * what there is now. Which instance and project they are used for stands in the records.
 *
 * @param input what the inputs `credentials-json` and `access-token` say now; null where they cannot be read
 */
export function candidatesFor(
  { kind, file, universeDomain }: CredentialsHint,
  input: CredentialsSettings | null,
  now: GoogleContext,
): readonly Candidate[] {
  const context = { ...now, universeDomain };
  const given = input === null || input.kind === 'adc' ? [] : [{ credentials: input, context }];
  const files = [kind === 'adc' ? file : null, now.credentialsFile].filter((path) => path !== null);
  const inFiles = [...new Set(files)].map((credentialsFile) => ({
    credentials: { kind: 'adc' as const },
    context: { ...context, credentialsFile },
  }));
  return kind === 'adc' ? [...inFiles, ...given] : [...given, ...inFiles];
}

/** Opens the way to Google Cloud with one set of credentials. */
export type OpenGoogle = (candidate: Candidate, place: InstanceName) => Promise<Compute>;

/** With the domain that old projects have: `example.com:name`. */
export const isProject = text(/^([a-z0-9.-]{1,63}:)?[a-z0-9][-a-z0-9]*$/);

/** The fields of a place in a record, and how they have to look. */
export const GOOGLE_PLACE: Readonly<Record<string, Check>> = {
  project: isProject,
  zone: text(RESOURCE_NAME),
  instance: text(RESOURCE_NAME),
  credentials: (value) => {
    const { kind, file, universeDomain } = (value ?? {}) as Partial<CredentialsHint>;
    const isKind = ['json', 'access-token', 'adc'].includes(String(kind));
    return isKind && orNull(isWord)(file) && text(/^[a-z0-9.-]+$/)(universeDomain);
  },
};

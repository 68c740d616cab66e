import { type Call, param, readBody } from './call.ts';
import { ApiError, invalidField } from './errors.ts';
import { fingerprint, isSameFingerprint } from './fingerprint.ts';
import type { JsonObject } from './merge-patch.ts';
import type { Operation } from './operations.ts';
import type { Labels } from './storage.ts';

/** https://cloud.google.com/compute/docs/labeling-resources#restrictions */
const MOST_LABELS = 64;
const KEY = /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u;
const VALUE = /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u;

/** Labels of a message. Throws the API's 400. */
export function checkLabels(field: string, value: unknown): Labels {
  const labels = Object.entries((value ?? {}) as Readonly<Record<string, string>>);
  if (labels.length > MOST_LABELS)
    throw invalidField(field, String(labels.length), `At most ${MOST_LABELS} labels.`);
  for (const [key, text] of labels) {
    if (!KEY.test(key))
      throw invalidField(`${field}.key`, key, 'Must be at most 63 lowercase letters, digits, - and _.');
    if (!VALUE.test(text))
      throw invalidField(`${field}[${key}]`, text, 'Must be at most 63 lowercase letters, digits, - and _.');
  }
  return Object.fromEntries(labels);
}

/** Changes with the labels, and only with them. */
export function labelFingerprint(labels: Labels): string {
  return fingerprint(Object.entries(labels).sort());
}

/** How labels stand in a message: left out where there are none. */
export function renderLabels(labels: Labels): JsonObject {
  return {
    ...(Object.keys(labels).length > 0 && { labels }),
    labelFingerprint: labelFingerprint(labels),
  };
}

/**
 * setLabels of a resource: replaces them all, and needs the fingerprint of those that there are.
 *
 * @param type of the request's body
 */
export function setLabels(
  call: Call,
  type: 'ZoneSetLabelsRequest' | 'GlobalSetLabelsRequest',
  resource: { readonly id: string; labels: Labels },
  where: { readonly project: string; readonly zone: string | null; readonly link: string },
): Operation {
  const body = readBody(call, type);
  const labels = checkLabels('labels', body.labels);
  const check = (): void => {
    if (!isSameFingerprint(body.labelFingerprint, labelFingerprint(resource.labels))) throw mismatch();
  };
  check();
  return call.operations.start({
    project: where.project,
    zone: where.zone,
    type: 'setLabels',
    target: { link: where.link, id: resource.id },
    user: call.principal.email,
    requestId: call.requestId,
    work: () => {
      check();
      resource.labels = labels;
    },
  });
}

/** The words are those of terraform-provider-google issue 4560. */
function mismatch(): ApiError {
  const message = 'Labels fingerprint either invalid or resource labels have changed';
  return new ApiError(412, [
    { message, domain: 'global', reason: 'conditionNotMet', location: 'If-Match', locationType: 'header' },
  ]);
}

/** The variable by which setLabels names its resource. */
export const labelled = (call: Call): string => param(call, 'resource');

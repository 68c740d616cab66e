import { OperationFailure, readApiError, transience } from '../../../src/google/api-error';
import { answer, html, noAnswer } from './fakes';

test.each<[string, unknown, 'outage' | 'rate' | null]>([
  ['503', answer(503, 'backendError'), 'outage'],
  ['502', answer(502, ''), 'outage'],
  ['500', answer(500, 'internalError'), 'outage'],
  ['a page of HTML with 502', html(502), 'outage'],
  ['no answer', noAnswer(), 'outage'],
  ['deadline', Object.assign(new Error('late'), { code: 4 }), 'outage'],
  ['not ready', answer(400, 'resourceNotReady'), 'outage'],
  ['429', answer(429, ''), 'rate'],
  ['rate limit', answer(403, 'rateLimitExceeded'), 'rate'],
  ['concurrent operations', answer(403, 'CONCURRENT_OPERATIONS_QUOTA_EXCEEDED'), 'rate'],
  ['forbidden', answer(403, 'forbidden'), null],
  ['quota', answer(403, 'quotaExceeded'), null],
  ['not found', answer(404, 'notFound'), null],
  ['conflict', answer(412, 'conditionNotMet'), null],
  ['a page of HTML with 200', Object.assign(new Error('x'), { code: 14, cause: new SyntaxError('<') }), null],
  ['a bug', new TypeError('x is not a function'), null],
  ['no error at all', 'text', null],
])('%s: %p', (_name, thrown, expected) => {
  expect(transience(readApiError(thrown))).toBe(expected);
});

test('the reason comes from the payload', () => {
  expect(readApiError(answer(412, 'conditionNotMet', 'Supplied fingerprint does not match'))).toEqual({
    status: 412,
    reason: 'conditionNotMet',
    message: 'Supplied fingerprint does not match',
    unreachable: false,
    malformed: false,
  });
});

test('the reason of newer errors is in their details', () => {
  const body = {
    error: { code: 403, message: 'off', details: [{ '@type': 'a' }, { reason: 'SERVICE_DISABLED' }] },
  };
  const thrown = Object.assign(new Error('off'), { [Symbol.for('google-gax.rawHttpResponsePayload')]: body });
  expect(readApiError(thrown)).toMatchObject({ status: 403, reason: 'SERVICE_DISABLED' });
});

test('the failure of an operation is its own error', () => {
  const error = readApiError(answer(404, 'RESOURCE_NOT_FOUND'));
  expect(readApiError(new OperationFailure(error))).toBe(error);
});

import { explain, missingPermission } from '../../../src/google/failures';
import { answer, html, noAnswer } from './fakes';

const CALL = { doing: 'adding firewall rule r', project: 'p', permission: 'compute.firewalls.create' };

test.each<[string, Error, string, string]>([
  [
    'the permission that Google names',
    answer(
      403,
      'forbidden',
      "Required 'compute.networks.updatePolicy' permission for 'projects/host/global/networks/n'",
    ),
    'A permission is missing in Google Cloud',
    'the credentials lack compute.networks.updatePolicy in project host',
  ],
  [
    'the permission of the call where Google names none',
    answer(403, 'forbidden', 'Forbidden'),
    'A permission is missing in Google Cloud',
    'the credentials lack compute.firewalls.create in project p',
  ],
  [
    'the right to act as the service account of the instance',
    answer(
      400,
      'invalid',
      "The user does not have access to service account 'vm@p.iam.gserviceaccount.com'.  User: 'ci@p.iam.gserviceaccount.com'.  Ask a project owner to grant you the iam.serviceAccountUser role on the service account",
    ),
    'The credentials may not act as the service account of the instance',
    'add-iam-policy-binding vm@p.iam.gserviceaccount.com --member=serviceAccount:ci@p.iam.gserviceaccount.com --role=roles/iam.serviceAccountUser',
  ],
  [
    'the same where Google names nobody',
    answer(400, 'invalid', 'The user does not have access to service account'),
    'The credentials may not act as the service account of the instance',
    'ACCOUNT_OF_THESE_CREDENTIALS lacks iam.serviceAccounts.actAs',
  ],
  ['an API that is off', answer(403, 'accessNotConfigured'), 'The Compute Engine API is not enabled', ''],
  ['a token that is not good', answer(401, 'authError'), 'Google did not accept the credentials', ''],
  ['a missing thing', answer(404, 'notFound'), 'Not found in Google Cloud', ''],
  ['a quota', answer(403, 'quotaExceeded'), 'Google Cloud quota reached', ''],
  ['a refusal', answer(400, 'invalid', 'bad field'), 'The Compute API refused the request', '"bad field"'],
  ['no answer', noAnswer('ECONNREFUSED'), 'The Compute API cannot be reached', 'ECONNREFUSED'],
  ['a page of HTML', html(200), 'Unexpected answer from the Compute API', ''],
])('%s', (_name, thrown, title, text) => {
  const error = explain(thrown, CALL) as Error;
  expect(error).toMatchObject({ title, cause: thrown });
  expect(error.message).toContain(text);
});

test('the message of the API is shown escaped', () => {
  const error = explain(answer(400, 'invalid', 'a\n::set-output name=x::y\u001b[31m'), CALL) as Error;
  expect(error.message).not.toContain('\n');
  expect(error.message).not.toContain('\u001b');
});

test('what is no failed call stays as it is', () => {
  const bug = new TypeError('x');
  expect(explain(bug, CALL)).toBe(bug);
});

test('a permission without a project is one in the project of the call', () => {
  expect(missingPermission("Required 'compute.instances.get' permission", CALL)).toEqual({
    permission: 'compute.instances.get',
    project: 'p',
  });
});

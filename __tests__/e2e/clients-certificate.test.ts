import { ownCertificate } from './certificates';
import { bareWithClients, everyClient } from './clients-story';

// Every client with a certificate that is given, by an authority that nobody knows.

jest.setTimeout(300_000);

beforeAll(bareWithClients);

everyClient({
  kind: 'certificate',
  address: ({ host }) => host,
  given: async ({ host }) => ({ ...(await ownCertificate(`DNS:${host}`)), 'registry-host': host }),
});

import { bareWithClients, everyClient, type KindOfTls } from './clients-story';

// Every client with certificates of Let's Encrypt, for a name and for the bare address.

jest.setTimeout(300_000);

beforeAll(bareWithClients);

const KINDS: readonly KindOfTls[] = [
  {
    kind: 'a name',
    address: ({ host }) => host,
    given: ({ host }) => ({ tls: 'acme', 'registry-host': host }),
  },
  { kind: 'the bare address', address: ({ ip }) => ip, given: () => ({ tls: 'acme' }) },
];

describe.each(KINDS)('$kind', everyClient);

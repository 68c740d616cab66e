import type { Log } from '../job/log';
import { type CredentialJson, record } from './trust';

/** What the action needs of an AuthClient of google-auth-library; the Compute clients take it as it is. */
export interface AuthClient {
  universeDomain: string;
  scopes?: string[];
  getAccessToken(): Promise<unknown>;
  fetch(url: unknown, init?: object): Promise<unknown>;
  setCredentials(credentials: { access_token: string }): void;
  on(event: 'tokens', listener: (tokens: TokenSet) => void): unknown;
  readonly transporter: {
    readonly interceptors: {
      readonly request: {
        add(interceptor: { resolved(config: RequestConfig): Promise<RequestConfig> }): void;
      };
    };
  };
}

interface TokenSet {
  readonly access_token?: string | null;
  readonly id_token?: string | null;
  readonly refresh_token?: string | null;
}

interface RequestConfig {
  readonly data?: unknown;
}

interface PoolClient extends AuthClient {
  retrieveSubjectToken(): Promise<string>;
  getImpersonatedAccessToken(token: string): Promise<unknown>;
}

const SCOPES = ['https://www.googleapis.com/auth/cloud-platform'];

// `require`: each kind of credentials loads the one client that it takes, and nothing else.

/** A ready access token. */
export function tokenClient(token: string, universeDomain: string): AuthClient {
  const { OAuth2Client } = require('google-auth-library/build/src/auth/oauth2client.js') as {
    OAuth2Client: new (options: object) => AuthClient;
  };
  const client = new OAuth2Client({ universeDomain });
  client.setCredentials({ access_token: token });
  return heedingProxies(client);
}

/** The key of a service account. */
export function keyClient(json: CredentialJson, log: Log): AuthClient {
  const { JWT } = require('google-auth-library/build/src/auth/jwtclient.js') as {
    JWT: new (options: object) => AuthClient & { fromJSON(json: CredentialJson): void };
  };
  const client = new JWT({ scopes: SCOPES });
  client.fromJSON(json);
  client.transporter.interceptors.request.add({
    async resolved(config) {
      if (config.data instanceof URLSearchParams) maskIf(config.data.get('assertion'), log);
      return config;
    },
  });
  return masked(client, log);
}

/** A user's refresh token, as `gcloud auth application-default login` leaves it. */
export function userClient(json: CredentialJson, log: Log): AuthClient {
  const { UserRefreshClient } = require('google-auth-library/build/src/auth/refreshclient.js') as {
    UserRefreshClient: new () => AuthClient & { fromJSON(json: CredentialJson): void };
  };
  const client = new UserRefreshClient();
  client.fromJSON(json);
  return masked(client, log);
}

/**
 * Workload identity federation. The tokens on the way to the last one (GitHub's, and the federated one that is
 * exchanged for a service account's) never reach the `tokens` event, so they are masked where they pass.
 */
export function poolClient(json: CredentialJson, log: Log): AuthClient {
  const { IdentityPoolClient } = require('google-auth-library/build/src/auth/identitypoolclient.js') as {
    IdentityPoolClient: new (options: CredentialJson) => PoolClient;
  };
  class MaskingPoolClient extends IdentityPoolClient {
    override async retrieveSubjectToken(): Promise<string> {
      const token = await super.retrieveSubjectToken();
      maskIf(token, log);
      return token;
    }

    override async getImpersonatedAccessToken(token: string): Promise<unknown> {
      maskIf(token, log);
      return super.getImpersonatedAccessToken(token);
    }
  }
  const client = new MaskingPoolClient(json);
  client.scopes = SCOPES;
  return masked(client, log);
}

/**
 * gax gives each request an agent of its own, which keeps gaxios from going through HTTPS_PROXY and around NO_PROXY.
 * Without one it does, and Node's own agent keeps connections alive as well.
 */
function heedingProxies<Client extends AuthClient>(client: Client): Client {
  const fetch = client.fetch.bind(client);
  client.fetch = (url, init) => fetch(url, { ...init, agent: undefined });
  return client;
}

function masked<Client extends AuthClient>(client: Client, log: Log): Client {
  client.on('tokens', (tokens) => {
    for (const token of [tokens.access_token, tokens.id_token, tokens.refresh_token]) maskIf(token, log);
  });
  return heedingProxies(client);
}

/** Masks all that is secret in a credential configuration, in the forms that it can be printed in. */
export function maskSecrets(json: CredentialJson, log: Log): void {
  for (const field of ['private_key', 'refresh_token', 'client_secret']) maskForms(json[field], log);
  const headers = record(record(json.credential_source)?.headers) ?? {};
  for (const value of Object.values(headers)) {
    maskForms(value, log);
    if (typeof value === 'string') maskIf(/^bearer +(.+)$/i.exec(value)?.[1], log);
  }
}

function maskForms(value: unknown, log: Log): void {
  if (typeof value !== 'string') return;
  maskIf(value, log);
  if (!value.includes('\n')) return;
  // As JSON writes it, and line by line, which is how it would show up in a log.
  maskIf(JSON.stringify(value).slice(1, -1), log);
  for (const line of value.split('\n')) if (!line.startsWith('-----')) maskIf(line.trim(), log);
}

/** A short text is no secret, and to mask it would blacken the log. */
function maskIf(secret: string | null | undefined, log: Log): void {
  if (secret && secret.length >= 8) log.mask(secret);
}

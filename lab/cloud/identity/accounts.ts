import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import { isSignedBy, isTimely, type Jwt, parseJwt, signJwt } from './jwt.ts';
import { type Principal, Tokens } from './principals.ts';

const ISSUER = 'https://token.actions.githubusercontent.com';
const JOB_REPOSITORY = 'octo-org/octo-repo';

interface ServiceAccount {
  readonly principal: Principal;
  /** Public part of the key; null when it has none. */
  readonly key: KeyObject | null;
}

/** A workload identity pool's provider, and the service account that its tokens may impersonate (null: none). */
interface Provider {
  readonly audience: string;
  readonly federated: Principal;
  readonly impersonates: string | null;
}

/** What the lab knows of identities: service accounts, federation and refresh tokens, all made on demand. */
export class Accounts {
  readonly tokens = new Tokens();
  private readonly project: string;
  private readonly projectNumber: string;
  private readonly serviceAccounts = new Map<string, ServiceAccount>();
  private readonly providers = new Map<string, Provider>();
  private readonly refreshTokens = new Map<
    string,
    { clientId: string; clientSecret: string; principal: Principal }
  >();
  private readonly requestTokens = new Set<string>();
  private readonly issuerKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  private readonly issuerKid = randomUUID();
  private readonly idTokens: string[] = [];
  private count = 0;

  constructor(project: string, projectNumber: string) {
    this.project = project;
    this.projectNumber = projectNumber;
  }

  /** A service-account key, in the form in which Google hands it out. */
  makeServiceAccountKey(permissions: readonly string[] | undefined): object {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const email = this.addServiceAccount(permissions, publicKey);
    return {
      type: 'service_account',
      project_id: this.project,
      private_key_id: randomBytes(20).toString('hex'),
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      client_email: email,
      client_id: String(BigInt(`0x${randomBytes(8).toString('hex')}`)).padStart(21, '1'),
      auth_uri: 'https://accounts.google.com/o/oauth2/auth',
      token_uri: 'https://oauth2.googleapis.com/token',
      auth_provider_x509_cert_url: 'https://www.googleapis.com/oauth2/v1/certs',
      client_x509_cert_url: `https://www.googleapis.com/robot/v1/metadata/x509/${encodeURIComponent(email)}`,
      universe_domain: 'googleapis.com',
    };
  }

  /**
   * External-account credentials as google-github-actions/auth writes them (its src/client/workload_identity_federation.ts):
   * the subject token comes from the job's OIDC endpoint, or from `file`, whose content is then `subjectToken`.
   */
  makeExternalAccount(
    permissions: readonly string[] | undefined,
    options: { file?: string; impersonate?: boolean },
  ): { json: object; subjectToken: string } {
    const name = `projects/${this.projectNumber}/locations/global/workloadIdentityPools/lab/providers/github-${++this.count}`;
    const audience = `//iam.googleapis.com/${name}`;
    const email = options.impersonate === false ? null : this.addServiceAccount(permissions, null);
    this.providers.set(audience, {
      audience,
      impersonates: email,
      federated: {
        email: `principal://iam.googleapis.com/${name.replace(/\/providers.*/, '')}/subject/repo:${JOB_REPOSITORY}`,
        permissions: email === null ? permissionSet(permissions) : new Set(),
      },
    });
    const subjectToken = this.makeIdToken(`https:${audience}`);
    return { json: this.externalAccountJson(audience, email, options.file), subjectToken };
  }

  makeAuthorizedUser(permissions: readonly string[] | undefined): object {
    const clientId = `${randomBytes(6).toString('hex')}.apps.googleusercontent.com`;
    const clientSecret = randomBytes(12).toString('base64url');
    const refreshToken = `1//${randomBytes(32).toString('base64url')}`;
    const principal = { email: `user-${++this.count}@example.com`, permissions: permissionSet(permissions) };
    this.refreshTokens.set(refreshToken, { clientId, clientSecret, principal });
    return {
      type: 'authorized_user',
      client_id: clientId,
      client_secret: clientSecret,
      refresh_token: refreshToken,
    };
  }

  /** An access token of a service account of its own. */
  makeAccessToken(permissions: readonly string[] | undefined, seconds: number | undefined): string {
    const email = this.addServiceAccount(permissions, null);
    return this.tokens.issue(
      this.serviceAccount(email)?.principal ?? { email, permissions: new Set() },
      seconds,
    );
  }

  /** Every secret that was handed out: access tokens, ID tokens of jobs, and what those are asked for with. */
  issued(): string[] {
    return [...this.tokens.issued(), ...this.idTokens, ...this.requestTokens];
  }

  /** The principal of a bearer token: an access token, or a JWT that a service account signed for itself. */
  authenticate(token: string): Principal | null {
    return this.tokens.lookUp(token) ?? this.authenticateSelfSigned(token);
  }

  /** The service account that signed a JWT and is named by it; null when the signature is not its. */
  signer(jwt: Jwt): Principal | null {
    const account = this.serviceAccount(String(jwt.claims.iss));
    return account?.key && isSignedBy(jwt, account.key) ? account.principal : null;
  }

  serviceAccount(email: string): ServiceAccount | undefined {
    return this.serviceAccounts.get(email);
  }

  refresh(refreshToken: string, clientId: string, clientSecret: string): Principal | null {
    const entry = this.refreshTokens.get(refreshToken);
    const known = entry !== undefined && entry.clientId === clientId && entry.clientSecret === clientSecret;
    return known ? entry.principal : null;
  }

  /** Exchanges a subject token; an error's text when it is refused. */
  federate(audience: string, subjectToken: string): Principal | string {
    const provider = this.providers.get(audience);
    if (provider === undefined)
      return `Invalid value for "audience". This value should be the full resource name of the Identity Provider. See https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for the list of possible formats.`;
    const jwt = parseJwt(subjectToken);
    if (jwt === null || !isSignedBy(jwt, this.issuerKeys.publicKey))
      return "Error connecting to the given credential's issuer.";
    if (jwt.claims.iss !== ISSUER)
      return `The issuer in ID Token ${String(jwt.claims.iss)} does not match the expected ones.`;
    if (jwt.claims.aud !== audience && jwt.claims.aud !== `https:${audience}`) {
      return `The audience in ID Token [${String(jwt.claims.aud)}] does not match the expected audience.`;
    }
    return isTimely(jwt) ? provider.federated : 'The ID Token provided is stale to sign-in.';
  }

  /** Whether a federated principal may impersonate this service account. */
  mayImpersonate(principal: Principal, email: string): boolean {
    return [...this.providers.values()].some(
      (provider) => provider.federated.email === principal.email && provider.impersonates === email,
    );
  }

  /** The job's OIDC token, for whoever holds a request token of the lab; null for others. */
  idTokenFor(requestToken: string, audience: string): string | null {
    return this.requestTokens.has(requestToken) ? this.makeIdToken(audience) : null;
  }

  /** What the runner puts into ACTIONS_ID_TOKEN_REQUEST_URL and …_TOKEN. */
  makeIdTokenRequest(): { url: string; token: string } {
    const token = randomBytes(48).toString('base64url');
    this.requestTokens.add(token);
    return { url: `${ISSUER}/lab/job/idtoken?api-version=2.0`, token };
  }

  private externalAccountJson(audience: string, email: string | null, file: string | undefined): object {
    const { url, token } = this.makeIdTokenRequest();
    return {
      type: 'external_account',
      audience,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: 'https://sts.googleapis.com/v1/token',
      ...(email !== null && {
        service_account_impersonation_url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${email}:generateAccessToken`,
      }),
      credential_source:
        file === undefined
          ? {
              url: `${url}&audience=${encodeURIComponent(`https:${audience}`)}`,
              headers: { Authorization: `Bearer ${token}` },
              format: { type: 'json', subject_token_field_name: 'value' },
            }
          : { file, format: { type: 'text' } },
    };
  }

  private makeIdToken(audience: string): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      jti: randomUUID(),
      sub: `repo:${JOB_REPOSITORY}:ref:refs/heads/main`,
      aud: audience,
      ref: 'refs/heads/main',
      repository: JOB_REPOSITORY,
      repository_owner: 'octo-org',
      iss: ISSUER,
      nbf: now - 5,
      iat: now,
      exp: now + 300,
    };
    const token = signJwt(claims, this.issuerKeys.privateKey, this.issuerKid);
    this.idTokens.push(token);
    return token;
  }

  private addServiceAccount(permissions: readonly string[] | undefined, key: KeyObject | null): string {
    const email = `lab-${++this.count}@${this.project}.iam.gserviceaccount.com`;
    this.serviceAccounts.set(email, {
      principal: { email, permissions: permissionSet(permissions) },
      key: key === null ? null : createPublicKey(key.export({ type: 'spki', format: 'pem' })),
    });
    return email;
  }

  /** https://google.aip.dev/auth/4111: iss and sub are the account; aud is the service, or there is a scope. */
  private authenticateSelfSigned(token: string): Principal | null {
    const jwt = parseJwt(token);
    if (jwt === null || jwt.claims.iss !== jwt.claims.sub || !isTimely(jwt)) return null;
    const forCompute = jwt.claims.aud === 'https://compute.googleapis.com/' || hasScope(jwt);
    return forCompute ? this.signer(jwt) : null;
  }
}

const SCOPES = ['https://www.googleapis.com/auth/cloud-platform', 'https://www.googleapis.com/auth/compute'];

function hasScope(jwt: Jwt): boolean {
  const scopes = String(jwt.claims.scope ?? '').split(' ');
  return SCOPES.some((scope) => scopes.includes(scope));
}

function permissionSet(permissions: readonly string[] | undefined): ReadonlySet<string> | null {
  return permissions === undefined ? null : new Set(permissions);
}

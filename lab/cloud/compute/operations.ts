import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Faults } from '../faults/faults.ts';
import { ApiError } from './errors.ts';
import { projectUrl } from './urls.ts';
import { newId, timestamp } from './world.ts';

/** What a mutation asks for. */
export interface Mutation {
  readonly project: string;
  /** Null: a global operation, or one of a region. */
  readonly zone: string | null;
  readonly region?: string;
  /** `insert`, `patch`, `update`, `delete`, `setTags`, `setMetadata`. */
  readonly type: string;
  readonly target: { readonly link: string; readonly id: string };
  readonly user: string;
  readonly requestId: string | null;
  /** Done when the operation's time has come; what it throws becomes the operation's error. */
  readonly work: () => Promise<void> | void;
  /** Called when the operation is over, whether it did its work or not. */
  readonly settle?: () => void;
}

/** An operation, in the form that the API shows; times are RFC 3339. */
export interface Operation {
  readonly kind: 'compute#operation';
  readonly id: string;
  readonly name: string;
  readonly operationType: string;
  readonly targetLink: string;
  readonly targetId: string;
  readonly user: string;
  readonly insertTime: string;
  readonly startTime: string;
  readonly selfLink: string;
  readonly zone?: string;
  readonly region?: string;
  readonly clientOperationId?: string;
  status: 'RUNNING' | 'DONE';
  progress: number;
  endTime?: string;
  httpErrorStatusCode?: number;
  httpErrorMessage?: string;
  error?: { errors: { code: string; message: string }[] };
}

interface Entry {
  readonly operation: Operation;
  readonly project: string;
  readonly scope: string;
  readonly done: Promise<void>;
}

/** `wait` blocks at most this long: https://cloud.google.com/compute/docs/reference/rest/v1/globalOperations/wait */
const WAIT_LIMIT_MS = 120_000;

export class Operations {
  /** How long an operation takes. */
  latencyMs = 300;
  private readonly faults: Faults;
  private readonly entries = new Map<string, Entry>();
  private readonly byRequestId = new Map<string, Entry>();

  constructor(faults = new Faults()) {
    this.faults = faults;
  }

  /** Starts the operation, or returns the one that the same requestId started. */
  start(mutation: Mutation): Operation {
    const operation = describe(mutation);
    const done = this.run(operation, mutation);
    const entry = { operation, project: mutation.project, scope: scopeOf(mutation), done };
    this.entries.set(operation.name, entry);
    if (mutation.requestId !== null) this.byRequestId.set(requestKey(mutation), entry);
    return { ...operation };
  }

  /** The operation that a request with this id started before; null: none. */
  started(project: string, requestId: string): Operation | null {
    const entry = this.byRequestId.get(requestKey({ project, requestId }));
    return entry === undefined ? null : { ...entry.operation };
  }

  /** `scope` is `global`, `zones/Z` or `regions/R`. */
  get(project: string, scope: string, name: string): Operation | null {
    return this.find(project, scope, name)?.operation ?? null;
  }

  /** Returns when the operation is DONE, or after two minutes. */
  async wait(project: string, scope: string, name: string): Promise<Operation | null> {
    const entry = this.find(project, scope, name);
    if (entry === null) return null;
    const limit = new AbortController();
    await Promise.race([
      entry.done,
      delay(WAIT_LIMIT_MS, undefined, { signal: limit.signal }).catch(() => {}),
    ]);
    limit.abort();
    return { ...entry.operation };
  }

  list(project: string, scope: string): Operation[] {
    return [...this.entries.values()]
      .filter((entry) => entry.project === project && entry.scope === scope)
      .map((entry) => entry.operation);
  }

  clear(): void {
    this.entries.clear();
    this.byRequestId.clear();
  }

  private find(project: string, scope: string, name: string): Entry | null {
    const entry = this.entries.get(name);
    return entry !== undefined && entry.project === project && entry.scope === scope ? entry : null;
  }

  private async run(operation: Operation, mutation: Mutation): Promise<void> {
    const error = this.faults.takeOperationError();
    await delay(this.latencyMs + this.faults.milliseconds('operation-slow'));
    await this.faults.over('operation-endless');
    try {
      if (error !== null) throw error;
      await mutation.work();
    } catch (error) {
      fail(operation, error);
    }
    mutation.settle?.();
    operation.status = 'DONE';
    operation.progress = 100;
    operation.endTime = timestamp();
  }
}

const scopeOf = ({ zone, region }: Pick<Mutation, 'zone' | 'region'>): string =>
  zone !== null ? `zones/${zone}` : region !== undefined ? `regions/${region}` : 'global';

const requestKey = ({ project, requestId }: Pick<Mutation, 'project' | 'requestId'>): string =>
  `${project} ${requestId}`;

function describe(mutation: Mutation): Operation {
  const name = `operation-${Date.now()}-${randomBytes(6).toString('hex')}-${randomBytes(4).toString('hex')}-${randomBytes(4).toString('hex')}`;
  const { project, zone, region } = mutation;
  const now = timestamp();
  return {
    kind: 'compute#operation',
    id: newId(),
    name,
    ...(zone !== null && { zone: projectUrl(project, `zones/${zone}`) }),
    ...(region !== undefined && { region: projectUrl(project, `regions/${region}`) }),
    ...(mutation.requestId !== null && { clientOperationId: mutation.requestId }),
    operationType: mutation.type,
    targetLink: mutation.target.link,
    targetId: mutation.target.id,
    status: 'RUNNING',
    user: mutation.user,
    progress: 0,
    insertTime: now,
    startTime: now,
    selfLink: projectUrl(project, `${scopeOf(mutation)}/operations/${name}`),
  };
}

/** HTTP's own words, as `httpErrorMessage` has them. */
const STATUS_TEXT: Readonly<Record<number, string>> = {
  400: 'BAD REQUEST',
  403: 'FORBIDDEN',
  404: 'NOT FOUND',
  409: 'CONFLICT',
  412: 'PRECONDITION FAILED',
  429: 'TOO MANY REQUESTS',
};

function fail(operation: Operation, error: unknown): void {
  const known = error instanceof ApiError ? error : null;
  const code = known ? upperSnake(known.reason) : 'INTERNAL_ERROR';
  operation.httpErrorStatusCode = known?.status ?? 500;
  operation.httpErrorMessage = STATUS_TEXT[operation.httpErrorStatusCode] ?? 'INTERNAL ERROR';
  operation.error = { errors: [{ code, message: error instanceof Error ? error.message : String(error) }] };
  if (known === null) process.stderr.write(`operation ${operation.name}: ${String(error)}\n`);
}

/** `conditionNotMet` → `CONDITION_NOT_MET`: reasons of answers and codes of operations differ only in this. */
const upperSnake = (reason: string): string =>
  reason.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

import type { Faults } from '../faults/faults.ts';
import { has, type Principal } from '../identity/principals.ts';
import { badPayload, forbidden, type Needed, required } from './errors.ts';
import type { JsonObject } from './merge-patch.ts';
import { isObject } from './merge-patch.ts';
import { checkMessage } from './message-types.ts';
import type { Operations } from './operations.ts';
import type { Blocks } from './storage.ts';
import type { Instance, World } from './world.ts';

/** What the handlers of the Compute API stand on. */
export interface Cloud {
  readonly world: World;
  readonly operations: Operations;
  readonly faults: Faults;
  readonly blocks: Blocks;
  /** Brings the firewall of these instances in line with the rules; resolves when it is in force. */
  readonly enforce: (instances: readonly Instance[]) => Promise<void>;
}

/** One authenticated request whose parameters have been checked. */
export interface Call extends Cloud {
  readonly principal: Principal;
  /** Values of the path's variables. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly requestId: string | null;
  readonly body: Buffer;
}

/** One method of the API. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Below `/compute/v1/`, with `:variables`. */
  readonly path: string;
  /** Name of the request's message type; its fields are the query parameters that may be given. */
  readonly request: string;
  readonly run: (call: Call) => Promise<object> | object;
}

/** A path's variable. */
export function param(call: Call, name: string): string {
  const value = call.params[name];
  if (value === undefined) throw new Error(`route has no variable ${name}`);
  return value;
}

/** Throws the 403 that names every one of these that the caller lacks. */
export function demand(call: Call, ...needed: readonly Needed[]): void {
  const missing = needed.filter(({ permission }) => !has(call.principal, permission));
  if (missing.length > 0) throw forbidden(missing);
}

/** Reads the body as a message of this type. Throws Google's 400. */
export function readBody(call: Call, type: string): JsonObject {
  if (call.body.length === 0) throw required('resource');
  let value: unknown;
  try {
    value = JSON.parse(call.body.toString('utf8'));
  } catch (error) {
    throw badPayload([`Invalid JSON payload received. ${error instanceof Error ? error.message : ''}`]);
  }
  const violations = checkMessage(type, value);
  if (violations.length > 0 || !isObject(value)) throw badPayload(violations);
  return value;
}

import { createRequire } from 'node:module';

interface Field {
  readonly type: string;
  readonly rule?: 'repeated';
  readonly keyType?: string;
}
interface Message {
  readonly fields?: Readonly<Record<string, Field>>;
}

const TYPES = loadTypes();

/**
 * Checks a JSON value against a message type of the Compute API, as Google's front end does: unknown names, and
 * scalars of the wrong kind. Returns one description for each violation.
 */
export function checkMessage(type: string, value: unknown): string[] {
  const violations: string[] = [];
  checkObject(type, value, '', violations);
  return violations;
}

/** Names of the fields of a message type; for a request type these are the parameters it takes. */
export function fieldsOf(type: string): ReadonlySet<string> {
  return new Set(Object.keys(messageOf(type).fields ?? {}));
}

function checkObject(type: string, value: unknown, path: string, violations: string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    violations.push(
      `Invalid value at '${path}' (type.googleapis.com/google.cloud.compute.v1.${type}), ${show(value)}`,
    );
    return;
  }
  const fields = messageOf(type).fields ?? {};
  for (const [name, item] of Object.entries(value)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) {
      const at = path === '' ? '' : ` at '${path}'`;
      violations.push(
        `Invalid JSON payload received. Unknown name ${JSON.stringify(name)}${at}: Cannot find field.`,
      );
    } else if (item !== null) {
      checkField(field, item, path === '' ? name : `${path}.${name}`, violations);
    }
  }
}

function checkField(field: Field, value: unknown, path: string, violations: string[]): void {
  if (field.keyType !== undefined) {
    if (typeof value !== 'object' || Array.isArray(value)) violations.push(`Invalid value at '${path}'`);
    else
      for (const [key, item] of Object.entries(value ?? {}))
        checkSingle(field.type, item, `${path}[${key}]`, violations);
  } else if (field.rule === 'repeated') {
    if (!Array.isArray(value))
      violations.push(`Invalid value at '${path}' (repeated ${field.type}), ${show(value)}`);
    else
      for (const [index, item] of value.entries())
        checkSingle(field.type, item, `${path}[${index}]`, violations);
  } else {
    checkSingle(field.type, value, path, violations);
  }
}

function checkSingle(type: string, value: unknown, path: string, violations: string[]): void {
  const isScalar = SCALARS[type];
  if (isScalar === undefined) checkObject(type, value, path, violations);
  else if (!isScalar(value))
    violations.push(`Invalid value at '${path}' (TYPE_${type.toUpperCase()}), ${show(value)}`);
}

const isInteger = (value: unknown): boolean =>
  (typeof value === 'number' && Number.isInteger(value)) ||
  (typeof value === 'string' && /^-?\d+$/.test(value));
const isNumber = (value: unknown): boolean =>
  typeof value === 'number' || (typeof value === 'string' && value !== '' && !Number.isNaN(Number(value)));
const isString = (value: unknown): boolean => typeof value === 'string';

/** proto3's JSON mapping: numbers may be written as strings. */
const SCALARS: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: isString,
  bytes: isString,
  bool: (value) => typeof value === 'boolean',
  int32: isInteger,
  uint32: isInteger,
  int64: isInteger,
  uint64: isInteger,
  float: isNumber,
  double: isNumber,
};

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(JSON.stringify(value)).slice(0, 100);
}

function messageOf(type: string): Message {
  const message = TYPES[type];
  if (message === undefined) throw new Error(`no message type ${type} in @google-cloud/compute`);
  return message;
}

function loadTypes(): Readonly<Record<string, Message>> {
  const root = createRequire(import.meta.url)('@google-cloud/compute/build/protos/protos.json') as {
    nested: {
      google: {
        nested: { cloud: { nested: { compute: { nested: { v1: { nested: Record<string, Message> } } } } } };
      };
    };
  };
  return root.nested.google.nested.cloud.nested.compute.nested.v1.nested;
}

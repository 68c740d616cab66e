import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CHECKOUT } from '../checkout.ts';
import { LabError } from '../process.ts';

/**
 * The `INPUT_…` variables of a step: action.yml's defaults under what is given. An input without a default is there
 * too, and empty (actions/runner, ActionManifestManager and NodeScriptActionHandler).
 *
 * @throws LabError for a name that action.yml does not have, which GitHub only warns about.
 */
export function inputVariables(given: Readonly<Record<string, string>>): Record<string, string> {
  const known = defaults();
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(known, name));
  if (unknown.length > 0) throw new LabError(`action.yml has no input '${unknown.join("', '")}'`);
  const values = Object.entries({ ...known, ...given });
  return Object.fromEntries(
    values.map(([name, value]) => [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, value]),
  );
}

function defaults(): Record<string, string> {
  const manifest = parse(readFileSync(join(CHECKOUT, 'action.yml'), 'utf8')) as {
    inputs: Record<string, { default?: unknown } | null>;
  };
  return Object.fromEntries(
    Object.entries(manifest.inputs).map(([name, input]) => [name, String(input?.default ?? '')]),
  );
}

/** Splits `name=value` arguments. Throws for one without `=`. */
export function assignments(args: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    args.map((argument) => {
      const at = argument.indexOf('=');
      if (at < 1) throw new LabError(`'${argument}' is no name=value`);
      return [argument.slice(0, at), argument.slice(at + 1)];
    }),
  );
}

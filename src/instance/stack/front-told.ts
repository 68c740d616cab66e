import { type LoginRules, loginRulesIn } from './front-logins';

/** What a front has been told, as far as those who reach it have to know. */
export interface FrontTold {
  /** The host name or address that its certificate is for first; null: it speaks plain HTTP. */
  readonly serverName: string | null;
  /** Of the authority that it asks for its certificate; null: it was given a file, or speaks plain HTTP. */
  readonly acmeDirectory: string | null;
  /** Of the registry, on the instance. */
  readonly port: number;
  /** Null: there is no page. */
  readonly uiPort: number | null;
  /** Null: everybody may do everything. */
  readonly logins: LoginRules | null;
}

/** Reads what frontConfig made; null: it did not make this text. */
export function frontTold(text: string): FrontTold | null {
  const site = /^(?:https:\/\/\S*)?:\d.* \{$/m.exec(text)?.[0];
  const [port, second] = new Set(
    [...(site ?? '').matchAll(/:(\d+)(?=,| \{)/g)].map(([, digits]) => Number(digits)),
  );
  if (port === undefined) return null;
  const directory = /^\t\tissuer acme \{\n\t\t\tdir (\S+)$/m.exec(text)?.[1];
  const hasPage = !/^\t+handle \{\n\t+respond 404$/m.test(text);
  return {
    serverName: /^\tdefault_sni ([\w.:-]+)$/m.exec(text)?.[1] ?? null,
    acmeDirectory: directory !== undefined && URL.canParse(directory) ? directory : null,
    port,
    uiPort: hasPage ? (second ?? port) : null,
    logins: loginRulesIn(text),
  };
}

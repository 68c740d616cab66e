import { ActionError } from '../values/errors';

/** What every record of a lease says. It holds no secret, and all that it takes to undo the lease. */
export interface LeaseRecord {
  readonly kind: string;
  /** When a later run may take the lease for one that was left behind. ISO 8601. */
  readonly expires: string;
}

/** Where things are kept between main and post step: `core.saveState` and `core.getState`. */
export interface StateStore {
  save(name: string, value: string): void;
  /** The empty string where nothing was saved. */
  get(name: string): string;
}

/** A record in the journal. */
export interface Noted<Record extends LeaseRecord> {
  change(fields: Partial<Record>): void;
  /** The lease is released: there is nothing to undo any more. */
  end(): void;
}

const ENTRY = 'leases';

/**
 * GitHub hands the state to the post step as environment variables: the longest on Linux has 128 KiB, on Windows 32,767
 * characters, and a longer one keeps the post step from starting at all.
 *
 * https://learn.microsoft.com/windows/win32/api/processenv/nf-processenv-setenvironmentvariablea
 */
const MOST_CHARACTERS = 30_000;

/**
 * What this run has taken until the job ends, and has not given back. Each lease is noted before it is taken, so that
 * a run that is cancelled in between gives it back as well.
 */
export class Journal {
  readonly #store: StateStore;
  #records: { record: LeaseRecord }[] = [];

  constructor(store: StateStore) {
    this.#store = store;
  }

  /** @throws ActionError `Too much to undo`; then nothing may be taken */
  note<Record extends LeaseRecord>(record: Record): Noted<Record> {
    const entry = { record };
    this.#write([...this.#records, entry]);
    return {
      change: (fields) => {
        const before = entry.record;
        entry.record = { ...before, ...fields };
        try {
          this.#write(this.#records);
        } catch (error) {
          entry.record = before;
          throw error;
        }
      },
      end: () => this.#write(this.#records.filter((other) => other !== entry)),
    };
  }

  #write(records: { record: LeaseRecord }[]): void {
    const text = JSON.stringify(records.map(({ record }) => record));
    if (text.length > MOST_CHARACTERS) throw tooMuch(text.length);
    this.#records = records;
    this.#store.save(ENTRY, text);
  }
}

function tooMuch(length: number): ActionError {
  return new ActionError('Too much to undo', {
    doing: 'noting for the post step what this run has to undo',
    happened: `the notes would be ${length} characters long, and GitHub passes on at most ${MOST_CHARACTERS}`,
    next: 'Report this as a bug of the action; nothing was changed that is not noted',
  });
}

/** What the main step noted and did not give back; anything may stand in it. Null: this is no journal. */
export function readJournal(store: Pick<StateStore, 'get'>): readonly unknown[] | null {
  const text = store.get(ENTRY);
  if (text === '') return [];
  try {
    const records: unknown = JSON.parse(text);
    return Array.isArray(records) ? records : null;
  } catch {
    return null;
  }
}

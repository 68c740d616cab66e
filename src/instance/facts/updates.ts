import { count, fields, flag, list, nullable, type Shape, text } from './shape';

/** What scripts/facts-updates.sh reads of what is newer elsewhere. */
export interface UpdateFacts {
  /** What the tags of images stand for at their registries. */
  readonly tags: readonly TagFacts[];
  /** Packages that apt would upgrade, as far as it knows. */
  readonly packages: readonly PackageUpgrade[];
  /** Seconds since apt's lists were fetched; null: never. */
  readonly listsAge: number | null;
  /** Seconds since a package was installed, upgraded or removed; null: that is not known. */
  readonly packagesAge: number | null;
  /** Seconds since this action updated something; null: never. */
  readonly updateAge: number | null;
}

export interface TagFacts {
  readonly image: string;
  /** Null where it could not be looked up. */
  readonly digest: string | null;
  /** Why not; not trusted. */
  readonly trouble: string;
}

export interface PackageUpgrade {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** It comes from where the distribution puts what mends a hole. */
  readonly security: boolean;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** What Docker answers to `GET /distribution/IMAGE/json`, or nothing. */
const tag: Shape<TagFacts> = (value, path) => {
  const { image, answer } = fields({ image: text(), answer: text(65_536) })(value, path);
  return { image, ...digestIn(answer) };
};

function digestIn(answer: string): Pick<TagFacts, 'digest' | 'trouble'> {
  const trouble = 'Docker did not answer within 20 s';
  if (answer === '') return { digest: null, trouble };
  try {
    const { Descriptor, message } = JSON.parse(answer) as {
      readonly Descriptor?: { readonly digest?: unknown };
      readonly message?: unknown;
    };
    const digest = Descriptor?.digest;
    if (typeof digest === 'string' && DIGEST.test(digest)) return { digest, trouble: '' };
    return { digest: null, trouble: typeof message === 'string' ? message : 'the answer has no digest' };
  } catch {
    return { digest: null, trouble: 'the answer is no JSON' };
  }
}

export const updateFacts: Shape<UpdateFacts> = fields<{ [K in keyof UpdateFacts]: UpdateFacts[K] }>({
  tags: list(tag, 100),
  packages: list(fields({ name: text(), from: text(), to: text(), security: flag })),
  listsAge: nullable(count),
  packagesAge: nullable(count),
  updateAge: nullable(count),
});

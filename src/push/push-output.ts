/** What Docker says of a push that went well. */
export interface PushOutput {
  /** Digest of the manifest or index that it pushed. */
  readonly digest: string;
  /** Of the containerd image store: the digest of the index of which it pushed one image alone; null otherwise. */
  readonly partOf: string | null;
}

const DIGEST = 'sha256:[0-9a-f]{64}';

/**
 * Reads what `docker push` printed: `latest: digest: sha256:… size: 527` with either image store (moby,
 * distribution/push_v2.go, daemon/containerd/image_push.go), and `sha256:… -> sha256:…` where the image of one platform
 * was pushed in place of its index (docker/cli, cli/command/image/push.go). Null where it says nothing of a digest, as
 * Podman's command of that name.
 */
export function readPushOutput(output: string, tag: string): PushOutput | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of a terminal are taken out
  const lines = output.replace(/\u001b\[[0-9;]*m/g, '').split(/\r?\n/);
  let digest: string | null = null;
  let partOf: string | null = null;
  for (const line of lines) {
    const [, of, pushed] = new RegExp(`^\\s*(${DIGEST}) -> (${DIGEST})\\s*$`).exec(line) ?? [];
    const [, said, found] = new RegExp(`^(\\S+): digest: (${DIGEST}) size: \\d+\\s*$`).exec(line) ?? [];
    if (said === tag && found !== undefined) digest = found;
    if (of !== undefined && pushed !== undefined) partOf = of;
  }
  return digest === null ? null : { digest, partOf };
}

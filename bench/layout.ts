// A registry of 2 GB as an OCI image layout on the runner, and back into a new registry: over TLS, with a login. What
// counts is that the memory has a bound, whatever the size; the whole main step is measured, by itself.
import { bare, type Ground } from './ground.ts';
import { action, on, type Seen } from './lab.ts';
import { limit, type Row } from './table.ts';

const LAYOUT = '/home/runner/bench-layout';
const LAYERS = 4;
const LAYER_BYTES = 500_000_000;
/** What issue 10 asks for. */
const MEMORY_MB = 150;

export async function layout(ground: Ground): Promise<Row[]> {
  const inputs = { ...ground.basics, tls: 'private-ca', username: 'bench', password: 'bench-secret-1' };
  const backup = { ...inputs, mode: 'backup', 'backup-to': 'oci-layout', 'backup-path': LAYOUT };
  const restore = { ...inputs, 'restore-from': LAYOUT };
  try {
    await bare(ground);
    await action({ ...inputs, mode: 'bootstrap' });
    await on(ground.instance, PUT_IMAGE);
    const rows = [row('backup of 2 GB', await action(backup)), row('the same again', await action(backup))];
    await bare(ground);
    await action({ ...inputs, mode: 'bootstrap' });
    rows.push(row('restore of 2 GB', await action({ ...restore, mode: 'push' })));
    rows.push(row('restore of what is there', await action({ ...restore, mode: 'push' })));
    return rows;
  } finally {
    await on('runner', `rm -rf ${LAYOUT}`);
  }
}

function row(what: string, { seconds, memoryMiB }: Seen): Row {
  const memory = (memoryMiB * 2 ** 20) / 1e6;
  const name = `${what}, ${seconds.toFixed(1)} s: memory`;
  return limit(name, memory, MEMORY_MB, (value) => `${value.toFixed(0)} MB`);
}

/** An image of random layers, written as the registry keeps it. */
const PUT_IMAGE = `
  data=$(docker volume inspect --format '{{.Mountpoint}}' gce-registry_registry-data)/docker/registry/v2
  file=$(mktemp -p /var/tmp)
  put() {
    hex=$(sha256sum <"$file" | cut -d ' ' -f 1)
    mkdir -p "$data/blobs/sha256/\${hex:0:2}/$hex"
    mv "$file" "$data/blobs/sha256/\${hex:0:2}/$hex/data"
  }
  link() {
    mkdir -p "$data/repositories/bench/large/$1"
    printf 'sha256:%s' "$hex" >"$data/repositories/bench/large/$1/link"
  }
  layers=
  for layer in {1..${LAYERS}}; do
    head -c ${LAYER_BYTES} /dev/urandom >"$file"
    put
    link "_layers/sha256/$hex"
    layers+=",{\\"mediaType\\":\\"application/vnd.oci.image.layer.v1.tar\\",\\"digest\\":\\"sha256:$hex\\",\\"size\\":${LAYER_BYTES}}"
  done
  printf '{}' >"$file"
  put
  link "_layers/sha256/$hex"
  config="{\\"mediaType\\":\\"application/vnd.oci.image.config.v1+json\\",\\"digest\\":\\"sha256:$hex\\",\\"size\\":2}"
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}' "$config" "\${layers#,}" >"$file"
  put
  link "_manifests/revisions/sha256/$hex"
  link _manifests/tags/1/current
  link "_manifests/tags/1/index/sha256/$hex"`;

import { output } from './lab';

// The clients that people push and pull with, each as a step of a job that is connected: Docker, Podman, Skopeo, crane,
// containerd, and a builder of Buildx's own. They get their trust and their login as README and docs/clients.md say. On a
// runner after `lab('situation', 'clients')`.

/** The inputs of a login that may push. Its password is one that shells and configurations get wrong. */
export const WRITER = { username: 'ci', password: 'Writer-Secret-1:"$x' } as const;

export interface Client {
  readonly name: string;
  /** Pulls `test:latest`, pushes `$BY/NAME:1` and pulls that again, in Bash that ends where something fails. */
  readonly script: string;
}

const podman = 'sudo --preserve-env=DOCKER_CONFIG podman --storage-driver vfs';

/** Docker, of whatever version the runner has. */
export const DOCKER: Client = {
  name: 'docker',
  script: `docker pull -q $R/test:latest && docker tag $R/test:latest $R/$BY/docker:1 && docker push -q $R/$BY/docker:1
    docker image rm -f $R/$BY/docker:1 $R/test:latest >/dev/null && docker pull -q $R/$BY/docker:1`,
};

/** It reads the files of Podman, and needs no daemon. */
export const SKOPEO: Client = {
  name: 'skopeo',
  script: `skopeo copy -q docker://$R/test:latest docker://$R/$BY/skopeo:1
    skopeo copy -q docker://$R/$BY/skopeo:1 dir:$(mktemp -d)`,
};

export const CLIENTS: readonly Client[] = [
  DOCKER,
  {
    name: 'podman',
    script: `${podman} pull -q $R/test:latest && ${podman} push -q $R/test:latest docker://$R/$BY/podman:1
      ${podman} image rm -af >/dev/null && ${podman} pull -q $R/$BY/podman:1`,
  },
  SKOPEO,
  {
    name: 'crane',
    script: `if [ -n "$AUTHORITY" ]; then export SSL_CERT_FILE=$AUTHORITY; fi
      crane copy --platform linux/amd64 $R/test:latest $R/$BY/crane:1
      crane pull $R/$BY/crane:1 "$(mktemp)"`,
  },
  {
    name: 'containerd',
    script: `hosts=() D=/etc/containerd/certs.d/$R
      if [ -n "$AUTHORITY" ]; then
        sudo install -D -m 644 $AUTHORITY $D/ca.crt
        printf 'server = "https://%s"\\n\\n[host."https://%s"]\\n  ca = "%s/ca.crt"\\n' $R $R $D | sudo tee $D/hosts.toml >/dev/null
        hosts=(--hosts-dir /etc/containerd/certs.d)
      fi
      sudo ctr image pull "\${hosts[@]}" -u "$LOGIN" $R/test:latest && sudo ctr image tag $R/test:latest $R/$BY/containerd:1
      sudo ctr image push "\${hosts[@]}" -u "$LOGIN" $R/$BY/containerd:1
      sudo ctr image rm --sync $R/test:latest $R/$BY/containerd:1 && sudo ctr image pull "\${hosts[@]}" -u "$LOGIN" $R/$BY/containerd:1
      if sudo ctr image pull "\${hosts[@]}" -u ci:wrong $R/test:latest 2>/tmp/refusal; then exit 1; fi; grep '401 Unauthorized' /tmp/refusal`,
  },
  {
    name: 'buildx',
    script: `context=$(mktemp -d); printf 'FROM scratch\\nCOPY Dockerfile /\\n' >$context/Dockerfile
      printf '%s' "$OUTPUT_buildkitd_config" >$context/buildkitd.toml
      docker buildx rm story >/dev/null 2>&1 || true
      docker buildx create --name story --driver docker-container --buildkitd-config $context/buildkitd.toml --bootstrap
      # BuildKit's image trusts the roots of the world; that of the lab's Let's Encrypt is not among them.
      docker exec -i buildx_buildkit_story0 sh -c 'cat >>/etc/ssl/certs/ca-certificates.crt' </usr/local/share/ca-certificates/gcelab-acme.crt
      build() {
        docker buildx build --builder story --platform linux/amd64,linux/arm64 --push -t $R/$BY/buildx:1 \\
          --cache-to type=registry,ref=$R/$BY/buildx:cache,mode=max "$@" --progress plain $context 2>&1
      }
      build && docker buildx prune --builder story --all --force >/dev/null
      build --cache-from type=registry,ref=$R/$BY/buildx:cache | tee $context/log && grep -q CACHED $context/log
      docker buildx rm story >/dev/null
      # It goes by what the system trusts, and not by the builder's configuration.
      if [ -n "$AUTHORITY" ]; then export SSL_CERT_FILE=$AUTHORITY; fi
      docker buildx imagetools create -t $R/$BY/buildx:copy $R/$BY/buildx:1 2>&1`,
  },
];

/** What a client left behind. */
export interface Work {
  readonly status: number;
  readonly said: string;
}

/**
 * A later step in which all of these clients do their work, one after the other, whatever becomes of those before.
 *
 * @param by the part of the registry that they push to
 */
export function atWork(clients: readonly Client[], by = 'by'): string {
  const each = clients.map(({ name, script }) => `( set -e\n${script}\n); printf '\\n=== ${name} %s\\n' $?`);
  return `R=$OUTPUT_registry BY=${by} AUTHORITY= LOGIN='${WRITER.username}:${WRITER.password}'
    if [ -n "$OUTPUT_ca_certificate" ]; then
      AUTHORITY=$(mktemp); printf '%s\\n' "$OUTPUT_ca_certificate" >$AUTHORITY
    fi
    set +e
    ${each.join('\n')}`;
}

/** What came of it, by the clients' names, from what that step printed. */
export function workOf(printed: string): Map<string, Work> {
  const parts = printed.split(/^=== (\S+) (\d+)$/m);
  const works = new Map<string, Work>();
  for (let index = 0; index + 2 < parts.length; index += 3)
    works.set(String(parts[index + 1]), {
      status: Number(parts[index + 2]),
      said: String(parts[index]).trim(),
    });
  return works;
}

const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

interface Manifest {
  readonly manifests?: readonly {
    readonly platform: { readonly os: string; readonly architecture: string };
  }[];
}

/** What the registry has under `REPOSITORY:1`, as the instance sees it with the login of `WRITER`. */
async function pushedTo(repository: string): Promise<Manifest> {
  return JSON.parse(
    await output(
      'registry-1',
      `curl -fksS -u '${WRITER.username}:${WRITER.password}' -H 'Accept: ${ACCEPT}' https://127.0.0.1:5000/v2/${repository}/manifests/1`,
    ),
  );
}

/** That a client has pushed and pulled, and that the registry has what it pushed: of two platforms, where a builder did. */
export async function expectWork(works: Map<string, Work>, name: string, by = 'by'): Promise<void> {
  const { status, said } = works.get(name) ?? { status: null, said: 'nothing' };
  if (status !== 0) throw new Error(`${name} ended with ${status}, and said:\n${said}`);
  const { manifests = [] } = await pushedTo(`${by}/${name}`);
  const platforms = manifests.map(({ platform }) => `${platform.os}/${platform.architecture}`);
  if (name === 'buildx') expect(platforms).toEqual(expect.arrayContaining(['linux/amd64', 'linux/arm64']));
}

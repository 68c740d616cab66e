import { output } from './lab';

/** Makes an image on the runner from layers of fresh random bytes, without any other image. */
export async function randomImage(name: string, layers: number, megabytes: number): Promise<void> {
  const numbers = Array.from({ length: layers }, (_, index) => index + 1);
  await output(
    'runner',
    `cd "$(mktemp -d)"
     for layer in ${numbers.join(' ')}; do head -c ${megabytes * 1_000_000} /dev/urandom >$layer; done
     printf '%s\\n' 'FROM scratch' ${numbers.map((layer) => `'COPY ${layer} /'`).join(' ')} 'CMD ["/x"]' >Dockerfile
     DOCKER_BUILDKIT=0 docker build --quiet --tag ${name} . >/dev/null 2>&1
     rm -rf "$PWD"`,
  );
}

/** Names of the runner's images, but for `<none>`. */
export async function localTags(): Promise<string[]> {
  const names = await output('runner', "docker images --format '{{.Repository}}:{{.Tag}}'");
  return names
    .split('\n')
    .filter((name) => name !== '' && !name.includes('<none>'))
    .sort();
}

/** Removes images by name on the runner. */
export async function removeImages(...names: readonly string[]): Promise<void> {
  await output('runner', `docker image rm --force ${names.join(' ')} >/dev/null 2>&1 || true`);
}

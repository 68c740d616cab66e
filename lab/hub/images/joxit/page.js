// Lists the repositories and tags of the registry that nginx passes /v2/ to.
const options = document.body.dataset;
const registry = options.registryUrl || chosenRegistry();

/** Without SINGLE_REGISTRY the original lets people choose a registry; it remembers the choice in the browser. */
function chosenRegistry() {
  if (options.singleRegistry === 'true') return '';
  const url = localStorage.getItem('registry') ?? prompt('Address of the registry') ?? '';
  localStorage.setItem('registry', url);
  return url;
}

async function ask(path, missing) {
  const answer = await fetch(registry + path);
  // The original shows a repository whose last tag was deleted as an empty one.
  if (answer.status === 404 && missing !== undefined) return missing;
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function digestOf(repository, tag) {
  const types = ['application/vnd.oci.image.index.v1+json', 'application/vnd.oci.image.manifest.v1+json'];
  types.push('application/vnd.docker.distribution.manifest.list.v2+json');
  types.push('application/vnd.docker.distribution.manifest.v2+json');
  const path = `${registry}/v2/${repository}/manifests/${tag}`;
  const answer = await fetch(path, { method: 'HEAD', headers: { Accept: types.join(', ') } });
  return answer.headers.get('Docker-Content-Digest') ?? '';
}

function cell(row, text, element = 'span') {
  const content = document.createElement(element);
  content.textContent = text;
  row.insertCell().append(content);
}

async function addTag(repository, tag) {
  const row = document.querySelector('tbody').insertRow();
  const digest = await digestOf(repository, tag);
  cell(row, repository);
  cell(row, tag);
  cell(row, options.showContentDigest === 'true' ? digest : '', 'code');
  if (options.deleteImages !== 'true') return;
  cell(row, 'Delete', 'button');
  row.querySelector('button').onclick = async () => {
    await fetch(`${registry}/v2/${repository}/manifests/${digest}`, { method: 'DELETE' });
    location.reload();
  };
}

async function list() {
  const { repositories } = await ask('/v2/_catalog?n=1000');
  document.querySelector('#state').textContent = `${repositories.length} repositories`;
  document.querySelector('table').hidden = false;
  for (const repository of repositories) {
    const { tags } = await ask(`/v2/${repository}/tags/list`, { tags: [] });
    for (const tag of tags ?? []) await addTag(repository, tag);
  }
}

list().catch((error) => {
  document.querySelector('#state').textContent = `The registry does not answer. ${error.message}`;
});

// Lists the repositories and tags of the registry that nginx passes /registry/ to.
async function ask(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function list() {
  const { name } = await ask('registry.json');
  document.querySelector('#name').textContent = name;
  const { repositories } = await ask('registry/_catalog?n=100');
  for (const repository of repositories) {
    const { tags } = await ask(`registry/${repository}/tags/list`);
    const row = document.querySelector('tbody').insertRow();
    row.insertCell().textContent = repository;
    row.insertCell().textContent = (tags ?? []).join(', ');
  }
}

list().catch((error) => {
  document.querySelector('#name').textContent = `The registry does not answer. ${error.message}`;
});

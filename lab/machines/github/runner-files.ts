// Runs on the runner machine, as its user: writes or reads files whose list comes as JSON on standard input.
//   runner-files.ts write   {"PATH": "CONTENT", …}   makes folders as needed
//   runner-files.ts read    ["PATH", …]              prints {"PATH": "CONTENT" or null, …}
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const given = JSON.parse(readFileSync(0, 'utf8'));
if (process.argv[2] === 'write') {
  for (const [path, content] of Object.entries(given as Record<string, string>)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content, { mode: 0o640 });
  }
} else {
  process.stdout.write(
    JSON.stringify(Object.fromEntries((given as string[]).map((path) => [path, content(path)]))),
  );
}

function content(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

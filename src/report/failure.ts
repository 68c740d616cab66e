import { ActionError, messageOf } from '../values/errors';
import { type Documents, linkDocuments, troubleshooting } from './documents';
import { escapeMarkdown } from './markdown';

/** The job summary of a run that failed, as Markdown: what happened, what to do next, and where more is said. */
export function failureSummary(error: unknown, instance: string, documents: Documents): string {
  const title = `### Registry on ${escapeMarkdown(instance)}: failed`;
  if (!(error instanceof ActionError)) return `${title}\n\n${escapeMarkdown(messageOf(error))}\n`;
  const { doing, happened, next } = error.problem;
  const heading = troubleshooting(error.title);
  const more =
    documents === null ? `\`${heading}\`` : `[What to do about it](${linkDocuments(heading, documents)})`;
  return [
    title,
    `**${escapeMarkdown(error.title)}**`,
    escapeMarkdown(`While ${doing}: ${happened}.`),
    `Next: ${withLinks(`${next}.`, documents)}`,
    more,
    '',
  ].join('\n\n');
}

/** Literal text, with the documents that it names as links that can be clicked. */
function withLinks(text: string, documents: Documents): string {
  const literal = escapeMarkdown(text);
  if (documents === null) return literal;
  return literal.replace(/docs\/[a-z-]+\.md/g, (path) => `[${path}](${documents}/${path})`);
}

/** An error as it stands in the job's log and annotations. */
export function failureMessage(error: unknown, documents: Documents): string {
  return linkDocuments(messageOf(error), documents);
}

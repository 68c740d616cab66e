import { StringDecoder } from 'node:string_decoder';

/** Keeps the end of a stream, and hands out its lines as they come. */
export class OutputTail {
  private readonly decoder = new StringDecoder('utf8');
  private text = '';
  private line = '';

  /** @param keep so many characters of the stream, and of a line that does not end */
  constructor(
    private readonly keep: number,
    private readonly onLine: ((line: string) => void) | undefined,
  ) {}

  add(chunk: Buffer): void {
    const text = this.decoder.write(chunk);
    this.text = `${this.text}${text}`.slice(-this.keep);
    if (this.onLine === undefined) return;
    const lines = `${this.line}${text}`.split('\n');
    this.line = (lines.pop() ?? '').slice(-this.keep);
    for (const line of lines) this.onLine(line.replace(/\r$/, ''));
  }

  /** What was kept; a last line without its end is handed out first. */
  end(): string {
    if (this.line !== '') this.onLine?.(this.line);
    this.line = '';
    return this.text + this.decoder.end();
  }
}

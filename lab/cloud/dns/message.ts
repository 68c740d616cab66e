/** The question of a DNS message, and where it ends: https://www.rfc-editor.org/rfc/rfc1035#section-4.1.2 */
export interface Question {
  /** In lower case, without a dot at its end. */
  readonly name: string;
  /** 1 for A, 28 for AAAA. */
  readonly type: number;
  readonly end: number;
}

const HEADER_BYTES = 12;
export const TYPE_A = 1;
const TTL_SECONDS = 5;
const RESPONSE = 0x8000;
const RECURSION_AVAILABLE = 0x0080;
const RECURSION_DESIRED = 0x0100;
const AUTHORITATIVE = 0x0400;
export const SERVFAIL = 2;
export const NXDOMAIN = 3;

/** Null: it is no message with one question. */
export function readQuestion(message: Buffer): Question | null {
  if (message.length < HEADER_BYTES || message.readUInt16BE(4) !== 1) return null;
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = message[at] ?? 0; length !== 0; length = message[at] ?? 0) {
    if (length > 63 || at + length >= message.length) return null;
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  if (at + 5 > message.length) return null;
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

/**
 * The answer to a question.
 *
 * @param address IPv4; null: there is none of that type
 */
export function answerTo(message: Buffer, { end }: Question, address: string | null, code = 0): Buffer {
  const header = Buffer.from(message.subarray(0, HEADER_BYTES));
  const desired = header.readUInt16BE(2) & RECURSION_DESIRED;
  header.writeUInt16BE(RESPONSE | AUTHORITATIVE | RECURSION_AVAILABLE | desired | code, 2);
  header.writeUInt16BE(address === null ? 0 : 1, 6);
  header.writeUInt32BE(0, 8);
  const question = message.subarray(HEADER_BYTES, end);
  return Buffer.concat([header, question, ...(address === null ? [] : [record(address)])]);
}

/** An A record for the name of the question, which a pointer stands for. */
function record(address: string): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  bytes.writeUInt16BE(TYPE_A, 2);
  bytes.writeUInt16BE(1, 4);
  bytes.writeUInt32BE(TTL_SECONDS, 6);
  bytes.writeUInt16BE(4, 10);
  for (const [index, part] of address.split('.').entries()) bytes[12 + index] = Number(part);
  return bytes;
}

import { LabError } from '../machines/process.ts';

const BASE = 0x400000n;
const HEADERS = 64 + 56;

/** Machine code that calls write(1, text, length), then exit(0). */
type Code = (text: bigint, length: number) => Buffer;

/** Linux system calls by architecture: amd64 write 1, exit 60; arm64 write 64, exit 93. */
const CODES: Readonly<Record<string, { machine: number; code: Code }>> = {
  x64: { machine: 62, code: amd64 },
  arm64: { machine: 183, code: arm64 },
};

/**
 * A static ELF program, a few hundred bytes long, that prints `text`: what Docker Hub's hello-world is, without a
 * compiler. Layout: ELF-64 header, one loadable segment, code, text (ELF specification 1.2, "64-bit" supplement).
 *
 * @throws LabError for an architecture other than x64 and arm64 (as Node names them).
 */
export function helloProgram(text: string, arch: string): Buffer {
  const target = CODES[arch];
  if (target === undefined) throw new LabError(`hello-world cannot be made for ${arch}`);
  const words = Buffer.from(text);
  const codeLength = target.code(0n, 0).length;
  const code = target.code(BASE + BigInt(HEADERS + codeLength), words.length);
  const size = BigInt(HEADERS + code.length + words.length);
  return Buffer.concat([elfHeader(target.machine), segmentHeader(size), code, words]);
}

function elfHeader(machine: number): Buffer {
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(2, 16); // executable
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BASE + BigInt(HEADERS), 24); // entry point
  header.writeBigUInt64LE(64n, 32); // where the segment header is
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  return header;
}

function segmentHeader(size: bigint): Buffer {
  const header = Buffer.alloc(56);
  header.writeUInt32LE(1, 0); // loadable
  header.writeUInt32LE(5, 4); // read and execute
  header.writeBigUInt64LE(BASE, 16);
  header.writeBigUInt64LE(BASE, 24);
  header.writeBigUInt64LE(size, 32);
  header.writeBigUInt64LE(size, 40);
  header.writeBigUInt64LE(0x10000n, 48);
  return header;
}

function amd64(text: bigint, length: number): Buffer {
  const code = Buffer.from(
    [
      'b801000000', // mov eax, 1
      'bf01000000', // mov edi, 1
      'be00000000', // mov esi, text
      'ba00000000', // mov edx, length
      '0f05', // syscall
      'b83c000000', // mov eax, 60
      '31ff', // xor edi, edi
      '0f05', // syscall
    ].join(''),
    'hex',
  );
  code.writeUInt32LE(Number(text), 11);
  code.writeUInt32LE(length, 16);
  return code;
}

function arm64(text: bigint, length: number): Buffer {
  const address = Number(text);
  const words = [
    movz(0, 1),
    movz(1, address & 0xffff),
    movk16(1, address >>> 16),
    movz(2, length),
    movz(8, 64),
    0xd4000001, // svc #0
    movz(0, 0),
    movz(8, 93),
    0xd4000001,
  ];
  const code = Buffer.alloc(words.length * 4);
  for (const [number, word] of words.entries()) code.writeUInt32LE(word >>> 0, number * 4);
  return code;
}

function movz(register: number, value: number): number {
  return 0xd2800000 | (value << 5) | register;
}

function movk16(register: number, value: number): number {
  return 0xf2a00000 | (value << 5) | register;
}

import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { answerTo, NXDOMAIN, readQuestion, SERVFAIL, TYPE_A } from './message.ts';

export const DNS_PORT = 53;
const WAIT_MS = 4_000;

/** The DNS over UDP, as machines ask it, and over TCP, as pebble does. */
export interface Dns {
  readonly udp: Datagrams;
  readonly tcp: Server;
}

/** What the lab knows of a name: its IPv4 address, or that there is no such name; null: it is not the lab's to know. */
export type Known = { readonly address: string } | 'no-such-name' | null;

/**
 * The DNS of the lab's machines, their containers and the certificate authority: what the lab knows itself, and for all
 * else what this host is told.
 */
export function createDns(known: (name: string) => Known): Dns {
  const upstream = upstreamOf(readFileSync('/etc/resolv.conf', 'utf8'));
  const answer = async (message: Buffer): Promise<Buffer | null> => {
    const question = readQuestion(message);
    if (question === null) return null;
    const found = known(question.name);
    if (found === 'no-such-name') return answerTo(message, question, null, NXDOMAIN);
    if (found !== null) return answerTo(message, question, question.type === TYPE_A ? found.address : null);
    return upstream === null ? answerTo(message, question, null, SERVFAIL) : ask(upstream, message);
  };
  return { udp: overUdp(answer), tcp: createServer((socket) => serveTcp(socket, answer)) };
}

/** The first server of a resolv.conf. */
export function upstreamOf(file: string): string | null {
  return /^nameserver\s+([0-9.]+)/m.exec(file)?.[1] ?? null;
}

type Answer = (message: Buffer) => Promise<Buffer | null>;

function overUdp(answer: Answer): Datagrams {
  const socket = createSocket('udp4');
  socket.on('message', async (message, peer) => {
    const reply = await answer(message);
    if (reply !== null) socket.send(reply, peer.port, peer.address);
  });
  return socket;
}

/** Each message has its length before it: https://www.rfc-editor.org/rfc/rfc1035#section-4.2.2 */
function serveTcp(socket: Socket, answer: Answer): void {
  let held = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', async (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
      const end = 2 + held.readUInt16BE(0);
      const message = held.subarray(2, end);
      held = held.subarray(end);
      const reply = await answer(message);
      if (reply === null) continue;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply.length);
      socket.write(Buffer.concat([length, reply]));
    }
  });
}

/** What does not come in time is for who asked to ask again. */
function ask(server: string, message: Buffer): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const end = (reply: Buffer | null) => {
      clearTimeout(timer);
      socket.close();
      resolve(reply);
    };
    const timer = setTimeout(() => end(null), WAIT_MS);
    socket.once('error', () => end(null));
    socket.once('message', end);
    socket.send(message, DNS_PORT, server);
  });
}

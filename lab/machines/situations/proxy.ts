import { createServer, request } from 'node:http';
import { connect } from 'node:net';

/**
 * A proxy for HTTP, and for all else by CONNECT: `proxy.ts PORT WHAT`, where WHAT is `forward`, `503`, or `silent`, which
 * takes a request and never answers.
 */
const [port, what] = process.argv.slice(2);

const server = createServer((message, response) => {
  if (what === 'silent') return;
  if (what === '503') {
    response.writeHead(503, { 'content-type': 'text/html' }).end('<h1>Service Unavailable</h1>\n');
    return;
  }
  const { method, headers } = message;
  const onward = request(String(message.url), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.writeHead(502).end());
  message.pipe(onward);
});

server.on('connect', (message, socket, head) => {
  socket.on('error', () => {});
  if (what === 'silent') return;
  if (what === '503') {
    socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n');
    return;
  }
  const { hostname, port: to } = new URL(`tcp://${message.url}`);
  const onward = connect(Number(to), hostname, () => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    onward.write(head);
    onward.pipe(socket).pipe(onward);
  });
  onward.on('error', () => socket.destroy());
});

server.listen(Number(port));

import { classifyFailure, reasonOf } from '../../../src/docker/push-failure';

// Messages as moby, docker/cli, containerd, distribution and nginx print them.
test.each([
  ['Get "https://203.0.113.20:5000/v2/": http: server gave HTTP response to HTTPS client', 'https-expected'],
  [
    'Get "https://r.example:5000/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    'https-expected',
  ],
  [
    'Get "http://203.0.113.20:5000/v2/": dial tcp 203.0.113.20:5000: connect: connection refused',
    'transient',
  ],
  ['Get "http://203.0.113.20:5000/v2/": dial tcp 203.0.113.20:5000: i/o timeout', 'transient'],
  [
    'Get "https://r.example:5000/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
    'transient',
  ],
  ['Get "https://r.example:5000/v2/": net/http: TLS handshake timeout', 'transient'],
  ['Get "http://r.example:5000/v2/": context deadline exceeded', 'transient'],
  ['read tcp 10.0.0.2:44120->203.0.113.20:5000: read: connection reset by peer', 'transient'],
  ['Put "http://203.0.113.20:5000/v2/test/blobs/uploads/1": write: broken pipe', 'transient'],
  ['Patch "http://203.0.113.20:5000/v2/test/blobs/uploads/1": EOF', 'transient'],
  ['unexpected EOF', 'transient'],
  ['dial tcp: lookup r.example on 127.0.0.53:53: server misbehaving', 'transient'],
  ['dial tcp 203.0.113.20:5000: connect: no route to host', 'transient'],
  ['received unexpected HTTP status: 502 Bad Gateway', 'transient'],
  ['received unexpected HTTP status: 503 Service Unavailable', 'transient'],
  // The front's own words, of which Docker with the containerd store prints no more.
  ['error from registry: unavailable: the registry does not answer', 'transient'],
  [
    'error parsing HTTP 502 response body: invalid character \'<\' looking for beginning of value: "<html>\\r\\n<head><title>502 Bad Gateway</title></head>"',
    'transient',
  ],
  [
    'failed to do request: unexpected status from PUT request to http://203.0.113.20:5000/v2/test/blobs/uploads/1: 500 Internal Server Error',
    'transient',
  ],
  ['blob upload unknown to registry', 'transient'],
  ['error from registry: invalid content range', 'transient'],
  [
    'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    'transient',
  ],
  ['error during connect: Post "http://%2Fvar%2Frun%2Fdocker.sock/v1.45/images/x/push": EOF', 'transient'],
  [
    'failed to copy: rpc error: code = Canceled desc = rpc error: code = Canceled desc = grpc: the client connection is closing',
    'transient',
  ],
  [
    'failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory',
    'transient',
  ],
  [
    'failed to do request: Head "https://203.0.113.20:5000/v2/x/blobs/y": read tcp 10.0.0.2:32894->203.0.113.20:5000: read: connection reset by peer',
    'transient',
  ],
  ['failed to do request: Head "https://203.0.113.20:5000/v2/x/blobs/y": EOF', 'transient'],
  [
    'unknown: unexpected status from HEAD request to http://h:5000/v2/x/blobs/y: 504 Gateway Timeout',
    'transient',
  ],
  ['denied: requested access to the resource is denied', 'denied'],
  ['error from registry: denied\ndenied', 'denied'],
  [
    'failed to resolve reference "h:5000/x:1": pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials',
    'denied',
  ],
  ['unauthorized: authentication required', 'denied'],
  ['no basic auth credentials', 'denied'],
  ['unexpected status from HEAD request to http://r.example/v2/x/blobs/y: 403 Forbidden', 'denied'],
  ["pull access denied for nope, repository does not exist or may require 'docker login': denied", 'denied'],
  ['An image does not exist locally with the tag: 203.0.113.20:5000/test', 'no-such-image'],
  ['tag does not exist: 203.0.113.20:5000/test:1', 'no-such-image'],
  ['Error response from daemon: No such image: test:latest', 'no-such-image'],
  ['manifest for registry:99 not found: manifest unknown: manifest unknown', 'no-such-image'],
  ['docker.io/library/nope:latest: not found', 'no-such-image'],
  [
    'failed to resolve reference "docker.io/library/nope:1": docker.io/library/nope:1: not found',
    'no-such-image',
  ],
  ['invalid reference format: repository name (library/Test) must be lowercase', 'invalid-name'],
  ['name invalid: invalid repository name', 'invalid-name'],
  ['manifest invalid: manifest invalid', 'invalid-manifest'],
  ['error from registry: manifest invalid', 'invalid-manifest'],
  ['write /var/lib/docker/tmp/GetImageBlob1: no space left on device', 'disk-full'],
  ['error from registry: filesystem: write /var/lib/registry/x: no space left on device', 'disk-full'],
  [
    'toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit',
    'rate-limit',
  ],
  [
    'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: dial unix /var/run/docker.sock: connect: permission denied',
    'no-daemon-access',
  ],
  [
    'permission denied while trying to connect to the docker API at unix:///var/run/docker.sock',
    'no-daemon-access',
  ],
  [
    'unknown: unexpected status from HEAD request to http://h:5000/v2/x/manifests/1: 429 Too Many Requests',
    'rate-limit',
  ],
  ['something that nobody has seen', 'unknown'],
  ['', 'unknown'],
])('%j is %s', (message, kind) => {
  expect(classifyFailure(message)).toBe(kind);
});

test('what a push ended with counts, not what Docker retried before', () => {
  const output = ['7783ea47ab73: Retrying in 5 seconds', ...Array(6).fill('x: Pushed'), 'denied: no'].join(
    '\n',
  );
  expect(classifyFailure(output)).toBe('denied');
  expect(
    classifyFailure(
      'denied-app: Preparing\ndenied-app: Pushing\na: Waiting\nb: Waiting\nc: Waiting\nd: Waiting\nEOF',
    ),
  ).toBe('transient');
});

// Names of images are in Docker's messages, and say nothing of why.
test.each([
  'The push refers to repository [h:5000/denied/forbidden]\na: Waiting\nunexpected EOF',
  'failed to do request: Head "https://h:5000/v2/unauthorized/toomanyrequests/blobs/x": EOF',
  'unknown: unexpected status from HEAD request to http://h:5000/v2/no-such-image/blobs/x: 503 Service Unavailable',
  'failed to resolve reference "h:5000/denied/x:1": failed to do request: dial tcp: i/o timeout',
])('%j is transient, whatever the image is called', (output) => {
  expect(classifyFailure(output)).toBe('transient');
});

test.each([
  [
    'the last line',
    'a: Pushed\nreceived unexpected HTTP status: 502 Bad Gateway\n',
    'received unexpected HTTP status: 502 Bad Gateway',
  ],
  [
    'what stands before a frame around nothing',
    'Get "http://h:5000/v2/": dial tcp 192.0.2.1:5000: i/o timeout\na: Retrying in 1 second\nunknown: \n',
    'Get "http://h:5000/v2/": dial tcp 192.0.2.1:5000: i/o timeout',
  ],
  [
    'nothing where there is only progress',
    'The push refers to repository [h/a]\na: Preparing\na: Retrying in 5 seconds\nunknown:',
    '',
  ],
])('the reason is %s', (_case, output, reason) => {
  expect(reasonOf(output)).toBe(reason);
});

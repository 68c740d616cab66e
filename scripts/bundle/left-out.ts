/**
 * What the bundle leaves out of its packages, each with the reason why the action does not miss it. Paths below
 * node_modules, and what is there instead.
 */
export const REPLACED: Readonly<Record<string, string>> = {
  // gax without gRPC: the Compute clients are given `fallback`, and take nothing else from its index.
  'google-gax/build/src/index.js': `
    exports.fallback = require('./fallback');
    exports.decodeAnyProtosInArray = require('./util').decodeAnyProtosInArray;
    exports.loggingUtils = require('google-logging-utils');
  `,
  // Mixins that the Compute clients do not have, with 2 MB of generated messages.
  'google-gax/build/protos/iam_service.js': '',
  'google-gax/build/protos/locations.js': '',
  'google-gax/build/protos/operations.js': '',
  'google-gax/build/src/iamService.js': '',
  'google-gax/build/src/locationService.js': '',
  'google-gax/build/src/operationsClient.js': '',
  'google-gax/build/src/resumableUpload.js': '',
  'google-gax/build/src/resumableSourceFromFile.js': '',
  // Streaming calls, batches, and operations that gax waits for: Compute has none of them.
  'duplexify/index.js': 'module.exports = class {};',
  'retry-request/index.js': 'module.exports = {};',
  'google-gax/build/src/streamingCalls/streaming.js':
    'exports.StreamProxy = class {}; exports.StreamType = {};',
  'google-gax/build/src/longRunningCalls/longrunning.js': '',
  'google-gax/build/src/bundlingCalls/bundleExecutor.js': '',
  // The key under which gax keeps a descriptor it has read: the descriptor itself is one too.
  'object-hash/index.js': 'module.exports = (text) => text;',
  // The tool cache is asked for exact versions, never for a range.
  'semver/index.js': `
    exports.clean = require('./functions/clean');
    exports.valid = require('./functions/valid');
    exports.gt = exports.satisfies = () => { throw new Error('ranges of versions are left out'); };
  `,
  // Traces and logs of OpenTelemetry, which nobody has asked the clients for.
  '@opentelemetry/api/dist/index.cjs': '',
  'google-gax/build/src/observability/util.js': `
    exports.checkTracingEnabled = exports.checkLoggingEnabled = () => false;
  `,
  'google-gax/build/src/observability/contextUtil.js': `
    exports.setSettingsDefaultDomain = exports.getSettingsDefaultDomain = () => undefined;
  `,
  'google-gax/build/src/observability/TracerHelper.js': 'exports.setAttemptHttpMethod = () => {};',
  'google-gax/build/src/observability/LoggerHelper.js': '',
  // A client of SSH alone: it serves nobody, makes no keys, asks no agent and moves no files.
  'ssh2/lib/server.js': '',
  'ssh2/lib/keygen.js': '',
  'ssh2/lib/http-agents.js': '',
  'ssh2/lib/agent.js': 'exports.isAgent = () => false;',
  'ssh2/lib/protocol/SFTP.js': '',
  // For keys with a passphrase, which src/ssh/private-key.ts refuses.
  'bcrypt-pbkdf/index.js': '',
  // The parser of .proto files: the descriptors are JSON.
  'protobufjs/index.js': "module.exports = require('./light');",
  // A dispatcher for fetch in @actions/http-client, whose own requests go through node:https.
  'undici/index.js': 'exports.ProxyAgent = class {};',
  // A config file is read, and never written: no syntax tree that keeps the text, no printing, YAML 1.2 alone.
  'yaml/dist/index.js': `
    Object.assign(exports, require('./nodes/identity.js'));
    exports.parseAllDocuments = require('./public-api.js').parseAllDocuments;
    exports.LineCounter = require('./parse/line-counter.js').LineCounter;
  `,
  'yaml/dist/parse/cst-scalar.js': '',
  'yaml/dist/parse/cst-stringify.js': '',
  'yaml/dist/parse/cst-visit.js': '',
  'yaml/dist/schema/yaml-1.1/schema.js': "exports.schema = require('../core/schema.js').schema;",
  'yaml/dist/schema/yaml-1.1/binary.js': '',
  'yaml/dist/schema/yaml-1.1/omap.js': '',
  'yaml/dist/schema/yaml-1.1/pairs.js': '',
  'yaml/dist/schema/yaml-1.1/set.js': '',
  'yaml/dist/schema/yaml-1.1/timestamp.js': 'exports.floatTime = exports.intTime = exports.timestamp = {};',
  'yaml/dist/stringify/stringify.js': '',
  'yaml/dist/stringify/stringifyCollection.js': '',
  'yaml/dist/stringify/stringifyComment.js': '',
  'yaml/dist/stringify/stringifyDocument.js': '',
  'yaml/dist/stringify/stringifyNumber.js': '',
  'yaml/dist/stringify/stringifyPair.js': '',
  'yaml/dist/stringify/stringifyString.js': '',
  // For Node without streams of the web.
  'web-streams-polyfill/dist/ponyfill.es2018.js': '',
};

/** Packages of which one other package gets to see a part only. */
export const ADDED: Readonly<Record<string, string>> = {
  // gax makes a GoogleAuth only where it is given no AuthClient.
  'google-gax/node_modules/google-auth-library/index.js': 'exports.GoogleAuth = class {};',
  // An addon that tells ssh2 how fast the CPU is with AES; without it ssh2 asks nobody, and is as fast.
  'cpu-features/index.js': "throw new Error('cpu-features is left out');",
};

/**
 * Lines of a package that are other than they were. The bundler makes a second file of each `import()`; `require` is as
 * lazy, and stays in the one.
 */
export const EDITED: readonly (readonly [string, readonly [from: string, to: string]])[] = [
  ['gaxios/build/cjs/src/gaxios.js', ["await import('node-fetch')", "require('node-fetch')"]],
  ['gaxios/build/cjs/src/gaxios.js', ["await import('https-proxy-agent')", "require('https-proxy-agent')"]],
  // Reads forms out of answers.
  ['node-fetch/src/body.js', ["await import('./utils/multipart-parser.js')", '{}']],
];

import fc from 'fast-check';
import { frontConfig } from '../../../../src/instance/stack/front';
import { frontTold } from '../../../../src/instance/stack/front-told';

const directory = 'https://acme-v02.api.letsencrypt.org/directory';

test('what frontConfig was given is read from what it made', () => {
  const name = fc.constantFrom('registry.example.com', '192.0.2.7', '2001:db8::7');
  const port = fc.constantFrom(80, 443, 5000, 5001, 18080);
  const ui = fc.constantFrom('joxit', 'hyper', 'none' as const);
  const tls = fc.constantFrom('none', 'file', 'acme');
  const logins = fc.constantFrom(null, { anonymousPull: false }, { anonymousPull: true });
  fc.assert(
    fc.property(name, port, port, ui, tls, logins, (name, port, uiPort, ui, kind, logins) => {
      const serverName = kind === 'none' ? null : name;
      const settings = kind === 'acme' ? { kind, directory, email: null } : { kind: 'private-ca' as const };
      const text = frontConfig({ ui, port, uiPort, tls: settings }, serverName, logins);
      expect(frontTold(text)).toEqual({
        serverName,
        acmeDirectory: kind === 'acme' ? directory : null,
        port,
        uiPort: ui === 'none' ? null : uiPort,
        logins,
      });
    }),
  );
});

test.each(['', 'example.com {\n}\n', '{\n\tdefault_sni a.example\n}\n'])(
  'of another text, nothing: %j',
  (text) => {
    expect(frontTold(text)).toBeNull();
  },
);

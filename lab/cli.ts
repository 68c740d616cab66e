import { up } from './machines/up.ts';
await up({ instances: 1, kind: 'debian-13' });

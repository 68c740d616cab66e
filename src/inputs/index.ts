export { readInputs } from './read';
export type * from './types';
